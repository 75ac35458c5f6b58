"""Counting how often each value of each column occurs in each stratum, in one pass over the blocks of a version."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from copyhold.engines.tables.blocks import Block, Labels

Whole = NDArray[np.int64]

PENDING = 200_000  # values that wait before they are counted together


@dataclass
class Census:
    """Distinct values with their counts, by table, field and stratum label ("" for a field without strata).

    Rows whose key is ambiguous and values that are not valid are left out, as they are never marked.
    """

    _waiting: dict[tuple[int, str, str], list[tuple[Whole, Whole]]] = field(default_factory=dict)
    _sizes: dict[tuple[int, str, str], int] = field(default_factory=dict)

    def add(self, block: Block, strata: Mapping[str, str | None]) -> None:
        """Count a block; `strata` names for each field to be counted the field that splits it, or None."""
        for name, splitting in strata.items():
            units = block.columns[name]
            counted = units.valid & ~block.ambiguous
            for label, rows in _by_label(block.strata[splitting] if splitting else None):
                here = counted if rows is None else counted & rows
                self._take((block.table, name, label), units.values[here])

    def of(self, table: int, name: str) -> dict[str, tuple[Whole, Whole]]:
        """Give ascending distinct values and their counts, by stratum label in order."""
        keys = sorted(key for key in self._waiting if key[:2] == (table, name))
        found = {label: self._merged((table, name, label)) for _, _, label in keys}
        return {label: (values, counts) for label, (values, counts) in found.items() if len(values)}

    def _take(self, key: tuple[int, str, str], values: Whole) -> None:
        distinct, counts = np.unique(values, return_counts=True)
        waiting = self._waiting.setdefault(key, [])
        waiting.append((distinct, counts.astype(np.int64)))
        self._sizes[key] = self._sizes.get(key, 0) + len(distinct)
        if len(waiting) > 1 and self._sizes[key] > PENDING + 2 * len(waiting[0][0]):
            self._merged(key)

    def _merged(self, key: tuple[int, str, str]) -> tuple[Whole, Whole]:
        waiting = self._waiting[key]
        if len(waiting) > 1:
            values, place = np.unique(np.concatenate([one for one, _ in waiting]), return_inverse=True)
            counts = np.zeros(len(values), dtype=np.int64)
            np.add.at(counts, place, np.concatenate([counted for _, counted in waiting]))
            self._waiting[key] = [(values, counts)]
            self._sizes[key] = len(values)
        return self._waiting[key][0]


def _by_label(labels: Labels | None) -> list[tuple[str, NDArray[np.bool_] | None]]:
    if labels is None:
        return [("", None)]
    return [(name, labels.codes == code) for code, name in enumerate(labels.names)]
