"""The trace: from leaked files to an answer and, where something was scored, a case.

* Reading is free and knows no party's key. What is unreadable, not ours or shows no marks ends there, uncharged.
* The attempt is counted and entered in the log before the first score, with every key that could be named.
* What nobody is named for depends on no key: neither the answer, nor the report, nor what is stored.
"""

import math
from collections.abc import Sequence
from dataclasses import replace
from io import BytesIO
from pathlib import Path

from copyhold.actions import tracing
from copyhold.domain.errors import UnreadableFileError
from copyhold.domain.tracing import Answer, Attempt, Finding, Named, Register, TraceResult
from copyhold.domain.words import Plain, plain
from copyhold.engines.marks import power
from copyhold.engines.tracing import naming
from copyhold.engines.tracing.casefile import figures
from copyhold.engines.tracing.reader import Read
from copyhold.engines.tracing.statement import statement
from copyhold.jobs.catalogue import Occasions
from copyhold.jobs.tracing.casefiles import Told, case_file_of
from copyhold.jobs.tracing.holdings import Holdings
from copyhold.jobs.tracing.leaks import Leak, read_leak
from copyhold.jobs.tracing.published import published
from copyhold.jobs.tracing.scoring import Scored, score
from copyhold.jobs.tracing.sightings import Sighting, find
from copyhold.ports import Home, Step

NOTHING_SAID = (
    "The rows of this file align with the data no better than those of other people would. That clears nobody: it says "
    "that nothing was found."
)
ORIGINAL_SAID = (
    "The rows are of this dataset and show the unmarked original, which no marked copy shows: they come from an "
    "unmarked copy, or the marks were taken out. Nobody is named."
)
CANNOT_TELL_SAID = (
    "The rows are of this dataset; what they show of marks does not reach the threshold for any party. Nobody is "
    "named, and nobody is cleared."
)
FAILED_SAID = (
    "The control keys showed more evidence than chance allows, so the instrument is not to be trusted on this file and "
    "nobody is named."
)


def trace(home: Home, occasions: Occasions, files: Sequence[Path], *, step: Step) -> Answer:
    """Trace leaked files, read as one leak.

    Raises:
        NotFoundError: there is no such file.
        IntegrityError: index, plan or keys contradict the register; nothing was scored.
    """
    register = tracing.register(occasions())
    step("leak", 0.0)
    try:
        leak = read_leak(files)
    except UnreadableFileError as unreadable:
        return Answer(TraceResult(Finding.UNREADABLE, report={"statement": unreadable.message}))
    step("leak", 1.0)
    sighting = find(home, register, leak, step)
    if sighting is None:
        return Answer(TraceResult(Finding.NOT_OURS, report={"rows_in": leak.rows, "statement": NOTHING_SAID}))
    read = sighting.read(_reach(register, sighting))
    worth_scoring = sighting.recognised or read.shows_ids
    if not (read.alternatives and register.copies and worth_scoring):
        return Answer(_result(_unnamed(sighting, read), leak, sighting, read, register))
    return _scored(home, occasions, register, leak, sighting, read, step)


def _scored(
    home: Home, occasions: Occasions, register: Register, leak: Leak, sighting: Sighting, read: Read, step: Step
) -> Answer:
    attempt = tracing.open_attempt(occasions(), leak.sha256, sighting.name)
    versions = [one for one in register.versions if one.dataset == sighting.version.dataset]
    holdings = Holdings(home.outside, register, versions, sighting.master.plan, published(home.outside, attempt))
    scored = score(home.outside, register, attempt, read.alternatives, holdings, step)
    told = Told(home, register, attempt, leak, sighting, read, scored, holdings)
    result = _result(_finding(scored, sighting, read), leak, sighting, read, register, told)
    if result.named:
        kept = home.outside.storage.put(BytesIO(case_file_of(told, occasions, step)))
        result = replace(result, case_sha256=kept)
    return Answer.of(tracing.conclude(occasions(), attempt.case, result))


def _finding(scored: Scored, sighting: Sighting, read: Read) -> Finding:
    if scored.naming.instrument_failed:
        return Finding.INSTRUMENT_FAILED
    return Finding.NAMED if scored.naming.names else _unnamed(sighting, read)


def _unnamed(sighting: Sighting, read: Read) -> Finding:
    if not sighting.recognised:
        return Finding.NOT_OURS
    return Finding.UNMARKED_ORIGINAL if read.original else Finding.OURS_CANNOT_TELL


def _reach(register: Register, sighting: Sighting) -> int:
    """The most days by which dates of any copy of the dataset may have moved."""
    copies = (one for one in register.copies if one.dataset == sighting.version.dataset)
    return max((one.date_shifts or 0 for one in copies), default=0)


def _result(
    finding: Finding, leak: Leak, sighting: Sighting, read: Read, register: Register, told: Told | None = None
) -> TraceResult:
    named = finding is Finding.NAMED and told is not None
    return TraceResult(
        finding=finding,
        dataset=sighting.name,
        version=sighting.version.number,
        named=_named(told) if named and told else (),
        report={
            "leak_sha256": leak.sha256,
            "files": plain(leak.files),
            "rows_in": leak.rows,
            "rows_aligned": sighting.rows_aligned,
            "participants": read.participants,
            "columns": _columns(sighting),
            "rows_needed": _rows_needed(sighting, register, told.attempt if told else None),
            **_charged(told),
            "statement": _statement(finding, told),
        },
    )


def _charged(told: Told | None) -> dict[str, Plain]:
    if told is None:
        return {"attempt": None, "parties_considered": None, "log10_threshold": None}
    threshold = naming.Attempt(told.attempt.number, told.attempt.keys_issued).log_threshold(0)
    return {
        "attempt": told.attempt.number,
        "parties_considered": len(told.scored.keys),
        "log10_threshold": threshold / math.log(10),
    }


def _statement(finding: Finding, told: Told | None) -> str:
    if finding is Finding.NAMED and told is not None:
        return statement(max(one.p_family for one in told.scored.naming.names), told.attempt.number)
    return {
        Finding.NOT_OURS: NOTHING_SAID,
        Finding.UNMARKED_ORIGINAL: ORIGINAL_SAID,
        Finding.INSTRUMENT_FAILED: FAILED_SAID,
    }.get(finding, CANNOT_TELL_SAID)


def _named(told: Told) -> tuple[Named, ...]:
    found = []
    for one in told.scored.naming.names:
        identity = told.identity(one)
        found.append(
            Named(
                party=told.scored.keys[one.party].party,
                project=identity.project,
                institution=identity.institution,
                releases_consistent=told.consistent(one),
                log10_evidence=one.log_evidence / math.log(10),
                p_family=one.p_family,
                cells=one.cells,
                details={**figures(one), "by_ids_alone": one.by_ids_alone},
            )
        )
    return tuple(found)


def _columns(sighting: Sighting) -> list[Plain]:
    return [
        {"leaked": table.columns[match.leaked].name, "field": match.field, "conversion": match.conversion.name}
        for table in sighting.tables
        for match in table.match.matches
    ]


def _rows_needed(sighting: Sighting, register: Register, attempt: Attempt | None) -> Plain:
    """Say how many rows that show these fields name a holder, from plan and master: no key is asked."""
    number = max(sighting.tables, key=lambda one: one.rows_aligned).number
    keys = attempt.keys_issued if attempt else max(1, len({(one.party, one.epoch) for one in register.copies}))
    nats = power.threshold(keys, attempt=attempt.number if attempt else 1, alpha=register.policy.alpha)
    sample = sighting.master.sample(number)
    needed = power.rows_to_name([sample], nats, [name for name in sample if name in sighting.fields])
    return {attack.value: {"n50": rows.n50, "n95": rows.n95} for attack, rows in needed.items()}
