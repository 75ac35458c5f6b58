"""A version as a reader of leaks sees it: plan, the plan's key, and the indexes of its tables; no party's key."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from copyhold.engines.marks.cells import ColumnCells, cells
from copyhold.engines.marks.constraints import spans_of
from copyhold.engines.marks.plan import MarkPlan
from copyhold.engines.matching.index import TableIndex
from copyhold.engines.tables.blocks import Block, block

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

    def sample(self, table: int) -> Mapping[str, ColumnCells]:
        """Give the cells of some stretches of a table, by field."""
        index = self.indexes[table]
        names = [column.field for column in self.plan.of(table) if column.field in index]
        read = self.block(table, _stretches(index.rows), names)
        return cells(self.plan, self.plan_key, read, names)

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


def _stretches(rows: int) -> NDArray[np.int64]:
    if rows <= _STRETCHES * _STRETCH:
        return np.arange(rows)
    starts = np.linspace(0, rows - _STRETCH, _STRETCHES).astype(np.int64)
    return (starts[:, None] + np.arange(_STRETCH)[None, :]).reshape(-1)
