"""Institutions and people as remembered."""

from copyhold.domain.errors import NotFoundError
from copyhold.domain.parties import Institution, InstitutionId, Person, PersonId
from copyhold.domain.words import plain
from copyhold.records import values
from copyhold.records.models import parties as rows


def add_institution(institution: Institution) -> None:
    """Remember a new institution."""
    rows.Institution.objects.create(
        id=institution.id,
        name=institution.name,
        country=institution.country,
        ror=institution.ror,
        added_at=institution.added_at,
    )


def add_person(person: Person) -> None:
    """Remember a new person."""
    rows.Person.objects.create(
        id=person.id,
        email=person.email,
        institution_id=person.institution,
        roles=plain(person.roles),
        added_at=person.added_at,
    )


def institution(identifier: InstitutionId) -> Institution:
    """The institution of this id."""
    return values.one(Institution, rows.Institution.objects.filter(pk=identifier))


def person(identifier: PersonId) -> Person:
    """The person of this id."""
    return values.one(Person, rows.Person.objects.filter(pk=identifier))


def institution_called(who: str) -> Institution:
    """The institution of this name or id."""
    found = rows.Institution.objects.filter(pk=who) | rows.Institution.objects.filter(name=who.strip())
    if (institution := values.first(Institution, found)) is None:
        raise NotFoundError("There is no institution of this name; `institution list` shows those there are.")
    return institution


def person_called(who: str) -> Person:
    """The person of this e-mail address or id."""
    found = rows.Person.objects.filter(pk=who) | rows.Person.objects.filter(email=who.strip().casefold())
    if (person := values.first(Person, found)) is None:
        raise NotFoundError("There is no person with this e-mail address; add them with `person add`.")
    return person


def institutions() -> tuple[Institution, ...]:
    """All institutions, by name."""
    return values.each(Institution, rows.Institution.objects.order_by("name"))


def people() -> tuple[Person, ...]:
    """All people, by address."""
    return values.each(Person, rows.Person.objects.order_by("email"))
