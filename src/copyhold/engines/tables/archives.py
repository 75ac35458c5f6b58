"""Zip archives (an .xlsx file is one): measured piece by piece before a parser sees them.

The directory's own figures are claims. They are checked first; then every member is unfolded and thrown away, and must
come to exactly the size it claims.
"""

import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

from copyhold.engines.tables.files import File
from copyhold.engines.tables.limits import Limits

_LOCAL_HEADER = struct.Struct("<4s22xHH")  # signature, lengths of name and extra field: APPNOTE.TXT, 4.3.7
_SIGNATURE = b"PK\x03\x04"
_PIECE_BYTES = 1 << 18
_MOST_MEMBERS = 10_000
_ENCRYPTED = 0x1


class _UnsoundError(Exception):
    """The archive is not what its directory says."""


def pieces(file: File, limits: Limits) -> Iterator[tuple[str, bytes]]:
    """Unfold every member of an archive, and give its name with each piece.

    Raises:
        UnreadableFileError: damaged, encrypted, or unfolding to more than the limits or to another size than it claims.
    """
    with file.stored() as stored, _damage_told(file):
        with zipfile.ZipFile(stored) as archive:
            listed = archive.infolist()
        _check_claims(file, listed, limits)
        for member in listed:
            for piece in _unfolded(stored, member):
                yield member.filename, piece


@contextmanager
def _damage_told(file: File) -> Iterator[None]:
    try:
        yield
    except (
        _UnsoundError,
        zipfile.BadZipFile,
        zlib.error,
        struct.error,
        OSError,
        ValueError,
        NotImplementedError,
    ) as error:
        raise file.error("is damaged or incomplete, or not Excel data: make it again or fetch it again") from error


def _check_claims(file: File, listed: list[zipfile.ZipInfo], limits: Limits) -> None:
    if len(listed) > _MOST_MEMBERS:
        raise file.error(f"holds more than {_MOST_MEMBERS} parts: it is not read")
    if any(member.flag_bits & _ENCRYPTED for member in listed):
        raise file.error("is protected by a password: save it without one")
    most = min(limits.expanded_bytes, max(limits.expansion_floor, limits.expansion * file.size_bytes))
    if sum(member.file_size for member in listed) > most:
        raise file.error("claims to unfold to far more than a table of its size would: it is not read")


def _unfolded(stored: BinaryIO, member: zipfile.ZipInfo) -> Iterator[bytes]:
    """The bytes of one member, as its own compressed stream has them, and not one more than it claims."""
    left = member.file_size
    for piece in _inflated(_compressed(stored, member), member.compress_type):
        left -= len(piece)
        if left < 0:
            raise _UnsoundError
        yield piece
    if left:
        raise _UnsoundError


def _compressed(stored: BinaryIO, member: zipfile.ZipInfo) -> Iterator[bytes]:
    stored.seek(member.header_offset)
    signature, name_length, extra_length = _LOCAL_HEADER.unpack(stored.read(_LOCAL_HEADER.size))
    if signature != _SIGNATURE:
        raise _UnsoundError
    stored.seek(name_length + extra_length, 1)
    left = member.compress_size
    while left:
        piece = stored.read(min(left, _PIECE_BYTES))
        if not piece:
            raise _UnsoundError
        left -= len(piece)
        yield piece


def _inflated(compressed: Iterator[bytes], method: int) -> Iterator[bytes]:
    if method == zipfile.ZIP_STORED:
        yield from compressed
        return
    if method != zipfile.ZIP_DEFLATED:
        raise _UnsoundError
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    for piece in compressed:
        while piece:
            yield inflater.decompress(piece, _PIECE_BYTES)
            piece = inflater.unconsumed_tail
    yield inflater.flush()
    if not inflater.eof:
        raise _UnsoundError
