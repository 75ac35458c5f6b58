"""How each leaked column shows the cells of its field, and whether it shows marks at all; from leak and master alone.

The noise of a column is a mixture of fixed levels. The weight of a level is its posterior probability given what was
read, over both members of each pair with the probabilities that the plan gives them: no party's marks are asked. The
mean of several copies lies between the members and is no noise: means of 2, 3, 5, 10 and 20 copies are thought of
beside single values, each as likely beforehand, and all columns together say which it was. They also say together which
levels a leaker used, which steadies columns that show few values.

A column in which nearly every cell shows the master's own value was not taken from a marked copy, or was put back to
the original: under marks a cell shows the original as often as not, since the direction of a pair is a fair coin that
its bias does not know. Such columns are left unread. Both decisions cost power where they are wrong, never soundness.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import comb

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp, softmax

from copyhold.engines.marks.prf import RANGE
from copyhold.engines.matching.codings import Coding
from copyhold.engines.matching.index import NumberColumn, TableIndex
from copyhold.engines.matching.margins import tolerance
from copyhold.engines.reading.observations import SeenCells
from copyhold.engines.reading.readings import SIGMAS, Channel
from copyhold.engines.reading.sighting import SightedTable
from copyhold.engines.reading.windows import FINEST, mass_in_window

_MERGED = (1, 2, 3, 5, 10, 20)  # copies of which a value may be the mean: the coalitions of the hypotheses
_PRIOR = np.array([0.5, 0.1, 0.1, 0.1, 0.1, 0.1])  # of SIGMAS, before anything was read
_STRAY = 0.05  # share of observations that no level explains
_LEAST = 0.002  # weight that every level keeps
_WIDTH = 8.0  # the wide background, in robust standard deviations of the field
_TELLS = np.log(10.0)  # nats by which an observation must prefer one member to tell it
_RESTORED = 0.02  # chance that a cell of the original does not show it: mended or mistyped
_SURE = 7.0  # nats for "the original" against "marked", about a thousand to one


@dataclass(frozen=True)
class Channels:
    """A channel for each source of the cells, and for each source whether its cells are read.

    `original` says that the leak as a whole shows the unmarked original.
    """

    of: tuple[Channel, ...]
    read: NDArray[np.bool_]
    original: bool


def channels_of(tables: Sequence[SightedTable], seen: SeenCells, indexes: Mapping[int, TableIndex]) -> Channels:
    """Judge the channel of every source of cells."""
    if not seen.sources:
        return Channels((), np.empty(0, dtype=bool), original=False)
    frames = [_frame(tables, seen, source, indexes) for source in range(len(seen.sources))]
    cells = _Cells.of(seen)
    fits = _fits(cells, frames)
    sizes = np.bincount(cells.source, cells.weight, minlength=len(frames)).astype(np.float64)
    channels = tuple(
        _channel(frame, weights) for frame, weights in zip(frames, _level_weights(fits, sizes), strict=True)
    )
    return _judged(cells, channels)


@dataclass(frozen=True)
class _Frame:
    """What does not depend on the values: names, spacing of the written digits, tolerance and range of the field."""

    field: str
    column: str
    grid: float
    tolerance: float
    width: float


@dataclass(frozen=True)
class _Cells:
    """The observations of all cells, one line each, as arrays; each speaks with the weight of its candidate."""

    source: NDArray[np.int64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    bias: NDArray[np.float64]
    original_high: NDArray[np.bool_]
    shown: NDArray[np.float64]
    weight: NDArray[np.float64]

    @staticmethod
    def of(seen: SeenCells) -> "_Cells":
        cell = np.array(seen.cell, dtype=np.int64)
        return _Cells(
            np.array(seen.source, dtype=np.int64)[cell],
            np.array(seen.low)[cell],
            np.array(seen.high)[cell],
            np.array(seen.threshold)[cell] / RANGE,
            np.array(seen.original_high, dtype=bool)[cell],
            np.array(seen.observation),
            np.array(seen.weight)[cell],
        )


def _frame(tables: Sequence[SightedTable], seen: SeenCells, source: int, indexes: Mapping[int, TableIndex]) -> _Frame:
    one = seen.sources[source]
    table = tables[one.leaf]
    leaked, field = table.columns[one.match.leaked], indexes[table.number][one.match.field]
    if not isinstance(field, NumberColumn):
        raise TypeError("only number fields are marked")
    values = one.match.conversion.to_field(leaked.numbers)
    known = values[np.isfinite(values)]
    typical = float(np.median(tolerance(field, known))) if known.size else 0.0
    # A code tells a member or nothing: what is read is then the member itself.
    grid = 0.0 if isinstance(one.match.conversion, Coding) else leaked.grid / abs(one.match.conversion.factor)
    return _Frame(one.match.field, leaked.name, grid, typical, max(_WIDTH * field.spread, grid, 1e-9))


def _fits(cells: _Cells, frames: Sequence[_Frame]) -> NDArray[np.float64]:
    """Return the log-likelihood of each source by copies merged and noise level, shape (sources, merged, levels)."""
    grid, width, tolerance = (
        np.array([getattr(frame, name) for frame in frames])[cells.source] for name in ("grid", "width", "tolerance")
    )
    gap = cells.high - cells.low
    window = np.maximum(grid, FINEST * gap)
    stray = _STRAY * np.minimum(window / width, 1.0)
    laws = {copies: _chances(copies, cells.bias) for copies in _MERGED}
    places = sorted({place for law in laws.values() for place in law})
    fits = np.zeros((len(frames), len(_MERGED), len(SIGMAS)))
    for level, sigma in enumerate(SIGMAS):
        mass = {
            place: mass_in_window(np.abs(cells.shown - cells.low - place * gap), window, sigma * tolerance)
            for place in places
        }
        for row, law in enumerate(laws.values()):
            mixed = np.sum([chance * mass[place] for place, chance in law.items()], axis=0)
            seen = np.log((1 - _STRAY) * mixed + stray)
            fits[:, row, level] = np.bincount(cells.source, cells.weight * seen, minlength=len(frames))
    return fits


def _chances(copies: int, bias: NDArray[np.float64]) -> dict[float, NDArray[np.float64]]:
    """Return how likely the mean of some copies lies at each place between the members, 0 to 1."""
    return {
        ones / copies: comb(copies, ones) * bias**ones * (1 - bias) ** (copies - ones) for ones in range(copies + 1)
    }


def _level_weights(fits: NDArray[np.float64], sizes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the weight of every level for each source, from its own values and what all sources say together.

    `fits` has the shape (sources, merged, levels), `sizes` adds the weights of each source's observations.
    """
    # A column speaks for the others with at most the weight of a few values, so that one does not speak for all.
    softened = (fits * np.minimum(1.0, 8 / np.maximum(sizes, 1))[:, None, None]).sum(axis=0)
    shared = softmax(np.log(_PRIOR) + softened, axis=1)
    prior = np.log((_PRIOR + shared) / 2)
    own = prior[None] + fits
    merged = softmax(logsumexp(own, axis=2).sum(axis=0))
    return np.asarray(np.einsum("m,sml->sl", merged, softmax(own, axis=2)))


def _channel(frame: _Frame, weights: NDArray[np.float64]) -> Channel:
    kept = _LEAST + (1 - _LEAST * len(SIGMAS)) * weights
    sigmas = tuple(sigma * frame.tolerance for sigma in SIGMAS)
    return Channel(frame.field, frame.column, frame.grid, sigmas, tuple(kept.tolist()), frame.width)


def _judged(cells: _Cells, channels: tuple[Channel, ...]) -> Channels:
    nats = np.zeros(len(channels))
    for source, channel in enumerate(channels):
        here = np.flatnonzero(cells.source == source)
        nats[source] = _nats_for_original(cells, here, channel)
    original = bool(nats.sum() > _SURE)
    read = np.zeros(len(channels), dtype=bool) if original else nats <= _SURE + np.log(len(channels))
    return Channels(channels, read, original)


def _nats_for_original(cells: _Cells, here: NDArray[np.int64], channel: Channel) -> float:
    """Weigh "these cells show the original" against "they show either member by a fair coin"."""
    gap = cells.high[here] - cells.low[here]
    window = np.maximum(channel.grid, FINEST * gap)
    background = np.minimum(window / channel.width, 1.0) * _STRAY
    high, low = (
        np.log(_mixed(np.abs(cells.shown[here] - place), window, channel) + background)
        for place in (cells.high[here], cells.low[here])
    )
    own = np.where(cells.original_high[here], high - low, low - high)
    shows, differs = (float(cells.weight[here][told].sum()) for told in (own > _TELLS, own < -_TELLS))
    return float(shows * np.log(2 * (1 - _RESTORED)) + differs * np.log(2 * _RESTORED))


def _mixed(distance: NDArray[np.float64], window: NDArray[np.float64], channel: Channel) -> NDArray[np.float64]:
    parts = [
        weight * mass_in_window(distance, window, np.full(len(distance), sigma))
        for sigma, weight in zip(channel.sigmas, channel.weights, strict=True)
    ]
    return np.asarray(sum(parts))
