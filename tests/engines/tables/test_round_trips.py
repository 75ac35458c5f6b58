"""What is written comes back: 5,000 real people and the awkward cases, through every format."""

import datetime
import os
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet

from copyhold.domain.errors import InvalidInputError
from copyhold.engines.tables.columns import typed
from copyhold.engines.tables.reading import batches, read_table
from copyhold.engines.tables.sources import ColumnFacts, described
from copyhold.engines.tables.writing import write

ENDINGS = (".parquet", ".csv", ".sav", ".dta", ".xpt")
STATISTICAL = (".sav", ".dta", ".xpt")
SHIPPED = Path(__file__).parents[3] / "src" / "copyhold" / "demo_data" / "nhanes.parquet"


def nhanes() -> pa.Table:
    """5,000 people of the full table where it stands beside the checkout, else those that ship."""
    full = Path(os.environ.get("COPYHOLD_SHARED", SHIPPED.parents[3] / "shared")) / "data" / "nhanes_2001_2016.parquet"
    return parquet.read_table(full).slice(20_000, 5_000) if full.exists() else parquet.read_table(SHIPPED)


def same(found: pa.ChunkedArray, wanted: pa.ChunkedArray) -> bool:
    values = typed(found).values
    return bool(values.cast(wanted.type).equals(wanted.combine_chunks()))


@pytest.mark.parametrize("ending", ENDINGS)
def test_real_people_come_back_value_for_value(tmp_path: Path, ending: str) -> None:
    table = nhanes()
    decimals = {name: typed(table[name]).decimals for name in table.column_names}
    schema = pa.schema(
        [
            described(each, ColumnFacts(title=f"About {each.name}", decimals=decimals[each.name]))
            for each in table.schema
        ]
    )
    written = write(table.to_batches(max_chunksize=999), tmp_path / f"copy{ending}", schema)
    again = read_table(tmp_path / f"copy{ending}")
    assert (written.rows, written.columns) == (table.num_rows, table.num_columns) == again.table.shape
    assert list(again.columns) == [written.names[name] for name in table.column_names]
    assert [name for name in table.column_names if not same(again.table[name], table[name])] == []
    if ending != ".csv":
        assert again.facts("BMXBMI").title == "About BMXBMI"


IDS = [1, 17, 999_999_999_999_999, 123_456_789_012_345, 100_000_000_000_000]
TEXT_IDS = ["000000000000001", "999999999999999", "00017", "A-17", "1e5"]


@pytest.mark.parametrize("ending", ENDINGS)
def test_ids_come_back_unchanged_as_numbers_and_as_text(tmp_path: Path, ending: str) -> None:
    schema = pa.schema([("21001-0.0", pa.float64()), ("eid", pa.int64()), ("text_id", pa.string())])
    batch = pa.record_batch([[21.5] * 5, IDS, TEXT_IDS], schema=schema)
    written = write([batch], tmp_path / f"copy{ending}", schema)
    again = read_table(tmp_path / f"copy{ending}").table
    assert typed(again["eid"]).values.to_pylist() == IDS
    assert typed(again["eid"]).written.to_pylist() == [str(number) for number in IDS]
    assert again["text_id"].to_pylist() == TEXT_IDS
    assert written.names["21001-0.0"] == ("p21001_i0" if ending in STATISTICAL else "21001-0.0")


@pytest.mark.parametrize("ending", ENDINGS)
def test_dates_instants_and_blanks_come_back(tmp_path: Path, ending: str) -> None:
    days = [datetime.date(1900, 3, 1), None, datetime.date(1960, 1, 1), datetime.date(2024, 2, 29)]
    instants = [
        datetime.datetime(1950, 1, 2, 3, 4, 5),
        None,
        datetime.datetime(2001, 2, 3),
        datetime.datetime(1999, 12, 31, 23, 59, 59),
    ]
    schema = pa.schema(
        [("day", pa.date32()), ("at", pa.timestamp("us")), ("text", pa.string()), ("none", pa.float64())]
    )
    batch = pa.record_batch([days, instants, ["ä", None, "two words", "日本"], [None] * 4], schema=schema)
    write([batch], tmp_path / f"copy{ending}", schema)
    again = read_table(tmp_path / f"copy{ending}").table
    assert typed(again["day"]).values.to_pylist() == days
    assert typed(again["at"]).values.to_pylist() == instants
    assert again["text"].to_pylist() == ["ä", None, "two words", "日本"]
    assert typed(again["none"]).values.null_count == 4


@pytest.mark.parametrize("ending", STATISTICAL)
def test_statistical_files_are_the_same_bytes_however_divided_and_whenever(tmp_path: Path, ending: str) -> None:
    table = nhanes().slice(0, 500)
    first = write(table.to_batches(max_chunksize=77), tmp_path / f"a{ending}", table.schema)
    second = write(table.to_batches(), tmp_path / f"b{ending}", table.schema)
    assert first.sha256 == second.sha256
    header = (tmp_path / f"a{ending}").read_bytes()[:600]
    assert b"01 Jan 70" in header or b"01 Jan 1970" in header or header.count(b"01JAN70") == 4


def test_labels_and_missing_codes_travel_in_sav(tmp_path: Path) -> None:
    facts = ColumnFacts(title="Sex", value_labels={"1": "Male", "2": "Female", "9": "Refused"}, missing_codes=("9",))
    schema = pa.schema([described(pa.field("sex", pa.int8()), facts)])
    assert not write([pa.record_batch([[1, 2, 9, None]], schema=schema)], tmp_path / "copy.sav", schema).left_out
    again = read_table(tmp_path / "copy.sav")
    found = again.facts("sex")
    assert (found.title, found.value_labels, found.missing_codes) == (facts.title, facts.value_labels, ("9",))
    column = typed(again.table["sex"], found)
    assert (column.values.to_pylist(), column.codes) == ([1, 2, None, None], ("9",))


def test_tagged_missing_codes_travel_in_dta(tmp_path: Path) -> None:
    facts = ColumnFacts(value_labels={".a": "refused", ".b": "not known"}, missing_codes=(".a", ".b"))
    schema = pa.schema([described(pa.field("weight", pa.string()), facts)])
    batch = pa.record_batch([["70.5", ".a", "80", None, ".b"]], schema=schema)
    assert not write([batch], tmp_path / "copy.dta", schema).left_out
    again = read_table(tmp_path / "copy.dta")
    assert again.table["weight"].to_pylist() == ["70.5", ".a", "80", None, ".b"]
    assert again.facts("weight").value_labels == facts.value_labels
    column = typed(again.table["weight"], again.facts("weight"))
    assert (column.values.to_pylist(), column.codes) == ([70.5, None, 80.0, None, None], (".a", ".b"))


def test_facts_without_a_place_are_reported(tmp_path: Path) -> None:
    facts = ColumnFacts(value_labels={"1": "Male"}, missing_codes=("7", "9", "77", "99"))
    schema = pa.schema([described(pa.field("sex", pa.int8()), facts)])
    batch = pa.record_batch([[1]], schema=schema)
    assert write([batch], tmp_path / "copy.xpt", schema).left_out == {"sex": ("value labels", "missing codes")}
    assert write([batch], tmp_path / "copy.sav", schema).left_out == {"sex": ("missing codes",)}
    long = described(pa.field("sex", pa.string()), ColumnFacts(missing_codes=("refused to answer",)))
    words = pa.record_batch([["1"]], schema=pa.schema([long]))
    assert write([words], tmp_path / "copy.sav", pa.schema([long])).left_out == {"sex": ("missing codes",)}


@pytest.mark.parametrize(
    ("ending", "column"),
    [
        (".sav", pa.array([2**53 + 1])),
        (".dta", pa.array([float("inf")])),
        (".xpt", pa.array([1e76])),
        (".xpt", pa.array([1e-80])),
        (".xpt", pa.array(["x" * 40_000])),
    ],
)
def test_a_value_that_a_format_cannot_hold_is_refused(tmp_path: Path, ending: str, column: pa.Array) -> None:
    batch = pa.record_batch([column], names=["value"])
    with pytest.raises(InvalidInputError, match="'value' holds"):
        write([batch], tmp_path / f"copy{ending}", batch.schema)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("ending", [".sav", ".xpt"])
def test_labels_in_windows_1252_are_read(tmp_path: Path, ending: str) -> None:
    schema = pa.schema([("place", pa.string()), ("n", pa.float64())])
    write([pa.record_batch([["Köln ", "x"], [1.5, 2.5]], schema=schema)], tmp_path / f"copy{ending}", schema)
    data = (tmp_path / f"copy{ending}").read_bytes()
    assert data.count("Köln".encode()) == 1
    source = read_table(data.replace("Köln".encode(), "Köln ".encode("cp1252")), name=f"copy{ending}")
    assert source.table["place"].to_pylist() == ["Köln", "x"]


@pytest.mark.parametrize("ending", ENDINGS)
def test_batches_are_the_table_in_parts(tmp_path: Path, ending: str) -> None:
    table = nhanes().slice(0, 300)
    write(table.to_batches(), tmp_path / f"copy{ending}", table.schema)
    whole = read_table(tmp_path / f"copy{ending}").table.select(["BMXBMI", "SEQN"])
    parts = list(batches(tmp_path / f"copy{ending}", ["BMXBMI", "SEQN"], rows=70))
    assert max(part.num_rows for part in parts) <= 70
    assert pa.Table.from_batches(parts).equals(whole)
