"""Datasets, versions, confirmation and withdrawals."""

from dataclasses import replace
from datetime import date

import pytest

from copyhold.actions import catalogue, custody
from copyhold.domain.catalogue import Dictionary, Tier
from copyhold.domain.errors import ConflictError, InvalidInputError, NotFoundError
from copyhold.domain.verdicts import Refused
from copyhold.rules.catalogue import participant_token
from tests import make
from tests.world import World


def codes(refused: pytest.ExceptionInfo[Refused]) -> list[str]:
    return [reason.code for reason in refused.value.verdict.reasons]


def test_a_version_comes_back_as_it_was_added(world: World) -> None:
    order = catalogue.next_version(world.by(), "NHANES", make.dictionary())
    added = catalogue.add_version(world.by(), order, make.version_result(order), ("HMB", "GS=GB;IE"))
    assert catalogue.show(world.by(), "NHANES") == added
    assert catalogue.show(world.by(), added.dataset) == added
    assert (added.number, added.rows) == (1, 100)
    assert added.terms[1].parameters == ("GB", "IE")
    assert added.dictionary == order.dictionary


def test_asking_for_an_order_changes_nothing(world: World) -> None:
    catalogue.next_version(world.by(), "NHANES", make.dictionary())
    assert catalogue.datasets(world.by()) == ()


def test_guesses_that_nobody_accepted_are_refused(world: World) -> None:
    guessed = make.dictionary(make.field("SEQN"), make.field("LBXTC", guess=True))
    with pytest.raises(Refused) as refused:
        catalogue.next_version(world.by(), "NHANES", guessed)
    assert codes(refused) == ["GUESSES_NOT_ACCEPTED"]
    order = catalogue.next_version(world.by(), "NHANES", guessed, accept_suggested=True)
    assert order.accepted_guesses == ("LBXTC",)
    assert not order.dictionary.guesses
    with pytest.raises(Refused):
        catalogue.add_version(world.by(), order, replace(make.version_result(order), dictionary=guessed))


def test_two_who_add_the_next_version_do_not_both_succeed(world: World) -> None:
    first = catalogue.next_version(world.by(), "NHANES", make.dictionary())
    second = catalogue.next_version(world.by(), "NHANES", make.dictionary())
    catalogue.add_version(world.by(), first, make.version_result(first))
    with pytest.raises(ConflictError, match="meanwhile"):
        catalogue.add_version(world.by(), second, make.version_result(second))
    assert len(catalogue.versions(world.by(), "NHANES")) == 1


def test_a_refresh_keeps_the_terms_unless_others_are_stated(world: World) -> None:
    make.version(world, terms=("HMB",))
    assert [one.code for one in make.version(world, terms=()).terms] == ["DUO:0000006"]
    assert [one.code for one in make.version(world, terms=("GRU",)).terms] == ["DUO:0000042"]


def test_who_added_a_version_does_not_confirm_it(four_eyes: World) -> None:
    second = make.custodian(four_eyes)
    make.version(four_eyes)
    with pytest.raises(Refused) as refused:
        catalogue.confirm(four_eyes.by(), "NHANES")
    assert codes(refused) == ["SAME_PERSON"]
    confirmed = catalogue.confirm(four_eyes.by(second.id), "NHANES", "high")
    assert (confirmed.tier, confirmed.confirmed_by) == (Tier.HIGH, second.id)
    with pytest.raises(InvalidInputError, match="tier"):
        catalogue.confirm(four_eyes.by(second.id), "NHANES", "enormous")


def test_a_confirmation_holds_for_a_refresh_of_the_same_classification_alone(four_eyes: World) -> None:
    second = make.custodian(four_eyes)
    make.version(four_eyes)
    catalogue.confirm(four_eyes.by(second.id), "NHANES")
    assert make.version(four_eyes).confirmed_by == second.id
    wider = Dictionary((*make.dictionary().fields, make.field("LBXNEW")))
    assert make.version(four_eyes, fields=wider).confirmed_by is None


def test_a_withdrawal_is_counted_and_due(world: World) -> None:
    make.release(world)
    first = catalogue.withdraw(world.by(), "NHANES", ("1001", "1002", " 1002 ", ""), date(2026, 6, 1))
    again = catalogue.withdraw(world.by(), "NHANES", ("1002", "1003"))
    assert (first.count, first.new, first.copies, first.due_on) == (2, 2, 1, date(2026, 6, 1))
    assert (again.count, again.new) == (2, 1)
    assert catalogue.withdrawals(world.by()) == (again, first)
    with pytest.raises(InvalidInputError):
        catalogue.withdraw(world.by(), "NHANES", (" ",))
    with pytest.raises(NotFoundError):
        catalogue.withdraw(world.by(), "Elsewhere", ("1",))


def test_who_withdrew_stands_nowhere_in_the_database(world: World) -> None:
    from django.apps import apps

    make.version(world)
    catalogue.withdraw(world.by(), "NHANES", ("participant-canary-77",))
    rows = [row for model in apps.get_models() for row in model._default_manager.values_list()]
    assert rows
    assert "participant-canary-77" not in repr(rows)


def test_a_participant_token_can_be_made_again_with_the_key_alone(world: World) -> None:
    added = make.version(world)
    keeping = custody.show(world.by())
    key = world.keys.derive("participant", keeping.id, added.dataset)
    assert participant_token(key, " 1001 ") == participant_token(key, "1001")
    assert len(participant_token(key, "1001")) == 16
    other = world.keys.derive("participant", keeping.id, "dat_other")
    assert participant_token(other, "1001") != participant_token(key, "1001")
