"""Columns and rows of a leak are found by content: names scrambled, ids gone, units changed, noise added."""

import numpy as np
import polars as pl
import pytest

from bench.cohort import BIOMARKERS, CATEGORIES, Cohort, generate, tolerances
from bench.disguises import converted, noisy, replaced, rounded, with_foreign
from copyhold.engines.matching.index import TableIndex
from copyhold.engines.matching.tables import TableMatch, match_table
from tests.engines.matching.conftest import leaked, named, renamed

NUMBERS = [marker.name for marker in BIOMARKERS]
FINE = ["ldl", "hdl", "glucose", "creatinine", "bmi"]
COARSE = ["bmi", "systolic", "diastolic", "pulse", "height"]


def _taken(copy: pl.DataFrame, rows: int, seed: int) -> pl.DataFrame:
    return copy[np.random.default_rng(seed).choice(copy.height, rows, replace=False)]


def _matched(frame: pl.DataFrame, index: TableIndex, steps: dict[str, float], seed: int = 0) -> tuple[TableMatch, int]:
    """Match under scrambled names; return the match and how many columns were given their own field."""
    scrambled, truth = renamed(frame, seed)
    columns = leaked(scrambled)
    found = match_table(columns, index, steps)
    return found, sum(truth[columns[match.leaked].name] == match.field for match in found.matches)


def _right(found: TableMatch, frame: pl.DataFrame) -> int:
    return int(np.count_nonzero(found.alignment.positions[:, 0] == frame["__row"].to_numpy()))


@pytest.mark.parametrize("seed", range(4))
def test_ten_rows_give_every_column_its_field_and_every_row_its_person(
    seed: int, copy: pl.DataFrame, index: TableIndex, steps: dict[str, float]
) -> None:
    frame = _taken(copy, 10, seed)
    found, fields = _matched(frame, index, steps, seed)
    assert fields == len(found.matches) == frame.width - 1
    assert _right(found, frame) == 10
    assert found.aligned.all()


@pytest.mark.parametrize("seed", range(6))
def test_one_row_finds_its_person(seed: int, copy: pl.DataFrame, index: TableIndex, steps: dict[str, float]) -> None:
    frame = _taken(copy, 1, seed)
    found, _ = _matched(frame, index, steps, seed)
    assert _right(found, frame) == 1


@pytest.mark.parametrize("columns", [NUMBERS, [*COARSE, *CATEGORIES]])
def test_sixty_rows_are_all_found(
    columns: list[str], copy: pl.DataFrame, index: TableIndex, steps: dict[str, float]
) -> None:
    frame = _taken(copy, 60, 11).select(named(columns))
    found, fields = _matched(frame, index, steps)
    assert fields == len(columns)
    assert _right(found, frame) == 60


def test_five_fine_columns_are_enough(copy: pl.DataFrame, index: TableIndex, steps: dict[str, float]) -> None:
    frame = _taken(copy, 60, 12).select(named(FINE))
    found, fields = _matched(frame, index, steps)
    assert fields == 5
    assert _right(found, frame) >= 59


def test_units_are_recognised_and_snapped_to_the_nominal_factor(
    copy: pl.DataFrame, index: TableIndex, steps: dict[str, float]
) -> None:
    units = {
        "glucose": (18.016, 0.0, 1),
        "hba1c": (0.09148, 2.152, 2),
        "weight": (1 / 0.45359237, 0.0, 1),
        "height": (1 / 2.54, 0.0, 2),
        "creatinine": (1 / 88.42, 0.0, 3),
    }
    frame = converted(_taken(copy, 30, 13), units)
    scrambled, truth = renamed(frame, 3)
    columns = leaked(scrambled)
    found = match_table(columns, index, steps)
    units_found = {match.field: match.conversion for match in found.matches}
    assert {truth[columns[match.leaked].name]: match.field for match in found.matches} == {
        name: name for name in truth.values()
    }
    for field, (factor, offset, _) in units.items():
        assert units_found[field].factor == pytest.approx(factor, rel=1e-9), units_found[field].name
        assert units_found[field].offset == pytest.approx(offset)
    assert _right(found, frame) == 30


def test_a_unit_that_no_table_lists_is_fitted(copy: pl.DataFrame, index: TableIndex, steps: dict[str, float]) -> None:
    frame = converted(_taken(copy, 40, 14), {"ldl": (3.7, 11.0, 3)})
    found, fields = _matched(frame, index, steps)
    unit = next(match.conversion for match in found.matches if match.field == "ldl")
    assert fields == frame.width - 1
    assert unit.factor == pytest.approx(3.7, rel=2e-3)
    assert unit.offset == pytest.approx(11.0, abs=0.05)


@pytest.mark.parametrize("share", [0.3, 1.0])
def test_noise_is_measured_and_rows_are_found_under_it(
    share: float, cohort: Cohort, copy: pl.DataFrame, index: TableIndex, steps: dict[str, float]
) -> None:
    rng = np.random.default_rng(15)
    frame = noisy(_taken(copy, 60, 15).select(named(NUMBERS)), tolerances(cohort), share, 4, rng)
    found, fields = _matched(frame, index, steps)
    assert fields == len(NUMBERS)
    assert _right(found, frame) == 60
    assert found.margins.noise[""] == share


def test_rounding_to_the_tolerance_loses_no_row(
    cohort: Cohort, copy: pl.DataFrame, index: TableIndex, steps: dict[str, float]
) -> None:
    frame = rounded(_taken(copy, 60, 16).select(named(NUMBERS)), tolerances(cohort))
    found, fields = _matched(frame, index, steps)
    assert fields == len(NUMBERS)
    assert _right(found, frame) == 60


def test_a_fifth_of_the_cells_may_be_other_peoples(
    copy: pl.DataFrame, index: TableIndex, steps: dict[str, float]
) -> None:
    frame = _taken(copy, 60, 17).select(named(NUMBERS))
    donors = _taken(copy, 60, 18).select(named(NUMBERS)).with_columns(frame["__row"])
    swapped = replaced(frame, donors, 0.2, np.random.default_rng(19))
    found, _ = _matched(swapped, index, steps)
    assert _right(found, frame) >= 59


def test_other_people_of_the_same_population_are_not_ours(index: TableIndex, steps: dict[str, float]) -> None:
    aligned = []
    for seed in (97, 98, 99):
        foreign = pl.from_arrow(generate(300, seed=seed).table())
        assert isinstance(foreign, pl.DataFrame)
        found, _ = _matched(foreign.drop("__participant"), index, steps)
        aligned.append(np.count_nonzero(found.aligned))
    assert sum(aligned) <= 0.02 * 900


def test_foreign_rows_are_told_from_ours(copy: pl.DataFrame, index: TableIndex, steps: dict[str, float]) -> None:
    foreign = pl.from_arrow(generate(90, seed=98).table())
    assert isinstance(foreign, pl.DataFrame)
    nobody = foreign.drop("__participant").with_columns(pl.lit(10**9, pl.UInt64).alias("__row"))
    frame = with_foreign(_taken(copy, 10, 20), nobody, np.random.default_rng(21))
    found, _ = _matched(frame, index, steps)
    ours = frame["__row"].to_numpy() < index.rows
    assert found.aligned[ours].all()
    assert np.count_nonzero(found.aligned[~ours]) <= 3
    assert _right(found, frame) == 10


@pytest.mark.parametrize("seed", range(12))
def test_ten_rows_among_ninety_of_others_still_give_the_columns_their_fields(
    seed: int, copy: pl.DataFrame, index: TableIndex, steps: dict[str, float]
) -> None:
    foreign = pl.from_arrow(generate(90, seed=100 + seed).table())
    assert isinstance(foreign, pl.DataFrame)
    nobody = foreign.drop("__participant").with_columns(pl.lit(10**9, pl.UInt64).alias("__row"))
    frame = with_foreign(_taken(copy, 10, seed), nobody, np.random.default_rng(seed))
    found, fields = _matched(frame, index, steps, seed)
    assert fields >= len(found.matches) - 1 >= frame.width - 4
    assert _right(found, frame) == 10


def test_names_decide_between_columns_that_content_cannot_tell(
    cohort: Cohort, index: TableIndex, steps: dict[str, float]
) -> None:
    frame = pl.from_arrow(cohort.table())
    assert isinstance(frame, pl.DataFrame)
    one = frame[:1].select("sex", "smoking")
    found = match_table(leaked(one.rename({"sex": "SEX"})), index, steps)
    assert {match.field for match in found.matches} == {"sex", "smoking"}


def test_nothing_comparable_gives_no_match_and_no_error(index: TableIndex, steps: dict[str, float]) -> None:
    frame = pl.DataFrame({"a": ["zzz", "yyy"], "b": [None, None]}, schema={"a": pl.String, "b": pl.String})
    found = match_table(leaked(frame), index, steps)
    assert not found.aligned.any()


def test_an_empty_leak_is_no_error(index: TableIndex, steps: dict[str, float]) -> None:
    assert match_table([], index, steps).matches == ()
    empty = pl.DataFrame({"a": []}, schema={"a": pl.Float64})
    assert match_table(leaked(empty), index, steps).matches == ()
