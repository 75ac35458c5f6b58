"""A table of a copy on its way to a file and back: whatever the format, every cell of it is what it should be."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from copyhold.domain.catalogue import Field, FieldType, Role
from copyhold.engines.marks.copies import MISMATCH, decode, decode_all, distinct, utility, write_copy
from copyhold.engines.marks.embedding import DecodeCheck, Embedding
from copyhold.engines.marks.keys import PartyKeys
from copyhold.engines.tables.extracts import Extract
from copyhold.engines.tables.snapshots import TYPES
from tests.engines.marks.nhanes import PLAN_KEY, TABLE, TIES, TOLERANCES, dictionary, snapshot
from tests.engines.marks.test_embedding import KEYS, NAMES
from tests.engines.marks.test_plan import nhanes_plan

NOTE = Field(TABLE, "NOTE", "NOTE", FieldType.TEXT, Role.FREE, missing_codes=("refused to answer",))
DRINKS = Field(TABLE, "DRINKS", "DRINKS", FieldType.CATEGORY, Role.FREE, missing_codes=("777", "999"))
FIELDS = (*dictionary().of(TABLE), NOTE, DRINKS)
RELEASED = tuple(name for name in NAMES if name in {"SEQN", "CYCLE", *TOLERANCES, *TIES})
ENDINGS = (".parquet", ".csv", ".sav", ".dta", ".xpt")
NOTES = ["plain", "", None, " before", "after  ", 'a "quoted", cell', "two\nlines", "=1+1", "NA", "007", "5.10"]


@pytest.fixture(scope="module")
def master(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """NHANES as a snapshot has it, with columns of awkward texts and codes."""
    table = snapshot()
    notes = pa.array([NOTES[row % len(NOTES)] for row in range(len(table))], pa.string())
    drinks = pa.array([("0", "3", "777", None, "999")[row % 5] for row in range(len(table))], pa.string())
    table = table.append_column("NOTE", notes).append_column("DRINKS", drinks)
    kept = {one.name: TYPES[one.type] for one in FIELDS}
    kinds = [pa.field(one.name, kept.get(one.name, one.type)) for one in table.schema]
    path = tmp_path_factory.mktemp("master") / "people.parquet"
    pq.write_table(table.cast(pa.schema(kinds)), path, row_group_size=25_000)
    return path


@pytest.fixture(scope="module")
def few(master: Path) -> Path:
    """The first of them."""
    path = master.with_name("few.parquet")
    pq.write_table(pq.read_table(master).slice(0, 1_200), path)
    return path


def extract(path: Path, *more: str) -> Extract:
    return Extract(path, FIELDS, (*RELEASED, *more))


def marking(*more: str, keys: PartyKeys = KEYS) -> Embedding:
    return Embedding(nhanes_plan(), PLAN_KEY, keys, TABLE, FIELDS, (*RELEASED, *more))


@pytest.mark.parametrize("ending", ENDINGS)
def test_every_cell_reads_back_from_every_format(few: Path, tmp_path: Path, ending: str) -> None:
    of, under = extract(few, "NOTE", "DRINKS"), marking("NOTE", "DRINKS")
    copy = write_copy(of, under, tmp_path / f"copy{ending}")
    check = decode(copy, of, under)
    assert (check.passed, check.cells + check.others) == (True, 1_200 * (len(RELEASED) + 2))
    assert check.cells > 5_000
    assert decode_all(copy.written.path, of, under) == check


@pytest.mark.parametrize("ending", ENDINGS)
def test_no_other_partys_marks_and_no_unmarked_original_pass_for_a_copy(few: Path, tmp_path: Path, ending: str) -> None:
    of, others = extract(few), marking(keys=PartyKeys(b"x" * 32, b"i" * 32, b"d" * 32))
    copy = write_copy(of, marking(), tmp_path / f"copy{ending}")
    check = decode(copy, of, others)
    assert check.wrong > 0.2 * check.cells
    assert not check.passed


def test_a_large_copy_is_looked_at_in_places(master: Path, tmp_path: Path) -> None:
    of, under = extract(master), marking()
    shares: list[float] = []
    copy = write_copy(of, under, tmp_path / "copy.parquet", step=shares.append)
    check = decode(copy, of, under)
    assert (check.passed, check.cells + check.others) == (True, 10_000 * len(RELEASED))
    assert [place.rows for place in copy.places] == [2_500] * 4
    assert (shares[-1], copy.written.rows, len(copy.participants)) == (1.0, 82_097, 82_097)


Damage = Callable[[pl.DataFrame], pl.DataFrame]


@pytest.mark.parametrize(
    ("damage", "found"),
    [
        (lambda copy: copy.with_columns(LBXSGL=pl.when(pl.int_range(pl.len()) == 5).then(999).otherwise("LBXSGL")), 1),
        (lambda copy: copy.with_columns(CYCLE=pl.when(pl.int_range(pl.len()) == 7).then(None).otherwise("CYCLE")), 1),
        (lambda copy: copy.with_columns(SEQN=pl.when(pl.int_range(pl.len()) == 9).then(1).otherwise("SEQN")), 1),
        (lambda copy: copy.select(*copy.columns[1:], copy.columns[0]), 1),
        (lambda copy: copy.rename({"LBXSGL": "GLUCOSE"}), 1),
        (lambda copy: copy.head(1_199), 1),
        (lambda copy: pl.concat([copy, copy.head(1)]), 1),
    ],
    ids=["cell", "missing", "id", "order", "name", "shorter", "longer"],
)
def test_what_is_not_the_copy_is_found(few: Path, tmp_path: Path, damage: Damage, found: int) -> None:
    of, under = extract(few), marking()
    path = write_copy(of, under, tmp_path / "copy.parquet").written.path
    damage(pl.read_parquet(path)).write_parquet(path)
    check = decode_all(path, of, under)
    assert check.wrong + check.altered >= found
    assert not check.passed


def test_rows_that_are_missing_from_the_file_do_not_pass(few: Path, tmp_path: Path) -> None:
    of, under = extract(few), marking()
    copy = write_copy(of, under, tmp_path / "copy.parquet")
    shorter = replace(copy, written=replace(copy.written, rows=1_199))
    assert decode(shorter, of, under) == decode(copy, of, under) + MISMATCH
    pl.read_parquet(copy.written.path).head(1_000).write_parquet(copy.written.path)
    assert not decode(copy, of, under).passed


def test_participants_are_told_once_each() -> None:
    numbers = pa.array([4, 1, 4, 0, 1], pa.uint64()).to_numpy()
    assert distinct([numbers, numbers[:2]]).tolist() == [0, 1, 4]
    assert distinct([numbers[:0]]).tolist() == []
    assert distinct([pa.array([0], pa.uint64()).to_numpy()]).tolist() == [0]
    assert distinct([pa.array([2**64 - 1], pa.uint64()).to_numpy()]).tolist() == [2**64 - 1]


def test_utility_is_measured_on_a_control_copy_of_the_rows_that_leave(few: Path) -> None:
    told = utility(extract(few), Embedding(nhanes_plan(), PLAN_KEY, KEYS, TABLE, FIELDS, RELEASED[1:]))
    assert told["rows"] == 1_200
    assert {"BMXWT", "BMXBMI"} <= set(told["fields"])  # type: ignore[arg-type] # a mapping by field


def test_checks_add_up() -> None:
    assert (DecodeCheck(3, 0, 4, 0) + DecodeCheck(1, 1, 1, 0)) == DecodeCheck(4, 1, 5, 0)
