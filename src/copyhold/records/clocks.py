"""Tasks as remembered: those not met now, and those that were not at any past instant."""

from collections.abc import Collection, Iterable
from datetime import datetime

from django.db.models import Q, QuerySet

from copyhold.domain.clocks import Task, TaskId
from copyhold.domain.errors import ConflictError
from copyhold.domain.paging import Page, Window
from copyhold.domain.parties import PersonId
from copyhold.domain.words import plain
from copyhold.records import values
from copyhold.records.models import clocks as rows
from copyhold.records.models.parties import Person
from copyhold.records.models.projects import Project


def open_tasks(tasks: Iterable[Task]) -> None:
    """Remember new tasks, many at once."""
    rows.Task.objects.bulk_create((_row(task) for task in tasks), batch_size=500)


def task(identifier: TaskId) -> Task:
    """The task of this id."""
    return values.one(Task, rows.Task.objects.filter(pk=identifier))


def unmet(reach: Collection[str], past: datetime | None = None) -> tuple[Task, ...]:
    """The tasks not met that reach any of these, now or as it was known at a past instant."""
    return values.each(Task, _unmet(past).filter(reach__in=list(reach)).order_by("pk"))


def of_owners(owners: Collection[str]) -> tuple[Task, ...]:
    """What these owners must do, what is due first coming first."""
    return values.each(Task, _unmet().filter(owner__in=list(owners)).order_by("due_at", "pk"))


def overdue(at: datetime, window: Window) -> Page[Task]:
    """The tasks that are overdue at an instant, newest first."""
    return values.page(Task, _unmet().filter(due_at__lte=at), window)


def meet(identifier: TaskId, by: PersonId, at: datetime, *, evidence_sha256: str = "", note: str = "") -> Task:
    """Remember that a task is met; ConflictError where it was met before."""
    there = rows.Task.objects.filter(pk=identifier, met_at=None)
    if not there.update(met_at=at, met_by_id=by, evidence_sha256=evidence_sha256, note=note):
        raise ConflictError("The task is met already; there is nothing left to do in it.")
    return task(identifier)


def owners(person: PersonId) -> tuple[str, ...]:
    """As whom a person owns tasks: themselves, their roles, the projects they lead, the institution they sign for."""
    known = Person.objects.values_list("roles", "institution_id").get(pk=person)
    led = Project.objects.filter(lead=person).values_list("pk", flat=True)
    roles, home = known
    signs = [home] if home and "institution_official" in roles else []
    return (str(person), *roles, *led, *signs)


def _unmet(past: datetime | None = None) -> QuerySet[rows.Task]:
    if past is None:
        return rows.Task.objects.filter(met_at=None)
    return rows.Task.objects.filter(opened_at__lte=past).filter(Q(met_at=None) | Q(met_at__gt=past))


def _row(task: Task) -> rows.Task:
    told = {name: plain(getattr(task, name)) for name in ("warn_days", "consequences")}
    return rows.Task(
        id=task.id,
        kind=task.kind.value,
        subject=task.subject,
        owner=task.owner,
        reach=task.reach,
        told=task.told,
        opened_at=task.opened_at,
        due_at=task.due_at,
        source=task.source,
        **told,
    )
