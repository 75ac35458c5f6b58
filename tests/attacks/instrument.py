"""The instrument under test: from a leak to evidence and names, each step one method that a mutant may break."""

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from copyhold.engines.reading.readings import Alternative, Reading, party_half
from copyhold.engines.tracing.hypotheses import Hypothesis, after, prior
from copyhold.engines.tracing.naming import Attempt, Naming, name_parties
from copyhold.engines.tracing.parties import KeyedParties, Parties, StatedParties
from copyhold.engines.tracing.scoring import log_evidence
from tests.attacks.leaks import Draws, Group, Leak, draws, found_before, parties_of
from tests.attacks.sightings import Custody, custody
from tests.attacks.sightings import leak as leak_of
from tests.attacks.tilt import Tilt

Floats = NDArray[np.float64]


class Instrument:
    """What the product does."""

    reading_type: type[Reading] = Reading

    def draws(self, leak: Leak) -> Draws:
        """Return all ways in which an innocent party's marks are drawn."""
        return draws(leak)

    def parties(self, leak: Leak, drawn: Draws) -> StatedParties:
        """Return the party of each draw with what the register says it held."""
        return parties_of(leak, drawn)

    def groups(self, leak: Leak) -> tuple[Group, ...]:
        """Give each master row to the group with the larger weight; elsewhere its weight passes to nobody."""
        best: dict[int, tuple[float, int]] = {}
        for number, group in enumerate(leak.groups):
            for row, weight in group.candidates:
                best[row] = max(best.get(row, (-1.0, 0)), (weight, -number))
        kept = []
        for number, group in enumerate(leak.groups):
            mine = tuple((row, weight) for row, weight in group.candidates if best[row] == (weight, -number))
            kept.append(replace(group, candidates=mine, neutral=1 - sum(weight for _, weight in mine)))
        return tuple(kept)

    def observed(self, group: Group) -> list[tuple[int, list[float]]]:
        """Put all that a group shows of one column together, so that its cell is read once."""
        columns = sorted({column for column, _ in group.shown})
        return [(column, [value for other, value in group.shown if other == column]) for column in columns]

    def alternatives(self, leak: Leak) -> list[Alternative]:
        """Return the reading of each version, with its weight."""
        readings = [self._reading(leak, version) for version in leak.versions]
        return [Alternative(weight, one) for weight, one in zip(leak.version_weights, readings, strict=True)]

    def half(self, reading: Reading) -> Reading:
        """Return what speaks of a party."""
        return party_half(reading)

    def log_evidence(
        self,
        alternatives: Sequence[Alternative],
        parties: Parties,
        hypotheses: Sequence[Hypothesis],
        named: Parties | None = None,
    ) -> Floats:
        """Return ln E of each party."""
        return log_evidence(alternatives, parties, hypotheses, named)

    def log_threshold(self, keys: int, attempt: int, named: int) -> float:
        """Return what ln E of the next name has to reach."""
        return Attempt(number=attempt, keys_issued=keys).log_threshold(named)

    def sighting(self, seed: int) -> tuple[Custody, Reading, Attempt]:
        """Return a leak of one of 12 parties in which the first rows, from elsewhere, lie about who it is."""
        world = custody(12, seed)
        reading = leak_of(
            world, [int(np.random.default_rng(seed).integers(12))], rows=9, columns=10, seed=seed, foreign=1
        )
        return world, reading, Attempt(number=1, keys_issued=12)

    def names(
        self, alternatives: Sequence[Alternative], parties: KeyedParties, controls: KeyedParties, attempt: Attempt
    ) -> Naming:
        """Name the parties whose marks the reading shows."""
        return name_parties(alternatives, parties, controls, attempt)

    def evidence(self, leak: Leak) -> tuple[Floats, Floats]:
        """Return ln E and the probability of every draw of an innocent party."""
        drawn = self.draws(leak)
        alternatives = [Alternative(one.weight, self.half(one.reading)) for one in self.alternatives(leak)]
        named, hypotheses = None, prior()
        if len(leak.named):
            named, hypotheses = parties_of(leak, found_before(leak)), after(hypotheses, len(leak.named))
        return self.log_evidence(alternatives, self.parties(leak, drawn), hypotheses, named), drawn.probability

    def _reading(self, leak: Leak, version: float) -> Reading:
        groups = self.groups(leak)
        candidates = [(number, row, weight) for number, one in enumerate(groups) for row, weight in one.candidates]
        cells, observations = [], []
        for place, (number, row, _) in enumerate(candidates):
            for column, values in self.observed(groups[number]):
                observations.extend((len(cells), value) for value in values)
                cells.append((place, row * leak.columns + column))
        owner, cell = np.array(cells, dtype=int).reshape(-1, 2).T
        place_of = {row: place for place, (_, row, _) in enumerate(candidates)}
        rows = np.array([row for _, row, _ in candidates], dtype=int)
        address, shift = leak.addresses(), version * (leak.high - leak.low)[cell]
        ids = [(place_of[row], value) for row, value in leak.ids if row in place_of]
        dates = [(place_of[row], unit, moved) for row, unit, moved in leak.dates if row in place_of]
        return self.reading_type(
            neutral=np.array([one.neutral for one in groups]),
            candidate_group=np.array([number for number, _, _ in candidates], dtype=int),
            candidate_row=rows,
            participant=1000 + rows,
            candidate_weight=np.array([weight for _, _, weight in candidates]),
            cell_candidate=owner,
            table=address.table[cell],
            row=address.row[cell],
            column=address.column[cell],
            threshold=address.threshold[cell],
            low=leak.low[cell] + shift,
            high=leak.high[cell] + shift,
            original_high=leak.original_high[cell],
            institution=leak.institution[cell],
            channel=np.zeros(len(cell), dtype=int),
            observation_cell=np.array([cell for cell, _ in observations], dtype=int),
            observation=np.array([value for _, value in observations]),
            id_candidate=np.array([place for place, _ in ids], dtype=int),
            id_value=np.array([value for _, value in ids], dtype=int),
            loose_id=np.array(leak.loose, dtype=int),
            date_candidate=np.array([place for place, _, _ in dates], dtype=int),
            date_unit=np.array([unit for _, unit, _ in dates], dtype=int),
            date_shift=np.array([moved for _, _, moved in dates], dtype=int),
            channels=(leak.channel,),
        )


def check_exact_mean(instrument: Instrument, leak: Leak) -> None:
    """Test 1: fail unless the evidence has mean at most 1 over every draw of an innocent party's marks."""
    evidence, probability = instrument.evidence(leak)
    assert abs(probability.sum() - 1) < 1e-9
    assert float(np.sum(probability * np.exp(evidence))) <= 1 + 1e-9, "mean above 1"


def check_expected_innocents(instrument: Instrument) -> None:
    """Test 1 over attempts and stages: fail unless the expected number of innocents ever named is at most alpha.

    An opponent chooses each attempt and stage, and the evidence of each of R innocents is as large as mean 1 allows:
    exactly the threshold with probability 1/threshold, else 0.
    """
    expected = math.fsum(
        keys * math.exp(-instrument.log_threshold(keys, attempt, named))
        for keys in (1000,)
        for attempt in range(1, 60)
        for named in range(60)
    )
    assert expected <= 1e-9, "too many innocents named"


def check_tilted_mean(instrument: Instrument, tilt: Tilt, draws_wanted: int = 12_000) -> None:
    """Test 2: fail unless the evidence of an innocent has mean 1 (at most 1 with ids) on a real reading.

    Plain draws of an innocent never come near the large values that make up the mean. So bits are drawn half from the
    laws of the hypotheses fitted to the reading and half from the party's own, and weighted back by dP/dQ.
    """
    evidence, weight = tilt.draw(instrument, draws_wanted)
    terms = weight * np.exp(evidence)
    error = float(terms.std() / math.sqrt(len(terms)))
    assert float(terms.mean()) <= 1 + 4 * error, "mean above 1"
    assert tilt.uses_ids or float(terms.mean()) >= 1 - 4 * error, "mean below 1"
    assert error <= 0.01
    assert float(np.mean(weight * (evidence >= 13 * math.log(10)))) <= 1e-13


def check_leave_one_out(instrument: Instrument, seed: int) -> None:
    """Test 4: fail unless leaving out a party that is not named changes nothing for the others, R held fixed."""
    world, reading, attempt = instrument.sighting(seed)
    alternatives, everybody = [Alternative(1.0, reading)], range(len(world.keys))
    whole = instrument.names(alternatives, world.parties, world.controls(20), attempt)
    named = {one.party for one in whole.names}
    for left_out in set(everybody) - named:
        rest = [one for one in everybody if one != left_out]
        again = instrument.names(alternatives, world.without(left_out), world.controls(20), attempt)
        assert [replace(one, party=rest[one.party]) for one in again.names] == list(whole.names), "another answer"
