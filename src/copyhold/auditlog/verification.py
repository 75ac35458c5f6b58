"""The whole log checked from its entries alone.

Nothing that the log says about itself is believed before it is recomputed: the entries give the leaf hashes, these
give every tile of every level and the root, and the root must be the signed one. So a changed bit in a bundle, a
tile or the checkpoint is found, wherever it is.

What it cannot see: a log that was rewritten as a whole and signed again with its own key. Bring an old checkpoint
(`since`) from your own keeping: the entries must lead to its root too.
"""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from copyhold.auditlog.checkpoints import Checkpoint, open_checkpoint
from copyhold.auditlog.encoding import to_base64
from copyhold.auditlog.entries import Leaf
from copyhold.auditlog.files import LogFiles
from copyhold.auditlog.notes import VerifierKey, parse_note
from copyhold.auditlog.proofs import LogProof
from copyhold.auditlog.reading import PublishedTree
from copyhold.auditlog.tiles import (
    BUNDLE,
    WIDTH,
    TileName,
    decode_bundle,
    encode_bundle,
    encode_tile,
    growth,
    parse_path,
)
from copyhold.auditlog.tree import inclusion_proof, leaf_hash, root_of, verify_inclusion
from copyhold.domain.errors import CopyholdError, InvalidInputError, NotFoundError, UnreadableFileError

_MOST_PROBLEMS = 100


@dataclass(frozen=True)
class Verification:
    """What verifying a log found.

    `ok` where there is no problem; `size` and base64 `root` as signed (0 and "" where no trusted checkpoint is
    there); `checkpoint_at` the time that the last signed entry claims (null where it claims none); `problems` in
    plain sentences; `unsigned` entries that lie past the checkpoint, as after a crash: they are no part of the log.
    """

    ok: bool
    size: int
    root: str
    checkpoint_at: str | None
    problems: tuple[str, ...]
    unsigned: int = 0


def verify(directory: Path, vkey: str, since: str | None = None, leaves: bool = True) -> Verification:
    """Verify a log directory against its verifier key and, if given, an old checkpoint of it.

    Checked are: signature and origin; every entry as a leaf of its place (unless `leaves` is false, for logs of
    other makers); every bundle and every tile of every level, partial ones too; the signed root from the entries
    alone; consistency with `since`, rollback included. Nothing is written; everything found is told.

    Raises InvalidInputError where the vkey itself cannot be read.
    """
    key, files, problems = VerifierKey.parse(vkey), LogFiles(directory), list[str]()
    old = None if since is None else _opened("The old checkpoint", lambda: since, key, problems)
    # Read before the tiles are listed: a log that grows meanwhile has all that this checkpoint needs.
    signed = _opened("The checkpoint", files.read_checkpoint, key, problems)
    if signed is None:
        return Verification(False, 0, "", None, tuple(problems))
    audit = _Audit(files, signed, leaves, problems)
    audit.run(old)
    if len(problems) > _MOST_PROBLEMS:
        problems[_MOST_PROBLEMS:] = [f"And {len(problems) - _MOST_PROBLEMS} problems more."]
    root = to_base64(signed.root)
    return Verification(not problems, signed.size, root, audit.last_time, tuple(problems), audit.unsigned)


def _opened(what: str, read: Callable[[], str | None], key: VerifierKey, problems: list[str]) -> Checkpoint | None:
    try:
        text = read()
        if text is not None:
            return open_checkpoint(text, key)
        problems.append(f"{what} is missing.")
    except CopyholdError as error:
        problems.append(f"{what} is refused. {error.message}")
    return None


def prove(directory: Path, seq: int, extra: bytes | None = None) -> str:
    """Write the `.tlog-proof` of the entry at `seq` under the published checkpoint.

    The proof is held against the checkpoint's root before it is given; the signature is for its reader to check.
    Raises NotFoundError where the log has no such entry, IntegrityError where its files do not lead to its root.
    """
    files = LogFiles(directory)
    note, checkpoint = _published(files)
    if not 0 <= seq < checkpoint.size:
        raise NotFoundError(f"There is no entry {seq} in the published log of {checkpoint.size} entries.")
    tree = PublishedTree(files, checkpoint.size)
    hashes = inclusion_proof(seq, checkpoint.size, tree.hash_of)
    verify_inclusion(leaf_hash(tree.entry(seq)), seq, checkpoint.size, hashes, checkpoint.root)
    return LogProof(seq, hashes, note, extra).text


def read_entry(directory: Path, seq: int) -> bytes:
    """Read the published entry at `seq`, held against its place in the tree. Raises as `prove` does."""
    files = LogFiles(directory)
    return PublishedTree(files, _published(files)[1].size).entry(seq)


def _published(files: LogFiles) -> tuple[str, Checkpoint]:
    note = files.read_checkpoint()
    if note is None:
        raise NotFoundError("There is no published log here: it has no checkpoint.")
    return note, Checkpoint.parse(parse_note(note).text)


class _Audit:
    """One pass over the files of a log whose checkpoint is trusted: entries first, then all that stands above."""

    def __init__(self, files: LogFiles, signed: Checkpoint, leaves: bool, problems: list[str]) -> None:
        self._files = files
        self._signed = signed
        self._leaves = leaves
        self._problems = problems
        self._widths: dict[tuple[int, int], set[int]] = defaultdict(set)  # those present, by level and number
        self.last_time: str | None = None
        self.unsigned = 0

    def run(self, old: Checkpoint | None) -> None:
        """Find every problem there is."""
        self._list_files()
        tree = _Rebuilt([self._signed, *([] if old is None else [old])])
        self._read_entries(tree)
        if tree.size < self._signed.size:
            self._problems.append(
                f"Only {tree.size} of {self._signed.size} signed entries can be read, so no more was checked."
            )
            return
        self.unsigned = tree.size - self._signed.size
        self._hold_upper_levels(tree.bundle_roots)
        self._hold_roots(tree, old)

    def _list_files(self) -> None:
        for path in self._files.names():
            try:
                name = parse_path(path)
            except InvalidInputError:
                self._problems.append(f"{path!a} is not the name of a tile or bundle.")
            else:
                self._widths[name.level, name.index].add(name.width)
        for name in growth(0, self._signed.size):
            if not self._widths.get((name.level, name.index), set()) & {name.width, WIDTH}:
                self._problems.append(f"{name.path} is missing.")

    def _read_entries(self, tree: "_Rebuilt") -> None:
        count = WIDTH
        while count == WIDTH:
            start, index = tree.size, tree.size // WIDTH
            entries = self._widest_bundle(index)
            count = len(entries)
            self._read_leaves(start, entries)
            hashes = [leaf_hash(entry) for entry in entries]
            tree.add(hashes)
            self._hold(BUNDLE, index, entries, encode_bundle)
            self._hold(0, index, hashes, encode_tile)

    def _widest_bundle(self, index: int) -> list[bytes]:
        """Read the widest form of a bundle; the narrower ones are then held against it."""
        width = max(self._widths.get((BUNDLE, index), ()), default=0)
        if not width:
            return []
        name = TileName(BUNDLE, index, width)
        try:
            data, width = self._read(name)
            return decode_bundle(data, width)
        except InvalidInputError as error:
            self._problems.append(f"{name.path} is damaged. {error.message}")
            return []

    def _read(self, name: TileName) -> tuple[bytes, int]:
        """Read a tile or bundle that was listed; where a partial one went meanwhile, its full form."""
        for each in (name, TileName(name.level, name.index)):
            data = self._files.read(each.path)
            if data is not None:
                return data, each.width
        raise UnreadableFileError("It went while the log was read.")

    def _read_leaves(self, start: int, entries: list[bytes]) -> None:
        signed = entries[: max(0, self._signed.size - start)]
        if self._leaves:
            for seq, entry in enumerate(signed, start):
                self._read_leaf(seq, entry)

    def _read_leaf(self, seq: int, entry: bytes) -> None:
        try:
            leaf = Leaf.decode(entry)
        except InvalidInputError as error:
            self._problems.append(f"Entry {seq}: {error.message}")
            return
        if leaf.seq != seq:
            self._problems.append(f"Entry {seq} says that its place is {leaf.seq}.")
        self.last_time = leaf.t

    def _hold(self, level: int, index: int, items: list[bytes], encode: Callable[[list[bytes]], bytes]) -> None:
        """Hold every form of a tile or bundle that is present against what the entries call for."""
        for width in sorted(self._widths.pop((level, index), ())):
            name = TileName(level, index, width)
            try:
                data, found = self._read(name)
            except UnreadableFileError as error:
                self._problems.append(f"{name.path} cannot be read. {error.message}")
                continue
            # A partial form that went meanwhile is covered by the full one, which the entries are held against.
            if found == width and (width > len(items) or data != encode(items[:width])):
                self._problems.append(f"{name.path} is not what the entries call for.")

    def _hold_upper_levels(self, hashes: list[bytes]) -> None:
        level = 1
        while hashes:
            tiles = [hashes[at : at + WIDTH] for at in range(0, len(hashes), WIDTH)]
            for index, tile in enumerate(tiles):
                self._hold(level, index, tile, encode_tile)
            hashes = [root_of(tile) for tile in tiles if len(tile) == WIDTH]
            level += 1
        for level, index in sorted(self._widths):
            self._problems.append(f"{TileName(level, index).path} stands for entries that are not there.")

    def _hold_roots(self, tree: "_Rebuilt", old: Checkpoint | None) -> None:
        if tree.root_at(self._signed.size) != self._signed.root:
            self._problems.append("The entries do not lead to the signed root.")
        if old is None:
            return
        if old.size > self._signed.size:
            self._problems.append(f"The log was cut back: it had {old.size} entries, now it has {self._signed.size}.")
        elif tree.root_at(old.size) != old.root:
            self._problems.append(f"The log is not a continuation of its first {old.size} entries: it was rewritten.")


class _Rebuilt:
    """The tree as the entries alone give it, remembered at the sizes of the given checkpoints."""

    def __init__(self, checkpoints: list[Checkpoint]) -> None:
        self.size = 0
        self.bundle_roots: list[bytes] = []
        self._tails: dict[int, list[bytes]] = {each.size: [] for each in checkpoints}

    def add(self, hashes: list[bytes]) -> None:
        """Append the leaf hashes of the next bundle."""
        for size in self._tails:
            if self.size < size < self.size + WIDTH:
                self._tails[size] = [root_of(hashes[: size - self.size])]
        self.size += len(hashes)
        if len(hashes) == WIDTH:
            self.bundle_roots.append(root_of(hashes))

    def root_at(self, size: int) -> bytes:
        """Compute the root at a remembered size: an unfinished bundle splits off as one node on the right."""
        return root_of(self.bundle_roots[: size // WIDTH] + self._tails[size])
