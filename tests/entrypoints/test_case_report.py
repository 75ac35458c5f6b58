"""The case report: every verdict says what it means and no more, in a page that stands alone and is accessible."""

import copy
import json
import re
from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser
from itertools import pairwise
from typing import Any

import pytest

from copyhold.domain.errors import NotFoundError
from copyhold.domain.parties import PersonId
from copyhold.domain.releases import PartyId, ReleaseId
from copyhold.domain.tracing import Case, CaseId, Finding, Named, TraceResult
from copyhold.domain.words import rounded_up
from copyhold.entrypoints.replies import case_report, pages
from copyhold.entrypoints.replies import tracing as replies
from copyhold.entrypoints.replies.case_report import Told
from tests.engines.tracing.nhanes_case import real_case

AT = datetime(2026, 5, 3, 14, 5, tzinfo=UTC)
HOSTILE = "<script>alert(1)</script>\u202egnp.exe\u200f\x00" + "a" * 5_000
REPORT: dict[str, Any] = {
    "rows_in": 60,
    "rows_aligned": 58,
    "participants": 57,
    "parties_considered": 5,
    "decoy_rate": 0.01,
    "rows_withdrawn": 1,
    "files": ["for_sale.csv"],
    "found_at": "a marketplace",
    "captured_at": "2026-05-02T08:00:00Z",
    "columns": [{"leaked": "chol <mmol/l>", "field": "LBXTC", "conversion": "mg/dL from mmol/L"}],
    "columns_unread": [{"leaked": "notes", "reason": "No field reads like this column."}],
    "rows_needed": {"none": {"n50": 6, "n95": 9}, "two_leakers": {"n50": 40, "n95": None}},
}
NAMELESS = [one for one in Finding if one is not Finding.NAMED]
# Elements that have no end tag.
VOID = {"meta", "rect", "circle", "line", "polyline"}


class Structure(HTMLParser):
    """What a page is made of."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.inside: list[str] = []
        self.children: dict[str, list[list[str]]] = {"svg": [], "table": []}
        self.words: list[str] = []
        self.feed(html)
        self.close()
        assert not self.inside, "an element is not closed"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if self.inside and self.inside[-1] in self.children:
            self.children[self.inside[-1]][-1].append(tag)
        if tag in self.children:
            self.children[tag].append([])
        self.tags.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self.inside.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        assert self.inside.pop() == tag, "elements overlap"

    def handle_data(self, data: str) -> None:
        if "style" not in self.inside:
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())

    def count(self, tag: str) -> int:
        return sum(one == tag for one, _ in self.tags)


@pytest.fixture(scope="module")
def document(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The case file of a real case."""
    return dict(json.loads(real_case(tmp_path_factory.mktemp("case")).content()))


@pytest.fixture(scope="module")
def named(document: dict[str, Any]) -> Told:
    (one,) = document["names"]
    figures = one["figures"]
    person = Named(
        PartyId(one["party"]),
        "Lipids",
        "Harbour",
        (ReleaseId("rel_1"),),
        figures["log10_evidence"],
        figures["p_family"],
        figures["cells"],
    )
    report = {**REPORT, "statement": one["statement"], "log10_threshold": figures["log10_threshold"]}
    result = TraceResult(Finding.NAMED, "NHANES", 2, (person,), report=report)
    return Told("Cohort of Testing", result, "ab" * 32, AT, "cas_1", 1, AT, document)


def nameless(finding: Finding, **more: Any) -> Told:
    result = TraceResult(finding, "NHANES", 2, consistent_unmarked=(ReleaseId("rel_7"),), report=dict(REPORT))
    return replace(Told("Cohort of Testing", result, "ab" * 32, AT, "cas_1", 1), **more)


def every_page(named: Told) -> list[str]:
    return [case_report.page(told) for told in (named, *map(nameless, NAMELESS))]


def test_every_page_is_whole_stands_alone_and_is_readable_without_eyes(named: Told) -> None:
    for html in every_page(named):
        page = Structure(html)
        assert html.startswith("<!DOCTYPE html>")
        assert ("html", {"lang": "en"}) in page.tags
        assert page.count("h1") == page.count("main") == page.count("title") - page.count("svg") == 1
        assert not {"script", "link", "img", "iframe", "object", "form", "base"} & {tag for tag, _ in page.tags}
        assert not re.search(r"(?i)https?:|//[a-z]|\burl\(|@import|\bon[a-z]+=", html)
        levels = [int(tag[1]) for tag, _ in page.tags if re.fullmatch(r"h[1-6]", tag)]
        assert all(later <= earlier + 1 for earlier, later in pairwise(levels))
        assert all(children[:1] == ["caption"] for children in page.children["table"])
        assert all({"title", "desc"} <= set(children) for children in page.children["svg"])
        assert all(attrs.get("scope") in ("col", "row") for tag, attrs in page.tags if tag == "th")
        assert not re.search(r"(?i)guilt", page.text)


def test_a_page_on_paper_is_light_and_on_a_screen_as_its_reader_set_it() -> None:
    assert "@media screen and (prefers-color-scheme: dark)" in pages.STYLE
    assert "size: A4" in pages.STYLE
    for theme in re.findall(r":root \{(.*?)\}", pages.STYLE, re.DOTALL):
        colours = dict(re.findall(r"--(\w+): (#[0-9a-f]+)", theme))
        for ink in ("ink", "faint"):
            for paper in ("paper", "tint"):
                assert contrast(colours[ink], colours[paper]) >= 4.5
        assert contrast(colours["strong"], colours["paper"]) >= 3


def contrast(one: str, other: str) -> float:
    """WCAG 2.2, contrast ratio."""
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def luminance(colour: str) -> float:
    digits = colour[1:] if len(colour) == 7 else "".join(2 * digit for digit in colour[1:])
    parts = [int(digits[place : place + 2], 16) / 255 for place in (0, 2, 4)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def test_the_report_of_a_name_tells_all_that_it_rests_on(named: Told, document: dict[str, Any]) -> None:
    text = Structure(case_report.page(named)).text
    (one,) = document["names"]
    assert one["statement"] in text
    assert all(assumption in text for assumption in document["assumptions"])
    assert all(flow in text for flow in document["competing"])
    for told in (
        "Lipids",
        "Harbour",
        "rel_1",
        "ab" * 32,
        "2026-05-02T08:00:00Z",
        "3 May 2026, 14:05 UTC",
        "chol <mmol/l>",
        "LBXTC",
        "The holder countersigned did not hold",
        "copyhold case verify cas_1.json --vkey VKEY",
        "bits not yet proved",
        "at most 4.9 % with 95 % confidence",
        f"{one['figures']['log10_evidence']:.2f}",
        "at most 1 % of rows align with a decoy",
    ):
        assert told in text, told
    assert text.index("In blind tests") < text.index(one["statement"])
    assert "is not the chance that a named party is innocent" in text


def test_a_name_that_rests_on_ids_is_headed_so(named: Told) -> None:
    document = copy.deepcopy(named.document) or {}
    document["names"][0]["figures"]["log10_evidence_without_ids"] = 2.0  # type: ignore[index]
    html = case_report.page(replace(named, document=document))
    text = Structure(html).text
    assert "<h1>The file carries the participant ids of a copy</h1>" in html
    assert "which anybody who saw them can copy" in text
    assert "carries the marks" not in text


def test_several_names_are_at_least_these(named: Told) -> None:
    (one,) = named.result.named
    other = replace(one, institution="Northfield", p_family=2.5e-11)
    html = case_report.page(replace(named, result=replace(named.result, named=(one, other))))
    text = Structure(html).text
    assert "copies issued to Lipids at Harbour and Lipids at Northfield" in text
    assert "2.5 × 10 −11" in text
    assert Structure(html).count("rect") == 2


def test_the_chart_shows_names_threshold_and_control_keys(named: Told, document: dict[str, Any]) -> None:
    html = case_report.page(named)
    page = Structure(html)
    assert page.count("svg") == 1
    assert page.count("circle") == len(document["controls"]["reached"]) > 0
    assert f"threshold {document['names'][0]['figures']['log10_threshold']:.1f}" in page.text
    bars = [float(attrs["width"]) for tag, attrs in page.tags if tag == "rect"]
    assert len(bars) == 1
    assert bars[0] > 0


def test_a_bound_is_never_printed_below_what_it_is() -> None:
    assert (rounded_up(1.01e-13), rounded_up(1e-15)) == ("1.1e-13", "1.0e-15")
    assert pages.bound(3.21e-12) == "3.3 × 10<sup>−12</sup>"


@pytest.mark.parametrize("finding", NAMELESS)
def test_a_page_that_names_nobody_takes_nothing_from_a_case_file_and_no_name(
    finding: Finding, document: dict[str, Any], named: Told
) -> None:
    html = case_report.page(nameless(finding))
    assert html == case_report.page(nameless(finding, document=document))
    with_names = replace(nameless(finding).result, named=named.result.named)
    assert html == case_report.page(nameless(finding, result=with_names))
    assert not any(told in html for told in ("Harbour", "<svg", "Threshold", "threshold", "control keys, which"))


@pytest.mark.parametrize(
    ("finding", "says", "never"),
    [
        (Finding.OURS_CANNOT_TELL, "is not shown by them", "no copy"),
        (Finding.UNMARKED_ORIGINAL, "it leads to no holder", "nobody leaked"),
        (Finding.NOT_OURS, "nobody is cleared by this", "not ours"),
        (Finding.UNREADABLE, "Nothing in it was compared", "aligns"),
        (Finding.INSTRUMENT_FAILED, "speaks neither for nor against anybody", "rel_7 leaked"),
        (Finding.HELD, "nothing of it is shown", "aligns"),
    ],
)
def test_each_verdict_says_what_it_means_and_never_more(finding: Finding, says: str, never: str) -> None:
    text = Structure(case_report.page(nameless(finding))).text
    assert says in text
    assert never not in text


def test_a_held_answer_shows_nothing_whatever_it_is(named: Told) -> None:
    case = Case(
        CaseId("cas_1"),
        1,
        "ab" * 32,
        "dat_1",
        5,
        PersonId("per_1"),
        AT,
        AT,
        True,
        None,
        None,
        named.result,  # type: ignore[arg-type]
    )
    held = case_report.of_case("Cohort of Testing", case, named.document)
    other = case_report.of_case("Cohort of Testing", replace(case, result=None))
    with pytest.raises(NotFoundError):
        case_report.of_case("Cohort of Testing", replace(case, held=False, result=None))
    assert case_report.page(held) == case_report.page(other)
    assert "per_1" not in case_report.page(replace(held, result=named.result))
    assert replies.of_case(case) == {"verdict": "held", "case": "cas_1"}


def test_hostile_names_are_shown_and_do_nothing(named: Told) -> None:
    columns = [{"leaked": HOSTILE, "field": "LBXTC", "conversion": HOSTILE}]
    report = {**named.result.report, "columns": columns, "files": [HOSTILE], "found_at": HOSTILE}
    html = case_report.page(replace(named, result=replace(named.result, report=report)))
    page = Structure(html)
    assert page.count("script") == 0
    assert "<script>alert(1)</script>[U+202E]gnp.exe[U+200F][U+0000]" in page.text
    assert "\u202e" not in html
    assert html.count("a" * 121) == 0


def test_the_answer_has_the_keys_that_scripts_rely_on(named: Told) -> None:
    told = replies.answer(named.result, "cas_1", 3)
    assert {
        "verdict", "case", "dataset", "version", "rows_in", "rows_aligned", "participants", "parties_considered",
        "attempt", "log10_threshold", "named", "consistent_unmarked", "columns", "rows_needed", "statement",
    } <= set(told)  # fmt: skip
    (one,) = told["named"]  # type: ignore[misc,union-attr] # a list of one name
    assert set(one) == {
        "party", "project", "institution", "releases_consistent", "log10_evidence", "p_family", "cells",
    }  # fmt: skip
    assert json.loads(json.dumps(told)) == told
    nobody = replies.answer(nameless(Finding.NOT_OURS).result)
    assert (nobody["verdict"], nobody["case"], nobody["attempt"], nobody["named"]) == ("not_ours", None, None, [])


def test_every_verdict_has_sentences(named: Told) -> None:
    for told in (named, *map(nameless, NAMELESS)):
        lines = replies.sentences(replies.answer(told.result, "cas_1", 1), told.result)
        assert lines
        assert all(line for line in lines)
    said = replies.sentences(replies.answer(named.result, "cas_1", 1), named.result)[0]
    assert "Harbour" in said
    assert "its marks" in said
    (one,) = named.result.named
    by_ids = replace(named.result, named=(replace(one, details={"by_ids_alone": True}),))
    assert "by ids alone" in replies.sentences(replies.answer(by_ids, "cas_1", 1), by_ids)[0]
