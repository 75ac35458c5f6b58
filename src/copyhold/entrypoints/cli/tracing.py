"""`trace` and `case`: whose copy is it, the second analyst, and an outsider's check."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from copyhold.actions import custody, tracing
from copyhold.auditlog import disclosures
from copyhold.domain.errors import InvalidInputError, NotFoundError
from copyhold.domain.tracing import Answer, Case, Finding, TraceResult
from copyhold.entrypoints.cli import door as doors
from copyhold.entrypoints.cli.log import log_folder, text_of
from copyhold.entrypoints.cli.terminal import BROKEN, DONE, FOUND, UNUSABLE
from copyhold.entrypoints.replies import case_report
from copyhold.entrypoints.replies import tracing as replies
from copyhold.jobs.log import KEY_FILE
from copyhold.jobs.tracing import trace as jobs

app = typer.Typer(add_completion=False, no_args_is_help=True)
case = typer.Typer(add_completion=False, no_args_is_help=True, help="Cases: what traces answered.")
app.add_typer(case, name="case")

CODES = {Finding.NAMED: FOUND, Finding.UNREADABLE: UNUSABLE, Finding.INSTRUMENT_FAILED: BROKEN}
MOST_BYTES = 1 << 28  # a case file of 100,000 cells has about 60 MB

CaseIdArgument = Annotated[str, typer.Argument(metavar="ID", help="The case's id; `case list` shows them.")]
Report = Annotated[Path | None, typer.Option("--report", metavar="OUT.html", help="Write the case report there.")]
Copy = Annotated[Path | None, typer.Option("--file", metavar="OUT.json", help="Write the case file there.")]


@app.command()
def trace(
    context: typer.Context,
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="The leaked files; several are one leak.")],
    report: Report = None,
) -> int:
    """Say whose copy leaked rows come from, with a bound on naming an innocent, or that it cannot be told."""
    door = doors.of(context)
    if report is not None and not report.absolute().parent.is_dir():
        raise InvalidInputError(f"There is no folder {report.parent} for the report; name a place that exists.")
    with door.terminal.progress() as step:
        found = jobs.trace(door.home, door.occasion, files, step=step)
    if found.case is not None:
        tell(door, tracing.show(door.occasion(), found.case), report)
    else:
        _tell_uncharged(door, found, report)
    return CODES.get(found.finding, DONE)


def _tell_uncharged(door: doors.Door, found: Answer, report: Path | None) -> None:
    """Tell the answer on a leak that was never scored."""
    result = found.result or TraceResult(Finding.HELD)
    if report is not None:
        nobody = door.home.occasion()
        leak = str(result.report.get("leak_sha256", ""))
        told = case_report.Told(custody.show(nobody).name, result, leak, nobody.at)
        _write(report, case_report.page(told).encode())
    answer = replies.answer(result)
    door.terminal.answer({**answer, **_where(report)}, *replies.sentences(answer, result), *_whereabouts(report))


@case.command("list")
def list_cases(context: typer.Context) -> None:
    """List the cases, newest first; held answers are not shown."""
    door = doors.of(context)
    known = tracing.cases(door.occasion())
    rows = [(one.id, one.attempt, one.opened_at.date(), _standing(one)) for one in known]
    told = [{**replies.of_case(one), "opened_on": one.opened_at.date().isoformat()} for one in known]
    door.terminal.table({"cases": told}, ("case", "attempt", "since", "answer"), rows)


@case.command()
def show(context: typer.Context, case_id: CaseIdArgument, report: Report = None, file: Copy = None) -> None:
    """Show a case's answer, as the trace gave it; a held answer is not shown."""
    door = doors.of(context)
    tell(door, tracing.show(door.occasion(), case_id), report, file)


@case.command()
def agree(context: typer.Context, case_id: CaseIdArgument, report: Report = None, file: Copy = None) -> None:
    """Agree to a held answer, as another person than who ran the trace; it is told from then on."""
    door = doors.of(context)
    tell(door, tracing.agree(door.occasion(), case_id), report, file)


@case.command()
def publish(
    context: typer.Context,
    case_id: CaseIdArgument,
    note: Annotated[str, typer.Option(metavar="TEXT", help="To whom, or where it became public.")] = "",
) -> None:
    """Enter that a case's report or case file was handed out or became public; its cells are spent from then on."""
    door = doors.of(context)
    told = tracing.publish(door.occasion(), case_id, note)
    at = told.published_at.isoformat() if told.published_at else None
    door.terminal.answer({**replies.of_case(told), "published_at": at}, replies.SPENT)


@case.command()
def verify(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The case file.")],
    log: Annotated[Path | None, typer.Option(metavar="DIR", help="A copy of the log, to be verified whole.")] = None,
    vkey: Annotated[Path | None, typer.Option(metavar="FILE", help="The log's key as you were given it.")] = None,
) -> int:
    """Compute a case file's figures again, and hold it against the log; needs neither a custody nor the data."""
    # Only this command computes; the others need not wait for what it takes.
    from copyhold.engines.tracing import openings, verification

    door = doors.of(context)
    content = _content(file)
    document = verification.read(content)
    folder = log_folder(log) if log else None
    place = vkey or (folder / KEY_FILE if folder else None)
    key = text_of(place).strip() if place else None
    entries = document.get("log") or []
    shown = disclosures.check(entries, verification.claims(document), key, folder)
    roots = [root for one in shown.payloads if (root := _root(one)) is not None]
    found = verification.verify(content, openings.opener(*roots) if roots else None)
    ok = found.figures_agree and found.cells_opened and not found.contradicted and not shown.contradicted
    problems = (*found.problems, *shown.problems)
    told = {
        "ok": ok,
        "figures_agree": found.figures_agree,
        "cells_opened": found.cells_opened,
        "log_proved": shown.proved,
        "bits_proved": found.bits_proved,
        "problems": list(problems),
    }
    door.terminal.answer(told, *_verified(told), *(f"  - {one}" for one in problems))
    return DONE if ok else BROKEN


def tell(door: doors.Door, told: Case, report: Path | None = None, file: Path | None = None) -> None:
    """Tell a case's answer, and write its report and its case file where they are asked for.

    A held answer has a report that says so, and no case file.
    """
    if report is not None:
        _write(report, page(door, told).encode())
    if file is not None:
        _write(file, _case_file(door, told))
    result = None if told.held else told.result
    answer = replies.of_case(told)
    door.terminal.answer({**answer, **_where(report)}, *replies.sentences(answer, result), *_whereabouts(report))


def _where(report: Path | None) -> dict[str, str]:
    return {"report": str(report)} if report else {}


def _whereabouts(report: Path | None) -> list[str]:
    return [f"The report is in {report}."] if report else []


def page(door: doors.Door, told: Case) -> str:
    """Write the report of a case from what the custody keeps of it."""
    kept = None if told.held or told.result is None else told.result.case_sha256
    document = _document(_case_file(door, told)) if kept else None
    return case_report.page(case_report.of_case(custody.show(door.home.occasion()).name, told, document))


def _case_file(door: doors.Door, told: Case) -> bytes:
    if told.held or told.result is None or not told.result.case_sha256:
        raise NotFoundError("This case has no case file: there is one where somebody is named and the answer is told.")
    with door.home.outside.storage.open(told.result.case_sha256) as data:
        return data.read()


def _document(content: bytes) -> Mapping[str, Any]:
    from copyhold.engines.tracing import verification

    return verification.read(content)


def _root(payload: Mapping[str, Any]) -> bytes | None:
    """The root of the version that an entry tells of; None where it tells of something else."""
    facts = payload.get("facts") if payload.get("type") == "catalogue.version_added" else None
    version = facts.get("version") if isinstance(facts, dict) else None
    root = version.get("master_root") if isinstance(version, dict) else None
    try:
        return bytes.fromhex(root) if isinstance(root, str) else None
    except ValueError:
        return None


def _standing(one: Case) -> str:
    answer = replies.of_case(one)["verdict"]
    return str(answer or "not concluded").replace("_", " ")


def _verified(told: Mapping[str, Any]) -> list[str]:
    return [
        "Every figure comes out again." if told["figures_agree"] else "The figures do not agree.",
        "Every cell is one that was committed to." if told["cells_opened"] else "The cells are not shown to be true.",
        "The log holds what the case file says it holds." if told["log_proved"] else "The log is not proved.",
        "The marks are proved." if told["bits_proved"] else "The marks are not proved: bits not yet proved.",
    ]


def _content(file: Path) -> bytes:
    try:
        if file.stat().st_size > MOST_BYTES:
            raise InvalidInputError(f"{file} is larger than any case file. It was not read.", code="NO_CASE_FILE")
        return file.read_bytes()
    except OSError:
        raise NotFoundError(f"{file} cannot be read; name a case file.") from None


def _write(file: Path, content: bytes) -> None:
    try:
        file.write_bytes(content)
    except OSError as error:
        raise InvalidInputError(f"{file} cannot be written: {error.strerror}. Name another place.") from None
