"""A copy of NHANES: ties kept as often, support kept, nothing else touched, the same bytes for any split."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime

import numpy as np
import pyarrow as pa
import pytest

from copyhold.domain.catalogue import Dictionary, Field, FieldType, Role, Tolerance
from copyhold.domain.errors import InvalidInputError
from copyhold.engines.marks.cells import cells
from copyhold.engines.marks.dates import ShiftLaw
from copyhold.engines.marks.draft import draw_plan
from copyhold.engines.marks.embedding import DecodeCheck, Embedding
from copyhold.engines.marks.keys import PartyKeys
from copyhold.engines.marks.permutation import SEVEN_DIGITS, permuted
from copyhold.engines.marks.plan import MarkPlan
from copyhold.engines.marks.shifting import Shifts
from copyhold.engines.tables.blocks import AMBIGUOUS, PARTICIPANT, ROW
from copyhold.engines.tables.ties import declared
from tests.engines.marks.nhanes import PLAN_KEY, TABLE, blocks, dictionary, snapshot
from tests.engines.marks.test_plan import nhanes_plan

KEYS = PartyKeys(b"m" * 32, b"i" * 32, b"d" * 32)
NAMES = tuple(field.name for field in dictionary().of(TABLE))


def embedding(released: tuple[str, ...] = NAMES, keys: PartyKeys = KEYS) -> Embedding:
    return Embedding(nhanes_plan(), PLAN_KEY, keys, TABLE, dictionary().of(TABLE), released)


def copy_of(table: pa.Table, made: Embedding, rows: int = 100_000) -> pa.Table:
    return pa.Table.from_batches([made.mark(batch) for batch in table.to_batches(max_chunksize=rows)])


@pytest.fixture(scope="module")
def master() -> pa.Table:
    return snapshot()


@pytest.fixture(scope="module")
def copy(master: pa.Table) -> pa.Table:
    return copy_of(master, embedding())


def test_every_tie_holds_in_just_the_rows_where_it_held(master: pa.Table, copy: pa.Table) -> None:
    for tie in declared(dictionary().of(TABLE)):
        before, after = (
            {name: one[name].cast(pa.float64()).to_numpy() for name in (tie.derived, *tie.parents)}
            for one in (master, copy)
        )
        held = tie.holds(before)
        assert held.sum() > 20_000
        np.testing.assert_array_equal(tie.holds(after), held)
        if not tie.is_order:
            assert np.nansum(np.abs(after[tie.derived] - before[tie.derived]) > 0) > 5_000


def test_a_discrete_column_shows_no_value_that_it_did_not_show_before(master: pa.Table, copy: pa.Table) -> None:
    marked = [column for column in nhanes_plan().columns if not any(one.continuous for one in column.supports)]
    assert len(marked) >= 8
    for column in marked:
        seen = set(master[column.field].drop_null().unique().to_pylist())
        assert set(copy[column.field].drop_null().unique().to_pylist()) <= seen


def test_no_systolic_reading_becomes_odd(copy: pa.Table) -> None:
    assert not (copy["BPXSY1"].drop_null().to_numpy() % 2).any()


def test_about_half_of_the_marked_cells_move_and_nothing_else_does(master: pa.Table, copy: pa.Table) -> None:
    (whole,) = blocks(master, dictionary())
    found = cells(nhanes_plan(), PLAN_KEY, whole)
    derived = {one.field for one in nhanes_plan().derived}
    for name in NAMES[1:]:
        before, after = master[name].combine_chunks(), copy[name].combine_chunks()
        assert after.type == before.type
        assert after.null_count == before.null_count
        if name in found:
            moved = np.array(before.fill_null(-1)) != np.array(after.fill_null(-1))
            assert not moved[~found[name].marked].any()
            assert 0.45 < moved[found[name].marked].mean() < 0.55
        elif name not in derived:
            assert after.equals(before)


def test_the_bytes_are_the_same_for_any_split(master: pa.Table, copy: pa.Table) -> None:
    for table, rows in ((master.slice(0, 40), 1), (master.slice(0, 210), 7), (master.slice(0, 30_000), 10_000)):
        assert copy_of(table, embedding(), rows).combine_chunks().equals(copy.slice(0, len(table)).combine_chunks())


def test_an_empty_batch_and_a_column_of_nulls_pass_through(master: pa.Table) -> None:
    empty = master.slice(0, 0).combine_chunks().to_batches() or [
        pa.RecordBatch.from_pylist([], schema=master.schema),
    ]
    assert embedding().mark(empty[0]).num_rows == 0
    place = master.schema.get_field_index("BMXWT")
    nulls = master.slice(0, 100).set_column(place, "BMXWT", pa.nulls(100, pa.float64()))
    assert copy_of(nulls, embedding())["BMXWT"].null_count == 100


def test_the_cells_of_a_field_do_not_depend_on_what_else_is_released(master: pa.Table, copy: pa.Table) -> None:
    for released in (("BMXBMI",), ("BMXWT", "LBDHDD"), ("SEQN", "LBDLDL")):
        made = embedding(released)
        part = copy_of(master.select([name for name in made.inputs if name in master.schema.names]), made)
        assert part.schema.names == list(released)
        assert part.combine_chunks().equals(copy.select(list(released)).combine_chunks())


def test_two_parties_differ_in_half_of_the_cells_at_one_half_and_share_no_id(master: pa.Table, copy: pa.Table) -> None:
    other = copy_of(master, embedding(keys=PartyKeys(b"M" * 32, b"I" * 32, b"D" * 32)))
    (whole,) = blocks(master, dictionary())
    one = cells(nhanes_plan(), PLAN_KEY, whole, ["LBXTC"])["LBXTC"]
    differ = np.array(copy["LBXTC"].fill_null(0)) != np.array(other["LBXTC"].fill_null(0))
    fair = one.marked & (one.threshold == 32768)
    assert abs(differ[fair].mean() - 0.5) < 6 * 0.5 / np.sqrt(fair.sum())
    assert not set(copy["SEQN"].to_pylist()) & set(other["SEQN"].to_pylist())


def test_a_copy_shows_its_upper_members_as_often_as_their_bias_says(master: pa.Table, copy: pa.Table) -> None:
    (whole,) = blocks(master, dictionary())
    for name, one in cells(nhanes_plan(), PLAN_KEY, whole).items():
        shown = one.natural(one.high) == np.array(copy[name].cast(pa.float64()).fill_null(np.nan))
        for band in ((0, 2_000), (2_000, 30_000), (32_768, 32_769), (35_000, 64_000), (64_000, 65_536)):
            here = one.marked & (one.threshold >= band[0]) & (one.threshold < band[1])
            bias = one.threshold[here] / 65_536
            spread = np.sqrt((bias * (1 - bias)).sum())
            assert abs(shown[here].sum() - bias.sum()) < 6 * spread + 3


def test_ids_are_the_partys_own_and_the_same_in_every_release(master: pa.Table, copy: pa.Table) -> None:
    ids = copy["SEQN"].to_numpy()
    assert len(np.unique(ids)) == len(ids)
    np.testing.assert_array_equal(ids, permuted([KEYS.identifiers], np.arange(len(ids)), embedding().ids)[0])
    short = replace(embedding(("SEQN",)), ids=SEVEN_DIGITS)
    assert SEVEN_DIGITS.holds(copy_of(master.slice(0, 500), short)["SEQN"].to_numpy()).all()


def test_a_copy_decodes_to_the_partys_bits(master: pa.Table, copy: pa.Table) -> None:
    sample = master.slice(0, 5_000).combine_chunks().to_batches()[0]
    good = embedding().decode(copy.slice(0, 5_000).combine_chunks().to_batches()[0], sample)
    assert good.passed
    assert good.cells > 20_000
    assert good.others > 300_000


def _another_partys(batch: pa.RecordBatch) -> pa.RecordBatch:
    return batch


def _replaced(name: str, change: Callable[[pa.Array], pa.Array]) -> Callable[[pa.RecordBatch], pa.RecordBatch]:
    def damaged(batch: pa.RecordBatch) -> pa.RecordBatch:
        arrays = [change(batch.column(one)) if one == name else batch.column(one) for one in batch.schema.names]
        return pa.RecordBatch.from_arrays(arrays, names=batch.schema.names)

    return damaged


@pytest.mark.parametrize(
    "damage",
    [
        _replaced(
            "BMXWT", lambda column: pa.array(np.array(column.fill_null(0)) + 0.1, mask=np.array(column.is_null()))
        ),
        _replaced("SEQN", lambda column: column.take(pa.array(range(len(column) - 1, -1, -1)))),
        _replaced("BMXBMI", lambda column: pa.array(np.round(np.array(column.fill_null(0)), 1))),
        _replaced("CYCLE", lambda column: pa.array(["1999-2000"] * len(column))),
        _replaced("DMDEDUC2", lambda column: column.fill_null(9)),
        lambda batch: batch.slice(1),
        lambda batch: batch.select(batch.schema.names[1:]),
    ],
)
def test_a_damaged_copy_does_not_pass(
    damage: Callable[[pa.RecordBatch], pa.RecordBatch], master: pa.Table, copy: pa.Table
) -> None:
    rows = 400
    sample = master.slice(0, rows).combine_chunks().to_batches()[0]
    assert not embedding().decode(damage(copy.slice(0, rows).combine_chunks().to_batches()[0]), sample).passed


def test_another_partys_copy_does_not_pass(master: pa.Table) -> None:
    other = embedding(keys=PartyKeys(b"M" * 32, KEYS.identifiers, KEYS.dates))
    sample = master.slice(0, 500).combine_chunks().to_batches()[0]
    check = embedding().decode(other.mark(sample), sample)
    assert check.wrong > 0.3 * check.cells


def test_checks_add_up() -> None:
    total = DecodeCheck(1, 2, 3, 4) + DecodeCheck(10, 20, 30, 40)
    assert total == DecodeCheck(11, 22, 33, 44)
    assert DecodeCheck(cells=5).passed
    assert not DecodeCheck(altered=1).passed


def test_keys_are_in_no_print_of_an_embedding() -> None:
    shown = repr(embedding())
    for secret in (PLAN_KEY, KEYS.mark, KEYS.identifiers, KEYS.dates):
        assert repr(secret)[2:-1] not in shown


VISITS = (
    Field("visits", "who", "who", FieldType.INTEGER, Role.ID),
    Field("visits", "name", "name", FieldType.TEXT, Role.DIRECT),
    Field("visits", "day", "day", FieldType.DATE, Role.QUASI, missing_codes=("1900-01-01",)),
    Field("visits", "moment", "moment", FieldType.DATETIME, Role.QUASI),
    Field("visits", "after", "after", FieldType.INTEGER, Role.QUASI, decimals=0, missing_codes=("-9",)),
)


def visits(rows: list[tuple[int, date | None, datetime | None, int | None]]) -> pa.RecordBatch:
    who = [row[0] for row in rows]
    return pa.RecordBatch.from_pydict(
        {
            ROW: pa.array(range(len(rows)), pa.uint64()),
            PARTICIPANT: pa.array(who, pa.uint64()),
            AMBIGUOUS: pa.array([False] * len(rows)),
            "who": pa.array(who, pa.int32()),
            "name": pa.array(["-"] * len(rows)),
            "day": pa.array([row[1] for row in rows], pa.date32()),
            "moment": pa.array([row[2] for row in rows], pa.timestamp("us")),
            "after": pa.array([row[3] for row in rows], pa.int32()),
        }
    )


def visit_embedding(
    shifts: Shifts | None, fields: tuple[Field, ...] = VISITS, released: tuple[str, ...] = ()
) -> Embedding:
    plan = MarkPlan(tables=("visits",), places=draw_plan(Dictionary(fields), []).places, columns=())
    return Embedding(
        plan, PLAN_KEY, KEYS, "visits", fields, released or ("who", "day", "moment", "after"), shifts=shifts
    )


ROWS = [
    (1, date(2010, 3, 1), datetime(2010, 3, 1, 8, 30), 100),
    (2, date(2011, 5, 6), None, -9),
    (1, None, datetime(2015, 1, 31, 23, 59), 2000),
    (3, date(1900, 1, 1), datetime(2012, 2, 29), None),
    (4, date(2012, 2, 29), datetime(2012, 2, 29), 7),
]


def test_all_dates_of_a_participant_move_by_the_same_days_in_every_column() -> None:
    shifts = Shifts(ShiftLaw(60), day_counts=("after",), left_alone=np.array([4], dtype=np.uint64))
    days = shifts.days(KEYS.dates, np.array([1, 2, 1, 3, 4], dtype=np.uint64)).tolist()
    assert days[0] == days[2] != 0
    assert days[4] == 0
    out = visit_embedding(shifts).mark(visits(ROWS)).to_pydict()
    moved = [(out["day"][row], out["moment"][row], out["after"][row]) for row in range(5)]
    assert (moved[0][0] - date(2010, 3, 1)).days == days[0]
    assert (moved[0][1] - datetime(2010, 3, 1, 8, 30)).total_seconds() == days[0] * 86_400
    assert (moved[2][1] - datetime(2015, 1, 31, 23, 59)).total_seconds() == days[0] * 86_400
    assert (moved[0][2], moved[2][2]) == (100 + days[0], 2000 + days[0])
    assert (moved[1][1], moved[1][2], moved[2][0], moved[3][2]) == (None, -9, None, None)
    assert moved[3][0] == date(1900, 1, 1)
    assert moved[4] == ROWS[4][1:]


def test_linked_participants_move_together() -> None:
    linked = np.array([1, 4], dtype=np.uint64)
    shifts = Shifts(ShiftLaw(300), linked=linked, units=np.array([2**40, 2**40], dtype=np.uint64))
    days = shifts.days(KEYS.dates, np.array([4, 2, 1], dtype=np.uint64))
    assert days[0] == days[2] != days[1]


def test_dates_stay_where_no_shift_was_accepted() -> None:
    out = visit_embedding(None).mark(visits(ROWS))
    assert out.column("day").equals(visits(ROWS).column("day"))


def test_dates_that_are_text_do_not_leave_unshifted() -> None:
    batch = visits(ROWS).set_column(5, "day", pa.array(["2010-03-01"] * 5))
    with pytest.raises(InvalidInputError, match="day"):
        visit_embedding(Shifts(ShiftLaw(60))).mark(batch)


def test_direct_identifiers_and_unknown_fields_are_never_released() -> None:
    for name in ("name", "nothing", ROW):
        with pytest.raises(InvalidInputError):
            visit_embedding(None, released=("who", name))


def test_a_text_id_stays_text() -> None:
    batch = visits(ROWS).set_column(3, "who", pa.array(list("abacd")))
    assert visit_embedding(None).mark(batch).column("who").type == pa.string()


def test_a_field_that_counts_shifted_days_may_not_be_marked() -> None:
    counted = replace(VISITS[4], tolerance=Tolerance(3.0), mark=True)
    table = visits([(row % 50, None, None, row % 100) for row in range(500)])
    fields = (*VISITS[:4], counted)
    from copyhold.engines.tables.blocks import block

    plan = draw_plan(Dictionary(fields), [block(table, fields, 1)])
    with pytest.raises(InvalidInputError, match="after"):
        Embedding(
            plan, PLAN_KEY, KEYS, "visits", fields, ("who", "after"), shifts=Shifts(ShiftLaw(9), day_counts=("after",))
        )
