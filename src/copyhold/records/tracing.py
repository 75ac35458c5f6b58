"""Cases as remembered."""

from datetime import datetime

from copyhold.domain.catalogue import DatasetId
from copyhold.domain.errors import NotFoundError
from copyhold.domain.parties import PersonId
from copyhold.domain.tracing import Case, CaseId, PublishedCase, TraceResult
from copyhold.domain.words import plain
from copyhold.records import values
from copyhold.records.models import tracing as rows


def attempts() -> int:
    """How many attempts were counted so far."""
    return rows.Case.objects.count()


def open_case(case: Case) -> None:
    """Remember an attempt before it scores."""
    rows.Case.objects.create(
        id=case.id,
        attempt=case.attempt,
        leak_sha256=case.leak_sha256,
        dataset_id=case.dataset,
        keys_issued=case.keys_issued,
        opened_by_id=case.opened_by,
        opened_at=case.opened_at,
    )


def conclude(case: CaseId, result: TraceResult, *, held: bool, at: datetime) -> None:
    """Remember what an attempt found."""
    rows.Case.objects.filter(pk=case).update(result=plain(result), held=held, concluded_at=at)


def agree(case: CaseId, by: PersonId, at: datetime) -> None:
    """Remember that a second analyst agreed."""
    rows.Case.objects.filter(pk=case).update(held=False, agreed_by_id=by, agreed_at=at)


def publish(case: CaseId, at: datetime) -> None:
    """Remember that a case became public."""
    rows.Case.objects.filter(pk=case).update(published_at=at)


def case(identifier: str) -> Case:
    """The case of this id, with its answer even where it is held."""
    found = values.first(Case, rows.Case.objects.filter(pk=identifier))
    if found is None:
        raise NotFoundError("There is no such case; `case list` shows those there are.")
    return found


def cases() -> tuple[Case, ...]:
    """All cases, newest first."""
    return values.each(Case, rows.Case.objects.order_by("-pk"))


def case_files(dataset: DatasetId, *, but: str) -> tuple[str, ...]:
    """The stored case files of a dataset in which parties were named, of other leaks than the one with this hash."""
    concluded = values.each(Case, rows.Case.objects.filter(dataset=dataset, concluded_at__isnull=False).order_by("pk"))
    told = (case.result for case in concluded if case.leak_sha256 != but)
    return tuple(dict.fromkeys(result.case_sha256 for result in told if result is not None and result.case_sha256))


def published(dataset: DatasetId) -> tuple[PublishedCase, ...]:
    """The cases of a dataset that became public, in which parties were named."""
    public = values.each(Case, rows.Case.objects.filter(dataset=dataset, published_at__isnull=False).order_by("pk"))
    return tuple(
        PublishedCase(case.id, case.result.case_sha256, case.published_at)
        for case in public
        if case.result is not None and case.published_at is not None
    )
