"""A whole custody for tests: its rows, keys and bytes in a folder of its own, and a clock that only moves when told.

world = World(directory)
world.found()
make.person(world, ...)
world.later(days=30)
"""

import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from copyhold.config.database import configure
from copyhold.config.settings import Settings

configure(Settings())  # rows can be imported only once Django is set up

from copyhold.actions import custody  # noqa: E402 - see above
from copyhold.adapters.keys_file import FileKeys  # noqa: E402
from copyhold.adapters.storage_files import FileStorage  # noqa: E402
from copyhold.domain.accounts import Actor, Door  # noqa: E402
from copyhold.domain.custody import Custody  # noqa: E402
from copyhold.domain.parties import PersonId  # noqa: E402
from copyhold.ports import Occasion, Outside  # noqa: E402

OPERATOR = "operator@custodian.example"
TICK = timedelta(seconds=1)


class World:
    """A custody and what is around it. Each occasion comes a second after the one before."""

    def __init__(self, directory: Path) -> None:
        self.now = datetime(2026, 1, 5, 9, tzinfo=UTC)
        self.keys = FileKeys.create(directory / "keys", os.urandom)
        self.derivations = directory / "keys" / "derivations"
        self.storage = FileStorage(directory / "objects")
        self.outside = Outside(self.keys, self.storage, os.urandom)
        self.operator: PersonId | None = None

    def later(self, **span: float) -> "World":
        """Move the clock."""
        self.now += timedelta(**span)
        return self

    def nobody(self) -> Occasion:
        """An occasion before anybody is recognised."""
        self.now += TICK
        return Occasion(Actor(None, Door.CLI, "tester"), self.now, self.outside)

    def by(self, person: PersonId | None = None) -> Occasion:
        """An occasion of a person; of the operator where none is named."""
        occasion = self.nobody()
        return replace(occasion, actor=replace(occasion.actor, person=person or self.operator))

    def found(self, *, four_eyes: bool = False) -> Custody:
        """Found the custody; its operator acts from now on where nobody else is named."""
        founded = custody.found(self.nobody(), "Cohort of Testing", OPERATOR, four_eyes)
        self.operator = founded.operator
        return founded
