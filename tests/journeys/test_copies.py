"""Copies of real people's measurements, made by the job: who is in them, what holds in them, and what never leaves."""

import os
import signal
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from hashlib import sha256
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from copyhold.actions import catalogue, parties, releases
from copyhold.adapters.keys_file import FileKeys
from copyhold.config.database import close
from copyhold.domain.catalogue import Dictionary, Field, FieldType, Role
from copyhold.domain.errors import ConflictError, IntegrityError, InvalidInputError, UnavailableError
from copyhold.domain.parties import Person
from copyhold.domain.projects import Project
from copyhold.domain.releases import Release, State, Traceability
from copyhold.domain.verdicts import Refused
from copyhold.engines.marks.copies import write_copy
from copyhold.engines.tables.dictionary import to_csv
from copyhold.jobs import releases as jobs
from copyhold.jobs.catalogue import versions as datasets
from copyhold.ports import Home, Occasion
from tests import make
from tests.engines.marks.nhanes import TABLE, TIES, TOLERANCES, dictionary
from tests.journeys.test_dataset import NHANES
from tests.world import World

ROWS = 3_000
KEPT = {"SEQN", "CYCLE", *TOLERANCES, *TIES}


def _accepted(one: Field) -> Field:
    """A field as a custodian declares it: what is computed from others is not marked."""
    return replace(one, mark=False, tolerance=None) if any(tie[0] == "=" for tie in one.ties) else one


SEEN = Field(TABLE, "SEEN", "SEEN", FieldType.DATE, Role.QUASI)
DRINKS = Field(TABLE, "DRINKS", "DRINKS", FieldType.INTEGER, Role.FREE, decimals=0, missing_codes=("777", "refused"))
NAME = Field(TABLE, "NAME", "NAME", FieldType.TEXT, Role.DIRECT)
FIELDS = Dictionary((*(_accepted(one) for one in dictionary().fields if one.name in KEPT), SEEN, DRINKS, NAME))
VISIT = "visits"
VISITS = (
    Field(VISIT, "SEQN", "SEQN", FieldType.INTEGER, Role.ID),
    Field(VISIT, "CODE", "CODE", FieldType.CATEGORY, Role.SENSITIVE),
    Field(VISIT, "ON", "ON", FieldType.DATE, Role.QUASI),
)


@dataclass
class Custody:
    """A world with a dataset of real people in it, and the folder outside where copies are put."""

    world: World
    home: Home
    folder: Path

    def occasion(self) -> Occasion:
        return self.world.by()

    def add(self, dictionary: Dictionary = FIELDS, *, ids: bool = True, **tables: pl.DataFrame) -> None:
        """Add the next version, each table from a CSV file."""
        for name, table in tables.items():
            table.write_csv(self.folder / f"{name}.csv")
        (self.folder / "dictionary.csv").write_text(to_csv(dictionary))
        files = tuple(self.folder / f"{name}.csv" for name in tables)
        keys = ("ON",) if VISIT in tables else ()
        sources = datasets.Sources(files, self.folder / "dictionary.csv", "SEQN" if ids else None, keys)
        datasets.add(self.home, self.occasion, "NHANES", sources, terms=("GRU",), step=quiet)

    def project(self, lead: Person | None = None, **scope: object) -> Project:
        return make.running_project(self.world, lead=lead, **scope)

    def ask(self, project: Project, waiver: str = "") -> Release:
        return releases.request(self.occasion(), project.name, self.lead(project), waiver=waiver)

    def lead(self, project: Project) -> str:
        return next(one.email for one in parties.people(self.occasion()) if one.id == project.lead)

    def copy(self, project: Project, name: str = "copy.parquet", waiver: str = "", rows: int = 25_000) -> Release:
        """Ask for a copy, make it and put it outside."""
        asked = self.ask(project, waiver)
        return jobs.make(self.home, self.occasion, asked.id, self.folder / name, step=quiet, rows=rows)

    def read(self, name: str = "copy.parquet") -> pl.DataFrame:
        return pl.read_parquet(self.folder / name)

    def outside(self) -> set[str]:
        """What stands in the folder outside beside the sources."""
        return {path.name for path in self.folder.iterdir()} - {"people.csv", "visits.csv", "dictionary.csv"}


def quiet(_name: str, _share: float) -> None:
    """Tell nobody."""


@pytest.fixture
def custody(world: World, tmp_path: Path) -> Custody:
    (tmp_path / "outside").mkdir()
    home = Home(tmp_path, world.by().actor, lambda: world.by().at, world.outside)
    return Custody(world, home, tmp_path / "outside")


@pytest.fixture(scope="module")
def people() -> pl.DataFrame:
    """Measured people of all cycles, with a day on which they were seen and a name."""
    table = pl.read_parquet(NHANES).filter(pl.col("BMXBMI").is_not_null(), pl.col("LBXSGL").is_not_null())
    table = table.select(name for name in table.columns if name in KEPT).sample(ROWS, seed=1).sort("SEQN")
    days = pl.Series("SEEN", [date(2001, 1, 1) + timedelta(days=7 * place % 3000) for place in range(ROWS)])
    drinks = pl.Series("DRINKS", [("0", "3", "777", "refused", None)[place % 5] for place in range(ROWS)])
    return table.with_columns(days, drinks, (pl.lit("Person ") + pl.col("SEQN").cast(pl.String)).alias("NAME"))


@pytest.fixture(scope="module")
def visits(people: pl.DataFrame) -> pl.DataFrame:
    """One or two visits of every second person."""
    chosen = people["SEQN"].gather_every(2)
    codes = ["I10", "E11"] * (len(chosen) // 2)
    first = pl.DataFrame({"SEQN": chosen, "CODE": codes, "ON": [date(2005, 5, 1)] * len(chosen)})
    again = first.head(500).with_columns(pl.lit(date(2006, 5, 1)).alias("ON"))
    return pl.concat([first, again])


@pytest.fixture
def filled(custody: Custody, people: pl.DataFrame) -> Custody:
    custody.add(people=people)
    return custody


def test_a_copy_holds_the_fields_in_order_with_the_partys_own_ids_first(filled: Custody, people: pl.DataFrame) -> None:
    made = filled.copy(filled.project())
    copy = filled.read()
    assert copy.columns == [name for name in people.columns if name != "NAME"]
    assert made.released_fields == tuple(copy.columns)
    assert (made.rows, made.participants, made.version_number) == (ROWS, ROWS, 1)
    assert made.traceability is Traceability.NUMERIC_MARKS
    assert not set(copy["SEQN"]) & set(people["SEQN"])
    assert copy["SEQN"].n_unique() == ROWS
    assert copy["SEQN"].max() < 10**15
    assert copy["DRINKS"].head(5).to_list() == [0, 3, 777, None, None]
    for name in ("CYCLE", "RIAGENDR", "SEEN"):
        assert copy[name].cast(people[name].dtype).to_list() == people[name].to_list()
    assert (copy["LBXSGL"] != people["LBXSGL"]).mean() > 0.1


def test_ties_hold_as_often_as_in_the_master(filled: Custody, people: pl.DataFrame) -> None:
    filled.copy(filled.project())
    copy, master = filled.read(), people

    def holding(table: pl.DataFrame) -> list[np.ndarray]:
        bmi = (10_000 * table["BMXWT"] / table["BMXHT"] ** 2 - table["BMXBMI"]).abs() <= 0.0500001
        ldl = (table["LBXTC"] - table["LBDHDD"] - 0.2 * table["LBXTR"] - table["LBDLDL"]).abs() <= 0.5000001
        globulin = (table["LBXSTP"] - table["LBXSAL"] - table["LBXSGB"]).abs() <= 0.0500001
        order = table["BPXDI1"] <= table["BPXSY1"]
        return [one.fill_null(False).to_numpy() for one in (bmi, ldl, globulin, order)]

    for before, after in zip(holding(master), holding(copy), strict=True):
        assert before.any()
        assert (before == after).all()
    assert (copy["BMXBMI"] != master["BMXBMI"]).any()


def test_a_withdrawn_participant_is_absent_from_every_later_copy(filled: Custody, people: pl.DataFrame) -> None:
    project, gone = filled.project(), people["SEQN"].gather_every(97).to_list()
    filled.copy(project, "before.parquet")
    catalogue.withdraw(filled.occasion(), "NHANES", tuple(map(str, gone)))
    made = filled.copy(project, "after.parquet")
    before, after = filled.read("before.parquet"), filled.read("after.parquet")
    assert made.rows == ROWS - len(gone)
    left = before.filter(people["SEQN"].is_in(gone))["SEQN"]
    assert not set(left) & set(after["SEQN"])
    assert after.equals(before.filter(~before["SEQN"].is_in(left)))
    filled.add(people=people)  # the next version brings them back into the master, not into a copy
    assert filled.copy(project, "refreshed.parquet").rows == ROWS - len(gone)
    other = filled.copy(filled.project(), "other.csv")
    assert other.rows == ROWS - len(gone)


def test_a_withdrawal_while_the_copy_is_made_has_it_made_again(filled: Custody, people: pl.DataFrame) -> None:
    asked, called = filled.ask(filled.project()), []

    def occasion() -> Occasion:
        called.append(None)
        if len(called) == 2:  # the order was given, the copy is written, it is about to be issued
            catalogue.withdraw(filled.occasion(), "NHANES", (str(people["SEQN"][0]),))
        return filled.occasion()

    made = jobs.make(filled.home, occasion, asked.id, filled.folder / "copy.parquet", step=quiet)
    assert (made.rows, len(called)) == (ROWS - 1, 4)
    assert filled.read().height == ROWS - 1


def test_ids_stay_over_refreshes_and_differ_between_parties(custody: Custody, people: pl.DataFrame) -> None:
    custody.add(people=people.head(2_000))
    project = custody.project()
    custody.copy(project, "first.parquet")
    custody.add(people=people)
    again = custody.copy(project, "again.parquet")
    custody.copy(custody.project(), "other.parquet")
    first, refreshed, other = (custody.read(f"{name}.parquet") for name in ("first", "again", "other"))
    assert again.version_number == 2
    assert refreshed.head(2_000)["SEQN"].to_list() == first["SEQN"].to_list()
    assert refreshed.head(2_000)["LBXSGL"].to_list() == first["LBXSGL"].to_list()
    assert not set(other["SEQN"]) & set(refreshed["SEQN"])
    assert other["LBXSGL"].to_list() != refreshed["LBXSGL"].to_list()


def test_the_same_copy_has_the_same_bytes_however_the_master_was_read(filled: Custody) -> None:
    project = filled.project()
    for ending in (".parquet", ".csv", ".sav", ".dta"):
        made = [filled.copy(project, f"{rows}{ending}", rows=rows).sha256 for rows in (211, 1_000, 25_000)]
        assert len(set(made)) == 1


def test_the_cohort_is_judged_on_the_masters_values(filled: Custody, people: pl.DataFrame) -> None:
    made = filled.copy(
        filled.project(where="LBXSGL >= 101 AND RIAGENDR = '1'", fields=("LBXSGL", "BMXWT")), waiver="two fields"
    )
    chosen = people.filter(pl.col("LBXSGL") >= 101, pl.col("RIAGENDR") == 1)
    copy = filled.read()
    assert copy.columns == ["SEQN", *(name for name in people.columns if name in ("LBXSGL", "BMXWT"))]
    assert made.rows == copy.height == chosen.height
    assert ((copy["LBXSGL"] - chosen["LBXSGL"]).abs() <= 4).all()


def test_a_scope_that_leaves_nobody_or_names_people_directly_is_told(filled: Custody) -> None:
    for condition, told in (("LBXSGL < 0", "leaves nobody"), ("NAME = 'Person 1'", "does not have")):
        with pytest.raises(InvalidInputError, match=told):
            filled.copy(filled.project(where=condition))
    assert filled.outside() == set()


def test_dates_move_where_that_was_accepted_and_per_participant(
    custody: Custody, people: pl.DataFrame, visits: pl.DataFrame
) -> None:
    custody.add(Dictionary((*FIELDS.fields, *VISITS)), people=people, visits=visits)
    made = custody.copy(custody.project(date_shifts=30), "copy")
    assert made.path == str(custody.folder / "copy")
    copies = {name: custody.read(f"copy/{name}.parquet") for name in ("people", "visits")}
    moved = (copies["people"]["SEEN"] - people["SEEN"]).dt.total_days()
    assert moved.abs().max() == 30
    assert moved.n_unique() == 61
    of = dict(zip(copies["people"]["SEQN"], moved, strict=True))
    visited = (copies["visits"]["ON"] - visits["ON"]).dt.total_days()
    assert [of[one] for one in copies["visits"]["SEQN"]] == visited.to_list()
    still = custody.copy(custody.project(), "still")
    assert still.traceability is Traceability.NUMERIC_MARKS
    assert custody.read("still/people.parquet")["SEEN"].to_list() == people["SEEN"].to_list()


def test_a_dataset_of_several_tables_is_a_folder_with_one_hash(
    custody: Custody, people: pl.DataFrame, visits: pl.DataFrame
) -> None:
    custody.add(Dictionary((*FIELDS.fields, *VISITS)), people=people, visits=visits)
    made = custody.copy(custody.project(), "copy.csv")
    assert {path.name for path in (custody.folder / "copy.csv").iterdir()} == {"people.csv", "visits.csv"}
    assert (made.rows, made.participants) == (ROWS + visits.height, ROWS)
    files = [(custody.folder / "copy.csv" / f"{table}.csv").read_bytes() for table in ("people", "visits")]
    digests = [sha256(one).hexdigest() for one in files]
    told = f'["people","{digests[0]}"],["visits","{digests[1]}"]'
    assert made.sha256 == sha256(f"[{told}]".encode()).hexdigest()
    assert made.size_bytes == sum(map(len, files))
    assert jobs.verify(custody.home, custody.occasion, made.id, None, step=quiet).passed
    only = custody.copy(custody.project(fields=("CODE",)), "codes", waiver="no numbers")
    assert {path.name for path in (custody.folder / "codes").iterdir()} == {"visits.parquet"}
    assert (only.rows, only.traceability) == (visits.height, Traceability.IDS_ONLY)
    lines = (custody.folder / "copy.csv" / "visits.csv").read_bytes()
    (custody.folder / "copy.csv" / "visits.csv").write_bytes(lines.replace(b"I10", b"I11", 1))
    found = jobs.verify(custody.home, custody.occasion, made.id, None, step=quiet)
    assert (found.passed, found.decodes) == (False, False)


def test_a_table_in_which_nobody_chosen_has_a_row_is_left_out(
    custody: Custody, people: pl.DataFrame, visits: pl.DataFrame
) -> None:
    light = people.filter(pl.col("BMXWT") < 40)["SEQN"]
    custody.add(
        Dictionary((*FIELDS.fields, *VISITS)), people=people, visits=visits.filter(~pl.col("SEQN").is_in(light))
    )
    made = custody.copy(custody.project(where="BMXWT < 40"), "copy.csv", waiver="few people")
    assert [path.name for path in Path(made.path).iterdir()] == ["people.csv"]
    assert (made.rows, made.participants) == (len(light), len(light))
    assert jobs.verify(custody.home, custody.occasion, made.id, None, step=quiet).passed


def test_decimals_stay_as_the_master_has_them_written(custody: Custody, people: pl.DataFrame) -> None:
    fields = Dictionary(tuple(one for one in FIELDS.fields if one.name in ("SEQN", "CYCLE", "LBXSCR", "LBXSAL")))
    table = people.select("SEQN", "CYCLE", "LBXSCR", "LBXSAL").drop_nulls()
    written = [f"{one:.2f}" for one in table["LBXSCR"]]  # 0.90, never 0.9
    shortest = [f"{one:g}" for one in table["LBXSAL"]]  # 4, never 4.0
    custody.add(fields, people=table.with_columns(LBXSCR=pl.Series(written), LBXSAL=pl.Series(shortest)))
    custody.copy(custody.project(), "copy.csv", waiver="two fields")
    copy = pl.read_csv(custody.folder / "copy.csv", infer_schema=False)
    assert {len(one.partition(".")[2]) for one in copy["LBXSCR"]} == {2}
    assert not any(one.endswith((".0", ".00")) for one in copy["LBXSAL"])


def test_a_copy_below_the_policys_power_needs_a_recorded_reason(filled: Custody) -> None:
    project = filled.project(fields=("CYCLE", "LBXSGL"))
    with pytest.raises(Refused) as refused:
        filled.copy(project)
    assert [one.code for one in refused.value.verdict.reasons] == ["BELOW_POWER"]
    assert filled.outside() == set()
    made = filled.copy(project, waiver="one field is all that is asked")
    assert (made.state, made.waiver) == (State.ISSUED, "one field is all that is asked")
    assert set(made.power) == {"none", "five_columns", "rounded", "noise", "two_leakers"}


def test_without_ids_to_find_the_withdrawn_by_no_copy_is_made(custody: Custody, people: pl.DataFrame) -> None:
    fields = Dictionary(tuple(one for one in FIELDS.fields if one.name in ("CYCLE", "LBXSGL", "LBXSCH")))
    custody.add(fields, ids=False, people=people.select("CYCLE", "LBXSGL", "LBXSCH"))
    project = custody.project()
    made = custody.copy(project, waiver="two marked fields")
    assert (made.rows, made.released_fields[0]) == (ROWS, "CYCLE")
    catalogue.withdraw(custody.occasion(), "NHANES", ("1",))
    with pytest.raises(InvalidInputError, match="no ids to find them by"):
        custody.copy(project, "again.parquet", waiver="two marked fields")
    assert custody.outside() == {"copy.parquet"}


def test_what_came_to_the_place_meanwhile_is_not_replaced(filled: Custody) -> None:
    asked, called = filled.ask(filled.project()), []

    def occasion() -> Occasion:
        called.append(None)
        if len(called) == 2:
            (filled.folder / "copy.parquet").write_text("somebody else's")
        return filled.occasion()

    with pytest.raises(UnavailableError, match="nobody has it"):
        jobs.make(filled.home, occasion, asked.id, filled.folder / "copy.parquet", step=quiet)
    assert (filled.folder / "copy.parquet").read_text() == "somebody else's"
    assert filled.outside() == {"copy.parquet"}
    assert releases.show(filled.occasion(), asked.id).release.state is State.ISSUED


@pytest.mark.parametrize("moment", ["_result", "_hand_out"])
def test_a_process_killed_while_it_makes_a_copy_leaves_none_that_is_not_on_record(filled: Custody, moment: str) -> None:
    asked = filled.ask(filled.project())

    def killed(*_: object) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    def make_and_die() -> None:
        setattr(jobs, moment, killed)
        jobs.make(filled.home, filled.occasion, asked.id, filled.folder / "copy.parquet", step=quiet)

    assert os.WTERMSIG(ended(make_and_die)) == signal.SIGKILL
    assert filled.outside() == set()
    state = releases.show(filled.occasion(), asked.id).release.state
    assert state is (State.REQUESTED if moment == "_result" else State.ISSUED)
    if state is State.REQUESTED:  # what was asked for is made when it is asked for again
        jobs.make(filled.home, filled.occasion, asked.id, filled.folder / "copy.parquet", step=quiet)
    else:
        filled.copy(filled.project())
    assert filled.outside() == {"copy.parquet"}


def test_a_copy_that_does_not_read_back_as_its_partys_is_never_issued(
    filled: Custody, monkeypatch: pytest.MonkeyPatch
) -> None:
    def spoiled(*given: object, **named: object) -> object:
        copy = write_copy(*given, **named)  # type: ignore[arg-type] # passed on as given
        path = copy.written.path
        one = pl.int_range(pl.len()) == 1_234
        pl.read_parquet(path).with_columns(RIAGENDR=pl.when(one).then(pl.lit("3")).otherwise("RIAGENDR")).write_parquet(
            path
        )
        return copy

    monkeypatch.setattr(jobs, "write_copy", spoiled)
    asked = filled.ask(filled.project())
    with pytest.raises(Refused) as refused:
        jobs.make(filled.home, filled.occasion, asked.id, filled.folder / "copy.parquet", step=quiet)
    assert [one.code for one in refused.value.verdict.reasons] == ["MARKS_NOT_DECODED"]
    assert filled.outside() == set()


def test_a_key_that_is_not_the_one_committed_to_marks_nothing(filled: Custody, people: pl.DataFrame) -> None:
    project = filled.project()
    filled.copy(project)
    asked = filled.ask(project)
    other = FileKeys.create(filled.folder.parent / "other keys", os.urandom)
    outside = replace(filled.home.outside, keys=other)
    with pytest.raises(IntegrityError, match="not the one that the log commits to"):
        jobs.make(replace(filled.home, outside=outside), filled.occasion, asked.id, None, step=quiet)


def ended(what: Callable[[], object]) -> int:
    """Run something in a process of its own, with a connection of its own; give how it ended."""
    close()
    child = os.fork()
    if child == 0:
        try:
            what()
        finally:
            os._exit(1)  # the child must never come back into the test
    return os.waitpid(child, 0)[1]


def test_a_copy_never_replaces_anything_and_goes_only_where_it_can(filled: Custody) -> None:
    project = filled.project()
    filled.copy(project)
    with pytest.raises(ConflictError, match="exists already"):
        filled.copy(project)
    for name, told in (("copy.rds", "must be one of"), ("nowhere/copy.csv", "There is no folder")):
        with pytest.raises(InvalidInputError, match=told):
            filled.copy(project, name)
    assert filled.outside() == {"copy.parquet"}
