"""Which master rows a leaked row may come from, found by content alone.

Each matched column gives a window of the sorted master: the values that the leaked one may have been. The rows in the
narrowest windows are gathered and weighed by how rare their agreements are; the best of them are compared in every
column. Agreement in a window that holds a share f of the master weighs log(.98 / f), disagreement log(.02 / (1 - f)):
the log-likelihood ratio of "this row" to "some row", were columns independent. They are not, which is why the score is
judged against a decoy and never by its own size.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from copyhold.engines.matching.decoy import Deal
from copyhold.engines.matching.index import CategoryColumn, Column, NumberColumn

KEPT = 8  # candidates of a leaked row
_AGREE, _DISAGREE = 0.98, 0.02  # chance that a true row's value lies in its window, and that it does not
_FEW, _MANY = 64, 2048  # rows compared in every column, where the windows tell a row from chance and where not
_HITS = 800_000  # positions gathered for one leaked row
_AT_ONCE = 64  # leaked rows compared together
_FEWEST_WINDOWS = 4
_BEYOND_CHANCE = 15.0  # nats over the log of the table's size that the gathered windows should be able to show
_CUT = 0.4  # share of the best weight below which gathered rows are not even sorted, where there are enough above
NOWHERE = -1
SIGMAS = 4.0  # standard deviations of noise that a window allows


@dataclass(frozen=True)
class Probe:
    """One leaked column, by its number, read as one field, in the field's unit.

    Several probes of one leaked column are alternatives: the column agrees where one of them does.

    values  float64 (rows,): numbers, days or codes; NaN where missing or, for a category, unknown
    slack   float64 (rows,): half-width of the window; 0 for a category
    sigma   float64 (rows,): standard deviation of noise that the window allows for, so that near values weigh more
            than far ones; 0 where all values in the window are alike
    """

    leaked: int
    column: Column
    values: NDArray[np.float64]
    slack: NDArray[np.float64]
    sigma: NDArray[np.float64]

    def between(self, first: int, last: int) -> "Probe":
        """The probe of some of the leaked rows."""
        part = slice(first, last)
        return Probe(self.leaked, self.column, self.values[part], self.slack[part], self.sigma[part])


@dataclass(frozen=True)
class Alignment:
    """The best master rows of each leaked row.

    positions  int64 (rows, 8): by descending score, -1 where there is none
    scores     float64 (rows, 8): nats, -inf where there is none
    """

    positions: NDArray[np.int64]
    scores: NDArray[np.float64]

    @property
    def best(self) -> NDArray[np.float64]:
        """The best score of each leaked row."""
        return self.scores[:, 0]

    @classmethod
    def empty(cls, rows: int) -> "Alignment":
        """No candidate for any row."""
        return cls(np.full((rows, KEPT), NOWHERE, np.int64), np.full((rows, KEPT), -np.inf))


@dataclass(frozen=True)
class _Windows:
    """For each probe and leaked row the window [start, stop) in the probe's order and the share it holds."""

    start: NDArray[np.int64]  # (probes, rows)
    stop: NDArray[np.int64]
    share: NDArray[np.float64]
    known: NDArray[np.bool_]  # whether the leaked row shows a value


@dataclass(frozen=True)
class _Compared:
    """A leaked column's probes, the share of the master that agrees with each row, and the rows that show a value."""

    probes: tuple[Probe, ...]
    share: NDArray[np.float64]
    rows: NDArray[np.intp]


def align(probes: Sequence[Probe], *, dealt: Mapping[str, Deal] | None = None) -> Alignment:
    """Find up to 8 master rows for each leaked row; with `dealt`, rows of that decoy instead.

    Cost: per leaked row its narrowest windows (at least four, as many as it takes to tell a row from chance, up to
    about 800,000 positions) and 64 rows compared in every column, 2,048 where the windows alone did not tell.
    """
    rows = len(probes[0].values) if probes else 0
    if not rows:
        return Alignment.empty(rows)
    parts = [_aligned(probes, first, min(first + _AT_ONCE, rows), dealt) for first in range(0, rows, _AT_ONCE)]
    return Alignment(
        np.concatenate([part.positions for part in parts]), np.concatenate([part.scores for part in parts])
    )


def _aligned(probes: Sequence[Probe], first: int, last: int, dealt: Mapping[str, Deal] | None) -> Alignment:
    some = [probe.between(first, last) for probe in probes]
    windows = _windows(some)
    finalists = _finalists(some, windows, dealt)
    return _kept(finalists, _compared(_by_column(some, windows), finalists, dealt))


def _windows(probes: Sequence[Probe]) -> _Windows:
    spans = [_window(probe) for probe in probes]
    start, stop = (np.array(side) for side in zip(*spans, strict=True))
    present = np.array([probe.column.rows for probe in probes])[:, None]
    share = np.clip((stop - start + 1) / (present + 1), None, 1 - 1e-9)
    known = np.array([np.isfinite(probe.values) for probe in probes])
    return _Windows(start, stop, share, known)


def _window(probe: Probe) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    if isinstance(probe.column, NumberColumn):
        return probe.column.window(probe.values - probe.slack, probe.values + probe.slack)
    codes = np.nan_to_num(probe.values, nan=0.0).astype(np.int64)
    known = np.isfinite(probe.values)
    return np.where(known, probe.column.starts[codes], 0), np.where(known, probe.column.starts[codes + 1], 0)


def _finalists(probes: Sequence[Probe], windows: _Windows, dealt: Mapping[str, Deal] | None) -> NDArray[np.int64]:
    found: list[NDArray[np.int64]] = []
    tally = np.zeros(probes[0].column.rows, dtype=np.float32)
    gain = np.log(_AGREE / windows.share)
    # Where a column has several alternatives most windows are wrong ones: more are gathered.
    enough = (np.log(len(tally)) + _BEYOND_CHANCE) * len(probes) / len({probe.leaked for probe in probes})
    for row in range(windows.start.shape[1]):
        chosen = _narrowest(windows, gain, row, enough)
        hits = [_gathered(probes[at].column, windows, at, row, dealt) for at in chosen]
        for at, positions in zip(chosen, hits, strict=True):
            tally[positions] += gain[at, row]
        found.append(_top(hits, tally, _FEW if gain[chosen, row].sum() >= enough else _MANY))
        for positions in hits:
            tally[positions] = 0.0
    table = np.full((len(found), max(map(len, found))), NOWHERE, dtype=np.int64)
    for row, best in enumerate(found):
        table[row, : len(best)] = best
    return table


def _narrowest(windows: _Windows, gain: NDArray[np.float64], row: int, enough: float) -> NDArray[np.intp]:
    """The narrowest windows whose agreements together are beyond chance, as far as their size allows."""
    width = windows.stop[:, row] - windows.start[:, row]
    order: NDArray[np.intp] = np.argsort(width, kind="stable")
    order = order[(width[order] > 0) & (gain[order, row] > 0)]
    wanted = int(np.searchsorted(np.cumsum(gain[order, row]), enough)) + 1
    allowed = int(np.searchsorted(np.cumsum(width[order]), _HITS, side="right"))
    return order[: max(min(wanted, allowed), _FEWEST_WINDOWS)]


def _gathered(
    column: Column, windows: _Windows, at: int, row: int, dealt: Mapping[str, Deal] | None
) -> NDArray[np.int32] | NDArray[np.int64]:
    positions: NDArray[np.int32] = column.order[windows.start[at, row] : windows.stop[at, row]]
    return positions if dealt is None else dealt[column.field.name].decoys(positions)


def _top(hits: Sequence[NDArray[np.integer]], tally: NDArray[np.float32], most: int) -> NDArray[np.int64]:
    total = sum(map(len, hits))
    if not total:
        return np.empty(0, np.int64)
    # A row was gathered by each window that it agrees in, so that many hits are few rows.
    many = most * max(len(hits), 1)
    gathered = np.concatenate(hits) if total < len(tally) else np.arange(len(tally))
    weights = tally[gathered] if total < len(tally) else tally
    if len(gathered) > many:
        likely = np.flatnonzero(weights >= _CUT * weights.max())
        if len(likely) >= many:
            gathered, weights = gathered[likely], weights[likely]
        gathered = gathered[np.argpartition(weights, len(gathered) - many)[-many:]]
    return _heaviest(gathered, tally[gathered])[:most]


def _heaviest(positions: NDArray[np.integer], weights: NDArray[np.float32]) -> NDArray[np.int64]:
    """Give positions each once, the heaviest first, of equals the lowest; one sort of whole numbers says both.

    Weights are not negative, so that their bits grow with them.
    """
    keys = (np.uint64(2**32 - 1) - weights.view(np.uint32)) << np.uint64(32) | positions.astype(np.uint64)
    keys.sort()
    first = np.flatnonzero(np.diff(keys, prepend=~keys[:1]))
    return (keys[first] & np.uint64(2**32 - 1)).astype(np.int64)


def _by_column(probes: Sequence[Probe], windows: _Windows) -> list[_Compared]:
    columns: dict[int, list[int]] = {}
    for at, probe in enumerate(probes):
        columns.setdefault(probe.leaked, []).append(at)
    return [
        _Compared(
            tuple(probes[at] for at in places),
            np.minimum(windows.share[places].sum(axis=0), 1 - 1e-9),
            np.flatnonzero(windows.known[places].any(axis=0)),
        )
        for places in columns.values()
    ]


def _compared(
    columns: Sequence[_Compared], finalists: NDArray[np.int64], dealt: Mapping[str, Deal] | None
) -> NDArray[np.float64]:
    scores = np.where(finalists == NOWHERE, -np.inf, 0.0)
    for column in columns:
        positions = np.maximum(finalists[column.rows], 0)
        closest = np.full(positions.shape, -np.inf)
        for probe in column.probes:
            persons = positions if dealt is None else dealt[probe.column.field.name].persons(positions)
            closest = np.maximum(closest, nearness(probe, column.rows, persons))
        share = column.share[column.rows, None]
        differs = np.log(_DISAGREE / (1 - share))
        scores[column.rows] += np.maximum(np.log(_AGREE / share) + closest, differs)
    return scores


def nearness(probe: Probe, rows: NDArray[np.intp], positions: NDArray[np.int64]) -> NDArray[np.float64]:
    """How well leaked `rows` agree with the master at `positions`, shape (rows, ...).

    -inf outside the window and where the master has no value; inside it 0, or, where noise is allowed for, the log
    density of the noise against one spread evenly over the window.
    """
    leaked = probe.values[rows][:, None]
    if isinstance(probe.column, CategoryColumn):
        return np.where(probe.column.codes[positions] == leaked, 0.0, -np.inf)
    distance = np.abs(probe.column.at(positions) - leaked)
    slack, sigma = probe.slack[rows][:, None], probe.sigma[rows][:, None]
    inside = distance <= slack + 1e-6 / probe.column.scale + 1e-12 * np.abs(leaked)
    if not np.any(probe.sigma > 0):
        return np.where(inside, 0.0, -np.inf)
    # Noise on top of a value that may lie anywhere within the core: flat in the core, normal beyond it.
    spread = np.where(sigma > 0, sigma, 1.0)
    core = np.maximum(slack - SIGMAS * sigma, 0.0)
    beyond = np.maximum(distance - core, 0.0) / spread
    density = np.log(np.maximum(2 * slack, spread) / (2 * core + spread * np.sqrt(2 * np.pi))) - beyond**2 / 2
    return np.where(inside, np.where(sigma > 0, density, 0.0), -np.inf)


def _kept(finalists: NDArray[np.int64], scores: NDArray[np.float64]) -> Alignment:
    if finalists.shape[1] < KEPT:
        missing = ((0, 0), (0, KEPT - finalists.shape[1]))
        finalists = np.pad(finalists, missing, constant_values=NOWHERE)
        scores = np.pad(scores, missing, constant_values=-np.inf)
    order = np.argsort(-scores, axis=1, kind="stable")[:, :KEPT]
    best = np.take_along_axis(scores, order, axis=1)
    positions = np.where(np.isfinite(best), np.take_along_axis(finalists, order, axis=1), NOWHERE)
    return Alignment(positions, best)
