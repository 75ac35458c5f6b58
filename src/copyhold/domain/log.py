"""The audit log as its readers see it: rows, entries, checkpoints."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from copyhold.domain.words import Plain


@dataclass(frozen=True)
class Row:
    """An entry as the publisher needs it: its number and its public bytes."""

    seq: int
    leaf: bytes


@dataclass(frozen=True)
class Entry:
    """An entry whole: the public leaf, the sealed payload, and the salt of its key unless it was shredded."""

    seq: int
    at: datetime
    type: str
    actor: str
    subject: str
    leaf: bytes
    sealed: bytes
    payload_salt: bytes | None


@dataclass(frozen=True)
class Opened:
    """An entry with what its leaf commits to, for those entitled to see it: see auditlog.entries."""

    entry: Entry
    salt: bytes
    payload: dict[str, object]


@dataclass(frozen=True)
class Checkpoint:
    """The log's root at a size, with the signed note that says so."""

    size: int
    root: bytes
    note: str
    signed_at: datetime


@dataclass(frozen=True)
class Edge:
    """The roots of the full subtrees on the right edge of the tree at a size, from left to right."""

    size: int
    hashes: tuple[bytes, ...]


@dataclass(frozen=True)
class Refusals:
    """Refusals like one already entered: how many more there were in its minute."""

    id: str
    actor: str
    type: str
    facts: dict[str, Plain]
    first_at: datetime
    repeats: int


@dataclass(frozen=True)
class Statement:
    """What an entry of the log states: its type, what it is about, and facts that tell it from others like it."""

    type: str
    subject: str
    facts: Mapping[str, Any]

    def is_made_by(self, payload: Mapping[str, Any]) -> bool:
        """Say whether an entry's payload states this."""
        facts = payload.get("facts")
        told = facts if isinstance(facts, dict) else {}
        same = payload.get("type") == self.type and payload.get("subject") == self.subject
        return same and all(told.get(name) == value for name, value in self.facts.items())
