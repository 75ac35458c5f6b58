"""What every make of key store must do."""

import os
import pickle
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from copyhold.adapters.keys_file import FileKeys
from copyhold.domain.errors import ConflictError, IntegrityError, UnavailableError
from copyhold.ports import Keys

Make = Callable[[Path], Keys]


def file_keys(folder: Path) -> Keys:
    return FileKeys.create(folder, os.urandom)


@pytest.fixture(params=[file_keys])
def keys(request: pytest.FixtureRequest, tmp_path: Path) -> Keys:
    made: Keys = request.param(tmp_path / "keys")
    return made


def test_a_derived_key_is_always_the_same_and_32_bytes(keys: Keys) -> None:
    assert keys.derive("mark", "a", b"b") == keys.derive("mark", "a", "b")
    assert len(keys.derive("mark", "a").reveal()) == 32


def test_no_two_lists_of_parts_share_a_key(keys: Keys) -> None:
    lists = [("ab", "c"), ("a", "bc"), ("abc",), ("a", "b", "c"), ("abc", ""), ()]
    assert len({keys.derive("mark", *parts).reveal() for parts in lists}) == len(lists)
    assert keys.derive("mark", "a") != keys.derive("date", "a")


def test_each_derivation_is_counted_by_purpose(keys: Keys) -> None:
    for party in range(3):
        keys.derive("mark", str(party))
    keys.derive("date", "x")
    assert (keys.derivations("mark"), keys.derivations("date"), keys.derivations("id")) == (3, 1, 0)


def test_a_signature_holds_for_its_message_and_purpose_alone(keys: Keys) -> None:
    signature = keys.sign("log", b"message")
    Ed25519PublicKey.from_public_bytes(keys.public_key("log")).verify(signature, b"message")
    for purpose, message in (("log", b"other"), ("release", b"message")):
        with pytest.raises(InvalidSignature):
            Ed25519PublicKey.from_public_bytes(keys.public_key(purpose)).verify(signature, message)


def test_a_key_shows_itself_nowhere(keys: Keys) -> None:
    secret = keys.derive("mark", "a")
    assert repr(secret) == str(secret) == f"{secret}" == "Secret()"
    assert secret.reveal().hex() not in repr([secret])
    with pytest.raises(TypeError):
        pickle.dumps(secret)
    with pytest.raises(TypeError):
        hash(secret)


class TestFiles:
    def test_only_the_owner_reads_a_key_file(self, tmp_path: Path) -> None:
        FileKeys.create(tmp_path, os.urandom)
        files = [file for file in tmp_path.iterdir() if file.is_file()]
        assert sorted(file.name for file in files) == ["log-signing.key", "master.key", "release-signing.key"]
        assert {file.stat().st_mode & 0o777 for file in files} == {0o600}

    def test_keys_are_never_drawn_over_others(self, tmp_path: Path) -> None:
        FileKeys.create(tmp_path, os.urandom)
        before = (tmp_path / "master.key").read_bytes()
        with pytest.raises(ConflictError):
            FileKeys.create(tmp_path, os.urandom)
        assert (tmp_path / "master.key").read_bytes() == before

    def test_another_process_derives_the_same_and_goes_on_counting(self, tmp_path: Path) -> None:
        first = FileKeys.create(tmp_path, os.urandom)
        second = FileKeys(tmp_path)
        assert first.derive("mark", "a") == second.derive("mark", "a")
        assert first.derivations("mark") == 2

    def test_the_derivation_is_hkdf_of_length_prefixed_parts(self, tmp_path: Path) -> None:
        """RFC 5869 without a salt, info = purpose and parts, each behind its length in four bytes."""
        keys = FileKeys.create(tmp_path, bytes)
        info = b"\x00\x00\x00\x04mark\x00\x00\x00\x02ab\x00\x00\x00\x01c"
        wanted = HKDF(algorithm=hashes.SHA256(), length=32, salt=None, info=info).derive(bytes(32))
        assert keys.derive("mark", "ab", "c").reveal() == wanted

    def test_a_key_file_open_to_others_or_broken_is_refused(self, tmp_path: Path) -> None:
        FileKeys.create(tmp_path, os.urandom)
        master = tmp_path / "master.key"
        master.chmod(0o640)
        with pytest.raises(IntegrityError, match="chmod 600"):
            FileKeys(tmp_path).derive("mark")
        master.chmod(0o600)
        master.write_text("short")
        with pytest.raises(IntegrityError, match="backup"):
            FileKeys(tmp_path).derive("mark")
        master.unlink()
        with pytest.raises(UnavailableError):
            FileKeys(tmp_path).derive("mark")
