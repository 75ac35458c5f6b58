"""Date shifts: one whole number of days per party and shift unit, where a project accepted them in writing.

A shift unit is a participant, or a declared link group whose members move together.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from copyhold.domain.errors import InvalidInputError
from copyhold.engines.marks.prf import Tag, words_at

UNITS_TABLE = 0  # shift units are numbered over the whole dataset; tables are numbered from 1
WEEK = 7
_HALF_WORD = np.uint64(32)
_LOW_WORD = np.uint64(2**32 - 1)


@dataclass(frozen=True)
class ShiftLaw:
    """At most `days` in either direction, in steps of a day or, to keep weekdays, of a week."""

    days: int
    weeks: bool = False

    def __post_init__(self) -> None:
        if not self.step <= self.days < 2**16:
            raise InvalidInputError("A date shift is at least one step (a day, or a week where weekdays are kept).")

    @property
    def step(self) -> int:
        """Days between neighbouring shifts."""
        return WEEK if self.weeks else 1

    @property
    def count(self) -> int:
        """K, the number of allowed shifts."""
        return 2 * (self.days // self.step) + 1

    def allows(self, shifts: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Say which numbers of days are shifts of this law."""
        return np.asarray((shifts % self.step == 0) & (np.abs(shifts) <= self.days))


def shifts(key: bytes, units: NDArray[np.uint64], law: ShiftLaw) -> NDArray[np.int64]:
    """Draw the shift of every unit, int64 (units,) in days.

    Guarantee: Delta = step (floor(u K / 2^64) - floor(K/2)) with u uniform on 64 bits: each allowed shift has
    probability 1/K within 2^-64, as far as AES is a pseudo-random permutation.
    Source: Lemire, "Fast random integer generation in an interval" (2019), section 3, without its rejection step.
    """
    words = words_at(key, UNITS_TABLE, units, 0, Tag.DATE)
    return law.step * (scaled(words, law.count).astype(np.int64) - law.count // 2)


def scaled(words: NDArray[np.uint64], count: int) -> NDArray[np.uint64]:
    """Compute floor(word * count / 2^64) exactly, for count < 2^32."""
    high, low = words >> _HALF_WORD, words & _LOW_WORD
    return (high * np.uint64(count) + (low * np.uint64(count) >> _HALF_WORD)) >> _HALF_WORD


def unshiftable(
    first: NDArray[np.int64], last: NDArray[np.int64], law: ShiftLaw, *, earliest: int, latest: int
) -> NDArray[np.bool_]:
    """Say which units no shift of the law may touch, as one could carry a date out of the legal range.

    `first` and `last` are a unit's earliest and latest date over all tables, in days since 1970-01-01 like the range.
    The answer is the same for every party under one law, so it tells nothing of a key.
    """
    reach = law.step * (law.count // 2)
    return (first - reach < earliest) | (last + reach > latest)
