"""Agreements, signatures, routes and documents as remembered, and as they were known at any instant."""

from collections.abc import Collection
from datetime import datetime

from django.db.models import Q, QuerySet

from copyhold.domain.accounts import Sight
from copyhold.domain.agreements.contracts import Agreement, AgreementId, Signature, State
from copyhold.domain.agreements.transfers import Document, Route
from copyhold.domain.catalogue import DatasetId
from copyhold.domain.paging import Page, Window
from copyhold.domain.parties import InstitutionId
from copyhold.domain.projects import ProjectId
from copyhold.domain.words import plain
from copyhold.records import values
from copyhold.records.models import agreements as rows
from copyhold.records.models.projects import Member


def offer(agreement: Agreement) -> None:
    """Remember an agreement that is offered."""
    rows.Agreement.objects.create(
        id=agreement.id,
        title=agreement.title,
        text_sha256=agreement.text_sha256,
        institution_id=agreement.institution,
        dataset_id=agreement.dataset,
        project_id=agreement.project,
        terms=plain(agreement.terms),
        from_at=agreement.from_at,
        until=agreement.until,
        state=agreement.state.value,
        offered_by_id=agreement.offered_by,
        offered_at=agreement.offered_at,
        parent_id=agreement.parent,
        supersedes_id=agreement.supersedes,
    )


def agreement(who: str, sight: Sight) -> Agreement:
    """The agreement of this id, where it may be seen."""
    return values.one(Agreement, rows.Agreement.objects.filter(pk=who).filter(_seen(sight)))


def agreements(sight: Sight, window: Window) -> Page[Agreement]:
    """The agreements that may be seen, newest first."""
    return values.page(Agreement, rows.Agreement.objects.filter(_seen(sight)), window)


def sign(signature: Signature) -> None:
    """Remember a signature."""
    rows.Signature.objects.create(
        agreement_id=signature.agreement,
        side=signature.side.value,
        person_id=signature.person,
        authority=signature.authority,
        text_sha256=signature.text_sha256,
        signed_at=signature.signed_at,
    )


def signatures(agreement: AgreementId) -> tuple[Signature, ...]:
    """Who has signed an agreement, in order."""
    return values.each(Signature, rows.Signature.objects.filter(agreement=agreement).order_by("pk"))


def signed(identifier: AgreementId, at: datetime) -> None:
    """Remember that all have signed."""
    rows.Agreement.objects.filter(pk=identifier).update(state=State.SIGNED.value, signed_at=at)


def end(identifier: AgreementId, state: State, at: datetime, reason: str) -> None:
    """Remember that an agreement is over, and why."""
    rows.Agreement.objects.filter(pk=identifier).update(state=state.value, ended_at=at, reason=reason)


def governing(
    institution: InstitutionId, dataset: DatasetId, project: ProjectId, past: datetime | None = None
) -> tuple[Agreement, ...]:
    """The agreements signed and not ended over a dataset at an institution: for the project, or for all there."""
    there = rows.Agreement.objects.filter(institution=institution, dataset=dataset)
    there = there.filter(Q(project=project) | Q(project=None))
    return values.each(Agreement, _signed(there, past).order_by("pk"))


def _signed(there: QuerySet[rows.Agreement], past: datetime | None) -> QuerySet[rows.Agreement]:
    if past is None:
        return there.filter(state=State.SIGNED.value)
    return there.filter(signed_at__lte=past).filter(Q(ended_at=None) | Q(ended_at__gt=past))


def record_route(route: Route) -> None:
    """Remember a route."""
    rows.Route.objects.create(
        id=route.id,
        exporter=route.exporter,
        importer=route.importer,
        institution_id=route.institution,
        safeguard=route.safeguard.value,
        reference=route.reference,
        evidence_sha256=route.evidence_sha256,
        from_at=route.from_at,
        until=route.until,
        recorded_by_id=route.recorded_by,
        recorded_at=route.recorded_at,
    )


def routes(exporter: str, importer: str, past: datetime | None = None) -> tuple[Route, ...]:
    """The routes recorded from one country to another, as known now or at a past instant."""
    there = rows.Route.objects.filter(exporter=exporter, importer=importer).order_by("pk")
    return values.each(Route, there if past is None else there.filter(recorded_at__lte=past))


def all_routes(window: Window) -> Page[Route]:
    """Every route recorded, newest first."""
    return values.page(Route, rows.Route.objects.all(), window)


def record_document(document: Document) -> None:
    """Remember a document."""
    rows.Document.objects.create(
        id=document.id,
        kind=document.kind.value,
        subject=document.subject,
        reference=document.reference,
        file_sha256=document.file_sha256,
        from_at=document.from_at,
        until=document.until,
        recorded_by_id=document.recorded_by,
        recorded_at=document.recorded_at,
    )


def documents(subjects: Collection[str], past: datetime | None = None) -> tuple[Document, ...]:
    """The newest document of each kind about each of these things, as known now or at a past instant."""
    there = rows.Document.objects.filter(subject__in=list(subjects)).order_by("recorded_at", "pk")
    there = there if past is None else there.filter(recorded_at__lte=past)
    newest = {(one.kind, one.subject): one for one in values.each(Document, there)}
    return tuple(newest.values())


def _seen(sight: Sight) -> Q:
    """What may be seen: all, those of one's own projects, and those that one's institution signs."""
    if sight.everything:
        return Q()
    mine = Member.objects.filter(person=sight.person, left_at=None).values("project_id")
    answered_for = Q(institution=sight.signs_for) if sight.signs_for else Q()
    return Q(project__in=mine) | answered_for
