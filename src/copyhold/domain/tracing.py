"""Tracing: sightings of leaked files, attempts at naming their holder, and the cases that keep the answers."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from copyhold.domain.catalogue import Dataset, DatasetId, Version
from copyhold.domain.custody import CustodyId, Policy
from copyhold.domain.parties import PersonId
from copyhold.domain.releases import HeldCopy, MarkKey, PartyId, ReleaseId
from copyhold.domain.words import Id, Plain


class CaseId(Id):
    """An id of a case."""

    prefix = "cas"
    __slots__ = ()


class Finding(StrEnum):
    """What a trace can say."""

    NAMED = "named"
    OURS_CANNOT_TELL = "ours_cannot_tell"
    UNMARKED_ORIGINAL = "unmarked_original"
    NOT_OURS = "not_ours"
    UNREADABLE = "unreadable"
    INSTRUMENT_FAILED = "instrument_failed"
    HELD = "held"


@dataclass(frozen=True)
class Withdrawn:
    """A withdrawn participant's token, and since when copies are made without them."""

    dataset: DatasetId
    token: bytes
    at: datetime


@dataclass(frozen=True)
class Register:
    """What reading a leak needs, and no key: datasets with their retained versions, who was given what, and when."""

    custody: CustodyId
    datasets: tuple[Dataset, ...]
    versions: tuple[Version, ...]
    copies: tuple[HeldCopy, ...]
    withdrawn: tuple[Withdrawn, ...]
    policy: Policy


@dataclass(frozen=True)
class PublishedCase:
    """A case whose report or case file became public: what it told of the parties named in it is no secret any more."""

    case: CaseId
    case_sha256: str
    published_at: datetime


@dataclass(frozen=True)
class Attempt:
    """One pass of scoring, entered before it begins: number t of this custody, charged t(t+1).

    `keys` are all mark keys ever issued in this custody at that moment, one per dataset, party and epoch; their
    number is R. `earlier` name the stored case files of other leaks of the dataset in which parties were named,
    `published` the cases of the dataset that became public, of whatever leak.
    """

    case: CaseId
    number: int
    leak_sha256: str
    dataset: DatasetId
    keys: tuple[MarkKey, ...]
    policy: Policy
    opened_at: datetime
    earlier: tuple[str, ...] = ()
    published: tuple[PublishedCase, ...] = ()

    @property
    def keys_issued(self) -> int:
        """R: how many keys could be named."""
        return len(self.keys)


@dataclass(frozen=True)
class Named:
    """A named party's own finding; nothing of any other party stands in it."""

    party: PartyId
    project: str
    institution: str
    releases_consistent: tuple[ReleaseId, ...]
    log10_evidence: float
    p_family: float
    cells: int
    details: dict[str, Plain] = field(default_factory=dict)


@dataclass(frozen=True)
class TraceResult:
    """What a trace found. Where nobody is named, nothing in it may depend on a key.

    `report` holds what the door tells besides (columns, rows needed, statement); `report_sha256` and `case_sha256`
    name the stored HTML report and case file.
    """

    finding: Finding
    dataset: str = ""
    version: int | None = None
    named: tuple[Named, ...] = ()
    consistent_unmarked: tuple[ReleaseId, ...] = ()
    report: dict[str, Plain] = field(default_factory=dict)
    report_sha256: str = ""
    case_sha256: str = ""


@dataclass(frozen=True)
class Case:
    """An attempt with its answer; `result` is None while it is held for the second analyst or not yet concluded.

    Since `published_at` its report or case file is public, and the cells in it are spent for the parties named.
    """

    id: CaseId
    attempt: int
    leak_sha256: str
    dataset: DatasetId
    keys_issued: int
    opened_by: PersonId
    opened_at: datetime
    concluded_at: datetime | None
    held: bool
    agreed_by: PersonId | None
    agreed_at: datetime | None
    result: TraceResult | None
    published_at: datetime | None = None


@dataclass(frozen=True)
class Answer:
    """What a door tells of a trace: the finding, or only that it is held for the second analyst.

    A leak of which nothing can be scored (unreadable, not ours, without marks) has no case and cost no attempt.
    """

    result: TraceResult | None
    case: CaseId | None = None
    attempt: int | None = None

    @classmethod
    def of(cls, case: Case) -> "Answer":
        """What may be told of a case."""
        return cls(case.result, case.id, case.attempt)

    @property
    def finding(self) -> Finding:
        """The finding, HELD where it may not be told yet."""
        return Finding.HELD if self.result is None else self.result.finding
