"""Leaked columns that show in which band a value lies, such as deciles: which field they are, and where it was cut.

A coding is told on aligned rows alone: the codes must stand in the order of the field's values. Few rows may not show
every band; the bands are then those of all such columns together. Where the leaker cut is not disclosed. Bands that
hold equal shares of a whole copy are cut at quantiles, and the quantiles of the copy are those of the master within a
last place, since half of the marks move up and half down; whether a value on a cut counts below or above it is decided
by the aligned rows that stand on one, over all columns together. Codings whose bands the aligned rows contradict are
not used. All of it rests on leak and master alone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from copyhold.domain.catalogue import FieldType
from copyhold.engines.matching.columns import Match, assigned
from copyhold.engines.matching.conversions import Conversion
from copyhold.engines.matching.index import NumberColumn, TableIndex
from copyhold.engines.matching.leaked import LeakedColumn, LeakKind

_FEWEST_ROWS = 10
_VOTERS = 300  # aligned rows on which orders are compared
_FEWEST_CODES, _MOST_CODES = 3, 50
_IN_ORDER = 0.95  # share of pairs of rows with different codes whose values stand in the order of the codes
_INSIDE = 0.95  # share of rows whose value lies in the band of its code, marks allowed for
_DOUBT = 0.05  # of a pair's distance: members as near to a cut may lie on either side of it
_DATES = (FieldType.DATE, FieldType.DATETIME)

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Coding(Conversion):
    """Codes for bands of a field: `codes` in the order of the bands, `cuts` between them, ascending, one fewer."""

    codes: tuple[float, ...] = ()
    cuts: tuple[float, ...] = ()

    @property
    def exact(self) -> bool:
        """A code is no value."""
        return False

    def to_field(self, leaked: Floats) -> Floats:
        """Give a value amid the band of each code, the cut next to it for the outermost; NaN for an unknown code."""
        edges = np.array([self.cuts[0], *self.cuts, self.cuts[-1]])
        middles = (edges[:-1] + edges[1:]) / 2
        place = self.band(leaked)
        return np.where(place >= 0, middles[place], np.nan)

    def member(self, leaked: Floats, low: Floats, high: Floats) -> Floats:
        """Give the member of each pair that lies in the band shown, NaN where both do, or none, or it is in doubt."""
        band, cuts = self.band(leaked), np.array(self.cuts)
        below, above = np.searchsorted(cuts, low), np.searchsorted(cuts, high)
        doubt = _DOUBT * (high - low)
        sure = (np.searchsorted(cuts, low + doubt) == below) & (np.searchsorted(cuts, high - doubt) == above)
        parted = (below != above) & sure
        return np.where(parted & (band == below), low, np.where(parted & (band == above), high, np.nan))

    def band(self, leaked: Floats) -> NDArray[np.int64]:
        """Give the band of each code, -1 for an unknown one."""
        order = np.argsort(self.codes)
        known = np.array(self.codes)[order]
        place = np.minimum(np.searchsorted(known, leaked), len(known) - 1)
        return np.where(known[place] == leaked, order[place], -1)


@dataclass(frozen=True)
class _Pair:
    """A leaked column, by its number, whose codes stand in the order of a field on aligned rows, or in reverse."""

    at: int
    shown: LeakedColumn
    field: NumberColumn
    order: float
    rows: NDArray[np.int64]
    positions: NDArray[np.int64]

    def cut(self, codes: Sequence[float], *, closed: bool) -> Coding:
        """Cut the field at its quantiles; `closed` counts values on a cut below it."""
        cuts = self.field.quantiles(np.arange(1, len(codes)) / len(codes))
        beside = 0.5 / self.field.scale if self.field.values.dtype != np.float64 else 0.0
        placed = cuts + beside if closed else cuts - beside
        ordered = codes if self.order > 0 else codes[::-1]
        return Coding(f"{len(codes)} bands", codes=tuple(ordered), cuts=tuple(placed.tolist()))

    def inside(self, coding: Coding, step: float = 0.0) -> float:
        """Give the share of rows whose master value lies in the band shown, or within a mark of it."""
        codes, values = self.shown.numbers[self.rows], self.field.at(self.positions)
        known = np.isfinite(codes) & np.isfinite(values)
        band, cuts = coding.band(codes[known]), np.array(coding.cuts)
        lowest, highest = np.searchsorted(cuts, values[known] - step), np.searchsorted(cuts, values[known] + step)
        return float(np.mean((band >= lowest) & (band <= highest))) if known.any() else 0.0


def codings(
    leaked: Sequence[LeakedColumn],
    index: TableIndex,
    matches: Sequence[Match],
    rows: NDArray[np.int64],
    positions: NDArray[np.int64],
    steps: Mapping[str, float],
) -> tuple[Match, ...]:
    """Match columns of codes to number fields that nothing else matches, on leaked `rows` aligned to `positions`."""
    pairs = _pairs(leaked, index, matches, rows, positions)
    every = _common([one.shown for one in pairs])
    ways = [
        [one.cut(codes or _own(one.shown), closed=closed) for one in pairs]
        for codes in ((), every)
        for closed in (True, False)
    ]
    best = max(ways, key=lambda way: sum(one.inside(coding) for one, coding in zip(pairs, way, strict=True)))
    return tuple(
        Match(one.at, one.field.field.name, coding, abs(one.order))
        for one, coding in zip(pairs, best, strict=True)
        if one.inside(coding, steps.get(one.field.field.name, 0.0)) >= _INSIDE
    )


def _pairs(
    leaked: Sequence[LeakedColumn],
    index: TableIndex,
    matches: Sequence[Match],
    rows: NDArray[np.int64],
    positions: NDArray[np.int64],
) -> list[_Pair]:
    used, taken = {match.leaked for match in matches}, {match.field for match in matches}
    shown = [at for at, one in enumerate(leaked) if at not in used and _is_code(one)]
    fields = [one for one in index.numbers() if one.field.name not in taken and one.field.type not in _DATES]
    if len(rows) < _FEWEST_ROWS or not shown or not fields:
        return []
    part = np.linspace(0, len(rows) - 1, min(len(rows), _VOTERS)).astype(np.int64)
    orders = np.array(
        [[_in_order(leaked[at].numbers[rows[part]], one.at(positions[part])) for one in fields] for at in shown]
    )
    return [
        _Pair(shown[at], leaked[shown[at]], fields[place], float(orders[at, place]), rows, positions)
        for at, place in assigned(np.abs(orders))
    ]


def _is_code(column: LeakedColumn) -> bool:
    if column.kind is not LeakKind.NUMBER:
        return False
    distinct = np.unique(column.numbers[np.isfinite(column.numbers)])
    return _FEWEST_CODES <= len(distinct) <= _MOST_CODES


def _in_order(codes: Floats, values: Floats) -> float:
    """Give the share of pairs in one order, negative where codes fall as values rise; 0 where too few are."""
    known = np.isfinite(codes) & np.isfinite(values)
    if known.sum() < _FEWEST_ROWS:
        return 0.0
    first = np.sign(codes[known][:, None] - codes[known][None, :])
    second = np.sign(values[known][:, None] - values[known][None, :])
    apart = (first != 0) & (second != 0)
    if not apart.any():
        return 0.0
    share = float((first * second)[apart].mean())  # Goodman and Kruskal's gamma
    return share if (1 + abs(share)) / 2 >= _IN_ORDER else 0.0


def _own(shown: LeakedColumn) -> tuple[float, ...]:
    return tuple(np.unique(shown.numbers[np.isfinite(shown.numbers)]).tolist())


def _common(shown: Sequence[LeakedColumn]) -> tuple[float, ...]:
    """Give all whole numbers from the least to the greatest code of some columns: few rows show not every band."""
    codes = {code for one in shown for code in _own(one)}
    if not codes or any(code != round(code) for code in codes) or max(codes) - min(codes) >= _MOST_CODES:
        return ()
    return tuple(float(code) for code in range(round(min(codes)), round(max(codes)) + 1))
