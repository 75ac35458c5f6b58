"""Real leaks: rows of marked copies of NHANES and of the reference cohort, written to files and read by the product.

What comes out is what the reader made of a file: its columns, units, rows, channels, ids and shifts, not a drawing.
"""

import atexit
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from tempfile import TemporaryDirectory, mkdtemp
from typing import cast

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from bench.cohort import generate
from copyhold.domain.catalogue import Dictionary, Field, FieldType, Role
from copyhold.engines.marks.dates import ShiftLaw
from copyhold.engines.marks.draft import draw_plan, extend_plan
from copyhold.engines.marks.embedding import Embedding
from copyhold.engines.marks.keys import PartyKeys
from copyhold.engines.marks.permutation import SEVEN_DIGITS
from copyhold.engines.marks.plan import MarkPlan
from copyhold.engines.marks.shifting import Shifts
from copyhold.engines.matching.index import TableIndex, build_index
from copyhold.engines.reading.reader import Read, read
from copyhold.engines.reading.sighting import Master, leaked_columns, sighted
from copyhold.engines.tables.blocks import block
from copyhold.engines.tables.reading import read_table
from copyhold.engines.tables.snapshots import write_snapshot
from copyhold.engines.tracing.parties import Facts, Holding, KeyedParties, control_parties
from tests.journeys.scene import dictionary as nhanes_dictionary
from tests.journeys.scene import people

PLAN_KEY = b"plan of the attacks, 32 bytes!!!"
LAW = ShiftLaw(15)  # K = 31

Rows = Sequence[int] | NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Realm:
    """A dataset of one table with its plan and index; ids have seven digits."""

    dictionary: Dictionary
    path: Path
    plan: MarkPlan
    index: TableIndex
    parties: int = 12

    @cached_property
    def table(self) -> pa.Table:
        return pq.read_table(self.path)

    @cached_property
    def keys(self) -> tuple[PartyKeys, ...]:
        rng = np.random.default_rng([11, self.parties])
        return tuple(PartyKeys(rng.bytes(32), rng.bytes(32), rng.bytes(32)) for _ in range(self.parties))

    @property
    def id_field(self) -> str:
        return next(field.name for field in self.dictionary.fields if field.role is Role.ID)

    def facts(self, **more: object) -> Facts:
        """Everybody held everything, with dates shifted by up to LAW's days."""
        return Facts((Holding(1),), np.sort(self.index.participants), LAW, **more)  # type: ignore[arg-type] # as given

    def keyed(self, facts: Facts | None = None) -> KeyedParties:
        return KeyedParties(self.keys, [facts or self.facts()] * self.parties, SEVEN_DIGITS)

    def controls(self, count: int, seed: int = 7) -> KeyedParties:
        return control_parties([self.facts()], SEVEN_DIGITS, count, np.random.default_rng(seed).bytes)

    def copy(self, party: int, rows: Rows, *, shifted: bool = False) -> pl.DataFrame:
        """Give some rows of a party's copy."""
        name = self.plan.tables[0]
        fields = self.dictionary.of(name)
        released = tuple(field.name for field in fields if field.role is not Role.DIRECT)
        made = Embedding(
            self.plan,
            PLAN_KEY,
            self.keys[party],
            name,
            fields,
            released,
            SEVEN_DIGITS,
            Shifts(LAW) if shifted else None,
        )
        (batch,) = self.table.take(pa.array(np.asarray(rows))).combine_chunks().to_batches()
        return cast(pl.DataFrame, pl.from_arrow(made.mark(batch)))

    def original(self, rows: Rows) -> pl.DataFrame:
        names = [field.name for field in self.dictionary.fields if field.role is not Role.DIRECT]
        return cast(pl.DataFrame, pl.from_arrow(self.table.select(names).take(pa.array(np.asarray(rows)))))

    def read(self, leak: pl.DataFrame, *, ids: bool = False, reach: int = 0) -> Read:
        """Write a leak to a file, and read it as a trace does; without its ids where nothing else is said."""
        master = Master(self.plan, PLAN_KEY, {1: self.index})
        with TemporaryDirectory(prefix="copyhold-leak-") as folder:
            path = Path(folder) / "leak.csv"
            (leak if ids else leak.drop(self.id_field)).write_csv(path)
            found = sighted(leaked_columns(read_table(path)), master)
        return read([found], master, SEVEN_DIGITS, [self.id_field], reach)


@cache
def nhanes() -> Realm:
    """3,000 adults of NHANES."""
    return _realm(people(), nhanes_dictionary(), "SEQN")


@cache
def cohort() -> Realm:
    """3,000 people of the reference cohort, with three dates."""
    drawn = generate(3_000, 1)
    table = cast(pl.DataFrame, pl.from_arrow(drawn.table())).drop("__participant").rename({"__row": "person"})
    name = drawn.dictionary.fields[0].table
    ids = Field(name, "person", "person", FieldType.INTEGER, Role.ID)
    return _realm(table, Dictionary((ids, *drawn.dictionary.fields)), "person")


def _realm(table: pl.DataFrame, dictionary: Dictionary, ids: str, before: Realm | None = None) -> Realm:
    folder = Path(mkdtemp(prefix="copyhold-realm-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    table.write_csv(folder / "source.csv")
    name = dictionary.tables[0]
    previous = {name: before.path} if before else None
    made = write_snapshot({name: folder / "source.csv"}, dictionary, folder, id_column=ids, previous=previous)
    path = made.tables[0].path
    read_blocks = [block(batch, dictionary.of(name), 1) for batch in pq.read_table(path).to_batches()]
    plan = extend_plan(before.plan, dictionary, read_blocks) if before else draw_plan(dictionary, read_blocks)
    build_index(path, dictionary, name, folder / "index", version=str(folder))
    return Realm(dictionary, path, plan, TableIndex(folder / "index", dictionary))


def refreshed(realm: Realm, table: pl.DataFrame) -> Realm:
    """Give the next version of a realm."""
    return _realm(table, realm.dictionary, realm.id_field, realm)
