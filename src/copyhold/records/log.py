"""What is remembered of every act: the counter that orders them, and the entries."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import OuterRef, QuerySet, Subquery

from copyhold.domain.errors import IntegrityError
from copyhold.domain.log import Checkpoint, Edge, Entry, Refusals, Row
from copyhold.domain.words import Plain
from copyhold.records import values
from copyhold.records.models.log import (
    AuditEdge,
    AuditEvent,
    AuditHead,
    AuditSigned,
    PayloadKey,
    RepeatedRefusal,
)


@dataclass(frozen=True)
class Event:
    """An entry about to be written."""

    seq: int
    at: datetime
    type: str
    actor: str
    subject: str
    leaf: bytes
    sealed: bytes
    payload_salt: bytes


def lock() -> int:
    """Lock the counter, as the first statement of an act, and give the number of the next entry."""
    head = AuditHead.objects.select_for_update().filter(pk=1).values_list("next_seq", flat=True).first()
    if head is None:
        raise IntegrityError("The log's counter is gone; the custody must not go on. Investigate, then restore.")
    return head


def append(events: Sequence[Event]) -> None:
    """Write entries and move the counter behind them; the caller holds the counter's lock."""
    AuditEvent.objects.bulk_create(
        AuditEvent(
            seq=event.seq,
            at=event.at,
            type=event.type,
            actor=event.actor,
            subject=event.subject,
            leaf=event.leaf,
            sealed=event.sealed,
        )
        for event in events
    )
    PayloadKey.objects.bulk_create(PayloadKey(seq=event.seq, salt=event.payload_salt) for event in events)
    AuditHead.objects.filter(pk=1).update(next_seq=events[-1].seq + 1)


def size() -> int:
    """How many entries there are."""
    return AuditHead.objects.values_list("next_seq", flat=True).get(pk=1)


def rows(first: int, most: int) -> tuple[Row, ...]:
    """The public leaves from `first` on, in order; a gap is an integrity failure."""
    found = values.each(Row, AuditEvent.objects.filter(seq__gte=first).order_by("seq")[:most])
    if any(row.seq != first + place for place, row in enumerate(found)):
        raise IntegrityError("The log has a gap between its entries; the custody must not go on. Investigate.")
    return found


def entry(seq: int) -> Entry:
    """One entry with its sealed payload and, unless it was shredded, the salt of its key."""
    return values.one(Entry, _entries().filter(seq=seq))


def _entries() -> QuerySet[AuditEvent]:
    key = PayloadKey.objects.filter(seq=OuterRef("seq"))
    return AuditEvent.objects.annotate(payload_salt=Subquery(key.values("salt")))


def about(subject: str) -> tuple[Entry, ...]:
    """The entries about one thing, in order."""
    return values.each(Entry, _entries().filter(subject=subject).order_by("seq"))


def sign(checkpoint: Checkpoint) -> None:
    """Remember a signed checkpoint; a second one of the same size is refused by the database unless it is the same."""
    row, fresh = AuditSigned.objects.get_or_create(
        size=checkpoint.size,
        defaults={"root": checkpoint.root, "note": checkpoint.note, "signed_at": checkpoint.signed_at},
    )
    if not fresh and (bytes(row.root) != checkpoint.root or row.note != checkpoint.note):
        raise IntegrityError(
            "Two checkpoints of one size would be signed: a fork of the log. Stop and investigate.", code="LOG_FORK"
        )


def signed() -> Checkpoint | None:
    """The newest signed checkpoint."""
    return values.first(Checkpoint, AuditSigned.objects.order_by("-size"))


def keep_edge(edge: Edge) -> None:
    """Remember the right edge of the tree in place of the one before."""
    AuditEdge.objects.exclude(size=edge.size).delete()
    AuditEdge.objects.get_or_create(size=edge.size, defaults={"hashes": b"".join(edge.hashes)})


def edge() -> Edge | None:
    """The right edge last remembered."""
    told = AuditEdge.objects.order_by("-size").values_list("size", "hashes").first()
    if told is None:
        return None
    joined = bytes(told[1])
    return Edge(told[0], tuple(joined[place : place + 32] for place in range(0, len(joined), 32)))


def count_refusal(key: str, *, actor: str, entry_type: str, facts: dict[str, Plain], at: datetime) -> bool:
    """Count a refusal; True where it is the first of its minute and must be entered now."""
    row, fresh = RepeatedRefusal.objects.get_or_create(
        pk=key, defaults={"actor": actor, "type": entry_type, "facts": facts, "first_at": at}
    )
    if not fresh:
        row.repeats += 1
        row.save(update_fields=["repeats"])
    return fresh


def take_refusals(before: datetime) -> tuple[Refusals, ...]:
    """Take out the counts whose minute is over; those without a repeat have nothing left to tell."""
    over = RepeatedRefusal.objects.filter(first_at__lte=before)
    taken = values.each(Refusals, over.order_by("first_at", "pk"))
    if taken:
        RepeatedRefusal.objects.filter(pk__in=[one.id for one in taken]).delete()
    return tuple(one for one in taken if one.repeats)
