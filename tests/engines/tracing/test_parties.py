import numpy as np
import pytest

from copyhold.engines.marks.dates import ShiftLaw, shifts
from copyhold.engines.marks.keys import PartyKeys
from copyhold.engines.marks.permutation import SEVEN_DIGITS, permuted
from copyhold.engines.tracing import answers
from copyhold.engines.tracing.parties import Cells, Facts, Holding, KeyedParties, Told

CELLS = Cells(
    np.array([1, 1, 2], dtype=np.uint16),
    np.array([5, 6, 5], dtype=np.uint64),
    np.array([0, 9, 9], dtype=np.uint32),
    np.array([32768, 1, 65535], dtype=np.uint16),
)


def party(number: int, **facts: object) -> tuple[PartyKeys, Facts]:
    given: dict[str, object] = {"holdings": (Holding(1), Holding(2)), "participants": np.arange(4, dtype=np.uint64)}
    keys = PartyKeys(*(bytes([number, purpose]) * 16 for purpose in range(3)))
    return keys, Facts(**(given | facts))  # type: ignore[arg-type]


def parties(*some: tuple[PartyKeys, Facts]) -> KeyedParties:
    return KeyedParties([keys for keys, _ in some], [facts for _, facts in some], SEVEN_DIGITS)


def test_a_bit_is_one_with_the_probability_of_its_threshold() -> None:
    cells = 60_000
    many = Cells(
        np.ones(cells, dtype=np.uint16),
        np.arange(cells, dtype=np.uint64),
        np.zeros(cells, dtype=np.uint32),
        np.tile(np.array([32768, 6554, 1], dtype=np.uint16), cells // 3),
    )
    share = parties(party(1)).bits(many).reshape(-1, 3).mean(axis=0)
    assert share == pytest.approx([0.5, 0.1, 0.0], abs=0.01)


def test_a_party_holds_what_any_of_its_releases_gave_it_and_spent_cells_count_no_more() -> None:
    first = Holding(1, rows=np.array([5], dtype=np.uint64))
    second = Holding(1, columns=np.array([9], dtype=np.uint32))
    some = parties(party(1, holdings=(first, second)), party(2, holdings=(first, second), spent=(second,)))
    held = some.held(CELLS)
    assert held is not None
    assert held.tolist() == [[True, True, False], [True, False, False]]
    assert parties(party(1), party(2)).held(CELLS) is None


def test_a_party_without_accepted_shifts_held_no_dates() -> None:
    law = ShiftLaw(14, weeks=True)
    some = parties(party(1), party(2, shift=law))
    units = np.array([0, 1, 9, 2], dtype=np.uint64)
    own = shifts(party(2)[0].dates, units, law)
    seen = some.dates(units, units, own + np.array([0, 0, 0, 1]))
    assert seen.held.tolist() == [[False] * 4, [True, True, False, False]]
    assert seen.hit.tolist() == [[False] * 4, [True, True, True, False]]
    assert some.shifts.tolist() == [0, 5]


def test_ids_count_for_participants_that_were_released_to_the_party() -> None:
    some = parties(party(1), party(2, participants=np.array([1], dtype=np.uint64)))
    mine = permuted([party(2)[0].identifiers], np.array([1, 3]), SEVEN_DIGITS)[0]
    seen = some.ids(np.array([1, 3], dtype=np.uint64), mine)
    assert seen.held.tolist() == [[True, True], [True, False]]
    assert seen.hit.tolist() == [[False, False], [True, True]]
    assert some.loose_ids(np.append(mine, 77)).tolist() == [0, 1]
    assert some.released.tolist() == [4, 1]


def test_what_is_public_of_a_party_counts_no_more_for_or_against_it() -> None:
    law = ShiftLaw(14)
    told = Told(cells=frozenset({(1, 6, 9)}), units=np.array([2], dtype=np.uint64), ids=True)
    some = parties(party(1, shift=law), party(2, shift=law, told=told))
    held = some.held(CELLS)
    assert held is not None
    assert held.tolist() == [[True, True, True], [True, False, True]]
    people = np.array([1, 2], dtype=np.uint64)
    mine = permuted([party(2)[0].identifiers], people.astype(np.int64), SEVEN_DIGITS)[0]
    assert some.ids(people, mine).held.tolist() == [[True, True], [False, False]]
    assert some.loose_ids(mine).tolist() == [0, 0]
    assert some.released.tolist() == [4, 0]
    own = shifts(party(2)[0].dates, people, law)
    assert some.dates(people, people, own).held.tolist() == [[True, True], [True, False]]


def test_an_answer_is_the_same_whether_it_is_worked_out_or_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    law, people = ShiftLaw(14, weeks=True), np.arange(3, dtype=np.uint64)
    some = [party(number, shift=law) for number in range(1, 9)]
    keeping = parties(*some)
    mine = permuted([some[2][0].identifiers], people.astype(np.int64), SEVEN_DIGITS)[0]
    moves = shifts(some[2][0].dates, people, law)

    def told(asked: KeyedParties) -> list[list[list[bool]]]:
        ids, dates = asked.ids(people, mine), asked.dates(people, people, moves)
        return [asked.bits(CELLS).tolist(), ids.hit.tolist(), ids.held.tolist(), dates.hit.tolist()]

    first, twice, other = np.array([2, 5]), np.array([5, 2]), np.array([0])
    for index in (first, twice, first, other, twice):
        assert told(keeping.select(index)) == told(parties(*(some[place] for place in index)))
    assert told(keeping.select(first).select(other)) == told(parties(some[2]))
    kept = keeping._answered.size_bytes
    assert kept > 0
    monkeypatch.setattr(answers, "MOST_BYTES", kept)
    assert told(keeping) == told(parties(*some))
    assert keeping._answered.size_bytes == kept


def test_cells_in_another_order_are_another_question() -> None:
    some = parties(party(1), party(2), party(3))
    order = np.array([2, 0, 1])
    assert (some.bits(CELLS)[:, order] == some.bits(CELLS.take(order))).all()
    lowered = Cells(CELLS.table, CELLS.row, CELLS.column, np.zeros(3, dtype=np.uint16))
    assert not some.bits(lowered).any()
