"""The tree and its entries cut into files of 256 (C2SP tlog-tiles v0.1.0).

* A tile of level L holds the roots of 256**L consecutive entries each, 256 of them side by side; so level 0
  holds leaf hashes, and each hash above is the root of one full tile below.
* A bundle holds the entries whose hashes stand in the tile of level 0 with its number, each after its length
  in two bytes.
* The last tile of a level may be partial. Its width stands in its name; it is a prefix of what fills it later.

Reading is strict: a tile or bundle has exactly the width that its name says, and not a byte more.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from copyhold.auditlog.tree import HASH_BYTES
from copyhold.domain.errors import InvalidInputError

WIDTH = 256
BUNDLE = -1  # the level, so to speak, of entry bundles: they lie beneath level 0
MAX_ENTRY_BYTES = 0xFFFF
MAX_FILE_BYTES = WIDTH * (2 + MAX_ENTRY_BYTES)
_PATH = re.compile(
    r"tile/(?P<level>entries|0|[1-9]\d?)/(?P<groups>(?:x\d{3}/)*)(?P<last>\d{3})(?:\.p/(?P<width>[1-9]\d{0,2}))?",
    re.ASCII,
)
_MAX_LEVEL = 63


@dataclass(frozen=True, order=True)
class TileName:
    """Which tile: its level (BUNDLE for entries), its number from 0 in that level, its width."""

    level: int
    index: int
    width: int = WIDTH

    @property
    def path(self) -> str:
        """Where it lies below the log's directory, with forward slashes."""
        level = "entries" if self.level == BUNDLE else str(self.level)
        partial = "" if self.width == WIDTH else f".p/{self.width}"
        return f"tile/{level}/{_grouped(self.index)}{partial}"

    @property
    def folder(self) -> str:
        """Where the partial forms of it lie."""
        return f"{TileName(self.level, self.index).path}.p"

    @property
    def end(self) -> int:
        """How many hashes or entries its level has up to and with this tile."""
        return self.index * WIDTH + self.width


def parse_path(path: str) -> TileName:
    """Read a tile's name from its path. Raises InvalidInputError for any other spelling of it."""
    found = _PATH.fullmatch(path)
    if found is not None:
        level = BUNDLE if found["level"] == "entries" else int(found["level"])
        index = int(found["groups"].replace("x", "").replace("/", "") + found["last"])
        name = TileName(level, index, int(found["width"] or WIDTH))
        if level <= _MAX_LEVEL and name.width <= WIDTH and name.path == path:
            return name
    raise InvalidInputError("A path below tile/ is not the name of a tile or bundle.")


def _grouped(index: int) -> str:
    groups = [f"{index % 1000:03d}"]
    while index := index // 1000:
        groups.append(f"x{index % 1000:03d}")
    return "/".join(reversed(groups))


def growth(old_size: int, size: int) -> Iterator[TileName]:
    """Name every tile and bundle that the tree of `size` has and that of `old_size` had not, lowest level first."""
    yield from _grown_level(BUNDLE, old_size, size)
    level = 0
    while size > 0:
        yield from _grown_level(level, old_size, size)
        level, old_size, size = level + 1, old_size // WIDTH, size // WIDTH


def _grown_level(level: int, old_count: int, count: int) -> Iterator[TileName]:
    for index in range(old_count // WIDTH, count // WIDTH):
        yield TileName(level, index)
    if count % WIDTH and count != old_count:
        yield TileName(level, count // WIDTH, count % WIDTH)


def encode_tile(hashes: Sequence[bytes]) -> bytes:
    """Write the hashes of a tile end to end."""
    return b"".join(hashes)


def decode_tile(data: bytes, width: int) -> list[bytes]:
    """Read a tile of exactly `width` hashes."""
    if len(data) != width * HASH_BYTES:
        raise InvalidInputError(f"A tile of {width} hashes has {width * HASH_BYTES} bytes, this one has {len(data)}.")
    return [data[at : at + HASH_BYTES] for at in range(0, len(data), HASH_BYTES)]


def encode_bundle(entries: Sequence[bytes]) -> bytes:
    """Write entries, each after its length as two bytes, most significant first."""
    parts: list[bytes] = []
    for entry in entries:
        if len(entry) > MAX_ENTRY_BYTES:
            raise InvalidInputError(f"An entry has {len(entry)} bytes; at most {MAX_ENTRY_BYTES} fit a bundle.")
        parts.append(len(entry).to_bytes(2))
        parts.append(entry)
    return b"".join(parts)


def decode_bundle(data: bytes, width: int) -> list[bytes]:
    """Read a bundle of exactly `width` entries and not a byte more."""
    entries, at = [], 0
    while at < len(data):
        start = at + 2
        at = start + int.from_bytes(data[at:start])
        entries.append(data[start:at])
    # The last slice is short where the file was cut, so the lengths must add up to the file.
    if at != len(data) or len(entries) != width:
        raise InvalidInputError(f"A bundle does not hold exactly {width} whole entries.")
    return entries
