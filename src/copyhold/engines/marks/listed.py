"""Stand-ins of values with binary noise: other listed values of the column, as there is no decimal grid.

A value such as 1.19995117 for 1.2 has no last place. Its stand-in is the listed value nearest to it plus (or minus)
the step, no farther than the tolerance, under the same rule on frequencies as on a grid. Units are the places of floats
among all floats, see `copyhold.engines.tables.blocks`.
"""

import numpy as np
from numpy.typing import NDArray

from copyhold.engines.marks.supports import RATIO, WINDOW, Limits, StepRule, Support, Whole, guesses
from copyhold.engines.tables.blocks import real_values

Floats = NDArray[np.float64]


def listed_steps(support: Support, rule: StepRule, limits: Limits) -> tuple[Whole, Whole]:
    """Give for each listed value the difference in units to its upper and lower stand-in, 0 where it has none."""
    residue = support.residues[0]
    numbers, counts = real_values(residue.values), residue.counts
    frequency = _counted_within(numbers, counts, WINDOW * _reach(numbers, rule)) if residue.continuous else counts
    up = _partners(numbers, _reach(numbers, rule))
    down = len(numbers) - 1 - _partners(-numbers[::-1], _reach(numbers, rule)[::-1])[::-1]
    found = [_steps(residue.values, frequency, partner, rule, limits) for partner in (up, down)]
    return found[0], found[1]


def listed_restoration(support: Support, rule: StepRule, limits: Limits) -> tuple[float, float]:
    """Weigh right guesses of the original and all of them, as `supports.restoration` does."""
    residue = support.residues[0]
    numbers, counts = real_values(residue.values), residue.counts
    frequency = _counted_within(numbers, counts, WINDOW * _reach(numbers, rule)) if residue.continuous else counts
    best, total = guesses(residue.values, frequency.astype(np.float64), *listed_steps(support, rule, limits))
    return float(best.sum()), float(total.sum())


def _reach(numbers: Floats, rule: StepRule) -> Floats:
    return rule.share * rule.most(numbers)


def _partners(numbers: Floats, reach: Floats) -> NDArray[np.int64]:
    """Return the place of the listed value nearest to number + reach among those above; its own where there is none."""
    last = len(numbers) - 1
    target = numbers + reach
    after = np.minimum(np.searchsorted(numbers, target), last)
    before = np.maximum(after - 1, 0)
    nearest = np.where(target - numbers[before] <= numbers[after] - target, before, after)
    return np.minimum(np.maximum(nearest, np.arange(len(numbers)) + 1), last)


def _steps(values: Whole, frequency: Whole, partner: NDArray[np.int64], rule: StepRule, limits: Limits) -> Whole:
    numbers, other = real_values(values), values[partner]
    alike = (frequency <= RATIO * frequency[partner]) & (frequency[partner] <= RATIO * frequency)
    alike &= np.abs(real_values(other) - numbers) <= rule.most(numbers)
    alike &= (values >= 0) == (other >= 0)  # the distance in units of floats of either sign may not fit 64 bits
    alike &= limits.allow(np.minimum(values, other), np.maximum(values, other))
    return np.where(alike, other - values, 0)


def _counted_within(numbers: Floats, counts: Whole, reach: Floats) -> Whole:
    cumulated = np.concatenate([[0], np.cumsum(counts)])
    first = np.searchsorted(numbers, numbers - reach, side="left")
    after = np.searchsorted(numbers, numbers + reach, side="right")
    return np.asarray(cumulated[after] - cumulated[first])
