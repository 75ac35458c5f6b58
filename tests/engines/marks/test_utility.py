"""What marks cost science: known answers, the same for any split of the table, and nothing of a party's marks in it."""

import json
import subprocess
import sys
from dataclasses import replace
from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from copyhold.domain.catalogue import Field, FieldType, Role, Tolerance
from copyhold.domain.errors import InvalidInputError
from copyhold.engines.marks import sampling
from copyhold.engines.marks.cells import cells
from copyhold.engines.marks.embedding import Embedding
from copyhold.engines.marks.keys import PartyKeys
from copyhold.engines.marks.permutation import FIFTEEN_DIGITS
from copyhold.engines.marks.utility import QUANTILES, UtilityMeter, attenuation
from copyhold.engines.reading.readings import Alternative, Channel, Reading
from copyhold.engines.tables.blocks import ROW
from copyhold.engines.tracing.hypotheses import prior
from copyhold.engines.tracing.parties import Facts, Holding, KeyedParties
from copyhold.engines.tracing.scoring import log_evidence
from tests.engines.marks.nhanes import PLAN_KEY, TABLE, blocks, dictionary, snapshot
from tests.engines.marks.test_plan import nhanes_plan

GLUCOSE = Field("t", "glucose", "glucose", FieldType.DECIMAL, Role.SENSITIVE, decimals=2, tolerance=Tolerance(0.2))
WEIGHT = replace(GLUCOSE, name="weight", column="weight", decimals=1, tolerance=Tolerance(0.05, relative=True))
AGE = Field("t", "age", "age", FieldType.INTEGER, Role.QUASI, decimals=0, missing_codes=("999",))
SCORE = replace(GLUCOSE, name="score", column="score", tolerance=None)
FIELDS = (GLUCOSE, WEIGHT, AGE, SCORE)
Columns = dict[str, np.ndarray]


def batch(columns: Columns, *, numbered: bool = True) -> pa.RecordBatch:
    arrays = {name: pa.array(values, from_pandas=True) for name, values in columns.items()}
    if numbered:
        arrays[ROW] = pa.array(np.arange(len(next(iter(columns.values()))), dtype=np.uint64))
    return pa.RecordBatch.from_pydict(arrays)


def measured(master: Columns, copy: Columns, fields: tuple[Field, ...] = FIELDS) -> Any:
    meter = UtilityMeter(fields)
    meter.add(batch(master), batch(copy, numbered=False))
    return meter.finish()


def tables(rows: int = 3_000, seed: int = 1, missing: float = 0.1) -> tuple[Columns, Columns]:
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
    assert told["fields"]["glucose"]["largest_change"] == pytest.approx(0.1 / 0.2)
    moved = copy["weight"] != master["weight"]
    share = np.abs(copy["weight"] / master["weight"] - 1)[moved & np.isfinite(master["weight"])]
    assert told["fields"]["weight"]["largest_change"] == pytest.approx(share.max() / 0.05, rel=1e-5)


def test_a_slope_on_a_noisy_field_shrinks_by_the_attenuation_told() -> None:
    rng = np.random.default_rng(3)
    x = rng.normal(10, 2, 200_000)
    noisy = x + rng.normal(0, 1.5, len(x))
    outcome = 3 * x + rng.normal(size=len(x))
    told = measured({"score": x}, {"score": noisy})["fields"]["score"]
    slopes = [np.polyfit(one, outcome, 1)[0] for one in (x, noisy)]
    assert told["attenuation"] == pytest.approx(1 / (1 + 1.5**2 / 2**2), abs=0.003)
    assert slopes[1] / slopes[0] == pytest.approx(told["attenuation"], abs=0.005)
    assert told["attenuation_measured"] == pytest.approx(told["attenuation"], abs=0.005)
    assert attenuation(4.0, 4.0) == 0.5


@pytest.mark.parametrize("rows", [8, 3_000])
def test_the_worst_correlation_is_told_in_standard_errors_of_complete_pairs(rows: int) -> None:
    master, copy = tables(rows, seed=5)
    shifts = {}
    for one, other in (("glucose", "weight"), ("glucose", "age"), ("weight", "age")):
        here = np.isfinite(master[one]) & np.isfinite(master[other])
        r = [np.corrcoef(table[one][here], table[other][here])[0, 1] for table in (master, copy)]
        # Fisher: z = atanh(r) has standard error 1 / sqrt(n - 3); at n = 7 another constant is 10 % off.
        shifts[one, other] = (np.arctanh(r[1]) - np.arctanh(r[0])) * np.sqrt(here.sum() - 3), here.sum()
    told = measured(master, copy)["correlation"]
    worst = max(shifts, key=lambda pair: abs(shifts[pair][0]))
    assert (tuple(told["fields"]), told["n"]) == (worst, shifts[worst][1])
    assert told["shift_se"] == pytest.approx(shifts[worst][0], rel=1e-5)


def test_quantiles_move_by_tolerances_where_one_is_declared_in_the_fields_unit_and_by_sd_elsewhere() -> None:
    master, copy = tables()
    copy = {name: values + 0.2 for name, values in master.items()}
    told = measured(master, copy)
    assert told["quantile_rows"] == 3_000
    glucose, weight = told["fields"]["glucose"], told["fields"]["weight"]
    assert list(glucose["quantile_shifts"]) == [str(one) for one in QUANTILES]
    assert glucose["quantile_unit"] == "tolerance"
    assert list(glucose["quantile_shifts"].values()) == pytest.approx([1.0] * 7)
    assert weight["quantile_unit"] == "sd"
    assert list(weight["quantile_shifts"].values()) == pytest.approx([0.2 / np.nanstd(master["weight"], ddof=1)] * 7)


def test_nulls_and_missing_codes_do_not_count() -> None:
    master = {"age": np.array([40.0, 50.0, 60.0, 999.0, np.nan, 70.0])}
    copy = {"age": np.array([41.0, 50.0, 60.0, 999.0, 55.0, np.nan])}
    told = measured(master, copy)["fields"]["age"]
    assert told["n"] == 3
    assert told["changed"] == pytest.approx(1 / 3, rel=1e-5)
    assert told["mean_shift_se"] == pytest.approx((1 / 3) / (10 / 3**0.5), rel=1e-5)
    assert told["largest_change"] is None


def test_a_large_mean_costs_no_digits() -> None:
    master, copy = tables(20_000, missing=0)
    lifted, moved = ({name: values + 2.0**30 for name, values in one.items()} for one in (master, copy))
    small, large = measured(master, copy), measured(lifted, moved)
    for name in ("glucose", "weight"):
        for figure in ("changed", "mean_shift_se", "sd_change", "noise_share", "attenuation"):
            assert large["fields"][name][figure] == pytest.approx(small["fields"][name][figure], rel=1e-4, abs=1e-7)
    assert large["correlation"]["shift_se"] == pytest.approx(small["correlation"]["shift_se"], rel=1e-3)


def alike(one: Any, other: Any) -> bool:
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(alike(one[key], other[key]) for key in one)
    if isinstance(one, float) and isinstance(other, float):
        return one == pytest.approx(other, rel=1e-5, abs=1e-9)
    return bool(one == other)


@given(
    st.integers(0, 1_000),
    st.lists(st.integers(0, 400), max_size=5),
    st.integers(0, 5),
    st.booleans(),
)
@settings(max_examples=40, deadline=None)
def test_the_report_is_the_same_for_any_split_and_any_order_of_merging(
    seed: int, cuts: list[int], merged: int, backwards: bool
) -> None:
    master, copy = tables(400, seed, missing=0.3)
    whole = measured(master, copy)
    edges = [0, *sorted(cuts), 400]
    parts = []
    for number, (start, stop) in enumerate(pairwise(edges)):
        if number <= merged:
            parts.append(UtilityMeter(FIELDS))
        rows = slice(start, stop)
        parts[-1].add(batch(master).slice(start, stop - start), batch({k: v[rows] for k, v in copy.items()}))
    joined = UtilityMeter(FIELDS)
    for part in reversed(parts) if backwards else parts:
        before = part.finish()
        joined = joined.merge(part)
        assert part.finish() == before
    assert alike({**joined.finish(), "summary": ""}, {**whole, "summary": ""})


def test_the_sample_of_quantiles_is_bounded_and_does_not_depend_on_the_split(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sampling, "MOST_ROWS", 100)
    master, copy = tables(5_000)
    whole = measured(master, copy)
    meter = UtilityMeter(FIELDS)
    for start in range(0, 5_000, 70):
        some = {name: values[start : start + 70] for name, values in copy.items()}
        part = UtilityMeter(FIELDS)
        part.add(batch(master).slice(start, 70), batch(some))
        meter = meter.merge(part)
    split = meter.finish()
    assert whole["quantile_rows"] == 100
    assert alike(split["fields"], whole["fields"])


def test_the_sample_is_spread_evenly_over_the_rows() -> None:
    numbers = np.arange(100_000, dtype=np.uint64)
    first = np.argsort(sampling.ranks(numbers))[:20_000]
    counts = np.histogram(first, bins=20, range=(0, 100_000))[0]
    # Hypergeometric: mean 1,000, sd 28 in each twentieth.
    assert np.abs(counts - 1_000).max() < 5 * 28
    assert len(np.unique(sampling.ranks(numbers))) == len(numbers)


def test_tables_of_other_rows_or_fields_are_refused() -> None:
    master, copy = tables(50)
    meter = UtilityMeter(FIELDS)
    with pytest.raises(InvalidInputError, match="same rows"):
        meter.add(batch(master), batch({name: values[1:] for name, values in copy.items()}))
    meter.add(batch(master), batch(copy))
    less = {"age": master["age"]}
    with pytest.raises(InvalidInputError, match="other numeric fields"):
        meter.add(batch(less), batch(less))


def test_a_copy_that_differs_nowhere_and_no_rows_at_all_are_told_plainly() -> None:
    master, _ = tables(50)
    for told in (measured(master, master), UtilityMeter(FIELDS).finish()):
        assert told["fields"] == {}
        assert told["correlation"] is None
        assert told["summary"] == "The marks change no numeric field of this table."


@pytest.mark.parametrize("rows", [1, 2, 3])
def test_what_few_rows_cannot_tell_is_none_and_the_report_is_json(rows: int) -> None:
    master = {"glucose": np.full(rows, 5.0), "weight": np.full(rows, 80.0)}
    copy = {"glucose": np.full(rows, 5.1), "weight": np.full(rows, 80.0)}
    told = measured(master, copy)
    json.dumps(told, allow_nan=False)
    assert told["fields"]["glucose"]["mean_shift_se"] is None
    assert told["fields"]["glucose"]["attenuation"] is None
    assert told["correlation"] is None


def test_two_fields_that_are_one_line_do_not_hide_that_a_copy_breaks_it() -> None:
    x = np.linspace(1, 9, 500).round(2)
    master = {"glucose": x, "score": 2 * x, "age": np.round(x)}
    kept = measured(master, {"glucose": x + 0.1, "score": 2 * x + 0.2, "age": np.round(x)})
    assert abs(kept["correlation"]["shift_se"]) < 0.01
    broken = measured(master, {"glucose": x + 0.1 * (np.arange(500) % 2), "score": 2 * x, "age": np.round(x)})
    assert broken["correlation"]["fields"] == ["glucose", "score"]
    assert broken["correlation"]["shift_se"] < -10


def test_ids_and_categories_are_passed_over() -> None:
    fields = (replace(GLUCOSE, role=Role.ID), replace(WEIGHT, type=FieldType.CATEGORY), AGE)
    master, copy = tables(50)
    copy["age"] = master["age"] + 1
    assert list(measured(master, copy, fields)["fields"]) == ["age"]


# What a report says of a party.

NAMES = tuple(column.field for column in nhanes_plan().columns)
RELEASES, PEOPLE = 48, 40  # 48 reports of 18 fields: 864 mean shifts
PARTIES = 200
FAIR = (6_554, 58_982)  # cells shown on purpose have a bias between .1 and .9: others tell a reader little


def keys_of(seed: int) -> PartyKeys:
    rng = np.random.default_rng([20_261_124, seed])
    return PartyKeys(rng.bytes(32), rng.bytes(32), rng.bytes(32))


@cache
def releases() -> tuple[pa.RecordBatch, ...]:
    """People with most measurements present, in as many small cohorts as there are reports."""
    table = snapshot()
    present = sum(table[name].is_valid().to_numpy().astype(int) for name in NAMES)
    rows = np.sort(np.argsort(-present, kind="stable")[: RELEASES * PEOPLE])
    chosen = table.take(pa.array(rows)).combine_chunks().to_batches()[0]
    return tuple(chosen.slice(start, PEOPLE) for start in range(0, RELEASES * PEOPLE, PEOPLE))


def reports_on(keys: PartyKeys) -> list[dict[str, float]]:
    """Give the mean shift of each field, as it would be shipped with each release, to three digits."""
    made = Embedding(nhanes_plan(), PLAN_KEY, keys, TABLE, dictionary().of(TABLE), NAMES)
    shipped = []
    for master in releases():
        meter = UtilityMeter(dictionary().of(TABLE))
        meter.add(master, made.mark(master))
        told: Any = meter.finish()["fields"]
        shipped.append({name: float(f"{one['mean_shift_se']:.3g}") for name, one in told.items() if name in NAMES})
    return shipped


def framed(reports: list[dict[str, float]]) -> Reading:
    """Forge a leak from reports: where a mean moved up, cells show their upper members, elsewhere their lower ones.

    The outsider is given everything but keys: master, plan, plan key, and that every row of the forgery is aligned.
    """
    parts = [part for master, report in zip(releases(), reports, strict=True) for part in _forged(master, report)]
    row, column, threshold, low, high, original_high, shown = (np.concatenate(one) for one in zip(*parts, strict=True))
    people, owner = np.unique(row, return_inverse=True)
    nothing = np.zeros(0, dtype=int)
    return Reading(
        neutral=np.full(len(people), 0.01),
        candidate_group=np.arange(len(people)),
        candidate_row=people,
        participant=people,
        candidate_weight=np.full(len(people), 0.99),
        cell_candidate=owner,
        table=np.ones(len(row)),
        row=row,
        column=column,
        threshold=threshold,
        low=low,
        high=high,
        original_high=original_high,
        institution=np.zeros(len(row), dtype=bool),
        channel=np.zeros(len(row)),
        observation_cell=np.arange(len(row)),
        observation=np.where(shown, high, low),
        id_candidate=nothing,
        id_value=nothing,
        loose_id=nothing,
        date_candidate=nothing,
        date_unit=nothing,
        date_shift=nothing,
        channels=(Channel("any", "any", 0.0, (0.0, 0.003), (0.9, 0.1), width=500.0),),
    )


def _forged(master: pa.RecordBatch, report: dict[str, float]) -> list[tuple[np.ndarray, ...]]:
    (read,) = blocks(pa.Table.from_batches([master]), dictionary())
    parts = []
    for name, one in cells(nhanes_plan(), PLAN_KEY, read).items():
        low, high = one.natural(one.low), one.natural(one.high)
        x = one.natural(one.values)[read.columns[name].valid]
        moved = report.get(name, 0.0) * x.std(ddof=1) * np.sqrt(len(x))  # the sum of the differences
        bias = one.threshold / 65_536
        expected = ((bias * high + (1 - bias) * low - one.natural(one.values)) * one.marked).sum()
        here = np.flatnonzero(one.marked & (one.threshold > FAIR[0]) & (one.threshold < FAIR[1]))
        number, upward = np.full(len(here), one.column.column), np.full(len(here), moved > expected)
        pair = low[here], high[here], one.step[here] < 0
        parts.append((read.rows[here], number, one.threshold[here], *pair, upward))
    return parts


def evidence(reading: Reading, parties: list[PartyKeys]) -> np.ndarray:
    held = Facts((Holding(1),), np.unique(reading.participant))
    asked = KeyedParties(parties, [held] * len(parties), FIFTEEN_DIGITS)
    return log_evidence([Alternative(1.0, reading)], asked, prior())


def test_the_shipped_report_frames_nobody_and_a_report_on_a_partys_own_copy_would() -> None:
    parties = [keys_of(seed) for seed in range(1, PARTIES + 1)]
    shipped = reports_on(keys_of(0))
    assert sum(map(len, shipped)) > 800
    assert evidence(framed(shipped), parties).max() <= 10
    # The same outsider with reports that must never leave: this is what shows that the attack is one.
    assert evidence(framed(reports_on(parties[0])), parties[:1])[0] > 100


def test_the_meter_reaches_no_key() -> None:
    script = (
        "import sys, copyhold.engines.marks.utility\n"
        "print([name for name in sys.modules if name.rpartition('.')[2] in ('keys', 'embedding', 'prf', 'cells')])"
    )
    found = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
