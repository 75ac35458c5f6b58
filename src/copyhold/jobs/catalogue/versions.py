"""Make a version of a dataset: snapshot, mark plan, commitments, and the index that finds its rows again."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path

from copyhold.actions import catalogue
from copyhold.domain.catalogue import CutPoint, Dictionary, TableSnapshot, Version, VersionOrder, VersionResult
from copyhold.domain.errors import InvalidInputError
from copyhold.engines.marks import power
from copyhold.engines.marks.draft import draw_plan, extend_plan
from copyhold.engines.marks.keys import NONCE_BYTES, commitment
from copyhold.engines.marks.plan import MarkPlan
from copyhold.engines.tables import cohorts
from copyhold.engines.tables.dictionary import from_csv
from copyhold.engines.tables.snapshots import Snapshot, write_snapshot
from copyhold.jobs.catalogue.commitments import committed_tables, grown, keep_leaves
from copyhold.jobs.catalogue.indexes import index
from copyhold.jobs.catalogue.plans import Occasions, blocks, plan_keys, plan_of
from copyhold.jobs.catalogue.power import rows_needed
from copyhold.jobs.custody import spool
from copyhold.ports import Home, Outside, Step


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
        keep_leaves(home, folder, version)
    index(home, version, step)
    return version


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
    keys = plan_keys(outside, order.custody, order.dataset)
    nonce = bytes.fromhex(order.previous.plan_nonce) if order.previous else outside.chance(NONCE_BYTES)
    tables = committed_tables(plan, keys, dictionary, {one.table: one.path for one in snapshot.tables})
    root = grown(tables, folder, step).root
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


def _power(
    order: VersionOrder, dictionary: Dictionary, snapshot: Snapshot, plan: MarkPlan, key: bytes, step: Step
) -> Mapping[power.Attack, power.Rows]:
    step("power", 0.0)
    paths = [(plan.number(one.table), one.path, one.rows) for one in snapshot.tables]
    needed = rows_needed(plan, key, dictionary, paths, order.policy)
    step("power", 1.0)
    return needed


def _as_planned(dictionary: Dictionary, plan: MarkPlan) -> Dictionary:
    """Say in the dictionary which fields are marked in truth: what the plan refused is not."""
    return Dictionary(
        tuple(replace(one, mark=plan.column(plan.number(one.table), one.name) is not None) for one in dictionary.fields)
    )
