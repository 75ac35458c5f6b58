"""A custody of real people as a person at the command line makes it, and copies of it for stories that change it.

NHANES, 3,000 people of one cycle, 15 fields marked. Three projects at three institutions: Heart and Bone hold
everything, Age only people of fifty and over. A scene is made once for a module; whoever changes it takes its own.
"""

import io
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl

from copyhold.config import start, wiring
from copyhold.domain.accounts import Door
from copyhold.domain.catalogue import Dictionary, Role
from copyhold.engines.tables.dictionary import to_csv
from copyhold.ports import Home, Occasion
from tests.engines.marks.nhanes import dictionary as nhanes_dictionary
from tests.entrypoints.conftest import Ended
from tests.journeys.test_dataset import NHANES

wiring.prepare()  # rows can be imported only once Django is set up

from copyhold.actions import custody  # noqa: E402 - see above

FIELDS = (
    "SEQN", "CYCLE", "RIAGENDR", "RIDAGEYR", "RIDRETH1", "DMDEDUC2", "BMXWT", "BMXHT", "BMXBMI", "BMXWAIST", "BPXPLS",
    "BPXSY1", "LBXSAL", "LBXSCH", "LBXSGL", "LBXSTP", "LBXSTR", "LBXSCR", "LBXTC", "LBDHDD", "LBXGH", "URXUCR",
    "LBXSATSI", "LBXSBU", "LBXSUA",
)  # fmt: skip
COMPUTED = ("BMXBMI",)
HEART, AGE, BONE = "Heart", "Age", "Bone"
LEADS = {HEART: "lead@harbour.example", AGE: "lead@hill.example", BONE: "lead@valley.example"}
PLACES = {HEART: ("Harbour", "GB"), AGE: ("Hill", "FR"), BONE: ("Valley", "DE")}
SCOPES = {AGE: ("--where", "RIDAGEYR >= 50")}
UNTIL = "2099-01-01"


def people(count: int = 3_000, skipped: int = 0) -> pl.DataFrame:
    """Adults of the last cycle who were examined and gave blood, as the custodian got them."""
    examined = pl.read_parquet(NHANES, columns=list(FIELDS)).filter(
        pl.all_horizontal(pl.col("LBXSGL", "LBXTC", "BMXWT").is_not_null()) & (pl.col("RIDAGEYR") >= 20)
    )
    return examined.reverse().slice(skipped, count)


def dictionary() -> Dictionary:
    """Describe them: what is computed from others is not marked."""
    known = [one for one in nhanes_dictionary().fields if one.name in FIELDS]
    return Dictionary(tuple(replace(one, mark=one.mark and one.name not in COMPUTED) for one in known))


@dataclass(frozen=True)
class Scene:
    """A custody in a folder, and beside it the files that come and go."""

    folder: Path

    @property
    def custody(self) -> Path:
        return self.folder / "custody"

    def run(self, *words: str | Path, at: Path | None = None) -> Ended:
        """Run a command in the custody, or in another one, and fail where it meets a fault."""
        out, err = io.StringIO(), io.StringIO()
        with redirect_stdout(out), redirect_stderr(err):
            code = start.run([str(word) for word in ("--custody", at or self.custody, *words)])
        return Ended(code, out.getvalue(), err.getvalue())

    def done(self, *words: str | Path) -> Ended:
        """Run a command that must succeed."""
        ended = self.run(*words, "--json")
        assert ended.code == 0, (words, ended.err, ended.out[:2_000])
        return ended

    def file(self, name: str) -> Path:
        return self.folder / name

    def founded(self, *, four_eyes: bool = False) -> "Scene":
        """Found the custody, of one operator where nothing else is said."""
        self.folder.mkdir(parents=True, exist_ok=True)
        words = ("--name", "Cohort of Testing", "--operator", "op@custodian.example")
        ended = self.run("init", self.custody, *words, *(() if four_eyes else ("--no-four-eyes",)))
        assert ended.code == 0, ended.err
        return self

    def dataset(self, table: pl.DataFrame, described: Dictionary, ids: str = "SEQN", name: str = "NHANES") -> None:
        """Add the next version of a dataset."""
        table.write_csv(self.file("people.csv"))
        self.file("dictionary.csv").write_text(to_csv(described))
        given = ("--dictionary", self.file("dictionary.csv"), "--id", ids, "--duo", "GRU")
        self.done("dataset", "add", name, self.file("people.csv"), *given)

    def project(self, name: str, *scope: str, dataset: str = "NHANES") -> None:
        """Bring a project through the gate."""
        (place, country), lead = PLACES[name], LEADS[name]
        self.done("institution", "add", place, "--country", country)
        self.done("person", "add", lead, "--institution", place)
        applied = ("--lead", lead, "--dataset", dataset, "--purpose", "HMB", "--until", UNTIL)
        self.done("project", "add", name, *applied, *scope)
        self.done("project", "approve", name)
        for clock, of in (("ethics", name), ("agreement", name), ("training", lead)):
            self.done("record", clock, of, "--until", UNTIL)

    def copy(self, project: str, name: str = "") -> Path:
        """Make a project's copy."""
        out = self.file(name or f"{project.lower()}.parquet")
        words = ("--to", LEADS[project], "--open", "--out", out, "--waiver", "a test's copy")
        self.done("release", "make", project, *words)
        return out

    def leak(self, rows: pl.DataFrame, name: str = "leak.csv") -> Path:
        """Write rows as a leaker does who drops the ids."""
        path = self.file(name)
        rows.select(pl.exclude("SEQN", "person")).write_csv(path)
        return path

    @property
    def home(self) -> Home:
        """The custody as the command line opens it, for tests that look behind the door."""
        return wiring.open_home(self.custody, Door.CLI)

    def occasion(self) -> Occasion:
        """An occasion of the operator."""
        nobody = self.home.occasion()
        return replace(nobody, actor=replace(nobody.actor, person=custody.show(nobody).operator))

    @contextmanager
    def taken(self, folder: Path) -> Iterator["Scene"]:
        """Give a copy of the scene that may be changed."""
        shutil.copytree(self.folder, folder / "scene")
        yield Scene(folder / "scene")

    @property
    def cases(self) -> int:
        """How many attempts were counted."""
        return len(self.done("case", "list").json["cases"])


def nhanes(folder: Path, table: pl.DataFrame | None = None) -> Scene:
    """Make the usual scene: the dataset, three projects, a copy of each."""
    scene = Scene(folder).founded()
    scene.dataset(people() if table is None else table, dictionary())
    for project in (HEART, AGE, BONE):
        scene.project(project, *SCOPES.get(project, ()))
        scene.copy(project)
    return scene


def columns_of(role: Role) -> list[str]:
    """Names of the fields of a role."""
    return [one.name for one in dictionary().fields if one.role is role]
