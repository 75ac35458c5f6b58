"""The form of a delimited text: its delimiter, and whether its first line names the columns.

Found from the first lines and never asked for; where two readings are equally good, an error says so.
"""

import csv
import io
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from copyhold.engines.tables.files import File
from copyhold.engines.tables.limits import Limits
from copyhold.engines.tables.text import TextStream

DELIMITERS = (",", ";", "\t", "|")
_SAMPLE_BYTES = 65_536
_SAMPLE_RECORDS = 200
_CELL_WORDS = 5  # a one-column file with a line of more words than this is prose
_CONTROL = re.compile(rb"[\x01-\x08\x0b\x0e-\x19\x1b-\x1f\x7f]")
_NUMBER = re.compile(r"\s*[+-]?(\d+([.,]\d+)*|[.,]\d+)([eE][+-]?\d+)?\s*")

# A record of clinical text may be one long cell; the module's own limit is 131,072 letters.
csv.field_size_limit(max(csv.field_size_limit(), Limits().line_bytes))

Records = Sequence[Sequence[str]]


@dataclass(frozen=True)
class Dialect:
    """How a delimited text is written.

    `names` are the column names in file order, unique, generated (`column_1`) where there is no heading or a heading
    is blank. `skip_lines` is the number of lines before the first row, heading included.
    """

    delimiter: str
    names: tuple[str, ...]
    header: bool
    skip_lines: int


class NoDialectError(Exception):
    """The text is not a delimited table; the message says why and follows the file's name."""


def dialect_of(file: File, limits: Limits, *, delimiter: str = "", encoding: str = "") -> Dialect:
    """Find how a delimited file is written from its first lines.

    Raises:
        UnreadableFileError: the text is damaged, has no delimiter that fits, or fits two equally well; it holds no
            row; two columns have the same name; there are more columns than the limit.
    """
    try:
        return dialect_of_text(*_sample(file, limits, encoding), limits, delimiter=delimiter)
    except NoDialectError as error:
        raise file.error(str(error)) from error


def dialect_of_text(sample: str, whole: bool, limits: Limits, *, delimiter: str = "") -> Dialect:
    """Find how a text is written; `whole` says that nothing follows the sample.

    Raises:
        NoDialectError: the text is not a delimited table.
    """
    if not sample.strip("\r\n\x1a"):
        raise NoDialectError("is empty: it holds neither a heading nor a row")
    found = delimiter or _delimiter(sample, whole)
    records, lines = _records(sample, found, whole)
    if not records:
        raise NoDialectError("is not a table: its first lines cannot be divided into cells")
    width = len(records[0])
    if width > limits.columns:
        raise NoDialectError(f"has more than {limits.columns} columns, the most that is read")
    if not is_heading(records):
        return Dialect(found, numbered(width), False, lines[0] - 1)
    if len(records) == 1 and whole:
        raise NoDialectError("holds a heading and no rows")
    return Dialect(found, names_of(records[0]), True, lines[0])


def is_heading(records: Records) -> bool:
    """Say whether the first record names columns rather than filling them.

    It is a row where at least half of the columns that hold numbers further down hold one in the first record too.
    """
    first, rest = records[0], records[1:]
    if not rest:
        return not any(is_number(cell) for cell in first)
    columns = [[record[place] for record in rest if place < len(record)] for place in range(len(first))]
    numeric = [place for place, cells in enumerate(columns) if _mostly_numbers(cells)]
    return 2 * sum(is_number(first[place]) for place in numeric) < max(1, len(numeric))


def names_of(heading: Sequence[str]) -> tuple[str, ...]:
    """Make column names of a heading; a blank one is called after its place.

    Raises:
        NoDialectError: two columns have the same name.
    """
    names = tuple(cell.strip() or f"column_{place}" for place, cell in enumerate(heading, start=1))
    places: dict[str, int] = {}
    for place, name in enumerate(names, start=1):
        if name in places:
            raise NoDialectError(f"gives columns {places[name]} and {place} the same name: rename one of them")
        places[name] = place
    return names


def numbered(width: int) -> tuple[str, ...]:
    """Names for the columns of a table that has no heading."""
    return tuple(f"column_{place}" for place in range(1, width + 1))


def is_number(cell: str) -> bool:
    """Whether a cell is written like a number, with a point or a comma."""
    return _NUMBER.fullmatch(cell) is not None


def _mostly_numbers(cells: Sequence[str]) -> bool:
    filled = [cell for cell in cells if cell.strip()]
    return bool(filled) and 2 * sum(map(is_number, filled)) > len(filled)


def _sample(file: File, limits: Limits, encoding: str) -> tuple[str, bool]:
    """The first lines as text, and whether they are all."""
    stream = TextStream(file, limits, encoding)
    held = b""
    try:
        while len(held) < _SAMPLE_BYTES or held.count(b"\n") < 3:
            block = stream.read()
            if not block:
                return _lines(file, held), True
            held += block
    finally:
        stream.close()
    return _lines(file, held[: max(held.rfind(b"\n", 0, _SAMPLE_BYTES), _third_line_end(held)) + 1]), False


def _third_line_end(held: bytes) -> int:
    end = -1
    for _ in range(3):
        end = held.find(b"\n", end + 1)
    return end


def _lines(file: File, held: bytes) -> str:
    if _CONTROL.search(held):
        raise file.error("is not a table: it holds control characters that no text has")
    return held.decode("utf-8")


def _delimiter(sample: str, whole: bool) -> str:
    widths = {mark: [len(record) for record in _records(sample, mark, whole)[0]] for mark in DELIMITERS}
    fitting = [mark for mark, found in widths.items() if found and found[0] > 1 and len(set(found)) == 1]
    if len(fitting) > 1:
        return _plainest(sample, whole, fitting)
    if fitting:
        return fitting[0]
    ragged = [mark for mark, found in widths.items() if found and found[0] > 1]
    if ragged:  # reading on with the likeliest one ends at the first line that does not fit, and says which
        return max(ragged, key=lambda mark: Counter(widths[mark])[widths[mark][0]])
    return _single(sample, widths)


def _plainest(sample: str, whole: bool, fitting: Sequence[str]) -> str:
    """Of several delimiters that fit every line, the one that leaves the most numbers; `1,5;2,5` has two numbers."""
    shares = {}
    for mark in fitting:
        cells = [cell for record in _records(sample, mark, whole)[0][1:] for cell in record]
        shares[mark] = sum(map(is_number, cells)) / max(1, len(cells))
    best = max(shares.values())
    likeliest = [mark for mark, share in shares.items() if share == best]
    if len(likeliest) > 1:
        shown = " or ".join(_spelled(mark) for mark in likeliest)
        raise NoDialectError(f"could be separated by {shown}: export it again with one that occurs in no cell")
    return likeliest[0]


def _single(sample: str, widths: dict[str, list[int]]) -> str:
    """A table of one column, such as a list of ids: take a delimiter that does not occur."""
    unused = [mark for mark, found in widths.items() if set(found) == {1}]
    if not unused or any(len(line.split()) > _CELL_WORDS for line in sample.splitlines()):
        raise NoDialectError("is not a table: no delimiter divides its lines into the same number of cells")
    return unused[0]


def _records(sample: str, delimiter: str, whole: bool) -> tuple[list[list[str]], list[int]]:
    """The first records of a sample and the line in which each ends; none where this delimiter is impossible."""
    reader = csv.reader(io.StringIO(sample, newline=""), delimiter=delimiter)
    records: list[list[str]] = []
    lines: list[int] = []
    try:
        for record in reader:
            if record:
                records.append(record)
                lines.append(reader.line_num)
            if len(records) == _SAMPLE_RECORDS:
                return records, lines
    except csv.Error:  # a cell longer than the module's limit: this delimiter does not divide the line
        return [], []
    if not whole and len(records) > 1 and sample.count('"') % 2:
        records.pop()  # the sample ends inside a quoted cell
        lines.pop()
    return records, lines


def _spelled(mark: str) -> str:
    return "tab" if mark == "\t" else f"'{mark}'"
