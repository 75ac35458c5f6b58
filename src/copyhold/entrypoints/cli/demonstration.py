"""What the demonstration is made of: a fictional cast, real measurements, and the acts of one copy's life.

Everybody here is invented and says so by name; the people in the data are respondents of NHANES, a public survey, and
ship with its notice. Every step is the act or the job that the command of the same name calls.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from importlib.resources import files
from pathlib import Path

import polars as pl

from copyhold.actions import access, accounts, catalogue, custody, parties, projects, releases
from copyhold.actions.projects import Application
from copyhold.domain.catalogue import Version
from copyhold.domain.parties import PersonId
from copyhold.domain.verdicts import Refused, Verdict
from copyhold.domain.words import Secret
from copyhold.jobs import releases as copies
from copyhold.jobs.catalogue import versions
from copyhold.ports import Home, Occasion, Step

NAME = "Fictional Health Study (demonstration)"
OPERATOR = "custodian@study.example"
SECOND = "second.analyst@study.example"
DATASET = "nhanes"
ID = "SEQN"
PURPOSE = ("GRU",)  # general research use
_DATA = Path(str(files("copyhold.demo_data")))
PEOPLE, DICTIONARY = _DATA / "nhanes.parquet", _DATA / "dictionary.csv"


@dataclass(frozen=True)
class Applicant:
    """An institution of the cast, its lead, and what its project asks for."""

    institution: str
    country: str
    lead: str
    project: str
    fields: tuple[str, ...] = ()
    where: str | None = None


ASHDOWN = Applicant("University of Ashdown (fictional)", "GB", "lead@ashdown.example", "Metabolic ageing")
WEXMOOR = Applicant(
    "Wexmoor Hospital Trust (fictional)", "GB", "lead@wexmoor.example", "Blood pressure in later life",
    where="RIDAGEYR >= 50",
)  # fmt: skip
VALMONT = Applicant(
    "Institut Valmont (fictional)", "FR", "lead@valmont.example", "Glucose and the kidney", where="LBXGH >= 7.5"
)
NORRVIK = Applicant("Norrvik University (fictional)", "SE", "lead@norrvik.example", "Sleep and weight")
HOLDERS = (ASHDOWN, WEXMOOR, VALMONT)

# How the leaker disguises the rows: what is kept, under which new names; glucose goes over to mmol/l.
DISGUISE = {
    "RIDAGEYR": "age",
    "RIAGENDR": "sx",
    "BMXWT": "poids",
    "BMXHT": "taille",
    "BMXWAIST": "tour",
    "BPXSY1": "pas",
    "BPXDI1": "pad",
    "LBXGH": "hba",
    "LBXSGL": "gly",
    "LBXSCH": "chol",
    "LBXSTR": "tg",
    "LBXSUA": "ur",
    "LBXSAPSI": "pal",
    "LBXSGTSI": "ggt",
    "LBXSIR": "fer",
    "LBXSLDSI": "ldh",
}
GLUCOSE, MG_PER_MMOL = "gly", 18.016
LEAKED_ROWS = 60


@dataclass(frozen=True)
class Stage:
    """A custody, and the person who acts in it."""

    home: Home
    actor: PersonId

    def occasion(self) -> Occasion:
        """Make the occasion of one act."""
        nobody = self.home.occasion()
        return replace(nobody, actor=replace(nobody.actor, person=self.actor))

    def as_(self, email: str, secret: Secret) -> "Stage":
        """Let another person act, by their token."""
        return replace(self, actor=accounts.recognise(self.home.occasion(), email, secret))


def found(home: Home, *, four_eyes: bool) -> Stage:
    """Found a custody; its operator acts."""
    return Stage(home, custody.found(home.occasion(), NAME, OPERATOR, four_eyes).operator)


def add_dataset(stage: Stage, step: Step, source: Path | None = None) -> Version:
    """Add NHANES, whole or the cut in `source`, under the dictionary that ships with it."""
    given = versions.Sources((source or PEOPLE,), DICTIONARY, id_column=ID)
    return versions.add(stage.home, stage.occasion, DATASET, given, terms=PURPOSE, step=step)


def apply(stage: Stage, applicant: Applicant) -> None:
    """Take in an institution, its lead and its application."""
    parties.add_institution(stage.occasion(), applicant.institution, applicant.country)
    parties.add_person(stage.occasion(), applicant.lead, applicant.institution)
    until = stage.occasion().at + timedelta(days=365)
    application = Application(
        name=applicant.project,
        lead=applicant.lead,
        dataset=DATASET,
        purpose=PURPOSE,
        until=until,
        fields=applicant.fields or None,
        where=applicant.where,
    )
    projects.add(stage.occasion(), application)


def grant(stage: Stage, applicant: Applicant) -> None:
    """Approve an application and record the evidence of every clock."""
    projects.approve(stage.occasion(), applicant.project)
    until = stage.occasion().at + timedelta(days=180)
    access.record(stage.occasion(), "training", applicant.lead, until, reference="course 7 (fictional)")
    for clock in ("ethics", "agreement", "scope"):
        access.record(stage.occasion(), clock, applicant.project, until, reference="2026/41 (fictional)")


def refused(stage: Stage, applicant: Applicant) -> Verdict:
    """Ask for a copy that must not be made; give every reason.

    Raises AssertionError where it is let through.
    """
    try:
        releases.request(stage.occasion(), applicant.project, applicant.lead)
    except Refused as refusal:
        return refusal.verdict
    raise AssertionError("the gate let a request through that has no evidence")


def make_copy(stage: Stage, applicant: Applicant, step: Step, approve: Callable[[str], object] | None = None) -> str:
    """Ask for a copy, have it approved where that is asked for, and make it; give its id."""
    asked = releases.request(stage.occasion(), applicant.project, applicant.lead)
    if approve is not None:
        approve(asked.id)
    copies.make(stage.home, stage.occasion, asked.id, None, step=step)
    return asked.id


def appoint_second(stage: Stage) -> Stage:
    """Take a second analyst into the custodian's staff; they act by a token of their own."""
    parties.add_institution(stage.occasion(), NAME, "GB")
    parties.add_person(stage.occasion(), SECOND, NAME, ("custodian",))
    issued = accounts.issue_token(stage.occasion(), SECOND, "demonstration")
    return stage.as_(SECOND, issued.secret)


def confirm(second: Stage) -> None:
    """Confirm, as the second person, what the first one added."""
    catalogue.confirm(second.occasion(), DATASET)


def leak(copy: Path, place: Path) -> Path:
    """Cut rows out of a copy as somebody would who sells them: no ids, other names, another unit, commas.

    The rows are every so many-th, in an order that follows none of the columns; they say nothing of where they come
    from but what is in them.
    """
    held = pl.read_parquet(copy, columns=list(DISGUISE)).drop_nulls()
    every = max(1, held.height // LEAKED_ROWS)
    rows = held.gather_every(every).head(LEAKED_ROWS).rename(DISGUISE)
    shown = rows.with_columns((pl.col(GLUCOSE) / MG_PER_MMOL).round(2)).sort("fer", "poids")
    texts = [
        pl.col(name).cast(pl.String).str.replace(".", ",", literal=True)
        for name, kind in shown.schema.items()
        if kind.is_float()
    ]
    shown.with_columns(texts).write_csv(place, separator=";")
    return place
