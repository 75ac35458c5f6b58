"""The report of a trace as one HTML page: the finding in two sentences, then all that it rests on.

A pure function of what was found: the same answer gives the same bytes. Each verdict has its own words and says never
more than it knows. The page of a trace that names nobody takes nothing from a case file and depends on no key; the page
of a held answer says that it is held, and nothing else. No person is named on any page.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from copyhold.domain.errors import NotFoundError
from copyhold.domain.tracing import Case, Finding, TraceResult
from copyhold.entrypoints.replies import case_evidence, pages
from copyhold.entrypoints.replies.case_evidence import Document, Evidence
from copyhold.entrypoints.replies.case_words import ATTACKS, FINDINGS, HEADLINES, LIMITS
from copyhold.entrypoints.replies.pages import (
    count,
    facts,
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
    """Take what a report tells from a case; of one that is held, nothing but that.

    Raises: NotFoundError where the attempt was never concluded.
    """
    result = TraceResult(Finding.HELD) if case.held else case.result
    if result is None:
        raise NotFoundError("This attempt was never concluded, so it has no report. Trace the file again.")
    return Told(
        custody=custody,
        result=result,
        leak_sha256=case.leak_sha256,
        traced_at=case.opened_at,
        case=str(case.id),
        attempt=case.attempt,
        four_eyes_at=case.agreed_at,
        document=document,
    )


def page(told: Told) -> str:
    """Write the report."""
    headline, finding, sections = _of_names(told) if told.finding is Finding.NAMED else _of_nobody(told)
    top = f"<h1>{prose(headline)}</h1>\n{paragraph(finding, 'finding')}"
    title = f"{headline}{f', case {told.case}' if told.case else ''}"
    return pages.page(title, ["<main>", top, *sections, "</main>"])


def _of_nobody(told: Told) -> tuple[str, str, list[str]]:
    sections = [_circumstances(told)]
    if told.finding is not Finding.HELD:
        sections += [_recognised(told), _unmarked(told), _needed(told), _limits(told)]
    return HEADLINES[told.finding], prose(FINDINGS[told.finding]), sections


def _of_names(told: Told) -> tuple[str, str, list[str]]:
    about = Evidence(told.result, told.document or {}, told.case)
    sections = [
        case_evidence.statements(about),
        _circumstances(told),
        _recognised(told),
        case_evidence.evidence(about),
        case_evidence.competing(about),
        case_evidence.assumptions(about),
        case_evidence.safeguards(about),
        case_evidence.recomputed(about),
        _limits(told),
        case_evidence.opinion(),
    ]
    return case_evidence.headline(about), case_evidence.finding(about), sections


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
        "Rows in the file": count(report.get("rows_in")),
        "Rows that align": count(report.get("rows_aligned")),
        "Participants": count(report.get("participants")),
        "Bar for a row to align": f"at most {100 * float(str(decoy)):g} % of rows align with a decoy" if decoy else "",
        "Rows destroyed after withdrawals": f"{count(withdrawn)}, which count as foreign" if withdrawn else "",
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
    return count(half) or "no number does", count(most) or "no number does"


def _limits(told: Told) -> str:
    return section("What this does not say", listing([prose(one) for one in LIMITS[told.finding]]))


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []
