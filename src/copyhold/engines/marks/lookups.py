"""The pair rule of a column as one table, so that a cell costs a look-up.

Where the values of a column span few units the table has one line per stratum and unit, else one per value seen. A
value of a continuous column that was never seen is worked out by the rule itself.
"""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from copyhold.engines.marks.listed import listed_steps
from copyhold.engines.marks.supports import Kind, Limits, StepRule, Support, Whole, grid_steps

Codes = NDArray[np.int32]
Bools = NDArray[np.bool_]

DENSE = 2**21  # most lines of a table with one line per stratum and unit: 8 MB with two int16 steps a line
MARGIN = 1  # a line below and one above all values seen, for whatever lies beyond
_DTYPES = (np.int16, np.int32, np.int64)


class Lookup:
    """The steps of one column, from each value to its stand-in; 0 where there is none."""

    def __init__(self, kind: Kind, rule: StepRule, limits: Limits, supports: Sequence[Support]) -> None:
        self._kind, self._rule, self._limits, self._supports = kind, rule, limits, tuple(supports)
        self._places = {support.stratum: place for place, support in enumerate(self._supports)}
        listed = [support.values for support in self._supports]
        steps = [np.stack(self._worked_out(place, values), axis=1) for place, values in enumerate(listed)]
        dtype = _narrowest(steps)
        self._unseen = np.iinfo(dtype).min
        # Only between the values of a continuous support may an unseen value have a stand-in.
        self._open = kind is Kind.GRID and any(support.continuous for support in self._supports)
        filling = self._unseen if self._open else 0
        span = max(values[-1] for values in listed) - min(values[0] for values in listed) if listed else 0
        small = (int(span) + 1 + 2 * MARGIN) * len(listed) <= DENSE
        self._table: _Table = (_Dense if small else _Sparse)(listed, steps, np.dtype(dtype), filling)

    def steps(
        self, values: Whole, upward: Bools, strata: Codes | None = None, names: Sequence[str] = ()
    ) -> NDArray[np.signedinteger]:
        """Look up signed steps, whole numbers (rows,).

        `upward` says whether the pair is {x, x+s} or {x-s, x}. `strata` index `names`, -1 for a row without stratum,
        which has no step; None for a column without strata.
        """
        if not self._supports:
            return np.zeros(len(values), dtype=np.int16)
        places = None if strata is None else self._strata(strata, names)
        found = self._table.steps(values, upward, places)
        if self._open:
            self._work_out_unseen(found, values, upward, places)
        return found

    def _strata(self, strata: Codes, names: Sequence[str]) -> Whole:
        return np.array([*(self._places.get(name, -1) for name in names), -1], dtype=np.int64)[strata]

    def _work_out_unseen(
        self, found: NDArray[np.signedinteger], values: Whole, upward: Bools, places: Whole | None
    ) -> None:
        unseen = np.flatnonzero(found == self._unseen)
        of = np.zeros(len(unseen), dtype=np.int64) if places is None else places[unseen]
        for place in np.unique(of).tolist():
            here = unseen[of == place]
            up, down = self._worked_out(place, values[here]) if place >= 0 else (0, 0)
            found[here] = np.where(upward[here], up, down)

    def _worked_out(self, place: int, values: Whole) -> tuple[Whole, Whole]:
        if self._kind is Kind.LISTED:
            return listed_steps(self._supports[place], self._rule, self._limits)
        return grid_steps(self._supports[place], self._rule, self._limits, values)


class _Table(Protocol):
    def steps(self, values: Whole, upward: Bools, places: Whole | None) -> NDArray[np.signedinteger]: ...


class _Dense:
    """One line per stratum and unit, from MARGIN below the least value to MARGIN above the greatest."""

    def __init__(
        self, listed: Sequence[Whole], steps: Sequence[Whole], dtype: np.dtype[np.signedinteger], filling: int
    ) -> None:
        self._base = min(int(values[0]) for values in listed) - MARGIN
        self._size = max(int(values[-1]) for values in listed) - self._base + 1 + MARGIN
        table = np.zeros((len(listed), self._size, 2), dtype=dtype)
        for place, values in enumerate(listed):
            table[place, values[0] - self._base : values[-1] - self._base + 1] = filling
            table[place, values - self._base] = steps[place]
        self._table = table.reshape(-1)

    def steps(self, values: Whole, upward: Bools, places: Whole | None) -> NDArray[np.signedinteger]:
        lines = values - self._base
        if places is None:
            lines *= 2
            lines += upward
            return self._table.take(lines, mode="clip")  # what lies beyond falls on the margins
        lines = np.clip(lines, 0, self._size - 1) + places * self._size
        return self._table.take(2 * lines + upward, mode="clip") * (places >= 0)


class _Sparse:
    """One line per stratum and value seen."""

    def __init__(
        self, listed: Sequence[Whole], steps: Sequence[Whole], dtype: np.dtype[np.signedinteger], filling: int
    ) -> None:
        self._lines = [(values, found.astype(dtype)) for values, found in zip(listed, steps, strict=True)]
        self._dtype, self._filling = dtype, filling

    def steps(self, values: Whole, upward: Bools, places: Whole | None) -> NDArray[np.signedinteger]:
        found = np.zeros(len(values), dtype=self._dtype)
        for place, (listed, steps) in enumerate(self._lines):
            here = np.arange(len(values)) if places is None else np.flatnonzero(places == place)
            line = np.minimum(np.searchsorted(listed, values[here]), len(listed) - 1)
            seen = listed[line] == values[here]
            found[here] = np.where(seen, steps[line, upward[here].astype(np.int64)], self._filling)
        return found


def _narrowest(steps: Sequence[Whole]) -> type[np.signedinteger]:
    longest = max((int(np.abs(one).max(initial=0)) for one in steps), default=0)
    return next(dtype for dtype in _DTYPES if longest < np.iinfo(dtype).max)
