"""Immutable snapshots of a dataset: one Parquet file per table, under canonical names, with numbers that last.

Every row carries `__row`, a number that stays with its natural key (participant id and key columns) over all versions,
and `__participant`, the number of its participant over all tables and versions. Numbers are given at import and are
never used again, not even after deletion. A row whose key is not its own alone gets a fresh number in every version and
`__ambiguous`: it stays unmarked, since nothing could find it again. Direct identifiers are left out of a snapshot.

The bytes depend on the sources' rows, the dictionary and the snapshot before, not on how the sources were divided.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import compute, parquet

from copyhold.domain.catalogue import Dictionary, Field, FieldType, Role
from copyhold.domain.errors import InvalidInputError
from copyhold.engines.tables.blocks import AMBIGUOUS, PARTICIPANT, ROW
from copyhold.engines.tables.columns import TypedColumn, typed
from copyhold.engines.tables.reading import batches
from copyhold.engines.tables.sources import ColumnFacts

# Rows held at a time: 500,000 x 1,000 stay under 4 GB. A power of two, as the row groups of copies are: theirs are
# parts of these, or these of theirs, and are written without being put together anew.
GROUP_ROWS = 32_768
JOIN = "\x1f"  # the unit separator of ASCII, between the parts of a natural key
NEXT_ROW, NEXT_PARTICIPANT = b"copyhold.next_row", b"copyhold.next_participant"
FIXED_DECIMALS = b"copyhold.fixed_decimals"
TYPES = {
    FieldType.INTEGER: pa.int64(),
    FieldType.DECIMAL: pa.float64(),
    FieldType.REAL: pa.float64(),
    FieldType.CATEGORY: pa.string(),
    FieldType.TEXT: pa.string(),
    FieldType.DATE: pa.date32(),
    FieldType.DATETIME: pa.timestamp("us"),
}
NUMBERS = (FieldType.INTEGER, FieldType.DECIMAL, FieldType.REAL)


@dataclass(frozen=True)
class TableFile:
    """One table of a snapshot: its Parquet file, how many rows, and the SHA-256 of its bytes."""

    table: str
    path: Path
    rows: int
    sha256: str


@dataclass(frozen=True)
class Snapshot:
    """The tables of one version; `participants` counts distinct ones over all of them."""

    tables: tuple[TableFile, ...]
    participants: int

    def of(self, table: str) -> TableFile:
        """The file of one table."""
        return next(one for one in self.tables if one.table == table)


@dataclass
class _Numbers:
    """Which number a key has, and the next one to give."""

    known: dict[str, int] = field(default_factory=dict)
    next: int = 0

    def of(self, key: str) -> int:
        if key not in self.known:
            self.known[key] = self.fresh()
        return self.known[key]

    def fresh(self) -> int:
        self.next += 1
        return self.next - 1


def write_snapshot(
    sources: Mapping[str, Path],
    dictionary: Dictionary,
    folder: Path,
    *,
    id_column: str | None = None,
    key_columns: Sequence[str] = (),
    previous: Mapping[str, Path] | None = None,
    step: Callable[[str, float], None] = lambda name, share: None,
) -> Snapshot:
    """Write the snapshot of a version from one source file per table; `previous` are the Parquet files before it.

    `id_column` and `key_columns` are names as the sources write them; a key column that a table lacks is no part of its
    key. Without `id_column` every row is one participant.

    Raises:
        InvalidInputError: a source lacks a field of the dictionary, has one that it does not list, or holds values that
            do not fit their declared type (told by count and first row, never by value).
        UnreadableFileError: a source cannot be read.
    """
    folder.mkdir(parents=True, exist_ok=True)
    people = _known(previous, dictionary, (), PARTICIPANT, NEXT_PARTICIPANT)
    written = []
    for place, (table, source) in enumerate(sources.items()):
        fields = dictionary.of(table)
        keys = tuple(name for name in key_columns if any(one.column == name for one in fields))
        before = {table: previous[table]} if previous and table in previous else None
        rows = _known(before, dictionary, keys, ROW, NEXT_ROW)
        job = _Table(table, source, fields, id_column, keys, rows, people)
        written.append(job.write(folder / f"{table}.parquet"))
        step("snapshot", (place + 1) / len(sources))
    seen = {number for one in written for number in _participants(one.path)}
    return Snapshot(tuple(written), len(seen))


def read_batches(
    path: Path, columns: Sequence[str] | None = None, rows: int = GROUP_ROWS, groups: Sequence[int] | None = None
) -> Iterator[pa.RecordBatch]:
    """Iterate over a snapshot's table, or some row groups of it; numbers and flag come before the columns asked for."""
    with parquet.ParquetFile(path, memory_map=True) as file:
        names = None if columns is None else [ROW, PARTICIPANT, AMBIGUOUS, *columns]
        yield from file.iter_batches(batch_size=rows, row_groups=groups, columns=names, use_threads=False)


def read_rows(path: Path, numbers: NDArray[np.uint64]) -> Iterator[tuple[NDArray[np.intp], pa.RecordBatch]]:
    """Iterate over the rows with these numbers, all columns, and where each stands in the table, from 0.

    Numbers that the table lacks are passed over. Only the row groups that hold one are read whole.
    """
    with parquet.ParquetFile(path) as file:
        start = 0
        for group in range(file.num_row_groups):
            known = file.read_row_group(group, columns=[ROW]).column(ROW).to_numpy()
            here = np.flatnonzero(np.isin(known, numbers))
            if len(here):
                whole = file.read_row_group(group, use_threads=False)
                yield start + here, whole.take(here).combine_chunks().to_batches()[0]
            start += len(known)


def row_count(path: Path) -> int:
    """Count the rows of a snapshot's table."""
    return int(parquet.read_metadata(path).num_rows)


def schema(path: Path) -> pa.Schema:
    """The columns of a snapshot's table."""
    return parquet.read_schema(path)


def fixed_decimals(path: Path) -> frozenset[str]:
    """Name the fields whose every number the sources wrote with all its decimals: 5.10, never 5.1."""
    told = (parquet.read_metadata(path).metadata or {}).get(FIXED_DECIMALS, b"[]")
    return frozenset(json.loads(told))


@dataclass(frozen=True)
class _Table:
    """What one table is written from."""

    table: str
    source: Path
    fields: tuple[Field, ...]
    id_column: str | None
    keys: tuple[str, ...]
    rows: _Numbers
    people: _Numbers
    shortened: set[str] = field(default_factory=set)  # fields of which some number is written with fewer decimals

    def write(self, path: Path) -> TableFile:
        kept = tuple(one for one in self.fields if one.role is not Role.DIRECT)
        ambiguous = self._ambiguous()
        total = 0
        partial = path.with_suffix(".partial")
        plain = pa.schema(
            [
                (ROW, pa.uint64()),
                (PARTICIPANT, pa.uint64()),
                (AMBIGUOUS, pa.bool_()),
                *((one.name, TYPES[one.type]) for one in kept),
            ]
        )
        with parquet.ParquetWriter(partial, plain, compression="zstd", compression_level=1) as writer:
            for batch in _regrouped(batches(self.source)):
                self._check_columns(batch.schema.names)
                writer.write_batch(self._numbered(batch, kept, ambiguous, plain, total), row_group_size=GROUP_ROWS)
                total += batch.num_rows
            told = {NEXT_ROW: str(self.rows.next), NEXT_PARTICIPANT: str(self.people.next)}
            writer.add_key_value_metadata(told | {FIXED_DECIMALS: json.dumps(self._fixed(kept))})
        partial.replace(path)
        return TableFile(self.table, path, total, _sha256(path))

    def _check_columns(self, found: Sequence[str]) -> None:
        wanted = [one.column for one in self.fields]
        missing = [name for name in wanted if name not in found]
        extra = [name for name in found if name not in wanted]
        if missing:
            raise InvalidInputError(f"{self.source.name} lacks the column {missing[0]} that the dictionary lists.")
        if extra:
            raise InvalidInputError(
                f"{self.source.name} has the column {extra[0]}, which the dictionary does not list. Add a line for it."
            )

    def _keyed(self, batch: pa.RecordBatch) -> list[str] | None:
        """The natural key of each row as one text; None where there is no id to key on."""
        if self.id_column is None:
            return None
        parts = [_written(batch.column(name)) for name in self.keys]
        return _joined([_ids(batch.column(self.id_column)), *parts])

    def _ambiguous(self) -> frozenset[str]:
        if self.id_column is None:
            return frozenset()
        seen: Counter[str] = Counter()
        for batch in batches(self.source, [self.id_column, *self.keys]):
            seen.update(self._keyed(batch) or [])
        return frozenset(key for key, count in seen.items() if count > 1)

    def _numbered(
        self, batch: pa.RecordBatch, kept: Sequence[Field], ambiguous: frozenset[str], plain: pa.Schema, start: int
    ) -> pa.RecordBatch:
        keys = self._keyed(batch)
        if keys is None:
            rows = [self.rows.fresh() for _ in range(batch.num_rows)]
            people = [self.people.fresh() for _ in rows]
            unsure = np.zeros(len(rows), dtype=bool)
        else:
            unsure = np.fromiter((key in ambiguous for key in keys), dtype=bool, count=len(keys))
            rows = [self.rows.fresh() if bad else self.rows.of(key) for key, bad in zip(keys, unsure, strict=True)]
            people = [self.people.of(one) for one in self._ids_of_all(batch, start)]
        columns = [pa.array(rows, pa.uint64()), pa.array(people, pa.uint64()), pa.array(unsure)]
        columns += [self._converted(batch.column(one.column), one, start) for one in kept]
        return pa.RecordBatch.from_arrays(columns, schema=plain)

    def _ids_of_all(self, batch: pa.RecordBatch, start: int) -> list[str]:
        ids = _ids(batch.column(self.id_column))
        if ids.null_count:
            raise InvalidInputError(
                f"{self.source.name} has rows without a participant id, some after row {start}. Give each row its id."
            )
        told: list[str] = ids.to_pylist()
        return told

    def _converted(self, column: pa.Array, one: Field, start: int) -> pa.Array:
        if one.type in (FieldType.CATEGORY, FieldType.TEXT):
            return _written(column)
        codes = tuple(code for code in one.missing_codes if one.type not in NUMBERS or not _is_number(code))
        read = typed(column, ColumnFacts(missing_codes=codes), kind=one.type)
        # A column that is about something else comes back as text: none of its cells is such a value.
        values = pa.nulls(len(column)) if pa.types.is_string(read.values.type) else read.values
        lost = compute.and_(compute.is_valid(column), compute.is_null(values))
        declared = compute.is_in(_written(column), value_set=pa.array(one.missing_codes, pa.string()))
        blank = compute.equal(compute.utf8_trim_whitespace(_written(column)), "")
        wrong = compute.and_(lost, compute.invert(compute.or_(declared, compute.fill_null(blank, True))))
        self._require_none(wrong, one, start, f"are no {one.type.value}")
        if one.type is FieldType.DECIMAL:
            if _shortens(read, one):
                self.shortened.add(one.name)
            return self._rounded(values.cast(pa.float64()), one, start)
        try:
            return values.cast(TYPES[one.type])
        except pa.ArrowInvalid:
            raise InvalidInputError(
                f"Field {one.name} of {self.source.name} is declared {one.type.value} but holds other numbers. "
                "Mend its type or decimals in the dictionary."
            ) from None

    def _fixed(self, kept: Sequence[Field]) -> list[str]:
        decimal = [one.name for one in kept if one.type is FieldType.DECIMAL and one.decimals]
        return [name for name in decimal if name not in self.shortened]

    def _rounded(self, values: pa.Array, one: Field, start: int) -> pa.Array:
        rounded = compute.round(values, one.decimals or 0)
        scale = 10.0 ** -(one.decimals or 0)
        finer = compute.greater(compute.abs(compute.subtract(values, rounded)), scale * 1e-3)
        self._require_none(compute.fill_null(finer, False), one, start, f"have more than {one.decimals or 0} decimals")
        return rounded

    def _require_none(self, wrong: pa.Array, one: Field, start: int, what: str) -> None:
        count = compute.sum(wrong).as_py() or 0
        if count:
            first = start + compute.index(wrong, True).as_py() + 1
            raise InvalidInputError(
                f"Field {one.name} of {self.source.name}: {count} values {what}, the first in row {first}. "
                "Mend the data, or the type, decimals or missing codes in the dictionary."
            )


def _ids(column: pa.Array) -> pa.Array:
    """Give ids as text without the blanks around them, with which some files pad them; null where nothing is left."""
    text = compute.utf8_trim_whitespace(_written(column))
    return compute.if_else(compute.equal(text, ""), None, text)


def _shortens(read: TypedColumn, one: Field) -> bool:
    """Whether some number is written with fewer decimals than the field has; codes for no answer do not count."""
    if read.places is None:  # numbers that were never text have no say, a column without any number either
        return bool(read.values.null_count < len(read.values))
    numbers = read.values.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False)
    codes = [float(code) for code in one.missing_codes if _is_number(code)]
    return bool(((read.places >= 0) & (read.places < (one.decimals or 0)) & ~np.isin(numbers, codes)).any())


def _written(column: pa.Array) -> pa.Array:
    """A column as text: as written, or in the shortest form that reads back the same."""
    if pa.types.is_string(column.type):
        return column
    text = typed(column, kind=FieldType.CATEGORY).written
    return text.combine_chunks() if isinstance(text, pa.ChunkedArray) else text


def _joined(parts: Sequence[pa.Array]) -> list[str]:
    filled = [compute.fill_null(part, "") for part in parts]
    joined: list[str] = compute.binary_join_element_wise(*filled, JOIN).to_pylist()
    return joined


def _known(
    files: Mapping[str, Path] | None,
    dictionary: Dictionary,
    keys: Sequence[str],
    column: str,
    counter: bytes,
) -> _Numbers:
    """Read which key has which number from the snapshot before."""
    numbers = _Numbers()
    for table, path in (files or {}).items():
        fields = dictionary.of(table)
        ids = [one.name for one in fields if one.role is Role.ID]
        numbers.next = max(numbers.next, int((parquet.read_metadata(path).metadata or {}).get(counter, b"0")))
        named = [one.name for name in keys for one in fields if one.column == name]
        if not ids:
            continue
        for batch in read_batches(path, [*ids[:1], *named]):
            known = batch.filter(compute.invert(batch.column(AMBIGUOUS))) if column == ROW else batch
            texts = [_ids(known.column(ids[0])), *(_written(known.column(name)) for name in named)]
            numbers.known.update(zip(_joined(texts), known.column(column).to_pylist(), strict=True))
    return numbers


def _participants(path: Path) -> Iterator[int]:
    with parquet.ParquetFile(path) as file:
        for batch in file.iter_batches(columns=[PARTICIPANT]):
            yield from np.unique(batch.column(0).to_numpy()).tolist()


def _regrouped(parts: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Batches of exactly GROUP_ROWS rows, so that the bytes do not depend on how a source was divided."""
    held: list[pa.RecordBatch] = []
    rows = 0
    for part in parts:
        held.append(part)
        rows += part.num_rows
        while rows >= GROUP_ROWS:
            whole = pa.Table.from_batches(held).combine_chunks().to_batches()[0]
            yield whole.slice(0, GROUP_ROWS)
            held, rows = [whole.slice(GROUP_ROWS)], rows - GROUP_ROWS
    if held:
        yield from pa.Table.from_batches(held).combine_chunks().to_batches()


def _sha256(path: Path) -> str:
    with path.open("rb") as data:
        return hashlib.file_digest(data, "sha256").hexdigest()


def _is_number(code: str) -> bool:
    try:
        float(code)
    except ValueError:
        return False
    return True
