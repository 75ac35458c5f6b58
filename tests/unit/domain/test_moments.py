"""Moments are aware, told in UTC; pages have a size."""

from datetime import UTC, date, datetime, timedelta, timezone

import pytest

from copyhold.domain import moments
from copyhold.domain.errors import InvalidInputError
from copyhold.domain.paging import Window


def test_a_day_is_its_first_moment_in_utc() -> None:
    assert moments.parse("2026-04-01") == datetime(2026, 4, 1, tzinfo=UTC)
    assert moments.start_of(date(2024, 2, 29)) == datetime(2024, 2, 29, tzinfo=UTC)


def test_a_moment_says_its_zone() -> None:
    assert moments.parse("2026-04-01T12:00:00+02:00") == datetime(2026, 4, 1, 10, tzinfo=UTC)
    assert moments.parse("2026-04-01T12:00:00Z") == datetime(2026, 4, 1, 12, tzinfo=UTC)
    for told in ("2026-04-01T12:00:00", "yesterday", "", "2026-13-01", "01.04.2026"):
        with pytest.raises(InvalidInputError, match="--until"):
            moments.parse(told, "--until")


def test_the_log_tells_seconds_in_utc() -> None:
    at = datetime(2026, 4, 1, 12, 0, 0, 999_999, tzinfo=timezone(timedelta(hours=2)))
    assert moments.stamp(at) == "2026-04-01T10:00:00Z"
    with pytest.raises(InvalidInputError):
        moments.stamp(datetime(2026, 4, 1))


@pytest.mark.parametrize("size", [0, -1, 501])
def test_a_page_has_1_to_500_items(size: int) -> None:
    with pytest.raises(InvalidInputError):
        Window(size)
    assert Window(500).size == 500
