"""Journeys run on SQLite; the actions they are made of are tested on both databases."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from copyhold.config.database import close
from tests import databases
from tests.world import World


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """A custody of one operator."""
    databases.fresh("sqlite", tmp_path)
    made = World(tmp_path)
    made.found()
    yield made
    close()
