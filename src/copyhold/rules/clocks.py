"""How tasks run: where one stands at an instant, what it stops by itself, and how long each kind has.

Nothing here is a flag: the same task and the same instant always give the same answer, so any past one can be replayed.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from copyhold.domain.accounts import Standing
from copyhold.domain.clocks import ClockRule, Consequence, Effect, Kind, State, Task
from copyhold.domain.parties import Role
from copyhold.domain.verdicts import Reason, Verdict

GOVERNANCE = (Role.CUSTODIAN, Role.GOVERNANCE_OFFICER)
FIX = "Whoever owns the task meets it, with its evidence."
BLOCK = Consequence(0, Effect.BLOCK_NEW)
STOP = Consequence(0, Effect.SUSPEND)

# How each kind runs where an agreement or the policy says nothing else.
DEFAULTS: dict[Kind, ClockRule] = {
    Kind.CONDITION: ClockRule(90, (14, 3), (STOP,)),
    Kind.REPORT: ClockRule(365, (60, 14), (BLOCK, Consequence(30, Effect.SUSPEND))),
    Kind.DECLARATION: ClockRule(183, (14,), (STOP,)),
    Kind.ACCEPTANCE: ClockRule(60, (30, 7), (STOP,)),
    Kind.CERTIFICATION: ClockRule(365, (30, 7), (BLOCK, Consequence(30, Effect.SUSPEND))),
    Kind.DUTY: ClockRule(365, (60, 14), (BLOCK,)),
    Kind.REVIEW: ClockRule(365, (60, 14), (BLOCK,)),
    Kind.DESTRUCTION: ClockRule(30, (30, 7, 0), (STOP,)),
    Kind.WITHDRAWAL: ClockRule(90, (60, 30, 10), (STOP,)),
    Kind.NOTICE: ClockRule(3, (2, 1)),
    Kind.REPLY: ClockRule(14, (7, 2)),
    Kind.REQUEST: ClockRule(21, (7, 2), (BLOCK,)),
    Kind.FINDING: ClockRule(90, (30, 7), (BLOCK, Consequence(30, Effect.SUSPEND))),
}

# The code under which an overdue task of a kind refuses.
CODES: dict[Kind, str] = {
    Kind.CONDITION: "CONDITION_OVERDUE",
    Kind.REPORT: "REPORT_OVERDUE",
    Kind.DECLARATION: "DECLARATION_OVERDUE",
    Kind.ACCEPTANCE: "TERMS_NOT_ACCEPTED",
    Kind.CERTIFICATION: "CERTIFICATION_OVERDUE",
    Kind.DUTY: "DUTY_OVERDUE",
    Kind.REVIEW: "REVIEW_OVERDUE",
    Kind.DESTRUCTION: "DESTRUCTION_OVERDUE",
    Kind.WITHDRAWAL: "WITHDRAWAL_OVERDUE",
    Kind.NOTICE: "NOTICE_OVERDUE",
    Kind.REPLY: "REPLY_OVERDUE",
    Kind.REQUEST: "REQUEST_OVERDUE",
    Kind.FINDING: "FINDING_OVERDUE",
}


def state(task: Task, at: datetime) -> State:
    """Say where a task stands at an instant."""
    if task.met_at is not None and task.met_at <= at:
        return State.MET
    if at >= task.due_at:
        return State.OVERDUE
    warned = any(at >= task.due_at - timedelta(days=days) for days in task.warn_days)
    return State.WARNED if warned else State.RUNNING


def begins(task: Task, effect: Effect) -> datetime | None:
    """The instant from which an unmet task has this effect or a stronger one; None where it never has."""
    order = list(Effect)
    strong = [one for one in task.consequences if order.index(one.effect) >= order.index(effect)]
    return min((task.due_at + timedelta(days=one.after_days) for one in strong), default=None)


def stopped(tasks: Iterable[Task], effect: Effect, at: datetime) -> tuple[Reason, ...]:
    """Give a reason for each task that has this effect or a stronger one at an instant."""
    return tuple(_overdue(task) for task in tasks if state(task, at) is State.OVERDUE and _has(task, effect, at))


def next_stop(tasks: Iterable[Task], at: datetime) -> datetime | None:
    """The first instant after `at` at which one of these tasks suspends by itself, were none of them met."""
    instants = [begins(task, Effect.SUSPEND) for task in tasks if state(task, at) is not State.MET]
    return min((one for one in instants if one is not None and one > at), default=None)


def may_fulfil(task: Task, owners: Iterable[str], standing: Standing) -> Verdict:
    """Say whether somebody may say that a task is done: its owner, or the governance officer for them."""
    if task.owner in set(owners) or any(role in GOVERNANCE for role in standing.roles):
        return Verdict()
    reason = "The task is another's to do."
    return Verdict((Reason("NOT_YOURS_TO_DO", reason, "Have its owner or the governance officer meet it."),))


def _has(task: Task, effect: Effect, at: datetime) -> bool:
    begun = begins(task, effect)
    return begun is not None and at >= begun


def _overdue(task: Task) -> Reason:
    reason = f"The {task.kind.value} was due on {task.due_at:%Y-%m-%d}: {task.told}"
    return Reason(CODES[task.kind], reason, FIX)
