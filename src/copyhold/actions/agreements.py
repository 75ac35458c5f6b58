"""Agreements: contracts that act, routes over borders, and the documents that decisions ask for.

Acts:
    offer(occasion, Offer(...)) -> Agreement                             agreement:offer        agreement.offered
        the text's bytes are stored first; a sub-recipient's terms must flow down from its parent's
    sign(occasion, agreement_id, side, text_sha256, authority="") -> Shown
                                                                         agreement:sign         agreement.signed
        with the last signature the agreement is in force: the gate takes it for its clock, its duties become tasks
        (clock.started), and what it supersedes ends (agreement.terminated)
    withdraw(occasion, agreement_id, reason="") -> Agreement             agreement:withdraw     agreement.withdrawn
    terminate(occasion, agreement_id, reason) -> Agreement               agreement:terminate    agreement.terminated
        every decision under it refuses from now on
    record_route(occasion, NewRoute(...)) -> Route                       agreement:record_route agreement.route_recorded
    record_document(occasion, kind, subject, until, ...) -> Document     agreement:record_document
                                                                                             agreement.document_recorded
Readings:
    listing(occasion, window=Window()) -> Page[Agreement]                agreement:listing
    show(occasion, agreement_id) -> Shown(agreement, signatures, missing)                       agreement:show
    routes(occasion, window=Window()) -> Page[Route]                     agreement:routes
    documents(occasion, subject) -> tuple[Document, ...]                 agreement:documents
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from copyhold.actions.act import Act, Reader, action, reading
from copyhold.domain import words
from copyhold.domain.accounts import Sight
from copyhold.domain.agreements.contracts import (
    Agreement,
    AgreementId,
    Duty,
    Side,
    Signature,
    State,
    Terms,
    Trigger,
)
from copyhold.domain.agreements.transfers import Document, DocumentId, DocumentKind, Route, RouteId, Safeguard
from copyhold.domain.clocks import Task, TaskId
from copyhold.domain.errors import InvalidInputError, NotFoundError
from copyhold.domain.moments import aware
from copyhold.domain.paging import Page, Window
from copyhold.domain.words import prose, sha256, text
from copyhold.records import agreements, catalogue, clocks, custody, parties, projects
from copyhold.rules.agreements import contracts
from copyhold.rules.clocks import DEFAULTS
from copyhold.rules.projects import sight

EVERYTHING = Sight(everything=True)
FIRST_PAGE = Window()


@dataclass(frozen=True)
class Offer:
    """What is offered: `text_sha256` names the stored text; without a project it is for all of the institution's."""

    title: str
    institution: str
    dataset: str
    terms: Terms
    text_sha256: str
    from_at: datetime
    until: datetime
    project: str | None = None
    parent: str | None = None
    supersedes: str | None = None


@dataclass(frozen=True)
class NewRoute:
    """A route as recorded: countries by their two letters, `institution` a name or None for the whole country."""

    exporter: str
    importer: str
    safeguard: str
    until: datetime
    institution: str | None = None
    reference: str = ""
    evidence_sha256: str = ""


@dataclass(frozen=True)
class Shown:
    """An agreement with who has signed it, and which sides have not."""

    agreement: Agreement
    signatures: tuple[Signature, ...]
    missing: tuple[Side, ...]


@action("agreement:offer", "agreement.offered")
def offer(act: Act, offer: Offer) -> Agreement:
    """Offer an agreement for signature, in a text that no longer changes."""
    from_at, until = aware(offer.from_at, "The start"), aware(offer.until, "The end")
    if until <= max(from_at, act.at):
        raise InvalidInputError("The agreement would be over before it begins; give a later end.")
    project = None if offer.project is None else projects.project_called(offer.project, sight(act.standing))
    dataset = catalogue.dataset_called(offer.dataset)
    if project is not None and project.dataset != dataset.id:
        raise InvalidInputError("The project is not about this dataset; name the dataset that it is about.")
    parent = None if offer.parent is None else _called(act, offer.parent)
    before = None if offer.supersedes is None else _called(act, offer.supersedes)
    agreement = Agreement(
        id=act.new_id(AgreementId),
        title=text(offer.title, "The title"),
        text_sha256=sha256(offer.text_sha256, "The hash of the text"),
        institution=parties.institution_called(offer.institution).id,
        dataset=dataset.id,
        project=None if project is None else project.id,
        terms=_checked(offer.terms),
        from_at=from_at,
        until=until,
        state=State.OFFERED,
        offered_by=act.person,
        offered_at=act.at,
        parent=None if parent is None else parent.id,
        supersedes=None if before is None else before.id,
    )
    if parent is not None:
        contracts.flows_down(parent.terms, agreement.terms).require()
    if before is not None:
        contracts.may_supersede(before, agreement).require()
    agreements.offer(agreement)
    act.enter(agreement.id, agreement, project=agreement.project or "")
    return agreement


def _checked(terms: Terms) -> Terms:
    for place in terms.places:
        words.country(place, "A place")
    if terms.incident_hours < 1:
        raise InvalidInputError("The agreement must give at least one hour to tell of an incident.")
    return terms


@action("agreement:sign", "agreement.signed")
def sign(act: Act, agreement_id: str, side: str, text_sha256: str, authority: str = "") -> Shown:
    """Sign for a side the text that was seen; the last signature puts the agreement in force."""
    agreement, person = _called(act, agreement_id), parties.person(act.person)
    signatures = agreements.signatures(agreement.id)
    lead = None if agreement.project is None else projects.project(agreement.project).lead
    read, signed_for = sha256(text_sha256, "The hash of the text"), words.one_of(Side, side, "side")
    contracts.may_sign(
        agreement, signatures, signed_for, person, lead, read, four_eyes=custody.get().four_eyes
    ).require()
    told = text(authority, "The authority", least=0)
    signature = Signature(agreement.id, signed_for, person.id, told, read, act.at)
    agreements.sign(signature)
    act.enter(agreement.id, signature, project=agreement.project or "")
    if not contracts.missing(agreement, (*signatures, signature)):
        _in_force(act, agreement)
    return _shown(_called(act, agreement_id))


def _in_force(act: Act, agreement: Agreement) -> None:
    """All have signed: duties become tasks, and what is superseded ends, whether or not its signer may see it."""
    agreements.signed(agreement.id, act.at)
    tasks = [_task(act, agreement, duty) for duty in agreement.terms.duties if duty.trigger is not Trigger.INCIDENT]
    clocks.open_tasks(tasks)
    for task in tasks:
        act.also("clock.started", task.id, task, project=agreement.project or "")
    if agreement.supersedes is not None:
        before = agreements.agreement(agreement.supersedes, EVERYTHING)
        if contracts.may_end(before, State.TERMINATED):
            agreements.end(before.id, State.TERMINATED, act.at, "superseded")
            act.also("agreement.terminated", before.id, {"superseded_by": agreement.id})


def _task(act: Act, agreement: Agreement, duty: Duty) -> Task:
    """What a duty asks for the first time; where it says nothing of warnings or effects, its kind does."""
    start = agreement.from_at if duty.trigger is Trigger.START else agreement.until
    kind = contracts.TASKS[duty.obligation]
    return Task(
        id=act.new_id(TaskId),
        kind=kind,
        subject=agreement.id,
        owner=agreement.project or agreement.institution,
        reach=agreement.project or agreement.institution,
        told=f"The agreement asks to {duty.obligation.value}.",
        opened_at=act.at,
        due_at=start + timedelta(hours=duty.within_hours),
        warn_days=duty.warn_days or DEFAULTS[kind].warn_days,
        consequences=duty.consequences or DEFAULTS[kind].consequences,
        source=agreement.id,
    )


@action("agreement:withdraw", "agreement.withdrawn")
def withdraw(act: Act, agreement_id: str, reason: str = "") -> Agreement:
    """Take back an offer before all have signed it."""
    return _end(act, agreement_id, State.WITHDRAWN, reason)


@action("agreement:terminate", "agreement.terminated")
def terminate(act: Act, agreement_id: str, reason: str) -> Agreement:
    """End an agreement before its time: every decision that rests on it refuses from now on."""
    return _end(act, agreement_id, State.TERMINATED, reason)


def _end(act: Act, agreement_id: str, state: State, reason: str) -> Agreement:
    agreement = _called(act, agreement_id)
    contracts.may_end(agreement, state).require()
    told = prose(reason, "The reason")
    agreements.end(agreement.id, state, act.at, told)
    act.enter(agreement.id, {"reason": told}, project=agreement.project or "")
    return _called(act, agreement_id)


@action("agreement:record_route", "agreement.route_recorded")
def record_route(act: Act, route: NewRoute) -> Route:
    """Record by which route of law data may pass from one country to another, and on what evidence."""
    home = None if route.institution is None else parties.institution_called(route.institution)
    importer = words.country(route.importer, "The importer's country")
    if home is not None and home.country != importer:
        raise InvalidInputError("The institution is in another country than the route leads to.")
    recorded = Route(
        id=act.new_id(RouteId),
        exporter=words.country(route.exporter, "The exporter's country"),
        importer=importer,
        institution=None if home is None else home.id,
        safeguard=words.one_of(Safeguard, route.safeguard, "safeguard"),
        reference=text(route.reference, "The reference", least=0),
        evidence_sha256=sha256(route.evidence_sha256, "The file's hash") if route.evidence_sha256 else "",
        from_at=act.at,
        until=aware(route.until, "The end"),
        recorded_by=act.person,
        recorded_at=act.at,
    )
    agreements.record_route(recorded)
    act.enter(recorded.id, recorded)
    return recorded


@action("agreement:record_document", "agreement.document_recorded")
def record_document(
    act: Act, kind: str, subject: str, until: datetime, *, reference: str = "", file_sha256: str = ""
) -> Document:
    """Record a document about a person, an institution, a project or a dataset; the newest of its kind counts."""
    document = Document(
        id=act.new_id(DocumentId),
        kind=words.one_of(DocumentKind, kind, "kind of document"),
        subject=_subject(act, subject),
        reference=text(reference, "The reference", least=0),
        file_sha256=sha256(file_sha256, "The file's hash") if file_sha256 else "",
        from_at=act.at,
        until=aware(until, "The end"),
        recorded_by=act.person,
        recorded_at=act.at,
    )
    agreements.record_document(document)
    act.enter(document.id, document)
    return document


def _subject(reader: Reader, who: str) -> str:
    """Find what a document is about: a person by address, else a project, an institution or a dataset by name."""
    if "@" in who:
        return parties.person_called(who).id
    finders = (
        lambda: projects.project_called(who, sight(reader.standing)).id,
        lambda: parties.institution_called(who).id,
        lambda: catalogue.dataset_called(who).id,
    )
    for find in finders:
        try:
            return find()
        except NotFoundError:
            continue
    raise NotFoundError("There is no person, project, institution or dataset of this name.")


@reading("agreement:listing")
def listing(reader: Reader, window: Window = FIRST_PAGE) -> Page[Agreement]:
    """List the agreements that one may see, newest first."""
    return agreements.agreements(sight(reader.standing), window)


@reading("agreement:show")
def show(reader: Reader, agreement_id: str) -> Shown:
    """Show an agreement, who has signed it, and who has not."""
    return _shown(_called(reader, agreement_id))


def _shown(agreement: Agreement) -> Shown:
    signatures = agreements.signatures(agreement.id)
    return Shown(agreement, signatures, contracts.missing(agreement, signatures))


@reading("agreement:routes")
def routes(_reader: Reader, window: Window = FIRST_PAGE) -> Page[Route]:
    """List the routes over borders, newest first."""
    return agreements.all_routes(window)


@reading("agreement:documents")
def documents(reader: Reader, subject: str) -> tuple[Document, ...]:
    """List the newest document of each kind about one thing."""
    return agreements.documents((_subject(reader, subject),))


def _called(reader: Reader, agreement_id: str) -> Agreement:
    return agreements.agreement(agreement_id, sight(reader.standing))
