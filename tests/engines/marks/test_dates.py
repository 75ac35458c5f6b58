"""Date shifts: exact probabilities, one shift per unit, and units that no shift may touch."""

from fractions import Fraction

import numpy as np
import pytest

from copyhold.domain.errors import InvalidInputError
from copyhold.engines.marks.dates import ShiftLaw, scaled, shifts, unshiftable

KEY = b"d" * 32


def words_that_give(value: int, count: int) -> int:
    """How many of the 2^64 words u have floor(u count / 2^64) = value, by whole-number arithmetic."""
    first = -(-value * 2**64 // count)
    after = -(-(value + 1) * 2**64 // count)
    return after - first


@pytest.mark.parametrize("count", [3, 5, 31, 61, 365, 731, 65535])
def test_each_shift_has_probability_one_over_k_within_2_to_the_minus_60(count: int) -> None:
    for value in {0, 1, count // 2, count - 1}:
        assert abs(Fraction(words_that_give(value, count), 2**64) - Fraction(1, count)) < Fraction(1, 2**60)


@pytest.mark.parametrize("count", [3, 31, 61, 731, 65535])
def test_words_are_scaled_exactly_at_every_border(count: int) -> None:
    borders = [-(-value * 2**64 // count) for value in range(count)]
    words = sorted({word for border in borders for word in (border, border - 1) if word >= 0} | {2**64 - 1})
    got = scaled(np.array(words, dtype=np.uint64), count)
    assert got.tolist() == [word * count >> 64 for word in words]


@pytest.mark.parametrize(("law", "count"), [(ShiftLaw(15), 31), (ShiftLaw(15, weeks=True), 5), (ShiftLaw(14, True), 5)])
def test_the_law_counts_its_shifts_and_draws_only_those(law: ShiftLaw, count: int) -> None:
    assert law.count == count
    drawn = shifts(KEY, np.arange(20_000, dtype=np.uint64), law)
    assert law.allows(drawn).all()
    values, seen = np.unique(drawn, return_counts=True)
    assert len(values) == count
    assert values[0] == -values[-1]
    assert np.abs(seen - 20_000 / count).max() < 6 * np.sqrt(20_000 / count)


def test_a_unit_has_one_shift_wherever_it_stands() -> None:
    units = np.array([5, 9, 5, 2**40, 9], dtype=np.uint64)
    drawn = shifts(KEY, units, ShiftLaw(100))
    assert drawn[0] == drawn[2]
    assert drawn[1] == drawn[4]
    np.testing.assert_array_equal(drawn[3:4], shifts(KEY, units[3:4], ShiftLaw(100)))


def test_shifts_never_change_between_versions_of_the_software() -> None:
    assert shifts(KEY, np.arange(5, dtype=np.uint64), ShiftLaw(30)).tolist() == [-21, -19, 20, -19, -4]


def test_weeks_are_no_shifts_of_single_days() -> None:
    law = ShiftLaw(30, weeks=True)
    assert law.allows(np.array([-28, 0, 7, 8, 35])).tolist() == [True, True, True, False, False]


@pytest.mark.parametrize(("days", "weeks"), [(0, False), (6, True), (-3, False), (2**16, False)])
def test_a_law_without_a_shift_is_refused(days: int, weeks: bool) -> None:
    with pytest.raises(InvalidInputError):
        ShiftLaw(days, weeks)


def test_a_unit_that_a_shift_could_carry_out_of_range_is_left_alone() -> None:
    first, last = np.array([100, 110, 110, 110]), np.array([900, 900, 890, 891])
    found = unshiftable(first, last, ShiftLaw(10), earliest=100, latest=900)
    assert found.tolist() == [True, True, False, True]
