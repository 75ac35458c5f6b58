"""Institutions and people, and the roles in which people act."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from copyhold.domain.errors import InvalidInputError
from copyhold.domain.words import Id


class InstitutionId(Id):
    """An id of an institution."""

    prefix = "ins"
    __slots__ = ()


class PersonId(Id):
    """An id of a person."""

    prefix = "per"
    __slots__ = ()


class Role(StrEnum):
    """What a person is trusted with in this custody."""

    RESEARCHER = "researcher"
    INSTITUTION_OFFICIAL = "institution_official"
    CUSTODIAN = "custodian"  # all duties of the custodian's own staff; the operator named at founding
    ACCESS_OFFICER = "access_officer"
    SECRETARY = "secretary"  # prepares the committee's meetings and keeps its minutes
    COMMITTEE_CHAIR = "committee_chair"
    COMMITTEE_MEMBER = "committee_member"
    LAY_MEMBER = "lay_member"
    DATA_STEWARD = "data_steward"
    RELEASE_OFFICER = "release_officer"
    SECURITY_OFFICER = "security_officer"  # traces, suspends, leads incidents
    GOVERNANCE_OFFICER = "governance_officer"  # clocks, campaigns, waivers, notices; the data protection officer
    WITHDRAWALS_CLERK = "withdrawals_clerk"
    AUDITOR = "auditor"  # reads everything, changes nothing, takes no data


# Roles of the custodian's own staff: only they approve, confirm or agree.
CUSTODIAN_ROLES = (
    Role.CUSTODIAN,
    Role.ACCESS_OFFICER,
    Role.SECRETARY,
    Role.COMMITTEE_CHAIR,
    Role.COMMITTEE_MEMBER,
    Role.LAY_MEMBER,
    Role.DATA_STEWARD,
    Role.RELEASE_OFFICER,
    Role.SECURITY_OFFICER,
    Role.GOVERNANCE_OFFICER,
    Role.WITHDRAWALS_CLERK,
)


@dataclass(frozen=True)
class Institution:
    """An organisation that people belong to and that signs for them."""

    id: InstitutionId
    name: str
    country: str
    ror: str
    added_at: datetime


@dataclass(frozen=True)
class Person:
    """Somebody who applies, receives, decides or looks."""

    id: PersonId
    email: str
    institution: InstitutionId | None
    roles: tuple[Role, ...]
    added_at: datetime


def roles(names: tuple[str, ...]) -> tuple[Role, ...]:
    """Read roles as people write them: hyphens or underscores, each once, in order."""
    known = {role.value: role for role in Role}
    read = tuple(dict.fromkeys(name.strip().casefold().replace("-", "_") for name in names))
    if unknown := [name for name in read if name not in known]:
        raise InvalidInputError(f"There is no role {unknown[0][:40]!r}; there are {', '.join(known)}.")
    return tuple(known[name] for name in read)
