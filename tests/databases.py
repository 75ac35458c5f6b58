"""Empty custody databases for tests: migrated once per process, then copied or emptied."""

import atexit
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
    settings = Settings(directory=directory, dsn=_postgresql_database())
    configure(settings)
    _empty()
    return settings


@cache
def _postgresql_database() -> str:
    """One database per process, dropped when it ends: to empty it is ten times faster than to make another."""
    name = f"copyhold_{uuid4().hex}"
    _on_server(f'CREATE DATABASE "{name}"')
    atexit.register(_drop, name)
    dsn = _dsn(name)
    configure(Settings(dsn=dsn))
    migrate()
    return dsn


def _empty() -> None:
    """Put every table back to what the migrations left; as a replica, triggers on the log let that happen."""
    from django.apps import apps
    from django.db import connection

    tables = ", ".join(f'"{model._meta.db_table}"' for model in apps.get_app_config("records").get_models())
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute(f"TRUNCATE {tables} RESTART IDENTITY")
        cursor.execute("SET session_replication_role = DEFAULT")
        cursor.execute("INSERT INTO audit_head (id, next_seq) VALUES (1, 0)")


def _drop(name: str) -> None:
    close()
    _on_server(f'DROP DATABASE "{name}" WITH (FORCE)')


def _on_server(statement: str) -> None:
    import psycopg

    with psycopg.connect(os.environ["COPYHOLD_TEST_POSTGRES"], autocommit=True) as server:
        server.execute(statement)  # type: ignore[call-overload] # names are made here, of hexadecimal digits


def _dsn(name: str) -> str:
    from psycopg.conninfo import make_conninfo

    return make_conninfo(os.environ["COPYHOLD_TEST_POSTGRES"], dbname=name)
