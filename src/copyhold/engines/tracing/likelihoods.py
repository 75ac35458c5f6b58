"""What each cell of a reading says about one bit: log L(y|d)/Lbar(y) under every law.

All observations of a cell enter one likelihood: given the value that the leak shows for the cell they are independent,
and that value depends on the party's bit. Both factors of a cell have mean exactly 1 over the bit by construction,
p L(y|1)/Lbar(y) + (1-p) L(y|0)/Lbar(y) = 1 with Lbar = p L(y|1) + (1-p) L(y|0) and the p = t/65536 of the embedding,
whatever the channel, the law and the pair are.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from copyhold.engines.marks.prf import RANGE
from copyhold.engines.reading.readings import Reading
from copyhold.engines.reading.windows import FINEST, mass_in_window
from copyhold.engines.tracing.hypotheses import (
    Biases,
    Law,
    Strategy,
    copies_showing_one,
    distinct_biases,
    disturbed,
    shows_high,
)

FLOOR = 1e-300  # least likelihood of a cell beside its greatest, so that logs stay finite


@dataclass(frozen=True)
class Named:
    """The bits of the parties already named on the cells of a reading.

    known  int64 (cells,): how many of them held the cell
    ones   int64 (cells,): how many of those show 1
    """

    known: NDArray[np.int64]
    ones: NDArray[np.int64]


def nobody(cells: int) -> Named:
    """Return the bits of no party."""
    return Named(np.zeros(cells, dtype=np.int64), np.zeros(cells, dtype=np.int64))


def log_factors(reading: Reading, laws: Sequence[Law], named: Named) -> NDArray[np.float64]:
    """Return log L(y|d)/Lbar(y) for every bit d, law and cell, shape (2, laws, cells).

    Guarantee: p exp(factor[1]) + (1-p) exp(factor[0]) = 1 for every law and cell, within rounding.
    Source: tracing design, section 6; Laarhoven 2014, likelihood decoding.
    Cost: laws x cells, plus 23 places x cells x noise levels for the observations.
    """
    sight = Sight(reading)
    biases, index = distinct_biases(reading.threshold, named.known, named.ones)
    copies = {c: copies_showing_one(c, _unless_alone(c, biases)) for c in {law.colluders for law in laws}}
    p = reading.threshold / RANGE
    factors = np.empty((2, len(laws), len(p)))
    for one, law in enumerate(laws):
        likelihood = _likelihood(law, sight, copies[law.colluders], index)
        factors[:, one] = np.log(likelihood) - np.log(p * likelihood[1] + (1 - p) * likelihood[0])
    return factors


class Sight:
    """The observations of a reading as log-likelihoods of the value that the leak was made from, computed once each."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        cell = reading.observation_cell
        channel = reading.channel[cell]
        self._low, gap = reading.low[cell], (reading.high - reading.low)[cell]
        self._gap = gap
        self._window = np.maximum(np.array([one.grid for one in reading.channels])[channel], FINEST * gap)
        width = np.array([one.width for one in reading.channels])[channel]
        self._background = np.minimum(self._window / width, 1.0)
        self._noise = _noise_levels(reading, channel)
        self._masses: dict[float, NDArray[np.float64]] = {}
        self._logs: dict[tuple[float, float], NDArray[np.float64]] = {}

    @property
    def original_high(self) -> NDArray[np.bool_]:
        """Whether the original shows the higher member, bool (cells,)."""
        return self._reading.original_high

    def log_likelihood(self, place: float, background: float) -> NDArray[np.float64]:
        """Return log f(all observations | the value was low + place x gap), float64 (cells,)."""
        key = (place, background)
        if key not in self._logs:
            seen = np.log((1 - background) * self._mass(place) + background * self._background)
            summed = np.bincount(self._reading.observation_cell, seen, minlength=len(self._reading.row))
            self._logs[key] = summed.astype(np.float64)
        return self._logs[key]

    def _mass(self, place: float) -> NDArray[np.float64]:
        if place not in self._masses:
            distance = np.abs(self._reading.observation - (self._low + place * self._gap))
            self._masses[place] = sum(
                (weight * mass_in_window(distance, self._window, sigma) for sigma, weight in self._noise),
                np.zeros(len(distance)),
            )
        return self._masses[place]


def _noise_levels(
    reading: Reading, channel: NDArray[np.int32]
) -> list[tuple[NDArray[np.float64], NDArray[np.float64]]]:
    levels = []
    for level in range(max((len(one.sigmas) for one in reading.channels), default=0)):
        pairs = [
            (*one.sigmas[level : level + 1], *one.weights[level : level + 1]) or (0.0, 0.0) for one in reading.channels
        ]
        sigma, weight = np.array(pairs)[channel].T
        if weight.any():
            levels.append((sigma, weight))
    return levels


def _likelihood(law: Law, sight: Sight, copies: NDArray[np.float64], index: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return L(y|d) up to a factor of the cell's own, shape (2, cells)."""
    if law.strategy is Strategy.AVERAGING:
        return _averaged(law, sight, copies, index)
    shown = disturbed(law, shows_high(law, copies)[:, index], sight.original_high)
    low, high = (sight.log_likelihood(place, law.background) for place in (0.0, 1.0))
    top = np.maximum(low, high)
    return np.maximum(shown * np.exp(high - top) + (1 - shown) * np.exp(low - top), FLOOR)


def _averaged(law: Law, sight: Sight, copies: NDArray[np.float64], index: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return L(y|d) of a mean of c copies: a mean lies at low + k/c x gap where k copies show 1."""
    places = [sight.log_likelihood(k / law.colluders, law.background) for k in range(law.colluders + 1)]
    top = np.max(places, axis=0)
    likelihood = np.zeros((2, len(index)))
    for k, place in enumerate(places):
        likelihood += copies[:, index, k] * np.exp(place - top)
    return np.maximum(likelihood, FLOOR)


def _unless_alone(colluders: int, biases: Biases) -> Biases:
    # A single copy has no colluders, named or not: its rows say nothing of the others' bits.
    none = np.zeros_like(biases.known)
    return Biases(biases.probability, none, none) if colluders == 1 else biases
