"""One act: one permission, one durable transaction that locks the log first, one entry."""

import pytest

from copyhold.actions import accounts, custody, log, parties
from copyhold.actions.act import Act, action, reading
from copyhold.auditlog.entries import Leaf
from copyhold.domain.errors import ConflictError, IntegrityError, InvalidInputError, NotFoundError, UnavailableError
from copyhold.domain.verdicts import Refused
from copyhold.domain.words import Secret
from tests import make
from tests.world import OPERATOR, World


def types(world: World) -> list[str]:
    return [Leaf.decode(row.leaf).type for row in log.rows(world.by(), 0)]


def test_each_act_leaves_one_entry_in_order(world: World) -> None:
    make.institution(world, name="Harbour University", country="DK")
    issued = accounts.issue_token(world.by(), OPERATOR)
    accounts.revoke_token(world.by(), issued.token.id)
    told = ["custody.founded", "party.institution_added", "account.token_issued", "account.token_revoked"]
    assert types(world) == told
    assert [row.seq for row in log.rows(world.by(), 0)] == [0, 1, 2, 3]


def test_an_act_leaves_one_more_entry_for_each_further_thing_it_moved(world: World) -> None:
    make.person(world, at=make.institution(world))
    assert types(world)[-2:] == ["party.person_added", "access.recorded"]


def test_an_act_that_fails_leaves_nothing(world: World) -> None:
    make.institution(world, name="Harbour University")
    before = log.size(world.by())
    with pytest.raises(ConflictError, match="already"):
        make.institution(world, name="Harbour University")
    with pytest.raises(InvalidInputError, match="ISO 3166-1"):
        make.institution(world, name="Elsewhere", country="XX")
    assert log.size(world.by()) == before
    assert len(parties.institutions(world.by())) == 1


def test_a_refusal_is_entered_after_the_rollback(world: World) -> None:
    nosy = make.person(world)
    before = log.size(world.by())
    with pytest.raises(Refused) as refused:
        parties.add_institution(world.by(nosy.id), "Own University", "GB")
    assert [reason.code for reason in refused.value.verdict.reasons] == ["NO_PERMISSION"]
    assert types(world)[before:] == ["party.refused"]
    assert "Own University" not in {one.name for one in parties.institutions(world.by())}
    opened = log.open_entry(world.by(), before)
    assert opened.payload["facts"] == {"permission": "party:add_institution", "codes": ["NO_PERMISSION"]}


def test_refusals_alike_within_a_minute_are_entered_together(world: World) -> None:
    nosy = make.person(world)
    before = log.size(world.by())
    for _ in range(5):
        with pytest.raises(Refused):
            parties.people(world.by(nosy.id))
    assert types(world)[before:] == ["party.refused"]
    make.institution(world.later(minutes=2))
    assert types(world)[before:] == ["party.refused", "party.refused", "party.institution_added"]
    facts = log.open_entry(world.by(), before + 1).payload["facts"]
    assert isinstance(facts, dict)
    assert facts["repeats"] == 4


def test_an_act_inside_an_act_is_an_error(world: World) -> None:
    @action("party:add_institution", "party.institution_added")
    def nested(act: Act) -> None:
        make.institution(world)

    with pytest.raises(RuntimeError, match="durable"):
        nested(world.by())
    assert types(world) == ["custody.founded"]


def test_an_act_that_forgets_its_entry_is_rolled_back(world: World) -> None:
    from copyhold.domain.parties import Institution, InstitutionId
    from copyhold.records import parties as remembered

    @action("party:add_institution", "party.institution_added")
    def forgetful(act: Act) -> None:
        remembered.add_institution(Institution(act.new_id(InstitutionId), "Forgotten", "GB", "", act.at))

    with pytest.raises(RuntimeError, match="what it did"):
        forgetful(world.by())
    assert parties.institutions(world.by()) == ()


def test_a_reading_cannot_write(world: World) -> None:
    from copyhold.domain.parties import Institution, InstitutionId
    from copyhold.records import parties as remembered

    @reading("party:institutions")
    def writes(reader: object) -> None:
        new = InstitutionId.new(world.now, bytes(10))
        remembered.add_institution(Institution(new, "Written", "GB", "", world.now))

    with pytest.raises((IntegrityError, UnavailableError), match="database"):
        writes(world.by())
    make.institution(world)
    assert len(parties.institutions(world.by())) == 1


def test_nobody_signed_in_may_do_nothing_but_be_recognised(world: World) -> None:
    with pytest.raises(Refused, match="Nobody is signed in"):
        parties.institutions(world.nobody())
    assert accounts.recognise(world.nobody()) == world.operator


def test_a_custody_is_founded_once(world: World) -> None:
    with pytest.raises(ConflictError, match="founded already"):
        custody.found(world.nobody(), "Another", OPERATOR)


def test_an_entry_opens_to_what_its_leaf_commits_to(world: World) -> None:
    make.institution(world, name="Harbour University", country="DK")
    opened = log.open_entry(world.by(), 1)
    assert opened.payload["actor"] == world.operator
    assert isinstance(opened.payload["facts"], dict)
    assert opened.payload["facts"]["name"] == "Harbour University"
    assert b"Harbour" not in opened.entry.leaf
    assert b"Harbour" not in opened.entry.sealed


def test_a_shredded_payload_leaves_the_leaf(world: World) -> None:
    from copyhold.records.models.log import PayloadKey

    make.institution(world)
    PayloadKey.objects.filter(seq=1).delete()
    with pytest.raises(NotFoundError, match="shredded"):
        log.open_entry(world.by(), 1)
    assert len(log.rows(world.by(), 0)) == 2


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_event SET type = 'custody.lost' WHERE seq = 0",
        "DELETE FROM audit_event WHERE seq = 1",
        "INSERT INTO audit_event (seq, at, type, actor, subject, leaf, sealed) SELECT 7, at, type, actor, subject,"
        " leaf, sealed FROM audit_event WHERE seq = 0",
    ],
)
def test_the_database_itself_refuses_to_rewrite_the_log(world: World, statement: str) -> None:
    from django.db import connection

    from copyhold.records.transactions import in_our_words

    make.institution(world)
    before = log.rows(world.by(), 0)
    with pytest.raises(IntegrityError), in_our_words(), connection.cursor() as cursor:
        cursor.execute(statement)
    assert log.rows(world.by(), 0) == before


class TestTokens:
    def test_in_four_eyes_another_person_needs_their_own_token(self, four_eyes: World) -> None:
        second = make.custodian(four_eyes)
        with pytest.raises(Refused) as refused:
            accounts.recognise(four_eyes.nobody(), second.email)
        assert refused.value.verdict.reasons[0].code == "TOKEN_NEEDED"
        issued = accounts.issue_token(four_eyes.by(), second.email)
        assert accounts.recognise(four_eyes.nobody(), second.email, issued.secret) == second.id

    def test_a_token_of_one_person_does_not_speak_for_another(self, four_eyes: World) -> None:
        second, third = make.custodian(four_eyes), make.custodian(four_eyes)
        issued = accounts.issue_token(four_eyes.by(), second.email)
        with pytest.raises(Refused) as refused:
            accounts.recognise(four_eyes.nobody(), third.email, issued.secret)
        assert refused.value.verdict.reasons[0].code == "TOKEN_UNKNOWN"

    def test_a_token_ends(self, four_eyes: World) -> None:
        second = make.custodian(four_eyes)
        short = accounts.issue_token(four_eyes.by(), second.email, days=1)
        long = accounts.issue_token(four_eyes.by(), second.email, "laptop")
        four_eyes.later(days=1)
        with pytest.raises(Refused, match="expired"):
            accounts.recognise(four_eyes.nobody(), second.email, short.secret)
        accounts.revoke_token(four_eyes.by(), long.token.id)
        with pytest.raises(Refused, match="revoked"):
            accounts.recognise(four_eyes.nobody(), second.email, long.secret)

    def test_a_token_is_never_written_down(self, four_eyes: World) -> None:
        second = make.custodian(four_eyes)
        issued = accounts.issue_token(four_eyes.by(), second.email)
        secret = issued.secret.reveal().decode()
        assert secret not in repr(issued)
        assert secret not in repr(accounts.tokens(four_eyes.by()))
        assert isinstance(issued.secret, Secret)
        assert len(secret) == len("cht_") + 43
