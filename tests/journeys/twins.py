"""The same custody twice or more: alike in ids, clock, register and plan, with the keys of the parties another draw.

What must not depend on a party's keys is then the same byte for byte, and what differs does so for these keys alone.
"""

import hashlib
import io
import shutil
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path

from copyhold.adapters.keys_file import FileKeys
from copyhold.config import wiring
from copyhold.domain.accounts import Door
from copyhold.domain.words import Secret
from copyhold.entrypoints import cli
from copyhold.entrypoints.cli.options import split
from copyhold.entrypoints.cli.terminal import Terminal
from copyhold.ports import Home, Outside
from tests.entrypoints.conftest import Ended
from tests.journeys.scene import Scene

OF_PARTIES = ("mark", "id", "date")


class OtherPartyKeys(FileKeys):
    """The custody's keys, but for those of the parties, which are another draw for each `draw`."""

    def __init__(self, directory: Path, draw: str) -> None:
        super().__init__(directory)
        self._draw = draw

    def derive(self, purpose: str, *parts: str | bytes) -> Secret:
        derived = super().derive(purpose, *parts)
        if purpose not in OF_PARTIES:
            return derived
        return Secret(hashlib.sha256(self._draw.encode() + derived.reveal()).digest())


def generator(seed: str) -> Callable[[int], bytes]:
    """Bytes that look like chance and are the same in every run."""
    turns = count()
    return lambda size: hashlib.shake_256(f"{seed} {next(turns)}".encode()).digest(size)


def clock(started: datetime) -> Callable[[], datetime]:
    turns = count()
    return lambda: started + timedelta(seconds=next(turns))


@dataclass(frozen=True)
class Twin(Scene):
    """A scene whose party keys are the draw named, with a clock and chance that depend on its start alone."""

    draw: str
    started: datetime
    moment: Callable[[], datetime]
    chance: Callable[[int], bytes]

    @property
    def home(self) -> Home:
        """The custody as a command opens it."""
        opened = wiring.open_home(self.custody, Door.CLI)
        keys = OtherPartyKeys(self.custody / "keys", self.draw)
        return replace(opened, clock=self.moment, outside=Outside(keys, opened.outside.storage, self.chance))

    def run(self, *words: str | Path, at: Path | None = None) -> Ended:
        """Run a command in the twin."""
        out, err = io.StringIO(), io.StringIO()
        options, rest = split([str(word) for word in words])
        with redirect_stdout(out), redirect_stderr(err):
            openers = cli.Openers(wiring.prepare, lambda _: self.home, lambda _: self.home)
            code = cli.run(rest, options, Terminal(as_json=options.json), openers, None)
        return Ended(code, out.getvalue(), err.getvalue())


def twin(scene: Scene, folder: Path, draw: str, started: datetime) -> Twin:
    """Make a twin of a scene in another folder."""
    shutil.copytree(scene.folder, folder)
    return Twin(folder, draw, started, clock(started), generator(f"{started}"))


def later(one: Twin, folder: Path) -> Twin:
    """Give a twin the next day, in another folder."""
    return twin(one, folder, one.draw, one.started + timedelta(days=1))
