"""What the register says each key's party held: nothing here depends on a key.

Parties of the same scope share one value, which the scorer looks up once; one of whose marks something became public
has its own. Cohorts are judged for the people that a leak may be of and for nobody else, as a custody of ten thousand
parties could not wait for more; only ids that stand on nobody's rows ask for everybody.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import reduce
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import compute

from copyhold.domain.catalogue import Role, Version
from copyhold.domain.releases import HeldCopy, MarkKey
from copyhold.domain.tracing import Register
from copyhold.engines.marks.dates import ShiftLaw
from copyhold.engines.marks.plan import MarkPlan
from copyhold.engines.tables import cohorts
from copyhold.engines.tables.blocks import PARTICIPANT
from copyhold.engines.tables.extracts import identified
from copyhold.engines.tables.people import People, participants_of, rows_of
from copyhold.engines.tables.snapshots import read_batches
from copyhold.engines.tracing.parties import NOTHING_TOLD, Facts, Holding
from copyhold.jobs.tracing.published import NOTHING_PUBLISHED, Published
from copyhold.ports import Outside
from copyhold.rules.catalogue import participant_token

Shape = tuple[int, str | None, tuple[str, ...], int]  # version, cohort, fields, withdrawals applied


@dataclass
class Holdings:
    """The facts of the parties of one dataset.

    `plan` is that of the version in which the leak was found; `asked` are the participants that anything is asked
    about, ascending, None for everybody; `published` is what became public of parties' marks.
    """

    outside: Outside
    register: Register
    versions: Sequence[Version]
    plan: MarkPlan
    asked: People | None = None
    published: Published = NOTHING_PUBLISHED
    _copies: dict[Shape, tuple[tuple[Holding, ...], People]] = field(default_factory=dict)
    _facts: dict[tuple[Shape | int | None, ...], Facts] = field(default_factory=dict)
    _people: dict[int, People] = field(default_factory=dict)
    _tokens: dict[int, list[tuple[int, bytes]]] = field(default_factory=dict)
    _read: dict[tuple[int, str], pa.Table] = field(default_factory=dict)

    def facts(self, keys: Iterable[MarkKey]) -> list[Facts]:
        """Give the facts of each key: the copies made under it, but for what is public of its marks."""
        of: dict[tuple[str, int], list[HeldCopy]] = {}
        for copy in self.register.copies:
            if copy.dataset == self.versions[0].dataset:
                of.setdefault((copy.party, copy.epoch), []).append(copy)
        return [self._but_for(key, self._of(of.get((key.party, key.epoch), []))) for key in keys]

    def people(self, copy: HeldCopy) -> People:
        """Give the participants of one copy, of those asked about, ascending."""
        return self._copy(copy)[1]

    def withdrawn(self, copy: HeldCopy) -> People:
        """Give those asked about who were left out of a copy as they had withdrawn, ascending."""
        return self._withdrawn(self._version(copy), copy.begun_at)

    def withdrawn_since(self, version: Version) -> People:
        """Give those asked about who have withdrawn from a version by now, ascending."""
        return self._withdrawn(version, None)

    def _but_for(self, key: MarkKey, facts: Facts) -> Facts:
        told = self.published.told(key)
        return facts if told is NOTHING_TOLD else replace(facts, told=told)

    def _of(self, copies: Sequence[HeldCopy]) -> Facts:
        days = max((copy.date_shifts for copy in copies if copy.date_shifts), default=None)
        count = None if self.asked is None else sum(copy.participants or 0 for copy in copies)
        key = (*sorted({self._shape(copy) for copy in copies}, key=repr), days, count)
        if key not in self._facts:
            made = [self._copy(copy) for copy in copies]
            people = reduce(np.union1d, (one for _, one in made), np.empty(0, dtype=np.uint64))
            holdings = tuple(one for some, _ in made for one in some)
            self._facts[key] = Facts(holdings, people, ShiftLaw(days) if days else None, count=count)
        return self._facts[key]

    def _shape(self, copy: HeldCopy) -> Shape:
        return copy.version_number, copy.where, copy.released_fields, len(self._listed(copy.begun_at))

    def _copy(self, copy: HeldCopy) -> tuple[tuple[Holding, ...], People]:
        shape = self._shape(copy)
        if shape not in self._copies:
            self._copies[shape] = self._worked_out(copy)
        return self._copies[shape]

    def _worked_out(self, copy: HeldCopy) -> tuple[tuple[Holding, ...], People]:
        version = self._version(copy)
        kept = np.setdiff1d(self._in(version), self.withdrawn(copy), assume_unique=True)
        if copy.where is not None:
            kept = np.intersect1d(kept, self._chosen(version, copy.where), assume_unique=True)
        holdings = tuple(
            Holding(self.plan.number(table), rows_of(path, kept), self._columns(version, table, copy.released_fields))
            for table, path in self._paths(version).items()
            if table in self.plan.tables
        )
        return holdings, kept

    def _version(self, copy: HeldCopy) -> Version:
        return next(one for one in self.versions if one.number == copy.version_number)

    def _paths(self, version: Version) -> dict[str, Path]:
        return {one.table: self.outside.storage.path(one.sha256) for one in version.tables}

    def _in(self, version: Version) -> People:
        """The participants of a version, of those asked about."""
        if version.number not in self._people:
            everybody = participants_of(self._paths(version).values())
            some = everybody if self.asked is None else np.intersect1d(everybody, self.asked, assume_unique=True)
            self._people[version.number] = some
        return self._people[version.number]

    def _chosen(self, version: Version, where: str) -> People:
        """The participants who meet a cohort's condition, of those asked about."""
        parsed = cohorts.parse(where, version.dictionary)
        rows = self._rows(version, parsed.table)
        return cohorts.participants(parsed, rows.select([PARTICIPANT, *parsed.fields]).to_batches())

    def _rows(self, version: Version, table: str) -> pa.Table:
        """The rows of those asked about, with every field that a cohort of the dataset asks for; read once."""
        if (version.number, table) not in self._read:
            conditions = {copy.where for copy in self.register.copies if copy.dataset == version.dataset and copy.where}
            parsed = [cohorts.parse(one, version.dictionary) for one in conditions]
            names = sorted({name for one in parsed if one.table == table for name in one.fields})
            people = pa.array(self._in(version))
            batches = [
                one.filter(compute.is_in(one.column(PARTICIPANT), people))
                for one in read_batches(self._paths(version)[table], names)
            ]
            self._read[version.number, table] = pa.Table.from_batches(batches)
        return self._read[version.number, table]

    def _columns(self, version: Version, table: str, released: Sequence[str]) -> NDArray[np.uint32]:
        number = self.plan.number(table)
        names = {one.name for one in version.dictionary.of(table)} & set(released)
        known = [one.column for one in self.plan.places if one.table == number and one.field in names]
        return np.array(sorted(known), dtype=np.uint32)

    def _listed(self, until: datetime | None) -> frozenset[bytes]:
        """The tokens of those who had withdrawn by an instant, or by now."""
        dataset = self.versions[0].dataset
        return frozenset(
            one.token
            for one in self.register.withdrawn
            if one.dataset == dataset and (until is None or one.at <= until)
        )

    def _withdrawn(self, version: Version, until: datetime | None) -> People:
        listed = self._listed(until)
        named = self._named(version) if listed else []
        return np.array(sorted({person for person, token in named if token in listed}), dtype=np.uint64)

    def _named(self, version: Version) -> list[tuple[int, bytes]]:
        """Pair those asked about with the tokens by which withdrawals name them."""
        if version.number not in self._tokens:
            key = self.outside.keys.derive("participant", self.register.custody, version.dataset)
            paths, some = self._paths(version), set(self._in(version).tolist())
            self._tokens[version.number] = [
                (person, participant_token(key, written))
                for one in version.dictionary.fields
                if one.role is Role.ID
                for person, written in identified(paths[one.table], one.name)
                if person in some
            ]
        return self._tokens[version.number]
