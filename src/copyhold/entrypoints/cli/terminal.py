"""What a command says and where: answers to standard output, everything else to standard error."""

import json
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from rich.console import Console
from rich.table import Table

from copyhold.domain.errors import CopyholdError, IntegrityError
from copyhold.domain.verdicts import Refused
from copyhold.ports import Step

DONE, BUG, UNUSABLE, REFUSED, FOUND, BROKEN = 0, 1, 2, 3, 4, 5


def exit_code(error: CopyholdError) -> int:
    """The exit code of a family of errors; scripts rely on it."""
    match error:
        case Refused():
            return REFUSED
        case IntegrityError():
            return BROKEN
        case _:
            return UNUSABLE


@dataclass
class Terminal:
    """One run's two streams. With `as_json`, standard output holds one JSON object and nothing else."""

    as_json: bool = False
    quiet: bool = False
    out: Console = field(default_factory=lambda: Console(highlight=False, soft_wrap=True))
    err: Console = field(default_factory=lambda: Console(stderr=True, highlight=False, soft_wrap=True))

    def answer(self, value: Mapping[str, object], *lines: str) -> None:
        """Give the answer of a command: `value` as JSON where asked for, else `lines`."""
        if self.as_json:
            sys.stdout.write(json.dumps(value, ensure_ascii=False) + "\n")
        else:
            for line in lines:
                self.out.print(line, markup=False)

    def table(self, value: Mapping[str, object], columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
        """Give a list as JSON where asked for, else as a table for people."""
        if self.as_json:
            self.answer(value)
            return
        table = Table(*columns, box=None, pad_edge=False, header_style="bold")
        for row in rows:
            table.add_row(*(str(cell) for cell in row))
        self.out.print(table)

    def note(self, line: str) -> None:
        """Tell a person something beside the answer."""
        if not self.quiet:
            self.err.print(line, markup=False)

    def complain(self, error: CopyholdError) -> int:
        """Print an error or a refusal with every reason; give its exit code."""
        if self.as_json:
            sys.stdout.write(json.dumps({"error": _error(error)}, ensure_ascii=False) + "\n")
        elif isinstance(error, Refused):
            self.err.print("Refused:", style="bold", markup=False)
            for reason in error.verdict.reasons:
                self.err.print(f"  - {reason.reason} {reason.fix}".rstrip(), markup=False)
        else:
            self.err.print(error.message, markup=False)
        return exit_code(error)

    @contextmanager
    def progress(self) -> Iterator[Step]:
        """Show a bar per step of long work: the step's name, its share done and the time left."""
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.percentage:>3.0f} %"),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
        )
        with Progress(*columns, console=self.err, disable=self.quiet or not self.err.is_terminal) as bars:
            tasks: dict[str, int] = {}

            def step(name: str, share: float) -> None:
                if name not in tasks:
                    tasks[name] = bars.add_task(name, total=1.0)
                bars.update(tasks[name], completed=min(share, 1.0))  # type: ignore[arg-type]

            yield step


def _error(error: CopyholdError) -> dict[str, object]:
    reasons = error.verdict.reasons if isinstance(error, Refused) else ()
    return {
        "code": error.code,
        "message": error.message,
        "reasons": [{"code": each.code, "reason": each.reason, "fix": each.fix} for each in reasons],
    }
