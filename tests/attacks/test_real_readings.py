"""Tests 2 and 4 of the tracing design, section 11, on readings that the product made of leaked files.

Real rows of NHANES and of the reference cohort: columns renamed, units converted, copies mixed and averaged, ids and
shifted dates, rows of strangers among them.
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from bench import disguises
from bench.disguises import Coalition
from copyhold.engines.reading.reader import Read
from copyhold.engines.tracing.naming import Attempt, name_parties
from tests.attacks import realm
from tests.attacks.instrument import Instrument, check_tilted_mean
from tests.attacks.mutants import ThreeOfSixtyTwice
from tests.attacks.realm import LAW, Realm
from tests.attacks.tilt import Tilt

MARKED_COHORT = ("bmi", "glucose", "cholesterol", "platelets", "haemoglobin", "calcium", "albumin")


def chance(seed: int) -> np.random.Generator:
    return np.random.default_rng(seed)


def some(world: Realm, rows: int, seed: int) -> np.ndarray:
    return chance(seed).choice(world.index.rows, rows, replace=False)


def one_copy() -> Read:
    world = realm.nhanes()
    return world.read(
        disguises.anonymous(world.copy(0, some(world, 12, 1)).drop("SEQN"), chance(1)).with_columns(SEQN=0)
    )


def with_ids() -> Read:
    world = realm.nhanes()
    return world.read(world.copy(0, some(world, 12, 2)), ids=True)


def strangers_and_loose_ids() -> Read:
    """Rows of people who are in no version, with ids of their own, among those of the copy."""
    world = realm.nhanes()
    mine = world.copy(0, some(world, 12, 3))
    others = realm.people(3, skipped=9_000).with_columns(SEQN=pl.Series([4_000_001, 7_000_003, 8_123_456]))
    return world.read(pl.concat([mine, others.select(mine.columns).cast(dict(mine.schema))]), ids=True)


def two_copies_in_other_units(count: int = 14) -> Read:
    world = realm.nhanes()
    rows = some(world, count, 4)
    fields = [column.field for column in world.plan.columns]
    mixed = disguises.colluding([world.copy(0, rows), world.copy(1, rows)], Coalition.RANDOM, fields, chance(4))
    return world.read(disguises.converted(mixed, {"LBXSGL": (1 / 18.016, 0.0, 2), "BMXWT": (2.20462, 0.0, 1)}))


def duplicated_with_jitter() -> Read:
    """Each row three times, some of its values moved a little in the copies."""
    world = realm.cohort()
    rows = world.copy(2, some(world, 20, 5)).select("person", "sex", "smoking", "height", *MARKED_COHORT)
    tolerances = dict.fromkeys(MARKED_COHORT, 0.02)
    return world.read(pl.concat([rows, *(disguises.noisy(rows, tolerances, 1.0, 3, chance(seed)) for seed in (6, 7))]))


def with_shifted_dates() -> Read:
    world = realm.cohort()
    return world.read(world.copy(3, some(world, 6, 8), shifted=True), reach=LAW.days)


def with_ids_and_shifted_dates() -> Read:
    world = realm.cohort()
    return world.read(world.copy(3, some(world, 6, 9), shifted=True), ids=True, reach=LAW.days)


def three_averaged() -> Read:
    world = realm.cohort()
    rows = some(world, 6, 10)
    copies = [world.copy(party, rows) for party in (0, 1, 2)]
    decimals = {field.name: field.decimals or 0 for field in world.dictionary.fields}
    fields = [column.field for column in world.plan.columns]
    return world.read(disguises.colluding(copies, Coalition.AVERAGE, fields, chance(10), decimals=decimals))


READS: dict[Callable[[], Read], str] = {
    one_copy: "cells",
    with_ids: "ids",
    strangers_and_loose_ids: "loose ids",
    two_copies_in_other_units: "cells",
    duplicated_with_jitter: "cells",
    with_shifted_dates: "dates",
    with_ids_and_shifted_dates: "ids dates",
    three_averaged: "cells",
}


@pytest.mark.parametrize("made", READS, ids=lambda made: made.__name__)
def test_on_what_was_read_from_a_real_leak_the_evidence_of_an_innocent_has_mean_one(made: Callable[[], Read]) -> None:
    found = made().alternatives
    reading = found[0].reading
    assert len(reading.row) >= 60
    assert (len(reading.id_value) > 0) == ("ids" in READS[made])
    assert (len(reading.loose_id) > 0) == ("loose" in READS[made])
    assert (len(reading.date_unit) > 0) == ("dates" in READS[made])
    check_tilted_mean(Instrument(), Tilt(found))


def test_three_cells_that_count_twice_are_noticed_on_a_real_reading() -> None:
    with pytest.raises(AssertionError, match="mean above 1"):
        check_tilted_mean(ThreeOfSixtyTwice(), Tilt(one_copy().alternatives))


def test_leaving_out_a_party_that_is_not_named_changes_nothing_on_real_readings() -> None:
    for world, made, leakers in (
        (realm.nhanes(), two_copies_in_other_units(80), {0, 1}),
        (realm.cohort(), with_ids_and_shifted_dates(), {3}),
    ):
        found, attempt = made.alternatives, Attempt(1, 12)
        whole = name_parties(found, world.keyed(), world.controls(40), attempt)
        assert {one.party for one in whole.names} <= leakers
        assert whole.names
        for left_out in set(range(12)) - {one.party for one in whole.names}:
            rest = [party for party in range(12) if party != left_out]
            again = name_parties(found, world.keyed().select(np.array(rest)), world.controls(40), attempt)
            assert tuple(replace(one, party=rest[one.party]) for one in again.names) == whole.names
