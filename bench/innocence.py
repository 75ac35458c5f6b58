"""Innocence: readings that are nobody's copy, each against 5,000 fresh keys (tracing.md, section 10, row 15).

Unmarked originals, other tables altogether, a twin drawn from the same population, and copies under keys that are none
of those asked. Where nothing aligns the alignment is forced: leaked columns are said to be marked fields after a linear
change of scale, leaked rows the master rows nearest to them, and all of them count. Nobody may be named, and in no
reading may more keys reach E >= 10^k than 10^-k of them would at a level of one in a million.

    python -m bench.innocence [--readings 200] [--people 500000]
"""

import argparse
import json
import os
import tempfile
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from importlib.resources import files
from pathlib import Path

import numpy as np
import polars as pl
from scipy.stats import binom

from bench.attribution import World, cohort_world, write
from bench.cohort import generate
from bench.disguises import Coalition, anonymous, colluding, noisy, replaced
from bench.trace_power import shared
from bench.trials import RESULTS, Outcome, Trials, by_row
from copyhold.engines.marks.keys import KEY_BYTES, PartyKeys
from copyhold.engines.matching.columns import Match
from copyhold.engines.matching.conversions import Conversion
from copyhold.engines.matching.index import NumberColumn
from copyhold.engines.matching.leaked import LeakKind
from copyhold.engines.matching.margins import Margins
from copyhold.engines.matching.rows import Alignment, align
from copyhold.engines.matching.tables import Decoy, TableMatch
from copyhold.engines.reading.sighting import SightedTable
from copyhold.engines.tracing.hypotheses import prior
from copyhold.engines.tracing.naming import CONTROL_LEVEL, Attempt
from copyhold.engines.tracing.parties import control_parties
from copyhold.engines.tracing.scoring import screened_log_evidence

KEYS = 5_000
PARTIES = 10_000  # R, from which the threshold follows
SIZES = (5, 20, 80, 300)  # leaked rows
TWINS = 5_000

Rng = np.random.Generator


def original(world: World, rows: int, rng: Rng) -> pl.DataFrame:
    """Take rows of the master; half of the time with half of their cells marked for nobody, so that they are read."""
    chosen = world.sampled(rows, rng)
    frame = world.original(chosen)
    if rng.random() < 0.5:
        return frame
    return replaced(frame, world.marked(world.stranger, world.rows(chosen)), 0.5, rng)


def twin(world: World, rows: int, rng: Rng) -> pl.DataFrame:
    """Take people of the same population whom the master does not know."""
    return _twins()[rng.choice(TWINS, rows, replace=False)]


def other(name: str) -> Callable[[World, int, Rng], pl.DataFrame]:
    """Take rows of another table."""

    def taken(world: World, rows: int, rng: Rng) -> pl.DataFrame:
        frame = _table(name)
        return frame[rng.choice(frame.height, rows, replace=False)]

    return taken


def wrong_keys(world: World, rows: int, rng: Rng) -> pl.DataFrame:
    """Take a copy under fresh keys, or a mixture, or a mean of several, or a noisy one."""
    chosen = world.rows(world.sampled(rows, rng))
    fresh = [PartyKeys(*(rng.bytes(KEY_BYTES) for _ in range(3))) for _ in range(3)]
    copies = [world.marked(keys, chosen) for keys in fresh]
    marked = [column.field for column in world.plan.columns]
    ways = (
        lambda: copies[0],
        lambda: colluding(copies, Coalition.RANDOM, marked, rng),
        lambda: colluding(copies, Coalition.AVERAGE, marked, rng, decimals=world.decimals),
        lambda: colluding(copies, Coalition.MAXIMUM, marked, rng),
        lambda: noisy(copies[0], world.tolerances, 0.1, 3, rng),
    )
    return ways[int(rng.integers(len(ways)))]().drop(world.ids)


KINDS = {  # kind: how it is taken, and its share of the readings in tenths
    "unmarked original": (original, 2),
    "NHANES": (other("nhanes"), 1),
    "Adult": (other("adult"), 1),
    "BRFSS": (other("brfss2020_heart"), 1),
    "synthetic twin": (twin, 2),
    "wrong keys": (wrong_keys, 3),
}


def reading(kind: str, world: World, seed: int) -> Outcome:
    """Read one leak of nobody's and ask fresh keys about it."""
    rng = np.random.default_rng([seed, list(KINDS).index(kind)])
    rows = SIZES[seed % len(SIZES)]
    frame = anonymous(KINDS[kind][0](world, rows, rng), rng)
    with tempfile.TemporaryDirectory() as folder:
        found, read = world.read(write(frame, Path(folder)))
    forced = not read.alternatives
    if forced:
        read = world.reading(_forced(found, world))
    fresh = control_parties([world.facts], world.space, KEYS, os.urandom)
    evidence = screened_log_evidence(read.alternatives, fresh, prior()) if read.alternatives else np.zeros(KEYS)
    counts = [int((evidence >= k * np.log(10)).sum()) for k in range(1, 10)]
    limits = [int(binom.isf(CONTROL_LEVEL, KEYS, 10.0**-k)) for k in range(1, 10)]
    return {
        "rows": rows,
        "design": world.name,
        "forced": forced,
        "original": read.original,
        "participants": read.participants,
        "cells": int(max((len(one.reading.row) for one in read.alternatives), default=0)),
        "counts": counts,
        "within_limits": all(count <= limit for count, limit in zip(counts, limits, strict=True)),
        "names": int((evidence >= Attempt(1, PARTIES).log_threshold(0)).sum()),
        "largest_log_evidence": round(float(evidence.max()), 2),
    }


def _forced(found: SightedTable, world: World) -> SightedTable:
    """Say that leaked columns are marked fields, and leaked rows the nearest master rows."""
    numbers = [at for at, one in enumerate(found.columns) if one.kind is LeakKind.NUMBER and _middle(one.numbers)[1]]
    matches = []
    for at, column in zip(numbers, world.plan.columns, strict=False):
        field = world.index[column.field]
        assert isinstance(field, NumberColumn)
        (middle, spread), own = _middle(found.columns[at].numbers), field.quantiles(np.array([0.25, 0.5, 0.75]))
        factor = spread / max(float(own[2] - own[0]), 1e-9)
        matches.append(Match(at, column.field, Conversion("forced", factor, middle - factor * float(own[1])), 1.0))
    margins = Margins(world.master.steps(1), {"": 1.0})
    alignment = align([margins.probe(found.columns, match, world.index) for match in matches])
    nothing = Decoy(np.zeros(1, dtype=np.int64), Alignment(np.full((1, 8), -1), np.full((1, 8), -1e9)), {})
    return replace(found, match=TableMatch(tuple(matches), margins, alignment, (nothing,)))


def _middle(numbers: np.ndarray) -> tuple[float, float]:
    known = numbers[np.isfinite(numbers)]
    if not known.size:
        return 0.0, 0.0
    low, middle, high = np.quantile(known, [0.25, 0.5, 0.75])
    return float(middle), float(high - low)


@cache
def _twins() -> pl.DataFrame:
    frame = pl.DataFrame(pl.from_arrow(generate(TWINS, 2).table()))
    return frame.drop("__row", "__participant")


@cache
def _table(name: str) -> pl.DataFrame:
    if name == "nhanes":
        return pl.read_parquet(Path(str(files("copyhold.demo_data") / "nhanes.parquet")))
    return pl.read_parquet(shared() / f"{name}.parquet")


def summary(lines: list[Outcome]) -> dict[str, object]:
    """Count by kind what came out."""
    return {
        "keys_per_reading": KEYS,
        "kinds": [
            {
                "kind": kind,
                "readings": len(some),
                "forced": sum(bool(one["forced"]) for one in some),
                "names": sum(int(str(one["names"])) for one in some),
                "above_a_limit": sum(not one["within_limits"] for one in some),
                "largest_log_evidence": max(float(str(one["largest_log_evidence"])) for one in some),
            }
            for kind, some in by_row(lines)
        ],
    }


def main() -> None:
    """Take the readings that are missing, and write the summary."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--readings", type=int, default=200)
    parser.add_argument("--people", type=int, default=500_000)
    given = parser.parse_args()
    worlds = [cohort_world(design, given.people) for design in "AB"]
    trials = Trials("innocence")
    for kind, (_, tenths) in KINDS.items():
        seeds = range(1, given.readings * tenths // 10 + 1)
        trials.run([kind], seeds, lambda row, seed: reading(row, worlds[seed // len(SIZES) % 2], seed))
    made = summary(trials.done())
    (RESULTS / "innocence.json").write_text(json.dumps(made, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(made, indent=1))


if __name__ == "__main__":
    main()
