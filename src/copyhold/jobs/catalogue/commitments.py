"""The tree over the rows of a version: made when the version is added, kept beside it, grown again where it is lost."""

from collections.abc import Mapping
from pathlib import Path

from copyhold.domain.catalogue import Dictionary, Field, Role, Version
from copyhold.domain.errors import IntegrityError
from copyhold.engines.marks.commitment import (
    HASH_BYTES,
    CommittedTable,
    CommittedVersion,
    RowTree,
    TableCommitment,
    leaves,
)
from copyhold.engines.marks.keys import PlanKeys
from copyhold.engines.marks.plan import MarkPlan
from copyhold.engines.tables.snapshots import row_count
from copyhold.jobs.catalogue.plans import plan_keys, plan_of
from copyhold.jobs.custody import spool
from copyhold.ports import Home, Step

LEAVES = "leaves"  # 32 bytes a row, in order: hashes of salted commitments, from which any row's path is read


def committed(home: Home, custody: str, version: Version, step: Step) -> CommittedVersion:
    """Give what opening cells of a version takes: its tables, and the tree whose root the log holds.

    The leaves were kept when the version was added; where they are lost they are computed again.
    Raises: IntegrityError where the version is no longer the one that was committed to.
    """
    keys = plan_keys(home.outside, custody, version.dataset)
    paths = {one.table: home.outside.storage.path(one.sha256) for one in version.tables}
    tables = committed_tables(plan_of(home.outside, version), keys, version.dictionary, paths)
    tree = _kept_tree(home, version)
    if tree is None or tree.root.hex() != version.master_root:
        tree = _grown_again(home, version, tables, step)
    return CommittedVersion(tables, tree)


def committed_tables(
    plan: MarkPlan, keys: PlanKeys, dictionary: Dictionary, paths: Mapping[str, Path]
) -> tuple[CommittedTable, ...]:
    """Say how each table of a version is committed to: every field but direct identifiers, which no snapshot holds."""
    return tuple(
        CommittedTable(TableCommitment(plan, keys, table, _kept(dictionary, table)), path, row_count(path))
        for table, path in paths.items()
    )


def grown(tables: tuple[CommittedTable, ...], folder: Path, step: Step) -> RowTree:
    """Compute the leaves of a version into a folder, and give the tree over them."""
    made = leaves(tables, lambda share: step("commitments", share))
    (folder / LEAVES).write_bytes(made)
    return RowTree(made)


def keep_leaves(home: Home, folder: Path, version: Version) -> None:
    """Put the leaves of a version with what else is derived from it; they are moved there whole, or not at all."""
    place = _leaves_of(home, version)
    place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    (folder / LEAVES).replace(place)


def _kept_tree(home: Home, version: Version) -> RowTree | None:
    kept = _leaves_of(home, version)
    whole = kept.exists() and kept.stat().st_size == version.rows * HASH_BYTES
    return RowTree(kept.read_bytes()) if whole else None


def _grown_again(home: Home, version: Version, tables: tuple[CommittedTable, ...], step: Step) -> RowTree:
    with spool(home) as folder:
        tree = grown(tables, folder, step)
        if tree.root.hex() != version.master_root:
            raise IntegrityError("A version is no longer the one that was committed to; restore it from a backup.")
        keep_leaves(home, folder, version)
    return tree


def _leaves_of(home: Home, version: Version) -> Path:
    return home.indexes / f"{version.master_root}.{LEAVES}"


def _kept(dictionary: Dictionary, table: str) -> tuple[Field, ...]:
    return tuple(one for one in dictionary.of(table) if one.role is not Role.DIRECT)
