"""The process dies at the worst moment, and again while it recovers: nothing acknowledged is lost."""

import os
import signal
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from itertools import count
from pathlib import Path

import numpy as np
import pytest

from copyhold.auditlog.publishing import Publisher, SignedState
from copyhold.auditlog.tree import Edge
from copyhold.auditlog.verification import read_entry, verify
from tests.unit.auditlog.ledger import SIGNER, VKEY, crashes, published, shown_size, words


class SqliteLedger:
    """Rows and signed states in a SQLite file, each durable when its statement returns."""

    def __init__(self, file: Path) -> None:
        self._base = sqlite3.connect(file, isolation_level=None)
        self._base.execute("PRAGMA journal_mode=WAL")
        self._base.execute("PRAGMA synchronous=FULL")
        self._base.execute("CREATE TABLE IF NOT EXISTS event (seq INTEGER PRIMARY KEY, leaf BLOB NOT NULL)")
        self._base.execute(
            "CREATE TABLE IF NOT EXISTS signed (size INTEGER PRIMARY KEY, root BLOB, note TEXT, edge BLOB)"
        )

    def close(self) -> None:
        self._base.close()

    def append(self) -> int:
        [(seq,)] = self._base.execute("SELECT count(*) FROM event")
        self._base.execute("INSERT INTO event VALUES (?, ?)", (seq, b"entry %d" % seq))
        return int(seq)

    def last_signed(self) -> SignedState | None:
        for size, root, note, edge in self._base.execute("SELECT * FROM signed ORDER BY size DESC LIMIT 1"):
            return SignedState(size, root, note, Edge.unpacked(size, edge))
        return None

    def rows(self, start: int) -> Iterator[tuple[int, bytes]]:
        yield from self._base.execute("SELECT seq, leaf FROM event WHERE seq >= ? ORDER BY seq", (start,))

    def commit(self, state: SignedState) -> None:
        values = (state.size, state.root, state.note, state.edge.packed)
        self._base.execute("INSERT INTO signed VALUES (?, ?, ?, ?)", values)


def live(folder: Path, dies_at: int) -> None:
    """Append and publish entry by entry, acknowledging each in a file, until killed at the given step."""
    steps = count()

    def at(step: str) -> None:
        if next(steps) == dies_at:
            os.kill(os.getpid(), signal.SIGKILL)

    ledger = SqliteLedger(folder / "base")
    publisher = Publisher(folder / "log", SIGNER, ledger, at)
    with (folder / "acknowledged").open("ab", buffering=0) as acknowledged:
        while True:
            at("append")
            seq = ledger.append()
            acknowledged.write(b"%d\n" % seq)
            at("acknowledged")
            if seq % 3 == 0:
                publisher.publish()


def live_and_die(folder: Path, dies_at: int) -> None:
    child = os.fork()
    if child == 0:
        try:
            live(folder, dies_at)
        finally:
            os._exit(1)  # the child must never come back into the test
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL


@pytest.mark.attack
def test_three_hundred_killings_lose_nothing_acknowledged_and_never_turn_the_checkpoint_back(tmp_path: Path) -> None:
    drawn, shown, notes = np.random.default_rng(9), 0, list[str]()
    for _ in range(300):
        live_and_die(tmp_path, int(drawn.integers(0, 90)))
        assert shown <= shown_size(tmp_path / "log")
        with closing(SqliteLedger(tmp_path / "base")) as ledger:
            state = Publisher(tmp_path / "log", SIGNER, ledger).publish()
        shown = shown_size(tmp_path / "log")
        acknowledged = [int(line) for line in (tmp_path / "acknowledged").read_bytes().split()]
        assert acknowledged == sorted(set(acknowledged))
        assert acknowledged[-1] < shown == state.size if acknowledged else shown == state.size
        found = verify(tmp_path / "log", VKEY, since=notes[-1] if notes else None, leaves=False)
        assert (found.problems, found.unsigned) == ((), 0)
        notes.append(state.note)
    assert shown > 600
    assert [read_entry(tmp_path / "log", seq) for seq in acknowledged] == [b"entry %d" % seq for seq in acknowledged]


@pytest.mark.attack
def test_a_crash_during_the_recovery_from_a_crash_loses_nothing_either(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)
    for first in count():
        crashed = False
        for second in count():
            log = tmp_path / f"{first}-{second}"
            ledger = published(log, words(254))
            ledger.leaves = words(257)
            crashed = crashes(log, ledger, first)
            shown = shown_size(log)
            crashed_again = crashes(log, ledger, second)
            assert shown <= shown_size(log)
            assert Publisher(log, SIGNER, ledger).publish().size == 257
            assert verify(log, VKEY, leaves=False).problems == ()
            if not crashed_again:
                break
        if not crashed:
            return
