"""The page of commands, walked from the typer apps of the command line, and the exit codes."""

import inspect
from collections.abc import Iterator
from importlib import import_module
from typing import Any

import typer

from copyhold.entrypoints import cli
from copyhold.entrypoints.cli.terminal import BROKEN, BUG, DONE, FOUND, REFUSED, UNUSABLE
from docs.pages.markdown import code, table
from docs.pages.markdown import page as whole

GLOBAL = (
    ("--custody DIR", "the custody meant; else `$COPYHOLD_CUSTODY`, else the nearest folder above that holds one"),
    ("--as EMAIL", "the acting person; else the operator named at `init`. With four eyes it needs that person's token"),
    ("--json", "one JSON object on standard output and nothing else there"),
    ("--quiet", "no progress and no notes on standard error"),
)
EXIT_CODES = {
    DONE: "done",
    BUG: "a fault in Copyhold, told by its place in the code, or a run that was stopped",
    UNUSABLE: "usage, unreadable input, no such thing, or another state than was needed",
    REFUSED: "refused by a rule; every reason is printed",
    FOUND: "something was found: a trace that names somebody",
    BROKEN: "integrity failure: a log, manifest, package or instrument that contradicts itself",
}


def page() -> str:
    """Write the page: global options, exit codes, then every command with its arguments and options."""
    return whole(
        "Commands",
        "Every command and what it takes. An error or refusal with `--json` prints "
        '`{"error": {"code", "message", "reasons": [{"code", "reason", "fix"}]}}`.',
        "## Global options\n\nThey stand before or after any command.",
        table(("option", "what it says"), [(code(option), told) for option, told in GLOBAL]),
        "## Exit codes",
        table(("code", "meaning"), sorted(EXIT_CODES.items())),
        *(part for path, command in commands() for part in _told(path, command)),
    )


def commands() -> Iterator[tuple[str, Any]]:
    """Yield every command that can be run, with its words, in the order of the help."""
    for name, (module, _) in cli.COMMANDS.items():
        app = typer.main.get_command(import_module(f"copyhold.entrypoints.cli.{module}").app)
        yield from _under(name, getattr(app, "commands", {}).get(name, app))


def _under(path: str, command: Any) -> Iterator[tuple[str, Any]]:
    below = getattr(command, "commands", None)
    if below is None:
        yield path, command
        return
    for name, each in below.items():
        yield from _under(f"{path} {name}", each)


def _told(path: str, command: Any) -> Iterator[str]:
    yield f"## `{path}`\n\n{inspect.cleandoc(command.help or '')}"
    yield f"```\n{' '.join(['copyhold', path, *_usage(command)])}\n```"
    rows = [(code(_name(each)), _about(each), _default(each)) for each in command.params if each.name != "help"]
    if rows:
        yield table(("argument or option", "what it is", "default"), rows)


def _usage(command: Any) -> Iterator[str]:
    needed = [each for each in command.params if each.required or each.param_type_name == "argument"]
    for each in needed:
        yield _name(each) if each.required else f"[{_name(each)}]"
    if len(needed) < len([each for each in command.params if each.name != "help"]):
        yield "[OPTIONS]"


def _name(parameter: Any) -> str:
    if parameter.param_type_name == "argument":
        return str(parameter.metavar or parameter.name.upper())
    words = "/".join(["|".join(parameter.opts), *parameter.secondary_opts])
    return words if parameter.is_flag else f"{words} {parameter.metavar or parameter.name.upper()}"


def _about(parameter: Any) -> str:
    told = getattr(parameter, "help", None) or ""
    return told + (" Needed." if parameter.required and parameter.param_type_name == "option" else "")


def _default(parameter: Any) -> str:
    if parameter.required or parameter.default in (None, "", False):
        return ""
    return "on" if parameter.default is True else code(parameter.default)
