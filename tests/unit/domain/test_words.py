"""Words are checked where they are made."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from copyhold.domain import words
from copyhold.domain.errors import InvalidInputError
from copyhold.domain.parties import PersonId
from copyhold.domain.releases import ReleaseId

MOMENTS = st.datetimes(datetime(1970, 1, 2), datetime(4000, 1, 1), timezones=st.just(UTC))
CHANCE = st.binary(min_size=10, max_size=10)


@given(MOMENTS, MOMENTS, CHANCE, CHANCE)
def test_order_by_id_is_order_by_time(first: datetime, second: datetime, one: bytes, other: bytes) -> None:
    ids = [ReleaseId.new(first, one), ReleaseId.new(second, other)]
    if abs(first - second) >= timedelta(milliseconds=2):
        assert (ids[0] < ids[1]) == (first < second)


@given(MOMENTS, CHANCE)
def test_an_id_is_read_back_and_knows_its_moment(at: datetime, chance: bytes) -> None:
    made = ReleaseId.new(at, chance)
    assert ReleaseId.parse(str(made)) == made
    assert abs(made.made_at - at) <= timedelta(milliseconds=1)
    assert len(made) == len("rel_") + 26


@given(st.binary(min_size=10, max_size=10), st.binary(min_size=10, max_size=10))
def test_two_ids_of_one_moment_differ_by_their_chance(one: bytes, other: bytes) -> None:
    at = datetime(2026, 1, 5, tzinfo=UTC)
    assert (ReleaseId.new(at, one) == ReleaseId.new(at, other)) == (one == other)


@pytest.mark.parametrize("told", ["", "rel_", "rel_" + "0" * 25, "rel_" + "u" * 26, "per_" + "0" * 26, "0" * 30])
def test_what_is_no_id_is_refused(told: str) -> None:
    with pytest.raises(InvalidInputError, match="rel_"):
        ReleaseId.parse(told)


def test_an_id_takes_ten_bytes_of_chance() -> None:
    with pytest.raises(ValueError, match="ten bytes"):
        PersonId.new(datetime(2026, 1, 5, tzinfo=UTC), b"short")


@pytest.mark.parametrize("told", ["", "   ", "a" * 201, "a\x00b", "a\nb", "a\x1bb", "\ud800"])
def test_a_line_of_text_has_a_bound_and_nothing_unprintable(told: str) -> None:
    with pytest.raises(InvalidInputError, match="The name") as refused:
        words.text(told, "The name")
    assert told.strip() == "" or told not in str(refused.value)


def test_a_line_of_text_is_trimmed() -> None:
    assert words.text("  Harbour University ", "The name") == "Harbour University"
    assert words.text(" ", "The label", least=0) == ""


def test_prose_keeps_its_lines_in_one_form() -> None:
    assert words.prose(" one\r\ntwo\rthree\n\tfour ", "The reason") == "one\ntwo\nthree\n four"
    for told in ("a\x00b", "x" * 10_001):
        with pytest.raises(InvalidInputError):
            words.prose(told, "The reason")


@pytest.mark.parametrize("told", ["", "a", "@b.org", "a@", "a@b@c", "a b@c.org", "a@b\x00.org"])
def test_what_is_no_address_is_refused(told: str) -> None:
    with pytest.raises(InvalidInputError):
        words.email(told)


def test_an_address_is_one_however_it_is_written() -> None:
    assert words.email(" Ada@Example.ORG ") == "ada@example.org"


def test_a_country_is_two_letters_that_are_assigned() -> None:
    assert words.country("gb") == "GB"
    for told in ("UK", "G", "GBR", "EU", "1A"):
        with pytest.raises(InvalidInputError):
            words.country(told)


def test_a_hash_is_64_hexadecimal_digits() -> None:
    assert words.sha256("AB" * 32, "The hash") == "ab" * 32
    for told in ("", "ab", "g" * 64, "a" * 65):
        with pytest.raises(InvalidInputError):
            words.sha256(told, "The hash")


def test_what_has_no_plain_form_is_an_error() -> None:
    values: list[Any] = [object(), {1, 2}, words.Secret(b"x"), words.Id]
    for value in values:
        with pytest.raises(TypeError):
            words.plain(value)
