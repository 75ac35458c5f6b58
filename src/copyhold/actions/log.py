"""The audit log as its publisher and its readers need it.

Readings:
    size(occasion) -> int                                            log:size        entries so far
    rows(occasion, first, most=256) -> tuple[Row, ...]               log:rows        public leaves, gapless
    checkpoint(occasion) -> Checkpoint | None                        log:checkpoint  the newest signed one
    edge(occasion) -> Edge | None                                    log:edge        the right edge last remembered
    open_entry(occasion, seq) -> Opened                              log:open_entry  leaf, salt and payload
    about(occasion, subject) -> tuple[Entry, ...]                    log:about       the life of one thing, by its id
Upkeep (no entry: an entry on each checkpoint would never end):
    sign(occasion, checkpoint, edge) -> None                         log:sign        before it is published
"""

from copyhold.actions.act import Reader, reading, upkeep
from copyhold.auditlog import entries
from copyhold.domain.errors import NotFoundError
from copyhold.domain.log import Checkpoint, Edge, Entry, Opened, Row
from copyhold.records import log


@reading("log:size")
def size(_reader: Reader) -> int:
    """Count the entries."""
    return log.size()


@reading("log:rows")
def rows(_reader: Reader, first: int, most: int = 256) -> tuple[Row, ...]:
    """Give public leaves in order; IntegrityError where one is missing."""
    return log.rows(first, most)


@reading("log:checkpoint")
def checkpoint(_reader: Reader) -> Checkpoint | None:
    """Give the newest signed checkpoint."""
    return log.signed()


@reading("log:edge")
def edge(_reader: Reader) -> Edge | None:
    """Give the right edge of the tree as last remembered."""
    return log.edge()


@reading("log:open_entry")
def open_entry(reader: Reader, seq: int) -> Opened:
    """Open an entry's payload and hold it against its leaf's commitment."""
    entry = log.entry(seq)
    if entry.payload_salt is None:
        raise NotFoundError("The payload of this entry was shredded; its leaf and its place in the log remain.")
    key = reader.outside.keys.derive("payload", entry.payload_salt).reveal()
    opened = entries.unseal(entry.sealed, key, entries.Leaf.decode(entry.leaf))
    return Opened(entry, opened.salt, dict(opened.payload))


@reading("log:about")
def about(_reader: Reader, subject: str) -> tuple[Entry, ...]:
    """List the entries about one thing in order; their payloads open one by one."""
    return log.about(subject)


@upkeep("log:sign")
def sign(_reader: Reader, checkpoint: Checkpoint, edge: Edge) -> None:
    """Remember a signed checkpoint and its edge before it is published; IntegrityError on a fork."""
    log.sign(checkpoint)
    log.keep_edge(edge)
