"""Making one party's copy of a batch of the master, and reading a copy back before it leaves.

What leaves: marked cells show the member of their pair that the party's bit asks for; fields computed from them are
computed again, so that every tie holds in just the rows where it held; ids are the party's own; dates move where that
was accepted; everything else is the master's, byte for byte. Nothing depends on how the table was split into batches.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from copyhold.domain.catalogue import Field, FieldType, Role
from copyhold.domain.errors import InvalidInputError
from copyhold.engines.marks.cells import ColumnCells, cells
from copyhold.engines.marks.columns import plain_values, with_values
from copyhold.engines.marks.constraints import floats, places
from copyhold.engines.marks.keys import PartyKeys
from copyhold.engines.marks.permutation import FIFTEEN_DIGITS, IdSpace, permuted
from copyhold.engines.marks.plan import DerivedPlan, MarkPlan
from copyhold.engines.marks.prf import Tag, uniforms
from copyhold.engines.marks.shifting import Shifts, shifted
from copyhold.engines.tables.blocks import AMBIGUOUS, PARTICIPANT, ROW, Block, Units, block, units

ROWS = 32_768  # rows worked on at once, so that a column's arrays stay in the processor's cache

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class DecodeCheck:
    """What reading a copy back found.

    `cells` that are marked and how many of them are `wrong`, not showing the party's bit; all `others` and how many of
    them are `altered`, not what they should be.
    """

    cells: int = 0
    wrong: int = 0
    others: int = 0
    altered: int = 0

    @property
    def passed(self) -> bool:
        """Whether nothing is wrong."""
        return self.wrong == self.altered == 0

    def __add__(self, more: "DecodeCheck") -> "DecodeCheck":
        return DecodeCheck(
            self.cells + more.cells, self.wrong + more.wrong, self.others + more.others, self.altered + more.altered
        )


@dataclass(frozen=True, eq=False)
class Embedding:
    """One party's copy of one table: plan, keys, the fields of the table and the names of those that are released.

    Raises:
        InvalidInputError: a released field is not in the table, identifies people directly, or counts days and is
            marked.
    """

    plan: MarkPlan
    plan_key: bytes = field(repr=False)
    keys: PartyKeys = field(repr=False)
    table: str
    fields: tuple[Field, ...]
    released: tuple[str, ...]
    ids: IdSpace = FIFTEEN_DIGITS
    shifts: Shifts | None = None

    def __post_init__(self) -> None:
        for name in self.released:
            if name not in self._field:
                raise InvalidInputError(f"Table {self.table} has no field {name} to release.")
            if self._field[name].role is Role.DIRECT:
                raise InvalidInputError(f"Field {name} identifies people directly and is never released.")
            if name in self._day_counts and self.plan.column(self.number, name):
                raise InvalidInputError(f"Field {name} counts days that are shifted; the plan must not mark it too.")

    @cached_property
    def number(self) -> int:
        """The table's number."""
        return self.plan.number(self.table)

    @property
    def inputs(self) -> tuple[str, ...]:
        """Name the columns of the master that `mark` needs: more than are released where fields hang together."""
        return (ROW, PARTICIPANT, AMBIGUOUS, *self._needed)

    def mark(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Make the copy of a batch: the released fields in their order, with the types of the master's columns."""
        parts = [self._part(batch.slice(start, ROWS)) for start in range(0, max(batch.num_rows, 1), ROWS)]
        if len(parts) == 1:
            return parts[0]
        return pa.Table.from_batches(parts).combine_chunks().to_batches()[0]

    def cells(self, batch: pa.RecordBatch) -> Mapping[str, ColumnCells]:
        """Give the cells of a batch, by field; among them those of fields that are needed and not released."""
        return self._cells(self._block(batch))

    def decode(
        self, copy: pa.RecordBatch, batch: pa.RecordBatch, settled: Callable[[pa.Array], pa.Array] = lambda text: text
    ) -> DecodeCheck:
        """Compare rows of a copy, as read back from its file, with the same rows of the master, in the same order.

        `settled` says what the file's format makes of a text.
        """
        if copy.num_rows != batch.num_rows or tuple(copy.schema.names) != self.released:
            return DecodeCheck(others=1, altered=1)
        read = self._block(batch)
        bits = self._bits(read, found := self._cells(read))
        again = self._copy(batch, read, found, bits)
        check = DecodeCheck()
        for name in self.released:
            shown = copy.column(name)
            if name in found:
                check += _read_bits(found[name], bits[name], units(shown, self._field[name]))
                unmarked = ~found[name].marked
                check += _compared(batch.column(name).filter(pa.array(unmarked)), shown.filter(pa.array(unmarked)))
            else:
                asked = again.column(name)
                check += _compared(settled(asked) if pa.types.is_string(asked.type) else asked, shown)
        return check

    @cached_property
    def _field(self) -> Mapping[str, Field]:
        return {one.name: one for one in self.fields}

    @property
    def _day_counts(self) -> tuple[str, ...]:
        return self.shifts.day_counts if self.shifts else ()

    @cached_property
    def _needed(self) -> tuple[str, ...]:
        return self.plan.inputs(self.number, self.released)

    def _block(self, batch: pa.RecordBatch) -> Block:
        columns = [self._field[name] for name in self._needed]
        return block(batch, columns, self.number)

    def _cells(self, read: Block) -> dict[str, ColumnCells]:
        return dict(cells(self.plan, self.plan_key, read, self._needed))

    def _bits(self, read: Block, found: Mapping[str, ColumnCells]) -> dict[str, Bools]:
        numbers = np.array([one.column.column for one in found.values()], dtype=np.uint32)
        drawn = uniforms(self.keys.mark, self.number, read.rows, numbers, Tag.MARK)
        return {name: drawn[:, place] < one.threshold for place, (name, one) in enumerate(found.items())}

    def _part(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        read = self._block(batch)
        found = self._cells(read)
        return self._copy(batch, read, found, self._bits(read, found))

    def _copy(
        self, batch: pa.RecordBatch, read: Block, found: Mapping[str, ColumnCells], bits: Mapping[str, Bools]
    ) -> pa.RecordBatch:
        moved = _Moved(self.plan, read, found, bits)
        for one in self.plan.derived:
            if one.table == self.number and one.field in self._needed:
                moved.derive(one)
        days = self.shifts.days(self.keys.dates, read.participants) if self.shifts else None
        arrays = [self._released(name, batch.column(name), read, moved, days) for name in self.released]
        return pa.RecordBatch.from_arrays(arrays, names=list(self.released))

    def _released(
        self, name: str, column: pa.Array, read: Block, moved: "_Moved", days: NDArray[np.int64] | None
    ) -> pa.Array:
        one = self._field[name]
        if one.role is Role.ID:
            return self._ids(column.type, read)
        if days is not None and one.type in (FieldType.DATE, FieldType.DATETIME):
            return shifted(column, one, days)
        if days is not None and name in self._day_counts:
            return _counted_from(column, one, days, read)
        return moved.released(name, column)

    def _ids(self, kind: pa.DataType, read: Block) -> pa.Array:
        drawn = permuted([self.keys.identifiers], read.participants.astype(np.int64), self.ids)[0]
        return pa.array(drawn) if pa.types.is_integer(kind) else pa.array(drawn).cast(pa.string())


class _Moved:
    """The released values of a block's numeric fields, where they are not the master's."""

    def __init__(
        self, plan: MarkPlan, read: Block, found: Mapping[str, ColumnCells], bits: Mapping[str, Bools]
    ) -> None:
        self._plan, self._read = plan, read
        self._rows = {name: np.flatnonzero(one.moved(bits[name])) for name, one in found.items()}
        self._values: dict[str, NDArray[np.int64] | Floats] = {}
        for name, one in found.items():
            rows = self._rows[name]
            units_moved = one.values[rows] + one.step[rows]
            exact = one.column.decimals == 0 and one.column.type is not FieldType.REAL
            self._values[name] = units_moved if exact else one.natural(units_moved)

    def derive(self, one: DerivedPlan) -> None:
        """Compute a field again in the rows where a parent moved."""
        parents = one.tie.parents
        touched = np.zeros(len(self._read.rows), dtype=bool)
        for name in parents:
            touched[self._rows.get(name, ())] = True
        rows = np.flatnonzero(touched & self._read.columns[one.field].valid)
        original = {name: self._floats(name)[rows] for name in (one.field, *parents)}
        marked = {name: self._released_floats(name)[rows] for name in parents}
        decimals = places(one, self._read.strata, len(self._read.rows))[rows]
        again = one.tie.recompute(original, marked, decimals)
        changed = again != original[one.field]
        self._rows[one.field], self._values[one.field] = rows[changed], again[changed]

    def released(self, name: str, column: pa.Array) -> pa.Array:
        """Give a column of the copy; the master's own where nothing moved."""
        rows = self._rows.get(name)
        if rows is None or not len(rows):
            return column
        values, moved = plain_values(column), self._values[name]
        whole = values.dtype.kind in "iu" and moved.dtype.kind == "f"
        values[rows] = np.rint(moved) if whole else moved
        return with_values(column, values)

    def _floats(self, name: str) -> Floats:
        columns, place = self._read.columns[name], self._plan.place(self._read.table, name)
        return floats(columns.values, columns.valid, place.type, place.decimals)

    def _released_floats(self, name: str) -> Floats:
        values = self._floats(name).copy()
        if name in self._rows:
            values[self._rows[name]] = self._values[name]
        return values


def _counted_from(column: pa.Array, one: Field, days: NDArray[np.int64], read: Block) -> pa.Array:
    values = plain_values(column)
    valid = read.columns[one.name].valid
    return with_values(column, np.where(valid, values + days, values))


def _read_bits(one: ColumnCells, bits: Bools, shown: Units) -> DecodeCheck:
    right = shown.valid & (shown.values == np.where(bits, one.high, one.low))
    return DecodeCheck(cells=int(one.marked.sum()), wrong=int((one.marked & ~right).sum()))


def _compared(asked: pa.Array, shown: pa.Array) -> DecodeCheck:
    """Compare values whatever the types that a file format gave them: numbers as numbers, others as text."""
    if asked.equals(shown):
        return DecodeCheck(others=len(asked))
    kinds = (asked.type, shown.type)
    numeric = all(pa.types.is_integer(kind) or pa.types.is_floating(kind) for kind in kinds)
    left, right = (one.cast(pa.float64() if numeric else pa.string()) for one in (asked, shown))
    both_null = pc.and_(left.is_null(nan_is_null=True), right.is_null(nan_is_null=True))
    alike = pc.or_(pc.equal(left, right).fill_null(False), both_null)
    return DecodeCheck(others=len(left), altered=len(left) - (pc.sum(alike).as_py() or 0))
