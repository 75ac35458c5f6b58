"""`dataset suggest` and `dataset power` as a person calls them."""

from pathlib import Path

import polars as pl
import pytest

from copyhold.config import wiring
from copyhold.engines.tables.dictionary import from_csv
from tests.entrypoints.conftest import Command

PEOPLE = Path(__file__).resolve().parents[2] / "src" / "copyhold" / "demo_data" / "nhanes.parquet"
COLUMNS = [
    "SEQN", "CYCLE", "RIDAGEYR", "BMXWT", "BMXHT", "BMXBMI", "BPXSY1", "BPXDI1", "LBXSTP", "LBXSAL", "LBXSGB", "LBXSCH",
    "LBXSGL", "LBXSTR", "LBXSUA", "LBXSAPSI", "LBXSGTSI", "LBXSIR", "LBXSLDSI", "DIQ010",
]  # fmt: skip
ATTACKS = {"none", "five_columns", "rounded", "noise", "two_leakers"}


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """3,000 people as a CSV with decimal commas."""
    path = tmp_path / "people.csv"
    rows = pl.read_parquet(PEOPLE, columns=COLUMNS).filter(pl.col("LBXSGL").is_not_null()).gather_every(15).head(3_000)
    rows.write_csv(path, separator=";", decimal_comma=True)
    return path


def test_a_dictionary_is_suggested_where_there_is_no_custody(
    copyhold: Command, source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def opened(*_: object) -> None:
        raise AssertionError("no custody is to be opened")

    monkeypatch.setattr(wiring, "open_home", opened)
    ended = copyhold("dataset", "suggest", source, "--id", "SEQN", "-o", "dictionary.csv", "--json")
    assert ended.code == 0, ended.err
    assert (ended.json["fields"], ended.json["guesses"]) == (len(COLUMNS), len(COLUMNS))
    assert ("people", "LBXSGB", "= LBXSTP - LBXSAL") in [(t["table"], t["field"], t["tie"]) for t in ended.json["ties"]]
    assert ended.json["not_searched"]
    assert ended.json["path"] == "dictionary.csv"
    assert len(from_csv(tmp_path / "dictionary.csv").guesses) == len(COLUMNS)


def test_a_person_is_told_what_was_found_what_was_not_looked_for_and_what_to_do(
    copyhold: Command, source: Path
) -> None:
    told = copyhold("dataset", "suggest", source, "--id", "SEQN", "-o", "dictionary.csv").out
    assert "LBXSGB = LBXSTP - LBXSAL" in told
    assert "tolerance from spread, not from the assay" in told
    assert "Not searched for ties" in told
    assert "copyhold dataset add" in told


def test_what_a_person_has_accepted_is_not_written_over(copyhold: Command, source: Path, tmp_path: Path) -> None:
    words = ("dataset", "suggest", source, "-o", "dictionary.csv")
    assert copyhold(*words).code == 0
    assert copyhold(*words).code == 0
    mended = (tmp_path / "dictionary.csv").read_text().replace(",no,no,yes", ",no,no,", 1)
    (tmp_path / "dictionary.csv").write_text(mended)
    ended = copyhold(*words)
    assert (ended.code, "accepted" in ended.err) == (2, True)
    assert (tmp_path / "dictionary.csv").read_text() == mended
    ended = copyhold("dataset", "suggest", source, "-o", source)
    assert (ended.code, "no dictionary" in ended.err) == (2, True)


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("broken.parquet", PEOPLE.read_bytes()[:4_000]),
        ("empty.csv", b""),
        ("ragged.csv", b"a,b\n1,2\n3\n4,5,6,7\n"),
        ("picture.csv", b"\x89PNG\r\n\x1a\n"),
        ("twice.csv", b"a,a\n1,2\n"),
    ],
)
def test_a_broken_file_is_one_clear_sentence(copyhold: Command, tmp_path: Path, name: str, data: bytes) -> None:
    (tmp_path / name).write_bytes(data)
    ended = copyhold("dataset", "suggest", tmp_path / name, "-o", "dictionary.csv")
    assert ended.code == 2
    assert ended.err.count("\n") == 1
    assert not (tmp_path / "dictionary.csv").exists()


def test_a_suggestion_accepted_as_it_stands_makes_a_version_whose_power_is_told(
    copyhold: Command, custody: Path, source: Path
) -> None:
    copyhold("dataset", "suggest", source, "--id", "SEQN", "-o", "dictionary.csv")
    words = ("dataset", "add", "people", source, "--id", "SEQN", "--dictionary", "dictionary.csv")
    assert copyhold(*words).code == 3
    added = copyhold(*words, "--accept-suggested", "--json")
    assert added.code == 0, added.err + added.out
    told = added.json["version"]["power"]
    assert set(told) == ATTACKS
    assert 0 < told["none"]["n50"] <= told["none"]["n95"]
    by_default = copyhold("dataset", "power", "people", "--json").json
    assert (by_default["parties"], by_default["rows_needed"]) == (100, told)
    many = copyhold("dataset", "power", "people", "--parties", "10000", "--json").json["rows_needed"]
    assert many["none"]["n50"] >= told["none"]["n50"]
    assert many["two_leakers"]["n95"] > told["two_leakers"]["n95"]


def test_power_is_shown_with_what_it_means(copyhold: Command, custody: Path, source: Path) -> None:
    copyhold("dataset", "suggest", source, "--id", "SEQN", "-o", "dictionary.csv")
    copyhold("dataset", "add", "people", source, "--id", "SEQN", "--dictionary", "dictionary.csv", "--accept-suggested")
    ended = copyhold("dataset", "power", "people")
    assert ended.code == 0
    assert all(attack in ended.out for attack in ATTACKS)
    assert "name their holder among 100 parties" in ended.err
    assert copyhold("dataset", "power", "people", "--parties", "0").code == 2
    assert copyhold("dataset", "power", "nobody").code == 2
