"""Tables from HTML pages, every cell as text.

The page is parsed without network, without entities of its own and without scripts. A table inside a cell is read for
itself; the one around it is layout. Cells that span rows or columns are repeated. Rows of one cell are captions.
"""

import re
from collections import Counter
from collections.abc import Iterator

from lxml import etree

from copyhold.domain.errors import UnreadableFileError
from copyhold.engines.tables.files import File
from copyhold.engines.tables.headings import HeadedTable, headed, of_rows
from copyhold.engines.tables.limits import Limits
from copyhold.engines.tables.text import decoded, whole

_MOST_SPAN = 1000  # rows or columns of one cell: the bound of the HTML standard, section 4.9.11


def tables(file: File, limits: Limits) -> list[HeadedTable]:
    """Read every table of a page that has rows of equal length, in order; they are called `table_1`, `table_2`, ...

    Raises:
        UnreadableFileError: the page holds no table, or none whose rows are equally long.
    """
    found: list[HeadedTable] = []
    wrong: list[UnreadableFileError] = []
    for place, table in enumerate(_innermost(_root(file, limits)), start=1):
        try:
            rows = _even(file, place, list(_rows(table, limits)))
            found.append(headed(file, f"table_{place}", of_rows(rows), limits))
        except UnreadableFileError as error:  # layout, menus
            wrong.append(error)
    if not found:
        raise wrong[0] if wrong else file.error("holds no table")
    return found


def _root(file: File, limits: Limits) -> etree._Element:
    text, _ = decoded(whole(file, limits))
    parser = etree.HTMLParser(no_network=True, remove_comments=True, remove_pis=True, huge_tree=False, encoding="utf-8")
    try:
        root = etree.fromstring(text.replace("\0", "").encode(), parser)
    except (etree.LxmlError, ValueError) as error:
        raise file.error("cannot be read as a page") from error
    if root is None:
        raise file.error("holds no table")
    return root


def _innermost(root: etree._Element) -> Iterator[etree._Element]:
    return (table for table in root.iter("table") if next(table.iterdescendants("table"), None) is None)


def _rows(table: etree._Element, limits: Limits) -> Iterator[list[str | None]]:
    """The rows of a table with spans filled in."""
    below: dict[int, tuple[int, str | None]] = {}  # column -> rows still to fill, and with what
    for row in table.iter("tr"):
        cells: list[str | None] = []
        for cell in row.iterchildren("td", "th"):
            _fill(cells, below)
            text = " ".join("".join(cell.itertext()).split()) or None
            width, height = _span(cell, "colspan"), _span(cell, "rowspan")
            for _ in range(width):
                below[len(cells)] = (height - 1, text)
                cells.append(text)
            if len(cells) > limits.columns:
                return
        _fill(cells, below)
        if cells:
            yield cells


def _fill(cells: list[str | None], below: dict[int, tuple[int, str | None]]) -> None:
    while below.get(len(cells), (0, None))[0] > 0:
        left, text = below[len(cells)]
        below[len(cells)] = (left - 1, text)
        cells.append(text)


def _span(cell: etree._Element, name: str) -> int:
    found = re.fullmatch(r"\s*([0-9]{1,9})\s*", cell.get(name, "1"))
    return min(max(1, int(found[1])), _MOST_SPAN) if found else 1


def _even(file: File, place: int, rows: list[list[str | None]]) -> list[list[str | None]]:
    """The rows without captions; all of one length."""
    rows = [row for row in rows if len(row) > 1 and len({*row}) > 1]
    if len(rows) < 2:
        raise file.error("holds no table of two rows and two columns")
    width = Counter(map(len, rows)).most_common(1)[0][0]
    uneven = next((number for number, row in enumerate(rows, start=1) if len(row) != width), None)
    if uneven is not None:
        raise file.error(f"has a table whose rows differ in length: table {place}, row {uneven}")
    return rows
