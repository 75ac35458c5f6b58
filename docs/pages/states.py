"""The page of states: every table MOVES of the domain as a picture and as a table."""

import pkgutil
from collections.abc import Iterator, Mapping
from enum import Enum
from importlib import import_module
from types import ModuleType

from copyhold import domain
from docs.pages.markdown import code, first_sentence, table
from docs.pages.markdown import page as whole

Moves = Mapping[Enum, Mapping[Enum, str]]


def page() -> str:
    """Write the page: each machine with its starts, its ends, and the audit entry that tells of every move."""
    return whole(
        "States",
        "What a thing can become, and the entry in the audit log that tells of it. There is no other way from one "
        "state to another: rules, entries and this page come from one table for each noun.",
        *(part for module, moves in machines() for part in _told(module, moves)),
    )


def machines() -> Iterator[tuple[ModuleType, Moves]]:
    """Yield every module of the domain that has a table of moves."""
    for found in pkgutil.walk_packages(domain.__path__, f"{domain.__name__}."):
        module = import_module(found.name)
        if hasattr(module, "MOVES"):
            yield module, module.MOVES


def _told(module: ModuleType, moves: Moves) -> Iterator[str]:
    noun = module.__name__.rpartition(".")[2]
    told = first_sentence(module.__doc__).partition(": ")[2]
    yield f"## {noun.capitalize()}\n\n{told[:1].upper()}{told[1:]}"
    yield f"```\n{_picture(moves)}\n```"
    rows = [(start.value, code(entry), end.value) for start, targets in moves.items() for end, entry in targets.items()]
    yield table(("from", "entry", "to"), rows)


def _picture(moves: Moves) -> str:
    reached = {end for targets in moves.values() for end in targets}
    width = max(len(entry) for targets in moves.values() for entry in targets.values())
    lines = []
    for state, targets in moves.items():
        lines.append(state.value + ("  (a start)" if state not in reached else "" if targets else "  (an end)"))
        for place, (end, entry) in enumerate(targets.items(), start=1):
            branch = "└─" if place == len(targets) else "├─"
            lines.append(f"  {branch} {entry} {'─' * (width - len(entry))}─> {end.value}")
    return "\n".join(lines)
