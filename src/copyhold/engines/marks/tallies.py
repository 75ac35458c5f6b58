"""Sums over the rows of a master and its copy from which every figure of a utility report follows; they add up.

Sums are of values less a centre near their mean, and are moved to a common centre when they are added, as in Chan,
Golub and LeVeque, The American Statistician 37 (1983), 242: a field of large mean and small spread loses no digits.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from copyhold.domain.catalogue import Field

ONE_LINE = 1 - 1e-9  # a correlation beyond it is one line but for rounding, and has no Fisher z

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Pairs:
    """Sums over the rows where fields i and j are both present, each (fields, fields), of values less a centre.

    `first` and `second` are of field i and its square, `cross` of the product.
    """

    first: Floats
    second: Floats
    cross: Floats

    def __add__(self, other: "Pairs") -> "Pairs":
        return Pairs(self.first + other.first, self.second + other.second, self.cross + other.cross)

    def raised(self, by: Floats, count: Floats) -> "Pairs":
        """Give the sums of the values plus `by`, a number for each field."""
        mine, others = by[:, None], by[None, :]
        return Pairs(
            self.first + count * mine,
            self.second + 2 * mine * self.first + count * mine**2,
            self.cross + mine * self.first.T + others * self.first + count * mine * others,
        )

    def squares(self, count: Floats) -> Floats:
        """Give the sums of squares of field i about its mean."""
        return np.maximum(self.second - self.first**2 / np.maximum(count, 1), 0.0)

    def fisher(self, count: Floats) -> Floats:
        """Give atanh of the correlations, NaN where a field does not vary."""
        squares = self.squares(count)
        products = self.cross - self.first * self.first.T / np.maximum(count, 1)
        with np.errstate(invalid="ignore", divide="ignore"):
            r = products / np.sqrt(squares * squares.T)
        return np.arctanh(np.clip(r, -ONE_LINE, ONE_LINE))


@dataclass(frozen=True, eq=False)
class Tally:
    """All sums of some rows.

    `centre` (fields,) is what values are less of, `count` (fields, fields) how often both fields are present. Of the
    differences, copy less master: `shift` their sum, `noise` that of their squares, `drift` that of their products
    with the master, `changed` how many are not 0, `largest` the largest in tolerances, each (fields,).
    """

    rows: int
    centre: Floats
    count: Floats
    master: Pairs
    copy: Pairs
    shift: Floats
    noise: Floats
    drift: Floats
    changed: Floats
    largest: Floats

    def __add__(self, other: "Tally") -> "Tally":
        centre = np.where(self.cells > 0, self.centre, other.centre)
        one, two = self._about(centre), other._about(centre)
        return Tally(
            one.rows + two.rows,
            centre,
            one.count + two.count,
            one.master + two.master,
            one.copy + two.copy,
            one.shift + two.shift,
            one.noise + two.noise,
            one.drift + two.drift,
            one.changed + two.changed,
            np.maximum(one.largest, two.largest),
        )

    @property
    def cells(self) -> Floats:
        """How many cells of each field count."""
        return np.diagonal(self.count)

    @property
    def spread(self) -> Floats:
        """The sd of the master's cells, NaN where there are fewer than two."""
        first, second = np.diagonal(self.master.first), np.diagonal(self.master.second)
        squares = np.maximum(second - first**2 / np.maximum(self.cells, 1), 0.0)
        return np.sqrt(squares / np.where(self.cells > 1, self.cells - 1, np.nan))

    def _about(self, centre: Floats) -> "Tally":
        by = np.where(self.cells > 0, self.centre - centre, 0.0)
        return replace(
            self,
            centre=centre,
            master=self.master.raised(by, self.count),
            copy=self.copy.raised(by, self.count),
            drift=self.drift + by * self.shift,
        )


def tally(x: Floats, y: Floats, present: Bools, fields: Sequence[Field]) -> Tally:
    """Take the sums of some rows of master `x` and copy `y`, (fields, rows), where both are present."""
    differ, cells = y - x, np.count_nonzero(present, axis=1)
    differ[~present] = 0.0
    centre = np.sum(x, axis=1, where=present) / np.maximum(cells, 1)
    before = x - centre[:, None]
    before[~present] = 0.0
    count, master, copy = _products(present, before, before + differ)
    return Tally(
        rows=x.shape[1],
        centre=centre,
        count=count,
        master=master,
        copy=copy,
        shift=differ.sum(axis=1),
        noise=np.einsum("ij,ij->i", differ, differ),
        drift=np.einsum("ij,ij->i", before, differ),
        changed=np.count_nonzero(differ, axis=1).astype(np.float64),
        largest=np.array([_largest(*one) for one in zip(fields, differ, x, strict=True)]),
    )


def _products(present: Bools, before: Floats, after: Floats) -> tuple[Floats, Pairs, Pairs]:
    """Give counts and sums of pairs; one large matrix product costs less than five small ones."""
    seen = present.astype(np.float64)
    stacked = np.concatenate([seen, before, before * before, after, after * after])
    count, first, second, first_after, second_after = (stacked @ seen.T).reshape(5, len(seen), len(seen))
    return count, Pairs(first, second, before @ before.T), Pairs(first_after, second_after, after @ after.T)


def _largest(field: Field, differ: Floats, values: Floats) -> float:
    """Give the largest change in declared tolerances, NaN where none is declared."""
    if field.tolerance is None:
        return np.nan
    if not field.tolerance.relative:
        return float(max(differ.max(), -differ.min())) / field.tolerance.amount
    moved = np.flatnonzero(differ)
    allowed = field.tolerance.amount * np.maximum(np.abs(values[moved]), np.finfo(float).tiny)
    return float(np.max(np.abs(differ[moved]) / allowed, initial=0.0))
