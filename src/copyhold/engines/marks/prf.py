"""Keyed uniforms at addresses: the one pseudo-random function behind plan and marks.

An address is (table, row, column, tag). One AES block holds eight 16-bit uniforms, so eight neighbouring columns share
a block: table16 | row64 | column group32 | tag8 | zero8, big-endian. Access is random by address, hence the same for
any split of a table into batches. Under one key an address is used for one purpose only, which the tag names; table,
row and column numbers are never used again, not even after deletion.
"""

from enum import IntEnum

import numpy as np
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from numpy.typing import NDArray

LANES = 8  # 16-bit uniforms in one AES block
RANGE = 65536  # a uniform is an integer 0 <= u < RANGE


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
    """Draw the uniforms of every (row, column) pair, shape (len(rows), len(columns)).

    Guarantee: independent uniform on 0..65535 for distinct addresses as far as AES under `key` (16, 24 or 32
    bytes) is a pseudo-random permutation (the PRP/PRF switching bound at 2^40 blocks is 2^-49).
    Source: FIPS 197.
    """
    groups, position = np.unique(columns // LANES, return_inverse=True)
    blocks = _blocks(key, table, rows, groups.astype(np.uint32), tag)
    lanes: NDArray[np.uint16] = blocks[:, position, columns % LANES]
    return lanes


def paired_uniforms(
    key: bytes, table: int, rows: NDArray[np.uint64], columns: NDArray[np.uint32], tag: Tag
) -> NDArray[np.uint16]:
    """Draw one uniform for each address (rows[k], columns[k]), shape (len(rows),); the same numbers as `uniforms`."""
    addresses = np.zeros(len(rows), dtype=_ADDRESS)
    addresses["table"], addresses["row"] = table, rows
    addresses["group"], addresses["tag"] = columns // LANES, int(tag)
    lanes = _encrypted(key, addresses).reshape(len(rows), LANES)
    drawn: NDArray[np.uint16] = lanes[np.arange(len(rows)), columns % LANES]
    return drawn


_ADDRESS = np.dtype([("table", ">u2"), ("row", ">u8"), ("group", ">u4"), ("tag", "u1"), ("zero", "u1")])


def _blocks(
    key: bytes, table: int, rows: NDArray[np.uint64], groups: NDArray[np.uint32], tag: Tag
) -> NDArray[np.uint16]:
    addresses = np.zeros((len(rows), len(groups)), dtype=_ADDRESS)
    addresses["table"] = table
    addresses["row"] = rows[:, None]
    addresses["group"] = groups[None, :]
    addresses["tag"] = int(tag)
    return _encrypted(key, addresses).reshape(len(rows), len(groups), LANES)


def _encrypted(key: bytes, addresses: NDArray[np.void]) -> NDArray[np.uint16]:
    # ECB on distinct single blocks is the block cipher itself, which is what a PRF on addresses asks for.
    encryptor = Cipher(algorithms.AES(key), modes.ECB()).encryptor()  # noqa: S305
    return np.frombuffer(encryptor.update(addresses.tobytes()), dtype=">u2").astype(np.uint16)
