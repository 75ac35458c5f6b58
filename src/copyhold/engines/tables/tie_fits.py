"""From a column and its likely parents to a tie as a person would have written it: small numbers, and a slack.

Coefficients are fitted by least squares on rows from which those that break the relation are taken away, and each is
replaced by the simplest number that its error allows: 1, 0.2, 1/18, 1.86, 10000. A relation that no such numbers make
is none. The slack is what rounding of the parents, or of the derived column itself, leaves.
"""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import product

import numpy as np
from numpy.typing import NDArray

from copyhold.engines.tables.formulas import Term, TieKind
from copyhold.engines.tables.tie_screens import spaced
from copyhold.engines.tables.ties import Tie

Floats = NDArray[np.float64]

HELD = 0.9  # of the rows: below this a relation is an approximation
BY_CHANCE = 0.3  # of the rows may hold where parents are another row's
FIT_ROWS = 2_000
ROOM = 0.2  # robust standard deviations: what a mark may move a value by where nothing is declared
_NEAR_COPY = 0.99
_ROUNDS = 4
_TRIMMED = 3.5  # robust standard deviations
_ERRORS = 4.0  # standard errors within which a simpler number is taken
_FEWEST = 40
_MOST_DIGITS = 4
_MOST_EXPONENT = 3
_MOST_NUMBERS = 6  # tried for each coefficient
_STEPS = 2  # to either side
_DENOMINATORS = range(2, 13)
_MOST_ROWS = 10_000  # on which formulas are compared
_UNSURE = 3.0  # standard errors by which a formula may hold less often than the best, on few rows
_NEARLY = 2.0  # and on many, where it is the simpler one
_LEAST_VARIANCE = 1e-4


@dataclass(frozen=True, eq=False)
class Ground:
    """What a tie is fitted on: columns over the rows of a pool, and the last place of each (0: binary noise)."""

    columns: Mapping[str, Floats]
    units: Mapping[str, float]
    decimals: Mapping[str, int | None]
    spreads: Mapping[str, float]
    mixed: frozenset[str] = frozenset()  # columns that hold fewer decimals in a part of the rows

    def complete(self, names: Sequence[str], most: int) -> dict[str, Floats]:
        """Give rows in which all the columns named have a value, at most so many, spread over the pool."""
        known = np.flatnonzero(np.logical_and.reduce([np.isfinite(self.columns[name]) for name in names]))
        chosen = spaced(known, most)
        return {name: self.columns[name][chosen] for name in names}


def linear(ground: Ground, derived: str, parents: Sequence[str]) -> Tie | None:
    """Fit a linear tie; None where there is none."""
    rows = ground.complete((derived, *parents), FIT_ROWS)
    if len(rows[derived]) < _FEWEST:
        return None
    design = np.column_stack([np.ones(len(rows[derived])), *(rows[name] for name in parents)])
    fit = _robust(design, rows[derived], ground.units[derived] / 2)
    if fit is None:
        return None
    numbers = [_simple(value, error) for value, error in zip(fit.values[1:], fit.errors[1:], strict=True)]
    if not all(numbers):
        return None
    by_simplicity = sorted(product(*(enumerate(each) for each in numbers)), key=lambda each: sum(at for at, _ in each))
    tried = (_linear(ground, derived, parents, [one for _, one in each], rows, fit.kept) for each in by_simplicity)
    return _best(ground, (tie for ties in tried for tie in ties), rows)


def of_product(ground: Ground, derived: str, parents: Sequence[str]) -> Tie | None:
    """Fit a product of powers; None where there is none."""
    rows = ground.complete((derived, *parents), FIT_ROWS)
    positive = np.logical_and.reduce([values > 0 for values in rows.values()])
    rows = {name: values[positive] for name, values in rows.items()}
    if len(rows[derived]) < _FEWEST:
        return None
    design = np.column_stack([np.ones(len(rows[derived])), *(np.log(rows[name]) for name in parents)])
    fit = _robust(design, np.log(rows[derived]), 0.0)
    if fit is None:
        return None
    exponents = np.rint(fit.values[1:]).astype(int)
    near = np.abs(fit.values[1:] - exponents) <= 0.1
    if not (near & (exponents != 0) & (np.abs(exponents) <= _MOST_EXPONENT)).all():
        return None
    terms = tuple(Term(name, exponent=int(power)) for name, power in zip(parents, exponents, strict=True))
    bare = Tie(TieKind.PRODUCT, derived, terms, Fraction(1))
    ratio = rows[derived] / bare.evaluate(rows)
    constant, error = float(np.median(ratio)), _mad(ratio) * _ERRORS / math.sqrt(len(ratio))
    decimals = ground.decimals[derived]
    ties = (replace(bare, constant=one, decimals=decimals) for one in _simple(constant, error))
    return _best(ground, ties, rows)


def slacks(ground: Ground, tie: Tie, rows: Mapping[str, Floats]) -> list[Fraction]:
    """List the slacks to try, least first: none, a derived column with fewer decimals, rounding of the parents.

    Of a near-copy, also its distance from the other, up to the room of a mark: the one would show the other's mark.
    """
    half = sum(_reach(tie, name, rows) * ground.units[name] / 2 for name in tie.parents)
    found = {Fraction(0), _written(half)}
    if tie.derived in ground.mixed and tie.decimals:
        found.add(Fraction(1, 2 * 10 ** (tie.decimals - 1)))
    if tie.kind is TieKind.LINEAR and [one.coefficient for one in tie.terms] == [1]:
        apart = float(np.quantile(np.abs(rows[tie.derived] - tie.evaluate(rows)), _NEAR_COPY))
        found |= {_written(apart)} if apart <= ROOM * ground.spreads[tie.derived] else set()
    return sorted(found)


def by_chance(tie: Tie, rows: Mapping[str, Floats]) -> float:
    """Give the share of rows that hold with another row's parents."""
    derived = rows[tie.derived]
    shuffled = {**rows, tie.derived: np.roll(derived, len(derived) // 2 + 1)}
    return float(tie.holds(shuffled).mean())


@dataclass(frozen=True, eq=False)
class _Fit:
    values: Floats
    errors: Floats
    kept: NDArray[np.bool_]


def _robust(design: Floats, right: Floats, floor: float) -> _Fit | None:
    """Fit by least squares, each time without the rows that lie far off, however few they make it fit better."""
    kept = np.ones(len(right), dtype=bool)
    for _ in range(_ROUNDS):
        values, _, rank, _ = np.linalg.lstsq(design[kept], right[kept], rcond=None)
        if rank < design.shape[1]:
            return None
        off = right - design @ values
        near = np.abs(off - np.median(off)) <= max(_TRIMMED * _mad(off), floor, 1e-12)
        if near.sum() < max(_FEWEST, len(right) // 2):
            return None
        kept = near
    noise = max(float(np.std(off[kept])), 1e-12)
    inverse = np.linalg.pinv(design[kept].T @ design[kept])
    return _Fit(
        np.asarray(values, dtype=np.float64), np.asarray(noise * np.sqrt(np.diagonal(inverse)), dtype=np.float64), kept
    )


def _simple(value: float, error: float) -> list[Fraction]:
    """Give the simplest numbers within the error of a fitted one, simplest first: 1; 0.2; 1/18; 5/12; 1.86."""
    near = _ERRORS * error + 1e-9 * abs(value)
    if abs(value) <= near:
        return []
    found = [Fraction(round(value))]
    for digits in range(1, _MOST_DIGITS + 1):
        found += _of_digits(value, near, digits)
        found += [1 / one for one in _of_digits(1 / value, near / value**2, digits)]
    found += [Fraction(round(value * below), below) for below in _DENOMINATORS]
    fitting = [one for one in dict.fromkeys(found) if one and abs(float(one) - value) <= near]
    return fitting[:_MOST_NUMBERS]


def _of_digits(value: float, near: float, digits: int) -> list[Fraction]:
    """Give decimals of so many digits next to a value, nearest first."""
    places = digits - 1 - math.floor(math.log10(abs(value)))
    middle, step = _decimal(value, places), Fraction(10) ** -places
    room = min(math.floor(near / float(step)), _STEPS)
    beside = [middle + away * step for away in range(-room, room + 1)]
    return sorted((one for one in beside if one), key=lambda one: abs(float(one) - value))


def _linear(
    ground: Ground,
    derived: str,
    parents: Sequence[str],
    chosen: Sequence[Fraction],
    rows: Mapping[str, Floats],
    kept: NDArray[np.bool_],
) -> Iterator[Tie]:
    """Give the ties with these coefficients and each simple constant that fits them."""
    rest = rows[derived] - sum(float(number) * rows[name] for name, number in zip(parents, chosen, strict=True))
    middle, unit = float(np.median(rest[kept])), ground.units[derived]
    room = max(unit, _mad(rest[kept]))
    constants = dict.fromkeys(_decimal(middle, places) for places in range(-3, (ground.decimals[derived] or 0) + 2))
    terms = [Term(name, coefficient=number) for name, number in zip(parents, chosen, strict=True)]
    terms.sort(key=lambda term: term.coefficient < 0)
    for constant in [one for one in constants if abs(float(one) - middle) <= room][:_MOST_NUMBERS]:
        yield Tie(TieKind.LINEAR, derived, tuple(terms), constant, ground.decimals[derived])


def _best(ground: Ground, ties: Iterable[Tie], fit: Mapping[str, Floats]) -> Tie | None:
    """Choose the formula that holds exactly most often, the simplest of nearly equals, with the slack that it needs."""
    tried = list(ties)
    if not tried:
        return None
    rows = ground.complete((tried[0].derived, *tried[0].parents), _MOST_ROWS)
    best = _foremost(_foremost(tried, fit, _UNSURE), rows, _NEARLY)[0]
    for slack in slacks(ground, best, rows):
        wide = replace(best, slack=slack)
        share = float(wide.holds(rows).mean())
        if share >= HELD and by_chance(wide, rows) <= BY_CHANCE:
            return replace(wide, share=share)
    return None


def _foremost(ties: Sequence[Tie], rows: Mapping[str, Floats], errors: float) -> list[Tie]:
    """Keep the ties that hold as often as any, up to so many standard errors, in their order."""
    shares = [float(tie.holds(rows).mean()) for tie in ties]
    most = max(shares)
    room = errors * math.sqrt(max(most * (1 - most), _LEAST_VARIANCE) / max(len(next(iter(rows.values()))), 1))
    return [tie for tie, share in zip(ties, shares, strict=True) if share >= most - room]


def _reach(tie: Tie, name: str, rows: Mapping[str, Floats]) -> float:
    """How far the formula moves with one unit of a parent, at the median."""
    term = next(one for one in tie.terms if one.field == name)
    if tie.kind is TieKind.LINEAR:
        return abs(float(term.coefficient))
    with np.errstate(divide="ignore", invalid="ignore"):
        moved = np.abs(rows[tie.derived] * term.exponent / rows[name])
    return float(np.nanmedian(moved))


def _written(number: float) -> Fraction:
    """Round up to two digits, as a person would write it."""
    if not number > 0 or not math.isfinite(number):
        return Fraction(0)
    places = 1 - math.floor(math.log10(number))
    return Fraction(math.ceil(round(number * 10.0**places, 6))) / Fraction(10) ** places


def _decimal(value: float, places: int) -> Fraction:
    """Round to decimals, or for negative `places` to tens."""
    return Fraction(round(value * 10.0**places)) / Fraction(10) ** places


def _mad(values: Floats) -> float:
    return 1.4826 * float(np.median(np.abs(values - np.median(values))))
