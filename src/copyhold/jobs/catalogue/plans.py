"""The mark plan of a version, the key under which its cells are drawn, and its tables as blocks."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pyarrow as pa

from copyhold.domain.catalogue import Dictionary, Field, Role, Version
from copyhold.engines.marks.keys import PlanKeys
from copyhold.engines.marks.plan import MarkPlan
from copyhold.engines.tables.blocks import NUMERIC, Block, block
from copyhold.engines.tables.snapshots import read_batches
from copyhold.ports import Occasion, Outside

Occasions = Callable[[], Occasion]


def plan_of(outside: Outside, version: Version) -> MarkPlan:
    """Read a version's mark plan."""
    with outside.storage.open(version.plan_sha256) as data:
        return MarkPlan.from_json(data.read())


def plan_key(outside: Outside, custody: str, dataset: str) -> bytes:
    """Derive the key under which a dataset's cells are drawn."""
    return outside.keys.derive("plan", custody, dataset).reveal()


def plan_keys(outside: Outside, custody: str, dataset: str) -> PlanKeys:
    """Derive the keys of a dataset's plan and of the salts of its commitments."""
    return PlanKeys(plan_key(outside, custody, dataset), outside.keys.derive("salt", custody, dataset).reveal())


def blocks(paths: Sequence[tuple[int, Path]], dictionary: Dictionary, tables: Sequence[str]) -> Iterator[Block]:
    """Read every table of a snapshot as blocks; `paths` pair a table's number with its file."""
    for number, path in paths:
        fields = dictionary.of(tables[number - 1])
        for batch in read_for_marks(path, fields):
            yield block(batch, fields, number)


def read_for_marks(path: Path, fields: Sequence[Field]) -> Iterator[pa.RecordBatch]:
    """Read what marks depend on in a table: its numbers, and the fields that divide their support."""
    strata = {one.stratum for one in fields if one.stratum}
    return read_batches(path, [one.name for one in fields if _is_read(one, strata)])


def _is_read(one: Field, strata: set[str]) -> bool:
    return one.role not in (Role.ID, Role.DIRECT) and (one.type in NUMERIC or one.name in strata)
