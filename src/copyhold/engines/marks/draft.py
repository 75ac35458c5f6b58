"""Drawing a mark plan from the first version of a dataset, and letting it grow with later ones.

A plan that has been drawn is never redrawn: later versions add columns, and nothing that stands is touched.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from copyhold.domain.catalogue import Dictionary, Field, FieldType
from copyhold.domain.errors import InvalidInputError
from copyhold.engines.marks.censuses import Census
from copyhold.engines.marks.plan import ColumnPlan, DerivedPlan, MarkPlan, OrderPlan, Place
from copyhold.engines.marks.refusals import barred, unfit
from copyhold.engines.marks.strength import Strength
from copyhold.engines.marks.supports import Kind, Limits, StepRule, Support, split_by_grid
from copyhold.engines.tables.blocks import NUMERIC, Block, scaled, unit_ceiling, unit_codes, unit_floor
from copyhold.engines.tables.formulas import TieKind
from copyhold.engines.tables.ties import Tie, declared

DEFAULT = Strength()
MOST_OFF_GRID = 0.01  # of a derived field's values, where the others have fewer decimals


def draw_plan(dictionary: Dictionary, blocks: Iterable[Block], strength: Strength = DEFAULT) -> MarkPlan:
    """Draw the plan of a dataset's first version.

    `blocks` are those of all tables, numbered from 1 in the dictionary's order and read with all their fields. Each
    column that is not marked stands in `refused` with its reason.

    Cost: one sort per block and column; memory for the distinct values of every column.
    """
    nothing = MarkPlan(tables=(), places=(), columns=())
    return extend_plan(nothing, dictionary, blocks, strength)


def extend_plan(
    plan: MarkPlan, dictionary: Dictionary, blocks: Iterable[Block], strength: Strength = DEFAULT
) -> MarkPlan:
    """Let a plan grow by the tables and fields of a later version; what stands in it is not touched.

    Raises:
        InvalidInputError: a field that the plan knows is now of another type or has other decimals.
    """
    tables = plan.tables + tuple(name for name in dictionary.tables if name not in plan.tables)
    known = {(place.table, place.field): place for place in plan.places}
    fresh = [field for field in dictionary.fields if (tables.index(field.table) + 1, field.name) not in known]
    _check_unchanged(tables, known, dictionary)
    draft = _Draft(plan, tables, dictionary, fresh, strength)
    return draft.drawn(_counted(draft.candidates, tables, blocks))


def _check_unchanged(tables: tuple[str, ...], known: Mapping[tuple[int, str], Place], dictionary: Dictionary) -> None:
    for field in dictionary.fields:
        place = known.get((tables.index(field.table) + 1, field.name))
        if place and (place.type, place.decimals) != (field.type, field.decimals or 0):
            raise InvalidInputError(
                f"Field {field.name} of table {field.table} was planned as {place.type.value} with {place.decimals} "
                "decimals. Declare it as before, or give the changed field a new name."
            )


def _counted(fields: Iterable[Field], tables: tuple[str, ...], blocks: Iterable[Block]) -> Census:
    census = Census()
    wanted: dict[int, dict[str, str | None]] = {}
    for field in fields:
        wanted.setdefault(tables.index(field.table) + 1, {})[field.name] = field.stratum
    for block in blocks:
        census.add(block, wanted.get(block.table, {}))
    return census


@dataclass(frozen=True)
class _Draft:
    """What a plan is extended by."""

    plan: MarkPlan
    tables: tuple[str, ...]
    dictionary: Dictionary
    fresh: list[Field]
    strength: Strength

    @property
    def candidates(self) -> list[Field]:
        """Fresh fields whose values must be counted: those that may be marked, and those that are computed."""
        return [field for field in self.fresh if field.type in NUMERIC and (not barred(field) or _is_derived(field))]

    def drawn(self, census: Census) -> MarkPlan:
        columns, refused = self._columns(census)
        places = self._places({(column.table, column.field) for column in columns})
        number = {(place.table, place.field): place.column for place in places}
        numbered = tuple(replace(column, column=number[column.table, column.field]) for column in columns)
        grown = replace(
            self.plan,
            tables=self.tables,
            places=self.plan.places + places,
            columns=self.plan.columns + numbered,
            refused=self.plan.refused + tuple(refused),
        )
        return self._bound(grown, census)

    def _number(self, field: Field) -> int:
        return self.tables.index(field.table) + 1

    def _columns(self, census: Census) -> tuple[list[ColumnPlan], list[tuple[int, str, str]]]:
        columns, refused = [], []
        for field in self.fresh:
            table, reason = self._number(field), barred(field)
            if reason is None:
                column = self._column(field, census)
                reason = unfit(column)
            if reason is None:
                columns.append(column)
            else:
                refused.append((table, field.name, reason))
        return self.strength.shared(columns), refused

    def _column(self, field: Field, census: Census) -> ColumnPlan:
        table = self._number(field)
        kind = Kind.LISTED if field.type is FieldType.REAL else Kind.GRID
        drafted = ColumnPlan(
            table=table,
            field=field.name,
            column=0,
            kind=kind,
            type=field.type,
            decimals=field.decimals or 0,
            share=0,
            rule=_rule(field),
            limits=_limits(field),
            stratum=field.stratum,
            supports=_supports(census, table, field, kind),
        )
        return self.strength.stepped(drafted)

    def _places(self, marked: set[tuple[int, str]]) -> tuple[Place, ...]:
        """Number the fresh fields, marked ones first so that they share AES blocks."""
        of = [(self._number(field), field) for field in self.fresh]
        of.sort(key=lambda one: (one[0], one[1].name) not in marked)
        first = max((place.column for place in self.plan.places), default=-1) + 1
        return tuple(
            Place(table, field.name, first + offset, field.type, field.decimals or 0)
            for offset, (table, field) in enumerate(of)
        )

    def _bound(self, plan: MarkPlan, census: Census) -> MarkPlan:
        """Add the ties in which a fresh field takes part; only fresh cells give way."""
        derived, orders = list(plan.derived), list(plan.orders)
        fresh = {(field.table, field.name) for field in self.fresh}
        for table in self.dictionary.tables:
            fields = {field.name: field for field in self.dictionary.of(table)}
            ties = declared(fields.values())
            ancestors = _ancestors(ties)
            for tie in ties:
                members = (tie.derived, *tie.parents)
                _check_members(table, tie, fields)
                moving = [name for one in members for name in ancestors.get(one, (one,))]
                marked = [name for name in dict.fromkeys(moving) if plan.column(plan.number(table), name)]
                gives_way = tuple(name for name in marked if (table, name) in fresh)
                if not marked or not any((table, name) in fresh for name in members):
                    continue
                if tie.is_order:
                    orders.append(_order(plan.number(table), tie, gives_way))
                else:
                    derived.append(_derived(plan.number(table), fields[tie.derived], tie, gives_way, census))
        return replace(plan, derived=tuple(derived), orders=tuple(orders))


def _is_derived(field: Field) -> bool:
    return any(text.lstrip().startswith("=") for text in field.ties)


def _rule(field: Field) -> StepRule:
    assert field.tolerance is not None  # noqa: S101 - `barred` has refused a field without one
    amount, relative = field.tolerance.amount, field.tolerance.relative
    on_grid = field.type is not FieldType.REAL and not relative
    return StepRule(float(scaled(amount, field.decimals or 0)) if on_grid else amount, relative, share=1.0)


def _limits(field: Field) -> Limits:
    cuts = {
        unit_floor(cut.at, field) + 1 if cut.upper_closed else unit_ceiling(cut.at, field) for cut in field.cut_points
    }
    return Limits(
        low=None if field.low is None else unit_ceiling(field.low, field),
        high=None if field.high is None else unit_floor(field.high, field),
        untouched=unit_codes(field),
        cuts=tuple(sorted(cuts)),
    )


def _supports(census: Census, table: int, field: Field, kind: Kind) -> tuple[Support, ...]:
    counted = census.of(table, field.name)
    return tuple(
        split_by_grid(label, values, counts, one_grid=kind is Kind.LISTED)
        for label, (values, counts) in counted.items()
    )


def _check_members(table: str, tie: Tie, fields: Mapping[str, Field]) -> None:
    for name in (tie.derived, *tie.parents):
        if name not in fields or (not tie.is_order and fields[name].type not in NUMERIC):
            raise InvalidInputError(
                f"A tie of {tie.derived} in table {table} names {name}, which is no numeric field of that table."
            )


def _ancestors(ties: Iterable[Tie]) -> dict[str, tuple[str, ...]]:
    """Give for each computed field the fields that it is computed from in the end."""
    found: dict[str, tuple[str, ...]] = {}
    for tie in ties:  # in the order of computing
        if not tie.is_order:
            found[tie.derived] = tuple(name for one in tie.parents for name in found.get(one, (one,)))
    return found


def _order(table: int, tie: Tie, gives_way: tuple[str, ...]) -> OrderPlan:
    bound = tie.parents[0]
    lesser, greater = (tie.derived, bound) if tie.kind is TieKind.AT_MOST else (bound, tie.derived)
    return OrderPlan(table, lesser, greater, gives_way)


def _derived(table: int, field: Field, tie: Tie, gives_way: tuple[str, ...], census: Census) -> DerivedPlan:
    places = tuple((label, _decimals(field, *counted)) for label, counted in census.of(table, field.name).items())
    return DerivedPlan(
        table=table,
        field=field.name,
        text=tie.text,
        type=field.type,
        decimals=field.decimals or 0,
        stratum=field.stratum,
        places=places,
        limits=_limits(field),
        gives_way=gives_way,
    )


def _decimals(field: Field, values: np.ndarray, counts: np.ndarray) -> int:
    """Give the fewest decimals that nearly all values of a stratum have."""
    decimals = field.decimals or 0
    for fewer in range(decimals):
        off = counts[values % 10 ** (decimals - fewer) != 0].sum()
        if off <= MOST_OFF_GRID * counts.sum():
            return fewer
    return decimals
