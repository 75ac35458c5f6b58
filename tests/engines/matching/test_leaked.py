"""The spacing of written digits, and when it says something."""

import numpy as np
import pytest

from copyhold.engines.matching.leaked import LeakedColumn, LeakKind, written_spacing
from copyhold.engines.matching.names import plain_name


def _column(*numbers: float) -> LeakedColumn:
    return LeakedColumn("x", LeakKind.NUMBER, np.array(numbers), np.array([str(one) for one in numbers], dtype=object))


@pytest.mark.parametrize(
    ("numbers", "spacing"),
    [
        ([1.25, 3.5, np.nan], (0.01, 25)),
        ([120.0, 134.0, 128.0], (1.0, 2)),
        ([0.1 + 0.2, 0.7], (0.1, 1)),
        ([1 / 3, 0.5], (0.0, 1)),
        ([np.nan], (0.0, 1)),
        ([1.19995117, 2.0], (1e-8, 1)),
    ],
)
def test_the_spacing_of_numbers_is_their_last_place_and_common_multiple(
    numbers: list[float], spacing: tuple[float, int]
) -> None:
    place, multiple = written_spacing(np.array(numbers))
    assert place == pytest.approx(spacing[0])
    assert multiple == spacing[1]


def test_a_spacing_that_luck_explains_is_not_believed() -> None:
    assert _column(2.0, 4.0, 8.0).grid == 1.0


def test_a_spacing_that_luck_does_not_explain_is_believed() -> None:
    assert _column(*(0.5 * n for n in (3, 7, 4, 9, 11, 12, 15, 16, 18, 20))).grid == pytest.approx(0.5)


def test_the_same_value_over_and_over_says_nothing_of_a_spacing() -> None:
    assert _column(*[10.0] * 50).grid == 1.0


def test_a_column_never_shows_its_cells() -> None:
    assert "42.125" not in repr(_column(42.125, 1.0))


@pytest.mark.parametrize("spelled", ["21001-0.0", "f.21001.0.0", "p21001_i0", "participant.p21001_i0", "X21001.0.0"])
def test_spellings_of_one_biobank_column_are_one_name(spelled: str) -> None:
    assert plain_name(spelled) == plain_name("p21001_i0")
    assert plain_name(spelled) != plain_name("p21001_i1")


def test_case_and_punctuation_of_a_name_do_not_matter() -> None:
    assert plain_name("LDL-Cholesterol ") == plain_name("ldl_cholesterol")
