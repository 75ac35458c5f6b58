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


Step = Callable[[str, float], None]  # tells a person how far long work is: the step's name and its share done, 0 to 1


@dataclass(frozen=True)
class Home:
    """One custody as opened by one process: its folder, who stands at the door, the clock and the outside world."""

    directory: Path
    actor: Actor
    clock: Callable[[], datetime]
    outside: Outside

    def occasion(self) -> Occasion:
        """Make an occasion of this moment, before anybody is recognised."""
        return Occasion(self.actor, self.clock(), self.outside)

    @property
    def indexes(self) -> Path:
        """What is derived from versions to find their rows again; as sensitive as the master, rebuilt at will."""
        return self.directory / "indexes"

    @property
    def releases(self) -> Path:
        """Where copies are written for which no other place is named."""
        return self.directory / "releases"

    @property
    def cases(self) -> Path:
        """Case files and their reports."""
        return self.directory / "cases"

    @property
    def log(self) -> Path:
        """The published log: checkpoint, tiles, entry bundles, and beside them the key to check them with."""
        return self.directory / "log"
