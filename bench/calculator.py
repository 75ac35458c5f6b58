"""How many rows should name a holder under the attacks that the table stars: the calculator, extended to each of them.

The product's own calculator (engines.marks.power) counts nats of a clean cell, of a noisy one and of one that is told
only where rounding parts its pair. Here the same moments are put together for the attacks of the benches.
"""

import numpy as np
from numpy.typing import NDArray

from bench.attribution import PLAN_KEY, World
from bench.disguises import coarse_grid
from bench.trace_cases import FIVE, Case
from copyhold.engines.marks.cells import ColumnCells, cells
from copyhold.engines.marks.power import Moments, Rows, clean, noisy, rows_needed, threshold
from copyhold.engines.marks.prf import RANGE
from copyhold.engines.tables.blocks import block

SAMPLE = 2_000  # rows of the master from which nats per row are taken
REPLACED = RESTORED = 0.2
COLLUDERS = 10

Floats = NDArray[np.float64]


def foreseen(case: Case, world: World) -> Rows:
    """Give the rows at which the calculator names the holder under a case's attack, on average and in 95 of 100."""
    table = world.table.slice(0, SAMPLE) if world.name.startswith("cohort") else _spread(world)
    batch = table.combine_chunks().to_batches()[0]
    found = cells(world.plan, PLAN_KEY, block(batch, world.dictionary.of(world.index.table), 1))
    kept = FIVE if "five columns" in case.what else tuple(found)
    moments = [_of_column(case.what, world, found[name]) for name in kept]
    mean, variance = (np.sum([one[part] for one in moments], axis=0) for part in (0, 1))
    nats = threshold(world.parties)
    return rows_needed(float(mean.mean()), float(mean.var() + variance.mean()), nats)


def channel(bias: Floats, shown_by_0: Floats, shown_by_1: Floats) -> Moments:
    """Give the nats of a cell of which the upper member shows with these chances, by the party's own bit."""
    shown = bias * shown_by_1 + (1 - bias) * shown_by_0
    mean, square = np.zeros_like(bias), np.zeros_like(bias)
    for share, up in ((bias, shown_by_1), (1 - bias, shown_by_0)):
        for chance, among in ((up, shown), (1 - up, 1 - shown)):
            nats = np.log(np.maximum(chance, 1e-300) / np.maximum(among, 1e-300))
            mean += share * chance * nats
            square += share * chance * nats**2
    return mean, np.maximum(square - mean**2, 0.0)


def _spread(world: World):  # type: ignore[no-untyped-def]
    places = np.linspace(0, world.index.rows - 1, SAMPLE).astype(np.int64)
    return world.rows(places)


def _of_column(attack: str, world: World, one: ColumnCells) -> Moments:
    """Give mean and variance of the nats of each row's cell, 0 where it is not marked."""
    rows = np.flatnonzero(one.marked)
    low, high = one.natural(one.low[rows]), one.natural(one.high[rows])
    mean, variance = np.zeros(len(one.values)), np.zeros(len(one.values))
    mean[rows], variance[rows] = _of_cells(attack, world, one, rows, low, high)
    return mean, variance


def _of_cells(
    attack: str, world: World, one: ColumnCells, rows: NDArray[np.int64], low: Floats, high: Floats
) -> Moments:
    bias, name = one.threshold[rows] / RANGE, one.column.field
    if attack.startswith("noise"):
        return noisy(bias, (high - low) / (float(attack.split()[2]) * world.tolerances[name]))
    if attack.startswith("rounded"):
        grid = coarse_grid(world.tolerances[name])
        return _where(np.rint(low / grid) != np.rint(high / grid), clean(bias))
    if attack.startswith("decile"):
        cuts = world.index[name].quantiles(np.arange(0.1, 0.95, 0.1))  # type: ignore[union-attr]
        return _where(np.searchsorted(cuts, low) != np.searchsorted(cuts, high), clean(bias))
    if "other people's" in attack:
        return _where(np.full(len(bias), 1 - REPLACED), clean(bias))
    if "the original's" in attack:
        restored = RESTORED * (one.step[rows] < 0)
        return channel(bias, restored, restored + (1 - RESTORED))
    if "colluders" in attack:
        others = (COLLUDERS - 1) * bias
        return channel(bias, others / COLLUDERS, (others + 1) / COLLUDERS)
    return clean(bias)


def _where(seen: NDArray[np.bool_] | Floats, moments: Moments) -> Moments:
    """Give the nats of cells that are read with these chances."""
    mean, variance = moments
    return seen * mean, seen * (variance + mean**2) - (seen * mean) ** 2
