"""Unfinished work beside other processes: what a dead one left goes when the custody is opened, the rest stays."""

import io
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from copyhold.adapters.storage_files import FileStorage
from copyhold.config import wiring
from copyhold.domain.accounts import Door
from copyhold.jobs.custody import partial, spool
from tests.attacks.processes import ended, in_a_child, until
from tests.entrypoints.conftest import Command, copyhold, custody

__all__ = ["copyhold", "custody"]


def work(folder: Path, place: Path, ready: Path) -> None:
    """Stand in the middle of bringing something to a place on another disk, for ever."""
    with spool(wiring.open_home(folder, Door.CLI)) as spooled:
        (spooled / "copy").write_text("unfinished")
        partial(spooled, place).write_text("half of it")
        ready.touch()
        time.sleep(600)


def put(objects: Path, ready: Path) -> None:
    """Stand in the middle of keeping bytes, for ever."""

    class Endless(io.BytesIO):
        def read(self, _size: int | None = -1) -> bytes:
            ready.touch()
            time.sleep(600)
            return b""

    FileStorage(objects).put(Endless())


def started(what: Callable[[Path], None], ready: Path) -> int:
    child = in_a_child(lambda: what(ready))
    until(ready.exists)
    return child


def die(child: int) -> None:
    os.kill(child, signal.SIGKILL)
    assert ended(child) == -signal.SIGKILL


def test_the_spool_of_a_running_process_stays_and_that_of_a_dead_one_goes(
    copyhold: Command, custody: Path, tmp_path: Path
) -> None:
    (tmp_path / "out").mkdir()
    children = [
        started(lambda ready, place=tmp_path / "out" / name: work(custody, place, ready), tmp_path / name)  # type: ignore[misc]
        for name in ("one", "two")
    ]
    assert copyhold("status").code == 0
    assert (len(list(custody.glob(".spool-*"))), len(list((tmp_path / "out").iterdir()))) == (2, 2)
    die(children[0])
    assert copyhold("status").code == 0
    [left] = custody.glob(".spool-*")
    assert (left / "copy").read_text() == "unfinished"
    [beside] = (tmp_path / "out").iterdir()
    assert beside.name.startswith(".two-")
    die(children[1])
    assert copyhold("status").code == 0
    assert not [*custody.glob(".spool-*"), *(tmp_path / "out").iterdir()]


def test_a_note_that_was_cut_short_removes_nothing(copyhold: Command, custody: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    dead = custody / ".spool-dead"
    dead.mkdir()
    (dead / "elsewhere").write_bytes(os.fsencode(tmp_path / "out"))
    assert copyhold("status").code == 0
    assert not dead.exists()
    assert (tmp_path / "out").is_dir()


@pytest.mark.parametrize("others", [0, 1])
def test_bytes_half_kept_by_a_dead_process_go_once_nobody_writes(
    copyhold: Command, custody: Path, tmp_path: Path, others: int
) -> None:
    objects = custody / "objects"
    dead = started(lambda ready: put(objects, ready), tmp_path / "dead")
    writing = [started(lambda ready: put(objects, ready), tmp_path / "writing") for _ in range(others)]
    die(dead)
    assert copyhold("status").code == 0
    assert len(list(objects.glob("incoming-*"))) == 2 * others
    for child in writing:
        die(child)
    assert copyhold("status").code == 0
    assert not list(objects.glob("incoming-*"))
