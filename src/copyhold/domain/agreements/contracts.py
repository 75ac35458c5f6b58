"""Contracts: terms of an agreement that act, who must sign it, and how it stands."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from copyhold.domain.catalogue import DatasetId
from copyhold.domain.clocks import Consequence
from copyhold.domain.parties import InstitutionId, PersonId
from copyhold.domain.projects import ProjectId
from copyhold.domain.words import Id


class AgreementId(Id):
    """An id of an agreement."""

    prefix = "agr"
    __slots__ = ()


class Prohibition(StrEnum):
    """What whoever holds a copy must not do."""

    COMMERCIAL_USE = "commercial use"
    REDISTRIBUTION = "redistribution"
    REIDENTIFICATION = "re-identification"
    CONTACT = "contact with participants"
    LINKAGE = "linkage with other data"
    MODEL_RELEASE = "release of models trained on the data"
    INDIVIDUAL_DECISIONS = "decisions on individuals"


class Trigger(StrEnum):
    """What starts the time that there is for a duty."""

    START = "start of the agreement"
    END = "end of the agreement"
    INCIDENT = "awareness of an incident"


class Obligation(StrEnum):
    """What a duty is to do."""

    REPORT = "report"
    DECLARE = "declare copies"
    PUBLISH = "publish"
    RETURN = "return results"
    DESTROY = "destroy"
    NOTIFY = "notify"
    CERTIFY = "certify people"


@dataclass(frozen=True)
class Duty:
    """Something to be done within so many hours of a trigger, perhaps again and again, and what follows otherwise."""

    obligation: Obligation
    trigger: Trigger
    within_hours: int
    recurs_days: int = 0
    evidence: str = ""
    warn_days: tuple[int, ...] = ()
    consequences: tuple[Consequence, ...] = ()


@dataclass(frozen=True)
class Condition:
    """A policy object: a leaf that asks for one fact, or all or any of several conditions.

    `kind` is "all of", "any of", or a leaf that `rules.agreements.contracts` knows; any other refuses, and so does an
    "all of" or "any of" of nothing.
    """

    kind: str
    values: tuple[str, ...] = ()
    of: tuple["Condition", ...] = ()


def all_of(*conditions: Condition) -> Condition:
    """Every one of these must hold."""
    return Condition("all of", of=conditions)


def any_of(*conditions: Condition) -> Condition:
    """At least one of these must hold."""
    return Condition("any of", of=conditions)


@dataclass(frozen=True)
class Terms:
    """What an agreement permits, forbids and asks for, as data.

    `condition` is asked at every decision. `flow_down` names the prohibitions that every sub-recipient must be bound
    to; `places` the countries (ISO 3166-1) where the data may be kept and processed, all where none is named.
    """

    condition: Condition
    prohibitions: tuple[Prohibition, ...] = ()
    duties: tuple[Duty, ...] = ()
    places: tuple[str, ...] = ()
    flow_down: tuple[Prohibition, ...] = ()
    audit_right: bool = True
    incident_hours: int = 24
    governing_law: str = ""


class Side(StrEnum):
    """Who signs."""

    CUSTODIAN = "custodian"
    INSTITUTION = "institution"
    LEAD = "lead"


class State(StrEnum):
    """Where an agreement stands."""

    OFFERED = "offered"
    SIGNED = "signed"
    WITHDRAWN = "withdrawn"
    TERMINATED = "terminated"


# From a state to each next one, with the entry that tells of the move.
MOVES: dict[State, dict[State, str]] = {
    State.OFFERED: {State.SIGNED: "agreement.signed", State.WITHDRAWN: "agreement.withdrawn"},
    State.SIGNED: {State.TERMINATED: "agreement.terminated"},
    State.WITHDRAWN: {},
    State.TERMINATED: {},
}

STARTS = (State.OFFERED,)


@dataclass(frozen=True)
class Agreement:
    """A contract with an institution over a dataset, for one project or for all of its projects.

    `text_sha256` is the text that is signed, byte for byte; `parent` the agreement from which a sub-recipient's flows
    down; `supersedes` the one whose place it takes once signed. In force in [from_at, until), once all have signed.
    """

    id: AgreementId
    title: str
    text_sha256: str
    institution: InstitutionId
    dataset: DatasetId
    project: ProjectId | None
    terms: Terms
    from_at: datetime
    until: datetime
    state: State
    offered_by: PersonId
    offered_at: datetime
    parent: AgreementId | None = None
    supersedes: AgreementId | None = None
    signed_at: datetime | None = None
    ended_at: datetime | None = None
    reason: str = ""


@dataclass(frozen=True)
class Signature:
    """Who signed for a side, on what authority, and the hash of the text that they saw."""

    agreement: AgreementId
    side: Side
    person: PersonId
    authority: str
    text_sha256: str
    signed_at: datetime


@dataclass(frozen=True)
class Use:
    """What a condition of an agreement is held against: facts known at the instant, None or empty where not known."""

    at: datetime
    purposes: tuple[str, ...] = ()
    fields: tuple[str, ...] | None = None
    country: str | None = None
    ror: str = ""
    named: bool = False
    trained_at: datetime | None = None
    documents: tuple[str, ...] = ()
