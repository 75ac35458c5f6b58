"""Attempts are counted before they score; findings are held for a second analyst."""

from dataclasses import replace

import pytest

from copyhold.actions import catalogue, custody, log, tracing
from copyhold.auditlog.entries import Leaf
from copyhold.domain.errors import ConflictError, InvalidInputError
from copyhold.domain.releases import PartyId
from copyhold.domain.tracing import Case, Finding, Named, PublishedCase, TraceResult
from copyhold.domain.verdicts import Refused
from tests import make
from tests.world import World

LEAK = make.digest("leak")
NOBODY = TraceResult(Finding.OURS_CANNOT_TELL, "NHANES", 1)


def named(party: str) -> TraceResult:
    finding = Named(PartyId(party), "Lipids", "Harbour University", (), 17.5, 1e-12, 60)
    return TraceResult(Finding.NAMED, "NHANES", 1, (finding,), report={"statement": "as printed"})


def test_attempts_are_counted_over_the_custody_before_they_score(world: World) -> None:
    copy = make.release(world)
    attempts = [tracing.open_attempt(world.by(), LEAK, "NHANES") for _ in range(3)]
    assert [one.number for one in attempts] == [1, 2, 3]
    assert attempts[0].keys_issued == 1
    assert attempts[0].keys[0].party == copy.party
    assert custody.status(world.by()).attempts == 3
    opened = log.open_entry(world.by(), log.size(world.by()) - 1).payload["facts"]
    assert isinstance(opened, dict)
    assert (opened["attempt"], opened["leak_sha256"], opened["keys"]) == (3, LEAK, 1)
    assert opened["mark_derivations"] == world.keys.derivations("mark")


def test_every_key_ever_issued_could_be_named(world: World) -> None:
    make.release(world)
    order_of_other = make.release(world)
    assert tracing.open_attempt(world.by(), LEAK, "NHANES").keys_issued == 2
    assert len(tracing.register(world.by()).copies) == 2
    assert order_of_other.epoch == 1


def test_an_answer_comes_back_as_it_was_given(world: World) -> None:
    attempt = tracing.open_attempt(world.by(), LEAK, "NHANES") if make.version(world) else None
    assert attempt is not None
    case = tracing.conclude(world.by(), attempt.case, named("pty_x"))
    assert case.result == named("pty_x")
    assert tracing.show(world.by(), attempt.case) == case
    with pytest.raises(ConflictError, match="concluded already"):
        tracing.conclude(world.by(), attempt.case, NOBODY)


def test_only_a_finding_that_names_has_names(world: World) -> None:
    make.version(world)
    attempt = tracing.open_attempt(world.by(), LEAK, "NHANES")
    for result in (TraceResult(Finding.NAMED), TraceResult(Finding.HELD)):
        with pytest.raises(InvalidInputError):
            tracing.conclude(world.by(), attempt.case, result)
    with pytest.raises(InvalidInputError):
        tracing.open_attempt(world.by(), "short", "NHANES")


@pytest.mark.parametrize("result", [NOBODY, named("pty_x")], ids=["nobody", "named"])
def test_with_four_eyes_an_answer_is_held_whatever_it_is(four_eyes: World, result: TraceResult) -> None:
    second = make.custodian(four_eyes)
    make.version(four_eyes)
    attempt = tracing.open_attempt(four_eyes.by(), LEAK, "NHANES")
    told = tracing.conclude(four_eyes.by(), attempt.case, result)
    assert (told.held, told.result) == (True, None)
    assert tracing.show(four_eyes.by(), attempt.case).result is None
    assert tracing.cases(four_eyes.by(second.id))[0].result is None
    with pytest.raises(Refused) as refused:
        tracing.agree(four_eyes.by(), attempt.case)
    assert refused.value.verdict.reasons[0].code == "SAME_PERSON"
    agreed = tracing.agree(four_eyes.by(second.id), attempt.case)
    assert (agreed.held, agreed.result, agreed.agreed_by) == (False, result, second.id)
    with pytest.raises(Refused):
        tracing.agree(four_eyes.by(second.id), attempt.case)


def test_the_public_log_has_the_same_form_whatever_was_found(bare: World) -> None:
    bare.found()
    make.version(bare)
    shapes = []
    for result in (NOBODY, named("pty_x")):
        before = log.size(bare.by())
        attempt = tracing.open_attempt(bare.by(), LEAK, "NHANES")
        tracing.conclude(bare.by(), attempt.case, result)
        leaves = [Leaf.decode(row.leaf) for row in log.rows(bare.by(), before)]
        shapes.append([(leaf.type, leaf.subject is None, leaf.project, leaf.policy, leaf.links) for leaf in leaves])
    assert shapes[0] == shapes[1]


def test_the_register_says_what_each_copy_can_have_held(world: World) -> None:
    make.version(world)
    project = make.running_project(world, fields=("SEQN", "LBXTC"), where="LBXTC > 100", date_shifts=30)
    catalogue.withdraw(world.by(), "NHANES", ("1001",))
    copy = make.release(world, project=project)
    catalogue.withdraw(world.by(), "NHANES", ("1002",))
    register = tracing.register(world.by())
    held = register.copies[0]
    assert (held.release, held.party, held.project_name) == (copy.id, copy.party, project.name)
    assert (held.released_fields, held.where, held.date_shifts) == (("SEQN", "LBXTC"), "LBXTC > 100", 30)
    assert [one.at <= held.begun_at for one in register.withdrawn] == [True, False]
    assert register.versions[0].number == 1


def test_reading_the_register_touches_no_key(world: World) -> None:
    make.release(world)
    occasion = world.by()
    before = {file.name: file.stat().st_size for file in world.derivations.iterdir()}
    tracing.register(occasion)
    assert {file.name: file.stat().st_size for file in world.derivations.iterdir()} == before


def concluded(world: World, result: TraceResult, leak: str = LEAK) -> Case:
    attempt = tracing.open_attempt(world.by(), leak, "NHANES")
    return tracing.conclude(world.by(), attempt.case, result)


def test_a_published_case_is_known_to_every_later_attempt_on_its_dataset(world: World) -> None:
    make.release(world)
    kept = make.digest("case file")
    case = concluded(world, replace(named("pty_x"), case_sha256=kept))
    assert tracing.open_attempt(world.by(), LEAK, "NHANES").published == ()
    public = tracing.publish(world.by(), case.id, "handed to the police")
    assert public.published_at is not None
    assert public.result == case.result
    again = tracing.open_attempt(world.by(), LEAK, "NHANES")
    assert again.published == (PublishedCase(case.id, kept, public.published_at),)
    make.version(world, name="OTHER")
    assert tracing.open_attempt(world.by(), LEAK, "OTHER").published == ()


def test_the_log_tells_of_a_publication_and_of_its_note(world: World) -> None:
    make.version(world)
    case = concluded(world, named("pty_x"))
    tracing.publish(world.by(), case.id, "handed to the police")
    entry = log.open_entry(world.by(), log.size(world.by()) - 1).payload
    assert (entry["type"], entry["subject"]) == ("tracing.case_published", case.id)
    assert entry["facts"] == {"attempt": 1, "note": "handed to the police"}


def test_a_case_becomes_public_once_and_only_where_it_names_somebody(world: World) -> None:
    make.version(world)
    opened = tracing.open_attempt(world.by(), LEAK, "NHANES").case
    case = concluded(world, named("pty_x"))
    tracing.publish(world.by(), case.id)
    for one, code in (
        (opened, "NOBODY_NAMED"),
        (concluded(world, NOBODY).id, "NOBODY_NAMED"),
        (case.id, "PUBLISHED_ALREADY"),
    ):
        with pytest.raises(Refused) as refused:
            tracing.publish(world.by(), one)
        assert [reason.code for reason in refused.value.verdict.reasons] == [code]


@pytest.mark.parametrize("result", [NOBODY, named("pty_x")], ids=["nobody", "named"])
def test_of_a_held_case_a_refused_publication_does_not_tell_whether_it_names_anybody(
    four_eyes: World, result: TraceResult
) -> None:
    second = make.custodian(four_eyes)
    make.version(four_eyes)
    case = concluded(four_eyes, result)
    with pytest.raises(Refused) as refused:
        tracing.publish(four_eyes.by(), case.id)
    assert [reason.code for reason in refused.value.verdict.reasons] == ["CASE_HELD"]
    tracing.agree(four_eyes.by(second.id), case.id)
    if result.named:
        assert tracing.publish(four_eyes.by(), case.id).published_at is not None


def test_only_the_security_team_publishes_a_case(world: World) -> None:
    make.version(world)
    case = concluded(world, named("pty_x"))
    for roles in (("researcher",), ("access_officer",), ("auditor",)):
        with pytest.raises(Refused):
            tracing.publish(world.by(make.person(world, roles=roles).id), case.id)
