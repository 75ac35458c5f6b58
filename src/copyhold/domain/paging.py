"""Lists in pages: newest first, by id, because an id begins with its moment."""

from dataclasses import dataclass
from typing import Generic, TypeVar

from copyhold.domain.errors import InvalidInputError

T = TypeVar("T")
LARGEST = 500


@dataclass(frozen=True)
class Window:
    """Which part of a list is wanted: up to `size` items older than the id `before` (from the newest without it)."""

    size: int = 50
    before: str | None = None

    def __post_init__(self) -> None:
        if not 1 <= self.size <= LARGEST:
            raise InvalidInputError(f"A page has 1 to {LARGEST} items.")


@dataclass(frozen=True)
class Page(Generic[T]):
    """A part of a list; `older` is what to ask `before` for the next page, None on the last."""

    items: tuple[T, ...]
    older: str | None = None
