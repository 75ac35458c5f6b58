"""Keyed uniforms at addresses: the one pseudo-random function behind plan and marks.

An address is (table, row, column, tag). One AES block holds eight 16-bit uniforms, so eight neighbouring columns share
a block: table16 | row64 | column group32 | tag8 | zero8, big-endian. Access is random by address, hence the same for
any split of a table into batches. Under one key an address is used for one purpose only, which the tag names; table,
row and column numbers are never used again, not even after deletion.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from cryptography.hazmat.primitives.ciphers import Cipher, CipherContext, algorithms, modes
from numpy.typing import NDArray

LANES = 8  # 16-bit uniforms in one AES block
RANGE = 65536  # a uniform is an integer 0 <= u < RANGE
BLOCK_BYTES = 16
_FINAL_BYTES = 15  # the cipher asks for this much room beyond its output
_BLOCK_BY_BLOCK = modes.ECB()  # noqa: S305 - each address is a block of its own, encrypted once


class Tag(IntEnum):
    """What an address is used for; a tag's number never changes."""

    MARK = ord("M")  # which member of its pair a cell shows, under a party's key
    PLAN = ord("P")  # whether a cell is marked, its direction and the law of its bias, under the plan's key
    ARCSINE = ord("A")  # the quantile of an arcsine bias, under the plan's key
    DATE = ord("D")
    SYNONYM = ord("S")
    CANARY = ord("C")


def uniforms(
    key: bytes, table: int, rows: NDArray[np.uint64], columns: NDArray[np.uint32], tag: Tag
) -> NDArray[np.uint16]:
    """Draw the uniforms of every (row, column) pair, shape (len(rows), len(columns)), each column contiguous.

    Guarantee: independent uniform on 0..65535 for distinct addresses as far as AES under `key` (16, 24 or 32
    bytes) is a pseudo-random permutation (the PRP/PRF switching bound at 2^40 blocks is 2^-49).
    Source: FIPS 197.
    """
    drawn = np.empty((len(columns), len(rows)), dtype=np.uint16)
    groups = columns // LANES
    head, tail = _row_words(table, rows)
    cipher = block_cipher(key)
    for group in np.unique(groups):
        lanes = _stored_lanes(cipher, _joined(head, tail | _column_word(np.asarray(group), tag)))
        for place in np.flatnonzero(groups == group):
            drawn[place] = lanes[:, columns[place] % LANES]
    return drawn.T


def paired_uniforms(
    key: bytes, table: int, rows: NDArray[np.uint64], columns: NDArray[np.uint32], tag: Tag
) -> NDArray[np.uint16]:
    """Draw one uniform for each address (rows[k], columns[k]), shape (len(rows),); the same numbers as `uniforms`."""
    drawn: NDArray[np.uint16] = uniforms_of_keys([key], Addresses.of(table, rows, columns, tag))[0]
    return drawn


@dataclass(frozen=True)
class Addresses:
    """A list of addresses, made once and drawn at under many keys.

    words  uint64 (distinct blocks, 2): what is encrypted
    spots  int64 (addresses,): where each address's uniform stands among the lanes of those blocks
    """

    words: NDArray[np.uint64]
    spots: NDArray[np.int64]

    @classmethod
    def of(
        cls, table: int | NDArray[np.uint16], rows: NDArray[np.uint64], columns: NDArray[np.uint32], tag: Tag
    ) -> "Addresses":
        """Make the addresses (table, rows[k], columns[k], tag); those that share a block share its encryption."""
        head, tail = _row_words(table, rows)
        words = _joined(head, tail | _column_word(columns // LANES, tag))
        distinct, block = np.unique(words, axis=0, return_inverse=True)
        lanes = columns.astype(np.int64) % LANES
        return cls(distinct, block.reshape(-1).astype(np.int64) * LANES + lanes)


def uniforms_of_keys(keys: Sequence[bytes], addresses: Addresses) -> NDArray[np.uint16]:
    """Draw at the same addresses under each key: uint16 (keys, addresses), every row as `uniforms` would draw it.

    Cost: one key schedule per key, and one encryption per key and distinct block.
    """
    drawn = np.empty((len(keys), len(addresses.spots)), dtype=">u2")
    room, blocks = _room(addresses.words), addresses.words.reshape(-1).view(np.uint8).data
    lanes = room[: addresses.words.nbytes].view(">u2")
    for row, key in zip(drawn, keys, strict=True):
        block_cipher(key).update_into(blocks, room.data)
        row[:] = lanes[addresses.spots]
    return drawn.astype(np.uint16)


def words_at(key: bytes, table: int, rows: NDArray[np.uint64], column: int, tag: Tag) -> NDArray[np.uint64]:
    """Draw 64 bits for each row: the first four lanes of its block, the first lane highest."""
    head, tail = _row_words(table, rows)
    words = _joined(head, tail | _column_word(np.asarray(column // LANES, dtype=np.uint32), tag))
    return _encrypted(block_cipher(key), words).view(">u8").astype(np.uint64).reshape(-1, 2)[:, 0]


def blocks_at(key: bytes, table: int, rows: NDArray[np.uint64], column: int) -> NDArray[np.uint8]:
    """Draw a whole block for each (row, column), uint8 (len(rows), 16), under a key that draws nothing else.

    The address is table16 | row64 | column32 | zero16: a cell shares its block with no other.
    """
    head, tail = _row_words(table, rows)
    own = _big_endian(np.asarray(column << 16, dtype=np.uint64))
    return _encrypted(block_cipher(key), _joined(head, tail | own)).reshape(-1, BLOCK_BYTES)


def block_cipher(key: bytes) -> CipherContext:
    """Return AES under a key as a function on single blocks, which is what a PRF on addresses asks for."""
    return Cipher(algorithms.AES(key), _BLOCK_BY_BLOCK).encryptor()


def _row_words(table: int | NDArray[np.uint16], rows: NDArray[np.uint64]) -> tuple[NDArray[np.uint64], ...]:
    """Lay table and row over the two 64-bit halves of a block: 16 + 48 bits, and the row's last 16 bits."""
    head = (rows >> np.uint64(16)) | (np.asarray(table, dtype=np.uint64) << np.uint64(48))
    return _big_endian(head), _big_endian(rows << np.uint64(48))


def _column_word(group: NDArray[np.uint32], tag: Tag) -> NDArray[np.uint64]:
    return _big_endian((np.asarray(group, dtype=np.uint64) << np.uint64(16)) | np.uint64(int(tag) << 8))


def _big_endian(words: NDArray[np.uint64]) -> NDArray[np.uint64]:
    return np.asarray(words, dtype=">u8").view(np.uint64)


def _joined(head: NDArray[np.uint64], tail: NDArray[np.uint64]) -> NDArray[np.uint64]:
    words = np.empty((len(head), 2), dtype=np.uint64)
    words[:, 0], words[:, 1] = head, tail
    return words


def _lanes(cipher: CipherContext, words: NDArray[np.uint64]) -> NDArray[np.uint16]:
    """Encrypt blocks, shape (blocks, 2), to their lanes, shape (blocks, LANES)."""
    return _stored_lanes(cipher, words).astype(np.uint16)


def _stored_lanes(cipher: CipherContext, words: NDArray[np.uint64]) -> NDArray[np.uint16]:
    """Encrypt blocks to their lanes, as they are stored: big-endian."""
    return _encrypted(cipher, words).view(">u2").reshape(-1, LANES)


def _encrypted(cipher: CipherContext, words: NDArray[np.uint64]) -> NDArray[np.uint8]:
    drawn = _room(words)
    cipher.update_into(words.reshape(-1).view(np.uint8).data, drawn.data)
    return drawn[: words.nbytes]


def _room(words: NDArray[np.uint64]) -> NDArray[np.uint8]:
    return np.empty(words.nbytes + _FINAL_BYTES, dtype=np.uint8)
