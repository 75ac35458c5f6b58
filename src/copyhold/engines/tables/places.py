"""Some rows of a table that was written, read back from its file at a few places, typed as declared.

Only the row groups of Parquet that hold a place are read; other formats are read up to the last one.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
from pyarrow import parquet

from copyhold.domain.catalogue import Field
from copyhold.engines.tables.columns import typed
from copyhold.engines.tables.legal_names import legal_names
from copyhold.engines.tables.limits import Limits
from copyhold.engines.tables.reading import batches
from copyhold.engines.tables.regrouping import joined
from copyhold.engines.tables.snapshots import TYPES
from copyhold.engines.tables.sources import NO_FACTS, Kind
from copyhold.engines.tables.spelling import spelled

ROWS = 10_000  # looked at in all
PLACES = 4
_OWN = Limits(formulas=True)  # what looks like a formula in a file of ours is a text
ALIGNED = 4_096  # row groups have a power of two rows, so that a place from such a row lies in one or in small ones


@dataclass(frozen=True)
class Place:
    """Rows `start` up to `stop`, exclusive, counted from 0."""

    start: int
    stop: int

    @property
    def rows(self) -> int:
        """How many rows."""
        return self.stop - self.start

    def of(self, batch: pa.RecordBatch, first: int) -> pa.RecordBatch:
        """Give the part of a batch that lies in the place; `first` is the number of the batch's first row."""
        start = min(max(self.start - first, 0), batch.num_rows)
        return batch.slice(start, max(min(self.stop - first, batch.num_rows) - start, 0))


def places(rows: int) -> tuple[Place, ...]:
    """Choose places evenly over a table of `rows` rows: all of a small one, else ROWS in PLACES, first to last."""
    if rows <= ROWS:
        return (Place(0, rows),) if rows else ()
    each = ROWS // PLACES
    step = ALIGNED if rows > 2 * PLACES * ALIGNED else 1  # in a small table aligned places would overlap
    starts = [(rows - each) * place // (PLACES - 1) // step * step for place in range(PLACES)]
    return tuple(Place(start, start + each) for start in starts)


def gathered(parts: Iterable[pa.RecordBatch], wanted: Sequence[Place]) -> list[pa.RecordBatch | None]:
    """Take the rows of some places out of a stream, None where a place is empty or beyond its end."""
    held: list[list[pa.RecordBatch]] = [[] for _ in wanted]
    first = 0
    for part in parts:
        take(part, first, wanted, held)
        first += part.num_rows
        if first >= max((place.stop for place in wanted), default=0):
            break
    return [whole(parts) for parts in held]


def take(part: pa.RecordBatch, first: int, wanted: Sequence[Place], held: Sequence[list[pa.RecordBatch]]) -> None:
    """Add to `held` copies of the rows of a batch that lie in the places; the batch itself may go."""
    for place, parts in zip(wanted, held, strict=True):
        rows = place.of(part, first)
        if rows.num_rows:
            parts.append(rows.take(pa.array(range(rows.num_rows), pa.int64())))


def whole(parts: Sequence[pa.RecordBatch]) -> pa.RecordBatch | None:
    """Put the parts of a place together, None where there are none."""
    return joined(parts) if parts else None


def read_places(
    path: Path, kind: Kind, wanted: Sequence[Place], fields: Sequence[Field]
) -> list[pa.RecordBatch | None]:
    """Read places of a file of ours back, under the names and in the types that a snapshot has for `fields`.

    Raises:
        UnreadableFileError: the file is damaged.
    """
    if kind is Kind.PARQUET:
        found = [_of_groups(path, place) for place in wanted]
    else:
        found = gathered(_stream(path, kind), wanted)
    return [None if one is None else declared(one, kind, fields) for one in found]


def read_rows(path: Path, kind: Kind, fields: Sequence[Field]) -> Iterator[pa.RecordBatch]:
    """Read a whole file of ours back in the same way."""
    for batch in _stream(path, kind):
        yield declared(batch, kind, fields)


def declared(batch: pa.RecordBatch, kind: Kind, fields: Sequence[Field]) -> pa.RecordBatch:
    """Give a batch the names and types of a snapshot; one that has other columns stays as it is."""
    names = [one.name for one in fields]
    if batch.schema.names != list(legal_names(names, kind).values()):
        return batch
    columns = [_declared(column, one) for column, one in zip(batch.columns, fields, strict=True)]
    return pa.RecordBatch.from_arrays(columns, names=names)


def _stream(path: Path, kind: Kind) -> Iterator[pa.RecordBatch]:
    return batches(path, limits=_OWN, delimiter="," if kind is Kind.DELIMITED else "")


def _declared(column: pa.Array, one: Field) -> pa.Array:
    wanted = TYPES[one.type]
    if column.type == wanted:
        return column
    if pa.types.is_string(wanted):
        return spelled(column, NO_FACTS)
    try:
        return typed(column, kind=one.type).values.cast(wanted)
    except pa.ArrowException:  # what is not of the declared type is nothing that was released
        return pa.nulls(len(column), wanted)


def _of_groups(path: Path, place: Place) -> pa.RecordBatch | None:
    with parquet.ParquetFile(path) as file:
        return whole([part for part in _overlapping(file, place) if part.num_rows])


def _overlapping(file: parquet.ParquetFile, place: Place) -> Iterator[pa.RecordBatch]:
    first = 0
    for number in range(file.num_row_groups):
        rows = file.metadata.row_group(number).num_rows
        if first < place.stop and place.start < first + rows:
            group = file.read_row_group(number).combine_chunks().to_batches()
            yield from (place.of(one, first) for one in group)
        first += rows
