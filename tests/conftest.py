"""What every test may ask for, and the rule that a continuous-integration run skips nothing."""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before numpy: worker processes would spin for each other's cores

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

# No test is timed, and a run of the suite draws the same examples as the run before.
settings.register_profile("copyhold", deadline=None, derandomize=True)
settings.load_profile("copyhold")

ROOT = Path(__file__).resolve().parent.parent


def shared_folder() -> Path | None:
    """The tables that must not ship, where they stand beside the checkout."""
    named = os.environ.get("COPYHOLD_SHARED")
    folder = Path(named) if named else ROOT.parent / "shared"
    return folder if folder.is_dir() else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave out, with its reason, what needs a component that this machine lacks."""
    lacks = {
        "shared": shared_folder() is None and "the tables beside the checkout (set COPYHOLD_SHARED to their folder)",
        "postgres": "COPYHOLD_TEST_POSTGRES" not in os.environ
        and "a PostgreSQL server (set COPYHOLD_TEST_POSTGRES to its address)",
    }
    for item in items:
        for marker, lack in lacks.items():
            if lack and item.get_closest_marker(marker):
                item.add_marker(pytest.mark.skip(reason=f"left out: needs {lack}"))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    """Turn a skip into a failure where nothing may skip."""
    report = yield
    if os.environ.get("COPYHOLD_NOTHING_SKIPS") and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
    return report


@pytest.fixture
def shared() -> Path:
    """The folder of tables that must not ship; mark the test with `shared`."""
    folder = shared_folder()
    assert folder is not None, "mark this test with @pytest.mark.shared"
    return folder
