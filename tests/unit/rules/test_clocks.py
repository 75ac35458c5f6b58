"""Tasks at their edges: a second before, at, and a second after; over a leap day, a month's end, a change of clocks."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from copyhold.domain.clocks import Consequence, Effect, Kind, State, Task, TaskId
from copyhold.rules import clocks

ZERO = "0" * 26
SECOND = timedelta(seconds=1)
DUE = [
    datetime(2026, 7, 1, tzinfo=UTC),
    datetime(2028, 2, 29, 23, 59, 59, tzinfo=UTC),  # a leap day
    datetime(2026, 3, 31, tzinfo=UTC),  # a month's end
    datetime(2026, 3, 29, 2, 30, tzinfo=ZoneInfo("Europe/London")).astimezone(UTC),  # the hour clocks go forward
    datetime(2026, 10, 25, 1, 30, fold=1, tzinfo=ZoneInfo("Europe/London")).astimezone(UTC),  # the hour told twice
]


def task(due: datetime, *effects: tuple[int, Effect], warn: tuple[int, ...] = (14, 3)) -> Task:
    consequences = tuple(Consequence(days, effect) for days, effect in effects)
    return Task(TaskId(f"tsk_{ZERO}"), Kind.REPORT, "", "", "", "Hand it in.", due, due, warn, consequences)


@pytest.mark.parametrize("due", DUE)
def test_a_task_is_overdue_from_its_instant_on_and_not_a_second_before(due: datetime) -> None:
    asked = task(due, (0, Effect.SUSPEND))
    assert [clocks.state(asked, due + step) for step in (-SECOND, 0 * SECOND, SECOND)] == [
        State.WARNED,
        State.OVERDUE,
        State.OVERDUE,
    ]
    assert clocks.stopped([asked], Effect.SUSPEND, due - SECOND) == ()
    assert [one.code for one in clocks.stopped([asked], Effect.SUSPEND, due)] == ["REPORT_OVERDUE"]


@pytest.mark.parametrize("due", DUE)
def test_warnings_begin_at_their_day_and_effects_after_theirs(due: datetime) -> None:
    asked = task(due, (0, Effect.BLOCK_NEW), (30, Effect.SUSPEND))
    assert clocks.state(asked, due - timedelta(days=14) - SECOND) is State.RUNNING
    assert clocks.state(asked, due - timedelta(days=14)) is State.WARNED
    month = due + timedelta(days=30)
    assert clocks.stopped([asked], Effect.SUSPEND, month - SECOND) == ()
    assert clocks.stopped([asked], Effect.BLOCK_NEW, month - SECOND)
    assert clocks.stopped([asked], Effect.SUSPEND, month)
    assert clocks.next_stop([asked], due) == month
    assert clocks.next_stop([asked], month) is None


@given(st.integers(-400, 400), st.integers(-400, 400))
def test_what_was_met_stops_nothing_from_then_on_and_stopped_before(met: int, asked: int) -> None:
    due = DUE[0]
    done = replace(task(due, (0, Effect.SUSPEND)), met_at=due + timedelta(hours=met))
    at = due + timedelta(hours=asked)
    assert bool(clocks.stopped([done], Effect.SUSPEND, at)) is (0 <= asked < met)


def test_a_task_without_consequences_stops_nothing() -> None:
    asked = task(DUE[0])
    assert clocks.stopped([asked], Effect.BLOCK_NEW, DUE[0] + timedelta(days=999)) == ()
    assert clocks.next_stop([asked], DUE[0] - SECOND) is None


def test_every_kind_has_its_rule_and_a_code_of_its_own() -> None:
    assert set(clocks.DEFAULTS) == set(Kind) == set(clocks.CODES)
    assert len(set(clocks.CODES.values())) == len(Kind)
    assert all(list(rule.warn_days) == sorted(rule.warn_days, reverse=True) for rule in clocks.DEFAULTS.values())
