"""Test 1 of the tracing design, section 11: over all marks an innocent could have had, the evidence has mean <= 1."""

import numpy as np
import pytest

from tests.attacks.instrument import Instrument, check_exact_mean
from tests.attacks.leaks import KINDS, draw


@pytest.mark.parametrize("kind", KINDS)
def test_over_all_marks_of_an_innocent_the_evidence_has_mean_at_most_one(kind: str) -> None:
    for seed in range(12):
        check_exact_mean(Instrument(), draw(kind, seed))


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "ids"])
def test_no_evidence_is_wasted_where_no_ids_are_read(kind: str) -> None:
    for seed in range(4):
        evidence, probability = Instrument().evidence(draw(kind, seed))
        assert np.sum(probability * np.exp(evidence)) == pytest.approx(1, abs=1e-9)


@pytest.mark.attack
@pytest.mark.parametrize("kind", KINDS)
def test_over_all_marks_of_an_innocent_many_leaks_have_mean_at_most_one(kind: str) -> None:
    for seed in range(12, 400):
        check_exact_mean(Instrument(), draw(kind, seed))
