"""Things for tests, each with every argument optional: make.person(world), make.release(world, rows=10)."""

from itertools import count

from copyhold.actions import parties
from copyhold.domain.parties import Institution, Person
from tests.world import World

_numbers = count(1)


def institution(world: World, *, name: str | None = None, country: str = "GB", ror: str = "") -> Institution:
    """Add an institution."""
    return parties.add_institution(world.by(), name or f"University {next(_numbers)}", country, ror)


def person(
    world: World, *, email: str | None = None, at: Institution | None = None, roles: tuple[str, ...] = ("researcher",)
) -> Person:
    """Add a person, at a new institution where none is given."""
    home = at or institution(world)
    return parties.add_person(world.by(), email or f"person{next(_numbers)}@example.org", home.name, roles)


def custodian(world: World, *, email: str | None = None, roles: tuple[str, ...] = ("custodian",)) -> Person:
    """Add a second person of the custodian's staff."""
    return person(world, email=email, roles=roles)
