"""Reading a leak: what a copy shows is read once, as it was given, and nothing of it depends on a party's key."""

from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bench.attribution import ID, PLAN_KEY, World, cohort_world, write
from bench.cohort import generate
from bench.disguises import Coalition, anonymous, colluding, deciles, noisy
from copyhold.domain.catalogue import Dictionary, Field, FieldType, Role
from copyhold.engines.marks.dates import ShiftLaw
from copyhold.engines.marks.draft import draw_plan
from copyhold.engines.marks.embedding import Embedding
from copyhold.engines.marks.keys import PartyKeys
from copyhold.engines.marks.permutation import FIFTEEN_DIGITS
from copyhold.engines.marks.strength import Strength
from copyhold.engines.matching.index import build_index
from copyhold.engines.matching.tables import match_table
from copyhold.engines.reading.master import Master
from copyhold.engines.reading.reader import Read, read
from copyhold.engines.reading.readings import Reading
from copyhold.engines.reading.sighting import MOST_ROWS, leaked_columns, sighted
from copyhold.engines.tables.blocks import AMBIGUOUS, PARTICIPANT, block
from copyhold.engines.tables.reading import read_table
from copyhold.engines.tables.snapshots import write_snapshot
from copyhold.engines.tracing.parties import cells_of

PARTY = 3


@pytest.fixture(scope="module")
def world() -> World:
    return replace(cohort_world("B", 3_000), parties=10)


def rows_of(world: World, count: int, seed: int = 1) -> tuple[np.ndarray, np.random.Generator]:
    rng = np.random.default_rng(seed)
    return world.sampled(count, rng), rng


def read_back(world: World, frame: pl.DataFrame, folder: Path) -> Read:
    return world.read(write(frame, folder))[1]


def without_ids(one: Read) -> Reading:
    return one.alternatives[-1].reading


def shown_high(reading: Reading) -> np.ndarray:
    """Say of each observation whether it is the higher member; fails where it is neither."""
    low, high = reading.low[reading.observation_cell], reading.high[reading.observation_cell]
    is_low, is_high = np.isclose(reading.observation, low), np.isclose(reading.observation, high)
    assert np.all(is_low ^ is_high)
    return is_high


def test_every_aligned_cell_of_a_copy_reads_as_the_member_that_the_party_was_given(
    world: World, tmp_path: Path
) -> None:
    rows, rng = rows_of(world, 60)
    found = read_back(world, anonymous(world.copy(PARTY, rows), rng, ids=world.ids), tmp_path)
    reading = without_ids(found)
    best = {group.candidates[0].participant for group in found.groups}
    assert best == set(rows.tolist())
    bits = world.keyed.select(np.array([PARTY])).bits(cells_of(reading))[0]
    own = np.isin(reading.row[reading.observation_cell], rows)
    assert np.array_equal(shown_high(reading)[own], bits[reading.observation_cell][own])
    assert own.sum() > 20 * len(rows)


def test_the_reading_of_the_same_bytes_is_the_same_under_new_party_keys(world: World, tmp_path: Path) -> None:
    rows, rng = rows_of(world, 20)
    leak = write(anonymous(world.copy(PARTY, rows), rng), tmp_path)
    other = replace(world, parties=11)
    assert other.keys[PARTY] != world.keys[PARTY]
    one, two = world.read(leak)[1], other.read(leak)[1]
    assert [each.weight for each in one.alternatives] == [each.weight for each in two.alternatives]
    for first, second in zip(one.alternatives, two.alternatives, strict=True):
        for part in fields(Reading):
            assert np.array_equal(getattr(first.reading, part.name), getattr(second.reading, part.name))


def test_duplicated_rows_with_jitter_are_one_group_and_each_of_their_cells_is_one_cell_seen_twice(
    world: World, tmp_path: Path
) -> None:
    rows, rng = rows_of(world, 15)
    twice = pl.concat([world.copy(PARTY, rows)] * 2).drop(world.ids)
    found = read_back(world, noisy(twice, world.tolerances, 0.03, 3, rng), tmp_path)
    assert len(found.groups) == 15
    assert all(len(group.rows) == 2 for group in found.groups)
    reading = without_ids(found)
    seen = np.bincount(reading.observation_cell)
    best = np.isin(reading.row, rows)
    assert np.mean(seen[best] == 2) > 0.99
    assert len(np.unique(np.stack([reading.row, reading.column]), axis=1).T) == len(reading.row)


def test_keyed_ids_stand_on_their_rows_and_row_numbers_are_no_ids(world: World, tmp_path: Path) -> None:
    rows, rng = rows_of(world, 12)
    copy = world.copy(PARTY, rows)
    numbered = copy.with_columns(pl.Series("number", np.arange(10_000_001, 10_000_013)))
    with_ids = read_back(world, anonymous(numbered, rng), tmp_path).alternatives[0].reading
    given = dict(zip(rows.tolist(), copy[ID].cast(pl.Int64).to_list(), strict=True))
    read_ids = zip(with_ids.participant[with_ids.id_candidate].tolist(), with_ids.id_value.tolist(), strict=True)
    assert dict(read_ids) == given
    bare = read_back(world, anonymous(numbered, rng, ids=world.ids), tmp_path)
    assert all(len(one.reading.id_value) == len(one.reading.loose_id) == 0 for one in bare.alternatives)


def test_ids_are_read_with_the_cells_beside_them_without_them_and_alone(world: World, tmp_path: Path) -> None:
    rows, rng = rows_of(world, 12)
    ways = read_back(world, anonymous(world.copy(PARTY, rows), rng), tmp_path).alternatives
    assert [one.weight for one in ways] == [1 / 3] * 3
    shown = [(len(one.reading.row) > 0, len(one.reading.id_value) > 0) for one in ways]
    assert shown == [(True, True), (True, False), (False, True)]


def test_a_list_of_ids_alone_is_read_as_ids_of_nobody_in_particular(world: World, tmp_path: Path) -> None:
    rows, _ = rows_of(world, 5)
    ids = world.copy(PARTY, rows).select(pl.col(ID).alias("v1"))
    reading = read_back(world, ids, tmp_path).alternatives[0].reading
    assert sorted(reading.loose_id.tolist()) == sorted(ids["v1"].cast(pl.Int64).to_list())


def test_the_unmarked_original_is_told_as_such_and_nothing_of_it_is_scored(world: World, tmp_path: Path) -> None:
    rows, rng = rows_of(world, 20)
    found = read_back(world, anonymous(world.original(rows), rng), tmp_path)
    assert found.original
    assert found.participants == 20
    assert found.alternatives == ()


def test_a_column_put_back_to_the_original_is_left_unread(world: World, tmp_path: Path) -> None:
    rows, _ = rows_of(world, 40)
    mended = world.copy(PARTY, rows).with_columns(world.original(rows)["ldl"]).drop(world.ids)
    found = read_back(world, mended, tmp_path)
    shown = {without_ids(found).channels[one].field for one in without_ids(found).channel}
    assert not found.original
    assert shown == {column.field for column in world.plan.columns} - {"ldl"}


def test_the_dates_of_a_participant_speak_once_and_show_the_shift_that_the_party_was_given(
    world: World, tmp_path: Path
) -> None:
    moved = replace(world, law=ShiftLaw(14))
    rows, rng = rows_of(moved, 25)
    reading = read_back(moved, anonymous(moved.copy(PARTY, rows), rng, ids=moved.ids), tmp_path).alternatives[0].reading
    best = np.isin(reading.date_unit, rows)
    assert sorted(reading.date_unit[best].tolist()) == sorted(rows.tolist())
    seen = moved.keyed.select(np.array([PARTY])).dates(
        reading.participant[reading.date_candidate], reading.date_unit, reading.date_shift
    )
    assert np.all(seen.hit[0][best] & seen.held[0][best])


def test_the_mean_of_several_copies_is_told_from_noise(world: World, tmp_path: Path) -> None:
    rows, rng = rows_of(world, 40)
    copies = [world.copy(party, rows).drop(world.ids) for party in range(5)]
    marked = [column.field for column in world.plan.columns]
    merged = colluding(copies, Coalition.AVERAGE, marked, rng, decimals=world.decimals)
    quiet = {one.field: one.weights[0] for one in without_ids(read_back(world, merged, tmp_path)).channels}
    fine = [name for name in marked if world.decimals[name] >= 2]
    assert min(quiet[name] for name in fine) > 0.9
    disturbed = noisy(copies[0], world.tolerances, 0.1, 3, rng)
    loud = {one.field: one.weights[0] for one in without_ids(read_back(world, disturbed, tmp_path)).channels}
    assert max(loud[name] for name in fine) < 0.1


def test_where_many_master_rows_lie_near_the_pairs_of_the_plan_tell_the_right_one(world: World, tmp_path: Path) -> None:
    rows, _ = rows_of(world, 60)
    frame = world.copy(PARTY, rows).select("ldl", "hdl", "glucose")
    whole = frame.drop_nulls()
    truth = rows[[place for place, row in enumerate(frame.iter_rows()) if None not in row]]
    columns = leaked_columns(read_table(write(whole, tmp_path)))
    rough = match_table(columns, world.index, world.master.steps(1))
    close = sighted(columns, world.master).match
    right = [np.mean(one.alignment.positions[:, 0] == truth) for one in (rough, close)]
    assert right[1] > 0.9
    assert close.aligned.mean() > rough.aligned.mean()
    assert right[1] > right[0]


def test_the_few_rows_of_ours_in_a_leak_of_other_people_settle_its_columns(world: World, tmp_path: Path) -> None:
    rows, rng = rows_of(world, 8)
    own = world.copy(PARTY, rows).drop(world.ids)
    strangers = pl.DataFrame(pl.from_arrow(generate(72, 99).table())).select(own.columns).cast(dict(own.schema))
    leak = pl.concat([own, strangers])[rng.permutation(80)]
    order = rng.permutation(leak.width)
    scrambled = leak.select(leak.columns[place] for place in order)
    truth = {f"v{at}": name for at, name in enumerate(scrambled.columns)}
    found, reading = world.read(write(scrambled.rename({name: at for at, name in truth.items()}), tmp_path))
    assert all(truth[found.columns[one.leaked].name] == one.field for one in found.match.matches)
    best = {group.candidates[0].participant for group in reading.groups}
    assert best >= set(rows.tolist())
    assert len(best) <= len(rows) + 4  # one stranger in a hundred may align


def test_codes_for_bands_are_read_where_they_tell_the_members_of_a_pair_apart(world: World, tmp_path: Path) -> None:
    whole = world.copy(PARTY, np.arange(3_000)).drop(world.ids)
    rows, rng = rows_of(world, 150)
    coded = deciles(whole[rows], whole, [column.field for column in world.plan.columns])
    reading = without_ids(read_back(world, anonymous(coded, rng), tmp_path))
    own = np.isin(reading.row[reading.observation_cell], rows)
    bits = world.keyed.select(np.array([PARTY])).bits(cells_of(reading))[0][reading.observation_cell]
    assert np.mean(shown_high(reading)[own] == bits[own]) > 0.9
    assert own.sum() > 100


def test_of_a_large_leak_some_thousand_rows_are_read_evenly_over_it(world: World, tmp_path: Path) -> None:
    rows = np.tile(np.arange(3_000), 2)[:4_500]
    leak = write(world.copy(PARTY, rows).select("ldl", "hdl", "glucose", "born_on", "seen_on"), tmp_path)
    found, reading = world.read(leak)
    assert (found.rows, found.leaked) == (MOST_ROWS, 4_500)
    assert found.rows_aligned > 0.9 * MOST_ROWS
    assert reading.participants > 2_500


def test_the_rows_of_a_participant_in_all_tables_are_one_group(tmp_path: Path) -> None:
    master, keys, dictionary, batches = _two_tables(tmp_path)
    people = np.arange(0, 300, 10)
    leaks = []
    for number, table in enumerate(dictionary.tables, start=1):
        fields_of = dictionary.of(table)
        released = tuple(one.name for one in fields_of if one.role is not Role.ID)
        made = Embedding(master.plan, PLAN_KEY, keys, table, fields_of, released)
        kept = np.isin(batches[number][PARTICIPANT].to_numpy(), people)
        frame = pl.DataFrame(pl.from_arrow(made.mark(batches[number].filter(pa.array(kept)))))
        frame.write_csv(tmp_path / f"{table}.csv")
        leaks.append(sighted(leaked_columns(read_table(tmp_path / f"{table}.csv")), master))
    assert [one.number for one in leaks] == [1, 2]
    found = read(leaks, master, FIFTEEN_DIGITS, [ID])
    assert sorted(group.candidates[0].participant for group in found.groups) == people.tolist()
    assert all(len(group.rows) == 1 + 3 for group in found.groups)
    reading = without_ids(found)
    assert set(reading.table.tolist()) == {1, 2}


def _two_tables(folder: Path) -> tuple[Master, PartyKeys, Dictionary, dict[int, pa.RecordBatch]]:
    """People with six measurements, and three visits of each with six others."""
    cohort = generate(1_000, 5)
    names = list(cohort.numbers)
    people, visits = names[:6], names[10:16]
    visited = generate(3_000, 6)
    ids = np.array([f"p{number:04d}" for number in range(1_000)])
    pl.DataFrame({ID: ids} | {name: cohort.numbers[name] for name in people} | {"born_on": cohort.dates["born_on"]}
                 ).fill_nan(None).with_columns(pl.col("born_on").cast(pl.Date)).write_csv(folder / "p.csv")  # fmt: skip
    pl.DataFrame({ID: np.repeat(ids, 3), "visit": np.tile(["1", "2", "3"], 1_000)}
                 | {name: visited.numbers[name] for name in visits} | {"seen_on": visited.dates["seen_on"]}
                 ).fill_nan(None).with_columns(pl.col("seen_on").cast(pl.Date)).write_csv(folder / "v.csv")  # fmt: skip
    of = {one.name: one for one in cohort.dictionary.fields}
    lines = [_plain(ID, FieldType.TEXT, "people", Role.ID), *(replace(of[name], table="people") for name in people)]
    lines += [replace(of["born_on"], table="people"), _plain(ID, FieldType.TEXT, "visits", Role.ID)]
    lines += [_plain("visit", FieldType.CATEGORY, "visits", Role.FREE)]
    lines += [replace(of[name], table="visits") for name in visits] + [replace(of["seen_on"], table="visits")]
    dictionary = Dictionary(tuple(lines))
    made = write_snapshot(
        {"people": folder / "p.csv", "visits": folder / "v.csv"}, dictionary, folder / "s", id_column=ID,
        key_columns=("visit",),
    )  # fmt: skip
    batches = {number: pq.read_table(one.path).combine_chunks().to_batches()[0]
               for number, one in enumerate(made.tables, start=1)}  # fmt: skip
    assert not any(batch[AMBIGUOUS].true_count for batch in batches.values())
    plan = draw_plan(
        dictionary,
        [block(batch, dictionary.of(dictionary.tables[number - 1]), number) for number, batch in batches.items()],
        Strength(share=1.0, noise=1.0),
    )
    indexes = {
        number: build_index(made.tables[number - 1].path, dictionary, table, folder / f"i{number}", version="v")
        for number, table in enumerate(dictionary.tables, start=1)
    }
    return Master(plan, PLAN_KEY, indexes), PartyKeys(b"m" * 32, b"i" * 32, b"d" * 32), dictionary, batches


def _plain(name: str, kind: FieldType, table: str, role: Role) -> Field:
    return Field(table, name, name, kind, role)
