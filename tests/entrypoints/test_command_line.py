"""What scripts rely on: exit codes, one JSON object, plain sentences."""

import shutil
from pathlib import Path

import pytest

from tests.entrypoints.conftest import Command


def test_help_lists_every_command_and_touches_nothing(copyhold: Command) -> None:
    ended = copyhold("--help", "--json")
    assert ended.code == 0
    assert {"init", "log"} <= set(ended.json["commands"])


@pytest.mark.parametrize("words", [("nonsense",), ("institution", "add"), ("institution", "add", "N", "--wrong")])
def test_a_command_line_that_cannot_be_read_is_usage(copyhold: Command, words: tuple[str, ...]) -> None:
    ended = copyhold(*words, "--json")
    assert ended.code == 2
    assert ended.json["error"]["code"] == "USAGE"


def test_without_a_custody_the_message_says_how_to_get_one(copyhold: Command) -> None:
    ended = copyhold("institution", "list")
    assert ended.code == 2
    assert "copyhold init" in ended.err


def test_a_custody_is_founded_once_and_its_keys_are_the_owners_alone(copyhold: Command, custody: Path) -> None:
    keys = [file for file in (custody / "keys").rglob("*") if file.is_file()]
    assert keys
    assert all(file.stat().st_mode & 0o077 == 0 for file in keys)
    again = copyhold("init", custody, "--name", "Again", "--operator", "op@custodian.example")
    assert (again.code, "not empty" in again.err) == (2, True)


def test_every_act_and_every_refusal_stands_in_a_log_that_an_outsider_verifies(
    copyhold: Command, custody: Path, tmp_path: Path
) -> None:
    assert copyhold("institution", "add", "Northfield", "--country", "GB").code == 0
    assert copyhold("institution", "add", "Northfield", "--country", "GB").code == 2
    before = (custody / "log" / "checkpoint").read_text()
    assert copyhold("institution", "add", "Southfield", "--country", "FR").code == 0
    outside = tmp_path / "outside"
    assert copyhold("log", "export", outside).code == 0
    (tmp_path / "before").write_text(before)
    ended = copyhold("log", "verify", outside, "--since", tmp_path / "before", "--json")
    assert (ended.code, ended.json["ok"], ended.json["size"]) == (0, True, 3)


def test_a_changed_log_is_an_integrity_failure(copyhold: Command, custody: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    shutil.copytree(custody / "log", outside)
    bundle = next(file for file in (outside / "tile" / "entries").rglob("*") if file.is_file())
    data = bytearray(bundle.read_bytes())
    data[-5] ^= 1
    bundle.write_bytes(bytes(data))
    ended = copyhold("log", "verify", outside, "--json")
    assert (ended.code, ended.json["ok"]) == (5, False)
    assert ended.json["problems"]


def test_a_fault_is_told_by_its_place_and_never_by_what_it_met(
    copyhold: Command, custody: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from copyhold.actions import parties

    def broken(*_: object) -> None:
        raise RuntimeError("cell 42.195")

    monkeypatch.setattr(parties, "institutions", broken)
    ended = copyhold("institution", "list")
    assert ended.code == 1
    assert "42.195" not in ended.err + ended.out
    assert "broken (test_command_line.py" in ended.err


def test_every_command_that_help_lists_can_be_asked_for_its_own_help(copyhold: Command) -> None:
    for name in copyhold("--help", "--json").json["commands"]:
        ended = copyhold(name, "--help")
        assert (ended.code, "Usage" in ended.out) == (0, True), name


def test_a_refusal_prints_every_reason_and_ends_with_3(copyhold: Command, custody: Path) -> None:
    ended = copyhold("suspend", "institution", "Northfield")
    assert ended.code == 2
    copyhold("institution", "add", "Northfield", "--country", "GB")
    copyhold("person", "add", "researcher@northfield.example", "--institution", "Northfield")
    ended = copyhold("project", "list", "--as", "researcher@northfield.example")
    assert ended.code == 0
    ended = copyhold("suspend", "institution", "Northfield", "--as", "researcher@northfield.example", "--json")
    assert ended.code == 3
    assert [reason["code"] for reason in ended.json["error"]["reasons"]] == ["NO_PERMISSION"]
    assert ended.json["error"]["reasons"][0]["fix"]


def test_a_suspension_is_previewed_made_seen_in_the_status_and_lifted(copyhold: Command, custody: Path) -> None:
    copyhold("institution", "add", "Northfield", "--country", "GB")
    copyhold("person", "add", "researcher@northfield.example", "--institution", "Northfield")
    seen = copyhold("suspend", "institution", "Northfield", "--preview")
    assert (seen.code, "1 person" in seen.out, "Cannot be stopped" in seen.out) == (0, True, True)
    assert copyhold("status", "--json").json["status"]["suspensions"] == 0
    assert copyhold("suspend", "institution", "Northfield", "--reason", "a drill").code == 0
    assert copyhold("status", "--json").json["status"]["suspensions"] == 1
    refused = copyhold("project", "list", "--as", "researcher@northfield.example")
    assert refused.code == 3
    assert copyhold("reinstate", "institution", "Northfield").code == 0
    assert copyhold("project", "list", "--as", "researcher@northfield.example").code == 0


def test_a_token_speaks_for_a_person_in_a_custody_with_four_eyes(
    copyhold: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    directory = tmp_path / "custody"
    copyhold("init", directory, "--name", "Cohort of Testing", "--operator", "op@custodian.example")
    monkeypatch.chdir(directory)
    copyhold("institution", "add", "Custodian", "--country", "GB")
    copyhold("person", "add", "second@custodian.example", "--institution", "Custodian", "--role", "access_officer")
    token = copyhold("token", "add", "second@custodian.example", "--json").json["token"]
    assert copyhold("status", "--as", "second@custodian.example").code == 3
    monkeypatch.setenv("COPYHOLD_TOKEN", token)
    assert copyhold("institution", "list", "--as", "second@custodian.example").code == 0
    assert token not in copyhold("token", "list", "--json").out
