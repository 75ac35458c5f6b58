"""What became public with case files: from then on it is no evidence against the parties that they name.

A published case file states, for each party named in it, the bits of all its cells and what its ids and dates are.
Anybody can put these into a file. So they are spent: factor 1 for that party in every later trace, for the cells under
the very key that drew them, for ids and dates for good, as their keys outlive it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from copyhold.domain.releases import MarkKey, PartyId
from copyhold.domain.tracing import Attempt, PublishedCase
from copyhold.engines.tracing.parties import NOTHING_TOLD, Told
from copyhold.engines.tracing.verification import read
from copyhold.ports import Outside

Document = dict[str, Any]


@dataclass(frozen=True)
class Published:
    """The published case files of a dataset, each with when it became public."""

    cases: tuple[tuple[PublishedCase, Document], ...] = ()

    def told(self, key: MarkKey) -> Told:
        """Collect what is public of a party's marks under a key, and of its ids and dates."""
        documents = [document for _, document in self._about(key.party)]
        if not documents:
            return NOTHING_TOLD
        under = [one for one in documents if key.commitment in {name["key_commitment"] for name in one["names"]}]
        cells = frozenset((int(table), int(row), int(column)) for one in under for table, row, column in one["cells"])
        units = np.array(sorted({int(unit) for one in documents for unit, _ in one["moves"]}), dtype=np.uint64)
        return Told(cells, units, any(one["id_pairs"] or one["loose_ids"] for one in documents))

    def flows(self, party: PartyId) -> tuple[str, ...]:
        """Say by which published cases anybody may know cells of a party."""
        return tuple(
            f"Case {case.case}, which names this party, has been public since {case.published_at.date()}: whoever has "
            "its case file. Its cells are spent, and count for nothing here."
            for case, _ in self._about(party)
        )

    def _about(self, party: PartyId) -> Iterator[tuple[PublishedCase, Document]]:
        for case, document in self.cases:
            if party in {name["party"] for name in document["names"]}:
                yield case, document


NOTHING_PUBLISHED = Published()


def published(outside: Outside, attempt: Attempt) -> Published:
    """Read the case files that were public when an attempt was opened."""
    found = []
    for case in attempt.published:
        with outside.storage.open(case.case_sha256) as data:
            found.append((case, read(data.read())))
    return Published(tuple(found))
