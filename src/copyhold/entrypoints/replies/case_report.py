"""The report of a trace as one HTML page: the finding in two sentences, then all that it rests on.

A pure function of what was found: the same answer gives the same bytes. Each verdict has its own words and says never
more than it knows. The page of a trace that names nobody takes nothing from a case file and depends on no key; the page
of a held answer says that it is held, and nothing else. No person is named on any page.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from copyhold.domain.tracing import Case, Finding, Named, TraceResult
from copyhold.entrypoints.replies import pages
from copyhold.entrypoints.replies.case_words import ATTACKS, BY_IDS_ALONE, COULD_BE_OTHERS, FINDINGS, HEADLINES, LIMITS
from copyhold.entrypoints.replies.charts import evidence_chart
from copyhold.entrypoints.replies.pages import (
    bound,
    facts,
    figure,
    listing,
    moment,
    named,
    number,
    paragraph,
    prose,
    section,
    shown,
    table,
)

Document = Mapping[str, Any]


@dataclass(frozen=True)
class Told:
    """What a report tells: the answer and its circumstances.

    `case` and `attempt` are absent where the leak was never scored; `document` is the case file, where somebody is
    named. Of `result.report` these are shown where they are there: rows_in, rows_aligned, participants, decoy_rate,
    rows_withdrawn, columns, columns_unread ({leaked, reason}), rows_needed, found_at, captured_at, files.
    """

    custody: str
    result: TraceResult
    leak_sha256: str
    traced_at: datetime
    case: str = ""
    attempt: int | None = None
    four_eyes_at: datetime | None = None
    document: Document | None = None

    @property
    def finding(self) -> Finding:
        """The verdict."""
        return self.result.finding


def of_case(custody: str, case: Case, document: Document | None = None) -> Told:
    """Take what a report tells from a case; of one that is held, or not concluded, nothing but that."""
    shown_result = TraceResult(Finding.HELD) if case.held or case.result is None else case.result
    return Told(
        custody=custody,
        result=shown_result,
        leak_sha256=case.leak_sha256,
        traced_at=case.opened_at,
        case=str(case.id),
        attempt=case.attempt,
        four_eyes_at=case.agreed_at,
        document=document,
    )


def page(told: Told) -> str:
    """Write the report."""
    title = f"{_headline(told)}{f', case {told.case}' if told.case else ''}"
    return pages.page(title, ["<main>", _head(told), *_sections(told), "</main>"])


def _sections(told: Told) -> list[str]:
    if told.finding is Finding.HELD:
        return [_circumstances(told)]
    if told.finding is not Finding.NAMED:
        return [_circumstances(told), _recognised(told), _unmarked(told), _needed(told), _limits(told)]
    return [
        _statements(told),
        _circumstances(told),
        _recognised(told),
        _evidence(told),
        _competing(told),
        _assumptions(told),
        _safeguards(told),
        _recomputed(told),
        _limits(told),
        _opinion(),
    ]


def _head(told: Told) -> str:
    finding = _named_finding(told) if told.finding is Finding.NAMED else prose(FINDINGS[told.finding])
    return f"<h1>{prose(_headline(told))}</h1>\n{paragraph(finding, 'finding')}"


def _headline(told: Told) -> str:
    by_ids = [_by_ids(_stated(told.document or {}, place)) for place in range(len(told.result.named))]
    return BY_IDS_ALONE if told.finding is Finding.NAMED and all(by_ids) else HEADLINES[told.finding]


def _by_ids(stated: Document) -> bool:
    """Say whether a name rests on participant ids: without them its evidence does not reach the threshold."""
    told = stated.get("figures", {})
    without = told.get("log10_evidence_without_ids")
    return without is not None and bool(without < told["log10_threshold"])


def _holder(one: Named, stated: Document) -> str:
    known = " (by participant ids alone, which anybody who saw them can copy)" if _by_ids(stated) else ""
    return f"{named(one.project)} at {named(one.institution)}{known}"


def _named_finding(told: Told) -> str:
    document = told.document or {}
    holders = [_holder(one, _stated(document, place)) for place, one in enumerate(told.result.named)]
    worst = max(one.p_family for one in told.result.named)
    carried = f"the copy issued to {holders[0]}" if len(holders) == 1 else f"copies issued to {_and(holders)}"
    return (
        f"{_headline(told).replace(' a copy', '')} {carried}. The chance that the traces of this custody would ever name, on "
        f"evidence this strong, a party that had no part in the file is at most {bound(worst)}, which is not the "
        "chance that a named party is innocent, and says nothing of errors that people and software make together."
    )


def _and(parts: Sequence[str]) -> str:
    return f"{', '.join(parts[:-1])} and {parts[-1]}"


def _circumstances(told: Told) -> str:
    report = told.result.report
    version = f"{named(told.result.dataset)}, version {told.result.version}" if told.result.version else ""
    return section(
        "What was traced, and when",
        facts(
            "The file and the trace",
            {
                "SHA-256 of the file": f"<code>{shown(told.leak_sha256)}</code>",
                "Files": ", ".join(named(one) for one in _list(report.get("files"))),
                "Found": named(report["found_at"]) if report.get("found_at") else "",
                "Captured": shown(report.get("captured_at") or ""),
                "Custody": named(told.custody),
                "Dataset": version,
                "Traced": moment(told.traced_at),
                "Attempt": number(told.attempt) if told.attempt else "none: the file was not scored",
                "Second analyst": f"agreed on {moment(told.four_eyes_at)}" if told.four_eyes_at else "",
            },
        ),
    )


def _recognised(told: Told) -> str:
    report = told.result.report
    if report.get("rows_in") is None:
        return ""
    decoy = report.get("decoy_rate")
    withdrawn = report.get("rows_withdrawn")
    counts = {
        "Rows in the file": _count(report.get("rows_in")),
        "Rows that align": _count(report.get("rows_aligned")),
        "Participants": _count(report.get("participants")),
        "Bar for a row to align": f"at most {100 * float(str(decoy)):g} % of rows align with a decoy" if decoy else "",
        "Rows destroyed after withdrawals": f"{_count(withdrawn)}, which count as foreign" if withdrawn else "",
    }
    columns = [(named(one["leaked"]), named(one["field"]), _conversion(one)) for one in _list(report.get("columns"))]
    unread = [(named(one["leaked"]), prose(one["reason"])) for one in _list(report.get("columns_unread"))]
    return section(
        "How columns and rows were recognised",
        paragraph("Columns and rows were matched to the dataset by their content, without any key."),
        facts("Rows", counts),
        table("Columns that were recognised", ("Column of the file", "Field", "Conversion"), columns)
        if columns
        else "",
        table("Columns that were not used", ("Column of the file", "Why"), unread) if unread else "",
    )


def _conversion(column: Mapping[str, Any]) -> str:
    return shown(column.get("conversion") or "as it is")


def _unmarked(told: Told) -> str:
    copies = [f"<code>{shown(one)}</code>" for one in told.result.consistent_unmarked]
    if not copies:
        return ""
    return section(
        "Unmarked copies that could have given the file",
        paragraph(
            "Judged by fields, people, refresh, order and file habits alone. No probability attaches to any of them."
        ),
        listing(copies),
    )


def _needed(told: Told) -> str:
    needed = told.result.report.get("rows_needed")
    if not isinstance(needed, dict) or not needed:
        return ""
    rows = [(prose(ATTACKS.get(attack, attack)), *_power(figures)) for attack, figures in needed.items()]
    return section(
        "How many rows would name a holder",
        paragraph("Computed from the mark plan and from how the file reads, without any key."),
        table("Rows of this kind that name a holder", ("If the copy was", "in half of cases", "in 95 of 100"), rows),
    )


def _power(figures: Any) -> tuple[str, str]:
    known = figures if isinstance(figures, dict) else {}
    half, most = (known.get(name) for name in ("n50", "n95"))
    return _count(half) or "no number does", _count(most) or "no number does"


def _statements(told: Told) -> str:
    document = told.document or {}
    parts = [_blind(document.get("blind_tests"))]
    for place, one in enumerate(told.result.named):
        stated = _stated(document, place)
        heading = str(stated.get("heading", "evidence from the marks of a copy"))
        statement = stated.get("statement") or told.result.report.get("statement") or ""
        parts.append(f"<h3>{named(one.project)} at {named(one.institution)}: {prose(heading)}</h3>")
        parts.append(f"<blockquote>{paragraph(prose(statement))}</blockquote>")
    return section("The statement, with its bound", *parts)


def _blind(tests: Any) -> str:
    """Say first how often people and software together err: that bounds belief before any bound on chance does."""
    if not isinstance(tests, dict) or not tests.get("trials"):
        return paragraph("There are no blind tests of people and software together yet, so their error rate is open.")
    return paragraph(
        f"In blind tests people and software together erred {number(tests['errors'])} times in "
        f"{number(tests['trials'])}: a rate of at most {100 * tests['upper_limit']:.1f} % with 95 % confidence."
    )


def _evidence(told: Told) -> str:
    document = told.document or {}
    rows = [_figures(place, one, _stated(document, place)) for place, one in enumerate(told.result.named)]
    head = ("Name", "Evidence", "without ids", "without cells seen before", "Threshold", "Bound", "Cells")
    return section(
        "The evidence",
        paragraph(
            "Evidence is the factor by which the file speaks for a party's marks against marks drawn by chance, told "
            "as log10. Without ids, and without cells that an earlier sighting showed, it is told beside; neither is a "
            "second chance."
        ),
        table("Whose copies they are", ("Name", "Party", "Project", "Institution", "Copies that fit"), _holders(told)),
        table("Evidence of each name, as log10, and its bound", head, rows),
        _chart(told),
    )


def _figures(place: int, one: Named, stated: Document) -> tuple[str, ...]:
    told = stated.get("figures", {})
    logs = [one.log10_evidence, told.get("log10_evidence_without_ids"), told.get("log10_evidence_without_seen")]
    return (
        str(place + 1),
        *(_log10(value) for value in (*logs, told.get("log10_threshold"))),
        bound(one.p_family),
        number(one.cells),
    )


def _log10(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}".replace("-", "−")


def _holders(told: Told) -> list[tuple[str, ...]]:
    return [
        (
            str(place + 1),
            f"<code>{shown(one.party)}</code>",
            named(one.project),
            named(one.institution),
            ", ".join(f"<code>{shown(copy)}</code>" for copy in one.releases_consistent),
        )
        for place, one in enumerate(told.result.named)
    ]


def _chart(told: Told) -> str:
    threshold = told.result.report.get("log10_threshold")
    if not isinstance(threshold, int | float):
        return ""
    controls = (told.document or {}).get("controls", {})
    reached = [(int(k), int(count)) for k, count in controls.get("reached", [])]
    bars = [(f"{place}", one.log10_evidence) for place, one in enumerate(told.result.named, 1)]
    said = ", ".join(f"{value:.1f} for name {label}" for label, value in bars)
    keys = number(controls["keys"]) if reached else ""
    highest = f" None of {keys} control keys reached {reached[-1][0] + 1}." if reached else ""
    text = f"The evidence, as log10, is {said}; the first name had to reach {threshold:.1f}.{highest}"
    caption = "Circles are control keys, which nobody has; a larger circle stands for more of them."
    return figure(evidence_chart(bars, float(threshold), reached, text), f"{text} {caption}")


def _competing(told: Told) -> str:
    flows = [prose(one) for one in (told.document or {}).get("competing", [])]
    return section(
        "Competing propositions",
        paragraph(
            "Each of these would put the same marks into the file, and the evidence cannot tell them apart. The first "
            "come from the register: every lawful way on which a copy, or what was made from it, may have travelled."
        ),
        listing([*flows, *COULD_BE_OTHERS]),
    )


def _assumptions(told: Told) -> str:
    return section(
        "What the bound assumes", listing([prose(one) for one in (told.document or {}).get("assumptions", [])])
    )


def _safeguards(told: Told) -> str:
    document = told.document or {}
    held = [
        (prose(name), "held" if value else "did not hold") for name, value in document.get("safeguards", {}).items()
    ]
    counted = {
        "Traces logged so far": _count(document.get("attempts_logged")),
        "Mark keys derived, as the key store counts": _count(document.get("keys_derived")),
    }
    return section(
        "Safeguards against a mistake or a wrong by the custodian",
        table("What was in place", ("Safeguard", "In this case"), held) if held else "",
        facts("Counts to compare", counted),
    )


def _recomputed(told: Told) -> str:
    name = f"{told.case}.json" if told.case else "CASE.json"
    return section(
        "How to compute this again",
        paragraph(
            "The case file holds the reading, the cells used with the proof that they were committed to before the "
            "first release, and the log's entries with their proofs. It needs neither the data nor a custody. Use the "
            "log's key as you were given it before, not one that came with this page."
        ),
        f"<pre><code>copyhold case verify {shown(name)} --vkey VKEY\n"
        f"copyhold case verify {shown(name)} --vkey VKEY --log DIR   # against a copy of the whole log</code></pre>",
        paragraph(
            "The check says “bits not yet proved” until the holder's countersigned copy, or the party's key "
            "opened, shows that the marks in the case file are those the party was given."
        ),
    )


def _limits(told: Told) -> str:
    return section("What this does not say", listing([prose(one) for one in LIMITS[told.finding]]))


def _opinion() -> str:
    return section(
        "Opinion",
        paragraph("Software states facts. An opinion on them is a person's, who signs it with name and date."),
        '<p class="sign">Opinion</p>\n<p class="sign">Name and date</p>\n<p class="sign">Signature</p>',
    )


def _stated(document: Document, place: int) -> Document:
    names = document.get("names", [])
    return names[place] if place < len(names) else {}


def _count(value: object) -> str:
    return number(value) if isinstance(value, int | float) else ""


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []
