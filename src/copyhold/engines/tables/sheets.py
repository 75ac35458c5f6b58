"""Read the sheets of an Excel workbook with calamine: the process behind `workbooks`, see `isolation`.

Cells come as text: numbers in the shortest form that reads back the same, dates in ISO, TRUE and FALSE, nothing for an
empty cell. Rows without any cell are left out.
"""

import datetime
import io
import sys
from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import python_calamine

from copyhold.engines.tables import isolation

_CHUNK_CELLS = 1 << 21


def main(path: str, sheet: str, most_cells: int) -> int:
    """Read one sheet (the first with content where `sheet` is empty) and return the exit code."""
    isolation.bound()
    source: Any = path or io.BytesIO(sys.stdin.buffer.read())
    try:
        with python_calamine.CalamineWorkbook.from_object(source) as workbook:
            return _answer(workbook, sheet, most_cells)
    except isolation.RefusedError as refused:
        sys.stderr.write(str(refused))
        return isolation.REFUSED
    except python_calamine.PasswordError:
        sys.stderr.write("is protected by a password: save it without one")
        return isolation.REFUSED
    except BaseException:  # the library's panics are no Exception; nothing else runs in this process
        return isolation.DAMAGED


def _answer(workbook: python_calamine.CalamineWorkbook, sheet: str, most_cells: int) -> int:
    worksheets = [each.name for each in workbook.sheets_metadata if each.typ is python_calamine.SheetTypeEnum.WorkSheet]
    filled = {}
    for name in worksheets:
        found = workbook.get_sheet_by_name(name)
        if found.start is not None and found.end is not None:
            filled[name] = found
    if sheet and sheet not in filled:
        raise isolation.RefusedError("has no filled sheet of that name")
    if not filled:
        raise isolation.RefusedError("has no sheet with a table")
    name = sheet or next(iter(filled))
    return isolation.answer({"sheets": list(filled), "sheet": name}, _rows(filled[name], most_cells))


def _rows(sheet: python_calamine.CalamineSheet, most_cells: int) -> Iterator[pa.RecordBatch]:
    (top, first), (bottom, last) = sheet.start or (0, 0), sheet.end or (0, 0)
    width = last - first + 1  # rows come from the first of the sheet, columns from the first filled
    if width * (bottom - top + 1) > most_cells:
        raise isolation.RefusedError(f"has more than {most_cells} cells, the most that is held at once")
    held: list[list[str | None]] = []
    for row in sheet.iter_rows():
        cells = [_written(cell) for cell in row]
        if any(cell is not None for cell in cells):
            held.append(cells)
        if len(held) * width >= _CHUNK_CELLS:
            yield _batch(held, width)
            held = []
    yield _batch(held, width)


def _batch(rows: list[list[str | None]], width: int) -> pa.RecordBatch:
    columns = zip(*rows, strict=True) if rows else [()] * width
    arrays = [pa.array(column, pa.string()) for column in columns]
    return pa.record_batch(arrays, names=[str(place) for place in range(width)])


def _written(cell: Any) -> str | None:
    """One cell as text."""
    match cell:
        case "":
            return None
        case str():
            return cell
        case bool():
            return "TRUE" if cell else "FALSE"
        case float() if cell.is_integer() and abs(cell) < 2.0**53:
            return str(int(cell))
        case datetime.datetime():
            return cell.isoformat(" ")
        case datetime.date() | datetime.time():
            return cell.isoformat()
        case datetime.timedelta():
            return str(cell)
        case _:
            return repr(cell)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
