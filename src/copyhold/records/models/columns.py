"""Columns that many nouns have, said once."""

from typing import Any

from django.db import models

ID_LENGTH = 40
LINE = 200


def identity() -> Any:
    """The id of a row: prefixed text that begins with its time."""
    return models.CharField(primary_key=True, max_length=ID_LENGTH)


def reference(model: str, **options: Any) -> Any:
    """A reference that must hold; nothing here is ever deleted under a reference."""
    return models.ForeignKey(f"records.{model}", on_delete=models.PROTECT, related_name="+", **options)


def line(most: int = LINE, **options: Any) -> Any:
    """One line of text."""
    return models.CharField(max_length=most, **options)


def digest(**options: Any) -> Any:
    """A SHA-256 in hexadecimal."""
    return models.CharField(max_length=64, **options)
