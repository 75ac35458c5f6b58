"""Empty custody databases for tests: migrated once per process, then copied."""

import os
import shutil
import tempfile
from functools import cache
from pathlib import Path
from uuid import uuid4

from copyhold.config.database import close, configure, migrate
from copyhold.config.settings import DATABASE_FILE, Settings

KINDS = ("sqlite", "postgresql")


def fresh(kind: str, directory: Path) -> Settings:
    """Turn the process to an empty database of a kind."""
    settings = _sqlite(directory) if kind == "sqlite" else _postgresql(directory)
    configure(settings)
    return settings


def drop(settings: Settings) -> None:
    """Let go of a database; one on a server goes altogether."""
    close()
    if settings.dsn is not None:
        _on_server(f'DROP DATABASE "{_name(settings.dsn)}" WITH (FORCE)')


def _sqlite(directory: Path) -> Settings:
    shutil.copyfile(_sqlite_template(), directory / DATABASE_FILE)
    return Settings(directory=directory)


@cache
def _sqlite_template() -> Path:
    settings = Settings(directory=Path(tempfile.mkdtemp(prefix="copyhold-template-")))
    configure(settings)
    migrate()
    close()
    return Path(settings.database_file)


def _postgresql(directory: Path) -> Settings:
    name = f"copyhold_{uuid4().hex}"
    _on_server(f'CREATE DATABASE "{name}" TEMPLATE "{_postgresql_template()}"')
    return Settings(directory=directory, dsn=_dsn(name))


@cache
def _postgresql_template() -> str:
    name = f"copyhold_template_{uuid4().hex}"
    _on_server(f'CREATE DATABASE "{name}"')
    configure(Settings(dsn=_dsn(name)))
    migrate()
    close()
    return name


def _on_server(statement: str) -> None:
    import psycopg

    with psycopg.connect(os.environ["COPYHOLD_TEST_POSTGRES"], autocommit=True) as server:
        server.execute(statement)  # type: ignore[call-overload] # names are made here, of hexadecimal digits


def _dsn(name: str) -> str:
    from psycopg.conninfo import make_conninfo

    return make_conninfo(os.environ["COPYHOLD_TEST_POSTGRES"], dbname=name)


def _name(dsn: str) -> str:
    from psycopg.conninfo import conninfo_to_dict

    return str(conninfo_to_dict(dsn)["dbname"])
