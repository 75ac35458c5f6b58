"""The evidence E of each party: how much better the reading fits with the party's own marks than with fresh ones.

    E = sum over alternatives of w_a * sum over hypotheses of w_h * product over groups of R,
    R = (1 - pi) + pi * (w_0 + sum over candidates of w_cand * product over its cells, id and date units of L/Lbar)

Everything is a mean, never a maximum, and every weight is fixed before a bit is asked. Hence over the drawing of an
innocent party's marks E has mean at most 1 whatever the reading says, and P(E >= x) <= 1/x (docs/adr/0007-evidence.md).

The sums run in blocks of parties: bits (parties x cells) times log L1/L0 (cells x laws) is a matrix product for each
candidate. Single precision is for looking through many parties; what decides and what is printed is double precision,
one party at a time, so that it does not depend on who else was looked at.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp

from copyhold.domain.errors import InvalidInputError
from copyhold.engines.reading.readings import Alternative, Reading, with_cells, with_groups
from copyhold.engines.tracing.hypotheses import Hypothesis, Law
from copyhold.engines.tracing.likelihoods import Named, log_factors, nobody
from copyhold.engines.tracing.parties import Cells, Parties, Seen, cells_of
from copyhold.engines.tracing.products import Numbers, Precision, Products, Run

CHUNK = 20_000  # cells laid out at once, so that a leak of any size fits
BLOCK = 4_000_000  # bits asked at once
PARTIES = 800  # parties in a block, so that a block's sums stay in the processor's cache

LARGE_CELLS, LARGE_GROUPS = 20_000, 1_000  # above either, parties are screened
SCREEN_CELLS, SCREEN_GROUPS = 2_000, 200  # what they are screened on
SCREEN = 0.0  # least ln E on that part


def log_evidence(
    alternatives: Sequence[Alternative],
    parties: Parties,
    hypotheses: Sequence[Hypothesis],
    named: Parties | None = None,
    precision: Precision = np.float64,
) -> NDArray[np.float64]:
    """Return ln E of each party, shape (parties,).

    `named` are the parties found so far in this attempt: L and Lbar are conditioned on their bits, and `hypotheses` are
    then those of `hypotheses.after`. Keyed ids and date shifts of a reading enter beside its cells.

    Guarantee: over the keys of a party that had no part in the leak, E has mean at most 1.
    Source: tracing design, sections 1, 4 and 6.
    Cost: parties x cells x laws multiplications, parties x candidates x laws exponentials.
    """
    weights = _weights(one.weight for one in alternatives)
    parts = [_of_reading(one.reading, parties, hypotheses, named, precision) for one in alternatives]
    mixed: NDArray[np.float64] = logsumexp(np.stack(parts), axis=0, b=weights[:, None])
    return mixed


def screened_log_evidence(
    alternatives: Sequence[Alternative],
    parties: Parties,
    hypotheses: Sequence[Hypothesis],
    named: Parties | None = None,
) -> NDArray[np.float64]:
    """Return ln E of each party in single precision; of a large leak, -inf for those that a part of it speaks against.

    The part is taken from the reading alone and the party is kept by a fixed threshold on its own evidence, so that
    this is an evidence too: it is E or 0.
    """
    few = [Alternative(one.weight, thinned(one.reading)) for one in alternatives]
    first = log_evidence(few, parties, hypotheses, named, np.float32)
    if all(part.reading is one.reading for part, one in zip(few, alternatives, strict=True)):
        return first
    kept, whole = np.flatnonzero(first >= SCREEN), np.full(len(parties), -np.inf)
    if len(kept):
        whole[kept] = log_evidence(alternatives, parties.select(kept), hypotheses, named, np.float32)
    return whole


def thinned(reading: Reading) -> Reading:
    """Return a part of a large reading, evenly spread over it: some of its groups, and some of their cells."""
    if not is_large(reading):
        return reading
    part = with_groups(reading, _spread(len(reading.neutral), SCREEN_GROUPS))
    return with_cells(part, _spread(len(part.row), SCREEN_CELLS))


def is_large(reading: Reading) -> bool:
    """Say whether parties are screened on a part of a reading."""
    return len(reading.row) > LARGE_CELLS or len(reading.neutral) > LARGE_GROUPS


def _spread(size: int, wanted: int) -> NDArray[np.bool_]:
    place = np.arange(size) * min(wanted, size) // max(size, 1)
    return np.diff(place, prepend=-1) > 0


def _of_reading(
    reading: Reading,
    parties: Parties,
    hypotheses: Sequence[Hypothesis],
    named: Parties | None,
    precision: Precision,
) -> NDArray[np.float64]:
    plan, ids_read = _Plan.of(hypotheses), len(reading.id_value) + len(reading.loose_id)
    total: Numbers = _loose_ids(reading, parties, plan).astype(precision)
    for part in _chunks(reading):
        table = _Table(part, plan, named, ids_read, precision)
        for block in _blocks(len(parties), len(part.row)):
            total[block] += table.log_products(parties.select(block))
    mixed: NDArray[np.float64] = logsumexp(total.astype(np.float64), axis=1, b=_weights(plan.weight)[None, :])
    return mixed


@dataclass(frozen=True)
class _Plan:
    """Hypotheses in the order of their shares, each share with a run of the laws (which is quicker than a choice)."""

    laws: tuple[Law, ...]
    shares: tuple[tuple[float, slice], ...]  # pi, and the laws it goes with
    own: NDArray[np.float64]  # (laws,): (1 - eps)/c, the chance that an id or a shift that was read is the party's own
    weight: NDArray[np.float64]  # (hypotheses,)
    loose: NDArray[np.float64]  # (hypotheses,): pi (1 - eps)/c, the same for an id on a row that aligns to nobody

    @cached_property
    def runs(self) -> tuple[Run, ...]:
        """Each share with its run of the laws and its run of the hypotheses."""
        ends = np.cumsum([0, *(run.stop - run.start for _, run in self.shares)]).tolist()
        places = [slice(start, end) for start, end in pairwise(ends)]
        return tuple((share, run, place) for (share, run), place in zip(self.shares, places, strict=True))

    @staticmethod
    def of(hypotheses: Sequence[Hypothesis]) -> "_Plan":
        weight = {(one.share, one.law): one.weight for one in hypotheses}
        spread = Counter(one.law for one in hypotheses)
        laws = sorted(spread, key=lambda law: -spread[law])
        shares = []
        for share in dict.fromkeys(one.share for one in hypotheses):
            places = [place for place, law in enumerate(laws) if (share, law) in weight]
            shares.append((share, slice(places[0], places[-1] + 1)))
        own = np.array([(1 - one.background) / one.colluders for one in laws])
        pairs = [(share, law) for share, run in shares for law in laws[run]]
        weights = np.array([weight.get(pair, 0.0) for pair in pairs])
        loose = np.concatenate([share * own[run] for share, run in shares])
        return _Plan(tuple(laws), tuple(shares), own, weights, loose)


@dataclass(frozen=True)
class _Answers:
    """What a block of parties says about the cells, ids and shifts of a reading; bits and held (cells, parties)."""

    bits: Numbers
    held: Numbers | None
    ids: Seen
    dates: Seen
    shifts: NDArray[np.int64]


class _Table:
    """The factors of a reading under every law, laid out candidate by candidate for matrix products.

    Laws stand in rows and parties in columns, so that a run of laws lies together in memory.
    """

    def __init__(
        self, reading: Reading, plan: _Plan, named: Parties | None, ids_read: int, precision: Precision
    ) -> None:
        self._reading, self._plan, self._ids_read, self._precision = reading, plan, ids_read, precision
        order = np.argsort(reading.cell_candidate, kind="stable")
        cells, candidates = cells_of(reading), len(reading.candidate_row)
        self._cells = cells.take(order)
        factors = log_factors(reading, plan.laws, _bits_of(named, cells))[:, :, order]
        self._low: Numbers = np.ascontiguousarray(factors[0].T, dtype=precision)
        self._step: Numbers = np.ascontiguousarray((factors[1] - factors[0]).T, dtype=precision)
        self._misses = np.log1p(-plan.own)[:, None]
        self._ends = np.searchsorted(reading.cell_candidate[order], np.arange(candidates + 1))
        self._members = _members(reading.candidate_group, len(reading.neutral))
        self._bounds = self._log_bounds()
        self._ids_of = _members(reading.id_candidate, candidates)
        self._dates_of = _members(reading.date_candidate, candidates)

    def log_products(self, parties: Parties) -> Numbers:
        """Return log prod over groups of R for every party and hypothesis, shape (parties, hypotheses)."""
        answers, id_gain = self._ask(parties), self._id_gain(parties.id_space)[:, None]
        products = Products(self._plan.runs, len(parties), self._precision)
        for members, neutral in zip(self._members, self._reading.neutral, strict=True):
            if len(members):  # a group that comes from no candidate says nothing: its factor is 1
                logs = [self._candidate(one, answers, id_gain) for one in members]
                bound = max(self._bounds[one] for one in members)
                products.take(logs, self._reading.candidate_weight[members], float(neutral), bound)
        return products.logs()

    def _log_bounds(self) -> NDArray[np.float64]:
        """Return what no party's log product of a candidate exceeds; ids and dates have no bound here."""
        most = np.maximum(self._low, self._low + self._step).astype(np.float64)
        summed = np.concatenate([np.zeros((1, most.shape[1])), np.cumsum(np.maximum(most, 0.0), axis=0)])
        bounds: NDArray[np.float64] = (summed[self._ends[1:]] - summed[self._ends[:-1]]).max(axis=1, initial=0.0)
        bounds[self._reading.id_candidate] = np.inf
        bounds[self._reading.date_candidate] = np.inf
        return bounds

    def _ask(self, parties: Parties) -> _Answers:
        reading, held = self._reading, parties.held(self._cells)
        bits = parties.bits(self._cells) if held is None else parties.bits(self._cells) & held
        return _Answers(
            bits.astype(self._precision).T,  # a view: the matrix product reads it as it lies
            None if held is None else held.astype(self._precision).T,
            parties.ids(reading.participant[reading.id_candidate], reading.id_value),
            parties.dates(reading.participant[reading.date_candidate], reading.date_unit, reading.date_shift),
            parties.shifts,
        )

    def _candidate(self, candidate: int, answers: _Answers, id_gain: NDArray[np.float64]) -> Numbers:
        """Return the log product of a candidate's factors, shape (laws, parties)."""
        cells = slice(self._ends[candidate], self._ends[candidate + 1])
        low = self._low[cells]
        logs: Numbers = self._step[cells].T @ answers.bits[cells]
        logs += low.sum(axis=0)[:, None] if answers.held is None else low.T @ answers.held[cells]
        for one in self._ids_of[candidate]:
            logs += _factor(answers.ids, one, id_gain, self._misses)
        for one in self._dates_of[candidate]:
            logs += _factor(answers.dates, one, _gain(self._plan.own[:, None], answers.shifts), self._misses)
        return logs

    def _id_gain(self, id_space: int) -> NDArray[np.float64]:
        return _gain(self._plan.own, np.array(id_space - self._ids_read + 1))


def _gain(own: NDArray[np.float64], space: NDArray[np.int64] | NDArray[np.float64]) -> NDArray[np.float64]:
    """Return log of the factor a space [hit] + (1 - a) of a hit; for a miss it is log(1 - a)."""
    gain: NDArray[np.float64] = np.log(own * space + (1 - own))
    return gain


def _factor(seen: Seen, one: np.intp, gain: NDArray[np.float64], miss: NDArray[np.float64]) -> Numbers:
    return np.where(seen.held[:, one], np.where(seen.hit[:, one], gain, miss), 0.0)


def _loose_ids(reading: Reading, parties: Parties, plan: _Plan) -> Numbers:
    """Return the log factors of ids that were read on rows of nobody, shape (parties, hypotheses)."""
    if len(reading.loose_id) == 0:
        return np.zeros((len(parties), len(plan.weight)))
    hits, released = parties.loose_ids(reading.loose_id)[:, None], parties.released[:, None]
    gain = _gain(plan.loose, parties.id_space / np.maximum(released, 1))
    logs = hits * gain + (len(reading.loose_id) - hits) * np.log1p(-plan.loose)
    return np.where(released > 0, logs, 0.0)


def _bits_of(named: Parties | None, cells: Cells) -> Named:
    if named is None:
        return nobody(len(cells.row))
    bits, held = named.bits(cells), named.held(cells)
    known = np.ones_like(bits) if held is None else held
    return Named(known.sum(axis=0), (bits & known).sum(axis=0))


def _chunks(reading: Reading) -> Iterator[Reading]:
    """Yield the groups of a reading, so many together that their cells can be laid out at once."""
    cells = np.bincount(reading.candidate_group[reading.cell_candidate], minlength=len(reading.neutral))
    chunk = (np.cumsum(cells) - cells) // CHUNK
    for one in np.unique(chunk):
        yield with_groups(reading, chunk == one)


def _blocks(parties: int, cells: int) -> Iterator[NDArray[np.intp]]:
    size = max(1, min(PARTIES, BLOCK // max(cells, 1)))
    for start in range(0, parties, size):
        yield np.arange(start, min(start + size, parties))


def _members(owner: NDArray[np.int32], owners: int) -> list[NDArray[np.intp]]:
    order = np.argsort(owner, kind="stable")
    return np.split(order, np.searchsorted(owner[order], np.arange(1, owners)))[:owners]


def _weights(given: Iterable[float]) -> NDArray[np.float64]:
    weights = np.array(list(given), dtype=np.float64)
    if not (np.all(np.isfinite(weights) & (weights >= 0)) and weights.sum() > 0):
        raise InvalidInputError("This reading cannot be scored: weights are numbers, not negative, and not all zero.")
    shares: NDArray[np.float64] = weights / weights.sum()
    return shares
