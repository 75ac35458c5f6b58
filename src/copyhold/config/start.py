"""The console script: set the process up, hand the command its door, translate how it ended.

The matrices here are many and small: threads of the linear algebra library would spend more time waiting for each
other than computing (three times the processor time of `dataset suggest` on two busy cores). Whoever has cores to spare
sets OPENBLAS_NUM_THREADS.
"""

import os
import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING

from copyhold.domain.accounts import Door
from copyhold.domain.errors import CopyholdError
from copyhold.domain.words import Secret
from copyhold.entrypoints import cli
from copyhold.entrypoints.cli.options import split
from copyhold.entrypoints.cli.terminal import BUG, Terminal

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # read when numpy is first imported

if TYPE_CHECKING:
    from copyhold.entrypoints.library.custody import Custody

TOKEN_VARIABLE = "COPYHOLD_TOKEN"  # noqa: S105 - the variable's name, not a token


def console() -> None:
    """Run one command line and leave with its exit code."""
    sys.exit(run(sys.argv[1:]))


def run(words: list[str]) -> int:
    """Run one command line; give its exit code."""
    terminal = Terminal(as_json="--json" in words, quiet="--quiet" in words)
    try:
        options, rest = split(words)
        if cli.asks_for_help(rest):
            return cli.help_(terminal)
        return cli.run(rest, options, terminal, _openers(), _token())
    except CopyholdError as error:
        return terminal.complain(error)
    except KeyboardInterrupt:
        terminal.note("Stopped. What was acknowledged before is kept; nothing half-done was.")
        return BUG
    except Exception as fault:
        return _fault(terminal, fault)


def custody(directory: str | os.PathLike[str] | None) -> "Custody":
    """Open a custody for the library; a notebook's running loop is no reason for Django to refuse."""
    os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
    from copyhold.config import wiring

    wiring.prepare()
    home = wiring.open_home(None if directory is None else Path(directory), Door.LIBRARY)
    from copyhold.entrypoints.library.custody import Custody

    return Custody(home)


def _openers() -> cli.Openers:
    from copyhold.config import wiring  # Django comes with it; `--help` does without

    return cli.Openers(
        wiring.prepare,
        lambda named: wiring.open_home(named, Door.CLI),
        lambda directory: wiring.found_home(directory, Door.CLI),
    )


def _token() -> Secret | None:
    given = os.environ.get(TOKEN_VARIABLE)
    return Secret(given.encode()) if given else None


def _fault(terminal: Terminal, fault: Exception) -> int:
    """Tell where a fault is, not what it says: its text may quote a cell of a table."""
    frames = reversed(traceback.extract_tb(fault.__traceback__)[-4:])
    places = " < ".join(f"{frame.name} ({Path(frame.filename).name}:{frame.lineno})" for frame in frames)
    told = CopyholdError(
        f"This is a fault in Copyhold, not in what you did: {type(fault).__name__} in {places}. "
        "Nothing half-done was kept. Please report this line.",
        code="BUG",
    )
    terminal.complain(told)
    return BUG
