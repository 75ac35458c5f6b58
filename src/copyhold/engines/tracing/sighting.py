"""A leaked table as it was found again in a version: what a reading is made from, without any key."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from copyhold.engines.marks.cells import cells
from copyhold.engines.marks.constraints import spans_of
from copyhold.engines.marks.plan import MarkPlan
from copyhold.engines.matching.index import TableIndex
from copyhold.engines.matching.leaked import LeakedColumn, leaked_column
from copyhold.engines.matching.tables import TableMatch, match_table
from copyhold.engines.tables.blocks import Block, block
from copyhold.engines.tables.columns import typed_column
from copyhold.engines.tables.sources import SourceTable

MOST_ROWS = 4_000  # of a leaked table that are aligned and read: a party is named by far fewer, more only take time
_STRETCHES, _STRETCH = 8, 256  # stretches of the table, and rows in each, from which a field's steps are told


@dataclass(frozen=True)
class Master:
    """A version as a reader of leaks sees it: plan with the plan's key, and the index of each table by its number."""

    plan: MarkPlan
    plan_key: bytes
    indexes: Mapping[int, TableIndex]

    def block(self, table: int, positions: NDArray[np.integer], names: Sequence[str]) -> Block:
        """Give some rows of a table with all that the cells of the fields named depend on."""
        index = self.indexes[table]
        needed = self.plan.inputs(table, names)
        return block(index.batch(positions, needed), index.declared(needed), table)

    def steps(self, table: int) -> dict[str, float]:
        """Give by field how far marks may move a value, in the field's unit, from a part of the table."""
        index = self.indexes[table]
        names = [column.field for column in self.plan.of(table)]
        names += [one.field for one in self.plan.derived if one.table == table]
        read = self.block(table, _stretches(index.rows), [name for name in names if name in index])
        found = cells(self.plan, self.plan_key, read)
        with np.errstate(invalid="ignore"):
            widths = {name: span.most - span.least for name, span in spans_of(self.plan, read, found).items()}
        return {name: float(np.max(width, initial=0.0, where=np.isfinite(width))) for name, width in widths.items()}


@dataclass(frozen=True)
class SightedTable:
    """One leaked table matched to the table of a version that has this number.

    `columns` hold the rows that were read: all of a small table, some evenly over a large one of `leaked` rows.
    """

    number: int
    columns: tuple[LeakedColumn, ...]
    match: TableMatch
    leaked: int

    @property
    def rows(self) -> int:
        """Rows of the leaked table that were read."""
        return self.columns[0].rows if self.columns else 0

    @property
    def rows_aligned(self) -> int:
        """Leaked rows that align above decoys."""
        return int(np.count_nonzero(self.match.aligned))


def leaked_columns(source: SourceTable) -> tuple[LeakedColumn, ...]:
    """Take over the columns of a leaked file.

    Raises:
        InvalidInputError: a column holds lists, records or bytes.
    """
    return tuple(leaked_column(name, typed_column(source, name)) for name in source.columns)


def sighted(columns: tuple[LeakedColumn, ...], master: Master) -> SightedTable:
    """Match a leaked table to the table of a version in which most of its rows align, the first of equals.

    At most 4,000 of its rows are read, evenly over the table.
    """
    leaked = columns[0].rows if columns else 0
    if leaked > MOST_ROWS:
        part = np.linspace(0, leaked - 1, MOST_ROWS).astype(np.int64)
        columns = tuple(column.taking(part) for column in columns)
    found = [
        SightedTable(number, columns, match_table(columns, index, master.steps(number)), leaked)
        for number, index in master.indexes.items()
    ]
    return max(found, key=lambda one: (one.rows_aligned, len(one.match.matches)))


def _stretches(rows: int) -> NDArray[np.int64]:
    if rows <= _STRETCHES * _STRETCH:
        return np.arange(rows)
    starts = np.linspace(0, rows - _STRETCH, _STRETCHES).astype(np.int64)
    return (starts[:, None] + np.arange(_STRETCH)[None, :]).reshape(-1)
