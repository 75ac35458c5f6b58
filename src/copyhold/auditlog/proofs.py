"""One entry's proof as a text file that stands alone (C2SP tlog-proof).

The file names the entry's place, the hashes from its sibling up to the root's child, and the signed checkpoint
that has this root. Who holds the entry, the file and the log's vkey needs nothing else, nor anybody's help.
The `extra` line is the carrier's to use and is not authenticated: hold it against the entry before trusting it.
"""

import re
from dataclasses import dataclass

from copyhold.auditlog.checkpoints import Checkpoint, open_checkpoint
from copyhold.auditlog.encoding import from_base64, to_base64
from copyhold.auditlog.notes import VerifierKey
from copyhold.auditlog.tree import HASH_BYTES, leaf_hash, verify_inclusion
from copyhold.domain.errors import InvalidInputError

_HEADER = "c2sp.org/tlog-proof@v1"
_INDEX = re.compile(r"index (0|[1-9][0-9]{0,18})")
_EXTRA = "extra "
_MAX_HASHES = 63


@dataclass(frozen=True)
class LogProof:
    """That the entry at `index` is in the log of the signed `checkpoint`; `extra` is opaque, None where absent."""

    index: int
    hashes: tuple[bytes, ...]
    checkpoint: str
    extra: bytes | None = None

    @property
    def text(self) -> str:
        """The `.tlog-proof` file."""
        extra = [] if self.extra is None else [_EXTRA + to_base64(self.extra)]
        lines = [_HEADER, *extra, f"index {self.index}", *map(to_base64, self.hashes), "", self.checkpoint]
        return "\n".join(lines)

    @classmethod
    def parse(cls, text: str) -> "LogProof":
        """Read a `.tlog-proof` file strictly. Raises InvalidInputError for any departure from the form."""
        head, blank, checkpoint = text.partition("\n\n")
        lines = head.split("\n")
        if not blank or lines.pop(0) != _HEADER:
            raise InvalidInputError("This is not a log proof: its first line or its checkpoint is missing.")
        extra = None
        if lines and lines[0].startswith(_EXTRA):
            extra = from_base64(lines.pop(0).removeprefix(_EXTRA), "The proof's extra line")
        found = _INDEX.fullmatch(lines.pop(0)) if lines else None
        if found is None or len(lines) > _MAX_HASHES or extra == b"":
            raise InvalidInputError(
                "This is not a log proof: its index line is missing, or its lines are too many or empty."
            )
        return cls(int(found[1]), tuple(_parse_hash(line) for line in lines), checkpoint, extra)

    def verify(self, entry: bytes, key: VerifierKey) -> Checkpoint:
        """Check that the entry is in the log that the key belongs to; give the checkpoint it is proven under.

        Raises IntegrityError (LOG_SIGNATURE, LOG_ORIGIN, LOG_PROOF) when it is not, InvalidInputError when the
        checkpoint is malformed.
        """
        checkpoint = open_checkpoint(self.checkpoint, key)
        verify_inclusion(leaf_hash(entry), self.index, checkpoint.size, self.hashes, checkpoint.root)
        return checkpoint


def _parse_hash(line: str) -> bytes:
    data = from_base64(line, "A hash of the proof")
    if len(data) != HASH_BYTES:
        raise InvalidInputError(f"A hash of the proof has {len(data)} bytes instead of {HASH_BYTES}.")
    return data
