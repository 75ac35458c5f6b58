"""The global options, which may stand before or after a command."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from copyhold.domain.errors import InvalidInputError


@dataclass(frozen=True)
class Options:
    """What holds for every command.

    `custody` is the folder named with --custody, None where the nearest custody above is meant; `email` the acting
    person named with --as, None for the operator named at init.
    """

    custody: Path | None = None
    email: str | None = None
    json: bool = False
    quiet: bool = False


def split(words: Sequence[str]) -> tuple[Options, list[str]]:
    """Take the global options out of a command line, wherever they stand before a bare `--`.

    Raises InvalidInputError where an option that takes a value has none.
    """
    options = Options()
    rest: list[str] = []
    waiting = iter(words)
    for word in waiting:
        name, equals, value = word.partition("=")
        if word == "--":
            return options, [*rest, word, *waiting]
        if name in ("--custody", "--as"):
            given = value if equals else next(waiting, "")
            if not given:
                raise InvalidInputError(f"{name} takes a value: write {name} VALUE.", code="USAGE")
            options = _with(options, name, given)
        elif word == "--json":
            options = replace(options, json=True)
        elif word == "--quiet":
            options = replace(options, quiet=True)
        else:
            rest.append(word)
    return options, rest


def _with(options: Options, name: str, value: str) -> Options:
    if name == "--custody":
        return replace(options, custody=Path(value))
    return replace(options, email=value)
