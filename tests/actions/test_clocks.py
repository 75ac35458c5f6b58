"""Tasks in the gate and on the page of whoever must do them."""

from datetime import timedelta

import pytest

from copyhold.actions import access, clocks, releases
from copyhold.domain.clocks import Consequence, Effect, Kind
from copyhold.domain.errors import ConflictError, NotFoundError
from copyhold.domain.verdicts import Refused
from tests import make
from tests.world import World

STOP = (Consequence(0, Effect.SUSPEND),)


def test_an_overdue_task_stops_the_next_decision_and_no_earlier_one(world: World) -> None:
    project = make.running_project(world)
    lead = make.lead_of(world, project)
    made = make.task(world, Kind.REPORT, reach=project.id, due=timedelta(days=1), consequences=STOP)
    assert access.why(world.by(), lead.email, project.name).verdict.allowed
    before = world.now
    answer = access.why(world.by(), lead.email, project.name, made.due_at)
    assert [reason.code for reason in answer.verdict.reasons] == ["REPORT_OVERDUE"]
    world.later(days=1)
    with pytest.raises(Refused) as refusal:
        releases.request(world.by(), project.name, lead.email)
    assert [reason.code for reason in refusal.value.verdict.reasons] == ["REPORT_OVERDUE"]
    assert access.why(world.by(), lead.email, project.name, before).verdict.allowed


def test_a_task_that_blocks_what_is_new_stops_a_request_and_lets_a_copy_under_way_be_made(world: World) -> None:
    project = make.running_project(world)
    lead = make.lead_of(world, project)
    under_way = releases.request(world.by(), project.name, lead.email)
    make.task(world, Kind.REPORT, reach=project.id, consequences=(Consequence(0, Effect.BLOCK_NEW),))
    world.later(days=40)
    with pytest.raises(Refused):
        releases.request(world.by(), project.name, lead.email)
    assert releases.begin(world.by(), under_way.id).release == under_way.id


def test_what_needs_me_is_what_i_my_projects_and_my_roles_own(world: World) -> None:
    project = make.running_project(world)
    lead, other = make.lead_of(world, project), make.person(world)
    officer = make.custodian(world, roles=("governance_officer",))
    mine = make.task(world, Kind.REPORT, owner=project.id, due=timedelta(days=9))
    sooner = make.task(world, Kind.REVIEW, owner=lead.id, due=timedelta(days=2))
    theirs = make.task(world, Kind.NOTICE, owner="governance_officer")
    assert [task.id for task in clocks.mine(world.by(lead.id))] == [sooner.id, mine.id]
    assert [task.id for task in clocks.mine(world.by(officer.id))] == [theirs.id]
    assert clocks.mine(world.by(other.id)) == ()
    assert clocks.show(world.by(lead.id), mine.id) == mine
    with pytest.raises(NotFoundError):
        clocks.show(world.by(other.id), mine.id)


def test_a_task_is_fulfilled_once_by_its_owner_or_the_governance_officer(world: World) -> None:
    project = make.running_project(world)
    lead, stranger = make.lead_of(world, project), make.person(world)
    officer = make.custodian(world, roles=("governance_officer",))
    steward = make.custodian(world, roles=("data_steward",))
    first, second = (make.task(world, Kind.REPORT, owner=project.id, reach=project.id) for _ in range(2))
    with pytest.raises(NotFoundError):
        clocks.fulfil(world.by(stranger.id), first.id)
    with pytest.raises(Refused) as refusal:
        clocks.fulfil(world.by(steward.id), first.id)
    assert [one.code for one in refusal.value.verdict.reasons] == ["NOT_YOURS_TO_DO"]
    met = clocks.fulfil(world.by(lead.id), first.id, note="done", evidence_sha256=make.digest("report"))
    assert (met.met_by, met.note, met.evidence_sha256) == (lead.id, "done", make.digest("report"))
    with pytest.raises(ConflictError):
        clocks.fulfil(world.by(lead.id), first.id)
    assert clocks.fulfil(world.by(officer.id), second.id).met_by == officer.id
    assert clocks.mine(world.by(lead.id)) == ()


def test_what_is_overdue_in_the_custody_is_listed_for_its_staff(world: World) -> None:
    late = make.task(world, Kind.REPORT, due=timedelta(days=1))
    make.task(world, Kind.REPORT, due=timedelta(days=9))
    world.later(days=2)
    assert [task.id for task in clocks.overdue(world.by()).items] == [late.id]
    with pytest.raises(Refused):
        clocks.overdue(world.by(make.person(world).id))
