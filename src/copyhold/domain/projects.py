"""Projects: what somebody applies to do with a dataset, and what was decided."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from copyhold.domain.catalogue import DatasetId
from copyhold.domain.parties import PersonId
from copyhold.domain.purposes import Purpose
from copyhold.domain.words import Id


class ProjectId(Id):
    """An id of a project."""

    prefix = "prj"
    __slots__ = ()


class State(StrEnum):
    """Where a project stands."""

    APPLIED = "applied"
    APPROVED = "approved"
    REFUSED = "refused"
    CLOSED = "closed"


# From a state to each next one, with the entry that tells of the move.
MOVES: dict[State, dict[State, str]] = {
    State.APPLIED: {State.APPROVED: "project.approved", State.REFUSED: "project.rejected"},
    State.APPROVED: {State.CLOSED: "project.closed"},
    State.REFUSED: {},
    State.CLOSED: {},
}

STARTS = (State.APPLIED,)


@dataclass(frozen=True)
class Project:
    """An application and its decision.

    The scope is `purpose`, `fields` (None: every field that may be released), `where` (a SQL condition over the
    dataset's fields; None: everybody), until `until`, exclusive. `date_shifts` is D, the largest shift in days that the
    project accepts for its dates; None: dates are released as they are.
    """

    id: ProjectId
    name: str
    dataset: DatasetId
    lead: PersonId
    purpose: Purpose
    fields: tuple[str, ...] | None
    where: str | None
    date_shifts: int | None
    until: datetime
    state: State
    applied_by: PersonId
    applied_at: datetime
    decided_by: PersonId | None = None
    decided_at: datetime | None = None
    closed_at: datetime | None = None
