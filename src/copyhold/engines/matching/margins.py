"""How far a leaked value may lie from its master value: marks, digits, units and noise."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from copyhold.domain.catalogue import FieldType
from copyhold.engines.matching.columns import Match
from copyhold.engines.matching.index import CategoryColumn, NumberColumn, TableIndex
from copyhold.engines.matching.leaked import LeakedColumn
from copyhold.engines.matching.rows import SIGMAS, Probe

_SPREAD_SHARE = 0.2  # tolerance of a field that declares none, in robust standard deviations
_UNIT_NOISE = 3e-4  # relative error of a conversion factor before it is fitted
_MONTH = 31.0


@dataclass(frozen=True)
class Margins:
    """What may stand between a master value and the leaked one.

    `steps` is by field the distance between the members of a marked pair (for a derived field, what its parents' marks
    may do to it), in the field's unit; `noise` the standard deviation of added noise in tolerances, by field or, under
    "", for all others.
    """

    steps: Mapping[str, float]
    noise: Mapping[str, float] = field(default_factory=dict)

    def sigma(self, column: NumberColumn, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """The standard deviation of noise at each value, in the field's unit."""
        noise = self.noise.get(column.field.name, self.noise.get("", 0.0))
        return np.asarray(noise * tolerance(column, values))

    def slack(self, column: NumberColumn, values: NDArray[np.float64], written: float) -> NDArray[np.float64]:
        """Half-width of the window around `values`; `written` is the spacing of the written digits."""
        step = self.steps.get(column.field.name, 0.0)
        return np.asarray(step + written / 2 + SIGMAS * self.sigma(column, values))

    def probe(self, leaked: Sequence[LeakedColumn], match: Match, index: TableIndex) -> Probe:
        """Read a leaked column as the field it is matched to."""
        column, shown = index[match.field], leaked[match.leaked]
        if isinstance(column, CategoryColumn):
            codes = np.array([column.code_of.get(str(label), np.nan) for label in shown.labels], dtype=np.float64)
            return Probe(match.leaked, column, codes, np.zeros(shown.rows), np.zeros(shown.rows))
        values = match.conversion.to_field(shown.numbers)
        if column.field.type in (FieldType.DATE, FieldType.DATETIME):
            slack = np.full(shown.rows, _date_spacing(values) / 2)
            return Probe(match.leaked, column, values, slack, np.zeros(shown.rows))
        slack = self.slack(column, values, shown.grid / abs(match.conversion.factor))
        inexact = (
            _UNIT_NOISE * np.abs(values) if match.conversion.factor != 1.0 and not match.conversion.fitted else 0.0
        )
        return Probe(match.leaked, column, values, slack + inexact, self.sigma(column, values))


def tolerance(column: NumberColumn, values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the tolerance at each value: as declared, else a fifth of the column's robust spread."""
    declared = column.field.tolerance
    if declared is None:
        return np.full(values.shape, _SPREAD_SHARE * column.spread)
    if declared.relative:
        return np.asarray(declared.amount * np.abs(values))
    return np.full(values.shape, declared.amount)


def _date_spacing(days: NDArray[np.float64]) -> float:
    known = days[np.isfinite(days)]
    if known.size < 3:
        return 0.0
    of_month = known.astype("datetime64[D]") - known.astype("datetime64[D]").astype("datetime64[M]")
    return 2 * _MONTH if np.all(of_month == of_month[0]) else 0.0
