"""What a release costs: a copy of 500,000 x 100, beside plain read and write of the same Parquet in the same run.

The reference cohort becomes a version of a dataset and is released to one party, through the real job, in a custody of
its own. Every step runs in a process of its own, so that its peak memory is its own; times are CPU seconds of that
process and its threads. The utility report is timed apart. Printed beside the bars, and written to
bench/results/release_speed.json.

    python -m bench.release_speed [--rows 500000 --columns 100]
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import wraps
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from bench.cohort import TABLE, generate
from bench.trials import RESULTS
from copyhold.domain.catalogue import Dictionary, Field, FieldType, Role

SEED = 1
ID = "eid"
LEAD = "lead@hospital.example"
GIBIBYTE = 1 << 30
WITHDRAWN = 100
DRAWN = 50_000  # people drawn at a time
STEPS = ("cohort", "add", "plain", "release", "plain", "withdrawn")
BARS = {
    "release over plain": 2.0,
    "utility over release": 1.0,
    "release memory, GB": 1.5,
    "dataset add, CPU minutes": 3.0,
    "dataset add memory, GB": 2.0,
}

WIDE = 100  # columns, beyond which the one bar is that a release streams
WIDE_BARS = {"release memory, GB": 4.0}

Figures = dict[str, Any]


def main() -> None:
    """Run all steps, or the one named."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=500_000)
    parser.add_argument("--columns", type=int, default=100, help="of the table, the id among them")
    parser.add_argument("--step", choices=STEPS, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.step:
        print(json.dumps(_measured(asked.step, asked.folder, asked.rows, asked.columns)))
        return
    with tempfile.TemporaryDirectory(prefix="release-speed-") as folder:
        found = [_apart(step, Path(folder), asked.rows, asked.columns) for step in STEPS]
    _report(asked.rows, asked.columns, *found[1:])


def _apart(step: str, folder: Path, rows: int, columns: int) -> Figures:
    """Run a step in a process of its own."""
    words = [sys.executable, "-m", "bench.release_speed", "--step", step, "--folder", str(folder)]
    # Threads of a matrix product spin while they wait; on a busy machine that would be most of what is counted.
    alone = os.environ | {"OPENBLAS_NUM_THREADS": "1"}
    sized = [*words, "--rows", str(rows), "--columns", str(columns)]
    ended = subprocess.run(sized, stdout=subprocess.PIPE, check=True, env=alone)
    figures: Figures = json.loads(ended.stdout)
    print(f"{step}: {figures}", file=sys.stderr)
    return figures


def _measured(step: str, folder: Path, rows: int, columns: int) -> Figures:
    run = {"cohort": _cohort, "add": _add, "plain": _plain, "release": _release, "withdrawn": _withdrawn}[step]
    started = time.process_time()
    found = run(folder, rows, columns) or {}
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / GIBIBYTE
    return {"cpu": round(time.process_time() - started, 2), "peak_gb": round(peak, 3), **found}


def _cohort(folder: Path, rows: int, columns: int) -> None:
    """Write the cohort with an id column, and its dictionary, as a custodian has them."""
    from copyhold.engines.tables.dictionary import to_csv

    others = 13  # 8 categories, 3 dates, a count, the id
    ids = np.random.default_rng(SEED).permutation(9_000_000)[:rows] + 1_000_000
    writer: pq.ParquetWriter | None = None
    for part, start in enumerate(range(0, rows, DRAWN)):  # people of other seeds are people of the same population
        drawn = generate(min(DRAWN, rows - start), SEED + part, numbers=columns - others)
        table = drawn.table().drop_columns(["__row", "__participant"])
        table = table.add_column(0, ID, pa.array(ids[start : start + drawn.rows]))
        writer = writer or pq.ParquetWriter(folder / "cohort.parquet", table.schema, compression="zstd")
        writer.write_table(table)
    assert writer is not None
    writer.close()
    fields = (Field(TABLE, ID, ID, FieldType.INTEGER, Role.ID), *drawn.dictionary.fields)
    (folder / "dictionary.csv").write_text(to_csv(Dictionary(fields)), encoding="utf-8")


def _add(folder: Path, _rows: int, _columns: int) -> None:
    """Found a custody, add the dataset, and a project that passes the gate."""
    home, occasions = _custody(folder, found=True)
    from copyhold.actions import access, parties, projects
    from copyhold.jobs.catalogue import versions

    sources = versions.Sources((folder / "cohort.parquet",), folder / "dictionary.csv", ID)
    versions.add(home, occasions, "Cohort", sources, terms=("GRU",), step=_quiet)
    until = occasions().at.replace(year=2099)
    parties.add_institution(occasions(), "Hospital", "FR")
    parties.add_person(occasions(), LEAD, "Hospital")
    projects.add(occasions(), projects.Application("Heart", LEAD, "Cohort", ("HMB",), until))
    projects.approve(occasions(), "Heart")
    for clock, who in (("ethics", "Heart"), ("agreement", "Heart"), ("training", LEAD)):
        access.record(occasions(), clock, who, until)


def _release(folder: Path, _rows: int, _columns: int) -> Figures:
    """Make the copy through the job; say where its time went."""
    home, occasions = _custody(folder)
    from copyhold.actions import releases
    from copyhold.engines.marks.embedding import Embedding
    from copyhold.engines.tables import writing
    from copyhold.jobs import releases as jobs

    out, spent = folder / "copy.parquet", dict[str, float]()
    with (
        _timed(spent, "gate", releases, "request"),
        _timed(spent, "gate", releases, "begin"),
        _timed(spent, "gate", releases, "issue"),
        _timed(spent, "marks", Embedding, "mark"),
        _timed(spent, "hash", writing, "_measured"),
        _timed(spent, "decode", jobs, "_decoded"),
        _timed(spent, "power", jobs, "_told_by_rows"),
        _timed(spent, "utility", jobs, "_utility"),
        _timed(spent, "withdrawals", jobs.Copying, "_withdrawn"),
    ):
        started = time.process_time()
        asked = releases.request(occasions(), "Heart", LEAD)
        made = jobs.make(home, occasions, asked.id, out, step=_quiet)
        whole = time.process_time() - started
    parts = {name: round(seconds, 2) for name, seconds in spent.items()}
    counted = whole - spent.get("utility", 0.0) - spent.get("power", 0.0)
    return {"whole": round(whole, 2), "counted": round(counted, 2), "of_it": parts, "rows_needed": made.power["none"]}


def _withdrawn(folder: Path, rows: int, columns: int) -> Figures:
    """Make another copy after participants have withdrawn: their ids are looked for among all."""
    _, occasions = _custody(folder)
    from copyhold.actions import catalogue

    gone = pq.read_table(folder / "cohort.parquet", columns=[ID])[ID][:WITHDRAWN].to_pylist()
    catalogue.withdraw(occasions(), "Cohort", tuple(map(str, gone)))
    (folder / "copy.parquet").unlink()
    return _release(folder, rows, columns)


def _plain(folder: Path, _rows: int, _columns: int) -> None:
    """Read the snapshot's columns that leave and write them, in a stream and with the library's own settings."""
    snapshot = max((folder / "custody" / "objects").glob("*/*"), key=lambda file: file.stat().st_size)
    with pq.ParquetFile(snapshot) as file:
        names = [name for name in file.schema_arrow.names if not name.startswith("__")]
        schema = pa.schema([file.schema_arrow.field(name) for name in names])
        with pq.ParquetWriter(folder / "plain.parquet", schema, compression="zstd") as writer:
            for number in range(file.num_row_groups):
                writer.write_table(file.read_row_group(number, columns=names))


def _custody(folder: Path, *, found: bool = False) -> tuple[Any, Callable[[], Any]]:
    """Open the bench's custody with its operator acting."""
    from copyhold.config import wiring
    from copyhold.domain.accounts import Door

    home = (wiring.found_home if found else wiring.open_home)(folder / "custody", Door.CLI)
    from copyhold.actions import accounts, custody

    if found:
        custody.found(home.occasion(), "Bench", "op@custodian.example", False)
    person = accounts.recognise(home.occasion(), None, None)
    return home, lambda: replace(home.occasion(), actor=replace(home.actor, person=person))


@contextmanager
def _timed(spent: dict[str, float], name: str, where: Any, function: str) -> Iterator[None]:
    """Add the CPU time of a function's calls to a name; nothing where there is no such function."""
    original = getattr(where, function, None)
    if original is None:
        yield
        return

    @wraps(original)
    def timed(*args: Any, **kwargs: Any) -> Any:
        started = time.process_time()
        try:
            return original(*args, **kwargs)
        finally:
            spent[name] = spent.get(name, 0.0) + time.process_time() - started

    setattr(where, function, timed)
    try:
        yield
    finally:
        setattr(where, function, original)


def _quiet(_name: str, _share: float) -> None:
    """Tell nobody."""


def _report(
    rows: int, columns: int, add: Figures, before: Figures, release: Figures, after: Figures, fewer: Figures
) -> None:
    plain = (before["cpu"] + after["cpu"]) / 2
    figures = {
        "release over plain": release["counted"] / plain,
        "utility over release": release["of_it"].get("utility", 0.0) / release["counted"],
        "release memory, GB": release["peak_gb"],
        "dataset add, CPU minutes": add["cpu"] / 60,
        "dataset add memory, GB": add["peak_gb"],
    }
    print(f"{WITHDRAWN} withdrawn: {fewer['counted'] / plain:.2f} times plain, as every id is looked at")
    bars = BARS if columns <= WIDE else WIDE_BARS
    for name, figure in figures.items():
        bar = bars.get(name)
        told = "" if bar is None else f"bar {bar:.1f}   {'' if figure <= bar else 'MISSED'}"
        print(f"{name:28} {figure:7.2f}   {told}".rstrip())
    RESULTS.mkdir(exist_ok=True)
    found: Figures = {"rows": rows, "columns": columns, "figures": figures, "bars": bars}
    found |= {"plain": [before, after], "release": release, "after_withdrawals": fewer, "dataset_add": add}
    name = "release_speed.json" if columns <= WIDE else f"release_speed_{columns}.json"
    (RESULTS / name).write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
