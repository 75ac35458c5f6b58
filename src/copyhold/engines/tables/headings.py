"""Tables of text cells whose first row may name the columns: one form for sheets, pages and pasted text."""

from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa

from copyhold.engines.tables.dialects import NoDialectError, is_heading, names_of, numbered
from copyhold.engines.tables.files import File
from copyhold.engines.tables.limits import Limits

_HEADING_ROWS = 200


@dataclass(frozen=True, repr=False)
class HeadedTable:
    """A table of text columns, what it is called in its file, and whether its file names the columns."""

    name: str
    header: bool
    table: pa.Table


def headed(file: File, name: str, cells: pa.Table, limits: Limits) -> HeadedTable:
    """Tell the heading of a table of text cells and take it off.

    Raises:
        UnreadableFileError: there are too many columns or no row, or the heading gives no names or one name twice.
    """
    if cells.num_columns > limits.columns:
        raise file.error(f"has more than {limits.columns} columns, the most that is read")
    first = [[cell or "" for cell in row.values()] for row in _rows(cells.slice(0, _HEADING_ROWS))]
    if not first:
        raise file.error("is empty: it holds neither a heading nor a row")
    if not is_heading(first):
        return HeadedTable(name, False, cells.rename_columns(numbered(cells.num_columns)))
    if cells.num_rows == 1:
        raise file.error("holds a heading and no rows")
    if 2 * sum(not cell.strip() for cell in first[0]) > len(first[0]):
        raise file.error("has no table whose first row names the columns")
    try:
        return HeadedTable(name, True, cells.slice(1).rename_columns(names_of(first[0])))
    except NoDialectError as error:
        raise file.error(str(error)) from error


def of_rows(rows: Sequence[Sequence[str | None]]) -> pa.Table:
    """Make text columns of rows of equal length, at least one."""
    columns = [pa.array(column, pa.string()) for column in zip(*rows, strict=True)]
    return pa.table(columns, names=[str(place) for place in range(len(columns))])


def _rows(cells: pa.Table) -> list[dict[str, str | None]]:
    found: list[dict[str, str | None]] = cells.to_pylist()
    return found
