"""Columns matched again once rows are aligned: value by value instead of distribution by distribution.

On aligned rows a leaked column shows the very values of its field, so a few rows tell fields apart that have the same
distribution (two visits, two methods), give away units that no table lists (robust regression, snapped to the nominal
factor where that explains the values as well) and order-preserving recodings such as decile numbers.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from copyhold.domain.catalogue import FieldType
from copyhold.engines.matching.columns import Affinity, Match, assigned, name_hints
from copyhold.engines.matching.conversions import AS_IS, Conversion, conversions_of
from copyhold.engines.matching.index import CategoryColumn, NumberColumn, TableIndex
from copyhold.engines.matching.leaked import LeakedColumn, LeakKind
from copyhold.engines.matching.margins import Margins

_SAMPLE = 60  # aligned rows that vote
_AGREE = 0.98
_FEWEST = 6  # rows on which a line is fitted
_SNAP = 5e-3  # how far a fitted factor may lie from a nominal one, relative
_TIGHT = 0.15  # residuals of a fitted unit, in spreads of the field on the same rows
_SAME_ORDER = 0.9  # rank correlation of a column with its field under any increasing or decreasing unit
_STRAY_SCALES = 5.0  # residuals beyond this many median ones are not fitted


@dataclass(frozen=True)
class Pairing:
    """Leaked rows and the master positions they are aligned to, the surest first; at most 60 vote."""

    rows: NDArray[np.int64]
    positions: NDArray[np.int64]

    @property
    def voters(self) -> "Pairing":
        """The surest rows."""
        return Pairing(self.rows[:_SAMPLE], self.positions[:_SAMPLE])


def vote(
    leaked: Sequence[LeakedColumn],
    index: TableIndex,
    first: Affinity,
    pairing: Pairing,
    margins: Margins,
    *,
    trust: float,
) -> Affinity:
    """Score every column and field by the values they share on aligned rows, units as `first` found them.

    `trust` is the share of aligned rows thought to be right: with 0.5 a few right rows outvote many wrong ones.
    """
    rows = pairing.voters
    scores = np.where(first.scores > -1e8, 0.0, -1e9)
    for place, name in enumerate(first.fields):
        comparable = np.flatnonzero(scores[:, place] == 0.0).tolist()
        column = index[name]
        if not comparable or not column.present:
            continue
        shown = [leaked[at] for at in comparable]
        if isinstance(column, CategoryColumn):
            scores[comparable, place] = [_label_votes(one, column, rows, trust) for one in shown]
        else:
            units = [first.units[at, place] for at in comparable]
            scores[comparable, place] = _number_votes(shown, units, column, rows, margins, trust)
    named = name_hints(leaked, index) / 4  # content has spoken: a name only breaks ties
    return replace(first, scores=np.where(scores > 0, scores + named, scores))


def _number_votes(
    shown: Sequence[LeakedColumn],
    units: Sequence[Conversion],
    column: NumberColumn,
    pairing: Pairing,
    margins: Margins,
    trust: float,
) -> NDArray[np.float64]:
    values = np.array([unit.to_field(one.numbers[pairing.rows]) for one, unit in zip(shown, units, strict=True)])
    written = np.array([[one.grid / abs(unit.factor)] for one, unit in zip(shown, units, strict=True)])
    inexact = np.array([[0.0 if unit.factor == 1.0 or unit.fitted else 3e-4] for unit in units])
    if column.field.type in (FieldType.DATE, FieldType.DATETIME):
        written = np.zeros_like(written)
    slack = margins.slack(column, values, 0.0) + written / 2 + inexact * np.abs(values) + 1e-6 / column.scale
    start, stop = column.window(values - slack, values + slack)
    share = np.clip((stop - start + 1) / (column.rows + 1), None, 1 - 1e-9)
    same = np.abs(column.at(pairing.positions)[None, :] - values) <= slack
    return np.asarray(np.where(np.isfinite(values), _gain(same, share, trust), 0.0).sum(axis=1))


def _gain(same: NDArray[np.bool_], share: NDArray[np.float64], trust: float) -> NDArray[np.float64]:
    """The log-likelihood ratio of a match to chance when a share `trust` of the rows is right."""
    agrees = trust * _AGREE + (1 - trust) * share
    return np.asarray(np.where(same, np.log(agrees / share), np.log((1 - agrees) / (1 - share))))


def _label_votes(shown: LeakedColumn, column: CategoryColumn, pairing: Pairing, trust: float) -> float:
    if shown.kind is LeakKind.DATE:
        return -1e9
    known = [(str(label), at) for label, at in zip(shown.labels[pairing.rows], pairing.positions, strict=True)
             if label is not None]  # fmt: skip
    if not known:
        return 0.0
    codes = np.array([column.code_of.get(label, -1) for label, _ in known])
    share = np.where(codes >= 0, np.diff(column.starts)[codes] / column.rows, 1e-3)
    same = (codes >= 0) & (codes == column.codes[[at for _, at in known]])
    return float(_gain(same, np.clip(share, 1e-6, 1 - 1e-6), trust).sum())


def fit_units(
    leaked: Sequence[LeakedColumn], index: TableIndex, matches: Sequence[Match], pairing: Pairing, margins: Margins
) -> tuple[Match, ...]:
    """Check the unit of every matched number on aligned rows, and match what is left by regression.

    A fitted line is snapped to the nominal conversion that explains the values as well; a unit that no table lists is
    kept as fitted. Columns that follow no unmatched field closely stay unmatched.
    """
    rows = pairing.voters
    checked = tuple(_checked(leaked[match.leaked], index, match, rows, margins) for match in matches)
    taken, used = {match.field for match in matches}, {match.leaked for match in matches}
    free = [at for at, one in enumerate(leaked) if at not in used and one.kind is LeakKind.NUMBER]
    fields = [column for column in index.numbers() if column.field.name not in taken and not _is_date(column)]
    return checked + _regressed(leaked, free, fields, rows, margins)


def _is_date(column: NumberColumn) -> bool:
    return column.field.type in (FieldType.DATE, FieldType.DATETIME)


def _checked(shown: LeakedColumn, index: TableIndex, match: Match, pairing: Pairing, margins: Margins) -> Match:
    column = index[match.field]
    if not isinstance(column, NumberColumn) or match.conversion.name == AS_IS.name or _is_date(column):
        return match
    fitted = _fit(shown, column, pairing, margins)
    return match if fitted is None else replace(match, conversion=fitted)


def _regressed(
    leaked: Sequence[LeakedColumn],
    free: Sequence[int],
    fields: Sequence[NumberColumn],
    pairing: Pairing,
    margins: Margins,
) -> tuple[Match, ...]:
    scores = np.zeros((len(free), len(fields)))
    units = np.full(scores.shape, AS_IS, dtype=object)
    for place, column in enumerate(fields):
        values = column.at(pairing.positions)
        for row, at in enumerate(free):
            if _same_order(leaked[at].numbers[pairing.rows], values):
                fitted = _fit(leaked[at], column, pairing, margins)
                if fitted is not None:
                    units[row, place] = fitted
                    scores[row, place] = _closeness(leaked[at], column, fitted, pairing)
    return tuple(Match(free[row], fields[place].field.name, units[row, place], float(scores[row, place]))
                 for row, place in assigned(scores))  # fmt: skip


def _same_order(shown: NDArray[np.float64], values: NDArray[np.float64]) -> bool:
    both = np.isfinite(shown) & np.isfinite(values)
    if both.sum() < _FEWEST or np.ptp(shown[both]) == 0 or np.ptp(values[both]) == 0:
        return False
    ranks = np.argsort(np.argsort(shown[both])), np.argsort(np.argsort(values[both]))
    return bool(abs(np.corrcoef(*ranks)[0, 1]) >= _SAME_ORDER)


def _closeness(shown: LeakedColumn, column: NumberColumn, unit: Conversion, pairing: Pairing) -> float:
    """Nats of a fitted unit: rows times the log of spread over residual; negative where it is not tight."""
    residual = unit.to_field(shown.numbers[pairing.rows]) - column.at(pairing.positions)
    known = residual[np.isfinite(residual)]
    values = column.at(pairing.positions)
    ratio = np.median(np.abs(known)) / max(np.nanstd(values), 1e-300)
    return float(-len(known) * np.log(max(ratio, 1e-6))) if ratio < _TIGHT else 0.0


def _fit(shown: LeakedColumn, column: NumberColumn, pairing: Pairing, margins: Margins) -> Conversion | None:
    """Fit leaked = factor x value + offset robustly; None where too few rows tell."""
    leaked, values = shown.numbers[pairing.rows], column.at(pairing.positions)
    both = np.isfinite(leaked) & np.isfinite(values)
    line = _line(values[both], leaked[both])
    if line is None:
        return None
    factor, offset = line
    nominal = [unit for unit in conversions_of(column.field) if abs(unit.factor / factor - 1) < 10 * _SNAP]
    fitted = Conversion(f"times {factor:.6g}" + (f" plus {offset:.4g}" if offset else ""), factor, offset)
    slack = margins.slack(column, values[both], shown.grid / abs(factor)) + 1e-6 / column.scale
    best = max([*nominal, fitted], key=lambda unit: (_within(unit, leaked[both], values[both], slack), unit in nominal))
    return replace(best, fitted=True)


def _within(
    unit: Conversion, leaked: NDArray[np.float64], values: NDArray[np.float64], slack: NDArray[np.float64]
) -> int:
    return int(np.count_nonzero(np.abs(unit.to_field(leaked) - values) <= slack))


def _line(values: NDArray[np.float64], leaked: NDArray[np.float64]) -> tuple[float, float] | None:
    """Fit a line through most of the points: median of pairwise slopes, then least squares on what lies near it.

    Source: Theil (1950), Sen (1968). The offset is 0 where a line through the origin fits as well.
    """
    first, second = np.triu_indices(len(values), k=1)
    apart = values[first] != values[second]
    if len(values) < _FEWEST or not apart.any():
        return None
    slope = np.median((leaked[first] - leaked[second])[apart] / (values[first] - values[second])[apart])
    offset = np.median(leaked - slope * values)
    residual = np.abs(leaked - slope * values - offset)
    near = residual <= _STRAY_SCALES * max(float(np.median(residual)), 1e-12 * float(np.abs(leaked).max()))
    if near.sum() < _FEWEST or np.ptp(values[near]) == 0 or slope == 0:
        return None
    slope, offset = np.polyfit(values[near], leaked[near], 1)
    ratio = float(np.median(leaked[near] / values[near])) if np.all(values[near] != 0) else slope
    straight = np.abs(leaked - ratio * values)[near]
    if np.median(straight) <= 1.5 * np.median(np.abs(leaked - slope * values - offset)[near]) + 1e-12:
        return float(ratio), 0.0
    return float(slope), float(offset)
