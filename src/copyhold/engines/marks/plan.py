"""The mark plan of a dataset: which cells are marked, between which two values, the same for all parties.

A plan is drawn once, from the first version, and only ever grows: `sha256` names it and stands in the log before the
first release. It holds supports and frequencies of the master, so it is as secret as the master.

The plan's uniform of a cell (tag P) is read as: the low 14 bits below `share` mark the cell; bit 14 is the direction
(1: the pair is {x, x+s}, 0: {x-s, x}); bit 15 the law of its bias (0: p = 1/2, 1: arcsine). The uniform of tag A
chooses among the 256 quantiles of the arcsine law by its high 8 bits.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from copyhold.domain.catalogue import FieldType
from copyhold.domain.errors import IntegrityError, NotFoundError
from copyhold.engines.marks.lookups import Lookup
from copyhold.engines.marks.prf import RANGE
from copyhold.engines.marks.supports import Kind, Limits, Residue, StepRule, Support
from copyhold.engines.tables.blocks import natural
from copyhold.engines.tables.ties import Tie, parse

FORMAT = 1
SHARES = 16384  # a share of cells is a whole number of 16384ths
DIRECTION = 1 << 14
ARCSINE = 1 << 15
QUANTILES = 256


@dataclass(frozen=True)
class Place:
    """A field's numbers in addresses, its table (from 1) and its column, and how its values are written.

    Neither number is ever used again, not even where the field is left out of later versions.
    """

    table: int
    field: str
    column: int
    type: FieldType
    decimals: int


@dataclass(frozen=True, eq=False)
class ColumnPlan:
    """One field whose cells are marked. `share` is in 16384ths, `limits` and supports in units."""

    table: int
    field: str
    column: int
    kind: Kind
    type: FieldType
    decimals: int
    share: int
    rule: StepRule
    limits: Limits
    stratum: str | None
    supports: tuple[Support, ...]

    def natural(self, values: NDArray[np.int64]) -> NDArray[np.float64]:
        """Give units as numbers in the field's own unit."""
        return natural(values, self.type, self.decimals)

    @cached_property
    def lookup(self) -> Lookup:
        """The pair rule as a table, built once."""
        return Lookup(self.kind, self.rule, self.limits, self.supports)


@dataclass(frozen=True)
class DerivedPlan:
    """One field that is computed again from marked parents, and which parents give way where it must not move.

    `text` is the tie as the dictionary has it; `places` the decimals to which values of a stratum are rounded.
    """

    table: int
    field: str
    text: str
    type: FieldType
    decimals: int
    stratum: str | None
    places: tuple[tuple[str, int], ...]
    limits: Limits
    gives_way: tuple[str, ...]

    @cached_property
    def tie(self) -> Tie:
        """The tie itself."""
        return parse(self.text, self.field, None if self.type is FieldType.REAL else self.decimals)


@dataclass(frozen=True)
class OrderPlan:
    """Two fields of a row whose order no mark may change, and which of their cells give way."""

    table: int
    lesser: str
    greater: str
    gives_way: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class MarkPlan:
    """All that decides the cells of a dataset, but for the plan's key and the master's values."""

    tables: tuple[str, ...]
    places: tuple[Place, ...]
    columns: tuple[ColumnPlan, ...]
    derived: tuple[DerivedPlan, ...] = ()
    orders: tuple[OrderPlan, ...] = ()
    refused: tuple[tuple[int, str, str], ...] = ()  # table, field, reason
    format: int = field(default=FORMAT)

    def number(self, table: str) -> int:
        """Give the number of a table."""
        if table not in self.tables:
            raise NotFoundError(f"The plan knows no table {table}.")
        return self.tables.index(table) + 1

    def of(self, table: int) -> tuple[ColumnPlan, ...]:
        """The marked columns of a table, by column number."""
        return tuple(column for column in self.columns if column.table == table)

    def column(self, table: int, name: str) -> ColumnPlan | None:
        """The plan of one field, None where its cells are not marked."""
        return self._columns.get((table, name))

    def place(self, table: int, name: str) -> Place:
        """Give the numbers of a field."""
        found = self._places.get((table, name))
        if found is None:
            raise NotFoundError(f"The plan knows no field {name} in table {table}.")
        return found

    def inputs(self, table: int, names: Sequence[str]) -> tuple[str, ...]:
        """Name every field whose master values must be at hand to release or decode the fields named."""
        needed, waiting = dict.fromkeys(names), list(names)
        while waiting:  # what a needed field needs is needed
            more = [one for one in self._leans_on.get((table, waiting.pop()), ()) if one not in needed]
            needed |= dict.fromkeys(more)
            waiting += more
        return tuple(needed)

    @cached_property
    def sha256(self) -> str:
        """Name the plan: the SHA-256 of its canonical JSON, in hexadecimal."""
        return hashlib.sha256(self.to_json()).hexdigest()

    def to_json(self) -> bytes:
        """Write the plan as canonical JSON: sorted keys, no spaces, floats by their shortest decimals."""
        written = json.dumps(_written(self), sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
        return written.encode()

    @classmethod
    def from_json(cls, data: bytes) -> "MarkPlan":
        """Read a plan; IntegrityError where these are not the bytes of one."""
        try:
            plan = _read_plan(json.loads(data))
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise IntegrityError("The mark plan is damaged. Take it from a backup; do not draw another.") from error
        if plan.sha256 != hashlib.sha256(data).hexdigest():
            raise IntegrityError("The mark plan is not in its canonical form. Take it from a backup.")
        return plan

    @cached_property
    def _columns(self) -> Mapping[tuple[int, str], ColumnPlan]:
        return {(column.table, column.field): column for column in self.columns}

    @cached_property
    def _places(self) -> Mapping[tuple[int, str], Place]:
        return {(place.table, place.field): place for place in self.places}

    @cached_property
    def _leans_on(self) -> Mapping[tuple[int, str], tuple[str, ...]]:
        """For each field, the fields that its own released value depends on."""
        found: dict[tuple[int, str], list[str]] = {}
        for column in self.columns:
            found.setdefault((column.table, column.field), []).extend([column.stratum] if column.stratum else [])
        for one in self.derived:
            members = [one.field, *one.tie.parents, *([one.stratum] if one.stratum else [])]
            for name in (one.field, *one.gives_way):
                found.setdefault((one.table, name), []).extend(members)
        for order in self.orders:
            for name in order.gives_way:
                found.setdefault((order.table, name), []).extend((order.lesser, order.greater))
        return {key: tuple(names) for key, names in found.items()}


def arcsine_thresholds() -> NDArray[np.uint16]:
    """Give t for each of the 256 quantiles of the arcsine law: p = sin^2(pi u / 2) at u = (k + 1/2) / 256.

    Source: Tardos, "Optimal probabilistic fingerprint codes" (2008), section 2, without cut-offs (Laarhoven 2016).
    """
    quantiles = (np.arange(QUANTILES) + 0.5) / QUANTILES
    bias = np.sin(np.pi * quantiles / 2) ** 2
    thresholds: NDArray[np.uint16] = np.clip(np.rint(bias * RANGE), 1, RANGE - 1).astype(np.uint16)
    return thresholds


def _written(value: object) -> Any:
    match value:
        case np.ndarray():
            return value.tolist()
        case (
            MarkPlan()
            | ColumnPlan()
            | DerivedPlan()
            | OrderPlan()
            | Place()
            | Support()
            | Residue()
            | Limits()
            | StepRule()
        ):
            return {one.name: _written(getattr(value, one.name)) for one in fields(value)}
        case tuple():
            return [_written(one) for one in value]
    return value


def _read_plan(data: dict[str, Any]) -> MarkPlan:
    return MarkPlan(
        tables=tuple(data["tables"]),
        places=tuple(Place(**one | {"type": FieldType(one["type"])}) for one in data["places"]),
        columns=tuple(_read_column(one) for one in data["columns"]),
        derived=tuple(_read_derived(one) for one in data["derived"]),
        orders=tuple(OrderPlan(**one | {"gives_way": tuple(one["gives_way"])}) for one in data["orders"]),
        refused=tuple((table, name, reason) for table, name, reason in data["refused"]),
        format=data["format"],
    )


def _read_column(data: dict[str, Any]) -> ColumnPlan:
    return ColumnPlan(
        **data
        | {
            "kind": Kind(data["kind"]),
            "type": FieldType(data["type"]),
            "rule": StepRule(**data["rule"]),
            "limits": _read_limits(data["limits"]),
            "supports": tuple(_read_support(one) for one in data["supports"]),
        }
    )


def _read_derived(data: dict[str, Any]) -> DerivedPlan:
    return DerivedPlan(
        **data
        | {
            "type": FieldType(data["type"]),
            "places": tuple((label, decimals) for label, decimals in data["places"]),
            "limits": _read_limits(data["limits"]),
            "gives_way": tuple(data["gives_way"]),
        }
    )


def _read_limits(data: dict[str, Any]) -> Limits:
    return Limits(**data | {"untouched": tuple(data["untouched"]), "cuts": tuple(data["cuts"])})


def _read_support(data: dict[str, Any]) -> Support:
    return replace(Support(**data), residues=tuple(_read_residue(one) for one in data["residues"]))


def _read_residue(data: dict[str, Any]) -> Residue:
    values, counts = (np.array(data[name], dtype=np.int64) for name in ("values", "counts"))
    return Residue(**data | {"values": values, "counts": counts})
