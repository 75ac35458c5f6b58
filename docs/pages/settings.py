"""The page of settings: the custody's own file, the environment, and the policy that decides."""

import ast
import re
from dataclasses import fields

from copyhold.config import wiring
from copyhold.config.settings import SETTINGS_FILE, Settings
from copyhold.domain.custody import Policy
from copyhold.rules.catalogue import TIERS
from docs.pages.markdown import code, first_sentence, table
from docs.pages.markdown import page as whole
from docs.pages.source import modules

FILE = {"database.dsn": ("dsn", "a PostgreSQL database as libpq writes it; without it rows are an SQLite file here")}
ENVIRONMENT = {
    "COPYHOLD_CUSTODY": "the custody meant where no `--custody` says so",
    "COPYHOLD_TOKEN": "the service token of the acting person, needed with `--as` in a custody with four eyes",
}
FOR_TESTS = {
    "COPYHOLD_TEST_POSTGRES": "the address of a PostgreSQL server on which tests make their own databases",
    "COPYHOLD_SHARED": "the folder of the tables that must not ship; else `shared` beside the checkout",
    "COPYHOLD_NOTHING_SKIPS": "where it is set, a test that would be left out fails",
}
POLICY = {
    "alpha": ("probability", "the bound on the expected number of innocents ever named in the custody"),
    "power_rows": ("rows", "so many unattacked rows without ids must name a copy's holder, or the copy has a waiver"),
    "power_parties": ("parties", "among so many parties those rows must name the holder"),
    "affiliation_days": ("days", "how long a confirmed affiliation holds"),
    "scope_days": ("days", "how long a project's scope holds before it is verified again"),
    "withdrawal_days": ("days", "by when a withdrawn participant must be out of every copy"),
}


def page() -> str:
    """Write the page."""
    return whole(
        "Settings",
        f"A custody is set up by its file `{SETTINGS_FILE}`, by two environment variables, and by a policy that was "
        "fixed when it was founded.",
        f"## {SETTINGS_FILE}\n\n`init` writes this file; a setting that is not known is refused.",
        f"```toml\n{wiring._SETTINGS}```",
        table(("setting", "what it says"), [(code(name), told) for name, (_, told) in FILE.items()]),
        "## Environment variables",
        table(("variable", "what it says"), [(code(name), ENVIRONMENT[name]) for name in variables()]),
        "The tests ask for these besides.",
        table(("variable", "what it says"), [(code(name), told) for name, told in FOR_TESTS.items()]),
        f"## Policy\n\n{first_sentence(Policy.__doc__)} No command changes them.",
        table(("field", "unit", "default", "what it says"), [_policy(one.name, one.default) for one in fields(Policy)]),
        "## Sensitivity tiers\n\nWhat `dataset confirm --tier` asks of every later release of the dataset.",
        table(("tier", "controls"), [(tier.value, _controls(some)) for tier, some in TIERS.items()]),
    )


def variables() -> list[str]:
    """Return every environment variable of ours that the source names."""
    named = {
        node.value
        for module in modules().values()
        for node in ast.walk(module)
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and re.fullmatch(r"COPYHOLD_[A-Z_]+", node.value)
    }
    return sorted(named)


def of_the_file() -> set[str]:
    """Return the fields of the settings that the file may set."""
    return {one.name for one in fields(Settings)} - {"directory", "secret_key"}


def _policy(name: str, default: object) -> tuple[str, ...]:
    unit, told = POLICY[name]
    return code(name), unit, str(default), told


def _controls(some: tuple[object, ...]) -> str:
    return ", ".join(str(one).replace("_", " ") for one in some) or "none"
