"""Small leaks drawn at random, before any rule of the reading was applied, and all the marks a party could have had.

A `Leak` is what an opponent may hand in: several leaked rows for one master row, leaked columns that copy each other,
rows that could come from several master rows, versions of the master that differ, ids and dates. `Draws` lists every
way in which the marks of one innocent party could have come out, with its probability.
"""

import itertools
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from copyhold.engines.reading.readings import Channel
from copyhold.engines.tracing.parties import Cells, Seen, StatedParties

KINDS = (
    "plain",
    "ties",
    "shared candidates",
    "duplicates",
    "doubled columns",
    "masks",
    "versions",
    "two datasets",
    "ids",
    "dates",
    "halves",
    "second names",
    "limits",
    "public cells",
    "together",
)
IDS = 7  # N in these leaks: small enough to go through all permutations
GRID = 0.1
Numbers = NDArray[Any]


@dataclass(frozen=True)
class Group:
    """Leaked rows thought to be one master row: candidates (place of the master row, weight) and what they show."""

    neutral: float
    candidates: tuple[tuple[int, float], ...]
    shown: tuple[tuple[int, float], ...]  # (cell column, value), once for each leaked row and each leaked column


@dataclass(frozen=True)
class Leak:
    """A leak over master rows x columns of marked cells, each array (cells,) with cell = row * columns + column."""

    rows: int
    columns: int
    threshold: Numbers
    low: Numbers
    high: Numbers
    original_high: Numbers
    institution: Numbers
    held: Numbers  # what the register says
    truth: Numbers  # the bits of the copy that leaked
    groups: tuple[Group, ...]
    channel: Channel
    versions: tuple[float, ...] = (0.0,)  # by how many gaps the pairs of each version lie higher
    version_weights: tuple[float, ...] = (1.0,)
    tables: int = 1  # the rows are split evenly over so many datasets
    named: Numbers = field(default_factory=lambda: np.zeros((0, 0), dtype=bool))  # bits of the named, (named, cells)
    ids: tuple[tuple[int, int], ...] = ()  # (row, value read)
    loose: tuple[int, ...] = ()
    participants: tuple[int, ...] = ()  # rows whose participants the party was ever given
    dates: tuple[tuple[int, int, int], ...] = ()  # (row, unit, shift read)
    shifts: int = 0  # K
    limit: Numbers = field(default_factory=lambda: np.zeros(0))  # where a legal range ends, for each cell
    public: Numbers = field(default_factory=lambda: np.zeros(0, dtype=bool))  # cells of the party in a published case

    @property
    def cells(self) -> int:
        return self.rows * self.columns

    def addresses(self) -> Cells:
        cell = np.arange(self.cells)
        table, row = self.place(cell // self.columns)
        column = (cell % self.columns).astype(np.uint32)
        return Cells(table, row, column, self.threshold.astype(np.uint16))

    def place(self, row: Numbers) -> tuple[Numbers, Numbers]:
        """Return table and row number: rows of different datasets have the same numbers."""
        each = self.rows // self.tables
        return (1 + row // each).astype(np.uint16), (100 + row % each).astype(np.uint64)


@dataclass(frozen=True)
class Draws:
    """Every way in which a party's marks could have come out.

    bits         bool (draws, cells)
    ids          int (draws, rows): the id of each row's participant
    shift        int (draws, units)
    probability  float64 (draws,)
    """

    bits: Numbers
    ids: Numbers
    shift: Numbers
    probability: Numbers


def draw(kind: str, seed: int) -> Leak:
    """Draw a leak of a kind; what it shows comes from some party's copy, with errors."""
    rng = np.random.default_rng([KINDS.index(kind), seed])
    few = {"ids": (3, 1), "dates": (2, 2), "halves": (2, 5), "together": (3, 1)}
    rows, columns = few.get(kind, (4, 3 if seed % 3 else 2))
    n = rows * columns
    low = np.round(4 + rng.random(n) * 0.4, 1)
    sigmas = ((0.0,), (1.0,)) if rng.random() < 0.5 else ((0.03, 0.1), (0.7, 0.3))
    channel = Channel("glucose", "GLU", GRID * float(rng.integers(0, 3)), *sigmas, width=float(rng.choice([0.5, 20.0])))
    threshold = rng.choice([32768, 32768, 700, 9000, 60000, 1, 65535], n)
    leak = Leak(
        rows=rows,
        columns=columns,
        threshold=threshold,
        low=low,
        high=low + GRID * rng.integers(1, 3, n),
        original_high=rng.random(n) < 0.5,
        institution=np.zeros(n, dtype=bool),
        held=np.ones(n, dtype=bool),
        truth=rng.random(n) < threshold / 65536,
        groups=(),
        channel=channel,
        tables=2 if kind == "two datasets" else 1,
        participants=tuple(range(rows)),
    )
    leak = replace(leak, groups=_groups(leak, kind, rng))
    return _special(leak, kind, rng)


def _groups(leak: Leak, kind: str, rng: np.random.Generator) -> tuple[Group, ...]:
    shared, several = kind == "shared candidates", kind in ("ties", "shared candidates", "masks", "together")
    groups, owners = [], rng.permutation(leak.rows)
    for first in range(0, leak.rows, 2 if several else 1):
        mine = owners if shared else owners[first : first + 2] if several else owners[first : first + 1]
        weights = _weights(kind, len(mine), rng)
        copies = int(rng.integers(2, 4)) if kind in ("duplicates", "together") else 1
        shown = [one for _ in range(copies) for one in _row(leak, int(owners[first]), rng)]
        if kind == "doubled columns":
            shown += _again(shown, leak.columns, rng)
        candidates = tuple((int(row), float(weight)) for row, weight in zip(mine, weights[1:], strict=True))
        groups.append(Group(float(weights[0]), candidates, tuple(shown)))
    return tuple(groups)


def _weights(kind: str, candidates: int, rng: np.random.Generator) -> Numbers:
    """Weigh nobody and the candidates; tied ones are often as likely as each other."""
    if kind == "ties" and rng.random() < 0.5:
        return np.append(0.1, np.full(candidates, 0.9 / candidates))
    return rng.dirichlet(np.ones(candidates + 1)) if rng.random() < 0.7 else np.eye(candidates + 1)[1]


def _again(shown: list[tuple[int, float]], columns: int, rng: np.random.Generator) -> list[tuple[int, float]]:
    """Show one column twice, the second time as another unit and back again leave it."""
    doubled = int(rng.integers(columns))
    return [(column, value + float(rng.choice([0.0, 1e-7, 0.02]))) for column, value in shown if column == doubled]


def _row(leak: Leak, row: int, rng: np.random.Generator) -> list[tuple[int, float]]:
    shown = []
    for column in range(leak.columns):
        cell = row * leak.columns + column
        value = leak.high[cell] if leak.truth[cell] else leak.low[cell]
        if rng.random() < 0.1:
            value = rng.choice(
                [leak.low[cell], leak.high[cell], leak.low[cell] + 3.0, (leak.low + leak.high)[cell] / 2]
            )
        if rng.random() < 0.9:
            shown.append((column, float(value)))
    return shown


def _special(leak: Leak, kind: str, rng: np.random.Generator) -> Leak:
    if kind == "masks":
        return replace(leak, held=rng.random(leak.cells) < 0.6)
    if kind == "versions":
        return replace(leak, versions=(0.0, 1.0, -1.0), version_weights=(0.5, 0.3, 0.2))
    if kind == "two datasets":
        half = leak.cells // 2  # the same pair, bias and value in both: what one key for both would show
        both = {name: np.tile(getattr(leak, name)[:half], 2) for name in ("threshold", "low", "high", "truth")}
        twin = replace(leak, **both)
        return replace(twin, groups=_groups(twin, kind, rng))
    if kind == "halves":
        return replace(leak, institution=rng.random(leak.cells) < 0.5)
    if kind == "second names":
        named = rng.random((int(rng.integers(1, 3)), leak.cells)) < leak.threshold / 65536
        return replace(leak, named=named)
    if kind == "limits":
        clipped = replace(leak, limit=(leak.low + leak.high) / 2, truth=np.zeros(leak.cells, dtype=bool))
        return replace(clipped, groups=_groups(clipped, kind, rng))
    if kind == "public cells":
        public = rng.random(leak.cells) < 0.5
        return replace(leak, public=public, held=~public)
    if kind == "together":
        held, named = rng.random(leak.cells) < 0.8, rng.random((1, leak.cells)) < leak.threshold / 65536
        alone = replace(leak, held=held, named=named, versions=(0.0, 1.0), version_weights=(0.7, 0.3))
        dated = replace(alone, shifts=3, dates=((0, 50, int(rng.integers(-1, 2))),))
        return _special(dated, "ids", rng)
    if kind == "ids":
        values = rng.permutation(IDS)
        paired = int(rng.integers(1, leak.rows + 1))
        owned = tuple(range(leak.rows - int(rng.integers(0, 2))))
        loose = tuple(int(value) for value in values[paired : paired + int(rng.integers(0, 3))])
        ids = tuple((row, int(value)) for row, value in zip(range(paired), values, strict=False))
        return replace(leak, ids=ids, loose=loose, participants=owned)
    if kind == "dates":
        shifts = int(rng.choice([3, 5, 31]))
        units = int(rng.integers(1, 3)) if shifts < 31 else 1
        dates = tuple((row, 50 + row, int(rng.integers(-(shifts // 2) - 1, shifts // 2 + 2))) for row in range(units))
        return replace(leak, shifts=shifts, dates=dates, participants=tuple(range(int(rng.integers(1, 3)))))
    return leak


def draws(leak: Leak, date_law: Numbers | None = None) -> Draws:
    """Return all draws of an innocent party: bits of its half of the cells, ids and shifts.

    Bits of the institution half are those of the copy that leaked: a sibling of the party has them too. So are those of
    the party's cells that are public: whoever made the leak put them there.
    """
    known = leak.institution | leak.public if len(leak.public) else leak.institution
    free = np.flatnonzero(~known)
    patterns = _table(itertools.product((0, 1), repeat=len(free))).astype(bool)
    bits = np.tile(leak.truth, (len(patterns), 1))
    bits[:, free] = patterns
    p = leak.threshold[free] / 65536
    chance = np.where(patterns, p, 1 - p).prod(axis=1)
    people = leak.rows if leak.ids or leak.loose else 0
    ids = _table(itertools.permutations(range(IDS), people))
    law = np.full(max(leak.shifts, 1), 1 / max(leak.shifts, 1)) if date_law is None else date_law
    shift = _table(itertools.product(range(len(law)), repeat=len(leak.dates)))
    each = [index.reshape(-1) for index in np.indices((len(bits), len(ids), len(shift)))]
    probability = chance[each[0]] / len(ids) * law[shift].prod(axis=1)[each[2]]
    return Draws(bits[each[0]], ids[each[1]], (shift - leak.shifts // 2)[each[2]], probability)


def _table(rows: Iterable[tuple[int, ...]]) -> Numbers:
    listed = list(rows)
    return np.array(listed, dtype=int).reshape(len(listed), -1)


def found_before(leak: Leak) -> Draws:
    """Return the parties named before, each as a draw of its own; no id and no shift that was read is theirs."""
    count = len(leak.named)
    none = np.full((count, leak.rows), -1)
    return Draws(leak.named, none, np.full((count, len(leak.dates)), leak.shifts), np.ones(count))


def parties_of(leak: Leak, drawn: Draws, held: Numbers | None = None) -> StatedParties:
    """Return one party for each draw; what it held is what the register says."""
    count = len(drawn.probability)
    holds = np.tile(leak.held, (count, 1)) if held is None else held
    return StatedParties(
        id_space=IDS,
        released=np.full(count, len(leak.participants)),
        shifts=np.full(count, leak.shifts),
        cells=leak.addresses(),
        cell_bits=drawn.bits,
        cell_held=holds,
        id_pairs=tuple((1000 + row, value) for row, value in leak.ids),
        id_seen=_seen(count, [(drawn.ids[:, row] == value, row in leak.participants) for row, value in leak.ids]),
        loose=leak.loose,
        loose_hit=_columns(count, [(drawn.ids[:, leak.participants] == value).any(axis=1) for value in leak.loose]),
        moves=tuple((unit, shift) for _, unit, shift in leak.dates),
        moves_seen=_seen(
            count,
            [
                (drawn.shift[:, one] == shift, row in leak.participants and abs(shift) <= leak.shifts // 2)
                for one, (row, _, shift) in enumerate(leak.dates)
            ],
        ),
    )


def _seen(count: int, answers: list[tuple[Numbers, bool]]) -> Seen:
    held = np.tile(np.array([held for _, held in answers], dtype=bool), (count, 1))
    return Seen(_columns(count, [hit for hit, _ in answers]), held)


def _columns(count: int, columns: list[Numbers]) -> Numbers:
    return np.stack(columns, axis=1) if columns else np.zeros((count, 0), dtype=bool)
