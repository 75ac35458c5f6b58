"""One table of one party's copy: marked and written in a stream, then read back from its file and decoded.

The copy's bytes do not depend on how the master was read. What is looked at again are the same rows of file and master:
all of a small table, else 10,000 in a few places.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from copyhold.domain.words import Plain
from copyhold.engines.marks.embedding import DecodeCheck, Embedding
from copyhold.engines.marks.utility import UtilityMeter
from copyhold.engines.tables import statwriting
from copyhold.engines.tables.blocks import PARTICIPANT
from copyhold.engines.tables.extracts import Extract
from copyhold.engines.tables.files import opened
from copyhold.engines.tables.limits import Limits
from copyhold.engines.tables.places import Place, places, read_places, read_rows, take, whole
from copyhold.engines.tables.regrouping import regrouped
from copyhold.engines.tables.snapshots import GROUP_ROWS
from copyhold.engines.tables.sources import Kind
from copyhold.engines.tables.writing import WrittenTable, write

COMPARED = 16_384  # rows at a time
MEASURED_ROWS, MEASURED_CELLS = 200_000, 20_000_000  # on which utility is measured, whichever is less
MISMATCH = DecodeCheck(others=1, altered=1)  # rows that are not there at all

Step = Callable[[float], None]


@dataclass(frozen=True, eq=False)
class TableCopy:
    """A table as it was written: whom it holds, and the places of the master that it is held against."""

    written: WrittenTable
    participants: NDArray[np.uint64]
    places: tuple[Place, ...]
    master: tuple[pa.RecordBatch, ...] = field(repr=False)


def write_copy(
    extract: Extract, embedding: Embedding, path: Path, *, rows: int = GROUP_ROWS, step: Step = lambda share: None
) -> TableCopy:
    """Mark what leaves of a table and write it to `path`, in the format of its ending; `rows` are read at a time.

    Raises:
        InvalidInputError: the format cannot hold a value.
    """
    marking = _Marking(extract, embedding, places(extract.rows), step)
    written = write(marking.batches(rows), path, extract.schema)
    held = tuple(one for parts in marking.held if (one := whole(parts)) is not None)
    return TableCopy(written, distinct(marking.people), marking.places, held)


def decode(copy: TableCopy, extract: Extract, embedding: Embedding) -> DecodeCheck:
    """Read places of the written file back and hold every cell against the master and the party's marks."""
    kind = copy.written.kind
    read = read_places(copy.written.path, kind, copy.places, extract.leaving)
    check = DecodeCheck() if copy.written.rows == extract.rows else MISMATCH
    for found, master in zip(read, copy.master, strict=True):
        check += MISMATCH if found is None else embedding.decode(found, master, lambda text: settled(text, kind))
    return check


def decode_all(path: Path, extract: Extract, embedding: Embedding) -> DecodeCheck:
    """Hold every row of a file against the master and the party's marks.

    Raises:
        UnreadableFileError: the file is no table that can be read.
    """
    kind = opened(path, None, Limits()).kind
    shown = regrouped(read_rows(path, kind, extract.leaving), COMPARED)
    asked = regrouped(extract.batches(embedding.inputs), COMPARED)
    check = DecodeCheck()
    for found, master in zip_longest(shown, asked):
        both = found is not None and master is not None
        check += embedding.decode(found, master, lambda text: settled(text, kind)) if both else MISMATCH
    return check


def distinct(people: Iterable[NDArray[np.uint64]]) -> NDArray[np.uint64]:
    """Give participants each once, ascending; a sort is several times faster here than numpy's own hashing."""
    ordered = np.sort(np.concatenate(list(people)))
    return ordered[np.flatnonzero(np.diff(ordered, prepend=ordered[:1] + 1))]


def utility(extract: Extract, control: Embedding, *, step: Step = lambda share: None) -> dict[str, Plain]:
    """Measure what marks cost science on a control copy, whose key nobody has: of a large table, on a part of it."""
    meter, done = UtilityMeter(extract.leaving), 0
    # Correlations cost rows times fields squared, a copy rows times fields: few rows of a wide table will do.
    most = min(MEASURED_ROWS, MEASURED_CELLS // max(1, len(extract.leaving)))
    for batch in extract.sampled(control.inputs, most):
        meter.add(batch, control.mark(batch))
        done += batch.num_rows
        step(done / max(min(most, extract.rows), 1))
    return meter.finish()


def settled(text: pa.Array, kind: Kind) -> pa.Array:
    """Say what a format makes of a text."""
    return text if kind in (Kind.PARQUET, Kind.DELIMITED) else statwriting.settled(text, kind)


@dataclass(eq=False)
class _Marking:
    """The copy's batches on their way to the file, and what is kept of them."""

    extract: Extract
    embedding: Embedding
    places: tuple[Place, ...]
    step: Step
    held: Sequence[list[pa.RecordBatch]] = ()
    people: list[NDArray[np.uint64]] = field(default_factory=lambda: [np.zeros(0, dtype=np.uint64)])

    def batches(self, rows: int) -> Iterator[pa.RecordBatch]:
        """Mark batch after batch."""
        self.held, first = [[] for _ in self.places], 0
        for batch in self.extract.batches(self.embedding.inputs, rows):
            take(batch, first, self.places, self.held)
            self.people.append(batch.column(PARTICIPANT).to_numpy())
            yield self.embedding.mark(batch)
            first += batch.num_rows
            self.step(first / max(self.extract.rows, 1))
