"""The cells of a block: which are marked, with which bias, between which two values; the same for all parties.

A pure function of the plan, the plan's key and the master values of a cell's own row, hence the same for any split of a
table into batches.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from copyhold.domain.errors import InvalidInputError
from copyhold.engines.marks.constraints import conflicts
from copyhold.engines.marks.plan import ARCSINE, DIRECTION, QUANTILES, SHARES, ColumnPlan, MarkPlan, arcsine_thresholds
from copyhold.engines.marks.prf import RANGE, Tag, uniforms
from copyhold.engines.tables.blocks import Block, Units

Bools = NDArray[np.bool_]

_HALF = np.full(QUANTILES, RANGE // 2, dtype=np.uint16)
_THRESHOLDS = np.concatenate([_HALF, arcsine_thresholds()])  # by law and quantile
_LAW_SHIFT = 7  # carries bit 15, the law, to bit 8


@dataclass(frozen=True, eq=False)
class ColumnCells:
    """The cells of one column in a block.

    values     int64 (rows,): master values in units, meaningless where the column is not valid
    step       whole numbers (rows,): from the value to its stand-in, positive for {x, x+s}; 0 where not marked
    threshold  uint16 (rows,): t of the bias p = t/65536 that the cell shows its upper member; only for marked cells
    """

    column: ColumnPlan
    values: NDArray[np.int64]
    step: NDArray[np.signedinteger]
    threshold: NDArray[np.uint16]

    @cached_property
    def marked(self) -> Bools:
        """Where a cell is marked."""
        return np.asarray(self.step != 0)

    @cached_property
    def low(self) -> NDArray[np.int64]:
        """The lower member v0 in units; the value itself where not marked."""
        return np.asarray(self.values + np.minimum(self.step, 0), dtype=np.int64)

    @cached_property
    def high(self) -> NDArray[np.int64]:
        """The upper member v1 in units; the value itself where not marked."""
        return np.asarray(self.values + np.maximum(self.step, 0), dtype=np.int64)

    def moved(self, bits: Bools) -> Bools:
        """Say where the released value is not the master's: the bit asks for the stand-in."""
        return np.asarray((bits == (self.step > 0)) & self.marked)

    def natural(self, values: NDArray[np.int64]) -> NDArray[np.float64]:
        """Give units as numbers in the field's own unit."""
        return self.column.natural(values)


def cells(plan: MarkPlan, key: bytes, block: Block, names: Iterable[str] | None = None) -> Mapping[str, ColumnCells]:
    """Work out the cells of a block for the fields named (all that are marked, by default), by field.

    `key` is the plan's. A cell is not marked where its row is ambiguous, its value missing, or a mark could break an
    order or a limit that binds it to other fields of its row.

    Raises:
        InvalidInputError: the block lacks a field on which one of those named depends.
    """
    wanted = [column for column in plan.of(block.table) if names is None or column.field in set(names)]
    needed = plan.inputs(block.table, [column.field for column in wanted])
    columns = [column for column in plan.of(block.table) if column.field in needed]
    _check(block, needed)
    drawn = _drawn(plan, key, block, columns)
    for name, spared in conflicts(plan, block, drawn).items():
        drawn[name] = replace(drawn[name], step=drawn[name].step * ~spared)
    return {column.field: drawn[column.field] for column in wanted}


def _check(block: Block, needed: Iterable[str]) -> None:
    missing = [name for name in needed if name not in block.columns and name not in block.strata]
    if missing:
        raise InvalidInputError(f"The cells of this block depend on {missing[0]}, which it lacks. Read that field too.")


def _drawn(plan: MarkPlan, key: bytes, block: Block, columns: list[ColumnPlan]) -> dict[str, ColumnCells]:
    numbers = np.array([column.column for column in columns], dtype=np.uint32)
    choice = uniforms(key, block.table, block.rows, numbers, Tag.PLAN)
    quantile = uniforms(key, block.table, block.rows, numbers, Tag.ARCSINE)
    return {
        column.field: _column(column, block, choice[:, place], quantile[:, place])
        for place, column in enumerate(columns)
    }


def _column(column: ColumnPlan, block: Block, choice: NDArray[np.uint16], quantile: NDArray[np.uint16]) -> ColumnCells:
    units: Units = block.columns[column.field]
    upward = (choice & DIRECTION) != 0
    strata = block.strata[column.stratum] if column.stratum else None
    codes, labels = (strata.codes, strata.names) if strata else (None, ())
    step = column.lookup.steps(units.values, upward, codes, labels)
    step *= units.valid & ~block.ambiguous
    if column.share < SHARES:
        step *= (choice & (SHARES - 1)) < column.share
    threshold = _THRESHOLDS.take(((choice & ARCSINE) >> _LAW_SHIFT) | (quantile >> 8))
    return ColumnCells(column, units.values, step, threshold)
