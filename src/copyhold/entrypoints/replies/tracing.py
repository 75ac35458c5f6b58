"""What a trace answers, in the one form that every door gives, and in sentences for people.

A trace that names nobody answers nothing that depends on a key. Where a finding is held for the second analyst, the
answer says that and nothing more.
"""

from collections.abc import Mapping

from copyhold.domain.tracing import Case, Finding, Named, TraceResult
from copyhold.domain.words import Plain, plain, rounded_up

# What the job puts into `TraceResult.report` and every door tells; a key that it left out is told as null.
REPORTED = (
    "rows_in",
    "rows_read",
    "rows_aligned",
    "participants",
    "parties_considered",
    "log10_threshold",
    "columns",
    "rows_needed",
    "statement",
)

SENTENCES = {
    Finding.OURS_CANNOT_TELL: "The file holds rows of this custody, but it does not show whose copy they come from.",
    Finding.UNMARKED_ORIGINAL: "The file shows the unmarked original: the marks of no copy are in it.",
    Finding.NOT_OURS: "The rows of the file align with this custody no better than other people's would. This clears "
    "nobody.",
    Finding.UNREADABLE: "The file cannot be read as a table; nothing was compared.",
    Finding.INSTRUMENT_FAILED: "The instrument failed its own controls; this trace speaks for and against nobody.",
    Finding.HELD: "The answer is held until another analyst agrees.",
}


SPENT = (
    "The case is entered as public. Its cells, and the ids and dates in it, are spent: in later traces they are no "
    "evidence against the parties that it names."
)


def answer(result: TraceResult, case: str | None = None, attempt: int | None = None) -> dict[str, Plain]:
    """Tell a result as JSON; `case` and `attempt` are absent where the leak was never scored."""
    if result.finding is Finding.HELD:
        return held(case or "")
    told = {name: result.report.get(name) for name in REPORTED}
    return {
        "verdict": result.finding.value,
        "case": case,
        "dataset": result.dataset or None,
        "version": result.version,
        "attempt": attempt,
        **told,
        "columns": told["columns"] or [],
        "named": [_named(one) for one in result.named],
        "consistent_unmarked": plain(result.consistent_unmarked),
    }


def of_case(case: Case) -> dict[str, Plain]:
    """Tell a case as JSON: its answer, that it is held, or that it was never concluded."""
    if case.held:
        return held(case.id)
    if case.result is None:
        return {"verdict": None, "case": str(case.id), "attempt": case.attempt}
    return answer(case.result, str(case.id), case.attempt)


def held(case: str) -> dict[str, Plain]:
    """Tell that an answer is held."""
    return {"verdict": Finding.HELD.value, "case": str(case)}


def sentences(told: Mapping[str, Plain], result: TraceResult | None) -> list[str]:
    """Say an answer to people: the finding first, then what follows from it."""
    if told["verdict"] == Finding.HELD.value:
        return [SENTENCES[Finding.HELD], f"Another person agrees with `copyhold case agree {told['case']}`."]
    if result is None:
        return ["This attempt was opened and never concluded: it found nothing. Trace the file again."]
    if result.finding is Finding.NAMED:
        return [*(_sentence(one) for one in result.named), str(result.report.get("statement", ""))]
    copies = [f"  - {release}" for release in result.consistent_unmarked]
    could = ["Unmarked copies that could have given the file:", *copies] if copies else []
    return [SENTENCES[result.finding], *could]


def _named(one: Named) -> dict[str, Plain]:
    return {
        "party": str(one.party),
        "project": one.project,
        "institution": one.institution,
        "releases_consistent": plain(one.releases_consistent),
        "log10_evidence": one.log10_evidence,
        "p_family": one.p_family,
        "cells": one.cells,
    }


def _sentence(one: Named) -> str:
    copies = ", ".join(one.releases_consistent)
    known = "its marks" if not one.details.get("by_ids_alone") else "ids alone, which anybody who saw them can copy"
    return (
        f"The file leads to a copy that {one.project} at {one.institution} received"
        f"{f' ({copies})' if copies else ''}, by {known}: log10 of the evidence {one.log10_evidence:.1f}, "
        f"{one.cells} cells, bound {rounded_up(one.p_family)}."
    )
