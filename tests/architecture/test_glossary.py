"""The glossary and the domain: every class has its word, and what the glossary names is there."""

import inspect
import pkgutil
import re
from importlib import import_module
from pathlib import Path

import pytest

from copyhold import domain
from copyhold.domain.errors import CopyholdError
from copyhold.domain.verdicts import Refused
from copyhold.domain.words import Id

GLOSSARY = (Path(__file__).resolve().parents[2] / "GLOSSARY.md").read_text(encoding="utf-8")
ENTRIES = re.findall(r"^- \*\*(.+?)\*\*(?: \(((?:`[^`]+`,?\s*)+)\))?: (.+?)(?=\n\n|\n- |\Z)", GLOSSARY, re.M | re.S)
NAMED = sorted({name for _, code, _ in ENTRIES for name in re.findall(r"`([^`]+)`", code)})
CLASSES = sorted(
    f"{found.name.removeprefix('copyhold.')}.{name}"
    for found in pkgutil.walk_packages(domain.__path__, "copyhold.domain.")
    for name, kind in inspect.getmembers(import_module(found.name), inspect.isclass)
    if kind.__module__ == found.name
    and (not issubclass(kind, Id) or kind is Id)
    and (not issubclass(kind, CopyholdError) or kind is Refused)
)


def test_every_line_of_the_glossary_is_an_entry_with_a_sentence() -> None:
    assert len(ENTRIES) == len(re.findall(r"^- ", GLOSSARY, re.M))
    assert all(told.strip().endswith(".") for _, _, told in ENTRIES)


def test_no_word_is_told_twice() -> None:
    words = [word for told, _, _ in ENTRIES for word in told.split(", ")]
    assert sorted(words) == sorted(set(words))


@pytest.mark.parametrize("name", CLASSES)
def test_every_class_of_the_domain_has_its_word(name: str) -> None:
    assert name in NAMED


@pytest.mark.parametrize("name", NAMED)
def test_what_the_glossary_names_is_there(name: str) -> None:
    assert is_there(name)


def is_there(name: str) -> bool:
    """Whether a dotted name below copyhold is a module, or something in one."""
    module, _, last = f"copyhold.{name}".rpartition(".")
    try:
        return bool(import_module(f"copyhold.{name}"))
    except ModuleNotFoundError:
        return hasattr(import_module(module), last)
