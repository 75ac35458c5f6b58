"""What may have been done to a party's copy before it leaked: a fixed list of hypotheses with fixed weights.

A hypothesis is a **law** of the cells and a **share** pi of the groups that come from the party. The law says how many
copies were merged and how (strategy and number of colluders c), which share rho of the cells was put back to the
original or drawn by a fair coin, and which share eps of the observations has nothing to do with the cell.

The weights were fixed by argument before any leak was scored and are never fitted to one: a weight that looked at a
score would leave the theorem (docs/adr/0007-evidence.md). A hypothesis of weight w costs at most ln(1/w) nats where it
is true, so the weights follow what a custodian expects, and none is small:

* Most leaks are one party's copy: 0.4 for c = 1, falling slowly to 0.06 for c = 20 (a price of 0.9 to 2.8 nats).
* Of a coalition's strategies random choice and averaging are what people do without knowing the scheme (0.5 together);
  the others are what an informed coalition does, alike.
* The cells of one copy may be disturbed (0.45), those of a merged copy less often (0.25 of each strategy).
* Most leaked rows are rows of the party (share 0.98); whole rows from elsewhere go with one copy, or with two or three.

The grid is sparse on purpose: eps matters only where an observation falls on the pair by chance, and a restored or
noisy random choice looks like a random choice among more colluders, so the full product would cost nats and buy none.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from enum import Enum

import numpy as np
from numpy.typing import NDArray
from scipy.special import comb

from copyhold.engines.marks.prf import RANGE


class Strategy(Enum):
    """What a coalition shows where its copies differ; where they agree it shows what all have."""

    SINGLE = "single"
    INTERLEAVING = "interleaving"
    MAXIMUM = "maximum"
    MINIMUM = "minimum"
    MAJORITY = "majority"
    MINORITY = "minority"
    COIN = "coin"
    AVERAGING = "averaging"


@dataclass(frozen=True)
class Law:
    """How the cells of a leaked row come from `colluders` copies, one of them the party's.

    `background` is eps, the share of observations that are unrelated to the cell; `restored` and `flipped` are the
    shares of cells that show the original's member, and a member drawn by a fair coin.
    """

    strategy: Strategy
    colluders: int
    background: float
    restored: float = 0.0
    flipped: float = 0.0


@dataclass(frozen=True)
class Hypothesis:
    """A law, the share pi of groups that it holds for, and the prior weight of the two together."""

    law: Law
    share: float
    weight: float


COLLUDERS = {1: 0.3, 2: 0.2, 3: 0.15, 5: 0.14, 10: 0.13, 20: 0.08}
TWO = {Strategy.INTERLEAVING: 0.5, Strategy.AVERAGING: 0.2, Strategy.MAXIMUM: 0.15, Strategy.MINIMUM: 0.15}
MANY = {
    Strategy.INTERLEAVING: 0.3,
    Strategy.AVERAGING: 0.14,
    Strategy.MAXIMUM: 0.12,
    Strategy.MINIMUM: 0.12,
    Strategy.MAJORITY: 0.08,
    Strategy.MINORITY: 0.12,
    Strategy.COIN: 0.12,
}  # of two copies majority, minority and coin are random choice
ROWS = {0.98: 0.7, 0.5: 0.15, 0.1: 0.15}  # shares of one party's rows
MIXED = {0.98: 0.9, 0.5: 0.1}  # shares of a small coalition's rows

SINGLE_LAWS = {
    Law(Strategy.SINGLE, 1, 1e-3): 0.33,
    Law(Strategy.SINGLE, 1, 0.03): 0.14,
    Law(Strategy.SINGLE, 1, 0.2): 0.08,
    Law(Strategy.SINGLE, 1, 0.03, restored=0.05): 0.06,
    Law(Strategy.SINGLE, 1, 0.03, restored=0.2): 0.07,
    Law(Strategy.SINGLE, 1, 0.03, restored=0.5): 0.07,
    Law(Strategy.SINGLE, 1, 0.03, flipped=0.05): 0.1,
    Law(Strategy.SINGLE, 1, 0.03, flipped=0.2): 0.08,
    Law(Strategy.SINGLE, 1, 0.03, flipped=0.5): 0.07,
}


def prior() -> tuple[Hypothesis, ...]:
    """Return the list H of hypotheses with weights that add to 1, the same for every trace."""
    alone = (
        Hypothesis(law, share, part * weight) for law, part in SINGLE_LAWS.items() for share, weight in ROWS.items()
    )
    return _normalised([_scaled(one, COLLUDERS[1]) for one in alone] + list(_coalitions()))


def after(hypotheses: Iterable[Hypothesis], named: int) -> tuple[Hypothesis, ...]:
    """Return the hypotheses under which one more party is sought after `named` parties were found.

    Coalitions must have room for all of them and the party sought. A single copy stays only with a share of the rows:
    the leak then holds whole rows of several parties, and the party's rows say nothing of the others' bits.
    """
    return _normalised([one for one in hypotheses if one.law.colluders > named or (_alone(one) and one.share <= 0.5)])


def theta(strategy: Strategy, colluders: int) -> NDArray[np.float64]:
    """Return the chance that the coalition shows 1 for k = 0..c copies that show 1, shape (c + 1,).

    Source: the marking assumption theta(0) = 0, theta(c) = 1 (Boneh and Shaw 1998) with the strategies of Laarhoven and
    de Weger 2014, section 2. A tie of majority and minority is a fair coin. For averaging theta is not defined.
    """
    k = np.arange(colluders + 1)
    between = {
        Strategy.SINGLE: k / colluders,
        Strategy.INTERLEAVING: k / colluders,
        Strategy.MAXIMUM: np.ones(colluders + 1),
        Strategy.MINIMUM: np.zeros(colluders + 1),
        Strategy.MAJORITY: (1 + np.sign(2 * k - colluders)) / 2,
        Strategy.MINORITY: (1 - np.sign(2 * k - colluders)) / 2,
        Strategy.COIN: np.full(colluders + 1, 0.5),
    }[strategy]
    return np.where(k == 0, 0.0, np.where(k == colluders, 1.0, between)).astype(np.float64)


@dataclass(frozen=True)
class Biases:
    """The distinct circumstances of cells, for lookup tables that cost per circumstance and not per cell.

    probability  float64 (distinct,): p = t/65536
    known        int64 (distinct,): named parties that held the cell
    ones         int64 (distinct,): how many of them show 1
    """

    probability: NDArray[np.float64]
    known: NDArray[np.int64]
    ones: NDArray[np.int64]


def distinct_biases(
    threshold: NDArray[np.uint16], known: NDArray[np.int64], ones: NDArray[np.int64]
) -> tuple[Biases, NDArray[np.int64]]:
    """Return the distinct (t, known, ones) of the cells and the index of each cell's, int64 (cells,)."""
    rows, index = np.unique(np.stack([threshold.astype(np.int64), known, ones]), axis=1, return_inverse=True)
    return Biases(rows[0] / RANGE, rows[1], rows[2]), index.reshape(-1).astype(np.int64)


def copies_showing_one(colluders: int, biases: Biases) -> NDArray[np.float64]:
    """Return P(k of the c copies show 1 | the party's bit d), shape (2, distinct, c + 1).

    k = (ones of the named) + d + Bin(c - known - 1, p): the named parties' bits are given, the others' are drawn.
    """
    k = np.arange(colluders + 1)[None, :] - biases.ones[:, None]
    others, p = (colluders - 1 - biases.known)[:, None], biases.probability[:, None]
    return np.stack([_binomial(k - bit, others, p) for bit in (0, 1)])


def shows_high(law: Law, copies: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return A(d), the chance that the leak shows the higher member given the party's bit d, shape (2, distinct).

    `copies` is what `copies_showing_one` returns. Restoration and flips are added per cell by `disturbed`.
    Source: tracing design, section 6.
    """
    shown: NDArray[np.float64] = copies @ theta(law.strategy, law.colluders)
    return shown


def disturbed(law: Law, shown: NDArray[np.float64], original_high: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return A(d) after a share of the cells was restored or drawn by a fair coin, shape (2, cells)."""
    kept = 1 - law.restored - law.flipped
    return kept * shown + law.restored * original_high + law.flipped / 2


def _binomial(k: NDArray[np.int64], n: NDArray[np.int64], p: NDArray[np.float64]) -> NDArray[np.float64]:
    possible = np.where((k >= 0) & (k <= n), k, 0)
    mass = comb(n, possible) * p**possible * (1 - p) ** (n - possible)
    return np.where(k == possible, mass, 0.0).astype(np.float64)


def _coalitions() -> Iterator[Hypothesis]:
    for colluders, weight in COLLUDERS.items():
        if colluders > 1:
            for strategy, part in (TWO if colluders == 2 else MANY).items():
                for one in _variants(strategy, colluders):
                    yield _scaled(one, weight * part)


def _variants(strategy: Strategy, colluders: int) -> Iterator[Hypothesis]:
    clean = Law(strategy, colluders, 0.03)
    small = strategy in (Strategy.INTERLEAVING, Strategy.AVERAGING) and colluders <= 3
    for share, part in (MIXED if small else {0.98: 1.0}).items():
        yield Hypothesis(clean, share, 0.85 * part)
    if strategy is Strategy.AVERAGING:
        yield Hypothesis(replace(clean, background=0.2), 0.98, 0.15)
    elif strategy is Strategy.INTERLEAVING and colluders <= 5:
        yield Hypothesis(replace(clean, flipped=0.05), 0.98, 0.05)
        yield Hypothesis(replace(clean, restored=0.2), 0.98, 0.1)
    else:
        yield Hypothesis(replace(clean, flipped=0.05), 0.98, 0.15)


def _alone(one: Hypothesis) -> bool:
    return one.law.strategy is Strategy.SINGLE


def _scaled(one: Hypothesis, factor: float) -> Hypothesis:
    return replace(one, weight=one.weight * factor)


def _normalised(hypotheses: list[Hypothesis]) -> tuple[Hypothesis, ...]:
    total = sum(one.weight for one in hypotheses)
    return tuple(_scaled(one, 1 / total) for one in hypotheses)
