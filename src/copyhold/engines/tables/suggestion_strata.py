"""Which field divides the support of others: the cycle, device or site whose values were written on another grid.

Looked for where a column mixes two grids (readings to 0.1 in some rows, to 0.01 in others): a field divides it where
nearly every one of its values holds one of the two grids alone.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from copyhold.engines.tables.suggestion_numbers import GRIDS, cap, fills, grid_of, without
from copyhold.engines.tables.suggestion_profiles import Profile

MOST_STRATA = 40
_FEWEST_ROWS = 100  # of the pool, in a stratum
_PURE = 0.99  # of a stratum's values on the coarser grid
_MIXED = 0.9
_COVERED = 0.95  # of the column's rows have a stratum
_UNDECIDED = 0.25  # of the strata
_APART = 20
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
