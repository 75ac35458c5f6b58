"""Read Parquet in a stream, with the footer's claims checked before a page is touched."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import pyarrow as pa
from pyarrow import parquet

from copyhold.domain.errors import CopyholdError
from copyhold.engines.tables.files import File
from copyhold.engines.tables.limits import Limits


@contextmanager
def parquet_file(file: File, limits: Limits) -> Iterator[parquet.ParquetFile]:
    """Open a Parquet file whose schema is flat and whose size is within the limits.

    Raises:
        UnreadableFileError: damaged or truncated; nested, duplicate or too many columns; no row; too many rows.
    """
    with file.stored() as stored, _damage_told(file):
        source = pa.OSFile(str(file.path)) if file.path else pa.PythonFile(stored, mode="r")
        with source, parquet.ParquetFile(source) as opened:
            _check(file, opened, limits)
            yield opened


def batches(file: File, limits: Limits, *, columns: Sequence[str] | None = None, rows: int) -> Iterator[pa.RecordBatch]:
    """Iterate over the rows in the file's own types; `columns` limits and orders the columns."""
    with parquet_file(file, limits) as opened:
        names = list(columns) if columns is not None else None
        for batch in opened.iter_batches(batch_size=rows, columns=names):
            yield batch if names is None else batch.select(names)


def table(file: File, limits: Limits) -> pa.Table:
    """Read the whole table; the caller has seen to it that it fits."""
    with parquet_file(file, limits) as opened:
        cells = opened.metadata.num_rows * opened.metadata.num_columns
        if cells > limits.cells:
            raise file.error(f"has more than {limits.cells} cells, the most that is held at once")
        return opened.read()


@contextmanager
def _damage_told(file: File) -> Iterator[None]:
    """Tell every error of the library in our words; its own may quote a value."""
    try:
        yield
    except CopyholdError:
        raise
    except (pa.ArrowException, OSError, ValueError, MemoryError) as error:
        raise file.error("is damaged or incomplete, or not Parquet: make it again or fetch it again") from error


def _check(file: File, opened: parquet.ParquetFile, limits: Limits) -> None:
    schema = opened.schema_arrow
    names = schema.names
    if len(names) > limits.columns:
        raise file.error(f"has more than {limits.columns} columns, the most that is read")
    if not names:
        raise file.error("has no columns")
    if len(set(names)) < len(names):
        raise file.error("has two columns of the same name: rename one of them")
    nested = [place for place, column in enumerate(schema, start=1) if pa.types.is_nested(column.type)]
    if nested:
        raise file.error(f"has lists or records as cells, first in column {nested[0]}: make it flat")
    if opened.metadata.num_rows > limits.rows:
        raise file.error(f"has more than {limits.rows} rows, the most that is read")
    if opened.metadata.num_rows == 0:
        raise file.error("holds a heading and no rows")
