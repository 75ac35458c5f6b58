"""A copy leaves a custody: the whole path from the command line, for every format, and what must not leave."""

from pathlib import Path

import polars as pl
import pytest

from copyhold.domain.catalogue import Dictionary
from copyhold.engines.tables.dictionary import to_csv
from tests.entrypoints.conftest import Command, copyhold, custody
from tests.journeys.test_dataset import FIELDS, NHANES

__all__ = ["copyhold", "custody"]

LEAD = "lead@hospital.example"


@pytest.fixture
def people(tmp_path: Path) -> pl.DataFrame:
    """3,000 people of NHANES."""
    columns = [field.name for field in FIELDS]
    return pl.read_parquet(NHANES, columns=columns).filter(pl.col("LBXSGL").is_not_null()).head(3_000)


@pytest.fixture
def project(copyhold: Command, custody: Path, people: pl.DataFrame, tmp_path: Path) -> str:
    """A dataset, and a project that passes the gate."""
    people.write_csv(tmp_path / "people.csv")
    (tmp_path / "dictionary.csv").write_text(to_csv(Dictionary(FIELDS)))
    given = ("--dictionary", tmp_path / "dictionary.csv", "--id", "SEQN", "--duo", "GRU")
    told = [
        ("dataset", "add", "NHANES", tmp_path / "people.csv", *given),
        ("institution", "add", "Hospital", "--country", "FR"),
        ("person", "add", LEAD, "--institution", "Hospital"),
        ("project", "add", "Heart", "--lead", LEAD, "--dataset", "NHANES", "--purpose", "HMB", "--until", "2099-01-01"),
        ("project", "approve", "Heart"),
        ("record", "ethics", "Heart", "--until", "2099-01-01"),
        ("record", "agreement", "Heart", "--until", "2099-01-01"),
        ("record", "training", LEAD, "--until", "2099-01-01"),
    ]
    for words in told:
        ended = copyhold(*words)
        assert ended.code == 0, ended.err + ended.out
    return "Heart"


@pytest.mark.parametrize("ending", [".parquet", ".csv", ".sav", ".dta", ".xpt"])
def test_a_copy_is_made_in_every_format(
    copyhold: Command, project: str, people: pl.DataFrame, tmp_path: Path, ending: str
) -> None:
    out = tmp_path / f"copy{ending}"
    ended = copyhold(
        "release", "make", project, "--to", LEAD, "--open", "--out", out, "--waiver", "few fields", "--json"
    )
    assert ended.code == 0, ended.err + ended.out
    made = ended.json
    assert made["state"] == "issued"
    assert made["rows"] == 3_000
    assert copyhold("release", "verify", made["release"]).code == 0
