"""How many marked cells name the first colluder: the code and the list of hypotheses, without table or reader.

R = 10,000 parties, first attempt, so ln E >= 31.3. Cells come in rows of 13 (design A), each read exactly; a coalition
merges its copies cell by cell. An average rounded to the step itself is little better than random choice; the prototype
and the reference cohort have columns whose last place is finer than their step.

Printed are median and 90 % quantile over the seeds, beside the medians of the prototype (threshold 29.9) and the bars
of the tracing design, section 10, in cells (13.2 to a row, 36 of 40 seeds).

    python -m bench.code_length [--seeds 20]
"""

import argparse
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bench.trials import Outcome, Trials, by_row
from copyhold.engines.reading.readings import Alternative, Channel, Reading
from copyhold.engines.tracing.hypotheses import Strategy, prior, theta
from copyhold.engines.tracing.naming import Attempt
from copyhold.engines.tracing.parties import Cells, Seen, StatedParties
from copyhold.engines.tracing.scoring import log_evidence

CELLS_PER_ROW = 13
MOST_CELLS = 40_000
GAP = 0.1
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Attack:
    """A coalition and what it does; `prototype` and `bar` are the figures to hold against, in cells."""

    colluders: int
    strategy: Strategy
    prototype: int | None = None
    bar: int | None = None
    noise: float = 0.0  # in gaps
    foreign: float = 0.0  # share of rows that come from elsewhere
    restored: float = 0.0
    flipped: float = 0.0
    grid: float = 1.0  # in gaps: a leaked column's last place


ATTACKS = {
    "one copy": Attack(1, Strategy.SINGLE, 58, 92),
    "one copy, 2 % flipped": Attack(1, Strategy.SINGLE, flipped=0.04),
    "one copy, 20 % restored": Attack(1, Strategy.SINGLE, restored=0.2),
    "one copy, noise of a gap": Attack(1, Strategy.SINGLE, noise=1.0),
    "one copy, noise of 3 gaps": Attack(1, Strategy.SINGLE, noise=3.0),
    "one copy, half the rows foreign": Attack(1, Strategy.SINGLE, bar=238, foreign=0.5),
    "one copy, 9 of 10 rows foreign": Attack(1, Strategy.SINGLE, bar=1320, foreign=0.9),
    "2 random": Attack(2, Strategy.INTERLEAVING, 249, 396),
    "3 random": Attack(3, Strategy.INTERLEAVING, 485, 845),
    "5 random": Attack(5, Strategy.INTERLEAVING, 1389, 2046),
    "10 random": Attack(10, Strategy.INTERLEAVING, 5041, 6930),
    "2 averaged": Attack(2, Strategy.AVERAGING),
    "5 averaged": Attack(5, Strategy.AVERAGING),
    "10 averaged": Attack(10, Strategy.AVERAGING),
    "20 averaged": Attack(20, Strategy.AVERAGING),
    "2 averaged, finer by 3": Attack(2, Strategy.AVERAGING, 170, grid=1 / 3),
    "5 averaged, finer by 3": Attack(5, Strategy.AVERAGING, 406, 594, grid=1 / 3),
    "10 averaged, finer by 3": Attack(10, Strategy.AVERAGING, 747, 990, grid=1 / 3),
    "20 averaged, finer by 3": Attack(20, Strategy.AVERAGING, 2135, 2640, grid=1 / 3),
    "3 coin": Attack(3, Strategy.COIN, 919),
    "5 majority": Attack(5, Strategy.MAJORITY, 473),
    "5 minority": Attack(5, Strategy.MINORITY, 708, 1096),
    "5 max": Attack(5, Strategy.MAXIMUM, 867, 1452),
    "5 min": Attack(5, Strategy.MINIMUM, 867, 1452),
    "5 coin": Attack(5, Strategy.COIN, 3117, 4488),
    "10 max": Attack(10, Strategy.MAXIMUM, 4254, 5676),
    "10 min": Attack(10, Strategy.MINIMUM, 4254, 5676),
    "10 coin": Attack(10, Strategy.COIN, 9945),
    "10 minority": Attack(10, Strategy.MINORITY, 847),
}


@dataclass(frozen=True)
class World:
    """The bits of the coalition on all cells and what the leak shows of them."""

    threshold: NDArray[np.uint16]
    original_high: Bools
    bits: Bools  # (colluders, cells)
    observed: Floats
    sigma: float
    grid: float

    def reading(self, cells: int) -> Reading:
        """Return the reading of the first cells."""
        row = np.arange(cells) // CELLS_PER_ROW
        rows = int(row[-1]) + 1
        nothing = np.zeros(0, dtype=int)
        levels = (0.0, 0.03 * GAP) if self.sigma == 0 else (self.sigma, 0.03 * GAP)
        return Reading(
            neutral=np.full(rows, 0.01),
            candidate_group=np.arange(rows),
            candidate_row=np.arange(rows),
            participant=np.arange(rows),
            candidate_weight=np.full(rows, 0.99),
            cell_candidate=row,
            table=np.ones(cells),
            row=row,
            column=np.arange(cells) % CELLS_PER_ROW,
            threshold=self.threshold[:cells],
            low=np.zeros(cells),
            high=np.full(cells, GAP),
            original_high=self.original_high[:cells],
            institution=np.zeros(cells, dtype=bool),
            channel=np.zeros(cells),
            observation_cell=np.arange(cells),
            observation=self.observed[:cells],
            id_candidate=nothing,
            id_value=nothing,
            loose_id=nothing,
            date_candidate=nothing,
            date_unit=nothing,
            date_shift=nothing,
            channels=(Channel("field", "column", self.grid, levels, (0.9, 0.1), width=10.0),),
        )

    def parties(self, cells: int) -> StatedParties:
        """Return the coalition, with what it was given of the first cells."""
        row = np.arange(cells) // CELLS_PER_ROW
        column = (np.arange(cells) % CELLS_PER_ROW).astype(np.uint32)
        count, none = len(self.bits), np.zeros((len(self.bits), 0), dtype=bool)
        return StatedParties(
            id_space=10**15,
            released=np.zeros(count, dtype=np.int64),
            shifts=np.zeros(count, dtype=np.int64),
            cells=Cells(np.ones(cells, dtype=np.uint16), row.astype(np.uint64), column, self.threshold[:cells]),
            cell_bits=self.bits[:, :cells],
            cell_held=np.ones((count, cells), dtype=bool),
            id_pairs=(),
            id_seen=Seen(none, none),
            loose=(),
            loose_hit=none,
            moves=(),
            moves_seen=Seen(none, none),
        )


def world(attack: Attack, seed: int, cells: int = MOST_CELLS) -> World:
    """Draw a coalition and its leak: half of the cells with p = 1/2, half with an arcsine bias."""
    rng = np.random.default_rng([seed, cells])
    arcsine = np.sin(np.pi / 2 * (0.064 + (1 - 0.128) * rng.random(cells))) ** 2
    threshold = np.where(rng.random(cells) < 0.5, 32768, np.rint(65536 * arcsine)).astype(np.uint16)
    bits = rng.random((attack.colluders, cells)) < threshold / 65536
    original_high = rng.random(cells) < 0.5
    shown = _merged(attack, bits, rng)
    shown = np.where(rng.random(cells) < attack.restored, original_high, shown)
    shown = np.where(rng.random(cells) < attack.flipped, rng.random(cells) < 0.5, shown)
    rows = np.arange(cells) // CELLS_PER_ROW
    foreign = rng.permuted(np.tile(np.arange(10), (rows[-1] // 10 + 1, 1)), axis=1).reshape(-1)[rows]
    shown = np.where(foreign < 10 * attack.foreign, rng.random(cells) < 0.5, shown)
    # A tie is rounded to an even last digit, which is the higher member's as often as the lower's.
    tie = np.where(rng.random(cells) < 0.5, 1e-9, -1e-9)
    observed = np.rint((shown + attack.noise * rng.standard_normal(cells)) / attack.grid + tie) * attack.grid * GAP
    return World(threshold, original_high, bits, observed, attack.noise * GAP, attack.grid * GAP)


def first_name(attack: Attack, seed: int) -> int | None:
    """Return the cells at which the first colluder is named, to within 2 %; None where more than MOST_CELLS."""
    made = world(attack, seed)
    reached = CELLS_PER_ROW
    while not _named(made, reached):
        reached *= 2
        if reached > MOST_CELLS:
            return None
    low, high = reached // 2, reached
    while high - low > max(1, high // 50):
        middle = (low + high) // 2
        low, high = (low, middle) if _named(made, middle) else (middle, high)
    return high


def trial(row: str, seed: int) -> Outcome:
    """Run one seed of one attack."""
    return {"cells": first_name(ATTACKS[row], seed)}


def _merged(attack: Attack, bits: Bools, rng: np.random.Generator) -> Floats:
    ones = bits.sum(axis=0)
    if attack.strategy is Strategy.AVERAGING:
        return ones / attack.colluders
    return (rng.random(len(ones)) < theta(attack.strategy, attack.colluders)[ones]).astype(float)


def _named(made: World, cells: int) -> bool:
    evidence = log_evidence([Alternative(1.0, made.reading(cells))], made.parties(cells), prior())
    return bool(evidence.max() >= Attempt(number=1, keys_issued=10_000).log_threshold(0))


def main() -> None:
    """Run what is missing and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--only", default="")
    given = parser.parse_args()
    rows = [row for row in ATTACKS if given.only in row]
    lines = Trials("code_length").run(rows, range(1, given.seeds + 1), trial)
    print(f"{'attack':34}{'median':>8}{'90 %':>8}{'prototype':>11}{'bar':>8}")
    for row, outcomes in by_row(lines):
        cells = np.array([MOST_CELLS if line["cells"] is None else line["cells"] for line in outcomes], dtype=float)
        known = ATTACKS[row]
        figures = (np.median(cells), np.quantile(cells, 0.9, method="higher"))
        print(f"{row:34}{figures[0]:8.0f}{figures[1]:8.0f}{known.prototype or '':>11}{known.bar or '':>8}")


if __name__ == "__main__":
    main()
