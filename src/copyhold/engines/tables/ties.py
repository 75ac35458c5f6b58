"""Arithmetic ties between the fields of a table, and how a marked copy keeps them.

A tie has one derived member, which is computed from its parents or bound by them. `formulas` has the form in which a
dictionary writes it: `= LBXTC - LBDHDD - 0.2*LBXTR`, `= 10000*BMXWT/BMXHT^2 +- 0.05`, `<= LBXTC`, `>= LBXTC`.

Everywhere here a column is float64 with NaN for nulls and missing codes, and the columns of a call have one length.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from graphlib import CycleError, TopologicalSorter

import numpy as np
from numpy.typing import NDArray

from copyhold.domain.catalogue import Field
from copyhold.engines.tables.formulas import Formula, Term, TieKind, read, require, unreadable

Floats = NDArray[np.float64]
Places = int | NDArray[np.int8] | None  # decimals of the derived field; one per row where they differ by stratum

_HALF = 1e-9  # of a last place: binary noise of a value that lies exactly half-way must not decide its rounding
_NOISE = 1e-6  # of a last place, or of the value where it has none: a difference this small is binary noise


@dataclass(frozen=True)
class Tie:
    """One relation between fields of a table.

    `constant` is added in a linear tie and multiplies a product. `decimals` is where the derived value is rounded,
    None where it is not (binary noise, order constraints). The tie holds in a row where the derived value differs from
    the rounded formula by at most `slack`. `share` is the share of rows, among those with all members, in which it
    held when it was counted; None where nobody has counted.
    """

    kind: TieKind
    derived: str
    terms: tuple[Term, ...]
    constant: Fraction = Fraction(0)
    decimals: int | None = None
    slack: Fraction = Fraction(0)
    share: float | None = None

    @property
    def parents(self) -> tuple[str, ...]:
        """The fields on the right, in order."""
        return tuple(term.field for term in self.terms)

    @property
    def is_order(self) -> bool:
        """Whether this is an order constraint, which computes nothing."""
        return self.kind in (TieKind.AT_MOST, TieKind.AT_LEAST)

    @property
    def text(self) -> str:
        """The tie as the dictionary has it; `parse` reads it back."""
        return Formula(self.kind, self.terms, self.constant, self.slack).text

    def evaluate(self, columns: Mapping[str, Floats], places: Places = None) -> Floats:
        """Compute the formula, rounded to `places` (else to the tie's decimals); of an order constraint, its bound.

        A row without all parents gives NaN. Halves are rounded away from zero, as SAS and spreadsheets do.
        """
        exact = self._formula(columns)
        decimals = self.decimals if places is None else places
        return exact if decimals is None or self.is_order else rounded(exact, decimals)

    def holds(self, columns: Mapping[str, Floats], places: Places = None) -> NDArray[np.bool_]:
        """Say for each row whether the tie holds; False where a member is missing."""
        derived, formula = columns[self.derived], self.evaluate(columns, places)
        if self.kind is TieKind.AT_MOST:
            return derived <= formula
        if self.kind is TieKind.AT_LEAST:
            return derived >= formula
        noise = np.abs(derived) * _NOISE if self.decimals is None else 10.0**-self.decimals * _NOISE
        return np.abs(derived - formula) <= float(self.slack) + noise

    def counted(self, columns: Mapping[str, Floats], places: Places = None) -> "Tie":
        """Return the tie with its share counted on these rows; None where no row has all members."""
        complete = int(np.isfinite(columns[self.derived] + self._formula(columns)).sum())
        return replace(self, share=float(self.holds(columns, places).sum() / complete) if complete else None)

    def recompute(self, original: Mapping[str, Floats], marked: Mapping[str, Floats], places: Places = None) -> Floats:
        """Give the derived column of a marked copy: every row keeps its difference from the rounded formula exactly.

        Hence the tie holds in the copy in just those rows where it held in the original. `original` has the derived
        column and the parents, `marked` the parents. A row without all members keeps its derived value, NaN included.
        """
        derived = original[self.derived]
        moved = derived + (self.evaluate(marked, places) - self.evaluate(original, places))
        if self.decimals is not None:
            moved = rounded(moved, self.decimals)  # takes away the binary noise of the two sums, nothing else
        return np.where(np.isnan(moved), derived, moved)

    def _formula(self, columns: Mapping[str, Floats]) -> Floats:
        if self.kind is TieKind.PRODUCT:
            return _product(self, columns)
        total = np.full(len(columns[self.terms[0].field]), float(self.constant))
        for term in self.terms:
            total += columns[term.field] * float(term.coefficient.numerator) / float(term.coefficient.denominator)
        return total


def parse(text: str, derived: str, decimals: int | None = None) -> Tie:
    """Read one tie of the field `derived` as the dictionary has it.

    Raises:
        InvalidInputError: the text is not one of the four forms, repeats a field or names the derived field itself.
    """
    formula = read(text)
    require(derived not in (term.field for term in formula.terms), "names the field itself")
    order = formula.kind in (TieKind.AT_MOST, TieKind.AT_LEAST)
    return Tie(formula.kind, derived, formula.terms, formula.constant, None if order else decimals, formula.slack)


def declared(fields: Iterable[Field]) -> tuple[Tie, ...]:
    """Give the ties that the fields of one table declare, as `in_order` sorts them.

    Raises:
        InvalidInputError: a tie cannot be read, a field is computed twice, or fields are computed in a circle.
    """
    return in_order(parse(text, field.name, field.decimals) for field in fields for text in field.ties)


def in_order(ties: Iterable[Tie]) -> tuple[Tie, ...]:
    """Sort ties so that every field is computed before it is used; order constraints stand last.

    Raises:
        InvalidInputError: a field is computed twice, or fields are computed in a circle.
    """
    found = tuple(ties)
    by_derived = {tie.derived: tie for tie in found if not tie.is_order}
    require(len(by_derived) == sum(not tie.is_order for tie in found), "computes a field that another tie computes")
    try:
        order = tuple(TopologicalSorter({name: tie.parents for name, tie in by_derived.items()}).static_order())
    except CycleError as circle:
        raise unreadable("computes a field from itself through others") from circle
    return tuple(by_derived[name] for name in order if name in by_derived) + tuple(tie for tie in found if tie.is_order)


def rounded(values: Floats, places: int | NDArray[np.int8]) -> Floats:
    """Round to decimals, halves away from zero; `places` is one number or one per row."""
    scale = np.power(10.0, places)
    units = np.floor(np.abs(values) * scale + 0.5 + _HALF)
    # Division by a power of ten gives the float nearest to the decimal; a product with 0.1 would not.
    return np.asarray(np.copysign(units / scale, values) + 0.0, dtype=np.float64)


def _product(tie: Tie, columns: Mapping[str, Floats]) -> Floats:
    rows = len(columns[tie.terms[0].field])
    above, below = np.full(rows, float(tie.constant.numerator)), np.full(rows, float(tie.constant.denominator))
    for term in tie.terms:
        side = above if term.exponent > 0 else below
        side *= columns[term.field] ** abs(term.exponent)
    quotient: Floats = np.divide(above, below, out=np.full(rows, np.nan), where=below != 0)
    return quotient
