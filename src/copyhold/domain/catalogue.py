"""Datasets, their versions, fields and dictionary."""

from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum

from copyhold.domain.custody import CustodyId, Policy
from copyhold.domain.parties import PersonId
from copyhold.domain.purposes import Term
from copyhold.domain.words import Id, Plain


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


class DatasetId(Id):
    """An id of a dataset."""

    prefix = "dat"
    __slots__ = ()


class VersionId(Id):
    """An id of a version of a dataset."""

    prefix = "ver"
    __slots__ = ()


class WithdrawalId(Id):
    """An id of a withdrawal of participants."""

    prefix = "wdr"
    __slots__ = ()


class Control(StrEnum):
    """What a sensitivity tier asks of every release."""

    POWER_OR_WAIVER = "power_or_waiver"  # traceable enough by the policy, or a recorded waiver
    FIELDS_NAMED = "fields_named"  # the project names the fields it needs
    COHORT_NAMED = "cohort_named"  # the project names the people it needs
    SEALED_ONLY = "sealed_only"  # no plain copies


class Tier(StrEnum):
    """How sensitive a dataset is: a named set of controls (see rules.catalogue.TIERS)."""

    LOW = "low"
    MODERATE = "moderate"
    HIGH = "high"
    HIGHEST = "highest"


@dataclass(frozen=True)
class Dataset:
    """A name under which versions follow each other."""

    id: DatasetId
    name: str
    added_at: datetime


@dataclass(frozen=True)
class TableSnapshot:
    """One table of a version: its Parquet bytes in storage, and the number that addresses it in marks and plan."""

    table: str
    number: int
    sha256: str
    rows: int


@dataclass(frozen=True)
class VersionOrder:
    """What a job needs to make the next version; it reads no records.

    `previous` is the version before: its plan goes on numbering tables and fields, its snapshot gives rows their
    lasting numbers by natural key. `cohorts` are the conditions of the dataset's projects: their cut points count.
    Keys are derived by the job, with `custody` and `dataset` among the parts. `policy` says among how many parties a
    holder is to be named.
    """

    custody: CustodyId
    dataset: DatasetId
    name: str
    number: int
    dictionary: Dictionary
    accepted_guesses: tuple[str, ...]
    previous: "Version | None"
    cohorts: tuple[str, ...]
    policy: Policy = field(default_factory=Policy)


@dataclass(frozen=True)
class VersionResult:
    """What the job made: bytes are in storage under their SHA-256, hashes are hexadecimal.

    `plan_sha256` names the stored mark plan, `plan_hash` is what the log commits to, `plan_commitment` is
    H(plan key | nonce), `master_root` the root of the commitments of every cell. `dictionary` is the order's, with
    what the plan refused to mark taken out of the marked fields. `power` says how many leaked rows would name a holder.
    """

    tables: tuple[TableSnapshot, ...]
    id_column: str | None
    key_columns: tuple[str, ...]
    participants: int
    dictionary: Dictionary
    plan_sha256: str
    plan_hash: str
    plan_commitment: str
    plan_nonce: str
    master_root: str
    sources: tuple[str, ...] = ()
    power: dict[str, Plain] = field(default_factory=dict)


@dataclass(frozen=True)
class Version:
    """An immutable snapshot of a dataset with its dictionary, mark plan, commitments and terms of use."""

    id: VersionId
    dataset: DatasetId
    number: int
    tables: tuple[TableSnapshot, ...]
    id_column: str | None
    key_columns: tuple[str, ...]
    participants: int
    dictionary: Dictionary
    classification: str
    plan_sha256: str
    plan_hash: str
    plan_commitment: str
    plan_nonce: str
    master_root: str
    sources: tuple[str, ...]
    power: dict[str, Plain]
    terms: tuple[Term, ...]
    added_by: PersonId
    added_at: datetime
    tier: Tier | None = None
    confirmed_by: PersonId | None = None
    confirmed_at: datetime | None = None

    @property
    def rows(self) -> int:
        """Rows over all its tables."""
        return sum(table.rows for table in self.tables)


@dataclass(frozen=True)
class Withdrawal:
    """Participants who withdrew: how many, and by when every copy must be rid of them; not who they are.

    `count` are those asked for, `new` those not withdrawn before; `copies` the issued copies that may hold them.
    """

    id: WithdrawalId
    dataset: DatasetId
    count: int
    new: int
    copies: int
    due_on: date
    recorded_by: PersonId
    recorded_at: datetime
