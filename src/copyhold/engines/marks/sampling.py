"""Some rows of a table that stand for all of it, chosen by their numbers alone: the same for any split into batches."""

import numpy as np
from numpy.typing import NDArray

MOST_ROWS, MOST_CELLS = 20_000, 4_000_000  # whichever is less

Floats = NDArray[np.float64]
Ranks = NDArray[np.uint64]


class RowSample:
    """The rows of least rank of all that were added; a row's rank is a hash of its number.

    Source: the bottom-k sample (Cohen and Kaplan, PODC 2007); rank by the finaliser of SplitMix64 (Steele, Lea and
    Flood, OOPSLA 2014), a permutation of the numbers below 2^64.
    Cost: memory for twice the rows kept; a row that is not kept costs its rank.
    """

    def __init__(self, fields: int) -> None:
        self._most = max(1, min(MOST_ROWS, MOST_CELLS // max(fields, 1)))
        self._ranks = [np.zeros(0, dtype=np.uint64)]
        self._parts = [np.zeros((2, fields, 0))]
        self._bound = np.uint64(2**64 - 1)

    def add(self, numbers: Ranks, master: Floats, copy: Floats) -> None:
        """Take rows by their numbers, (fields, rows) of each table."""
        rank = ranks(numbers)
        kept = np.flatnonzero(rank <= self._bound)
        self._keep(rank[kept], np.stack([master[:, kept], copy[:, kept]]))

    def merge(self, other: "RowSample") -> None:
        """Take the rows of another sample."""
        for rank, part in zip(other._ranks, other._parts, strict=True):
            self._keep(rank, part)

    @property
    def rows(self) -> int:
        """How many rows are kept."""
        self._reduce()
        return len(self._ranks[0])

    def table(self) -> Floats:
        """Give the rows kept, (2, fields, rows): of the master, and of the copy."""
        self._reduce()
        return self._parts[0]

    def _keep(self, rank: Ranks, part: Floats) -> None:
        self._ranks.append(rank)
        self._parts.append(part)
        if sum(map(len, self._ranks)) > 2 * self._most:
            self._reduce()

    def _reduce(self) -> None:
        rank = np.concatenate(self._ranks)
        order = np.argsort(rank, kind="stable")[: self._most]
        self._ranks, self._parts = [rank[order]], [np.concatenate(self._parts, axis=2)[:, :, order]]
        if len(order) == self._most:
            self._bound = rank[order][-1]


def ranks(numbers: Ranks) -> Ranks:
    """Give each row number its place in a fixed pseudo-random order."""
    rank = (numbers + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
    rank = (rank ^ (rank >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    rank = (rank ^ (rank >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return rank ^ (rank >> np.uint64(31))
