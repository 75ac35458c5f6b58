"""Which field a leaked column is, told by its values; its name is no more than a hint.

For every leaked column, field and unit the log-likelihood of the leaked values under the field's own distribution is
compared with that of values that know nothing of it. Two descriptions are mixed: "exact" counts the master's values
that the written digits cover, so that a right unit makes every value land on one; "near" smooths the distribution, so
that noise does no harm. A field is given to at most one column and a column to at most one field (an assignment
problem); further columns may turn out to be copies.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from copyhold.domain.catalogue import FieldType
from copyhold.engines.matching.conversions import AS_IS, Conversion, conversions_of
from copyhold.engines.matching.index import CategoryColumn, NumberColumn, TableIndex
from copyhold.engines.matching.leaked import SAMPLE, LeakedColumn, LeakKind
from copyhold.engines.matching.names import plain_name

_STRAY = 0.02  # share of values that follow no field: noise, other people's, mended by hand
_NEAR = 0.25  # half-width of the smoothing, in robust standard deviations
_NEAR_PRICE = 2.0  # nats: what "near" must gain on "exact"
_NAME_HINT = 8.0  # nats for a name that is the field's own
_ALLOWANCE, _PER_VALUE = 3.0, 1.0  # nats by which a true field may fall behind the range of the values themselves
_IMPOSSIBLE = -1e9
_ALTERNATIVES, _AS_WELL = 4, 8.0  # fields that are tried for a column at first, and nats behind the best
_WIDE = 20.0  # the stray values' range, in robust standard deviations
_FOREIGN_LABELS = 1000.0  # how many labels a text column of something else may draw on


@dataclass(frozen=True)
class Match:
    """A leaked column, by its number, is `field` in the given unit; `support` is its lead over chance in nats."""

    leaked: int
    field: str
    conversion: Conversion
    support: float


@dataclass(frozen=True)
class Affinity:
    """How well each leaked column fits each field.

    scores  float64 (leaked columns, fields): lead over chance in nats, very low where the two cannot be compared
    units   Conversion (leaked columns, fields): the unit in which they fit best
    prices  float64 (leaked columns, fields): what other units than "as is" are charged, already taken off
    """

    fields: tuple[str, ...]
    scores: NDArray[np.float64]
    units: NDArray[np.object_]
    prices: NDArray[np.float64]

    def at_price(self, times: float) -> "Affinity":
        """The same with other units charged `times` as much: what a leak in its own units is matched best with."""
        return replace(self, scores=self.scores - (times - 1) * self.prices)

    def matches(self) -> tuple[Match, ...]:
        """The assignment of columns to fields with the greatest total lead."""
        return tuple(self._match(row, place) for row, place in assigned(self.scores))

    def plausible(self) -> tuple[Match, ...]:
        """For every leaked column the fields that fit about as well as its best one, best first."""
        found = []
        for row, scores in enumerate(self.scores):
            order = np.argsort(-scores, kind="stable")[:_ALTERNATIVES].tolist()
            found += [self._match(row, at) for at in order if scores[at] > max(0.0, scores[order[0]] - _AS_WELL)]
        return tuple(found)

    def _match(self, row: int, place: int) -> Match:
        return Match(row, self.fields[place], self.units[row, place], float(self.scores[row, place]))


def affinity(leaked: Sequence[LeakedColumn], index: TableIndex) -> Affinity:
    """Compare every leaked column with every field by content, before any row is known."""
    scores = np.full((len(leaked), len(index.fields)), _IMPOSSIBLE)
    units = np.full(scores.shape, AS_IS, dtype=object)
    numbers = [place for place, column in enumerate(leaked) if column.kind is LeakKind.NUMBER]
    dates = [place for place, column in enumerate(leaked) if column.kind is LeakKind.DATE]
    for place, name in enumerate(index.fields):
        column = index[name]
        if isinstance(column, CategoryColumn):
            scores[:, place] = [_label_score(one, column) for one in leaked]
            continue
        rows = dates if column.field.type in (FieldType.DATE, FieldType.DATETIME) else numbers
        if rows and column.present:
            scores[rows, place], units[rows, place] = _number_scores([leaked[row] for row in rows], column)
    prices = np.array([unit.price for unit in units.ravel()]).reshape(units.shape)
    return Affinity(index.fields, scores + name_hints(leaked, index), units, prices)


def assigned(scores: NDArray[np.float64]) -> list[tuple[int, int]]:
    """Give each row at most one column and each column at most one row, by greatest total of positive scores."""
    rows, places = linear_sum_assignment(np.maximum(scores, 0.0), maximize=True)
    return [(int(row), int(place)) for row, place in zip(rows, places, strict=True) if scores[row, place] > 0]


def name_hints(leaked: Sequence[LeakedColumn], index: TableIndex) -> NDArray[np.float64]:
    """Give 8 nats to each leaked column and field of one name, shape (leaked columns, fields)."""
    own = [{plain_name(name), plain_name(index[name].field.column)} for name in index.fields]
    written = [plain_name(column.name) for column in leaked]
    hints = [_NAME_HINT * (name in names) for name in written for names in own]
    return np.array(hints, dtype=np.float64).reshape(len(written), len(own))


def _number_scores(
    leaked: Sequence[LeakedColumn], column: NumberColumn
) -> tuple[NDArray[np.float64], NDArray[np.object_]]:
    conversions = (AS_IS,) if leaked[0].kind is LeakKind.DATE else conversions_of(column.field)
    tried = _reaching(leaked, column, conversions)
    best, units = np.full(len(leaked), _IMPOSSIBLE), np.full(len(leaked), AS_IS, dtype=object)
    if not tried:
        return best, units
    chance = [_chance(one, one.sample) if one.sample.size else 0.0 for one in leaked]
    for (place, unit), score in zip(tried, _likelihoods(leaked, tried, column), strict=True):
        gain = score - unit.price - chance[place]
        if gain > best[place]:
            best[place], units[place] = gain, unit
    return best, units


def _reaching(
    leaked: Sequence[LeakedColumn], column: NumberColumn, conversions: Sequence[Conversion]
) -> list[tuple[int, Conversion]]:
    """The units in which a leaked column's middle lies within the field, by the column's place."""
    low, high = column.core
    middles = np.array([one.middle for one in leaked])
    factors = np.array([unit.factor for unit in conversions])[:, None]
    written = (middles - np.array([unit.offset for unit in conversions])[:, None]) / factors
    units, places = np.nonzero((written >= low) & (written <= high))
    return [(place, conversions[unit]) for unit, place in zip(units.tolist(), places.tolist(), strict=True)]


def _likelihoods(
    leaked: Sequence[LeakedColumn], tried: Sequence[tuple[int, Conversion]], column: NumberColumn
) -> NDArray[np.float64]:
    samples = [unit.to_field(leaked[place].sample) for place, unit in tried]
    halves = [np.full(len(sample), _half_cell(leaked[place], unit, column)) for sample, (place, unit) in
              zip(samples, tried, strict=True)]  # fmt: skip
    values, half = np.concatenate(samples), np.concatenate(halves)
    stray = _STRAY * np.minimum(2 * half / (_WIDE * max(column.spread, 1e-300)), 1.0)
    exact = np.log((1 - _STRAY) * _share(column, values, half) + stray)
    reach = np.maximum(half, _NEAR * column.spread)
    near = np.log((1 - _STRAY) * _share(column, values, reach) * half / reach + stray)
    trial = np.repeat(np.arange(len(tried)), [len(sample) for sample in samples])
    return np.asarray(np.logaddexp(np.bincount(trial, exact), np.bincount(trial, near) - _NEAR_PRICE))


def _half_cell(leaked: LeakedColumn, unit: Conversion, column: NumberColumn) -> float:
    """Half the width that a written value covers, in the field's unit; numbers with noise cover next to nothing."""
    written = leaked.last_place / 2 / abs(unit.factor)
    return max(written, 1e-9 * column.spread, 1e-300)


def _share(column: NumberColumn, middle: NDArray[np.float64], half: NDArray[np.float64]) -> NDArray[np.float64]:
    start, stop = column.window(middle - half, middle + half)
    return np.asarray((stop - start) / column.present)


def _chance(leaked: LeakedColumn, sample: NDArray[np.float64]) -> float:
    """The log-likelihood of the values as draws from their own range, less what a true field may fall behind it."""
    return float(-len(sample) * np.log(_places(leaked, sample)) - _ALLOWANCE - _PER_VALUE * len(sample))


def _places(leaked: LeakedColumn, sample: NDArray[np.float64]) -> float:
    """How many values could have been written within the range of those that were."""
    extent = float(sample.max() - sample.min()) if sample.size else 0.0
    return max(extent / (leaked.last_place or 1e-9 * (extent or 1.0)), 1.0) + 1


def _label_score(leaked: LeakedColumn, column: CategoryColumn) -> float:
    labels = [label for label in leaked.labels if label is not None][:SAMPLE]
    if not labels or leaked.kind is LeakKind.DATE or not column.present:
        return _IMPOSSIBLE
    shares = np.diff(column.starts) / column.present
    codes = [column.code_of.get(str(label), -1) for label in labels]
    # What an unknown label costs follows from how many there might be.
    others, chance = _FOREIGN_LABELS, -len(labels) * np.log(_FOREIGN_LABELS)
    if leaked.kind is LeakKind.NUMBER:
        others, chance = _places(leaked, leaked.sample), _chance(leaked, leaked.sample)
    unknown = _STRAY / (len(column.labels) + others)
    found = sum(np.log((1 - _STRAY) * (shares[code] if code >= 0 else 0.0) + unknown) for code in codes)
    return float(found - chance)
