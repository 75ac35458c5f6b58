"""What was read from a leak, in the one form that the scorer takes.

The bound on naming an innocent rests on each cell, id and date unit entering a product at most once (see
docs/adr/0007-evidence.md). `Reading` therefore refuses any that occurs twice. It is made by the reader, which sees the
leak, the master, the plan and the register, and never a key.

Three levels: a **group** is the set of leaked rows thought to come from one master row (in long tables, from one
participant); a **candidate** is a master row (participant) that the group may come from; a **cell** is a marked value
of that candidate of which the leak shows one or more observations.
"""

from dataclasses import dataclass, replace

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

    def __post_init__(self) -> None:
        _require(len(self.sigmas) == len(self.weights) > 0, "a channel has a weight for each noise level")
        _require(all(0 <= sigma < np.inf for sigma in self.sigmas), "a noise level is a number and not negative")
        _require(min(self.weights) >= 0 and abs(sum(self.weights) - 1) <= 1e-9, "the weights of a channel add to 1")
        _require(0 <= self.grid < np.inf and 0 < self.width < np.inf, "a channel has a grid and a width")


@dataclass(frozen=True)
class Reading:
    """Groups, candidates, cells and observations as parallel arrays.

    neutral           float64 (groups,): weight that the group comes from no candidate
    candidate_group   int32 (candidates,): the group it belongs to
    candidate_row     uint64 (candidates,): master row (long tables: participant); each at most once in a reading
    participant       uint64 (candidates,): the candidate's participant number
    candidate_weight  float64 (candidates,): with `neutral` they add to 1 in each group
    cell_candidate    int32 (cells,)
    table             uint16 (cells,): with `row` and `column` the cell's address, each address at most once
    row               uint64 (cells,)
    column            uint32 (cells,)
    threshold         uint16 (cells,): t of the bias p = t/65536, 0 < t < 65536
    low, high         float64 (cells,): the two members of the pair, low < high
    original_high     bool (cells,): the master's own value is the higher member, which is what a restored cell shows
    institution       bool (cells,): the plan gives the cell to the institution half, not to the party half
    channel           int32 (cells,): index into `channels`
    observation_cell  int32 (observations,): each cell has at least one observation
    observation       float64 (observations,): values read, in the unit of low and high
    id_candidate      int32 (ids,): a candidate, and a participant, at most once
    id_value          int64 (ids,): the keyed id read on rows of that candidate, each at most once
    loose_id          int64 (loose ids,): keyed ids read on rows that align to nobody; none of them in `id_value`
    date_candidate    int32 (shifts,)
    date_unit         uint64 (shifts,): shift unit, each at most once
    date_shift        int64 (shifts,): the one shift, in days, that all dates of the unit show

    The weights are divided by their sum, so that they add to 1 exactly.
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
    original_high: NDArray[np.bool_]
    institution: NDArray[np.bool_]
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
        self._own_arrays()
        self._check_lengths()
        self._check_indices()
        self._check_weights()
        self._check_cells()
        self._check_each_once()

    def _own_arrays(self) -> None:
        # A reading that has been checked cannot be changed through the arrays it was made from.
        for name, kind in KINDS.items():
            given = np.asarray(getattr(self, name))
            value = given.astype(kind)
            same = value.ndim == 1 and np.array_equal(value, given, equal_nan=value.dtype.kind == "f")
            _require(same, f"{name} is a list of {kind.__name__}")
            _own(self, name, value)

    def _check_lengths(self) -> None:
        for names in PARALLEL:
            lengths = {len(getattr(self, name)) for name in names}
            _require(len(lengths) == 1, f"{', '.join(names)} are equally long")

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
        _own(self, "neutral", self.neutral / total)
        _own(self, "candidate_weight", self.candidate_weight / total[self.candidate_group])

    def _check_cells(self) -> None:
        _require(bool(np.all(self.threshold > 0)), "a bias lies strictly between 0 and 1")
        seen = np.bincount(self.observation_cell, minlength=len(self.row)) > 0
        _require(bool(seen.all()), "a cell has at least one observation")
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


KINDS: dict[str, type[np.generic]] = {
    "neutral": np.float64,
    "candidate_group": np.int32,
    "candidate_row": np.uint64,
    "participant": np.uint64,
    "candidate_weight": np.float64,
    "cell_candidate": np.int32,
    "table": np.uint16,
    "row": np.uint64,
    "column": np.uint32,
    "threshold": np.uint16,
    "low": np.float64,
    "high": np.float64,
    "original_high": np.bool_,
    "institution": np.bool_,
    "channel": np.int32,
    "observation_cell": np.int32,
    "observation": np.float64,
    "id_candidate": np.int32,
    "id_value": np.int64,
    "loose_id": np.int64,
    "date_candidate": np.int32,
    "date_unit": np.uint64,
    "date_shift": np.int64,
}
CANDIDATE = ("candidate_group", "candidate_row", "participant", "candidate_weight")
CELL = (
    "cell_candidate",
    "table",
    "row",
    "column",
    "threshold",
    "low",
    "high",
    "original_high",
    "institution",
    "channel",
)
PARALLEL = (
    CANDIDATE,
    CELL,
    ("observation_cell", "observation"),
    ("id_candidate", "id_value"),
    ("date_candidate", "date_unit", "date_shift"),
)


def with_cells(reading: Reading, keep: NDArray[np.bool_]) -> Reading:
    """Return the reading with the cells of `keep`, bool (cells,), alone; the same one where that is all of them.

    Groups, ids and dates stay.
    """
    if keep.all():
        return reading
    number = _numbered(keep)
    seen = keep[reading.observation_cell]
    return replace(
        reading,
        **{name: getattr(reading, name)[keep] for name in CELL},
        observation_cell=number[reading.observation_cell[seen]],
        observation=reading.observation[seen],
    )


def with_groups(reading: Reading, keep: NDArray[np.bool_]) -> Reading:
    """Return the reading with the groups of `keep`, bool (groups,), alone; loose ids stay, as they are of no group."""
    candidates = keep[reading.candidate_group]
    cells = candidates[reading.cell_candidate]
    ids, dates = candidates[reading.id_candidate], candidates[reading.date_candidate]
    group, candidate = _numbered(keep), _numbered(candidates)
    part = with_cells(reading, cells)
    return replace(
        part,
        neutral=reading.neutral[keep],
        candidate_group=group[reading.candidate_group[candidates]],
        candidate_row=reading.candidate_row[candidates],
        participant=reading.participant[candidates],
        candidate_weight=reading.candidate_weight[candidates],
        cell_candidate=candidate[part.cell_candidate],
        id_candidate=candidate[reading.id_candidate[ids]],
        id_value=reading.id_value[ids],
        date_candidate=candidate[reading.date_candidate[dates]],
        date_unit=reading.date_unit[dates],
        date_shift=reading.date_shift[dates],
    )


def without_ids(reading: Reading) -> Reading:
    """Return the reading without keyed ids, paired or loose; the same one where it has none."""
    if not len(reading.id_value) and not len(reading.loose_id):
        return reading
    return replace(
        reading, id_candidate=reading.id_candidate[:0], id_value=reading.id_value[:0], loose_id=reading.loose_id[:0]
    )


def party_half(reading: Reading) -> Reading:
    """Return what speaks for or against a party: its half of the cells, ids and dates."""
    return with_cells(reading, ~reading.institution)


def institution_half(reading: Reading) -> Reading:
    """Return what speaks for or against an institution: its half of the cells alone."""
    bare = without_ids(with_cells(reading, reading.institution))
    return replace(
        bare,
        date_candidate=bare.date_candidate[:0],
        date_unit=bare.date_unit[:0],
        date_shift=bare.date_shift[:0],
    )


def _numbered(keep: NDArray[np.bool_]) -> NDArray[np.int32]:
    return (np.cumsum(keep) - 1).astype(np.int32)


def _own(reading: Reading, name: str, value: NDArray[np.generic]) -> None:
    value.setflags(write=False)
    object.__setattr__(reading, name, value)


def _each_once(rule: str, *keys: NDArray[np.generic]) -> None:
    order = np.lexsort(keys)
    same = np.ones(max(len(order) - 1, 0), dtype=bool)
    for key in keys:
        same &= key[order][1:] == key[order][:-1]
    _require(not bool(same.any()), rule)


def _require(holds: bool, rule: str) -> None:
    if not holds:
        raise InvalidInputError(f"This reading cannot be scored: {rule}.", code="UNSOUND_READING")
