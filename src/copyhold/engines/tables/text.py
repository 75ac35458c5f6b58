"""Text out of bytes: the encoding, and the damage that a parser would pass over in silence.

`TextStream` turns the bytes of a file into UTF-8, block by block. It stops at NUL bytes, at bytes that are not in the
encoding of the rest, and at a line longer than the limit. A file that is ASCII up to some byte is decided there, so
that nothing is read twice.
"""

import codecs
import re
from typing import Any

import charset_normalizer

from copyhold.engines.tables.files import File, unreadable
from copyhold.engines.tables.limits import Limits

_BLOCK_BYTES = 1 << 20
_WHOLE_BYTES = 1 << 26
_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)

# Western text has its accents one or two at a time; other scripts read as Windows-1252 come in long runs.
_ACCENT_RUN = 2.0
_OTHER_SCRIPTS = (
    *("cp1250", "cp1251", "koi8_r", "cp1253", "cp1254", "cp1255", "cp1256", "cp1257", "cp874"),
    *("cp932", "euc_jp", "gb18030", "big5", "euc_kr"),
)
_SAMPLE_BYTES = 32_768
_NOT_ASCII = re.compile(rb"[\x80-\xff]+")


class TextStream:
    """A file's text as UTF-8 bytes.

    `encoding` is what was found so far ("ascii" until a byte says more); `lines` counts the line ends passed.
    """

    def __init__(self, file: File, limits: Limits, encoding: str = "") -> None:
        self._name = file.name
        self._stream = file.unfolded(limits)
        self._line_bytes = limits.line_bytes
        self._open_line = 0  # bytes since the last line end
        self._held = b""  # bytes of a character that the next block completes
        self._decoder: Any = None
        self.lines = 0
        self.closed = False
        mark, marked = _marked(file.head)
        self._skip = len(mark)
        self.encoding = encoding or marked or _wide(file.head) or "ascii"
        if self.encoding not in ("ascii", "utf-8"):
            self._decoder = codecs.getincrementaldecoder(self.encoding)("strict")

    def read(self, size: int = -1) -> bytes:
        """Return the next block of text as UTF-8, empty only at the end.

        It has about `size` bytes: parsers take what they get. Raises UnreadableFileError at the first damage.
        """
        while not self.closed:
            stored = self._stream.read(size if size > 0 else _BLOCK_BYTES)
            fresh, self._skip = stored[self._skip :], max(0, self._skip - len(stored))
            block = self._decoded(fresh, final=not stored)
            if block:
                self._check(block)
            if block or not stored:
                return block
        return b""

    def close(self) -> None:
        """Close the file underneath."""
        self.closed = True
        self._stream.close()

    def readable(self) -> bool:
        """Say to Arrow that this can be read."""
        return True

    def writable(self) -> bool:
        """Say to Arrow that this cannot be written."""
        return False

    def seekable(self) -> bool:
        """Say to Arrow that this only goes forward."""
        return False

    def _decoded(self, stored: bytes, *, final: bool) -> bytes:
        try:
            if self._decoder is not None:
                text: str = self._decoder.decode(stored, final)
                return text.encode("utf-8")
            return self._decoded_as_unicode(self._held + stored, final=final)
        except UnicodeDecodeError as error:
            line = self.lines + 1 + error.object.count(b"\n", 0, error.start)
            raise unreadable(
                self._name,
                f"is not {_plain(self.encoding)} text throughout: line {line} holds other bytes; "
                "export it again in UTF-8",
            ) from error

    def _decoded_as_unicode(self, stored: bytes, *, final: bool) -> bytes:
        if stored.isascii():
            self._held = b""
            return stored
        try:
            text, used = codecs.utf_8_decode(stored, "strict", final)
        except UnicodeDecodeError as error:
            if self.encoding == "utf-8" or not stored[: error.start].isascii():
                raise  # what was UTF-8 so far is not another encoding now
            return self._decoded_as_legacy(stored, final=final)
        if not text.isascii():
            self.encoding = "utf-8"
        self._held = stored[used:]
        return stored[:used]

    def _decoded_as_legacy(self, stored: bytes, *, final: bool) -> bytes:
        self.encoding = _legacy_encoding(stored)
        if not self.encoding:
            raise unreadable(self._name, "is in an encoding that cannot be told: export it again in UTF-8")
        self._decoder = codecs.getincrementaldecoder(self.encoding)("strict")
        self._held = b""
        return self._decoded(stored, final=final)

    def _check(self, block: bytes) -> None:
        if b"\0" in block:
            line = self.lines + 1 + block.count(b"\n", 0, block.index(b"\0"))
            raise unreadable(self._name, f"is not text: line {line} holds a NUL byte")
        first, last = block.find(b"\n"), block.rfind(b"\n")
        if self._open_line + (len(block) if first < 0 else first) > self._line_bytes:
            raise unreadable(self._name, f"has a line longer than {self._line_bytes} bytes, the most that is read")
        self._open_line = self._open_line + len(block) if last < 0 else len(block) - last - 1
        self.lines += block.count(b"\n")


def decoded(data: bytes, encoding: str = "") -> tuple[str, str]:
    """Return a whole small text and its encoding; bytes that fit no encoding become U+FFFD."""
    mark, marked = _marked(data)
    found = encoding or marked or _wide(data)
    if not found:
        try:
            return data.decode("utf-8"), "utf-8"
        except UnicodeDecodeError:
            found = _legacy_encoding(data) or "cp1252"
    return data[len(mark) :].decode(found, "replace"), found


def whole(file: File, limits: Limits) -> bytes:
    """Read all of a small text.

    Raises:
        UnreadableFileError: it is larger than a page or a post.
    """
    with file.unfolded(limits) as stream:
        held = bytearray()
        while block := stream.read(_BLOCK_BYTES):
            held += block
            if len(held) > _WHOLE_BYTES:
                raise file.error(f"is larger than {_WHOLE_BYTES} bytes, the most that is read of such a text")
    return bytes(held)


def _marked(head: bytes) -> tuple[bytes, str]:
    return next(((mark, name) for mark, name in _BYTE_ORDER_MARKS if head.startswith(mark)), (b"", ""))


def _wide(head: bytes) -> str:
    """UTF-16 without its mark: nearly every other byte of a table of digits is zero."""
    if len(head) < 4:
        return ""
    even, odd = head[::2].count(0) * 2 / len(head), head[1::2].count(0) * 2 / len(head)
    if odd > 0.8 and even < 0.1:
        return "utf-16-le"
    return "utf-16-be" if even > 0.8 and odd < 0.1 else ""


def _legacy_encoding(stored: bytes) -> str:
    """Say which one-byte or Asian encoding a text is in that is not UTF-8; "" where none fits."""
    sample = b"\n".join(line for line in stored.splitlines() if not line.isascii())[:_SAMPLE_BYTES]
    runs = [len(run) for run in _NOT_ASCII.findall(sample)]
    western = sum(runs) <= _ACCENT_RUN * len(runs) and _decodes(sample, "cp1252")
    matches = list(charset_normalizer.from_bytes(sample, cp_isolation=list(_OTHER_SCRIPTS)))
    if western:
        fluent = [match for match in matches if match.coherence > 0.2]
        return fluent[0].encoding if fluent and "cp1252" not in fluent[0].could_be_from_charset else "cp1252"
    return matches[0].encoding if matches else ""


def _decodes(sample: bytes, encoding: str) -> bool:
    try:
        sample.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def _plain(encoding: str) -> str:
    return {"ascii": "UTF-8", "cp1252": "Windows-1252"}.get(encoding, encoding.upper())
