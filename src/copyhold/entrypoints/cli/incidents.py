"""`suspend` and `reinstate`."""

from typing import Annotated

import typer

from copyhold.actions import incidents
from copyhold.domain.incidents import Preview
from copyhold.domain.words import plain
from copyhold.entrypoints.cli import door as doors

app = typer.Typer(add_completion=False, no_args_is_help=True)

Reach = Annotated[str, typer.Argument(metavar="REACH", help="person, institution, project or country")]
Who = Annotated[str, typer.Argument(metavar="WHO", help="An e-mail address, a name, or a country's two letters.")]
Reason = Annotated[str, typer.Option(help="Why; it is kept with the act.")]


@app.command()
def suspend(
    context: typer.Context,
    reach: Reach,
    who: Who,
    preview: Annotated[bool, typer.Option("--preview", help="Say what it would stop, and change nothing.")] = False,
    reason: Reason = "",
) -> None:
    """Stop a person, an institution, a project or a country, from the next decision on."""
    door = doors.of(context)
    seen = incidents.preview(door.occasion(), reach, who)
    if preview:
        door.terminal.answer({"preview": plain(seen)}, *told(seen))
        return
    done = incidents.suspend(door.occasion(), reach, who, reason)
    door.terminal.answer({"suspension": plain(done), "preview": plain(seen)}, f"Suspended as {done.id}.", *told(seen))


@app.command()
def reinstate(context: typer.Context, reach: Reach, who: Who, reason: Reason = "") -> None:
    """End a suspension; what evidence allows now is allowed again."""
    door = doors.of(context)
    done = incidents.reinstate(door.occasion(), reach, who, reason)
    door.terminal.answer({"suspension": plain(done)}, "Reinstated: what evidence allows now is allowed again.")


def told(seen: Preview) -> list[str]:
    """Say what a suspension stops and what it cannot."""
    named = ", ".join(seen.projects) or "none"
    return [
        f"Stops at the next decision: {_counted(len(seen.projects), 'project')} ({named}), "
        f"{_counted(len(seen.people), 'person', 'people')}, {_counted(len(seen.pending), 'pending request')}.",
        f"Cannot be stopped: {_counted(len(seen.issued), 'copy', 'copies')} already out there. "
        "Ask for them back with `copyhold release recall`.",
    ]


def _counted(number: int, one: str, many: str = "") -> str:
    return f"{number} {one if number == 1 else many or one + 's'}"
