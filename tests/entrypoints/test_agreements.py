"""Agreements from the command line: offered from a form, signed by all sides, told to other programs."""

import hashlib
from pathlib import Path

import pytest

from tests.entrypoints.conftest import Command, Ended

UNTIL = "2099-01-01"


@pytest.fixture
def scene(copyhold: Command, custody: Path, tmp_path: Path) -> Command:
    """A dataset, an institution with an official, a lead, and an approved project."""
    table = tmp_path / "table.csv"
    rows = "\n".join(f"{number},{40 + number % 30},{150 + number * 7 % 50}.{number % 10}" for number in range(200))
    table.write_text(f"id,age,height\n{rows}\n")
    dictionary = tmp_path / "dictionary.csv"
    for words in (
        ("dataset", "suggest", table, "--id", "id", "-o", dictionary),
        ("dataset", "add", "Cohort", table, "--id", "id", "--dictionary", dictionary, "--accept-suggested"),
        ("institution", "add", "Valley", "--country", "DK"),
        ("person", "add", "lead@valley.example", "--institution", "Valley"),
        ("person", "add", "official@valley.example", "--institution", "Valley", "--role", "institution-official"),
        ("project", "add", "Heart", "--lead", "lead@valley.example", "--dataset", "Cohort", "--purpose", "HMB",
         "--until", UNTIL),
        ("project", "approve", "Heart"),
    ):  # fmt: skip
        ended = copyhold(*words)
        assert ended.code == 0, ended.err
    return copyhold


def offered(copyhold: Command, *words: str | Path) -> Ended:
    ended = copyhold(
        "agreement", "offer", "--institution", "Valley", "--dataset", "Cohort", "--until", UNTIL, *words, "--json"
    )  # fmt: skip
    assert ended.code == 0, ended.out
    return ended


def test_an_agreement_is_offered_read_signed_and_told_in_odrl(scene: Command, tmp_path: Path) -> None:
    text = tmp_path / "agreement.md"
    told = offered(scene, "--project", "Heart", "--out", text).json["agreement"]
    assert hashlib.sha256(text.read_bytes()).hexdigest() == told["text_sha256"]
    for side, who in (("custodian", "op@custodian.example"), ("institution", "official@valley.example"),
                      ("lead", "lead@valley.example")):  # fmt: skip
        ended = scene("agreement", "sign", told["id"], "--for", side, "--text", told["text_sha256"], "--as", who)
        assert ended.code == 0, ended.err
    assert "in force" in ended.out
    shown = scene("agreement", "show", told["id"], "--odrl", "--json").json
    assert (shown["@type"], len(shown["prohibition"]), len(shown["obligation"])) == ("Agreement", 7, 4)
    assert {one["action"] for one in shown["obligation"]} >= {"delete", "inform"}
    why = scene("why", "lead@valley.example", "Heart", "--json").json["access"]["hands"]
    assert {hand["clock"]: hand["green"] for hand in why}["agreement"]
    lead = ("--as", "lead@valley.example", "--json")
    tasks = scene("task", "list", *lead).json["tasks"]
    assert [one["kind"] for one in tasks] == ["declaration of copies", "annual report", "duty of an agreement"]
    done = scene("task", "fulfil", tasks[0]["id"], "--note", "two copies", "--file", text, *lead)
    assert (done.code, done.json["task"]["evidence_sha256"]) == (0, told["text_sha256"])
    assert len(scene("task", "list", *lead).json["tasks"]) == 2
    assert scene("agreement", "terminate", told["id"], "--reason", "a clause was broken").code == 0
    assert "agreement" in scene("why", "lead@valley.example", "Heart").out


def test_terms_of_ones_own_need_both_files_and_words_that_are_known(scene: Command, tmp_path: Path) -> None:
    terms, text = tmp_path / "own.toml", tmp_path / "own.md"
    terms.write_text('title = "Own"\nversion = "3"\nplaces = ["DK"]\n[condition]\nkind = "named"\n')
    text.write_text("Between $custodian and $institution.\n")
    own = offered(scene, "--terms", terms, "--text", text).json["agreement"]
    assert (own["title"], own["terms"]["places"]) == ("Own, version 3", ["DK"])
    common = ("agreement", "offer", "--institution", "Valley", "--dataset", "Cohort", "--until", UNTIL)
    alone = scene(*common, "--terms", terms)
    assert (alone.code, "both" in alone.err) == (2, True)
    text.write_bytes(b"\xff\xfe\x00 no text")
    broken = scene(*common, "--terms", terms, "--text", text)
    assert (broken.code, "UTF-8" in broken.err) == (2, True)


def test_an_offer_is_listed_and_taken_back(scene: Command) -> None:
    told = offered(scene).json["agreement"]
    assert [one["id"] for one in scene("agreement", "list", "--json").json["agreements"]["items"]] == [told["id"]]
    assert scene("agreement", "withdraw", told["id"], "--reason", "a clause was wrong").code == 0
    late = scene("agreement", "sign", told["id"], "--for", "custodian", "--text", told["text_sha256"])
    assert (late.code, "withdrawn" in late.err) == (3, True)


def test_routes_and_documents_are_recorded_with_their_evidence(scene: Command, tmp_path: Path) -> None:
    paper = tmp_path / "assessment.pdf"
    paper.write_bytes(b"%PDF-1.7 an assessment")
    route = scene("transfer", "add", "--from", "GB", "--to", "DK", "--safeguard", "approved country",
                  "--until", UNTIL, "--reference", "DPA 2018", "--file", paper, "--json")  # fmt: skip
    assert route.json["route"]["evidence_sha256"] == hashlib.sha256(paper.read_bytes()).hexdigest()
    assert len(scene("transfer", "list", "--json").json["routes"]["items"]) == 1
    kind = "data protection impact assessment"
    assert scene("document", "add", kind, "Cohort", "--until", UNTIL, "--file", paper).code == 0
    assert [one["kind"] for one in scene("document", "list", "Cohort", "--json").json["documents"]] == [kind]
    wrong = scene("document", "add", "napkin", "Cohort", "--until", UNTIL)
    assert (wrong.code, "kind of document" in wrong.err) == (2, True)
