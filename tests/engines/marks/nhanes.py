"""The shipped NHANES table as a snapshot, with a dictionary made for these tests."""

import csv
from importlib.resources import files

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from copyhold.domain.catalogue import CutPoint, Dictionary, Field, FieldType, Role, Tolerance
from copyhold.engines.tables.blocks import AMBIGUOUS, PARTICIPANT, ROW, Block, block

TABLE = "people"
PLAN_KEY = b"p" * 32
TIES = {
    "BMXBMI": ("= 10000*BMXWT/BMXHT^2 +- 0.05",),
    "LBDLDL": ("= LBXTC - LBDHDD - 0.2*LBXTR",),
    "LBXSGB": ("= LBXSTP - LBXSAL",),
    "LBDHDD": ("<= LBXTC",),
    "BPXDI1": ("<= BPXSY1",),
}
CUTS = {"BMXBMI": (CutPoint(25.0), CutPoint(30.0)), "BPXSY1": (CutPoint(140.0),), "LBXTC": (CutPoint(200.0),)}
TOLERANCES = {
    "BMXWT": 0.5, "BMXHT": 1.0, "BMXWAIST": 1.0, "BPXPLS": 4.0, "BPXSY1": 4.0, "BPXDI1": 4.0, "LBXSAL": 0.2,
    "LBXSCH": 6.0, "LBXSGL": 4.0, "LBXSTP": 0.2, "LBXSTR": 8.0, "LBXSCR": 0.05, "LBXTC": 6.0, "LBDHDD": 3.0,
    "LBXTR": 8.0, "LBXGLU": 4.0, "LBXGH": 0.2, "URXUCR": 5.0, "RIDAGEYR": 0.5, "DMDHHSIZ": 1.0, "RIAGENDR": 1.0,
    "BMXBMI": 0.2,
}  # fmt: skip


def snapshot() -> pa.Table:
    table = pq.read_table(str(files("copyhold.demo_data") / "nhanes.parquet"))
    numbers = pa.array(np.arange(len(table), dtype=np.uint64))
    table = table.append_column(ROW, numbers).append_column(PARTICIPANT, numbers)
    return table.append_column(AMBIGUOUS, pa.array(np.zeros(len(table), dtype=bool)))


def dictionary() -> Dictionary:
    with (files("copyhold.demo_data") / "nhanes_columns.csv").open() as lines:
        return Dictionary(tuple(_field(line) for line in csv.DictReader(lines)))


def _field(line: dict[str, str]) -> Field:
    name, decimals = line["column"], int(line["decimals"] or 0)
    if name == "SEQN":
        return Field(TABLE, name, name, FieldType.INTEGER, Role.ID)
    if name not in TOLERANCES and name not in TIES:
        return Field(TABLE, name, name, FieldType.CATEGORY, Role.QUASI)
    return Field(
        TABLE,
        name,
        name,
        FieldType.DECIMAL if decimals else FieldType.INTEGER,
        Role.SENSITIVE,
        decimals=decimals,
        stratum="CYCLE",
        tolerance=Tolerance(TOLERANCES[name]) if name in TOLERANCES else None,
        cut_points=CUTS.get(name, ()),
        ties=TIES.get(name, ()),
        mark=True,
    )


def blocks(table: pa.Table, fields: Dictionary, rows: int = 100_000) -> list[Block]:
    return [block(batch, fields.of(TABLE), 1) for batch in table.to_batches(max_chunksize=rows)]
