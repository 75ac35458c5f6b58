"""Entries disclosed to outsiders: each stands for itself, and nothing passes that the log does not hold."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from copyhold.auditlog.checkpoints import CheckpointSigner
from copyhold.auditlog.disclosures import Disclosure, check
from copyhold.auditlog.encoding import to_base64
from copyhold.auditlog.entries import OpenPayload, commitment
from copyhold.auditlog.proofs import LogProof
from copyhold.auditlog.verification import prove
from copyhold.domain.log import Statement
from tests.unit.auditlog.ledger import ORIGIN, VKEY, make_leaf, published

COUNT = 40
ISSUED = Statement("release.issued", "rel_7", {"rows": 7})


def payload(place: int) -> dict[str, Any]:
    return {"type": "release.issued", "subject": f"rel_{place}", "facts": {"rows": place, "fields": ["a"]}}


def leaf(place: int) -> Any:
    return make_leaf(place, commitment=commitment(place.to_bytes(32), payload(place)))


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("disclosures") / "log"
    published(directory, [leaf(place).encode() for place in range(COUNT)])
    return directory


def disclosed(log: Path, place: int) -> dict[str, Any]:
    opened = OpenPayload(payload(place), place.to_bytes(32))
    return dict(Disclosure(leaf(place), opened, LogProof.parse(prove(log, place))).document)


def test_an_entry_proves_what_it_states_to_who_has_the_logs_key(log: Path) -> None:
    found = check([disclosed(log, 7)], [[ISSUED]], VKEY)
    assert (found.proved, found.contradicted, found.problems) == (True, False, ())
    assert found.payloads == (payload(7),)
    assert check([disclosed(log, 7)], [[ISSUED]], VKEY, log).proved


def test_without_a_key_nothing_is_proved_and_nothing_contradicted(log: Path) -> None:
    found = check([disclosed(log, 7)], [[ISSUED]])
    assert (found.proved, found.contradicted, len(found.payloads)) == (False, False, 1)


@pytest.mark.parametrize(
    "statement",
    [
        Statement("release.issued", "rel_8", {"rows": 7}),
        Statement("release.recalled", "rel_7", {}),
        Statement("release.issued", "rel_7", {"rows": 8}),
        Statement("release.issued", "rel_7", {"columns": None, "rows": 7, "more": 1}),
    ],
)
def test_a_statement_that_no_entry_makes_is_not_proved(log: Path, statement: Statement) -> None:
    found = check([disclosed(log, 7)], [[ISSUED, statement]], VKEY)
    assert (found.proved, found.contradicted) == (False, False)
    assert statement.type in found.problems[0]


@pytest.mark.parametrize(
    "change",
    [
        lambda one, log: one["payload"]["facts"].update(rows=8),
        lambda one, log: one.update(salt=to_base64(bytes(32))),
        lambda one, log: one.update(salt="no base64"),
        lambda one, log: one.update(leaf=leaf(8).encode().decode()),
        lambda one, log: one.update(leaf=one["leaf"] + " "),
        lambda one, log: one.update(proof=prove(log, 8)),
        lambda one, log: one.update(proof=one["proof"][:-20]),
        lambda one, log: one.update(payload=[]),
        lambda one, log: one.update(payload={"a": 2**60}),
        lambda one, log: one.pop("leaf"),
        lambda one, log: one.update(leaf="\ud800"),
    ],
)
def test_a_changed_entry_is_refused_and_its_statement_not_taken(log: Path, change: Any) -> None:
    one = disclosed(log, 7)
    change(one, log)
    found = check([one], [[ISSUED]], VKEY)
    assert (found.proved, found.contradicted, found.payloads) == (False, True, ())


def test_what_is_stated_first_must_stand_first_in_the_log(log: Path) -> None:
    later = Statement("release.issued", "rel_9", {"rows": 9})
    entries = [disclosed(log, 9), disclosed(log, 7)]
    assert check(entries, [[ISSUED], [later]], VKEY).proved
    assert check(entries, [[later, ISSUED]], VKEY).proved
    found = check(entries, [[later], [ISSUED]], VKEY)
    assert (found.proved, found.contradicted) == (False, True)


@pytest.mark.parametrize("document", [None, 1, "text", [], {}])
def test_what_is_no_disclosure_is_refused(document: Any) -> None:
    assert check([document], [], VKEY).contradicted


def test_another_logs_key_or_another_copy_of_the_log_is_found(log: Path, tmp_path: Path) -> None:
    other = CheckpointSigner.from_seed(ORIGIN, b"\x05" * 32).key.text
    assert check([disclosed(log, 7)], [[ISSUED]], other).contradicted
    published(tmp_path / "log", [leaf(place).encode() for place in range(1, COUNT)])
    found = check([disclosed(log, 7)], [[ISSUED]], VKEY, tmp_path / "log")
    assert (found.proved, found.contradicted) == (False, True)
    shutil.rmtree(tmp_path / "log" / "tile")
    assert check([disclosed(log, 7)], [[ISSUED]], VKEY, tmp_path / "log").contradicted
