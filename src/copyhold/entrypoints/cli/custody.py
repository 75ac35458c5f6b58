"""`init` and `status`."""

from pathlib import Path
from typing import Annotated

import typer

from copyhold.actions import custody
from copyhold.domain.words import plain
from copyhold.entrypoints.cli import door as doors

app = typer.Typer(add_completion=False, no_args_is_help=True)
Context = typer.Context


@app.command()
def init(
    context: Context,
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="A new folder for the custody.")],
    name: Annotated[str, typer.Option(help="What the custody is called.")],
    operator: Annotated[str, typer.Option(metavar="EMAIL", help="Who operates it; the first custodian.")],
    four_eyes: Annotated[
        bool, typer.Option("--four-eyes/--no-four-eyes", help="Whether a second person approves, confirms and agrees.")
    ] = True,
    country: Annotated[
        str, typer.Option(metavar="CC", help="Where data are exported from; transfers over borders then need a route.")
    ] = "",
) -> None:
    """Create a custody: database, keys (mode 0600), log."""
    door = doors.of(context)
    home = door.found_home(directory)
    founded = custody.found(home.occasion(), name, operator, four_eyes, country)
    door.enter(home)
    door.terminal.answer(
        {"custody": str(home.directory), "id": founded.id, "name": founded.name, "four_eyes": founded.four_eyes},
        f"The custody {founded.name!r} stands in {home.directory}.",
        "Back up keys/ and the database apart from each other; whoever holds both can read and make any copy.",
    )


@app.command()
def status(context: Context) -> None:
    """Say what there is in the custody, and what is due."""
    door = doors.of(context)
    now = custody.status(door.occasion())
    counts = (
        (now.datasets, "datasets"),
        (now.projects, "projects"),
        (now.people, "people"),
        (now.copies_outside, "copies out there"),
        (now.suspensions, "suspensions in force"),
        (now.attempts, "traces"),
        (now.entries, "entries in the log"),
    )
    due = [f"  - {one.told}{f' ({one.at.date()})' if one.at else ''}" for one in now.due]
    door.terminal.answer(
        {"custody": str(door.home.directory), "status": plain(now)},
        f"{now.custody.name}: {', '.join(f'{number} {words}' for number, words in counts)}.",
        *(["Due:", *due] if due else ["Nothing is due."]),
    )
