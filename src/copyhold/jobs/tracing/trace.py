"""The trace: from leaked files to an answer and, where something was scored, a case.

* Reading is free and knows no party's key. What is unreadable, not ours or shows no marks ends there, uncharged.
* The attempt is counted and entered in the log before the first score, with every key that could be named.
* What nobody is named for depends on no key: neither the answer, nor the report, nor what is stored.
"""

from collections.abc import Sequence
from dataclasses import replace
from io import BytesIO
from pathlib import Path

from copyhold.actions import tracing
from copyhold.domain.errors import UnreadableFileError
from copyhold.domain.tracing import Answer, Attempt, Finding, Register, TraceResult
from copyhold.engines.reading.reader import Read
from copyhold.jobs.catalogue.plans import Occasions
from copyhold.jobs.tracing import findings
from copyhold.jobs.tracing.casefiles import Told, case_file_of
from copyhold.jobs.tracing.holdings import Holdings
from copyhold.jobs.tracing.leaks import Leak, read_leak
from copyhold.jobs.tracing.narrowing import could_have_given
from copyhold.jobs.tracing.published import NOTHING_PUBLISHED, published
from copyhold.jobs.tracing.scoring import Scored, score
from copyhold.jobs.tracing.sightings import Sighting, find
from copyhold.ports import Home, Step


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
        return Answer(findings.of_nothing(leak))
    read = sighting.read(_reach(register, sighting))
    if read.alternatives and register.copies and (sighting.recognised or read.shows_ids):
        return _scored(home, occasions, register, leak, sighting, read, step)
    holdings = _holdings(home, register, sighting, read)
    result = findings.of_leak(_unnamed(sighting, read), leak, sighting, read, holdings)
    return Answer(_narrowed(home, register, sighting, holdings, result, step))


def _scored(
    home: Home, occasions: Occasions, register: Register, leak: Leak, sighting: Sighting, read: Read, step: Step
) -> Answer:
    attempt = tracing.open_attempt(occasions(), leak.sha256, sighting.name)
    holdings = _holdings(home, register, sighting, read, attempt)
    scored = score(home.outside, register, attempt, read.alternatives, holdings, step)
    told = Told(home, register, attempt, leak, sighting, read, scored, holdings)
    result = findings.of_leak(_finding(scored, sighting, read), leak, sighting, read, holdings, told)
    if result.named:
        kept = home.outside.storage.put(BytesIO(case_file_of(told, occasions, step)))
        result = replace(result, case_sha256=kept)
    result = _narrowed(home, register, sighting, holdings, result, step)
    return Answer.of(tracing.conclude(occasions(), attempt.case, result))


def _holdings(
    home: Home, register: Register, sighting: Sighting, read: Read, attempt: Attempt | None = None
) -> Holdings:
    """What the register says of the parties, about the people whom the leak may show."""
    versions = [one for one in register.versions if one.dataset == sighting.version.dataset]
    loose = any(len(one.reading.loose_id) for one in read.alternatives)
    asked = None if loose else sighting.people
    told = published(home.outside, attempt) if attempt else NOTHING_PUBLISHED
    return Holdings(home.outside, register, versions, sighting.master.plan, asked, told)


def _narrowed(
    home: Home, register: Register, sighting: Sighting, holdings: Holdings, result: TraceResult, step: Step
) -> TraceResult:
    """Where rows are ours and nobody is named, say which past copies could have given them."""
    if result.finding not in (Finding.OURS_CANNOT_TELL, Finding.UNMARKED_ORIGINAL):
        return result
    return replace(result, consistent_unmarked=could_have_given(home, register, sighting, holdings, step))


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
