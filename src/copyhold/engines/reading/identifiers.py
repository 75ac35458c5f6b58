"""Keyed participant ids in a leak: which column holds them, and which id stands on whose rows.

No key is known here, so that a column is told by its form alone: whole numbers of the width that keyed ids have. Row
numbers and the ids of other systems are shorter or longer. Whether an id is anybody's is for the scorer to weigh; a
reading without the ids is weighed beside it.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from copyhold.engines.marks.permutation import IdSpace
from copyhold.engines.matching.leaked import LeakedColumn
from copyhold.engines.matching.names import plain_name
from copyhold.engines.reading.groups import Group
from copyhold.engines.reading.sighting import SightedTable

_MOST = 0.9  # share of a column's values that must be ids
_MISSING = -1


@dataclass(frozen=True)
class ReadIds:
    """Ids by the number of the candidate on whose rows they stand, and those that stand on rows of nobody."""

    candidate: tuple[int, ...] = ()
    value: tuple[int, ...] = ()
    loose: tuple[int, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.value or self.loose)


def read_ids(tables: Sequence[SightedTable], groups: Sequence[Group], space: IdSpace, names: Sequence[str]) -> ReadIds:
    """Read each id once: on the best candidate of the one group that shows it, or loose where no row of it aligns.

    `names` are the names of the dataset's id columns. An id on rows of several groups, and a group with several ids,
    say nothing.
    """
    columns = {leaf: ids for leaf, table in enumerate(tables) if (ids := _id_column(table, space, names)) is not None}
    if not columns:
        return ReadIds()
    of_group = [_ids_of(group, columns) for group in groups]
    owners = Counter(one for ids in of_group for one in ids)
    first = np.cumsum([0, *(len(group.candidates) for group in groups)])
    paired = [
        (int(first[number]), next(iter(ids)))
        for number, (group, ids) in enumerate(zip(groups, of_group, strict=True))
        if group.candidates and len(ids) == 1 and owners[next(iter(ids))] == 1
    ]
    loose = sorted({one for shown in columns.values() for one in shown.tolist() if one != _MISSING} - set(owners))
    return ReadIds(tuple(place for place, _ in paired), tuple(one for _, one in paired), tuple(loose))


def _ids_of(group: Group, columns: Mapping[int, NDArray[np.int64]]) -> set[int]:
    shown = {int(columns[leaf][row]) for leaf, row in group.rows if leaf in columns}
    return shown - {_MISSING}


def _id_column(table: SightedTable, space: IdSpace, names: Sequence[str]) -> NDArray[np.int64] | None:
    """Return the ids by leaked row, -1 where there is none; None where no column holds ids."""
    # Where no row aligns nothing vouches for a match, and a list of ids alone may look like some field.
    matched = {match.leaked for match in table.match.matches} if table.rows_aligned else set()
    known = {plain_name(name) for name in names}
    found = [
        (plain_name(column.name) in known, len(set(ids.tolist())), ids)
        for place, column in enumerate(table.columns)
        if place not in matched and (ids := _whole(column, space)) is not None
    ]
    return max(found, key=lambda one: one[:2])[2] if found else None


def _whole(column: LeakedColumn, space: IdSpace) -> NDArray[np.int64] | None:
    """Return a column's ids where nearly all of its values could be ones: in the space, and as wide as ids are."""
    shown = [label for label in column.labels if label is not None]
    numbers = np.array([_number(label) for label in column.labels], dtype=np.int64)
    fits = space.holds(numbers) & (numbers >= 0)
    wide = fits & (numbers >= max(space.low, 10 ** (space.digits - 2)))
    if np.count_nonzero(wide) < max(1, int(_MOST * len(shown))):
        return None
    return np.where(fits, numbers, _MISSING)


def _number(label: object) -> int:
    text = str(label).strip().removesuffix(".0") if label is not None else ""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 18 else _MISSING
