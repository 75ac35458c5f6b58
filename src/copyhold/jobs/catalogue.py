"""Make a version of a dataset: snapshot, mark plan, commitments, and the index that finds its rows again."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path

import numpy as np
import pyarrow as pa

from copyhold.actions import catalogue, custody
from copyhold.domain.catalogue import (
    CutPoint,
    Dictionary,
    Field,
    Role,
    TableSnapshot,
    Version,
    VersionOrder,
    VersionResult,
)
from copyhold.domain.custody import Policy
from copyhold.domain.errors import IntegrityError, InvalidInputError, UnavailableError
from copyhold.engines.marks import power
from copyhold.engines.marks.cells import cells
from copyhold.engines.marks.commitment import (
    HASH_BYTES,
    CommittedTable,
    CommittedVersion,
    RowTree,
    TableCommitment,
    leaves,
)
from copyhold.engines.marks.draft import draw_plan, extend_plan
from copyhold.engines.marks.keys import NONCE_BYTES, PlanKeys, commitment
from copyhold.engines.marks.plan import MarkPlan
from copyhold.engines.matching.index import TableIndex, build_index
from copyhold.engines.tables import cohorts
from copyhold.engines.tables.blocks import NUMERIC, Block, block
from copyhold.engines.tables.dictionary import from_csv
from copyhold.engines.tables.snapshots import Snapshot, read_batches, row_count, write_snapshot
from copyhold.jobs.custody import spool
from copyhold.ports import Home, Occasion, Outside, Step

Occasions = Callable[[], Occasion]

LEAVES = "leaves"  # 32 bytes a row, in order: hashes of salted commitments, from which any row's path is read
SAMPLED = 4_000  # rows of the master, on which it is worked out how many would name a holder


@dataclass(frozen=True)
class Sources:
    """The files of a version, one per table of the dictionary, and how a row is known again."""

    files: tuple[Path, ...]
    dictionary: Path
    id_column: str | None = None
    key_columns: tuple[str, ...] = ()


def add(
    home: Home,
    occasions: Occasions,
    name: str,
    sources: Sources,
    *,
    terms: tuple[str, ...] = (),
    accept_suggested: bool = False,
    step: Step,
) -> Version:
    """Add a dataset's first or next version; nothing is recorded before everything is made.

    Raises:
        Refused: a guess of the dictionary was not accepted.
        InvalidInputError: sources and dictionary do not fit each other.
    """
    order = catalogue.next_version(occasions(), name, from_csv(sources.dictionary), accept_suggested=accept_suggested)
    with spool(home) as folder:
        earlier = catalogue.versions(occasions(), order.name) if order.previous else ()
        result = _made(home.outside, order, earlier, sources, folder, step)
        version = catalogue.add_version(occasions(), order, result, terms)
        _keep_leaves(home, folder, version)
    index(home, version, step)
    return version


def index(home: Home, version: Version, step: Step) -> dict[str, TableIndex]:
    """Open the indexes of a version's tables, building those that are not there yet."""
    opened = {}
    for place, one in enumerate(version.tables):
        folder = home.indexes / one.sha256
        if not _is_built(folder):
            _build_index(home, version.dictionary, one, folder)
        opened[one.table] = TableIndex(folder, version.dictionary)
        step("index", (place + 1) / len(version.tables))
    return opened


@dataclass(frozen=True)
class Power:
    """How many leaked rows name a holder among so many parties, per attack."""

    version: Version
    parties: int
    rows: Mapping[power.Attack, power.Rows]


def power_of(home: Home, occasions: Occasions, name: str, parties: int | None = None) -> Power:
    """Work out how many leaked rows of a dataset's newest version name a holder, with no field left out.

    `parties` are those among whom the holder is to be named; the policy's number by default.
    """
    version = catalogue.show(occasions(), name)
    founded = custody.show(occasions())
    policy = founded.policy if parties is None else replace(founded.policy, power_parties=parties)
    if policy.power_parties < 1:
        raise InvalidInputError("The number of parties must be 1 or more.")
    paths = [(one.number, home.outside.storage.path(one.sha256), one.rows) for one in version.tables]
    plan = plan_of(home.outside, version)
    key = plan_key(home.outside, founded.id, version.dataset)
    return Power(version, policy.power_parties, _rows_needed(plan, key, version.dictionary, paths, policy))


def _build_index(home: Home, dictionary: Dictionary, one: TableSnapshot, place: Path) -> None:
    """Build the index of a table and bring it to its place whole; where another process was quicker, its own stays."""
    with spool(home) as folder:
        made = folder / "index"
        build_index(home.outside.storage.path(one.sha256), dictionary, one.table, made, version=one.sha256)
        place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            made.rename(place)
        except OSError as error:
            if not _is_built(place):
                raise UnavailableError(f"The index in {place} is not whole; remove that folder, try again.") from error


def _is_built(folder: Path) -> bool:
    return (folder / "index.json").exists()


def plan_of(outside: Outside, version: Version) -> MarkPlan:
    """Read a version's mark plan."""
    with outside.storage.open(version.plan_sha256) as data:
        return MarkPlan.from_json(data.read())


def plan_key(outside: Outside, custody: str, dataset: str) -> bytes:
    """Derive the key under which a dataset's cells are drawn."""
    return outside.keys.derive("plan", custody, dataset).reveal()


def committed(home: Home, custody: str, version: Version, step: Step) -> CommittedVersion:
    """Give what opening cells of a version takes: its tables, and the tree whose root the log holds.

    The leaves were kept when the version was added; where they are lost they are computed again.
    Raises: IntegrityError where the version is no longer the one that was committed to.
    """
    keys = _plan_keys(home.outside, custody, version.dataset)
    paths = {one.table: home.outside.storage.path(one.sha256) for one in version.tables}
    tables = _committed(plan_of(home.outside, version), keys, version.dictionary, paths)
    tree = _kept_tree(home, version)
    if tree is None or tree.root.hex() != version.master_root:
        tree = _grown_again(home, version, tables, step)
    return CommittedVersion(tables, tree)


def _kept_tree(home: Home, version: Version) -> RowTree | None:
    kept = _leaves_of(home, version)
    whole = kept.exists() and kept.stat().st_size == version.rows * HASH_BYTES
    return RowTree(kept.read_bytes()) if whole else None


def _grown_again(home: Home, version: Version, tables: tuple[CommittedTable, ...], step: Step) -> RowTree:
    with spool(home) as folder:
        tree = _grown(tables, folder, step)
        if tree.root.hex() != version.master_root:
            raise IntegrityError("A version is no longer the one that was committed to; restore it from a backup.")
        _keep_leaves(home, folder, version)
    return tree


def _grown(tables: tuple[CommittedTable, ...], folder: Path, step: Step) -> RowTree:
    """Compute the leaves of a version into a folder, and give the tree over them."""
    made = leaves(tables, lambda share: step("commitments", share))
    (folder / LEAVES).write_bytes(made)
    return RowTree(made)


def _keep_leaves(home: Home, folder: Path, version: Version) -> None:
    """Put the leaves of a version with what else is derived from it; they are moved there whole, or not at all."""
    place = _leaves_of(home, version)
    place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    (folder / LEAVES).replace(place)


def _leaves_of(home: Home, version: Version) -> Path:
    return home.indexes / f"{version.master_root}.{LEAVES}"


def blocks(paths: Sequence[tuple[int, Path]], dictionary: Dictionary, tables: Sequence[str]) -> Iterator[Block]:
    """Read every table of a snapshot as blocks; `paths` pair a table's number with its file."""
    for number, path in paths:
        fields = dictionary.of(tables[number - 1])
        for batch in _batches(path, fields):
            yield block(batch, fields, number)


def _batches(path: Path, fields: Sequence[Field]) -> Iterator[pa.RecordBatch]:
    """Read what marks depend on in a table: its numbers, and the fields that divide their support."""
    strata = {one.stratum for one in fields if one.stratum}
    return read_batches(path, [one.name for one in fields if _is_read(one, strata)])


def _is_read(one: Field, strata: set[str]) -> bool:
    return one.role not in (Role.ID, Role.DIRECT) and (one.type in NUMERIC or one.name in strata)


def _made(
    outside: Outside, order: VersionOrder, earlier: Sequence[Version], sources: Sources, folder: Path, step: Step
) -> VersionResult:
    dictionary = _with_cut_points(order)
    # The newest snapshot of each table there ever was: one that is left out has its numbers when it comes back.
    known = {one.table: outside.storage.path(one.sha256) for version in earlier for one in version.tables}
    snapshot = write_snapshot(
        _by_table(sources.files, dictionary),
        dictionary,
        folder,
        id_column=sources.id_column,
        key_columns=sources.key_columns,
        previous=known or None,
        step=step,
    )
    plan = _planned(outside, order, dictionary, snapshot, step)
    return _result(outside, order, sources, dictionary, snapshot, plan, folder, step)


def _by_table(files: Sequence[Path], dictionary: Dictionary) -> dict[str, Path]:
    """Pair each table of the dictionary with its file: by the file's name, or one with one."""
    if len(files) == len(dictionary.tables) == 1:
        return {dictionary.tables[0]: files[0]}
    named = {path.name.split(".")[0]: path for path in files}
    if set(named) != set(dictionary.tables) or len(named) != len(files):
        raise InvalidInputError(
            f"The dictionary describes {', '.join(dictionary.tables)}; give one file for each, named after its table."
        )
    return {table: named[table] for table in dictionary.tables}


def _with_cut_points(order: VersionOrder) -> Dictionary:
    """Add the thresholds of the projects' cohorts: no mark may carry anybody over one."""
    found: dict[str, tuple[CutPoint, ...]] = {}
    for condition in order.cohorts:
        for name, points in cohorts.parse(condition, order.dictionary).cut_points.items():
            found[name] = (*found.get(name, ()), *points)
    return Dictionary(
        tuple(
            replace(one, cut_points=tuple(dict.fromkeys((*one.cut_points, *found.get(one.name, ())))))
            for one in order.dictionary.fields
        )
    )


def _planned(outside: Outside, order: VersionOrder, dictionary: Dictionary, snapshot: Snapshot, step: Step) -> MarkPlan:
    step("mark plan", 0.0)
    known = plan_of(outside, order.previous) if order.previous else None
    tables = known.tables if known else ()
    tables += tuple(name for name in dictionary.tables if name not in tables)
    paths = [(tables.index(one.table) + 1, one.path) for one in snapshot.tables]
    read = blocks(paths, dictionary, tables)
    plan = extend_plan(known, dictionary, read) if known else draw_plan(dictionary, read)
    step("mark plan", 1.0)
    return plan


def _result(
    outside: Outside,
    order: VersionOrder,
    sources: Sources,
    dictionary: Dictionary,
    snapshot: Snapshot,
    plan: MarkPlan,
    folder: Path,
    step: Step,
) -> VersionResult:
    keys = _plan_keys(outside, order.custody, order.dataset)
    nonce = bytes.fromhex(order.previous.plan_nonce) if order.previous else outside.chance(NONCE_BYTES)
    tables = _committed(plan, keys, dictionary, {one.table: one.path for one in snapshot.tables})
    root = _grown(tables, folder, step).root
    storage = outside.storage
    return VersionResult(
        tables=tuple(
            TableSnapshot(one.table, plan.number(one.table), storage.put_file(one.path), one.rows)
            for one in snapshot.tables
        ),
        id_column=sources.id_column,
        key_columns=sources.key_columns,
        participants=snapshot.participants,
        dictionary=_as_planned(dictionary, plan),
        plan_sha256=storage.put(BytesIO(plan.to_json())),
        plan_hash=plan.sha256,
        plan_commitment=commitment(keys.plan, nonce).hex(),
        plan_nonce=nonce.hex(),
        master_root=root.hex(),
        sources=tuple(path.name for path in sources.files),
        power=power.told(_power(order, dictionary, snapshot, plan, keys.plan, step)),
    )


def _committed(
    plan: MarkPlan, keys: PlanKeys, dictionary: Dictionary, paths: Mapping[str, Path]
) -> tuple[CommittedTable, ...]:
    """Say how each table of a version is committed to: every field but direct identifiers, which no snapshot holds."""
    return tuple(
        CommittedTable(TableCommitment(plan, keys, table, _kept(dictionary, table)), path, row_count(path))
        for table, path in paths.items()
    )


def _kept(dictionary: Dictionary, table: str) -> tuple[Field, ...]:
    return tuple(one for one in dictionary.of(table) if one.role is not Role.DIRECT)


def _plan_keys(outside: Outside, custody: str, dataset: str) -> PlanKeys:
    return PlanKeys(plan_key(outside, custody, dataset), outside.keys.derive("salt", custody, dataset).reveal())


def _power(
    order: VersionOrder, dictionary: Dictionary, snapshot: Snapshot, plan: MarkPlan, key: bytes, step: Step
) -> Mapping[power.Attack, power.Rows]:
    step("power", 0.0)
    paths = [(plan.number(one.table), one.path, one.rows) for one in snapshot.tables]
    needed = _rows_needed(plan, key, dictionary, paths, order.policy)
    step("power", 1.0)
    return needed


def _rows_needed(
    plan: MarkPlan, key: bytes, dictionary: Dictionary, paths: Sequence[tuple[int, Path, int]], policy: Policy
) -> Mapping[power.Attack, power.Rows]:
    """Work out the rows needed of each table, and give those of the one that tells most.

    `paths` are a table's number, its file and its rows.
    """
    nats = power.threshold(policy.power_parties, alpha=policy.alpha)
    found = []
    for number, path, rows in paths:
        sample = (cells(plan, key, one) for one in _sampled(number, path, rows, dictionary, plan.tables))
        found.append(power.rows_to_name(sample, nats))
    return min(found, key=lambda rows: rows[power.Attack.NONE].n95 or math.inf)


def _sampled(number: int, path: Path, rows: int, dictionary: Dictionary, tables: Sequence[str]) -> Iterator[Block]:
    """Read every so many-th row of a table, so that about SAMPLED come together."""
    every, start = max(1, rows // SAMPLED), 0
    for whole in _batches(path, dictionary.of(tables[number - 1])):
        chosen = np.arange(-start % every, whole.num_rows, every)
        start += whole.num_rows
        if len(chosen):
            yield block(whole.take(pa.array(chosen)), dictionary.of(tables[number - 1]), number)


def _as_planned(dictionary: Dictionary, plan: MarkPlan) -> Dictionary:
    """Say in the dictionary which fields are marked in truth: what the plan refused is not."""
    return Dictionary(
        tuple(replace(one, mark=plan.column(plan.number(one.table), one.name) is not None) for one in dictionary.fields)
    )
