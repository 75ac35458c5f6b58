"""Read a table from any file that is read here, whole or in a stream.

The content of a file says what it is; delimiter, encoding and heading are found. Whatever is wrong with a file is one
UnreadableFileError with one sentence, which names places (line, column number) and never a cell.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing

import pyarrow as pa
from pyarrow import compute

from copyhold.domain.errors import InvalidInputError, UnreadableFileError
from copyhold.engines.tables import delimited, numerals, pages, parquet, pasted, statfiles, workbooks
from copyhold.engines.tables.dialects import Dialect, dialect_of
from copyhold.engines.tables.files import File, opened
from copyhold.engines.tables.headings import HeadedTable
from copyhold.engines.tables.limits import Limits
from copyhold.engines.tables.sources import Kind, SourceTable
from copyhold.engines.tables.text import decoded

ROWS = 65_536
DEFAULT_LIMITS = Limits()
_STATISTICAL = (Kind.SAV, Kind.DTA, Kind.XPT)
_MANY: dict[Kind, Callable[[File, Limits], list[HeadedTable]]] = {
    Kind.WORKBOOK: workbooks.tables,
    Kind.PAGE: pages.tables,
    Kind.PASTED: pasted.tables,
}
_MARK_CELLS = 100_000
_CLEARLY_LARGER = 5  # times the cells of any other table: the one that a page or a post is about

Source = str | os.PathLike[str] | bytes


def read_table(
    source: Source,
    *,
    name: str | None = None,
    table: str | None = None,
    limits: Limits = DEFAULT_LIMITS,
    delimiter: str = "",
    encoding: str = "",
) -> SourceTable:
    """Read the one table of a file, or of bytes called `name`.

    Columns of text formats are text as written (`5.10`, `007`); columns of other formats have the file's types. Of a
    workbook with several filled sheets, or a page with several tables of similar size, `table` names the one wanted.
    `delimiter` and `encoding` are for a text of which an error said that they cannot be told.

    Raises:
        UnreadableFileError: see the module.
    """
    file = opened(source, name, limits)
    if file.kind is Kind.PARQUET:
        return SourceTable(file.stem, parquet.table(file, limits), Kind.PARQUET, written=False)
    if file.kind in _STATISTICAL:
        found, named = statfiles.table(file, limits)
        return SourceTable(file.stem, found, file.kind, written=False, encoding=named)
    if file.kind is Kind.WORKBOOK:
        return _source(file, workbooks.table(file, limits, table), file.stem if table is None else table)
    dialect = _dialect(file, limits, delimiter, encoding)
    if dialect is not None:
        return _delimited_table(file, dialect, limits, encoding)
    return _source(file, _wanted(file, _MANY[file.kind](file, limits), table), file.stem)


def read_tables(source: Source, *, name: str | None = None, limits: Limits = DEFAULT_LIMITS) -> tuple[SourceTable, ...]:
    """Read every table of a file: all filled sheets of a workbook, all tables of a page or a pasted text.

    Raises:
        UnreadableFileError: the file holds no table, or see the module.
    """
    file = opened(source, name, limits)
    if file.kind not in _MANY or _dialect(file, limits, "", "") is not None:
        return (read_table(source, name=name, limits=limits),)
    return tuple(_source(file, found, found.name) for found in _MANY[file.kind](file, limits))


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
        return
    dialect = _dialect(file, limits, delimiter, encoding)
    if dialect is not None:
        yield from _delimited_batches(file, dialect, limits, columns, rows, encoding)
        return
    found = read_table(source, name=name, limits=limits).table
    _check_columns(columns, found.column_names)
    yield from found.select(list(columns or found.column_names)).to_batches(max_chunksize=rows)


def _dialect(file: File, limits: Limits, delimiter: str, encoding: str) -> Dialect | None:
    """How a delimited file is written, None for any other.

    Text without a telling name is delimited where that gives two columns or a list of words; where bars divide it, it
    is first looked at as pasted text.
    """
    if file.kind is Kind.DELIMITED:
        return dialect_of(file, limits, delimiter=delimiter, encoding=encoding)
    if file.kind is not Kind.PASTED:
        return None
    try:
        dialect = dialect_of(file, limits, delimiter=delimiter, encoding=encoding)
        with closing(delimited.batches(file, dialect, limits, encoding=encoding)) as rows:
            next(rows, None)
    except UnreadableFileError:
        return None
    if delimiter or (len(dialect.names) > 1 and dialect.delimiter != "|"):
        return dialect
    if len(dialect.names) == 1 and any(len(line.split()) > 1 for line in decoded(file.head)[0].splitlines()):
        return None
    try:
        pasted.tables(file, limits)
    except UnreadableFileError:
        return dialect
    return None


def _wanted(file: File, found: Sequence[HeadedTable], name: str | None) -> HeadedTable:
    if name is not None:
        named = next((each for each in found if each.name == name), None)
        if named is None:
            raise file.error("has no table of that name")
        return named
    sizes = sorted((each.table.num_rows * each.table.num_columns for each in found), reverse=True)
    if len(sizes) > 1 and sizes[0] < _CLEARLY_LARGER * sizes[1]:
        raise file.error(f"has {len(found)} tables ({found[0].name} to {found[-1].name}): say which one")
    return max(found, key=lambda each: each.table.num_rows * each.table.num_columns)


def _source(file: File, found: HeadedTable, name: str) -> SourceTable:
    mark = _decimal_mark(found.table, "")
    return SourceTable(name, found.table, file.kind, written=True, header=found.header, decimal_mark=mark)


def _decimal_mark(table: pa.Table, delimiter: str) -> str:
    """The decimal mark of a written table, from its first rows; semicolons divide where commas are decimal."""
    rows = max(1, _MARK_CELLS // table.num_columns)
    cells = pa.chunked_array([part for column in table.slice(0, rows).columns for part in column.chunks], pa.string())
    told = numerals.told_mark(compute.utf8_trim_whitespace(cells.unique().drop_null()))
    return "," if not told and delimiter == ";" else told


def _parquet_batches(file: File, limits: Limits, columns: Sequence[str] | None, rows: int) -> Iterator[pa.RecordBatch]:
    with parquet.parquet_file(file, limits) as found:
        _check_columns(columns, found.schema_arrow.names)
    yield from parquet.batches(file, limits, columns=columns, rows=rows)


def _delimited_batches(
    file: File, dialect: Dialect, limits: Limits, columns: Sequence[str] | None, rows: int, encoding: str
) -> Iterator[pa.RecordBatch]:
    _check_columns(columns, dialect.names)
    for batch in delimited.batches(file, dialect, limits, columns=columns, encoding=encoding):
        for start in range(0, batch.num_rows, rows):
            yield batch.slice(start, rows).replace_schema_metadata(None)


def _check_columns(wanted: Sequence[str] | None, found: Sequence[str]) -> None:
    missing = sorted(set(wanted or ()) - set(found))
    if missing:
        raise InvalidInputError(f"The file has no column {missing[0]!r}: check the spelling against its heading.")


def _delimited_table(file: File, dialect: Dialect, limits: Limits, encoding: str) -> SourceTable:
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
        file.stem,
        table,
        Kind.DELIMITED,
        written=True,
        header=dialect.header,
        encoding=found.replace("ascii", "utf-8"),
        delimiter=dialect.delimiter,
        decimal_mark=_decimal_mark(table, dialect.delimiter),
    )
