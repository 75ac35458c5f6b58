"""Datasets, versions and withdrawals as remembered."""

from collections.abc import Iterable
from datetime import datetime

from copyhold.domain.catalogue import Dataset, DatasetId, Tier, Version, VersionId, Withdrawal
from copyhold.domain.errors import NotFoundError
from copyhold.domain.parties import PersonId
from copyhold.domain.words import plain
from copyhold.records import values
from copyhold.records.models import catalogue as rows


def add_dataset(dataset: Dataset) -> None:
    """Remember a new dataset."""
    rows.Dataset.objects.create(id=dataset.id, name=dataset.name, added_at=dataset.added_at)


def dataset(identifier: DatasetId) -> Dataset:
    """The dataset of this id."""
    return values.one(Dataset, rows.Dataset.objects.filter(pk=identifier))


def dataset_called(who: str) -> Dataset:
    """The dataset of this name or id."""
    if (found := dataset_named(who)) is None:
        raise NotFoundError("There is no dataset of this name; `dataset list` shows those there are.")
    return found


def dataset_named(who: str) -> Dataset | None:
    """The dataset of this name or id, or None."""
    found = rows.Dataset.objects.filter(pk=who) | rows.Dataset.objects.filter(name=who.strip())
    return values.first(Dataset, found)


def datasets() -> tuple[Dataset, ...]:
    """All datasets by name."""
    return values.each(Dataset, rows.Dataset.objects.order_by("name"))


def add_version(version: Version) -> None:
    """Remember a new version."""
    told = {
        name: plain(getattr(version, name))
        for name in ("tables", "key_columns", "dictionary", "sources", "power", "terms", "tier")
    }
    same = ("id", "number", "id_column", "participants", "classification", "master_root", "added_at", "confirmed_at")
    plan = ("plan_sha256", "plan_hash", "plan_commitment", "plan_nonce")
    rows.Version.objects.create(
        dataset_id=version.dataset,
        added_by_id=version.added_by,
        confirmed_by_id=version.confirmed_by,
        **told,
        **{name: getattr(version, name) for name in same + plan},
    )


def version(identifier: VersionId) -> Version:
    """The version of this id."""
    return values.one(Version, rows.Version.objects.filter(pk=identifier))


def versions(dataset: DatasetId) -> tuple[Version, ...]:
    """A dataset's versions, oldest first."""
    return values.each(Version, rows.Version.objects.filter(dataset=dataset).order_by("number"))


def newest(dataset: DatasetId, past: datetime | None = None) -> Version | None:
    """The newest version there is, or was at a past instant."""
    there = rows.Version.objects.filter(dataset=dataset).order_by("-number")
    return values.first(Version, there if past is None else there.filter(added_at__lte=past))


def confirm(identifier: VersionId, tier: Tier, by: PersonId, at: datetime) -> None:
    """Remember who confirmed a version, and its tier."""
    rows.Version.objects.filter(pk=identifier).update(tier=tier.value, confirmed_by_id=by, confirmed_at=at)


def withdrawn(dataset: DatasetId, at: datetime | None = None) -> tuple[bytes, ...]:
    """The tokens of a dataset's withdrawn participants, as of an instant."""
    there = rows.WithdrawnParticipant.objects.filter(dataset=dataset)
    if at is not None:
        there = there.filter(at__lte=at)
    return tuple(bytes(token) for token in there.order_by("pk").values_list("token", flat=True))


def withdrawn_since(dataset: DatasetId) -> tuple[tuple[bytes, datetime], ...]:
    """The tokens of a dataset's withdrawn participants, each with its instant."""
    there = rows.WithdrawnParticipant.objects.filter(dataset=dataset).order_by("pk")
    return tuple((bytes(token), at) for token, at in there.values_list("token", "at"))


def withdraw(withdrawal: Withdrawal, tokens: Iterable[bytes]) -> None:
    """Remember an intake of withdrawals and its new tokens."""
    rows.Withdrawal.objects.create(
        id=withdrawal.id,
        dataset_id=withdrawal.dataset,
        count=withdrawal.count,
        new=withdrawal.new,
        copies=withdrawal.copies,
        due_on=withdrawal.due_on,
        recorded_by_id=withdrawal.recorded_by,
        recorded_at=withdrawal.recorded_at,
    )
    rows.WithdrawnParticipant.objects.bulk_create(
        rows.WithdrawnParticipant(
            dataset_id=withdrawal.dataset, token=token, withdrawal_id=withdrawal.id, at=withdrawal.recorded_at
        )
        for token in tokens
    )


def withdrawals(dataset: DatasetId | None = None) -> tuple[Withdrawal, ...]:
    """Intakes of withdrawals, newest first; of all datasets where none is named."""
    there = rows.Withdrawal.objects.order_by("-pk")
    return values.each(Withdrawal, there if dataset is None else there.filter(dataset=dataset))
