"""What a written column means, and that nothing of it is lost."""

import datetime

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from copyhold.domain.catalogue import FieldType
from copyhold.domain.errors import InvalidInputError
from copyhold.engines.tables.columns import TypedColumn, typed, typed_column
from copyhold.engines.tables.dates import Origin
from copyhold.engines.tables.reading import read_table
from copyhold.engines.tables.sources import ColumnFacts


def of(*cells: str | None, **options: object) -> TypedColumn:
    return typed(pa.array(cells, pa.string()), **options)  # type: ignore[arg-type]


def test_decimals_are_counted_as_written() -> None:
    found = of("5.10", "12.30", None)
    assert (found.kind, found.decimals, found.fixed_decimals) == (FieldType.DECIMAL, 2, True)
    assert found.values.to_pylist() == [5.1, 12.3, None]
    assert found.places is not None
    assert found.places.tolist() == [2, 2, -1]
    assert found.written.to_pylist() == ["5.10", "12.30", None]
    assert not of("5.1", "12.35").fixed_decimals


@pytest.mark.parametrize(
    ("cells", "values"),
    [
        (["1,5", "2"], [1.5, 2.0]),
        (["0,125", "0,250"], [0.125, 0.25]),
        (["1.234,5", "2"], [1234.5, 2.0]),
        (["1,234.5", "2"], [1234.5, 2.0]),
        (["1\u202f234,5", "12 345 678"], [1234.5, 12345678.0]),
        (["1'234.5", "2.5"], [1234.5, 2.5]),
        (["\u22125,5", "+3"], [-5.5, 3.0]),
        (["1e-3", "1.5E2", ".5", "3."], [0.001, 150.0, 0.5, 3.0]),
        (["1,234,567", "2"], [1234567, 2]),
    ],
)
def test_numbers_are_read_in_every_manner_of_writing(cells: list[str], values: list[float]) -> None:
    assert of(*cells).values.to_pylist() == values


def test_a_comma_that_could_be_either_is_not_guessed() -> None:
    assert of("1,234", "5,678").kind is FieldType.CATEGORY
    assert of("1,234", "5,678").note == "the decimal mark cannot be told"
    assert of("1,234", "5,678", decimal_mark=",").values.to_pylist() == [1.234, 5.678]
    assert of("1,234", "5,678", decimal_mark=".").values.to_pylist() == [1234, 5678]


def test_a_point_and_a_comma_in_one_column_are_not_numbers() -> None:
    assert of("1.5", "2,5").kind is FieldType.CATEGORY


def test_a_few_cells_of_the_other_mark_are_codes_and_do_not_void_a_column() -> None:
    found = of(*[f"{number}.5" for number in range(9)], "1,25")
    assert (found.values.to_pylist()[:2], found.codes) == ([0.5, 1.5], ("1,25",))


def test_the_table_decides_the_mark_that_a_column_leaves_open() -> None:
    source = read_table(b"id;a;b\n1;1,234;2,5\n2;5,678;3,25\n", name="x.csv")
    assert source.decimal_mark == ","
    assert typed_column(source, "a").values.to_pylist() == [1.234, 5.678]
    source = read_table(b'id,a,b,d\n1,"1,234",2.5,31.12.1999\n2,"5,678",3.25,1.1.2000\n', name="x.csv")
    assert source.decimal_mark == "."
    assert typed_column(source, "a").values.to_pylist() == [1234, 5678]
    assert read_table(b"a;b\n1,234;x\n5,678;y\n", name="x.csv").decimal_mark == ","
    assert read_table(b"a,d\nx,31.12.1999\ny,1.1.2000\n", name="x.csv").decimal_mark == ""


def test_codes_with_leading_zeros_stay_codes() -> None:
    assert of("007", "012").values.to_pylist() == ["007", "012"]
    assert of("007", "012", kind=FieldType.INTEGER).values.to_pylist() == [7, 12]


def test_an_id_too_long_for_an_integer_stays_text() -> None:
    long = "12345678901234567890123"
    assert of(long, "2" * 19).values.to_pylist() == [long, "2" * 19]
    assert of("999999999999999", "123456789012345").values.to_pylist() == [999999999999999, 123456789012345]


def test_cells_that_are_no_numbers_are_listed_as_codes() -> None:
    found = of("5.1", "<0.1", "6.0", "NA", ".", "")
    assert found.values.to_pylist() == [5.1, None, 6.0, None, None, None]
    assert found.codes == ("<0.1",)


def test_a_declared_missing_code_has_no_value() -> None:
    facts = ColumnFacts(missing_codes=("777", "999"))
    found = of("70", "999", "80", facts=facts)
    assert (found.values.to_pylist(), found.codes) == ([70, None, 80], ("999",))
    stored = typed(pa.array([70.0, 999.0, 80.0]), facts)
    assert (stored.values.to_pylist(), stored.codes) == ([70, None, 80], ("999",))


def test_a_column_of_codes_with_some_numbers_is_no_column_of_numbers() -> None:
    assert of("250", "V45", "E11", "I21", "401.9").kind is FieldType.CATEGORY


@pytest.mark.parametrize(
    ("cells", "form"),
    [
        (["2001-02-03", "1999-12-31"], "year-month-day"),
        (["03.02.2001", "31.12.1999"], "day.month.year"),
        (["3/2/2001", "31/12/1999"], "day/month/year"),
        (["2/3/2001", "12/31/1999"], "month/day/year"),
        (["03FEB2001", "31DEC1999"], "day month year"),
        (["3 February 2001", "31-Dec-1999"], "day month year"),
    ],
)
def test_dates_are_read_in_every_form(cells: list[str], form: str) -> None:
    found = of(*cells)
    assert (found.kind, found.form) == (FieldType.DATE, form)
    assert found.values.to_pylist() == [datetime.date(2001, 2, 3), datetime.date(1999, 12, 31)]


def test_a_day_that_could_be_a_month_is_not_guessed() -> None:
    assert of("1/2/2003", "3/4/2003").note == "day and month cannot be told apart"
    assert of("1/2/2003", "3/4/2003").values.to_pylist() == ["1/2/2003", "3/4/2003"]


def test_a_date_that_does_not_exist_is_a_code() -> None:
    found = of("2001-02-28", "2001-02-30", "2001-03-01")
    assert (found.values.to_pylist()[1], found.codes) == (None, ("2001-02-30",))


def test_times_make_instants() -> None:
    found = of("2001-02-03 04:05:06.25", "2001-02-03T00:00:00Z")
    assert found.kind is FieldType.DATETIME
    assert found.values[0].as_py() == datetime.datetime(2001, 2, 3, 4, 5, 6, 250_000)


@pytest.mark.parametrize(
    ("origin", "days", "date"),
    [
        (Origin.EXCEL, 36526, datetime.date(2000, 1, 1)),
        (Origin.EXCEL, 61, datetime.date(1900, 3, 1)),
        (Origin.EXCEL_1904, 0, datetime.date(1904, 1, 1)),
        (Origin.SAS, 14610, datetime.date(2000, 1, 1)),
        (Origin.UNIX, 10957, datetime.date(2000, 1, 1)),
    ],
)
def test_counts_of_days_are_dates_only_where_that_is_declared(origin: Origin, days: int, date: datetime.date) -> None:
    assert of(str(days)).kind is FieldType.INTEGER
    assert of(str(days), kind=FieldType.DATE, origin=origin).values.to_pylist() == [date]
    assert typed(pa.array([days]), kind=FieldType.DATE, origin=origin).values.to_pylist() == [date]


def test_columns_of_a_typed_file_tell_their_decimals() -> None:
    assert typed(pa.array([1.5, 2.25, None])).decimals == 2
    assert typed(pa.array([1.0, 2.0, float("nan")])).values.to_pylist() == [1, 2, None]
    assert typed(pa.array([1.19995117, 1.2])).kind is FieldType.REAL
    assert typed(pa.array(["a", "b", "a"]).dictionary_encode()).kind is FieldType.CATEGORY
    midnight = [datetime.datetime(2001, 2, 3), None]
    assert typed(pa.array(midnight, pa.timestamp("ns"))).kind is FieldType.DATE


def test_lists_and_bytes_are_refused() -> None:
    for column in (pa.array([[1], [2]]), pa.array([b"x"])):
        with pytest.raises(InvalidInputError, match="make it flat"):
            typed(column)


@given(st.lists(st.integers(-(10**15), 10**15), min_size=1), st.integers(1, 6), st.sampled_from(".,"))
def test_every_decimal_comes_back_from_its_writing(units: list[int], decimals: int, mark: str) -> None:
    values = [unit / 10**decimals for unit in units]
    cells = [f"{value:.{decimals}f}".replace(".", mark) for value in values]
    found = of(*cells, decimal_mark=mark)
    assert found.written.to_pylist() == cells
    assert found.values.to_pylist() == [float(cell.replace(mark, ".")) for cell in cells]
    assert found.decimals == decimals


@given(st.lists(st.one_of(st.none(), st.text(alphabet="0159.,-/eE +:'ABa<", max_size=12))))
def test_any_text_is_taken_and_kept(cells: list[str | None]) -> None:
    found = of(*cells)
    assert found.written.to_pylist() == cells
    assert len(found.values) == len(cells)


@given(st.lists(st.dates(datetime.date(1, 1, 1)), min_size=1))
def test_every_iso_date_comes_back(days: list[datetime.date]) -> None:
    assert of(*[day.isoformat() for day in days]).values.to_pylist() == days


def test_the_repr_of_a_column_shows_no_cell() -> None:
    assert "CANARY" not in repr(of("CANARY", "CANARY"))
    assert np.asarray(of("1").places).tolist() == [0]
