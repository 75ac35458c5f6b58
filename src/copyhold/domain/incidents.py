"""Suspensions: the switch that stops a person, a project, an institution or a country."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from copyhold.domain.errors import InvalidInputError
from copyhold.domain.parties import PersonId
from copyhold.domain.releases import ReleaseId
from copyhold.domain.words import Id


class SuspensionId(Id):
    """An id of a suspension."""

    prefix = "sus"
    __slots__ = ()


class Reach(StrEnum):
    """What a suspension stops."""

    PERSON = "person"
    INSTITUTION = "institution"
    PROJECT = "project"
    COUNTRY = "country"


@dataclass(frozen=True)
class Suspension:
    """A stop in force from `imposed_at` until lifted; `target` is an id, or a country's two letters."""

    id: SuspensionId
    reach: Reach
    target: str
    reason: str
    imposed_by: PersonId
    imposed_at: datetime
    lifted_by: PersonId | None = None
    lifted_at: datetime | None = None


def reach(word: str) -> Reach:
    """Read what a suspension is to stop."""
    try:
        return Reach(word.strip().casefold())
    except ValueError:
        raise InvalidInputError("A suspension stops a person, an institution, a project or a country.") from None


@dataclass(frozen=True)
class Preview:
    """What a suspension would stop, and what it cannot.

    `projects` and `people` lose access at their next decision; `pending` requests stop; `issued` copies are out there
    and stay there: only a recall asks for them.
    """

    reach: Reach
    target: str
    name: str
    suspended: bool
    projects: tuple[str, ...]
    people: tuple[str, ...]
    pending: tuple[ReleaseId, ...]
    issued: tuple[ReleaseId, ...]
