"""Tests 2 to 5 of the tracing design, section 11: evidence and names on readings of ordinary size."""

from dataclasses import replace

import numpy as np
import pytest

from copyhold.engines.reading.readings import Alternative, Reading, with_cells
from copyhold.engines.tracing.hypotheses import prior
from copyhold.engines.tracing.naming import Attempt, Naming, name_institutions, name_parties, too_many
from copyhold.engines.tracing.parties import KeyedParties, cells_of
from copyhold.engines.tracing.scoring import log_evidence
from tests.attacks.instrument import Instrument, check_leave_one_out, check_tilted_mean
from tests.attacks.sightings import WEEKS, custody, leak
from tests.attacks.tilt import Tilt

ATTEMPT = Attempt(number=1, keys_issued=10_000)


def tilted_readings() -> dict[str, Reading]:
    world = custody(3)
    noisy = leak(world, [0], rows=8, columns=9, seed=3, doubtful=2)
    again = np.arange(0, len(noisy.row), 7)
    return {
        "one copy": leak(world, [0], rows=6, columns=11),
        "two copies mixed, doubtful rows": leak(world, [0, 1], rows=8, columns=9, doubtful=3),
        "two copies averaged": leak(world, [0, 1], rows=6, columns=11, averaged=True),
        "dates": leak(world, [0], rows=6, columns=11, dates=2),
        "ids": leak(world, [0], rows=6, columns=11, ids=2),
        "rows twice, with other digits": replace(
            noisy,
            observation_cell=np.concatenate([noisy.observation_cell, again]),
            observation=np.concatenate([noisy.observation, noisy.observation[again] + 0.1]),
        ),
    }


@pytest.mark.parametrize("kind", tilted_readings())
def test_on_readings_of_ordinary_size_the_evidence_of_an_innocent_has_mean_one(kind: str) -> None:
    check_tilted_mean(Instrument(), Tilt.of(tilted_readings()[kind]))


def test_twenty_thousand_fresh_keys_show_no_evidence() -> None:
    world = custody(8, shift=WEEKS)
    reading = leak(world, [3], rows=12, columns=14, dates=2, ids=2, loose=1, doubtful=2)
    controls = world.controls(20_000)
    assert not too_many(log_evidence([Alternative(1.0, reading)], controls, prior(), precision=np.float32))


def test_too_many_controls_with_evidence_are_noticed_and_few_are_not() -> None:
    quiet = np.full(20_000, -5.0)
    assert not too_many(quiet)
    assert not too_many(np.where(np.arange(20_000) < 2_200, np.log(10.5), quiet))
    assert too_many(np.where(np.arange(20_000) < 2_400, np.log(10.5), quiet))
    assert not too_many(np.where(np.arange(20_000) < 1, np.log(1e9), quiet))
    assert too_many(np.where(np.arange(20_000) < 1, np.log(1e12), quiet))
    assert not too_many(np.full(20_000, -np.inf))


def test_an_instrument_that_fails_its_controls_names_nobody() -> None:
    world = custody(8)
    reading = leak(world, [3], rows=12, columns=14)
    known = KeyedParties([world.keys[3]] * 40, [world.facts[3]] * 40, world.parties.space)
    found = name_parties([Alternative(1.0, reading)], world.parties, known, ATTEMPT)
    assert found == Naming(ATTEMPT, instrument_failed=True)
    assert name_parties([Alternative(1.0, reading)], world.parties, world.controls(40), ATTEMPT).names


def test_a_reader_that_saw_the_key_of_one_control_in_twenty_thousand_fails_the_instrument() -> None:
    world = custody(8)
    controls = world.controls(20_000)
    reading = leak(world, [3], rows=12, columns=14)
    seen = peeked(reading, controls.select(np.array([17_017])))
    found = name_parties([Alternative(1.0, seen)], world.parties, controls, ATTEMPT)
    assert found == Naming(ATTEMPT, instrument_failed=True)
    assert [one.party for one in name_parties([Alternative(1.0, reading)], world.parties, controls, ATTEMPT).names] == [
        3
    ]


def peeked(reading: Reading, key: KeyedParties) -> Reading:
    """Leave unread what a key contradicts, as a reader might that drops columns by a score."""
    shown = np.abs(reading.observation - reading.high) < 1e-9
    return with_cells(reading, key.bits(cells_of(reading))[0] == shown)


def test_leaving_out_a_party_that_is_not_named_changes_nothing_for_the_rest() -> None:
    check_leave_one_out(Instrument(), seed=0)


@pytest.mark.attack
@pytest.mark.parametrize("seed", range(1, 40))
def test_leaving_out_a_party_changes_nothing_for_the_rest_in_many_leaks(seed: int) -> None:
    check_leave_one_out(Instrument(), seed)


def test_a_leak_that_names_nobody_gives_the_same_answer_under_any_keys() -> None:
    first = custody(30, shift=WEEKS)
    answers = set()
    for leaked in (leak(first, [0], rows=12, columns=10, original=True, dates=2, ids=2), leak(first, [5], rows=3)):
        for seed in range(3):
            world = custody(30, seed + 1, shift=WEEKS)
            found = name_parties([Alternative(1.0, leaked)], world.parties, world.controls(300, seed), ATTEMPT)
            answers.add(repr(found))
    assert answers == {repr(Naming(ATTEMPT))}


def test_an_institution_is_named_from_its_own_half_alone() -> None:
    parties, institutions = custody(6), custody(4, seed=50)
    reading = leak(institutions, [2], rows=12, columns=14)
    given = [Alternative(1.0, replace(reading, institution=np.ones(len(reading.row), dtype=bool)))]
    found = name_institutions(given, institutions.parties, institutions.controls(100), ATTEMPT)
    assert [one.party for one in found.names] == [2]
    assert not name_parties(given, institutions.parties, parties.controls(100), ATTEMPT).names


def test_ids_alone_name_a_party_and_the_name_says_so() -> None:
    world = custody(6)
    reading = leak(world, [1], rows=1, columns=1, ids=1)
    found = name_parties([Alternative(1.0, reading)], world.parties, world.controls(100), ATTEMPT)
    assert [(one.party, one.by_ids_alone) for one in found.names] == [(1, True)]
    loose = leak(world, [1], rows=3, columns=1, loose=2)
    found = name_parties([Alternative(1.0, loose)], world.parties, world.controls(100), ATTEMPT)
    assert [(one.party, one.by_ids_alone) for one in found.names] == [(1, True)]


def test_whole_rows_of_several_copies_name_each_of_them() -> None:
    world = custody(12)
    rows = [leak(world, [leaker], rows=30, columns=14, seed=4) for leaker in (2, 7)]
    other = rows[0].row > 15
    mixed = replace(rows[0], observation=np.where(other, rows[1].observation, rows[0].observation))
    found = name_parties([Alternative(1.0, mixed)], world.parties, world.controls(100), ATTEMPT)
    assert {one.party for one in found.names} == {2, 7}


def test_a_large_leak_is_screened_on_a_part_of_it_and_still_names_its_source() -> None:
    world = custody(5)
    reading = leak(world, [4], rows=1200, columns=3)
    found = name_parties([Alternative(1.0, reading)], world.parties, world.controls(20), ATTEMPT)
    assert [one.party for one in found.names] == [4]
