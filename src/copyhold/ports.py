"""What we ask of the outside world, and the occasion on which we ask it.

Adapters fit these protocols by shape; `config` alone chooses one. Each has a conformance suite in tests/conformance.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, Protocol

from copyhold.domain.accounts import Actor
from copyhold.domain.words import Secret


class Storage(Protocol):
    """Bytes under the name of their own SHA-256: written whole or not at all, never changed."""

    def put(self, data: BinaryIO) -> str:
        """Keep bytes durably; give their SHA-256 in hexadecimal. Keeping the same bytes again is no error."""

    def put_file(self, path: Path) -> str:
        """Keep a file's bytes durably; give their SHA-256."""

    def open(self, sha256: str) -> BinaryIO:
        """Open kept bytes. NotFoundError where there are none."""

    def path(self, sha256: str) -> Path:
        """A local file with these bytes, for readers that map memory; only to be read."""

    def has(self, sha256: str) -> bool:
        """Whether these bytes are kept."""

    def verify(self, sha256: str) -> None:
        """Read the bytes again; IntegrityError where they are no longer what their name says."""

    def delete(self, sha256: str) -> None:
        """Forget these bytes; no error where there are none."""


class Keys(Protocol):
    """The one holder of secrets: the master key, from which others are derived, and the signing keys."""

    def derive(self, purpose: str, *parts: str | bytes) -> Secret:
        """Derive 32 bytes for a purpose and the things named; each derivation is counted before it is given.

        Source: HKDF with SHA-256 (RFC 5869), info = purpose and parts, each with its length before it.
        """

    def derivations(self, purpose: str) -> int:
        """How often a key for this purpose was ever derived in this custody."""

    def sign(self, purpose: str, message: bytes) -> bytes:
        """Sign with the Ed25519 key kept for one purpose ("log" or "release")."""

    def public_key(self, purpose: str) -> bytes:
        """The 32 bytes with which outsiders check signatures made for a purpose."""


@dataclass(frozen=True)
class Outside:
    """The outside world as wired at start-up; `chance` gives bytes from the operating system's generator."""

    keys: Keys
    storage: Storage
    chance: Callable[[int], bytes]


@dataclass(frozen=True)
class Occasion:
    """Who acts, when, and the outside world they may ask: made once per request, command or job."""

    actor: Actor
    at: datetime
    outside: Outside
