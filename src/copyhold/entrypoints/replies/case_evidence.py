"""The part of a case report that is about named parties: what was found, and all that it rests on.

It tells what the answer and the case file hold of the parties that are named, and of nobody else.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from copyhold.domain.tracing import Finding, Named, TraceResult
from copyhold.entrypoints.replies.case_words import BY_IDS_ALONE, COULD_BE_OTHERS, HEADLINES
from copyhold.entrypoints.replies.charts import evidence_chart
from copyhold.entrypoints.replies.pages import (
    bound,
    count,
    facts,
    figure,
    listing,
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
class Evidence:
    """The names of an answer, the case file about them (empty where there is none), and the case's id."""

    result: TraceResult
    document: Document
    case: str


def statements(told: Evidence) -> str:
    """Say how often people and software err, then each name's statement with its bound."""
    parts = [_blind(told.document.get("blind_tests"))]
    for place, one in enumerate(told.result.named):
        stated = _stated(told.document, place)
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


def evidence(told: Evidence) -> str:
    """Show whose copies they are, the figures of each name, and the evidence against the threshold."""
    rows = [_figures(place, one, _stated(told.document, place)) for place, one in enumerate(told.result.named)]
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


def _holders(told: Evidence) -> list[tuple[str, ...]]:
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


def _chart(told: Evidence) -> str:
    threshold = told.result.report.get("log10_threshold")
    if not isinstance(threshold, int | float):
        return ""
    controls = told.document.get("controls", {})
    reached = [(int(k), int(count)) for k, count in controls.get("reached", [])]
    bars = [(f"{place}", one.log10_evidence) for place, one in enumerate(told.result.named, 1)]
    said = ", ".join(f"{value:.1f} for name {label}" for label, value in bars)
    keys = number(controls["keys"]) if reached else ""
    highest = f" None of {keys} control keys reached {reached[-1][0] + 1}." if reached else ""
    text = f"The evidence, as log10, is {said}; the first name had to reach {threshold:.1f}.{highest}"
    caption = "Circles are control keys, which nobody has; a larger circle stands for more of them."
    return figure(evidence_chart(bars, float(threshold), reached, text), f"{text} {caption}")


def competing(told: Evidence) -> str:
    """List what else would explain the same marks: every lawful flow that the register knows, and what always could."""
    flows = [prose(one) for one in told.document.get("competing", [])]
    return section(
        "Competing propositions",
        paragraph(
            "Each of these would put the same marks into the file, and the evidence cannot tell them apart. The first "
            "come from the register: every lawful way on which a copy, or what was made from it, may have travelled."
        ),
        listing([*flows, *COULD_BE_OTHERS]),
    )


def assumptions(told: Evidence) -> str:
    """List what the bound assumes."""
    return section("What the bound assumes", listing([prose(one) for one in told.document.get("assumptions", [])]))


def safeguards(told: Evidence) -> str:
    """Say which safeguards were in place, and counts that must fit each other."""
    document = told.document
    held = [
        (prose(name), "held" if value else "did not hold") for name, value in document.get("safeguards", {}).items()
    ]
    counted = {
        "Traces logged so far": count(document.get("attempts_logged")),
        "Mark keys derived, as the key store counts": count(document.get("keys_derived")),
    }
    return section(
        "Safeguards against a mistake or a wrong by the custodian",
        table("What was in place", ("Safeguard", "In this case"), held) if held else "",
        facts("Counts to compare", counted),
    )


def recomputed(told: Evidence) -> str:
    """Say how an outsider computes all of it again."""
    name = f"{told.case}.json" if told.case else "CASE.json"
    return section(
        "How to compute this again",
        paragraph(
            "The case file holds the reading, the cells used with the proof that they are those committed to, and the "
            "log's entries that show it was done before the trace. It needs neither the data nor a custody. Use the "
            "log's key as you were given it before, not one that came with this page."
        ),
        f"<pre><code>copyhold case show {shown(told.case)} --file {shown(name)}   # by the custodian\n"
        f"copyhold case verify {shown(name)} --vkey VKEY\n"
        f"copyhold case verify {shown(name)} --vkey VKEY --log DIR   # against a copy of the whole log</code></pre>",
        paragraph(
            "The check says “bits not yet proved” until the holder's countersigned copy, or the party's key "
            "opened, shows that the marks in the case file are those the party was given."
        ),
    )


def opinion() -> str:
    """Leave room for the opinion of a person."""
    return section(
        "Opinion",
        paragraph("Software states facts. An opinion on them is a person's, who signs it with name and date."),
        '<p class="sign">Opinion</p>\n<p class="sign">Name and date</p>\n<p class="sign">Signature</p>',
    )


def headline(told: Evidence) -> str:
    """Say what the file carries: marks, or no more than ids."""
    by_ids = [_by_ids(_stated(told.document, place)) for place in range(len(told.result.named))]
    return BY_IDS_ALONE if all(by_ids) else HEADLINES[Finding.NAMED]


def _by_ids(stated: Document) -> bool:
    """Say whether a name rests on participant ids: without them its evidence does not reach the threshold."""
    told = stated.get("figures", {})
    without = told.get("log10_evidence_without_ids")
    return without is not None and bool(without < told["log10_threshold"])


def _holder(one: Named, stated: Document) -> str:
    known = " (by participant ids alone, which anybody who saw them can copy)" if _by_ids(stated) else ""
    return f"{named(one.project)} at {named(one.institution)}{known}"


def finding(told: Evidence) -> str:
    """Say in two sentences what was found."""
    holders = [_holder(one, _stated(told.document, place)) for place, one in enumerate(told.result.named)]
    worst = max(one.p_family for one in told.result.named)
    carried = f"the copy issued to {holders[0]}" if len(holders) == 1 else f"copies issued to {_and(holders)}"
    return (
        f"{headline(told).replace(' a copy', '')} {carried}. The chance that the traces of this custody would ever "
        f"name, on evidence this strong, a party that had no part in the file is at most {bound(worst)}, which is not "
        "the chance that a named party is innocent, and says nothing of errors that people and software make together."
    )


def _and(parts: Sequence[str]) -> str:
    return f"{', '.join(parts[:-1])} and {parts[-1]}"


def _stated(document: Document, place: int) -> Document:
    names = document.get("names", [])
    return names[place] if place < len(names) else {}
