"""The custody's own folder: work that is not finished, and what a process that died left of it.

* Unfinished work stands in a spool, a folder beside the custody's own. Its process holds a lock on it, which the
  system takes back when the process ends, however it ends.
* What must be unfinished elsewhere, on another disk, is written down in the spool first.
* Whoever opens the custody removes the spools that nobody holds; those of running processes stay.
"""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from copyhold.ports import Home

_SPOOL = ".spool-"
_ELSEWHERE = "elsewhere"
_PARTIAL = ".partial"


@contextmanager
def spool(home: Home) -> Iterator[Path]:
    """A folder beside the custody's own for work that is not finished; it goes when the work ends, however it ends."""
    folder, held = _claimed(home.directory)
    try:
        yield folder
    finally:
        _remove(folder)
        os.close(held)


def partial(spooled: Path, place: Path) -> Path:
    """Name a hidden file or folder beside a place, for what is on its way there; it goes with the spool."""
    beside = place.with_name(f".{place.name}-{spooled.name.removeprefix(_SPOOL)}{_PARTIAL}")
    (spooled / _ELSEWHERE).write_bytes(os.fsencode(beside))
    return beside


def sweep(directory: Path) -> None:
    """Remove from a custody's folder the spools of processes that died."""
    for folder in directory.glob(f"{_SPOOL}*"):
        held = _hold(folder)
        if held is not None:
            _remove(folder)
            os.close(held)


def _claimed(directory: Path) -> tuple[Path, int]:
    """Make a spool and hold it; make another where the custody was opened, and this one swept, in between."""
    while True:
        folder = Path(tempfile.mkdtemp(dir=directory, prefix=_SPOOL))
        held = _hold(folder)
        if held is not None and folder.exists():
            return folder, held
        if held is not None:
            os.close(held)


def _hold(folder: Path) -> int | None:
    """Lock a folder until the descriptor given is closed; None where it is held or gone."""
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor


def _remove(folder: Path) -> None:
    with suppress(FileNotFoundError):
        beside = Path(os.fsdecode((folder / _ELSEWHERE).read_bytes()))
        if beside.name.endswith(_PARTIAL):  # a note cut short must never name the folder above
            _gone(beside)
    _gone(folder)


def _gone(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
