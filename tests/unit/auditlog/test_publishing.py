"""Publishing: what is written, in which order it becomes durable, and what no crash can break."""

import os
from collections.abc import Callable, Iterable
from itertools import count
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from copyhold.auditlog.checkpoints import CheckpointSigner
from copyhold.auditlog.files import LogFiles, export, led
from copyhold.auditlog.publishing import Publisher, SignedState
from copyhold.auditlog.tiles import growth
from copyhold.auditlog.tree import EMPTY_ROOT, Edge, leaf_hash, root_of
from copyhold.auditlog.verification import verify
from copyhold.domain.errors import ConflictError, IntegrityError, InvalidInputError, UnavailableError
from tests.unit.auditlog.ledger import (
    ORIGIN,
    SIGNER,
    VKEY,
    MemoryLedger,
    crashes,
    draw_leaves,
    published,
    shown_size,
    words,
)


def snapshot(directory: Path) -> dict[str, bytes]:
    files = LogFiles(directory)
    return {path: (directory / path).read_bytes() for path in [*files.names(), "checkpoint"]}


def refused(code: str, act: Callable[[], object]) -> None:
    with pytest.raises(IntegrityError) as caught:
        act()
    assert caught.value.code == code


@pytest.mark.parametrize("size", [0, 1, 2, 255, 256, 257, 600])
def test_a_log_of_any_size_is_published_and_verified(tmp_path: Path, size: int) -> None:
    leaves = draw_leaves(size)
    ledger = published(tmp_path / "log", leaves)
    found = verify(tmp_path / "log", VKEY)
    assert (found.ok, found.size, found.problems, found.unsigned) == (True, size, (), 0)
    assert ledger.signed[size].root == root_of([leaf_hash(leaf) for leaf in leaves])
    assert set(LogFiles(tmp_path / "log").names()) == {name.path for name in growth(0, size)}


def test_a_log_of_sixty_six_thousand_entries_has_a_third_level_and_is_verified(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)
    size = 65_536 + 500
    ledger = published(tmp_path / "log", words(size), 256, 65_535, 65_536, 65_537)
    found = verify(tmp_path / "log", VKEY, since=ledger.signed[65_535].note, leaves=False)
    assert (found.ok, found.size, found.problems) == (True, size, ())
    assert (tmp_path / "log/tile/1/000").stat().st_size == 8192
    assert (tmp_path / "log/tile/2/000.p/1").stat().st_size == 32
    assert not (tmp_path / "log/tile/1/000.p").exists()


@settings(max_examples=25, deadline=None)
@given(steps=st.lists(st.integers(1, 300), min_size=1, max_size=6), restart=st.booleans())
def test_whatever_the_steps_the_files_and_roots_are_those_of_one_step(
    tmp_path_factory: pytest.TempPathFactory, steps: list[int], restart: bool
) -> None:
    directory, ledger = tmp_path_factory.mktemp("steps") / "log", MemoryLedger(words(sum(steps)))
    publisher = Publisher(directory, SIGNER, ledger)
    for step in steps:
        publisher = Publisher(directory, SIGNER, ledger) if restart else publisher
        state = publisher.publish(limit=step)
        assert state.root == root_of([leaf_hash(leaf) for leaf in ledger.leaves[: state.size]])
        assert state.edge == Edge().grown(leaf_hash(leaf) for leaf in ledger.leaves[: state.size])
    published(directory.parent / "once", ledger.leaves)
    once = snapshot(directory.parent / "once")
    assert {path: data for path, data in snapshot(directory).items() if path in once} == once
    for state in ledger.signed.values():
        found = verify(directory, VKEY, since=state.note, leaves=False)
        assert found.ok, found.problems


def test_publishing_without_new_rows_changes_nothing_and_signs_nothing(tmp_path: Path) -> None:
    ledger = published(tmp_path / "log", words(10))
    before, signed = snapshot(tmp_path / "log"), dict(ledger.signed)
    assert Publisher(tmp_path / "log", SIGNER, ledger).publish() == ledger.signed[10]
    assert (snapshot(tmp_path / "log"), ledger.signed) == (before, signed)


def test_an_empty_log_is_signed_once_and_grows(tmp_path: Path) -> None:
    ledger = MemoryLedger()
    publisher = Publisher(tmp_path / "log", SIGNER, ledger)
    assert publisher.publish().root == EMPTY_ROOT
    publisher.publish()
    ledger.leaves.extend(words(3))
    assert publisher.publish().size == 3
    assert sorted(ledger.signed) == [0, 3]


def test_partial_tiles_go_when_their_full_form_is_shown(tmp_path: Path) -> None:
    ledger = MemoryLedger(words(300))
    publisher = Publisher(tmp_path / "log", SIGNER, ledger)
    for _ in range(255):
        publisher.publish(limit=1)
    assert len(list((tmp_path / "log/tile/0/000.p").iterdir())) == 255
    publisher.publish(limit=2)
    assert set(LogFiles(tmp_path / "log").names()) == {name.path for name in growth(0, 257)}
    assert verify(tmp_path / "log", VKEY, since=ledger.signed[100].note, leaves=False).ok


def test_the_checkpoint_is_shown_only_after_its_state_was_committed(tmp_path: Path) -> None:
    class Observing(MemoryLedger):
        def commit(self, state: SignedState) -> None:
            assert shown_size(tmp_path / "log") < state.size
            super().commit(state)

    ledger = Observing(words(5))
    Publisher(tmp_path / "log", SIGNER, ledger).publish()
    assert shown_size(tmp_path / "log") == 5


def test_a_state_that_cannot_be_committed_is_not_shown(tmp_path: Path) -> None:
    class Refusing(MemoryLedger):
        def commit(self, state: SignedState) -> None:
            raise ConflictError("This size was signed before.")

    ledger = published(tmp_path / "log", words(5))
    refusing = Refusing(words(9))
    refusing.signed = ledger.signed
    publisher = Publisher(tmp_path / "log", SIGNER, refusing)
    with pytest.raises(ConflictError):
        publisher.publish()
    assert shown_size(tmp_path / "log") == 5


def test_every_file_and_folder_is_synced_before_the_state_is_committed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = tmp_path / "log"
    real_fsync, real_replace = os.fsync, Path.replace
    unsynced: set[str] = set()

    def fsync(descriptor: int) -> None:
        unsynced.discard(os.readlink(f"/proc/self/fd/{descriptor}"))
        real_fsync(descriptor)

    def replace(source: Path, target: Path) -> Path:
        assert str(source) not in unsynced, "renamed before its bytes were on the disk"
        folder = target.parent
        while folder != tmp_path:
            unsynced.add(str(folder))
            folder = folder.parent
        return real_replace(source, target)

    class Observing(MemoryLedger):
        def commit(self, state: SignedState) -> None:
            assert unsynced == set(), "committed before the files were on the disk"
            super().commit(state)

    def at(step: str) -> None:
        if step.startswith("sync tile") or step == "sync checkpoint":
            unsynced.add(str(log / ".unfinished"))

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(Path, "replace", replace)
    ledger = Observing(words(600))
    publisher = Publisher(log, SIGNER, ledger, at)
    for limit in (3, 300, None):
        publisher.publish(limit)
        assert unsynced == set(), "returned before the checkpoint was on the disk"


@pytest.mark.parametrize("more", [0, 4])
@pytest.mark.parametrize(("start", "stop"), [(0, 0), (0, 3), (5, 9), (250, 258), (255, 256), (256, 257), (500, 520)])
def test_a_crash_at_any_step_loses_nothing_and_a_replay_writes_the_same_bytes(
    tmp_path: Path, start: int, stop: int, more: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)
    steps = [start] if start else []
    published(tmp_path / "whole", words(stop + more), *steps)
    whole = snapshot(tmp_path / "whole")
    for place in count():
        log = tmp_path / f"crash-{place}"
        ledger = published(log, words(start)) if start else MemoryLedger()
        ledger.leaves, before = words(stop), shown_size(log)
        crashed = crashes(log, ledger, place)
        assert before <= shown_size(log) <= max(ledger.signed, default=0)
        assert verify(log, VKEY, leaves=False).ok or not (log / "checkpoint").exists()
        ledger.leaves = words(stop + more)
        Publisher(log, SIGNER, ledger).publish()
        found = verify(log, VKEY, leaves=False)
        assert (found.problems, found.size, found.unsigned) == ((), stop + more, 0)
        after = snapshot(log)
        assert {path: after.get(path) for path in whole} == whole
        assert more or after.keys() == whole.keys()
        if not crashed:
            assert place >= 4, "hardly a step was told"
            return


def test_a_full_disk_leaves_the_log_as_it_was_and_the_same_publisher_goes_on(tmp_path: Path) -> None:
    ledger = published(tmp_path / "log", words(250))
    ledger.leaves = words(600)
    failing = [True]

    def at(step: str) -> None:
        if failing and step == "sync tile/0/001":
            failing.clear()
            raise OSError(28, "No space left on device")

    publisher = Publisher(tmp_path / "log", SIGNER, ledger, at)
    with pytest.raises(UnavailableError, match="No space") as caught:
        publisher.publish()
    assert caught.value.code == "LOG_STORAGE"
    assert verify(tmp_path / "log", VKEY, leaves=False).size == 250
    assert publisher.publish().size == 600
    assert verify(tmp_path / "log", VKEY, leaves=False).ok


def test_a_publisher_that_failed_between_two_partial_tiles_writes_both_the_next_time(tmp_path: Path) -> None:
    ledger = published(tmp_path / "log", words(250))
    failing: list[str] = []

    def at(step: str) -> None:
        if step in failing:
            failing.clear()
            raise OSError(5, "Input/output error")

    publisher = Publisher(tmp_path / "log", SIGNER, ledger, at)
    publisher.publish()
    ledger.leaves = words(253)
    failing.append("sync tile/0/000.p/253")
    with pytest.raises(UnavailableError):
        publisher.publish()
    assert publisher.publish().size == 253
    assert verify(tmp_path / "log", VKEY, leaves=False).problems == ()


def test_signatures_that_others_added_to_the_shown_checkpoint_are_kept(tmp_path: Path) -> None:
    ledger = published(tmp_path / "log", words(20))
    checkpoint = tmp_path / "log/checkpoint"
    cosigned = checkpoint.read_text() + "— witness.example/w1 AAAAAAAA\n"
    checkpoint.write_text(cosigned)
    Publisher(tmp_path / "log", SIGNER, ledger).publish()
    assert checkpoint.read_text() == cosigned


def test_a_gap_or_a_repetition_in_the_rows_stops_everything(tmp_path: Path) -> None:
    for number, wrong in enumerate([[0, 1, 3], [0, 1, 1], [1, 2], [0, 2, 1]]):

        class Gapped(MemoryLedger):
            seqs = wrong

            def rows(self, start: int) -> Iterable[tuple[int, bytes]]:
                return ((seq, b"row") for seq in self.seqs)

        log = tmp_path / str(number)
        refused("LOG_GAP", Publisher(log, SIGNER, Gapped()).publish)
        assert not (log / "checkpoint").exists()


def test_a_database_that_is_behind_the_published_log_is_refused(tmp_path: Path) -> None:
    ledger = published(tmp_path / "log", words(20), 10)
    before = snapshot(tmp_path / "log")
    restored = MemoryLedger(words(15))
    restored.signed = {10: ledger.signed[10]}
    refused("LOG_BEHIND", Publisher(tmp_path / "log", SIGNER, restored).publish)
    refused("LOG_BEHIND", Publisher(tmp_path / "log", SIGNER, MemoryLedger()).publish)
    refused("LOG_BEHIND", Publisher(tmp_path / "log", SIGNER, restored).rebuild)
    assert snapshot(tmp_path / "log") == before


@pytest.mark.parametrize("size", [20, 256, 300])
def test_rows_that_are_missing_or_changed_below_the_signed_size_are_refused(tmp_path: Path, size: int) -> None:
    ledger = published(tmp_path / "log", words(size))
    ledger.leaves = words(size - 1)
    refused("LOG_GAP", Publisher(tmp_path / "log", SIGNER, ledger).publish)
    ledger.leaves = [*words(size - 1), b"another"]
    refused("LOG_INTEGRITY", Publisher(tmp_path / "log", SIGNER, ledger).publish)


def test_two_roots_for_one_size_are_a_fork(tmp_path: Path) -> None:
    published(tmp_path / "log", words(20))
    other = published(tmp_path / "other", [*words(19), b"another"])
    refused("LOG_FORK", Publisher(tmp_path / "log", SIGNER, other).publish)
    other.leaves.append(b"more")
    published(tmp_path / "older", words(21), 20)
    (tmp_path / "older/checkpoint").write_text(other.signed[20].note)
    ledger = published(tmp_path / "same", words(21), 20)
    refused("LOG_FORK", Publisher(tmp_path / "older", SIGNER, ledger).publish)


def test_a_checkpoint_of_another_key_or_with_a_changed_bit_is_never_replaced(tmp_path: Path) -> None:
    ledger = published(tmp_path / "log", words(20))
    ledger.leaves = words(30)
    stranger = CheckpointSigner.from_seed(ORIGIN, b"\x05" * 32)
    for text in (stranger.sign(20, ledger.signed[20].root), ledger.signed[20].note.replace("\n20\n", "\n21\n")):
        (tmp_path / "log/checkpoint").write_text(text)
        refused("LOG_SIGNATURE", Publisher(tmp_path / "log", SIGNER, ledger).publish)
        assert (tmp_path / "log/checkpoint").read_text() == text
    (tmp_path / "log/checkpoint").write_bytes(b"\xff")
    refused("LOG_INTEGRITY", Publisher(tmp_path / "log", SIGNER, ledger).publish)


@pytest.mark.parametrize("path", ["tile/0/000", "tile/entries/000"])
def test_a_full_tile_with_other_bytes_is_never_overwritten(tmp_path: Path, path: str) -> None:
    ledger = published(tmp_path / "log", words(200))
    (tmp_path / "log" / path).write_bytes(b"something else")
    ledger.leaves = words(300)
    refused("LOG_INTEGRITY", Publisher(tmp_path / "log", SIGNER, ledger).publish)
    assert (tmp_path / "log" / path).read_bytes() == b"something else"
    assert shown_size(tmp_path / "log") == 200


def test_a_spoilt_or_missing_upper_tile_is_found_at_the_start(tmp_path: Path) -> None:
    ledger = published(tmp_path / "log", words(600))
    ledger.leaves = words(700)
    tile = tmp_path / "log/tile/1/000.p/2"
    good = tile.read_bytes()
    tile.write_bytes(good[:40] + b"\x00" + good[41:])
    refused("LOG_INTEGRITY", Publisher(tmp_path / "log", SIGNER, ledger).publish)
    refused("LOG_INTEGRITY", lambda: Publisher(tmp_path / "log", SIGNER, ledger).publish(limit=0))
    tile.write_bytes(good[:40])
    refused("LOG_INTEGRITY", Publisher(tmp_path / "log", SIGNER, ledger).publish)
    tile.unlink()
    refused("LOG_INTEGRITY", Publisher(tmp_path / "log", SIGNER, ledger).publish)
    assert shown_size(tmp_path / "log") == 600


def test_a_lost_directory_is_rebuilt_from_the_rows_to_the_same_bytes(tmp_path: Path) -> None:
    ledger = published(tmp_path / "log", words(600))
    rebuilt = Publisher(tmp_path / "again", SIGNER, ledger)
    assert rebuilt.rebuild() == ledger.signed[600]
    assert snapshot(tmp_path / "again") == snapshot(tmp_path / "log")
    assert sorted(ledger.signed) == [600]
    ledger.leaves[3] = b"another"
    refused("LOG_INTEGRITY", Publisher(tmp_path / "third", SIGNER, ledger).rebuild)
    refused("LOG_INTEGRITY", Publisher(tmp_path / "log", SIGNER, ledger).rebuild)
    assert not (tmp_path / "third/checkpoint").exists()
    with pytest.raises(ConflictError):
        Publisher(tmp_path / "fourth", SIGNER, MemoryLedger(words(3))).rebuild()


def test_a_signed_state_whose_edge_or_note_is_not_its_own_is_refused(tmp_path: Path) -> None:
    ledger = published(tmp_path / "log", words(20), 10)
    state, older = ledger.signed[20], ledger.signed[10]
    for size, root, edge in [(20, older.root, state.edge), (10, state.root, state.edge), (20, state.root, older.edge)]:
        with pytest.raises(IntegrityError):
            SignedState(size, root, state.note, edge)
    ledger.signed[20] = SignedState(20, state.root, older.note, state.edge)
    refused("LOG_INTEGRITY", Publisher(tmp_path / "log", SIGNER, ledger).publish)


def test_one_leader_publishes_while_others_wait_or_are_told(tmp_path: Path) -> None:
    ledger = MemoryLedger(words(400))
    publishers = [Publisher(tmp_path / "log", SIGNER, ledger) for _ in range(4)]
    with led(tmp_path / "log", wait=True), pytest.raises(ConflictError) as caught:
        publishers[0].publish(wait=False)
    assert caught.value.code == "LOG_BUSY"

    failures: list[BaseException] = []

    def work(publisher: Publisher) -> None:
        try:
            for _ in range(5):
                publisher.publish(limit=20)
        except BaseException as error:  # a thread's failure must reach the test
            failures.append(error)

    threads = [Thread(target=work, args=(publisher,)) for publisher in publishers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert sorted(ledger.signed) == list(range(20, 401, 20))
    assert verify(tmp_path / "log", VKEY, leaves=False).ok


def test_an_export_is_a_plain_copy_that_verifies_and_never_writes_over_anything(tmp_path: Path) -> None:
    published(tmp_path / "log", words(300), 10)
    export(tmp_path / "log", tmp_path / "copy")
    assert snapshot(tmp_path / "copy") == snapshot(tmp_path / "log")
    assert verify(tmp_path / "copy", VKEY, leaves=False).ok
    with pytest.raises(ConflictError):
        export(tmp_path / "log", tmp_path / "copy")
    with pytest.raises(InvalidInputError):
        export(tmp_path / "nothing", tmp_path / "other")
    assert not (tmp_path / "other").exists()


def test_an_entry_too_long_for_a_log_stops_publishing(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError):
        Publisher(tmp_path / "log", SIGNER, MemoryLedger([b"x" * 65_536])).publish()
    assert not (tmp_path / "log/checkpoint").exists()


def test_a_signer_kept_elsewhere_is_handed_the_checkpoint_alone(tmp_path: Path) -> None:
    asked: list[Any] = []
    inner = CheckpointSigner.from_seed(ORIGIN, b"\x01" * 32)

    def sign(message: bytes) -> bytes:
        asked.append(message)
        return inner._sign(message)

    published(tmp_path / "log", words(2), signer=CheckpointSigner(ORIGIN, inner.key.public, sign))
    assert len(asked) == 1
    assert asked[0].startswith(ORIGIN.encode() + b"\n2\n")
