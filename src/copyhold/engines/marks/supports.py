"""The values that a column really shows, and which of them may stand in for each other.

A pair {x, x + s} must look like the column: both members lie on the grid that x lies on (even stays even, one decimal
stays one decimal), both occur in the stratum, and their frequencies differ by at most a factor of three. Grids are
found from the values: 1, 10 last-place units and so on, each "in use" where its multiples are at least three times as
frequent per value as what lies between them. Where most values occur only once, "occur" and "frequency" mean the count
of values of the same grid within ten steps.
"""

from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

Whole = NDArray[np.int64]

RATIO = 3  # largest quotient of the frequencies of a pair's members
WINDOW = 10  # steps to either side within which values are counted where most occur once
FACTORS = (2, 5, 10)  # from one grid to the next coarser one
FEWEST_MULTIPLES = 3  # different values on a grid, beside the commonest one
FEW = 30  # below this many values a grid cannot be told from chance: 3 times the share of 1 in 10 is then 4 sd away


class Kind(StrEnum):
    """How the two members of a pair are found."""

    GRID = "grid"  # x and x +- s on the column's own decimal grid
    LISTED = "listed"  # x and another value that the column shows, where values carry binary noise


@dataclass(frozen=True, eq=False)
class Residue:
    """The values of one stratum that lie on one grid and on no coarser one in use.

    values  int64 (distinct,): ascending, in units; counts int64 (distinct,): how often each occurs
    """

    grid: int
    continuous: bool
    values: Whole
    counts: Whole

    @cached_property
    def _cumulated(self) -> Whole:
        return np.concatenate([[0], np.cumsum(self.counts)])

    def frequency(self, at: Whole, reach: Whole) -> Whole:
        """Count the values that stand for `at`: its own occurrences, or those within `reach` where most occur once."""
        if self.continuous:
            first = np.searchsorted(self.values, at - reach, side="left")
            after = np.searchsorted(self.values, at + reach, side="right")
            within = (at >= self.values[0]) & (at <= self.values[-1])
            return np.where(within, self._cumulated[after] - self._cumulated[first], 0)
        place = np.minimum(np.searchsorted(self.values, at), len(self.values) - 1)
        return np.where(self.values[place] == at, self.counts[place], 0)


@dataclass(frozen=True, eq=False)
class Support:
    """All values of one stratum, split by grid, the coarsest first; a value x is on a grid where it divides x - offset.

    `stratum` is the label, empty for a field without strata.
    """

    stratum: str
    offset: int
    residues: tuple[Residue, ...]

    @property
    def values(self) -> Whole:
        """Every distinct value, ascending."""
        return np.sort(np.concatenate([residue.values for residue in self.residues]))

    @property
    def continuous(self) -> bool:
        """Whether a value that never occurred may belong to a pair."""
        return any(residue.continuous for residue in self.residues)


@dataclass(frozen=True)
class Limits:
    """Where a field's values may be, in units: range, values that no pair touches or spans, and cut points.

    A cut c divides the values below c from those at or above it.
    """

    low: int | None = None
    high: int | None = None
    untouched: tuple[int, ...] = ()
    cuts: tuple[int, ...] = ()

    def allow(self, lower: Whole, upper: Whole) -> NDArray[np.bool_]:
        """Say which intervals [lower, upper] stay in range, hold no untouched value and lie on one side of cuts."""
        fine = np.ones(np.broadcast(lower, upper).shape, dtype=bool)
        if self.low is not None:
            fine &= lower >= self.low
        if self.high is not None:
            fine &= upper <= self.high
        for code in self.untouched:
            fine &= (upper < code) | (lower > code)
        for cut in self.cuts:
            fine &= (upper < cut) | (lower >= cut)
        return fine

    @property
    def any(self) -> bool:
        """Whether there is anything to check."""
        return self.low is not None or self.high is not None or bool(self.untouched) or bool(self.cuts)


@dataclass(frozen=True)
class StepRule:
    """How far a mark moves a value: about `share` of the tolerance, never more than the tolerance.

    `tolerance` is in units, or a share of the value where `relative`.
    """

    tolerance: float
    relative: bool
    share: float

    def most(self, values: Whole | NDArray[np.float64]) -> NDArray[np.float64]:
        """Give the tolerance at each value."""
        size = np.abs(values.astype(np.float64))
        return self.tolerance * size if self.relative else np.full(size.shape, self.tolerance)

    def step(self, values: Whole, grid: int) -> Whole:
        """Give the step at each value: the multiple of the grid nearest to the share, at least one grid."""
        grids = np.rint(self.share * self.most(values) / grid)
        return grid * np.maximum(1, grids).astype(np.int64)


def split_by_grid(stratum: str, values: Whole, counts: Whole, *, one_grid: bool = False) -> Support:
    """Find the grids in use among distinct ascending values and split the values by them."""
    offset = int(values[np.argmax(counts)]) if len(values) else 0
    grids = [1] if one_grid else grids_in_use(values - offset, counts)
    residues, left = [], np.ones(len(values), dtype=bool)
    for grid in sorted(grids, reverse=True):
        here = left & ((values - offset) % grid == 0)
        left &= ~here
        if here.any():
            residues.append(_residue(grid, values[here], counts[here]))
    return Support(stratum, offset, tuple(residues))


def grids_in_use(values: Whole, counts: Whole) -> list[int]:
    """Give the chain of grids, finest first, in which each divides the next.

    From a grid g its multiple k g is in use where, per value, its multiples are at least three times as frequent as
    what else lies on g. Between g and the strongest such multiple finer ones are looked for among the rest. Values are
    counted from the commonest one, 0, which is left out: a heap is no grid.
    """
    chain, grid = [1], 1
    values, counts = values[values != 0], counts[values != 0]
    while True:
        on_grid = values % grid == 0
        best = max(((_preference(values[on_grid], counts[on_grid], grid, k), k) for k in FACTORS), default=(0.0, 1))
        if best[0] < RATIO:
            return chain
        coarser = grid * best[1]
        rest = on_grid & (values % coarser != 0)
        between = [k for k in FACTORS if best[1] % k == 0 and k < best[1]]
        chain += [grid * k for k in between if _preference(values[rest], counts[rest], grid, k, best[1]) >= RATIO][:1]
        chain.append(coarser)
        grid = coarser


def _preference(values: Whole, counts: Whole, grid: int, factor: int, without: int = 0) -> float:
    """How much more frequent, per lattice point, multiples of grid * factor are than the other multiples of grid.

    `without` says that multiples of grid * without were taken away beforehand.
    """
    total = int(counts.sum())
    if total < FEW:
        return 0.0
    on_multiple = values % (grid * factor) == 0
    if np.count_nonzero(on_multiple) < FEWEST_MULTIPLES:
        return 0.0
    multiples = int(counts[on_multiple].sum())
    # Of `period` neighbouring lattice points, how many are multiples and how many are not.
    period = without or factor
    points = period // factor - (1 if without else 0)
    others = period - period // factor
    if multiples == total:
        return np.inf
    return (multiples / points) / ((total - multiples) / others)


def _residue(grid: int, values: Whole, counts: Whole) -> Residue:
    return Residue(grid, bool(2 * np.count_nonzero(counts == 1) > len(counts)), values, counts)


def grid_steps(support: Support, rule: StepRule, limits: Limits, values: Whole) -> tuple[Whole, Whole]:
    """Give for each value the step to its upper and to its lower stand-in (negative), 0 where it has none."""
    up, down = np.zeros(len(values), dtype=np.int64), np.zeros(len(values), dtype=np.int64)
    left = np.ones(len(values), dtype=bool)
    for place, residue in enumerate(support.residues):
        here = np.flatnonzero(left & ((values - support.offset) % residue.grid == 0))
        left[here] = False
        coarser = tuple(one.grid for one in support.residues[:place])
        own = values[here]
        step = rule.step(own, residue.grid)
        for sign, found in ((1, up), (-1, down)):
            other = own + sign * step
            alike = _alike(residue, own, other, WINDOW * step) & (step <= rule.most(own))
            for grid in coarser:
                alike &= (other - support.offset) % grid != 0
            alike &= limits.allow(np.minimum(own, other), np.maximum(own, other))
            found[here] = np.where(alike, other - own, 0)
    return up, down


def _alike(residue: Residue, own: Whole, other: Whole, reach: Whole) -> NDArray[np.bool_]:
    mine, theirs = residue.frequency(own, reach), residue.frequency(other, reach)
    return (mine > 0) & (theirs > 0) & (mine <= RATIO * theirs) & (theirs <= RATIO * mine)


def restoration(support: Support, rule: StepRule, limits: Limits) -> tuple[float, float]:
    """Weigh how well the original of a marked cell is guessed from its released value.

    Returns the weight of right guesses and of all, summed over the stratum, for a reader who knows the frequencies and
    that the cell is marked, but neither direction nor bit: Bayes' rule over the stand-ins that can show the value.
    """
    right = whole = 0.0
    for residue in support.residues:
        shown = residue.values
        moved = [shown + move for move in grid_steps(support, rule, limits, shown)]
        values = np.unique(np.concatenate([shown, *moved]))
        weight = residue.frequency(values, WINDOW * rule.step(values, residue.grid)).astype(np.float64)
        best, total = guesses(values, weight, *grid_steps(support, rule, limits, values))
        seen = np.isin(values, shown)
        right, whole = right + float(best[seen].sum()), whole + float(total[seen].sum())
    return right, whole


def guesses(
    values: Whole, weight: NDArray[np.float64], up: Whole, down: Whole
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Give for each value, as a released one, the weight of its likeliest original and of all its originals.

    `values` are ascending; stand-ins that are not among them are left out. Direction and bit are fair coins, as a bias
    p is above one half as often as below it under both of its laws.
    """
    stays = weight * ((up != 0).astype(np.float64) + (down != 0)) / 4
    best, total = stays.copy(), stays.copy()
    for move in (up, down):
        moved = np.flatnonzero((move != 0) & np.isin(values + move, values))
        onto = np.searchsorted(values, values[moved] + move[moved])
        np.maximum.at(best, onto, weight[moved] / 4)
        np.add.at(total, onto, weight[moved] / 4)
    return best, total
