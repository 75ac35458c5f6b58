"""Tables from Excel workbooks (.xlsx), every cell as text.

Before calamine parses the workbook (in a process of its own, `sheets`), the archive is measured and looked through. A
sheet that claims an area which would fill the memory is refused; one that only takes it ends the other process. A
sheet with formulas, whose cells are not values but what some program last made of them, is refused unless the limits
allow it.
"""

import re
from typing import Any

import pyarrow as pa

from copyhold.domain.errors import UnreadableFileError
from copyhold.engines.tables import isolation
from copyhold.engines.tables.archives import pieces
from copyhold.engines.tables.files import File
from copyhold.engines.tables.headings import HeadedTable, headed
from copyhold.engines.tables.limits import Limits

_MOST_AREA = 50_000_000  # cells of the rectangle around a sheet's content: about 2 GB in the parser
_AREA = re.compile(rb'<(?:\w+:)?dimension ref="(?:[A-Z]{1,3}[0-9]{1,7}:)?([A-Z]{1,3})([0-9]{1,7})"')
_FORMULA = re.compile(rb"[<:]f[\s/>]")
_OVERLAP_BYTES = 64  # a mark may be cut by the end of a piece
_WORKBOOK_PART = "xl/workbook.xml"


def tables(file: File, limits: Limits) -> list[HeadedTable]:
    """Read every sheet that holds a table, in order.

    Raises:
        UnreadableFileError: the workbook is damaged, protected, hostile, holds formulas, or has no sheet with a table.
    """
    _look_through(file, limits)
    about, chunks = _parsed(file, "")
    found: list[HeadedTable] = []
    wrong: list[UnreadableFileError] = []
    for name in about["sheets"]:
        rows = chunks if name == about["sheet"] else _parsed(file, name)[1]
        try:
            found.append(headed(file, name, pa.Table.from_batches(rows), limits))
        except UnreadableFileError as error:  # notes beside the tables
            wrong.append(error)
    if not found:
        raise wrong[0]
    return found


def table(file: File, limits: Limits, name: str | None) -> HeadedTable:
    """Read one sheet; without a name the only one that has content."""
    _look_through(file, limits)
    about, chunks = _parsed(file, name or "")
    if name is None and len(about["sheets"]) > 1:
        shown = ", ".join(repr(sheet[:40]) for sheet in about["sheets"][:5])
        raise file.error(f"has {len(about['sheets'])} sheets with tables ({shown}): say which one")
    return headed(file, about["sheet"], pa.Table.from_batches(chunks), limits)


def _parsed(file: File, sheet: str) -> tuple[dict[str, Any], list[pa.RecordBatch]]:
    return isolation.parsed(file, "sheets", sheet, str(_MOST_AREA))


def _look_through(file: File, limits: Limits) -> None:
    """Measure the archive and refuse what a parser should not see."""
    names: set[str] = set()
    last = b""
    for name, piece in pieces(file, limits):
        text = last + piece if name in names else piece
        names.add(name)
        last = piece[-_OVERLAP_BYTES:]
        if "/worksheets/" not in name:
            continue
        if not limits.formulas and _FORMULA.search(text):
            raise file.error("holds formulas: save it with values in their place")
        claimed = _AREA.search(text)
        if claimed and int(claimed[2]) * _column_number(claimed[1]) > _MOST_AREA:
            raise file.error("has cells so far apart that the sheet cannot be held: move the table to the corner")
    if _WORKBOOK_PART not in names:
        raise file.error("is an archive and not an Excel workbook: unpack it first")


def _column_number(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - ord("A") + 1
    return number
