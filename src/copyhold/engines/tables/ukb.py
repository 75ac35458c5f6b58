"""The spellings of UK Biobank column names, and one canonical name for each column.

A column is a field, an instance (visit) and an array place. It is spelled, by where the file comes from:

* `21001-0.0` in the main dataset as CSV, `X21001.0.0` after R has read that, `f.21001.0.0` in the R export,
  `n_21001_0_0` (or `s_`, `ts_` and other prefixes by type) in the Stata export;
* `p21001_i0`, `p41270_a3`, `p20002_i0_a3` or `p31` on the Research Analysis Platform, which leaves out the part that
  a field does not have; `participant.p21001_i0` with its table.

The canonical name is `p21001_i0` with `_a3` for an array place above 0: legal in every format that is written here.
What a platform leaves out is 0 elsewhere, so `p31` and `31-0.0` are one column.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from copyhold.domain.errors import InvalidInputError

EID = "eid"

_PATTERNS = tuple(
    re.compile(pattern)
    for pattern in (
        r"(?P<field>[0-9]+)-(?P<instance>[0-9]+)\.(?P<array>[0-9]+)",
        r"[Xx](?P<field>[0-9]+)\.(?P<instance>[0-9]+)\.(?P<array>[0-9]+)",
        r"f\.(?P<field>[0-9]+)\.(?P<instance>[0-9]+)\.(?P<array>[0-9]+)",
        r"(?:n|s|ts|d|x|f)_(?P<field>[0-9]+)_(?P<instance>[0-9]+)_(?P<array>[0-9]+)",
        r"(?:participant\.)?p(?P<field>[0-9]+)(?:_i(?P<instance>[0-9]+))?(?:_a(?P<array>[0-9]+))?",
    )
)
_EIDS = frozenset(["eid", "f.eid", "n_eid", "participant.eid"])


class Spelling(StrEnum):
    """Where a column name is at home."""

    SHOWCASE = "21001-0.0"
    R = "f.21001.0.0"
    R_MENDED = "X21001.0.0"
    STATA = "n_21001_0_0"
    PLATFORM = "p21001_i0"
    PLATFORM_TABLE = "participant.p21001_i0"


@dataclass(frozen=True, order=True)
class FieldColumn:
    """One column: a field at an instance and an array place."""

    field: int
    instance: int = 0
    array: int = 0

    @property
    def canonical(self) -> str:
        """The one name that this column has here."""
        return f"p{self.field}_i{self.instance}" + (f"_a{self.array}" if self.array else "")


@dataclass(frozen=True)
class Shape:
    """Whether a field has instances and array places on the platform, which leaves out what a field does not have."""

    instanced: bool = True
    arrayed: bool = False


def parsed(name: str) -> FieldColumn | None:
    """Read any spelling; None where the name is none (the participant id is none: see `is_eid`)."""
    for pattern in _PATTERNS:
        found = pattern.fullmatch(name.strip())
        if found:
            parts = found.groupdict()
            return FieldColumn(int(parts["field"]), int(parts["instance"] or 0), int(parts["array"] or 0))
    return None


def is_eid(name: str) -> bool:
    """Whether a column is the participant id."""
    return name.strip().lower() in _EIDS


def canonical(name: str) -> str:
    """Return the canonical name of a column; a name that is no UK Biobank spelling stays as it is."""
    if is_eid(name):
        return EID
    found = parsed(name)
    return name if found is None else found.canonical


def canonical_names(names: Iterable[str]) -> dict[str, str]:
    """Map each column of a file to its canonical name, one to one.

    Raises:
        InvalidInputError: two columns of the file are one column, spelled twice.
    """
    mapped: dict[str, str] = {}
    taken: dict[str, str] = {}
    for name in names:
        found = canonical(name)
        if found in taken:
            raise InvalidInputError(
                f"The columns {taken[found]!r} and {name!r} are one field, spelled twice: drop one."
            )
        taken[found] = name
        mapped[name] = found
    return mapped


def spelled(column: FieldColumn, spelling: Spelling, shape: Shape | None = None) -> str:
    """Spell a column; `shape` matters on the platform alone, and without it the array place 0 is left out."""
    field, instance, array = column.field, column.instance, column.array
    match spelling:
        case Spelling.SHOWCASE:
            return f"{field}-{instance}.{array}"
        case Spelling.R:
            return f"f.{field}.{instance}.{array}"
        case Spelling.R_MENDED:
            return f"X{field}.{instance}.{array}"
        case Spelling.STATA:
            return f"n_{field}_{instance}_{array}"
        case Spelling.PLATFORM:
            return _platform_name(column, shape or Shape())
        case Spelling.PLATFORM_TABLE:
            return "participant." + _platform_name(column, shape or Shape())


def spelled_eid(spelling: Spelling) -> str:
    """Spell the name of the participant id."""
    return {Spelling.R: "f.eid", Spelling.STATA: "n_eid", Spelling.PLATFORM_TABLE: "participant.eid"}.get(spelling, EID)


def _platform_name(column: FieldColumn, shape: Shape) -> str:
    """Name a column as the platform does; a part that is not 0 is never left out."""
    instance = f"_i{column.instance}" if shape.instanced or column.instance else ""
    array = f"_a{column.array}" if shape.arrayed or column.array else ""
    return f"p{column.field}{instance}{array}"
