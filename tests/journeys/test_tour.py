"""Every block of docs/tour.md runs in order and shows what the page says; it runs once, in one folder.

`sh` blocks hold lines of `copyhold` and `export` alone, where CASE stands for the newest case's id; `python` blocks run
as they stand, a `csv NAME` block is a file, and a `text` block tells what the block of commands before it printed, with
… for anything.
"""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

import tests.world  # noqa: F401 - commands can be imported only once Django is set up
from docs.pages.commands import commands
from tests.entrypoints.conftest import Command, Ended, copyhold

__all__ = ["copyhold"]

ROOT = Path(__file__).resolve().parents[2]
TOUR = (ROOT / "docs" / "tour.md").read_text(encoding="utf-8")
THERE = [path for path, _ in commands()]
MADE_BY = {6: "release make"}  # stops without a command that use what a command of an earlier one made


@dataclass(frozen=True)
class Block:
    """A fenced block: its stop (0 before the first), its language, what stands beside that, and its text."""

    stop: int
    language: str
    name: str
    text: str

    @property
    def lines(self) -> list[str]:
        """The command lines of a block, those that end in a backslash joined with the next."""
        return [line for line in self.text.replace("\\\n", " ").splitlines() if line.strip()]

    @property
    def missing(self) -> list[str]:
        """What the block needs and is not there yet."""
        needed = [line.removeprefix("copyhold ") for line in self.lines if line.startswith("copyhold ")]
        needed = [line for line in needed if not any(f"{line} ".startswith(f"{path} ") for path in THERE)]
        made = MADE_BY.get(self.stop)
        return needed + [made] * (made is not None and made not in THERE)


def blocks() -> Iterator[Block]:
    for stop, part in enumerate(re.split(r"^## \d+\. ", TOUR, flags=re.M)):
        for language, name, text in re.findall(r"^```(\w+) ?([\w.]*)\n(.*?)^```$", part, re.M | re.S):
            yield Block(stop, language, name, text)


BLOCKS = list(blocks())


def test_the_tour_runs_and_shows_what_the_page_says(
    copyhold: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = ""
    for block in BLOCKS:
        if any(other.missing for other in BLOCKS if other.stop == block.stop and before(other, block)):
            continue
        match block.language:
            case "csv":
                (tmp_path / block.name).write_text(block.text, encoding="utf-8")
            case "python":
                exec(compile(block.text, f"tour, stop {block.stop}", "exec"), {})  # noqa: S102 - the page's own lines
            case "sh":
                said = "".join(told(line, copyhold, monkeypatch) for line in block.lines)
            case "text":
                shown(block, said)


def before(other: Block, block: Block) -> bool:
    """Whether a block stands at or before another."""
    return BLOCKS.index(other) <= BLOCKS.index(block)


def told(line: str, copyhold: Command, monkeypatch: pytest.MonkeyPatch) -> str:
    """Run one line of a block and hold its exit code against the one that the page states."""
    words = shlex.split(line, comments=True)
    if words[0] == "export":
        monkeypatch.setenv(*words[1].split("=", 1))
        return ""
    assert words[0] == "copyhold", line
    stated = re.search(r"# exits with (\d)$", line)
    newest = copyhold("case", "list", "--json").json["cases"][0]["case"] if "CASE" in words else ""
    ended: Ended = copyhold(*(newest if word == "CASE" else word for word in words[1:]))
    assert ended.code == (int(stated[1]) if stated else 0), f"{line}\n{ended.out}{ended.err}"
    return ended.out + ended.err


def shown(block: Block, said: str) -> None:
    for line in block.text.splitlines():
        pattern = ".*".join(re.escape(part) for part in line.split("…"))
        assert re.search(f"^{pattern}$", said, re.M), f"stop {block.stop} does not show: {line}\n{said}"


@pytest.mark.parametrize("stop", range(1, 10))
def test_every_stop_of_the_tour_can_be_run(stop: int) -> None:
    missing = [one for block in BLOCKS if block.stop == stop for one in block.missing]
    if missing:
        pytest.xfail(f"stop {stop} needs what is being built: {'; '.join(missing)}")


def test_there_are_nine_stops_each_with_a_function_to_read_and_something_to_run() -> None:
    parts = re.split(r"^## \d+\. ", TOUR, flags=re.M)[1:]
    assert len(parts) == 9
    for stop, part in enumerate(parts, start=1):
        assert re.search(r"`[\w/]+\.py::\w+`", part), stop
        assert any(block.stop == stop and block.language in ("sh", "python") for block in BLOCKS), stop


@pytest.mark.parametrize(("file", "function"), re.findall(r"`([\w/]+\.py)::(\w+)`", TOUR))
def test_every_function_that_the_tour_names_is_there(file: str, function: str) -> None:
    source = ROOT / "src" / "copyhold" / file
    if not source.exists():
        pytest.xfail(f"{file} is being built")
    assert re.search(rf"^(?:def|class) {function}\b", source.read_text(encoding="utf-8"), re.M), function
