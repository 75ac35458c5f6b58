"""Which rows and fields of a snapshot's table leave in a copy: the scope, judged on master values.

* Fields stand in the dataset's order, the participant id first; direct identifiers never leave.
* Rows are those of the participants chosen, in the order of the master.
* A table of which nothing but the id would leave is no part of a copy, unless nothing else was asked for.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import parquet

from copyhold.domain.catalogue import Dictionary, Field, FieldType, Role
from copyhold.domain.errors import InvalidInputError
from copyhold.engines.tables import cohorts
from copyhold.engines.tables.blocks import AMBIGUOUS, PARTICIPANT, ROW
from copyhold.engines.tables.regrouping import joined
from copyhold.engines.tables.snapshots import GROUP_ROWS, TYPES, fixed_decimals, read_batches
from copyhold.engines.tables.sources import NO_FACTS, ColumnFacts, described
from copyhold.engines.tables.spelling import spelled

GROUPS = 4  # from which a sample comes at least
FEW = 64  # rows left out of a batch, up to which it is cheaper to put the rest together than to choose row by row

People = NDArray[np.uint64]


def scope(dictionary: Dictionary, asked: Sequence[str] | None) -> dict[str, tuple[str, ...]]:
    """Name the fields of each table that leave; `asked` None means all that may.

    Raises:
        InvalidInputError: a field asked for is not in the dataset, or identifies people directly.
    """
    offered = {one.name for one in dictionary.fields if one.role is not Role.DIRECT}
    strange = [name for name in asked or () if name not in offered]
    if strange:
        raise InvalidInputError(f"The dataset has no field {strange[0]} that may be released. Mend the scope.")
    named = offered if asked is None else set(asked)
    leaving = {table: _leaving(dictionary.of(table), named) for table in dictionary.tables}
    telling = {table for table, ids, others in _sorted_out(leaving) if others}
    return {table: (*ids, *others) for table, ids, others in _sorted_out(leaving) if not telling or table in telling}


def cohort(condition: str, dictionary: Dictionary, paths: Mapping[str, Path]) -> People:
    """Find the participants who meet a project's condition, ascending; `paths` are the snapshot's files by table.

    Raises:
        InvalidInputError: see `cohorts.parse`; a direct identifier is no field of a condition.
    """
    known = Dictionary(tuple(one for one in dictionary.fields if one.role is not Role.DIRECT))
    parsed = cohorts.parse(condition, known)
    return cohorts.participants(parsed, read_batches(paths[parsed.table], parsed.fields))


def identified(path: Path, name: str) -> Iterator[tuple[int, str]]:
    """Pair the number of each participant of a table with the id that the master writes, each once."""
    seen: set[int] = set()
    for batch in read_batches(path, [name]):
        numbers = batch.column(PARTICIPANT).to_pylist()
        for number, written in zip(numbers, spelled(batch.column(name), NO_FACTS).to_pylist(), strict=True):
            if number not in seen:
                seen.add(number)
                yield number, written


@dataclass(frozen=True, eq=False)
class Extract:
    """The rows and fields of one table that leave.

    `fields` are those of the table, `released` the names of those that leave, in order; `chosen` the participants,
    ascending, None for everybody, and `without` those who are left out whoever is chosen.
    """

    path: Path
    fields: tuple[Field, ...]
    released: tuple[str, ...]
    chosen: People | None = None
    without: People | None = None

    @cached_property
    def leaving(self) -> tuple[Field, ...]:
        """The fields that leave, in order."""
        of = {one.name: one for one in self.fields}
        return tuple(of[name] for name in self.released)

    @cached_property
    def schema(self) -> pa.Schema:
        """The columns of the copy, with what the dictionary says of them."""
        fixed = fixed_decimals(self.path)
        return pa.schema([_announced(one, one.name in fixed) for one in self.leaving])

    @cached_property
    def rows(self) -> int:
        """How many rows leave."""
        if self._everybody:
            return int(parquet.read_metadata(self.path).num_rows)
        return sum(int(self._keeps(batch).sum()) for batch in read_batches(self.path, ()))

    def batches(self, columns: Iterable[str], rows: int = GROUP_ROWS) -> Iterator[pa.RecordBatch]:
        """Iterate over the master's rows that leave: its numbers and flag, and the columns named."""
        return self._read(columns, rows, None)

    def sampled(self, columns: Iterable[str], most: int) -> Iterator[pa.RecordBatch]:
        """Iterate over all rows that leave where they are no more than `most`, else over parts of row groups.

        The groups are evenly chosen, at least GROUPS where there are so many.
        """
        if self.rows <= most:
            yield from self._read(columns, GROUP_ROWS, None)
            return
        count = int(parquet.read_metadata(self.path).num_row_groups)
        chosen = min(count, max(GROUPS, count * most // self.rows))
        for place in range(chosen):
            left = most // chosen
            for batch in self._read(columns, GROUP_ROWS, [count * place // chosen]):
                yield batch.slice(0, left)
                left = max(0, left - batch.num_rows)

    def _read(self, columns: Iterable[str], rows: int, groups: Sequence[int] | None) -> Iterator[pa.RecordBatch]:
        named = [name for name in columns if name not in (ROW, PARTICIPANT, AMBIGUOUS)]
        for batch in read_batches(self.path, named, rows, groups):
            if self._everybody:
                yield batch
                continue
            yield _kept(batch, self._keeps(batch))

    @property
    def _everybody(self) -> bool:
        return self.chosen is None and (self.without is None or not len(self.without))

    def _keeps(self, batch: pa.RecordBatch) -> NDArray[np.bool_]:
        people = batch.column(PARTICIPANT).to_numpy()
        keeps = np.ones(len(people), dtype=bool)
        if self.chosen is not None:
            keeps &= _among(people, self.chosen)
        if self.without is not None:
            keeps &= ~_among(people, self.without)
        return keeps


def _leaving(fields: Iterable[Field], named: set[str]) -> list[Field]:
    return [one for one in fields if one.role is Role.ID or (one.name in named and one.role is not Role.DIRECT)]


def _sorted_out(leaving: Mapping[str, list[Field]]) -> Iterator[tuple[str, list[str], list[str]]]:
    for table, fields in leaving.items():
        ids = [one.name for one in fields if one.role is Role.ID]
        yield table, ids, [one.name for one in fields if one.role is not Role.ID]


def _among(people: People, listed: People) -> NDArray[np.bool_]:
    """Say who is in an ascending list."""
    if not len(listed):
        return np.zeros(len(people), dtype=bool)
    place = np.minimum(np.searchsorted(listed, people), len(listed) - 1)
    return np.asarray(listed[place] == people)


def _kept(batch: pa.RecordBatch, keeps: NDArray[np.bool_]) -> pa.RecordBatch:
    """Keep some rows; where few are left out, what lies between them is copied as it lies."""
    left_out = np.flatnonzero(~keeps)
    if not len(left_out):
        return batch
    if len(left_out) > FEW:
        return batch.filter(pa.array(keeps))
    borders = zip([0, *(left_out + 1)], [*left_out, batch.num_rows], strict=True)
    parts = [batch.slice(start, stop - start) for start, stop in borders if stop > start]
    return joined(parts) if parts else batch.slice(0, 0)


def _announced(one: Field, fixed: bool) -> pa.Field:
    decimals = one.decimals if one.type is FieldType.DECIMAL else None
    facts = ColumnFacts(one.title, one.unit, decimals, fixed, missing_codes=one.missing_codes)
    return described(pa.field(one.name, TYPES[one.type]), facts)
