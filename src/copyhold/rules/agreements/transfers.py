"""By which route data may pass from one country to another: lists of countries are dated data with their source.

The lists are in countries.csv beside this file: each line with the day since when, until when (empty: still) and the
act of law or the notice it was read in. A country that is approved for some recipients only (Canada, Japan, the United
States) stands on none: such a transfer is recorded as a route of its own. A custodian has counsel confirm the lists.
"""

import csv
from collections.abc import Iterable
from datetime import date, datetime
from functools import cache
from importlib import resources

from copyhold.domain.agreements.transfers import Listed, Route, Safeguard
from copyhold.domain.errors import InvalidInputError
from copyhold.domain.parties import Institution
from copyhold.domain.verdicts import Reason, Verdict

# Which list says that a country's data protection is approved, by the exporter's country.
EEA = "eea"
APPROVED = {"GB": "approved by the United Kingdom"}
APPROVED_IN_THE_EEA = "approved by the European Union"


@cache
def lists() -> tuple[Listed, ...]:
    """Every line of the lists."""
    file = resources.files("copyhold.rules.agreements").joinpath("countries.csv")
    return tuple(
        Listed(
            line["list"],
            line["country"],
            date.fromisoformat(line["since"]),
            date.fromisoformat(line["until"]) if line["until"] else None,
            line["source"],
        )
        for line in csv.DictReader(file.read_text("utf-8").splitlines())
    )


def names() -> set[str]:
    """The lists there are."""
    return {one.list for one in lists()}


def is_on(name: str, country: str, day: date) -> bool:
    """Say whether a country stands on a list on a day. InvalidInputError where there is no such list."""
    if name not in names():
        raise InvalidInputError("There is no list of countries of this name.")
    return any(
        one.list == name and one.country == country and one.since <= day and (one.until is None or day < one.until)
        for one in lists()
    )


def may_transfer(exporter: str, to: Institution, routes: Iterable[Route], at: datetime) -> Verdict:
    """Say whether data may pass from the exporter's country to an institution at an instant.

    Within one country, and within the European Economic Area, nothing is asked. Otherwise there must be a route in
    force that was recorded for the institution or for its whole country; one that rests on the country being approved
    counts only while it stands on the exporter's list.
    """
    day = at.date()
    if exporter == to.country or (is_on(EEA, exporter, day) and is_on(EEA, to.country, day)):
        return Verdict()
    if any(_leads(route, exporter, to, at) for route in routes):
        return Verdict()
    reason = f"No route of law is on record by which data may pass from {exporter} to {to.country}."
    fix = "Record the route and its evidence with `transfer add`, once counsel has found one."
    return Verdict((Reason("TRANSFER_NO_ROUTE", reason, fix),))


def _leads(route: Route, exporter: str, to: Institution, at: datetime) -> bool:
    ends_there = route.importer == to.country and route.institution in (None, to.id)
    if route.exporter != exporter or not ends_there or not route.from_at <= at < route.until:
        return False
    return route.safeguard is not Safeguard.APPROVED_COUNTRY or approved(exporter, to.country, at.date())


def approved(exporter: str, importer: str, day: date) -> bool:
    """Say whether the importer's country stands on the exporter's list of approved ones on a day."""
    if exporter in APPROVED:
        return is_on(APPROVED[exporter], importer, day)
    return is_on(EEA, exporter, day) and is_on(APPROVED_IN_THE_EEA, importer, day)
