"""The command line as a person calls it, in this process."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from copyhold.config import start


@dataclass(frozen=True)
class Ended:
    """How a command ended: its exit code and both streams."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The one JSON object on standard output."""
        return json.loads(self.out)


Command = Callable[..., Ended]


@pytest.fixture
def copyhold(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Command:
    """Run `copyhold` with words, from an empty folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("COPYHOLD_CUSTODY", raising=False)
    monkeypatch.delenv("COPYHOLD_TOKEN", raising=False)

    def run(*words: str | Path) -> Ended:
        capsys.readouterr()
        code = start.run([str(word) for word in words])
        streams = capsys.readouterr()
        return Ended(code, streams.out, streams.err)

    return run


@pytest.fixture
def custody(copyhold: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A custody of one operator, and the process standing in it."""
    directory = tmp_path / "custody"
    ended = copyhold(
        "init", directory, "--name", "Cohort of Testing", "--operator", "op@custodian.example", "--no-four-eyes"
    )
    assert ended.code == 0, ended.err
    monkeypatch.chdir(directory)
    return directory
