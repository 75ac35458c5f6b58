"""The plan on NHANES: marks stay in each column's own support, what cannot be marked is refused, nothing is redrawn."""

import json
from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from copyhold.domain.catalogue import Dictionary, Field, FieldType, Role, Tolerance
from copyhold.domain.errors import IntegrityError, InvalidInputError
from copyhold.engines.marks.cells import ColumnCells, cells
from copyhold.engines.marks.draft import draw_plan, extend_plan
from copyhold.engines.marks.plan import MarkPlan, arcsine_thresholds
from copyhold.engines.marks.strength import Strength
from copyhold.engines.tables.blocks import Block, Labels, Units
from tests.engines.marks.nhanes import PLAN_KEY, blocks, dictionary, snapshot

STRONG = Strength(share=1.0, step=0.5, noise=1.0)


@cache
def nhanes_plan() -> MarkPlan:
    return draw_plan(dictionary(), blocks(snapshot(), dictionary()), STRONG)


@cache
def nhanes_cells() -> tuple[Block, dict[str, ColumnCells]]:
    (whole,) = blocks(snapshot(), dictionary())
    return whole, dict(cells(nhanes_plan(), PLAN_KEY, whole))


def number_block(columns: dict[str, list[int]], *, first: int = 0, ambiguous: list[int] | None = None) -> Block:
    rows = np.arange(first, first + len(next(iter(columns.values()))), dtype=np.uint64)
    flags = np.zeros(len(rows), dtype=bool)
    flags[ambiguous or []] = True
    units = {name: Units(np.array(values), np.ones(len(rows), dtype=bool)) for name, values in columns.items()}
    return Block(1, rows, rows, flags, units, {})


def field(name: str, tolerance: float = 2.0, kind: FieldType = FieldType.INTEGER, **more: object) -> Field:
    made = Field("t", name, name, kind, Role.SENSITIVE, decimals=0, tolerance=Tolerance(tolerance), mark=True)
    return replace(made, **more)  # type: ignore[arg-type]


def plan_of(fields: list[Field], block: Block) -> MarkPlan:
    return draw_plan(Dictionary(tuple(fields)), [block], STRONG)


def test_even_readings_stay_even() -> None:
    block, found = nhanes_cells()
    for name in ("BPXSY1", "BPXDI1", "BPXPLS"):
        one = found[name]
        assert one.marked.sum() > 0.2 * block.columns[name].valid.sum()
        for member in (one.low, one.high):
            assert not (member[one.marked] % 2).any()


def test_both_members_of_a_pair_occur_in_the_stratum_and_differ_by_at_most_three_in_frequency() -> None:
    block, found = nhanes_cells()
    checked = 0
    for name, one in found.items():
        column = nhanes_plan().column(1, name)
        assert column is not None
        labels = block.strata["CYCLE"]
        for support in column.supports:
            here = one.marked & (labels.codes == labels.names.index(support.stratum))
            for residue in support.residues:
                own = here & np.isin(block.columns[name].values, residue.values)
                if residue.continuous or not own.any():
                    continue
                count = dict(zip(residue.values.tolist(), residue.counts.tolist(), strict=True))
                for low, high in zip(one.low[own].tolist(), one.high[own].tolist(), strict=True):
                    assert 1 / 3 <= count[low] / count[high] <= 3
                    checked += 1
    assert checked > 5_000


def test_no_pair_is_wider_than_the_tolerance_or_spans_a_cut_point() -> None:
    _, found = nhanes_cells()
    for name, one in found.items():
        column = nhanes_plan().column(1, name)
        assert column is not None
        low, high = one.low[one.marked], one.high[one.marked]
        assert (high - low <= column.rule.tolerance).all()
        assert (high > low).all()
        for cut in column.limits.cuts:
            assert not ((low < cut) & (high >= cut)).any()


def test_no_choice_of_bits_carries_a_computed_field_over_a_cut_point_or_changes_an_order() -> None:
    block, found = nhanes_cells()
    weight, height = found["BMXWT"], found["BMXHT"]
    decimals = dict(next(one for one in nhanes_plan().derived if one.field == "BMXBMI").places)
    assert set(decimals.values()) == {1, 2}
    two_decimals = [code for code, name in enumerate(block.strata["CYCLE"].names) if decimals[name] == 2]
    both = block.columns["BMXWT"].valid & block.columns["BMXHT"].valid & block.columns["BMXBMI"].valid
    for cut in (25.0, 30.0):
        sides = []
        for one, other in ((weight.low, height.high), (weight.high, height.low), (weight.values, height.values)):
            index = 10_000 * weight.natural(one) / np.where(both, height.natural(other), 1) ** 2
            sides.append(np.round(index[both], 2) >= cut)
        # Where the tie holds to two decimals, the least and the greatest copy lie on the master's side of the cut.
        held = np.abs(np.round(index[both], 2) - block.columns["BMXBMI"].values[both] / 100) < 0.005
        held &= np.isin(block.strata["CYCLE"].codes[both], two_decimals)
        assert held.mean() > 0.4
        np.testing.assert_array_equal(sides[0][held], sides[2][held])
        np.testing.assert_array_equal(sides[1][held], sides[2][held])
    for lesser, greater in (("LBDHDD", "LBXTC"), ("BPXDI1", "BPXSY1")):
        low, high = found[lesser], found[greater]
        bound = block.columns[lesser].valid & block.columns[greater].valid
        before = np.sign(high.values - low.values)[bound]
        np.testing.assert_array_equal(np.sign(high.low - low.high)[bound], before)
        np.testing.assert_array_equal(np.sign(high.high - low.low)[bound], before)


def test_what_cannot_be_marked_is_refused_with_its_reason() -> None:
    refused = {name: reason for _, name, reason in nhanes_plan().refused}
    for name, word in {
        "SEQN": "id", "BMXBMI": "computed", "LBDLDL": "computed", "RIDAGEYR": "last-place unit", "RIAGENDR": "yes/no",
        "DMDHHSIZ": "score", "CYCLE": "codes",
    }.items():  # fmt: skip
        assert word in refused[name]
    assert not {column.field for column in nhanes_plan().columns} & set(refused)


@pytest.mark.parametrize(
    ("values", "more", "word"),
    [
        ([0, 1, 2] * 40, {}, "genotype"),
        ([0, 1] * 60, {}, "yes/no"),
        (list(range(0, 1200, 10)), {}, "no two"),
        (list(range(120)), {"tolerance": None}, "no tolerance"),
        (list(range(120)), {"mark": False}, "dictionary"),
        (list(range(120)), {"public_values": True}, "elsewhere"),
        (list(range(120)), {"tolerance": Tolerance(0.4)}, "last-place unit"),
        (list(range(120)), {"role": Role.DIRECT}, "directly"),
    ],
)
def test_a_column_is_refused_with_the_reason(values: list[int], more: dict[str, object], word: str) -> None:
    plan = plan_of([replace(field("x"), **more)], number_block({"x": values}))  # type: ignore[arg-type]
    assert plan.columns == ()
    assert word in plan.refused[0][2]


def test_no_pair_touches_or_spans_a_code_or_leaves_the_range() -> None:
    values = [*range(60, 140)] * 5
    limited = field("x", 6.0, missing_codes=("99", "na"), low=70.0, high=130.0)
    block = number_block({"x": values})
    one = cells(plan_of([limited], block), PLAN_KEY, block)["x"]
    low, high = one.low[one.marked], one.high[one.marked]
    assert one.marked.sum() > 100
    assert low.min() >= 70
    assert high.max() <= 130
    assert not ((low <= 99) & (high >= 99)).any()


def test_a_value_three_times_as_frequent_as_its_neighbours_is_not_marked() -> None:
    values = [value for value in range(20, 60) for _ in range(40 if value == 40 else 10)]
    block = number_block({"x": values})
    one = cells(plan_of([field("x", 1.0)], block), PLAN_KEY, block)["x"]
    assert not one.marked[block.columns["x"].values == 40].any()
    assert one.marked[np.abs(block.columns["x"].values - 40) > 1].mean() > 0.9


def test_a_relative_tolerance_gives_wider_steps_to_greater_values() -> None:
    block = number_block({"x": list(range(100, 1100)) * 2})
    fields = (
        [field("x", tolerance=Tolerance(0.02, relative=True))]
        if False
        else [replace(field("x"), tolerance=Tolerance(0.02, relative=True))]
    )
    one = cells(plan_of(fields, block), PLAN_KEY, block)["x"]
    width = (one.high - one.low)[one.marked]
    value = one.values[one.marked]
    assert set(width[value < 120].tolist()) == {1}
    assert width[value > 900].min() >= 9
    assert (width <= 0.02 * value).all()


def test_values_with_binary_noise_are_paired_with_other_listed_values() -> None:
    rng = np.random.default_rng(2)
    listed = np.sort(rng.normal(5, 1, 300).astype(np.float32).astype(np.float64))
    from copyhold.engines.tables.blocks import real_units  # the units of a field without decimals

    values = real_units(np.repeat(listed, 4))
    rows = np.arange(len(values), dtype=np.uint64)
    flags = np.zeros(len(rows), dtype=bool)
    block = Block(1, rows, rows, flags, {"x": Units(values, ~flags)}, {})
    plan = plan_of([field("x", 0.5, FieldType.REAL)], block)
    one = cells(plan, PLAN_KEY, block)["x"]
    assert one.marked.mean() > 0.9
    for member in (one.low, one.high):
        assert np.isin(one.natural(member[one.marked]), listed).all()
    width = one.natural(one.high) - one.natural(one.low)
    assert width.max() <= 0.5
    assert 0.2 < np.median(width[one.marked]) < 0.3


def test_the_cells_are_the_same_for_any_split_of_the_table() -> None:
    whole, found = nhanes_cells()
    for table, rows in ((snapshot().slice(0, 210), 7), (snapshot(), 10_000)):
        parts = [cells(nhanes_plan(), PLAN_KEY, part) for part in blocks(table, dictionary(), rows)]
        for name in ("BMXWT", "LBXTC", "BPXSY1"):
            for member in ("marked", "threshold", "low", "high"):
                joined = np.concatenate([getattr(part[name], member) for part in parts])
                np.testing.assert_array_equal(joined, getattr(found[name], member)[: len(table)])
    assert len(whole.rows) == len(snapshot())


def test_a_column_asked_for_alone_has_the_cells_that_it_has_among_all() -> None:
    whole, found = nhanes_cells()
    alone = cells(nhanes_plan(), PLAN_KEY, whole, ["BMXWT"])
    assert list(alone) == ["BMXWT"]
    np.testing.assert_array_equal(alone["BMXWT"].step, found["BMXWT"].step)
    without = {name: units for name, units in whole.columns.items() if name != "BMXHT"}
    with pytest.raises(InvalidInputError, match="BMXHT"):
        cells(nhanes_plan(), PLAN_KEY, replace(whole, columns=without), ["BMXWT"])


def test_an_empty_block_and_an_all_null_column_have_no_cells() -> None:
    whole, _ = nhanes_cells()
    empty = blocks(snapshot().slice(0, 0).combine_chunks(), dictionary())
    assert sum(len(part.rows) for part in empty) == 0
    nothing = {name: Units(units.values, np.zeros(len(whole.rows), bool)) for name, units in whole.columns.items()}
    assert not any(one.marked.any() for one in cells(nhanes_plan(), PLAN_KEY, replace(whole, columns=nothing)).values())


def test_rows_whose_key_is_ambiguous_or_whose_stratum_is_unknown_are_not_marked() -> None:
    whole, _ = nhanes_cells()
    ambiguous = replace(whole, ambiguous=np.ones(len(whole.rows), dtype=bool))
    nowhere = replace(whole, strata={"CYCLE": Labels(np.full(len(whole.rows), -1, dtype=np.int32), ("2001-2002",))})
    for block in (ambiguous, nowhere):
        assert not any(one.marked.any() for one in cells(nhanes_plan(), PLAN_KEY, block).values())


def test_share_direction_and_law_come_out_as_planned() -> None:
    values = list(range(100, 1100)) * 100
    block = number_block({"x": values})
    plan = draw_plan(Dictionary((field("x"),)), [block], replace(STRONG, share=0.3))
    one = cells(plan, PLAN_KEY, block)["x"]
    n = len(values)
    for seen, expected in (
        (one.marked.mean(), 0.3),
        ((one.step[one.marked] > 0).mean(), 0.5),
        ((one.threshold[one.marked] == 32768).mean(), 0.5),
    ):
        assert abs(seen - expected) < 6 * np.sqrt(expected * (1 - expected) / (0.3 * n)) + 0.003


def test_the_arcsine_law_has_256_quantiles_and_no_certain_cell() -> None:
    thresholds = arcsine_thresholds()
    assert (len(thresholds), thresholds[0], thresholds[-1]) == (256, 1, 65535)
    np.testing.assert_array_equal(thresholds.astype(int) + thresholds[::-1], np.full(256, 65536))
    # The variance of the arcsine law is 1/8.
    assert abs(np.mean((thresholds / 65536 - 0.5) ** 2) - 1 / 8) < 1e-4


def test_a_plan_is_its_bytes() -> None:
    plan = nhanes_plan()
    again = MarkPlan.from_json(plan.to_json())
    assert again.sha256 == plan.sha256
    _, found = nhanes_cells()
    (whole,) = blocks(snapshot(), dictionary())
    for name, one in cells(again, PLAN_KEY, whole).items():
        np.testing.assert_array_equal(one.step, found[name].step)
        np.testing.assert_array_equal(one.threshold, found[name].threshold)


@pytest.mark.parametrize("damage", [b"{", b"[]", b'{"tables":[]}'])
def test_a_damaged_plan_is_not_read(damage: bytes) -> None:
    with pytest.raises(IntegrityError):
        MarkPlan.from_json(damage)
    with pytest.raises(IntegrityError):
        MarkPlan.from_json(json.dumps(json.loads(nhanes_plan().to_json())).encode())


def test_a_later_version_adds_columns_and_touches_nothing_that_stands() -> None:
    first = number_block({"x": list(range(100)) * 5, "y": list(range(100, 200)) * 5})
    plan = plan_of([field("x"), field("y")], first)
    # Later rows are quite unlike the first ones; a third column is new.
    later = number_block({"x": [7] * 500, "y": list(range(150, 160)) * 50, "z": list(range(100)) * 5})
    grown = extend_plan(plan, Dictionary((field("x"), field("y"), field("z"))), [later], STRONG)
    assert grown.columns[: len(plan.columns)] == plan.columns
    assert grown.places[: len(plan.places)] == plan.places
    assert [place.column for place in grown.places] == [0, 1, 2]
    before, after = cells(plan, PLAN_KEY, first), cells(grown, PLAN_KEY, later)
    same = first.columns["y"].values == later.columns["y"].values
    assert same.sum() > 10
    np.testing.assert_array_equal(before["y"].step[same], after["y"].step[same])
    np.testing.assert_array_equal(before["y"].threshold, after["y"].threshold)
    assert after["z"].marked.any()


def test_a_later_tie_makes_only_new_cells_give_way() -> None:
    first = number_block({"x": list(range(100)) * 5})
    plan = plan_of([field("x")], first)
    both = number_block({"x": list(range(100)) * 5, "z": [value + 1 for value in range(100)] * 5})
    grown = extend_plan(plan, Dictionary((field("x"), field("z", ties=(">= x",)))), [both], STRONG)
    before, after = cells(plan, PLAN_KEY, first), cells(grown, PLAN_KEY, both)
    np.testing.assert_array_equal(before["x"].step, after["x"].step)
    assert after["z"].marked.any()
    assert (after["z"].low > after["x"].high)[after["z"].marked].all()


def test_a_field_that_changed_its_decimals_is_not_taken_for_the_old_one() -> None:
    block = number_block({"x": list(range(100)) * 5})
    plan = plan_of([field("x")], block)
    with pytest.raises(InvalidInputError, match="decimals"):
        extend_plan(plan, Dictionary((field("x", decimals=1),)), [block])


def test_a_tie_with_a_field_that_is_not_there_is_refused() -> None:
    block = number_block({"x": list(range(100)) * 5})
    with pytest.raises(InvalidInputError, match="nowhere"):
        plan_of(
            [field("x"), field("y", ties=("= x - nowhere",))],
            replace(block, columns=block.columns | {"y": block.columns["x"]}),
        )
