"""A decoy of the master: the same columns, but no person's.

Whether a leaked row is ours is judged against rows that cannot be its source. In a decoy, blocks of correlated columns
stay together and each block is dealt to other people, so that a decoy person looks like one and is none. Nothing is
drawn: a block is dealt by r -> (a r + b) mod n, with a and b fixed by the version, so that the sorted columns of the
master serve the decoy as well and any number of decoys costs no storage.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import gcd

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

_TOGETHER = 0.3  # rank correlation from which two columns are dealt together
_LARGEST_BLOCK = 4  # larger ones would leave whole people in the decoy
_FEWEST_PAIRS = 50  # rows on which a correlation is believed


def correlated_blocks(names: Sequence[str], values: NDArray[np.float64]) -> tuple[tuple[str, ...], ...]:
    """Group columns whose rank correlation is at least 0.3, strongest first, at most four in a group.

    `values` has a row per name; NaN is missing. Columns without values (categories) stay alone.
    """
    correlation = _rank_correlation(values)
    block_of = {index: [index] for index in range(len(names))}
    for first, second in _strongest(correlation):
        joined, other = block_of[first], block_of[second]
        if joined is not other and len(joined) + len(other) <= _LARGEST_BLOCK:
            joined.extend(other)
            block_of.update(dict.fromkeys(other, joined))
    blocks = {id(block): block for block in block_of.values()}.values()
    return tuple(tuple(names[index] for index in sorted(block)) for block in sorted(blocks, key=min))


def _rank_correlation(values: NDArray[np.float64]) -> NDArray[np.float64]:
    known = np.isfinite(values)
    ranks = np.zeros_like(values)
    for row, here in enumerate(known):
        if here.sum() > 1:
            standing = rankdata(values[row, here])
            ranks[row, here] = standing - standing.mean()
    both = known.astype(np.float64) @ known.T.astype(np.float64)
    squares = (ranks**2) @ known.T
    size = np.sqrt(squares * squares.T)
    correlation = np.divide(ranks @ ranks.T, size, out=np.zeros_like(size), where=size > 0)
    return np.where(both >= _FEWEST_PAIRS, np.abs(correlation), 0.0)


def _strongest(correlation: NDArray[np.float64]) -> Iterable[tuple[int, int]]:
    upper = np.triu(correlation, k=1)
    first, second = np.nonzero(upper >= _TOGETHER)
    by_strength = np.argsort(-upper[first, second], kind="stable")
    return zip(first[by_strength].tolist(), second[by_strength].tolist(), strict=True)


@dataclass(frozen=True)
class Deal:
    """Which person each decoy row takes one block from: person = (a row + b) mod n."""

    rows: int
    factor: int
    inverse: int
    offset: int

    def persons(self, decoy_rows: NDArray[np.integer]) -> NDArray[np.int64]:
        """The master positions behind decoy rows."""
        return np.asarray((decoy_rows.astype(np.int64) * self.factor + self.offset) % self.rows)

    def decoys(self, persons: NDArray[np.integer]) -> NDArray[np.int64]:
        """The decoy rows that master positions are dealt to."""
        return np.asarray((persons.astype(np.int64) - self.offset) * self.inverse % self.rows)


def deals(
    version: str, rows: int, blocks: Iterable[Iterable[str]], fields: Sequence[str], number: int
) -> Mapping[str, Deal]:
    """How decoy `number` of a version deals the given fields.

    Blocks are those of the version. Where all the given fields lie in one block they are dealt one by one, else the
    decoy would be the master itself.
    """
    block_of = {field: index for index, block in enumerate(blocks) for field in block}
    together = len({block_of.get(field, field) for field in fields}) > 1
    names = {field: str(block_of[field]) if together and field in block_of else field for field in fields}
    dealt = {name: _deal(f"{version}|{rows}|{name}|{number}", rows) for name in sorted(set(names.values()))}
    return {field: dealt[name] for field, name in names.items()}


def _deal(seed: str, rows: int) -> Deal:
    digest = hashlib.sha256(seed.encode()).digest()
    factor = int.from_bytes(digest[:8], "big") % rows or 1
    while gcd(factor, rows) != 1:
        factor = factor % rows + 1
    return Deal(rows, factor, pow(factor, -1, rows), int.from_bytes(digest[8:16], "big") % rows)
