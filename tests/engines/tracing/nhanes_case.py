"""A case on real data: eight rows of one party's copy of NHANES, read, scored, named, and every cell opened."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from copyhold.engines.marks.cells import cells
from copyhold.engines.marks.commitment import CommittedTable, CommittedVersion, RowTree, TableCommitment, leaves
from copyhold.engines.marks.keys import PartyKeys, PlanKeys, commitment
from copyhold.engines.marks.permutation import FIFTEEN_DIGITS
from copyhold.engines.marks.plan import MarkPlan
from copyhold.engines.reading.readings import Alternative, Channel, Reading, party_half
from copyhold.engines.tables.blocks import Block
from copyhold.engines.tracing.casefile import Asked, Circumstances, Identity, case_file
from copyhold.engines.tracing.naming import Attempt, Naming, name_parties
from copyhold.engines.tracing.openings import opened
from copyhold.engines.tracing.parties import Cells, Facts, Holding, KeyedParties, control_parties
from tests.engines.marks.nhanes import PLAN_KEY, TABLE, blocks, dictionary, snapshot
from tests.engines.marks.test_plan import nhanes_plan

KEYS = PlanKeys(PLAN_KEY, b"s" * 32)
NONCE = b"n" * 32
LEAKER = 2
ROWS = range(40, 200, 20)  # places in the snapshot, over three of its row groups
PARTIES = tuple(PartyKeys(*(bytes([number, kind]) * 16 for kind in range(3))) for number in range(1, 6))


@dataclass(frozen=True)
class RealCase:
    """A version with its commitment, a reading of a leaked copy, and what came out."""

    version: CommittedVersion
    alternatives: tuple[Alternative, ...]
    naming: Naming
    parties: KeyedParties

    @property
    def cells(self) -> Cells:
        """The cells used."""
        return Asked.by(self.alternatives).cells

    def content(self, **more: Any) -> bytes:
        """The case file."""
        said: dict[str, Any] = {"openings": opened(self.version, self.cells), **more}
        return case_file(self.alternatives, party_half, self.parties, self.naming, circumstances(self.naming, **said))


def circumstances(naming: Naming, **more: Any) -> Circumstances:
    identities = tuple(
        Identity(f"pty_{one.party}", "Lipids", "Harbour", commitment(PARTIES[one.party].mark, NONCE).hex(), ("rel_1",))
        for one in naming.names
    )
    usual = Circumstances(
        case="cas_1",
        dataset="NHANES",
        version="ver_1",
        leak={"sha256": "00" * 32, "captured_at": "2026-01-05T09:00:00Z"},
        identities=identities,
        attempts=1,
        derivations=7,
        blind_errors=0,
        blind_trials=60,
        flows=("Copy rel_1 was released to the project Lipids at Harbour on 5 January 2026.",),
        safeguards={"The leak was hashed before it was scored": True, "The holder countersigned": False},
    )
    return replace(usual, **more)


@cache
def version(folder: Path) -> CommittedVersion:
    """Commit to 200 people in row groups of 64."""
    path = folder / "people.parquet"
    pq.write_table(people(), path, row_group_size=64)
    table = CommittedTable(TableCommitment(nhanes_plan(), KEYS, TABLE, dictionary().of(TABLE)), path, 200)
    return CommittedVersion((table,), RowTree(leaves([table], lambda share: None)))


def people() -> pa.Table:
    return snapshot().slice(3_000, 200).combine_chunks()


def real_case(folder: Path) -> RealCase:
    parties = KeyedParties(PARTIES, (Facts((Holding(1),), np.arange(0)),) * len(PARTIES), FIFTEEN_DIGITS)
    alternatives = (Alternative(1.0, reading(parties, LEAKER)),)
    controls = control_parties(parties._facts, FIFTEEN_DIGITS, 200, np.random.default_rng(5).bytes)
    naming = name_parties(alternatives, parties, controls, Attempt(1, len(PARTIES)))
    return RealCase(version(folder), alternatives, naming, parties)


def reading(parties: KeyedParties, leaker: int) -> Reading:
    """Read the marked cells of some rows of one party's copy, without error."""
    (read,) = blocks(people().take(list(ROWS)), dictionary())
    return read_exactly(nhanes_plan(), PLAN_KEY, read, parties, leaker)


def read_exactly(plan: MarkPlan, plan_key: bytes, read: Block, parties: KeyedParties, leaker: int) -> Reading:
    """Read the marked cells of a block as one party's copy shows them."""
    rows = len(read.rows)
    found = cells(plan, plan_key, read)
    names = sorted(found)
    where = [(place, name) for place in range(rows) for name in names if found[name].marked[place]]
    shown = [_cell(read, found[name], place) for place, name in where]
    table, row, column, threshold, low, high, original_high = (np.array(part) for part in zip(*shown, strict=True))
    addressed = Cells(table.astype("u2"), row.astype("u8"), column.astype("u4"), threshold.astype("u2"))
    bits = parties.select(np.array([leaker])).bits(addressed)[0]
    return Reading(
        neutral=np.full(rows, 0.05),
        candidate_group=np.arange(rows),
        candidate_row=read.rows,
        participant=read.participants,
        candidate_weight=np.full(rows, 0.95),
        cell_candidate=np.array([place for place, _ in where]),
        table=table,
        row=row,
        column=column,
        threshold=threshold,
        low=low,
        high=high,
        original_high=original_high,
        institution=np.zeros(len(where), dtype=bool),
        channel=np.array([names.index(name) for _, name in where]),
        observation_cell=np.arange(len(where)),
        observation=np.where(bits, high, low),
        **{name: np.zeros(0, dtype=int) for name in EMPTY},
        channels=tuple(Channel(name, f"col {name}", 0.0, (0.0,), (1.0,), 1_000.0) for name in names),
    )


EMPTY: Sequence[str] = ("id_candidate", "id_value", "loose_id", "date_candidate", "date_unit", "date_shift")


def _cell(read: Block, one: Any, place: int) -> tuple[Any, ...]:
    low, high = one.natural(one.low)[place], one.natural(one.high)[place]
    value = one.natural(one.values)[place]
    return read.table, int(read.rows[place]), one.column.column, int(one.threshold[place]), low, high, value == high
