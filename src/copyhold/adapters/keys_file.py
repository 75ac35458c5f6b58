"""Keys in files: a master key and one signing key per purpose, each readable by its owner alone.

Derivations are counted by a file per purpose that grows by one byte for each, before the key is given: the count is
the file's length, which many processes can add to at once and which survives a killed process.
"""

import os
import stat
from collections.abc import Callable
from pathlib import Path

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from copyhold.domain.errors import ConflictError, IntegrityError, UnavailableError
from copyhold.domain.words import Secret

KEY_BYTES = 32
OWNER_ALONE = 0o600
SIGNING_PURPOSES = ("log", "release")


class FileKeys:
    """The keys of one custody in one folder."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._master: Secret | None = None
        self._signing: dict[str, Ed25519PrivateKey] = {}

    @classmethod
    def create(cls, directory: Path, chance: Callable[[int], bytes]) -> "FileKeys":
        """Draw the keys of a new custody. ConflictError where there are keys already: they are never overwritten."""
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        keys = cls(directory)
        _write_new(keys._master_file, chance(KEY_BYTES))
        for purpose in SIGNING_PURPOSES:
            _write_new(keys._signing_file(purpose), chance(KEY_BYTES))
        (directory / "derivations").mkdir(mode=0o700, exist_ok=True)
        return keys

    def derive(self, purpose: str, *parts: str | bytes) -> Secret:
        """Derive 32 bytes from the master key: HKDF with SHA-256 (RFC 5869), info length-prefixed."""
        if self._master is None:
            self._master = Secret(_read(self._master_file))
        self._count(purpose)
        info = b"".join(_prefixed(part) for part in (purpose, *parts))
        hkdf = HKDF(algorithm=hashes.SHA256(), length=KEY_BYTES, salt=None, info=info)
        return Secret(hkdf.derive(self._master.reveal()))

    def derivations(self, purpose: str) -> int:
        """How often a key for this purpose was derived: the length of its counting file."""
        file = self._counting_file(purpose)
        return file.stat().st_size if file.exists() else 0

    def sign(self, purpose: str, message: bytes) -> bytes:
        """Sign with the Ed25519 key of one purpose."""
        return self._signing_key(purpose).sign(message)

    def public_key(self, purpose: str) -> bytes:
        """The raw public key of one purpose."""
        raw = (serialization.Encoding.Raw, serialization.PublicFormat.Raw)
        return self._signing_key(purpose).public_key().public_bytes(*raw)

    def _signing_key(self, purpose: str) -> Ed25519PrivateKey:
        if purpose not in self._signing:
            seed = _read(self._signing_file(purpose))
            self._signing[purpose] = Ed25519PrivateKey.from_private_bytes(seed)
        return self._signing[purpose]

    def _count(self, purpose: str) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
        descriptor = os.open(self._counting_file(purpose), flags, OWNER_ALONE)
        try:
            os.write(descriptor, b".")
        finally:
            os.close(descriptor)

    @property
    def _master_file(self) -> Path:
        return self._directory / "master.key"

    def _signing_file(self, purpose: str) -> Path:
        if purpose not in SIGNING_PURPOSES:
            raise ValueError(f"nothing is signed for {purpose}")
        return self._directory / f"{purpose}-signing.key"

    def _counting_file(self, purpose: str) -> Path:
        if not purpose.isidentifier():
            raise ValueError("a purpose is one word")
        return self._directory / "derivations" / purpose


def _prefixed(part: str | bytes) -> bytes:
    """A part with its length before it, so that no two lists of parts have the same bytes."""
    data = part.encode() if isinstance(part, str) else part
    return len(data).to_bytes(4) + data


def _write_new(file: Path, key: bytes) -> None:
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWNER_ALONE)
    except FileExistsError:
        raise ConflictError("There are keys here already; a custody's keys are never drawn twice.") from None
    with os.fdopen(descriptor, "wb") as opened:
        opened.write(key.hex().encode() + b"\n")
        opened.flush()
        os.fsync(opened.fileno())


def _read(file: Path) -> bytes:
    try:
        told = file.read_text("ascii").strip()
        mode = file.stat().st_mode
    except (OSError, UnicodeDecodeError):
        raise UnavailableError(f"The key file {file.name} cannot be read; put it back where it was.") from None
    if stat.S_IMODE(mode) & 0o077:
        raise IntegrityError(f"The key file {file.name} can be read by others than its owner; chmod 600 it.")
    try:
        key = bytes.fromhex(told)
    except ValueError:
        key = b""
    if len(key) != KEY_BYTES:
        raise IntegrityError(f"The key file {file.name} does not hold a key; restore it from its backup.")
    return key
