"""A leaked table matched to a table of a version: columns, units, noise and rows, found together.

Columns are matched by distribution first, which with ten rows leaves doubts; rows are aligned with whatever fits; what
the aligned rows show settles the columns; and so on. Several starts are tried on a sample of rows: other units taken as
rare or as common, doubtful columns given several fields or one, values as they are or with noise. A start is judged by
how far the leaked rows stand out above the best rows of a decoy (see `decoy`), hence by leak and master alone.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from copyhold.engines.matching.codings import codings
from copyhold.engines.matching.columns import Affinity, Match, affinity
from copyhold.engines.matching.decoy import Deal, deals
from copyhold.engines.matching.index import NumberColumn, TableIndex
from copyhold.engines.matching.leaked import LeakedColumn
from copyhold.engines.matching.margins import Margins, tolerance
from copyhold.engines.matching.rows import Alignment, Probe, align
from copyhold.engines.matching.votes import Pairing, fit_units, vote

NOISE_LEVELS = (0.0, 0.03, 0.1, 0.3, 1.0, 3.0)  # standard deviations of added noise, in tolerances
_TRIED_NOISE = (0.0, 0.3, 1.0)
_PRICES = (3.0, 1.0)  # other units taken as rare, and as common
_SAMPLE = 24  # rows on which a start is tried
_HANDFUL = 3  # rows, up to which every start is settled, as any of them may look sure
_ROUNDS = 3  # times that rows and columns settle each other
_CLEAR = 8.0  # nats by which a row stands out beyond doubt
_MOST = 0.5  # share of rows standing out at which no other start is tried
_SURE_LEAD, _SURE_ERRORS = 2.0, 5.0  # nats, and standard errors, of a lead after which no more noise is tried
_CLIP = 20.0  # nats beyond which a row's lead says no more about a start
_DECOYS = 200  # decoy scores from which a false-match rate of 1 % is told
FALSE_MATCHES = 0.01  # share of decoy rows that may count as aligned
_FEWEST_ALIGNED = 4  # aligned rows that settle the columns again
_FEW_VALUES = 8  # residuals from which a column's own noise is told
_STRAY, _STRAY_RANGE = 0.02, 40.0  # share and range, in tolerances, of values that no noise level explains
_NOWHERE = -1e6  # nats of a row without candidates
_NOTHING = 1e-6  # tolerances: binary noise


@dataclass(frozen=True)
class Decoy:
    """Some leaked `rows` aligned to rows of a decoy that was dealt so."""

    rows: NDArray[np.int64]
    alignment: Alignment
    dealt: Mapping[str, Deal]


@dataclass(frozen=True)
class TableMatch:
    """What was found. `alignment` has a row for each leaked row; `decoys` are what rows of decoys came to.

    `margins` are the windows with which the rows were aligned; `bar` the score that at most 1 % of decoy rows reach.
    """

    matches: tuple[Match, ...]
    margins: Margins
    alignment: Alignment
    decoys: tuple[Decoy, ...]

    @cached_property
    def decoy_scores(self) -> NDArray[np.float64]:
        """Best scores of leaked rows among rows of decoys."""
        return np.concatenate([np.empty(0), *(one.alignment.best for one in self.decoys)])

    @cached_property
    def bar(self) -> float:
        """The score above which a row counts as aligned."""
        if not self.decoy_scores.size:
            return np.inf
        return float(np.quantile(self.decoy_scores, 1 - FALSE_MATCHES, method="higher"))

    @property
    def aligned(self) -> NDArray[np.bool_]:
        """Which leaked rows count as aligned."""
        return np.asarray(self.alignment.best > self.bar)


def match_table(leaked: Sequence[LeakedColumn], index: TableIndex, steps: Mapping[str, float]) -> TableMatch:
    """Match a leaked table to the master: its columns to fields with their units, its rows to rows.

    `steps` is by field the greatest distance between the members of a marked pair, 0 or absent where none are marked.
    """
    first = affinity(leaked, index)
    sample = _sampled(leaked, _fullest(leaked))
    start = _best_start(sample, index, first, steps)
    if start is None:
        return _nothing(leaked, steps)
    found = _aligned(leaked, index, *_settled(sample, index, first, start))
    if start.outstanding.mean() <= _MOST and np.count_nonzero(found.aligned) >= _FEWEST_ALIGNED:
        found = _settled_again(leaked, index, first, found, steps)
    return replace(found, matches=_with_codings(leaked, index, found))


def _aligned(
    leaked: Sequence[LeakedColumn], index: TableIndex, matches: tuple[Match, ...], margins: Margins
) -> TableMatch:
    alignment = align(_probes(leaked, index, matches, margins))
    return TableMatch(matches, margins, alignment, _decoys(leaked, index, matches, margins))


def _settled_again(
    leaked: Sequence[LeakedColumn], index: TableIndex, first: Affinity, found: TableMatch, steps: Mapping[str, float]
) -> TableMatch:
    """Let the rows that align settle columns, units and noise, where few rows of the first sample did.

    Of a leak that is mostly other people's rows the first sample may hold few that are in the master, and what few rows
    settled may be wrong in a way that holds itself up: the rows that align are a leak of their own, begun anew.
    """
    surest = np.argsort(-found.alignment.best, kind="stable")[: np.count_nonzero(found.aligned)][:_SAMPLE]
    sample = _sampled(leaked, np.sort(surest))
    starts = [_tried(sample, index, found.matches, found.margins), _best_start(sample, index, first, steps)]
    start = max((one for one in starts if one), key=lambda one: float(one.leads.sum()))
    again = _aligned(leaked, index, *_settled(sample, index, first, start))
    return max(found, again, key=_agreement)


def _agreement(found: TableMatch) -> float:
    """Tell by how many nats rows stand above the bar: a false match adds few, a column lost takes some of every row."""
    return float(found.alignment.best[found.aligned].sum() - found.bar * np.count_nonzero(found.aligned))


def _with_codings(leaked: Sequence[LeakedColumn], index: TableIndex, found: TableMatch) -> tuple[Match, ...]:
    """Match columns of codes too; a coding that holds is believed before a unit that no table lists."""
    rows = np.flatnonzero(found.aligned)
    sure = [match for match in found.matches if not match.conversion.fitted]
    coded = codings(leaked, index, sure, rows, found.alignment.positions[rows, 0], found.margins.steps)
    used = {match.leaked for match in coded} | {match.field for match in coded}
    return (*(one for one in found.matches if one.leaked not in used and one.field not in used), *coded)


@dataclass(frozen=True)
class _Start:
    """Probable matches with the windows they were tried with, and the rows that they put forward."""

    matches: tuple[Match, ...]
    margins: Margins
    alignment: Alignment
    decoys: NDArray[np.float64]

    @property
    def lead(self) -> float:
        """Mean nats by which rows lead the decoy, the sum being clipped so that no row speaks for all."""
        return float(self.leads.clip(-_CLIP, _CLIP).mean())

    @property
    def leads(self) -> NDArray[np.float64]:
        """Nats by which each row leads the decoy; 0 where neither has any candidate."""
        return np.asarray(np.maximum(self.alignment.best, _NOWHERE) - np.maximum(self.decoys, _NOWHERE))

    @property
    def sure(self) -> bool:
        """Whether the lead is beyond luck."""
        leads = self.leads.clip(-_CLIP, _CLIP)
        return self.lead > _SURE_LEAD and self.lead > _SURE_ERRORS * float(leads.std()) / np.sqrt(len(leads))

    @property
    def outstanding(self) -> NDArray[np.bool_]:
        """Rows that stand out above every decoy row."""
        return np.asarray(self.alignment.best > self.decoys.max() + _CLEAR)

    @property
    def pairing(self) -> Pairing:
        """Rows and their best master rows, the surest first; only those that stand out where there are some."""
        order = np.argsort(-self.leads, kind="stable")
        if self.trusted:
            order = order[self.outstanding[order]]
        found = self.alignment.positions[order, 0]
        return Pairing(order[found >= 0], found[found >= 0])

    @property
    def trusted(self) -> bool:
        """Whether rows enough stand out to be relied on."""
        return int(self.outstanding.sum()) >= 2


def _best_start(
    leaked: Sequence[LeakedColumn], index: TableIndex, first: Affinity, steps: Mapping[str, float]
) -> _Start | None:
    if leaked and leaked[0].rows <= _HANDFUL:
        return _surest_settled(leaked, index, first, steps)
    best: _Start | None = None
    for noise in _TRIED_NOISE:
        for matches in _hypotheses(first):
            tried = _tried(leaked, index, matches, Margins(steps, {"": noise}))
            if best is None or tried.lead > best.lead:
                best = tried
            if best.outstanding.mean() > _MOST:
                return best
        if best is not None and best.sure:
            return best
    return best


def _surest_settled(
    leaked: Sequence[LeakedColumn], index: TableIndex, first: Affinity, steps: Mapping[str, float]
) -> _Start | None:
    """Settle every start, and give what leads the decoy by most: one row fits somebody under many wrong columns."""
    ways = [(matches, Margins(steps, {"": noise})) for noise in _TRIED_NOISE for matches in _hypotheses(first)]
    settled = [_settled(leaked, index, first, _tried(leaked, index, *way)) for way in ways]
    tried = [_tried(leaked, index, *one) for one in settled if one[0]]
    return max(tried, key=lambda one: float(one.leads.sum()), default=None)


def _hypotheses(first: Affinity) -> Iterable[tuple[Match, ...]]:
    priced = [first.at_price(price) for price in _PRICES]
    tried = [way for one in priced for way in (one.matches(), one.plausible())]
    return {tuple((m.leaked, m.field, m.conversion) for m in way): way for way in tried if way}.values()


def _tried(leaked: Sequence[LeakedColumn], index: TableIndex, matches: tuple[Match, ...], margins: Margins) -> _Start:
    probes = _probes(leaked, index, matches, margins)
    decoys = align(probes, dealt=_dealt(index, matches, 0)).best
    return _Start(matches, margins, align(probes), decoys)


def _settled(
    leaked: Sequence[LeakedColumn], index: TableIndex, first: Affinity, start: _Start
) -> tuple[tuple[Match, ...], Margins]:
    for _ in range(_ROUNDS):
        pairing, trust = start.pairing, 0.95 if start.trusted else 0.5
        matches = vote(leaked, index, first, pairing, start.margins, trust=trust).matches()
        margins = start.margins
        if start.trusted:
            matches = fit_units(leaked, index, matches, pairing, margins)
            margins = Margins(margins.steps, _noise(leaked, index, matches, pairing, margins))
        if not matches or (matches, margins.noise) == (start.matches, start.margins.noise):
            break
        again = _tried(leaked, index, matches, margins)
        if again.lead < start.lead - 1e-9 and again.outstanding.sum() < start.outstanding.sum():
            break
        start = again
    return _one_field_each(start.matches), start.margins


def _one_field_each(matches: Sequence[Match]) -> tuple[Match, ...]:
    """Drop alternatives: a column keeps its best field, a field its best column."""
    kept: list[Match] = []
    for match in sorted(matches, key=lambda one: -one.support):
        if all(match.leaked != other.leaked and match.field != other.field for other in kept):
            kept.append(match)
    return tuple(sorted(kept, key=lambda one: one.leaked))


def _noise(
    leaked: Sequence[LeakedColumn], index: TableIndex, matches: Sequence[Match], pairing: Pairing, margins: Margins
) -> dict[str, float]:
    """The likeliest noise level of each matched number column; the common one where few values tell."""
    quiet = Margins(margins.steps)
    fits: dict[str, NDArray[np.float64]] = {}
    for match in matches:
        column = index[match.field]
        if isinstance(column, NumberColumn) and column.field.tolerance is not None:
            fits[match.field] = _fits(quiet.probe(leaked, match, index), column, pairing)
    common = np.sum([*map(_total, fits.values()), np.zeros(len(NOISE_LEVELS))], axis=0)
    return {"": NOISE_LEVELS[int(common.argmax())]} | {
        field: NOISE_LEVELS[int((_total(fit) if len(fit) >= _FEW_VALUES else common).argmax())]
        for field, fit in fits.items()
    }


def _total(fit: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(fit.sum(axis=0))


def _fits(probe: Probe, column: NumberColumn, pairing: Pairing) -> NDArray[np.float64]:
    """The log-likelihood of each residual, in tolerances, at each noise level, shape (residuals, levels)."""
    shown = probe.values[pairing.rows]
    scale = tolerance(column, shown)
    distance = np.abs(shown - column.at(pairing.positions)) / scale
    core = probe.slack[pairing.rows] / scale
    known = np.isfinite(distance) & (scale > 0)
    distance, core, sigma = distance[known, None], core[known, None], np.array(NOISE_LEVELS)[None, :]
    beyond = np.maximum(distance - core - _NOTHING, 0.0) / np.maximum(sigma, _NOTHING)
    flat = np.exp(-(beyond**2) / 2) / (2 * core + np.sqrt(2 * np.pi) * sigma + _NOTHING)
    return np.asarray(np.log((1 - _STRAY) * flat + _STRAY / _STRAY_RANGE))


def _decoys(
    leaked: Sequence[LeakedColumn], index: TableIndex, matches: Sequence[Match], margins: Margins
) -> tuple[Decoy, ...]:
    """Align leaked rows to rows of decoys: at least 200 times, with as many decoys as that takes."""
    rows = _evenly(leaked[0].rows, _DECOYS)
    probes = _probes(_sampled(leaked, rows), index, matches, margins)
    made = [_dealt(index, matches, number) for number in range(-(-_DECOYS // max(len(rows), 1)))]
    return tuple(Decoy(rows, align(probes, dealt=dealt), dealt) for dealt in made)


def _dealt(index: TableIndex, matches: Sequence[Match], number: int) -> Mapping[str, Deal]:
    return deals(index.version, index.rows, index.blocks, [match.field for match in matches], number)


def _probes(
    leaked: Sequence[LeakedColumn], index: TableIndex, matches: Sequence[Match], margins: Margins
) -> list[Probe]:
    return [margins.probe(leaked, match, index) for match in matches]


def _fullest(leaked: Sequence[LeakedColumn]) -> NDArray[np.int64]:
    """Up to 24 rows, evenly over the half of the leak that shows most values."""
    filled = sum(np.array([label is not None for label in column.labels]) for column in leaked)
    order = np.argsort(-np.asarray(filled), kind="stable")
    return order[_evenly(max(len(order) // 2, min(len(order), _SAMPLE)), _SAMPLE)]


def _evenly(rows: int, most: int) -> NDArray[np.int64]:
    return np.linspace(0, rows - 1, min(rows, most)).astype(np.int64)


def _sampled(leaked: Sequence[LeakedColumn], rows: NDArray[np.int64]) -> list[LeakedColumn]:
    return [column.taking(rows) for column in leaked]


def _nothing(leaked: Sequence[LeakedColumn], steps: Mapping[str, float]) -> TableMatch:
    rows = leaked[0].rows if leaked else 0
    return TableMatch((), Margins(steps), Alignment.empty(rows), ())
