"""The content index of each table of a version, built once and brought to its place whole."""

from pathlib import Path

from copyhold.domain.catalogue import Dictionary, TableSnapshot, Version
from copyhold.domain.errors import UnavailableError
from copyhold.engines.matching.index import TableIndex, build_index
from copyhold.jobs.custody import spool
from copyhold.ports import Home, Step


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
