"""What a command is given: who acts, in which custody, and where to say things."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

import typer

from copyhold.actions import accounts
from copyhold.domain.accounts import Actor
from copyhold.domain.words import Secret
from copyhold.entrypoints.cli.options import Options
from copyhold.entrypoints.cli.terminal import Terminal
from copyhold.jobs import log as publishing
from copyhold.ports import Home, Occasion

# typer carries its own copy of click; its family of usage errors is reached through the one name typer exports.
UsageError: type[Exception] = typer.BadParameter.__mro__[1]


@dataclass
class Door:
    """One run of one command.

    `open_home` opens the custody meant by --custody (None: the nearest one above) and sets the process up on it;
    `found_home` makes the folder, keys and empty records of a new custody. Both come from config.
    """

    terminal: Terminal
    options: Options
    token: Secret | None
    open_home: Callable[[Path | None], Home]
    found_home: Callable[[Path], Home]
    _home: Home | None = None
    _actor: Actor | None = None

    @property
    def home(self) -> Home:
        """The custody this command is about."""
        if self._home is None:
            self._home = self.open_home(self.options.custody)
        return self._home

    def occasion(self) -> Occasion:
        """Make the occasion of one act: the acting person, now."""
        nobody = self.home.occasion()
        if self._actor is None:
            person = accounts.recognise(nobody, self.options.email, self.token)
            self._actor = replace(nobody.actor, person=person)
        return replace(nobody, actor=self._actor)

    def leave(self) -> None:
        """Publish what this run entered into the log, refusals included."""
        if self._home is not None:
            publishing.publish(self._home)

    def enter(self, home: Home) -> None:
        """Turn to another custody, with its operator acting."""
        self._home, self._actor = home, None


def of(context: typer.Context) -> Door:
    """The door that a command was called through."""
    return cast(Door, context.obj)
