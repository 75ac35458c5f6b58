"""Values go into rows and come out again as they were."""

import json
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from enum import StrEnum

from copyhold.domain import words
from copyhold.domain.releases import ReleaseId
from copyhold.records.values import of_plain


class Colour(StrEnum):
    RED = "red"


@dataclass(frozen=True)
class Inner:
    name: str
    at: datetime | None = None


@dataclass(frozen=True)
class Outer:
    id: ReleaseId
    colour: Colour
    inner: Inner
    many: tuple[Inner, ...]
    pair: tuple[str, int]
    on: date
    raw: bytes
    number: float
    by_name: dict[str, Inner]
    nothing: Inner | None


OUTER = Outer(
    id=ReleaseId.new(datetime(2026, 1, 5, tzinfo=UTC), bytes(10)),
    colour=Colour.RED,
    inner=Inner("x", datetime(2026, 1, 5, 9, 30, 0, 123456, tzinfo=timezone(timedelta(hours=2)))),
    many=(Inner("y"), Inner("z")),
    pair=("a", 1),
    on=date(2026, 2, 28),
    raw=b"\x00\xff",
    number=1.0,
    by_name={"k": Inner("v")},
    nothing=None,
)


def test_a_value_comes_back_from_json_as_it_was() -> None:
    told = json.loads(json.dumps(words.plain(OUTER)))
    assert of_plain(Outer, told) == OUTER
    assert told["inner"]["at"] == "2026-01-05T07:30:00.123456Z"
