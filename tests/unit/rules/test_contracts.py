"""Contracts at a decision: what is empty or unknown refuses, and one thing less never lets more through."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from copyhold.domain.agreements.contracts import (
    Agreement,
    AgreementId,
    Condition,
    Prohibition,
    Side,
    Signature,
    State,
    Terms,
    Use,
    all_of,
    any_of,
)
from copyhold.domain.catalogue import DatasetId
from copyhold.domain.parties import InstitutionId, Person, PersonId, Role
from copyhold.domain.projects import ProjectId
from copyhold.rules.agreements import contracts

START = datetime(2026, 1, 1, tzinfo=UTC)
NOW = START + timedelta(days=30)
ZERO = "0" * 26
HOME = InstitutionId(f"ins_{ZERO}")
LEAD = PersonId(f"per_{ZERO}")
TEXT = "a" * 64
USE = Use(
    at=NOW,
    purposes=("DUO:0000006",),
    fields=("LBXTC",),
    country="GB",
    ror="05a28rw58",
    named=True,
    trained_at=START,
    documents=("undertaking not to re-identify",),
)
# A leaf of each kind that the use above satisfies, and the code it must refuse with once its fact is missing.
LEAVES: dict[str, tuple[Condition, Use, str]] = {
    "purpose": (
        Condition("purpose", ("DUO:0000006", "DUO:0000042")),
        replace(USE, purposes=()),
        "PURPOSE_NOT_APPROVED",
    ),
    "fields": (Condition("fields", ("LBXTC", "LBXGLU")), replace(USE, fields=None), "FIELDS_NOT_APPROVED"),
    "country": (Condition("country", ("GB", "IE")), replace(USE, country=None), "PLACE_NOT_ALLOWED"),
    "country not on list": (
        Condition("country not on list", ("NIH countries of concern",)),
        replace(USE, country=None),
        "PLACE_NOT_ALLOWED",
    ),
    "country on list": (Condition("country on list", ("eea",)), replace(USE, country=None), "PLACE_NOT_ALLOWED"),
    "institution": (Condition("institution", ("05a28rw58",)), replace(USE, ror=""), "NOT_ON_THE_LIST"),
    "named": (Condition("named"), replace(USE, named=False), "NOT_NAMED"),
    "trained within days": (
        Condition("trained within days", ("365",)),
        replace(USE, trained_at=None),
        "TRAINING_EXPIRED",
    ),
    "document": (
        Condition("document", ("undertaking not to re-identify",)),
        replace(USE, documents=()),
        "DOCUMENT_MISSING",
    ),
}
IN_DENMARK = replace(USE, country="DK")


def codes(condition: Condition, use: Use = USE) -> list[str]:
    return [reason.code for reason in contracts.decide(condition, use).reasons]


@pytest.mark.parametrize("kind", sorted(contracts.LEAVES))
def test_a_leaf_holds_where_its_fact_is_there_and_refuses_where_it_is_not_known(kind: str) -> None:
    condition, without, code = LEAVES[kind]
    assert codes(condition, IN_DENMARK if kind == "country on list" else USE) == []
    assert codes(condition, without) == [code]


ASKS_FOR_VALUES = sorted({"named"} ^ set(contracts.LEAVES))


@pytest.mark.parametrize("empty", [all_of(), any_of(), *(Condition(kind) for kind in ASKS_FOR_VALUES)])
def test_what_is_empty_refuses(empty: Condition) -> None:
    assert codes(empty)


def test_what_is_not_known_refuses_wherever_all_must_hold() -> None:
    unknown = Condition("phase of the moon", ("full",))
    assert codes(unknown) == ["UNKNOWN_TERM"]
    assert codes(all_of(Condition("named"), unknown)) == ["UNKNOWN_TERM"]
    assert codes(any_of(Condition("named"), unknown)) == []


@pytest.mark.parametrize("kind", ["country on list", "country not on list"])
def test_a_list_that_is_not_known_refuses(kind: str) -> None:
    assert codes(Condition(kind, ("eea", "the moon")), replace(USE, country="DK")) == ["UNKNOWN_TERM"]


@pytest.mark.parametrize("days", ["", "soon", "9" * 40, "-1"])
def test_an_age_of_training_that_is_no_number_of_days_refuses(days: str) -> None:
    assert codes(Condition("trained within days", (days,))) == ["TRAINING_EXPIRED"]


def test_any_of_gives_every_reason_where_none_holds() -> None:
    assert codes(any_of(Condition("country", ("FR",)), Condition("institution", ("x",)))) == [
        "PLACE_NOT_ALLOWED",
        "NOT_ON_THE_LIST",
    ]


@pytest.mark.parametrize("country", ["CN", "HK", "MO", "RU", "IR", "KP", "CU", "VE"])
def test_a_country_of_concern_is_refused_from_the_day_of_the_notice(country: str) -> None:
    condition = Condition("country not on list", ("NIH countries of concern",))
    assert codes(condition, replace(USE, country=country)) == ["PLACE_NOT_ALLOWED"]
    before = replace(USE, country=country, at=datetime(2025, 4, 3, tzinfo=UTC))
    assert codes(condition, before) == []


LEAF = st.sampled_from([condition for condition, _, _ in LEAVES.values()] + [Condition("unheard of")])
TREES = st.recursive(LEAF, lambda inner: st.builds(
    lambda kind, of: Condition(kind, of=tuple(of)), st.sampled_from(["all of", "any of"]), st.lists(inner, max_size=3)
), max_leaves=8)  # fmt: skip


@given(TREES, st.sampled_from([without for _, without, _ in LEAVES.values()]))
def test_knowing_less_never_lets_more_through(condition: Condition, without: Use) -> None:
    if contracts.decide(condition, without):
        assert contracts.decide(condition, USE)


@given(TREES, TREES)
def test_all_of_is_and_any_of_is_or(one: Condition, other: Condition) -> None:
    first, second = bool(contracts.decide(one, USE)), bool(contracts.decide(other, USE))
    assert bool(contracts.decide(all_of(one, other), USE)) is (first and second)
    assert bool(contracts.decide(any_of(one, other), USE)) is (first or second)


def agreement(**changes: object) -> Agreement:
    plain = Agreement(
        AgreementId(f"agr_{ZERO}"), "Access", TEXT, HOME, DatasetId(f"dat_{ZERO}"), ProjectId(f"prj_{ZERO}"),
        Terms(Condition("named")), START, START + timedelta(days=365), State.OFFERED, LEAD, START,
    )  # fmt: skip
    return replace(plain, **changes)


def person(number: int, *roles: Role, at: InstitutionId | None = HOME) -> Person:
    return Person(PersonId(f"per_{ZERO[:-1]}{number}"), "p@example.org", at, roles, START)


OFFICIAL = person(1, Role.INSTITUTION_OFFICIAL)
ELSEWHERE = person(2, Role.INSTITUTION_OFFICIAL, at=InstitutionId(f"ins_{ZERO[:-1]}1"))
STAFF = person(3, Role.ACCESS_OFFICER, at=None)
LAY_MEMBER = person(4, Role.LAY_MEMBER, at=None)
RESEARCHER = person(0)


@pytest.mark.parametrize(
    ("side", "who", "expected"),
    [
        (Side.CUSTODIAN, STAFF, []),
        (Side.CUSTODIAN, OFFICIAL, ["NO_AUTHORITY"]),
        (Side.CUSTODIAN, LAY_MEMBER, ["NO_AUTHORITY"]),
        (Side.INSTITUTION, OFFICIAL, []),
        (Side.INSTITUTION, ELSEWHERE, ["NO_AUTHORITY"]),
        (Side.INSTITUTION, RESEARCHER, ["NO_AUTHORITY"]),
        (Side.LEAD, RESEARCHER, []),
        (Side.LEAD, OFFICIAL, ["NO_AUTHORITY"]),
    ],
)
def test_who_signs_for_whom(side: Side, who: Person, expected: list[str]) -> None:
    verdict = contracts.may_sign(agreement(), (), side, who, LEAD, TEXT, four_eyes=True)
    assert [reason.code for reason in verdict.reasons] == expected


def test_nobody_signs_twice_nor_another_text_nor_what_is_over() -> None:
    signed = Signature(AgreementId(f"agr_{ZERO}"), Side.CUSTODIAN, STAFF.id, "", TEXT, NOW)
    both = replace(STAFF, roles=(Role.ACCESS_OFFICER, Role.INSTITUTION_OFFICIAL), institution=HOME)

    def told(given: Agreement, side: Side, text: str = TEXT, *, four_eyes: bool = True) -> list[str]:
        verdict = contracts.may_sign(given, (signed,), side, both, LEAD, text, four_eyes=four_eyes)
        return [reason.code for reason in verdict.reasons]

    assert told(agreement(), Side.CUSTODIAN, four_eyes=False) == ["NOT_YOURS_TO_SIGN"]
    assert told(agreement(), Side.INSTITUTION) == ["SAME_PERSON"]
    assert told(agreement(), Side.INSTITUTION, "b" * 64, four_eyes=False) == ["OTHER_TEXT"]
    assert told(agreement(state=State.TERMINATED), Side.INSTITUTION, four_eyes=False) == ["AGREEMENT_STATE"]
    assert told(agreement(project=None), Side.LEAD, four_eyes=False) == ["NOT_YOURS_TO_SIGN", "NO_AUTHORITY"]


def test_the_projects_own_agreement_governs_before_its_institutions() -> None:
    of_all = agreement(id=AgreementId(f"agr_{ZERO[:-1]}2"), project=None)
    own = agreement()
    assert contracts.governing([of_all, own], NOW) == own
    assert contracts.governing([of_all, own], own.until) is None
    assert contracts.governing([replace(own, until=NOW), of_all], NOW) == of_all


PARENT = Terms(
    Condition("named"),
    prohibitions=(Prohibition.REIDENTIFICATION, Prohibition.REDISTRIBUTION),
    places=("GB", "IE"),
    flow_down=(Prohibition.REIDENTIFICATION,),
    incident_hours=24,
)


@pytest.mark.parametrize(
    ("change", "reasons"),
    [
        ({}, 0),
        ({"prohibitions": ()}, 1),
        ({"flow_down": ()}, 1),
        ({"places": ()}, 1),
        ({"places": ("GB", "FR")}, 1),
        ({"places": ("IE",)}, 0),
        ({"incident_hours": 48}, 1),
        ({"audit_right": False}, 1),
    ],
)
def test_a_sub_recipient_is_bound_no_less(change: dict[str, object], reasons: int) -> None:
    child = replace(PARENT, **change)  # type: ignore[arg-type] # fields of Terms
    assert len(contracts.flows_down(PARENT, child).reasons) == reasons
