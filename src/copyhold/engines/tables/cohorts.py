"""Cohort expressions: a SQL condition over a dataset's fields that says whom a project may have.

A condition is parsed, held to a short list of what a condition may be, and written out again from its parts before any
database engine sees it: the text that a person typed is never run. It is evaluated on master values, before any mark.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import duckdb
import numpy as np
import pyarrow as pa
import sqlglot
from numpy.typing import NDArray
from sqlglot import expressions as sql

from copyhold.domain.catalogue import CutPoint, Dictionary
from copyhold.domain.errors import InvalidInputError

LONGEST = 4_000  # characters of a condition; a longer one is a list of ids in disguise
ALLOWED: tuple[type[sql.Expression], ...] = (
    sql.And, sql.Or, sql.Not, sql.Paren,
    sql.EQ, sql.NEQ, sql.GT, sql.GTE, sql.LT, sql.LTE, sql.Between, sql.In, sql.Is, sql.Null, sql.Boolean,
    sql.Add, sql.Sub, sql.Mul, sql.Div, sql.Neg, sql.Abs, sql.Literal, sql.Column, sql.Identifier,
)  # fmt: skip
TURNED: dict[type[sql.Expr], type[sql.Expr]] = {sql.GT: sql.LT, sql.GTE: sql.LTE, sql.LT: sql.GT, sql.LTE: sql.GTE}


@dataclass(frozen=True)
class Cohort:
    """A condition that may be evaluated: its one table, the fields it asks about, and the cut points it makes.

    `text` is the condition written out from its parts; `cut_points` are thresholds on single fields, which no mark may
    cross.
    """

    table: str
    text: str
    fields: tuple[str, ...]
    cut_points: Mapping[str, tuple[CutPoint, ...]]


def parse(condition: str, dictionary: Dictionary) -> Cohort:
    """Read a condition over the fields of one table of a dictionary.

    Raises InvalidInputError where it is no condition, names an unknown field or fields of several tables, or uses
    anything beyond comparisons, BETWEEN, IN, IS NULL, AND, OR, NOT and arithmetic.
    """
    tree = _tree(condition)
    for node in tree.walk():
        if not isinstance(node, ALLOWED):
            raise InvalidInputError(
                f"A cohort condition cannot use {type(node).__name__.upper()}: it may compare fields with numbers and "
                "texts, with BETWEEN, IN, IS NULL, AND, OR, NOT and arithmetic."
            )
    names = tuple(dict.fromkeys(column.name for column in tree.find_all(sql.Column)))
    table = _table(names, dictionary)
    for column in tree.find_all(sql.Column):
        column.replace(sql.column(column.name, quoted=True))
    return Cohort(table, tree.sql(dialect="duckdb"), names, _cut_points(tree))


def participants(cohort: Cohort, batches: Iterable[pa.RecordBatch]) -> NDArray[np.uint64]:
    """Find the participants of whom some row meets the condition, sorted.

    `batches` carry the cohort's fields and `__participant` (uint64). A row where the condition is unknown (a missing
    value) does not meet it, as in SQL.
    """
    connection = duckdb.connect(
        ":memory:",
        config={
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
            "enable_external_access": False,
            "threads": 1,
        },
    )
    found = [np.zeros(0, dtype=np.uint64)]
    try:
        for batch in batches:
            connection.register("rows", pa.Table.from_batches([batch]))
            chosen = connection.execute(f'SELECT "__participant" AS n FROM rows WHERE {cohort.text}').fetchnumpy()  # noqa: S608 - written from checked parts
            found.append(np.asarray(chosen["n"], dtype=np.uint64))
    except duckdb.Error:
        raise InvalidInputError(
            "The cohort condition compares a field with something of another kind: numbers with numbers, texts with "
            "texts in single quotes, dates as DATE-like texts."
        ) from None
    finally:
        connection.close()
    return np.unique(np.concatenate(found))


def _tree(condition: str) -> sql.Expression:
    if not condition.strip() or len(condition) > LONGEST:
        raise InvalidInputError(f"A cohort condition has between 1 and {LONGEST} characters.")
    try:
        statement = f"SELECT 1 FROM t WHERE ({condition}\n)"  # noqa: S608 - parsed here, never run
        parsed = [each for each in sqlglot.parse(statement, dialect="duckdb") if each]
    except sqlglot.errors.SqlglotError:
        raise InvalidInputError(
            "The cohort condition cannot be read: write it as in SQL after WHERE, such as \"age >= 40 AND sex = 'F'\"."
        ) from None
    where = parsed[0].args.get("where") if len(parsed) == 1 and isinstance(parsed[0], sql.Select) else None
    whole = where is not None and {name for name, part in parsed[0].args.items() if part} <= {
        "expressions",
        "from_",
        "from",
        "where",
        "kind",
    }
    if where is None or not whole:
        raise InvalidInputError("A cohort condition is one condition and nothing after it.")
    tree: sql.Expression = where.this
    return tree


def _table(names: tuple[str, ...], dictionary: Dictionary) -> str:
    tables = {field.name: field.table for field in dictionary.fields}
    unknown = sorted(name for name in names if name not in tables)
    if unknown:
        raise InvalidInputError(f"The cohort condition names {', '.join(unknown)}, which the dataset does not have.")
    used = {tables[name] for name in names}
    if len(used) != 1:
        raise InvalidInputError("A cohort condition asks about fields of exactly one table.")
    return used.pop()


def _cut_points(tree: sql.Expression) -> dict[str, tuple[CutPoint, ...]]:
    found: dict[str, list[CutPoint]] = {}
    for node in tree.walk():
        for field, at, upper_closed in _thresholds(node):
            found.setdefault(field, []).append(CutPoint(at, upper_closed))
    return {field: tuple(dict.fromkeys(points)) for field, points in found.items()}


def _thresholds(node: sql.Expr) -> list[tuple[str, float, bool]]:
    """Where a comparison of a field with a number divides its values; `>` and `<=` put the number below the line."""
    kind: type[sql.Expr] = type(node)
    if isinstance(node, (sql.GT, sql.GTE, sql.LT, sql.LTE)):
        left, right = node.this, node.expression
        if isinstance(right, sql.Column):
            left, right, kind = right, left, TURNED[kind]
        number = _number(right)
        if isinstance(left, sql.Column) and number is not None:
            return [(left.name, number, kind in (sql.GT, sql.LTE))]
    if isinstance(node, sql.Between) and isinstance(node.this, sql.Column):
        low, high = _number(node.args["low"]), _number(node.args["high"])
        return [(node.this.name, at, closed) for at, closed in ((low, False), (high, True)) if at is not None]
    if isinstance(node, (sql.EQ, sql.NEQ)) and isinstance(node.this, sql.Column):
        number = _number(node.expression)
        return [] if number is None else [(node.this.name, number, False), (node.this.name, number, True)]
    if isinstance(node, sql.In) and isinstance(node.this, sql.Column):
        numbers = [number for each in node.expressions if (number := _number(each)) is not None]
        return [(node.this.name, number, closed) for number in numbers for closed in (False, True)]
    return []


def _number(node: sql.Expression) -> float | None:
    if isinstance(node, sql.Neg):
        inner = _number(node.this)
        return None if inner is None else -inner
    return float(node.this) if isinstance(node, sql.Literal) and not node.is_string else None
