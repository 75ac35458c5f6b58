"""Who is in a snapshot, and which rows are whose: numbers alone, no field is read."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pyarrow import parquet

from copyhold.engines.tables.blocks import PARTICIPANT, ROW

People = NDArray[np.uint64]


def participants_of(paths: Iterable[Path]) -> People:
    """Give the participants of some snapshot tables, ascending."""
    found = [np.unique(parquet.read_table(path, columns=[PARTICIPANT])[PARTICIPANT].to_numpy()) for path in paths]
    return np.unique(np.concatenate(found)).astype(np.uint64) if found else np.empty(0, dtype=np.uint64)


def rows_of(path: Path, people: People) -> NDArray[np.uint64]:
    """Give the numbers of the rows of some participants (ascending), ascending."""
    table = parquet.read_table(path, columns=[ROW, PARTICIPANT])
    theirs = np.isin(table[PARTICIPANT].to_numpy(), people)
    return np.sort(table[ROW].to_numpy()[theirs]).astype(np.uint64)
