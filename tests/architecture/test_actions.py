"""One word, four uses: what every public action declares of itself."""

import inspect
import pkgutil
from collections.abc import Callable
from importlib import import_module
from typing import Any, get_type_hints

import pytest

import tests.world  # noqa: F401 - rows can be imported only once Django is set up
from copyhold import actions
from copyhold.actions.act import ACTIONS, Declared
from copyhold.auditlog.entries import Leaf
from copyhold.domain.parties import Role
from copyhold.ports import Occasion
from copyhold.rules.permissions import EVERYBODY, PERMISSIONS, SIGNED_IN, TAKING_PART
from docs.pages.states import machines

SINGULAR = {
    "access": "access",
    "accounts": "account",
    "agreements": "agreement",
    "airlock": "airlock",
    "audits": "audit",
    "catalogue": "catalogue",
    "clocks": "clock",
    "custody": "custody",
    "incidents": "incident",
    "log": "log",
    "parties": "party",
    "projects": "project",
    "releases": "release",
    "retirement": "retirement",
    "tracing": "tracing",
    "work": "work",
    "workspace": "workspace",
}
MODULES = [import_module(f"copyhold.actions.{one.name}") for one in pkgutil.iter_modules(actions.__path__)]
NOUNS = [module for module in MODULES if not module.__name__.endswith(".act")]
PUBLIC = [
    (f"{module.__name__.rpartition('.')[2]}.{name}", function)
    for module in NOUNS
    for name, function in inspect.getmembers(module, inspect.isfunction)
    if function.__module__ == module.__name__ and not name.startswith("_")
]
# What keeps the log itself leaves no entry: an entry on each signature would never end.
UPKEEP = {"log.sign"}


@pytest.mark.parametrize(("name", "function"), PUBLIC, ids=[name for name, _ in PUBLIC])
def test_every_public_action_is_declared_under_its_own_words(name: str, function: Callable[..., Any]) -> None:
    declared = ACTIONS[name]
    noun, verb = name.split(".")
    assert declared.run is function
    assert declared.permission == f"{SINGULAR[noun]}:{verb}"
    assert declared.permission in PERMISSIONS
    assert function.__doc__


@pytest.mark.parametrize("declared", ACTIONS.values(), ids=list(ACTIONS))
def test_an_entry_is_of_its_noun_and_fits_a_leaf(declared: Declared) -> None:
    if declared.entry is None:
        return
    assert declared.entry.partition(".")[0] == declared.permission.partition(":")[0]
    for told in (declared.entry, f"{declared.permission.partition(':')[0]}.refused"):
        Leaf(0, "12345678-1234-4234-8234-123456789abc", "2026-01-05T09:00:00Z", told, "p:" + "0" * 32, *[None] * 2,
             commitment="A" * 43 + "=", policy=None)  # fmt: skip


@pytest.mark.parametrize(("name", "function"), PUBLIC, ids=[name for name, _ in PUBLIC])
def test_a_signature_resolves_at_run_time_and_begins_with_the_occasion(name: str, function: Callable[..., Any]) -> None:
    parameters = list(inspect.signature(function).parameters)
    hints = get_type_hints(function)
    assert parameters[0] == "occasion"
    assert hints["occasion"] is Occasion
    assert set(hints) == {*parameters, "return"}


@pytest.mark.parametrize("module", NOUNS, ids=[module.__name__.rpartition(".")[2] for module in NOUNS])
def test_a_noun_lists_its_actions_with_permission_and_entry(module: Any) -> None:
    noun = module.__name__.rpartition(".")[2]
    for declared in (one for one in ACTIONS.values() if one.name.startswith(f"{noun}.")):
        words = declared.run.__doc__ and f"{declared.name.partition('.')[2]}(occasion"
        assert words in module.__doc__, declared.name
        assert declared.permission in module.__doc__, declared.name
        assert declared.entry is None or declared.entry in module.__doc__, declared.name


def test_every_permission_guards_an_action() -> None:
    assert set(PERMISSIONS) == {declared.permission for declared in ACTIONS.values()}
    assert list(PERMISSIONS) == sorted(PERMISSIONS)


def test_what_anybody_may_do_without_sign_in_is_listed() -> None:
    """Founding is once per database; the rest is the public log and who acts."""
    open_to_all = {permission for permission, granted in PERMISSIONS.items() if granted == EVERYBODY}
    assert open_to_all == {
        "account:recognise",
        "custody:found",
        "custody:show",
        "log:checkpoint",
        "log:edge",
        "log:rows",
        "log:sign",
        "log:size",
    }


def test_an_auditor_changes_nothing() -> None:
    for declared in ACTIONS.values():
        granted = PERMISSIONS[declared.permission]
        if declared.entry is not None and granted not in (EVERYBODY, TAKING_PART):
            assert granted != SIGNED_IN, declared.name
            assert Role.AUDITOR not in granted, declared.name


def test_a_role_of_the_custodian_is_not_held_by_a_researcher() -> None:
    for permission, granted in PERMISSIONS.items():
        assert isinstance(granted, str) or Role.RESEARCHER not in granted, permission


MACHINES = [module for module, _ in machines()]
NAMES = [module.__name__.rpartition(".")[2] for module in MACHINES]


@pytest.mark.parametrize("machine", MACHINES, ids=NAMES)
def test_every_move_of_a_state_machine_is_an_act(machine: Any) -> None:
    entries = {declared.entry for declared in ACTIONS.values()}
    assert {entry for targets in machine.MOVES.values() for entry in targets.values()} <= entries


@pytest.mark.parametrize("machine", MACHINES, ids=NAMES)
def test_every_state_has_its_moves_and_is_reached(machine: Any) -> None:
    reached = {target for targets in machine.MOVES.values() for target in targets}
    assert set(machine.MOVES) == set(machine.State)
    assert reached | set(machine.STARTS) == set(machine.State)


def test_upkeep_is_what_is_listed_here() -> None:
    from copyhold.actions import act

    source = {name for name, function in PUBLIC if function.__code__.co_qualname.startswith("upkeep.")}
    assert source == UPKEEP
    assert act.upkeep.__doc__
