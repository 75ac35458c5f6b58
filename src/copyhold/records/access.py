"""Evidence as remembered, and as it was known at any instant."""

from collections.abc import Iterable
from datetime import datetime

from django.db.models import Q

from copyhold.domain.access import Clock, Evidence, Situation
from copyhold.domain.incidents import Reach
from copyhold.domain.parties import Person
from copyhold.domain.projects import Project
from copyhold.records import agreements, catalogue, clocks, custody, incidents, parties, projects, values
from copyhold.records.models import access as rows


def record(evidence: Evidence) -> None:
    """Remember a piece of evidence."""
    rows.Evidence.objects.create(
        id=evidence.id,
        clock=evidence.clock.value,
        subject=evidence.subject,
        from_at=evidence.from_at,
        until=evidence.until,
        recorded_by_id=evidence.recorded_by,
        recorded_at=evidence.recorded_at,
        reference=evidence.reference,
        file_sha256=evidence.file_sha256,
    )


def known(asked: Iterable[tuple[Clock, str]], past: datetime | None) -> tuple[Evidence, ...]:
    """The newest evidence for each clock and subject that is known, or was at a past instant."""
    wanted = Q(pk__in=[])
    for clock, subject in asked:
        wanted |= Q(clock=clock.value, subject=subject)
    there = rows.Evidence.objects.filter(wanted).order_by("recorded_at", "pk")
    there = there if past is None else there.filter(recorded_at__lte=past)
    newest = {(one.clock, one.subject): one for one in values.each(Evidence, there)}
    return tuple(newest.values())


def newest() -> tuple[Evidence, ...]:
    """The newest evidence of every clock and subject: what runs, and when it runs out."""
    there = rows.Evidence.objects.order_by("recorded_at", "pk")
    found = {(one.clock, one.subject): one for one in values.each(Evidence, there)}
    return tuple(sorted(found.values(), key=lambda one: one.until))


def situation(person: Person, project: Project, at: datetime, *, past: bool = False) -> Situation:
    """All that the gate looks at: what is known now, or what was known at `at`, where that is in the past."""
    then = at if past else None
    home = None if person.institution is None else parties.institution(person.institution)
    asked = [(clock, str(project.id)) for clock in (Clock.ETHICS, Clock.AGREEMENT, Clock.SCOPE)]
    asked += [(clock, str(person.id)) for clock in (Clock.TRAINING, Clock.AFFILIATION)]
    asked += [(Clock.AGREEMENT, str(home.id))] if home else []
    exporter = custody.get().country
    taking_part = (project.id, person.id, *([home.id] if home else []))
    reached = [(Reach.PERSON, str(person.id)), (Reach.PROJECT, str(project.id))]
    reached += [(Reach.INSTITUTION, str(home.id)), (Reach.COUNTRY, home.country)] if home else []
    return Situation(
        at=at,
        live=not past,
        person=person,
        institution=home,
        project=project,
        named=projects.is_named(project.id, person.id, then),
        evidence=known(asked, then),
        suspensions=incidents.reaching(reached, then),
        version=catalogue.newest(project.dataset, then),
        tasks=clocks.unmet(taking_part, then),
        agreements=agreements.governing(home.id, project.dataset, project.id, then) if home else (),
        documents=agreements.documents((project.dataset, *taking_part), then),
        exporter=exporter,
        routes=agreements.routes(exporter, home.country, then) if home and exporter else (),
    )
