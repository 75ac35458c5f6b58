"""`release`."""

from pathlib import Path
from typing import Annotated

import typer

from copyhold.actions import releases
from copyhold.domain.moments import parse
from copyhold.domain.paging import LARGEST, Window
from copyhold.domain.releases import Release, State
from copyhold.domain.words import plain
from copyhold.entrypoints.cli import door as doors
from copyhold.entrypoints.cli.access import kept
from copyhold.entrypoints.cli.terminal import BROKEN, DONE
from copyhold.entrypoints.replies import releases as replies
from copyhold.jobs import releases as jobs

app = typer.Typer(add_completion=False, no_args_is_help=True)
release = typer.Typer(add_completion=False, no_args_is_help=True, help="Copies, each marked for its holder.")
app.add_typer(release, name="release")

Id = Annotated[str, typer.Argument(metavar="ID")]


@release.command()
def make(
    context: typer.Context,
    project: Annotated[str, typer.Argument(metavar="PROJECT")],
    to: Annotated[str, typer.Option(metavar="EMAIL", help="Who receives it: one of the project's people.")],
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help=".parquet, .csv, .sav, .dta or .xpt; for several tables the name of a folder."
        ),
    ] = None,
    open_copy: Annotated[bool, typer.Option("--open", help="A plain marked table, not a sealed package.")] = False,
    waiver: Annotated[
        str, typer.Option(metavar="REASON", help="Why it may leave below the policy's power to trace it.")
    ] = "",
) -> None:
    """Make a copy for a project's person. With four eyes: ask for it, and once it is approved call this again."""
    door = doors.of(context)
    place = jobs.landing(out)
    asked = _asked(door, project, to, open_copy, waiver)
    if asked.state is not State.AWAITING_APPROVAL:
        with door.terminal.progress() as step:
            jobs.make(door.home, door.occasion, asked.id, place, step=step)
    shown = releases.show(door.occasion(), asked.id)
    door.terminal.answer(replies.made(shown), *replies.sentences(shown))


def _asked(door: doors.Door, project: str, to: str, open_copy: bool, waiver: str) -> Release:
    """Find the request for this copy that is under way, so that an approved one is made; else ask for it."""
    known = releases.under_way(door.occasion(), project, to, open_copy=open_copy, waiver=waiver)
    return known or releases.request(door.occasion(), project, to, open_copy=open_copy, waiver=waiver)


@release.command()
def approve(context: typer.Context, release_id: Id) -> None:
    """Approve, as another person, that a copy is made; who asked for it then makes it."""
    door = doors.of(context)
    approved = releases.approve(door.occasion(), release_id)
    door.terminal.answer(
        {"release": plain(approved)}, f"{approved.id} is approved; `copyhold release make` as before makes the copy."
    )


@release.command("list")
def list_releases(context: typer.Context) -> None:
    """List copies, newest first."""
    door = doors.of(context)
    known = _all(door)
    rows = [(each.id, each.state, each.requested_at.date(), each.rows or "", each.path) for each in known]
    door.terminal.table({"releases": plain(known)}, ("release", "state", "since", "rows", "path"), rows)


def _all(door: doors.Door) -> tuple[Release, ...]:
    window, known = Window(size=LARGEST), tuple[Release, ...]()
    while True:
        page = releases.listing(door.occasion(), window)
        known += page.items
        if page.older is None:
            return known
        window = Window(size=LARGEST, before=page.older)


@release.command()
def show(context: typer.Context, release_id: Id) -> None:
    """Show a copy: holder, terms, fields, hash, and what it could be traced by."""
    door = doors.of(context)
    shown = releases.show(door.occasion(), release_id)
    door.terminal.answer({**replies.made(shown), "record": plain(shown)}, *replies.record(shown))


@release.command()
def verify(
    context: typer.Context,
    release_id: Id,
    file: Annotated[Path | None, typer.Argument(metavar="FILE", help="The copy at hand.")] = None,
) -> int:
    """Hold a copy against the register, and every cell of it against the master and its holder's marks."""
    door = doors.of(context)
    with door.terminal.progress() as step:
        found = jobs.verify(door.home, door.occasion, release_id, file, step=step)
    door.terminal.answer(
        {
            "release": release_id,
            "ok": found.passed,
            "path": str(found.path),
            "sha256": found.sha256,
            "recorded": found.recorded,
            "decodes": found.decodes,
        },
        *_verified(found),
    )
    return DONE if found.passed else BROKEN


def _verified(found: jobs.Verified) -> list[str]:
    same = "These are the bytes that were issued." if found.sha256 == found.recorded else "Other bytes were issued."
    cells = {
        None: "What is there cannot be read as a table.",
        False: "Not every cell is as it was issued.",
        True: "Every cell is as it was issued, marks included.",
    }
    return [same, cells[found.decodes]]


@release.command()
def recall(
    context: typer.Context, release_id: Id, reason: Annotated[str, typer.Option(help="Why it is asked back.")] = ""
) -> None:
    """Ask for a copy back."""
    door = doors.of(context)
    recalled = releases.recall(door.occasion(), release_id, reason)
    door.terminal.answer({"release": plain(recalled)}, f"{recalled.id} is recalled.")


@release.command()
def keep(
    context: typer.Context,
    release_id: Id,
    until: Annotated[str, typer.Option(metavar="DATE", help="Until when it may be kept, exclusive.")],
    reference: Annotated[str, typer.Option(help="The agreement's number or name.")] = "",
) -> None:
    """Let a holder keep a copy under a dated agreement."""
    door = doors.of(context)
    kept_on = releases.keep(door.occasion(), release_id, parse(until, "--until").date(), reference)
    door.terminal.answer({"release": plain(kept_on)}, f"{kept_on.id} may be kept until {kept_on.kept_until}.")


@release.command()
def destroyed(
    context: typer.Context,
    release_id: Id,
    file: Annotated[Path, typer.Option(metavar="F", help="The evidence itself; it is kept by its hash.")],
    note: Annotated[str, typer.Option(help="What else is to be known.")] = "",
) -> None:
    """Record that a copy was destroyed, with the evidence for it."""
    door = doors.of(context)
    gone = releases.record_destruction(door.occasion(), release_id, kept(door, file), note)
    door.terminal.answer({"release": plain(gone)}, f"{gone.id} is destroyed; the evidence is kept.")
