"""Suspensions as remembered: those in force now, and those that were at any past instant.

What is in force now is what nobody has lifted, whatever two machines' clocks say: a suspension entered before an act
reaches it even where it was stamped a moment later.
"""

from collections.abc import Iterable
from datetime import datetime

from django.db.models import Q, QuerySet

from copyhold.domain.incidents import Reach, Suspension, SuspensionId
from copyhold.domain.parties import Person, PersonId
from copyhold.domain.releases import OUTSIDE, PENDING, Release
from copyhold.records import values
from copyhold.records.models import incidents as rows
from copyhold.records.models.parties import Institution
from copyhold.records.models.parties import Person as PersonRow
from copyhold.records.models.projects import Member, Project
from copyhold.records.models.releases import Release as ReleaseRow


def suspend(suspension: Suspension) -> None:
    """Remember a suspension."""
    rows.Suspension.objects.create(
        id=suspension.id,
        reach=suspension.reach.value,
        target=suspension.target,
        reason=suspension.reason,
        imposed_by_id=suspension.imposed_by,
        imposed_at=suspension.imposed_at,
    )


def lift(identifier: SuspensionId, by: PersonId, at: datetime) -> None:
    """Remember the end of a suspension."""
    rows.Suspension.objects.filter(pk=identifier, lifted_at=None).update(lifted_by_id=by, lifted_at=at)


def in_force() -> tuple[Suspension, ...]:
    """Every suspension in force, oldest first."""
    return values.each(Suspension, _in_force().order_by("pk"))


def on(reach: Reach, target: str) -> Suspension | None:
    """The suspension of this very thing in force."""
    return values.first(Suspension, _in_force().filter(reach=reach.value, target=target))


def reaching(targets: Iterable[tuple[Reach, str]], past: datetime | None = None) -> tuple[Suspension, ...]:
    """The suspensions in force that reach any of these, now or at a past instant."""
    asked = Q(pk__in=[])
    for reach, target in targets:
        asked |= Q(reach=reach.value, target=target)
    return values.each(Suspension, _in_force(past).filter(asked).order_by("pk"))


def reaching_person(person: Person) -> tuple[Suspension, ...]:
    """The suspensions that reach a person: their own, their institution's, its country's."""
    targets = [(Reach.PERSON, str(person.id))]
    if person.institution is not None:
        country = Institution.objects.values_list("country", flat=True).get(pk=person.institution)
        targets += [(Reach.INSTITUTION, str(person.institution)), (Reach.COUNTRY, country)]
    return reaching(targets)


def _in_force(past: datetime | None = None) -> QuerySet[rows.Suspension]:
    if past is None:
        return rows.Suspension.objects.filter(lifted_at=None)
    return rows.Suspension.objects.filter(imposed_at__lte=past).filter(Q(lifted_at=None) | Q(lifted_at__gt=past))


def suspension(identifier: SuspensionId) -> Suspension:
    """The suspension of this id."""
    return values.one(Suspension, rows.Suspension.objects.filter(pk=identifier))


def releases_reached(reach: Reach, target: str) -> tuple[Release, ...]:
    """The pending requests and the copies out there that a suspension concerns."""
    paths = {
        Reach.PERSON: "holder",
        Reach.INSTITUTION: "party__institution",
        Reach.PROJECT: "project",
        Reach.COUNTRY: "party__institution__country",
    }
    states = [state.value for state in (*PENDING, *OUTSIDE)]
    there = ReleaseRow.objects.filter(state__in=states, **{paths[reach]: target})
    return values.each(Release, there.order_by("pk"))


def projects_reached(reach: Reach, target: str, at: datetime) -> tuple[str, ...]:
    """The names of running projects that lose a person, or themselves, by a suspension."""
    if reach is Reach.PROJECT:
        there = Project.objects.filter(pk=target)
    else:
        there = Project.objects.filter(pk__in=_members(reach, target, at).values("project_id"))
    running = there.filter(closed_at=None, until__gt=at).exclude(state="refused")
    return tuple(running.order_by("name").values_list("name", flat=True))


def people_reached(reach: Reach, target: str, at: datetime) -> tuple[str, ...]:
    """The addresses of the people whom a suspension stops, in a project or altogether."""
    if reach is Reach.PROJECT:
        there = PersonRow.objects.filter(pk__in=_members(reach, target, at).values("person_id"))
    else:
        there = PersonRow.objects.filter(**{_of_person(reach): target})
    return tuple(there.order_by("email").values_list("email", flat=True))


def _members(reach: Reach, target: str, at: datetime) -> QuerySet[Member]:
    there = Member.objects.filter(Q(left_at=None) | Q(left_at__gt=at))
    return (
        there.filter(project=target)
        if reach is Reach.PROJECT
        else there.filter(**{f"person__{_of_person(reach)}": target})
    )


def _of_person(reach: Reach) -> str:
    return {Reach.PERSON: "pk", Reach.INSTITUTION: "institution", Reach.COUNTRY: "institution__country"}[reach]
