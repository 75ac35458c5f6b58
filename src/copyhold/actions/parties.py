"""Institutions and people.

Acts:
    add_institution(occasion, name, country, ror="") -> Institution      party:add_institution  party.institution_added
    add_person(occasion, email, institution, roles=()) -> Person         party:add_person       party.person_added
        `institution` is a name or id; also confirms the affiliation for the policy's 90 days (access.recorded)
Readings:
    institutions(occasion) -> tuple[Institution, ...]                      party:institutions
    people(occasion) -> tuple[Person, ...]                                 party:people
"""

from datetime import timedelta

from copyhold.actions.act import Act, Reader, action, reading
from copyhold.domain import parties as words
from copyhold.domain import words as texts
from copyhold.domain.access import Clock, Evidence, EvidenceId
from copyhold.domain.parties import Institution, InstitutionId, Person, PersonId
from copyhold.records import access, custody, parties
from copyhold.rules.parties import ror_or_nothing


@action("party:add_institution", "party.institution_added")
def add_institution(act: Act, name: str, country: str, ror: str = "") -> Institution:
    """Add an institution under the name by which people will call it."""
    institution = Institution(
        act.new_id(InstitutionId),
        texts.text(name, "The institution's name"),
        texts.country(country),
        ror_or_nothing(ror),
        act.at,
    )
    parties.add_institution(institution)
    act.enter(institution.id, institution)
    return institution


@action("party:add_person", "party.person_added")
def add_person(act: Act, email: str, institution: str, roles: tuple[str, ...] = ()) -> Person:
    """Add a person at an institution, in roles; their affiliation counts as confirmed from now."""
    home = parties.institution_called(institution)
    person = Person(act.new_id(PersonId), texts.email(email), home.id, words.roles(roles), act.at)
    parties.add_person(person)
    confirmed = Evidence(
        id=act.new_id(EvidenceId),
        clock=Clock.AFFILIATION,
        subject=person.id,
        from_at=act.at,
        until=act.at + timedelta(days=custody.get().policy.affiliation_days),
        recorded_by=act.person,
        recorded_at=act.at,
        reference="confirmed when the person was added",
    )
    access.record(confirmed)
    act.enter(person.id, person)
    act.also("access.recorded", confirmed.id, confirmed)
    return person


@reading("party:institutions")
def institutions(_reader: Reader) -> tuple[Institution, ...]:
    """List the institutions by name."""
    return parties.institutions()


@reading("party:people")
def people(_reader: Reader) -> tuple[Person, ...]:
    """List the people by e-mail address."""
    return parties.people()
