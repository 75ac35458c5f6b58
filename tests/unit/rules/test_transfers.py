"""Routes over borders: none is refused, and a route on a country's approval ends with the approval."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from copyhold.domain.agreements.transfers import Route, RouteId, Safeguard
from copyhold.domain.errors import InvalidInputError
from copyhold.domain.parties import Institution, InstitutionId, PersonId
from copyhold.domain.words import COUNTRIES
from copyhold.rules.agreements import transfers

NOW = datetime(2026, 6, 1, tzinfo=UTC)
ZERO = "0" * 26
WHO = PersonId(f"per_{ZERO}")


def institution(country: str, number: int = 0) -> Institution:
    return Institution(InstitutionId(f"ins_{ZERO[:-1]}{number}"), "Valley", country, "", NOW)


def route(exporter: str, importer: str, safeguard: Safeguard = Safeguard.STANDARD_CLAUSES) -> Route:
    until = NOW + timedelta(days=365)
    return Route(RouteId(f"rte_{ZERO}"), exporter, importer, None, safeguard, "", "", NOW, until, WHO, NOW)


def codes(exporter: str, importer: str, *routes: Route, at: datetime = NOW) -> list[str]:
    return [one.code for one in transfers.may_transfer(exporter, institution(importer), routes, at).reasons]


@pytest.mark.parametrize(("exporter", "importer"), [("GB", "GB"), ("DK", "FR"), ("IS", "DE")])
def test_at_home_and_within_the_economic_area_nothing_is_asked(exporter: str, importer: str) -> None:
    assert codes(exporter, importer) == []


@pytest.mark.parametrize(("exporter", "importer"), [("GB", "DK"), ("DK", "GB"), ("GB", "CN"), ("US", "GB")])
def test_over_another_border_no_route_refuses(exporter: str, importer: str) -> None:
    assert codes(exporter, importer) == ["TRANSFER_NO_ROUTE"]
    assert codes(exporter, importer, route(exporter, importer)) == []


def test_a_route_leads_only_where_and_when_it_leads() -> None:
    leads = route("GB", "US")
    assert codes("GB", "US", leads, at=leads.until - timedelta(seconds=1)) == []
    assert codes("GB", "US", leads, at=leads.until) == ["TRANSFER_NO_ROUTE"]
    assert codes("GB", "US", leads, at=leads.from_at - timedelta(seconds=1)) == ["TRANSFER_NO_ROUTE"]
    assert codes("GB", "JP", leads) == ["TRANSFER_NO_ROUTE"]
    elsewhere = replace(leads, institution=institution("US", 1).id)
    assert codes("GB", "US", elsewhere) == ["TRANSFER_NO_ROUTE"]


@pytest.mark.parametrize(
    ("exporter", "importer", "counts"),
    [
        ("GB", "DK", True),
        ("GB", "CH", True),
        ("GB", "US", False),
        ("DK", "GB", True),
        ("DK", "US", False),
        ("US", "GB", False),
    ],
)
def test_approval_counts_only_where_the_exporters_list_has_the_country(
    exporter: str, importer: str, counts: bool
) -> None:
    found = codes(exporter, importer, route(exporter, importer, Safeguard.APPROVED_COUNTRY))
    assert (found == []) is counts


def test_approval_ends_on_its_day() -> None:
    approved = replace(route("DK", "GB", Safeguard.APPROVED_COUNTRY), until=datetime(2040, 1, 1, tzinfo=UTC))
    assert codes("DK", "GB", approved, at=datetime(2031, 12, 26, 23, 59, 59, tzinfo=UTC)) == []
    assert codes("DK", "GB", approved, at=datetime(2031, 12, 27, tzinfo=UTC)) == ["TRANSFER_NO_ROUTE"]


def test_every_line_of_the_lists_has_a_country_a_day_and_a_source() -> None:
    for one in transfers.lists():
        assert one.country in COUNTRIES
        assert one.source
        assert one.until is None or one.since < one.until
    assert transfers.is_on("eea", "GB", date(2019, 1, 1))
    assert not transfers.is_on("eea", "GB", date(2020, 2, 1))


def test_a_list_that_is_not_there_is_an_error_and_no_answer() -> None:
    with pytest.raises(InvalidInputError):
        transfers.is_on("somewhere", "GB", date(2026, 1, 1))
