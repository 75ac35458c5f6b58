"""The openings of a case file: exactly the cells used, and nothing but what was committed to."""

import copy
import json
import string
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from copyhold.domain.errors import IntegrityError, InvalidInputError
from copyhold.engines.marks.keys import commitment
from copyhold.engines.tracing.openings import opened, opener
from copyhold.engines.tracing.verification import verify
from tests.engines.marks.test_plan import nhanes_plan
from tests.engines.tracing.nhanes_case import LEAKER, NONCE, PARTIES, RealCase, real_case


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> RealCase:
    return real_case(tmp_path_factory.mktemp("version"))


@pytest.fixture(scope="module")
def content(case: RealCase) -> bytes:
    return case.content()


def root(case: RealCase) -> bytes:
    return case.version.tree.root


def test_the_leaker_is_named_and_an_outsider_with_the_root_agrees(case: RealCase, content: bytes) -> None:
    assert [one.party for one in case.naming.names] == [LEAKER]
    found = verify(content, opener(root(case)))
    assert (found.figures_agree, found.cells_opened, found.contradicted) == (True, True, False)


def test_with_the_key_opened_the_bits_are_proved_too(case: RealCase, content: bytes) -> None:
    document = json.loads(content)
    mark = PARTIES[LEAKER].mark
    document["names"][0]["opened_key"] = {"key": mark.hex(), "nonce": NONCE.hex()}
    assert document["names"][0]["key_commitment"] == commitment(mark, NONCE).hex()
    assert verify(json.dumps(document).encode(), opener(root(case))).bits_proved


def test_exactly_the_cells_used_are_opened_and_each_row_stands_once(case: RealCase, content: bytes) -> None:
    rows = json.loads(content)["openings"]
    told = {(row["table"], int(row["row"]), cell["column"]) for row in rows for cell in shown(row)}
    assert told == set(case.cells.addresses())
    assert len(rows) == len({row["row"] for row in rows})
    for row in rows:
        hidden = [one for one in row["cells"] if isinstance(one, str)]
        assert len(hidden) + len(shown(row)) == len(case.version.tables[0].committing.fields)


def test_an_opened_cell_costs_well_under_a_thousand_bytes(case: RealCase) -> None:
    size = len(json.dumps(opened(case.version, case.cells), separators=(",", ":")))
    assert size / len(case.cells.row) < 600


def shown(row: Any) -> list[Any]:
    return [cell for cell in row["cells"] if isinstance(cell, dict)]


def first(row: Any) -> Any:
    return shown(row)[0]


def in_other_letters(text: str) -> str:
    """The same 16 bytes as a lenient reader of base64 has them: four bits of the last letter say nothing."""
    letters = string.ascii_uppercase + string.ascii_lowercase + string.digits + "+/"
    return text[:-3] + letters[letters.index(text[-3]) ^ 1] + text[-2:]


@pytest.mark.parametrize(
    "lie",
    [
        lambda row: first(row).update(value=first(row)["value"] + 1),
        lambda row: first(row).update(low=first(row)["low"] - 1),
        lambda row: first(row).update(high=first(row)["high"] + 1e-9),
        lambda row: first(row).update(threshold=first(row)["threshold"] ^ 1),
        lambda row: first(row).update(column=first(row)["column"] + 1),
        lambda row: first(row).update(salt="AAAAAAAAAAAAAAAAAAAAAA=="),
        lambda row: row.update(row=str(int(row["row"]) + 1)),
        lambda row: row.update(table=2),
        lambda row: row.update(leaf=row["leaf"] + 1),
        lambda row: row.update(leaf=-1),
        lambda row: row.update(size=row["size"] * 2),
        lambda row: row.update(size=row["size"] + 1),
        lambda row: row["path"].pop(),
        lambda row: row["path"].append(row["path"][0]),
        lambda row: row["cells"].pop(),
        lambda row: row["cells"].reverse(),
    ],
)
def test_a_changed_value_or_place_is_no_longer_what_was_committed_to(case: RealCase, lie: Callable[[Any], Any]) -> None:
    documents = copy.deepcopy(opened(case.version, case.cells))
    lie(documents[0])
    with pytest.raises(IntegrityError):
        opener(root(case))(documents)


def test_a_false_opening_or_another_root_is_told_by_the_check(case: RealCase, content: bytes) -> None:
    document = json.loads(content)
    first(document["openings"][0])["value"] += 1
    for told, against in ((json.dumps(document).encode(), root(case)), (content, bytes(32))):
        found = verify(told, opener(against))
        assert (found.figures_agree, found.cells_opened, found.contradicted) == (True, False, True)


def test_an_opening_may_stand_under_any_of_several_versions(case: RealCase, content: bytes) -> None:
    assert verify(content, opener(bytes(32), root(case))).cells_opened
    assert not verify(content, opener()).cells_opened


@pytest.mark.parametrize(
    "change",
    [
        lambda row: row.pop("path"),
        lambda row: row.update(row="one"),
        lambda row: row.update(table=70_000),
        lambda row: row["cells"].__setitem__(0, None),
        lambda row: first(row).update(value="text"),
        lambda row: first(row).update(salt="AA=="),
        lambda row: first(row).update(salt=in_other_letters(first(row)["salt"])),
        lambda row: first(row).update(threshold=-1),
    ],
)
def test_what_is_no_opening_is_no_case_file(case: RealCase, content: bytes, change: Callable[[Any], Any]) -> None:
    document = json.loads(content)
    change(document["openings"][0])
    with pytest.raises(InvalidInputError):
        verify(json.dumps(document).encode(), opener(root(case)))


def test_a_cell_that_is_not_marked_or_not_there_is_not_opened(case: RealCase) -> None:
    one = case.cells.take(np.array([0]))
    plain = np.array([nhanes_plan().place(1, "SEQN").column], dtype=np.uint32)
    for lost in (replace(one, row=one.row + np.uint64(100_000)), replace(one, column=plain)):
        with pytest.raises(IntegrityError, match="not in the version"):
            opened(case.version, lost)


def test_a_version_whose_rows_changed_opens_nothing(case: RealCase, tmp_path_factory: pytest.TempPathFactory) -> None:
    other = real_case(tmp_path_factory.mktemp("other"))
    table = other.version.tables[0]
    fewer = table.committing.fields[:-1]
    changed = replace(other.version, tables=(replace(table, committing=replace(table.committing, fields=fewer)),))
    with pytest.raises(IntegrityError, match="no longer"):
        opened(changed, other.cells)
