"""Projects: applications, decisions, members.

Acts:
    add(occasion, Application(name, lead, dataset, purpose, until, fields, where, date_shifts)) -> Project
                                                                            project:add            project.added
    approve(occasion, name) -> Project                                      project:approve        project.approved
        also confirms the scope for the policy's days, at most until the project's end (access.recorded)
    refuse(occasion, name, reason="") -> Project                            project:refuse         project.rejected
    close(occasion, name) -> Project                                        project:close          project.closed
    add_member(occasion, name, email) -> Project                            project:add_member     project.member_added
    remove_member(occasion, name, email) -> Project                        project:remove_member  project.member_removed
Readings:
    listing(occasion) -> tuple[Project, ...]                                project:listing
    show(occasion, name) -> Shown(project, match, members)                  project:show
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from copyhold.actions.act import Act, Reader, action, reading
from copyhold.domain.access import Clock, Evidence, EvidenceId
from copyhold.domain.errors import InvalidInputError, NotFoundError
from copyhold.domain.moments import aware
from copyhold.domain.parties import Person
from copyhold.domain.projects import Project, ProjectId, State
from copyhold.domain.purposes import Match
from copyhold.domain.words import plain, prose, text
from copyhold.records import access, catalogue, custody, parties, projects
from copyhold.rules import access as gate
from copyhold.rules import projects as rules
from copyhold.rules import purposes

LONGEST_CONDITION = 4_000


@dataclass(frozen=True)
class Application:
    """What is asked for. `lead` is an e-mail address, `purpose` DUO terms as written, `until` exclusive.

    `fields` None asks for every field that may be released; `where` None for everybody; `date_shifts` None keeps dates.
    """

    name: str
    lead: str
    dataset: str
    purpose: tuple[str, ...]
    until: datetime
    fields: tuple[str, ...] | None = None
    where: str | None = None
    date_shifts: int | None = None


@dataclass(frozen=True)
class Shown:
    """A project with how its purpose fits the dataset's terms now, and who is named in it."""

    project: Project
    match: Match
    members: tuple[Person, ...]


@action("project:add", "project.added")
def add(act: Act, application: Application) -> Project:
    """Take in an application; its lead is its first member."""
    dataset = catalogue.dataset_called(application.dataset)
    version = catalogue.newest(dataset.id)
    if version is None:
        raise NotFoundError("The dataset has no version yet; add one with `dataset add`.")
    until = aware(application.until, "The project's end")
    if until <= act.at:
        raise InvalidInputError("The project's end lies in the past; give a later --until.")
    if not application.purpose:
        raise InvalidInputError("The project states no purpose; give at least one DUO term.")
    project = Project(
        id=act.new_id(ProjectId),
        name=text(application.name, "The project's name"),
        dataset=dataset.id,
        lead=parties.person_called(application.lead).id,
        purpose=purposes.purpose(application.purpose),
        fields=None if application.fields is None else rules.fields(application.fields, version.dictionary),
        where=_condition(application.where),
        date_shifts=rules.shift(application.date_shifts),
        until=until,
        state=State.APPLIED,
        applied_by=act.person,
        applied_at=act.at,
    )
    projects.add(project)
    act.enter(project.id, project, project=project.id)
    return project


def _condition(told: str | None) -> str | None:
    """Keep a condition as a bounded text; jobs parse it before it is ever evaluated."""
    if told is None or not told.strip():
        return None
    return prose(told, "The condition", most=LONGEST_CONDITION).strip()


@action("project:approve", "project.approved")
def approve(act: Act, name: str) -> Project:
    """Approve an application: scope and decision. Terms that deny the purpose are not overruled."""
    keeping = custody.get()
    project = _called(act, name)
    rules.may_decide(project, act.person, State.APPROVED, four_eyes=keeping.four_eyes).require()
    match = _match(project, act.at)
    rules.may_approve(match).require()
    projects.decide(project.id, State.APPROVED, act.person, act.at)
    verified = Evidence(
        id=act.new_id(EvidenceId),
        clock=Clock.SCOPE,
        subject=project.id,
        from_at=act.at,
        until=min(project.until, act.at + timedelta(days=keeping.policy.scope_days)),
        recorded_by=act.person,
        recorded_at=act.at,
        reference="decision on the application",
    )
    access.record(verified)
    decided = projects.project(project.id)
    act.enter(project.id, {"project": decided, "match": plain(match)}, project=project.id)
    act.also("access.recorded", verified.id, verified, project=project.id)
    return decided


@action("project:refuse", "project.rejected")
def refuse(act: Act, name: str, reason: str = "") -> Project:
    """Reject an application, with the reason for the applicant."""
    project = _called(act, name)
    rules.may_decide(project, act.person, State.REFUSED, four_eyes=custody.get().four_eyes).require()
    projects.decide(project.id, State.REFUSED, act.person, act.at)
    act.enter(project.id, {"reason": prose(reason, "The reason")}, project=project.id)
    return projects.project(project.id)


@action("project:close", "project.closed")
def close(act: Act, name: str) -> Project:
    """Close a project: no copy is made for it any more."""
    project = _called(act, name)
    rules.may_decide(project, act.person, State.CLOSED, four_eyes=False).require()
    projects.close(project.id, act.at)
    act.enter(project.id, {"closed_at": act.at}, project=project.id)
    return projects.project(project.id)


@action("project:add_member", "project.member_added")
def add_member(act: Act, name: str, email: str) -> Project:
    """Name a person in a project."""
    project, person = _called(act, name), parties.person_called(email)
    projects.name_member(project.id, person.id, act.at)
    act.enter(project.id, {"person": person.id}, project=project.id)
    return project


@action("project:remove_member", "project.member_removed")
def remove_member(act: Act, name: str, email: str) -> Project:
    """Take a person out of a project, from now on."""
    project, person = _called(act, name), parties.person_called(email)
    projects.remove_member(project.id, person.id, act.at)
    act.enter(project.id, {"person": person.id}, project=project.id)
    return project


@reading("project:listing")
def listing(reader: Reader) -> tuple[Project, ...]:
    """List the projects that one may see, by name."""
    return projects.projects(rules.sight(reader.standing))


@reading("project:show")
def show(reader: Reader, name: str) -> Shown:
    """Show a project, how its purpose fits the terms, and its members."""
    project = _called(reader, name)
    return Shown(project, _match(project, reader.at), projects.members(project.id))


def _called(reader: Reader, name: str) -> Project:
    return projects.project_called(name, rules.sight(reader.standing))


def _match(project: Project, at: datetime) -> Match:
    """Hold the purpose against the terms as for the lead; ethics is asked at the gate, not at the decision."""
    return gate.match(access.situation(parties.person(project.lead), project, at), ethics=True)
