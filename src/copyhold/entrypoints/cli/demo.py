"""`demo`: the whole life of three copies on real data, a leak, the trace, the suspension."""

import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import polars as pl
import typer

from copyhold.actions import incidents, releases, tracing
from copyhold.auditlog import verification
from copyhold.domain.errors import IntegrityError
from copyhold.domain.tracing import Case, Finding
from copyhold.domain.words import Plain
from copyhold.entrypoints.cli import demonstration as play
from copyhold.entrypoints.cli import door as doors
from copyhold.entrypoints.cli.demonstration import Stage
from copyhold.entrypoints.cli.incidents import told as told_of
from copyhold.entrypoints.cli.terminal import DONE
from copyhold.entrypoints.cli.tracing import page
from copyhold.entrypoints.replies import tracing as replies
from copyhold.jobs import log as publishing
from copyhold.jobs.tracing import trace as jobs

app = typer.Typer(add_completion=False, no_args_is_help=False)

REPORT, LEAK = "case-report.html", "leak.csv"
REHEARSED = 6_000  # people of the second, throw-away custody
DIRECTORY = Path("copyhold-demo")


@app.callback()
def _named() -> None:
    """Keep the command's own name, though it is the only one here."""


@app.command()
def demo(
    context: typer.Context,
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="A new folder for the custody.")] = DIRECTORY,
) -> int:
    """Show the main job on real data: three marked copies, a leak, its holder named, the institution suspended."""
    started = time.monotonic()
    door = doors.of(context)
    home = door.found_home(directory)
    stage = play.found(home, four_eyes=False)
    door.enter(home)
    shown = _Shown(door, stage, home.directory)
    shown.dataset()
    shown.applications()
    shown.copies()
    case = shown.trace()
    shown.second_analyst()
    shown.suspension()
    shown.log()
    told: dict[str, Plain] = {
        "custody": str(home.directory),
        "dataset": play.DATASET,
        "releases": list[Plain](shown.released),
        "leak": str(home.directory / LEAK),
        "trace": replies.of_case(case),
        "report": str(home.directory / REPORT),
        "seconds": round(time.monotonic() - started, 1),
    }
    door.terminal.answer(told, "", *_epilogue(told))
    return DONE


@dataclass
class _Shown:
    """The acts of the demonstration, in order; each says what it does and what came of it."""

    door: doors.Door
    stage: Stage
    folder: Path
    released: list[dict[str, Plain]] = field(default_factory=list)

    def dataset(self) -> None:
        """Take the dataset in."""
        self._say("1. A dataset comes in: snapshot, mark plan, commitments to every cell, index.")
        with self.door.terminal.progress() as step:
            version = play.add_dataset(self.stage, step)
        marked = sum(one.mark for one in version.dictionary.fields)
        self._say(
            f"   NHANES 2001-2016: {version.participants:,} people, {len(version.dictionary.fields)} fields, "
            f"{marked} of them marked."
        )

    def applications(self) -> None:
        """Take in four applications; one has no evidence and is refused with every reason."""
        self._say("2. Four institutions in three countries apply. The fourth has shown no evidence:")
        for applicant in (*play.HOLDERS, play.NORRVIK):
            play.apply(self.stage, applicant)
        for applicant in play.HOLDERS:
            play.grant(self.stage, applicant)
        verdict = play.refused(self.stage, play.NORRVIK)
        self._say(f"   {play.NORRVIK.institution} is refused:")
        self._say(*(f"     - {one.reason} {one.fix}" for one in verdict.reasons))

    def copies(self) -> None:
        """Make a copy for each of the other three."""
        self._say("3. Three copies, each with its own marks and ids:")
        for applicant in play.HOLDERS:
            with self.door.terminal.progress() as step:
                made = play.make_copy(self.stage, applicant, step)
            told = releases.show(self.stage.occasion(), made).release
            self.released.append(
                {
                    "release": made,
                    "project": applicant.project,
                    "institution": applicant.institution,
                    "path": told.path,
                }
            )
            self._say(f"   {applicant.institution}: {told.rows:,} rows, {len(told.released_fields)} fields.")

    def trace(self) -> Case:
        """Let one of the copies leak, and find out which."""
        leaked = play.leak(Path(str(self.released[-1]["path"])), self.folder / LEAK)
        self._say(
            f"4. {play.LEAKED_ROWS} rows turn up for sale in {LEAK}: no ids, {len(play.DISGUISE)} columns under other "
            "names, glucose in mmol/l, decimal commas. Whose copy is it?"
        )
        case = _traced(self.door, self.stage, leaked)
        (self.folder / REPORT).write_text(page(self.door, case), encoding="utf-8")
        self._say(*(f"   {line}" for line in replies.sentences(replies.of_case(case), case.result)))
        return case

    def second_analyst(self) -> None:
        """Show once, in a custody of its own, how an answer is held until a second analyst agrees."""
        self._say("5. In a custody with four eyes (a second one, thrown away afterwards) nobody is named by one alone:")
        with tempfile.TemporaryDirectory(prefix="copyhold-") as folder:
            home = self.door.found_home(Path(folder) / "custody")
            self.door.enter(home)
            stage = play.found(home, four_eyes=True)
            case, agreed = _rehearsed(self.door, stage, Path(folder))
        self.door.enter(self.door.open_home(self.folder))
        self._say(
            f"   the trace answers: {_verdict(case)}; once the second analyst agrees: {_verdict(agreed)}, "
            f"{agreed.result.named[0].institution if agreed.result else ''}."
        )

    def suspension(self) -> None:
        """Suspend the institution whose copy leaked."""
        self._say("6. The institution is suspended in one act. What that stops, and what it cannot:")
        seen = incidents.preview(self.stage.occasion(), "institution", play.VALMONT.institution)
        self._say(*(f"   {line}" for line in told_of(seen)))
        incidents.suspend(self.stage.occasion(), "institution", play.VALMONT.institution, "rows of its copy for sale")
        verdict = play.refused(self.stage, play.VALMONT)
        self._say(f"   Its next request is refused: {verdict.reasons[0].reason}")

    def log(self) -> None:
        """Verify the log as an outsider does: from its published files alone."""
        publishing.publish(self.stage.home)
        log = self.stage.home.log
        found = verification.verify(log, (log / publishing.KEY_FILE).read_text(encoding="utf-8").strip(), None)
        if not found.ok:
            raise IntegrityError(f"The log does not verify: {found.problems[0]}")
        self._say(f"7. Every act stands in the log: {found.size} entries, each verified from the published files.")

    def _say(self, *lines: str) -> None:
        for line in lines:
            self.door.terminal.note(line)


def _traced(door: doors.Door, stage: Stage, leaked: Path) -> Case:
    with door.terminal.progress() as step:
        answer = jobs.trace(stage.home, stage.occasion, [leaked], step=step)
    if answer.case is None:
        raise IntegrityError("The demonstration's own leak was not recognised; the installation is damaged.")
    return tracing.show(stage.occasion(), answer.case)


def _rehearsed(door: doors.Door, stage: Stage, folder: Path) -> tuple[Case, Case]:
    """Run the chain with two people; give the case as the trace left it, and after the second one agreed."""
    source = folder / "nhanes.parquet"
    pl.scan_parquet(play.PEOPLE).tail(REHEARSED).sink_parquet(source)
    with door.terminal.progress() as step:
        play.add_dataset(stage, step, source)
        second = play.appoint_second(stage)
        play.confirm(second)
        play.apply(stage, play.VALMONT)
        play.grant(second, play.VALMONT)
        made = play.make_copy(stage, play.VALMONT, step, lambda asked: releases.approve(second.occasion(), asked))
    leaked = play.leak(Path(releases.show(stage.occasion(), made).release.path), folder / LEAK)
    held = _traced(door, stage, leaked)
    return held, tracing.agree(second.occasion(), held.id)


def _verdict(case: Case) -> str:
    return (case.result.finding if case.result else Finding.HELD).value


def _epilogue(told: dict[str, Plain]) -> Sequence[str]:
    return (
        f"The case report: {told['report']}",
        f"The custody to explore: copyhold --custody {told['custody']} status",
        f"It took {told['seconds']} seconds.",
    )
