"""Openings of the cells that a case file uses, and the check of them by somebody who has only the root.

A version was committed to row by row (see engines.marks.commitment). What is opened here is a row at a time:

* every cell of the row stands in the row's order: one that was used with its statement and its salt, any other one
  with its commitment alone, 32 bytes that say nothing about it;
* the row's place among the rows of the version, their number, and the path from its leaf to the root.

Rows are numbered in 64 bits and therefore written as text; hashes and salts are base64.
"""

import base64
import struct
from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from copyhold.domain.errors import IntegrityError
from copyhold.engines.marks.commitment import (
    CellStatement,
    CommittedTable,
    CommittedVersion,
    RowTree,
    StatedCell,
    root_above,
)
from copyhold.engines.tables.snapshots import read_rows
from copyhold.engines.tracing.casefile import Document
from copyhold.engines.tracing.parties import Cells
from copyhold.engines.tracing.verification import OpenedCell, Opener

SALT_BYTES = 16


def opened(version: CommittedVersion, cells: Cells) -> tuple[Document, ...]:
    """Open exactly these cells of a version; one document a row, in the order of the version.

    Raises: IntegrityError where a cell is not one of the version's marked cells, or its row is not the one that was
    committed to.
    """
    wanted: dict[int, dict[int, set[int]]] = {}
    for table, row, column in cells.addresses():
        wanted.setdefault(table, {}).setdefault(row, set()).add(column)
    documents = [one for table, first in version.placed() for one in _opened_rows(table, first, version.tree, wanted)]
    statements = sum(isinstance(cell, dict) for document in documents for cell in document["cells"])
    if statements != len(set(cells.addresses())):
        raise IntegrityError("A cell of this reading is not in the version it was read from. Rebuild its index.")
    return tuple(documents)


def opener(*roots: bytes) -> Opener:
    """Check openings against the roots of the versions that were committed to; an opening holds under one of them."""

    def check(documents: Sequence[Document]) -> list[OpenedCell]:
        if len({int(document["size"]) for document in documents}) > len(roots):
            raise IntegrityError("The opened rows do not come from one version: they say how many it has differently.")
        return [cell for document in documents for cell in _checked(document, roots)]

    return check


def _opened_rows(
    table: CommittedTable, first: int, tree: RowTree, wanted: dict[int, dict[int, set[int]]]
) -> Iterator[Document]:
    rows = wanted.get(table.number, {})
    for positions, batch in read_rows(table.path, np.fromiter(rows, dtype=np.uint64)):
        for position, stated in zip(positions.tolist(), table.committing.stated(batch), strict=True):
            yield _opened_row(stated, rows[stated[0].statement.row], first + position, tree)


def _opened_row(stated: Sequence[StatedCell], columns: set[int], leaf: int, tree: RowTree) -> Document:
    path = tree.path(leaf)
    if root_above([one.commitment for one in stated], leaf, tree.size, path) != tree.root:
        raise IntegrityError("A row is no longer the one that was committed to. Restore the version from a backup.")
    return {
        "table": stated[0].statement.table,
        "row": str(stated[0].statement.row),
        "leaf": leaf,
        "size": tree.size,
        "path": [_base64(one) for one in path],
        "cells": [_opened_cell(one) if _is_used(one, columns) else _base64(one.commitment) for one in stated],
    }


def _is_used(one: StatedCell, columns: set[int]) -> bool:
    return one.statement.column in columns and one.statement.threshold > 0


def _opened_cell(one: StatedCell) -> Document:
    told = one.statement
    return {
        "column": told.column,
        "value": told.value,
        "threshold": told.threshold,
        "low": told.low,
        "high": told.high,
        "salt": _base64(one.salt),
    }


def _checked(document: Document, roots: Iterable[bytes]) -> Iterator[OpenedCell]:
    """Give the opened cells of a row that stands under one of the roots."""
    where = int(document["table"]), int(document["row"])
    listed = [cell if isinstance(cell, str) else _stated(where, cell) for cell in document["cells"]]
    commitments = [_bytes(one) if isinstance(one, str) else _commitment(one) for one in listed]
    path = [_bytes(one) for one in document["path"]]
    root = root_above(commitments, int(document["leaf"]), int(document["size"]), path)
    if root is None or root not in roots:
        raise IntegrityError("An opened row is not one that was committed to.")
    return (_shown(one.statement) for one in listed if not isinstance(one, str))


def _stated(where: tuple[int, int], cell: Document) -> StatedCell:
    salt = _bytes(cell["salt"])
    if len(salt) != SALT_BYTES:
        raise ValueError("a salt of another length")
    number, value, threshold = int(cell["column"]), float(cell["value"]), int(cell["threshold"])
    return StatedCell(CellStatement(*where, number, value, threshold, float(cell["low"]), float(cell["high"])), salt)


def _commitment(one: StatedCell) -> bytes:
    try:
        return one.commitment
    except struct.error as error:
        raise ValueError("a number out of range") from error


def _shown(told: CellStatement) -> OpenedCell:
    # Only marked cells are opened, and those hold numbers.
    high = abs(float(told.value or 0) - told.high) < abs(float(told.value or 0) - told.low)
    return OpenedCell(told.table, told.row, told.column, told.threshold, told.low, told.high, high)


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _bytes(text: str) -> bytes:
    data = base64.b64decode(text, validate=True)
    if _base64(data) != text:
        raise ValueError("base64 that says the same in other letters")
    return data
