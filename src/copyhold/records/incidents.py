"""Suspensions as remembered: in force at an instant, for any past instant too."""

from collections.abc import Iterable
from datetime import datetime

from django.db.models import Q, QuerySet

from copyhold.domain.incidents import Reach, Suspension, SuspensionId
from copyhold.domain.parties import Person, PersonId
from copyhold.records import values
from copyhold.records.models import incidents as rows
from copyhold.records.models.parties import Institution


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


def in_force(at: datetime) -> tuple[Suspension, ...]:
    """Every suspension in force at an instant, oldest first."""
    return values.each(Suspension, _in_force(at).order_by("pk"))


def on(reach: Reach, target: str, at: datetime) -> Suspension | None:
    """The suspension of this very thing in force at an instant."""
    return values.first(Suspension, _in_force(at).filter(reach=reach.value, target=target))


def reaching(targets: Iterable[tuple[Reach, str]], at: datetime) -> tuple[Suspension, ...]:
    """The suspensions in force at an instant that reach any of these."""
    asked = Q(pk__in=[])
    for reach, target in targets:
        asked |= Q(reach=reach.value, target=target)
    return values.each(Suspension, _in_force(at).filter(asked).order_by("pk"))


def reaching_person(person: Person, at: datetime) -> tuple[Suspension, ...]:
    """The suspensions that reach a person: their own, their institution's, its country's."""
    targets = [(Reach.PERSON, str(person.id))]
    if person.institution is not None:
        country = Institution.objects.values_list("country", flat=True).get(pk=person.institution)
        targets += [(Reach.INSTITUTION, str(person.institution)), (Reach.COUNTRY, country)]
    return reaching(targets, at)


def _in_force(at: datetime) -> QuerySet[rows.Suspension]:
    return rows.Suspension.objects.filter(imposed_at__lte=at).filter(Q(lifted_at=None) | Q(lifted_at__gt=at))
