"""Running products of the factors of groups, for every party and hypothesis at once.

Factors are multiplied as they are while a bound that the reading gives says that neither they nor their product can
leave the numbers' range, and their logarithm is taken once for many groups; a group without such a bound is worked out
beside its greatest term. Hypotheses stand in rows and parties in columns, so that a run of laws lies together.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[Any]  # of either precision
Precision = type[np.float32] | type[np.float64]
Run = tuple[float, slice, slice]  # a share pi, the laws it goes with, and the hypotheses that they are

MOST_NATS: dict[type, float] = {np.float32: 80.0, np.float64: 600.0}  # nats whose exponential is a number, with room
MOST_GROUPS = 16  # whose factors are multiplied before their logarithm is taken
LEAST_FACTOR = 0.01  # of a group: what rows from elsewhere leave of it; 16 of them are a number in single precision


class Products:
    """The product of R = (1 - pi) + pi (w_0 + sum of w_cand exp(log product)) over groups."""

    def __init__(self, runs: Sequence[Run], parties: int, precision: Precision) -> None:
        self._runs, self._most = tuple(runs), MOST_NATS[precision]
        self._unbounded_below = any(1 - share < LEAST_FACTOR for share, _, _ in self._runs)
        self._total = np.zeros((max(place.stop for _, _, place in self._runs), parties), precision)
        self._product = np.ones_like(self._total)
        self._factor = np.empty_like(self._total)
        self._nats, self._groups = 0.0, 0

    def take(self, logs: list[Numbers], weights: NDArray[np.float64], neutral: float, bound: float) -> None:
        """Take in a group: its candidates' log products, each (laws, parties) and none above `bound`, and weights."""
        if bound > self._most or self._unbounded_below:
            self._take_large(logs, weights, neutral)
            return
        if self._nats + bound > self._most or self._groups == MOST_GROUPS:
            self._gather()
        mean = _mean(logs, weights)
        for share, run, place in self._runs:
            np.multiply(mean[run], share, out=self._factor[place])
            self._factor[place] += (1 - share) + share * neutral
        self._product *= self._factor
        self._nats, self._groups = self._nats + bound, self._groups + 1

    def logs(self) -> Numbers:
        """Return the logarithms of the products, shape (parties, hypotheses)."""
        self._gather()
        return self._total.T

    def _gather(self) -> None:
        self._total += np.log(self._product, out=self._product)
        self._product.fill(1)
        self._nats, self._groups = 0.0, 0

    def _take_large(self, logs: list[Numbers], weights: NDArray[np.float64], neutral: float) -> None:
        peak, unit, mean = _beside_peak(logs, weights, neutral)
        for share, run, place in self._runs:
            np.multiply(unit[run], 1 - share, out=self._factor[place])
            self._factor[place] += share * mean[run]
        self._total += np.log(self._factor, out=self._factor)
        for _, run, place in self._runs:
            self._total[place] += peak[run]


def _mean(logs: list[Numbers], weights: NDArray[np.float64]) -> Numbers:
    mean = np.exp(logs[0], out=logs[0])
    mean *= float(weights[0])
    for one, weight in zip(logs[1:], weights[1:], strict=True):
        mean += float(weight) * np.exp(one, out=one)
    return mean


def _beside_peak(logs: list[Numbers], weights: NDArray[np.float64], neutral: float) -> tuple[Numbers, Numbers, Numbers]:
    """Return a peak that is not negative, and 1 and w_0 + sum of w_cand exp(log product), each divided by exp(peak)."""
    highest = np.max(logs, axis=0) if len(logs) > 1 else logs[0]
    peak = np.maximum(highest, np.zeros_like(highest))  # three times as quick as with a scalar
    unit = np.exp(-peak)
    mean = neutral * unit
    for one, weight in zip(logs, weights, strict=True):
        mean += float(weight) * np.exp(one - peak)
    return peak, unit, mean
