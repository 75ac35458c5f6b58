"""The page of actions: what can be done, who may, and what the log says of it."""

import inspect
from collections.abc import Iterable, Iterator
from importlib import import_module
from itertools import groupby
from pkgutil import iter_modules

from copyhold import actions
from copyhold.actions.act import ACTIONS, Declared
from copyhold.rules.permissions import PERMISSIONS
from docs.pages.markdown import code, first_sentence, table
from docs.pages.markdown import page as whole


def page() -> str:
    """Write the page: every public action by noun, with signature, permission, roles and entry."""
    return whole(
        "Actions",
        "One action is one permission check, one transaction and one entry in the audit log; a reading changes "
        "nothing and leaves no entry, except when it is refused. The first argument, the occasion (who acts, when, "
        "and the outside world), is left out here.",
        *(part for noun, some in groupby(declared(), key=_noun) for part in _told(noun, some)),
    )


def declared() -> list[Declared]:
    """Return all actions, by noun and name."""
    for found in iter_modules(actions.__path__):
        import_module(f"{actions.__name__}.{found.name}")
    return sorted(ACTIONS.values(), key=lambda one: (_noun(one), one.entry is None, one.name))


def _noun(one: Declared) -> str:
    return one.name.partition(".")[0]


def _told(noun: str, some: Iterable[Declared]) -> Iterator[str]:
    yield f"## {noun.capitalize()}"
    yield table(
        ("action", "what it does", "permission", "who may", "entry"),
        [
            (code(_signature(one)), first_sentence(one.run.__doc__), code(one.permission), _who(one), code(_entry(one)))
            for one in some
        ],
    )


def _signature(one: Declared) -> str:
    signature = inspect.signature(one.run)
    given = list(signature.parameters.values())[1:]
    words = [_given(each) for each in given]
    named = [each.kind is inspect.Parameter.KEYWORD_ONLY for each in given]
    if any(named):
        words.insert(named.index(True), "*")
    return f"{one.name}({', '.join(words)}) -> {_plain(signature.return_annotation)}"


def _given(parameter: inspect.Parameter) -> str:
    word = f"{parameter.name}: {_plain(parameter.annotation)}"
    if parameter.default is inspect.Parameter.empty:
        return word
    return f"{word} = {parameter.default!r}".replace("'", '"')


def _plain(annotation: object) -> str:
    return _bare(inspect.formatannotation(annotation))


def _bare(annotation: str) -> str:
    """Write a type without the modules that it comes from."""
    words, word = "", ""
    for letter in annotation + " ":
        if letter.isalnum() or letter in "._":
            word += letter
            continue
        words, word = words + (word if set(word) == {"."} else word.rpartition(".")[2]) + letter, ""
    return words.strip()


def _who(one: Declared) -> str:
    granted = PERMISSIONS.get(one.permission, ())
    return granted if isinstance(granted, str) else ", ".join(role.value.replace("_", " ") for role in granted)


def _entry(one: Declared) -> str:
    return one.entry or ""
