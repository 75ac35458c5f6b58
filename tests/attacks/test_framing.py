"""Test 8 of the tracing design, section 11: to have an innocent named, or to get away by what the custody tells.

What a utility report gives away is attacked in tests/engines/marks/test_utility.py.
"""

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from numpy.typing import NDArray

from copyhold.engines.marks.cells import cells
from copyhold.engines.reading.readings import Alternative, Reading, with_cells
from copyhold.engines.tables.blocks import ROW, block
from copyhold.engines.tracing.hypotheses import prior
from copyhold.engines.tracing.naming import Attempt, Naming, name_institutions, name_parties
from copyhold.engines.tracing.parties import KeyedParties, Told, cells_of
from copyhold.engines.tracing.scoring import log_evidence
from tests.attacks import realm
from tests.attacks.realm import PLAN_KEY, Realm
from tests.attacks.sightings import Custody, custody, leak

Bits = NDArray[np.bool_]
TARGET, CELLS = 5, 64
FRAMED = 10.0  # ln E up to which a framing leak is no better than chance: the threshold of one party is at 21


def showing(bits: Bits, world: Custody) -> Reading:
    """Make a file of eight rows that shows these members of the plan's pairs."""
    asked = leak(world, [0], rows=8, columns=CELLS // 8, seed=77)
    return replace(asked, observation=np.round(np.where(bits, asked.high, asked.low), 2))


def door(world: Custody, number: int) -> Callable[[Reading], object]:
    """What the custody answers: the names, or that nobody is named."""
    controls = world.controls(8)
    return lambda asked: name_parties([Alternative(1.0, asked)], world.parties, controls, Attempt(number, 12))


def leaky(world: Custody) -> Callable[[Reading], object]:
    """A door that would answer one bit about a party that it does not name."""
    target = world.parties.select(np.array([TARGET]))
    return lambda asked: bool(log_evidence([Alternative(1.0, asked)], target, prior())[0] > 0)


def learned(ask: Callable[[Reading], object], world: Custody, queries: int) -> tuple[Bits, set[str]]:
    """Ask with one file after another, each a guess with a few cells, and believe whatever the answers tell apart."""
    rng = np.random.default_rng(3)
    guess = rng.random(CELLS) < 0.5
    answers = set()
    for query in range(queries):
        tried = guess.copy()
        tried[query % CELLS] = True
        shown = showing(tried, world)
        few = np.arange(CELLS) == query % CELLS if query < 2 * CELLS else rng.random(CELLS) < rng.random()
        few[query % CELLS] = True
        answer = ask(with_cells(shown, few))
        answers.add(repr(answer))
        if query < CELLS:
            guess[query % CELLS] = answer is True
        elif isinstance(answer, Naming) and answer.names:
            guess = tried
    return guess, answers


def framed(bits: Bits, world: Custody) -> float:
    target = world.parties.select(np.array([TARGET]))
    return float(log_evidence([Alternative(1.0, showing(bits, world))], target, prior())[0])


@pytest.mark.parametrize("queries", [130, pytest.param(10_000, marks=pytest.mark.attack)])
def test_queries_that_name_nobody_teach_nothing_to_who_wants_to_frame(queries: int) -> None:
    world, others = custody(12, 1), custody(12, 2)
    guess, answers = learned(door(world, 1), world, queries)
    assert answers == {repr(Naming(Attempt(1, 12)))}
    assert framed(guess, world) <= FRAMED
    again, same = learned(door(others, 1), others, min(queries, 130))
    assert same == answers
    assert (again == learned(door(world, 1), world, min(queries, 130))[0]).all()


def test_a_door_that_told_one_bit_of_the_evidence_would_let_anybody_frame() -> None:
    world = custody(12, 1)
    guess, answers = learned(leaky(world), world, CELLS)
    assert answers == {"True", "False"}
    assert framed(guess, world) > Attempt(1, 12).log_threshold(0)


def test_a_published_table_frames_nobody_once_its_cells_are_spent() -> None:
    world = realm.nhanes()
    mine, other = np.arange(0, 900, 30), np.arange(1_000, 1_900, 30)
    published = world.read(world.copy(4, mine)).alternatives
    told = Told(frozenset(cells_of(published[0].reading).addresses()))
    facts = [replace(world.facts(), told=told) if party == 4 else world.facts() for party in range(12)]
    spent = KeyedParties(world.keys, facts, world.keyed().space)
    for leaked, before, after in ((published, [4], []), (world.read(world.copy(4, other)).alternatives, [4], [4])):
        for parties, expected in ((world.keyed(), before), (spent, after)):
            found = name_parties(leaked, parties, world.controls(20), Attempt(1, 12))
            assert [one.party for one in found.names] == expected
    framing = log_evidence(published, spent.select(np.array([4])), prior())
    assert framing[0] <= 0.1


UNIVERSES, KEYS, ATTEMPTS, ALPHA = 300, 20, 24, 0.5  # an alpha at which innocents would be named now and then


def test_running_again_on_other_columns_after_nobody_names_innocents_no_more_often_than_alpha() -> None:
    """Each universe is a custody of 20 innocents, tried again on four more columns for as long as nobody is named."""
    world = custody(UNIVERSES * KEYS, 4)
    whole = leak(world, [], rows=6, columns=4 * ATTEMPTS, original=True, seed=9)
    charged, uncharged = np.zeros(UNIVERSES, dtype=bool), np.zeros(UNIVERSES, dtype=bool)
    for number in range(1, ATTEMPTS + 1):
        part = with_cells(whole, whole.column // 4 == number - 1)
        evidence = log_evidence([Alternative(1.0, part)], world.parties, prior(), precision=np.float32)
        best = evidence.reshape(UNIVERSES, KEYS).max(axis=1)
        for named, attempt in ((charged, number), (uncharged, 1)):
            threshold = Attempt(attempt, KEYS).log_threshold(0) + math.log(1e-9 / ALPHA)
            named |= best >= threshold
        assert best.max() < Attempt(number, KEYS).log_threshold(0)  # at the product's own alpha: nobody
    assert charged.mean() <= ALPHA
    assert uncharged.sum() > 4 * max(charged.sum(), 1)  # what the charge is for


def test_a_sibling_of_a_leaker_of_a_thousand_rows_is_not_named() -> None:
    """Both are at one institution, whose half of the cells they share: only the leaker's own half speaks."""
    parties, institutions = custody(12), custody(3, 50)
    reading = leak(parties, [0], rows=1_000, columns=8)
    half = np.random.default_rng(0).random(len(reading.row)) < 0.5
    shared = institutions.parties.bits(cells_of(reading))[1]
    shown = np.where(half, reading.low + 0.1 * shared, reading.observation)
    leaked = [Alternative(1.0, replace(reading, institution=half, observation=np.round(shown, 2)))]
    found = name_parties(leaked, parties.parties, parties.controls(20), Attempt(1, 15))
    assert [one.party for one in found.names] == [0]
    houses = name_institutions(leaked, institutions.parties, institutions.controls(20), Attempt(1, 15))
    assert [one.party for one in houses.names] == [1]


def test_a_hospital_that_restores_its_own_rows_hides_those_and_frames_nobody() -> None:
    world = realm.nhanes()
    own, others = np.arange(0, 500, 20), np.arange(1_000, 1_400, 20)
    restored = world.original(own)
    for leaked, expected in (
        (restored, []),
        (pl.concat([restored, world.copy(7, others).cast(dict(restored.schema))]), [7]),
    ):
        found = world.read(leaked)
        assert found.original == (not expected)
        names = _names(world, found.alternatives) if found.alternatives else []
        assert names == expected


def _names(world: Realm, alternatives: tuple[Alternative, ...]) -> list[int]:
    found = name_parties(alternatives, world.keyed(), world.controls(20), Attempt(1, 12))
    return [one.party for one in found.names]


def test_averaging_over_refreshes_washes_no_mark_out() -> None:
    """A tenth of the values is new, and so are a thousand people of another kind: no old cell is decided again."""
    first = realm.nhanes()
    changed = realm.people().with_columns(
        pl.when(pl.int_range(pl.len()) % 10 == 3)
        .then(pl.col("LBXTC", "LBXSGL").shift(1))
        .otherwise(pl.col("LBXTC", "LBXSGL"))
    )
    second = realm.refreshed(first, pl.concat([changed, realm.people(1_000, skipped=20_000)]))
    rows = np.arange(100, 700, 15)
    before, after = first.copy(3, rows), second.copy(3, rows)
    same = 0
    for name in (column.field for column in first.plan.columns):
        alike = (first.original(rows)[name] == second.original(rows)[name]).fill_null(True)
        assert (before[name] == after[name]).fill_null(True).filter(alike).all()
        same += alike.sum()
    assert same > 0.9 * len(rows) * len(first.plan.columns)
    averaged = after.with_columns(
        ((before[column.field] + after[column.field]) / 2).alias(column.field) for column in first.plan.columns
    )
    assert _names(second, second.read(averaged).alternatives) == [3]


def test_a_cell_is_marked_as_before_whatever_people_come_later() -> None:
    first = realm.nhanes()
    second = realm.refreshed(first, pl.concat([realm.people(), realm.people(2_000, skipped=25_000)]))
    old, new = (marks(each, np.arange(0, 3_000, 7)) for each in (first, second))
    assert old.keys() == new.keys()
    for name in old:
        assert all((one == other).all() for one, other in zip(old[name], new[name], strict=True))


def marks(world: Realm, rows: NDArray[np.int64]) -> dict[str, tuple[NDArray[np.int64], ...]]:
    """Give row numbers, steps, biases of the cells of some rows, by field."""
    name = world.plan.tables[0]
    (batch,) = world.table.take(rows).combine_chunks().to_batches()
    found = cells(world.plan, PLAN_KEY, block(batch, world.dictionary.of(name), 1))
    numbers = batch.column(ROW).to_numpy()
    return {field: (numbers, one.step, np.where(one.marked, one.threshold, 0)) for field, one in found.items()}
