"""`why` and `record`."""

import hashlib
from pathlib import Path
from typing import Annotated

import typer

from copyhold.actions import access
from copyhold.domain.errors import NotFoundError
from copyhold.domain.moments import parse
from copyhold.domain.words import plain
from copyhold.entrypoints.cli import door as doors
from copyhold.entrypoints.cli.terminal import DONE, REFUSED

app = typer.Typer(add_completion=False, no_args_is_help=True)


@app.command()
def why(
    context: typer.Context,
    email: Annotated[str, typer.Argument(metavar="EMAIL")],
    project: Annotated[str, typer.Argument(metavar="PROJECT")],
    at: Annotated[str, typer.Option(metavar="INSTANT", help="A past or present day or moment.")] = "",
) -> int:
    """Could this person take this data then, and every reason."""
    door = doors.of(context)
    answer = access.why(door.occasion(), email, project, parse(at, "--at") if at else None)
    if answer.verdict.allowed:
        lines = ["Yes."]
    else:
        lines = ["No:", *(f"  - {each.reason} {each.fix}".rstrip() for each in answer.verdict.reasons)]
    door.terminal.answer({"allowed": answer.verdict.allowed, "access": plain(answer)}, *lines)
    return DONE if answer.verdict.allowed else REFUSED


@app.command()
def record(
    context: typer.Context,
    clock: Annotated[str, typer.Argument(metavar="CLOCK", help="training, affiliation, ethics, agreement or scope")],
    who: Annotated[str, typer.Argument(metavar="WHO", help="A person, a project, or an institution.")],
    until: Annotated[str, typer.Option(metavar="DATE", help="Until when it holds, exclusive.")],
    reference: Annotated[str, typer.Option(help="Its number or name.")] = "",
    file: Annotated[Path | None, typer.Option(metavar="F", help="The evidence itself; it is kept by its hash.")] = None,
) -> None:
    """Record evidence for one of the five clocks."""
    door = doors.of(context)
    evidence = access.record(
        door.occasion(), clock, who, parse(until, "--until"), reference=reference, file_sha256=kept(door, file)
    )
    door.terminal.answer(
        {"evidence": plain(evidence)}, f"{evidence.clock.value} is recorded until {evidence.until.date()}."
    )


def kept(door: doors.Door, file: Path | None) -> str:
    """Keep the bytes first, then record their hash: a record never names bytes that are not there."""
    if file is None:
        return ""
    if not file.is_file():
        raise NotFoundError(f"There is no file {file}.")
    kept = door.home.outside.storage.put_file(file)
    with file.open("rb") as data:
        if hashlib.file_digest(data, "sha256").hexdigest() != kept:
            raise NotFoundError(f"{file} changed while it was read; try again.")
    return kept
