"""The directory of a log: what is written in it stays, and is on the disk before anybody is told.

* A tile or bundle is written once, under a temporary name, synced, renamed. A second writing must bring the same
  bytes, or stops with LOG_INTEGRITY.
* Only `checkpoint` is ever replaced.
* `settle` syncs every folder that was written to; what it has returned from survives a loss of power.
* Everything below `tile/` is the log's; of the rest only `checkpoint` is read.
"""

import fcntl
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from copyhold.auditlog.tiles import MAX_FILE_BYTES, TileName
from copyhold.domain.errors import (
    ConflictError,
    IntegrityError,
    InvalidInputError,
    UnavailableError,
    UnreadableFileError,
)

CHECKPOINT = "checkpoint"
TILES = "tile"
_LOCK = ".lock"
_UNFINISHED = (
    ".unfinished"  # one name, for one writer: a crash leaves at most one such file, and the next write takes it
)

# Told the name of each step just before it is taken; a test raises here to stand for a crash.
Watch = Callable[[str], None]


def unwatched(step: str) -> None:
    """Watch nothing."""


class LogFiles:
    """Reading and durable writing in one log directory."""

    def __init__(self, root: Path, at: Watch = unwatched) -> None:
        self.root = root
        self._at = at
        self._unsettled: set[Path] = set()

    def read(self, path: str, most: int = MAX_FILE_BYTES) -> bytes | None:
        """Read a file of the log; None where there is none. Raises UnreadableFileError over `most` bytes."""
        try:
            with (self.root / path).open("rb") as file:
                data = file.read(most + 1)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise UnreadableFileError(
                f"{path} of the log cannot be read. Check its permissions and the disk."
            ) from error
        if len(data) > most:
            raise UnreadableFileError(f"{path} of the log is larger than any file of a log. It was not read.")
        return data

    def read_checkpoint(self) -> str | None:
        """Read the checkpoint; None where nothing was published yet."""
        data = self.read(CHECKPOINT)
        try:
            return None if data is None else data.decode()
        except UnicodeDecodeError as error:
            raise UnreadableFileError(
                "The log's checkpoint is not UTF-8. Restore it from the last signed state."
            ) from error

    def keep(self, path: str, data: bytes) -> None:
        """Write a tile or bundle once and for all.

        Raises IntegrityError (LOG_INTEGRITY) where other bytes lie under that name.
        """
        present = self.read(path)
        if present is None:
            self._put(path, data)
        elif present != data:
            raise IntegrityError(
                f"{path} of the log holds other bytes than the entries call for. Nothing was published: "
                "keep the directory as evidence and verify it.",
                code="LOG_INTEGRITY",
            )
        # Present does not mean durable: a crash may have come between its renaming and the syncing of its folder.
        self._unsettled.update(self._folders(path))

    def replace_checkpoint(self, text: str) -> None:
        """Put a new checkpoint in the place of the old, durably."""
        self._put(CHECKPOINT, text.encode())
        self._unsettled.add(self.root)
        self.settle()

    def settle(self) -> None:
        """Sync every folder written to, the deepest first."""
        for folder in sorted(self._unsettled, key=lambda each: len(each.parts), reverse=True):
            self._at(f"sync folder {folder.name}")
            _sync_folder(folder)
        self._unsettled.clear()

    def forget_partials(self, name: TileName) -> None:
        """Remove the partial forms of a tile that is full; readers then take the full one."""
        folder = self.root / name.folder
        if folder.is_dir():
            self._at(f"remove {name.folder}")
            with _storing():
                shutil.rmtree(folder)

    def names(self) -> Iterator[str]:
        """Name every file below `tile/`, with forward slashes, in order."""
        for folder, folders, files in os.walk(self.root / TILES):
            folders.sort()
            for file in sorted(files):
                yield (Path(folder) / file).relative_to(self.root).as_posix()

    def _put(self, path: str, data: bytes) -> None:
        target, unfinished = self.root / path, self.root / _UNFINISHED
        with _storing():
            target.parent.mkdir(parents=True, exist_ok=True)
            self._at(f"write {path}")
            with unfinished.open("wb") as file:
                file.write(data)
                file.flush()
                self._at(f"sync {path}")
                os.fsync(file.fileno())
            self._at(f"rename {path}")
            unfinished.replace(target)

    def _folders(self, path: str) -> Iterator[Path]:
        for folder in (self.root / path).parents:
            yield folder
            if folder == self.root:
                return


def _sync_folder(folder: Path) -> None:
    with _storing():
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


@contextmanager
def _storing() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise UnavailableError(
            f"The log's directory did not take a write: {error.strerror}. Mend that and publish again; no row is lost.",
            code="LOG_STORAGE",
        ) from error


@contextmanager
def led(root: Path, wait: bool) -> Iterator[None]:
    """Be the one publisher of a log directory; make the directory if need be.

    Raises ConflictError (LOG_BUSY) where another publishes and `wait` is false.
    """
    with _storing():
        root.mkdir(parents=True, exist_ok=True)
        _sync_folder(root.parent)
    with (root / _LOCK).open("ab") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise ConflictError(
                "Another process is publishing this log. Try again shortly.", code="LOG_BUSY"
            ) from error
        yield


def export(directory: Path, target: Path) -> None:
    """Copy a log's checkpoint and tiles to a new or empty directory, as plain files.

    The checkpoint is read first: tiles only grow, so those copied after it cover it even while the log is written.
    """
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise ConflictError("The place to export the log to is not an empty directory. Name a new one.")
    files = LogFiles(directory)
    checkpoint = files.read_checkpoint()
    if checkpoint is None:
        raise InvalidInputError("There is no log to export here: it has no checkpoint. Name a log's directory.")
    target.mkdir(parents=True, exist_ok=True)
    (target / CHECKPOINT).write_text(checkpoint, encoding="utf-8", newline="")
    for name in files.names():
        data = files.read(name)
        if data is not None:  # a partial tile may go while we copy: its full form is there by then
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            (target / name).write_bytes(data)
