"""A custody as commands meet it: a small dataset of real people, a project, its copy, and a leak of some rows of it."""

import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from copyhold.actions import accounts
from copyhold.config import wiring
from copyhold.domain.accounts import Door
from copyhold.domain.catalogue import Dictionary, Field, FieldType, Role, Tolerance
from copyhold.engines.tables.dictionary import to_csv
from copyhold.ports import Home, Occasion
from tests.entrypoints.conftest import Command, copyhold, custody
from tests.journeys.test_dataset import NHANES

__all__ = ["copyhold", "custody", "site"]

MARKED = {"LBXSCH": 8.0, "LBXSGL": 6.0, "LBXSUA": 0.6, "LBXSAPSI": 6.0, "LBXSLDSI": 10.0, "BMXWT": 1.0, "BMXWAIST": 2.0}
IDENTIFIER = Field("nhanes", "SEQN", "SEQN", FieldType.INTEGER, Role.ID, decimals=0)
FIELDS = (
    IDENTIFIER,
    *(
        Field("nhanes", name, name, FieldType.DECIMAL, Role.FREE, decimals=1, tolerance=Tolerance(amount), mark=True)
        for name, amount in MARKED.items()
    ),
)
PEOPLE = 600
LEAKED = 60


@dataclass
class Site:
    """A custody whose commands are killed, and what was known of it when it was last looked at."""

    copyhold: Command
    folder: Path
    acknowledged: Path
    leak: Path
    projects: int = 0
    shown: int = 0
    note: str | None = None
    entries: list[tuple[str, str, Any]] = field(default_factory=list)
    derivations: dict[str, int] = field(default_factory=dict)
    deaths: int = 0
    whole: set[str] = field(default_factory=set)
    missing: set[str] = field(default_factory=set)

    def run(self, *words: str | Path) -> Any:
        """Run a command that must end well; give what it answers."""
        made = self.copyhold(*words, "--json")
        assert made.code in (0, 4), made.out + made.err
        return made.json

    def new_project(self) -> None:
        """Let in another project, whose party is unknown to the log until its first copy."""
        self.projects += 1
        lead, name = f"lead{self.projects}@hospital.example", f"Project {self.projects}"
        self.run("person", "add", lead, "--institution", "Hospital")
        told = ("--dataset", "NHANES", "--purpose", "HMB", "--until", "2099-01-01")
        self.run("project", "add", name, "--lead", lead, *told)
        self.run("project", "approve", name)
        for what, whose in (("ethics", name), ("agreement", name), ("training", lead)):
            self.run("record", what, whose, "--until", "2099-01-01")

    @property
    def out(self) -> Path:
        return self.folder.parent / "out"

    def place(self, ending: str) -> Path:
        return self.out / f"{time.time_ns()}{ending}"

    @property
    def making(self) -> tuple[str | Path, ...]:
        lead = f"lead{self.projects}@hospital.example"
        return ("release", "make", f"Project {self.projects}", "--to", lead, "--open", "--waiver", "few fields")

    def home(self) -> tuple[Home, Occasion]:
        """Open the custody as a command would, which cleans up after the dead."""
        home = wiring.open_home(self.folder, Door.CLI)
        nobody = home.occasion()
        return home, replace(nobody, actor=replace(nobody.actor, person=accounts.recognise(nobody)))


@pytest.fixture
def site(copyhold: Command, custody: Path, tmp_path: Path) -> Site:
    people = pl.read_parquet(NHANES, columns=[one.name for one in FIELDS]).drop_nulls().head(PEOPLE)
    people.write_csv(tmp_path / "people.csv")
    (tmp_path / "dictionary.csv").write_text(to_csv(Dictionary(FIELDS)))
    (tmp_path / "out").mkdir()
    made = Site(copyhold, custody, tmp_path / "acknowledged", tmp_path / "leak.csv")
    made.acknowledged.touch()
    dictionary = tmp_path / "dictionary.csv"
    words = ("--dictionary", dictionary, "--id", "SEQN", "--duo", "GRU", "--accept-suggested")
    made.run("dataset", "add", "NHANES", tmp_path / "people.csv", *words)
    made.run("institution", "add", "Hospital", "--country", "FR")
    made.new_project()
    copy = made.run(*made.making, "--out", tmp_path / "out" / "first.csv")
    pl.read_csv(copy["path"]).drop("SEQN").head(LEAKED).write_csv(made.leak)
    return made
