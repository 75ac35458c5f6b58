"""A copy leaves a custody by the command line: the whole path for every format, who must agree, and its end."""

from pathlib import Path

import polars as pl
import pytest

from copyhold.domain.catalogue import Dictionary
from copyhold.engines.tables.dictionary import to_csv
from copyhold.engines.tables.reading import read_table
from tests.entrypoints.conftest import Command, copyhold, custody
from tests.journeys.test_dataset import FIELDS, NHANES

__all__ = ["copyhold", "custody"]

LEAD, SECOND = "lead@hospital.example", "second@custodian.example"
NAMES = [field.name for field in FIELDS]
KEYS = {
    "release", "state", "party", "project", "institution", "dataset", "version", "rows", "fields", "path", "sha256",
    "class", "rows_needed", "utility",
}  # fmt: skip
MAKE = ("release", "make", "Heart", "--to", LEAD, "--json")
WAIVED = ("--open", "--waiver", "three marked fields are all that is asked")


@pytest.fixture
def people(tmp_path: Path) -> pl.DataFrame:
    """1,500 people of NHANES, as a file with its dictionary."""
    table = pl.read_parquet(NHANES, columns=NAMES).filter(pl.col("LBXSGL").is_not_null()).head(1_500)
    table.write_csv(tmp_path / "people.csv")
    (tmp_path / "dictionary.csv").write_text(to_csv(Dictionary(FIELDS)))
    return table


@pytest.fixture
def applied(copyhold: Command, custody: Path, people: pl.DataFrame, tmp_path: Path) -> None:
    """A dataset, and a project that nobody has decided on."""
    _dataset(copyhold, tmp_path)
    _application(copyhold)


@pytest.fixture
def running(copyhold: Command, applied: None) -> None:
    """A dataset, and a project that passes the gate."""
    _done(copyhold("project", "approve", "Heart"))
    _evidence(copyhold)


def _done(ended: object) -> None:
    assert ended.code == 0, ended.err + ended.out  # type: ignore[attr-defined]


def _dataset(copyhold: Command, folder: Path) -> None:
    given = ("--dictionary", folder / "dictionary.csv", "--id", "SEQN", "--duo", "GRU")
    _done(copyhold("dataset", "add", "NHANES", folder / "people.csv", *given))


def _application(copyhold: Command) -> None:
    _done(copyhold("institution", "add", "Hospital", "--country", "FR"))
    _done(copyhold("person", "add", LEAD, "--institution", "Hospital"))
    terms = ("--dataset", "NHANES", "--purpose", "HMB", "--until", "2099-01-01")
    _done(copyhold("project", "add", "Heart", "--lead", LEAD, *terms))


def _evidence(copyhold: Command) -> None:
    for clock, who in (("ethics", "Heart"), ("agreement", "Heart"), ("training", LEAD)):
        _done(copyhold("record", clock, who, "--until", "2099-01-01"))


@pytest.mark.parametrize("ending", [".parquet", ".csv", ".sav", ".dta", ".xpt"])
def test_a_copy_is_made_in_every_format(
    copyhold: Command, running: None, people: pl.DataFrame, custody: Path, tmp_path: Path, ending: str
) -> None:
    out = tmp_path / f"copy{ending}"
    made = copyhold(*MAKE, *WAIVED, "--out", out).json
    assert set(made) == KEYS
    assert (made["state"], made["project"], made["institution"]) == ("issued", "Heart", "Hospital")
    assert (made["dataset"], made["version"], made["rows"], made["fields"]) == ("NHANES", 1, 1_500, NAMES)
    assert (made["path"], made["class"]) == (str(out), "numeric marks")
    assert set(made["rows_needed"]["none"]) == {"n50", "n95"}
    assert set(made["utility"]["nhanes"]["fields"]) == {"LBXSCH", "LBXSGL", "LBXSUA"}
    copy = read_table(out).table
    assert copy.column_names == NAMES
    assert copy["CYCLE"].to_pylist() == people["CYCLE"].to_list()
    moved = [float(one) - real for one, real in zip(copy["LBXSGL"].to_pylist(), people["LBXSGL"], strict=True)]
    assert 0 < max(map(abs, moved)) <= 6
    assert copyhold("release", "verify", made["release"]).code == 0
    assert copyhold("log", "verify").code == 0
    assert not list(custody.glob(".spool-*"))


def test_without_a_place_a_copy_stands_in_the_custody(copyhold: Command, running: None, custody: Path) -> None:
    made = copyhold(*MAKE, *WAIVED).json
    assert made["path"] == str(custody / "releases" / f"{made['release']}.parquet")
    assert pl.read_parquet(made["path"]).height == 1_500
    assert [one["id"] for one in copyhold("release", "list", "--json").json["releases"]] == [made["release"]]
    shown = copyhold("release", "show", made["release"], "--json").json
    assert shown["record"]["holder"] == LEAD
    assert LEAD in copyhold("release", "show", made["release"]).out


def test_a_refused_request_tells_every_reason_and_makes_nothing(
    copyhold: Command, applied: None, tmp_path: Path
) -> None:
    ended = copyhold(*MAKE, "--out", tmp_path / "copy.csv")
    assert ended.code == 3
    assert [one["code"] for one in ended.json["error"]["reasons"]] == [
        "PROJECT_NOT_ACTIVE",
        "ETHICS_EXPIRED",
        "CONTRACT_NOT_IN_FORCE",
        "REVERIFICATION_OVERDUE",
        "TRAINING_EXPIRED",
        "NO_SEALED_PACKAGES",
    ]
    assert not (tmp_path / "copy.csv").exists()
    assert copyhold("release", "list", "--json").json["releases"] == []


def test_a_copy_below_the_policys_power_is_refused_without_a_reason_on_record(
    copyhold: Command, running: None, tmp_path: Path
) -> None:
    ended = copyhold(*MAKE, "--open", "--out", tmp_path / "copy.csv")
    assert (ended.code, ended.json["error"]["reasons"][0]["code"]) == (3, "BELOW_POWER")
    assert not (tmp_path / "copy.csv").exists()
    assert copyhold(*MAKE, *WAIVED, "--out", tmp_path / "copy.csv").json["state"] == "issued"


def test_another_cell_is_found_and_other_bytes_are_told(copyhold: Command, running: None, tmp_path: Path) -> None:
    out, other = tmp_path / "copy.csv", tmp_path / "other.csv"
    made = copyhold(*MAKE, *WAIVED, "--out", out).json
    first, line, *rest = out.read_text().split("\n")
    cells = line.split(",")
    cells[NAMES.index("RIDAGEYR")] = "41" if cells[NAMES.index("RIDAGEYR")] != "41" else "42"
    other.write_text("\n".join([first, ",".join(cells), *rest]))
    found = copyhold("release", "verify", made["release"], other, "--json")
    assert (found.code, found.json["ok"], found.json["recorded"]) == (5, False, made["sha256"])
    assert found.json["decodes"] is False
    assert not {"cells", "wrong", "altered"} & set(found.json)  # how many of its marks a file shows would be a score
    other.write_text(out.read_text() + "\n")  # a line at the end changes the bytes and no cell
    found = copyhold("release", "verify", made["release"], other, "--json")
    assert (found.code, found.json["decodes"]) == (5, True)
    other.write_bytes(b"\x00\x01\x02")
    assert copyhold("release", "verify", made["release"], other, "--json").json["decodes"] is None
    assert copyhold("release", "verify", made["release"], tmp_path / "nowhere").code == 2


def test_a_copy_is_recalled_kept_and_destroyed_with_its_evidence(
    copyhold: Command, running: None, custody: Path, tmp_path: Path
) -> None:
    identifier = copyhold(*MAKE, *WAIVED).json["release"]
    assert copyhold("release", "recall", identifier, "--reason", "the project ended", "--json").code == 0
    kept = copyhold("release", "keep", identifier, "--until", "2098-01-01", "--reference", "letter 12", "--json")
    assert (kept.json["release"]["state"], kept.json["release"]["kept_until"]) == ("kept", "2098-01-01")
    (tmp_path / "certificate.txt").write_text("shredded")
    gone = copyhold("release", "destroyed", identifier, "--file", tmp_path / "certificate.txt", "--json").json[
        "release"
    ]
    evidence = gone["evidence_sha256"]
    assert gone["state"] == "destroyed"
    assert (custody / "objects" / evidence[:2] / evidence[2:]).read_text() == "shredded"
    assert copyhold("release", "recall", identifier).code == 3


def test_with_four_eyes_another_person_approves_and_then_the_same_command_makes_the_copy(
    copyhold: Command, people: pl.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    directory, out = tmp_path / "custody", tmp_path / "copy.csv"
    _done(copyhold("init", directory, "--name", "Cohort", "--operator", "op@custodian.example"))
    monkeypatch.chdir(directory)
    _dataset(copyhold, tmp_path)
    _application(copyhold)
    _done(copyhold("person", "add", SECOND, "--institution", "Hospital", "--role", "custodian"))
    token = copyhold("token", "add", SECOND, "--json").json["token"]

    def by_second(*words: str) -> None:
        with monkeypatch.context() as patched:
            patched.setenv("COPYHOLD_TOKEN", token)
            _done(copyhold(*words, "--as", SECOND))

    by_second("project", "approve", "Heart")
    _evidence(copyhold)
    unconfirmed = copyhold(*MAKE, *WAIVED, "--out", out)
    assert [one["code"] for one in unconfirmed.json["error"]["reasons"]] == ["VERSION_NOT_CONFIRMED"]
    by_second("dataset", "confirm", "NHANES")
    waiting = copyhold(*MAKE, *WAIVED, "--out", out).json
    assert (waiting["state"], waiting["sha256"], waiting["rows"]) == ("awaiting approval", "", None)
    assert copyhold("release", "approve", waiting["release"]).code == 3
    again = copyhold(*MAKE, *WAIVED, "--out", out).json
    assert (again["release"], again["state"]) == (waiting["release"], "awaiting approval")
    assert not out.exists()
    by_second("release", "approve", waiting["release"])
    made = copyhold(*MAKE, *WAIVED, "--out", out).json
    assert (made["release"], made["state"], out.exists()) == (waiting["release"], "issued", True)
    out.unlink()
    anew = copyhold(*MAKE, *WAIVED, "--out", out).json  # an issued copy is no request any more
    assert anew["release"] != made["release"]
    assert anew["state"] == "awaiting approval"
