"""The world of the tracing benches: a marked dataset, ten thousand parties, and leaks of their copies as files.

A leak is written to a file and read back by the product's own readers, so that what is measured is what a custodian
would see. Party keys, leaked rows and attacks come from a fixed seed; control keys from the operating system, as in a
real trace.
"""

import atexit
import os
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from importlib.resources import files
from pathlib import Path
from typing import cast

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from bench.cohort import generate
from copyhold.domain.catalogue import Dictionary, Field, FieldType, Role, Tolerance
from copyhold.engines.marks.dates import ShiftLaw
from copyhold.engines.marks.draft import DEFAULT, draw_plan
from copyhold.engines.marks.embedding import Embedding
from copyhold.engines.marks.keys import PartyKeys
from copyhold.engines.marks.permutation import FIFTEEN_DIGITS, IdSpace
from copyhold.engines.marks.plan import MarkPlan
from copyhold.engines.marks.shifting import Shifts
from copyhold.engines.marks.strength import Strength
from copyhold.engines.matching.index import TableIndex, build_index
from copyhold.engines.reading.master import Master
from copyhold.engines.reading.reader import Read, read
from copyhold.engines.reading.sighting import SightedTable, leaked_columns, sighted
from copyhold.engines.tables.blocks import PARTICIPANT, ROW, block
from copyhold.engines.tables.dictionary import from_csv
from copyhold.engines.tables.reading import read_table
from copyhold.engines.tables.snapshots import write_snapshot
from copyhold.engines.tracing.naming import CONTROLS, Attempt, Naming, name_parties
from copyhold.engines.tracing.parties import Facts, Holding, KeyedParties, control_parties

PARTIES = 10_000
ADULT_PARTIES = 1_000
PLAN_KEY = b"plan of the benches, 32 bytes!!!"
ID = "person"
DESIGNS = {"A": Strength(), "B": Strength(share=1.0, step=0.5, noise=0.01)}

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Traced:
    """What a trace of one leak came to."""

    sighting: SightedTable
    read: Read
    naming: Naming | None


@dataclass(frozen=True)
class World:
    """A dataset of one table with its plan and index, and the parties that were each given all of it."""

    name: str
    table: pa.Table
    dictionary: Dictionary
    plan: MarkPlan
    index: TableIndex
    space: IdSpace = FIFTEEN_DIGITS
    parties: int = PARTIES
    law: ShiftLaw | None = None  # of the date shifts that every party accepted

    @cached_property
    def keys(self) -> tuple[PartyKeys, ...]:
        """The keys of the parties, the same in every run so that a trial can be looked at again."""
        rng = np.random.default_rng([20_261_124, self.parties])
        return tuple(PartyKeys(rng.bytes(32), rng.bytes(32), rng.bytes(32)) for _ in range(self.parties))

    @cached_property
    def stranger(self) -> PartyKeys:
        """Keys of a copy that none of the parties was given."""
        rng = np.random.default_rng(20_261_125)
        return PartyKeys(rng.bytes(32), rng.bytes(32), rng.bytes(32))

    @cached_property
    def facts(self) -> Facts:
        """What the register says of each party: it held everything."""
        return Facts((Holding(1),), np.sort(self.index.participants), self.law)

    @cached_property
    def keyed(self) -> KeyedParties:
        """The parties as a scorer asks them."""
        return KeyedParties(self.keys, [self.facts] * self.parties, self.space)

    @property
    def released(self) -> tuple[str, ...]:
        """The fields of a copy: the id first, then all that may go."""
        fields = self.dictionary.of(self.index.table)
        ids = [field.name for field in fields if field.role is Role.ID]
        return (*ids, *(field.name for field in fields if field.role not in (Role.ID, Role.DIRECT)))

    @property
    def ids(self) -> tuple[str, ...]:
        """Names of the id column."""
        return tuple(field.name for field in self.dictionary.fields if field.role is Role.ID)

    @cached_property
    def tolerances(self) -> Mapping[str, float]:
        """Declared tolerances of the marked fields."""
        marked = {column.field for column in self.plan.columns}
        declared = {field.name: field.tolerance for field in self.dictionary.fields}
        return {name: one.amount for name, one in declared.items() if one is not None and name in marked}

    @cached_property
    def decimals(self) -> Mapping[str, int]:
        """Decimals of the numeric fields."""
        return {field.name: field.decimals for field in self.dictionary.fields if field.decimals is not None}

    @cached_property
    def master(self) -> Master:
        """The version as the reader sees it."""
        return Master(self.plan, PLAN_KEY, {1: self.index})

    def rows(self, rows: NDArray[np.int64]) -> pa.Table:
        """Give some rows of the master, in the order asked for."""
        return self.table.take(pa.array(rows))

    def copy(self, party: int, rows: NDArray[np.int64]) -> pl.DataFrame:
        """Give some rows of a party's copy, in the order asked for."""
        return self.marked(self.keys[party], self.rows(rows))

    def marked(self, keys: PartyKeys, rows: pa.Table) -> pl.DataFrame:
        """Mark rows of some version for the holder of the keys."""
        made = Embedding(
            self.plan, PLAN_KEY, keys, self.index.table, self.dictionary.of(self.index.table), self.released,
            self.space, Shifts(self.law) if self.law else None,
        )  # fmt: skip
        parts = [made.mark(batch) for batch in rows.combine_chunks().to_batches()]
        return cast(pl.DataFrame, pl.from_arrow(pa.Table.from_batches(parts)))

    def original(self, rows: NDArray[np.int64]) -> pl.DataFrame:
        """Give some rows of the unmarked master."""
        names = [name for name in self.released if name not in self.ids]
        return cast(pl.DataFrame, pl.from_arrow(self.table.select(names).take(pa.array(rows))))

    def sampled(self, rows: int, rng: np.random.Generator) -> NDArray[np.int64]:
        """Choose rows at random."""
        return rng.choice(self.index.rows, rows, replace=False)

    def read(self, leak: Path) -> tuple[SightedTable, Read]:
        """Find a leaked file in the master, and read it."""
        found = sighted(leaked_columns(read_table(leak)), self.master)
        return found, self.reading(found)

    def reading(self, found: SightedTable) -> Read:
        """Read a table as it was found, or as somebody says that it was."""
        return read([found], self.master, self.space, self.ids, self.law.days if self.law else 0)

    def trace(self, leak: Path, attempt: int = 1, controls: int = CONTROLS) -> Traced:
        """Do what a trace does with a leaked file."""
        found, reading = self.read(leak)
        return Traced(found, reading, self.accuse(reading, attempt, controls))

    def accuse(self, reading: Read, attempt: int = 1, controls: int = CONTROLS) -> Naming | None:
        """Name the parties that a reading shows; None where it shows nothing that could be scored."""
        if not reading.alternatives:
            return None
        fresh = control_parties([self.facts], self.space, controls, os.urandom)
        return name_parties(reading.alternatives, self.keyed, fresh, Attempt(attempt, self.parties))


def write(frame: pl.DataFrame, folder: Path, *, decimals: Mapping[str, int] | None = None) -> Path:
    """Write a leak as CSV, numbers in their shortest form or with the decimals given."""
    path = folder / "leak.csv"
    shown = frame
    if decimals:
        shown = frame.with_columns(
            pl.Series(name, [None if one is None else f"{one:.{places}f}" for one in frame[name].to_list()])
            for name, places in decimals.items()
            if name in frame.columns
        )
    shown.write_csv(path)
    return path


def cohort_world(design: str, rows: int = 500_000, *, numbers: int = 28, seed: int = 1) -> World:
    """Build the reference cohort under a design, with ids."""
    cohort = generate(rows, seed, numbers=numbers)
    table = cohort.table()
    dictionary = Dictionary((_id_field(cohort.dictionary.fields[0].table), *cohort.dictionary.fields))
    table = table.append_column(ID, pa.array(table[PARTICIPANT].to_numpy().astype(str)))
    return _world(f"cohort {design}", table, dictionary, DESIGNS[design])


def nhanes_world(design: str) -> World:
    """Build NHANES under a design, with the dictionary that ships with the demo."""
    data = files("copyhold.demo_data")
    dictionary = from_csv(Path(str(data / "dictionary.csv")))
    with tempfile.TemporaryDirectory() as folder:
        source = Path(str(data / "nhanes.parquet"))
        made = write_snapshot({dictionary.tables[0]: source}, dictionary, Path(folder), id_column="SEQN")
        table = pq.read_table(made.tables[0].path)
    return _world(f"NHANES {design}", table, dictionary, DESIGNS[design])


def adult_world(design: str, source: Path) -> World:
    """Build the Adult census under a design: age, hours and sampling weight are marked; 1,000 parties."""
    table = pq.read_table(source)
    numbers = {"age": Tolerance(1.0), "hours-per-week": Tolerance(2.0), "fnlwgt": Tolerance(0.01, relative=True)}
    fields = tuple(_adult_field(name, table.schema.field(name).type, numbers) for name in table.column_names)
    people = pa.array(np.arange(table.num_rows, dtype=np.uint64))
    table = table.append_column(ROW, people).append_column(PARTICIPANT, people)
    made = _world(f"Adult {design}", table, Dictionary(fields), DESIGNS[design])
    return replace(made, parties=ADULT_PARTIES)


def coded_world(rows: int, *, dates: bool) -> World:
    """Build a table without a number that could be marked: codes and answers, or diagnosis codes with dates.

    Dates are shifted by up to two weeks, which every party accepted.
    """
    cohort = generate(rows, 1)
    rng = np.random.default_rng([2, rows])
    names = ["occupation", "centre"] if dates else ["sex", "ethnicity", "education", "smoking", "diet"]
    codes = {name: cohort.categories[name] for name in names}
    if not dates:
        codes |= {"deprivation": rng.integers(1, 11, rows).astype(str), "born": rng.integers(1, 13, rows).astype(str)}
        codes |= {f"answer_{place}": rng.choice(["yes", "no"], rows) for place in range(12)}
    people = np.arange(rows, dtype=np.uint64)
    columns = {ROW: pa.array(people), PARTICIPANT: pa.array(people), ID: pa.array(people.astype(str))}
    columns |= {name: pa.array(values.tolist(), pa.string()) for name, values in codes.items()}
    moments = {name: days for name, days in cohort.dates.items() if dates}
    columns |= {name: pa.array(days, pa.date32()) for name, days in moments.items()}
    fields = [_id_field("codes"), *(Field("codes", name, name, FieldType.CATEGORY, Role.QUASI) for name in codes)]
    fields += [Field("codes", name, name, FieldType.DATE, Role.QUASI) for name in moments]
    made = _world("codes", pa.table(columns), Dictionary(tuple(fields)), DEFAULT)
    return replace(made, law=ShiftLaw(14) if dates else None)


def _adult_field(name: str, kind: pa.DataType, marked: Mapping[str, Tolerance]) -> Field:
    if name == "Id":
        return Field("adult", name, name, FieldType.TEXT, Role.ID)
    if not pa.types.is_integer(kind):
        return Field("adult", name, name, FieldType.CATEGORY, Role.QUASI)
    return Field(
        "adult", name, name, FieldType.INTEGER, Role.QUASI, decimals=0, grid=1.0, tolerance=marked.get(name),
        mark=name in marked,
    )  # fmt: skip


def _id_field(table: str) -> Field:
    return Field(table, ID, ID, FieldType.TEXT, Role.ID)


def _world(name: str, table: pa.Table, dictionary: Dictionary, strength: Strength) -> World:
    batches = table.combine_chunks().to_batches(max_chunksize=65_536)
    named = dictionary.tables[0]
    plan = draw_plan(dictionary, (block(one, dictionary.of(named), 1) for one in batches), strength)
    folder = Path(tempfile.mkdtemp(prefix="copyhold-bench-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    pq.write_table(table, folder / "snapshot.parquet")
    index = build_index(folder / "snapshot.parquet", dictionary, named, folder / "index", version=name)
    return World(name, table, dictionary, plan, index)
