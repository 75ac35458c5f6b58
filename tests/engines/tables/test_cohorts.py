"""A cohort condition: what may be asked, what it selects, and the thresholds that no mark may cross."""

import pyarrow as pa
import pytest

from copyhold.domain.catalogue import CutPoint, Dictionary, Field, FieldType, Role
from copyhold.domain.errors import InvalidInputError
from copyhold.engines.tables import cohorts

DICTIONARY = Dictionary(
    (
        Field("people", "age", "age", FieldType.INTEGER, Role.QUASI),
        Field("people", "p21001_i0", "21001-0.0", FieldType.DECIMAL, Role.FREE, decimals=1),
        Field("people", "sex", "sex", FieldType.CATEGORY, Role.QUASI),
        Field("visits", "days", "days", FieldType.INTEGER, Role.FREE),
    )
)
PEOPLE = pa.RecordBatch.from_pydict(
    {
        "__participant": pa.array([3, 1, 2, 4], pa.uint64()),
        "age": [39, 40, 70, None],
        "p21001_i0": [20.0, 31.5, None, 44.0],
        "sex": ["F", "M", "F", "F"],
    }
)


def selected(condition: str) -> list[int]:
    return list(cohorts.participants(cohorts.parse(condition, DICTIONARY), [PEOPLE, PEOPLE.slice(0, 0)]))


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("age >= 40", [1, 2]),
        ("age >= 40 AND sex = 'F'", [2]),
        ("NOT (age BETWEEN 40 AND 69)", [2, 3]),
        ("sex IN ('F') OR age IS NULL", [2, 3, 4]),
        ("p21001_i0 * 2 > 60", [1, 4]),
        ("-age < -39", [1, 2]),
    ],
)
def test_a_condition_selects_as_sql_does_and_unknown_is_no(condition: str, expected: list[int]) -> None:
    assert selected(condition) == expected


@pytest.mark.parametrize(
    "condition",
    [
        "",
        "age >=",
        "age >= 40; DROP TABLE t",
        "1=1) OR (SELECT true",
        "age IN (SELECT 1)",
        "read_csv('/etc/passwd') IS NULL",
        "age >= 40 ORDER BY age",
        "age > 1) GROUP BY (age",
        "exists(select 1)",
        "sex LIKE 'F%'",
        "height > 3",
        "age > 3 AND days > 2",
        "1 = 1",
        "age > 3 -- all",
        "x" * 5_000,
    ],
)
def test_anything_but_a_plain_condition_is_turned_away_in_one_sentence(condition: str) -> None:
    if condition == "age > 3 -- all":
        assert selected(condition) == [1, 2, 3]
        return
    with pytest.raises(InvalidInputError):
        cohorts.parse(condition, DICTIONARY)


def test_comparing_a_number_with_a_word_is_told_without_the_word() -> None:
    with pytest.raises(InvalidInputError) as told:
        selected("age = 'secret'")
    assert "secret" not in told.value.message


def test_thresholds_become_cut_points_with_their_side() -> None:
    cohort = cohorts.parse("age >= 40 AND 30 > p21001_i0 AND age BETWEEN 41 AND 69 AND age <> 50", DICTIONARY)
    assert set(cohort.cut_points["age"]) == {
        CutPoint(40, False),
        CutPoint(41, False),
        CutPoint(69, True),
        CutPoint(50, False),
        CutPoint(50, True),
    }
    assert cohort.cut_points["p21001_i0"] == (CutPoint(30, False),)
