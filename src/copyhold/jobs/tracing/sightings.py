"""Where a leak was found again: the dataset and version in which most of its rows align, without any party's key."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from copyhold.domain.catalogue import Role, Version
from copyhold.domain.tracing import Register
from copyhold.engines.marks.permutation import FIFTEEN_DIGITS
from copyhold.engines.reading.master import Master
from copyhold.engines.reading.reader import Read, read
from copyhold.engines.reading.recognition import recognised
from copyhold.engines.reading.sighting import SightedTable, sighted
from copyhold.jobs.catalogue.indexes import index
from copyhold.jobs.catalogue.plans import plan_key, plan_of
from copyhold.jobs.tracing.leaks import Leak
from copyhold.ports import Home, Step

_NEARLY_ALL = 0.9  # share of rows aligned at which older versions are not looked at


@dataclass(frozen=True)
class Sighting:
    """A leak found in a version: each leaked table matched to one of the version's."""

    name: str
    version: Version
    master: Master
    tables: tuple[SightedTable, ...]

    @property
    def rows_read(self) -> int:
        """Leaked rows that were looked at: of a large table some, evenly over it."""
        return sum(one.rows for one in self.tables)

    @property
    def rows_aligned(self) -> int:
        """Leaked rows that align above decoys."""
        return sum(one.rows_aligned for one in self.tables)

    @property
    def recognised(self) -> bool:
        """Whether rows of the leak are rows of this version, beyond what those of other people would show."""
        return recognised(self.tables)

    @property
    def people(self) -> NDArray[np.uint64]:
        """Participants whom any leaked row may be of, ascending."""
        found = [self.master.indexes[one.number].participants[_positions(one)] for one in self.tables]
        return np.unique(np.concatenate(found)) if found else np.empty(0, dtype=np.uint64)

    @property
    def fields(self) -> frozenset[str]:
        """Fields that the leak shows."""
        return frozenset(match.field for one in self.tables for match in one.match.matches)

    def read(self, reach: int) -> Read:
        """Read the leak; `reach` is the most days that any party's dates may have moved."""
        ids = [one for one in self.version.dictionary.fields if one.role is Role.ID]
        names = [name for one in ids for name in (one.name, one.column)]
        return read(self.tables, self.master, FIFTEEN_DIGITS, names, reach)


def _positions(table: SightedTable) -> NDArray[np.int64]:
    positions = table.match.alignment.positions
    return positions[positions >= 0]


def find(home: Home, register: Register, leak: Leak, step: Step) -> Sighting | None:
    """Find the version in which most of the leak's rows align; None where there is no version at all.

    The newest version of every dataset is looked at, and older ones where many rows are left over.
    """
    best: Sighting | None = None
    names = {dataset.id: dataset.name for dataset in register.datasets}
    versions = _newest_first(register.versions)
    for place, version in enumerate(versions):
        settled = best is not None and best.rows_aligned >= _NEARLY_ALL * best.rows_read
        if settled and place >= len(names):
            break
        found = _in_version(home, register, names[version.dataset], version, leak, step)
        if best is None or found.rows_aligned > best.rows_aligned:
            best = found
        step("rows", (place + 1) / len(versions))
    return best


def _newest_first(versions: Sequence[Version]) -> list[Version]:
    """The newest version of each dataset, then all older ones, newer before older."""
    newest = {one.dataset: one for one in sorted(versions, key=lambda one: one.number)}
    older = [one for one in versions if one is not newest[one.dataset]]
    return [*newest.values(), *sorted(older, key=lambda one: one.added_at, reverse=True)]


def _in_version(home: Home, register: Register, name: str, version: Version, leak: Leak, step: Step) -> Sighting:
    plan = plan_of(home.outside, version)
    indexes = {plan.number(table): opened for table, opened in index(home, version, step).items()}
    master = Master(plan, plan_key(home.outside, register.custody, version.dataset), indexes)
    return Sighting(name, version, master, tuple(sighted(columns, master) for columns in leak.tables))
