"""Clocks: what somebody must do until when.

Readings:
    mine(occasion) -> tuple[Task, ...]                            clock:mine       what needs me, by due date
    overdue(occasion, window=Window()) -> Page[Task]              clock:overdue    of everybody, newest first
    show(occasion, task_id) -> Task                               clock:show

Tasks are opened by the acts that ask for something, and met by those that do it: an annual report, a destruction.
"""

from copyhold.actions.act import Reader, reading
from copyhold.domain.clocks import Task, TaskId
from copyhold.domain.errors import NotFoundError
from copyhold.domain.paging import Page, Window
from copyhold.records import clocks
from copyhold.rules.projects import sight

FIRST_PAGE = Window()


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
    task = clocks.task(TaskId.parse(task_id))
    if not sight(reader.standing).everything and task.owner not in clocks.owners(reader.person):
        raise NotFoundError("There is no such task; look at the list for those there are.")
    return task
