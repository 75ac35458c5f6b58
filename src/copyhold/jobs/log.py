"""Publish the log, from rows to tiles and a signed checkpoint in its folder, and disclose entries with their proofs."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from copyhold.actions import custody, log
from copyhold.auditlog import verification
from copyhold.auditlog.checkpoints import CheckpointSigner
from copyhold.auditlog.disclosures import Disclosure
from copyhold.auditlog.encoding import Json
from copyhold.auditlog.entries import Leaf, OpenPayload
from copyhold.auditlog.proofs import LogProof
from copyhold.auditlog.publishing import Publisher, SignedState
from copyhold.auditlog.tree import Edge
from copyhold.domain.log import Checkpoint, Opened, Statement
from copyhold.domain.log import Edge as KeptEdge
from copyhold.ports import Home, Occasion

ORIGIN = "copyhold"
BATCH = 1_024  # rows read at a time
KEY_FILE = "vkey"


@dataclass(frozen=True)
class Rows:
    """The custody's rows as a publisher asks for them; each call is an action of its own."""

    home: Home

    def last_signed(self) -> SignedState | None:
        """The newest signed state, None before the first."""
        checkpoint, edge = log.checkpoint(self.home.occasion()), log.edge(self.home.occasion())
        if checkpoint is None or edge is None:
            return None
        return SignedState(checkpoint.size, checkpoint.root, checkpoint.note, Edge(edge.size, edge.hashes))

    def rows(self, start: int) -> Iterator[tuple[int, bytes]]:
        """Committed rows from `start` upward, in order."""
        while batch := log.rows(self.home.occasion(), start, BATCH):
            yield from ((row.seq, row.leaf) for row in batch)
            start += len(batch)

    def commit(self, state: SignedState) -> None:
        """Keep a signed state before it is shown."""
        occasion = self.home.occasion()
        checkpoint = Checkpoint(state.size, state.root, state.note, occasion.at)
        log.sign(occasion, checkpoint, KeptEdge(state.edge.size, state.edge.hashes))


def publish(home: Home) -> SignedState:
    """Publish every committed entry; what is published already is left as it is.

    Raises IntegrityError where rows, files and signed states contradict each other: nothing is published then.
    """
    signer = _signer(home)
    home.log.mkdir(parents=True, exist_ok=True)
    key_file = home.log / KEY_FILE
    if not key_file.exists():
        key_file.write_text(signer.key.text + "\n", encoding="utf-8")
    return Publisher(home.log, signer, Rows(home)).publish()


def disclosed(
    home: Home, occasions: Callable[[], Occasion], stages: Iterable[Iterable[Statement]]
) -> tuple[dict[str, Json], ...]:
    """Publish the log and disclose the entries that make these statements, each with its proof.

    Only these: nothing else that the log holds about the same things. An entry whose payload was shredded can state
    nothing any more and is left out.
    """
    publish(home)
    found = [_stating(occasions, statement) for stage in stages for statement in stage]
    return tuple(_disclosure(home, opened).document for opened in found if opened is not None)


def _stating(occasions: Callable[[], Occasion], statement: Statement) -> Opened | None:
    """Give the first entry that makes a statement."""
    for entry in log.about(occasions(), statement.subject):
        if entry.type == statement.type and entry.payload_salt is not None:
            opened = log.open_entry(occasions(), entry.seq)
            if statement.is_made_by(opened.payload):
                return opened
    return None


def _disclosure(home: Home, opened: Opened) -> Disclosure:
    proof = LogProof.parse(verification.prove(home.log, opened.entry.seq))
    payload: Any = opened.payload
    return Disclosure(Leaf.decode(opened.entry.leaf), OpenPayload(payload, opened.salt), proof)


def _signer(home: Home) -> CheckpointSigner:
    keys, origin = home.outside.keys, f"{ORIGIN}/{custody.show(home.occasion()).id}"
    return CheckpointSigner(origin, keys.public_key("log"), lambda message: keys.sign("log", message))
