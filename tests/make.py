"""Things for tests, each with every argument optional: make.person(world), make.release(world, project=project).

What is not given is made, by the operator of the world, so that a test names only what it is about.
"""

import hashlib
from datetime import timedelta
from itertools import count

from copyhold.actions import access, catalogue, parties, projects, releases
from copyhold.actions.projects import Application
from copyhold.domain.catalogue import (
    Dictionary,
    Field,
    FieldType,
    Role,
    TableSnapshot,
    Tolerance,
    Version,
    VersionOrder,
    VersionResult,
)
from copyhold.domain.clocks import Consequence, Kind, Task, TaskId
from copyhold.domain.parties import Institution, Person, PersonId
from copyhold.domain.projects import Project
from copyhold.domain.releases import Release, ReleaseOrder, ReleaseResult, Traceability
from copyhold.domain.words import CHANCE_BYTES
from copyhold.records import clocks, transactions
from tests.world import World

_numbers = count(1)


def digest(*told: object) -> str:
    """Make a hash that differs for whatever differs."""
    return hashlib.sha256(repr(told).encode()).hexdigest()


def institution(world: World, *, name: str | None = None, country: str = "GB", ror: str = "") -> Institution:
    """Add an institution."""
    return parties.add_institution(world.by(), name or f"University {next(_numbers)}", country, ror)


def person(
    world: World, *, email: str | None = None, at: Institution | None = None, roles: tuple[str, ...] = ("researcher",)
) -> Person:
    """Add a person, at a new institution where none is given."""
    home = at or institution(world)
    return parties.add_person(world.by(), email or f"person{next(_numbers)}@example.org", home.name, roles)


def custodian(world: World, *, email: str | None = None, roles: tuple[str, ...] = ("custodian",)) -> Person:
    """Add a second person of the custodian's staff."""
    return person(world, email=email, roles=roles)


def field(name: str = "LBXTC", *, role: Role = Role.SENSITIVE, table: str = "main", guess: bool = False) -> Field:
    """Describe a field."""
    marked = role in (Role.SENSITIVE, Role.FREE)
    tolerance = Tolerance(2.0) if marked else None
    return Field(table, name, name, FieldType.INTEGER, role, tolerance=tolerance, mark=marked, guess=guess)


def dictionary(*fields: Field) -> Dictionary:
    """Describe a table of a participant id, a direct identifier and two measurements."""
    usual = (
        field("SEQN", role=Role.ID),
        field("NAME", role=Role.DIRECT),
        field("LBXTC"),
        field("LBXGLU"),
    )
    return Dictionary(fields or usual)


def version_result(order: VersionOrder, *, salt: object = 0) -> VersionResult:
    """Answer an order as a job would."""
    return VersionResult(
        tables=tuple(
            TableSnapshot(table, number, digest(table, order.number, salt), 100)
            for number, table in enumerate(order.dictionary.tables, 1)
        ),
        id_column="SEQN",
        key_columns=(),
        participants=100,
        dictionary=order.dictionary,
        plan_sha256=digest("plan", order.number, salt),
        plan_hash=digest("plan hash", order.number, salt),
        plan_commitment=digest("commitment", salt),
        plan_nonce=digest("nonce", salt),
        master_root=digest("root", order.number, salt),
    )


def version(
    world: World,
    *,
    name: str = "NHANES",
    fields: Dictionary | None = None,
    terms: tuple[str, ...] = ("GRU",),
    by: PersonId | None = None,
) -> Version:
    """Add the next version of a dataset."""
    order = catalogue.next_version(world.by(by), name, fields or dictionary())
    return catalogue.add_version(world.by(by), order, version_result(order), terms)


def project(
    world: World,
    *,
    name: str | None = None,
    lead: Person | None = None,
    dataset: str = "NHANES",
    purpose: tuple[str, ...] = ("HMB",),
    days: int = 365,
    fields: tuple[str, ...] | None = None,
    where: str | None = None,
    date_shifts: int | None = None,
) -> Project:
    """Take in an application, on a dataset that is made where there is none."""
    if dataset not in {one.name for one in catalogue.datasets(world.by())}:
        version(world, name=dataset)
    application = Application(
        name=name or f"Project {next(_numbers)}",
        lead=(lead or person(world)).email,
        dataset=dataset,
        purpose=purpose,
        until=world.now + timedelta(days=days),
        fields=fields,
        where=where,
        date_shifts=date_shifts,
    )
    return projects.add(world.by(), application)


def evidence(world: World, project: Project, person: Person, *, days: int = 180) -> None:
    """Turn ethics, agreement and training green; affiliation and scope are by adding and approving."""
    until = world.now + timedelta(days=days)
    access.record(world.by(), "ethics", project.name, until)
    access.record(world.by(), "agreement", project.name, until)
    access.record(world.by(), "training", person.email, until)


def approved(world: World, project: Project, *, by: PersonId | None = None) -> Project:
    """Approve an application."""
    return projects.approve(world.by(by), project.name)


def running_project(
    world: World, *, lead: Person | None = None, approver: PersonId | None = None, **scope: object
) -> Project:
    """Make a project that passes the gate: approved, with all five clocks green."""
    leading = lead or person(world)
    applied = project(world, lead=leading, **scope)  # type: ignore[arg-type] # passed on as given
    running = approved(world, applied, by=approver)
    evidence(world, running, leading)
    return running


def lead_of(world: World, project: Project) -> Person:
    """Find the lead of a project."""
    return next(one for one in parties.people(world.by()) if one.id == project.lead)


def task(
    world: World,
    kind: Kind = Kind.REPORT,
    *,
    owner: str = "",
    reach: str = "",
    due: timedelta = timedelta(days=30),
    consequences: tuple[Consequence, ...] = (),
) -> Task:
    """Open a task, as an act of some noun would."""
    world.later(seconds=1)
    opened = Task(
        id=TaskId.new(world.now, world.outside.chance(CHANCE_BYTES)),
        kind=kind,
        subject=reach,
        owner=owner,
        reach=reach,
        told="Hand in the report.",
        opened_at=world.now,
        due_at=world.now + due,
        consequences=consequences,
    )
    with transactions.durable():
        clocks.open_tasks([opened])
    return opened


def release_result(order: ReleaseOrder, *, n95: int | None = 7, decoded: bool = True, rows: int = 100) -> ReleaseResult:
    """Answer an order as a job would."""
    names = tuple(field.name for field in order.version.dictionary.fields if field.role is not Role.DIRECT)
    return ReleaseResult(
        released_fields=order.fields or names,
        rows=rows,
        participants=rows,
        sha256=digest("copy", order.release, order.party, order.epoch),
        size_bytes=1000,
        path="copy.parquet",
        format="parquet",
        plan_hash=order.version.plan_hash,
        traceability=Traceability.NUMERIC_MARKS,
        n95=n95,
        power={"none": {"n50": n95, "n95": n95}},
        utility={},
        decoded=decoded,
    )


def release(world: World, *, project: Project | None = None, to: Person | None = None) -> Release:
    """Issue a copy, in a custody of one operator."""
    asked = project or running_project(world)
    holder = to or lead_of(world, asked)
    requested = releases.request(world.by(), asked.name, holder.email)
    order = releases.begin(world.by(), requested.id)
    return releases.issue(world.by(), requested.id, release_result(order))
