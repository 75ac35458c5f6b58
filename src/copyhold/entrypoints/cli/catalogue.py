"""`dataset` and `withdraw`."""

from pathlib import Path
from typing import Annotated

import typer

from copyhold.actions import catalogue
from copyhold.domain.catalogue import Version
from copyhold.domain.errors import InvalidInputError, NotFoundError, UnreadableFileError
from copyhold.domain.moments import parse
from copyhold.domain.words import plain
from copyhold.engines.marks.power import Attack, Rows, told
from copyhold.engines.tables.dictionary import from_csv, to_csv
from copyhold.engines.tables.suggestion import Suggestion
from copyhold.engines.tables.suggestion import suggest as propose
from copyhold.entrypoints.cli import door as doors
from copyhold.entrypoints.cli.projects import listed
from copyhold.jobs.catalogue import versions as jobs
from copyhold.jobs.catalogue.indexes import index as build_index
from copyhold.jobs.catalogue.power import power_of

app = typer.Typer(add_completion=False, no_args_is_help=True)
dataset = typer.Typer(add_completion=False, no_args_is_help=True, help="Datasets, their versions and dictionary.")
app.add_typer(dataset, name="dataset")

Files = Annotated[list[Path], typer.Argument(metavar="FILE...", help="One file per table.")]
Id = Annotated[str, typer.Option("--id", metavar="COLUMN", help="The participant id; without it each row is one.")]
Name = Annotated[str, typer.Argument(metavar="NAME")]


@dataset.command()
def suggest(
    context: typer.Context,
    files: Files,
    out: Annotated[Path, typer.Option("--out", "-o", metavar="CSV", help="Where to write the dictionary.")],
    id_column: Id = "",
) -> None:
    """Propose a dictionary from the files alone, every line of it a guess; no custody is needed."""
    terminal = doors.of(context).terminal
    _check_free(out)
    with terminal.progress() as step:
        found = propose(tuple(files), id_column or None, step)
    _write(out, to_csv(found.dictionary))
    terminal.answer(
        {
            "fields": len(found.dictionary.fields),
            "guesses": len(found.dictionary.guesses),
            "ties": plain(found.ties),
            "flags": plain(found.flags),
            "not_searched": plain(found.not_searched),
            "path": str(out),
        },
        *_suggested(found, out),
    )


def _check_free(out: Path) -> None:
    """Refuse to write over anything but a dictionary that is all guesses: what a person mended is work."""
    if not out.exists():
        return
    try:
        mended = len(from_csv(out).guesses) < len(from_csv(out).fields)
    except InvalidInputError:
        raise InvalidInputError(f"{out} is there already and is no dictionary; name another file.") from None
    if mended:
        raise InvalidInputError(f"{out} holds lines that somebody has accepted; name another file.")


def _write(out: Path, text: str) -> None:
    try:
        out.write_text(text, encoding="utf-8")
    except OSError:
        raise InvalidInputError(f"{out} cannot be written; name a file in a folder that is there.") from None


def _suggested(found: Suggestion, out: Path) -> list[str]:
    fields = found.dictionary.fields
    marked = sum(field.mark for field in fields)
    lines = [f"{len(fields)} fields, {marked} of them proposed for marking; every line is a guess."]
    lines += ["Ties found, with the share of rows in which they hold:"] if found.ties else ["No ties found."]
    lines += [f"  {one.field} {one.tie}  ({one.share:.1%})" for one in found.ties]
    by_note: dict[str, list[str]] = {}
    for flag in found.flags:
        by_note.setdefault(flag.note, []).append(flag.field)
    lines += ["To be looked at:"] if by_note else []
    lines += [f"  {note}: {', '.join(names)}" for note, names in by_note.items()]
    lines += ["Not searched for ties:", *(f"  {each}" for each in found.not_searched)] if found.not_searched else []
    return [
        *lines,
        f"Mend {out}: titles, units, roles, tolerances of the size of each assay's own error.",
        "Empty `guess` in each line that you accept, then run `copyhold dataset add`.",
    ]


@dataset.command()
def add(
    context: typer.Context,
    name: Name,
    files: Files,
    dictionary: Annotated[Path, typer.Option(metavar="CSV", help="The dictionary, as `dataset suggest` writes it.")],
    id_column: Id = "",
    key: Annotated[str, typer.Option(metavar="COLUMN,...", help="The natural key of a row beside the id.")] = "",
    duo: Annotated[str, typer.Option(metavar="TERM,...", help="Terms of use from the Data Use Ontology.")] = "",
    accept_suggested: Annotated[bool, typer.Option(help="Accept every guess as it stands.")] = False,
) -> None:
    """Add a dataset's first or next version: snapshot, mark plan, commitments, index."""
    door = doors.of(context)
    sources = jobs.Sources(tuple(files), dictionary, id_column or None, listed(key))
    with door.terminal.progress() as step:
        version = jobs.add(
            door.home, door.occasion, name, sources, terms=listed(duo), accept_suggested=accept_suggested, step=step
        )
    door.terminal.answer({"dataset": name, "version": plain(version)}, *_added(name, version))


def _added(name: str, version: Version) -> list[str]:
    marked = sum(field.mark for field in version.dictionary.fields)
    return [
        f"{name} version {version.number}: {version.participants} participants, {version.rows} rows, "
        f"{len(version.dictionary.fields)} fields, {marked} of them marked.",
    ]


@dataset.command()
def confirm(
    context: typer.Context,
    name: Name,
    tier: Annotated[str, typer.Option(help="low, moderate, high or highest")] = "moderate",
) -> None:
    """Confirm, as a second person, the classification of a dataset's newest version."""
    door = doors.of(context)
    version = catalogue.confirm(door.occasion(), name, tier)
    door.terminal.answer({"version": plain(version)}, f"{name} version {version.number} is confirmed, tier {tier}.")


@dataset.command("list")
def list_datasets(context: typer.Context) -> None:
    """List datasets by name."""
    door = doors.of(context)
    known = catalogue.datasets(door.occasion())
    rows = [(each.name, each.added_at.date(), each.id) for each in known]
    door.terminal.table({"datasets": plain(known)}, ("dataset", "since", "id"), rows)


@dataset.command()
def show(context: typer.Context, name: Name) -> None:
    """Show a dataset's versions."""
    door = doors.of(context)
    known = catalogue.versions(door.occasion(), name)
    rows = [(each.number, each.added_at.date(), each.participants, each.rows, each.tier or "") for each in known]
    door.terminal.table({"versions": plain(known)}, ("version", "since", "participants", "rows", "tier"), rows)


ATTACKS = {
    Attack.NONE: "rows as they left, without ids",
    Attack.FIVE_COLUMNS: "only five middling marked columns are kept",
    Attack.ROUNDED: "each number is rounded to about its tolerance",
    Attack.NOISE: "noise of three tenths of the tolerance is added",
    Attack.TWO_LEAKERS: "two holders mix their copies cell by cell",
}


@dataset.command()
def power(
    context: typer.Context,
    name: Name,
    parties: Annotated[int | None, typer.Option(metavar="N", help="Parties in all; the policy's by default.")] = None,
) -> None:
    """Say how many leaked rows would name a holder, per attack."""
    door = doors.of(context)
    found = power_of(door.home, door.occasion, name, parties)
    door.terminal.table(
        {
            "dataset": name,
            "version": found.version.number,
            "parties": found.parties,
            "rows_needed": told(found.rows),
        },
        ("done to the rows", "rows: half", "rows: 95 %", "what it is"),
        [(attack.value, *_counted(found.rows[attack]), meaning) for attack, meaning in ATTACKS.items()],
    )
    door.terminal.note(
        f"So many leaked rows of version {found.version.number} name their holder among {found.parties} parties, in "
        "half of all leaks and in 95 of 100. A copy of fewer fields needs more rows; `never`: no number suffices."
    )


def _counted(rows: Rows) -> list[str]:
    return ["never" if one is None else str(one) for one in (rows.n50, rows.n95)]


@dataset.command()
def index(context: typer.Context, name: Name) -> None:
    """Build the content index of a dataset's versions again."""
    door = doors.of(context)
    versions = catalogue.versions(door.occasion(), name)
    with door.terminal.progress() as step:
        for version in versions:
            build_index(door.home, version, step)
    door.terminal.answer({"dataset": name, "versions": len(versions)}, f"{len(versions)} versions are indexed.")


@app.command()
def withdraw(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="DATASET")],
    ids: Annotated[Path, typer.Option(metavar="FILE", help="One participant id per line.")],
    due: Annotated[str, typer.Option(metavar="DATE", help="By when every copy must be rid of them.")] = "",
) -> None:
    """Take participants out of every later copy, and ask for their removal from those out there."""
    door = doors.of(context)
    asked = _ids(ids)
    due_on = parse(due, "--due").date() if due else None
    done = catalogue.withdraw(door.occasion(), name, asked, due_on)
    door.terminal.answer(
        {"withdrawal": plain(done)},
        f"{done.count} participants withdrawn ({done.new} of them new), from {done.copies} copies by {done.due_on}.",
    )


def _ids(file: Path) -> tuple[str, ...]:
    try:
        return tuple(file.read_text(encoding="utf-8-sig").split("\n"))
    except UnicodeDecodeError:
        raise UnreadableFileError(f"{file} is not a text file in UTF-8; write one id per line.") from None
    except OSError:
        raise NotFoundError(f"{file} cannot be read; name a file with one id per line.") from None
