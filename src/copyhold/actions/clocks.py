"""Clocks: what somebody must do until when.

Acts:
    fulfil(occasion, task_id, *, note="", evidence_sha256="") -> Task      clock:fulfil     clock.met
        by its owner, or by the governance officer for them
Readings:
    mine(occasion) -> tuple[Task, ...]                            clock:mine       what needs me, by due date
    overdue(occasion, window=Window()) -> Page[Task]              clock:overdue    of everybody, newest first
    show(occasion, task_id) -> Task                               clock:show

Tasks are opened by the acts that ask for something.
"""

from copyhold.actions.act import Act, Reader, action, reading
from copyhold.domain.clocks import Task, TaskId
from copyhold.domain.errors import NotFoundError
from copyhold.domain.paging import Page, Window
from copyhold.domain.words import prose, sha256
from copyhold.records import clocks
from copyhold.rules import clocks as rules
from copyhold.rules.projects import sight

FIRST_PAGE = Window()


@action("clock:fulfil", "clock.met")
def fulfil(act: Act, task_id: str, *, note: str = "", evidence_sha256: str = "") -> Task:
    """Say that a task is done, with its evidence; what it stopped goes on at the next decision."""
    task = _seen(act, task_id)
    rules.may_fulfil(task, clocks.owners(act.person), act.standing).require()
    digest = sha256(evidence_sha256, "The hash of the evidence") if evidence_sha256 else ""
    met = clocks.meet(task.id, act.person, act.at, evidence_sha256=digest, note=prose(note, "The note"))
    act.enter(met.id, met)
    return met


@reading("clock:mine")
def mine(reader: Reader) -> tuple[Task, ...]:
    """List what the person who asks must do, what is due first coming first."""
    return clocks.of_owners(clocks.owners(reader.person))


@reading("clock:overdue")
def overdue(reader: Reader, window: Window = FIRST_PAGE) -> Page[Task]:
    """List what is overdue in the whole custody."""
    return clocks.overdue(reader.at, window)


@reading("clock:show")
def show(reader: Reader, task_id: str) -> Task:
    """Show one task to its owner, or to who sees the whole custody."""
    return _seen(reader, task_id)


def _seen(reader: Reader, task_id: str) -> Task:
    task = clocks.task(TaskId.parse(task_id))
    if not sight(reader.standing).everything and task.owner not in clocks.owners(reader.person):
        raise NotFoundError("There is no such task; look at the list for those there are.")
    return task
