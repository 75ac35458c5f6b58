"""The commitment to a version: any cell opens against the root without the master, and no other cell does."""

import hashlib
import struct
from dataclasses import replace

import pyarrow as pa
import pytest

from copyhold.domain.errors import InvalidInputError
from copyhold.engines.marks.cells import cells
from copyhold.engines.marks.commitment import RowTree, TableCommitment, row_leaf
from copyhold.engines.marks.keys import PlanKeys
from tests.engines.marks.nhanes import PLAN_KEY, TABLE, blocks, dictionary, snapshot
from tests.engines.marks.test_plan import nhanes_plan

ROWS = 21
KEYS = PlanKeys(PLAN_KEY, b"s" * 32)


def commitment() -> TableCommitment:
    return TableCommitment(nhanes_plan(), KEYS, TABLE, dictionary().of(TABLE))


@pytest.fixture(scope="module")
def rows() -> pa.RecordBatch:
    return snapshot().slice(1_000, ROWS).combine_chunks().to_batches()[0]


@pytest.fixture(scope="module")
def tree(rows: pa.RecordBatch) -> RowTree:
    return RowTree(commitment().leaves(rows))


def plain_root(leaves: list[bytes]) -> bytes:
    """RFC 6962, section 2.1, as written there."""
    if len(leaves) == 1:
        return leaves[0]
    split = 1 << (len(leaves) - 1).bit_length() - 1
    return hashlib.sha256(b"\x01" + plain_root(leaves[:split]) + plain_root(leaves[split:])).digest()


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 7, 8, 9, 31, 33])
def test_the_tree_is_that_of_rfc_6962_and_every_leaf_has_its_path(size: int) -> None:
    leaves = [hashlib.sha256(bytes([number])).digest() for number in range(size)]
    tree = RowTree(b"".join(leaves))
    assert tree.root == plain_root(leaves)
    for leaf in range(size):
        assert len(tree.path(leaf)) <= (size - 1).bit_length()


def test_every_kind_of_cell_opens_against_the_root(rows: pa.RecordBatch, tree: RowTree) -> None:
    for row in (0, 11, ROWS - 1):
        for name in ("SEQN", "CYCLE", "BMXWT", "BMXBMI", "LBXTC", "BPXSY1", "DMDEDUC2"):
            opening = commitment().opening(rows, row, name, tree, row)
            assert opening.holds(tree.root)
            value = rows.column(name)[row].as_py()
            assert opening.statement.value in (value, str(value))


def test_an_opened_cell_says_what_the_plan_says(rows: pa.RecordBatch, tree: RowTree) -> None:
    (whole,) = blocks(pa.Table.from_batches([rows]), dictionary())
    found = cells(nhanes_plan(), PLAN_KEY, whole)["BMXWT"]
    assert found.marked.any()
    for row in range(ROWS):
        told = commitment().opening(rows, row, "BMXWT", tree, row).statement
        assert (told.threshold > 0) == found.marked[row]
        if found.marked[row]:
            expected = (found.threshold[row], found.natural(found.low)[row], found.natural(found.high)[row])
            assert (told.threshold, told.low, told.high) == expected


def test_nothing_else_opens(rows: pa.RecordBatch, tree: RowTree) -> None:
    opening = commitment().opening(rows, 5, "BMXWT", tree, 5)
    told = opening.statement
    for lie in (
        replace(opening, statement=replace(told, value=1.0)),
        replace(opening, statement=replace(told, value=None)),
        replace(opening, statement=replace(told, row=told.row + 1)),
        replace(opening, statement=replace(told, threshold=told.threshold ^ 3)),
        replace(opening, statement=replace(told, low=told.low + 0.1)),
        replace(opening, statement=replace(told, high=told.high + 0.1)),
        replace(opening, salt=bytes(16)),
        replace(opening, leaf=opening.leaf + 1),
        replace(opening, leaf=-1),
        replace(opening, size=opening.size + 40),
        replace(opening, place=opening.place + 1),
        replace(opening, path=opening.path[:-1]),
        replace(opening, path=(*opening.path, bytes(32))),
        replace(opening, others=opening.others[1:]),
    ):
        assert not lie.holds(tree.root)
    assert not opening.holds(bytes(32))


def test_a_cell_is_committed_to_byte_for_byte_as_described(rows: pa.RecordBatch, tree: RowTree) -> None:
    row = next(row for row in range(ROWS) if rows.column("LBXTC")[row].is_valid)
    opening = commitment().opening(rows, row, "LBXTC", tree, row)
    told = opening.statement
    assert isinstance(told.value, float)
    message = opening.salt + told.table.to_bytes(2) + told.row.to_bytes(8) + told.column.to_bytes(4)
    message += b"\x01" + struct.pack(">d", told.value) + bytes(24)
    message += bytes([told.threshold > 0]) + told.threshold.to_bytes(2) + struct.pack(">dd", told.low, told.high)
    listed = list(opening.others)
    listed.insert(opening.place, hashlib.sha256(message).digest())
    assert commitment().leaves(rows)[row * 32 : row * 32 + 32] == row_leaf(listed)


def test_the_leaves_are_the_same_for_any_split(rows: pa.RecordBatch) -> None:
    one_by_one = b"".join(commitment().leaves(rows.slice(row, 1)) for row in range(ROWS))
    assert one_by_one == commitment().leaves(rows)
    assert commitment().leaves(rows.slice(0, 0)) == b""


def test_equal_values_of_two_people_do_not_look_alike(rows: pa.RecordBatch, tree: RowTree) -> None:
    openings = [commitment().opening(rows, row, "CYCLE", tree, row) for row in (0, 1)]
    assert openings[0].statement.value == openings[1].statement.value
    hashes = [opening.statement.commitment(opening.salt) for opening in openings]
    assert hashes[0] != hashes[1]


def test_a_version_without_rows_has_no_root() -> None:
    with pytest.raises(InvalidInputError):
        RowTree(b"")
