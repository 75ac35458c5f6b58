"""The speed of a trace: ten rows against 500,000 people with 100 numbers, 10,000 parties, controls and decoys included.

Asked are (tracing.md, section 10, row 18) at most 5 s warm, at most 60 s cold, which is the first trace of a version,
with its index to be built, and at most 4 GB. Told are seconds of processor time by stage, and how they grow with the
rows of the leak. Figures are of the machine that ran it, beside a floor in the same run: of a warm trace, reading the
file and drawing the marks of 30,000 keys at the cells that the leak shows; of a cold one, reading the version and
sorting each of its columns.

    python -m bench.trace_speed [--people 500000] [--numbers 100] [--leaks 10,100,1000]
"""

import argparse
import json
import os
import resource
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow.compute as compute
import pyarrow.parquet as pq

from bench.attribution import World, cohort_world, write
from bench.disguises import anonymous
from bench.trials import RESULTS
from copyhold.engines.marks.prf import uniforms_of_keys
from copyhold.engines.matching.index import build_index
from copyhold.engines.reading.sighting import leaked_columns, sighted
from copyhold.engines.tables.reading import read_table
from copyhold.engines.tracing.naming import CONTROLS
from copyhold.engines.tracing.parties import Cells, cells_of

BARS = {"warm": 5.0, "cold": 60.0, "gigabytes": 4.0}
AT_ONCE = 800  # keys


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
    told = {"seconds": clock.seconds, "total": clock.total, "rows": found.rows, "names": names}
    return told | {"floor": floor(world, leak, [cells_of(one.reading) for one in reading.alternatives])}


def floor(world: World, leak: Path, shown: Sequence[Cells]) -> float:
    """Do what no trace can do without, and nothing else: read the file, draw every key's marks at the cells shown."""
    keys = [one.mark for one in world.keys] + [os.urandom(32) for _ in range(CONTROLS)]
    start = time.process_time()
    read_table(leak)
    for cells in shown:
        for first in range(0, len(keys), AT_ONCE):
            uniforms_of_keys(keys[first : first + AT_ONCE], cells.marks)
    return round(time.process_time() - start, 3)


def sorted_alone(snapshot: Path) -> float:
    """Read a version and sort each of its columns."""
    start = time.process_time()
    for column in pq.read_table(snapshot).columns:
        compute.sort_indices(column)
    return round(time.process_time() - start, 2)


def cold(world: World) -> tuple[float, float, float]:
    """Build the index of the version, as its first trace does; tell the memory held so far, and the floor."""
    with tempfile.TemporaryDirectory() as folder:
        snapshot = Path(folder) / "snapshot.parquet"
        pq.write_table(world.table, snapshot)
        start = time.process_time()
        build_index(snapshot, world.dictionary, world.index.table, Path(folder) / "index")
        building = round(time.process_time() - start, 2)
        gigabytes = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6, 2)
        return building, gigabytes, sorted_alone(snapshot)


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
    building, gigabytes, sorting = cold(world)
    return {
        "people": world.index.rows,
        "fields": len(world.index.fields),
        "parties": world.parties,
        "cold_seconds": round(building + float(str(first["total"])), 2),
        "index_seconds": building,
        "cold_floor": round(sorting + float(str(first["floor"])), 2),
        "warm": warm,
        "gigabytes": gigabytes,
        "bars": BARS,
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


if __name__ == "__main__":
    main()
