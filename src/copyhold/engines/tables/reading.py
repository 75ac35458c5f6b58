"""Read a table from any file that is read here, whole or in a stream.

The content of a file says what it is; delimiter, encoding and heading are found. Whatever is wrong with a file is one
UnreadableFileError with one sentence, which names places (line, column number) and never a cell.
"""

import os
from collections.abc import Iterator, Sequence

import pyarrow as pa

from copyhold.domain.errors import InvalidInputError
from copyhold.engines.tables import delimited, parquet, statfiles
from copyhold.engines.tables.dialects import dialect_of
from copyhold.engines.tables.files import File, opened
from copyhold.engines.tables.limits import Limits
from copyhold.engines.tables.sources import Kind, SourceTable

ROWS = 65_536
_STATISTICAL = (Kind.SAV, Kind.DTA, Kind.XPT)
DEFAULT_LIMITS = Limits()

Source = str | os.PathLike[str] | bytes


def read_table(
    source: Source,
    *,
    name: str | None = None,
    limits: Limits = DEFAULT_LIMITS,
    delimiter: str = "",
    encoding: str = "",
) -> SourceTable:
    """Read the one table of a file, or of bytes called `name`.

    Columns of text formats are text as written (`5.10`, `007`); columns of Parquet have the file's types.
    `delimiter` and `encoding` are for a file of which an error said that they cannot be told.

    Raises:
        UnreadableFileError: see the module.
    """
    file = opened(source, name, limits)
    if file.kind is Kind.PARQUET:
        return SourceTable(file.stem, parquet.table(file, limits), Kind.PARQUET, written=False)
    if file.kind in _STATISTICAL:
        found, named = statfiles.table(file, limits)
        return SourceTable(file.stem, found, file.kind, written=False, encoding=named)
    return _delimited_table(file, limits, delimiter, encoding)


def batches(
    source: Source,
    columns: Sequence[str] | None = None,
    *,
    rows: int = ROWS,
    name: str | None = None,
    limits: Limits = DEFAULT_LIMITS,
    delimiter: str = "",
    encoding: str = "",
) -> Iterator[pa.RecordBatch]:
    """Iterate over a table in batches of at most `rows` rows, without reading all of it.

    `columns` limits and orders the columns; types as in `read_table`. CSV and Parquet are streamed, other formats are
    held while they are iterated over.

    Raises:
        InvalidInputError: a name in `columns` is not a column of the file.
        UnreadableFileError: see the module; for text, when the iteration comes to the place.
    """
    file = opened(source, name, limits)
    if file.kind is Kind.PARQUET:
        yield from _parquet_batches(file, limits, columns, rows)
    elif file.kind in _STATISTICAL:
        found, _ = statfiles.table(file, limits)
        _check_columns(columns, found.column_names)
        yield from found.select(list(columns or found.column_names)).to_batches(max_chunksize=rows)
    else:
        yield from _delimited_batches(file, limits, columns, rows, delimiter, encoding)


def _parquet_batches(file: File, limits: Limits, columns: Sequence[str] | None, rows: int) -> Iterator[pa.RecordBatch]:
    with parquet.parquet_file(file, limits) as found:
        _check_columns(columns, found.schema_arrow.names)
    yield from parquet.batches(file, limits, columns=columns, rows=rows)


def _delimited_batches(
    file: File, limits: Limits, columns: Sequence[str] | None, rows: int, delimiter: str, encoding: str
) -> Iterator[pa.RecordBatch]:
    dialect = dialect_of(file, limits, delimiter=delimiter, encoding=encoding)
    _check_columns(columns, dialect.names)
    for batch in delimited.batches(file, dialect, limits, columns=columns, encoding=encoding):
        for start in range(0, batch.num_rows, rows):
            yield batch.slice(start, rows).replace_schema_metadata(None)


def _check_columns(wanted: Sequence[str] | None, found: Sequence[str]) -> None:
    missing = sorted(set(wanted or ()) - set(found))
    if missing:
        raise InvalidInputError(f"The file has no column {missing[0]!r}: check the spelling against its heading.")


def _delimited_table(file: File, limits: Limits, delimiter: str, encoding: str) -> SourceTable:
    dialect = dialect_of(file, limits, delimiter=delimiter, encoding=encoding)
    held: list[pa.RecordBatch] = []
    size_bytes = 0
    for batch in delimited.batches(file, dialect, limits, encoding=encoding):
        size_bytes += batch.nbytes
        if size_bytes > limits.table_bytes:
            raise file.error(f"takes more than {limits.table_bytes} bytes, the most that is held at once")
        held.append(batch)
    if not held or not any(batch.num_rows for batch in held):
        raise file.error("holds a heading and no rows")
    found = (held[-1].schema.metadata or {}).get(b"encoding", b"").decode()
    table = pa.Table.from_batches([batch.replace_schema_metadata(None) for batch in held])
    return SourceTable(
        file.stem, table, Kind.DELIMITED, True, dialect.header, found.replace("ascii", "utf-8"), dialect.delimiter
    )
