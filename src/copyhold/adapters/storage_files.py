"""Bytes in files named by their own SHA-256, under a folder; written beside, synced, then renamed into place.

Who writes shares a lock on the folder, which the system takes back when the process ends. Whoever gets it alone knows
that what is still beside was left by processes that died.
"""

import fcntl
import hashlib
import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path
from typing import BinaryIO, cast

from copyhold.domain.errors import IntegrityError, InvalidInputError, NotFoundError

BLOCK = 1 << 20
INCOMING = "incoming-"
SHA256 = re.compile(r"[0-9a-f]{64}")


class FileStorage:
    """Content-addressed storage in one folder of the local disk."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def put(self, data: BinaryIO) -> str:
        """Keep bytes durably; give their SHA-256."""
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        with _locked(self._directory, fcntl.LOCK_SH):
            return self._put(data)

    def put_file(self, path: Path) -> str:
        """Keep a file's bytes durably; give their SHA-256."""
        with path.open("rb") as data:
            return self.put(data)

    def open(self, sha256: str) -> BinaryIO:
        """Open kept bytes."""
        return self.path(sha256).open("rb")

    def path(self, sha256: str) -> Path:
        """The file with these bytes."""
        place = self._place_of(sha256)
        if not place.exists():
            raise NotFoundError("The custody keeps no bytes of this hash; restore them from a backup.")
        return place

    def has(self, sha256: str) -> bool:
        """Whether these bytes are kept."""
        return self._place_of(sha256).exists()

    def verify(self, sha256: str) -> None:
        """Read the bytes again and hold them against their name."""
        with self.open(sha256) as data:
            if hashlib.file_digest(cast(BufferedReader, data), "sha256").hexdigest() != sha256:
                raise IntegrityError("Kept bytes are no longer what their hash says; restore them from a backup.")

    def delete(self, sha256: str) -> None:
        """Forget these bytes."""
        self._place_of(sha256).unlink(missing_ok=True)

    def sweep(self) -> None:
        """Remove what processes that died left half-written; while others write, nothing."""
        if not self._directory.is_dir():
            return
        try:
            with _locked(self._directory, fcntl.LOCK_EX | fcntl.LOCK_NB):
                for beside in self._directory.glob(f"{INCOMING}*"):
                    beside.unlink()
        except BlockingIOError:
            return

    def _put(self, data: BinaryIO) -> str:
        digest = hashlib.sha256()
        descriptor, name = tempfile.mkstemp(dir=self._directory, prefix=INCOMING)
        beside = Path(name)
        try:
            with os.fdopen(descriptor, "wb") as written:
                while block := data.read(BLOCK):
                    digest.update(block)
                    written.write(block)
                written.flush()
                os.fsync(written.fileno())
            self._place(beside, digest.hexdigest())
        finally:
            beside.unlink(missing_ok=True)
        return digest.hexdigest()

    def _place(self, beside: Path, sha256: str) -> None:
        place = self._place_of(sha256)
        place.parent.mkdir(mode=0o700, exist_ok=True)
        beside.chmod(0o400)
        beside.rename(place)
        for folder in (place.parent, self._directory):
            _sync(folder)

    def _place_of(self, sha256: str) -> Path:
        if not SHA256.fullmatch(sha256):
            raise InvalidInputError("A hash is 64 hexadecimal digits.")
        return self._directory / sha256[:2] / sha256[2:]


@contextmanager
def _locked(folder: Path, how: int) -> Iterator[None]:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, how)
        yield
    finally:
        os.close(descriptor)


def _sync(folder: Path) -> None:
    """Make a rename durable: on Linux that is the folder's own data."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
