"""Which few columns are bound to each other exactly, found from sums of products over rows where all are present.

For every two, three or four columns the share of each one's variance that least squares on the others leaves
unexplained stands in the inverse of their moments, which are matrix products: all combinations cost little more than
reading the rows. A candidate has nearly nothing unexplained, and loses much by the absence of each of its parents. What
binds them, a later fit tells.

Columns are float64 (rows, columns) with NaN where a value is missing, and are to be given in like sizes (standardised).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]

UNEXPLAINED = 0.04  # of the variance: a rounded sum of whole numbers, with 4 % of rows that break it, leaves 2 %
NEEDED = 4.0  # times as much is unexplained without a parent
FEWEST_TOGETHER = 50  # rows with all members
ROWS = 2_000  # for each combination of the columns that are held fixed
FOUR_ROWS = 800
_RIDGE = 1e-10


@dataclass(frozen=True, order=True)
class Candidate:
    """A column that others may explain, by place, and the share of its variance that they leave open."""

    unexplained: float
    derived: int
    parents: tuple[int, ...]


def standardised(columns: Floats) -> Floats:
    """Give columns mean 0 and standard deviation 1; a constant column is missing throughout."""
    known = np.isfinite(columns)
    rows = np.maximum(known.sum(axis=0), 1)
    centred = columns - np.where(known, columns, 0.0).sum(axis=0) / rows
    size = np.sqrt((np.where(known, centred, 0.0) ** 2).sum(axis=0) / rows)
    return np.where(size > 0, centred / np.where(size > 0, size, 1), np.nan)


def spaced(rows: Whole, most: int) -> Whole:
    """Take at most so many rows, evenly."""
    return rows if len(rows) <= most else rows[np.linspace(0, len(rows) - 1, most).astype(np.int64)]


def of_two(columns: Floats) -> Iterator[Candidate]:
    """Find columns that one other may explain."""
    for last in range(1, columns.shape[1]):
        values, present, held = _rows(columns, (last,), ROWS)
        if len(values) >= FEWEST_TOGETHER:
            yield from _passing(_moments_of_one(values, present, held[0]), [(free, last) for free in range(last)])


def of_three(columns: Floats) -> Iterator[Candidate]:
    """Find columns that two others may explain."""
    for last in range(2, columns.shape[1]):
        yield from _with_two_free(columns, (last,), ROWS)


def of_four(columns: Floats) -> Iterator[Candidate]:
    """Find columns that three others may explain."""
    for third, last in combinations(range(2, columns.shape[1]), 2):
        yield from _with_two_free(columns, (third, last), FOUR_ROWS)


def _with_two_free(columns: Floats, fixed: tuple[int, ...], most_rows: int) -> Iterator[Candidate]:
    """Hold some columns fixed, and combine them with every two that stand before them."""
    values, present, held = _rows(columns, fixed, most_rows)
    if len(values) >= FEWEST_TOGETHER:
        first, second = np.triu_indices(fixed[0], 1)
        members = [(*pair, *fixed) for pair in zip(first.tolist(), second.tolist(), strict=True)]
        yield from _passing(_moments_of_two(values, present, held, first, second), members)


def _rows(columns: Floats, fixed: tuple[int, ...], most: int) -> tuple[Floats, Floats, list[Floats]]:
    """Give, on rows that have the fixed columns: the free ones, 0 where missing; where present; and the fixed ones."""
    rows = spaced(np.flatnonzero(np.isfinite(columns[:, fixed]).all(axis=1)), most)
    free = columns[rows, : fixed[0]]
    present = np.isfinite(free)
    return np.where(present, free, 0.0), present.astype(np.float64), [columns[rows, place] for place in fixed]


def _moments_of_one(values: Floats, present: Floats, held: Floats) -> Floats:
    """Sum the products of 1, each free column and the fixed one: (columns, 3, 3)."""
    found = np.empty((values.shape[1], 3, 3))
    found[:, 0, 0], found[:, 1, 1], found[:, 2, 2] = present.sum(axis=0), (values**2).sum(axis=0), held**2 @ present
    found[:, 0, 1] = found[:, 1, 0] = values.sum(axis=0)
    found[:, 0, 2] = found[:, 2, 0] = held @ present
    found[:, 1, 2] = found[:, 2, 1] = held @ values
    return found


def _moments_of_two(values: Floats, present: Floats, held: Sequence[Floats], first: Whole, second: Whole) -> Floats:
    """Sum the products of 1, every two free columns and the fixed ones: (pairs, k, k)."""
    size, columns = 3 + len(held), values.shape[1]
    weighted = [present * one[:, None] for one in held] + [values * one[:, None] for one in held]
    crossed = [present * (one * other)[:, None] for at, one in enumerate(held) for other in held[: at + 1]]
    # One product of large matrices costs less than many of small ones.
    sums = np.concatenate([present, values], axis=1).T @ np.concatenate(
        [present, values, values**2, *weighted, *crossed], axis=1
    )
    both, ones, squares, *others = [sums[:columns, at : at + columns] for at in range(0, sums.shape[1], columns)]
    found = np.empty((len(first), size, size))
    found[:, 0, 0] = both[first, second]
    found[:, 0, 1] = found[:, 1, 0] = ones[second, first]
    found[:, 0, 2] = found[:, 2, 0] = ones[first, second]
    found[:, 1, 1], found[:, 2, 2] = squares[second, first], squares[first, second]
    found[:, 1, 2] = found[:, 2, 1] = sums[columns:, columns : 2 * columns][first, second]
    products = iter(others[2 * len(held) :])
    for at in range(len(held)):
        alone, with_values = others[at], others[len(held) + at]
        found[:, 0, 3 + at] = found[:, 3 + at, 0] = alone[first, second]
        found[:, 1, 3 + at] = found[:, 3 + at, 1] = with_values[second, first]
        found[:, 2, 3 + at] = found[:, 3 + at, 2] = with_values[first, second]
        for further in range(at + 1):
            found[:, 3 + at, 3 + further] = found[:, 3 + further, 3 + at] = next(products)[first, second]
    return found


def _passing(moments: Floats, members: Sequence[tuple[int, ...]]) -> Iterator[Candidate]:
    """Give for each set of columns those that the others explain; `moments` are of 1 and the members, in order.

    Of the inverse Q, 1 / Q[j, j] is what the others leave unexplained of j, and 1 / (Q[j, j] - Q[j, k]^2 / Q[k, k])
    what they leave without k.
    """
    rows = moments[:, 0, 0]
    whole = np.diagonal(moments, axis1=1, axis2=2)[:, 1:] - moments[:, 0, 1:] ** 2 / np.maximum(rows, 1)[:, None]
    usable = np.flatnonzero((rows >= FEWEST_TOGETHER) & (whole > 1e-6 * rows[:, None]).all(axis=1))
    if not len(usable):
        return
    size = moments.shape[1]
    inverse = np.linalg.inv(moments[usable] + _RIDGE * rows[usable, None, None] * np.eye(size))[:, 1:, 1:]
    precise = np.maximum(np.diagonal(inverse, axis1=1, axis2=2), 1e-300)
    share = 1 / (precise * whole[usable])
    without = 1 / np.maximum(precise[:, :, None] - inverse**2 / precise[:, None, :], 1e-300)  # [set, j, k]
    needed = without * precise[:, :, None] >= NEEDED
    needed[:, np.arange(size - 1), np.arange(size - 1)] = True
    for at, own in zip(*np.nonzero((share <= UNEXPLAINED) & needed.all(axis=2)), strict=True):
        names = members[usable[at]]
        yield Candidate(float(share[at, own]), names[own], (*names[:own], *names[own + 1 :]))
