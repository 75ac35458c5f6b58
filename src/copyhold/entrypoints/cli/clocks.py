"""`task`."""

from pathlib import Path
from typing import Annotated

import typer

from copyhold.actions import clocks
from copyhold.domain.words import plain
from copyhold.entrypoints.cli import door as doors
from copyhold.entrypoints.cli.access import kept

app = typer.Typer(add_completion=False, no_args_is_help=True)
task = typer.Typer(add_completion=False, no_args_is_help=True, help="What you must do until when.")
app.add_typer(task, name="task")


@task.command("list")
def list_tasks(context: typer.Context) -> None:
    """List what you must do, what is due first coming first."""
    door = doors.of(context)
    mine = clocks.mine(door.occasion())
    rows = [(each.due_at.date(), each.kind.value, each.told, each.id) for each in mine]
    door.terminal.table({"tasks": plain(mine)}, ("due", "task", "what", "id"), rows)


@task.command()
def fulfil(
    context: typer.Context,
    task_id: Annotated[str, typer.Argument(metavar="ID")],
    note: Annotated[str, typer.Option(help="What is to be said with it.")] = "",
    file: Annotated[Path | None, typer.Option(metavar="F", help="The evidence; it is kept by its hash.")] = None,
) -> None:
    """Say that a task is done, with its evidence."""
    door = doors.of(context)
    evidence = kept(door, file)
    met = clocks.fulfil(door.occasion(), task_id, note=note, evidence_sha256=evidence)
    door.terminal.answer({"task": plain(met)}, f"The {met.kind.value} is done.")
