"""Parties, their mark keys, and releases as remembered."""

from collections.abc import Iterable
from typing import Any

from django.db.models import F, Q

from copyhold.domain.accounts import Sight
from copyhold.domain.catalogue import DatasetId
from copyhold.domain.errors import NotFoundError
from copyhold.domain.paging import Page, Window
from copyhold.domain.parties import InstitutionId, PersonId
from copyhold.domain.projects import ProjectId
from copyhold.domain.releases import OUTSIDE, PENDING, HeldCopy, MarkKey, Party, PartyId, Release, ReleaseId, State
from copyhold.domain.words import plain
from copyhold.records import values
from copyhold.records.models import releases as rows
from copyhold.records.models.projects import Member

REFERENCES = ("project", "party", "holder", "dataset", "version", "requested_by", "parent", "approved_by")


def party(project: ProjectId, institution: InstitutionId) -> Party | None:
    """The party that a project is at an institution, if it is one yet."""
    return values.first(Party, rows.Party.objects.filter(project=project, institution=institution))


def party_of(identifier: PartyId) -> Party:
    """The party of this id."""
    return values.one(Party, rows.Party.objects.filter(pk=identifier))


def add_party(party: Party) -> None:
    """Remember a new party."""
    rows.Party.objects.create(id=party.id, project_id=party.project, institution_id=party.institution)


def mark_key(dataset: DatasetId, party: PartyId) -> MarkKey | None:
    """The key of a party in a dataset that is in use: the newest that is not spent."""
    there = rows.MarkKey.objects.filter(dataset=dataset, party=party, spent_at=None)
    return values.first(MarkKey, there.order_by("-epoch"))


def mark_key_of(dataset: DatasetId, party: PartyId, epoch: int) -> MarkKey:
    """The key that a party had in a dataset in an epoch."""
    return values.one(MarkKey, rows.MarkKey.objects.filter(dataset=dataset, party=party, epoch=epoch))


def next_epoch(dataset: DatasetId, party: PartyId) -> int:
    """The epoch of a party's next key in a dataset."""
    newest = rows.MarkKey.objects.filter(dataset=dataset, party=party).order_by("-epoch")
    return (newest.values_list("epoch", flat=True).first() or 0) + 1


def add_mark_key(key: MarkKey) -> None:
    """Remember a committed key."""
    rows.MarkKey.objects.create(
        dataset_id=key.dataset,
        party_id=key.party,
        epoch=key.epoch,
        commitment=key.commitment,
        nonce=key.nonce,
        committed_at=key.committed_at,
    )


def mark_keys() -> tuple[MarkKey, ...]:
    """All mark keys ever issued in this custody."""
    return values.each(MarkKey, rows.MarkKey.objects.order_by("pk"))


def keys_issued() -> int:
    """R: how many mark keys were ever issued in this custody."""
    return rows.MarkKey.objects.count()


def add(release: Release) -> None:
    """Remember a request."""
    rows.Release.objects.create(**_columns(release))


def change(release: Release) -> None:
    """Remember a release as it is now."""
    rows.Release.objects.filter(pk=release.id).update(**_columns(release))


def _columns(release: Release) -> dict[str, Any]:
    told: dict[str, Any] = {name: getattr(release, name) for name in release.__dataclass_fields__}
    for name in REFERENCES:
        told[f"{name}_id"] = told.pop(name)
    for name in ("state", "fields", "released_fields", "traceability", "power", "utility"):
        told[name] = plain(told[name])
    return told


def release(identifier: str, sight: Sight) -> Release:
    """The release of this id, where it may be seen."""
    there = rows.Release.objects.filter(pk=identifier).filter(_seen(sight))
    if (found := values.first(Release, there)) is None:
        raise NotFoundError("There is no such release; `release list` shows those there are.")
    return found


def releases(sight: Sight, window: Window) -> Page[Release]:
    """One page of releases, newest first."""
    return values.page(Release, rows.Release.objects.filter(_seen(sight)), window)


def pending(project: ProjectId, holder: PersonId) -> tuple[Release, ...]:
    """The requests of a project for a person that are not issued yet, newest first."""
    states = [state.value for state in PENDING]
    there = rows.Release.objects.filter(project=project, holder=holder, state__in=states)
    return values.each(Release, there.order_by("-pk"))


def newest_of(dataset: DatasetId, party: PartyId) -> ReleaseId | None:
    """The copy that a party was last given of a dataset."""
    there = rows.Release.objects.filter(dataset=dataset, party=party, issued_at__isnull=False)
    found = there.order_by("-pk").values_list("pk", flat=True).first()
    return None if found is None else ReleaseId(found)


def outside(dataset: DatasetId) -> tuple[Release, ...]:
    """A dataset's copies that are out there."""
    there = rows.Release.objects.filter(dataset=dataset, state__in=[state.value for state in OUTSIDE])
    return values.each(Release, there.order_by("pk"))


def of_projects(projects: Iterable[ProjectId]) -> tuple[Release, ...]:
    """The pending requests and the copies out there of some projects."""
    states = [state.value for state in (*PENDING, *OUTSIDE)]
    there = rows.Release.objects.filter(project__in=list(projects), state__in=states)
    return values.each(Release, there.order_by("pk"))


def in_state(state: State) -> tuple[Release, ...]:
    """All releases in a state, oldest first."""
    return values.each(Release, rows.Release.objects.filter(state=state.value).order_by("pk"))


def held_copies() -> tuple[HeldCopy, ...]:
    """Every copy ever issued, as tracing needs it."""
    there = rows.Release.objects.filter(issued_at__isnull=False).annotate(
        release=F("pk"),
        institution=F("party__institution_id"),
        institution_name=F("party__institution__name"),
        project_name=F("project__name"),
    )
    return values.each(HeldCopy, there.order_by("pk"))


def institutions_of(projects: Iterable[ProjectId]) -> tuple[Party, ...]:
    """The parties that some projects are."""
    return values.each(Party, rows.Party.objects.filter(project__in=list(projects)).order_by("pk"))


def parties_at(institutions: Iterable[InstitutionId]) -> tuple[Party, ...]:
    """The parties at some institutions."""
    return values.each(Party, rows.Party.objects.filter(institution__in=list(institutions)).order_by("pk"))


def _seen(sight: Sight) -> Q:
    """What may be seen: all, or the copies of one's own projects and of the institution one signs for."""
    if sight.everything:
        return Q()
    mine = Member.objects.filter(person=sight.person, left_at=None).values("project_id")
    answered_for = Q(party__institution=sight.signs_for) if sight.signs_for else Q()
    return Q(project__in=mine) | Q(holder=sight.person) | answered_for
