"""A dataset comes into a custody: snapshot, plan, commitments, and a second version that keeps what stands."""

from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from copyhold.domain.catalogue import Dictionary, Field, FieldType, Role, Tolerance
from copyhold.engines.tables.dictionary import to_csv
from tests.entrypoints.conftest import Command, copyhold, custody

__all__ = ["copyhold", "custody"]

NHANES = Path(__file__).resolve().parents[2] / "src" / "copyhold" / "demo_data" / "nhanes.parquet"
FIELDS = (
    Field("nhanes", "SEQN", "SEQN", FieldType.INTEGER, Role.ID, decimals=0),
    Field("nhanes", "CYCLE", "CYCLE", FieldType.CATEGORY, Role.FREE),
    Field("nhanes", "RIDAGEYR", "RIDAGEYR", FieldType.INTEGER, Role.QUASI, decimals=0),
    Field("nhanes", "LBXSCH", "LBXSCH", FieldType.INTEGER, Role.FREE, decimals=0, tolerance=Tolerance(8.0), mark=True),
    Field("nhanes", "LBXSGL", "LBXSGL", FieldType.INTEGER, Role.FREE, decimals=0, tolerance=Tolerance(6.0), mark=True),
    Field("nhanes", "LBXSUA", "LBXSUA", FieldType.DECIMAL, Role.FREE, decimals=1, tolerance=Tolerance(0.6), mark=True),
)


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """3,000 people of one cycle in two deliveries, with a dictionary that a person has accepted."""
    columns = [field.name for field in FIELDS]
    people = pl.read_parquet(NHANES, columns=columns).filter(pl.col("LBXSGL").is_not_null()).head(3_000)
    people.head(2_500).write_csv(tmp_path / "first.csv")
    people.write_csv(tmp_path / "second.csv")
    (tmp_path / "dictionary.csv").write_text(to_csv(Dictionary(FIELDS)))
    return tmp_path


def test_a_dataset_is_added_refreshed_shown_and_its_participants_withdrawn(
    copyhold: Command, custody: Path, files: Path
) -> None:
    words = ("--dictionary", files / "dictionary.csv", "--id", "SEQN")
    first = copyhold("dataset", "add", "NHANES", files / "first.csv", *words, "--json")
    assert first.code == 0, first.err + first.out
    version = first.json["version"]
    assert (version["number"], version["participants"]) == (1, 2_500)
    assert {one["name"] for one in version["dictionary"]["fields"] if one["mark"]} == {"LBXSCH", "LBXSGL", "LBXSUA"}
    assert len(version["master_root"]) == len(version["plan_hash"]) == 64
    second = copyhold("dataset", "add", "NHANES", files / "second.csv", *words, "--json").json["version"]
    assert (second["number"], second["participants"]) == (2, 3_000)
    assert second["plan_commitment"] == version["plan_commitment"]
    assert second["plan_hash"] == version["plan_hash"]
    assert second["master_root"] != version["master_root"]
    (files / "gone").write_text("9973\n")
    assert copyhold("withdraw", "NHANES", "--ids", files / "gone", "--json").json["withdrawal"]["count"] == 1
    assert copyhold("dataset", "index", "NHANES").code == 0
    assert copyhold("log", "verify").code == 0
    assert not list(custody.glob(".spool-*"))


def test_a_dataset_that_does_not_fit_its_dictionary_leaves_the_custody_as_it_was(
    copyhold: Command, custody: Path, files: Path
) -> None:
    text = (files / "first.csv").read_text().replace("SEQN", "PERSON", 1)
    (files / "wrong.csv").write_text(text)
    words = ("--dictionary", files / "dictionary.csv", "--id", "SEQN")
    ended = copyhold("dataset", "add", "NHANES", files / "wrong.csv", *words)
    assert (ended.code, ended.err.count("\n")) == (2, 1)
    assert copyhold("dataset", "list", "--json").json["datasets"] == []
    assert not list(custody.glob(".spool-*"))


def test_guesses_that_nobody_accepted_are_refused_before_any_work(
    copyhold: Command, custody: Path, files: Path
) -> None:
    guessed = Dictionary((*FIELDS[:-1], replace(FIELDS[-1], guess=True)))
    (files / "guessed.csv").write_text(to_csv(guessed))
    ended = copyhold(
        "dataset", "add", "NHANES", files / "first.csv", "--dictionary", files / "guessed.csv", "--id", "SEQN", "--json"
    )
    assert ended.code == 3, ended.out
    assert ended.json["error"]["reasons"][0]["code"] == "GUESSES_NOT_ACCEPTED"
