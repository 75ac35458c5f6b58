"""What a field of few values says of a column of numbers: divides its support, names its quantity, follows from it.

A field that divides is a cycle, device or site whose values were written on another grid. It is looked for where a
column mixes two grids (readings to 0.1 in some rows, to 0.01 in others): it divides the column where nearly every one
of its values holds one of the two grids alone.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from copyhold.engines.tables.suggestion_numbers import FEWEST_MEASURED, GRIDS, cap, fills, grid_of, without
from copyhold.engines.tables.suggestion_profiles import Profile

MOST_STRATA = 40
_FEWEST_ROWS = 100  # of the pool, in a stratum
_PURE = 0.99  # of a stratum's values on the coarser grid
_MIXED = 0.9
_COVERED = 0.95  # of the column's rows have a stratum
_UNDECIDED = 0.25  # of the strata
_FEWEST_PER_LEVEL = 5  # rows of the pool that share an area, or a value that decides a class
_CONSTANT = 0.99
_CLASS = 0.05  # of the rows, in a class that counts
_APART = 20  # times: medians of people by their class do not lie so far apart
_EXPLAINED = 0.4  # of the variance of the ranks, by what names the quantity
_SEEN = 0.02  # of the column's values on another grid, from which it is mixed

Floats = NDArray[np.float64]


def splitting(profiles: Sequence[Profile], numeric: Sequence[Profile]) -> dict[str, str]:
    """Name for each numeric column the field that divides its support, where there is one."""
    dividing = [one for one in profiles if len(one.labels) and 2 <= one.distinct <= MOST_STRATA]
    found: dict[str, list[str]] = {}
    for column in numeric:
        coarser = _mixed_with(column)
        if coarser:
            found[column.name] = [one.name for one in dividing if one is not column and _divides(one, column, coarser)]
    votes: dict[str, int] = {}
    for names in found.values():
        for name in names:
            votes[name] = votes.get(name, 0) + 1
    order = sorted(votes, key=lambda name: -votes[name])  # one field that divides many is likelier than many
    return {name: min(names, key=order.index) for name, names in found.items() if names}


def stratum_fills(column: Profile, stratum: Profile, left_out: tuple[float, ...]) -> tuple[float, ...]:
    """Find detection-limit fills stratum by stratum: a limit may have fallen with a new assay."""
    found = [fills(*without(*counted, left_out), column.decimals or 0) for counted in _by_label(column, stratum)]
    return tuple(sorted({value for values in found for value in values}))


def caps(column: Profile, left_out: tuple[float, ...], stratum: Profile | None) -> tuple[float, ...]:
    """Find the values that stand for "this or more", stratum by stratum."""
    counted = _by_label(column, stratum) if stratum else [(column.values, column.counts)]
    found = [cap(*without(*each, left_out)) for each in counted]
    return tuple(sorted({one for one in found if one is not None}))


def mixes(column: Profile, naming: Profile) -> bool:
    """Whether a long table's column holds a quantity for each value of another one, as `test` names what `value` is.

    Then which it is explains most of the variance of the ranks, and medians differ by far more than people do.
    """
    known = np.isfinite(column.pool) & (naming.labels >= 0) if len(naming.labels) else np.zeros(0, dtype=bool)
    if not 3 <= naming.distinct <= MOST_STRATA or known.sum() < _COVERED * np.isfinite(column.pool).sum():
        return False
    ranks = np.searchsorted(np.sort(column.pool[known]), column.pool[known]).astype(np.float64)
    labels = naming.labels[known]
    rows = np.bincount(labels, minlength=naming.distinct)
    means = np.bincount(labels, weights=ranks, minlength=naming.distinct) / np.maximum(rows, 1)
    explained = (rows * (means - ranks.mean()) ** 2).sum() >= _EXPLAINED * len(ranks) * ranks.var()
    middles = [float(np.median(column.pool[known][labels == label])) for label in np.flatnonzero(rows >= _FEWEST_ROWS)]
    return bool(explained and len(middles) > 1 and max(middles) > _APART * max(min(middles), 0.0))


def grid(column: Profile, left_out: tuple[float, ...], stratum: Profile | None) -> float | None:
    """Give the grid of a column, None where it differs from stratum to stratum."""
    values, counts = without(column.values, column.counts, left_out)
    if not column.unit or not len(values):
        return None
    if stratum is None:
        return grid_of(values, counts, column.decimals or 0)
    grids = {grid_of(*without(*counted, left_out), column.decimals or 0) for counted in _by_label(column, stratum)}
    return grids.pop() if len(grids) == 1 else None


def is_area(area: Profile, column: Profile) -> bool:
    """Whether a column copies a figure of an area: one value for each code that many people share."""
    many = area.distinct >= FEWEST_MEASURED and column.distinct >= FEWEST_MEASURED
    return many and len(area.labels) > 0 and _constant(column, area)


def decides(column: Profile, coded: Profile) -> bool:
    """Whether a field of several classes follows from the column: its class, or the stratum whose code it is."""
    if not _repeats(column) or not 3 <= coded.distinct <= MOST_STRATA:
        return False
    rows = np.bincount(coded.labels[(coded.labels >= 0) & (column.labels >= 0)], minlength=coded.distinct)
    return int((rows >= _CLASS * rows.sum()).sum()) >= 3 and _constant(coded, column)


def by_name(profiles: Sequence[Profile]) -> Mapping[str, Profile]:
    """Index profiles by the names of their columns."""
    return {profile.name: profile for profile in profiles}


def _mixed_with(column: Profile) -> int:
    """Give the coarser grid, in last places, that a part of the values holds; 0 where all are alike."""
    if not column.unit or not len(column.values):
        return 0
    units = np.rint(column.values / column.unit)
    total = column.counts.sum()
    for multiple in (*(factor for factor in GRIDS if factor in (10, 5, 2)), 100):
        share = column.counts[units % multiple == 0].sum() / total
        if max(2 / multiple, 0.3) < share < 1 - _SEEN:
            return multiple
    return 0


def _divides(stratum: Profile, column: Profile, coarser: int) -> bool:
    present = np.isfinite(column.pool)
    known = present & (stratum.labels >= 0)
    if known.sum() < _COVERED * present.sum():
        return False
    on_grid = np.rint(column.pool[known] / column.unit) % coarser == 0
    rows = np.bincount(stratum.labels[known], minlength=stratum.distinct)
    share = np.bincount(stratum.labels[known], weights=on_grid, minlength=stratum.distinct) / np.maximum(rows, 1)
    share = share[rows >= _FEWEST_ROWS]
    pure, mixed = (share >= _PURE).sum(), (share <= _MIXED).sum()
    return bool(pure and mixed and len(share) - pure - mixed <= _UNDECIDED * len(share))


def _by_label(column: Profile, stratum: Profile) -> list[tuple[Floats, NDArray[np.int64]]]:
    known = np.isfinite(column.pool) & (stratum.labels >= 0)
    found = []
    for label in range(stratum.distinct):
        values = column.pool[known & (stratum.labels == label)]
        if len(values) >= _FEWEST_ROWS:
            found.append(np.unique(values, return_counts=True))
    return found


def _constant(value: Profile, within: Profile) -> bool:
    """Whether nearly all rows with one cell of `within`, shared by several, have one cell of `value`."""
    inner = within.labels if len(within.labels) else np.empty(0, np.int32)
    outer = value.labels if len(value.labels) else np.empty(0, np.int32)
    if not len(inner) or not len(outer):
        return False
    known = (inner >= 0) & (outer >= 0)
    rows = int(known.sum())
    if rows < _FEWEST_PER_LEVEL * within.distinct:
        return False
    pairs, counts = np.unique(inner[known].astype(np.int64) * value.distinct + outer[known], return_counts=True)
    most = np.zeros(within.distinct, dtype=np.int64)
    np.maximum.at(most, pairs // value.distinct, counts)
    return bool(most.sum() >= _CONSTANT * rows)


def _repeats(profile: Profile) -> bool:
    return len(profile.labels) >= _FEWEST_PER_LEVEL * profile.distinct and profile.distinct >= FEWEST_MEASURED
