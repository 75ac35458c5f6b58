"""What binds the cells of a row to each other: order constraints, and limits of fields that are computed from them.

A mark must never change which of two fields is the greater, nor carry a computed field over a cut point, onto a missing
code or out of its range. Where some choice of bits could, the cells that give way are not marked, for any party.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from copyhold.domain.catalogue import FieldType
from copyhold.engines.marks.plan import DerivedPlan, MarkPlan
from copyhold.engines.tables.blocks import Block, Labels, natural, nearest_units
from copyhold.engines.tables.formulas import TieKind

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]


class Pairs(Protocol):
    """The cells of a column, as far as they are looked at here."""

    @property
    def low(self) -> NDArray[np.int64]:
        """Lower members, in units."""

    @property
    def high(self) -> NDArray[np.int64]:
        """Upper members, in units."""


@dataclass(frozen=True)
class Span:
    """A field's master value in each row, and the least and greatest it can be in any copy; NaN where missing."""

    own: Floats
    least: Floats
    most: Floats

    @property
    def moves(self) -> Bools:
        """Where the field can differ between copies."""
        return np.asarray(self.least < self.most)


def conflicts(plan: MarkPlan, block: Block, cells: Mapping[str, Pairs]) -> dict[str, Bools]:
    """Say for each field where its cells must not be marked.

    Judged on all cells as the plan's uniforms chose them, so that the answer does not depend on the order of rules.
    """
    orders = [one for one in plan.orders if one.table == block.table and any(name in cells for name in one.gives_way)]
    derived = [one for one in plan.derived if one.table == block.table and any(name in cells for name in one.gives_way)]
    ordered = {name for one in orders for name in (one.lesser, one.greater)}
    bound = [one for one in derived if one.limits.any or one.field in ordered]
    if not orders and not bound:
        return {}
    spans = spans_of(plan, block, cells)
    spared: dict[str, Bools] = {}
    broken = [(one.gives_way, _leaves_limits(one, spans[one.field])) for one in bound if one.limits.any]
    broken += [(one.gives_way, _changes_order(spans[one.lesser], spans[one.greater])) for one in orders]
    for names, rows in broken:
        for name in set(names) & set(cells):
            spared[name] = spared.get(name, False) | rows
    return spared


def spans_of(plan: MarkPlan, block: Block, cells: Mapping[str, Pairs]) -> dict[str, Span]:
    """Give the span of every numeric field of a block; a derived one's is that of its parents, corner by corner."""
    spans = {name: _own_span(plan, block, name, cells.get(name)) for name in block.columns}
    for one in plan.derived:
        if one.table == block.table and all(name in spans for name in (one.field, *one.tie.parents)):
            spans[one.field] = _derived_span(one, spans, places(one, block.strata, len(block.rows)))
    return spans


def places(one: DerivedPlan, strata: Mapping[str, Labels], rows: int) -> NDArray[np.int8]:
    """Give the decimals to which a derived field is rounded in each row: those of its stratum."""
    found = np.full(rows, one.decimals, dtype=np.int8)
    if one.stratum is None:
        return np.full(rows, dict(one.places).get("", one.decimals), dtype=np.int8)
    labels, of = strata[one.stratum], dict(one.places)
    known = np.array([*(of.get(name, one.decimals) for name in labels.names), one.decimals], dtype=np.int8)
    found[:] = known[labels.codes]
    return found


def floats(values: NDArray[np.int64], valid: Bools, kind: FieldType, decimals: int) -> Floats:
    """Give units as numbers, NaN where they are not valid: the form in which ties are computed."""
    numbers = natural(values, kind, decimals)
    return numbers if valid.all() else np.where(valid, numbers, np.nan)


def _own_span(plan: MarkPlan, block: Block, name: str, pairs: Pairs | None) -> Span:
    units, place = block.columns[name], plan.place(block.table, name)
    own = floats(units.values, units.valid, place.type, place.decimals)
    if pairs is None:
        return Span(own, own, own)
    return Span(
        own,
        floats(pairs.low, units.valid, place.type, place.decimals),
        floats(pairs.high, units.valid, place.type, place.decimals),
    )


def _derived_span(one: DerivedPlan, spans: Mapping[str, Span], decimals: NDArray[np.int8]) -> Span:
    own, parents = spans[one.field].own, one.tie.parents
    known = np.isfinite(own) & np.logical_and.reduce([np.isfinite(spans[name].own) for name in parents])
    rows = np.flatnonzero(known & np.logical_or.reduce([spans[name].moves for name in parents]))
    least, most = own.copy(), own.copy()
    if rows.size:
        original = {name: spans[name].own[rows] for name in (one.field, *parents)}
        corners = _corners(one, {name: (spans[name].least[rows], spans[name].most[rows]) for name in parents})
        least[rows], most[rows] = (one.tie.recompute(original, corner, decimals[rows]) for corner in corners)
        unsure = _unsure(one, {name: spans[name].least[rows] for name in parents})
        least[rows[unsure]], most[rows[unsure]] = -np.inf, np.inf
    return Span(own, least, most)


def _corners(
    one: DerivedPlan, ends: Mapping[str, tuple[Floats, Floats]]
) -> tuple[dict[str, Floats], dict[str, Floats]]:
    """Choose for each parent the end that makes the formula least and the one that makes it greatest.

    A linear formula, and a product of positive numbers, rises or falls with each parent whatever the others are.
    """
    exact = replace(one.tie, decimals=None)
    low = {name: least for name, (least, _) in ends.items()}
    base = exact.evaluate(low)
    least, most = {}, {}
    for name, (below, above) in ends.items():
        rises = exact.evaluate(low | {name: above}) >= base
        least[name], most[name] = np.where(rises, below, above), np.where(rises, above, below)
    return least, most


def _unsure(one: DerivedPlan, least: Mapping[str, Floats]) -> Bools:
    below = np.logical_or.reduce([values <= 0 for values in least.values()])
    return below if one.tie.kind is TieKind.PRODUCT else np.zeros_like(below)


def _leaves_limits(one: DerivedPlan, span: Span) -> Bools:
    rows = np.flatnonzero(span.moves)
    broken = np.zeros(len(span.own), dtype=bool)
    sure = np.isfinite(span.least[rows]) & np.isfinite(span.most[rows])
    broken[rows[~sure]] = True
    lower, upper = (nearest_units(ends[rows[sure]], one.type, one.decimals) for ends in (span.least, span.most))
    broken[rows[sure]] = ~one.limits.allow(lower, upper)
    return broken


def _changes_order(lesser: Span, greater: Span) -> Bools:
    """Say where the two fields, each anywhere in its span, could stand in another order than the master's."""
    both = np.isfinite(lesser.own) & np.isfinite(greater.own)
    below = (lesser.own < greater.own) & (lesser.most < greater.least)
    above = (lesser.own > greater.own) & (lesser.least > greater.most)
    still = ~lesser.moves & ~greater.moves
    return both & ~(below | above | still)
