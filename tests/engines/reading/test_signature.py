"""The set of past releases: the true one stays in it, and what cannot have been the source leaves it."""

import itertools
import math
from collections import Counter
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.stats import binom

from copyhold.domain.errors import InvalidInputError
from copyhold.engines.reading.signature import (
    AS_MASTER,
    LEVELS,
    RATE,
    SHUFFLED,
    Ground,
    PastCopy,
    Sighting,
    narrowed,
)

FIELDS = ("age", "bmi", "glucose", "sex")
RATE_OF_FALSE_MATCHES = 0.02
TRIALS = 2_000


def people(*numbers: int) -> NDArray[np.uint64]:
    return np.array(numbers, dtype=np.uint64)


def sighting(**given: Any) -> Sighting:
    """Draw a leak of participants 10 to 29, surely aligned, in an order of its own, agreeing with all versions."""
    who = given.pop("participants", np.random.default_rng(5).permutation(np.arange(10, 30)).astype(np.uint64))
    rows = len(who)
    sound: dict[str, Any] = {
        "rows": rows,
        "columns": len(FIELDS),
        "fields": dict.fromkeys(FIELDS, 1e-9),
        "participants": who,
        "doubts": np.full(rows, 1e-12),
        "false_match_rate": RATE_OF_FALSE_MATCHES,
        "versions": (1, 2, 3),
        "agreements": np.ones((rows, 3), dtype=np.int32),
        "places": who.astype(np.int64),
    }
    return Sighting(**(sound | given))


def copy(release: str = "rel_a", **given: Any) -> PastCopy:
    return PastCopy(**({"release": release, "fields": frozenset(FIELDS), "version": 2} | given))


def grounds(seen: Sighting, one: PastCopy) -> tuple[Ground, ...]:
    return next((excluded.grounds for excluded in narrowed(seen, [one]).excluded), ())


def nobodys_leak(rng: np.random.Generator) -> tuple[Sighting, PastCopy]:
    """Draw a leak of nobody's rows, and the release that it came from: every reading errs as often as it may.

    The file is whole; a row that is aligned is aligned to somebody whom the release never had; every wrong field and
    habit is as sure as chance makes it.
    """
    rows = int(rng.choice([40, 400]))
    doubts = rng.random(rows)
    doubts = doubts[doubts <= RATE_OF_FALSE_MATCHES]
    who = 1_000 + rng.permutation(500)[: len(doubts)].astype(np.uint64)
    names = tuple(f"wrong{number}" for number in range(int(rng.integers(1, 30))))
    seen = sighting(
        rows=rows,
        columns=len(names),
        fields=dict(zip(names, rng.random(len(names)), strict=True)),
        participants=who,
        doubts=doubts,
        habits={"missing": ("-9", rng.random()), "ids": ("2019", rng.random())},
        whole=True,
    )
    gone = np.sort(who) if rng.random() < 0.5 else people()
    held = people(*range(rows))
    return seen, copy(participants=held, withdrawn=gone, habits={"missing": ".", "ids": "2020"})


def undecided_leak(rng: np.random.Generator) -> tuple[Sighting, PastCopy]:
    """Draw a leak of a release's own rows whose values speak as often for other versions as for its own."""
    own = rng.integers(0, 9, 200)
    agreements = np.stack([own + rng.choice([-1, 1], 200), own, own + rng.choice([-1, 1], 200)], axis=1)
    return sighting(participants=people(*range(200)), agreements=agreements), copy()


def shuffled_leak(rng: np.random.Generator) -> tuple[Sighting, PastCopy]:
    """Draw a leak of six rows of a release that was shuffled."""
    return sighting(participants=rng.permutation(6).astype(np.uint64)), copy(order=SHUFFLED)


KINDS = (nobodys_leak, undecided_leak, shuffled_leak)
# The leak in which each test errs most.
WORST = dict.fromkeys(Ground, nobodys_leak) | {Ground.VERSION: undecided_leak, Ground.ORDER: shuffled_leak}


@pytest.fixture(scope="module")
def errors() -> dict[Any, list[tuple[Ground, ...]]]:
    """The grounds that left out the release that gave the file, by kind of leak and trial."""
    return {
        kind: [grounds(*kind(np.random.default_rng([place, seed]))) for seed in range(TRIALS)]
        for place, kind in enumerate(KINDS)
    }


def test_the_levels_add_to_one_in_twenty() -> None:
    assert sum(LEVELS.values()) + RATE == pytest.approx(0.05)
    assert set(LEVELS) == set(Ground)


@pytest.mark.parametrize("ground", list(Ground))
def test_each_test_leaves_out_the_true_release_no_more_often_than_its_level(
    ground: Ground, errors: dict[Any, list[tuple[Ground, ...]]]
) -> None:
    wrong = sum(ground in found for found in errors[WORST[ground]])
    # Fails where the true chance is the level with probability 1 in 1,000.
    assert wrong <= binom.ppf(0.999, TRIALS, LEVELS[ground])
    assert wrong > 0  # the leaks are bad enough for each test to err


@pytest.mark.parametrize("kind", KINDS)
def test_the_true_release_is_left_out_in_at_most_one_trial_of_twenty(
    kind: Any, errors: dict[Any, list[tuple[Ground, ...]]]
) -> None:
    assert sum(map(bool, errors[kind])) <= 0.05 * TRIALS


def test_a_release_without_a_field_that_the_file_shows_is_excluded() -> None:
    found = narrowed(sighting(), [copy("rel_a"), copy("rel_b", fields=frozenset(FIELDS[1:]))])
    assert found.consistent == ("rel_a",)
    assert [(one.release, one.grounds) for one in found.excluded] == [("rel_b", (Ground.FIELDS,))]


def test_a_field_that_may_be_another_excludes_nothing() -> None:
    doubtful = dict.fromkeys(FIELDS, 1e-9) | {"age": 0.2}
    assert grounds(sighting(fields=doubtful), copy(fields=frozenset(FIELDS[1:]))) == ()


def test_fields_that_the_file_does_not_show_speak_against_nobody() -> None:
    assert grounds(sighting(), copy(fields=frozenset([*FIELDS, "height", "pulse"]))) == ()


def test_one_withdrawn_participant_excludes_the_copies_made_after_the_withdrawal() -> None:
    before, after = copy("rel_before"), copy("rel_after", withdrawn=people(17))
    listed = copy("rel_listed", participants=people(*range(17), *range(18, 40)), withdrawn=people(17))
    found = narrowed(sighting(), [before, after, listed])
    assert found.consistent == ("rel_before",)
    assert {one.grounds for one in found.excluded} == {(Ground.WITHDRAWN,)}


def test_people_whom_a_release_never_had_exclude_it() -> None:
    assert grounds(sighting(), copy(participants=people(*range(10, 29)))) == (Ground.PEOPLE,)
    assert grounds(sighting(), copy(participants=people(*range(30)))) == ()
    assert grounds(sighting(), copy(participants=people())) == (Ground.PEOPLE,)


def test_a_doubtful_row_excludes_nothing_and_many_doubtful_rows_do() -> None:
    doubtful = sighting(doubts=np.full(20, RATE_OF_FALSE_MATCHES))
    assert grounds(doubtful, copy(participants=people(*range(10, 28)))) == ()
    assert grounds(doubtful, copy(participants=people(*range(10, 20)))) == (Ground.PEOPLE,)


def test_a_row_copied_many_times_counts_once() -> None:
    again = np.full(20, 29, dtype=np.uint64)
    doubts, agreements = np.full(20, RATE_OF_FALSE_MATCHES), np.tile([1, 0, 0], (20, 1))
    seen = sighting(participants=again, doubts=doubts, agreements=agreements)
    assert grounds(seen, copy(participants=people(*range(10)))) == ()


def test_foreign_rows_do_not_exclude_the_release_among_whose_rows_they_are() -> None:
    assert grounds(sighting(rows=400), copy(participants=people(*range(30)))) == ()


def test_values_of_another_version_exclude_a_release() -> None:
    agreements = np.ones((20, 3), dtype=np.int32)
    agreements[:12] += [0, 2, 1]
    seen = sighting(agreements=agreements)
    copies = [copy(f"rel_{version}", version=version) for version in (1, 2, 3, 9)]
    found = narrowed(seen, copies)
    assert found.consistent == ("rel_2", "rel_9")  # no values of version 9 are there to be compared
    assert {one.grounds for one in found.excluded} == {(Ground.VERSION,)}


def test_a_few_cells_that_look_like_another_version_exclude_nothing() -> None:
    agreements = np.ones((20, 3), dtype=np.int32)
    agreements[:12] += [0, 2, 1]
    agreements[12:16] += [9, 0, 0]
    assert grounds(sighting(agreements=agreements), copy()) == ()


def test_the_order_of_the_master_excludes_releases_that_were_shuffled_or_sorted() -> None:
    copies = [copy("rel_a", order=AS_MASTER), copy("rel_b", order=SHUFFLED), copy("rel_c", order="age"), copy("rel_d")]
    seen = sighting(places=np.arange(20))
    assert narrowed(seen, copies).consistent == ("rel_a", "rel_d")
    assert len(narrowed(replace(seen, sorted_by_field=True), copies).consistent) == 4
    assert len(narrowed(sighting(), copies).consistent) == 4
    loosely = np.arange(20)
    loosely[[3, 11]] = loosely[[11, 3]]
    assert len(narrowed(sighting(places=loosely), copies).consistent) == 4


@pytest.mark.parametrize("count", [4, 5, 6])
def test_ascending_rows_are_no_rarer_than_the_bound_says(count: int) -> None:
    ascents = Counter(_longest(order) for order in itertools.permutations(range(count)))
    for run in range(1, count + 1):
        share = sum(number for length, number in ascents.items() if length >= run) / math.factorial(count)
        assert share <= math.comb(count, run) / math.factorial(run) + 1e-12


def _longest(order: tuple[int, ...]) -> int:
    lengths = range(len(order), 0, -1)
    return next(
        length
        for length in lengths
        for some in itertools.combinations(order, length)
        if all(first < second for first, second in itertools.pairwise(some))
    )


def test_few_ascending_rows_exclude_nothing() -> None:
    few = people(10, 11, 12, 13, 14)  # 1 in 120
    assert grounds(sighting(participants=few), copy(order=SHUFFLED)) == ()
    assert grounds(sighting(participants=people(*few.tolist(), 15)), copy(order=SHUFFLED)) == (Ground.ORDER,)


def test_another_habit_of_writing_excludes_a_release_and_an_unknown_one_does_not() -> None:
    seen = sighting(habits={"participant ids": ("2019", 1e-6)})
    copies = [copy("rel_a", habits={"participant ids": "2019"}), copy("rel_b", habits={"participant ids": "2021"})]
    assert narrowed(seen, [*copies, copy("rel_c")]).consistent == ("rel_a", "rel_c")
    doubtful = sighting(habits={"participant ids": ("2019", 0.1)})
    assert len(narrowed(doubtful, copies).consistent) == 2


def test_absent_people_count_only_where_the_file_is_whole() -> None:
    held = copy(participants=people(*range(60)))
    assert grounds(sighting(), held) == ()
    assert grounds(sighting(whole=True), held) == (Ground.ABSENT,)
    assert (
        grounds(sighting(whole=True), copy(participants=people(*range(10, 60)), withdrawn=people(*range(30, 60)))) == ()
    )
    assert grounds(sighting(whole=True, rows=60), held) == ()  # forty rows that nobody knows may be the forty people
    assert grounds(sighting(whole=True), copy(participants=people(*range(10, 30)))) == ()


def test_an_empty_leak_narrows_nothing() -> None:
    empty = sighting(participants=people(), fields={}, columns=0)
    copies = [copy("rel_a", participants=people(1)), copy("rel_b", order=SHUFFLED), copy("rel_c", fields=frozenset())]
    assert narrowed(empty, copies).consistent == ("rel_a", "rel_b", "rel_c")
    assert narrowed(empty, []).consistent == ()


@given(st.permutations(range(6)), st.integers(0, 30))
def test_the_set_does_not_depend_on_the_order_or_number_of_the_copies(order: list[int], first: int) -> None:
    copies = [copy(f"rel_{number}", participants=people(*range(first, 28 + number))) for number in range(6)]
    found = narrowed(sighting(), copies)
    assert narrowed(sighting(), [copies[at] for at in order]) == found
    alone = [one.release for one in copies if narrowed(sighting(), [one]).consistent]
    assert list(found.consistent) == alone


def test_a_release_listed_twice_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="twice"):
        narrowed(sighting(), [copy(), copy()])


@pytest.mark.parametrize(
    "wrong",
    [{"doubts": np.zeros(3)}, {"rows": 5}, {"versions": (1,)}, {"columns": 1}, {"false_match_rate": 1.5}],
    ids=str,
)
def test_a_sighting_refuses_what_does_not_fit_together(wrong: dict[str, Any]) -> None:
    with pytest.raises(InvalidInputError):
        sighting(**wrong)
