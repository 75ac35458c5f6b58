"""Projects and their members as remembered."""

from datetime import datetime

from django.db.models import Q

from copyhold.domain.accounts import Sight
from copyhold.domain.catalogue import DatasetId
from copyhold.domain.errors import NotFoundError
from copyhold.domain.parties import Person, PersonId
from copyhold.domain.projects import Project, ProjectId, State
from copyhold.domain.words import plain
from copyhold.records import values
from copyhold.records.models import parties
from copyhold.records.models import projects as rows


def add(project: Project) -> None:
    """Remember a new application, with its lead as first member."""
    rows.Project.objects.create(
        id=project.id,
        name=project.name,
        dataset_id=project.dataset,
        lead_id=project.lead,
        purpose=plain(project.purpose),
        fields=plain(project.fields),
        where=project.where,
        date_shifts=project.date_shifts,
        until=project.until,
        state=project.state.value,
        applied_by_id=project.applied_by,
        applied_at=project.applied_at,
    )
    name_member(project.id, project.lead, project.applied_at)


def name_member(project: ProjectId, person: PersonId, at: datetime) -> None:
    """Remember that a person is named in a project."""
    rows.Member.objects.create(project_id=project, person_id=person, named_at=at)


def remove_member(project: ProjectId, person: PersonId, at: datetime) -> None:
    """Remember that a person left a project."""
    there = rows.Member.objects.filter(project=project, person=person, left_at=None)
    if not there.update(left_at=at):
        raise NotFoundError("This person is not named in the project.")


def project(identifier: ProjectId) -> Project:
    """The project of this id."""
    return values.one(Project, rows.Project.objects.filter(pk=identifier))


def project_called(who: str, sight: Sight) -> Project:
    """The project of this name or id, where it may be seen."""
    found = rows.Project.objects.filter(Q(pk=who) | Q(name=who.strip())).filter(_seen(sight)).distinct()
    if (project := values.first(Project, found)) is None:
        raise NotFoundError("There is no project of this name; `project list` shows those there are.")
    return project


def projects(sight: Sight) -> tuple[Project, ...]:
    """All projects that may be seen, by name."""
    return values.each(Project, rows.Project.objects.filter(_seen(sight)).distinct().order_by("name"))


def cohorts(dataset: DatasetId) -> tuple[str, ...]:
    """The conditions of a dataset's projects."""
    there = rows.Project.objects.filter(dataset=dataset, where__isnull=False).order_by("pk")
    return tuple(where for where in there.values_list("where", flat=True) if where)


def decide(identifier: ProjectId, state: State, by: PersonId, at: datetime) -> None:
    """Remember the decision on an application."""
    rows.Project.objects.filter(pk=identifier).update(state=state.value, decided_by_id=by, decided_at=at)


def close(identifier: ProjectId, at: datetime) -> None:
    """Remember that a project is over."""
    rows.Project.objects.filter(pk=identifier).update(state=State.CLOSED.value, closed_at=at)


def is_named(project: ProjectId, person: PersonId, past: datetime | None = None) -> bool:
    """Whether a person is named in a project, or was at a past instant."""
    there = rows.Member.objects.filter(project=project, person=person)
    if past is None:
        return there.filter(left_at=None).exists()
    return there.filter(named_at__lte=past).filter(Q(left_at=None) | Q(left_at__gt=past)).exists()


def members(project: ProjectId) -> tuple[Person, ...]:
    """The people named in a project, by address."""
    named = rows.Member.objects.filter(project=project, left_at=None).values("person_id")
    return values.each(Person, parties.Person.objects.filter(pk__in=named).order_by("email"))


def _seen(sight: Sight) -> Q:
    """What may be seen: all, or the projects in which one is named or for which one's institution answers."""
    if sight.everything:
        return Q()
    mine = rows.Member.objects.filter(person=sight.person, left_at=None).values("project_id")
    answered_for = Q(lead__institution=sight.signs_for) if sight.signs_for else Q()
    return Q(pk__in=mine) | Q(lead=sight.person) | answered_for
