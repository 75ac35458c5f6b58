"""What the distinct numbers of a column and their counts say: codes, fills, grid, spread, caps.

Everywhere `values` are ascending and distinct, `counts` how often each occurs. What is found is a guess, to be accepted
by a person: each rule is a rule of thumb, with its reason beside it.
"""

import math

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]

FEWEST_MEASURED = 12  # whole numbers with fewer different values are answers, scores or small counts
MAD_TO_SD = 1.4826  # of a normal distribution
GRIDS = (100, 50, 25, 20, 10, 5, 2)  # multiples of a last place that instruments and readers prefer
ON_GRID = 0.995  # of the values; the rest are slips
_REPEATED = (7, 8, 9)  # refused, not applicable, not known: surveys write them as wide as the field
_CODES = frozenset(float(int(str(digit) * width)) for digit in _REPEATED for width in range(1, 6))
_BELOW_ZERO = frozenset([*(-float(n) for n in range(1, 11)), *(-code for code in _CODES)])
_MOST_BELOW_ZERO = 6
_DENSE = 5  # rows per point of the grid, below which frequencies jump by chance
_HEAP = 3  # times as frequent as its neighbours: no distribution does that at its end
_FILLED = 5
_FEWEST_FILLED = 10
_BELOW = 0.01  # of the rows may lie below a fill
_ROOT_TWO = 2.0**0.5
_LIMITS = (1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0)
_RARE = 0.2  # a heap at 0 of more rows than this is a count of nothing, not a missing number


def special_codes(values: Floats, counts: Whole) -> tuple[float, ...]:
    """Find numbers that stand for "no answer": 7, 9, 77, 99, 777 ... outside the core, negative ones, a heap at 0."""
    if len(values) < 2 or not _whole(values):
        return _zero(values, counts)
    run = _first_run(values)
    if 1 < run < len(values) and set(values[run:].tolist()) <= _CODES:
        return tuple(values[run:].tolist())  # answers 1 to 5, then 7 and 9
    return (*_below_zero(values), *_zero(values, counts), *_heaped(values, counts))


def fills(values: Floats, counts: Whole, decimals: int) -> tuple[float, ...]:
    """Find values that stand for "below the limit of detection": L / sqrt(2) or L / 2 of a limit L.

    An atom at the bottom of the support; or, below nearly all others, a value that ends in a digit of the last place
    and is far more frequent than those near it that end so too. A limit of one digit (or 1.5, 2.5) must explain it.

    Source: Hornung and Reed (1990), "Estimation of average concentration in the presence of nondetectable values".
    """
    if len(values) < FEWEST_MEASURED or not decimals:
        return ()
    fine = np.rint(values * 10.0**decimals) % 10 != 0
    lower = fine & (np.cumsum(counts) - counts <= _BELOW * counts.sum())
    found = [int(place) for place in np.flatnonzero(lower) if _atom(counts, fine, int(place))]
    if values[0] > 0 and counts[0] >= max(_FEWEST_FILLED, _FILLED * counts[1:4].max()):
        found.append(0)
    return tuple(value for value in values[np.unique(found).astype(int)].tolist() if _of_a_limit(value, decimals))


def grid_of(values: Floats, counts: Whole, decimals: int) -> float:
    """Give the coarsest multiple of the last place on which nearly all values lie."""
    units = np.rint(values * 10.0**decimals)
    total = counts.sum()
    for multiple in (*(factor * 10**power for power in range(decimals, 0, -1) for factor in GRIDS), *GRIDS):
        if counts[units % multiple == 0].sum() >= ON_GRID * total and len(values) > 2:
            return float(multiple / 10.0**decimals)
    return float(10.0**-decimals)


def spread(values: Floats, counts: Whole) -> float:
    """Give the robust standard deviation: 1.4826 times the median distance from the median."""
    if not len(values):
        return 0.0
    distance = np.abs(values - weighted_median(values, counts))
    order = np.argsort(distance, kind="stable")
    return MAD_TO_SD * weighted_median(distance[order], counts[order])


def cap(values: Floats, counts: Whole) -> float | None:
    """Give the greatest value where it stands for "this or more": a heap at the top of the support."""
    if len(values) < FEWEST_MEASURED or counts[-1] < _FEWEST_FILLED:
        return None
    return float(values[-1]) if counts[-1] >= _HEAP * counts[-6:-1].max() else None


def weighted_median(values: Floats, counts: Whole) -> float:
    """Give the median of values with counts."""
    return quantile(values, counts, 0.5)


def quantile(values: Floats, counts: Whole, share: float) -> float:
    """Give the least value at or below which at least this share lies."""
    cumulated = np.cumsum(counts)
    return float(values[np.searchsorted(cumulated, share * cumulated[-1])])


def jumps(values: Floats, counts: Whole, grid: float) -> float:
    """Weigh how abruptly frequencies change from one point of the grid to the next, from 0 (smooth) to 1 (codes)."""
    steps = values / grid
    on_grid = np.abs(steps - np.rint(steps)) < 1e-6
    places, held = np.rint(steps[on_grid]).astype(np.int64), counts[on_grid]
    if not len(places) or held.sum() < _DENSE * (places[-1] - places[0] + 1):
        return 0.0
    line = np.zeros(int(places[-1] - places[0]) + 3)
    line[places - places[0] + 1] = held
    return float(np.abs(np.diff(line)).sum() / (2 * line.sum()))


def without(values: Floats, counts: Whole, left_out: tuple[float, ...]) -> tuple[Floats, Whole]:
    """Leave some values out."""
    kept = ~np.isin(values, left_out)
    return values[kept], counts[kept]


def _whole(values: Floats) -> bool:
    return bool((values == np.rint(values)).all())


def _first_run(values: Floats) -> int:
    """How many values from the first on follow each other by one."""
    gaps = np.flatnonzero(np.diff(values) != 1)
    return int(gaps[0]) + 1 if len(gaps) else len(values)


def _below_zero(values: Floats) -> tuple[float, ...]:
    below = values[values < 0]
    few = 0 < len(below) <= _MOST_BELOW_ZERO and len(values) - len(below) > len(below)
    return tuple(below.tolist()) if few and set(below.tolist()) <= _BELOW_ZERO else ()


def _zero(values: Floats, counts: Whole) -> tuple[float, ...]:
    """A heap at 0 far below all else, as a pressure that could not be heard or a weight of nobody."""
    if len(values) < FEWEST_MEASURED or values[0] != 0 or counts[0] < _FEWEST_FILLED:
        return ()
    others, their = values[1:], counts[1:]
    heap = _FILLED * their[:5].max() <= counts[0] <= _RARE * counts.sum()
    apart = quantile(others, their, 0.01) >= weighted_median(others, their) / 10
    return (0.0,) if heap and apart and np.diff(others).min() * _FILLED <= quantile(others, their, 0.01) else ()


def _heaped(values: Floats, counts: Whole) -> tuple[float, ...]:
    high = quantile(values, counts, 0.95)
    return tuple(
        float(values[place])
        for place in range(3, len(values))
        if values[place] in _CODES
        and values[place] > max(high, values[place - 1] + 1)
        and counts[place] >= 3
        and counts[place] >= _HEAP * _neighbours(values, counts, place)
    )


def _neighbours(values: Floats, counts: Whole, place: int) -> int:
    below = [int(counts[at]) for at in range(place - 1, -1, -1) if values[at] not in _CODES][:3]
    return max(below, default=0)


def _atom(counts: Whole, fine: NDArray[np.bool_], place: int) -> bool:
    around = slice(max(0, place - 10), place + 11)
    near = np.delete(counts[around], place - around.start)[np.delete(fine[around], place - around.start)]
    return bool(counts[place] >= _FILLED * max(1.0, float(np.median(near)) if len(near) else 1.0))


def _of_a_limit(value: float, decimals: int) -> bool:
    """Whether the value is such a limit divided by the root of 2 or by 2, as rounded to its decimals."""
    for divisor in (_ROOT_TWO, 2.0):
        power = 10.0 ** math.floor(math.log10(value * divisor) + 0.01)
        if any(abs(round(digit * power / divisor, decimals) - value) < 10.0**-decimals / 100 for digit in _LIMITS):
            return True
    return False
