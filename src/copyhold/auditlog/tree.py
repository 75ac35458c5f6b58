"""The Merkle tree of RFC 6962 and RFC 9162, section 2.1, over SHA-256.

Everything here is arithmetic on hashes: no files, no signatures. Rules that the rest leans on:

* a leaf hashes as SHA-256(00 || entry), an inner node as SHA-256(01 || left || right); so no leaf is a node;
* the root of no entries is SHA-256 of nothing;
* a subtree splits at the largest power of two below its size;
* in a proof the hash nearest the leaf stands first.

Verifying never answers with a bool that could be overlooked: it returns, or raises IntegrityError.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from hashlib import sha256

from copyhold.domain.errors import IntegrityError, InvalidInputError

HASH_BYTES = 32
EMPTY_ROOT = sha256(b"").digest()

# The root of the entries from start to end (end excluded), wherever these hashes are kept.
HashOf = Callable[[int, int], bytes]


class EmptyPrefix(Enum):
    """Whether the empty tree counts as a prefix that can be proven.

    REFUSED is the rule of the RFC 6962 vectors: consistency with nothing says nothing, so it is no proof.
    TRIVIAL is the rule of the tlog-witness protocol: a witness that has seen nothing starts from size 0 with
    an empty proof.
    """

    REFUSED = "refused"
    TRIVIAL = "trivial"


def leaf_hash(entry: bytes) -> bytes:
    """Hash an entry as a leaf."""
    return sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash two subtrees into the node above them."""
    return sha256(b"\x01" + left + right).digest()


def root_of(hashes: Sequence[bytes]) -> bytes:
    """Compute the root over hashes that stand side by side, left to right.

    Pairing level by level and carrying an odd last hash upward gives the tree of RFC 6962, section 2.1.
    """
    if not hashes:
        return EMPTY_ROOT
    level = list(hashes)
    while len(level) > 1:
        odd = level[-1:] if len(level) % 2 else []
        pairs = zip(level[::2], level[1::2], strict=False)
        level = [sha256(b"\x01" + left + right).digest() for left, right in pairs] + odd
    return level[0]


@dataclass(frozen=True)
class Edge:
    """The right edge of a tree: the roots of the perfect subtrees it is made of, largest first.

    Also known as a compact range. It is all that is needed to append: `size.bit_count()` hashes.
    """

    size: int = 0
    hashes: tuple[bytes, ...] = ()

    def __post_init__(self) -> None:
        if self.size < 0 or len(self.hashes) != self.size.bit_count():
            raise InvalidInputError(
                f"A tree of {self.size} entries does not have an edge of {len(self.hashes)} hashes."
            )
        if any(len(each) != HASH_BYTES for each in self.hashes):
            raise InvalidInputError(f"Each hash of a tree's edge has {HASH_BYTES} bytes.")

    @property
    def root(self) -> bytes:
        """The root of the whole tree."""
        if not self.hashes:
            return EMPTY_ROOT
        root = self.hashes[-1]
        for left in reversed(self.hashes[:-1]):
            root = node_hash(left, root)
        return root

    @property
    def packed(self) -> bytes:
        """The hashes end to end, for a database column."""
        return b"".join(self.hashes)

    @classmethod
    def unpacked(cls, size: int, packed: bytes) -> "Edge":
        """Read back what `packed` gave."""
        return cls(size, tuple(packed[at : at + HASH_BYTES] for at in range(0, len(packed), HASH_BYTES)))

    def grown(self, leaf_hashes: Iterable[bytes]) -> "Edge":
        """Append leaves, given by their hashes."""
        size, hashes = self.size, list(self.hashes)
        for grown in leaf_hashes:
            node, carry = grown, size
            while carry & 1:
                node, carry = node_hash(hashes.pop(), node), carry >> 1
            hashes.append(node)
            size += 1
        return Edge(size, tuple(hashes))


def split_of(size: int) -> int:
    """Tell the largest power of two strictly below a size of at least 2."""
    return 1 << ((size - 1).bit_length() - 1)


def inclusion_proof(index: int, size: int, hash_of: HashOf) -> tuple[bytes, ...]:
    """Prove that the entry at `index` is in the tree of `size` entries (RFC 9162, section 2.1.3.1)."""
    if not 0 <= index < size:
        raise InvalidInputError(f"There is no entry {index} in a log of {size} entries.")
    proof, start, end = [], 0, size
    while end - start > 1:
        middle = start + split_of(end - start)
        if index < middle:
            proof.append(hash_of(middle, end))
            end = middle
        else:
            proof.append(hash_of(start, middle))
            start = middle
    return tuple(reversed(proof))


def consistency_proof(old_size: int, size: int, hash_of: HashOf) -> tuple[bytes, ...]:
    """Prove that the tree of `old_size` entries is a prefix of the tree of `size` (RFC 9162, section 2.1.4.1)."""
    if not 0 < old_size <= size:
        raise InvalidInputError(f"A log of {size} entries has no earlier state of {old_size} entries to prove.")
    proof, start, end, whole = [], 0, size, True
    while old_size != end:
        middle = start + split_of(end - start)
        if old_size <= middle:
            proof.append(hash_of(middle, end))
            end = middle
        else:
            proof.append(hash_of(start, middle))
            start, whole = middle, False
    if not whole:
        proof.append(hash_of(start, end))
    return tuple(reversed(proof))


def verify_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> None:
    """Check that a leaf hash stands at `index` in the tree of `size` and `root` (RFC 9162, section 2.1.3.2).

    Raises IntegrityError (LOG_PROOF) when it does not.
    """
    _require_hashes([leaf, root, *proof])
    _require(0 <= index < size, "the index is outside the tree")
    place, last, node = index, size - 1, leaf
    for sibling in proof:
        _require(last > 0, "the proof is too long")
        if place & 1 or place == last:
            node = node_hash(sibling, node)
            place, last = _climbed(place, last)
        else:
            node = node_hash(node, sibling)
        place, last = place >> 1, last >> 1
    _require(last == 0, "the proof is too short")
    _require(node == root, "it leads to another root")


def verify_consistency(
    old_size: int,
    size: int,
    old_root: bytes,
    root: bytes,
    proof: Sequence[bytes],
    empty_prefix: EmptyPrefix = EmptyPrefix.REFUSED,
) -> None:
    """Check that the tree of `old_size` and `old_root` is a prefix of that of `size` and `root`.

    RFC 9162, section 2.1.4.2; what an old size of 0 means is `empty_prefix`'s to say.
    Raises IntegrityError (LOG_PROOF) when it is not.
    """
    _require(0 <= old_size <= size, "the earlier tree is larger than the later one")
    if old_size == 0:
        _require(empty_prefix is EmptyPrefix.TRIVIAL, "consistency with an empty tree proves nothing")
        _require(not proof and old_root == EMPTY_ROOT, "an empty tree has a fixed root and an empty proof")
        _require(size > 0 or root == EMPTY_ROOT, "an empty tree has a fixed root")
    elif old_size == size:
        _require(not proof, "equal sizes need no proof")
        _require(old_root == root, "two roots for one size")
    else:
        _verify_growth(old_size, size, old_root, root, proof)


def _verify_growth(old_size: int, size: int, old_root: bytes, root: bytes, proof: Sequence[bytes]) -> None:
    _require(bool(proof), "the proof is empty")
    _require_hashes([old_root, root, *proof])
    # A perfect old tree is itself a node of the new one, so its root is left out of the proof.
    path = [old_root, *proof] if old_size.bit_count() == 1 else list(proof)
    place, last = old_size - 1, size - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    old_node = node = path[0]
    for sibling in path[1:]:
        _require(last > 0, "the proof is too long")
        if place & 1 or place == last:
            old_node, node = node_hash(sibling, old_node), node_hash(sibling, node)
            place, last = _climbed(place, last)
        else:
            node = node_hash(node, sibling)
        place, last = place >> 1, last >> 1
    _require(last == 0, "the proof is too short")
    _require(old_node == old_root, "it leads to another earlier root")
    _require(node == root, "it leads to another root")


def _climbed(place: int, last: int) -> tuple[int, int]:
    """Skip the levels at which the rightmost node has no sibling."""
    while not place & 1 and place:
        place, last = place >> 1, last >> 1
    return place, last


def _require_hashes(hashes: Sequence[bytes]) -> None:
    """Refuse other lengths: a byte moved from one hash to its neighbour would leave their node as it is."""
    _require(all(len(each) == HASH_BYTES for each in hashes), "a hash has the wrong length")


def _require(holds: bool, why: str) -> None:
    if not holds:
        raise IntegrityError(
            f"The proof does not hold: {why}. Treat what it should prove as unproven, and ask for it again.",
            code="LOG_PROOF",
        )
