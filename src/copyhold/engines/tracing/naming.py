"""From evidence to names: the threshold, several names, the controls, and nothing about anybody else.

The (s+1)-th name of attempt t needs E >= R t(t+1)(s+1)(s+2)/alpha, where R counts every key that could be named. As the
sums of 1/(t(t+1)) and of 1/((s+1)(s+2)) are 1, and an innocent's E has mean at most 1 at every stage, the expected
number of innocents ever named in a custody is at most alpha, over all attempts and stages.

A party is kept in the search by a fixed threshold on its own evidence, never by its rank, so that leaving out somebody
who is not named changes nothing for the others. `Naming` holds names and nothing else: of a party that is not named no
figure leaves this module.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binom

from copyhold.domain.errors import InvalidInputError
from copyhold.engines.reading.readings import (
    Alternative,
    Reading,
    institution_half,
    party_half,
    with_cells,
    without_ids,
)
from copyhold.engines.tracing.hypotheses import after, prior
from copyhold.engines.tracing.parties import Cells, Parties, cells_of
from copyhold.engines.tracing.scoring import SCREEN, is_large, log_evidence, screened_log_evidence

ALPHA = 1e-9  # expected number of innocents ever named in a custody
LEAST_PROBABILITY = 1e-15  # below it nothing is printed: no assumption is that certain
CONTROLS = 20_000
CONTROL_LEVEL = 1e-6
ROUNDING = 1.0  # nats by which single precision may be wrong, with room to spare


@dataclass(frozen=True)
class Attempt:
    """One pass of scoring in a custody: the t-th, while `keys_issued` = R keys could be named."""

    number: int
    keys_issued: int

    def __post_init__(self) -> None:
        if self.number < 1 or self.keys_issued < 1:
            raise InvalidInputError("An attempt has a number from 1 on, and at least one key could be named.")

    def log_threshold(self, named: int) -> float:
        """Return the least ln E of the next name, after `named` names in this attempt."""
        return self._log_charge(named) - math.log(ALPHA)

    def p_family(self, evidence: float, named: int) -> float:
        """Return the bound that is printed: max(1e-15, min(1, R t(t+1)(s+1)(s+2)/E)), with `evidence` = ln E."""
        return max(LEAST_PROBABILITY, math.exp(min(0.0, self._log_charge(named) - evidence)))

    def _log_charge(self, named: int) -> float:
        return math.log(self.keys_issued * self.number * (self.number + 1) * (named + 1) * (named + 2))


class BelowThresholdError(InvalidInputError):
    """Nothing may be kept about a party whose evidence does not reach the threshold."""

    code = "BELOW_THRESHOLD"


@dataclass(frozen=True)
class Name:
    """A party whose evidence reached the threshold; a party below it cannot be held here.

    party                      its place among the parties handed in
    after                      s, the names found before it in this attempt
    log_evidence               ln E, all its cells, ids and dates in one product
    log_evidence_without_ids   the same without keyed ids; it chooses the heading and is never a second chance
    log_evidence_without_seen  the same without cells that were found in an earlier sighting
    log_threshold              what ln E had to reach
    p_family                   the bound
    cells                      cells of the reading that the party held
    """

    party: int
    after: int
    log_evidence: float
    log_evidence_without_ids: float
    log_evidence_without_seen: float
    log_threshold: float
    p_family: float
    cells: int

    def __post_init__(self) -> None:
        if not self.log_evidence >= self.log_threshold:
            raise BelowThresholdError("Nothing is kept about a party whose evidence is below the threshold.")

    @property
    def by_ids_alone(self) -> bool:
        """Whether the threshold is reached only with keyed ids, which can be copied by anyone who saw them."""
        return self.log_evidence_without_ids < self.log_threshold


@dataclass(frozen=True)
class Naming:
    """The outcome of an attempt: names in the order found, or none, or an instrument that failed its controls.

    `controls` are (k, how many control keys reached E >= 10^k) before anybody was named; empty where nobody is, so that
    nothing drawn by chance tells two traces apart that name nobody.
    """

    attempt: Attempt
    names: tuple[Name, ...] = ()
    instrument_failed: bool = False
    controls: tuple[tuple[int, int], ...] = ()

    def __post_init__(self) -> None:
        if self.instrument_failed and self.names:
            raise InvalidInputError("An instrument that failed its controls names nobody.")


def name_parties(
    alternatives: Sequence[Alternative],
    parties: Parties,
    controls: Parties,
    attempt: Attempt,
    seen: Cells | None = None,
) -> Naming:
    """Name the parties whose marks the reading shows, one after another, each conditioned on those before it.

    Only the party half of the cells speaks of a party. `controls` are keys that nobody has, drawn afresh for this
    attempt; at every stage they are scored as the parties are, and if too many of them show evidence nobody is named.
    `seen` are cells found in earlier sightings, for a second figure that leaves them out.

    Guarantee: over all attempts and stages the expected number of innocents named is at most alpha = 1e-9.
    Source: tracing design, sections 1, 6 and 11 (tests 3 and 4).
    """
    return _name(_halves(alternatives, party_half), parties, controls, attempt, seen)


def name_institutions(
    alternatives: Sequence[Alternative],
    institutions: Parties,
    controls: Parties,
    attempt: Attempt,
    seen: Cells | None = None,
) -> Naming:
    """Name the institutions at which a copy was held, from the institution half of the cells alone.

    This is another test beside `name_parties`, charged in the same R; the two are never multiplied, and a name found
    here says nothing against any one party of the institution. Arguments and guarantee are those of `name_parties`.
    """
    return _name(_halves(alternatives, institution_half), institutions, controls, attempt, seen)


def describe(
    alternatives: Sequence[Alternative],
    parties: Parties,
    found: list[int],
    party: int,
    attempt: Attempt,
    seen: Cells | None = None,
) -> Name:
    """Compute every figure that is printed about one party, when those of `found` were named before it.

    Raises: BelowThresholdError where the party's evidence does not reach the threshold.
    """
    evidence = _exact(alternatives, parties, found, party)
    bare = [Alternative(one.weight, without_ids(one.reading)) for one in alternatives]
    fresh = [_without(one, seen) if seen is not None else one for one in alternatives]

    def unless_the_same(others: Sequence[Alternative]) -> float:
        same = all(one.reading is other.reading for one, other in zip(alternatives, others, strict=True))
        return evidence if same else _exact(others, parties, found, party)

    return Name(
        party=party,
        after=len(found),
        log_evidence=evidence,
        log_evidence_without_ids=unless_the_same(bare),
        log_evidence_without_seen=unless_the_same(fresh),
        log_threshold=attempt.log_threshold(len(found)),
        p_family=attempt.p_family(evidence, len(found)),
        cells=_cells_held(alternatives, parties.select(np.array([party]))),
    )


def too_many(log_evidence_of_controls: NDArray[np.float64]) -> bool:
    """Say whether more controls show E >= 10^k, for any k, than 10^-k of them would at level 1e-6."""
    total = len(log_evidence_of_controls)
    return any(
        binom.sf(count - 1, total, 10.0**-k) < CONTROL_LEVEL for k, count in reached(log_evidence_of_controls) if k
    )


def reached(log_evidence_of_controls: NDArray[np.float64]) -> tuple[tuple[int, int], ...]:
    """Count the controls that show E >= 10^k, for k from 0 to the highest that any shows."""
    log10 = np.floor(log_evidence_of_controls / math.log(10))
    highest = int(np.max(log10, initial=0, where=np.isfinite(log10)))
    return tuple((k, int((log10 >= k).sum())) for k in range(highest + 1))


def _halves(alternatives: Sequence[Alternative], half: Callable[[Reading], Reading]) -> list[Alternative]:
    return [Alternative(one.weight, half(one.reading)) for one in alternatives]


def _name(
    alternatives: list[Alternative], parties: Parties, controls: Parties, attempt: Attempt, seen: Cells | None
) -> Naming:
    names: list[Name] = []
    at_first: tuple[tuple[int, int], ...] = ()
    asked, asked_controls = np.arange(len(parties)), np.arange(len(controls))
    while True:
        found = [one.party for one in names]
        of_controls = _rough(alternatives, controls, asked_controls, parties, found)
        if too_many(of_controls):
            return Naming(attempt, instrument_failed=True)
        rough = _rough(alternatives, parties, asked, parties, found)
        best = _strongest(alternatives, parties, rough, found, attempt)
        if best is None:
            return Naming(attempt, tuple(names), controls=at_first)
        if not names:
            at_first = reached(of_controls)
            asked, asked_controls = (_asked_again(alternatives, one) for one in (rough, of_controls))
        names.append(describe(alternatives, parties, found, best, attempt, seen))


def _asked_again(alternatives: Sequence[Alternative], first: NDArray[np.float64]) -> NDArray[np.intp]:
    """Say who is asked for further names: those for whom their own evidence spoke before anybody was named.

    The threshold is fixed, so what a later stage finds is evidence too: E or 0. A large leak is screened at each stage.
    """
    whole = not any(is_large(one.reading) for one in alternatives)
    return np.flatnonzero(first >= SCREEN) if whole else np.arange(len(first))


def _strongest(
    alternatives: Sequence[Alternative],
    parties: Parties,
    rough: NDArray[np.float64],
    found: list[int],
    attempt: Attempt,
) -> int | None:
    """Return the party not yet found whose evidence is above the threshold by most, the first of equals."""
    threshold = attempt.log_threshold(len(found))
    rough[found] = -np.inf
    # Whoever is exactly the strongest is roughly so: of two within the rounding of both.
    likely = np.flatnonzero(rough >= max(threshold - ROUNDING, rough.max(initial=-np.inf) - 2 * ROUNDING)).tolist()
    exact = {one: _exact(alternatives, parties, found, one) for one in likely}
    return max((one for one in likely if exact[one] >= threshold), key=lambda one: exact[one], default=None)


def _rough(
    alternatives: Sequence[Alternative],
    everybody: Parties,
    asked: NDArray[np.intp],
    parties: Parties,
    found: list[int],
) -> NDArray[np.float64]:
    rough = np.full(len(everybody), -np.inf)
    some, hypotheses = everybody.select(asked), after(prior(), len(found))
    rough[asked] = screened_log_evidence(alternatives, some, hypotheses, _chosen(parties, found))
    return rough


def _exact(alternatives: Sequence[Alternative], parties: Parties, found: list[int], party: int) -> float:
    # One party at a time: what is printed about it cannot depend on who else was looked at.
    alone = parties.select(np.array([party]))
    return float(log_evidence(alternatives, alone, after(prior(), len(found)), _chosen(parties, found))[0])


def _chosen(parties: Parties, found: list[int]) -> Parties | None:
    return parties.select(np.array(found)) if found else None


def _without(alternative: Alternative, seen: Cells) -> Alternative:
    reading = alternative.reading
    gone = set(seen.addresses())
    keep = np.array([address not in gone for address in cells_of(reading).addresses()], dtype=bool)
    return Alternative(alternative.weight, with_cells(reading, keep))


def _cells_held(alternatives: Sequence[Alternative], party: Parties) -> int:
    used: set[tuple[int, int, int]] = set()
    for one in alternatives:
        cells = cells_of(one.reading)
        held = party.held(cells)
        used |= set((cells if held is None else cells.take(np.flatnonzero(held[0]))).addresses())
    return len(used)
