"""A copy's life: request, approval, order, issue, and what stands in its way."""

import hashlib
from dataclasses import replace
from datetime import date

import pytest

from copyhold.actions import access, catalogue, custody, incidents, log, parties, projects, releases
from copyhold.auditlog.entries import Leaf
from copyhold.domain.errors import ConflictError, NotFoundError
from copyhold.domain.paging import Window
from copyhold.domain.parties import Person
from copyhold.domain.projects import Project
from copyhold.domain.releases import Release, State
from copyhold.domain.verdicts import Refused
from tests import make
from tests.world import World


def codes(refused: pytest.ExceptionInfo[Refused]) -> list[str]:
    return [reason.code for reason in refused.value.verdict.reasons]


def types(world: World) -> list[str]:
    return [Leaf.decode(row.leaf).type for row in log.rows(world.by(), 0)]


@pytest.fixture
def lead(world: World) -> Person:
    return make.person(world)


@pytest.fixture
def project(world: World, lead: Person) -> Project:
    return make.running_project(world, lead=lead)


def test_a_copy_is_requested_begun_and_issued(world: World, project: Project, lead: Person) -> None:
    requested = releases.request(world.by(), project.name, lead.email, waiver="")
    assert (requested.state, requested.holder, requested.version_number) == (State.REQUESTED, lead.id, 1)
    order = releases.begin(world.by(), requested.id)
    result = make.release_result(order)
    issued = releases.issue(world.by(), requested.id, result)
    assert (issued.state, issued.sha256, issued.rows, issued.epoch) == (State.ISSUED, result.sha256, 100, 1)
    shown = releases.show(world.by(), issued.id)
    assert shown.release == issued
    assert (shown.project, shown.holder, shown.dataset) == (project.name, lead.email, "NHANES")
    life = [entry.type for entry in log.about(world.by(), issued.id)]
    assert life == ["release.requested", "release.begun", "release.issued"]
    assert types(world)[-4:] == ["release.requested", "release.begun", "key.committed", "release.issued"]


def test_the_key_is_committed_to_before_the_first_copy_and_once(world: World, project: Project, lead: Person) -> None:
    first, second = (releases.request(world.by(), project.name, lead.email) for _ in range(2))
    order = releases.begin(world.by(), first.id)
    again = releases.begin(world.by(), second.id)
    parts = (custody.show(world.by()).id, order.dataset, order.party, str(order.epoch))
    secret = world.keys.derive("mark", *parts).reveal()
    assert order.commitment == hashlib.sha256(secret + bytes.fromhex(order.nonce)).hexdigest()
    assert (again.commitment, again.keys_issued) == (order.commitment, 1)
    assert types(world).count("key.committed") == 1


def test_a_party_is_a_project_at_an_institution(world: World, project: Project, lead: Person) -> None:
    home = next(one for one in parties.institutions(world.by()) if one.id == lead.institution)
    colleague, elsewhere = make.person(world, at=home), make.person(world)
    for member in (colleague, elsewhere):
        projects.add_member(world.by(), project.name, member.email)
        access.record(world.by(), "training", member.email, project.until)
    orders = [
        releases.begin(world.by(), releases.request(world.by(), project.name, one.email).id)
        for one in (lead, colleague, elsewhere)
    ]
    assert orders[0].party == orders[1].party != orders[2].party
    assert orders[2].keys_issued == 2


def test_a_refused_request_gives_every_reason_and_leaves_no_party(world: World, lead: Person) -> None:
    from copyhold.records.models.releases import Party

    project = make.project(world, lead=lead)
    with pytest.raises(Refused) as refused:
        releases.request(world.by(), project.name, lead.email)
    assert codes(refused) == [
        "PROJECT_NOT_ACTIVE",
        "ETHICS_EXPIRED",
        "CONTRACT_NOT_IN_FORCE",
        "REVERIFICATION_OVERDUE",
        "TRAINING_EXPIRED",
    ]
    assert not Party.objects.exists()
    assert types(world)[-1] == "release.refused"


def test_the_gate_is_asked_again_before_the_copy_leaves(world: World, project: Project, lead: Person) -> None:
    requested = releases.request(world.by(), project.name, lead.email)
    order = releases.begin(world.by(), requested.id)
    incidents.suspend(world.by(), "person", lead.email)
    for step in (lambda: releases.begin(world.by(), order.release), lambda: _issue(world, requested, order_of=order)):
        with pytest.raises(Refused) as refused:
            step()
        assert codes(refused) == ["PERSON_SUSPENDED"]
    assert releases.show(world.by(), requested.id).release.state is State.REQUESTED


def _issue(world: World, release: Release, order_of: object) -> Release:
    return releases.issue(world.by(), release.id, make.release_result(order_of))  # type: ignore[arg-type]


def test_a_withdrawal_while_a_copy_is_made_sends_it_back(world: World, project: Project, lead: Person) -> None:
    requested = releases.request(world.by(), project.name, lead.email)
    order = releases.begin(world.by(), requested.id)
    catalogue.withdraw(world.by(), "NHANES", ("1001",))
    with pytest.raises(ConflictError, match="withdrew"):
        _issue(world, requested, order)
    anew = releases.begin(world.by(), requested.id)
    assert (len(order.withdrawn), len(anew.withdrawn)) == (0, 1)
    assert _issue(world, requested, anew).state is State.ISSUED


def test_below_the_policys_power_a_copy_needs_a_waiver(world: World, project: Project, lead: Person) -> None:
    plain, waived = (
        releases.request(world.by(), project.name, lead.email, waiver=waiver) for waiver in ("", "pilot of five fields")
    )
    for n95 in (31, None):
        order = releases.begin(world.by(), plain.id)
        with pytest.raises(Refused) as refused:
            releases.issue(world.by(), plain.id, make.release_result(order, n95=n95))
        assert codes(refused) == ["BELOW_POWER"]
    order = releases.begin(world.by(), waived.id)
    assert releases.issue(world.by(), waived.id, make.release_result(order, n95=None)).waiver == "pilot of five fields"


def test_a_copy_that_does_not_decode_to_its_party_does_not_leave(world: World, project: Project, lead: Person) -> None:
    order = releases.begin(world.by(), releases.request(world.by(), project.name, lead.email).id)
    result = replace(make.release_result(order, decoded=False), plan_hash=make.digest("another"))
    with pytest.raises(Refused) as refused:
        releases.issue(world.by(), order.release, result)
    assert codes(refused) == ["MARKS_NOT_DECODED", "OTHER_PLAN"]


def test_there_are_no_sealed_packages_yet(world: World, project: Project, lead: Person) -> None:
    with pytest.raises(Refused) as refused:
        releases.request(world.by(), project.name, lead.email, open_copy=False)
    assert codes(refused) == ["NO_SEALED_PACKAGES"]


def test_a_tier_asks_more_of_every_release(world: World, project: Project, lead: Person) -> None:
    catalogue.confirm(world.by(), "NHANES", "highest")
    with pytest.raises(Refused) as refused:
        releases.request(world.by(), project.name, lead.email)
    assert codes(refused) == ["SEALED_ONLY", "FIELDS_NOT_APPROVED", "COHORT_NOT_APPROVED"]


def test_the_next_copy_of_a_party_has_the_one_before_as_parent(world: World, project: Project) -> None:
    first = make.release(world, project=project)
    second = make.release(world, project=project)
    assert (first.parent, second.parent) == (None, first.id)


class TestFourEyes:
    @pytest.fixture
    def second(self, four_eyes: World) -> Person:
        return make.custodian(four_eyes)

    @pytest.fixture
    def waiting(self, four_eyes: World, second: Person) -> Release:
        project = make.running_project(four_eyes, approver=second.id)
        catalogue.confirm(four_eyes.by(second.id), "NHANES")
        lead = next(one for one in parties.people(four_eyes.by()) if one.id == project.lead)
        return releases.request(four_eyes.by(), project.name, lead.email)

    def test_a_dataset_is_confirmed_before_its_first_copy(self, four_eyes: World, second: Person) -> None:
        lead = make.person(four_eyes)
        project = make.running_project(four_eyes, lead=lead, approver=second.id)
        with pytest.raises(Refused) as refused:
            releases.request(four_eyes.by(), project.name, lead.email)
        assert codes(refused) == ["VERSION_NOT_CONFIRMED"]

    def test_another_person_approves(self, four_eyes: World, second: Person, waiting: Release) -> None:
        assert waiting.state is State.AWAITING_APPROVAL
        with pytest.raises(Refused) as refused:
            releases.begin(four_eyes.by(), waiting.id)
        assert codes(refused) == ["RELEASE_STATE"]
        with pytest.raises(Refused) as refused:
            releases.approve(four_eyes.by(), waiting.id)
        assert codes(refused) == ["SAME_PERSON"]
        assert custody.status(four_eyes.by()).due[0].kind == "release"
        approved = releases.approve(four_eyes.by(second.id), waiting.id)
        assert (approved.state, approved.approved_by) == (State.APPROVED, second.id)
        order = releases.begin(four_eyes.by(), waiting.id)
        assert _issue(four_eyes, waiting, order).state is State.ISSUED
        with pytest.raises(Refused, match="cannot become"):
            releases.approve(four_eyes.by(second.id), waiting.id)

    def test_only_custodians_approve(self, four_eyes: World, waiting: Release) -> None:
        with pytest.raises(Refused) as refused:
            releases.approve(four_eyes.by(waiting.holder), waiting.id)
        assert codes(refused) == ["NO_PERMISSION"]


class TestEnds:
    def test_a_copy_is_recalled_kept_or_destroyed(self, world: World) -> None:
        copy = make.release(world)
        assert releases.recall(world.by(), copy.id, "the project ended").state is State.RECALLED
        kept = releases.keep(world.by(), copy.id, date(2027, 1, 1), "letter 12")
        assert (kept.state, kept.kept_until) == (State.KEPT, date(2027, 1, 1))
        gone = releases.record_destruction(world.by(), copy.id, make.digest("certificate"))
        assert (gone.state, gone.evidence_sha256) == (State.DESTROYED, make.digest("certificate"))
        with pytest.raises(Refused):
            releases.recall(world.by(), copy.id)

    def test_a_request_is_dropped_and_then_over(self, world: World, project: Project, lead: Person) -> None:
        requested = releases.request(world.by(), project.name, lead.email)
        assert releases.drop(world.by(), requested.id, "asked by mistake").state is State.DROPPED
        with pytest.raises(Refused):
            releases.begin(world.by(), requested.id)


class TestSight:
    def test_people_see_the_copies_of_their_projects_alone(self, world: World, project: Project, lead: Person) -> None:
        copy = make.release(world, project=project)
        stranger = make.person(world)
        assert releases.listing(world.by(lead.id)).items == (copy,)
        assert releases.listing(world.by(stranger.id)).items == ()
        with pytest.raises(NotFoundError):
            releases.show(world.by(stranger.id), copy.id)

    def test_a_list_comes_in_pages_newest_first(self, world: World, project: Project, lead: Person) -> None:
        made = [releases.request(world.by(), project.name, lead.email).id for _ in range(5)]
        seen, window = [], Window(size=2)
        while True:
            page = releases.listing(world.by(), window)
            seen += [copy.id for copy in page.items]
            if page.older is None:
                break
            window = Window(size=2, before=page.older)
        assert seen == made[::-1]


class TestUnderWay:
    def test_a_request_is_found_again_until_its_copy_is_issued(
        self, world: World, project: Project, lead: Person
    ) -> None:
        assert releases.under_way(world.by(), project.name, lead.email) is None
        first = releases.request(world.by(), project.name, lead.email)
        assert releases.under_way(world.by(), project.name, lead.email) == first
        newer = releases.request(world.by(), project.name, lead.email)
        assert releases.under_way(world.by(), project.name, lead.email) == newer
        order = releases.begin(world.by(), newer.id)
        _issue(world, newer, order)
        assert releases.under_way(world.by(), project.name, lead.email) == first
        releases.drop(world.by(), first.id)
        assert releases.under_way(world.by(), project.name, lead.email) is None

    def test_it_is_of_the_newest_version_for_the_same_person_and_with_the_reason_told(
        self, world: World, project: Project, lead: Person
    ) -> None:
        asked = releases.request(world.by(), project.name, lead.email, waiver="pilot")
        assert releases.under_way(world.by(), project.name, lead.email, waiver="pilot") == asked
        assert releases.under_way(world.by(), project.name, lead.email) == asked
        assert releases.under_way(world.by(), project.name, lead.email, waiver="another") is None
        assert releases.under_way(world.by(), project.name, lead.email, open_copy=False) is None
        assert releases.under_way(world.by(), project.name, make.person(world).email) is None
        make.version(world)
        assert releases.under_way(world.by(), project.name, lead.email) is None


class TestOrder:
    def test_a_copy_tells_from_what_it_was_made_whatever_came_after(
        self, world: World, project: Project, lead: Person
    ) -> None:
        catalogue.withdraw(world.by(), "NHANES", ("1001",))
        requested = releases.request(world.by(), project.name, lead.email)
        order = releases.begin(world.by(), requested.id)
        with pytest.raises(ConflictError, match="never issued"):
            releases.order(world.by(), requested.id)
        issued = _issue(world, requested, order)
        catalogue.withdraw(world.by(), "NHANES", ("1002",))
        make.version(world)
        assert releases.order(world.by(), issued.id) == order

    def test_only_who_makes_copies_is_told(self, world: World, project: Project) -> None:
        copy = make.release(world, project=project)
        for ask in (
            lambda: releases.order(world.by(copy.holder), copy.id),
            lambda: releases.under_way(world.by(copy.holder), project.name, "x@y.example"),
        ):
            with pytest.raises(Refused) as refused:
                ask()
            assert codes(refused) == ["NO_PERMISSION"]
