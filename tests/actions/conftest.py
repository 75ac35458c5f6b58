"""Every test of an action runs on SQLite and on PostgreSQL."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from copyhold.config.database import close
from tests import databases
from tests.world import World


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def bare(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    """A world whose custody is not founded yet."""
    databases.fresh(request.param, tmp_path)
    yield World(tmp_path)
    close()


@pytest.fixture
def world(bare: World) -> World:
    """A custody of one operator."""
    bare.found()
    return bare


@pytest.fixture
def four_eyes(bare: World) -> World:
    """A custody in which whoever asks is never who decides."""
    bare.found(four_eyes=True)
    return bare
