"""An outsider can lift the log out of the house: it needs nothing of it but the words for errors."""

import ast
import sys
from pathlib import Path

import copyhold.auditlog

ALLOWED = {"cryptography", "rfc8785", "copyhold.auditlog", "copyhold.domain"}


def imported(source: str) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            names.add(node.module or "")
    return names


def foreign(names: set[str]) -> set[str]:
    known = {name for name in names if any(name == each or name.startswith(each + ".") for each in ALLOWED)}
    return {name for name in names - known if name.split(".")[0] not in sys.stdlib_module_names}


def test_the_log_imports_only_the_standard_library_two_packages_and_the_domain() -> None:
    modules = list(Path(copyhold.auditlog.__file__).parent.glob("*.py"))
    assert len(modules) > 10
    assert {module.name: foreign(imported(module.read_text())) for module in modules} == {
        each.name: set() for each in modules
    }


def test_the_check_sees_a_foreign_import() -> None:
    assert foreign(imported("import django.db\nfrom copyhold.records import log\nimport json")) == {
        "django.db",
        "copyhold.records",
    }


def test_the_log_reads_no_clock_and_draws_no_chance() -> None:
    for module in Path(copyhold.auditlog.__file__).parent.glob("*.py"):
        assert imported(module.read_text()).isdisjoint({"time", "random", "secrets", "uuid1"}), module.name
        assert not any(word in module.read_text() for word in (".now(", "urandom", "utcnow", "today(")), module.name
