"""Terms of the Data Use Ontology held against purposes."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from copyhold.domain.errors import InvalidInputError
from copyhold.domain.moments import parse
from copyhold.domain.purposes import Answer, Circumstances, Purpose, Term
from copyhold.rules import purposes

VECTORS = Path(__file__).parents[2] / "vectors" / "duo-match-cases.json"
CASES = json.loads(VECTORS.read_text())["cases"]
NOW = datetime(2026, 1, 5, tzinfo=UTC)


def use(told: dict[str, Any]) -> list[Term]:
    """A case's dataset as terms: its parameters stand under names of their own in the vectors."""
    behind = {
        "DUO:0000007": told.get("disease", []),
        "DUO:0000022": told.get("regions", []),
        "DUO:0000024": [told["moratorium"]] if "moratorium" in told else [],
        "DUO:0000025": [str(told["months"])] if "months" in told else [],
        "DUO:0000028": told.get("institutions", []),
    }
    permissions = told["perm"] if isinstance(told["perm"], list) else [told["perm"]]
    return [Term(code, tuple(behind.get(code, []))) for code in [*permissions, *told.get("mods", [])]]


def wanted(told: dict[str, Any]) -> Purpose:
    return Purpose(
        terms=tuple(told.get("terms", [])),
        general=told.get("general", False),
        biomedical=told.get("hmb", False),
        ancestry=told.get("poa", False),
        methods=told.get("methods", False),
        diseases=tuple(told.get("disease", [])),
        ancestors={disease: tuple(broader) for disease, broader in told.get("ancestors", {}).items()},
        not_for_profit=told.get("nonprofit"),
        flags=tuple(told.get("flags", [])),
    )


def here(dataset: dict[str, Any], told: dict[str, Any]) -> Circumstances:
    return Circumstances(
        at=parse(told["at"].replace("Z", "+00:00")) if "at" in told else NOW,
        started_at=parse(dataset["start"]) if "start" in dataset else None,
        institution=told.get("institution"),
        institution_country=told.get("institution_country"),
        processing_country=told.get("processing_country"),
        ethics=told.get("ethics") is not None,
        publishing=told.get("action") == "publish",
    )


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_each_case_gets_its_answer(case: dict[str, Any]) -> None:
    found = purposes.match(use(case["dataset"]), wanted(case["purpose"]), here(case["dataset"], case["purpose"]))
    assert found.answer is Answer(case["expect"])


@pytest.mark.parametrize(
    ("told", "code"),
    [
        ("DUO:0000042", "DUO:0000042"),
        ("DUO_0000042", "DUO:0000042"),
        ("DUO_00000044", "DUO:0000044"),
        ("duo:0000006", "DUO:0000006"),
        ("gru", "DUO:0000042"),
    ],
)
def test_a_term_is_read_in_every_spelling_in_use(told: str, code: str) -> None:
    assert purposes.term(told).code == code


def test_what_is_not_of_the_ontology_is_refused() -> None:
    for told in ("DUO:9999999", "XYZ", "", "DUO:42"):
        with pytest.raises(InvalidInputError):
            purposes.term(told)


def test_a_permission_stated_as_a_purpose_means_the_widest_use_it_permits() -> None:
    assert purposes.purpose(["GRU"]).general
    assert purposes.purpose(["HMB"]).biomedical
    assert purposes.purpose(["DUO:0000038"]).biomedical
    assert purposes.purpose(["DS=DOID:162"]).diseases == ("DOID:162",)
    assert purposes.purpose(["NPUNCU", "HMB"]).commercial is False


def test_a_term_that_states_no_purpose_is_refused_as_one() -> None:
    with pytest.raises(InvalidInputError, match="no purpose"):
        purposes.purpose(["DUO:0000021"])


def test_no_terms_at_all_are_for_a_committee() -> None:
    assert purposes.match((), purposes.purpose(["HMB"]), Circumstances(NOW)).answer is Answer.REVIEW


def test_an_unknown_disease_is_outside_what_a_disease_permits() -> None:
    terms = purposes.terms(["DS=DOID:162"])
    assert purposes.match(terms, purposes.purpose(["DS=DOID:9"]), Circumstances(NOW)).answer is Answer.DENY


@pytest.mark.parametrize(
    ("at", "answer"),
    [("2025-12-31T23:59:59+00:00", Answer.APPROVE), ("2026-01-01T00:00:00+00:00", Answer.DENY)],
)
def test_a_time_limit_is_half_open(at: str, answer: Answer) -> None:
    circumstances = Circumstances(parse(at), started_at=parse("2025-01-01"))
    found = purposes.match(purposes.terms(["GRU", "TS=12"]), purposes.purpose(["GRU"]), circumstances)
    assert found.answer is answer


def test_months_that_end_in_a_shorter_month_end_on_its_last_day() -> None:
    circumstances = Circumstances(parse("2024-02-29"), started_at=parse("2023-08-31"))
    found = purposes.match(purposes.terms(["GRU", "TS=6"]), purposes.purpose(["GRU"]), circumstances)
    assert found.answer is Answer.DENY


def test_a_place_that_is_not_known_is_not_allowed() -> None:
    terms = purposes.terms(["GRU", "GS=GB;IE"])
    found = purposes.match(terms, purposes.purpose(["GRU"]), Circumstances(NOW, institution_country="GB"))
    assert [reason.code for reason in found.denials] == ["PLACE_NOT_ALLOWED"]


CODES = sorted(code for code, kind in purposes.vocabulary().items() if kind in ("permission", "modifier"))


@given(
    st.lists(st.sampled_from(CODES), max_size=4),
    st.sampled_from(CODES),
    st.builds(Purpose, general=st.booleans(), biomedical=st.booleans(), ancestry=st.booleans(), methods=st.booleans()),
)
def test_a_further_restriction_never_widens(stated: list[str], more: str, asked: Purpose) -> None:
    """One more modifier (care apart, which is the one that widens) never turns an answer towards yes."""
    if more in purposes.PERMISSIONS or more == "DUO:0000043":
        return
    order = [Answer.APPROVE, Answer.REVIEW, Answer.DENY]
    before = purposes.match([Term(code) for code in stated], asked, Circumstances(NOW))
    after = purposes.match([Term(code) for code in [*stated, more]], asked, Circumstances(NOW))
    assert order.index(after.answer) >= order.index(before.answer)
    assert set(before.denials) <= set(after.denials)


def test_every_modifier_of_the_ontology_has_a_rule() -> None:
    modifiers = {code for code, kind in purposes.vocabulary().items() if kind == "modifier"}
    assert modifiers <= set(purposes._MODIFIERS)
