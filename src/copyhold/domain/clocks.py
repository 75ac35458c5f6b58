"""Clocks: what somebody must do until when, and what follows by itself where they do not."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from copyhold.domain.parties import PersonId
from copyhold.domain.words import Id


class TaskId(Id):
    """An id of a task."""

    prefix = "tsk"
    __slots__ = ()


class Kind(StrEnum):
    """What a task asks for."""

    CONDITION = "condition of an approval"
    REPORT = "annual report"
    DECLARATION = "declaration of copies"
    ACCEPTANCE = "acceptance of terms"
    CERTIFICATION = "certification of people"
    DUTY = "duty of an agreement"
    REVIEW = "review of a document or role"
    DESTRUCTION = "destruction of a copy"
    WITHDRAWAL = "withdrawal in a copy"
    NOTICE = "notice of an incident"
    REPLY = "reply to a suspension"
    REQUEST = "request for evidence"
    FINDING = "finding of an audit"


class Effect(StrEnum):
    """What an overdue task does by itself, from the mildest to the strongest."""

    NONE = "none"
    BLOCK_NEW = "block new"  # nothing new: no application, no request for a copy
    SUSPEND = "suspend"  # no access until the task is met


class State(StrEnum):
    """Where a task stands at an instant: computed, never stored."""

    RUNNING = "running"
    WARNED = "warned"
    OVERDUE = "overdue"
    MET = "met"


@dataclass(frozen=True)
class Consequence:
    """An effect that begins so many days after a task fell due."""

    after_days: int
    effect: Effect


@dataclass(frozen=True)
class ClockRule:
    """How a kind of task runs: how long there is for it, when its owner is warned, and what follows."""

    days: int
    warn_days: tuple[int, ...]
    consequences: tuple[Consequence, ...] = ()


@dataclass(frozen=True)
class Task:
    """Something that somebody must do until `due_at`, exclusive.

    `subject` is the id of the thing it is about; `owner` says who must do it: the id of a person, of a project (its
    lead), of an institution (its officials), or the word of a role. `reach` is the id of the person, project or
    institution that an overdue task stops, empty where it stops nobody. `source` is the id of what asked for it: a
    campaign, an agreement, an incident. `warn_days` count back from the due instant, consequences forward.
    """

    id: TaskId
    kind: Kind
    subject: str
    owner: str
    reach: str
    told: str
    opened_at: datetime
    due_at: datetime
    warn_days: tuple[int, ...] = ()
    consequences: tuple[Consequence, ...] = ()
    source: str = ""
    met_at: datetime | None = None
    met_by: PersonId | None = None
    evidence_sha256: str = ""
    note: str = ""
