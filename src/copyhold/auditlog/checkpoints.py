"""What a log signs about itself: its name, how many entries it has, their root (C2SP tlog-checkpoint v1.0.0).

Three lines and never an extension line: what stands there cannot be audited. The key that signs checkpoints
signs nothing else, so the signer takes a checkpoint and no bytes.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from copyhold.auditlog.encoding import from_base64, to_base64
from copyhold.auditlog.notes import Note, SignatureLine, VerifierKey, parse_note
from copyhold.auditlog.tree import HASH_BYTES
from copyhold.domain.errors import IntegrityError, InvalidInputError

_SIZE = re.compile(r"0|[1-9][0-9]{0,18}")
MAX_SIZE = 2**63 - 1


@dataclass(frozen=True)
class Checkpoint:
    """The state of a log: `origin` names it, `size` counts its entries, `root` is the root over them."""

    origin: str
    size: int
    root: bytes

    def __post_init__(self) -> None:
        if not self.origin or "\n" in self.origin:
            raise InvalidInputError("A checkpoint's origin is one line that is not empty.")
        if not 0 <= self.size <= MAX_SIZE or len(self.root) != HASH_BYTES:
            raise InvalidInputError(f"A checkpoint has a size from 0 to {MAX_SIZE} and a root of {HASH_BYTES} bytes.")

    @property
    def text(self) -> str:
        """The text that is signed: three lines."""
        return f"{self.origin}\n{self.size}\n{to_base64(self.root)}\n"

    @classmethod
    def parse(cls, text: str) -> "Checkpoint":
        """Read the text of a checkpoint: exactly three lines."""
        lines = text.split("\n")
        if len(lines) != 4 or lines[3] or not _SIZE.fullmatch(lines[1]):
            raise InvalidInputError("A checkpoint is three lines: origin, size, root in base64.")
        return cls(lines[0], int(lines[1]), from_base64(lines[2], "The checkpoint's root"))


class CheckpointSigner:
    """Signs checkpoints of one log with one Ed25519 key, wherever that key is kept.

    `sign` gives the 64-byte Ed25519 signature of the bytes it is handed. Ed25519 is deterministic (RFC 8032),
    so signing again after a crash gives the same note.
    """

    def __init__(self, origin: str, public: bytes, sign: Callable[[bytes], bytes]) -> None:
        self.key = VerifierKey(origin, public)
        self._sign = sign

    @classmethod
    def from_seed(cls, origin: str, seed: bytes) -> "CheckpointSigner":
        """Make a signer of a 32-byte Ed25519 seed."""
        if len(seed) != HASH_BYTES:
            raise InvalidInputError("An Ed25519 seed has 32 bytes.")
        private = Ed25519PrivateKey.from_private_bytes(seed)
        return cls(origin, private.public_key().public_bytes_raw(), private.sign)

    def sign(self, size: int, root: bytes) -> str:
        """Sign the log's state; give the signed note, whose origin is the key's name."""
        text = Checkpoint(self.key.name, size, root).text
        line = SignatureLine(self.key.name, self.key.key_id, self._sign(text.encode()))
        return Note(text, (line,)).signed_text


def open_checkpoint(signed: str, key: VerifierKey) -> Checkpoint:
    """Read a signed checkpoint of the log whose key this is.

    Raises InvalidInputError when it is malformed, IntegrityError (LOG_SIGNATURE) when the key did not sign it,
    IntegrityError (LOG_ORIGIN) when it speaks of another log.
    """
    note = parse_note(signed)
    note.verified([key])
    checkpoint = Checkpoint.parse(note.text)
    if checkpoint.origin != key.name:
        raise IntegrityError(
            "The checkpoint speaks of another log than the one the key belongs to. Check which log you are reading.",
            code="LOG_ORIGIN",
        )
    return checkpoint
