"""Fields for the tests of tables: every argument optional."""

from typing import Any

from copyhold.domain.catalogue import Field, FieldType, Role


def field(name: str = "X", **changes: Any) -> Field:
    """Make a field; the file's spelling is its name unless given."""
    given: dict[str, Any] = {"table": "t", "name": name, "column": name, "type": FieldType.TEXT, "role": Role.FREE}
    return Field(**(given | changes))


def number(name: str = "X", **changes: Any) -> Field:
    """Make a decimal field with one decimal."""
    return field(name, **({"type": FieldType.DECIMAL, "decimals": 1} | changes))
