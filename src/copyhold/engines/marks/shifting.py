"""Moving the dates of a batch, all of one participant (or link group) alike in every table of every copy of a party."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from copyhold.domain.catalogue import Field
from copyhold.domain.errors import InvalidInputError
from copyhold.engines.marks.columns import with_values
from copyhold.engines.marks.dates import ShiftLaw, shifts

Numbers = NDArray[np.uint64]

_PER_DAY = {"s": 86_400, "ms": 86_400_000, "us": 86_400_000_000, "ns": 86_400_000_000_000}
_NONE = np.empty(0, dtype=np.uint64)


@dataclass(frozen=True, eq=False)
class Shifts:
    """What a project accepted in writing: a law, who moves together, who does not move, and what else counts days.

    `linked` are participants uint64, ascending, who belong to the shift unit at the same place in `units`; everybody
    else is their own unit, by participant number. `left_alone` are units that no shift touches, as one could carry a
    date out of range. `day_counts` name numeric fields that count days from a fixed date.
    """

    law: ShiftLaw
    linked: Numbers = field(default_factory=_NONE.copy)
    units: Numbers = field(default_factory=_NONE.copy)
    left_alone: Numbers = field(default_factory=_NONE.copy)
    day_counts: tuple[str, ...] = ()

    def unit_of(self, participants: Numbers) -> Numbers:
        """Give the shift unit of each participant."""
        if not len(self.linked):
            return participants
        place = np.minimum(np.searchsorted(self.linked, participants), len(self.linked) - 1)
        return np.where(self.linked[place] == participants, self.units[place], participants)

    def days(self, key: bytes, participants: Numbers) -> NDArray[np.int64]:
        """Give the days by which each participant's dates move under a party's key."""
        distinct, place = np.unique(self.unit_of(participants), return_inverse=True)
        drawn = shifts(key, distinct, self.law)
        drawn[np.isin(distinct, self.left_alone)] = 0
        return drawn[place]


def shifted(column: pa.Array, one: Field, days: NDArray[np.int64]) -> pa.Array:
    """Move a column of dates or instants; nulls and the field's coded dates stay.

    Raises:
        InvalidInputError: the column holds no dates, so that it would leave unshifted.
    """
    whole, per_day = _ticks(column, one)
    moved = whole + days * per_day
    for code in _codes(one.missing_codes):
        coded = whole // per_day == code
        moved[coded] = whole[coded]
    return with_values(column, moved)


def _ticks(column: pa.Array, one: Field) -> tuple[NDArray[np.int64], int]:
    kind = column.type
    if pa.types.is_date32(kind):
        return _whole(column.cast(pa.int32())), 1
    if pa.types.is_date64(kind):
        return _whole(column.cast(pa.int64())), _PER_DAY["ms"]
    if pa.types.is_timestamp(kind):
        return _whole(column.cast(pa.int64())), _PER_DAY[kind.unit]
    raise InvalidInputError(
        f"The dates of field {one.name} cannot be shifted: its column holds none. Leave it out, or read it as dates."
    )


def _whole(column: pa.Array) -> NDArray[np.int64]:
    return np.asarray(column.fill_null(0).to_numpy(zero_copy_only=False), dtype=np.int64)


def _codes(written: Sequence[str]) -> list[int]:
    found = []
    for code in written:
        try:
            found.append((date.fromisoformat(code) - date(1970, 1, 1)).days)
        except ValueError:
            continue  # a code that is no date cannot stand in a column of dates
    return found
