"""Releases: one copy for one holder, from request to destruction."""

from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum

from copyhold.domain.catalogue import DatasetId, Version, VersionId
from copyhold.domain.custody import CustodyId, Policy
from copyhold.domain.parties import InstitutionId, PersonId
from copyhold.domain.projects import ProjectId
from copyhold.domain.words import Id, Plain


class ReleaseId(Id):
    """An id of a release."""

    prefix = "rel"
    __slots__ = ()


class PartyId(Id):
    """An id of a marking party."""

    prefix = "pty"
    __slots__ = ()


class State(StrEnum):
    """Where a copy stands."""

    REQUESTED = "requested"
    AWAITING_APPROVAL = "awaiting approval"
    APPROVED = "approved"
    ISSUED = "issued"
    RECALLED = "recalled"
    KEPT = "kept"
    DESTROYED = "destroyed"
    DROPPED = "dropped"


# From a state to each next one, with the entry that tells of the move. A request starts as REQUESTED in a custody of
# one operator and as AWAITING_APPROVAL in one with four eyes; both starts are told as release.requested.
MOVES: dict[State, dict[State, str]] = {
    State.REQUESTED: {State.ISSUED: "release.issued", State.DROPPED: "release.dropped"},
    State.AWAITING_APPROVAL: {State.APPROVED: "release.approved", State.DROPPED: "release.dropped"},
    State.APPROVED: {State.ISSUED: "release.issued", State.DROPPED: "release.dropped"},
    State.ISSUED: {
        State.RECALLED: "release.recalled",
        State.KEPT: "release.kept",
        State.DESTROYED: "release.destroyed",
    },
    State.RECALLED: {State.KEPT: "release.kept", State.DESTROYED: "release.destroyed"},
    State.KEPT: {State.RECALLED: "release.recalled", State.DESTROYED: "release.destroyed"},
    State.DESTROYED: {},
    State.DROPPED: {},
}

STARTS = (State.REQUESTED, State.AWAITING_APPROVAL)
PENDING = (State.REQUESTED, State.AWAITING_APPROVAL, State.APPROVED)
OUTSIDE = (State.ISSUED, State.RECALLED, State.KEPT)  # copies that are out there


class Traceability(StrEnum):
    """What a copy could be traced by, should it leak."""

    NUMERIC_MARKS = "numeric marks"
    DATES = "dates"
    IDS_ONLY = "ids only"
    NATURAL_SIGNATURE = "natural signature only"


@dataclass(frozen=True)
class Party:
    """Who is marked as one: a project at an institution, with all its people, releases, formats and refreshes."""

    id: PartyId
    project: ProjectId
    institution: InstitutionId


@dataclass(frozen=True)
class MarkKey:
    """A mark key of a party in a dataset, and the commitment to it: H(key | nonce), logged before the first release."""

    dataset: DatasetId
    party: PartyId
    epoch: int
    commitment: str
    nonce: str
    committed_at: datetime
    spent_at: datetime | None = None


@dataclass(frozen=True)
class Release:
    """A copy: who holds it, of what, under which terms, and in which state.

    Until it is issued, what the job finds out (rows, sha256 and so on) is empty. `power` is rows_needed as the
    interface tells it; `utility` the report measured on a control copy. `begun_at` is the instant whose withdrawals
    were applied.
    """

    id: ReleaseId
    project: ProjectId
    party: PartyId
    holder: PersonId
    dataset: DatasetId
    version: VersionId
    version_number: int
    state: State
    open: bool
    fields: tuple[str, ...] | None
    where: str | None
    date_shifts: int | None
    until: datetime
    requested_by: PersonId
    requested_at: datetime
    waiver: str = ""
    parent: ReleaseId | None = None
    approved_by: PersonId | None = None
    approved_at: datetime | None = None
    epoch: int | None = None
    begun_at: datetime | None = None
    issued_at: datetime | None = None
    released_fields: tuple[str, ...] = ()
    rows: int | None = None
    participants: int | None = None
    sha256: str = ""
    size_bytes: int | None = None
    path: str = ""
    format: str = ""
    plan_hash: str = ""
    traceability: Traceability | None = None
    power: dict[str, Plain] = field(default_factory=dict)
    utility: dict[str, Plain] = field(default_factory=dict)
    kept_until: date | None = None
    evidence_sha256: str = ""
    note: str = ""
    ended_at: datetime | None = None


@dataclass(frozen=True)
class ReleaseOrder:
    """What a job needs to make one copy; it reads no records.

    Keys, to be derived by the job from the key store: mark = ("mark", custody, dataset, party, str(epoch));
    ids = ("id", custody, dataset, party); dates = ("date", custody, dataset, party). A participant whose
    `rules.catalogue.participant_token` under ("participant", custody, dataset) is in `withdrawn` is left out.
    `keys_issued` is R, for the power figure. `commitment` and `nonce` must come out of the mark key as derived.
    """

    release: ReleaseId
    custody: CustodyId
    dataset: DatasetId
    dataset_name: str
    version: Version
    project: ProjectId
    party: PartyId
    epoch: int
    commitment: str
    nonce: str
    fields: tuple[str, ...] | None
    where: str | None
    date_shifts: int | None
    withdrawn: tuple[bytes, ...]
    keys_issued: int
    policy: Policy


@dataclass(frozen=True)
class ReleaseResult:
    """What the job made: the copy lies where the door will hand it over; `sha256` is of its bytes.

    `n95` is the least number of unattacked rows without ids that name the holder among the policy's parties in 95 of
    100 leaks (None: no number of rows does); the rest of the power figure is in `power`, as rows_needed.
    """

    released_fields: tuple[str, ...]
    rows: int
    participants: int
    sha256: str
    size_bytes: int
    path: str
    format: str
    plan_hash: str
    traceability: Traceability
    n95: int | None
    power: dict[str, Plain]
    utility: dict[str, Plain]
    decoded: bool


@dataclass(frozen=True)
class HeldCopy:
    """A copy as tracing needs it: what its party can have seen. Cells it never held count as nothing against it."""

    release: ReleaseId
    dataset: DatasetId
    party: PartyId
    epoch: int
    project: ProjectId
    project_name: str
    institution: InstitutionId
    institution_name: str
    version_number: int
    released_fields: tuple[str, ...]
    where: str | None
    date_shifts: int | None
    participants: int | None
    begun_at: datetime
    issued_at: datetime
    state: State
