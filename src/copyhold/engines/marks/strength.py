"""How strongly a dataset is marked, and how much noise marks may add to a column.

Marks add noise of mean 0 to a column. As an exposure it biases a slope by the factor 1/(1 + v), v being the noise's
share of the variance (Fuller 1987, Measurement Error Models, section 1.1); as an outcome it biases none. The tolerance
alone does not bound v: a whole last-place unit, or half a tolerance, can be much where people differ little. So v is
bounded too, first by smaller steps, on which clean evidence does not depend, then by marking fewer cells of the column
and more of the others.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from copyhold.domain.errors import InvalidInputError
from copyhold.engines.marks.plan import SHARES, ColumnPlan
from copyhold.engines.marks.supports import Support

_LESS, _TRIES = 1.25, 12  # factor by which a step shrinks at least, and how often

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Strength:
    """What a plan is drawn with, each above 0 and at most 1.

    share  of the cells that could be marked, over all columns
    step   by which a value moves, in parts of its tolerance
    noise  most that marks may add to a column's variance within its strata, as a share of it
    """

    share: float = 0.5
    step: float = 0.1
    noise: float = 0.001

    def __post_init__(self) -> None:
        if not all(0 < one <= 1 for one in (self.share, self.step, self.noise)):
            raise InvalidInputError(
                "The share of cells, the step and the noise of marks lie above 0 and are at most 1."
            )

    def stepped(self, column: ColumnPlan) -> ColumnPlan:
        """Give a column the step, or a smaller one where it would add too much noise at the common share."""
        made = replace(column, rule=replace(column.rule, share=self.step))
        for _ in range(_TRIES):  # on a grid a step stays until it is small enough for the next lower multiple
            over = self.share * noise(made) / self.noise
            if over <= 1:
                break
            made = replace(made, rule=replace(made.rule, share=made.rule.share / max(math.sqrt(over), _LESS)))
        return made

    def shared(self, columns: Sequence[ColumnPlan]) -> list[ColumnPlan]:
        """Share the marked cells out over stepped columns: evenly, but none more than its noise admits.

        Shares are in 16384ths, rounded down, and at least one of them.
        """
        cells = np.array([_markable(column) for column in columns])
        most = np.array([min(1.0, self.noise / max(noise(column), self.noise)) for column in columns])
        level = _level(most, cells, self.share)
        shares = np.maximum(np.floor(np.minimum(most, level) * SHARES), 1)
        return [replace(column, share=int(share)) for column, share in zip(columns, shares.tolist(), strict=True)]


def noise(column: ColumnPlan) -> float:
    """Give the noise that a column has where all its cells are marked, as a share of its variance within strata.

    A marked cell moves by its step or not at all, by a fair coin: p is above one half as often as below it. 0 where
    nothing varies.
    """
    moved = spread = 0.0
    for counts, numbers, moves in _of_supports(column):
        moved += float((counts * moves**2).sum()) / 4
        spread += float(counts @ (numbers - np.average(numbers, weights=counts)) ** 2)
    return moved / spread if spread else 0.0


def _markable(column: ColumnPlan) -> float:
    """Count the cells that have a stand-in on the side that a fair coin chooses."""
    return sum(float((counts * (moves != 0)).sum()) / 2 for counts, _, moves in _of_supports(column))


def _level(most: Floats, cells: Floats, share: float) -> float:
    """Find the share of a column that is not held back at which the given share of all cells is marked, at most 1."""
    wanted, order = share * cells.sum(), np.argsort(most)
    for place, held in enumerate(order):
        rest = cells[order[place:]].sum()
        level = wanted / rest if rest else 1.0
        if level <= most[held]:
            return float(level)
        wanted -= most[held] * cells[held]
    return 1.0


def _of_supports(column: ColumnPlan) -> list[tuple[Floats, Floats, Floats]]:
    return [_moves(column, support) for support in column.supports]


def _moves(column: ColumnPlan, support: Support) -> tuple[Floats, Floats, Floats]:
    """Give how often each value occurs, the values, and their moves up and down, shape (2, values)."""
    values = np.concatenate([residue.values for residue in support.residues])
    counts = np.concatenate([residue.counts for residue in support.residues]).astype(np.float64)
    numbers = column.natural(values)
    strata = np.zeros(len(values), dtype=np.int32) if column.stratum else None
    steps = (
        column.lookup.steps(values, np.full(len(values), upward), strata, (support.stratum,))
        for upward in (True, False)
    )
    return counts, numbers, np.array([column.natural(values + one) - numbers for one in steps])
