"""Snapshots: numbers that last over versions, values as the dictionary declares them, nothing told that is secret."""

from pathlib import Path

import polars as pl
import pyarrow.parquet as pq
import pytest

from copyhold.domain.catalogue import Dictionary, Field, FieldType, Role
from copyhold.domain.errors import InvalidInputError
from copyhold.engines.tables.snapshots import Snapshot, fixed_decimals, read_batches, write_snapshot

PEOPLE = (
    Field("people", "eid", "eid", FieldType.TEXT, Role.ID),
    Field("people", "name", "name", FieldType.TEXT, Role.DIRECT),
    Field("people", "bmi", "bmi", FieldType.DECIMAL, Role.FREE, decimals=1),
    Field("people", "drinks", "drinks", FieldType.INTEGER, Role.FREE, missing_codes=("777", "unknown")),
    Field("people", "seen", "seen", FieldType.DATE, Role.FREE),
)
VISITS = (
    Field("visits", "eid", "eid", FieldType.TEXT, Role.ID),
    Field("visits", "code", "code", FieldType.CATEGORY, Role.FREE),
)
BOTH = Dictionary((*PEOPLE, *VISITS))
FIRST = "eid,name,bmi,drinks,seen\n0101,A,24.5,3,2020-02-29\n0102,B,,777,\n0103,C,31.0,unknown,2021-01-01\n"
SECOND = "eid,name,bmi,drinks,seen\n0104,D,20.0,1,\n0103,C,31.5,2,2021-01-01\n0101,A,24.5,3,2020-02-29\n"
VISITED = "eid,code\n0102,x\n0101,y\n0101,y\n0199,z\n"


def snapshot(folder: Path, people: str, visits: str = VISITED, previous: Snapshot | None = None) -> Snapshot:
    folder.mkdir()
    (folder / "p.csv").write_text(people)
    (folder / "v.csv").write_text(visits)
    before = {one.table: one.path for one in previous.tables} if previous else None
    sources = {"people": folder / "p.csv", "visits": folder / "v.csv"}
    return write_snapshot(sources, BOTH, folder / "s", id_column="eid", key_columns=("code",), previous=before)


def rows(one: Snapshot, table: str) -> dict[str, list[object]]:
    return pq.read_table(one.of(table).path).to_pydict()


def test_values_are_kept_as_declared_and_direct_identifiers_are_left_out(tmp_path: Path) -> None:
    made = rows(snapshot(tmp_path / "1", FIRST), "people")
    assert "name" not in made
    assert made["eid"] == ["0101", "0102", "0103"]
    assert made["bmi"] == [24.5, None, 31.0]
    assert made["drinks"] == [3, 777, None]
    assert [str(day) for day in made["seen"]] == ["2020-02-29", "None", "2021-01-01"]


def test_row_and_participant_numbers_stay_with_their_key_over_versions_and_are_never_used_again(tmp_path: Path) -> None:
    one = snapshot(tmp_path / "1", FIRST)
    two = snapshot(tmp_path / "2", SECOND, previous=one)
    three = snapshot(tmp_path / "3", FIRST, previous=two)
    first, second, third = (rows(each, "people") for each in (one, two, three))
    assert dict(zip(second["eid"], second["__row"], strict=True)) == {"0103": 2, "0101": 0, "0104": 3}
    assert third["__row"][0] == first["__row"][0]
    assert third["__row"][1] not in {*first["__row"], *second["__row"]}
    people = dict(zip(first["eid"], first["__participant"], strict=True))
    assert [people[eid] for eid in ("0101", "0103")] == [second["__participant"][2], second["__participant"][1]]


def test_tables_share_participant_numbers_and_rows_with_one_key_are_ambiguous(tmp_path: Path) -> None:
    made = snapshot(tmp_path / "1", FIRST)
    people, visits = rows(made, "people"), rows(made, "visits")
    assert made.participants == 4
    assert visits["__participant"][0] == people["__participant"][1]
    assert visits["__ambiguous"] == [False, True, True, False]
    assert len(set(visits["__row"])) == 4


def test_blanks_around_an_id_make_nobody_else_of_a_participant(tmp_path: Path) -> None:
    padded = snapshot(tmp_path / "1", FIRST.replace("0103", " 0103  "), VISITED.replace("0102", "0102 "))
    made, visits = rows(padded, "people"), rows(padded, "visits")
    assert visits["__participant"][0] == made["__participant"][1]
    again = rows(snapshot(tmp_path / "2", FIRST, previous=padded), "people")
    assert (again["__row"], again["__participant"]) == (made["__row"], made["__participant"])
    with pytest.raises(InvalidInputError, match="without a participant id"):
        snapshot(tmp_path / "3", FIRST.replace("0103", "    "))


def test_the_bytes_do_not_depend_on_the_time_or_on_how_the_source_was_divided(tmp_path: Path) -> None:
    once, again = snapshot(tmp_path / "1", FIRST), snapshot(tmp_path / "2", FIRST)
    assert [one.sha256 for one in once.tables] == [one.sha256 for one in again.tables]
    pl.read_csv(tmp_path / "1" / "p.csv", infer_schema=False).write_parquet(tmp_path / "p.parquet", row_group_size=1)
    divided = write_snapshot({"people": tmp_path / "p.parquet"}, Dictionary(PEOPLE), tmp_path / "s", id_column="eid")
    assert divided.of("people").sha256 == once.of("people").sha256


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (FIRST.replace("24.5", "secret"), "1 values are no decimal, the first in row 1"),
        (FIRST.replace("31.0", "31.04"), "more than 1 decimals, the first in row 3"),
        (FIRST.replace("2021-01-01", "secret"), "1 values are no date"),
        (FIRST.replace("0102", ""), "without a participant id"),
        (FIRST.replace("bmi", "height"), "lacks the column bmi"),
    ],
)
def test_what_does_not_fit_is_told_by_count_and_row_and_never_by_value(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(InvalidInputError, match=told) as error:
        snapshot(tmp_path / "1", text)
    assert "secret" not in error.value.message
    assert "31.04" not in error.value.message


def test_a_table_without_ids_has_a_participant_per_row(tmp_path: Path) -> None:
    (tmp_path / "p.csv").write_text(FIRST)
    made = write_snapshot({"people": tmp_path / "p.csv"}, Dictionary(PEOPLE), tmp_path / "s")
    assert next(read_batches(made.of("people").path, ["bmi"])).column("__participant").to_pylist() == [0, 1, 2]


@pytest.mark.parametrize(
    ("cells", "fixed"),
    [
        (["5.10", "6.00", "", "7.25"], True),
        (["5.10", "6", "7.25"], False),
        (["5.10", "777", "7.25"], True),  # a code for no answer
        (["5.10", "unknown"], True),
        (["5.1", "6.2"], False),
    ],
)
def test_a_snapshot_remembers_whether_all_decimals_are_written(tmp_path: Path, cells: list[str], fixed: bool) -> None:
    glucose = Field(
        "t", "glucose", "glucose", FieldType.DECIMAL, Role.FREE, decimals=2, missing_codes=("777", "unknown")
    )
    eid = Field("t", "eid", "eid", FieldType.INTEGER, Role.ID)
    (tmp_path / "t.csv").write_text("eid,glucose\n" + "".join(f"{row},{cell}\n" for row, cell in enumerate(cells)))
    made = write_snapshot({"t": tmp_path / "t.csv"}, Dictionary((eid, glucose)), tmp_path / "s", id_column="eid")
    assert fixed_decimals(made.of("t").path) == ({"glucose"} if fixed else set())


def test_numbers_that_were_never_text_have_no_written_decimals(tmp_path: Path) -> None:
    pl.DataFrame({"eid": [1, 2], "glucose": [5.1, 6.25]}).write_parquet(tmp_path / "t.parquet")
    glucose = Field("t", "glucose", "glucose", FieldType.DECIMAL, Role.FREE, decimals=2)
    eid = Field("t", "eid", "eid", FieldType.INTEGER, Role.ID)
    made = write_snapshot({"t": tmp_path / "t.parquet"}, Dictionary((eid, glucose)), tmp_path / "s", id_column="eid")
    assert fixed_decimals(made.of("t").path) == set()
