"""What the register says each key's party held: nothing here depends on a key.

Parties of the same scope share one value, which the scorer looks up once; one of whose marks something became public
has its own.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import reduce
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from copyhold.domain.catalogue import Role, Version
from copyhold.domain.releases import HeldCopy, MarkKey
from copyhold.domain.tracing import Register
from copyhold.engines.marks.dates import ShiftLaw
from copyhold.engines.marks.plan import MarkPlan
from copyhold.engines.tables.extracts import cohort, identified
from copyhold.engines.tables.people import participants_of, rows_of
from copyhold.engines.tracing.parties import NOTHING_TOLD, Facts, Holding
from copyhold.jobs.tracing.published import Published
from copyhold.ports import Outside
from copyhold.rules.catalogue import participant_token

People = NDArray[np.uint64]
Shape = tuple[int, str | None, tuple[str, ...], int]  # version, cohort, fields, withdrawals applied


@dataclass
class Holdings:
    """The facts of the parties of one dataset; `plan` is that of the version in which the leak was found."""

    outside: Outside
    register: Register
    versions: Sequence[Version]
    plan: MarkPlan
    published: Published
    _copies: dict[Shape, tuple[tuple[Holding, ...], People]] = field(default_factory=dict)
    _facts: dict[tuple[Shape | int | None, ...], Facts] = field(default_factory=dict)
    _tokens: dict[int, list[tuple[int, bytes]]] = field(default_factory=dict)

    def facts(self, keys: Iterable[MarkKey]) -> list[Facts]:
        """Give the facts of each key: the copies made under it, but for what is public of its marks."""
        of: dict[tuple[str, int], list[HeldCopy]] = {}
        for copy in self.register.copies:
            if copy.dataset == self.versions[0].dataset:
                of.setdefault((copy.party, copy.epoch), []).append(copy)
        return [self._but_for(key, self._of(of.get((key.party, key.epoch), []))) for key in keys]

    def people(self, copy: HeldCopy) -> People:
        """Give the participants of one copy, ascending."""
        return self._copy(copy)[1]

    def _but_for(self, key: MarkKey, facts: Facts) -> Facts:
        told = self.published.told(key)
        return facts if told is NOTHING_TOLD else replace(facts, told=told)

    def _of(self, copies: Sequence[HeldCopy]) -> Facts:
        days = max((copy.date_shifts for copy in copies if copy.date_shifts), default=None)
        key = (*sorted({self._shape(copy) for copy in copies}, key=repr), days)
        if key not in self._facts:
            made = [self._copy(copy) for copy in copies]
            people = reduce(np.union1d, (one for _, one in made), np.empty(0, dtype=np.uint64))
            holdings = tuple(one for some, _ in made for one in some)
            self._facts[key] = Facts(holdings, people, ShiftLaw(days) if days else None)
        return self._facts[key]

    def _shape(self, copy: HeldCopy) -> Shape:
        applied = sum(1 for one in self.register.withdrawn if one.dataset == copy.dataset and one.at <= copy.begun_at)
        return copy.version_number, copy.where, copy.released_fields, applied

    def _copy(self, copy: HeldCopy) -> tuple[tuple[Holding, ...], People]:
        shape = self._shape(copy)
        if shape not in self._copies:
            self._copies[shape] = self._worked_out(copy)
        return self._copies[shape]

    def _worked_out(self, copy: HeldCopy) -> tuple[tuple[Holding, ...], People]:
        version = next(one for one in self.versions if one.number == copy.version_number)
        paths = {one.table: self.outside.storage.path(one.sha256) for one in version.tables}
        chosen = None if copy.where is None else cohort(copy.where, version.dictionary, paths)
        kept = _kept(participants_of(paths.values()), chosen, self._withdrawn(version, copy))
        holdings = tuple(
            Holding(self.plan.number(table), rows_of(path, kept), self._columns(version, table, copy.released_fields))
            for table, path in paths.items()
            if table in self.plan.tables
        )
        return holdings, kept

    def _columns(self, version: Version, table: str, released: Sequence[str]) -> NDArray[np.uint32]:
        number = self.plan.number(table)
        names = {one.name for one in version.dictionary.of(table)} & set(released)
        known = [one.column for one in self.plan.places if one.table == number and one.field in names]
        return np.array(sorted(known), dtype=np.uint32)

    def _withdrawn(self, version: Version, copy: HeldCopy) -> People:
        listed = {
            one.token for one in self.register.withdrawn if one.dataset == copy.dataset and one.at <= copy.begun_at
        }
        if not listed:
            return np.empty(0, dtype=np.uint64)
        return np.array(sorted({person for person, token in self._named(version) if token in listed}), dtype=np.uint64)

    def _named(self, version: Version) -> list[tuple[int, bytes]]:
        """Pair the participants of a version with the tokens by which withdrawals name them."""
        if version.number not in self._tokens:
            key = self.outside.keys.derive("participant", self.register.custody, version.dataset)
            paths: dict[str, Path] = {one.table: self.outside.storage.path(one.sha256) for one in version.tables}
            self._tokens[version.number] = [
                (person, participant_token(key, written))
                for one in version.dictionary.fields
                if one.role is Role.ID
                for person, written in identified(paths[one.table], one.name)
            ]
        return self._tokens[version.number]


def _kept(everybody: People, chosen: People | None, withdrawn: People) -> People:
    some = everybody if chosen is None else np.intersect1d(everybody, chosen, assume_unique=True)
    return np.setdiff1d(some, withdrawn, assume_unique=True)
