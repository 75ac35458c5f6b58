"""How many leaked rows would name a holder, before anything has leaked: from the plan and the master alone.

A row of a true contributor adds nats of evidence, on average I with variance V, missing values included. With n rows
the holder is named where their sum reaches ln(2 R t (t+1) / alpha) and the price of averaging over hypotheses. Shown
are n50, where that happens on average, and n95, the least n with n I - 1.645 sqrt(n V) at or above it.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from copyhold.domain.catalogue import FieldType
from copyhold.domain.releases import Traceability
from copyhold.domain.words import Plain
from copyhold.engines.marks.cells import ColumnCells
from copyhold.engines.marks.prf import RANGE

ALPHA = 1e-9
PRICE = 4.5  # nats that averaging over hypotheses costs: 4 to 5, tracing notes, section 6
NORMAL_95 = 1.645
NOISE = 0.3  # of the tolerance
KEPT = 5
MILLION = 10**6
NODES, NODE_WEIGHTS = np.polynomial.hermite_e.hermegauss(41)

Floats = NDArray[np.float64]
Moments = tuple[Floats, Floats]  # mean and variance of the nats of a cell


class Attack(StrEnum):
    """What is done to a leak before it is found."""

    NONE = "none"
    FIVE_COLUMNS = "five_columns"  # the five marked columns of middling information
    ROUNDED = "rounded"  # to the least of 1-2-5 times a power of ten that is at least the tolerance
    NOISE = "noise"  # Gaussian, three tenths of the tolerance
    TWO_LEAKERS = "two_leakers"  # each cell from one of two holders by a coin


@dataclass(frozen=True)
class Rows:
    """Rows needed; None where no number suffices."""

    n50: int | None
    n95: int | None


@dataclass(frozen=True)
class RowNats:
    """The nats that a row of a true contributor tells: their mean and variance over rows and keys."""

    mean: float
    variance: float

    def reaching(self, nats: float) -> Rows:
        """Give the rows that reach a threshold."""
        return rows_needed(self.mean, self.variance, nats)


def threshold(parties: int, *, attempt: int = 1, alpha: float = ALPHA, price: float = PRICE) -> float:
    """Give the nats that name the first party of an attempt: ln(2 R t (t+1) / alpha), and the price of averaging."""
    return math.log(2 * parties * attempt * (attempt + 1) / alpha) + price


def rows_needed(mean: float, variance: float, nats: float) -> Rows:
    """Give the rows that reach `nats` on average and in 95 of 100 cases."""
    if mean <= 0:
        return Rows(None, None)
    # n I - z sqrt(n V) = nats is a quadratic in sqrt(n).
    spread = NORMAL_95 * math.sqrt(variance)
    root = (spread + math.sqrt(spread**2 + 4 * mean * nats)) / (2 * mean)
    return Rows(math.ceil(nats / mean), math.ceil(root**2 - 1e-9))


def clean(bias: Floats) -> Moments:
    """Give the nats of a cell read as it left: minus the log of the probability of the bit shown."""
    return _moments((bias, -np.log(bias)), (1 - bias, -np.log1p(-bias)))


def two_leakers(bias: Floats) -> Moments:
    """Give the nats of a cell that shows one of two holders' bits by a coin; the other holder is not known."""
    up = (1 + bias) / 2, bias / 2  # that the upper member shows, by the party's own bit 1 and 0
    return _moments(
        (bias * up[0], np.log(up[0] / bias)),
        (bias * (1 - up[0]), np.log((1 - up[0]) / (1 - bias))),
        ((1 - bias) * up[1], np.log(up[1] / bias)),
        ((1 - bias) * (1 - up[1]), np.log((1 - up[1]) / (1 - bias))),
    )


def noisy(bias: Floats, step: Floats) -> Moments:
    """Give the nats of a cell read through Gaussian noise; `step` is its pair's distance in sd of the noise.

    For small steps the mean tends to step^2 p (1-p) / 2 (tracing notes, section 8). It is the mutual information of a
    bit and its noisy reading, by Gauss-Hermite quadrature with 41 nodes.
    """
    outcomes = []
    for node, weight in zip(NODES, NODE_WEIGHTS / NODE_WEIGHTS.sum(), strict=True):
        for share, toward in ((bias, node), (1 - bias, -node)):
            # log likelihood of the other member less that of the own one, at the own member + node sd
            other = -step * (step / 2 + toward)
            nats = -np.logaddexp(np.log(share), np.log1p(-share) + other)
            outcomes.append((share * weight, nats))
    return _moments(*outcomes)


def rows_to_name(
    sample: Iterable[Mapping[str, ColumnCells]], nats: float, names: Sequence[str] | None = None
) -> dict[Attack, Rows]:
    """Work out the rows needed under each attack, without ids and dates; see `per_row`. `nats` is the threshold."""
    return {attack: one.reaching(nats) for attack, one in per_row(sample, names).items()}


def per_row(sample: Iterable[Mapping[str, ColumnCells]], names: Sequence[str] | None = None) -> dict[Attack, RowNats]:
    """Work out what a row tells under each attack, without ids and dates.

    `sample` are the cells of some thousand rows of the master, in blocks; `names` are the released fields (all, by
    default). Missing values count as they do in the sample.
    """
    found: dict[Attack, list[Moments]] = {attack: [] for attack in Attack}
    by_column: list[Floats] = []
    for block in sample:
        columns = [one for name, one in block.items() if names is None or name in names]
        each = {attack: [_of_column(attack, one) for one in columns] for attack in Attack}
        by_column.append(np.array([mean for mean, _ in each[Attack.NONE]]))
        for attack, moments in each.items():
            found[attack].append(_stacked(moments))
    if not by_column or not by_column[0].size:
        return dict.fromkeys(Attack, RowNats(0.0, 0.0))
    kept = _middling(np.concatenate(by_column, axis=1))
    return {attack: _row(moments, kept if attack is Attack.FIVE_COLUMNS else None) for attack, moments in found.items()}


def told(rows: Mapping[Attack, Rows]) -> dict[str, Plain]:
    """Give rows needed in the words of every answer: {attack: {"n50", "n95"}}."""
    return {attack.value: {"n50": one.n50, "n95": one.n95} for attack, one in rows.items()}


def traceability(marked: bool, dates_shifted: bool, has_ids: bool) -> Traceability:
    """Say by what a copy can be told from others, the strongest that it has."""
    if marked:
        return Traceability.NUMERIC_MARKS
    if dates_shifted:
        return Traceability.DATES
    return Traceability.IDS_ONLY if has_ids else Traceability.NATURAL_SIGNATURE


def rounding(tolerance: float) -> float:
    """Give the least of 1, 2, 5 times a power of ten that is at least the tolerance."""
    power = 10.0 ** math.floor(math.log10(tolerance))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= tolerance * (1 - 1e-12))


def _of_column(attack: Attack, one: ColumnCells) -> Moments:
    """Give mean and variance of the nats of each row's cell of a column, 0 where it is not marked."""
    rows = np.flatnonzero(one.marked)
    mean, variance = np.zeros(len(one.values)), np.zeros(len(one.values))
    low, high = one.natural(one.low[rows]), one.natural(one.high[rows])
    tolerance = _tolerances(one, rows)
    # Few biases and steps recur: each pair of them is worked out once. A step is told to the millionth.
    step = np.rint((high - low) / tolerance * MILLION) if attack is Attack.NOISE else np.zeros(len(rows))
    pairs, place = np.unique(step.astype(np.int64) * RANGE + one.threshold[rows], return_inverse=True)
    moments = _MOMENTS[attack](pairs % RANGE / RANGE, pairs // RANGE / MILLION / NOISE)
    seen = np.ones(len(rows), dtype=bool)
    if attack is Attack.ROUNDED:
        grid = _roundings(tolerance)
        seen = np.rint(low / grid) != np.rint(high / grid)
    mean[rows], variance[rows] = (np.where(seen, values[place], 0.0) for values in moments)
    return mean, variance


_MOMENTS: Mapping[Attack, Callable[[Floats, Floats], Moments]] = {
    Attack.NONE: lambda bias, _: clean(bias),
    Attack.FIVE_COLUMNS: lambda bias, _: clean(bias),
    Attack.ROUNDED: lambda bias, _: clean(bias),
    Attack.NOISE: noisy,
    Attack.TWO_LEAKERS: lambda bias, _: two_leakers(bias),
}


def _tolerances(one: ColumnCells, rows: NDArray[np.int64]) -> Floats:
    column = one.column
    numbers = one.natural(one.values[rows])
    if column.rule.relative or column.type is FieldType.REAL:
        return column.rule.most(numbers)
    return np.full(len(rows), column.rule.tolerance / 10.0**column.decimals)


def _roundings(tolerance: Floats) -> Floats:
    distinct, place = np.unique(tolerance, return_inverse=True)
    return np.array([rounding(one) for one in distinct.tolist()])[place]


def _stacked(moments: Sequence[Moments]) -> Moments:
    return np.array([mean for mean, _ in moments]), np.array([variance for _, variance in moments])


def _middling(by_column: Floats) -> NDArray[np.int64]:
    """Choose five columns: those around the median of information per row."""
    order = np.argsort(by_column.mean(axis=1), kind="stable")
    first = max(0, (len(order) - KEPT) // 2)
    return np.sort(order[first : first + KEPT])


def _row(blocks: Sequence[Moments], kept: NDArray[np.int64] | None) -> RowNats:
    chosen = slice(None) if kept is None else kept
    mean = np.concatenate([one[chosen].sum(axis=0) for one, _ in blocks])
    variance = np.concatenate([one[chosen].sum(axis=0) for _, one in blocks])
    return RowNats(float(mean.mean()), float(mean.var() + variance.mean()))


def _moments(*outcomes: tuple[Floats, Floats]) -> Moments:
    mean = np.sum([share * nats for share, nats in outcomes], axis=0)
    square = np.sum([share * nats**2 for share, nats in outcomes], axis=0)
    return mean, np.maximum(square - mean**2, 0.0)
