from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from copyhold.domain.errors import InvalidInputError
from copyhold.engines.reading.readings import Channel, Reading, institution_half, party_half, with_cells, without_ids
from tests.engines.tracing import drawn

cells_of = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 3), st.integers(0, 2)), min_size=1, max_size=8)
small = st.integers(0, 3)


@given(cells_of)
def test_a_reading_refuses_exactly_the_cells_that_occur_twice(addresses: list[tuple[int, int, int]]) -> None:
    table, row, column = np.array(addresses).T
    again = len(set(addresses)) < len(addresses)
    assert refused(len(addresses), table=table, row=row, column=column) == again


@given(st.lists(small, min_size=1, max_size=4))
def test_a_reading_refuses_exactly_the_rows_that_are_candidates_twice(rows: list[int]) -> None:
    assert refused(len(rows), groups=len(rows), candidate_row=rows) == (len(set(rows)) < len(rows))


@given(st.lists(small, max_size=4), st.lists(small, max_size=3), st.lists(small, min_size=4, max_size=4))
def test_a_reading_refuses_exactly_the_ids_and_participants_that_show_an_id_twice(
    paired: list[int], loose: list[int], participants: list[int]
) -> None:
    values, owners = paired + loose, participants[: len(paired)]
    again = len(set(values)) < len(values) or len(set(owners)) < len(owners)
    ids = {"id_candidate": np.arange(len(paired)), "id_value": paired, "loose_id": loose}
    assert refused(4, groups=4, participant=participants, **ids) == again


@given(st.lists(small, min_size=1, max_size=4))
def test_a_reading_refuses_exactly_the_date_units_that_are_read_twice(units: list[int]) -> None:
    zeros = np.zeros(len(units))
    dates = {"date_candidate": zeros, "date_unit": units, "date_shift": zeros}
    assert refused(3, **dates) == (len(set(units)) < len(units))


@pytest.mark.parametrize(
    "wrong",
    [
        {"candidate_weight": [0.9]},
        {"candidate_weight": [2.0], "neutral": [-1.0]},
        {"candidate_weight": [float("nan")]},
        {"threshold": [1, 2, 0]},
        {"threshold": [1, 2, 65536]},
        {"low": [1.0, 2.0, 9.0]},
        {"observation": [1.0, 2.0, float("inf")]},
        {"observation_cell": [0, 1, 3]},
        {"observation_cell": [0, 1, 1]},
        {"cell_candidate": [0, 0, 1]},
        {"channel": [0, 0, -1]},
        {"row": [1, 2]},
        {"row": [1.5, 2, 3]},
        {"id_candidate": [0], "id_value": []},
    ],
    ids=str,
)
def test_a_reading_refuses_what_is_no_reading(wrong: dict[str, Any]) -> None:
    assert refused(3, **wrong)


def test_a_reading_cannot_be_changed_through_the_arrays_it_was_made_from() -> None:
    rows = np.array([7, 8, 9], dtype=np.uint64)
    made = drawn.reading(3, row=rows)
    rows[:] = 7
    assert made.row.tolist() == [7, 8, 9]
    with pytest.raises(ValueError, match="read-only"):
        made.row[0] = 8


def test_weights_that_add_to_one_within_rounding_add_to_one_exactly() -> None:
    made = drawn.reading(3, neutral=[0.2], candidate_weight=[0.8 + 5e-10])
    assert float(made.neutral[0] + made.candidate_weight[0]) == 1.0


def test_a_part_of_a_reading_keeps_its_observations_with_their_cells() -> None:
    made = drawn.reading(3, observation_cell=[2, 0, 1, 2], observation=[5.2, 5.0, 5.1, 5.3])
    part = with_cells(made, np.array([True, False, True]))
    assert part.column.tolist() == [0, 2]
    assert part.observation_cell.tolist() == [1, 0, 1]
    assert part.observation.tolist() == [5.2, 5.0, 5.3]


def test_the_halves_of_a_reading_share_no_cell_and_ids_and_dates_speak_of_the_party_alone() -> None:
    ids = {"id_candidate": [0], "id_value": [7], "loose_id": [8]}
    dates = {"date_candidate": [0], "date_unit": [5], "date_shift": [-3]}
    made = drawn.reading(3, institution=[True, False, False], **ids, **dates)
    party, institution = party_half(made), institution_half(made)
    assert (party.column.tolist(), institution.column.tolist()) == ([1, 2], [0])
    assert (len(party.id_value), len(party.loose_id), len(party.date_unit)) == (1, 1, 1)
    assert (len(institution.id_value), len(institution.loose_id), len(institution.date_unit)) == (0, 0, 0)
    assert len(without_ids(made).id_value) == 0


@pytest.mark.parametrize(
    "wrong",
    [
        {"weights": (0.5,)},
        {"weights": (0.5, 0.5)},
        {"sigmas": (-1.0,)},
        {"grid": -0.1},
        {"width": 0.0},
        {"width": float("nan")},
    ],
    ids=str,
)
def test_a_channel_refuses_what_is_no_channel(wrong: dict[str, Any]) -> None:
    sound: dict[str, Any] = {"grid": 0.1, "sigmas": (0.0,), "weights": (1.0,), "width": 1.0}
    with pytest.raises(InvalidInputError):
        Channel("glucose", "GLU", **(sound | wrong))


def refused(cells: int, **given: Any) -> bool:
    try:
        made = drawn.reading(cells, **given)
    except InvalidInputError as error:
        return error.code == "UNSOUND_READING"
    assert isinstance(made, Reading)
    return False
