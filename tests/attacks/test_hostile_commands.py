"""Hostile files at the door: each command ends with exit code 2 and a sentence, and changes nothing."""

from pathlib import Path

import pytest

from copyhold.domain.catalogue import Dictionary, Field, FieldType, Role
from copyhold.engines.tables.dictionary import to_csv
from tests.attacks.hostile_files import CANARY, HostileFile, hostile_files
from tests.entrypoints.conftest import Command, copyhold, custody

__all__ = ["copyhold", "custody"]

FIELDS = (
    Field("people", "eid", "eid", FieldType.INTEGER, Role.ID),
    Field("people", "name", "name", FieldType.TEXT, Role.DIRECT),
    Field("people", "glucose", "glucose", FieldType.DECIMAL, Role.FREE, decimals=1),
)
SOUND_AS_A_LEAK = {"several_sheets.xlsx", "formula.csv", "quoted_formula.csv", "formula.xlsx"}  # all of it is read


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> tuple[HostileFile, ...]:
    return hostile_files(tmp_path_factory.mktemp("hostile"))


def kept(custody: Path) -> dict[str, int]:
    """Everything that the custody holds, but for the journal that a database keeps of readings too."""
    files = [one for one in custody.rglob("*") if one.is_file() and "sqlite3" not in one.name]
    return {str(one): one.stat().st_size for one in files}


def test_a_leak_that_cannot_be_read_is_told_so_and_costs_nothing(
    copyhold: Command, custody: Path, hostile: tuple[HostileFile, ...]
) -> None:
    before, entries = kept(custody), copyhold("status", "--json").json["status"]["entries"]
    told = {}
    for file in hostile:
        if file.name not in SOUND_AS_A_LEAK:
            ended = copyhold("trace", file.path, "--json")
            said = ended.json.get("statement") or ended.json.get("error", {}).get("message", "")
            clear = said.endswith(".") and "\n" not in said and CANARY not in ended.out + ended.err
            told[file.name] = (ended.code, clear, ended.json.get("verdict", "unreadable"))
    assert len(told) >= 50
    assert {name: one for name, one in told.items() if one != (2, True, "unreadable")} == {}
    assert kept(custody) == before
    assert copyhold("status", "--json").json["status"]["entries"] == entries


def test_a_dataset_of_a_hostile_file_is_not_added(
    copyhold: Command, custody: Path, hostile: tuple[HostileFile, ...], tmp_path: Path
) -> None:
    (tmp_path / "dictionary.csv").write_text(to_csv(Dictionary(FIELDS)))
    before = kept(custody)
    told = {}
    for file in hostile:
        ended = copyhold("dataset", "add", "d", file.path, "--id", "eid", "--dictionary", tmp_path / "dictionary.csv")
        told[file.name] = (ended.code, ended.err.count("\n"), CANARY in ended.out + ended.err)
    assert {name: one for name, one in told.items() if one != (2, 1, False)} == {}
    assert kept(custody) == before
    assert copyhold("dataset", "list", "--json").json["datasets"] == []
