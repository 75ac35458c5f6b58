"""Moments and spans: always aware, told in UTC, half-open [from, until)."""

from datetime import UTC, date, datetime, time

from copyhold.domain.errors import InvalidInputError


def aware(at: datetime, field: str = "The moment") -> datetime:
    """Check that a moment knows its time zone, and give it in UTC."""
    if at.tzinfo is None:
        raise InvalidInputError(f"{field} must say its time zone.")
    return at.astimezone(UTC)


def start_of(day: date) -> datetime:
    """The first moment of a day in UTC."""
    return datetime.combine(day, time.min, UTC)


def parse(text: str, field: str = "The moment") -> datetime:
    """Read a day (its first moment in UTC) or a moment with its time zone, in ISO 8601."""
    try:
        if len(text) == len("2026-04-01"):
            return start_of(date.fromisoformat(text))
        at = datetime.fromisoformat(text)
    except ValueError:
        raise InvalidInputError(f"{field} must be a day such as 2026-04-01 or a moment in ISO 8601.") from None
    return aware(at, field)


def stamp(at: datetime) -> str:
    """A moment as the log tells it: UTC, to the second."""
    return aware(at).replace(microsecond=0, tzinfo=None).isoformat() + "Z"
