"""How many rows name a holder: the constants of the design, and a simulation with real bits."""

import math

import numpy as np
import pytest

from copyhold.domain.releases import Traceability
from copyhold.engines.marks.cells import cells
from copyhold.engines.marks.plan import arcsine_thresholds
from copyhold.engines.marks.power import (
    Attack,
    Rows,
    clean,
    noisy,
    rounding,
    rows_needed,
    rows_to_name,
    threshold,
    traceability,
    two_leakers,
)
from tests.engines.marks.nhanes import PLAN_KEY, blocks, dictionary, snapshot
from tests.engines.marks.test_plan import nhanes_plan

HALF = np.array([0.5])
ARCSINE = arcsine_thresholds() / 65_536


def test_the_nats_of_a_clean_cell_are_the_entropy_of_its_bit() -> None:
    assert clean(HALF)[0][0] == pytest.approx(math.log(2))
    assert clean(HALF)[1][0] == pytest.approx(0, abs=1e-12)
    # The arcsine law has a mean entropy of 2 ln 2 - 1 = .386.
    assert clean(ARCSINE)[0].mean() == pytest.approx(2 * math.log(2) - 1, abs=2e-3)


def test_the_first_name_of_ten_thousand_parties_needs_31_nats() -> None:
    assert threshold(10_000, price=0) == pytest.approx(31.3, abs=0.05)
    assert threshold(10_000, attempt=3, price=0) - threshold(10_000, price=0) == pytest.approx(math.log(6))


def test_noise_takes_what_the_design_says() -> None:
    small = noisy(np.array([0.5, 0.2]), np.array([0.1, 0.1]))[0]
    np.testing.assert_allclose(small, 0.01 * np.array([0.25, 0.16]) / 2, rtol=0.01)
    assert noisy(HALF, np.array([12.0]))[0][0] == pytest.approx(math.log(2), abs=1e-6)
    rng = np.random.default_rng(1)
    for bias, step in ((0.5, 1.0), (0.1, 2.0)):
        bits = rng.random(400_000) < bias
        ratio = step * (rng.normal(size=len(bits)) + step * bits) - step**2 / 2  # log f(y|1) / f(y|0)
        nats = np.where(bits, ratio, 0) - np.logaddexp(np.log(bias) + ratio, np.log1p(-bias))
        mean, variance = noisy(np.array([bias]), np.array([step]))
        assert mean[0] == pytest.approx(nats.mean(), abs=5 * nats.std() / np.sqrt(len(nats)))
        assert variance[0] == pytest.approx(nats.var(), rel=0.02)


def test_two_leakers_leave_what_a_coin_between_their_bits_leaves() -> None:
    # At p = 1/2 the party's bit is shown in three cells of four: the capacity of a binary symmetric channel.
    exact = math.log(2) + 0.75 * math.log(0.75) + 0.25 * math.log(0.25)
    assert two_leakers(HALF)[0][0] == pytest.approx(exact)
    rng = np.random.default_rng(7)
    for bias in (0.02, 0.3):
        own, other, coin = (rng.random(400_000) < share for share in (bias, bias, 0.5))
        shown = np.where(coin, own, other)
        chance = np.where(own, (1 + bias) / 2, bias / 2)  # that the upper member is shown
        nats = np.where(shown, np.log(chance / bias), np.log((1 - chance) / (1 - bias)))
        mean, variance = two_leakers(np.array([bias]))
        assert mean[0] == pytest.approx(nats.mean(), abs=5 * nats.std() / np.sqrt(len(nats)))
        assert variance[0] == pytest.approx(nats.var(), rel=0.03)


def test_rows_needed_is_the_least_that_reaches_the_threshold() -> None:
    for mean, variance, nats in ((7.0, 2.0, 31.3), (0.3, 0.5, 40.0), (1.0, 0.0, 31.0)):
        rows = rows_needed(mean, variance, nats)
        assert rows.n95 is not None
        assert rows.n95 * mean - 1.645 * math.sqrt(rows.n95 * variance) >= nats - 1e-9
        before = rows.n95 - 1
        assert before * mean - 1.645 * math.sqrt(before * variance) < nats
    assert rows_needed(0.0, 0.0, 31.0) == Rows(None, None)


def test_the_calculator_agrees_with_the_bits_of_drawn_parties() -> None:
    (whole,) = blocks(snapshot().slice(0, 4_000), dictionary())
    found = cells(nhanes_plan(), PLAN_KEY, whole)
    nats = threshold(10_000)
    rows = rows_to_name([found], nats)[Attack.NONE]
    rng, needed = np.random.default_rng(4), []
    gain = np.zeros(4_000)
    for _ in range(200):
        gain[:] = 0
        for one in found.values():
            bias = one.threshold / 65_536
            bits = rng.random(4_000) < bias
            gain += np.where(one.marked, -np.log(np.where(bits, bias, 1 - bias)), 0)
        needed.append(1 + int(np.argmax(np.cumsum(rng.permutation(gain)) >= nats)))
    assert rows.n50 is not None
    assert rows.n95 is not None
    assert abs(np.median(needed) - rows.n50) <= 0.15 * rows.n50 + 1
    assert 0.9 <= np.mean(np.array(needed) <= rows.n95) <= 0.995


def test_every_attack_costs_rows_and_a_copy_without_marks_names_nobody() -> None:
    found = [cells(nhanes_plan(), PLAN_KEY, part) for part in blocks(snapshot().slice(0, 2_000), dictionary(), 700)]
    needed = {attack: rows.n95 for attack, rows in rows_to_name(found, threshold(100)).items()}
    least = needed[Attack.NONE]
    assert least is not None
    for attack in (Attack.FIVE_COLUMNS, Attack.NOISE, Attack.TWO_LEAKERS, Attack.ROUNDED):
        more = needed[attack]
        assert more is not None
        assert more > least
    assert set(rows_to_name(found, threshold(100), ["CYCLE"]).values()) == {Rows(None, None)}
    assert set(rows_to_name([], threshold(100)).values()) == {Rows(None, None)}


@pytest.mark.parametrize(("tolerance", "grid"), [(1.0, 1.0), (0.3, 0.5), (6.0, 10.0), (1.5, 2.0), (0.05, 0.05)])
def test_rounding_goes_by_one_two_five(tolerance: float, grid: float) -> None:
    assert rounding(tolerance) == pytest.approx(grid)


def test_the_class_is_the_strongest_trace() -> None:
    assert traceability(True, True, True) is Traceability.NUMERIC_MARKS
    assert traceability(False, True, True) is Traceability.DATES
    assert traceability(False, False, True) is Traceability.IDS_ONLY
    assert traceability(False, False, False) is Traceability.NATURAL_SIGNATURE
