"""Make a party's copy: scope, withdrawals, marks, file, decode check, power; issue it; and only then hand it out.

* Files are written in the custody's spool. They come to their place when the register says "issued", not before: a
  crash at any point leaves no copy outside that is not on record.
* Scope, cohort and withdrawals are judged on master values, then marks are applied.
* The ending of the place names the format, Parquet without one. A dataset of several tables becomes a folder with one
  file per table, and its hash is that of the canonical JSON of [table, hash of the file], in the dataset's order.
"""

import hashlib
import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path

import numpy as np
import pyarrow as pa
import rfc8785

from copyhold.actions import releases
from copyhold.domain.catalogue import FieldType, Role
from copyhold.domain.errors import (
    ConflictError,
    IntegrityError,
    InvalidInputError,
    NotFoundError,
    UnavailableError,
    UnreadableFileError,
)
from copyhold.domain.releases import Release, ReleaseOrder, ReleaseResult, Traceability
from copyhold.domain.words import Plain
from copyhold.engines.marks import power
from copyhold.engines.marks.copies import TableCopy, decode, decode_all, distinct, utility, write_copy
from copyhold.engines.marks.dates import ShiftLaw
from copyhold.engines.marks.embedding import DecodeCheck, Embedding
from copyhold.engines.marks.keys import KEY_BYTES, PartyKeys, commitment
from copyhold.engines.marks.plan import MarkPlan
from copyhold.engines.marks.shifting import Shifts
from copyhold.engines.tables.extracts import Extract, People, cohort, identified, scope
from copyhold.engines.tables.snapshots import GROUP_ROWS
from copyhold.engines.tables.writing import ENDINGS
from copyhold.jobs.catalogue.plans import Occasions, plan_key, plan_of
from copyhold.jobs.custody import partial, spool
from copyhold.ports import Home, Outside, Step
from copyhold.rules.catalogue import participant_token

PARQUET = ".parquet"
SAMPLED = 4_000  # rows from which the power figure is worked out


def make(
    home: Home, occasions: Occasions, release_id: str, out: Path | None, *, step: Step, rows: int = GROUP_ROWS
) -> Release:
    """Make, issue and hand out the copy of a request; `out` None puts it into the custody's own folder of releases.

    `rows` are read at a time; the bytes do not depend on it. Where participants withdrew meanwhile it is made again,
    once.

    Raises:
        Refused: the gate, the decode check or the power figure says no; nothing was handed out.
        ConflictError: there is something at `out`.
        InvalidInputError: the scope does not fit the dataset, or the format cannot hold the copy.
        IntegrityError: the key is not the one that the log commits to.
    """
    place = landing(out)
    try:
        return _made(home, occasions, release_id, place, step, rows)
    except ConflictError as conflict:
        if conflict.code != "WITHDRAWN_ROWS":
            raise
        return _made(home, occasions, release_id, place, step, rows)


@dataclass(frozen=True)
class Verified:
    """A copy at hand against the register: its hash and the one recorded, and whether every cell is the party's.

    No more than yes or no is told of the cells: how many of its marks a file shows is a score, and scores are given in
    traces alone, where they are charged. `decodes` None means that there is no table to be read.
    """

    path: Path
    sha256: str
    recorded: str
    decodes: bool | None

    @property
    def passed(self) -> bool:
        """Whether these are the bytes that were issued, and their marks the party's."""
        return self.sha256 == self.recorded and bool(self.decodes)


def verify(home: Home, occasions: Occasions, release_id: str, file: Path | None, *, step: Step) -> Verified:
    """Hold a copy against the register, and every cell of it against the master and the party's marks.

    `file` None means the place where it was written. Raises NotFoundError where nothing can be read there.
    """
    release = releases.show(occasions(), release_id).release
    copying = Copying(releases.order(occasions(), release_id), home.outside)
    path = file or Path(release.path)
    files = {table: path / f"{table}.{release.format}" if copying.several else path for table in copying.extracts}
    hashes = {table: _sha256(one) for table, one in files.items()}
    return Verified(path, digest(hashes, several=copying.several), release.sha256, _every_cell(copying, files, step))


def landing(out: Path | None) -> Path | None:
    """Say where a copy would go, before anything is asked for or made; None is the custody's own folder.

    Raises:
        InvalidInputError: the ending names no format, or the folder above is not there.
        ConflictError: there is something already.
    """
    if out is None:
        return None
    place = out.absolute()
    if not place.parent.is_dir():
        raise InvalidInputError(f"There is no folder {out.parent}; name a place in a folder that exists.")
    if place.suffix.lower() not in ("", *ENDINGS):
        raise InvalidInputError(f"{place.name} cannot be written: its ending must be one of {', '.join(ENDINGS)}.")
    if place.exists():
        raise ConflictError(f"{place} exists already; name another place, a copy never replaces anything.")
    return place


@dataclass(frozen=True, eq=False)
class Copying:
    """What an order comes to: plan, keys, and per table what leaves of it and how it is marked."""

    order: ReleaseOrder
    outside: Outside

    @property
    def several(self) -> bool:
        """Whether the dataset has several tables, so that a copy is a folder."""
        return len(self.order.version.tables) > 1

    @property
    def traceability(self) -> Traceability:
        """By what the copy could be told from others."""
        leaving = [(table, one) for table, extract in self.extracts.items() for one in extract.leaving]
        marked = any(self.plan.column(self.plan.number(table), one.name) for table, one in leaving)
        dated = any(one.type in (FieldType.DATE, FieldType.DATETIME) for _, one in leaving)
        return power.traceability(
            marked, dated and self.order.date_shifts is not None, any(one.role is Role.ID for _, one in leaving)
        )

    @cached_property
    def plan(self) -> MarkPlan:
        """The plan of the version."""
        return plan_of(self.outside, self.order.version)

    @cached_property
    def extracts(self) -> dict[str, Extract]:
        """What leaves of each table, by table; a table of which no row leaves is no part of the copy."""
        dictionary = self.order.version.dictionary
        chosen = None if self.order.where is None else cohort(self.order.where, dictionary, self._paths)
        without = self._withdrawn() if self.order.withdrawn else None
        found = {
            table: Extract(self._paths[table], dictionary.of(table), names, chosen, without)
            for table, names in scope(dictionary, self.order.fields).items()
        }
        return {table: extract for table, extract in found.items() if extract.rows}

    def embedding(self, table: str) -> Embedding:
        """How a table is marked for the order's party."""
        return self._marking(table, self._keys, self.extracts[table].released)

    def control(self, table: str) -> Embedding:
        """How a control copy is marked: with a fresh key that nobody has, and without ids."""
        drawn = (self.outside.chance(KEY_BYTES) for _ in fields(PartyKeys))
        others = tuple(one.name for one in self.extracts[table].leaving if one.role is not Role.ID)
        return self._marking(table, PartyKeys(*drawn), others)

    def _marking(self, table: str, keys: PartyKeys, released: tuple[str, ...]) -> Embedding:
        known = self.extracts[table].fields
        return Embedding(self.plan, self._plan_key, keys, table, known, released, shifts=self._shifts)

    @cached_property
    def _paths(self) -> dict[str, Path]:
        return {one.table: self.outside.storage.path(one.sha256) for one in self.order.version.tables}

    @cached_property
    def _plan_key(self) -> bytes:
        return plan_key(self.outside, self.order.custody, self.order.dataset)

    @cached_property
    def _keys(self) -> PartyKeys:
        order, derive = self.order, self.outside.keys.derive
        parts = (order.custody, order.dataset, order.party)
        mark = derive("mark", *parts, str(order.epoch)).reveal()
        if commitment(mark, bytes.fromhex(order.nonce)).hex() != order.commitment:
            raise IntegrityError("The party's key is not the one that the log commits to; no copy is made under it.")
        return PartyKeys(mark, derive("id", *parts).reveal(), derive("date", *parts).reveal())

    @property
    def _shifts(self) -> Shifts | None:
        return None if self.order.date_shifts is None else Shifts(ShiftLaw(self.order.date_shifts))

    def _withdrawn(self) -> People:
        """The participants whose tokens are on the order's list, ascending.

        Raises InvalidInputError where the dataset has no ids that a withdrawal could name.
        """
        ids = [one for one in self.order.version.dictionary.fields if one.role is Role.ID]
        if not ids:
            raise InvalidInputError(
                "Participants withdrew, and the dataset has no ids to find them by. Add it with --id."
            )
        key = self.outside.keys.derive("participant", self.order.custody, self.order.dataset)
        listed, found = frozenset(self.order.withdrawn), set()
        for one in ids:
            people = identified(self._paths[one.table], one.name)
            found |= {number for number, written in people if participant_token(key, written) in listed}
        return np.array(sorted(found), dtype=np.uint64)


def _made(home: Home, occasions: Occasions, release_id: str, out: Path | None, step: Step, rows: int) -> Release:
    copying = Copying(releases.begin(occasions(), release_id), home.outside)
    place = out or home.releases / f"{release_id}{'' if copying.several else PARQUET}"
    with spool(home) as folder:
        copy = _written(copying, folder / "copy", place.suffix.lower() or PARQUET, step, rows)
        issued = releases.issue(occasions(), release_id, _result(copying, copy, place, step))
        _hand_out(folder, copy.path, place)
    return issued


@dataclass(frozen=True, eq=False)
class _Copy:
    """A copy in the spool: a file, or a folder with one per table."""

    path: Path
    ending: str
    tables: dict[str, TableCopy]

    @property
    def sha256(self) -> str:
        """The file's hash, or the one over the hashes of all."""
        return digest({table: one.written.sha256 for table, one in self.tables.items()}, several=self.path.is_dir())


def digest(hashes: Mapping[str, str], *, several: bool) -> str:
    """Hash a copy: its one file's hash, or that of the canonical JSON of [table, hash] in the dataset's order."""
    if not several:
        return next(iter(hashes.values()))
    return hashlib.sha256(rfc8785.dumps([[table, one] for table, one in hashes.items()])).hexdigest()


def _written(copying: Copying, folder: Path, ending: str, step: Step, rows: int) -> _Copy:
    extracts = copying.extracts
    if not extracts:
        raise InvalidInputError("The scope leaves nobody to release; mend its condition, or look at the withdrawals.")
    folder.mkdir()
    made = {}
    for number, (table, extract) in enumerate(extracts.items()):
        told = _part(step, "copy", number, len(extracts))
        made[table] = write_copy(extract, copying.embedding(table), folder / f"{table}{ending}", rows=rows, step=told)
    path = folder if copying.several else next(iter(made.values())).written.path
    return _Copy(path, ending, made)


def _result(copying: Copying, copy: _Copy, place: Path, step: Step) -> ReleaseResult:
    order, tables = copying.order, copy.tables
    check = _decoded(copying, tables, step)
    row = _told_by_rows(copying, tables)
    shown, asked = (
        power.threshold(parties, alpha=order.policy.alpha)
        for parties in (order.keys_issued, order.policy.power_parties)
    )
    return ReleaseResult(
        released_fields=tuple(dict.fromkeys(name for one in copying.extracts.values() for name in one.released)),
        rows=sum(one.written.rows for one in tables.values()),
        participants=len(distinct(one.participants for one in tables.values())),
        sha256=copy.sha256,
        size_bytes=sum(one.written.size_bytes for one in tables.values()),
        path=str(place),
        format=copy.ending.removeprefix("."),
        plan_hash=copying.plan.sha256,
        traceability=copying.traceability,
        n95=row[power.Attack.NONE].reaching(asked).n95,
        power=power.told({attack: one.reaching(shown) for attack, one in row.items()}),
        utility=_utility(copying, step),
        decoded=check.passed,
    )


def _decoded(copying: Copying, tables: Mapping[str, TableCopy], step: Step) -> DecodeCheck:
    """Read the copy back, table by table, before anybody may have it."""
    check = DecodeCheck()
    for number, (table, one) in enumerate(tables.items(), 1):
        check += decode(one, copying.extracts[table], copying.embedding(table))
        step("read back", number / len(tables))
    return check


def _utility(copying: Copying, step: Step) -> dict[str, Plain]:
    """Say by table what the marks cost science, measured on a control copy."""
    told: dict[str, Plain] = {}
    for number, (table, extract) in enumerate(copying.extracts.items()):
        part = _part(step, "utility", number, len(copying.extracts))
        told[table] = utility(extract, copying.control(table), step=part)
    return told


def _told_by_rows(copying: Copying, tables: Mapping[str, TableCopy]) -> dict[power.Attack, power.RowNats]:
    """Say what a leaked row tells without its id: a row of the table that tells most."""
    found = [_per_row(copying.embedding(table), one.master) for table, one in tables.items()]
    return max(found, key=lambda row: row[power.Attack.NONE].mean)


def _per_row(embedding: Embedding, master: Sequence[pa.RecordBatch]) -> dict[power.Attack, power.RowNats]:
    share = SAMPLED // max(1, len(master))
    return power.per_row((embedding.cells(one.slice(0, share)) for one in master), embedding.released)


def _part(step: Step, name: str, number: int, count: int) -> Callable[[float], None]:
    return lambda share: step(name, (number + share) / count)


def _hand_out(folder: Path, copy: Path, place: Path) -> None:
    """Bring an issued copy from its spool to its place, whole or not at all.

    Raises UnavailableError where it cannot be brought there: it is on record, and nobody has it.
    """
    try:
        place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        beside = partial(folder, place)
        shutil.move(copy, beside)  # over to another disk this copies
        if place.exists():
            raise FileExistsError
        os.rename(beside, place)
    except OSError as error:
        raise UnavailableError(
            "The copy is on record as issued and could not be written at its place, so nobody has it. Record it as "
            "destroyed with `release destroyed`, and make another."
        ) from error


def _sha256(path: Path) -> str:
    try:
        with path.open("rb") as data:
            return hashlib.file_digest(data, "sha256").hexdigest()
    except OSError:
        raise NotFoundError(f"{path} cannot be read; name the file or folder of the copy.") from None


def _every_cell(copying: Copying, files: Mapping[str, Path], step: Step) -> bool | None:
    check = DecodeCheck()
    try:
        for number, (table, path) in enumerate(files.items(), 1):
            check += decode_all(path, copying.extracts[table], copying.embedding(table))
            step("every cell", number / len(files))
    except UnreadableFileError:
        return None
    return check.passed
