"""Test 1 of the tracing design, section 11: over all marks an innocent could have had, the evidence has mean <= 1."""

from collections.abc import Callable

import numpy as np
import pytest

from tests.attacks.instrument import Instrument, check_exact_mean
from tests.attacks.leaks import KINDS, Group, Leak, draw

WITH_IDS = ("ids", "together")  # drawn without replacement: the mean is below 1


@pytest.mark.parametrize("kind", KINDS)
def test_over_all_marks_of_an_innocent_the_evidence_has_mean_at_most_one(kind: str) -> None:
    for seed in range(12):
        check_exact_mean(Instrument(), draw(kind, seed))


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in WITH_IDS])
def test_no_evidence_is_wasted_where_no_ids_are_read(kind: str) -> None:
    for seed in range(4):
        evidence, probability = Instrument().evidence(draw(kind, seed))
        assert np.sum(probability * np.exp(evidence)) == pytest.approx(1, abs=1e-9)


def rows_of(groups: tuple[Group, ...]) -> list[int]:
    return [row for group in groups for row, _ in group.candidates]


def counts(group: Group) -> list[int]:
    return [sum(column == other for other, _ in group.shown) for column in {column for column, _ in group.shown}]


def has_ties(leak: Leak) -> bool:
    weights = [[weight for _, weight in group.candidates] for group in leak.groups]
    return any(len(some) > 1 and len(set(some)) == 1 for some in weights)


def has_ids(leak: Leak) -> bool:
    return bool(leak.ids and leak.loose)


SHOWS: dict[str, Callable[[Leak], bool]] = {
    "plain": lambda leak: len(leak.groups) == leak.rows,
    "ties": has_ties,
    "shared candidates": lambda leak: len(set(rows_of(leak.groups))) < len(rows_of(leak.groups)),
    "duplicates": lambda leak: all(min(counts(group), default=2) > 1 for group in leak.groups),
    "doubled columns": lambda leak: any(max(counts(group)) > 1 == min(counts(group)) for group in leak.groups),
    "masks": lambda leak: bool(leak.held.any() and not leak.held.all()),
    "versions": lambda leak: len(leak.versions) > 1,
    "two datasets": lambda leak: leak.tables == 2 and len(set(leak.place(np.arange(leak.rows))[1])) < leak.rows,
    "ids": has_ids,
    "dates": lambda leak: len(leak.dates) > len(leak.participants),
    "halves": lambda leak: bool(leak.institution.any() and not leak.institution.all()),
    "second names": lambda leak: len(leak.named) == 2,
    "limits": lambda leak: bool((leak.high > leak.limit).all()),
    "public cells": lambda leak: bool(leak.public.any() and not leak.public.all()),
    "together": lambda leak: bool(leak.ids and leak.dates) and not leak.held.all() and len(leak.named) == 1,
}


@pytest.mark.parametrize("kind", KINDS)
def test_leaks_of_a_kind_show_what_the_kind_is_about(kind: str) -> None:
    """Most of the leaks that the exact mean goes through; some lack it, as a drawing does."""
    assert sum(SHOWS[kind](draw(kind, seed)) for seed in range(12)) >= 3


@pytest.mark.attack
@pytest.mark.parametrize("kind", KINDS)
def test_over_all_marks_of_an_innocent_many_leaks_have_mean_at_most_one(kind: str) -> None:
    for seed in range(12, 400):
        check_exact_mean(Instrument(), draw(kind, seed))
