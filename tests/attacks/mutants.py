"""Broken instruments: each leaves the theorem in one way that looks harmless, and each must fail test 1, 2 or 4.

`MUTANTS` says which check catches which: "exact" over the drawn leaks of a kind, "expected" over attempts and stages,
"tilted" on a reading of ordinary size, "leave one out".
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from unittest import mock

import numpy as np
from scipy.special import logsumexp

from copyhold.engines.reading.readings import (
    CELL,
    Alternative,
    Channel,
    Reading,
    institution_half,
    party_half,
    with_cells,
    with_groups,
)
from copyhold.engines.tracing import scoring
from copyhold.engines.tracing.hypotheses import Hypothesis, Law, prior
from copyhold.engines.tracing.likelihoods import Named, log_factors
from copyhold.engines.tracing.naming import Attempt, Naming
from copyhold.engines.tracing.parties import KeyedParties, Parties, StatedParties
from tests.attacks.instrument import (
    Floats,
    Instrument,
    check_exact_mean,
    check_expected_innocents,
    check_leave_one_out,
    check_tilted_mean,
)
from tests.attacks.leaks import Draws, Group, Leak, draw, draws, parties_of
from tests.attacks.sightings import custody
from tests.attacks.sightings import leak as leak_of
from tests.attacks.tilt import Tilt


class UncheckedReading(Reading):
    """A reading that takes what it is given."""

    def __post_init__(self) -> None:
        self._own_arrays()


class CellsTwice(Instrument):
    """Every observation counts as a cell of its own."""

    reading_type = UncheckedReading

    def observed(self, group: Group) -> list[tuple[int, list[float]]]:
        return [(column, [value]) for column, value in group.shown]


class ThreeOfSixtyTwice(Instrument):
    """Three cells count twice, as when three columns of a leak were copies of each other."""

    def log_evidence(
        self,
        alternatives: Sequence[Alternative],
        parties: Parties,
        hypotheses: Sequence[Hypothesis],
        named: Parties | None = None,
    ) -> Floats:
        again = [Alternative(one.weight, _doubled(one.reading, 3)) for one in alternatives]
        return super().log_evidence(again, parties, hypotheses, named)


class SharedCandidates(Instrument):
    """A master row stays a candidate of every group that it resembles."""

    reading_type = UncheckedReading

    def groups(self, leak: Leak) -> tuple[Group, ...]:
        return leak.groups


class SiblingKeysMultiplied(Instrument):
    """A party's evidence is multiplied with its institution's."""

    def half(self, reading: Reading) -> Reading:
        return reading

    def log_evidence(
        self,
        alternatives: Sequence[Alternative],
        parties: Parties,
        hypotheses: Sequence[Hypothesis],
        named: Parties | None = None,
    ) -> Floats:
        halves = [[Alternative(one.weight, half(one.reading)) for one in alternatives] for half in HALVES]
        parts = [scoring.log_evidence(half, parties, hypotheses, named) for half in halves]
        return np.sum(parts, axis=0)


class SameKeyInTwoDatasets(Instrument):
    """A party has one key for both datasets, so that cells at the same row and column show the same bit."""

    def draws(self, leak: Leak) -> Draws:
        drawn, half = draws(leak), leak.cells // 2
        same = (drawn.bits[:, :half] == drawn.bits[:, half:]).all(axis=1)
        p = leak.threshold[:half] / 65536
        chance = np.where(drawn.bits[same, :half], p, 1 - p).prod(axis=1)
        return Draws(drawn.bits[same], drawn.ids[same], drawn.shift[same], chance)


class LargestHypothesis(Instrument):
    """The hypothesis that fits a party best speaks for all."""

    def log_evidence(
        self,
        alternatives: Sequence[Alternative],
        parties: Parties,
        hypotheses: Sequence[Hypothesis],
        named: Parties | None = None,
    ) -> Floats:
        parts = [scoring.log_evidence(alternatives, parties, [one], named) for one in hypotheses[::5]]
        return np.max(parts, axis=0)


class LargestAlternative(Instrument):
    """The alternative that fits a party best speaks for all."""

    def log_evidence(
        self,
        alternatives: Sequence[Alternative],
        parties: Parties,
        hypotheses: Sequence[Hypothesis],
        named: Parties | None = None,
    ) -> Floats:
        parts = [scoring.log_evidence([one], parties, hypotheses, named) for one in alternatives]
        return np.max(parts, axis=0)


class LargestNoise(LargestAlternative):
    """The noise level that fits a party best is taken for the channel's."""

    def alternatives(self, leak: Leak) -> list[Alternative]:
        return [
            Alternative(
                1.0, replace(one.reading, channels=tuple(_at(channel, level) for channel in one.reading.channels))
            )
            for one in super().alternatives(leak)
            for level in range(len(leak.channel.sigmas))
        ]


class BiasNotQuantised(Instrument):
    """Lbar is computed with the bias before it was rounded to t/65536."""

    def log_evidence(
        self,
        alternatives: Sequence[Alternative],
        parties: Parties,
        hypotheses: Sequence[Hypothesis],
        named: Parties | None = None,
    ) -> Floats:
        with mock.patch.object(scoring, "log_factors", _with_bias_before_rounding):
            return super().log_evidence(alternatives, parties, hypotheses, named)


class WeightsFromTheScore(Instrument):
    """The weights of the hypotheses are fitted to each party in one step of expectation and maximisation."""

    def log_evidence(
        self,
        alternatives: Sequence[Alternative],
        parties: Parties,
        hypotheses: Sequence[Hypothesis],
        named: Parties | None = None,
    ) -> Floats:
        some = hypotheses[::5]
        parts = np.array([scoring.log_evidence(alternatives, parties, [one], named) for one in some])
        weights = np.array([one.weight for one in some])[:, None]
        fitted = parts + np.log(weights) - logsumexp(parts, axis=0, b=weights)
        return np.asarray(logsumexp(parts + fitted, axis=0))


class ShiftsModulo(Instrument):
    """A date shift is a 16-bit uniform modulo K: with K = 31 two shifts are likelier than the others."""

    def draws(self, leak: Leak) -> Draws:
        if not leak.shifts:
            return draws(leak)
        return draws(leak, np.bincount(np.arange(65536) % leak.shifts) / 65536)


class IdsAsIfReplaced(Instrument):
    """The factor of an id is N where it has to be N - m + 1."""

    def log_evidence(
        self,
        alternatives: Sequence[Alternative],
        parties: Parties,
        hypotheses: Sequence[Hypothesis],
        named: Parties | None = None,
    ) -> Floats:
        def gain(table: scoring._Table, id_space: int) -> Floats:
            return scoring._gain(table._plan.own, np.array(id_space))

        with mock.patch.object(scoring._Table, "_id_gain", gain):
            return super().log_evidence(alternatives, parties, hypotheses, named)


class LooseIdsAsIfOfOneParticipant(Instrument):
    """The factor of an id on no row is N where it has to be N/n."""

    def parties(self, leak: Leak, drawn: Draws) -> StatedParties:
        given = parties_of(leak, drawn)
        return replace(given, released=np.minimum(given.released, 1))


class PublicCellsCount(Instrument):
    """Cells that stand in a published case file count on, for whoever knows them to show."""

    def parties(self, leak: Leak, drawn: Draws) -> StatedParties:
        return parties_of(leak, drawn, np.ones_like(drawn.bits))


class MaskFromWrittenFile(Instrument):
    """A cell counts as held where the party's own file shows it; the file leaves out large values."""

    def parties(self, leak: Leak, drawn: Draws) -> StatedParties:
        return parties_of(leak, drawn, leak.held & (_written(leak, drawn) < 4.35))


class CohortOnMarkedValues(Instrument):
    """A row belongs to the cohort by its marked values."""

    def parties(self, leak: Leak, drawn: Draws) -> StatedParties:
        first = _written(leak, drawn)[:, :: leak.columns]
        return parties_of(leak, drawn, leak.held & np.repeat(first < 4.35, leak.columns, axis=1))


class ClippedPerCopy(Instrument):
    """A pair that leaves the legal range is clipped in the copies that would show it, and is no evidence there."""

    def parties(self, leak: Leak, drawn: Draws) -> StatedParties:
        return parties_of(leak, drawn, leak.held & (_written(leak, drawn) <= leak.limit))


class RankScreen(Instrument):
    """Only the best three on the first row are looked at more closely."""

    def names(
        self, alternatives: Sequence[Alternative], parties: KeyedParties, controls: KeyedParties, attempt: Attempt
    ) -> Naming:
        first = [with_groups(one.reading, np.arange(len(one.reading.neutral)) == 0) for one in alternatives]
        rough = self.log_evidence([Alternative(1.0, one) for one in first], parties, prior())
        best = np.sort(np.argsort(-rough)[:3])
        found = super().names(alternatives, parties.select(best), controls, attempt)
        return replace(found, names=tuple(replace(one, party=int(best[one.party])) for one in found.names))


class StageNotCharged(Instrument):
    """Further names cost what the first one does."""

    def log_threshold(self, keys: int, attempt: int, named: int) -> float:
        return super().log_threshold(keys, attempt, 0)


class AttemptNotCharged(Instrument):
    """Every attempt costs what the first one does."""

    def log_threshold(self, keys: int, attempt: int, named: int) -> float:
        return super().log_threshold(keys, 1, named)


class StageChargedAgain(Instrument):
    """The stage is charged (s+1) instead of (s+1)(s+2): the sum over the stages does not end."""

    def log_threshold(self, keys: int, attempt: int, named: int) -> float:
        return super().log_threshold(keys, attempt, 0) + float(np.log(named + 1))


class OneKeyToTest(Instrument):
    """R is left out: each party is tested as if it were the only one."""

    def log_threshold(self, keys: int, attempt: int, named: int) -> float:
        return super().log_threshold(1, attempt, named)


@dataclass(frozen=True)
class Catch:
    """The check that catches a mutant, what it is run on, and what it says."""

    check: str
    kind: str = ""

    @property
    def says(self) -> str:
        return {"expected": "innocents", "leave one out": "another"}.get(self.check, "mean above 1")

    def run(self, instrument: Instrument) -> None:
        """Run the check; it raises AssertionError where it catches something."""
        CHECKS[self.check](instrument, self.kind)


def over_drawn_leaks(instrument: Instrument, kind: str) -> None:
    for seed in range(30):
        check_exact_mean(instrument, draw(kind, seed))


def over_sightings(instrument: Instrument, kind: str) -> None:
    for seed in (11, 0):  # in the first the source stands just below a cut at three
        check_leave_one_out(instrument, seed)


CHECKS: dict[str, Callable[[Instrument, str], None]] = {
    "exact": over_drawn_leaks,
    "expected": lambda instrument, _: check_expected_innocents(instrument),
    "tilted": lambda instrument, _: check_tilted_mean(
        instrument, Tilt.of(leak_of(custody(3), [0], rows=5, columns=12))
    ),
    "leave one out": over_sightings,
}

MUTANTS: dict[type[Instrument], Catch] = {
    CellsTwice: Catch("exact", "duplicates"),
    ThreeOfSixtyTwice: Catch("tilted"),
    SharedCandidates: Catch("exact", "shared candidates"),
    SiblingKeysMultiplied: Catch("exact", "halves"),
    SameKeyInTwoDatasets: Catch("exact", "two datasets"),
    LargestHypothesis: Catch("exact", "plain"),
    LargestAlternative: Catch("exact", "versions"),
    LargestNoise: Catch("exact", "plain"),
    BiasNotQuantised: Catch("exact", "plain"),
    WeightsFromTheScore: Catch("exact", "plain"),
    ShiftsModulo: Catch("exact", "dates"),
    IdsAsIfReplaced: Catch("exact", "ids"),
    LooseIdsAsIfOfOneParticipant: Catch("exact", "ids"),
    PublicCellsCount: Catch("exact", "public cells"),
    MaskFromWrittenFile: Catch("exact", "plain"),
    CohortOnMarkedValues: Catch("exact", "plain"),
    ClippedPerCopy: Catch("exact", "limits"),
    RankScreen: Catch("leave one out"),
    StageNotCharged: Catch("expected"),
    AttemptNotCharged: Catch("expected"),
    StageChargedAgain: Catch("expected"),
    OneKeyToTest: Catch("expected"),
}

HALVES = (party_half, institution_half)


def _doubled(reading: Reading, count: int) -> Reading:
    """Return the reading with `count` of its cells once more."""
    part = with_cells(reading, np.arange(len(reading.row)) < count)
    both = {name: np.concatenate([getattr(reading, name), getattr(part, name)]) for name in CELL}
    return UncheckedReading(
        **{name: getattr(reading, name) for name in Reading.__dataclass_fields__ if name not in both} | both
        | {
            "observation_cell": np.concatenate([reading.observation_cell, part.observation_cell + len(reading.row)]),
            "observation": np.concatenate([reading.observation, part.observation]),
        }
    )  # fmt: skip


def _at(channel: Channel, level: int) -> Channel:
    place = min(level, len(channel.sigmas) - 1)
    return replace(channel, sigmas=(channel.sigmas[place],), weights=(1.0,))


def _with_bias_before_rounding(reading: Reading, laws: Sequence[Law], named: Named) -> Floats:
    factors, p = log_factors(reading, laws, named), (reading.threshold + 0.4) / 65536
    return factors - np.log(p * np.exp(factors[1]) + (1 - p) * np.exp(factors[0]))


def _written(leak: Leak, drawn: Draws) -> Floats:
    return np.where(drawn.bits, leak.high, leak.low)
