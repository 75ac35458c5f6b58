"""Write a table to a file, in the format its ending names.

Parquet and CSV are written in a stream. The bytes of every format depend on the rows and the schema alone (and on the
versions of the libraries), not on the clock or on how the rows were divided. A file appears under its name only when
it is whole.

Cells are never changed to please a reader. A spreadsheet runs a CSV cell that starts with = + - @ as a formula; every
known defence (an apostrophe, a tab, a space in front) changes the value that the next program reads, so none is used:
`WrittenTable.formula_cells` counts such cells per column, and whoever hands the file out says so. Numbers are not
counted: a spreadsheet reads -5.1 as what it is.
"""

import hashlib
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
from pyarrow import compute, parquet

from copyhold.domain.errors import InvalidInputError
from copyhold.engines.tables import statwriting
from copyhold.engines.tables.legal_names import legal_names
from copyhold.engines.tables.regrouping import regrouped
from copyhold.engines.tables.sources import Kind, facts_of
from copyhold.engines.tables.spelling import spelled

_GROUP_CELLS = 1 << 22  # cells of one Parquet row group: 32 MB of numbers in memory
_GROUP_ROWS = (512, 131_072)
_CSV_ROWS = 16_384
_NEEDS_QUOTES = '[",\r\n]|^$|^\\s|\\s$'
_NOTHING = {"null_handling": "replace", "null_replacement": ""}  # a cell without anything in it is written so
_FORMULA = "^[=+@\t\r-]"

_KINDS = {
    ".parquet": Kind.PARQUET,
    ".csv": Kind.DELIMITED,
    ".sav": Kind.SAV,
    ".dta": Kind.DTA,
    ".xpt": Kind.XPT,
}

ENDINGS = tuple(_KINDS)

Batches = Iterable[pa.RecordBatch]


@dataclass(frozen=True)
class WrittenTable:
    """A file that was written.

    `names` maps each column of the table to its name in the file, in order: turned round, it maps a leaked file back.
    `left_out` lists per column the facts that the format has no place for.
    """

    path: Path
    kind: Kind
    rows: int
    columns: int
    size_bytes: int
    sha256: str
    names: Mapping[str, str]
    formula_cells: Mapping[str, int] = field(default_factory=dict)
    left_out: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def write(batches: Batches, path: str | os.PathLike[str], schema: pa.Schema) -> WrittenTable:
    """Write the batches to `path` as .parquet, .csv, .sav, .dta or .xpt, and say what was written.

    `schema` gives the columns in order, their types, and in its fields' metadata the facts (`sources.described`):
    title, decimals, value labels and missing codes travel where the format has a place for them. Every batch must
    have the schema's columns; its types are converted where nothing is lost. Names that SPSS, Stata or SAS do not
    allow are replaced by legal ones. The last three formats hold the table in memory.

    Raises:
        InvalidInputError: the ending is not one of these, a batch does not fit the schema, or the format cannot hold
            a value.
    """
    target = Path(path)
    kind = _KINDS.get(target.suffix.lower())
    if kind is None:
        raise InvalidInputError(f"{target.name} cannot be written: its ending must be one of {', '.join(ENDINGS)}.")
    names = legal_names(schema.names, kind)
    fitted = _fitted(batches, schema)
    formulas: Mapping[str, int] = {}
    left_out: Mapping[str, tuple[str, ...]] = {}
    with _appearing_whole(target) as partial:
        if kind is Kind.PARQUET:
            rows = _write_parquet(fitted, partial, schema)
        elif kind is Kind.DELIMITED:
            rows, formulas = _write_csv(fitted, partial, schema)
        else:
            rows, left_out = statwriting.write(fitted, partial, schema, kind, names)
        size_bytes, sha256 = _measured(partial)
    return WrittenTable(target, kind, rows, len(schema), size_bytes, sha256, names, formulas, left_out)


def _measured(path: Path) -> tuple[int, str]:
    with path.open("rb") as written:
        return path.stat().st_size, hashlib.file_digest(written, "sha256").hexdigest()


@contextmanager
def _appearing_whole(target: Path) -> Iterator[Path]:
    """Give a name to write under, beside the target; it becomes the target at the end, or goes away."""
    partial = target.with_name(f".{target.name}.partial")
    try:
        yield partial
        os.replace(partial, target)
    except OSError as error:
        raise InvalidInputError(f"{target.name} cannot be written in its folder: check that it exists.") from error
    finally:
        partial.unlink(missing_ok=True)


def _fitted(batches: Batches, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    """Give every batch exactly the schema, without losing a digit."""
    for batch in batches:
        if batch.schema.names != schema.names:
            raise InvalidInputError("A batch does not have the columns that the schema announces.")
        try:
            yield batch.cast(schema) if batch.schema.types != schema.types else pa.record_batch(batch.columns, schema)
        except (pa.ArrowException, ValueError) as error:
            raise InvalidInputError("A batch has a column that does not fit the type its schema announces.") from error


def _write_parquet(batches: Iterator[pa.RecordBatch], path: Path, schema: pa.Schema) -> int:
    rows = 0
    with parquet.ParquetWriter(path, schema, compression="zstd", version="2.6") as writer:
        for batch in regrouped(batches, _group_rows(len(schema))):
            writer.write_batch(batch)
            rows += batch.num_rows
    return rows


def _group_rows(columns: int) -> int:
    """Rows of a group, from the number of columns alone."""
    fitting = 1 << (_GROUP_CELLS // max(1, columns)).bit_length() - 1
    return min(max(fitting, _GROUP_ROWS[0]), _GROUP_ROWS[1])


def _write_csv(batches: Iterator[pa.RecordBatch], path: Path, schema: pa.Schema) -> tuple[int, Mapping[str, int]]:
    formulas = dict.fromkeys(schema.names, 0)
    rows = 0
    with path.open("wb") as target:
        target.write(",".join(_quoted(pa.array(schema.names)).to_pylist()).encode() + b"\n")
        for batch in regrouped(batches, _CSV_ROWS):
            target.write(_csv_lines(batch, schema, formulas))
            rows += batch.num_rows
    return rows, {name: count for name, count in formulas.items() if count}


def _csv_lines(batch: pa.RecordBatch, schema: pa.Schema, formulas: dict[str, int]) -> memoryview:
    """The rows of a batch as lines; counts the cells that a spreadsheet would run."""
    columns = []
    for announced, column in zip(schema, batch.columns, strict=True):
        text = spelled(column, facts_of(announced))
        if _is_text(announced.type):
            formulas[announced.name] += compute.sum(compute.match_substring_regex(text, _FORMULA)).as_py() or 0
            text = _quoted(text)
        columns.append(text)
    columns[-1] = compute.binary_join_element_wise(columns[-1], "", "\n", **_NOTHING)
    ended = compute.binary_join_element_wise(*columns, ",", **_NOTHING) if len(columns) > 1 else columns[0]
    offsets = pa.Array.from_buffers(pa.int32(), len(ended) + 1, [None, ended.buffers()[1]])
    return memoryview(ended.buffers()[2])[: offsets[-1].as_py()]


def _quoted(text: pa.StringArray) -> pa.StringArray:
    """Put cells in quotation marks that would not read back the same without; an empty text is told from no text."""
    if compute.any(compute.match_substring(text, "\0")).as_py():
        raise InvalidInputError("A text cell holds a NUL character, which no text file can: remove it.")
    needy = compute.match_substring_regex(text, _NEEDS_QUOTES)
    if not compute.any(needy).as_py():
        return text
    doubled = compute.replace_substring(text, '"', '""')
    return compute.if_else(needy, compute.binary_join_element_wise('"', doubled, '"', ""), text)


def _is_text(found: pa.DataType) -> bool:
    if pa.types.is_dictionary(found):
        found = found.value_type
    return bool(pa.types.is_string(found) or pa.types.is_large_string(found) or pa.types.is_string_view(found))
