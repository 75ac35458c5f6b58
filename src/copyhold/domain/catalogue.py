"""Datasets, their versions, fields and dictionary."""

from dataclasses import dataclass
from enum import StrEnum


class FieldType(StrEnum):
    """How the values of a field are written and compared."""

    INTEGER = "integer"  # whole numbers
    DECIMAL = "decimal"  # numbers with a fixed number of decimals
    REAL = "real"  # numbers with binary noise and no decimal grid: their grid is their sorted support
    CATEGORY = "category"  # codes and labels, yes/no, ordinal answers, scores
    TEXT = "text"  # free text
    DATE = "date"
    DATETIME = "datetime"


class Role(StrEnum):
    """What a field says about a person."""

    ID = "id"  # the participant id: replaced in every copy
    DIRECT = "direct"  # a direct identifier: never indexed in clear, never released
    QUASI = "quasi"
    SENSITIVE = "sensitive"
    FREE = "free"


@dataclass(frozen=True)
class Tolerance:
    """How far a mark may move a value: `amount` in the field's unit, or a share of the value where `relative`."""

    amount: float
    relative: bool = False


@dataclass(frozen=True)
class CutPoint:
    """A threshold that science uses; no mark may carry a value over it.

    `upper_closed` False means "value >= at" is one side; True means "value > at" is one side.
    """

    at: float
    upper_closed: bool = False


@dataclass(frozen=True)
class Field:
    """One line of a dictionary: a column of a table, what it means and what may be done to it.

    `name` is the canonical name, `column` the spelling in the custodian's own files. `grid` is the last-place unit's
    multiple on which values lie (2 for even readings), None where it differs by stratum or is not known. `stratum`
    names the field whose values split this one's support (device, cycle, site). `missing_codes` are written values
    that mean "no answer" or a detection limit: they are never marked and never converted. `ties` are arithmetic
    relations in which the field is the derived member, as text (see engines.tables.ties), such as
    "= LBXTC - LBDHDD - 0.2*LBXTR" or "<= LBXTC". `guess` is True while nobody has accepted what `dataset suggest`
    proposed.
    """

    table: str
    name: str
    column: str
    type: FieldType
    role: Role
    title: str = ""
    unit: str = ""
    decimals: int | None = None
    grid: float | None = None
    stratum: str | None = None
    tolerance: Tolerance | None = None
    low: float | None = None
    high: float | None = None
    missing_codes: tuple[str, ...] = ()
    cut_points: tuple[CutPoint, ...] = ()
    ties: tuple[str, ...] = ()
    mark: bool = False
    public_values: bool = False
    guess: bool = False


@dataclass(frozen=True)
class Dictionary:
    """The fields of a dataset, in file order, over all its tables."""

    fields: tuple[Field, ...]

    def of(self, table: str) -> tuple[Field, ...]:
        """The fields of one table, in order."""
        return tuple(field for field in self.fields if field.table == table)

    @property
    def tables(self) -> tuple[str, ...]:
        """Table names in order of first appearance."""
        return tuple(dict.fromkeys(field.table for field in self.fields))

    @property
    def guesses(self) -> tuple[Field, ...]:
        """Fields that nobody has accepted yet."""
        return tuple(field for field in self.fields if field.guess)
