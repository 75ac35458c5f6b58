"""What leaves of a snapshot, and the places at which a copy is looked at again."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from copyhold.domain.catalogue import Dictionary, Field, FieldType, Role
from copyhold.domain.errors import InvalidInputError
from copyhold.engines.tables.blocks import AMBIGUOUS, PARTICIPANT, ROW
from copyhold.engines.tables.extracts import Extract, cohort, identified, scope
from copyhold.engines.tables.places import ALIGNED, PLACES, ROWS, Place, gathered, places, read_places
from copyhold.engines.tables.sources import Kind
from copyhold.engines.tables.writing import write

PEOPLE = (
    Field("people", "age", "age", FieldType.INTEGER, Role.QUASI),
    Field("people", "eid", "eid", FieldType.TEXT, Role.ID),
    Field("people", "name", "name", FieldType.TEXT, Role.DIRECT),
    Field("people", "bmi", "bmi", FieldType.DECIMAL, Role.FREE, decimals=1),
)
VISITS = (
    Field("visits", "eid", "eid", FieldType.TEXT, Role.ID),
    Field("visits", "code", "code", FieldType.CATEGORY, Role.SENSITIVE),
)
BOTH = Dictionary((*PEOPLE, *VISITS))


def stored(folder: Path, rows: int, groups: int = 100) -> Path:
    """A snapshot of two rows per participant."""
    numbers = np.arange(rows, dtype=np.uint64)
    table = pa.table(
        {
            ROW: numbers,
            PARTICIPANT: numbers // 2,
            AMBIGUOUS: np.zeros(rows, dtype=bool),
            "age": np.arange(rows) % 90,
            "eid": [f"p{number // 2}" for number in range(rows)],
            "bmi": np.round(20 + np.arange(rows) % 100 / 10, 1),
        }
    )
    pq.write_table(table, folder / "people.parquet", row_group_size=groups)
    return folder / "people.parquet"


def extract(path: Path, **chosen: list[int]) -> Extract:
    lists = {name: np.array(people, dtype=np.uint64) for name, people in chosen.items()}
    return Extract(path, PEOPLE, ("eid", "age", "bmi"), **lists)


def test_all_that_may_leave_leaves_with_the_id_first() -> None:
    assert scope(BOTH, None) == {"people": ("eid", "age", "bmi"), "visits": ("eid", "code")}


@pytest.mark.parametrize(
    ("asked", "leaving"),
    [
        (("bmi",), {"people": ("eid", "bmi")}),
        (("eid", "code"), {"visits": ("eid", "code")}),
        (("bmi", "age", "code"), {"people": ("eid", "age", "bmi"), "visits": ("eid", "code")}),
        (("eid",), {"people": ("eid",), "visits": ("eid",)}),
    ],
)
def test_fields_asked_for_leave_in_the_datasets_order(
    asked: tuple[str, ...], leaving: dict[str, tuple[str, ...]]
) -> None:
    assert scope(BOTH, asked) == leaving


@pytest.mark.parametrize("name", ["name", "weight"])
def test_what_identifies_directly_or_is_not_there_is_refused(name: str) -> None:
    with pytest.raises(InvalidInputError, match=f"no field {name}"):
        scope(BOTH, ("bmi", name))


def test_rows_leave_by_participant(tmp_path: Path) -> None:
    path = stored(tmp_path, 1_000)
    everybody = extract(path)
    assert everybody.rows == 1_000
    some = extract(path, chosen=[3, 7, 400], without=[7, 9])
    left = pa.Table.from_batches(some.batches(["age"]))
    assert some.rows == left.num_rows == 4
    assert left[PARTICIPANT].to_pylist() == [3, 3, 400, 400]
    assert extract(path, chosen=[]).rows == 0
    assert extract(path, without=[]).rows == 1_000
    ages = [pa.Table.from_batches(some.batches(["age"], rows))["age"].to_pylist() for rows in (7, 1_000)]
    assert ages[0] == ages[1] == [6, 7, 800 % 90, 801 % 90]


@pytest.mark.parametrize("without", [[0], [49], [3, 4, 20], list(range(0, 50, 3)), list(range(49)), list(range(50))])
def test_whoever_is_left_out_the_others_stay_in_order(tmp_path: Path, without: list[int]) -> None:
    some = extract(stored(tmp_path, 100, groups=40), without=without)
    left = [number for number in range(50) for _ in range(2) if number not in without]
    assert [number for one in some.batches(["age"]) for number in one.column(PARTICIPANT).to_pylist()] == left
    assert some.rows == len(left)


def test_a_sample_is_everybody_or_evenly_chosen_parts(tmp_path: Path) -> None:
    some = extract(stored(tmp_path, 1_000), without=[0])
    assert sum(one.num_rows for one in some.sampled(["age"], 998)) == 998
    part = pa.Table.from_batches(some.sampled(["age"], 80))
    assert part.num_rows == 80
    assert sorted({row // 100 for row in part[ROW].to_pylist()}) == [0, 2, 5, 7]


def test_a_cohort_is_found_and_cannot_ask_for_names(tmp_path: Path) -> None:
    paths = {"people": stored(tmp_path, 180)}
    assert cohort("age >= 88", BOTH, paths).tolist() == [44, 89]
    with pytest.raises(InvalidInputError, match="does not have"):
        cohort("name = 'x'", BOTH, paths)


def test_every_participant_is_told_once_with_the_masters_id(tmp_path: Path) -> None:
    assert list(identified(stored(tmp_path, 6, groups=3), "eid")) == [(0, "p0"), (1, "p1"), (2, "p2")]


@given(st.integers(0, 2_000_000))
def test_places_are_within_the_table_and_apart_and_have_ten_thousand_rows(rows: int) -> None:
    chosen = places(rows)
    assert sum(place.rows for place in chosen) == min(rows, ROWS)
    assert all(0 <= place.start < place.stop <= rows for place in chosen)
    assert all(one.stop <= another.start for one, another in pairwise(chosen))
    if rows > 2 * PLACES * ALIGNED:
        assert {place.start % ALIGNED for place in chosen} == {0}
        assert rows - chosen[-1].stop < ALIGNED


@pytest.mark.parametrize("ending", [".parquet", ".csv"])
def test_places_are_read_back_from_a_file(tmp_path: Path, ending: str) -> None:
    some = extract(stored(tmp_path, 50_000, groups=9_000))
    batches = [batch.select(some.released) for batch in some.batches(some.released, 7_001)]
    written = write(batches, tmp_path / f"copy{ending}", some.schema)
    wanted = places(50_000)
    kind = Kind.PARQUET if ending == ".parquet" else Kind.DELIMITED
    read = read_places(written.path, kind, wanted, some.leaving)
    assert read == gathered(iter(batches), wanted)
    beyond = read_places(written.path, kind, [Place(50_000, 50_010)], some.leaving)
    assert beyond == [None]
