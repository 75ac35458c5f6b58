"""The gate as a pure function: nothing missing lets anybody through, nothing more stops fewer."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from copyhold.domain.access import Clock, Evidence, EvidenceId, Situation
from copyhold.domain.catalogue import DatasetId, Dictionary, Field, FieldType, Role, Version, VersionId
from copyhold.domain.clocks import Consequence, Effect, Kind, Task, TaskId
from copyhold.domain.incidents import Reach, Suspension, SuspensionId
from copyhold.domain.parties import Institution, InstitutionId, Person, PersonId
from copyhold.domain.projects import Project, ProjectId, State
from copyhold.domain.purposes import Term
from copyhold.rules.access import CLOCKS, may_take
from copyhold.rules.clocks import CODES
from copyhold.rules.purposes import purpose

START = datetime(2026, 1, 1, tzinfo=UTC)
NOW = START + timedelta(days=30)
END = START + timedelta(days=365)
ZERO = "0" * 26
HOME = Institution(InstitutionId(f"ins_{ZERO}"), "Harbour University", "DK", "", START)
PERSON = Person(PersonId(f"per_{ZERO}"), "ada@example.org", HOME.id, (), START)
DICTIONARY = Dictionary((Field("main", "LBXTC", "LBXTC", FieldType.INTEGER, Role.SENSITIVE),))
VERSION = Version(
    VersionId(f"ver_{ZERO}"), DatasetId(f"dat_{ZERO}"), 1, (), None, (), 100, DICTIONARY, *[""] * 6, (), {},
    (Term("DUO:0000042"),), PERSON.id, START,
)  # fmt: skip
PROJECT = Project(
    id=ProjectId(f"prj_{ZERO}"),
    name="Lipids",
    dataset=VERSION.dataset,
    lead=PERSON.id,
    purpose=purpose(["HMB"]),
    fields=("LBXTC",),
    where=None,
    date_shifts=None,
    until=END,
    state=State.APPROVED,
    applied_by=PERSON.id,
    applied_at=START,
    decided_by=PERSON.id,
    decided_at=START,
)


def evidence(clock: Clock, *, until: datetime = END, since: datetime = START) -> Evidence:
    subject = PERSON.id if clock in (Clock.TRAINING, Clock.AFFILIATION) else PROJECT.id
    return Evidence(EvidenceId(f"evi_{ZERO}"), clock, subject, since, until, PERSON.id, START)


def suspension(reach: Reach) -> Suspension:
    return Suspension(SuspensionId(f"sus_{ZERO}"), reach, "x", "", PERSON.id, START)


def task(kind: Kind, *effects: Effect, due: datetime = NOW, after: int = 0) -> Task:
    consequences = tuple(Consequence(after, effect) for effect in effects)
    told = "Hand in the report."
    return Task(TaskId(f"tsk_{ZERO}"), kind, PROJECT.id, PROJECT.id, PROJECT.id, told, START, due, (), consequences)


GREEN = Situation(
    at=NOW,
    live=True,
    person=PERSON,
    institution=HOME,
    project=PROJECT,
    named=True,
    evidence=tuple(evidence(clock) for clock in Clock),
    suspensions=(),
    version=VERSION,
)

# One change each, with the one code it must bring.
RED: dict[str, tuple[str, Callable[[Situation], Situation]]] = {
    **{
        f"without {clock.value}": (
            CLOCKS[clock][0],
            lambda given, clock=clock: replace(
                given, evidence=tuple(one for one in given.evidence if one.clock is not clock)
            ),
        )
        for clock in Clock
    },
    **{
        f"{reach.value} suspended": (
            "PERSON_SUSPENDED" if reach is Reach.PERSON else "FREEZE",
            lambda given, reach=reach: replace(given, suspensions=(*given.suspensions, suspension(reach))),
        )
        for reach in Reach
    },
    "not named": ("NOT_NAMED", lambda given: replace(given, named=False)),
    "no institution": ("NO_INSTITUTION", lambda given: replace(given, institution=None)),
    "no version": ("NO_VERSION", lambda given: replace(given, version=None)),
    "undecided": (
        "PROJECT_NOT_ACTIVE",
        lambda given: replace(given, project=replace(given.project, state=State.APPLIED, decided_at=None)),
    ),
    "rejected": (
        "PROJECT_NOT_ACTIVE",
        lambda given: replace(given, project=replace(given.project, state=State.REFUSED)),
    ),
    "closed": (
        "PROJECT_NOT_ACTIVE",
        lambda given: replace(given, project=replace(given.project, state=State.CLOSED, closed_at=NOW)),
    ),
    "over": ("PROJECT_NOT_ACTIVE", lambda given: replace(given, project=replace(given.project, until=given.at))),
    **{
        f"{kind.value} overdue": (
            CODES[kind],
            lambda given, kind=kind: replace(given, tasks=(*given.tasks, task(kind, Effect.SUSPEND))),
        )
        for kind in Kind
    },
    "another field": (
        "FIELDS_NOT_APPROVED",
        lambda given: replace(given, project=replace(given.project, fields=("LBXTC", "SECRET"))),
    ),
}


def codes(situation: Situation) -> list[str]:
    return [reason.code for reason in may_take(situation).verdict.reasons]


def test_all_green_is_yes() -> None:
    answer = may_take(GREEN)
    assert answer.verdict.allowed
    assert answer.valid_until == END
    assert [hand.clock for hand in answer.hands] == list(Clock)


@pytest.mark.parametrize("change", RED)
def test_each_change_alone_is_one_refusal(change: str) -> None:
    code, turned = RED[change]
    assert codes(turned(GREEN)) == [code]
    assert may_take(turned(GREEN)).valid_until is None


@given(st.lists(st.sampled_from(sorted(RED)), unique=True), st.sampled_from(sorted(RED)))
def test_one_thing_more_against_it_never_takes_a_reason_away(changes: list[str], more: str) -> None:
    situation = GREEN
    for change in changes:
        situation = RED[change][1](situation)
    further = RED[more][1](situation)
    # Without a version there are no fields to hold the scope against; that is said instead.
    hidden = {"FIELDS_NOT_APPROVED"} if further.version is None else set()
    assert {*codes(situation), RED[more][0]} - hidden <= set(codes(further))
    assert not may_take(further).verdict


@given(
    st.lists(st.tuples(st.sampled_from(Clock), st.integers(-3, 3), st.integers(-3, 3)), max_size=8),
    st.integers(-3, 3),
)
def test_yes_means_that_each_clock_holds_evidence_in_force(shown: list[tuple[Clock, int, int]], second: int) -> None:
    held = tuple(
        evidence(clock, since=NOW + timedelta(seconds=since), until=NOW + timedelta(seconds=until))
        for clock, since, until in shown
    )
    at = NOW + timedelta(seconds=second)
    answer = may_take(replace(GREEN, evidence=held, at=at))
    newest = {one.clock: one for one in held}
    wanted = all(clock in newest and newest[clock].from_at <= at < newest[clock].until for clock in Clock)
    assert answer.verdict.allowed is wanted
    assert [hand.green for hand in answer.hands] == [
        clock in newest and newest[clock].from_at <= at < newest[clock].until for clock in Clock
    ]


def test_the_same_situation_gets_the_same_answer() -> None:
    assert may_take(GREEN) == may_take(GREEN)


def test_terms_that_deny_stop_an_approved_project() -> None:
    narrowed = replace(VERSION, terms=(Term("DUO:0000011"),))
    assert codes(replace(GREEN, version=narrowed)) == ["PURPOSE_NOT_APPROVED"]


def test_terms_without_an_answer_were_decided_by_the_approval() -> None:
    assert codes(replace(GREEN, version=replace(VERSION, terms=()))) == []


def test_an_agreement_of_the_institution_counts_where_the_project_has_none() -> None:
    rest = tuple(one for one in GREEN.evidence if one.clock is not Clock.AGREEMENT)
    of_home = replace(evidence(Clock.AGREEMENT), subject=HOME.id)
    assert codes(replace(GREEN, evidence=(*rest, of_home))) == []
    ended = evidence(Clock.AGREEMENT, until=NOW)
    assert codes(replace(GREEN, evidence=(*rest, of_home, ended))) == ["CONTRACT_NOT_IN_FORCE"]


def test_a_closed_project_was_open_before() -> None:
    closed = replace(PROJECT, state=State.CLOSED, closed_at=NOW)
    earlier = replace(GREEN, project=closed, at=NOW - timedelta(days=1), live=False)
    assert codes(earlier) == []
    assert codes(replace(earlier, live=True)) == ["PROJECT_NOT_ACTIVE"]


def test_a_task_that_only_blocks_what_is_new_lets_what_is_under_way_go_on() -> None:
    blocked = may_take(replace(GREEN, tasks=(task(Kind.REPORT, Effect.BLOCK_NEW),)))
    assert blocked.verdict.allowed
    assert [reason.code for reason in blocked.beginning.reasons] == ["REPORT_OVERDUE"]


def test_yes_lasts_until_the_first_task_that_would_suspend() -> None:
    later = task(Kind.REPORT, Effect.SUSPEND, due=NOW + timedelta(days=5), after=30)
    sooner = task(Kind.DECLARATION, Effect.SUSPEND, due=NOW + timedelta(days=40))
    milder = task(Kind.DUTY, Effect.BLOCK_NEW, due=NOW + timedelta(days=1))
    answer = may_take(replace(GREEN, tasks=(sooner, later, milder)))
    assert answer.valid_until == NOW + timedelta(days=35)
    assert codes(replace(GREEN, tasks=(later,), at=NOW + timedelta(days=35) - timedelta(seconds=1))) == []
    assert codes(replace(GREEN, tasks=(later,), at=NOW + timedelta(days=35))) == ["REPORT_OVERDUE"]


def test_no_reason_names_a_person() -> None:
    situation = GREEN
    for _, turned in RED.values():
        situation = turned(situation)
    told = repr(may_take(situation).verdict)
    assert "ada@example.org" not in told
    assert "Lipids" not in told
