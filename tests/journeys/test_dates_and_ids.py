"""Two linked tables whose dates a project let be shifted: ids and dates alike everywhere, and both lead to the holder.

The people are those of the reference cohort of the benches, as NHANES tells no dates.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import openpyxl
import polars as pl
import pyarrow as pa
import pytest
from numpy.typing import NDArray

from bench.cohort import generate
from copyhold.domain.catalogue import Dictionary, Field, FieldType, Role
from copyhold.engines.tables.columns import typed
from copyhold.engines.tables.dictionary import to_csv
from copyhold.engines.tables.reading import read_table
from tests.journeys.scene import BONE, HEART, Scene

from copyhold.actions import catalogue  # isort: skip - rows can be imported only once Django is set up

PEOPLE, VISITS = 600, 900  # every other person comes twice
DAYS = 21
ENDINGS = (".parquet", ".csv", ".sav", ".dta", ".xpt")
OF_PEOPLE = ("bmi", "height", "systolic", "haemoglobin", "platelets", "albumin", "born_on", "assessed_on", "sex")
OF_VISITS = ("glucose", "cholesterol", "triglycerides", "creatinine", "calcium", "seen_on", "centre")
DATES = {"people": ("born_on", "assessed_on"), "visits": ("seen_on",)}


def tables() -> dict[str, pl.DataFrame]:
    """Draw people with an examination each, and their visits."""
    people = pl.DataFrame(pl.from_arrow(generate(PEOPLE, 3).table())).with_columns(pl.col("__row") + 5_000)
    visits = pl.DataFrame(pl.from_arrow(generate(VISITS, 4).table())).with_columns(
        ((pl.col("__row") % PEOPLE) + 5_000).alias("__row"), (pl.col("__row") // PEOPLE + 1).alias("visit")
    )
    return {
        "people": people.select(pl.col("__row").alias("person"), *OF_PEOPLE),
        "visits": visits.select(pl.col("__row").alias("person"), "visit", *OF_VISITS),
    }


def dictionary() -> Dictionary:
    described = {one.name: one for one in generate(10, 3).dictionary.fields}
    found = []
    for table, names in (("people", OF_PEOPLE), ("visits", OF_VISITS)):
        found.append(Field(table, "person", "person", FieldType.INTEGER, Role.ID))
        found += [replace(described[name], table=table) for name in names]
    return Dictionary((*found, Field("visits", "visit", "visit", FieldType.INTEGER, Role.FREE, decimals=0)))


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Scene:
    """Heart has its dates shifted by up to three weeks, Bone not at all."""
    made = Scene(tmp_path_factory.mktemp("visits")).founded()
    for name, table in tables().items():
        table.write_csv(made.file(f"{name}.csv"))
    made.file("dictionary.csv").write_text(to_csv(dictionary()))
    files = (made.file("people.csv"), made.file("visits.csv"))
    given = ("--dictionary", made.file("dictionary.csv"), "--id", "person", "--key", "visit", "--duo", "GRU")
    made.done("dataset", "add", "COHORT", *files, *given)
    made.project(HEART, "--date-shifts", str(DAYS), dataset="COHORT")
    made.project(BONE, dataset="COHORT")
    for ending in ENDINGS:
        made.copy(HEART, f"heart{ending}")
    made.copy(BONE)
    return made


@pytest.fixture
def own(scene: Scene, tmp_path: Path) -> Iterator[Scene]:
    with scene.taken(tmp_path) as taken:
        yield taken


def columns(scene: Scene, copy: str, table: str) -> Mapping[str, NDArray[np.float64]]:
    """Read ids and dates (in days) of a table of a copy, as whoever gets the file does."""
    source = read_table(scene.file(copy) / f"{table}{Path(copy).suffix}")
    wanted = ("person", *DATES[table])
    return {name: number(typed(source.table[name], source.facts(name)).values) for name in wanted}


def number(values: pa.Array) -> NDArray[np.float64]:
    days = values.cast(pa.date32()).cast(pa.int32()) if pa.types.is_temporal(values.type) else values
    return np.asarray(days.cast(pa.float64()).to_numpy(zero_copy_only=False))


def shifts(scene: Scene, copy: str) -> dict[int, set[float]]:
    """Give by participant the days by which any date of any table of a copy moved."""
    found: dict[int, set[float]] = {}
    for table, frame in tables().items():
        shown = columns(scene, copy, table)
        for name in DATES[table]:
            master = frame[name].dt.epoch("d").to_numpy().astype(float)
            for person, moved in zip(frame["person"].to_list(), shown[name] - master, strict=True):
                found.setdefault(person, set()).add(moved)
    return found


@pytest.mark.parametrize("ending", ENDINGS)
def test_dates_of_a_participant_move_alike_in_all_tables_and_formats(scene: Scene, ending: str) -> None:
    moved, first = shifts(scene, f"heart{ending}"), shifts(scene, "heart.parquet")
    assert {len(each) for each in moved.values()} == {1}
    assert moved == first
    drawn = np.array([next(iter(each)) for each in moved.values()])
    assert np.abs(drawn).max() <= DAYS
    assert len(np.unique(drawn)) > DAYS


def test_dates_stay_where_no_shift_was_accepted(scene: Scene) -> None:
    assert set().union(*shifts(scene, "bone.parquet").values()) == {0.0}


@pytest.mark.parametrize("ending", ENDINGS)
def test_the_ids_of_a_participant_are_the_same_in_all_tables_and_formats(scene: Scene, ending: str) -> None:
    for table, frame in tables().items():
        ids = columns(scene, f"heart{ending}", table)["person"]
        np.testing.assert_array_equal(ids, columns(scene, "heart.parquet", table)["person"])
        assert len(np.unique(ids)) == frame["person"].n_unique()
    people, visits = (columns(scene, f"heart{ending}", table)["person"] for table in DATES)
    np.testing.assert_array_equal(visits[:PEOPLE], people)


def test_ids_pass_through_a_workbook_unchanged(scene: Scene, tmp_path: Path) -> None:
    shown = pl.read_parquet(scene.file("heart.parquet") / "people.parquet")
    book = openpyxl.Workbook()
    for line in (shown.columns, *shown.rows()):
        book.active.append(list(line))
    book.save(tmp_path / "people.xlsx")
    source = read_table(tmp_path / "people.xlsx")
    assert typed(source.table["person"], source.facts("person")).values.to_pylist() == shown["person"].to_list()


def figures(scene: Scene, *leak: Path) -> dict[str, float]:
    ended = scene.run("trace", *leak, "--json")
    assert (ended.code, [one["project"] for one in ended.json["named"]]) == (4, [HEART]), ended.out
    scene.done("case", "show", ended.json["case"], "--file", scene.file("case.json"))
    checked = scene.run("case", "verify", scene.file("case.json"), "--vkey", scene.custody / "log" / "vkey", "--json")
    assert (checked.code, checked.json["figures_agree"], checked.json["cells_opened"]) == (0, True, True)
    return dict(json.loads(scene.file("case.json").read_text())["names"][0]["figures"])


def test_shifted_dates_and_ids_add_to_the_evidence_each_once(own: Scene) -> None:
    copy = own.file("heart.csv")
    people = pl.read_csv(copy / "people.csv", try_parse_dates=True).sample(12, seed=1, shuffle=True)
    visits = pl.read_csv(copy / "visits.csv", try_parse_dates=True).filter(pl.col("person").is_in(people["person"]))
    bare = [own.leak(each.drop(pl.col(pl.Date)), f"{name}.csv") for name, each in (("p", people), ("v", visits))]
    without = figures(own, *bare)
    with_dates = figures(own, own.leak(people, "p.csv"), own.leak(visits, "v.csv"))
    per_person = with_dates["log10_evidence"] - without["log10_evidence"]
    assert 0.8 * 12 * np.log10(2 * DAYS + 1) - 1 < per_person < 12 * np.log10(2 * DAYS + 1)
    people.write_csv(own.file("p.csv"))
    with_ids = figures(own, own.file("p.csv"), own.file("v.csv"))
    assert with_ids["log10_evidence"] > with_dates["log10_evidence"] + 12 * 14
    assert with_ids["log10_evidence_without_ids"] == pytest.approx(with_dates["log10_evidence"], abs=1)


def test_ids_and_shifts_of_a_public_case_are_spent_and_other_cells_are_not(own: Scene) -> None:
    rows = pl.read_csv(own.file("heart.csv") / "people.csv", try_parse_dates=True).sample(24, seed=2, shuffle=True)
    rows[:12].write_csv(own.file("first.csv"))
    case = own.run("trace", own.file("first.csv"), "--json").json
    assert [one["project"] for one in case["named"]] == [HEART]
    framing = rows[:12].select("person", "sex", pl.col(pl.Date))  # ids and dates as the case file tells them
    master = tables()["people"].with_row_index()
    known = pl.DataFrame({"person": rows["person"]}).with_columns(place(own, rows["person"]).alias("index"))
    beside = framing.join(known, on="person").join(master.drop("person", "sex", *DATES["people"]), on="index")
    beside.drop("index").write_csv(own.file("framing.csv"))
    framed = own.run("trace", own.file("framing.csv"), "--json").json  # while nobody but the custodian can make it
    assert [one["project"] for one in framed["named"]] == [HEART]
    own.done("case", "publish", case["case"])
    assert own.run("trace", own.file("framing.csv"), "--json").json["named"] == []
    rows[12:].write_csv(own.file("second.csv"))
    again = own.run("trace", own.file("second.csv"), "--json").json
    assert [one["project"] for one in again["named"]] == [HEART]
    own.done("case", "show", again["case"], "--file", own.file("case.json"))
    name = json.loads(own.file("case.json").read_text())["names"][0]
    assert (set(name["ids"]), name["released"]) == ({"-"}, 0)
    assert set(name["moves"]) <= {"0", "1"}


def place(scene: Scene, ids: pl.Series) -> pl.Series:
    order = {one: at for at, one in enumerate(pl.read_csv(scene.file("heart.csv") / "people.csv")["person"])}
    return pl.Series([order[one] for one in ids], dtype=pl.UInt32)


def numbered(scene: Scene, version: int) -> dict[tuple[int, int], int]:
    """Give the row number of each visit of a version."""
    tables = catalogue.versions(scene.occasion(), "COHORT")
    found = next(one for one in tables if one.number == version)
    path = scene.home.outside.storage.path(next(one.sha256 for one in found.tables if one.table == "visits"))
    rows = pl.read_parquet(path)
    return {(person, visit): row for person, visit, row in rows.select("person", "visit", "__row").iter_rows()}


def test_rows_of_a_table_that_a_version_leaves_out_have_their_numbers_when_it_comes_back(own: Scene) -> None:
    described = dictionary()
    own.file("people.alone.csv").write_text(to_csv(Dictionary(described.of("people"))))
    words = ("--id", "person", "--key", "visit")
    own.done("dataset", "add", "COHORT", own.file("people.csv"), "--dictionary", own.file("people.alone.csv"), *words)
    later = tables()["visits"].filter(pl.col("person") >= 5_100).with_columns(pl.col("visit") + 1)
    later.write_csv(own.file("visits.csv"))
    files = (own.file("people.csv"), own.file("visits.csv"))
    own.done("dataset", "add", "COHORT", *files, "--dictionary", own.file("dictionary.csv"), *words)
    first, third = numbered(own, 1), numbered(own, 3)
    assert len(first.keys() & third.keys()) > 50
    assert all(first[one] == third[one] for one in first.keys() & third.keys())
    assert not set(first.values()) & {row for one, row in third.items() if one not in first}
