"""A file in hand: what it is called, how large it is and what it holds, before anything parses it.

The content decides what a file is; its ending must agree. Nothing here reads more than the first few kilobytes,
follows a link in circles, waits on a pipe or believes a name.
"""

import io
import os
import stat
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

import pyarrow as pa

from copyhold.domain.errors import UnreadableFileError
from copyhold.engines.tables.limits import Limits
from copyhold.engines.tables.sources import Kind

_HEAD_BYTES = 16_384
_NAME_LENGTH = 120

ENDINGS = {
    ".csv": Kind.DELIMITED,
    ".tsv": Kind.DELIMITED,
    ".tab": Kind.DELIMITED,
    ".txt": Kind.PASTED,  # a delimited file if it is one, else pasted text: see reading
    ".log": Kind.PASTED,
    ".md": Kind.PASTED,
    ".parquet": Kind.PARQUET,
    ".pq": Kind.PARQUET,
    ".sav": Kind.SAV,
    ".zsav": Kind.SAV,
    ".dta": Kind.DTA,
    ".xpt": Kind.XPT,
    ".xlsx": Kind.WORKBOOK,
    ".xlsm": Kind.WORKBOOK,
    ".html": Kind.PAGE,
    ".htm": Kind.PAGE,
}
_TEXTUAL = (Kind.DELIMITED, Kind.PASTED, Kind.PAGE)

_CONTROL = frozenset(range(32)) - frozenset(b"\t\n\r\f")

_FOLDED = {".gz": "gzip", ".zst": "zstd"}
_FOLDED_MAGIC = {b"\x1f\x8b": "gzip", b"\x28\xb5\x2f\xfd": "zstd"}

_MAGIC = {
    b"PAR1": Kind.PARQUET,
    b"$FL2": Kind.SAV,
    b"$FL3": Kind.SAV,
    b"<stata_dta>": Kind.DTA,
    b"HEADER RECORD*******LIB": Kind.XPT,
    b"PK\x03\x04": Kind.WORKBOOK,
    b"PK\x05\x06": Kind.WORKBOOK,
} | {
    # Stata 8 to 12 write no name: release byte, byte order 1 or 2, file type 1, unused 0
    bytes((release, order, 1, 0)): Kind.DTA
    for release in (113, 114, 115)
    for order in (1, 2)
}

_FOREIGN = {
    b"\xd0\xcf\x11\xe0": "an old or password-protected Office document: save it as .xlsx without a password",
    b"%PDF": "a PDF document",
    b"\x89PNG": "an image",
    b"\xff\xd8\xff": "an image",
    b"GIF8": "an image",
    b"II*\x00": "an image",
    b"MM\x00*": "an image",
    b"\x7fELF": "a program",
    b"MZ\x90": "a program",
    b"\xcf\xfa\xed\xfe": "a program",
    b"\x00asm": "a program",
    b"#!": "a program",
    b"7z\xbc\xaf": "an archive: unpack it first",
    b"Rar!": "an archive: unpack it first",
    b"BZh": "an archive: unpack it first",
    b"\xfd7zXZ": "an archive: unpack it first",
    b"SQLite format 3": "a database",
    b"\x89HDF": "an HDF5 file",
    b"ARROW1": "an Arrow or Feather file",
    b"ORC": "an ORC file",
    b"PARE": "a Parquet file with an encrypted footer",
    b"Obj\x01": "an Avro file",
    b"\x80\x03": "a Python pickle, which is never opened",
    b"\x80\x04": "a Python pickle, which is never opened",
    b"\x80\x05": "a Python pickle, which is never opened",
    b"{\\rtf": "a word processor's document",
}


@dataclass(frozen=True, repr=False)
class File:
    """A regular, readable, non-empty file and what it holds.

    `name` is safe to print. `compression` is "", "gzip" or "zstd". `head` holds the first bytes after unfolding.
    Exactly one of `path` and `data` is set.
    """

    name: str
    kind: Kind
    compression: str
    size_bytes: int
    head: bytes
    path: Path | None = None
    data: bytes | None = None

    @property
    def stem(self) -> str:
        """The name without its endings: what a table is called where the file does not say."""
        return self.name.split(".")[0] or self.name

    def stored(self) -> BinaryIO:
        """Open the bytes as they are stored; the caller closes."""
        return _stored(self.path, self.data)

    def unfolded(self, limits: Limits) -> "Unfolded":
        """Open the bytes with compression undone, bounded by `limits`; the caller closes."""
        return Unfolded(self.name, self.stored(), self.compression, self.size_bytes, limits)

    def error(self, what: str) -> UnreadableFileError:
        """Make the one sentence that says why this file cannot be used; `what` follows the file's name."""
        return unreadable(self.name, what)


class Unfolded:
    """A stream of a file's bytes with compression undone, which stops where the file unfolds beyond its limits."""

    def __init__(self, name: str, stored: BinaryIO, compression: str, size_bytes: int, limits: Limits) -> None:
        self._name = name
        self._stored = stored
        self._stream = pa.CompressedInputStream(stored, compression) if compression else stored
        self._largest = limits.expanded_bytes
        if compression:
            self._largest = min(self._largest, max(limits.expansion_floor, limits.expansion * size_bytes))
        self.bytes_read = 0

    def read(self, size: int) -> bytes:
        """Return up to `size` bytes, empty only at the end.

        Raises:
            UnreadableFileError: the compressed stream is damaged, or unfolds beyond the limits.
        """
        try:
            block: bytes = self._stream.read(size)
        except OSError as error:
            raise unreadable(self._name, "is damaged or incomplete: its bytes end or break off early") from error
        self.bytes_read += len(block)
        if self.bytes_read > self._largest:
            raise unreadable(self._name, "unfolds to far more than a table of its size would: it is not read further")
        return block

    def close(self) -> None:
        """Close the file underneath."""
        if self._stream is not self._stored:
            self._stream.close()
        self._stored.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def opened(source: str | os.PathLike[str] | bytes, name: str | None, limits: Limits) -> File:
    """Look at a file, or at bytes called `name`, and say what it holds.

    Raises:
        UnreadableFileError: no such file, not a regular file, not permitted, empty, too large, of a kind that is not
            read, or of another kind than its ending says.
    """
    if isinstance(source, bytes):
        return _looked_at(_printable(name or "the data"), None, source, len(source), limits)
    path = Path(source)
    shown = _printable(name or path.name or str(path))
    size_bytes = _regular_size(path, shown)
    return _looked_at(shown, path, None, size_bytes, limits)


def unreadable(name: str, what: str) -> UnreadableFileError:
    """Make the one sentence that says why a file cannot be used; `what` follows the file's name."""
    return UnreadableFileError(f"{name} {what}.")


def _regular_size(path: Path, shown: str) -> int:
    try:
        found = path.stat()
        if not stat.S_ISREG(found.st_mode):
            raise unreadable(shown, "is a folder, not a file" if stat.S_ISDIR(found.st_mode) else "is not a file")
        with path.open("rb"):
            return found.st_size
    except FileNotFoundError as error:
        raise unreadable(shown, "does not exist") from error
    except PermissionError as error:
        raise unreadable(shown, "may not be read: its permissions do not allow it") from error
    except (OSError, ValueError) as error:  # a link to itself, a name that is too long, a NUL in it
        raise unreadable(shown, "cannot be opened: its path leads nowhere") from error


def _looked_at(shown: str, path: Path | None, data: bytes | None, size_bytes: int, limits: Limits) -> File:
    if size_bytes == 0:
        raise unreadable(shown, "is empty: it holds neither a heading nor a row")
    if size_bytes > limits.file_bytes:
        raise unreadable(shown, f"is larger than {limits.file_bytes} bytes, the most that is read")
    endings = [ending.lower() for ending in Path(shown).suffixes[-2:]]
    with _stored(path, data) as stored:
        start = stored.read(_HEAD_BYTES)
    compression = next((kind for magic, kind in _FOLDED_MAGIC.items() if start.startswith(magic)), "")
    if endings and endings[-1] in _FOLDED and _FOLDED[endings.pop()] != compression:
        raise unreadable(shown, "is not compressed as its ending says")
    if compression:
        with Unfolded(shown, _stored(path, data), compression, size_bytes, limits) as stream:
            start = stream.read(_HEAD_BYTES)
        if not start:
            raise unreadable(shown, "is empty: it holds neither a heading nor a row")
    kind = _kind(shown, start, endings[-1] if endings else "")
    if compression and kind not in _TEXTUAL:
        raise unreadable(shown, f"is a compressed {kind.value} file: unpack it first")
    return File(shown, kind, compression, size_bytes, start, path, data)


def _kind(shown: str, start: bytes, ending: str) -> Kind:
    foreign = next((what for magic, what in _FOREIGN.items() if _begins(start, magic)), None)
    if foreign is not None:
        raise unreadable(shown, f"is not a table but {foreign}")
    found = next((kind for magic, kind in _MAGIC.items() if _begins(start, magic)), None)
    promised = ENDINGS.get(ending)
    if found is None:
        found = _textual_kind(start, promised)
    if promised is not None and found is not promised:
        raise unreadable(shown, f"is named {ending} and does not hold {promised.value} data: check where it is from")
    return found


def _begins(start: bytes, magic: bytes) -> bool:
    """Whether the bytes carry this mark; a short mark of letters (PAR1, ORC) may also head a column of a text table."""
    if not start.startswith(magic):
        return False
    return len(magic) > 4 or not magic.isalnum() or any(byte in _CONTROL for byte in start)


def _textual_kind(start: bytes, promised: Kind | None) -> Kind:
    if promised in _TEXTUAL:
        return promised
    opening = start[:2048].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if opening.startswith((b"<!doctype html", b"<html", b"<table", b"<?xml", b"<!--", b"<head", b"<body", b"<div")):
        return Kind.PAGE
    return Kind.PASTED


def _stored(path: Path | None, data: bytes | None) -> BinaryIO:
    if path is None:
        return io.BytesIO(data or b"")
    return path.open("rb")


def _printable(name: str) -> str:
    shown = "".join(letter if letter.isprintable() else "?" for letter in name)
    return shown if len(shown) <= _NAME_LENGTH else shown[: _NAME_LENGTH - 3] + "..."
