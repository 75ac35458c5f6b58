"""`project`."""

from typing import Annotated

import typer

from copyhold.actions import projects
from copyhold.domain.moments import parse
from copyhold.domain.words import plain
from copyhold.entrypoints.cli import door as doors

app = typer.Typer(add_completion=False, no_args_is_help=True)
project = typer.Typer(add_completion=False, no_args_is_help=True, help="Projects: scope and decision.")
app.add_typer(project, name="project")


def listed(text: str) -> tuple[str, ...]:
    """Split a list written with commas."""
    return tuple(each.strip() for each in text.split(",") if each.strip())


@project.command()
def add(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="The name people will call it by.")],
    lead: Annotated[str, typer.Option(metavar="EMAIL", help="Its lead, and first member.")],
    dataset: Annotated[str, typer.Option(metavar="NAME")],
    purpose: Annotated[str, typer.Option(metavar="DUO,...", help="Terms of the Data Use Ontology.")],
    until: Annotated[str, typer.Option(metavar="DATE", help="Its end, exclusive.")],
    fields: Annotated[str, typer.Option(metavar="A,B", help="Fields it needs; none means all that may go.")] = "",
    where: Annotated[str, typer.Option(metavar="SQL", help="Whom it needs: a condition over fields.")] = "",
    date_shifts: Annotated[
        int | None,
        typer.Option(metavar="DAYS", help="Dates may be shifted by up to so many days, accepted in writing."),
    ] = None,
) -> None:
    """Take in an application."""
    door = doors.of(context)
    application = projects.Application(
        name=name,
        lead=lead,
        dataset=dataset,
        purpose=listed(purpose),
        until=parse(until, "--until"),
        fields=listed(fields) or None,
        where=where or None,
        date_shifts=date_shifts,
    )
    added = projects.add(door.occasion(), application)
    door.terminal.answer(
        {"project": plain(added)},
        f"{added.name} is applied for as {added.id}.",
        f"Decide with `copyhold project approve {added.name!r}`.",
    )


@project.command()
def approve(context: typer.Context, name: Annotated[str, typer.Argument(metavar="PROJECT")]) -> None:
    """Approve an application: its scope, from now on."""
    door = doors.of(context)
    decided = projects.approve(door.occasion(), name)
    door.terminal.answer({"project": plain(decided)}, f"{decided.name} is approved until {decided.until.date()}.")


@project.command("list")
def list_projects(context: typer.Context) -> None:
    """List the projects that you may see."""
    door = doors.of(context)
    known = projects.listing(door.occasion())
    rows = [(each.name, each.state, each.until.date(), each.id) for each in known]
    door.terminal.table({"projects": plain(known)}, ("project", "state", "until", "id"), rows)
