"""A custody as an object: what notebooks and scripts ask, answered in the words of the JSON commands.

The holder of the folder acts, as the operator; in a custody with four eyes others bring their token to `acting`. Every
answer is the dictionary that the command of the same name prints with --json; what a rule refuses is raised as Refused
with every reason.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from os import PathLike
from pathlib import Path

from copyhold.actions import access, accounts, custody, releases, tracing
from copyhold.domain.paging import LARGEST, Window
from copyhold.domain.parties import PersonId
from copyhold.domain.words import Plain, Secret, plain
from copyhold.entrypoints.replies import tracing as replies
from copyhold.jobs import log as publishing
from copyhold.jobs.tracing import trace as jobs
from copyhold.ports import Home, Occasion, Step


def _quietly(_name: str, _share: float) -> None:
    """Say nothing about how far work is."""


@dataclass(frozen=True)
class Custody:
    """One open custody. `step`, where given, is told the name of each long step and its share done, 0 to 1."""

    home: Home = field(repr=False)
    step: Step = field(default=_quietly, repr=False)
    _person: PersonId | None = field(default=None, repr=False)

    def __repr__(self) -> str:
        return f"Custody({str(self.home.directory)!r})"

    def acting(self, email: str, token: str) -> "Custody":
        """Let another person act, who is known by a token."""
        return replace(self, _person=accounts.recognise(self.home.occasion(), email, Secret(token.encode())))

    def status(self) -> Mapping[str, Plain]:
        """Say what there is in the custody, and what is due."""
        return {"custody": str(self.home.directory), "status": plain(custody.status(self._occasion()))}

    def why(self, email: str, project: str, at: datetime | None = None) -> Mapping[str, Plain]:
        """Say whether this person could take this data at an instant, and every reason."""
        answer = access.why(self._occasion(), email, project, at)
        return {"allowed": answer.verdict.allowed, "access": plain(answer)}

    def releases(self) -> tuple[Mapping[str, Plain], ...]:
        """List the newest copies, at most 500."""
        page = releases.listing(self._occasion(), Window(size=LARGEST))
        return tuple(_mapping(plain(one)) for one in page.items)

    def trace(self, *files: str | PathLike[str]) -> Mapping[str, Plain]:
        """Say whose copy leaked files come from, read as one leak; see `copyhold trace`."""
        return self._published(lambda: self._traced([Path(one) for one in files]))

    def _traced(self, files: list[Path]) -> Mapping[str, Plain]:
        found = jobs.trace(self.home, self._occasion, files, step=self.step)
        if found.case is None and found.result is not None:
            return replies.answer(found.result)
        return replies.of_case(tracing.show(self._occasion(), str(found.case)))

    def _published(self, work: Callable[[], Mapping[str, Plain]]) -> Mapping[str, Plain]:
        """Do some work, and publish what it entered into the log, refusals included."""
        try:
            return work()
        finally:
            publishing.publish(self.home)

    def _occasion(self) -> Occasion:
        nobody = self.home.occasion()
        person = self._person or accounts.recognise(nobody)
        return replace(nobody, actor=replace(nobody.actor, person=person))


def _mapping(value: Plain) -> Mapping[str, Plain]:
    return value if isinstance(value, dict) else {}
