"""Date shifts in a leak: by how many days all dates of a participant moved, where some party accepted shifts at all.

Rows are aligned on everything but the shifted dates. A leaked date column is then the date field from which it differs
by no more than a party's dates may have moved, on nearly all aligned rows. A participant's dates speak once, and only
where all that were read give the same number of days.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from copyhold.domain.catalogue import FieldType
from copyhold.engines.matching.index import NumberColumn, TableIndex
from copyhold.engines.matching.leaked import LeakedColumn, LeakKind
from copyhold.engines.reading.groups import Group, Line
from copyhold.engines.reading.sighting import SightedTable

_MOST = 0.9  # share of aligned rows on which a column lies within reach of its field


@dataclass(frozen=True)
class ReadMoves:
    """Days by the number of the candidate whose dates show them; the shift unit is the participant's own number."""

    candidate: tuple[int, ...] = ()
    unit: tuple[int, ...] = ()
    days: tuple[int, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.days)


def read_moves(
    tables: Sequence[SightedTable], groups: Sequence[Group], indexes: Mapping[int, TableIndex], reach: int
) -> ReadMoves:
    """Read the shift of every candidate; `reach` is the most days that any party's dates move, 0 where none do."""
    if reach == 0:
        return ReadMoves()
    best = [group.candidates[0].lines for group in groups if group.candidates]
    fields = [
        pair for leaf, table in enumerate(tables) for pair in _pairs(leaf, table, indexes[table.number], best, reach)
    ]
    found = []
    candidates = (one for group in groups for one in group.candidates)
    for number, candidate in enumerate(candidates):
        days = {move for leaf, shown, column in fields for move in _days(candidate.lines, leaf, shown, column)}
        if len(days) == 1:
            found.append((number, candidate.participant, int(days.pop())))
    return ReadMoves(*zip(*found, strict=True)) if found else ReadMoves()


Pair = tuple[int, LeakedColumn, NumberColumn]


def _pairs(
    leaf: int, table: SightedTable, index: TableIndex, best: Sequence[Sequence[Line]], reach: int
) -> Iterator[Pair]:
    """Yield leaked date columns with the date fields they are, each once; the closest first."""
    lines = [line for some in best for line in some if line.leaf == leaf]
    dates = [column for column in index.numbers() if column.field.type in (FieldType.DATE, FieldType.DATETIME)]
    rated = []
    for shown in (column for column in table.columns if column.kind is LeakKind.DATE):
        for column in dates:
            days = _days(lines, leaf, shown, column)
            within = float(np.mean(np.abs(days) <= reach)) if days.size else 0.0
            rated.append((within, len(days), shown, column))
    taken: set[str] = set()
    for within, _, shown, column in sorted(rated, key=lambda one: one[:2], reverse=True):
        if within >= _MOST and not {f"leaked {shown.name}", column.field.name} & taken:
            taken |= {f"leaked {shown.name}", column.field.name}
            yield leaf, shown, column


def _days(lines: Sequence[Line], leaf: int, shown: LeakedColumn, column: NumberColumn) -> NDArray[np.int64]:
    """Return by how many whole days a column differs from a field on some lines, missing ones left out."""
    mine = [line for line in lines if line.leaf == leaf]
    leaked = shown.numbers[[line.row for line in mine]]
    master = column.at(np.array([line.position for line in mine], dtype=np.int64))
    apart = leaked - master
    whole = np.isfinite(apart) & (np.abs(apart - np.rint(apart)) < 1e-6)
    return np.rint(apart[whole]).astype(np.int64)
