"""Rows become domain values here, for all nouns: by the field names of the value, in one query, without instances."""

import types
from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields, is_dataclass
from datetime import date, datetime
from enum import Enum
from functools import cache
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from django.db.models import Model, QuerySet

from copyhold.domain.errors import NotFoundError
from copyhold.domain.paging import Page, Window
from copyhold.domain.words import Id

T = TypeVar("T")


def each(kind: type[T], rows: QuerySet[Any]) -> tuple[T, ...]:
    """Read rows as values: each field of the value is a column or annotation of the same name."""
    untyped: Any = kind
    made: Callable[[Iterable[Any]], T] = _maker(untyped)
    names = [field.name for field in fields(untyped)]
    return tuple(made(row) for row in rows.values_list(*names))


def one(kind: type[T], rows: QuerySet[Any]) -> T:
    """Read the one row there must be, else NotFoundError."""
    found = first(kind, rows)
    if found is None:
        raise NotFoundError(f"There is no such {_told(rows.model)}; look at the list for those there are.")
    return found


def first(kind: type[T], rows: QuerySet[Any]) -> T | None:
    """Read the first row, or None."""
    return next(iter(each(kind, rows[:1])), None)


def page(kind: type[T], rows: QuerySet[Any], window: Window) -> Page[T]:
    """Read one page of rows, newest first by id."""
    older = rows if window.before is None else rows.filter(pk__lt=window.before)
    found = each(kind, older.order_by("-pk")[: window.size + 1])
    items = found[: window.size]
    last: Any = items[-1] if items else None
    return Page(items, last.id if len(found) > window.size else None)


def of_plain(kind: Any, told: Any) -> Any:
    """Make a domain value again from what `domain.words.plain` told of it."""
    return _converter(kind)(told)


def _told(model: type[Model]) -> str:
    return str(model._meta.verbose_name)


@cache
def _maker(kind: Any) -> Callable[[Iterable[Any]], Any]:
    hints = get_type_hints(kind)
    converters = [_converter(hints[field.name]) for field in fields(kind)]

    def make(row: Iterable[Any]) -> Any:
        return kind(*(convert(value) for convert, value in zip(converters, row, strict=True)))

    return make


@cache
def _converter(hint: Any) -> Callable[[Any], Any]:
    """Say how a stored value becomes what the hint promises."""
    origin = get_origin(hint)
    if origin in (Union, types.UnionType):
        return _optional(hint)
    if origin is tuple:
        return _tuple(get_args(hint))
    if origin is dict:
        inner = _converter(get_args(hint)[1])
        return lambda value: {key: inner(one) for key, one in value.items()}
    if isinstance(hint, type):
        return _of_type(hint)
    return lambda value: value


def _of_type(hint: type) -> Callable[[Any], Any]:
    if is_dataclass(hint):
        return _dataclass(hint)
    if issubclass(hint, Enum | Id):
        return hint
    if issubclass(hint, bytes):
        return lambda value: bytes.fromhex(value) if isinstance(value, str) else bytes(value)
    if issubclass(hint, datetime | date):
        return lambda value: hint.fromisoformat(value) if isinstance(value, str) else value
    if issubclass(hint, float):
        return float
    return lambda value: value


def _optional(hint: Any) -> Callable[[Any], Any]:
    kinds = [kind for kind in get_args(hint) if kind is not type(None)]
    inner = _converter(kinds[0]) if len(kinds) == 1 else lambda value: value
    return lambda value: None if value is None else inner(value)


def _tuple(kinds: tuple[Any, ...]) -> Callable[[Any], Any]:
    if kinds[-1] is Ellipsis:
        inner = _converter(kinds[0])
        return lambda value: tuple(inner(one) for one in value)
    inners = [_converter(kind) for kind in kinds]
    return lambda value: tuple(inner(one) for inner, one in zip(inners, value, strict=True))


def _dataclass(kind: type) -> Callable[[Any], Any]:
    def make(told: Any) -> Any:
        if not isinstance(told, Mapping):
            return told
        hints = get_type_hints(kind)
        return kind(**{name: _converter(hints[name])(value) for name, value in told.items()})

    return make
