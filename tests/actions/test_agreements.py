"""Agreements that act: signed by all sides, held against every decision, and over at once when they end."""

from datetime import timedelta

import pytest

from copyhold.actions import access, agreements, clocks, custody, log, releases
from copyhold.actions.agreements import NewRoute, Offer
from copyhold.auditlog.entries import Leaf
from copyhold.domain.agreements.contracts import (
    Agreement,
    Condition,
    Duty,
    Obligation,
    Prohibition,
    State,
    Terms,
    Trigger,
    all_of,
)
from copyhold.domain.clocks import Consequence, Effect
from copyhold.domain.errors import InvalidInputError, NotFoundError
from copyhold.domain.parties import Institution, Person
from copyhold.domain.projects import Project
from copyhold.domain.verdicts import Refused
from copyhold.rules.clocks import DEFAULTS
from tests import make
from tests.world import OPERATOR, World

TEXT = make.digest("the text that all sides sign")
ANYBODY = Terms(all_of(Condition("named")), incident_hours=24)


@pytest.fixture
def home(world: World) -> Institution:
    return make.institution(world, country="DK")


@pytest.fixture
def lead(world: World, home: Institution) -> Person:
    return make.person(world, at=home)


@pytest.fixture
def official(world: World, home: Institution) -> Person:
    return make.person(world, at=home, roles=("institution_official",))


@pytest.fixture
def project(world: World, lead: Person) -> Project:
    applied = make.project(world, lead=lead)
    approved = make.approved(world, applied)
    until = world.now + timedelta(days=300)
    access.record(world.by(), "ethics", approved.name, until)
    access.record(world.by(), "training", lead.email, until)
    return approved


def offered(world: World, home: Institution, project: Project | None, terms: Terms = ANYBODY, **more: str) -> Agreement:
    given = Offer(
        title="Access to NHANES",
        institution=home.name,
        dataset="NHANES",
        terms=terms,
        text_sha256=TEXT,
        from_at=world.now,
        until=world.now + timedelta(days=200),
        project=None if project is None else project.name,
        **more,
    )
    return agreements.offer(world.by(), given)


def signed(world: World, agreement: Agreement, official: Person, lead: Person | None) -> Agreement:
    agreements.sign(world.by(), agreement.id, "custodian", TEXT)
    shown = agreements.sign(world.by(official.id), agreement.id, "institution", TEXT, "director of research")
    if lead is not None:
        shown = agreements.sign(world.by(lead.id), agreement.id, "lead", TEXT)
    return shown.agreement


def codes(world: World, lead: Person, project: Project) -> list[str]:
    return [reason.code for reason in access.why(world.by(), lead.email, project.name).verdict.reasons]


def test_the_last_signature_puts_an_agreement_in_force_and_ending_it_stops_the_next_decision(
    world: World, home: Institution, official: Person, lead: Person, project: Project
) -> None:
    agreement = offered(world, home, project)
    assert codes(world, lead, project) == ["CONTRACT_NOT_IN_FORCE"]
    agreements.sign(world.by(), agreement.id, "custodian", TEXT)
    agreements.sign(world.by(official.id), agreement.id, "institution", TEXT)
    assert codes(world, lead, project) == ["CONTRACT_NOT_IN_FORCE"]
    shown = agreements.sign(world.by(lead.id), agreement.id, "lead", TEXT)
    assert (shown.agreement.state, shown.missing) == (State.SIGNED, ())
    assert codes(world, lead, project) == []
    while_in_force = world.now
    agreements.terminate(world.by(), agreement.id, "a clause was broken")
    assert codes(world, lead, project) == ["CONTRACT_NOT_IN_FORCE"]
    assert access.why(world.by(), lead.email, project.name, while_in_force).verdict.allowed
    entries = [Leaf.decode(row.leaf).type for row in log.rows(world.by(), 0)]
    assert [one for one in entries if one.startswith("agreement.")] == [
        "agreement.offered",
        *["agreement.signed"] * 3,
        "agreement.terminated",
    ]


def test_an_agreement_over_one_dataset_is_none_over_another(
    world: World, home: Institution, official: Person, lead: Person, project: Project
) -> None:
    make.version(world, name="Other")
    given = Offer("Other data", home.name, "Other", ANYBODY, TEXT, world.now, world.now + timedelta(days=200))
    other = signed(world, agreements.offer(world.by(), given), official, None)
    assert codes(world, lead, project) == ["CONTRACT_NOT_IN_FORCE"]
    signed(world, offered(world, home, None), official, None)
    assert codes(world, lead, project) == []
    agreements.terminate(world.by(), other.id, "no longer needed")
    assert codes(world, lead, project) == []


def test_the_answer_lasts_until_the_agreement_ends(
    world: World, home: Institution, official: Person, lead: Person, project: Project
) -> None:
    agreement = signed(world, offered(world, home, project), official, lead)
    soon = agreement.until - timedelta(days=150)
    for clock, who in (("ethics", project.name), ("training", lead.email), ("affiliation", lead.email)):
        access.record(world.by(), clock, who, agreement.until + timedelta(days=9))
    access.record(world.by(), "scope", project.name, agreement.until + timedelta(days=9))
    answer = access.why(world.by(), lead.email, project.name, soon)
    assert answer.valid_until == agreement.until
    assert [hand.agreement for hand in answer.hands if hand.agreement] == [agreement]


def test_an_agreement_lapses_by_itself(
    world: World, home: Institution, official: Person, lead: Person, project: Project
) -> None:
    agreement = signed(world, offered(world, home, project), official, lead)
    world.now = agreement.until - timedelta(seconds=3)
    access.record(world.by(), "affiliation", lead.email, world.now + timedelta(days=9))
    assert codes(world, lead, project) == ["REVERIFICATION_OVERDUE"]
    assert codes(world, lead, project) == ["CONTRACT_NOT_IN_FORCE", "REVERIFICATION_OVERDUE"]


def test_the_condition_of_an_agreement_is_asked_at_every_decision(
    world: World, home: Institution, official: Person, lead: Person, project: Project
) -> None:
    terms = Terms(all_of(Condition("named"), Condition("document", ("undertaking not to re-identify",))))
    signed(world, offered(world, home, None, terms), official, None)
    assert codes(world, lead, project) == ["DOCUMENT_MISSING"]
    until = world.now + timedelta(days=10)
    agreements.record_document(world.by(), "undertaking not to re-identify", lead.email, until)
    assert codes(world, lead, project) == []
    requested = releases.request(world.by(), project.name, lead.email)
    world.later(days=11)
    with pytest.raises(Refused) as refusal:
        releases.begin(world.by(), requested.id)
    assert [one.code for one in refusal.value.verdict.reasons] == ["DOCUMENT_MISSING"]


def test_duties_become_tasks_that_stop_what_they_say(
    world: World, home: Institution, official: Person, lead: Person, project: Project
) -> None:
    stop = (Consequence(0, Effect.SUSPEND),)
    duty = Duty(Obligation.DECLARE, Trigger.START, within_hours=48, consequences=stop)
    later = Duty(Obligation.NOTIFY, Trigger.INCIDENT, within_hours=24)
    terms = Terms(all_of(Condition("named")), duties=(duty, later))
    agreement = signed(world, offered(world, home, project, terms), official, lead)
    tasks = clocks.mine(world.by(lead.id))
    assert [(task.source, task.due_at) for task in tasks] == [(agreement.id, agreement.from_at + timedelta(hours=48))]
    world.now = tasks[0].due_at - timedelta(seconds=2)
    assert codes(world, lead, project) == []
    assert codes(world, lead, project) == ["DECLARATION_OVERDUE"]
    clocks.fulfil(world.by(lead.id), tasks[0].id, note="two copies, both in Odense")
    assert codes(world, lead, project) == []


def test_a_duty_that_says_nothing_of_effects_has_those_of_its_kind(
    world: World, home: Institution, official: Person, lead: Person, project: Project
) -> None:
    duty = Duty(Obligation.REPORT, Trigger.START, within_hours=24)
    signed(world, offered(world, home, project, Terms(all_of(Condition("named")), duties=(duty,))), official, lead)
    task = clocks.mine(world.by(lead.id))[0]
    assert (task.warn_days, task.consequences) == (DEFAULTS[task.kind].warn_days, DEFAULTS[task.kind].consequences)
    assert task.consequences


def test_a_new_agreement_takes_the_place_of_the_one_it_supersedes(
    world: World, home: Institution, official: Person, lead: Person, project: Project
) -> None:
    first = signed(world, offered(world, home, project), official, lead)
    second = offered(world, home, project, supersedes=first.id)
    assert agreements.show(world.by(), first.id).agreement.state is State.SIGNED
    signed(world, second, official, lead)
    assert agreements.show(world.by(), first.id).agreement.state is State.TERMINATED
    assert codes(world, lead, project) == []
    with pytest.raises(Refused) as refusal:
        offered(world, home, None, supersedes=second.id)
    assert [one.code for one in refusal.value.verdict.reasons] == ["OTHER_AGREEMENT"]


def test_what_must_flow_down_is_held_against_a_sub_recipients_offer(
    world: World, home: Institution, official: Person, lead: Person, project: Project
) -> None:
    terms = Terms(all_of(Condition("named")), flow_down=(Prohibition.REIDENTIFICATION,))
    parent = signed(world, offered(world, home, project, terms), official, lead)
    below = make.institution(world, country="DK")
    with pytest.raises(Refused) as refusal:
        offered(world, below, None, ANYBODY, parent=parent.id)
    assert {one.code for one in refusal.value.verdict.reasons} == {"NOT_FLOWED_DOWN"}
    bound = Terms(
        all_of(Condition("named")),
        prohibitions=(Prohibition.REIDENTIFICATION,),
        flow_down=(Prohibition.REIDENTIFICATION,),
    )
    assert offered(world, below, None, bound, parent=parent.id).parent == parent.id


def test_an_agreement_is_seen_by_its_sides_alone(
    world: World, home: Institution, official: Person, lead: Person, project: Project
) -> None:
    agreement = offered(world, home, project)
    for who in (official, lead):
        assert agreements.show(world.by(who.id), agreement.id).agreement == agreement
        assert [one.id for one in agreements.listing(world.by(who.id)).items] == [agreement.id]
    stranger = make.person(world, roles=("institution_official",))
    assert agreements.listing(world.by(stranger.id)).items == ()
    with pytest.raises(NotFoundError):
        agreements.sign(world.by(stranger.id), agreement.id, "institution", TEXT)


def test_an_offer_taken_back_cannot_be_signed(world: World, home: Institution, official: Person) -> None:
    make.version(world)
    agreement = agreements.withdraw(world.by(), offered(world, home, None).id, "a clause was wrong")
    with pytest.raises(Refused) as refusal:
        agreements.sign(world.by(official.id), agreement.id, "institution", TEXT)
    assert [one.code for one in refusal.value.verdict.reasons] == ["AGREEMENT_STATE"]


def test_an_agreement_that_cannot_be_is_refused_as_input(world: World, home: Institution) -> None:
    make.version(world)
    with pytest.raises(InvalidInputError, match="A place"):
        offered(world, home, None, Terms(Condition("named"), places=("XX",)))
    with pytest.raises(InvalidInputError, match="over before"):
        agreements.offer(world.by(), Offer("T", home.name, "NHANES", ANYBODY, TEXT, world.now, world.now))


class TestTransfers:
    @pytest.fixture
    def world(self, bare: World) -> World:
        """A custody that exports from the United Kingdom."""
        bare.operator = custody.found(bare.nobody(), "Cohort", OPERATOR, False, "GB").operator
        return bare

    def test_without_a_route_nothing_passes_a_border(self, world: World, lead: Person, project: Project) -> None:
        access.record(world.by(), "agreement", project.name, world.now + timedelta(days=90))
        assert codes(world, lead, project) == ["TRANSFER_NO_ROUTE"]
        until = world.now + timedelta(days=30)
        agreements.record_route(world.by(), NewRoute("GB", "DK", "approved country", until, reference="SI"))
        assert codes(world, lead, project) == []
        known = world.now
        world.now = until
        assert "TRANSFER_NO_ROUTE" in codes(world, lead, project)
        assert access.why(world.by(), lead.email, project.name, known).verdict.allowed

    def test_a_route_for_one_institution_leads_to_no_other(
        self, world: World, home: Institution, lead: Person, project: Project
    ) -> None:
        access.record(world.by(), "agreement", project.name, world.now + timedelta(days=90))
        other = make.institution(world, country="DK")
        until = world.now + timedelta(days=30)
        agreements.record_route(
            world.by(), NewRoute("GB", "DK", "standard contractual clauses", until, institution=other.name)
        )
        assert codes(world, lead, project) == ["TRANSFER_NO_ROUTE"]
        agreements.record_route(
            world.by(), NewRoute("GB", "DK", "standard contractual clauses", until, institution=home.name)
        )
        assert codes(world, lead, project) == []
        assert len(agreements.routes(world.by()).items) == 2

    def test_a_route_is_told_in_words_that_are_known(self, world: World, home: Institution) -> None:
        until = world.now + timedelta(days=30)
        with pytest.raises(InvalidInputError, match="safeguard"):
            agreements.record_route(world.by(), NewRoute("GB", "DK", "goodwill", until))
        with pytest.raises(InvalidInputError, match="another country"):
            agreements.record_route(world.by(), NewRoute("GB", "FR", "exception", until, institution=home.name))


def test_documents_are_about_one_thing_and_the_newest_counts(world: World, home: Institution) -> None:
    make.version(world)
    until = world.now + timedelta(days=30)
    for reference in ("first", "second"):
        agreements.record_document(
            world.by(), "data protection impact assessment", "NHANES", until, reference=reference
        )
    agreements.record_document(world.by(), "processor agreement", home.name, until)
    assert [one.reference for one in agreements.documents(world.by(), "NHANES")] == ["second"]
    assert len(agreements.documents(world.by(), home.name)) == 1
    with pytest.raises(NotFoundError):
        agreements.documents(world.by(), "Nowhere")
    with pytest.raises(InvalidInputError, match="kind"):
        agreements.record_document(world.by(), "napkin", "NHANES", until)
