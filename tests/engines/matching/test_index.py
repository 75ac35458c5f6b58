"""The index answers as a plain search of the table does, and holds nothing that must not be found by."""

from datetime import date
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bench.cohort import Cohort
from copyhold.domain.catalogue import Dictionary, Field, FieldType, Role
from copyhold.domain.errors import IntegrityError, InvalidInputError
from copyhold.engines.matching.index import CategoryColumn, NumberColumn, TableIndex, build_index


def _field(name: str, kind: FieldType, **more: object) -> Field:
    return Field("t", name, name, kind, more.pop("role", Role.FREE), **more)  # type: ignore[arg-type]


def _built(folder: Path, columns: dict[str, pa.Array], *fields: Field) -> TableIndex:
    rows = len(next(iter(columns.values())))
    numbers = pa.array(np.arange(rows, dtype=np.uint64))
    pq.write_table(pa.table({"__row": numbers, "__participant": numbers} | columns), folder / "s.parquet")
    return build_index(folder / "s.parquet", Dictionary(tuple(fields)), "t", folder / "index")


def _number(index: TableIndex, name: str) -> NumberColumn:
    column = index[name]
    assert isinstance(column, NumberColumn)
    return column


def test_a_window_holds_exactly_the_rows_whose_value_lies_in_it(cohort: Cohort, index: TableIndex) -> None:
    rng = np.random.default_rng(5)
    for name in ("glucose", "systolic", "crp", "medications"):
        values, column = cohort.numbers[name], _number(index, name)
        low = rng.choice(values[np.isfinite(values)], 20)
        high = low + rng.choice([0.0, 0.001, 0.05, 3.0], 20)
        for start, stop, first, last in zip(*column.window(low, high), low, high, strict=True):
            expected = np.flatnonzero((values >= first - 1e-9) & (values <= last + 1e-9))
            assert sorted(column.order[start:stop].tolist()) == expected.tolist()


def test_values_come_back_as_they_were_written(cohort: Cohort, index: TableIndex) -> None:
    positions = np.arange(0, cohort.rows, 37)
    for name, values in cohort.numbers.items():
        np.testing.assert_array_equal(_number(index, name).at(positions), values[positions])
    for name, days in cohort.dates.items():
        np.testing.assert_array_equal(_number(index, name).at(positions), days[positions])
    for name, labels in cohort.categories.items():
        column = index[name]
        assert isinstance(column, CategoryColumn)
        assert [column.labels[code] for code in column.codes[positions]] == labels[positions].tolist()


def test_decimals_are_kept_as_whole_last_places(index: TableIndex) -> None:
    assert _number(index, "glucose").values.dtype == np.int32
    assert _number(index, "glucose").scale == 1000


def test_missing_codes_nulls_and_nan_are_missing(tmp_path: Path) -> None:
    answers = pa.array([1.0, 77.0, None, float("nan"), 3.0])
    index = _built(tmp_path, {"a": answers}, _field("a", FieldType.INTEGER, missing_codes=("77", "refused")))
    column = _number(index, "a")
    np.testing.assert_array_equal(column.at(np.arange(5)), [1, np.nan, np.nan, np.nan, 3])
    assert column.order.tolist() == [0, 4]


def test_a_column_without_any_value_is_found_by_nobody(tmp_path: Path) -> None:
    index = _built(tmp_path, {"a": pa.array([None, None], pa.float64())}, _field("a", FieldType.DECIMAL, decimals=1))
    start, stop = _number(index, "a").window(np.array([-9.0]), np.array([9.0]))
    assert stop[0] - start[0] == 0


def test_values_finer_than_declared_keep_their_digits(tmp_path: Path) -> None:
    index = _built(tmp_path, {"a": pa.array([1.25, 1.19995117])}, _field("a", FieldType.DECIMAL, decimals=2))
    np.testing.assert_array_equal(_number(index, "a").at(np.arange(2)), [1.25, 1.19995117])


def test_instants_are_days_with_fractions(tmp_path: Path) -> None:
    when = pa.array([np.datetime64("1970-01-02T06:00:00"), None]).cast(pa.timestamp("us"))
    index = _built(tmp_path, {"a": when}, _field("a", FieldType.DATETIME))
    np.testing.assert_array_equal(_number(index, "a").at(np.arange(2)), [1.25, np.nan])


def test_dates_are_days_since_1970(tmp_path: Path) -> None:
    index = _built(tmp_path, {"a": pa.array([date(1970, 1, 11), date(1969, 12, 31)])}, _field("a", FieldType.DATE))
    np.testing.assert_array_equal(_number(index, "a").at(np.arange(2)), [10, -1])


def test_direct_identifiers_ids_and_free_text_are_not_indexed(tmp_path: Path) -> None:
    columns = {name: pa.array(["x", "y"]) for name in ("name", "id", "notes", "kept")}
    index = _built(
        tmp_path,
        columns,
        _field("name", FieldType.CATEGORY, role=Role.DIRECT),
        _field("id", FieldType.CATEGORY, role=Role.ID),
        _field("notes", FieldType.TEXT),
        _field("kept", FieldType.CATEGORY),
    )
    assert index.fields == ("kept",)
    assert not any(b"notes" in path.read_bytes() for path in (tmp_path / "index").iterdir())


def test_text_in_a_column_declared_a_number_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="Declare it a category"):
        _built(tmp_path, {"a": pa.array(["one", "two"])}, _field("a", FieldType.INTEGER))


def test_an_index_that_is_not_whole_is_refused(tmp_path: Path, cohort: Cohort, index: TableIndex) -> None:
    with pytest.raises(IntegrityError, match="Build it again"):
        TableIndex(tmp_path, cohort.dictionary)


def test_a_truncated_array_is_refused_and_not_read(tmp_path: Path) -> None:
    fields = (_field("a", FieldType.INTEGER),)
    _built(tmp_path, {"a": pa.array(list(range(1000)))}, *fields)
    victim = tmp_path / "index" / "f00000.ranked.npy"
    victim.write_bytes(victim.read_bytes()[:1000])
    with pytest.raises(IntegrityError, match="damaged"):
        TableIndex(tmp_path / "index", Dictionary(fields))["a"]
