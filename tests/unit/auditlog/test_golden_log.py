"""A log that another implementation made: its roots, tiles and bundles come out of ours byte for byte."""

import shutil
from pathlib import Path

import pytest

from copyhold.auditlog.checkpoints import CheckpointSigner, open_checkpoint
from copyhold.auditlog.files import LogFiles
from copyhold.auditlog.notes import VerifierKey
from copyhold.auditlog.proofs import LogProof
from copyhold.auditlog.reading import PublishedTree
from copyhold.auditlog.tree import consistency_proof, leaf_hash, root_of, verify_consistency
from copyhold.auditlog.verification import prove, verify
from tests.unit.auditlog.ledger import published

GOLDEN = Path(__file__).parents[2] / "vectors/tlog/golden-log"
VKEY = (GOLDEN / "vkey").read_text()
KEY = VerifierKey.parse(VKEY)
WORDS = b"one two three four five six seven eit nain ten ileven twelf threeten fourten fivten".split()


@pytest.mark.parametrize("size", range(16))
def test_each_golden_checkpoint_is_signed_and_has_the_root_of_its_words(size: int) -> None:
    checkpoint = open_checkpoint((GOLDEN / f"checkpoint.{size}").read_text(), KEY)
    assert (checkpoint.size, checkpoint.root) == (size, root_of([leaf_hash(word) for word in WORDS[:size]]))


def test_our_publisher_writes_the_golden_files_byte_for_byte(tmp_path: Path) -> None:
    signer = CheckpointSigner.from_seed(KEY.name, b"\x01" * 32)
    ledger = published(tmp_path / "log", WORDS, *range(1, 15), signer=signer)
    golden = {path: (GOLDEN / path).read_bytes() for path in LogFiles(GOLDEN).names()}
    ours = {path: (tmp_path / "log" / path).read_bytes() for path in LogFiles(tmp_path / "log").names()}
    assert ours == golden
    assert len(golden) == 30
    for size in range(1, 16):
        assert ledger.signed[size].root == open_checkpoint((GOLDEN / f"checkpoint.{size}").read_text(), KEY).root


def test_our_verifier_accepts_the_golden_log_from_each_of_its_old_checkpoints() -> None:
    for size in range(16):
        found = verify(GOLDEN, VKEY, since=(GOLDEN / f"checkpoint.{size}").read_text(), leaves=False)
        assert (found.ok, found.size, found.problems) == (True, 15, ())


def test_its_entries_are_proven_and_its_growth_consistent_through_its_tiles_alone() -> None:
    tree = PublishedTree(LogFiles(GOLDEN), 15)
    for seq, word in enumerate(WORDS):
        LogProof.parse(prove(GOLDEN, seq)).verify(word, KEY)
    roots = [open_checkpoint((GOLDEN / f"checkpoint.{size}").read_text(), KEY).root for size in range(16)]
    for size in range(1, 15):
        verify_consistency(size, 15, roots[size], roots[15], consistency_proof(size, 15, tree.hash_of))


def test_a_golden_log_with_one_word_changed_is_refused(tmp_path: Path) -> None:
    shutil.copytree(GOLDEN, tmp_path / "log")
    bundle = tmp_path / "log/tile/entries/000.p/15"
    bundle.write_bytes(bundle.read_bytes().replace(b"seven", b"sevem"))
    assert not verify(tmp_path / "log", VKEY, leaves=False).ok


def test_the_words_of_the_golden_log_are_no_leaves_of_ours() -> None:
    found = verify(GOLDEN, VKEY)
    assert not found.ok
    assert len(found.problems) == 15
