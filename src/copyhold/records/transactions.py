"""Durable transactions for acts, snapshots for readings, and database errors in our own words."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.apps import apps
from django.db import DatabaseError, OperationalError, connection, models, transaction
from django.db.utils import IntegrityError as ConstraintError

from copyhold.domain.errors import ConflictError, IntegrityError, UnavailableError


@contextmanager
def durable() -> Iterator[None]:
    """Run an act: one outermost transaction, on disk when it ends. Inside another one it raises RuntimeError."""
    with in_our_words(), transaction.atomic(durable=True):
        yield


@contextmanager
def snapshot() -> Iterator[None]:
    """Run a reading: every query sees the same moment, none can write, no writer waits for it."""
    with in_our_words(), _read_only(), transaction.atomic(durable=True):
        if connection.vendor == "postgresql":
            connection.cursor().execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        yield


@contextmanager
def _read_only() -> Iterator[None]:
    if connection.vendor != "sqlite":
        yield
        return
    connection.ensure_connection()
    mine: Any = connection
    mine.transaction_mode = "DEFERRED"
    connection.cursor().execute("PRAGMA query_only=ON")
    try:
        yield
    finally:
        mine.transaction_mode = "IMMEDIATE"
        connection.cursor().execute("PRAGMA query_only=OFF")


@contextmanager
def in_our_words() -> Iterator[None]:
    """Tell database errors by the constraint's name, without the driver's text: PostgreSQL quotes the value in it."""
    try:
        yield
    except ConstraintError as error:
        raise _conflict(error) from None
    except OperationalError:
        raise UnavailableError("The custody's database does not answer; see that it runs, then try again.") from None
    except DatabaseError as error:
        kind = type(error.__cause__ or error).__name__
        raise IntegrityError(f"The custody's database refused a statement ({kind}).", code="DATABASE") from None


def _conflict(error: ConstraintError) -> ConflictError | IntegrityError:
    name = _constraint_name(error)
    for model in apps.get_app_config("records").get_models():
        for constraint in model._meta.constraints:
            if constraint.name == name or (
                isinstance(constraint, models.UniqueConstraint) and name == _columns(model, constraint)
            ):
                return ConflictError(str(constraint.violation_error_message), code=constraint.name.upper())
    return IntegrityError("The custody's rows would contradict each other; nothing was changed.", code="CONSTRAINT")


def _constraint_name(error: ConstraintError) -> str:
    """The constraint's name on PostgreSQL; on SQLite its name, or the columns of a unique one."""
    diagnosis = getattr(error.__cause__, "diag", None)
    if diagnosis is not None:
        return diagnosis.constraint_name or ""
    found = re.search(r"constraint failed: (?:index ')?([^']*)", str(error))
    return found.group(1) if found else ""


def _columns(model: type[models.Model], constraint: models.UniqueConstraint) -> str:
    columns = {field.name: field.column for field in model._meta.concrete_fields}
    return ", ".join(f"{model._meta.db_table}.{columns[name]}" for name in constraint.fields)
