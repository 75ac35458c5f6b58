"""The switch: what it stops, what it cannot, and that it stays."""

import pytest

from copyhold.actions import accounts, incidents, parties, releases
from copyhold.domain.errors import ConflictError, InvalidInputError, NotFoundError
from copyhold.domain.verdicts import Refused
from tests import make
from tests.world import OPERATOR, World


def test_a_preview_says_what_stops_and_what_cannot_be_stopped(world: World) -> None:
    home = make.institution(world, name="Harbour University", country="DK")
    lead, colleague = make.person(world, at=home), make.person(world, at=home)
    project = make.running_project(world, lead=lead)
    issued = make.release(world, project=project)
    pending = releases.request(world.by(), project.name, lead.email)
    other = make.release(world)
    for reach, who in (("institution", home.name), ("country", "dk")):
        shown = incidents.preview(world.by(), reach, who)
        assert (shown.projects, shown.pending, shown.issued) == ((project.name,), (pending.id,), (issued.id,))
        assert shown.people == tuple(sorted((lead.email, colleague.email)))
        assert not shown.suspended
    assert incidents.preview(world.by(), "project", project.name).people == (lead.email,)
    assert incidents.preview(world.by(), "person", lead.email).issued == (issued.id,)
    assert other.id not in incidents.preview(world.by(), "country", "DK").issued
    assert incidents.in_force(world.by()) == ()


def test_a_suspension_is_one_row_until_it_is_lifted(world: World) -> None:
    home = make.institution(world)
    imposed = incidents.suspend(world.by(), "institution", home.name, "a copy was found for sale")
    assert incidents.in_force(world.by()) == (imposed,)
    assert incidents.preview(world.by(), "institution", home.name).suspended
    with pytest.raises(ConflictError, match="suspended already"):
        incidents.suspend(world.by(), "institution", home.name)
    lifted = incidents.reinstate(world.by(), "institution", home.name)
    assert (lifted.id, lifted.lifted_by) == (imposed.id, world.operator)
    with pytest.raises(ConflictError, match="not suspended"):
        incidents.reinstate(world.by(), "institution", home.name)
    assert incidents.suspend(world.by(), "institution", home.name).id != imposed.id


def test_a_suspended_person_acts_no_more_whatever_their_roles(world: World) -> None:
    second = make.custodian(world)
    assert parties.people(world.by(second.id))
    incidents.suspend(world.by(), "institution", str(second.institution))
    with pytest.raises(Refused) as refused:
        parties.people(world.by(second.id))
    assert refused.value.verdict.reasons[0].code == "PERSON_SUSPENDED"


def test_new_evidence_does_not_undo_a_suspension(world: World) -> None:
    lead = make.person(world)
    project = make.running_project(world, lead=lead)
    incidents.suspend(world.by(), "institution", str(lead.institution))
    make.evidence(world, project, lead)
    with pytest.raises(Refused) as refused:
        releases.request(world.by(), project.name, lead.email)
    assert [reason.code for reason in refused.value.verdict.reasons] == ["FREEZE"]


def test_the_operator_is_not_locked_out(world: World) -> None:
    with pytest.raises(Refused, match="operator"):
        incidents.suspend(world.by(), "person", OPERATOR)
    assert accounts.recognise(world.nobody()) == world.operator


def test_what_is_not_there_cannot_be_suspended(world: World) -> None:
    for reach, who in (("institution", "Nowhere"), ("person", "nobody@example.org"), ("project", "None")):
        with pytest.raises(NotFoundError):
            incidents.preview(world.by(), reach, who)
    with pytest.raises(InvalidInputError):
        incidents.suspend(world.by(), "planet", "GB")
    with pytest.raises(InvalidInputError):
        incidents.suspend(world.by(), "country", "ZZ")
