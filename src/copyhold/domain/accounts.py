"""Who acts: the actor of an occasion, what they may be trusted with, and service tokens."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from copyhold.domain.parties import InstitutionId, PersonId, Role
from copyhold.domain.words import Id, Secret


class TokenId(Id):
    """An id of a service token."""

    prefix = "tok"
    __slots__ = ()


class Door(StrEnum):
    """Where somebody came in."""

    CLI = "cli"
    WEB = "web"
    API = "api"
    WORKER = "worker"
    LIBRARY = "library"


@dataclass(frozen=True)
class Actor:
    """Who acts: the person (None before sign-in), the door, and the operating system's user behind it."""

    person: PersonId | None
    door: Door
    operating_user: str = ""


@dataclass(frozen=True)
class Standing:
    """What an actor is at this moment: read from the records in the act's own transaction, never cached."""

    person: PersonId | None = None
    roles: tuple[Role, ...] = ()
    suspended: bool = False
    institution: InstitutionId | None = None


@dataclass(frozen=True)
class Sight:
    """What somebody may see in lists: everything, or what concerns one person and the institution they sign for.

    Rules say it, records apply it.
    """

    everything: bool = False
    person: PersonId | None = None
    signs_for: InstitutionId | None = None


@dataclass(frozen=True)
class Token:
    """A service token as remembered: never the token itself, only its SHA-256 and first letters."""

    id: TokenId
    person: PersonId
    label: str
    shown: str
    issued_by: PersonId
    issued_at: datetime
    expires_at: datetime
    revoked_at: datetime | None = None


@dataclass(frozen=True)
class IssuedToken:
    """A token at the one moment when it is shown."""

    token: Token
    secret: Secret
