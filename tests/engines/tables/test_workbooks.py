"""Excel workbooks: every cell as text, one sheet unless another is named."""

import datetime
from pathlib import Path

import openpyxl
import pytest

from copyhold.domain.catalogue import FieldType
from copyhold.domain.errors import UnreadableFileError
from copyhold.engines.tables.columns import typed
from copyhold.engines.tables.reading import batches, read_table, read_tables
from copyhold.engines.tables.sources import Kind


def saved(path: Path, *sheets: list[list[object]]) -> Path:
    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    for number, rows in enumerate(sheets, start=1):
        sheet = book.create_sheet(f"Sheet {number}")
        for row in rows:
            sheet.append(row)
    book.save(path)
    book.close()
    return path


ROWS: list[list[object]] = [
    ["eid", "code", "glucose", "seen", "at", "fasting", "big"],
    [1, "007", 5.1, datetime.date(2001, 2, 3), datetime.datetime(2001, 2, 3, 4, 5, 6), True, 999_999_999_999_999],
    [None] * 7,
    [2, None, 0.1, datetime.date(1999, 12, 31), None, False, 123_456_789_012_345],
]


def test_cells_come_as_text_and_empty_rows_are_left_out(tmp_path: Path) -> None:
    source = read_table(saved(tmp_path / "table.xlsx", ROWS))
    assert (source.kind, source.written, source.name) == (Kind.WORKBOOK, True, "table")
    assert source.table.to_pydict() == {
        "eid": ["1", "2"],
        "code": ["007", None],
        "glucose": ["5.1", "0.1"],
        "seen": ["2001-02-03", "1999-12-31"],
        "at": ["2001-02-03 04:05:06", None],
        "fasting": ["TRUE", "FALSE"],
        "big": ["999999999999999", "123456789012345"],
    }
    assert typed(source.table["seen"]).kind is FieldType.DATE


def test_a_table_that_does_not_start_in_the_corner_is_found(tmp_path: Path) -> None:
    rows: list[list[object]] = [[], [], [None, None, "a", "b"], [None, None, 1, 2.5]]
    assert read_table(saved(tmp_path / "table.xlsx", rows)).table.to_pydict() == {"a": ["1"], "b": ["2.5"]}


def test_of_several_sheets_one_must_be_named(tmp_path: Path) -> None:
    path = saved(tmp_path / "table.xlsx", [["a"], [1]], [["b"], [2]], [])
    with pytest.raises(UnreadableFileError, match=r"has 2 sheets with tables \('Sheet 1', 'Sheet 2'\): say which one"):
        read_table(path)
    assert read_table(path, table="Sheet 2").table.to_pydict() == {"b": ["2"]}
    with pytest.raises(UnreadableFileError, match="no filled sheet of that name"):
        read_table(path, table="Sheet 3")
    assert [source.name for source in read_tables(path)] == ["Sheet 1", "Sheet 2"]


def test_notes_beside_a_table_do_not_hide_it_from_whoever_wants_all_tables(tmp_path: Path) -> None:
    path = saved(tmp_path / "table.xlsx", [["Read me"]], [["a", "b"], [1, 2]])
    assert [source.name for source in read_tables(path)] == ["Sheet 2"]


def test_many_rows_come_in_order_through_all_chunks(tmp_path: Path) -> None:
    rows: list[list[object]] = [["n", "x"], *([number, number / 8] for number in range(3_000))]
    path = saved(tmp_path / "table.xlsx", rows)
    numbers = [cell for batch in batches(path, ["n"], rows=1_000) for cell in batch.column(0).to_pylist()]
    assert numbers == [str(number) for number in range(3_000)]
