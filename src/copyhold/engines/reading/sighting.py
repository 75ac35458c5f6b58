"""A leaked table as it was found again in a version: what a reading is made from, without any key."""

from dataclasses import dataclass

import numpy as np

from copyhold.engines.matching.leaked import LeakedColumn, leaked_column
from copyhold.engines.matching.tables import TableMatch, match_table
from copyhold.engines.reading.master import Master
from copyhold.engines.reading.nearness import nearer
from copyhold.engines.tables.columns import typed_column
from copyhold.engines.tables.sources import SourceTable

MOST_ROWS = 4_000  # of a leaked table that are aligned and read: a party is named by far fewer, more only take time


@dataclass(frozen=True)
class SightedTable:
    """One leaked table matched to the table of a version that has this number.

    `columns` hold the rows that were read: all of a small table, some evenly over a large one of `leaked` rows.
    """

    number: int
    columns: tuple[LeakedColumn, ...]
    match: TableMatch
    leaked: int

    @property
    def rows(self) -> int:
        """Rows of the leaked table that were read."""
        return self.columns[0].rows if self.columns else 0

    @property
    def rows_aligned(self) -> int:
        """Leaked rows that align above decoys."""
        return int(np.count_nonzero(self.match.aligned))


def leaked_columns(source: SourceTable) -> tuple[LeakedColumn, ...]:
    """Take over the columns of a leaked file.

    Raises:
        InvalidInputError: a column holds lists, records or bytes.
    """
    return tuple(leaked_column(name, typed_column(source, name)) for name in source.columns)


def sighted(columns: tuple[LeakedColumn, ...], master: Master) -> SightedTable:
    """Match a leaked table to the table of a version in which most of its rows align, the first of equals.

    At most 4,000 of its rows are read, evenly over the table.
    """
    leaked = columns[0].rows if columns else 0
    if leaked > MOST_ROWS:
        part = np.linspace(0, leaked - 1, MOST_ROWS).astype(np.int64)
        columns = tuple(column.taking(part) for column in columns)
    found = []
    for number, index in master.indexes.items():
        match = match_table(columns, index, master.steps(number))
        found.append(SightedTable(number, columns, nearer(columns, match, master, number), leaked))
    return max(found, key=lambda one: (one.rows_aligned, len(one.match.matches)))
