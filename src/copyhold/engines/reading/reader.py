"""Reading a leak: from what was found again in a version to the one form that the scorer takes.

It sees the leak, the master, the plan and from the register only how ids look and how far dates may have moved; it
imports nothing that knows a party's key (a contract holds it to that). All it chooses (columns, units, rows, weights,
noise, what is left unread) may be wrong without harm to the bound; it must only read every cell, id and shift once.

Where a leak shows ids or shifts it is read three times, with cells and them, with cells alone and with them alone, all
weighed alike: invented ids beside real cells, or real ids beside cells of the original, cost ln 3 and hide nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from copyhold.engines.marks.permutation import IdSpace
from copyhold.engines.reading.channels import Channels, channels_of
from copyhold.engines.reading.groups import Group, groups_of
from copyhold.engines.reading.identifiers import ReadIds, read_ids
from copyhold.engines.reading.master import Master
from copyhold.engines.reading.moves import ReadMoves, read_moves
from copyhold.engines.reading.observations import SeenCells, seen_cells
from copyhold.engines.reading.readings import Alternative, Reading, with_cells
from copyhold.engines.reading.sighting import SightedTable


@dataclass(frozen=True)
class Read:
    """What was read: the alternatives for the scorer, and what may be told of it under any keys.

    `original` says that the cells show the unmarked original; `participants` counts the groups, that is the people
    whose rows were recognised. Where there is nothing to score `alternatives` is empty.
    """

    alternatives: tuple[Alternative, ...]
    groups: tuple[Group, ...]
    original: bool

    @property
    def participants(self) -> int:
        """How many people the leak shows."""
        return len(self.groups)

    @property
    def shows_ids(self) -> bool:
        """Whether there are numbers that may be keyed ids, on rows of somebody or of nobody."""
        return any(len(one.reading.id_value) + len(one.reading.loose_id) for one in self.alternatives)


def read(tables: Sequence[SightedTable], master: Master, space: IdSpace, names: Sequence[str], reach: int = 0) -> Read:
    """Read matched tables as one leak.

    `names` are the names of the dataset's id columns, `reach` the most days that any party's dates may have moved.
    """
    groups = groups_of(tables, master.indexes)
    seen = seen_cells(tables, groups, master)
    channels = channels_of(tables, seen, master.indexes)
    ids = read_ids(tables, groups, space, names)
    moves = read_moves(tables, groups, master.indexes, reach)
    cells = _reading(groups, seen, channels, ReadIds(), ReadMoves())
    if ids or moves:
        beside = _reading(groups, seen, channels, ids, moves)
        ways = [beside, cells, *([with_cells(beside, np.zeros(len(cells.row), dtype=bool))] if len(cells.row) else [])]
        return Read(tuple(Alternative(1 / len(ways), one) for one in ways), groups, channels.original)
    scored = (Alternative(1.0, cells),) if len(cells.row) else ()
    return Read(scored, groups, channels.original)


def _reading(groups: Sequence[Group], seen: SeenCells, channels: Channels, ids: ReadIds, moves: ReadMoves) -> Reading:
    candidates = [(number, one) for number, group in enumerate(groups) for one in group.candidates]
    participants = [one.participant for _, one in candidates]
    return Reading(
        neutral=np.array([group.neutral for group in groups]),
        candidate_group=np.array([number for number, _ in candidates], dtype=np.int32),
        candidate_row=np.array(participants, dtype=np.uint64),
        participant=np.array(participants, dtype=np.uint64),
        candidate_weight=np.array([one.weight for _, one in candidates]),
        **_cells(seen, channels),
        id_candidate=np.array(ids.candidate, dtype=np.int32),
        id_value=np.array(ids.value, dtype=np.int64),
        loose_id=np.array(ids.loose, dtype=np.int64),
        date_candidate=np.array(moves.candidate, dtype=np.int32),
        date_unit=np.array(moves.unit, dtype=np.uint64),
        date_shift=np.array(moves.days, dtype=np.int64),
        channels=channels.of,
    )


def _cells(seen: SeenCells, channels: Channels) -> dict[str, NDArray[Any]]:
    """Lay out the cells whose columns are read, with their observations."""
    source, cell = np.array(seen.source, dtype=np.int32), np.array(seen.cell, dtype=np.int64)
    keep = channels.read[source] if len(source) else np.empty(0, dtype=bool)
    shown = keep[cell] if len(cell) else np.empty(0, dtype=bool)
    number = np.cumsum(keep) - 1
    kinds = {
        "cell_candidate": (seen.candidate, np.int32),
        "table": (seen.table, np.uint16),
        "row": (seen.row, np.uint64),
        "column": (seen.column, np.uint32),
        "threshold": (seen.threshold, np.uint16),
        "low": (seen.low, np.float64),
        "high": (seen.high, np.float64),
        "original_high": (seen.original_high, np.bool_),
    }
    return {name: np.array(values, dtype=kind)[keep] for name, (values, kind) in kinds.items()} | {
        "institution": np.zeros(int(keep.sum()), dtype=bool),
        "channel": source[keep],
        "observation_cell": number[cell[shown]].astype(np.int32),
        "observation": np.array(seen.observation, dtype=np.float64)[shown],
    }
