"""The five clocks and the gate, live and for past instants."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from copyhold.actions import access, catalogue, incidents, projects
from copyhold.actions.projects import Application
from copyhold.domain.access import Clock
from copyhold.domain.errors import ConflictError, InvalidInputError, NotFoundError
from copyhold.domain.parties import Person
from copyhold.domain.projects import Project, State
from copyhold.domain.verdicts import Refused
from tests import make
from tests.world import World


def codes(world: World, person: Person, project: Project, **span: float) -> list[str]:
    at = world.now + timedelta(**span) if span else None
    return [reason.code for reason in access.why(world.by(), person.email, project.name, at).verdict.reasons]


def test_every_reason_is_given_at_once(world: World) -> None:
    lead = make.person(world)
    project = make.project(world, lead=lead, days=10)
    stranger = make.person(world)
    incidents.suspend(world.by(), "person", stranger.email)
    world.later(days=100)
    assert codes(world, stranger, project) == [
        "PERSON_SUSPENDED",
        "PROJECT_NOT_ACTIVE",
        "NOT_NAMED",
        "ETHICS_EXPIRED",
        "CONTRACT_NOT_IN_FORCE",
        "REVERIFICATION_OVERDUE",
        "TRAINING_EXPIRED",
        "AFFILIATION_STALE",
    ]


def test_a_project_with_green_clocks_passes_and_says_until_when(world: World) -> None:
    lead = make.person(world)
    project = make.running_project(world, lead=lead)
    answer = access.why(world.by(), lead.email, project.name)
    assert answer.verdict.allowed
    assert all(hand.green for hand in answer.hands)
    assert answer.valid_until == min(hand.evidence.until for hand in answer.hands if hand.evidence)


BREAKS: dict[str, Callable[[World, Person, Project], object]] = {
    "ETHICS_EXPIRED": lambda world, lead, project: access.record(world.by(), "ethics", project.name, world.now),
    "CONTRACT_NOT_IN_FORCE": lambda world, lead, project: access.record(
        world.by(), "agreement", project.name, world.now
    ),
    "REVERIFICATION_OVERDUE": lambda world, lead, project: access.record(world.by(), "scope", project.name, world.now),
    "TRAINING_EXPIRED": lambda world, lead, project: access.record(world.by(), "training", lead.email, world.now),
    "AFFILIATION_STALE": lambda world, lead, project: access.record(world.by(), "affiliation", lead.email, world.now),
    "NOT_NAMED": lambda world, lead, project: projects.remove_member(world.by(), project.name, lead.email),
    "PROJECT_NOT_ACTIVE": lambda world, lead, project: projects.close(world.by(), project.name),
    "PERSON_SUSPENDED": lambda world, lead, project: incidents.suspend(world.by(), "person", lead.email),
    "FREEZE": lambda world, lead, project: incidents.suspend(world.by(), "country", "GB"),
    "PURPOSE_NOT_APPROVED": lambda world, lead, project: make.version(world, terms=("POA",)),
    "FIELDS_NOT_APPROVED": lambda world, lead, project: make.version(world, fields=make.dictionary(make.field("A"))),
}


@pytest.mark.parametrize("code", BREAKS)
def test_one_red_condition_is_one_refusal_and_only_from_then_on(world: World, code: str) -> None:
    lead = make.person(world)
    project = make.running_project(world, lead=lead, fields=("LBXTC",))
    green = world.later(minutes=5).now
    BREAKS[code](world.later(minutes=5), lead, project)
    assert codes(world, lead, project) == [code]
    assert access.why(world.by(), lead.email, project.name, green).verdict.allowed


@pytest.mark.parametrize("clock", Clock)
def test_a_clock_is_half_open_to_the_second(world: World, clock: Clock) -> None:
    lead = make.person(world)
    project = make.running_project(world, lead=lead)
    until = world.now + timedelta(days=20)
    who = lead.email if clock in (Clock.TRAINING, Clock.AFFILIATION) else project.name
    access.record(world.by(), clock.value, who, until)
    later = world.later(days=60).by()

    def green(seconds: int) -> bool:
        asked = access.why(later, lead.email, project.name, until + timedelta(seconds=seconds))
        return next(hand.green for hand in asked.hands if hand.clock is clock)

    assert [green(-1), green(0), green(1)] == [True, False, False]


def test_a_past_answer_uses_what_was_known_then(world: World) -> None:
    """Evidence recorded later, even for earlier, does not change what was answered."""
    lead = make.person(world)
    project = make.project(world, lead=lead)
    projects.approve(world.by(), project.name)
    before = world.later(days=1).now
    early = world.now - timedelta(hours=12)
    access.record(world.by(), "ethics", project.name, world.now + timedelta(days=9), since=early)
    access.record(world.by(), "agreement", project.name, world.now + timedelta(days=9), since=early)
    access.record(world.by(), "training", lead.email, world.now + timedelta(days=9), since=early)
    assert access.why(world.by(), lead.email, project.name).verdict.allowed
    then = access.why(world.by(), lead.email, project.name, before).verdict
    assert [reason.code for reason in then.reasons] == ["ETHICS_EXPIRED", "CONTRACT_NOT_IN_FORCE", "TRAINING_EXPIRED"]


def test_before_its_decision_a_project_was_not_active(world: World) -> None:
    lead = make.person(world)
    project = make.project(world, lead=lead)
    before = world.later(hours=1).now
    projects.approve(world.by(), project.name)
    asked = access.why(world.by(), lead.email, project.name, before).verdict
    assert "PROJECT_NOT_ACTIVE" in [reason.code for reason in asked.reasons]


def test_the_projects_own_agreement_decides_before_its_institutions(world: World) -> None:
    home = make.institution(world)
    lead = make.person(world, at=home)
    project = make.project(world, lead=lead)
    projects.approve(world.by(), project.name)
    make.evidence(world, project, lead)
    access.record(world.by(), "agreement", home.name, world.now + timedelta(days=100))
    assert codes(world, lead, project) == []
    access.record(world.by(), "agreement", project.name, world.now)
    assert codes(world, lead, project) == ["CONTRACT_NOT_IN_FORCE"]


def test_lifting_a_suspension_gives_back_what_evidence_allows(world: World) -> None:
    lead = make.person(world)
    project = make.running_project(world, lead=lead)
    incidents.suspend(world.by(), "project", project.name)
    assert codes(world, lead, project) == ["FREEZE"]
    incidents.reinstate(world.by(), "project", project.name)
    assert codes(world, lead, project) == []


def test_people_ask_about_themselves_alone(world: World) -> None:
    lead, other = make.person(world), make.person(world)
    project = make.running_project(world, lead=lead)
    assert access.why(world.by(lead.id), lead.email, project.name).verdict.allowed
    with pytest.raises(NotFoundError):
        access.why(world.by(other.id), lead.email, project.name)
    with pytest.raises(NotFoundError):
        access.why(world.by(other.id), other.email, project.name)


def test_the_database_itself_refuses_to_change_evidence(world: World) -> None:
    from django.db import connection

    from copyhold.domain.errors import IntegrityError
    from copyhold.records.transactions import in_our_words

    make.person(world)
    with pytest.raises(IntegrityError), in_our_words(), connection.cursor() as cursor:
        cursor.execute("UPDATE evidence SET until = '2099-01-01'")


class TestProjects:
    def test_a_project_comes_back_as_it_was_applied_for(self, world: World) -> None:
        applied = make.project(world, fields=("LBXGLU", "LBXTC"), where="LBXTC > 100", date_shifts=30)
        shown = projects.show(world.by(), applied.name)
        assert shown.project == applied
        assert (applied.fields, applied.where, applied.date_shifts) == (("LBXGLU", "LBXTC"), "LBXTC > 100", 30)
        assert [member.id for member in shown.members] == [applied.lead]

    @pytest.mark.parametrize(
        "scope", [{"fields": ("NAME",)}, {"fields": ("NOTHING",)}, {"date_shifts": 0}, {"days": -1}]
    )
    def test_a_scope_that_cannot_be_is_refused(self, world: World, scope: dict[str, object]) -> None:
        make.version(world)
        with pytest.raises(InvalidInputError):
            make.project(world, **scope)  # type: ignore[arg-type]

    def test_a_purpose_is_asked_for(self, world: World) -> None:
        make.version(world)
        with pytest.raises(InvalidInputError, match="purpose"):
            make.project(world, purpose=())
        with pytest.raises(InvalidInputError, match="Ontology"):
            make.project(world, purpose=("SOMETHING",))

    def test_who_applied_or_leads_does_not_decide(self, four_eyes: World) -> None:
        second, third = make.custodian(four_eyes), make.custodian(four_eyes)
        make.version(four_eyes)
        project = make.project(four_eyes, lead=second)
        for same in (four_eyes.operator, second.id):
            with pytest.raises(Refused) as refused:
                projects.approve(four_eyes.by(same), project.name)
            assert refused.value.verdict.reasons[0].code == "SAME_PERSON"
        assert projects.approve(four_eyes.by(third.id), project.name).state is State.APPROVED

    def test_terms_that_deny_are_not_overruled_and_review_is(self, world: World) -> None:
        make.version(world, name="Restricted", terms=("POA",))
        make.version(world, name="Silent", terms=())
        denied = make.project(world, dataset="Restricted", purpose=("HMB",))
        with pytest.raises(Refused) as refused:
            projects.approve(world.by(), denied.name)
        assert refused.value.verdict.reasons[0].code == "PURPOSE_NOT_APPROVED"
        reviewed = make.project(world, dataset="Silent", purpose=("HMB",))
        assert projects.show(world.by(), reviewed.name).match.answer.value == "review"
        assert projects.approve(world.by(), reviewed.name).state is State.APPROVED

    def test_a_decision_is_made_once(self, world: World) -> None:
        project = make.project(world)
        projects.refuse(world.by(), project.name, "out of scope")
        with pytest.raises(Refused, match="cannot become"):
            projects.approve(world.by(), project.name)

    def test_people_see_the_projects_that_name_them(self, world: World) -> None:
        lead, other = make.person(world), make.person(world)
        project = make.project(world, lead=lead)
        assert [one.name for one in projects.listing(world.by(lead.id))] == [project.name]
        assert projects.listing(world.by(other.id)) == ()
        projects.add_member(world.by(), project.name, other.email)
        assert len(projects.listing(world.by(other.id))) == 1
        with pytest.raises(ConflictError, match="named in the project already"):
            projects.add_member(world.by(), project.name, other.email)

    def test_a_name_is_taken_once(self, world: World) -> None:
        make.project(world, name="Lipids")
        with pytest.raises(ConflictError, match="already"):
            make.project(world, name="Lipids")

    def test_a_dataset_without_a_version_takes_no_application(self, world: World) -> None:
        lead = make.person(world)
        with pytest.raises(NotFoundError):
            projects.add(world.by(), Application("X", lead.email, "None", ("HMB",), world.now + timedelta(days=1)))
        assert catalogue.datasets(world.by()) == ()
