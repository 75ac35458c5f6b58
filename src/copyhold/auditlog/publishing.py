"""From rows to tiles to a signed checkpoint, safe against a crash at any step.

The rows are the record; everything in the directory is derived from them. One publication goes:

1. be the one publisher (file lock; two who both think so are parted by the size, unique in the database);
2. hold the published checkpoint against the last signed state, and that against the rows and the tiles;
3. read rows upward from the signed size; a gap stops everything;
4. write bundles and tiles, each once, and sync them and their folders;
5. compute the root twice, from the tiles and from the signed edge, and sign it;
6. have the caller commit the signed state, so that no second root for this size can ever be shown;
7. replace `checkpoint`; remove partial tiles that are full by now.

A crash before 6 leaves files that the next publication finds already right or passes by; a crash after 6 leaves
a signed state that the next publication shows. Signing is deterministic, so a repetition gives the same bytes.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Protocol

from copyhold.auditlog.checkpoints import Checkpoint, CheckpointSigner, open_checkpoint
from copyhold.auditlog.files import LogFiles, Watch, led, unwatched
from copyhold.auditlog.reading import PublishedTree
from copyhold.auditlog.tiles import BUNDLE, WIDTH, TileName, decode_tile, encode_bundle, encode_tile
from copyhold.auditlog.tree import Edge, leaf_hash, root_of
from copyhold.domain.errors import ConflictError, IntegrityError, InvalidInputError


@dataclass(frozen=True)
class SignedState:
    """A state of the log that was signed: its size, root, signed note, and the edge to go on from."""

    size: int
    root: bytes
    note: str
    edge: Edge

    def __post_init__(self) -> None:
        if (self.edge.size, self.edge.root) != (self.size, self.root):
            raise _broken("the edge kept with the last signed state is not the edge of its tree")


class Ledger(Protocol):
    """Where the rows are: the caller's database."""

    def last_signed(self) -> SignedState | None:
        """Give the signed state of the largest size, or None."""

    def rows(self, start: int) -> Iterable[tuple[int, bytes]]:
        """Give (seq, leaf) of every committed row from seq `start` upward, in order of seq."""

    def commit(self, state: SignedState) -> None:
        """Keep a signed state durably, unique by its size; raise where that size was signed before."""


class Publisher:
    """Publishes the rows of one ledger as one log directory.

    It keeps the unfinished tiles in memory between publications and reads them again where somebody else
    published meanwhile. `at` is told each step just before it is taken.
    """

    def __init__(self, directory: Path, signer: CheckpointSigner, ledger: Ledger, at: Watch = unwatched) -> None:
        self._files = LogFiles(directory, at)
        self._signer = signer
        self._ledger = ledger
        self._at = at
        self._growing: _Growing | None = None

    def publish(self, limit: int | None = None, wait: bool = True) -> SignedState:
        """Publish the committed rows that are not yet signed, at most `limit`, and give the state now shown.

        The very first publication signs the log even where it has no rows yet.

        Raises IntegrityError: LOG_GAP for a missing row; LOG_BEHIND where the database knows less than was
        published; LOG_FORK for two roots of one size; LOG_INTEGRITY where files, rows and signed state differ.
        ConflictError (LOG_BUSY) where another publishes and `wait` is false. UnavailableError (LOG_STORAGE) where
        the disk does not take a write; publish again once it does.
        """
        with led(self._files.root, wait):
            last = self._ledger.last_signed()
            growing = self._resume(last)
            self._append(growing, limit)
            state = last if last is not None and last.size == growing.size else self._commit(growing)
            self._show(state)
            self._forget_partials(0 if last is None else last.size, state.size)
            self._growing = growing
            return state

    def rebuild(self, wait: bool = True) -> SignedState:
        """Write the files of the last signed state again from row 0, where some are missing.

        Files that are there must agree: nothing is overwritten, so on a whole directory this holds every row
        against every file. Move a damaged directory aside first.
        Raises as `publish` does; ConflictError (LOG_UNSIGNED) where nothing was signed yet.
        """
        with led(self._files.root, wait):
            last = self._ledger.last_signed()
            if last is None:
                raise ConflictError("Nothing was signed yet, so there is nothing to rebuild.", code="LOG_UNSIGNED")
            self._require_shown_behind(last)
            growing = _Growing.empty()
            self._append(growing, last.size)
            if growing.size != last.size:
                raise _gap(growing.size)
            _require_same_edge(growing.edge, last.edge)
            self._show(last)
            return last

    def _resume(self, last: SignedState | None) -> "_Growing":
        """Take up the unfinished tiles of the last signed state, from memory or from rows and files."""
        self._require_shown_behind(last)
        # Given up until the publication is through: after a failure in between, memory holds nothing half done.
        growing, self._growing = self._growing, None
        if last is None:
            return _Growing.empty()
        if growing is None or growing.edge != last.edge:
            growing = self._load(last)
        return growing

    def _load(self, last: SignedState) -> "_Growing":
        signed = open_checkpoint(last.note, self._signer.key)
        if (signed.size, signed.root) != (last.size, last.root):
            raise _broken("the last signed note is not about the last signed state")
        entries = self._last_bundle(last.size)
        hashes = [leaf_hash(entry) for entry in entries]
        growing = _Growing(last.edge, entries, [hashes, *self._upper_levels(last.size)])
        _require_same_edge(growing.edge_of_tiles, last.edge)
        self._keep(growing.partials())
        return growing

    def _last_bundle(self, size: int) -> list[bytes]:
        """Read the rows of the unfinished bundle; where the last one is full, only hold it against its file."""
        start = max(0, size - 1) // WIDTH * WIDTH
        entries = [leaf for _, leaf in self._checked(start, size - start)]
        if start + len(entries) != size:
            raise _gap(start + len(entries))
        if len(entries) == WIDTH:
            self._files.keep(TileName(BUNDLE, start // WIDTH).path, encode_bundle(entries))
            entries.clear()
        return entries

    def _upper_levels(self, size: int) -> Iterator[list[bytes]]:
        level, count = 1, size // WIDTH
        while count:
            name, hashes = TileName(level, count // WIDTH, count % WIDTH), []
            if name.width:
                hashes = self._tile(name)
            yield hashes
            level, count = level + 1, count // WIDTH

    def _tile(self, name: TileName) -> list[bytes]:
        data = self._files.read(name.path)
        if data is None:
            raise _broken(f"{name.path} is missing")
        try:
            return decode_tile(data, name.width)
        except InvalidInputError as error:
            raise _broken(f"{name.path} is damaged") from error

    def _checked(self, start: int, limit: int | None) -> Iterator[tuple[int, bytes]]:
        for expected, (seq, leaf) in enumerate(islice(self._ledger.rows(start), limit), start):
            if seq != expected:
                raise _gap(expected)
            yield seq, leaf

    def _append(self, growing: "_Growing", limit: int | None) -> None:
        start = growing.size
        for _, leaf in self._checked(start, limit):
            growing.take(leaf)
            if len(growing.entries) == WIDTH:
                self._keep(growing.completed())
        self._keep(growing.partials(start))
        self._files.settle()
        growing.settle_edge()

    def _keep(self, files: Iterable[tuple[TileName, bytes]]) -> None:
        for name, data in files:
            self._files.keep(name.path, data)

    def _commit(self, growing: "_Growing") -> SignedState:
        _require_same_edge(growing.edge_of_tiles, growing.edge)
        self._at("sign")
        root = growing.edge.root
        state = SignedState(growing.size, root, self._signer.sign(growing.size, root), growing.edge)
        self._at("commit")
        self._ledger.commit(state)
        return state

    def _shown(self) -> Checkpoint | None:
        try:
            text = self._files.read_checkpoint()
            return None if text is None else open_checkpoint(text, self._signer.key)
        except InvalidInputError as error:
            raise _broken("its published checkpoint is damaged") from error

    def _require_shown_behind(self, last: SignedState | None) -> None:
        """Hold the published checkpoint against the last signed state: it may lag behind, and nothing else."""
        shown = self._shown()
        if shown is None:
            return
        if last is None or shown.size > last.size:
            raise IntegrityError(
                f"The published log has {shown.size} entries, the database signed {0 if last is None else last.size}: "
                "it is an older copy. Nothing is appended; recover the missing entries from the log first.",
                code="LOG_BEHIND",
            )
        root = last.root if shown.size == last.size else self._root_at(shown.size)
        if shown.root != root:
            raise IntegrityError(
                f"Two roots were signed for the log of {shown.size} entries: one is published, one in the database. "
                "Nothing is appended; keep both notes as evidence.",
                code="LOG_FORK",
            )

    def _root_at(self, size: int) -> bytes:
        return PublishedTree(self._files, size).hash_of(0, size) if size else Edge().root

    def _show(self, state: SignedState) -> None:
        shown = self._shown()
        if shown is None or shown.size != state.size:
            self._files.replace_checkpoint(state.note)
        self._at("shown")

    def _forget_partials(self, old_size: int, size: int) -> None:
        level, old_count, count = BUNDLE, old_size, size
        while count >= WIDTH:
            # One tile before is looked at again: a crash may have come before its partial forms were removed.
            for index in range(max(0, old_count // WIDTH - 1), count // WIDTH):
                self._files.forget_partials(TileName(level, index))
            if level != BUNDLE:
                old_count, count = old_count // WIDTH, count // WIDTH
            level += 1


class _Growing:
    """The unfinished bundle, the unfinished tile of every level, and the edge, while a log grows."""

    def __init__(self, edge: Edge, entries: list[bytes], levels: list[list[bytes]]) -> None:
        self.edge = edge
        self.entries = entries
        self.levels = levels
        self.size = edge.size
        self._fresh: list[bytes] = []

    @classmethod
    def empty(cls) -> "_Growing":
        """Begin a log."""
        return cls(Edge(), [], [[]])

    def take(self, entry: bytes) -> None:
        """Append one entry; once there are 256, ask for what is `completed`."""
        grown = leaf_hash(entry)
        self.entries.append(entry)
        self.levels[0].append(grown)
        self._fresh.append(grown)
        self.size += 1

    def completed(self) -> Iterator[tuple[TileName, bytes]]:
        """Give the bundle and every tile that the last entry filled, and begin the next ones."""
        yield TileName(BUNDLE, self.size // WIDTH - 1), encode_bundle(self.entries)
        self.entries.clear()
        self.settle_edge()
        level, span = 0, WIDTH
        while len(hashes := self.levels[level]) == WIDTH:
            yield TileName(level, self.size // span - 1), encode_tile(hashes)
            if level + 1 == len(self.levels):
                self.levels.append([])
            self.levels[level + 1].append(root_of(hashes))
            self.levels[level] = []
            level, span = level + 1, span * WIDTH

    def partials(self, old_size: int = 0) -> Iterator[tuple[TileName, bytes]]:
        """Give the unfinished bundle and tiles that the tree of `old_size` had not."""
        if self.entries and self.size != old_size:
            yield TileName(BUNDLE, self.size // WIDTH, len(self.entries)), encode_bundle(self.entries)
        count, old_count = self.size, old_size
        for level, hashes in enumerate(self.levels):
            if hashes and count != old_count:
                yield TileName(level, count // WIDTH, len(hashes)), encode_tile(hashes)
            count, old_count = count // WIDTH, old_count // WIDTH

    def settle_edge(self) -> None:
        """Grow the edge over the entries taken since."""
        self.edge = self.edge.grown(self._fresh)
        self._fresh.clear()

    @property
    def edge_of_tiles(self) -> Edge:
        """The edge as the unfinished tiles give it, from the highest level down."""
        return Edge(self.size, tuple(each for level in reversed(self.levels) for each in Edge().grown(level).hashes))


def _require_same_edge(found: Edge, signed: Edge) -> None:
    if found != signed:
        raise _broken("rows or tiles are not those that were signed")


def _gap(seq: int) -> IntegrityError:
    return IntegrityError(
        f"Row {seq} of the log is missing from the database. Nothing was published: restore it before going on.",
        code="LOG_GAP",
    )


def _broken(why: str) -> IntegrityError:
    return IntegrityError(
        f"The log contradicts itself: {why}. Nothing was published: keep everything as it is and verify the log.",
        code="LOG_INTEGRITY",
    )
