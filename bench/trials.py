"""Trials that are written down one by one, so that a bench may be stopped and resumed."""

import json
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

RESULTS = Path(__file__).parent / "results"

Outcome = dict[str, object]


@dataclass(frozen=True)
class Trials:
    """The trials of one bench: a line of JSON each, keyed by row and seed."""

    name: str
    folder: Path = RESULTS

    @property
    def path(self) -> Path:
        """Where the lines stand."""
        return self.folder / f"{self.name}.jsonl"

    def done(self) -> list[Outcome]:
        """Every finished trial; a half-written last line of a stopped run is no trial."""
        if not self.path.exists():
            return []
        lines = self.path.read_text(encoding="utf-8").split("\n")
        return [json.loads(line) for line in lines[:-1]]

    def run(self, rows: Sequence[str], seeds: Sequence[int], trial: Callable[[str, int], Outcome]) -> list[Outcome]:
        """Run what is missing, seed by seed so that every row fills evenly, and give all of them."""
        self._mend()
        finished = {(line["row"], line["seed"]) for line in self.done()}
        for seed in seeds:
            for row in rows:
                if (row, seed) not in finished:
                    self._write({"row": row, "seed": seed, **trial(row, seed)})
        return self.done()

    def _write(self, line: Outcome) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
            file.flush()
            os.fsync(file.fileno())

    def _mend(self) -> None:
        if self.path.exists():
            whole = self.path.read_text(encoding="utf-8")
            self.path.write_text(whole[: whole.rfind("\n") + 1], encoding="utf-8")


def by_row(lines: Sequence[Outcome]) -> Iterator[tuple[str, list[Outcome]]]:
    """Group finished trials by their row, in order of first appearance."""
    rows = dict.fromkeys(str(line["row"]) for line in lines)
    for row in rows:
        yield row, [line for line in lines if line["row"] == row]
