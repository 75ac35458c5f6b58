"""Leaks of keyed parties, read without error: what a test of names, controls and case files starts from."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from copyhold.engines.marks.dates import ShiftLaw, shifts
from copyhold.engines.marks.keys import PartyKeys
from copyhold.engines.marks.permutation import FIFTEEN_DIGITS, permuted
from copyhold.engines.reading.readings import Channel, Reading
from copyhold.engines.tracing.parties import Cells, Facts, Holding, KeyedParties, control_parties

PEOPLE = np.arange(60, dtype=np.uint64)
WEEKS = ShiftLaw(21, weeks=True)
GAP = 0.1


@dataclass(frozen=True)
class Custody:
    """Parties with keys from a seed, all of whom held table 1."""

    keys: tuple[PartyKeys, ...]
    facts: tuple[Facts, ...]

    @property
    def parties(self) -> KeyedParties:
        return KeyedParties(self.keys, self.facts, FIFTEEN_DIGITS)

    def without(self, party: int) -> KeyedParties:
        kept = [one for one in range(len(self.keys)) if one != party]
        return self.parties.select(np.array(kept))

    def controls(self, count: int, seed: int = 99) -> KeyedParties:
        return control_parties(self.facts, FIFTEEN_DIGITS, count, np.random.default_rng(seed).bytes)


def custody(parties: int, seed: int = 0, **facts: Any) -> Custody:
    rng = np.random.default_rng([seed, parties])
    keys = tuple(PartyKeys(rng.bytes(32), rng.bytes(32), rng.bytes(32)) for _ in range(parties))
    one = replace(Facts((Holding(1),), PEOPLE), **facts)
    return Custody(keys, (one,) * parties)


def leak(
    world: Custody,
    leakers: Sequence[int],
    rows: int = 10,
    columns: int = 12,
    *,
    seed: int = 0,
    ids: int = 0,
    loose: int = 0,
    dates: int = 0,
    original: bool = False,
    doubtful: int = 0,
    averaged: bool = False,
    foreign: int = 0,
) -> Reading:
    """Mix the copies of the leakers cell by cell, or average them; where `original`, show the unmarked original.

    The first `foreign` rows show chance. The first rows show `ids` ids of the first leaker and `dates` of its shifts;
    `loose` more ids stand on no row.
    """
    rng = np.random.default_rng([seed, rows, columns])
    candidates = rows + doubtful
    owner = np.repeat(np.arange(candidates), columns)
    row = (owner + 1).astype(np.uint64)
    cells = len(row)
    column = np.tile(np.arange(columns), candidates).astype(np.uint32)
    threshold = np.where(rng.random(cells) < 0.5, 32768, rng.choice([2000, 9000, 50000], cells)).astype(np.uint16)
    address = Cells(np.ones(cells, dtype=np.uint16), row, column, threshold)
    low = np.round(5 + 0.1 * rng.integers(0, 20, cells), 1)
    original_high = rng.random(cells) < 0.5
    bits = world.parties.bits(address)[list(leakers)]
    shown = original_high if original else bits[rng.integers(0, len(leakers), cells), np.arange(cells)]
    shown = bits.mean(axis=0) if averaged else shown
    shown = np.where(row <= foreign, rng.random(cells) < 0.5, shown)
    # A doubtful group has a second candidate, of which it shows the same: a tie that only the marks tell apart.
    shown = shown[(owner % rows) * columns + np.arange(cells) % columns]
    low = low[(owner % rows) * columns + np.arange(cells) % columns]
    first = world.keys[leakers[0]] if leakers else world.keys[0]
    given = permuted([first.identifiers], np.arange(rows), FIFTEEN_DIGITS)[0]
    return Reading(
        neutral=np.full(rows, 0.05),
        candidate_group=np.arange(candidates) % rows,
        candidate_row=np.arange(candidates) + 1,
        participant=np.arange(candidates),
        candidate_weight=np.where(np.arange(candidates) < rows, 0.95 - 0.2 * (np.arange(candidates) < doubtful), 0.2),
        cell_candidate=owner,
        table=address.table,
        row=row,
        column=column,
        threshold=threshold,
        low=low,
        high=low + GAP,
        original_high=original_high,
        institution=np.zeros(cells, dtype=bool),
        channel=np.zeros(cells, dtype=int),
        observation_cell=np.arange(cells),
        observation=np.round(low + GAP * shown, 2),
        id_candidate=np.arange(ids),
        id_value=given[:ids],
        loose_id=given[ids : ids + loose],
        date_candidate=np.arange(dates),
        date_unit=np.arange(dates),
        date_shift=shifts(first.dates, np.arange(dates).astype(np.uint64), WEEKS),
        channels=(Channel("glucose", "GLU", GAP / (1 + averaged), (0.0, 0.003), (0.9, 0.1), width=8.0),),
    )
