"""A published log read through its tiles: hashes, entries, proofs.

Nothing here is trusted because it was read: what comes out is held against a signed root by whoever asks. A
partial tile may be gone once its full form is there, so the full form is taken in its place.
"""

from copyhold.auditlog.files import LogFiles
from copyhold.auditlog.tiles import BUNDLE, WIDTH, TileName, decode_bundle, decode_tile
from copyhold.auditlog.tree import leaf_hash, root_of, split_of
from copyhold.domain.errors import IntegrityError, InvalidInputError, NotFoundError


class PublishedTree:
    """The tree of the first `size` entries, as the files of a log give it."""

    def __init__(self, files: LogFiles, size: int) -> None:
        self._files = files
        self._size = size

    def hash_of(self, start: int, end: int) -> bytes:
        """Compute the root of the entries from start to end from the fewest tiles."""
        span = end - start
        if span.bit_count() == 1 and start % span == 0:
            return self._perfect(start, span)
        middle = start + split_of(span)
        return root_of([self.hash_of(start, middle), self.hash_of(middle, end)])

    def entry(self, seq: int) -> bytes:
        """Read one entry and hold it against its leaf hash."""
        if not 0 <= seq < self._size:
            raise NotFoundError(f"There is no entry {seq} in this log of {self._size} entries.")
        index, place = divmod(seq, WIDTH)
        entry = self._read(BUNDLE, index)[place]
        if leaf_hash(entry) != self.hash_of(seq, seq + 1):
            raise _broken(f"entry {seq} is not the one in the tree")
        return entry

    def _perfect(self, start: int, span: int) -> bytes:
        level, below = divmod(span.bit_length() - 1, WIDTH.bit_length() - 1)
        index, place = divmod(start // WIDTH**level, WIDTH)
        return root_of(self._read(level, index)[place : place + (1 << below)])

    def _read(self, level: int, index: int) -> list[bytes]:
        count = self._size if level == BUNDLE else self._size // WIDTH**level
        wanted = TileName(level, index, min(WIDTH, count - index * WIDTH))
        for name in (wanted, TileName(level, index)):
            data = self._files.read(name.path)
            if data is not None:
                return _decoded(name, data)
        raise _broken(f"{wanted.path} is missing")


def _decoded(name: TileName, data: bytes) -> list[bytes]:
    try:
        return decode_bundle(data, name.width) if name.level == BUNDLE else decode_tile(data, name.width)
    except InvalidInputError as error:
        raise _broken(f"{name.path} is damaged") from error


def _broken(why: str) -> IntegrityError:
    return IntegrityError(
        f"The log's files are not whole: {why}. Verify the log; its files can be rebuilt from its rows.",
        code="LOG_INTEGRITY",
    )
