"""How strongly a dataset is marked: no column gets more noise than the bound, and others take its cells over."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from copyhold.domain.errors import InvalidInputError
from copyhold.engines.marks.cells import cells
from copyhold.engines.marks.draft import draw_plan
from copyhold.engines.marks.plan import SHARES, MarkPlan
from copyhold.engines.marks.strength import Strength, noise
from tests.engines.marks.nhanes import PLAN_KEY, blocks, dictionary, snapshot

UNBOUNDED = Strength(noise=1.0)


@cache
def plan_of(strength: Strength) -> MarkPlan:
    return draw_plan(dictionary(), blocks(snapshot(), dictionary()), strength)


def added(plan: MarkPlan) -> dict[str, float]:
    """Marks of NHANES under a plan's own law, averaged over all keys: variance added, as a share of the column's."""
    (whole,) = blocks(snapshot(), dictionary())
    shares = {}
    for name, one in cells(plan, PLAN_KEY, whole).items():
        low, high, values = (one.natural(part) for part in (one.low, one.high, one.values))
        p = one.threshold / 65536
        moved = np.where(one.marked, p * (high - values) ** 2 + (1 - p) * (low - values) ** 2, 0.0)
        known = whole.columns[name].valid
        shares[name] = float(moved[known].mean() / values[known].var())
    return shares


@pytest.mark.parametrize("bound", [0.001, 0.005])
def test_no_column_gets_more_noise_than_the_bound(bound: float) -> None:
    found = added(plan_of(Strength(noise=bound)))
    assert max(added(plan_of(UNBOUNDED)).values()) > 2 * bound  # the bound has something to do
    # Half of these cells are drawn; a cell's square is 0 or one step's, so 2,000 of them are within a tenth.
    assert max(found.values()) < 1.15 * bound


def test_the_noise_foreseen_is_the_noise_of_the_marks() -> None:
    plan = plan_of(UNBOUNDED)
    for name, share in added(plan).items():
        column = plan.column(1, name)
        assert column is not None
        if column.stratum is None:
            assert share == pytest.approx(noise(column) * column.share / SHARES, rel=0.1)


def test_what_held_back_columns_give_up_the_others_take_over() -> None:
    (whole,) = blocks(snapshot(), dictionary())
    marked = [
        sum(int(one.marked.sum()) for one in cells(plan_of(one), PLAN_KEY, whole).values())
        for one in (UNBOUNDED, Strength())
    ]
    assert marked[1] == pytest.approx(marked[0], rel=0.03)


def test_a_column_within_its_bound_keeps_its_step() -> None:
    free, bound = plan_of(UNBOUNDED), plan_of(Strength())
    for column in free.columns:
        other = bound.column(column.table, column.field)
        assert other is not None
        if UNBOUNDED.share * noise(column) <= Strength().noise:
            assert other.rule == column.rule
        else:
            assert other.rule.share < column.rule.share


@pytest.mark.parametrize("wrong", [{"share": 0.0}, {"share": 1.1}, {"step": 0.0}, {"step": 2.0}, {"noise": 0.0}])
def test_a_strength_out_of_range_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(InvalidInputError):
        replace(Strength(), **wrong)
