"""The power of the evidence: every row of the table of traces (tracing.md, section 10), over fixed seeds.

R = 10,000 parties (Adult 1,000), first attempt, 20,000 control keys in every trace; ids dropped, names scrambled, rows
and columns shuffled, the leak written to a file and read by the product. At exactly the stated rows a true contributor
must be named and no other party. One line a trial, so that a run may be stopped and taken up again; a second set of
lines holds the fewest rows at which a contributor's evidence suffices, against which the calculator is held.

    python -m bench.trace_power [--rows 1,10] [--designs A,B] [--seeds 40] [--people 500000] [--measure 20]
"""

import argparse
import os
import resource
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from importlib.resources import files
from pathlib import Path
from zlib import crc32

import numpy as np

from bench.attribution import World, adult_world, coded_world, cohort_world, nhanes_world
from bench.calculator import foreseen
from bench.disguises import anonymous
from bench.trace_cases import CASES, Case, Leak
from bench.trials import Outcome, Trials
from copyhold.engines.marks.permutation import SEVEN_DIGITS
from copyhold.engines.matching.rows import Alignment
from copyhold.engines.reading.reader import Read
from copyhold.engines.reading.sighting import SightedTable
from copyhold.engines.tracing.hypotheses import prior
from copyhold.engines.tracing.naming import Attempt
from copyhold.engines.tracing.scoring import log_evidence

MARGIN = 1.25  # bar over the calculator's n95
MOST = 3  # bars of rows within which the fewest rows are looked for
CODED_PEOPLE = 50_000


@dataclass
class Worlds:
    """The datasets of one design, each built when it is first asked for."""

    design: str
    people: int

    @cached_property
    def cohort(self) -> World:
        """The reference cohort."""
        return cohort_world(self.design, self.people)

    @cached_property
    def of(self) -> dict[str, World]:
        """Those built so far."""
        return {}

    def __getitem__(self, name: str) -> World:
        if name not in self.of:
            self.of[name] = self._built(name)
        return self.of[name]

    def _built(self, name: str) -> World:
        if name.startswith("cohort"):
            return replace(self.cohort, space=SEVEN_DIGITS) if "7 digits" in name else self.cohort
        if name == "Adult":
            source = shared() / "adult.parquet"
            return adult_world(self.design, source)
        if name == "NHANES":
            return nhanes_world(self.design)
        return coded_world(CODED_PEOPLE, dates=name == "dates")


def shared() -> Path:
    """Where tables stand that must not ship."""
    return Path(os.environ.get("COPYHOLD_SHARED", Path(__file__).parents[2] / "shared")) / "data"


def key(case: Case, design: str) -> str:
    """Name a case under a design, as its lines do."""
    return f"{case.number} | {case.what} | {design}"


@dataclass(frozen=True)
class Bar:
    """The rows at which the holder must be named, and what the calculator foresees where it sets them."""

    rows: int
    foreseen: int | None = None


def bar(case: Case, design: str, world: World) -> Bar:
    """Give the bar of a case on the data at hand."""
    stated = case.bars[design]
    if stated is not None:
        return Bar(stated)
    n95 = foreseen(case, world).n95
    assert n95 is not None
    return Bar(int(np.ceil(MARGIN * n95)), n95)


def trial(case: Case, design: str, world: World, asked: Bar, seed: int) -> Outcome:
    """Trace one leak as a custodian would."""
    rng, rows = _chance(case, seed), asked.rows
    leak = case.leak(world, rows, rng)
    with tempfile.TemporaryDirectory() as folder:
        start = time.process_time()
        found, reading = world.read(_written(case, world, leak, rows, rng, Path(folder)))
        if case.world.endswith("misaligned"):
            reading = world.reading(_misaligned(found))
        naming = world.accuse(reading)
        seconds = time.process_time() - start
    names = naming.names if naming else ()
    own = [one for one in names if one.party in leak.parties]
    right = 0 if case.world.endswith("misaligned") else len(own)
    return {
        "rows": rows,
        "foreseen": asked.foreseen,
        "right": right,
        "wrong": len(names) - right,
        "passed": passes(case, design, right, len(names) - right),
        "instrument_failed": bool(naming and naming.instrument_failed),
        "aligned": found.rows_aligned,
        "cells": names[0].cells if names else 0,
        "log_evidence": round(names[0].log_evidence, 2) if names else None,
        "original": reading.original,
        "cpu_seconds": round(seconds, 2),
    }


def passes(case: Case, design: str, right: int, wrong: int) -> bool:
    """Say whether a trial came out as the table asks."""
    return not wrong and (design in case.without_name or right >= max(case.colluders, 1))


def fewest(case: Case, world: World, rows: int, seed: int) -> Outcome:
    """Find the fewest rows of a leak on which a contributor's own evidence passes, to 2 %; nobody else is scored."""
    rng = _chance(case, seed)
    leak = case.leak(world, MOST * rows, rng)
    low, high = 0, max(1, rows // 2)
    while not _suffices(case, world, leak, high, seed):
        low, high = high, min(2 * high, MOST * rows)
        if low == high:
            return {"fewest": None}
    while high - low > max(1, high // 50):
        middle = (low + high) // 2
        low, high = (low, middle) if _suffices(case, world, leak, middle, seed) else (middle, high)
    return {"fewest": high}


def _suffices(case: Case, world: World, leak: Leak, rows: int, seed: int) -> bool:
    with tempfile.TemporaryDirectory() as folder:
        _, reading = world.read(_written(case, world, leak, rows, np.random.default_rng([seed, rows]), Path(folder)))
    evidence = _own_evidence(reading, world, leak)
    enough = evidence >= Attempt(1, world.parties).log_threshold(0)
    return bool(enough.sum() >= max(case.colluders, 1))


def _own_evidence(reading: Read, world: World, leak: Leak) -> np.ndarray:
    if not reading.alternatives:
        return np.full(len(leak.parties), -np.inf)
    return log_evidence(reading.alternatives, world.keyed.select(np.array(leak.parties)), prior())


def _written(case: Case, world: World, leak: Leak, rows: int, rng: np.random.Generator, folder: Path) -> Path:
    dropped = () if case.keeps_ids else [name for name in world.ids if name in leak.frame.columns]
    return leak.write(anonymous(leak.frame.head(rows), rng, ids=dropped), folder)


def _misaligned(found: SightedTable) -> SightedTable:
    """Say of every leaked row that it is the next one."""
    alignment = found.match.alignment
    moved = Alignment(np.roll(alignment.positions, 1, axis=0), np.roll(alignment.scores, 1, axis=0))
    return replace(found, match=replace(found.match, alignment=moved))


def _chance(case: Case, seed: int) -> np.random.Generator:
    return np.random.default_rng([seed, crc32(f"{case.number} {case.what}".encode())])


def chosen(rows: Sequence[str], designs: Sequence[str]) -> Iterator[tuple[Case, str]]:
    """Give the cases asked for under each design that they have."""
    for case in CASES:
        if not rows or case.number in rows:
            yield from ((case, design) for design in designs if design in case.bars)


def main() -> None:
    """Run what is missing."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", default="", help="numbers of the table's rows, all by default")
    parser.add_argument("--designs", default="A,B")
    parser.add_argument("--seeds", type=int, default=40)
    parser.add_argument("--people", type=int, default=500_000)
    parser.add_argument("--measure", type=int, default=0, help="seeds over which the fewest rows are found instead")
    given = parser.parse_args()
    rows = [one for one in given.rows.split(",") if one]
    for design in given.designs.split(","):
        _run(Worlds(design, given.people), rows, design, given.seeds, given.measure)
    print(f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6:.2f} GB at most")


def _run(worlds: Worlds, rows: Sequence[str], design: str, seeds: int, measure: int) -> None:
    cases = {key(case, one): case for case, one in chosen(rows, [design]) if _possible(case)}
    if measure:
        cases = {name: case for name, case in cases.items() if case.starred or case.provisional}
    bars: dict[str, Bar] = {}

    def run(row: str, seed: int) -> Outcome:
        case = cases[row]
        world = worlds[case.world]
        if row not in bars:
            bars[row] = bar(case, design, world)
        asked = bars[row]
        outcome = fewest(case, world, asked.rows, seed) if measure else trial(case, design, world, asked, seed)
        print(row, seed, outcome, flush=True)
        return outcome

    Trials(f"trace_{'n95' if measure else 'power'}_{design}").run(list(cases), range(1, (measure or seeds) + 1), run)


def _possible(case: Case) -> bool:
    if case.world == "Adult" and not (shared() / "adult.parquet").exists():
        print("Adult is left out: its table is not beside the checkout, and COPYHOLD_SHARED names no folder with it.")
        return False
    if case.world == "NHANES" and not Path(str(files("copyhold.demo_data") / "dictionary.csv")).exists():
        print("NHANES is left out: its dictionary is not there.")
        return False
    return True


if __name__ == "__main__":
    main()
