"""What narrows a leak is read from it by content alone, with doubts that hold."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from scipy.stats import binom

from bench.cohort import TABLE, Cohort, generate
from bench.narrowing import answers, answers_dictionary
from copyhold.engines.matching.columns import Match
from copyhold.engines.matching.conversions import AS_IS
from copyhold.engines.matching.decoy import deals
from copyhold.engines.matching.index import TableIndex, build_index
from copyhold.engines.matching.leaked import LeakedColumn
from copyhold.engines.matching.margins import Margins
from copyhold.engines.matching.rows import align
from copyhold.engines.matching.tables import Decoy, TableMatch, match_table
from copyhold.engines.reading.signature import RATE, PastCopy, Sighting, narrowed
from copyhold.engines.reading.traits import false_match_rate, sighting
from tests.engines.matching.conftest import leaked, renamed

PEOPLE = 4_000
FIELDS = ["bmi", "systolic", "glucose", "creatinine", "ldl", "district", "occupation", "sex"]


@pytest.fixture(scope="module")
def cohort() -> Cohort:
    return generate(PEOPLE, seed=1)


@pytest.fixture(scope="module")
def versions(cohort: Cohort) -> dict[int, pl.DataFrame]:
    """Two versions: the second has other glucose for every third person, lacks the last hundred, and is reversed."""
    first = pl.from_arrow(cohort.table())
    assert isinstance(first, pl.DataFrame)
    third = np.arange(PEOPLE) % 3 == 0
    glucose = np.where(third, first["glucose"].to_numpy() + 0.5, first["glucose"].to_numpy()).round(3)
    second = first.with_columns(pl.Series("glucose", glucose).fill_nan(None))
    return {1: first, 2: second[: PEOPLE - 100].reverse()}


@pytest.fixture(scope="module")
def indexes(
    cohort: Cohort, versions: dict[int, pl.DataFrame], tmp_path_factory: pytest.TempPathFactory
) -> dict[int, TableIndex]:
    folder = tmp_path_factory.mktemp("versions")
    return {
        number: build_index(
            _written(frame, folder / f"{number}.parquet"), cohort.dictionary, TABLE, folder / str(number)
        )
        for number, frame in versions.items()
    }


def _written(frame: pl.DataFrame, path: Path) -> Path:
    frame.write_parquet(path)
    return path


def _seen(frame: pl.DataFrame, indexes: dict[int, TableIndex], aligned_to: int = 1) -> Sighting:
    shown, _ = renamed(frame.select("__row", *FIELDS), seed=3)
    columns = leaked(shown)
    return sighting(columns, match_table(columns, indexes[aligned_to], {}), indexes[aligned_to], indexes)


def _taken(frame: pl.DataFrame, rows: int) -> pl.DataFrame:
    return frame[np.random.default_rng(4).choice(frame.height, rows, replace=False)]


@pytest.mark.parametrize("aligned_to", [1, 2])
@pytest.mark.parametrize("version", [1, 2])
def test_a_leak_tells_its_fields_its_people_and_its_version(
    version: int, aligned_to: int, versions: dict[int, pl.DataFrame], indexes: dict[int, TableIndex]
) -> None:
    frame = _taken(versions[version][100:3_900], 60)
    seen = _seen(frame, indexes, aligned_to)
    assert set(seen.fields) == set(FIELDS)
    assert max(seen.fields.values()) < 1e-6
    assert set(seen.participants.tolist()) <= set(frame["__participant"].to_list())
    assert len(seen.participants) >= 55
    copies = [PastCopy(f"rel_{number}", frozenset(FIELDS), number) for number in (1, 2)]
    assert narrowed(seen, copies).consistent == (f"rel_{version}",)


def test_foreign_rows_are_given_participants_no_more_often_than_the_rate(
    versions: dict[int, pl.DataFrame], indexes: dict[int, TableIndex]
) -> None:
    foreign = pl.from_arrow(generate(900, seed=2).table())
    assert isinstance(foreign, pl.DataFrame)
    seen = _seen(pl.concat([foreign, _taken(versions[1], 30).cast(dict(foreign.schema))]), indexes)
    assert len(seen.participants) - 30 <= binom.ppf(0.999, 900, seen.false_match_rate)


def test_the_false_match_rate_is_too_low_with_the_chance_that_the_guarantee_spends(
    versions: dict[int, pl.DataFrame], indexes: dict[int, TableIndex]
) -> None:
    columns = leaked(_taken(versions[1], 300).select("__row", *FIELDS))
    match = match_table(columns, indexes[1], {})
    above = int(np.count_nonzero(match.decoy_scores >= match.bar))
    # Were the rate higher, so few decoys would stand out with a lower probability than RATE.
    assert binom.cdf(above - 1, len(match.decoy_scores), false_match_rate(match)) == pytest.approx(RATE)


def test_a_person_who_is_in_the_master_twice_is_not_told_apart(
    cohort: Cohort, versions: dict[int, pl.DataFrame], tmp_path: Path
) -> None:
    twin = versions[1][:1_000].with_columns(pl.col("__row", "__participant") + PEOPLE)
    path = _written(pl.concat([versions[1], twin]), tmp_path / "twins.parquet")
    index = build_index(path, cohort.dictionary, TABLE, tmp_path / "index")
    seen = _seen(versions[1][990:1_020], {1: index})
    assert seen.participants.min() >= 1_000
    assert len(seen.participants) >= 18


@pytest.mark.parametrize(("last", "sure"), [("sex", False), ("code0", True)])
def test_a_column_taken_for_another_field_stays_doubtful_though_rows_were_aligned_by_it(
    last: str, sure: bool, tmp_path: Path
) -> None:
    people = answers(PEOPLE, seed=1)
    index = build_index(_written(people, tmp_path / "p.parquet"), answers_dictionary(), TABLE, tmp_path / "i")
    fields = ["age", "born_in", "deprivation", last, "answer0", "answer1", "answer2"]
    columns = leaked(_taken(people, 300).select(fields))
    wrong = [_match(at, "answer12" if name == "answer0" else name) for at, name in enumerate(fields)]
    doubts = sighting(columns, _aligned(columns, wrong, index), index, {1: index}).fields
    assert doubts["answer12"] > 0.01
    assert (doubts["born_in"] < 1e-6) == sure  # where all columns are needed to align, none of them is sure


def _match(place: int, field: str) -> Match:
    return Match(place, field, AS_IS, 1.0)


def _aligned(columns: list[LeakedColumn], matches: list[Match], index: TableIndex) -> TableMatch:
    """Align rows by columns that were matched in this way, right or wrong."""
    margins = Margins({})
    probes = [margins.probe(columns, one, index) for one in matches]
    dealt = deals(index.version, index.rows, index.blocks, [one.field for one in matches], 0)
    decoy = Decoy(np.arange(columns[0].rows), align(probes, dealt=dealt), dealt)
    return TableMatch(tuple(matches), margins, align(probes), (decoy,))


def test_rows_that_stand_sorted_by_a_column_are_noticed(
    versions: dict[int, pl.DataFrame], indexes: dict[int, TableIndex]
) -> None:
    some = _taken(versions[1], 40)
    assert not _seen(some, indexes).sorted_by_field
    assert _seen(some.sort("occupation"), indexes).sorted_by_field
    assert _seen(some.sort("ldl", descending=True), indexes).sorted_by_field
    assert not _seen(versions[1].filter(pl.col("sex") == "sex001")[:40], indexes).sorted_by_field


def test_an_empty_leak_shows_nothing(versions: dict[int, pl.DataFrame], indexes: dict[int, TableIndex]) -> None:
    assert sighting([], match_table([], indexes[1], {}), indexes[1], indexes).rows == 0
    seen = _seen(versions[1][:0], indexes)
    assert (seen.rows, len(seen.participants)) == (0, 0)
