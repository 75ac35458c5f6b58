"""The command line: a module per noun, imported only when the noun is called."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from copyhold.domain.errors import InvalidInputError
from copyhold.domain.words import Secret
from copyhold.entrypoints.cli.options import Options
from copyhold.entrypoints.cli.terminal import DONE, Terminal
from copyhold.ports import Home

# Every command: the module whose `app` runs it, and its line in the help.
COMMANDS = {
    "demo": ("demo", "the whole life of three copies on real data: a leak, the trace, the suspension"),
    "init": ("custody", "create a custody: database, keys, log"),
    "status": ("custody", "what there is in the custody and what is due"),
    "token": ("accounts", "service tokens: add, list, revoke"),
    "why": ("access", "could this person take this data then, and every reason"),
    "record": ("access", "record training, affiliation, ethics, agreement or scope"),
    "dataset": ("catalogue", "suggest a dictionary, add, confirm, list, show, power, index"),
    "withdraw": ("catalogue", "take participants out of every later copy"),
    "institution": ("parties", "add an institution, list them"),
    "person": ("parties", "add a person, list them"),
    "project": ("projects", "add a project, approve it, list them"),
    "task": ("clocks", "what you must do until when: list, fulfil"),
    "agreement": ("agreements", "offer, sign, show, list, withdraw, terminate agreements that act"),
    "transfer": ("agreements", "routes of law by which data may pass over borders: add, list"),
    "document": ("agreements", "documents that decisions ask for: add, list"),
    "release": ("releases", "make, approve, list, show, verify, recall, keep copies; record their destruction"),
    "suspend": ("incidents", "stop a person, institution, project or country in one act"),
    "reinstate": ("incidents", "end a suspension"),
    "trace": ("tracing", "whose copy do leaked rows come from"),
    "case": ("tracing", "traces and their answers: list, show, agree, publish, verify"),
    "log": ("log", "verify, prove, export the audit log"),
}


@dataclass(frozen=True)
class Openers:
    """What config does for a command: set the process up on no custody, open the one meant, found a new one."""

    prepare: Callable[[], None]
    open_home: Callable[[Path | None], Home]
    found_home: Callable[[Path], Home]


def run(words: list[str], options: Options, terminal: Terminal, openers: Openers, token: Secret | None) -> int:
    """Run one command; give its exit code. InvalidInputError where there is no such command or usage."""
    if words[0] not in COMMANDS:
        raise InvalidInputError(f"There is no command {words[0]!r}; `copyhold --help` lists them.", code="USAGE")
    openers.prepare()  # rows, and with them actions, can be imported only after this
    from copyhold.entrypoints.cli.door import Door, UsageError

    app = import_module(f"copyhold.entrypoints.cli.{COMMANDS[words[0]][0]}").app
    door = Door(terminal, options, token, openers.open_home, openers.found_home)
    try:
        code = app(words, prog_name="copyhold", obj=door, standalone_mode=False)
    except UsageError as usage:
        told = getattr(usage, "format_message", lambda: "The command line cannot be read.")()
        raise InvalidInputError(f"{told} See `copyhold {words[0]} --help`.", code="USAGE") from None
    finally:
        door.leave()
    return code if isinstance(code, int) else DONE


def asks_for_help(words: list[str]) -> bool:
    """Whether a command line is no command but a question what there is."""
    return not words or words[0] in ("--help", "-h", "help")


def help_(terminal: Terminal) -> int:
    """List the commands."""
    terminal.answer({"commands": {name: line for name, (_, line) in COMMANDS.items()}}, *_help())
    return DONE


def _help() -> list[str]:
    width = max(len(name) for name in COMMANDS)
    return [
        "copyhold keeps every copy of sensitive research data on terms, on the record and traceable.",
        "",
        *(f"  {name.ljust(width)}  {line}" for name, (_, line) in COMMANDS.items()),
        "",
        "Before or after any command: --custody DIR, --as EMAIL, --json, --quiet.",
        "`copyhold COMMAND --help` tells more.",
    ]
