"""What each column of a source file holds, counted once: what a proposed dictionary rests on.

A profile keeps a column's distinct values with their counts, and its cells in a pool of rows that is the same for all
columns of the table, spread evenly over the file. No profile is ever printed: its repr is that of any object.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import compute

from copyhold.domain.catalogue import FieldType
from copyhold.domain.errors import InvalidInputError
from copyhold.engines.tables import parquet
from copyhold.engines.tables.columns import TypedColumn, typed
from copyhold.engines.tables.files import opened
from copyhold.engines.tables.reading import DEFAULT_LIMITS, batches, read_table
from copyhold.engines.tables.sources import ColumnFacts, Kind, SourceTable, facts_of

POOL_ROWS = 20_000
_POOL_CELLS = 40_000_000  # over all columns: a table of 38,000 keeps fewer rows
MOST_LABELS = 2_000  # different values up to which it is kept which rows share one
TEXTS = 2_000  # different cells of a text that are looked at
_TOGETHER = 32  # columns of a Parquet file that are held at a time
_GOLDEN = (5**0.5 - 1) / 2

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]
_NUMERIC = (FieldType.INTEGER, FieldType.DECIMAL, FieldType.REAL)


@dataclass(frozen=True, eq=False, repr=False)
class Profile:
    """One column.

    values, counts  distinct numbers, ascending, and how often each occurs; empty where the column holds no numbers
    unread          written cells that have no value though they are not empty
    texts           some of the distinct cells of a text, as written
    pool            float64 (pool rows,): the numbers, NaN where there is none; empty for other columns
    labels          int32 (pool rows,): index of the cell among the column's few values, -1 for none; empty where many
    """

    name: str
    kind: FieldType
    facts: ColumnFacts
    rows: int
    present: int
    distinct: int
    values: Floats
    counts: Whole
    decimals: int | None
    unread: tuple[str, ...]
    texts: tuple[str, ...]
    pool: Floats
    labels: NDArray[np.int32]

    @property
    def numeric(self) -> bool:
        """Whether it holds numbers."""
        return self.kind in _NUMERIC

    @property
    def unit(self) -> float:
        """The last place of its numbers; 0 where they have binary noise."""
        return 0.0 if self.kind is FieldType.REAL else 10.0 ** -(self.decimals or 0)


class TableSource:
    """One table of a file, column by column; a Parquet file is never held as a whole."""

    def __init__(self, path: Path) -> None:
        file = opened(path, None, DEFAULT_LIMITS)
        self.name = file.stem
        self._path = path
        self._held: SourceTable | None = None
        if file.kind is Kind.PARQUET:
            with parquet.parquet_file(file, DEFAULT_LIMITS) as found:
                self.columns: tuple[str, ...] = tuple(found.schema_arrow.names)
        else:
            self._held = read_table(path)
            self.columns = self._held.columns

    def read(self, names: Sequence[str] | None = None) -> Iterator[tuple[str, TypedColumn, ColumnFacts]]:
        """Read the columns named (all, by default), each as a whole, in the file's order."""
        wanted = [name for name in self.columns if names is None or name in set(names)]
        if self._held is not None:
            for name in wanted:
                facts = self._held.facts(name)
                yield name, _typed(name, self._held.table[name], facts, self._held.decimal_mark), facts
            return
        for start in range(0, len(wanted), _TOGETHER):
            together = wanted[start : start + _TOGETHER]
            table = pa.Table.from_batches(batches(self._path, together))
            for name in together:
                facts = facts_of(table.schema.field(name))
                yield name, _typed(name, table[name], facts, ""), facts

    def profiles(self) -> Iterator[Profile]:
        """Count every column."""
        rows: Whole | None = None
        for name, column, facts in self.read():
            if rows is None:
                rows = pool_rows(len(column.source), min(POOL_ROWS, _POOL_CELLS // len(self.columns)))
            yield _profile(name, column, facts, rows)

    def numbers(self, names: Iterable[str]) -> dict[str, Floats]:
        """Read columns of numbers over all rows, NaN where there is none."""
        return {name: floats(column) for name, column, _ in self.read(tuple(names))}


def pool_rows(rows: int, most: int = POOL_ROWS) -> Whole:
    """Choose the rows of the pool: one in each of equal stretches, at places that repeat with no period."""
    if rows <= most:
        return np.arange(rows)
    place = np.arange(most)
    return ((place + place * _GOLDEN % 1) * rows / most).astype(np.int64)


def floats(column: TypedColumn) -> Floats:
    """Give a column of numbers as float64, NaN where there is none."""
    numbers = compute.cast(column.values, pa.float64(), safe=False)
    found: Floats = numbers.to_numpy(zero_copy_only=False)
    return found


def _typed(name: str, column: pa.ChunkedArray, facts: ColumnFacts, mark: str) -> TypedColumn:
    try:
        return typed(column, facts, decimal_mark=mark)
    except InvalidInputError as error:
        raise InvalidInputError(f"Column {name}: {error.message}") from error


def _profile(name: str, column: TypedColumn, facts: ColumnFacts, rows: Whole) -> Profile:
    numeric = column.kind in _NUMERIC
    counted = compute.value_counts(column.values.drop_null())
    distinct, counts = counted.field("values"), counted.field("counts").to_numpy()
    values, ordered = _ascending(distinct, counts) if numeric else (np.empty(0), np.empty(0, np.int64))
    return Profile(
        name=name,
        kind=column.kind,
        facts=facts,
        rows=len(column.source),
        present=int(counts.sum()),
        distinct=len(distinct),
        values=values,
        counts=ordered,
        decimals=column.decimals if column.kind is not FieldType.REAL else None,
        unread=_unread(column),
        texts=() if numeric else tuple(compute.cast(distinct[:TEXTS], pa.string()).to_pylist()),
        pool=floats(column)[rows] if numeric else np.empty(0),
        labels=_labels(column, distinct, rows),
    )


def _ascending(distinct: pa.Array, counts: Whole) -> tuple[Floats, Whole]:
    values = compute.cast(distinct, pa.float64(), safe=False).to_numpy(zero_copy_only=False)
    order = np.argsort(values, kind="stable")
    return values[order], counts[order].astype(np.int64)


def _unread(column: TypedColumn) -> tuple[str, ...]:
    """List the written cells that have no value; a cell of blanks is an empty one."""
    lost = compute.and_(compute.is_null(column.values), compute.is_valid(column.source.combine_chunks()))
    if not compute.any(lost).as_py():
        return ()
    written = compute.utf8_trim_whitespace(column.written.combine_chunks().filter(lost)).unique().drop_null()
    return tuple(sorted(cell for cell in written.to_pylist() if cell))


def _labels(column: TypedColumn, distinct: pa.Array, rows: Whole) -> NDArray[np.int32]:
    if len(distinct) > MOST_LABELS:
        return np.empty(0, np.int32)
    places = compute.index_in(column.values.take(pa.array(rows)), value_set=distinct)
    found: NDArray[np.int32] = places.fill_null(-1).to_numpy(zero_copy_only=False)
    return found
