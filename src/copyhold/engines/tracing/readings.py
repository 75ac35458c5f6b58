"""What was read from a leak, in the one form that the scorer takes.

The bound on naming an innocent rests on each cell, id and date unit entering a product at most once (see
docs/adr/0007-evidence.md). `Reading` therefore refuses any that occurs twice. It is made by the reader, which sees the
leak, the master, the plan and the register, and never a key.

Three levels: a **group** is the set of leaked rows thought to come from one master row (in long tables, from one
participant); a **candidate** is a master row (participant) that the group may come from; a **cell** is a marked value
of that candidate of which the leak shows one or more observations.
"""

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from copyhold.domain.errors import InvalidInputError

SIGMAS = (0.0, 0.03, 0.1, 0.3, 1.0, 3.0)  # noise levels that a channel mixes, in tolerances of its field
BACKGROUNDS = (1e-3, 0.03, 0.2)  # shares eps of observations that have nothing to do with the cell


@dataclass(frozen=True)
class Channel:
    """How one leaked column shows the values of one field, judged from leak and master only.

    `grid` is the spacing of the leaked values (0 where none is seen), `sigmas` the noise levels, `weights` their
    shares (they add to 1) and `width` the range of the wide background, all but the weights in the units of the
    readings' `low` and `high`.
    """

    field: str
    column: str  # the leaked column's own name
    grid: float
    sigmas: tuple[float, ...]
    weights: tuple[float, ...]
    width: float


@dataclass(frozen=True)
class Reading:
    """Groups, candidates, cells and observations as parallel arrays.

    neutral           float64 (groups,): weight that the group comes from no candidate
    candidate_group   int32 (candidates,): the group it belongs to
    candidate_row     uint64 (candidates,): master row (long tables: participant); each at most once in a reading
    participant       uint64 (candidates,): the candidate's participant number
    candidate_weight  float64 (candidates,): with `neutral` they add to 1 in each group
    cell_candidate    int32 (cells,)
    table             uint16 (cells,), with row uint64 (cells,), column uint32 (cells,) the cell's address, which occurs
                      at most once
    threshold         uint16 (cells,): t of the bias p = t/65536, 0 < t < 65536
    low, high         float64 (cells,): the two members of the pair, low < high
    channel           int32 (cells,): index into `channels`
    observation_cell  int32 (observations,), with observation float64 (observations,) the value read, in the unit of low
                      and high
    id_candidate      int32 (ids,), with id_value int64 (ids,) the keyed id read on rows of a candidate; each once
    loose_id          int64 (loose ids,): keyed ids read on rows that align to nobody; none of them in `id_value`
    date_candidate    int32 (shifts,), date_unit uint64 (shifts,), date_shift int64 (shifts,): the one shift, in days,
                      that all dates of the unit show; a unit at most once
    """

    neutral: NDArray[np.float64]
    candidate_group: NDArray[np.int32]
    candidate_row: NDArray[np.uint64]
    participant: NDArray[np.uint64]
    candidate_weight: NDArray[np.float64]
    cell_candidate: NDArray[np.int32]
    table: NDArray[np.uint16]
    row: NDArray[np.uint64]
    column: NDArray[np.uint32]
    threshold: NDArray[np.uint16]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    channel: NDArray[np.int32]
    observation_cell: NDArray[np.int32]
    observation: NDArray[np.float64]
    id_candidate: NDArray[np.int32]
    id_value: NDArray[np.int64]
    loose_id: NDArray[np.int64]
    date_candidate: NDArray[np.int32]
    date_unit: NDArray[np.uint64]
    date_shift: NDArray[np.int64]
    channels: tuple[Channel, ...]

    def __post_init__(self) -> None:
        for one in fields(self):
            value = getattr(self, one.name)
            if isinstance(value, np.ndarray):
                value.setflags(write=False)
        self._check_indices()
        self._check_weights()
        self._check_cells()
        self._check_each_once()

    def _check_indices(self) -> None:
        for name, bound in (
            ("candidate_group", len(self.neutral)),
            ("cell_candidate", len(self.candidate_row)),
            ("channel", len(self.channels)),
            ("observation_cell", len(self.row)),
            ("id_candidate", len(self.candidate_row)),
            ("date_candidate", len(self.candidate_row)),
        ):
            index = getattr(self, name)
            _require(bool(np.all((index >= 0) & (index < bound))), f"{name} points outside the reading")

    def _check_weights(self) -> None:
        weights = np.concatenate([self.neutral, self.candidate_weight])
        _require(bool(np.all(np.isfinite(weights) & (weights >= 0))), "weights are finite and not negative")
        total = self.neutral + np.bincount(self.candidate_group, self.candidate_weight, minlength=len(self.neutral))
        _require(bool(np.all(np.abs(total - 1) <= 1e-9)), "the weights of a group add to 1")

    def _check_cells(self) -> None:
        _require(bool(np.all(self.threshold > 0)), "a bias lies strictly between 0 and 1")
        ordered = np.isfinite(self.low) & np.isfinite(self.high) & (self.low < self.high)
        _require(bool(np.all(ordered)), "a pair has a lower and a higher member")
        _require(bool(np.all(np.isfinite(self.observation))), "an observation is a number")

    def _check_each_once(self) -> None:
        _each_once("a master row is a candidate of one group", self.candidate_row)
        _each_once("a cell is read once", self.table, self.row, self.column)
        _each_once("a candidate shows one id", self.id_candidate)
        _each_once("a participant shows one id", self.participant[self.id_candidate])
        _each_once("an id is used once", np.concatenate([self.id_value, self.loose_id]))
        _each_once("a date unit is read once", self.date_unit)


@dataclass(frozen=True)
class Alternative:
    """One way to read the whole leak (columns, units, version) and its weight among the others."""

    weight: float
    reading: Reading


def _each_once(rule: str, *keys: NDArray[np.generic]) -> None:
    order = np.lexsort(keys)
    same = np.ones(max(len(order) - 1, 0), dtype=bool)
    for key in keys:
        same &= key[order][1:] == key[order][:-1]
    _require(not bool(same.any()), rule)


def _require(holds: bool, rule: str) -> None:
    if not holds:
        raise InvalidInputError(f"This reading cannot be scored: {rule}.", code="UNSOUND_READING")
