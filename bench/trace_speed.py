"""The speed of a trace: ten rows against 500,000 people with 100 numbers, 10,000 parties, controls and decoys included.

Asked are (tracing.md, section 10, row 18) at most 5 s warm, at most 60 s cold, which is the first trace of a version,
with its index to be built, and at most 4 GB. Told are seconds of processor time by stage, and how they grow with the
rows of the leak. Figures are of the machine that ran it.

    python -m bench.trace_speed [--people 500000] [--numbers 100] [--leaks 10,100,1000]
"""

import argparse
import json
import resource
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from bench.attribution import World, cohort_world, write
from bench.disguises import anonymous
from bench.trials import RESULTS
from copyhold.engines.matching.index import build_index
from copyhold.engines.reading.sighting import leaked_columns, sighted
from copyhold.engines.tables.reading import read_table

WARM, COLD, GIGABYTES = 5.0, 60.0, 4.0


@dataclass
class Clock:
    """Seconds of processor time by stage."""

    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Count what runs inside."""
        start = time.process_time()
        yield
        self.seconds[name] = round(time.process_time() - start, 3)

    @property
    def total(self) -> float:
        """All stages together."""
        return round(sum(self.seconds.values()), 3)


def traced(world: World, leak: Path) -> dict[str, object]:
    """Trace one leak, stage by stage."""
    clock = Clock()
    with clock.stage("read the file"):
        columns = leaked_columns(read_table(leak))
    with clock.stage("find columns and rows"):
        found = sighted(columns, world.master)
    with clock.stage("read cells"):
        reading = world.reading(found)
    with clock.stage("draw and score 30,000 keys"):
        naming = world.accuse(reading)
    names = len(naming.names) if naming else 0
    return {"seconds": clock.seconds, "total": clock.total, "rows": found.rows, "names": names}


def cold(world: World) -> float:
    """Build the index of the version, as its first trace does."""
    with tempfile.TemporaryDirectory() as folder:
        snapshot = Path(folder) / "snapshot.parquet"
        pq.write_table(world.table, snapshot)
        start = time.process_time()
        build_index(snapshot, world.dictionary, world.index.table, Path(folder) / "index")
        return round(time.process_time() - start, 2)


def measured(world: World, sizes: list[int], told: Callable[[str], None]) -> dict[str, object]:
    """Measure every size, the smallest twice, since the first trace opens the index."""
    rng = np.random.default_rng(1)
    points = []
    for rows in [sizes[0], *sizes]:
        with tempfile.TemporaryDirectory() as folder:
            leak = write(anonymous(world.copy(1, world.sampled(rows, rng)), rng, ids=world.ids), Path(folder))
            points.append(traced(world, leak))
        told(str(points[-1]))
    first, *warm = points
    building = cold(world)
    return {
        "people": world.index.rows,
        "fields": len(world.index.fields),
        "parties": world.parties,
        "cold_seconds": round(building + float(str(first["total"])), 2),
        "index_seconds": building,
        "warm": warm,
        "gigabytes": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6, 2),
    }


def main() -> None:
    """Measure and hold against the bars."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, default=500_000)
    parser.add_argument("--numbers", type=int, default=100)
    parser.add_argument("--leaks", default="10,100,1000")
    given = parser.parse_args()
    world = cohort_world("A", given.people, numbers=given.numbers)
    assert world.keys  # drawn before anything is measured
    made = measured(world, [int(one) for one in given.leaks.split(",")], print)
    RESULTS.mkdir(parents=True, exist_ok=True)
    (RESULTS / "trace_speed.json").write_text(json.dumps(made, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(made, indent=1))
    print(f"bars: {WARM} s warm, {COLD} s cold, {GIGABYTES} GB")


if __name__ == "__main__":
    main()
