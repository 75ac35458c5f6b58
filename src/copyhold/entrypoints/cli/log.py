"""`log`: what an outsider checks, and the proofs to hand out."""

import shutil
from pathlib import Path
from typing import Annotated

import typer

from copyhold.auditlog import verification
from copyhold.domain.errors import InvalidInputError, NotFoundError
from copyhold.domain.words import plain
from copyhold.entrypoints.cli import door as doors
from copyhold.entrypoints.cli.terminal import BROKEN, DONE
from copyhold.jobs.log import KEY_FILE

app = typer.Typer(add_completion=False, no_args_is_help=True)
log = typer.Typer(add_completion=False, no_args_is_help=True, help="The audit log, as outsiders verify it.")
app.add_typer(log, name="log")


@log.command()
def verify(
    context: typer.Context,
    directory: Annotated[Path | None, typer.Argument(metavar="DIR", help="A published log, or a custody.")] = None,
    vkey: Annotated[Path | None, typer.Option(metavar="FILE", help="The log's key as you were given it.")] = None,
    since: Annotated[
        Path | None, typer.Option(metavar="CHECKPOINT", help="The last checkpoint you saw; the log must contain it.")
    ] = None,
) -> int:
    """Check signature, every entry, every tile, and that history was not rewritten."""
    door = doors.of(context)
    folder = door.home.log if directory is None else log_folder(directory)
    key = text_of(vkey or folder / KEY_FILE)
    found = verification.verify(folder, key.strip(), text_of(since) if since else None)
    words = [f"The log holds {found.size} entries; every entry, tile and signature fits."] if found.ok else []
    door.terminal.answer(dict(_mapping(plain(found))), *words, *found.problems)
    return DONE if found.ok else BROKEN


@log.command()
def prove(
    context: typer.Context,
    entry: Annotated[int, typer.Argument(help="The entry's number, from 0.")],
    out: Annotated[Path, typer.Option("--out", "-o", metavar="FILE", help="Where the proof is written.")],
) -> None:
    """Write the proof that an entry is in the log, for anybody to check."""
    door = doors.of(context)
    out.write_text(verification.prove(door.home.log, entry), encoding="utf-8")
    door.terminal.answer({"entry": entry, "proof": str(out)}, f"The proof of entry {entry} is in {out}.")


@log.command()
def export(
    context: typer.Context,
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="A new folder for the copy.")],
) -> None:
    """Copy the published log for an outsider, with its key."""
    door = doors.of(context)
    if directory.exists():
        raise InvalidInputError(f"{directory} exists already; name a new folder.")
    shutil.copytree(door.home.log, directory)
    door.terminal.answer({"log": str(directory)}, f"The log is copied to {directory}; `copyhold log verify` checks it.")


def log_folder(directory: Path) -> Path:
    """The log that is meant: the folder itself, or the log of the custody it is."""
    return directory if (directory / "checkpoint").exists() else directory / "log"


def text_of(path: Path) -> str:
    """Read a small text file that the log or its reader keeps."""
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise InvalidInputError(f"{path} is not a text file.") from None
    except OSError:
        raise NotFoundError(f"{path} cannot be read; name the log's folder, its key and checkpoint.") from None


def _mapping(value: object) -> dict[str, object]:
    return value if isinstance(value, dict) else {}
