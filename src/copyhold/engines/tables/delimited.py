"""Read delimited text (CSV and its relatives) as it is written, in a stream."""

import csv
import re
from collections.abc import Generator, Iterator, Sequence

import pyarrow as pa
from pyarrow import csv as arrow_csv

from copyhold.domain.errors import UnreadableFileError
from copyhold.engines.tables.dialects import Dialect
from copyhold.engines.tables.files import File
from copyhold.engines.tables.limits import Limits
from copyhold.engines.tables.quotation import QuotationCheck
from copyhold.engines.tables.text import TextStream

_RESCANNED_BYTES = 1 << 28  # to name the line of a ragged row, no more than this is read a second time


class CheckedStream(TextStream):
    """A delimited file's text, stopped at the first quotation mark out of place and at the first formula."""

    def __init__(self, file: File, dialect: Dialect, limits: Limits, encoding: str = "") -> None:
        super().__init__(file, limits, encoding)
        self._file = file
        self._quotation = QuotationCheck(dialect.delimiter)
        self._formula = re.compile(rb'[\r\n%b]"?=' % re.escape(dialect.delimiter.encode()))
        self._formulas_allowed = limits.formulas
        self._before = b"\n"  # the end of the block before: a formula's sign may follow it
        self._opened_in = 0

    def read(self, size: int = -1) -> bytes:
        """Return the next block of text as UTF-8, empty only at the end."""
        line = self.lines + 1
        block = super().read(size)
        if not block and self._quotation.unclosed:
            raise self._file.error(f"opens a quotation mark in line {self._opened_in} and never closes it")
        if block:
            self._follow(block, line)
            self._refuse_formulas(block, line)
        return block

    def _follow(self, block: bytes, line: int) -> None:
        was_inside = self._quotation.inside
        offset = self._quotation.add(block)
        if self._quotation.inside and (not was_inside or self._quotation.opening):
            self._opened_in = line + block.count(b"\n", 0, self._quotation.opening)
        if offset is not None:
            at = line + block.count(b"\n", 0, offset)
            raise self._file.error(
                f"has a quotation mark out of place in line {at}, or one that is never closed before it"
            )

    def _refuse_formulas(self, block: bytes, line: int) -> None:
        if self._formulas_allowed or b"=" not in block:
            return
        text = self._before + block
        self._before = text[-2:]
        found = self._formula.search(text)
        if found:
            at = line + text.count(b"\n", 0, found.end()) - self._before.count(b"\n")
            raise self._file.error(f"holds a formula in line {at}: a table must hold values")


def batches(
    file: File, dialect: Dialect, limits: Limits, *, columns: Sequence[str] | None = None, encoding: str = ""
) -> Generator[pa.RecordBatch, None, None]:
    """Iterate over the rows as batches of text columns.

    A cell with nothing in it is null, a quoted nothing is the empty text, everything else is what is written.
    The schema's metadata holds the encoding found up to the batch, under `encoding`.

    Raises:
        UnreadableFileError: a row has more or fewer cells than the heading, a quotation mark is not closed, the text
            is damaged, a cell holds a formula (unless the limits allow them), a limit is passed.
    """
    ragged: list[arrow_csv.InvalidRow] = []
    stream = CheckedStream(file, dialect, limits, encoding)
    try:
        rows = 0
        for batch in _parser(stream, dialect, limits, columns, ragged):
            rows += batch.num_rows
            if rows > limits.rows:
                raise file.error(f"has more than {limits.rows} rows, the most that is read")
            yield batch.replace_schema_metadata({"encoding": stream.encoding})
    except pa.ArrowInvalid as error:
        raise _explained(file, dialect, limits, encoding, ragged) from error
    finally:
        stream.close()


def _parser(
    stream: CheckedStream,
    dialect: Dialect,
    limits: Limits,
    columns: Sequence[str] | None,
    ragged: list[arrow_csv.InvalidRow],
) -> arrow_csv.CSVStreamingReader:
    def keep(row: arrow_csv.InvalidRow) -> str:
        ragged.append(row)
        return "error"

    return arrow_csv.open_csv(
        pa.PythonFile(stream, mode="r"),
        read_options=arrow_csv.ReadOptions(
            use_threads=False,  # rows are numbered only where one thread reads them
            block_size=2 * limits.line_bytes,
            skip_rows=dialect.skip_lines,
            column_names=list(dialect.names),
        ),
        parse_options=arrow_csv.ParseOptions(
            delimiter=dialect.delimiter,
            newlines_in_values=True,
            ignore_empty_lines=len(dialect.names) > 1,  # in a single column an empty line is an empty cell
            invalid_row_handler=keep,
        ),
        convert_options=arrow_csv.ConvertOptions(
            check_utf8=False,  # the stream has
            column_types=dict.fromkeys(dialect.names, pa.string()),
            include_columns=list(columns) if columns is not None else None,
            null_values=[""],
            strings_can_be_null=True,
            quoted_strings_can_be_null=False,
        ),
    )


def _explained(
    file: File, dialect: Dialect, limits: Limits, encoding: str, ragged: Sequence[arrow_csv.InvalidRow]
) -> UnreadableFileError:
    """Say in our words what Arrow found; its own words quote the row."""
    if not ragged:
        return file.error("cannot be divided into rows: a line or a quoted cell is too long or never ends")
    expected, actual = ragged[0].expected_columns, ragged[0].actual_columns
    where = _line_of_first_misfit(file, dialect, limits, encoding) or f"row {ragged[0].number}"
    return file.error(f"is not a table: the number of cells in {where} is {actual} and in its first line {expected}")


def _line_of_first_misfit(file: File, dialect: Dialect, limits: Limits, encoding: str) -> str:
    """Number the line by reading the file once more, cell by cell; "" where that would take too long."""
    stream = TextStream(file, limits, encoding)
    try:
        reader = csv.reader(_lines(stream), delimiter=dialect.delimiter)
        for record in reader:
            if record and len(record) != len(dialect.names):
                return f"line {reader.line_num}"
    except csv.Error:
        return ""
    finally:
        stream.close()
    return ""


def _lines(stream: TextStream) -> Iterator[str]:
    taken, rest = 0, b""
    while taken < _RESCANNED_BYTES:
        block = stream.read()
        if not block:
            break
        taken += len(block)
        *whole, rest = (rest + block).split(b"\n")
        yield from (line.decode() + "\n" for line in whole)
    yield rest.decode()
