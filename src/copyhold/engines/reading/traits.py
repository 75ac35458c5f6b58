"""What a leak shows of the release it was taken from: fields, people, version, order; each with its doubt.

The border: a matched table comes in (see `engines.matching.tables`), a `Sighting` goes out (see `signature`, which says
what a doubt is). Nothing here knows a key or a release.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy.stats import beta

from copyhold.engines.matching.columns import Affinity, Match, affinity
from copyhold.engines.matching.index import NumberColumn, TableIndex
from copyhold.engines.matching.leaked import LeakedColumn, LeakKind
from copyhold.engines.matching.rows import NOWHERE, Probe, nearness
from copyhold.engines.matching.tables import TableMatch
from copyhold.engines.matching.votes import Pairing, vote
from copyhold.engines.reading.signature import RATE, Sighting

_SLOPE = 0.5  # nats by which a false match gets rarer per nat of score: columns hang together, so not a whole one
_SURE_FIELD = 0.01  # doubt up to which a field's values are compared with versions
_TRUST = 0.95  # share of aligned rows thought to be right
_AGREE = 0.98  # chance that a true row's value agrees, as rows are aligned
_VOTERS = 60  # aligned rows that a column is judged on


def sighting(
    leaked: Sequence[LeakedColumn],
    match: TableMatch,
    aligned_to: TableIndex,
    versions: Mapping[int, TableIndex],
    *,
    habits: Mapping[str, tuple[str, float]] | None = None,
    whole: bool = False,
) -> Sighting:
    """Read what narrows a leak that was matched to `aligned_to`; its values are compared with each of `versions`.

    Rows with a second candidate about as good as the first do not count as aligned. `habits` and `whole` are what else
    is known of the file, as `Sighting` has them.
    """
    rate = false_match_rate(match)
    doubts = _doubts(match.alignment.scores, match, aligned_to, rate)
    rows = np.flatnonzero(doubts <= rate)
    places = match.alignment.positions[rows, 0]
    fields = _fields(leaked, match, aligned_to, rate)
    sure = [one for one in match.matches if fields[one.field] <= _SURE_FIELD]
    return Sighting(
        rows=leaked[0].rows if leaked else 0,
        columns=len(leaked),
        fields=fields,
        participants=aligned_to.participants[places],
        doubts=doubts[rows],
        false_match_rate=rate,
        versions=tuple(versions),
        agreements=_agreements(leaked, match, sure, rows, aligned_to.row_ids[places], versions),
        places=places,
        sorted_by_field=any(map(_is_sorted, leaked)),
        habits=habits or {},
        whole=whole,
    )


def false_match_rate(match: TableMatch) -> float:
    """Return the share of nobody's rows that may stand out above the bar, 0 where no decoy was made.

    Guarantee: it is too low with probability at most RATE = 0.005, if decoy rows score as nobody's rows do.
    Source: what exceeds the j-th largest of D follows Beta(j, D + 1 - j); Clopper and Pearson (1934).
    """
    decoys = match.decoy_scores
    above = int(np.count_nonzero(decoys >= match.bar))
    return float(beta.ppf(1 - RATE, above, len(decoys) + 1 - above)) if above else 0.0


def _doubts(scores: NDArray[np.float64], match: TableMatch, index: TableIndex, rate: float) -> NDArray[np.float64]:
    """Doubt the best candidate of each leaked row: that the row is nobody's, or another participant's.

    Nobody's rows that score x nats above the bar are taken to be exp(x / 2) times rarer than those at the bar. Among
    candidates the weights are their likelihoods, by `scores` as in the alignment.
    """
    doubts = np.ones(len(scores))
    rows = np.flatnonzero(scores[:, 0] > match.bar)
    above = scores[rows, 0] - match.bar
    who = index.participants[match.alignment.positions[rows]]
    odds = np.where(who == who[:, :1], 0.0, np.exp(scores[rows] - scores[rows, :1])).sum(axis=1)
    doubts[rows] = np.minimum(np.maximum(rate * np.exp(-_SLOPE * above), odds), 1.0)
    return doubts


def _fields(leaked: Sequence[LeakedColumn], match: TableMatch, index: TableIndex, rate: float) -> dict[str, float]:
    """Doubt each matched field: how far it leads chance and the column's next best field on aligned rows.

    A column is judged on rows that would be aligned had it disagreed: rows that were aligned because it agrees with a
    field would speak for that field, right or wrong. A column that most rows need stays doubtful.

    Source: a wrong field leads the right one by x nats with probability at most exp(-x) (Markov, as its likelihood
    ratio has mean 1); the union bound over all fields.
    """
    if not match.matches:
        return {}
    first = affinity(leaked, index)
    return {one.field: _field_doubt(leaked, match, index, first, one, rate) for one in match.matches}


def _field_doubt(
    leaked: Sequence[LeakedColumn], match: TableMatch, index: TableIndex, first: Affinity, one: Match, rate: float
) -> float:
    rows = np.flatnonzero(_doubts(_had_it_disagreed(leaked, match, index, one), match, index, rate) <= rate)
    voters = rows[np.linspace(0, len(rows) - 1, min(len(rows), _VOTERS)).astype(np.int64)]
    pairing = Pairing(voters, match.alignment.positions[voters, 0])
    alone, place = _column(first, one), first.fields.index(one.field)
    votes = vote([leaked[one.leaked]], index, alone, pairing, match.margins, trust=_TRUST).scores[0]
    lead = votes[place] - max(0.0, float(np.delete(votes, place).max(initial=0.0)))
    return float(min(1.0, len(votes) * np.exp(-lead)))


def _had_it_disagreed(
    leaked: Sequence[LeakedColumn], match: TableMatch, index: TableIndex, one: Match
) -> NDArray[np.float64]:
    """Give the scores of the alignment, less what each candidate owes to the column's agreement."""
    probe = match.margins.probe(leaked, one, index)
    places = np.maximum(match.alignment.positions, 0)
    closeness = nearness(probe, np.arange(len(places)), places)
    share = _share(probe)
    agreed = np.log(_AGREE / share) - np.log((1 - _AGREE) / (1 - share))
    owed = np.where(np.isfinite(closeness), np.maximum(agreed[:, None] + closeness, 0.0), 0.0)
    return np.asarray(match.alignment.scores - owed)


def _share(probe: Probe) -> NDArray[np.float64]:
    """The share of the master that agrees with each leaked row."""
    if isinstance(probe.column, NumberColumn):
        start, stop = probe.column.window(probe.values - probe.slack, probe.values + probe.slack)
        agreeing = stop - start
    else:
        agreeing = np.append(np.diff(probe.column.starts), 0)[np.nan_to_num(probe.values, nan=-1).astype(np.int64)]
    return np.clip((agreeing + 1) / (probe.column.rows + 1), None, 1 - 1e-9)


def _column(first: Affinity, one: Match) -> Affinity:
    """Take one leaked column alone, in the unit that the match found."""
    place, column = first.fields.index(one.field), [one.leaked]
    scores, units = first.scores[column], first.units[column]
    scores[0, place], units[0, place] = 0.0, one.conversion
    return replace(first, scores=scores, units=units, prices=first.prices[column])


def _agreements(
    leaked: Sequence[LeakedColumn],
    match: TableMatch,
    sure: Sequence[Match],
    rows: NDArray[np.int64],
    row_ids: NDArray[np.uint64],
    versions: Mapping[int, TableIndex],
) -> NDArray[np.int32]:
    """Count the cells of each aligned row that agree with each version, shape (aligned, versions)."""
    common = [one for one in sure if all(one.field in index for index in versions.values())]
    counts = np.zeros((len(rows), len(versions)), dtype=np.int32)
    for at, index in enumerate(versions.values()):
        places = _places(index, row_ids)
        here = places != NOWHERE
        for one in common:
            probe = match.margins.probe(leaked, one, index)
            counts[here, at] += np.isfinite(nearness(probe, rows[here], places[here, None])[:, 0])
    return counts


def _places(index: TableIndex, row_ids: NDArray[np.uint64]) -> NDArray[np.int64]:
    """Where rows stand in a version, by their lasting ids; NOWHERE where it does not have them."""
    order = np.argsort(index.row_ids, kind="stable")
    if not len(order):
        return np.full(len(row_ids), NOWHERE)
    at = order[np.minimum(np.searchsorted(index.row_ids, row_ids, sorter=order), len(order) - 1)]
    return np.where(index.row_ids[at] == row_ids, at, NOWHERE)


def _is_sorted(column: LeakedColumn) -> bool:
    """Whether a column that is not constant rises or falls over the rows of the file."""
    if column.kind is LeakKind.CATEGORY:
        shown = [str(label) for label in column.labels if label is not None]
        ascending = shown == sorted(shown) or shown == sorted(shown, reverse=True)
        return ascending and len(set(shown)) > 1
    steps = np.diff(column.numbers[np.isfinite(column.numbers)])
    return bool(np.any(steps != 0) and (np.all(steps >= 0) or np.all(steps <= 0)))
