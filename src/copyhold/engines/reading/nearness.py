"""Candidates of leaked rows weighed once more by the plan: a marked cell shows one of two values, not any between them.

Rows are aligned within windows as wide as marks may move a value. Where few columns are left, or marks are large, many
master rows lie in all windows of a leaked one, and none stands out above decoys. The plan narrows a window to the two
members of each row's own pair. A leaker may have merged or disturbed values, so a value is thought to be a member with
chance one half, and to lie anywhere in the window otherwise. Decoys are weighed alike, each value by the pair of the
person that it was dealt from, so that the bar stands for the same rate of false matches. No key is asked.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from copyhold.engines.marks.cells import cells
from copyhold.engines.matching.columns import Match
from copyhold.engines.matching.decoy import Deal
from copyhold.engines.matching.index import NumberColumn
from copyhold.engines.matching.leaked import LeakedColumn
from copyhold.engines.matching.rows import Alignment
from copyhold.engines.matching.tables import TableMatch
from copyhold.engines.reading.master import Master

_MEMBER = 0.5  # chance that a value in its window is a member of the pair
_ENOUGH = 0.9  # share of rows that are told beyond doubt at which nothing is weighed again
_LEAD = 12.0  # nats by which the best candidate of such a row leads the next
_NOWHERE = -1e6  # nats of a candidate that there is not
_FINEST = 1e-3  # least width of a value, in steps

Floats = NDArray[np.float64]


def nearer(columns: Sequence[LeakedColumn], match: TableMatch, master: Master, number: int) -> TableMatch:
    """Weigh the candidates of every row again where many rows do not align, or have more than one likely candidate."""
    marked = [one for one in match.matches if _is_read_as_written(one, match, master, number)]
    if not marked or np.mean(match.aligned & (_leads(match.alignment) >= _LEAD)) >= _ENOUGH:
        return match
    weigh = _Weigh(columns, tuple(marked), match, master, number)
    return replace(
        match,
        alignment=weigh.again(match.alignment, np.arange(len(match.alignment.scores)), None),
        decoys=tuple(replace(one, alignment=weigh.again(one.alignment, one.rows, one.dealt)) for one in match.decoys),
    )


def _leads(alignment: Alignment) -> Floats:
    return np.maximum(alignment.scores[:, 0], _NOWHERE) - np.maximum(alignment.scores[:, 1], _NOWHERE)


def _is_read_as_written(one: Match, match: TableMatch, master: Master, number: int) -> bool:
    noise = match.margins.noise
    quiet = noise.get(one.field, noise.get("", 0.0)) == 0.0
    return quiet and one.conversion.exact and master.plan.column(number, one.field) is not None


@dataclass(frozen=True)
class _Weigh:
    columns: Sequence[LeakedColumn]
    marked: tuple[Match, ...]
    match: TableMatch
    master: Master
    number: int

    def again(self, alignment: Alignment, rows: NDArray[np.int64], dealt: Mapping[str, Deal] | None) -> Alignment:
        """Add what the pairs say to the scores of leaked `rows`, and put the best candidate first."""
        scores, found = alignment.scores.copy(), alignment.positions >= 0
        for one in self.marked:
            persons = np.maximum(alignment.positions, 0)
            persons = persons if dealt is None else dealt[one.field].persons(persons)
            scores += np.where(found, self._gain(one, rows, persons), 0.0)
        order = np.argsort(-scores, axis=1, kind="stable")
        return Alignment(
            np.take_along_axis(alignment.positions, order, axis=1), np.take_along_axis(scores, order, axis=1)
        )

    def _gain(self, one: Match, rows: NDArray[np.int64], persons: NDArray[np.int64]) -> Floats:
        field = self.master.indexes[self.number][one.field]
        if not isinstance(field, NumberColumn):
            raise TypeError("only number fields are marked")
        leaked = self.columns[one.leaked]
        shown = one.conversion.to_field(leaked.numbers[rows])[:, None]
        step = self.match.margins.steps.get(one.field, 0.0)
        width = max(leaked.grid / abs(one.conversion.factor), _FINEST * step)
        low, high = self._pairs(one.field, persons)
        member = np.minimum(np.abs(shown - low), np.abs(shown - high)) <= width / 2 + 1e-6 / field.scale
        inside = np.abs(shown - field.at(persons)) <= step + width / 2 + 1e-6 / field.scale
        share = min(1.0, 2 * width / (2 * step + width))  # of the window that the two members cover
        gain = np.where(member, np.log(_MEMBER / share + 1 - _MEMBER), np.log(1 - _MEMBER))
        return np.where(inside, gain, 0.0)

    def _pairs(self, name: str, positions: NDArray[np.int64]) -> tuple[Floats, Floats]:
        distinct, place = np.unique(positions, return_inverse=True)
        read = self.master.block(self.number, distinct, [name])
        found = cells(self.master.plan, self.master.plan_key, read, [name])[name]
        place = place.reshape(positions.shape)
        return found.natural(found.low)[place], found.natural(found.high)[place]
