"""`.tlog-proof` files: whole, standing alone, and refused in any other form."""

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from copyhold.auditlog.checkpoints import CheckpointSigner
from copyhold.auditlog.proofs import LogProof
from copyhold.auditlog.verification import prove, read_entry
from copyhold.domain.errors import CopyholdError, IntegrityError, InvalidInputError, NotFoundError
from tests.unit.auditlog.ledger import ORIGIN, SIGNER, published, words

COUNT = 300


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("proofs") / "log"
    published(directory, words(COUNT), 1, 200)
    return directory


@pytest.mark.parametrize("seq", [0, 1, 127, 128, 255, 256, 298, 299])
def test_a_proof_stands_alone_and_proves_its_entry_only(log: Path, seq: int) -> None:
    text = prove(log, seq)
    proof = LogProof.parse(text)
    assert proof.text == text
    assert proof.verify(read_entry(log, seq), SIGNER.key).size == COUNT
    assert read_entry(log, seq) == b"entry %d" % seq
    with pytest.raises(IntegrityError) as caught:
        proof.verify(b"entry %d" % (seq + 1), SIGNER.key)
    assert caught.value.code == "LOG_PROOF"


def test_a_proof_under_another_key_or_another_place_is_refused(log: Path) -> None:
    proof = LogProof.parse(prove(log, 7))
    with pytest.raises(IntegrityError):
        proof.verify(b"entry 7", CheckpointSigner.from_seed(ORIGIN, b"\x05" * 32).key)
    with pytest.raises(IntegrityError):
        LogProof(8, proof.hashes, proof.checkpoint).verify(b"entry 7", SIGNER.key)


def test_the_extra_line_is_carried_as_it_was_given(log: Path) -> None:
    text = prove(log, 7, extra=b"\x00salt and payload")
    assert text.splitlines()[1].startswith("extra ")
    assert LogProof.parse(text).extra == b"\x00salt and payload"
    assert LogProof.parse(prove(log, 7)).extra is None


@pytest.mark.parametrize("seq", [-1, COUNT, 10**30])
def test_an_entry_that_is_not_there_is_not_found(log: Path, seq: int) -> None:
    with pytest.raises(NotFoundError):
        prove(log, seq)
    with pytest.raises(NotFoundError):
        read_entry(log, seq)


def test_a_place_without_a_log_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError):
        prove(tmp_path, 0)


def test_no_proof_is_given_from_a_log_whose_files_do_not_lead_to_its_root(tmp_path: Path) -> None:
    published(tmp_path / "log", words(COUNT))
    for path in ("tile/0/000", "tile/entries/000"):
        file = tmp_path / "log" / path
        good = file.read_bytes()
        file.write_bytes(good[:5] + bytes([good[5] ^ 1]) + good[6:])
        with pytest.raises(IntegrityError):
            prove(tmp_path / "log", 0)
        file.write_bytes(good)
    (tmp_path / "log/tile/0/000").write_bytes(b"short")
    with pytest.raises(IntegrityError):
        prove(tmp_path / "log", 0)
    (tmp_path / "log/tile/0/000").unlink()
    with pytest.raises(IntegrityError):
        prove(tmp_path / "log", 0)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda text: text.replace("@v1", "@v2"),
        lambda text: text.replace("index 7", "index 07"),
        lambda text: text.replace("index 7", "index  7"),
        lambda text: text.replace("index 7", "index ٧"),
        lambda text: text.replace("index 7\n", ""),
        lambda text: text.replace("index 7", "extra \nindex 7"),
        lambda text: text.replace("index 7", "index 7\nextra AAAA"),
        lambda text: text.replace("index 7", "index 7\nAAAA"),
        lambda text: text.replace("index 7", "index 7\n" + "A" * 43 + "=" + ("\n" + "A" * 43 + "=") * 63),
        lambda text: text.replace("\n\n", "\n", 1),
        lambda text: text.replace("\n", "\r\n"),
        lambda text: "\n" + text,
        lambda text: text[:-1],
        lambda text: text + "\n",
        lambda text: "",
        lambda text: "c2sp.org/tlog-proof@v1\n\n",
    ],
)
def test_a_departure_from_the_form_of_a_proof_is_refused(log: Path, spoil: Callable[[str], str]) -> None:
    text = prove(log, 7)
    LogProof.parse(text).verify(b"entry 7", SIGNER.key)
    with pytest.raises(CopyholdError):
        LogProof.parse(spoil(text)).verify(b"entry 7", SIGNER.key)


def test_a_hash_of_another_length_is_refused_on_reading(log: Path) -> None:
    text = prove(log, 7)
    with pytest.raises(InvalidInputError):
        LogProof.parse(text.replace("index 7\n", "index 7\nAAAA\n"))


def test_a_proof_under_an_earlier_checkpoint_is_read_from_the_full_tiles_that_came_since(tmp_path: Path) -> None:
    ledger = published(tmp_path / "log", words(COUNT), 200)
    (tmp_path / "log/checkpoint").write_text(ledger.signed[200].note)
    assert not (tmp_path / "log/tile/0/000.p").exists()
    assert LogProof.parse(prove(tmp_path / "log", 199)).verify(b"entry 199", SIGNER.key).size == 200
    with pytest.raises(NotFoundError):
        prove(tmp_path / "log", 200)


@settings(max_examples=300)
@given(st.data())
def test_a_change_of_any_bit_of_a_proof_is_refused(log: Path, data: st.DataObject) -> None:
    text = bytearray(prove(log, 7).encode())
    bit = data.draw(st.integers(0, len(text) * 8 - 1))
    text[bit // 8] ^= 1 << bit % 8
    try:
        spoilt = text.decode()
    except UnicodeDecodeError:
        return
    with pytest.raises(CopyholdError):
        LogProof.parse(spoilt).verify(b"entry 7", SIGNER.key)
