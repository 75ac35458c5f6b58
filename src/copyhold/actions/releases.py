"""Releases: one copy for one holder, from request to destruction.

Acts:
    request(occasion, project, to, *, open_copy=True, waiver="") -> Release     release:request      release.requested
        the gate is asked; with four eyes the state is "awaiting approval" until another person approves
    approve(occasion, release_id) -> Release                                    release:approve      release.approved
    begin(occasion, release_id) -> ReleaseOrder                                 release:begin        release.begun
        asks the gate again and commits to the party's mark key before its first copy; begun again, the same key
    issue(occasion, release_id, result) -> Release                              release:issue        release.issued
        asks the gate a third time, with the ReleaseResult; only then may the door hand the bytes over
    drop(occasion, release_id, reason="") -> Release                            release:drop         release.dropped
    recall(occasion, release_id, reason="") -> Release                          release:recall       release.recalled
    keep(occasion, release_id, until, reference="") -> Release                  release:keep         release.kept
    record_destruction(occasion, release_id, evidence_sha256, note="") -> Release
                                                                                release:record_destruction
                                                                                                     release.destroyed
Readings:
    listing(occasion, window=Window()) -> Page[Release]                         release:listing
    under_way(occasion, project, to, *, open_copy=True, waiver="") -> Release | None
        the request for such a copy that is not issued yet                      release:under_way
    order(occasion, release_id) -> ReleaseOrder
        what an issued copy was made from                                       release:order
    show(occasion, release_id) -> Shown(release, project, holder, institution, country, dataset)
                                                                                release:show
"""

import hashlib
from dataclasses import dataclass, replace
from datetime import date

from copyhold.actions.act import Act, Reader, action, reading
from copyhold.domain.catalogue import Version
from copyhold.domain.errors import ConflictError
from copyhold.domain.paging import Page, Window
from copyhold.domain.parties import InstitutionId
from copyhold.domain.projects import Project
from copyhold.domain.releases import (
    MarkKey,
    Party,
    PartyId,
    Release,
    ReleaseId,
    ReleaseOrder,
    ReleaseResult,
    State,
)
from copyhold.domain.words import prose, sha256, text
from copyhold.records import access, catalogue, custody, parties, projects, releases
from copyhold.rules import access as gate
from copyhold.rules import releases as rules
from copyhold.rules.projects import sight

NONCE_BYTES = 32
FIRST_PAGE = Window()


@dataclass(frozen=True)
class Shown:
    """A release with the names that people know its things by."""

    release: Release
    project: str
    holder: str
    institution: str
    country: str
    dataset: str


@action("release:request", "release.requested")
def request(act: Act, project: str, to: str, *, open_copy: bool = True, waiver: str = "") -> Release:
    """Ask for a copy of a project's scope for one of its people: the gate answers before anything is made."""
    asked = projects.project_called(project, sight(act.standing))
    holder = parties.person_called(to)
    situation = access.situation(holder, asked, act.at)
    answer = gate.may_take(situation)
    if situation.version is None or holder.institution is None:
        answer.verdict.require()
        raise AssertionError("the gate lets nobody through without a version and an institution")
    party = _party(act, asked, holder.institution)
    four_eyes = custody.get().four_eyes
    release = Release(
        id=act.new_id(ReleaseId),
        project=asked.id,
        party=party.id,
        holder=holder.id,
        dataset=asked.dataset,
        version=situation.version.id,
        version_number=situation.version.number,
        state=State.AWAITING_APPROVAL if four_eyes else State.REQUESTED,
        open=open_copy,
        fields=asked.fields,
        where=asked.where,
        date_shifts=asked.date_shifts,
        until=asked.until,
        requested_by=act.person,
        requested_at=act.at,
        waiver=prose(waiver, "The waiver"),
        parent=releases.newest_of(asked.dataset, party.id),
    )
    rules.may_make(answer.beginning, release, situation.version, four_eyes=four_eyes).require()
    releases.add(release)
    act.enter(release.id, release, project=asked.id)
    return release


def _party(act: Act, project: Project, institution: InstitutionId) -> Party:
    """The party that the project is at the institution; it becomes one with its first request."""
    known = releases.party(project.id, institution)
    if known is not None:
        return known
    party = Party(act.new_id(PartyId), project.id, institution)
    releases.add_party(party)
    return party


@reading("release:under_way")
def under_way(reader: Reader, project: str, to: str, *, open_copy: bool = True, waiver: str = "") -> Release | None:
    """Find the request for such a copy of the newest version that is not issued yet; with its waiver, if told one."""
    asked = projects.project_called(project, sight(reader.standing))
    holder, newest = parties.person_called(to), catalogue.newest(asked.dataset)
    for release in releases.pending(asked.id, holder.id):
        same = newest is not None and (release.version, release.open) == (newest.id, open_copy)
        if same and (not waiver or release.waiver == prose(waiver, "The waiver")):
            return release
    return None


@action("release:approve", "release.approved")
def approve(act: Act, release_id: str) -> Release:
    """Approve a request: another person than who asked, in a custody with four eyes."""
    release = _seen(act, release_id)
    rules.may_approve(release, act.person, four_eyes=custody.get().four_eyes).require()
    approved = replace(release, state=State.APPROVED, approved_by=act.person, approved_at=act.at)
    return _moved(act, approved, {"approved_by": act.person})


@action("release:begin", "release.begun")
def begin(act: Act, release_id: str) -> ReleaseOrder:
    """Give the order for making a copy: the gate is asked again, the party's key is committed to in the log."""
    release = _seen(act, release_id)
    rules.may_move(release, State.ISSUED).require()
    version = _at_the_gate(act, release)
    key = _committed_key(act, release)
    begun = replace(release, epoch=key.epoch, begun_at=act.at)
    releases.change(begun)
    act.enter(release.id, {"epoch": key.epoch, "commitment": key.commitment}, project=release.project)
    return _order(begun, version, key)


def _at_the_gate(act: Act, release: Release) -> Version:
    """Ask the gate for a release that is under way, and give the version it is made of."""
    situation = access.situation(parties.person(release.holder), projects.project(release.project), act.at)
    version = catalogue.version(release.version)
    answer = gate.may_take(situation)
    rules.may_make(answer.verdict, release, version, four_eyes=custody.get().four_eyes).require()
    return version


def _committed_key(act: Act, release: Release) -> MarkKey:
    """The party's key in use; before its first copy, commit to it, SHA-256(key | nonce), in an entry of its own."""
    known = releases.mark_key(release.dataset, release.party)
    if known is not None:
        return known
    epoch = releases.next_epoch(release.dataset, release.party)
    nonce = act.outside.chance(NONCE_BYTES)
    secret = act.outside.keys.derive("mark", custody.get().id, release.dataset, release.party, str(epoch))
    commitment = hashlib.sha256(secret.reveal() + nonce).hexdigest()
    key = MarkKey(release.dataset, release.party, epoch, commitment, nonce.hex(), act.at)
    releases.add_mark_key(key)
    facts = {"dataset": key.dataset, "epoch": epoch, "commitment": commitment, "keys": releases.keys_issued()}
    act.also("key.committed", release.party, facts, project=release.project)
    return key


def _order(release: Release, version: Version, key: MarkKey) -> ReleaseOrder:
    """The order as of the instant at which it was begun."""
    keeping = custody.get()
    return ReleaseOrder(
        release=release.id,
        custody=keeping.id,
        dataset=release.dataset,
        dataset_name=catalogue.dataset(release.dataset).name,
        version=version,
        project=release.project,
        party=release.party,
        epoch=key.epoch,
        commitment=key.commitment,
        nonce=key.nonce,
        fields=release.fields,
        where=release.where,
        date_shifts=release.date_shifts,
        withdrawn=catalogue.withdrawn(release.dataset, release.begun_at),
        keys_issued=releases.keys_issued(),
        policy=keeping.policy,
    )


@action("release:issue", "release.issued")
def issue(act: Act, release_id: str, result: ReleaseResult) -> Release:
    """Issue a finished copy: the gate is asked a last time; withdrawals since it was begun send it back."""
    release = _seen(act, release_id)
    version = _at_the_gate(act, release)
    rules.may_issue(release, result, version, custody.get().policy).require()
    if release.begun_at is None or catalogue.withdrawn(release.dataset) != catalogue.withdrawn(
        release.dataset, release.begun_at
    ):
        raise ConflictError("Participants withdrew while the copy was made; make it again.", code="WITHDRAWN_ROWS")
    issued = replace(
        release,
        state=State.ISSUED,
        issued_at=act.at,
        released_fields=result.released_fields,
        rows=result.rows,
        participants=result.participants,
        sha256=result.sha256,
        size_bytes=result.size_bytes,
        path=text(result.path, "The path", most=4_000, least=0),
        format=result.format,
        plan_hash=result.plan_hash,
        traceability=result.traceability,
        power=result.power,
        utility=result.utility,
    )
    return _moved(act, issued, issued)


@action("release:drop", "release.dropped")
def drop(act: Act, release_id: str, reason: str = "") -> Release:
    """Give up a request before its copy is issued."""
    return _to(act, release_id, State.DROPPED, note=prose(reason, "The reason"), ended_at=act.at)


@action("release:recall", "release.recalled")
def recall(act: Act, release_id: str, reason: str = "") -> Release:
    """Ask for a copy back."""
    return _to(act, release_id, State.RECALLED, note=prose(reason, "The reason"))


@action("release:keep", "release.kept")
def keep(act: Act, release_id: str, until: date, reference: str = "") -> Release:
    """Let a holder keep a copy under a dated agreement."""
    return _to(act, release_id, State.KEPT, kept_until=until, note=text(reference, "The reference", least=0))


@action("release:record_destruction", "release.destroyed")
def record_destruction(act: Act, release_id: str, evidence_sha256: str, note: str = "") -> Release:
    """Record that a copy was destroyed, with the hash of the evidence for it."""
    told, digest = prose(note, "The note"), sha256(evidence_sha256, "The hash of the evidence")
    return _to(act, release_id, State.DESTROYED, evidence_sha256=digest, note=told, ended_at=act.at)


def _to(act: Act, release_id: str, state: State, **changes: object) -> Release:
    release = _seen(act, release_id)
    rules.may_move(release, state).require()
    return _moved(act, replace(release, state=state, **changes), changes)  # type: ignore[arg-type] # fields of Release


def _moved(act: Act, release: Release, facts: object) -> Release:
    releases.change(release)
    act.enter(release.id, facts, project=release.project)
    return release


@reading("release:listing")
def listing(reader: Reader, window: Window = FIRST_PAGE) -> Page[Release]:
    """List the copies that one may see, newest first."""
    return releases.releases(sight(reader.standing), window)


@reading("release:order")
def order(reader: Reader, release_id: str) -> ReleaseOrder:
    """Tell from what, and under which key, an issued copy was made."""
    release = _seen(reader, release_id)
    if release.epoch is None or release.issued_at is None:
        raise ConflictError("The copy was never issued, so there is nothing to hold against the register.")
    key = releases.mark_key_of(release.dataset, release.party, release.epoch)
    return _order(release, catalogue.version(release.version), key)


@reading("release:show")
def show(reader: Reader, release_id: str) -> Shown:
    """Show one copy with the names that people know its things by."""
    release = _seen(reader, release_id)
    holder = parties.person(release.holder)
    home = parties.institution(releases.party_of(release.party).institution)
    return Shown(
        release=release,
        project=projects.project(release.project).name,
        holder=holder.email,
        institution=home.name,
        country=home.country,
        dataset=catalogue.dataset(release.dataset).name,
    )


def _seen(reader: Reader, release_id: str) -> Release:
    return releases.release(release_id, sight(reader.standing))
