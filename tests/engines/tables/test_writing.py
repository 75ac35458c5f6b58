"""Files that come out: the same bytes however the rows were divided, and the same values when read again."""

import datetime
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from copyhold.domain.errors import InvalidInputError
from copyhold.engines.tables.columns import typed
from copyhold.engines.tables.limits import Limits
from copyhold.engines.tables.reading import batches, read_table
from copyhold.engines.tables.sources import ColumnFacts, described, facts_of
from copyhold.engines.tables.spelling import spelled
from copyhold.engines.tables.writing import write

SCHEMA = pa.schema(
    [
        pa.field("eid", pa.int64()),
        described(
            pa.field("glucose", pa.float64()),
            ColumnFacts(title="Glucose", unit="mmol/L", decimals=2, fixed_decimals=True),
        ),
        described(pa.field("weight", pa.float64()), ColumnFacts(decimals=1)),
        pa.field("note", pa.string()),
        pa.field("seen", pa.date32()),
    ]
)


def rows(count: int) -> pa.RecordBatch:
    numbers = range(count)
    return pa.record_batch(
        [
            [999_999_999_999_999 - number for number in numbers],
            [None if number % 7 == 0 else (510 + number) / 100 for number in numbers],
            [round(60 + number / 10, 1) for number in numbers],
            [["plain", 'a "quoted", cell', "", None, "two\nlines", " edge ", "0012"][number % 7] for number in numbers],
            [datetime.date(1950, 1, 1) + datetime.timedelta(days=number) for number in numbers],
        ],
        schema=SCHEMA,
    )


@pytest.mark.parametrize("ending", [".parquet", ".csv"])
def test_the_bytes_do_not_depend_on_how_the_rows_were_divided(tmp_path: Path, ending: str) -> None:
    whole = rows(40_000)
    digests = set()
    for size in (1_000, 7_777, 40_000):
        parts = [whole.slice(start, size) for start in range(0, whole.num_rows, size)]
        digests.add(write([*parts, whole.slice(0, 0)], tmp_path / f"copy{ending}", SCHEMA).sha256)
    assert len(digests) == 1


def test_csv_is_written_in_the_columns_own_decimals(tmp_path: Path) -> None:
    written = write([rows(4)], tmp_path / "copy.csv", SCHEMA)
    assert (tmp_path / "copy.csv").read_text(encoding="utf-8") == (
        "eid,glucose,weight,note,seen\n"
        "999999999999999,,60,plain,1950-01-01\n"
        '999999999999998,5.11,60.1,"a ""quoted"", cell",1950-01-02\n'
        '999999999999997,5.12,60.2,"",1950-01-03\n'
        "999999999999996,5.13,60.3,,1950-01-04\n"
    )
    assert (written.rows, written.columns, written.size_bytes) == (4, 5, (tmp_path / "copy.csv").stat().st_size)


def test_csv_reads_back_as_it_was(tmp_path: Path) -> None:
    write([rows(50)], tmp_path / "copy.csv", SCHEMA)
    table = read_table(tmp_path / "copy.csv").table
    for name in ("eid", "glucose", "weight", "seen"):
        assert typed(table[name]).values.to_pylist() == rows(50).column(name).to_pylist()
    assert table["note"].to_pylist() == rows(50).column("note").to_pylist()


def test_parquet_keeps_types_and_facts(tmp_path: Path) -> None:
    write([rows(50)], tmp_path / "copy.parquet", SCHEMA)
    source = read_table(tmp_path / "copy.parquet")
    assert source.table.equals(pa.Table.from_batches([rows(50)]))
    assert source.facts("glucose") == facts_of(SCHEMA.field("glucose"))
    assert pa.Table.from_batches(batches(tmp_path / "copy.parquet", ["note", "eid"], rows=20)).column_names == [
        "note",
        "eid",
    ]


def test_cells_that_a_spreadsheet_would_run_are_kept_and_counted(tmp_path: Path) -> None:
    schema = pa.schema([("text", pa.string()), ("number", pa.float64())])
    cells = ["=1+1", "+x", "-x", "@x", "\tx", "\rx", "x"]
    batch = pa.record_batch([cells, [-1.0] * 7], schema=schema)
    assert write([batch], tmp_path / "copy.csv", schema).formula_cells == {"text": 6}
    again = read_table(tmp_path / "copy.csv", limits=Limits(formulas=True)).table["text"]
    assert again.to_pylist() == cells


@pytest.mark.parametrize("cell", ["", None, "x"])
def test_a_single_column_keeps_its_empty_cells(tmp_path: Path, cell: str | None) -> None:
    schema = pa.schema([("only", pa.string())])
    write([pa.record_batch([["a", cell, "b", cell]], schema=schema)], tmp_path / "copy.csv", schema)
    assert read_table(tmp_path / "copy.csv").table["only"].to_pylist() == ["a", cell, "b", cell]


@given(st.lists(st.floats(allow_infinity=False, allow_nan=False)), st.integers(0, 6), st.booleans())
def test_no_number_changes_in_its_spelling(values: list[float], decimals: int, fixed: bool) -> None:
    text = spelled(pa.array(values, pa.float64()), ColumnFacts(decimals=decimals, fixed_decimals=fixed))
    assert [float(cell) for cell in text.to_pylist()] == values


@given(st.lists(st.integers(-(10**12), 10**12)), st.integers(1, 6))
def test_fixed_decimals_are_written_out(units: list[int], decimals: int) -> None:
    values = [unit / 10**decimals for unit in units]
    text = spelled(pa.array(values, pa.float64()), ColumnFacts(decimals=decimals, fixed_decimals=True))
    assert text.to_pylist() == [
        f"{value:.{decimals}f}".replace("-0." + "0" * decimals, "0." + "0" * decimals) for value in values
    ]


def test_a_failed_writing_leaves_nothing_and_keeps_what_was_there(tmp_path: Path) -> None:
    target = tmp_path / "copy.csv"
    target.write_text("old", encoding="utf-8")
    other = pa.record_batch([[1]], schema=pa.schema([("other", pa.int64())]))
    with pytest.raises(InvalidInputError, match="does not have the columns"):
        write([rows(3), other], target, SCHEMA)
    assert [path.name for path in tmp_path.iterdir()] == ["copy.csv"]
    assert target.read_text(encoding="utf-8") == "old"


def test_a_value_that_the_type_cannot_hold_is_refused(tmp_path: Path) -> None:
    schema = pa.schema([("n", pa.int8())])
    with pytest.raises(InvalidInputError, match="does not fit"):
        write([pa.record_batch([pa.array([300])], names=["n"])], tmp_path / "copy.parquet", schema)


def test_an_unknown_ending_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="must be one of"):
        write([], tmp_path / "copy.rds", SCHEMA)
