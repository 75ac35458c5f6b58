"""What every make of storage must do."""

import hashlib
import io
from pathlib import Path

import pytest

from copyhold.adapters.storage_files import FileStorage
from copyhold.domain.errors import IntegrityError, InvalidInputError, NotFoundError
from copyhold.ports import Storage


@pytest.fixture(params=[FileStorage])
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> Storage:
    made: Storage = request.param(tmp_path / "objects")
    return made


def test_bytes_come_back_under_their_own_hash(storage: Storage) -> None:
    for data in (b"", b"x", bytes(range(256)) * 10_000):
        kept = storage.put(io.BytesIO(data))
        assert kept == hashlib.sha256(data).hexdigest()
        with storage.open(kept) as opened:
            assert opened.read() == data
        assert storage.path(kept).read_bytes() == data
        storage.verify(kept)


def test_keeping_the_same_bytes_twice_keeps_them_once(storage: Storage, tmp_path: Path) -> None:
    file = tmp_path / "given"
    file.write_bytes(b"same")
    assert storage.put_file(file) == storage.put(io.BytesIO(b"same"))
    assert len([one for one in (tmp_path / "objects").rglob("*") if one.is_file()]) == 1


def test_what_fails_half_way_leaves_nothing(storage: Storage, tmp_path: Path) -> None:
    class Broken(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            if self.tell():
                raise OSError("gone")
            return super().read(10)

    with pytest.raises(OSError, match="gone"):
        storage.put(Broken(b"x" * 100))
    assert not [one for one in (tmp_path / "objects").rglob("*") if one.is_file()]


def test_bytes_that_changed_are_found(storage: Storage) -> None:
    kept = storage.put(io.BytesIO(b"original"))
    place = storage.path(kept)
    place.chmod(0o600)
    place.write_bytes(b"0riginal")
    with pytest.raises(IntegrityError, match="backup"):
        storage.verify(kept)


def test_bytes_that_are_forgotten_are_gone(storage: Storage) -> None:
    kept = storage.put(io.BytesIO(b"x"))
    storage.delete(kept)
    storage.delete(kept)
    assert not storage.has(kept)
    with pytest.raises(NotFoundError):
        storage.open(kept)


def test_a_name_that_is_no_hash_reaches_no_file(storage: Storage) -> None:
    for name in ("", "../../etc/passwd", "A" * 64, "0" * 63):
        with pytest.raises(InvalidInputError):
            storage.path(name)
