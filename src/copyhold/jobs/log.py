"""Publish the log: from the rows of the custody to tiles and a signed checkpoint in its folder."""

from collections.abc import Iterator
from dataclasses import dataclass

from copyhold.actions import custody, log
from copyhold.auditlog.checkpoints import CheckpointSigner
from copyhold.auditlog.publishing import Publisher, SignedState
from copyhold.auditlog.tree import Edge
from copyhold.domain.log import Checkpoint
from copyhold.domain.log import Edge as KeptEdge
from copyhold.ports import Home

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


def _signer(home: Home) -> CheckpointSigner:
    keys, origin = home.outside.keys, f"{ORIGIN}/{custody.show(home.occasion()).id}"
    return CheckpointSigner(origin, keys.public_key("log"), lambda message: keys.sign("log", message))
