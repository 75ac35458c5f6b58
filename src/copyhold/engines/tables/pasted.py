"""Tables in pasted text: a forum post, a notebook's output, a terminal.

Read are blocks of lines that fall into the same number of cells: Markdown and psql tables, the boxes that data frames
print, tabs, semicolons, commas, columns held apart by spaces. Text around a block is passed over. Lines held apart by
spaces or commas are prose until a column of numbers says otherwise.
"""

import csv
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import pyarrow as pa

from copyhold.domain.errors import UnreadableFileError
from copyhold.engines.tables.dialects import is_number
from copyhold.engines.tables.files import File
from copyhold.engines.tables.headings import HeadedTable, headed, of_rows
from copyhold.engines.tables.limits import Limits
from copyhold.engines.tables.text import decoded, whole

_BARS = re.compile("[|\u2502\u2503\u2506\u2507\u250a\u2551]")  # upright strokes: plain, light, heavy, dashed, double
_RULE = re.compile("^[\\s|+:=\u2500-\u257f-]*[+=\u2500-\u257f-][\\s|+:=\u2500-\u257f-]*$")
_FRAME_TYPE = re.compile(
    r"(?:[iuf](?:8|16|32|64|128)|str|bool|date|time|datetime.*|duration.*|cat|enum|null|binary|object)"
)
_CUT = ("...", "\u2026")
_WIDE = re.compile(r"\s{2,}|\t")

Cells = list[str]


@dataclass(frozen=True)
class _Form:
    """A way in which lines divide into cells; `prose` forms also divide sentences."""

    split: Callable[[str], Cells]
    prose: bool = False
    indexed: bool = False  # data frames print the row's number and leave its heading out


@dataclass(frozen=True)
class _Block:
    """Lines that fall into the same number of cells; `lines` are their places in the text."""

    rank: int
    lines: tuple[int, ...]
    rows: tuple[Cells, ...]


def tables(file: File, limits: Limits) -> list[HeadedTable]:
    """Read every table in a text, in order; they are called `table_1`, `table_2`, ...

    A block that goes on after a break, with the same heading, is one table.

    Raises:
        UnreadableFileError: the text holds no table.
    """
    text, _ = decoded(whole(file, limits))
    if "\0" in text:
        raise file.error("is not text: it holds NUL characters")
    found: list[HeadedTable] = []
    for block in _blocks(text.splitlines()):
        try:
            read = headed(file, f"table_{len(found) + 1}", of_rows([_blank(row) for row in block.rows]), limits)
        except UnreadableFileError:
            continue
        if found and found[-1].header and found[-1].table.column_names == read.table.column_names:
            joined = pa.concat_tables([found[-1].table, read.table])
            found[-1] = HeadedTable(found[-1].name, True, joined)
        else:
            found.append(read)
    if not found:
        raise file.error("holds no table: no lines in it fall into the same number of cells")
    return found


def _between_bars(line: str) -> Cells:
    if not _BARS.search(line):
        return []
    return [cell.strip() for cell in _BARS.split(_BARS.sub("|", line.strip()).strip("|"))]


def _between(delimiter: str) -> Callable[[str], Cells]:
    def split(line: str) -> Cells:
        if delimiter not in line:
            return []
        try:
            return [cell.strip() for cell in next(csv.reader([line], delimiter=delimiter))]
        except csv.Error:
            return []

    return split


def _between_gaps(line: str) -> Cells:
    return _WIDE.split(line.strip()) if line.strip() else []


# In order of preference where two cover as many lines.
_FORMS = (
    _Form(_between_bars),
    _Form(_between("\t")),
    _Form(_between(";"), prose=True),
    _Form(_between(","), prose=True),
    _Form(_between_gaps, prose=True, indexed=True),
    _Form(str.split, prose=True, indexed=True),
)


def _blocks(lines: Sequence[str]) -> list[_Block]:
    """Blocks that do not overlap, the longest chosen first, in the order of the text."""
    candidates = [block for rank, form in enumerate(_FORMS) for block in _runs(lines, form, rank)]
    candidates.sort(key=lambda block: (-len(block.lines), block.rank))
    taken: set[int] = set()
    chosen: list[_Block] = []
    for block in candidates:
        if taken.isdisjoint(block.lines):
            chosen.append(block)
            taken.update(block.lines)
    return sorted(chosen, key=lambda block: block.lines)


def _runs(lines: Sequence[str], form: _Form, rank: int) -> Iterator[_Block]:
    """Lines in a row that one form divides into the same number of cells; rules between them do not count."""
    places: list[int] = []
    rows: list[Cells] = []
    for place, line in enumerate([*lines, ""]):
        if line.strip() and _RULE.match(line):
            continue
        cells = form.split(line)
        if rows and len(cells) == len(rows[0]):
            places.append(place)
            rows.append(cells)
            continue
        if rows and form.indexed and len(cells) == len(rows[0]) + 1 and not any(map(is_number, rows[-1])):
            yield from _kept(places[:-1], rows[:-1], form, rank)
            places, rows = [places[-1], place], [["", *rows[-1]], cells]  # a heading without one for the row numbers
            continue
        yield from _kept(places, rows, form, rank)
        places, rows = ([place], [cells]) if len(cells) > 1 or (form.indexed and cells) else ([], [])


def _kept(places: list[int], rows: list[Cells], form: _Form, rank: int) -> Iterator[_Block]:
    kept = [(place, row) for place, row in zip(places, rows, strict=True) if not _is_furniture(row)]
    if form.prose:
        kept = _without_sentences(kept)
    if len(kept) < 2 or len(kept[0][1]) < 2:
        return
    shown = [column for column in range(len(kept[0][1])) if any(row[column] not in _CUT for _, row in kept)]
    yield _Block(rank, tuple(places), tuple([row[column] for column in shown] for _, row in kept))


def _without_sentences(rows: list[tuple[int, Cells]]) -> list[tuple[int, Cells]]:
    """The rows from the heading to the last with a number; none where no column holds numbers in most rows."""
    width = len(rows[0][1]) if rows else 0
    numeric = [
        column for column in range(width) if 2 * sum(is_number(row[column]) for _, row in rows[1:]) >= len(rows[1:]) > 0
    ]
    filled = [place for place, (_, row) in enumerate(rows) if any(is_number(row[column]) for column in numeric)]
    return rows[max(0, filled[0] - 1) : filled[-1] + 1] if filled else []


def _is_furniture(row: Cells) -> bool:
    """A row that a data frame prints about itself: rules, types, what was left out."""
    return (
        all(cell in _CUT for cell in row)
        or all(set(cell) <= {"-", ":"} for cell in row)
        or all(_FRAME_TYPE.fullmatch(cell) for cell in row)
    )


def _blank(row: Cells) -> list[str | None]:
    return [cell or None for cell in row]
