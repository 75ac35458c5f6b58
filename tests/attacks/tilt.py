"""Draws of an innocent's marks that come near the evidence's large values, weighted back to their own law.

The fitted laws are computed by `plain`, not by the scorer under test, so that a broken scorer cannot hide itself.
"""

import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from copyhold.engines.reading.readings import CELL, KINDS, Alternative, Reading
from copyhold.engines.tracing.casefile import hypothesis_document, reading_document
from copyhold.engines.tracing.hypotheses import prior
from copyhold.engines.tracing.parties import Seen, StatedParties, cells_of
from tests.attacks import plain

if TYPE_CHECKING:
    from tests.attacks.instrument import Instrument

Numbers = NDArray[Any]
PERIOD = 31  # K of the parties drawn
SPACE = 9_000_000  # N of the parties drawn
RELEASED = 50  # n of each of them


@dataclass(frozen=True)
class Tilt:
    """Readings, and marks of innocents drawn half by their own law P and half by the laws Q that fit the readings.

    The first alternative has all that the others have; they may lack all cells, all ids or all dates, and nothing else.
    """

    alternatives: tuple[Alternative, ...]
    seed: int = 0

    @staticmethod
    def of(reading: Reading, seed: int = 0) -> "Tilt":
        return Tilt((Alternative(1.0, reading),), seed)

    def __post_init__(self) -> None:
        for one in self.alternatives[1:]:
            bare = (*CELL, "observation_cell", "observation", "id_candidate", "id_value", "loose_id")
            bare += ("date_candidate", "date_unit", "date_shift")
            same = [name for name in KINDS if name not in bare or len(getattr(one.reading, name))]
            assert all(np.array_equal(getattr(one.reading, name), getattr(self.reading, name)) for name in same)

    @property
    def reading(self) -> Reading:
        return self.alternatives[0].reading

    @property
    def uses_ids(self) -> bool:
        return len(self.reading.id_value) + len(self.reading.loose_id) > 0

    def draw(self, instrument: "Instrument", wanted: int) -> tuple[Numbers, Numbers]:
        """Return ln E by the instrument and dP/dQ of each draw."""
        rng = np.random.default_rng(self.seed)
        fitted = rng.random(wanted) < 0.5
        which = rng.choice(len(self.hypotheses), wanted, p=[one["weight"] for one in self.hypotheses])
        weights = np.array([one.weight for one in self.alternatives])
        way = rng.choice(len(weights), wanted, p=weights / weights.sum())
        source = self._sources(which, fitted, rng)
        marks = _Marks(
            bits=self._bits(which, source & self._shows("row")[way][:, None], rng),
            ids=self._ids(which, source & self._shows("id_value")[way][:, None], rng),
            loose=self._loose(which, fitted & self._shows("loose_id")[way], rng),
            moves=self._moves(which, source & self._shows("date_unit")[way][:, None], rng),
        )
        evidence = instrument.log_evidence(self.alternatives, self._parties(marks), prior())
        ways = [np.log(one.weight / weights.sum()) + self._log_ratio(marks, one.reading) for one in self.alternatives]
        return evidence, 2 / (1 + np.exp(np.logaddexp.reduce(ways, axis=0)))

    def _shows(self, name: str) -> Numbers:
        return np.array([len(getattr(one.reading, name)) > 0 for one in self.alternatives])

    @cached_property
    def hypotheses(self) -> list[dict[str, Any]]:
        return [hypothesis_document(one) for one in prior()]

    @cached_property
    def factors(self) -> Numbers:
        """Return log L/Lbar, shape (hypotheses, cells, 2), from the plain formulas."""
        reading = reading_document(self.reading)
        cells = [list(one) for one in zip(reading["table"], reading["row"], reading["column"], strict=True)]
        case = {"cells": cells, "seen": []}
        laws: dict[str, Any] = {}
        for one in self.hypotheses:
            laws.setdefault(str(one | {"share": 0, "weight": 0}), plain.log_factors(case, reading, one))
        return np.array([laws[str(one | {"share": 0, "weight": 0})] for one in self.hypotheses])

    @cached_property
    def p(self) -> Numbers:
        return self.reading.threshold / plain.SPACE

    @cached_property
    def own(self) -> Numbers:
        return np.array([(1 - one["background"]) / one["colluders"] for one in self.hypotheses])

    def _sources(self, which: Numbers, fitted: Numbers, rng: np.random.Generator) -> Numbers:
        """Return for each draw and candidate whether its marks follow the fitted law."""
        share = np.array([one["share"] for one in self.hypotheses])[which]
        source = np.zeros((len(which), len(self.reading.candidate_row)), dtype=bool)
        for group in range(len(self.reading.neutral)):
            members = np.flatnonzero(self.reading.candidate_group == group)
            edges = np.cumsum(self.reading.candidate_weight[members])
            chosen = np.searchsorted(edges, rng.random(len(which)))  # beyond the last: from no candidate
            inside = fitted & (rng.random(len(which)) < share) & (chosen < len(members))
            source[np.flatnonzero(inside), members[np.minimum(chosen, len(members) - 1)][inside]] = True
        return source

    def _bits(self, which: Numbers, source: Numbers, rng: np.random.Generator) -> Numbers:
        tilted = self.p * np.exp(self.factors[:, :, 1])
        chance = np.where(source[:, self.reading.cell_candidate], tilted[which], self.p)
        return rng.random(chance.shape) < chance

    def _ids(self, which: Numbers, source: Numbers, rng: np.random.Generator) -> Numbers:
        own = np.where(source[:, self.reading.id_candidate], self.own[which][:, None], 0)
        return rng.random(own.shape) < own + (1 - own) / SPACE

    def _moves(self, which: Numbers, source: Numbers, rng: np.random.Generator) -> Numbers:
        own = np.where(source[:, self.reading.date_candidate], self.own[which][:, None], 0)
        return rng.random(own.shape) < own + (1 - own) / PERIOD

    def _loose(self, which: Numbers, fitted: Numbers, rng: np.random.Generator) -> Numbers:
        share = np.array([one["share"] for one in self.hypotheses])
        own = np.where(fitted, (share * self.own)[which], 0)[:, None]
        chance = own + (1 - own) * RELEASED / SPACE
        return rng.random((len(which), len(self.reading.loose_id))) < chance

    def _log_ratio(self, marks: "_Marks", shown: Reading) -> Numbers:
        """Return log of the probability of each draw by the laws fitted to a reading, over P's."""
        terms = [
            math.log(one["weight"]) + self._log_product(number, one["share"], marks, shown)
            for number, one in enumerate(self.hypotheses)
        ]
        return np.logaddexp.reduce(terms, axis=0)

    def _log_product(self, number: int, share: float, marks: "_Marks", shown: Reading) -> Numbers:
        factor, own, bits = self.factors[number], self.own[number], marks.bits
        cells = np.where(bits, factor[:, 1], factor[:, 0]) * bool(len(shown.row))
        candidates = np.zeros((len(bits), len(self.reading.candidate_row)))
        for candidate in range(candidates.shape[1]):
            candidates[:, candidate] = cells[:, self.reading.cell_candidate == candidate].sum(axis=1)
        for hits, owner, space in (
            (marks.ids, shown.id_candidate, SPACE),
            (marks.moves, shown.date_candidate, PERIOD),
        ):
            # Drawn by a law with own share a, a hit has probability a + (1-a)/N against 1/N, a miss 1-a against 1.
            if len(owner):
                candidates[:, owner] += _log_drawn(hits, own, space)
        total = np.zeros(len(bits))
        if len(shown.loose_id):
            total += _log_drawn(marks.loose, share * own, SPACE / RELEASED).sum(axis=1)
        for group, neutral in enumerate(self.reading.neutral):
            members = np.flatnonzero(self.reading.candidate_group == group)
            weights = np.log(np.append(share * self.reading.candidate_weight[members], 1 - share + share * neutral))
            logs = np.concatenate([candidates[:, members], np.zeros((len(bits), 1))], axis=1)
            total += np.logaddexp.reduce(logs + weights, axis=1)
        return total

    def _parties(self, marks: "_Marks") -> StatedParties:
        count, reading, bits, ids, moves = len(marks.bits), self.reading, marks.bits, marks.ids, marks.moves
        pairs = zip(reading.participant[reading.id_candidate].tolist(), reading.id_value.tolist(), strict=True)
        return StatedParties(
            id_space=SPACE,
            released=np.full(count, RELEASED),
            shifts=np.full(count, PERIOD),
            cells=cells_of(reading),
            cell_bits=bits,
            cell_held=np.ones_like(bits),
            id_pairs=tuple(pairs),
            id_seen=Seen(ids, np.ones_like(ids)),
            loose=tuple(reading.loose_id.tolist()),
            loose_hit=marks.loose,
            moves=tuple(zip(reading.date_unit.tolist(), reading.date_shift.tolist(), strict=True)),
            moves_seen=Seen(moves, np.ones_like(moves)),
        )


@dataclass(frozen=True)
class _Marks:
    """Drawn marks: bool (draws, cells), (draws, ids), (draws, loose ids), (draws, shifts)."""

    bits: Numbers
    ids: Numbers
    loose: Numbers
    moves: Numbers


def _log_drawn(hits: Numbers, own: float, space: float) -> Numbers:
    return np.where(hits, np.log(own * space + 1 - own), np.log1p(-own))
