"""A ledger in memory, leaves drawn by number, and a log to spoil."""

from collections.abc import Callable, Iterable
from itertools import count
from pathlib import Path
from uuid import UUID

import numpy as np

from copyhold.auditlog.checkpoints import CheckpointSigner, open_checkpoint
from copyhold.auditlog.entries import Leaf, commitment, pseudonym
from copyhold.auditlog.files import LogFiles, Watch, unwatched
from copyhold.auditlog.publishing import Publisher, SignedState
from copyhold.auditlog.verification import verify
from copyhold.domain.errors import ConflictError

ORIGIN = "custody.example/log"
SIGNER = CheckpointSigner.from_seed(ORIGIN, b"\x01" * 32)
VKEY = SIGNER.key.text
LOG_KEY = b"\x07" * 32


class MemoryLedger:
    """Rows and signed states, as a database would keep them: what was committed survives every crash."""

    def __init__(self, leaves: Iterable[bytes] = ()) -> None:
        self.leaves = list(leaves)
        self.signed: dict[int, SignedState] = {}

    def last_signed(self) -> SignedState | None:
        return self.signed[max(self.signed)] if self.signed else None

    def rows(self, start: int) -> Iterable[tuple[int, bytes]]:
        return ((seq, self.leaves[seq]) for seq in range(start, len(self.leaves)))

    def commit(self, state: SignedState) -> None:
        if state.size in self.signed:
            raise ConflictError("This size was signed before.")
        self.signed[state.size] = state


def make_leaf(place: int, /, **changes: object) -> Leaf:
    values: dict[str, object] = {
        "seq": place,
        "id": str(UUID(int=place)),
        "t": f"2026-04-{1 + place % 28:02d}T09:00:00Z",
        "type": "release.issued",
        "actor": pseudonym(LOG_KEY, "p", "per_1"),
        "subject": pseudonym(LOG_KEY, "r", f"rel_{place}"),
        "project": pseudonym(LOG_KEY, "j", "prj_1"),
        "commitment": commitment(place.to_bytes(32), {"rows": place}),
        "policy": "0" * 64,
        "links": (),
    }
    return Leaf(**{**values, **changes})  # type: ignore[arg-type]


def draw_leaves(count: int) -> list[bytes]:
    return [make_leaf(seq).encode() for seq in range(count)]


def words(count: int) -> list[bytes]:
    """Short entries for logs whose leaves do not matter."""
    return [b"entry %d" % seq for seq in range(count)]


def published(
    directory: Path, leaves: Iterable[bytes], *steps: int, signer: CheckpointSigner = SIGNER, at: Watch = unwatched
) -> MemoryLedger:
    """Publish leaves as one log, stopping at each of the given sizes on the way."""
    ledger = MemoryLedger(leaves)
    publisher = Publisher(directory, signer, ledger, at)
    last = 0
    for step in steps:
        publisher.publish(limit=step - last)
        last = step
    publisher.publish()
    return ledger


class Crash(BaseException):
    """Stands for the death of the process: nothing in the code under test catches it."""


def crash_at(place: int) -> Callable[[str], None]:
    steps = count()

    def at(step: str) -> None:
        if next(steps) == place:
            raise Crash(step)

    return at


def crashes(directory: Path, ledger: MemoryLedger, place: int) -> bool:
    """Publish with a crash at the given step; tell whether there was such a step."""
    try:
        Publisher(directory, SIGNER, ledger, crash_at(place)).publish()
    except Crash:
        return True
    return False


def shown_size(directory: Path) -> int:
    text = LogFiles(directory).read_checkpoint()
    return 0 if text is None else open_checkpoint(text, SIGNER.key).size


def log_files(directory: Path) -> list[Path]:
    """Every file that a log consists of."""
    return [directory / "checkpoint", *(directory / path for path in LogFiles(directory).names())]


def flip(file: Path, bit: int) -> None:
    """Flip one bit of a file; doing it twice mends it."""
    data = bytearray(file.read_bytes())
    data[bit // 8] ^= 1 << bit % 8
    file.write_bytes(data)


def survivors(directory: Path, flips: int, seed: int) -> list[tuple[Path, int]]:
    """Flip bits one by one, a file drawn first and then a bit of it; give those that verifying did not find."""
    drawn, files, unseen = np.random.default_rng(seed), log_files(directory), []
    for _ in range(flips):
        file = files[drawn.integers(len(files))]
        bit = int(drawn.integers(file.stat().st_size * 8))
        flip(file, bit)
        if verify(directory, VKEY, leaves=False).ok:
            unseen.append((file, bit))
        flip(file, bit)
    return unseen
