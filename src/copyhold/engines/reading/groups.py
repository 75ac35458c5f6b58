"""Which leaked rows are read together, and which participants they may be of.

Leaked rows whose best participant is the same form one group, over all leaked tables; a participant is a candidate of
one group at most, the one with the larger weight, and elsewhere its weight passes to nobody. In a table with one row
a participant a group is then the leaked rows of one master row. Weights come from the scores of the alignment, hence
from leak and master alone.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from copyhold.engines.matching.index import TableIndex
from copyhold.engines.reading.sighting import SightedTable

_FAR = 12.0  # nats behind the best at which a row is no candidate: e^-12 of the weight
_LEAST_NEUTRAL, _MOST_NEUTRAL = 0.005, 0.5  # weight that a group comes from nobody who was found


@dataclass(frozen=True)
class Line:
    """One leaked row seen as one master row: leaked table, leaked row, position in the master's table, score."""

    leaf: int
    row: int
    position: int
    score: float


@dataclass(frozen=True)
class Candidate:
    """A participant that a group may be of, the weight of that, and the lines that say so."""

    participant: int
    weight: float
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class Group:
    """Leaked rows, as (leaked table, row), and the candidates, the best first; `neutral` is nobody's weight."""

    rows: tuple[tuple[int, int], ...]
    neutral: float
    candidates: tuple[Candidate, ...]


def groups_of(tables: Sequence[SightedTable], indexes: Mapping[int, TableIndex]) -> tuple[Group, ...]:
    """Group the aligned rows of all leaked tables; rows that do not align above decoys are in no group."""
    together: dict[int, list[dict[int, Line]]] = {}
    leads: dict[int, list[float]] = {}
    for leaf, table in enumerate(tables):
        for seen in _aligned(leaf, table, indexes[table.number]):
            best = max(seen, key=lambda participant: (seen[participant].score, -participant))
            together.setdefault(best, []).append(seen)
            leads.setdefault(best, []).append(seen[best].score - table.match.bar)
    return _each_once([_group(rows, max(leads[best])) for best, rows in together.items()])


def _aligned(leaf: int, table: SightedTable, index: TableIndex) -> Iterator[dict[int, Line]]:
    """Yield each aligned row with its best line of every participant that is not far behind."""
    alignment = table.match.alignment
    for row in np.flatnonzero(table.match.aligned).tolist():
        positions, scores = alignment.positions[row], alignment.scores[row]
        near = (positions >= 0) & (scores >= scores[0] - _FAR)
        seen: dict[int, Line] = {}
        for position, score in zip(positions[near].tolist(), scores[near].tolist(), strict=True):
            seen.setdefault(int(index.participants[position]), Line(leaf, row, position, score))
        yield seen


def _group(rows: Sequence[dict[int, Line]], lead: float) -> Group:
    """Weigh the candidates of some rows by how well all of the rows agree with them."""
    known = list(dict.fromkeys(participant for seen in rows for participant in seen))
    worst = [min(line.score for line in seen.values()) - _FAR for seen in rows]
    scores = np.array(
        [
            sum(seen[one].score if one in seen else least for seen, least in zip(rows, worst, strict=True))
            for one in known
        ]
    )
    shares = np.exp(scores - scores.max())
    neutral = float(np.clip(1 / (1 + np.exp(min(lead, 50.0))), _LEAST_NEUTRAL, _MOST_NEUTRAL))
    weights = (1 - neutral) * shares / shares.sum()
    candidates = [
        Candidate(one, float(weights[place]), tuple(seen[one] for seen in rows if one in seen))
        for place, one in enumerate(known)
        if scores[place] >= scores.max() - _FAR
    ]
    shown = tuple((line.leaf, line.row) for line in (next(iter(seen.values())) for seen in rows))
    return _weighed(shown, sorted(candidates, key=lambda one: (-one.weight, one.participant)))


def _weighed(rows: tuple[tuple[int, int], ...], candidates: Sequence[Candidate]) -> Group:
    return Group(rows, 1.0 - sum(one.weight for one in candidates), tuple(candidates))


def _each_once(groups: Sequence[Group]) -> tuple[Group, ...]:
    """Leave each participant to the group where its weight is larger, the first of equals."""
    owner: dict[int, tuple[float, int]] = {}
    for number, group in enumerate(groups):
        for one in group.candidates:
            owner[one.participant] = max(owner.get(one.participant, (-1.0, 0)), (one.weight, -number))
    return tuple(
        _weighed(group.rows, [one for one in group.candidates if owner[one.participant] == (one.weight, -number)])
        for number, group in enumerate(groups)
    )
