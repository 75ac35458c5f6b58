"""Access: the five clocks, the evidence behind them, and the answer at an instant."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from copyhold.domain.agreements.contracts import Agreement
from copyhold.domain.agreements.transfers import Document, Route
from copyhold.domain.catalogue import Version
from copyhold.domain.clocks import Task
from copyhold.domain.incidents import Suspension
from copyhold.domain.parties import Institution, Person, PersonId
from copyhold.domain.projects import Project, ProjectId
from copyhold.domain.verdicts import Verdict
from copyhold.domain.words import Id, one_of


class EvidenceId(Id):
    """An id of a piece of evidence."""

    prefix = "evi"
    __slots__ = ()


class Clock(StrEnum):
    """What must be in force for access; each runs out by itself."""

    ETHICS = "ethics"
    AGREEMENT = "agreement"
    SCOPE = "scope"
    TRAINING = "training"
    AFFILIATION = "affiliation"


@dataclass(frozen=True)
class Evidence:
    """What was shown for a clock: in force in [from_at, until), known since `recorded_at`.

    `subject` is the id of the person, project or institution it was shown for. A later piece for the same clock and
    subject takes the place of an earlier one, also where it ends sooner.
    """

    id: EvidenceId
    clock: Clock
    subject: str
    from_at: datetime
    until: datetime
    recorded_by: PersonId
    recorded_at: datetime
    reference: str = ""
    file_sha256: str = ""


@dataclass(frozen=True)
class Hand:
    """One clock at an instant: what counted, evidence or the signed agreement that governs, and whether it held."""

    clock: Clock
    evidence: Evidence | None
    green: bool
    agreement: Agreement | None = None

    @property
    def until(self) -> datetime | None:
        """When what counted ends, exclusive; None where nothing did."""
        counted = self.agreement or self.evidence
        return counted.until if counted else None


@dataclass(frozen=True)
class Situation:
    """All that the gate looks at: what is known now (`live`), or what was known and valid at one past instant.

    `tasks` are those not met that reach the person, the project or the institution; `agreements` those signed that may
    govern the use; `documents` the newest of each kind about what takes part in it. `exporter` is the country from
    which the custodian exports, empty where none was stated; `routes` lead from there to the institution's country.
    """

    at: datetime
    live: bool
    person: Person
    institution: Institution | None
    project: Project
    named: bool
    evidence: tuple[Evidence, ...]
    suspensions: tuple[Suspension, ...]
    version: Version | None
    tasks: tuple[Task, ...] = ()
    agreements: tuple[Agreement, ...] = ()
    documents: tuple[Document, ...] = ()
    exporter: str = ""
    routes: tuple[Route, ...] = ()


@dataclass(frozen=True)
class Access:
    """Could this person take this project's data at this instant, and every reason why not.

    `beginning` also holds what stops something new, such as another copy, while what is under way may go on.
    `valid_until` is the first instant at which the answer can change by itself, None where no clock will end it.
    """

    person: PersonId
    project: ProjectId
    at: datetime
    verdict: Verdict
    beginning: Verdict
    hands: tuple[Hand, ...]
    valid_until: datetime | None


def clock(word: str) -> Clock:
    """Read the name of a clock."""
    return one_of(Clock, word, "clock")
