"""Canaries: words that stand in names, reasons and cells, and may come out nowhere in public and in no message."""

from pathlib import Path

import pytest

from copyhold.domain.catalogue import Dictionary, Field, FieldType, Role
from copyhold.engines.tables.dictionary import to_csv
from tests.entrypoints.conftest import Command, copyhold, custody

__all__ = ["copyhold", "custody"]

CANARY = "kanarienvogel"
FIELDS = (
    Field("people", "eid", "eid", FieldType.INTEGER, Role.ID, decimals=0),
    Field("people", "weight", "weight", FieldType.DECIMAL, Role.FREE, decimals=1),
)


def test_no_name_address_or_reason_reaches_the_published_log(copyhold: Command, custody: Path) -> None:
    (custody / "evidence.txt").write_text(CANARY)
    for words in (
        ("institution", "add", f"{CANARY} University", "--country", "GB"),
        ("person", "add", f"{CANARY}@uni.example", "--institution", f"{CANARY} University"),
        ("record", "training", f"{CANARY}@uni.example", "--until", "2099-01-01", "--reference", CANARY,
         "--file", custody / "evidence.txt"),
        ("suspend", "person", f"{CANARY}@uni.example", "--reason", f"the {CANARY} sang"),
        ("token", "add", "op@custodian.example", "--label", CANARY),
    ):  # fmt: skip
        ended = copyhold(*words)
        assert ended.code == 0, ended.err
    assert copyhold("project", "list", "--as", f"{CANARY}@uni.example").code == 3
    published = [file for file in (custody / "log").rglob("*") if file.is_file()]
    assert copyhold("log", "verify", "--json").json["size"] == 8
    assert not [file for file in published if CANARY.encode() in file.read_bytes()]


@pytest.mark.parametrize(
    "table",
    [
        f"eid,weight\n1,{CANARY}\n",
        f"eid,weight\n{CANARY},70.5\n",
        f"eid,weight\n1,70.5,{CANARY}\n",
        f'eid,weight\n1,"{CANARY}\n',
        f"eid,weight\n1,70.5\n1,=CMD({CANARY})\n",
    ],
    ids=["text in a number", "text in an id", "a cell too many", "an open quotation", "a formula"],
)
def test_no_cell_of_a_refused_table_reaches_a_message(copyhold: Command, custody: Path, table: str) -> None:
    (custody / "people.csv").write_text(table)
    (custody / "dictionary.csv").write_text(to_csv(Dictionary(FIELDS)))
    words = ("dataset", "add", "People", custody / "people.csv", "--dictionary", custody / "dictionary.csv")
    ended = copyhold(*words, "--id", "eid")
    assert ended.code == 2, ended.err
    assert (ended.err.count("\n"), CANARY in ended.err + ended.out) == (1, False)
