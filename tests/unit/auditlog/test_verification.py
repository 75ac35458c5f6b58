"""Verifying: every way to spoil a log is told, and a sound one is left in peace."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from copyhold.auditlog.checkpoints import CheckpointSigner
from copyhold.auditlog.publishing import Publisher
from copyhold.auditlog.verification import verify
from copyhold.domain.errors import InvalidInputError
from tests.unit.auditlog.ledger import (
    ORIGIN,
    SIGNER,
    VKEY,
    draw_leaves,
    flip,
    make_leaf,
    published,
    survivors,
    words,
)

STEPS = (10, 256, 300, 520, 600)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    published(tmp_path / "log", words(600), *STEPS)
    return tmp_path / "log"


def problems(directory: Path, since: str | None = None) -> str:
    """Give what verifying found, in one text; a log with problems is never called good."""
    found = verify(directory, VKEY, since, leaves=False)
    assert found.ok == (found.problems == ())
    return " ".join(found.problems)


def test_a_sound_log_has_no_problem_and_tells_its_size_root_and_last_time(tmp_path: Path) -> None:
    ledger = published(tmp_path / "log", draw_leaves(300), *range(20, 300, 20))
    found = verify(tmp_path / "log", VKEY + "\n", since=ledger.signed[20].note)
    assert (found.ok, found.size, found.problems, found.unsigned) == (True, 300, (), 0)
    assert found.root == (tmp_path / "log/checkpoint").read_text().splitlines()[2]
    assert found.checkpoint_at == make_leaf(299).t


def test_an_empty_log_is_sound_and_claims_no_time(tmp_path: Path) -> None:
    ledger = published(tmp_path / "log", [])
    found = verify(tmp_path / "log", VKEY, since=ledger.signed[0].note)
    assert (found.ok, found.size, found.checkpoint_at) == (True, 0, None)
    assert found.root == "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="


def test_no_flipped_bit_survives(log: Path) -> None:
    assert problems(log) == ""
    assert survivors(log, flips=300, seed=6962) == []
    assert problems(log) == ""


def test_every_bit_of_a_partial_upper_tile_counts(log: Path) -> None:
    tile = log / "tile/1/000.p/1"
    for bit in range(tile.stat().st_size * 8):
        flip(tile, bit)
        assert "tile/1/000.p/1 is not what the entries call for" in problems(log)
        flip(tile, bit)


def cut(path: str) -> Callable[[Path], None]:
    def spoil(log: Path) -> None:
        (log / path).write_bytes((log / path).read_bytes()[:-1])

    return spoil


def grow(path: str) -> Callable[[Path], None]:
    def spoil(log: Path) -> None:
        (log / path).write_bytes((log / path).read_bytes() + b"\x00")

    return spoil


def drop(path: str) -> Callable[[Path], None]:
    return lambda log: (log / path).unlink()


def swap(one: str, other: str) -> Callable[[Path], None]:
    def spoil(log: Path) -> None:
        kept = (log / one).read_bytes()
        (log / one).write_bytes((log / other).read_bytes())
        (log / other).write_bytes(kept)

    return spoil


def copy(one: str, other: str) -> Callable[[Path], None]:
    def spoil(log: Path) -> None:
        (log / other).parent.mkdir(parents=True, exist_ok=True)
        (log / other).write_bytes((log / one).read_bytes())

    return spoil


def put(path: str, data: bytes) -> Callable[[Path], None]:
    def spoil(log: Path) -> None:
        (log / path).parent.mkdir(parents=True, exist_ok=True)
        (log / path).write_bytes(data)

    return spoil


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (swap("tile/entries/000", "tile/entries/001"), "tile/0/000 is not what the entries call for"),
        (swap("tile/0/000", "tile/0/001"), "tile/0/000 is not what the entries call for"),
        (copy("tile/entries/000", "tile/entries/001"), "do not lead to the signed root"),
        (cut("tile/entries/000"), "tile/entries/000 is damaged"),
        (cut("tile/entries/002.p/88"), "tile/entries/002.p/88 is damaged"),
        (cut("tile/entries/002.p/8"), "tile/entries/002.p/8 is not what"),
        (cut("tile/0/001"), "tile/0/001 is not what"),
        (cut("tile/0/002.p/88"), "tile/0/002.p/88 is not what"),
        (cut("tile/1/000.p/2"), "tile/1/000.p/2 is not what"),
        (grow("tile/0/000"), "tile/0/000 is not what"),
        (grow("tile/entries/000"), "tile/entries/000 is damaged"),
        (grow("checkpoint"), "The checkpoint is refused"),
        (cut("checkpoint"), "The checkpoint is refused"),
        (drop("checkpoint"), "The checkpoint is missing"),
        (put("checkpoint", b"\xff\xfe"), "The checkpoint is refused"),
        (put("checkpoint", b"\x00" * 20_000_000), "The checkpoint is refused"),
        (drop("tile/entries/000"), "tile/entries/000 is missing"),
        (drop("tile/entries/002.p/88"), "Only 520 of 600 signed entries"),
        (drop("tile/0/000"), "tile/0/000 is missing"),
        (drop("tile/0/002.p/88"), "tile/0/002.p/88 is missing"),
        (drop("tile/1/000.p/2"), "tile/1/000.p/2 is missing"),
        (copy("tile/0/000", "tile/0/003"), "tile/0/003 stands for entries that are not there"),
        (copy("tile/1/000.p/1", "tile/2/000.p/1"), "tile/2/000 stands for entries that are not there"),
        (copy("tile/entries/000", "tile/entries/005"), "tile/entries/005 stands for entries that are not there"),
        (copy("tile/0/002.p/88", "tile/0/002.p/89"), "tile/0/002.p/89 is not what"),
        (put("tile/0/002.p/90", b"\x00" * 90 * 32), "tile/0/002.p/90 is not what"),
        (put("tile/entries/000", b"\x00" * 17_000_000), "tile/entries/000 is damaged"),
        (put("tile/0/000", b"\x00" * 17_000_000), "tile/0/000 cannot be read"),
        (put("tile/0/0000", b""), "'tile/0/0000' is not the name of a tile"),
        (put("tile/notes.txt", b"hello"), "'tile/notes.txt' is not the name of a tile"),
    ],
)
def test_a_spoilt_log_is_told_for_what_it_is(log: Path, spoil: Callable[[Path], None], told: str) -> None:
    spoil(log)
    assert told in problems(log)


def test_a_full_tile_stands_in_for_the_partial_one_of_the_checkpoint(tmp_path: Path) -> None:
    ledger = published(tmp_path / "log", words(300), 200)
    (tmp_path / "log/checkpoint").write_text(ledger.signed[200].note)
    found = verify(tmp_path / "log", VKEY, leaves=False)
    assert (found.ok, found.size, found.unsigned) == (True, 200, 100)


def test_files_beyond_the_checkpoint_are_counted_as_unsigned_and_still_held_against_each_other(tmp_path: Path) -> None:
    ledger = published(tmp_path / "log", words(300), 280)
    (tmp_path / "log/checkpoint").write_text(ledger.signed[280].note)
    assert verify(tmp_path / "log", VKEY, leaves=False).unsigned == 20
    flip(tmp_path / "log/tile/0/001.p/44", 43 * 256)
    assert "tile/0/001.p/44 is not what" in problems(tmp_path / "log")


def test_a_log_signed_by_another_key_or_for_another_log_is_refused(log: Path) -> None:
    stranger = CheckpointSigner.from_seed(ORIGIN, b"\x05" * 32)
    other = CheckpointSigner.from_seed("other.example/log", b"\x01" * 32)
    for key in (stranger.key, other.key):
        found = verify(log, key.text, leaves=False)
        assert (found.ok, found.size, found.root) == (False, 0, "")
        assert "The checkpoint is refused" in found.problems[0]


def test_an_old_checkpoint_of_a_retired_key_proves_nothing(log: Path, tmp_path: Path) -> None:
    retired = CheckpointSigner.from_seed(ORIGIN, b"\x05" * 32)
    ledger = published(tmp_path / "old", words(300), signer=retired)
    assert "The old checkpoint is refused" in problems(log, since=ledger.signed[300].note)


def test_a_log_that_was_cut_back_is_found_with_an_old_checkpoint(tmp_path: Path) -> None:
    newer = published(tmp_path / "newer", words(300))
    published(tmp_path / "log", words(280))
    assert problems(tmp_path / "log") == ""
    assert "cut back" in problems(tmp_path / "log", since=newer.signed[300].note)


@pytest.mark.parametrize("size", [1, 100, 255, 256, 257, 300])
def test_a_log_rewritten_and_signed_again_is_found_with_an_old_checkpoint_and_not_without(
    tmp_path: Path, size: int
) -> None:
    old = published(tmp_path / "old", words(300), size).signed[size]
    published(tmp_path / "log", [b"rewritten", *words(300)[1:]])
    assert problems(tmp_path / "log") == ""
    assert "rewritten" in problems(tmp_path / "log", since=old.note)


def test_an_old_checkpoint_with_a_changed_bit_is_refused(log: Path) -> None:
    note = (log / "checkpoint").read_text()
    assert problems(log, since=note) == ""
    for spoilt in (note.replace("\n600\n", "\n500\n"), "", "nonsense", note[:-2]):
        assert "The old checkpoint is refused" in problems(log, since=spoilt)


@pytest.mark.parametrize(
    ("leaf", "told"),
    [
        (make_leaf(3).encode(), "Entry 5 says that its place is 3"),
        (b"a line of text", "Entry 5: An entry is not a leaf"),
        (make_leaf(5).encode().replace(b'"v":1', b'"rows":3,"v":1'), "Entry 5: An entry is not a leaf of version 1"),
    ],
)
def test_a_signed_entry_that_is_no_leaf_of_its_place_is_told(tmp_path: Path, leaf: bytes, told: str) -> None:
    leaves = draw_leaves(10)
    leaves[5] = leaf
    published(tmp_path / "log", leaves)
    found = verify(tmp_path / "log", VKEY)
    assert (found.ok, len(found.problems)) == (False, 1)
    assert told in found.problems[0]


def test_many_problems_are_told_up_to_a_bound_and_the_rest_counted(tmp_path: Path) -> None:
    published(tmp_path / "log", words(600))
    found = verify(tmp_path / "log", VKEY)
    assert len(found.problems) == 101
    assert found.problems[-1] == "And 500 problems more."


def test_a_vkey_that_cannot_be_read_is_an_error_of_the_caller(log: Path) -> None:
    with pytest.raises(InvalidInputError):
        verify(log, "not a key")


def test_a_place_that_is_no_log_is_not_sound(tmp_path: Path) -> None:
    assert verify(tmp_path / "nothing", VKEY).problems == ("The checkpoint is missing.",)


def test_verifying_writes_nothing(log: Path, tmp_path: Path) -> None:
    shutil.copytree(log, tmp_path / "copy")
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    assert problems(tmp_path / "copy") == ""
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before


def test_a_log_verifies_while_it_is_being_written(tmp_path: Path) -> None:
    ledger = published(tmp_path / "log", words(250))
    found: list[tuple[str, ...]] = []

    def at(step: str) -> None:
        found.append(verify(tmp_path / "log", VKEY, leaves=False).problems)

    ledger.leaves = words(520)
    Publisher(tmp_path / "log", SIGNER, ledger, at).publish()
    assert len(found) > 30
    assert set(found) == {()}
