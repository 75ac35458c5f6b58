"""Searching a table for arithmetic ties: sums, differences, products, ratios, copies, and what is never the greater.

Rules:

* Pairs of columns are searched over all columns, three and four columns together only within groups: columns whose
  names begin alike, or that have one unit. What was left out is told.
* The search runs on rows of a pool, at most 2,000 for each combination; `verified` counts on all rows.
* Of the members of a tie the one is derived that is missing clearly more often; else the one that follows exactly from
  the others; else the last in the file. No column is derived twice, and none from itself through others.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from copyhold.domain.errors import InvalidInputError
from copyhold.engines.tables import tie_fits, tie_screens
from copyhold.engines.tables.formulas import Term, TieKind
from copyhold.engines.tables.tie_fits import HELD, Ground
from copyhold.engines.tables.tie_screens import FEWEST_TOGETHER, Candidate, standardised
from copyhold.engines.tables.ties import Tie, in_order

Floats = NDArray[np.float64]

MOST_PAIRED = 400  # columns between which pairs are searched
MOST_GROUPED = 120  # columns of a group in which three are searched together
MOST_TRIPLED = 48  # and four
_MOST_FITTED = 400  # candidates of one search, the best first
_FEWEST_BROKEN = 20  # rows that chance would have broken an order in, where none does
_EXACT = 0.98  # of the rows, without slack
_ALIKE = 0.002  # of the rows: what is present in so many more or fewer is present alike
_LOOSE = 0.3  # of a robust standard deviation
_FAR = 0.01  # of the rows, between columns of different groups


@dataclass(frozen=True)
class Search:
    """What was found, and in plain words what was not searched."""

    ties: tuple[Tie, ...]
    not_searched: tuple[str, ...]


def search(ground: Ground, groups: Sequence[Sequence[str]], rows: int, present: Mapping[str, int]) -> Search:
    """Search the columns of one table.

    `groups` are columns that may belong together, `rows` the rows of the whole table and `present` how many of them
    have a value in each column.

    Cost: a group of g columns takes about g^2 / 2 products of matrices of 800 rows and up to 11 g columns, and one
    inversion of a 5 x 5 matrix for every four columns.
    """
    with np.errstate(all="ignore"):  # a column of numbers beyond all measure overflows, and is then bound to nothing
        return _searched(ground, groups, rows, present)


def _searched(ground: Ground, groups: Sequence[Sequence[str]], rows: int, present: Mapping[str, int]) -> Search:
    names = tuple(ground.columns)
    left_out: list[str] = []
    if len(names) > MOST_PAIRED:
        left_out.append(f"pairs among the {len(names) - MOST_PAIRED} columns of numbers after the first {MOST_PAIRED}")
    paired = names[:MOST_PAIRED]
    found = [*_pairs(ground, paired)]
    for group in groups:
        found += _grouped(ground, group, left_out)
    equations = _chosen(found, ground, present)
    left_out += _told(names, groups)
    return Search((*equations, *_orders(ground, paired, groups, rows, equations)), tuple(left_out))


def verified(ties: Iterable[Tie], columns: Mapping[str, Floats]) -> tuple[Tie, ...]:
    """Count each tie on all rows, and keep the equations that hold in nine of ten and the orders that always hold."""
    with np.errstate(all="ignore"):
        counted = [tie.counted(columns) for tie in ties]
    return tuple(tie for tie in counted if tie.share is not None and tie.share >= (1.0 if tie.is_order else HELD))


def _pairs(ground: Ground, names: Sequence[str]) -> Iterator[Tie]:
    for columns, fit in _forms(ground, names) if names else ():
        yield from _fitted(ground, names, tie_screens.of_two(columns), fit)


def _grouped(ground: Ground, group: Sequence[str], left_out: list[str]) -> Iterator[Tie]:
    if len(group) > MOST_GROUPED:
        left_out.append(f"three columns together among the {len(group)} that begin as {group[0]} does")
        return
    for columns, fit in _forms(ground, group):
        yield from _fitted(ground, group, tie_screens.of_three(columns), fit)
    if len(group) > MOST_TRIPLED:
        left_out.append(f"four columns together among the {len(group)} that begin as {group[0]} does")
        return
    sums = standardised(_matrix(ground, group))
    yield from _fitted(ground, group, tie_screens.of_four(sums), tie_fits.linear)


_Fit = Callable[[Ground, str, Sequence[str]], Tie | None]


def _forms(ground: Ground, names: Sequence[str]) -> Iterator[tuple[Floats, _Fit]]:
    """Give the columns as they are, for sums, and their logarithms, for products."""
    columns = _matrix(ground, names)
    yield standardised(columns), tie_fits.linear
    logarithms = np.where(columns > 0, np.log(np.where(columns > 0, columns, 1)), np.nan)
    few = np.nansum(columns <= 0, axis=0) > 0.01 * np.isfinite(columns).sum(axis=0)
    logarithms[:, few] = np.nan
    yield standardised(logarithms), tie_fits.of_product


def _matrix(ground: Ground, names: Sequence[str]) -> Floats:
    return np.column_stack([ground.columns[name] for name in names])


def _fitted(ground: Ground, names: Sequence[str], candidates: Iterable[Candidate], fit: _Fit) -> Iterator[Tie]:
    for one in sorted(candidates)[:_MOST_FITTED]:
        tie = fit(ground, names[one.derived], [names[place] for place in one.parents])
        if tie is not None:
            yield tie


def _chosen(found: Sequence[Tie], ground: Ground, present: Mapping[str, int]) -> tuple[Tie, ...]:
    """Take ties one by one, those with few parents first, as long as none derives a column twice or in a circle."""
    place = {name: at for at, name in enumerate(ground.columns)}

    def rank(tie: Tie) -> tuple[float, ...]:
        tight = float(tie.slack) / (ground.spreads[tie.derived] or 1.0)
        exact = tie.slack == 0 and (tie.share or 0.0) >= _EXACT
        seldom = round(present[tie.derived] / (_ALIKE * most))
        return (len(tie.terms), seldom, not exact, tight > _LOOSE, -place[tie.derived], tight)

    most = max(present.values(), default=1) or 1
    taken: list[Tie] = []
    members: set[frozenset[str]] = set()
    for tie in sorted(found, key=rank):
        own = frozenset((tie.derived, *tie.parents))
        if any(earlier <= own for earlier in members):
            continue
        if _fits(taken, tie):
            taken.append(tie)
            members.add(own)
    return tuple(taken)


def _fits(taken: Sequence[Tie], tie: Tie) -> bool:
    try:
        in_order((*taken, tie))
    except InvalidInputError:
        return False
    return True


def _orders(
    ground: Ground, names: Sequence[str], groups: Sequence[Sequence[str]], rows: int, equations: Sequence[Tie]
) -> tuple[Tie, ...]:
    """Find the pairs in which one is never the greater, though chance would have made it so in twenty rows and more."""
    columns = np.column_stack([ground.columns[name] for name in names]) if names else np.empty((0, 0))
    together = {frozenset(pair) for group in groups for pair in combinations(group, 2)}
    below: list[tuple[int, int]] = []
    scale = rows / max(len(columns), 1)
    for lesser in range(len(names)):
        both = np.isfinite(columns) & np.isfinite(columns[:, [lesser]])
        broken = (columns[:, [lesser]] > columns).sum(axis=0)
        for greater in np.flatnonzero((broken == 0) & (both.sum(axis=0) >= FEWEST_TOGETHER)).tolist():
            if greater == lesser:
                continue
            expected = _broken_by_chance(columns[both[:, greater], lesser], columns[both[:, greater], greater])
            near = frozenset((names[lesser], names[greater])) in together
            enough = expected * both[:, greater].sum() * scale >= _FEWEST_BROKEN
            if enough and (near or expected >= _FAR):
                below.append((lesser, greater))
    copies = {frozenset((tie.derived, *tie.parents)) for tie in equations if len(tie.terms) == 1}
    equal = {(b, a) for a, b in below} & set(below)
    found = [
        (names[a], names[b]) for a, b in below if (a, b) not in equal and frozenset((names[a], names[b])) not in copies
    ]
    return tuple(Tie(TieKind.AT_MOST, lesser, (Term(greater),)) for lesser, greater in found)


def _broken_by_chance(lesser: Floats, greater: Floats) -> float:
    """Give the share of pairs of different rows in which the lesser column is the greater."""
    at_least = np.searchsorted(np.sort(greater), lesser, side="left")
    return float(at_least.mean() / len(greater))


def _told(names: Sequence[str], groups: Sequence[Sequence[str]]) -> list[str]:
    told = []
    if len(groups) > 1:
        told.append(f"three and more columns together across the {len(groups)} groups of columns whose names differ")
    if len(names) > 4:
        told += [
            "products of three and more columns",
            "sums of four and more columns",
            "ties that hold in some rows only",
        ]
    return told
