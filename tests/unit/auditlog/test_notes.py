"""Signed notes, keys and checkpoints: the published good ones and the known bad ones."""

import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from copyhold.auditlog.checkpoints import Checkpoint, CheckpointSigner, open_checkpoint
from copyhold.auditlog.encoding import from_base64
from copyhold.auditlog.notes import COSIGNATURE, Note, SignatureLine, VerifierKey, parse_note
from copyhold.auditlog.tree import EMPTY_ROOT
from copyhold.domain.errors import CopyholdError, IntegrityError, InvalidInputError
from tests.unit.auditlog.ledger import ORIGIN, SIGNER, VKEY

VECTORS = json.loads((Path(__file__).parents[2] / "vectors/tlog/notes.json").read_text())
GOOD = VECTORS["good"][1]
KEY = VerifierKey.parse(GOOD["vkeys"][0])


def named(cases: list[dict[str, Any]]) -> list[Any]:
    return [pytest.param(case, id=case["name"]) for case in cases]


@pytest.mark.parametrize("case", named(VECTORS["good"]))
def test_a_good_note_is_verified_by_every_key_it_names(case: dict[str, Any]) -> None:
    keys = [VerifierKey.parse(vkey) for vkey in case["vkeys"]]
    note = parse_note(case["note"])
    verified = note.verified(keys)
    assert [each.key for each in verified] == keys
    assert [each.time for each in verified if each.time is not None] == (
        [case["witness_time"]] if len(keys) > 1 else []
    )
    assert note.signed_text == case["note"]
    assert [key.text for key in keys] == case["vkeys"]


@pytest.mark.parametrize("case", named(VECTORS["bad"]))
def test_a_bad_note_is_refused(case: dict[str, Any]) -> None:
    with pytest.raises(CopyholdError):
        open_checkpoint(case["note"], VerifierKey.parse(case["vkey"]))


def test_the_vectors_are_all_there() -> None:
    assert (len(VECTORS["good"]), len(VECTORS["bad"])) == (2, 12)


def test_a_change_of_any_bit_of_a_checkpoint_is_refused() -> None:
    signed = SIGNER.sign(15, b"\x09" * 32)
    data = signed.encode()
    for bit in range(len(data) * 8):
        spoilt = bytearray(data)
        spoilt[bit // 8] ^= 1 << bit % 8
        try:
            text = spoilt.decode()
        except UnicodeDecodeError:
            continue
        with pytest.raises(CopyholdError):
            open_checkpoint(text, SIGNER.key)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda note: note.replace("\n", "\r\n"),
        lambda note: note + "\n",
        lambda note: note[:-1],
        lambda note: note + "a line\n",
        lambda note: note.replace("— ", "—  "),
        lambda note: note.replace("— ", "—\u00a0"),
        lambda note: note.replace("\n\n", "\n\n\n"),
        lambda note: note.replace("=\n", "\n"),
        lambda note: note.replace("log\n15", "log\n٣"),
        lambda note: note.replace("\n15\n", "\n+15\n"),
        lambda note: "\ud800" + note,
        lambda note: "\ufeff" + note,
        lambda note: note + note.splitlines(keepends=True)[-1] * 100,
        lambda note: note + "— other.example AAAA\n",
    ],
)
def test_a_departure_from_the_form_of_a_note_is_refused(spoil: Any) -> None:
    signed = SIGNER.sign(15, b"\x09" * 32)
    open_checkpoint(signed, SIGNER.key)
    with pytest.raises(CopyholdError):
        open_checkpoint(spoil(signed), SIGNER.key)


def test_signatures_of_strangers_are_passed_over_even_under_the_same_name() -> None:
    stranger = CheckpointSigner.from_seed(ORIGIN, b"\x05" * 32)
    signed = stranger.sign(15, b"\x09" * 32)
    both = Note(
        Checkpoint(ORIGIN, 15, b"\x09" * 32).text,
        parse_note(signed).signatures + parse_note(SIGNER.sign(15, b"\x09" * 32)).signatures,
    )
    assert open_checkpoint(both.signed_text, SIGNER.key).size == 15
    with pytest.raises(IntegrityError) as caught:
        open_checkpoint(signed, SIGNER.key)
    assert caught.value.code == "LOG_SIGNATURE"


def test_one_failing_signature_of_a_known_key_condemns_the_note() -> None:
    good = parse_note(SIGNER.sign(15, b"\x09" * 32))
    bad = SignatureLine(ORIGIN, SIGNER.key.key_id, b"\x00" * 64)
    with pytest.raises(IntegrityError):
        open_checkpoint(Note(good.text, (*good.signatures, bad)).signed_text, SIGNER.key)


def test_a_cosignature_covers_its_time() -> None:
    keys = [VerifierKey.parse(vkey) for vkey in GOOD["vkeys"]]
    note = parse_note(GOOD["note"])
    cosignature = note.signatures[1].signature
    assert keys[1].kind == COSIGNATURE
    for time in (0, 1_770_000_001, 2**63):
        with pytest.raises(IntegrityError):
            keys[1].verify(note.text, time.to_bytes(8) + cosignature[8:])
    with pytest.raises(IntegrityError):
        keys[1].verify(note.text, b"")


def test_a_cosignature_with_a_time_past_the_bound_is_refused_though_its_key_signed_it() -> None:
    witness = Ed25519PrivateKey.from_private_bytes(b"\x02" * 32)
    key = VerifierKey("witness.example/w1", witness.public_key().public_bytes_raw(), COSIGNATURE)

    def cosign(time: int) -> bytes:
        return time.to_bytes(8) + witness.sign(f"cosignature/v1\ntime {time}\ntext\n".encode())

    assert key.verify("text\n", cosign(2**63 - 1)) == 2**63 - 1
    with pytest.raises(IntegrityError):
        key.verify("text\n", cosign(2**63))


def test_base64_has_one_spelling() -> None:
    assert from_base64("AAA=", "It") == b"\x00\x00"
    for spoilt in ("AAB=", "AAA", "AAA= ", "AA\nA=", "AA-_", "ÄAA="):
        with pytest.raises(InvalidInputError):
            from_base64(spoilt, "It")


def test_a_key_signs_for_its_own_log_alone() -> None:
    line = parse_note(SIGNER.sign(0, EMPTY_ROOT)).signatures[0]
    text = Checkpoint("other.example/log", 0, EMPTY_ROOT).text
    forged = CheckpointSigner.from_seed("other.example/log", b"\x01" * 32).sign(0, EMPTY_ROOT)
    signature = parse_note(forged).signatures[0].signature
    note = Note(text, (SignatureLine(line.name, line.key_id, signature),)).signed_text
    with pytest.raises(IntegrityError) as caught:
        open_checkpoint(note, SIGNER.key)
    assert caught.value.code == "LOG_ORIGIN"


def test_signing_the_same_state_again_gives_the_same_note() -> None:
    assert SIGNER.sign(7, b"\x01" * 32) == SIGNER.sign(7, b"\x01" * 32)


def test_a_vkey_reads_back_and_every_spoilt_one_is_refused() -> None:
    assert VerifierKey.parse(VKEY + "\n") == SIGNER.key
    name, key_id, key = VKEY.split("+", 2)
    for spoilt in [
        "",
        name,
        f"{name}+{key_id}",
        f"{name}x+{key_id}+{key}",
        f"{name}+{key_id.upper() if key_id.upper() != key_id else '0' * 8}+{key}",
        f"{name}+{key_id}+{key[:-4]}",
        f"{name}+{key_id}+{key} ",
        f" {name}+{key_id}+{key}",
        f"+{key_id}+{key}",
        VKEY + "\n\n",
    ]:
        with pytest.raises(InvalidInputError):
            VerifierKey.parse(spoilt)


def test_a_checkpoint_with_an_extension_line_or_a_second_spelling_is_refused() -> None:
    text = Checkpoint(ORIGIN, 5, b"\x02" * 32).text
    assert Checkpoint.parse(text) == Checkpoint(ORIGIN, 5, b"\x02" * 32)
    for spoilt in [
        text + "more\n",
        text[:-1],
        "\n" + text,
        text.replace("\n5\n", "\n05\n"),
        text.replace("\n5\n", "\n5 \n"),
        text.replace("\n5\n", "\n99999999999999999999\n"),
        text.replace("\n5\n", "\n9999999999999999999\n"),
        text.replace("=", ""),
        "",
    ]:
        with pytest.raises(InvalidInputError):
            Checkpoint.parse(spoilt)
    with pytest.raises(InvalidInputError):
        Checkpoint("two\nlines", 5, b"\x02" * 32)
