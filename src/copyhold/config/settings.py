"""What a custody is set to: one frozen value, read from its folder, set once per process."""

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from copyhold.domain.errors import InvalidInputError

DATABASE_FILE = "custody.sqlite3"
SETTINGS_FILE = "custody.toml"


@dataclass(frozen=True)
class Settings:
    """Where a custody lives.

    `directory` is its folder (None only for a custody in tests that lives on a server alone). `dsn` names a PostgreSQL
    database as libpq writes it; without one the custody's rows are an SQLite file in its folder. `secret_key` signs
    sessions; only doors with sessions need one.
    """

    directory: Path | None = None
    dsn: str | None = None
    secret_key: str = ""

    @classmethod
    def read(cls, directory: Path) -> Self:
        """Read the settings of a custody's folder; a folder without a settings file has the defaults."""
        file = directory / SETTINGS_FILE
        if not file.exists():
            return cls(directory=directory)
        try:
            told = tomllib.loads(file.read_text("utf-8"))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise InvalidInputError(f"{SETTINGS_FILE} cannot be read as TOML; mend it and try again.") from error
        unknown = set(told) - {"database"} | {f"database.{key}" for key in set(told.get("database", {})) - {"dsn"}}
        if unknown:
            raise InvalidInputError(f"{SETTINGS_FILE} has a setting that is not known: {sorted(unknown)[0]}.")
        return cls(directory=directory, dsn=told.get("database", {}).get("dsn"))

    @property
    def database_file(self) -> str:
        """The path of the SQLite file; in memory where there is no folder and no server."""
        return ":memory:" if self.directory is None else str(self.directory / DATABASE_FILE)


_current = Settings()


def use(settings: Settings) -> None:
    """Make these the settings of the process."""
    global _current
    _current = settings


def current() -> Settings:
    """The settings of the process."""
    return _current
