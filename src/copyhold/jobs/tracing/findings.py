"""What is told of a trace: the finding with how the file was read, what it would take, and the statement.

Nothing here depends on a key, but for the part about the parties that are named.
"""

import math

from copyhold.domain.tracing import Attempt, Finding, Named, Register, TraceResult
from copyhold.domain.words import Plain, plain
from copyhold.engines.marks import power
from copyhold.engines.matching.tables import FALSE_MATCHES
from copyhold.engines.reading.reader import Read
from copyhold.engines.tracing import naming
from copyhold.engines.tracing.casefile import figures
from copyhold.engines.tracing.statement import statement
from copyhold.jobs.tracing.casefiles import Told
from copyhold.jobs.tracing.holdings import Holdings
from copyhold.jobs.tracing.leaks import Leak
from copyhold.jobs.tracing.sightings import Sighting

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


def of_nothing(leak: Leak) -> TraceResult:
    """Tell of a leak where there is no dataset to compare it with."""
    report: dict[str, Plain] = {"leak_sha256": leak.sha256, "files": plain(leak.files), "rows_in": leak.rows}
    return TraceResult(Finding.NOT_OURS, report={**report, "statement": NOTHING_SAID})


def of_leak(
    finding: Finding, leak: Leak, sighting: Sighting, read: Read, holdings: Holdings, told: Told | None = None
) -> TraceResult:
    """Tell of a leak that was compared, and of the attempt where it was scored."""
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
            "rows_read": sighting.rows_read,
            "rows_aligned": sighting.rows_aligned,
            "participants": read.participants,
            "rows_withdrawn": _rows_withdrawn(sighting, read, holdings),
            "decoy_rate": FALSE_MATCHES,
            "columns": _columns(sighting),
            "columns_unread": _columns_unread(sighting),
            "rows_needed": _rows_needed(sighting, holdings.register, told.attempt if told else None),
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


def _columns_unread(sighting: Sighting) -> list[Plain]:
    return [
        {"leaked": column.name, "reason": "no field of the dataset is like it"}
        for table in sighting.tables
        for place, column in enumerate(table.columns)
        if place not in {match.leaked for match in table.match.matches}
    ]


def _rows_withdrawn(sighting: Sighting, read: Read, holdings: Holdings) -> int:
    """Count the leaked rows of people who have withdrawn: from then on they may be in no copy at all."""
    gone = set(holdings.withdrawn_since(sighting.version).tolist())
    return sum(len(group.rows) for group in read.groups if group.candidates and group.candidates[0].participant in gone)


def _rows_needed(sighting: Sighting, register: Register, attempt: Attempt | None) -> Plain:
    """Say how many rows that show these fields name a holder, from plan and master: no key is asked."""
    number = max(sighting.tables, key=lambda one: one.rows_aligned).number
    keys = attempt.keys_issued if attempt else max(1, len({(one.party, one.epoch) for one in register.copies}))
    nats = power.threshold(keys, attempt=attempt.number if attempt else 1, alpha=register.policy.alpha)
    sample = sighting.master.sample(number)
    needed = power.rows_to_name([sample], nats, [name for name in sample if name in sighting.fields])
    return {attack.value: {"n50": rows.n50, "n95": rows.n95} for attack, rows in needed.items()}
