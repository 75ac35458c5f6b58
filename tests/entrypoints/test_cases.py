"""`case` as people and scripts call it: an outsider recomputes a case, a second analyst agrees to one."""

import json
import os
import random
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import tests.world  # noqa: F401 - rows can be imported only once Django is set up
from copyhold.actions import tracing
from copyhold.config import start
from copyhold.domain.catalogue import Dictionary
from copyhold.domain.tracing import Finding, TraceResult
from copyhold.engines.tables.dictionary import to_csv
from tests import make
from tests.entrypoints.conftest import Command, Ended
from tests.entrypoints.traced import LEAK, Inside, Traced, committed_root, traced
from tests.journeys.test_dataset import FIELDS, NHANES


@dataclass(frozen=True)
class Kept:
    """A custody with a case, and what an outsider was given of it."""

    custody: Path
    outside: Path
    found: Traced


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Kept:
    """Found a custody, add 1,500 people, trace a leak; hand out the case file, a copy of the log, and its key."""
    folder = tmp_path_factory.mktemp("case")
    custody, outside = folder / "custody", folder / "outside"
    people = pl.read_parquet(NHANES, columns=[field.name for field in FIELDS])
    people.filter(pl.col("LBXSGL").is_not_null()).head(1_500).write_csv(folder / "people.csv")
    (folder / "dictionary.csv").write_text(to_csv(Dictionary(FIELDS)))
    run("init", custody, "--name", "Cohort of Testing", "--operator", "op@custodian.example", "--no-four-eyes")
    words = ("--dictionary", folder / "dictionary.csv", "--id", "SEQN", "--custody", custody)
    run("dataset", "add", "NHANES", folder / "people.csv", *words)
    found = traced(custody)
    outside.mkdir()
    (outside / "case.json").write_bytes(found.content)
    shutil.copytree(custody / "log", outside / "log")
    shutil.move(outside / "log" / "vkey", outside / "vkey")
    return Kept(custody, outside, found)


def run(*words: str | Path) -> None:
    assert start.run([str(word) for word in words]) == 0


@pytest.fixture
def outside(kept: Kept, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the case file, the log and its key, where there is no custody."""
    folder = tmp_path / "outside"
    shutil.copytree(kept.outside, folder)
    monkeypatch.chdir(folder)
    return folder


def test_an_outsider_with_the_logs_key_checks_a_case_without_any_custody(copyhold: Command, outside: Path) -> None:
    ended = copyhold("case", "verify", "case.json", "--vkey", "vkey", "--json")
    assert ended.code == 0, ended.out
    told = ended.json
    assert (told["ok"], told["figures_agree"], told["cells_opened"], told["log_proved"]) == (True,) * 4
    assert told["bits_proved"] is False
    assert [one.partition(": ")[2] for one in told["problems"]] == ["bits not yet proved"]
    plain = copyhold("case", "verify", "case.json", "--vkey", "vkey")
    assert (plain.code, "bits not yet proved" in plain.out) == (0, True)


def test_with_a_copy_of_the_log_the_whole_log_is_verified_too(copyhold: Command, outside: Path) -> None:
    words = ("case", "verify", "case.json", "--vkey", "vkey", "--log", "log", "--json")
    assert (copyhold(*words).code, copyhold(*words).json["log_proved"]) == (0, True)
    bundle = next(one for one in (outside / "log" / "tile" / "entries").rglob("*") if one.is_file())
    data = bytearray(bundle.read_bytes())
    data[-5] ^= 1
    bundle.write_bytes(bytes(data))
    ended = copyhold(*words)
    assert (ended.code, ended.json["ok"], ended.json["log_proved"]) == (5, False, False)


def test_without_the_logs_key_the_check_says_that_nothing_shows_whose_log_it_is(
    copyhold: Command, outside: Path
) -> None:
    ended = copyhold("case", "verify", "case.json", "--json")
    assert (ended.code, ended.json["log_proved"], ended.json["cells_opened"]) == (0, False, True)
    assert any("--vkey" in one for one in ended.json["problems"])


def test_another_custodys_key_proves_nothing(copyhold: Command, outside: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    assert copyhold("init", other, "--name", "Other", "--operator", "op@other.example", "--no-four-eyes").code == 0
    ended = copyhold("case", "verify", "case.json", "--vkey", other / "log" / "vkey", "--json")
    assert (ended.code, ended.json["log_proved"], ended.json["cells_opened"]) == (5, False, False)


@pytest.mark.parametrize(
    "change",
    [
        lambda case: case["names"][0]["figures"].update(log10_evidence=99.0),
        lambda case: case["names"][0].update(key_commitment="00" * 32),
        lambda case: case["names"][0].update(party="pty_other"),
        lambda case: case["attempt"].update(keys_issued=2),
        lambda case: case["leak"].update(sha256="00" * 32),
        lambda case: case.update(log=[]),
        lambda case: case["log"][0]["payload"]["facts"].update(name="other"),
        lambda case: case["log"].pop(0),
        lambda case: case["log"].pop(1),
        lambda case: case["log"].pop(2),
        lambda case: case.update(dataset="dat_other"),
        lambda case: case.update(version="ver_other"),
        lambda case: case["log"][0]["payload"]["facts"]["version"].update(master_root="00" * 32),
        lambda case: case["openings"].pop(),
    ],
)
def test_whatever_is_changed_in_a_case_file_is_found(copyhold: Command, outside: Path, change: object) -> None:
    case = json.loads((outside / "case.json").read_text())
    change(case)  # type: ignore[operator]
    (outside / "changed.json").write_text(json.dumps(case))
    ended = copyhold("case", "verify", "changed.json", "--vkey", "vkey", "--json")
    told = ended.json
    assert not (told["ok"] and told["log_proved"])
    assert ended.code == (0 if told["ok"] else 5)


def test_no_damaged_case_file_is_a_fault_or_passes(copyhold: Command, outside: Path) -> None:
    data, chance = (outside / "case.json").read_bytes(), random.Random(1)  # noqa: S311 - a test's own draw
    for _ in range(60):
        changed = bytearray(data)
        changed[chance.randrange(len(changed))] ^= 1 << chance.randrange(7)
        (outside / "changed.json").write_bytes(changed)
        ended = copyhold("case", "verify", "changed.json", "--vkey", "vkey", "--json")
        assert ended.code in (0, 2, 5), ended.out
        assert "BUG" not in ended.out
        if ended.code == 0 and ended.json["log_proved"]:
            assert only_words_differ(json.loads(data), json.loads(changed))


def only_words_differ(one: Any, other: Any) -> bool:
    """Whether two case files agree in all that figures, to the six digits checked, commitments or the log cover."""
    beside = {"competing", "safeguards", "keys_derived", "controls", "alternatives", "names"}
    of_names = {"project", "institution", "releases_consistent", "countersigned", "figures"}
    names = list(zip(one["names"], other["names"], strict=True))
    figures = all(again["figures"] == pytest.approx(name["figures"], rel=1e-6) for name, again in names)
    return same(one, other, beside) and figures and all(same(name, again, of_names) for name, again in names)


def same(one: Any, other: Any, beside: set[str]) -> bool:
    return all(other.get(key) == value for key, value in one.items() if key not in beside)


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b"\xff", b"[" * 100_000, b'{"format": "copyhold case 1"}'])
def test_what_is_no_case_file_is_told_in_one_sentence(copyhold: Command, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "none.json").write_bytes(content)
    ended = copyhold("case", "verify", tmp_path / "none.json")
    assert (ended.code, ended.err.count("\n")) == (2, 1)
    assert copyhold("case", "verify", tmp_path / "absent.json").code == 2


def test_a_case_is_listed_shown_and_reported(
    copyhold: Command, kept: Kept, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(kept.custody)
    case = kept.found.case.id
    (told,) = copyhold("case", "list", "--json").json["cases"]
    assert (told["verdict"], told["case"]) == ("named", case)
    assert "named" in copyhold("case", "list").out
    words = ("--report", tmp_path / "report.html", "--file", tmp_path / "case.json")
    shown = copyhold("case", "show", case, *words, "--json")
    assert shown.code == 0
    assert shown.json["named"][0]["party"] == kept.found.release.party
    assert (shown.json["rows_aligned"], shown.json["attempt"]) == (120, 1)
    assert "Harbour" in (tmp_path / "report.html").read_text()
    assert (tmp_path / "case.json").read_bytes() == kept.found.content
    assert copyhold("case", "show", case, "--file", tmp_path / "no" / "place.json").code == 2
    assert copyhold("case", "show", "cas_none").code == 2


def test_the_leaves_of_a_version_are_kept_and_come_again_where_they_are_lost(kept: Kept, tmp_path: Path) -> None:
    custody = tmp_path / "custody"
    shutil.copytree(kept.custody, custody)
    (leaves,) = (custody / "indexes").glob("*.leaves")
    whole = leaves.read_bytes()
    assert len(whole) == 1_500 * 32
    for damage in (leaves.unlink, lambda: leaves.write_bytes(whole[:-32] + bytes(32))):
        damage()
        assert committed_root(custody) == leaves.stem
        assert leaves.read_bytes() == whole


def test_a_held_answer_is_told_after_another_person_agreed(
    copyhold: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    custody = tmp_path / "custody"
    copyhold("init", custody, "--name", "Cohort of Testing", "--operator", "op@custodian.example")
    monkeypatch.chdir(custody)
    world = Inside(custody)
    make.version(world)
    second = make.custodian(world, email="second@custodian.example")
    token = copyhold("token", "add", second.email, "--json").json["token"]
    attempt = tracing.open_attempt(world.by(), LEAK, "NHANES")
    result = TraceResult(Finding.OURS_CANNOT_TELL, "NHANES", 1, report={"rows_in": 9, "rows_aligned": 7})
    tracing.conclude(world.by(), attempt.case, result)
    report = tmp_path / "report.html"
    shown = copyhold("case", "show", attempt.case, "--report", report, "--json")
    assert shown.json == {"verdict": "held", "case": attempt.case, "report": str(report)}
    assert "aligned" not in report.read_text().lower()
    assert copyhold("case", "show", attempt.case, "--file", tmp_path / "case.json").code == 2
    assert copyhold("case", "agree", attempt.case).code == 3
    agreed = as_second(copyhold, monkeypatch, token, "case", "agree", attempt.case, "--report", report, "--json")
    assert agreed.code == 0, agreed.out
    assert (agreed.json["verdict"], agreed.json["rows_aligned"]) == ("ours_cannot_tell", 7)
    assert "not shown by them" in report.read_text()


def as_second(copyhold: Command, monkeypatch: pytest.MonkeyPatch, token: str, *words: str | Path) -> Ended:
    monkeypatch.setenv("COPYHOLD_TOKEN", token)
    try:
        return copyhold(*words, "--as", "second@custodian.example")
    finally:
        monkeypatch.delenv("COPYHOLD_TOKEN")
        assert "COPYHOLD_TOKEN" not in os.environ
