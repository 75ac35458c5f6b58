"""A decoy has everybody's values and nobody's row."""

import numpy as np
import pytest

from copyhold.engines.matching.decoy import correlated_blocks, deals


def _correlated(rng: np.random.Generator, columns: int, rows: int = 500) -> np.ndarray:
    return rng.standard_normal(rows) + 0.3 * rng.standard_normal((columns, rows))


def test_correlated_columns_stay_together_and_others_do_not() -> None:
    rng = np.random.default_rng(1)
    values = np.concatenate([_correlated(rng, 2), rng.standard_normal((2, 500))])
    values[0, ::7] = np.nan
    assert correlated_blocks(["a", "b", "c", "d"], values) == (("a", "b"), ("c",), ("d",))


def test_no_block_is_so_large_that_it_leaves_whole_people_in_the_decoy() -> None:
    blocks = correlated_blocks([str(n) for n in range(12)], _correlated(np.random.default_rng(2), 12))
    assert sorted(name for block in blocks for name in block) == sorted(str(n) for n in range(12))
    assert max(map(len, blocks)) == 4


def test_columns_without_values_stay_alone() -> None:
    assert correlated_blocks(["a", "b"], np.full((2, 100), np.nan)) == (("a",), ("b",))


@pytest.mark.parametrize("rows", [1, 2, 12, 2000, 20_011])
def test_a_deal_gives_each_decoy_row_one_person_and_back(rows: int) -> None:
    deal = deals("v", rows, [("a",)], ["a", "b"], 3)["a"]
    persons = deal.persons(np.arange(rows))
    assert sorted(persons.tolist()) == list(range(rows))
    np.testing.assert_array_equal(deal.decoys(persons), np.arange(rows))


def test_blocks_are_dealt_apart_and_their_columns_together() -> None:
    dealt = deals("v", 10_000, [("a", "b"), ("c",)], ["a", "b", "c"], 0)
    rows = np.arange(10_000)
    assert dealt["a"] == dealt["b"]
    assert np.count_nonzero(dealt["a"].persons(rows) == dealt["c"].persons(rows)) < 100


def test_columns_of_one_block_alone_are_dealt_one_by_one() -> None:
    dealt = deals("v", 10_000, [("a", "b"), ("c",)], ["a", "b"], 0)
    rows = np.arange(10_000)
    assert np.count_nonzero(dealt["a"].persons(rows) == dealt["b"].persons(rows)) < 100


def test_a_decoy_follows_from_version_and_number_alone() -> None:
    one, same = (deals("v", 5000, [], ["a", "b"], 1) for _ in range(2))
    assert one == same
    assert one != deals("v", 5000, [], ["a", "b"], 2)
    assert one != deals("w", 5000, [], ["a", "b"], 1)
