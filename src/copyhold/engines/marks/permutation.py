"""Keyed permutations of participant numbers: format-preserving encryption, vectorised over numpy arrays.

Guarantee: under a secret key the ids of a party look drawn without replacement from the space, as far as FF1 with AES
is a pseudo-random permutation; two parties' ids have nothing to do with each other.
Source: NIST SP 800-38G, algorithms 7 and 8 (FF1.Encrypt, FF1.Decrypt), radix 10; cycle walking after Black and Rogaway,
"Ciphers with arbitrary finite domains" (2002), section 3.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from copyhold.domain.errors import InvalidInputError
from copyhold.engines.marks.prf import BLOCK_BYTES, block_cipher

ROUNDS = 10
WORD_BITS = 64
LEAST_DIGITS = 6  # SP 800-38G asks for a domain of at least a million
MOST_DIGITS = 18  # what an int64 holds

Numbers = NDArray[np.int64]


@dataclass(frozen=True)
class IdSpace:
    """The whole numbers low <= id < 10**digits, of which ids are drawn."""

    digits: int
    low: int = 0

    def __post_init__(self) -> None:
        if not LEAST_DIGITS <= self.digits <= MOST_DIGITS or not 0 <= self.low < 10**self.digits:
            raise InvalidInputError("An id space has 6 to 18 digits, and its lowest id has no more.")

    @property
    def size(self) -> int:
        """How many ids there are: the N of the evidence from ids."""
        return int(10**self.digits - self.low)

    def holds(self, ids: Numbers) -> NDArray[np.bool_]:
        """Say which numbers are ids of this space."""
        return np.asarray((ids >= self.low) & (ids < 10**self.digits))


FIFTEEN_DIGITS = IdSpace(15)  # the most that double precision carries whole: spreadsheets and SAS keep these ids
SEVEN_DIGITS = IdSpace(7, low=1_000_000)

SPACES = (FIFTEEN_DIGITS, SEVEN_DIGITS)


def permuted(keys: Sequence[bytes], participants: Numbers, space: IdSpace) -> Numbers:
    """Give the id of every participant under every key, shape (len(keys), len(participants)).

    Participants are numbered from 0; the numbers are below the space's size. Cost: ten AES calls per key, whatever
    the number of participants; 500,000 ids in well under a second.
    """
    return _walked(keys, participants + space.low, space, forward=True)


def restored(keys: Sequence[bytes], ids: Numbers, space: IdSpace) -> Numbers:
    """Give the participant numbers of ids, shape (len(keys), len(ids)); the inverse of `permuted`."""
    return _walked(keys, ids, space, forward=False) - space.low


def encrypted(keys: Sequence[bytes], numbers: Numbers, digits: int, tweak: bytes = b"") -> Numbers:
    """Encrypt numbers of `digits` decimal digits by FF1, shape (len(keys), len(numbers)) or as `numbers` if that."""
    return _ff1(keys, numbers, digits, tweak, forward=True)


def decrypted(keys: Sequence[bytes], numbers: Numbers, digits: int, tweak: bytes = b"") -> Numbers:
    """Undo `encrypted`."""
    return _ff1(keys, numbers, digits, tweak, forward=False)


def _walked(keys: Sequence[bytes], numbers: Numbers, space: IdSpace, *, forward: bool) -> Numbers:
    if not bool(np.all(space.holds(numbers))):
        raise InvalidInputError(f"A participant number or id lies outside the space of {space.size} ids.")
    found = _ff1(keys, numbers, space.digits, b"", forward=forward)
    while not bool(np.all(inside := space.holds(found))):
        # Numbers that left the space go on until they come back to it, each under its own key.
        walking = np.flatnonzero(~inside.all(axis=1)), np.flatnonzero(~inside.all(axis=0))
        part = np.ix_(*walking)
        onward = _ff1([keys[row] for row in walking[0].tolist()], found[part], space.digits, b"", forward=forward)
        found[part] = np.where(inside[part], found[part], onward)
    return found


def _ff1(keys: Sequence[bytes], numbers: Numbers, digits: int, tweak: bytes, *, forward: bool) -> Numbers:
    shape = (len(keys), numbers.shape[-1])
    half = digits // 2
    moduli = (10**half, 10 ** (digits - half))
    rounds = _Rounds(keys, digits, tweak)
    left, right = (np.broadcast_to(part, shape).astype(np.uint64) for part in divmod(numbers, moduli[1]))
    for turn in range(ROUNDS) if forward else reversed(range(ROUNDS)):
        modulus = np.uint64(moduli[turn % 2])
        if forward:
            left, right = right, (left + rounds.drawn(turn, right) % modulus) % modulus
        else:
            left, right = (right + modulus - rounds.drawn(turn, left) % modulus) % modulus, left
    return (left * np.uint64(moduli[1]) + right).astype(np.int64)


class _Rounds:
    """The round function of FF1 (steps 1 to 6.iv) under many keys: CBC-MAC whose last block alone varies."""

    def __init__(self, keys: Sequence[bytes], digits: int, tweak: bytes) -> None:
        half = digits // 2
        # ceil(ceil(v log2 10) / 8) bytes hold the longer half.
        self._bytes = math.ceil((10 ** (digits - half) - 1).bit_length() / 8)
        head = bytes([1, 2, 1, 0, 0, 10, ROUNDS, half]) + digits.to_bytes(4) + len(tweak).to_bytes(4)
        padding = -(len(tweak) + self._bytes + 1) % BLOCK_BYTES
        fixed = head + tweak + bytes(padding)
        whole = len(fixed) // BLOCK_BYTES * BLOCK_BYTES
        self._ciphers = [block_cipher(key) for key in keys]
        chained = b"".join(_chained(cipher.update, fixed[:whole]) for cipher in self._ciphers)
        # The last block but for turn and half: what is chained on, xor the rest of what is fixed, as two words a key.
        last = int.from_bytes(fixed[whole:].ljust(BLOCK_BYTES, b"\0"))
        words = np.frombuffer(chained, dtype=">u8").astype(np.uint64).reshape(len(keys), 2)
        self._last = words ^ np.array(divmod(last, 1 << WORD_BITS), dtype=np.uint64)

    def drawn(self, turn: int, half: NDArray[np.uint64]) -> NDArray[np.uint64]:
        """Return the first eight bytes of R, the y of FF1 for halves of at most nine digits."""
        turned = self._last[:, 1:] ^ np.uint64(turn << 8 * self._bytes)
        blocks = np.empty((*half.shape, 2), dtype=">u8")
        blocks[..., 0], blocks[..., 1] = self._last[:, :1], half ^ turned
        drawn = [cipher.update(block.view(np.uint8)) for cipher, block in zip(self._ciphers, blocks, strict=True)]
        return np.frombuffer(b"".join(drawn), dtype=">u8").reshape(*half.shape, 2)[..., 0].astype(np.uint64)


def _chained(encrypt: Callable[[bytes], bytes], data: bytes) -> bytes:
    block = bytes(BLOCK_BYTES)
    for start in range(0, len(data), BLOCK_BYTES):
        mixed = bytes(a ^ b for a, b in zip(block, data[start : start + BLOCK_BYTES], strict=True))
        block = encrypt(mixed)
    return block
