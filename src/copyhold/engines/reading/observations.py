"""The marked cells that a leak shows: for each candidate the plan's cells of its rows, and the values read there."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from copyhold.engines.marks.cells import ColumnCells, cells
from copyhold.engines.matching.codings import Coding
from copyhold.engines.matching.columns import Match
from copyhold.engines.reading.groups import Group, Line
from copyhold.engines.reading.master import Master
from copyhold.engines.reading.sighting import SightedTable


@dataclass(frozen=True)
class Source:
    """A leaked column read as a marked field: which leaked table and column, and the match that says so."""

    leaf: int
    match: Match


@dataclass
class SeenCells:
    """Cells and observations as growing lists, in the order in which candidates come.

    `candidate` numbers the candidates over all groups, `weight` is the candidate's; `source` is an index into
    `sources`; an observation belongs to the cell of number `cell`.
    """

    sources: tuple[Source, ...]
    candidate: list[int] = field(default_factory=list)
    weight: list[float] = field(default_factory=list)
    table: list[int] = field(default_factory=list)
    row: list[int] = field(default_factory=list)
    column: list[int] = field(default_factory=list)
    threshold: list[int] = field(default_factory=list)
    low: list[float] = field(default_factory=list)
    high: list[float] = field(default_factory=list)
    original_high: list[bool] = field(default_factory=list)
    source: list[int] = field(default_factory=list)
    cell: list[int] = field(default_factory=list)
    observation: list[float] = field(default_factory=list)


def seen_cells(tables: Sequence[SightedTable], groups: Sequence[Group], master: Master) -> SeenCells:
    """Collect the marked cells of every candidate with all that its lines show of each, every cell once."""
    plans = _plans(tables, groups, master)
    found = SeenCells(tuple(plan.source for plan in plans))
    by_table = {
        leaf: [place for place, plan in enumerate(plans) if plan.source.leaf == leaf] for leaf in range(len(tables))
    }
    candidates = (one for group in groups for one in group.candidates)
    for number, candidate in enumerate(candidates):
        known: dict[tuple[int, int, int], int] = {}
        for line in candidate.lines:
            for place in by_table[line.leaf]:
                _observe(found, (number, candidate.weight), place, plans[place], line, known)
    return found


@dataclass(frozen=True)
class _Shown:
    """A source with its values by leaked row, in the field's unit or as codes, and the field's cells by position."""

    source: Source
    table: int
    values: NDArray[np.float64]
    cells: ColumnCells
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    rows: NDArray[np.uint64]
    place: Mapping[int, int]

    def value(self, row: int, at: int) -> float:
        """Give what a leaked row shows of a cell; of a column of codes, the member that its code tells."""
        shown, unit = self.values[row : row + 1], self.source.match.conversion
        if isinstance(unit, Coding):
            return float(unit.member(shown, self.low[at : at + 1], self.high[at : at + 1])[0])
        return float(shown[0])


def _plans(tables: Sequence[SightedTable], groups: Sequence[Group], master: Master) -> list[_Shown]:
    positions: dict[int, set[int]] = {}
    for line in _lines(groups):
        positions.setdefault(tables[line.leaf].number, set()).add(line.position)
    plans: list[_Shown] = []
    for leaf, table in enumerate(tables):
        wanted = np.array(sorted(positions.get(table.number, ())), dtype=np.int64)
        plans += _of_table(leaf, table, wanted, master) if wanted.size else []
    return plans


def _of_table(leaf: int, table: SightedTable, positions: NDArray[np.int64], master: Master) -> Iterator[_Shown]:
    marked = [one for one in table.match.matches if master.plan.column(table.number, one.field) is not None]
    if not marked:
        return
    names = [one.field for one in marked]
    read = master.block(table.number, positions, names)
    found = cells(master.plan, master.plan_key, read, names)
    place = {position: at for at, position in enumerate(positions.tolist())}
    for one in marked:
        column = found[one.field]
        written = table.columns[one.leaked].numbers
        values = written if isinstance(one.conversion, Coding) else one.conversion.to_field(written)
        low, high = column.natural(column.low), column.natural(column.high)
        yield _Shown(Source(leaf, one), table.number, values, column, low, high, read.rows, place)


def _observe(
    found: SeenCells,
    candidate: tuple[int, float],
    source: int,
    shown: _Shown,
    line: Line,
    known: dict[tuple[int, int, int], int],
) -> None:
    """Add what one line shows of one field: to the cell that is there already, or as a new one."""
    at = shown.place[line.position]
    value = shown.value(line.row, at) if shown.cells.marked[at] else np.nan
    if not np.isfinite(value):
        return
    address = (shown.table, int(shown.rows[at]), shown.cells.column.column)
    if address not in known:
        known[address] = len(found.row)
        found.candidate.append(candidate[0])
        found.weight.append(candidate[1])
        found.table.append(address[0])
        found.row.append(address[1])
        found.column.append(address[2])
        found.threshold.append(int(shown.cells.threshold[at]))
        found.low.append(float(shown.low[at]))
        found.high.append(float(shown.high[at]))
        found.original_high.append(bool(shown.cells.step[at] < 0))
        found.source.append(source)
    elif found.source[known[address]] != source:
        return  # a second leaked column of the same cell has a channel of its own: the first one speaks
    found.cell.append(known[address])
    found.observation.append(value)


def _lines(groups: Sequence[Group]) -> Iterator[Line]:
    for group in groups:
        for candidate in group.candidates:
            yield from candidate.lines
