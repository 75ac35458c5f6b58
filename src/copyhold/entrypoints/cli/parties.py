"""`institution` and `person`."""

from typing import Annotated

import typer

from copyhold.actions import parties
from copyhold.domain.words import plain
from copyhold.entrypoints.cli import door as doors

app = typer.Typer(add_completion=False, no_args_is_help=True)
institution = typer.Typer(add_completion=False, no_args_is_help=True, help="Institutions that hold or ask for copies.")
person = typer.Typer(add_completion=False, no_args_is_help=True, help="People, at institutions, in roles.")
app.add_typer(institution, name="institution")
app.add_typer(person, name="person")


@institution.command("add")
def add_institution(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="The name people will call it by.")],
    country: Annotated[str, typer.Option(metavar="CC", help="Two letters of ISO 3166-1.")],
    ror: Annotated[str, typer.Option(metavar="ID", help="Its identifier in the Research Organization Registry.")] = "",
) -> None:
    """Add an institution."""
    door = doors.of(context)
    added = parties.add_institution(door.occasion(), name, country, ror)
    door.terminal.answer({"institution": plain(added)}, f"{added.name} ({added.country}) is added as {added.id}.")


@institution.command("list")
def list_institutions(context: typer.Context) -> None:
    """List institutions by name."""
    door = doors.of(context)
    known = parties.institutions(door.occasion())
    rows = [(each.name, each.country, each.ror, each.id) for each in known]
    door.terminal.table({"institutions": plain(known)}, ("institution", "country", "ROR", "id"), rows)


@person.command("add")
def add_person(
    context: typer.Context,
    email: Annotated[str, typer.Argument(metavar="EMAIL")],
    institution: Annotated[str, typer.Option(metavar="NAME", help="Where they work.")],
    role: Annotated[str, typer.Option(metavar="ROLE,...", help="Roles; none is a researcher.")] = "",
) -> None:
    """Add a person; this confirms the affiliation for 90 days."""
    door = doors.of(context)
    roles = tuple(each.strip() for each in role.split(",") if each.strip())
    added = parties.add_person(door.occasion(), email, institution, roles)
    door.terminal.answer({"person": plain(added)}, f"{added.email} is added as {added.id}.")


@person.command("list")
def list_people(context: typer.Context) -> None:
    """List people by e-mail address."""
    door = doors.of(context)
    known = parties.people(door.occasion())
    rows = [(each.email, ", ".join(each.roles), each.id) for each in known]
    door.terminal.table({"people": plain(known)}, ("person", "roles", "id"), rows)
