"""The grid: every module is a noun of the list, or one of the few named here that are none."""

import ast
import inspect
import pkgutil
from importlib import import_module
from pathlib import Path

import pytest

import tests.world  # noqa: F401 - rows can be imported only once Django is set up
from copyhold import ports
from copyhold.domain import errors, verdicts

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src" / "copyhold"

NOUNS = {
    "access", "accounts", "agreements", "airlock", "audits", "catalogue", "clocks", "custody", "incidents", "log",
    "parties", "projects", "purposes", "releases", "retirement", "tracing", "work", "workspace",
}  # fmt: skip
NO_NOUN = {
    "domain": {"errors", "moments", "paging", "verdicts", "words"},
    "rules": {"permissions"},
    "records": {"append_only", "apps", "migrations", "models", "transactions", "values"},
    "records/models": {"columns"},
    "actions": {"act"},
    "jobs": set(),
}
FORBIDDEN = {"utils", "util", "helpers", "helper", "common", "base", "manager", "core", "misc"}


@pytest.mark.parametrize("floor", NO_NOUN)
def test_every_module_of_a_floor_is_a_noun_of_the_grid(floor: str) -> None:
    modules = {one.name for one in pkgutil.iter_modules([str(SOURCE / floor)])}
    assert modules <= NOUNS | NO_NOUN[floor]


def test_no_module_is_called_by_what_says_nothing() -> None:
    assert not {file.stem for file in SOURCE.rglob("*.py")} & FORBIDDEN


@pytest.mark.parametrize("floor", NO_NOUN)
def test_a_package_says_what_it_is_and_imports_nothing(floor: str) -> None:
    tree = ast.parse((SOURCE / floor / "__init__.py").read_text(encoding="utf-8"))
    assert ast.get_docstring(tree)
    assert len(tree.body) == 1


ERRORS = [
    kind
    for module in (errors, verdicts)
    for _, kind in inspect.getmembers(module, inspect.isclass)
    if issubclass(kind, errors.CopyholdError) and kind.__module__ == module.__name__
]


@pytest.mark.parametrize("kind", ERRORS)
def test_every_error_has_a_text_and_a_code_of_its_own(kind: type[errors.CopyholdError]) -> None:
    assert kind.__doc__
    assert kind.__name__.endswith("Error") or kind is verdicts.Refused
    assert kind.code.isupper()
    assert [one.code for one in ERRORS].count(kind.code) == 1


PORTS = [
    name
    for name, kind in inspect.getmembers(ports, inspect.isclass)
    if kind.__module__ == ports.__name__ and getattr(kind, "_is_protocol", False)
]


@pytest.mark.parametrize("port", PORTS)
def test_every_port_has_a_conformance_suite(port: str) -> None:
    suite = import_module(f"tests.conformance.test_{port.lower()}")
    assert any(name.startswith("test_") for name in vars(suite))


def test_the_rows_are_of_the_form_that_the_migrations_make() -> None:
    from django.core.management import call_command

    call_command("makemigrations", "--check", "--dry-run", verbosity=0)


def test_every_constraint_tells_its_violation_in_a_sentence() -> None:
    from django.apps import apps

    constraints = [one for model in apps.get_app_config("records").get_models() for one in model._meta.constraints]
    assert constraints
    for constraint in constraints:
        told = str(constraint.violation_error_message)
        assert told.endswith(".")
        assert "%(name)s" not in told
