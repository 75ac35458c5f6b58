"""Open and found custodies: the one place that chooses adapters, and reads the clock and the generator."""

import getpass
import os
from datetime import UTC, datetime
from pathlib import Path

from copyhold.adapters.keys_file import FileKeys
from copyhold.adapters.storage_files import FileStorage
from copyhold.config import database
from copyhold.config.settings import DATABASE_FILE, SETTINGS_FILE, Settings
from copyhold.domain.accounts import Actor, Door
from copyhold.domain.errors import ConflictError, NotFoundError
from copyhold.jobs import custody
from copyhold.ports import Home, Outside

CUSTODY_VARIABLE = "COPYHOLD_CUSTODY"


def nearest(start: Path) -> Path:
    """Find the custody meant where none is named: the variable's, else the nearest folder above that holds one."""
    named = os.environ.get(CUSTODY_VARIABLE)
    if named:
        return Path(named)
    for folder in (start, *start.parents):
        if (folder / SETTINGS_FILE).exists():
            return folder
    raise NotFoundError(
        "There is no custody here: name one with --custody DIR or COPYHOLD_CUSTODY, or make one with `copyhold init`."
    )


def prepare() -> None:
    """Set the process up on no custody yet."""
    database.configure(Settings())


def open_home(named: Path | None, door: Door) -> Home:
    """Open a custody and set the process up on its database; what processes that died left half-done goes."""
    directory = (named or nearest(Path.cwd())).resolve()
    if not (directory / SETTINGS_FILE).exists():
        raise NotFoundError(f"{directory} holds no custody; make one with `copyhold init DIR`.")
    database.configure(Settings.read(directory))
    return _home(directory, door, FileKeys(directory / "keys"))


def found_home(directory: Path, door: Door) -> Home:
    """Make the folder, keys and empty records of a new custody; ConflictError where the folder holds anything."""
    directory = directory.resolve()
    if directory.exists() and any(directory.iterdir()):
        raise ConflictError(f"{directory} is not empty; name a new folder for the custody.")
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    keys = FileKeys.create(directory / "keys", os.urandom)
    (directory / SETTINGS_FILE).write_text(_SETTINGS, encoding="utf-8")
    database.configure(Settings.read(directory))
    database.migrate()
    return _home(directory, door, keys)


def _home(directory: Path, door: Door, keys: FileKeys) -> Home:
    storage = FileStorage(directory / "objects")
    storage.sweep()
    custody.sweep(directory)
    outside = Outside(keys, storage, os.urandom)
    return Home(directory, Actor(None, door, getpass.getuser()), lambda: datetime.now(UTC), outside)


_SETTINGS = f"""# A Copyhold custody. Its rows are in {DATABASE_FILE} here, unless a PostgreSQL database is named:
# [database]
# dsn = "postgresql://user@host/name"
"""
