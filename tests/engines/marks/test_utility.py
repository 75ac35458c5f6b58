"""What marks cost science: known answers, and that the meter says the same for any split of the table."""

import json
import math
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from copyhold.domain.catalogue import Field, FieldType, Role, Tolerance
from copyhold.domain.errors import InvalidInputError
from copyhold.engines.marks.utility import UtilityMeter, attenuation
from copyhold.engines.tables.blocks import ROW

GLUCOSE = Field("t", "glucose", "glucose", FieldType.DECIMAL, Role.SENSITIVE, decimals=2, tolerance=Tolerance(0.2))
WEIGHT = replace(GLUCOSE, name="weight", column="weight", decimals=1, tolerance=Tolerance(0.05, relative=True))
AGE = Field("t", "age", "age", FieldType.INTEGER, Role.QUASI, decimals=0, missing_codes=("999",))
SCORE = replace(GLUCOSE, name="score", column="score", tolerance=None)
FIELDS = (GLUCOSE, WEIGHT, AGE, SCORE)
Table = dict[str, np.ndarray]


def batch(columns: Table, *, numbered: bool = True) -> pa.RecordBatch:
    arrays = {name: pa.array(values, from_pandas=True) for name, values in columns.items()}
    if numbered:
        arrays[ROW] = pa.array(np.arange(len(next(iter(columns.values()))), dtype=np.uint64))
    return pa.RecordBatch.from_pydict(arrays)


def measured(master: Table, copy: Table, fields: tuple[Field, ...] = FIELDS) -> dict:
    meter = UtilityMeter(fields)
    meter.add(batch(master), batch(copy, numbered=False))
    return meter.finish()


def tables(rows: int = 3_000, seed: int = 1, missing: float = 0.1) -> tuple[Table, Table]:
    """Three fields that hang together, with nulls, and a copy in which two of them have moved."""
    rng = np.random.default_rng(seed)
    common = rng.normal(size=rows)
    master = {
        "glucose": np.round(5 + common + rng.normal(size=rows), 2),
        "weight": np.round(80 + 10 * common + 10 * rng.normal(size=rows), 1),
        "age": np.round(50 + 5 * rng.normal(size=rows) - 5 * common),
    }
    for values in master.values():
        values[rng.random(rows) < missing] = np.nan
    copy = dict(master)
    copy["glucose"] = np.round(master["glucose"] + 0.1 * rng.integers(-1, 2, rows), 2)
    copy["weight"] = np.round(master["weight"] + rng.integers(-1, 2, rows), 1)
    return master, copy


def test_a_field_is_told_as_plain_arithmetic_tells_it() -> None:
    master, copy = tables()
    told = measured(master, copy)
    assert list(told["fields"]) == ["glucose", "weight"]
    for name, one in told["fields"].items():
        here = np.isfinite(master[name])
        x, y = master[name][here], copy[name][here]
        assert one["n"] == len(x)
        assert one["changed"] == pytest.approx((x != y).mean(), rel=1e-5)
        assert one["mean_shift_se"] == pytest.approx((y.mean() - x.mean()) / (x.std(ddof=1) / len(x) ** 0.5), rel=1e-5)
        assert one["sd_change"] == pytest.approx(y.std() / x.std() - 1, rel=1e-5)
        assert one["noise_share"] == pytest.approx((y - x).var() / x.var(), rel=1e-5)
        assert one["attenuation"] == pytest.approx(1 / (1 + (y - x).var() / x.var()), rel=1e-5)
        assert one["attenuation_measured"] == pytest.approx(np.cov(x, y)[0, 1] / y.var(ddof=1), rel=1e-5)
