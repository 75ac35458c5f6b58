"""The secret side of a trace: what a scorer may ask about the marks of many parties at once.

A scorer asks by address only, never by what was read there, so that no answer depends on the leak. What the register
says about a party (what it held, which shifts it accepted, what is spent) comes as `Facts`; what it was given comes
from its keys. A cell, participant or unit that the register says the party never held is **not held**: its factor is 1.
"""

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import cycle, islice
from typing import Any, Protocol, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from copyhold.engines.marks.dates import ShiftLaw, shifts
from copyhold.engines.marks.keys import KEY_BYTES, PartyKeys
from copyhold.engines.marks.permutation import IdSpace, permuted, restored
from copyhold.engines.marks.prf import Addresses, Tag, uniforms_of_keys
from copyhold.engines.reading.readings import Reading
from copyhold.engines.tracing.answers import Answered

Bools = NDArray[np.bool_]
Number = TypeVar("Number", np.uint64, np.uint32)


@dataclass(frozen=True)
class Cells:
    """Addresses of cells with the quantised bias t of each."""

    table: NDArray[np.uint16]
    row: NDArray[np.uint64]
    column: NDArray[np.uint32]
    threshold: NDArray[np.uint16]

    def take(self, order: NDArray[np.intp]) -> "Cells":
        """Return the cells in another order."""
        return Cells(self.table[order], self.row[order], self.column[order], self.threshold[order])

    @cached_property
    def marks(self) -> Addresses:
        """Where the marks of the cells are drawn, laid out once however many parties are asked."""
        return Addresses.of(self.table, self.row, self.column, Tag.MARK)

    @property
    def arrays(self) -> tuple[NDArray[Any], ...]:
        """All that tells these cells from others."""
        return self.table, self.row, self.column, self.threshold

    def addresses(self) -> list[tuple[int, int, int]]:
        """Return (table, row, column) of each cell."""
        return list(zip(self.table.tolist(), self.row.tolist(), self.column.tolist(), strict=True))


def cells_of(reading: Reading) -> Cells:
    """Return the addresses of a reading's cells, in their order."""
    return Cells(reading.table, reading.row, reading.column, reading.threshold)


@dataclass(frozen=True)
class Seen:
    """Whether what was read is a party's own, bool (parties, asked), and whether the party held it at all."""

    hit: Bools
    held: Bools


class Parties(Protocol):
    """A number of parties, or keys, that a scorer can ask; each is one test."""

    @property
    def id_space(self) -> int:
        """N, how many ids the keyed permutation ranges over."""

    @property
    def released(self) -> NDArray[np.int64]:
        """n_r, distinct participants ever released to each party, int64 (parties,)."""

    @property
    def shifts(self) -> NDArray[np.int64]:
        """K, how many date shifts each party could have had; 0 where it accepted none."""

    def __len__(self) -> int: ...

    def select(self, index: NDArray[np.intp]) -> Self:
        """Return some of the parties, in the order of `index`."""

    def bits(self, cells: Cells) -> Bools:
        """Return which member each party was given, bool (parties, cells): True for the higher."""

    def held(self, cells: Cells) -> Bools | None:
        """Return which cells each party held and has not spent, bool (parties, cells); None where all did all."""

    def ids(self, participant: NDArray[np.uint64], value: NDArray[np.int64]) -> Seen:
        """Return whether each value is the party's own id of that participant, (parties, ids)."""

    def loose_ids(self, value: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return how many of the values are ids of participants released to each party, int64 (parties,)."""

    def dates(self, participant: NDArray[np.uint64], unit: NDArray[np.uint64], shift: NDArray[np.int64]) -> Seen:
        """Return whether each shift is the party's own; held where it is one that the party could have had."""


@dataclass(frozen=True)
class Holding:
    """What one release gave a party of one table: rows times columns, each sorted; None is all of them."""

    table: int
    rows: NDArray[np.uint64] | None = None
    columns: NDArray[np.uint32] | None = None

    def holds(self, cells: Cells) -> Bools:
        """Return which cells are in the release, bool (cells,)."""
        found: Bools = (cells.table == self.table) & among(cells.row, self.rows) & among(cells.column, self.columns)
        return found


@dataclass(frozen=True)
class Told:
    """What a case file that became public tells of a party named in it: known to anybody, so no evidence any more.

    cells  addresses (table, row, column) whose bits were stated
    units  sorted numbers of the date units whose shift was stated
    ids    whether any keyed id was: they are one permutation, so that what is known of one bears on all the others
    """

    cells: frozenset[tuple[int, int, int]] = frozenset()
    units: NDArray[np.uint64] = field(default_factory=lambda: np.empty(0, dtype=np.uint64))
    ids: bool = False

    def holds(self, cells: Cells) -> Bools:
        """Return which cells were stated, bool (cells,)."""
        return np.fromiter((one in self.cells for one in cells.addresses()), dtype=bool, count=len(cells.row))


NOTHING_TOLD = Told()


@dataclass(frozen=True)
class Facts:
    """What the register says about one key: nothing here depends on the key itself.

    holdings      the releases made under the key; a cell in none of them was never held
    participants  sorted numbers of all participants ever released to the party
    shift         the date shifts the party accepted in writing, or None
    spent         the party's own variables: cells that are never evidence
    told          what became public of the party's marks, ids and shifts: never evidence again
    count         n_r, where `participants` lists only those that are asked about; the number over all releases serves,
                  as a larger one makes an id on nobody's row weigh less
    """

    holdings: tuple[Holding, ...]
    participants: NDArray[np.uint64]
    shift: ShiftLaw | None = None
    spent: tuple[Holding, ...] = ()
    told: Told = NOTHING_TOLD
    count: int | None = None

    @property
    def released(self) -> int:
        """How many participants were released to the party, n_r; 0 where ids are no evidence any more."""
        return 0 if self.told.ids else len(self.participants) if self.count is None else self.count

    def holds(self, cells: Cells) -> Bools:
        """Return which cells count for or against the party, bool (cells,)."""
        held = _in_any(self.holdings, cells) & ~_in_any(self.spent, cells)
        return held & ~self.told.holds(cells) if self.told.cells else held

    @property
    def identified(self) -> NDArray[np.uint64]:
        """Participants whose ids count for or against the party, sorted."""
        return self.participants[:0] if self.told.ids else self.participants

    def moves(self, participant: NDArray[np.uint64], unit: NDArray[np.uint64], shift: NDArray[np.int64]) -> Bools:
        """Return which shifts count for or against the party, bool (shifts,)."""
        if self.shift is None:
            return np.zeros(len(unit), dtype=bool)
        return self.shift.allows(shift) & among(participant, self.participants) & ~among(unit, self.told.units)


class KeyedParties:
    """Parties whose marks are drawn from their keys on demand; a bounded part of what was drawn is kept."""

    def __init__(
        self,
        keys: Sequence[PartyKeys],
        facts: Sequence[Facts],
        space: IdSpace,
        _answered: Answered | None = None,
        _places: NDArray[np.intp] | None = None,
    ) -> None:
        self._keys, self._facts, self.space = tuple(keys), tuple(facts), space
        self._answered = Answered() if _answered is None else _answered
        self._places = np.arange(len(self._keys)) if _places is None else _places

    def __len__(self) -> int:
        return len(self._keys)

    @property
    def id_space(self) -> int:
        """N, how many ids the keyed permutation ranges over."""
        return self.space.size

    @property
    def released(self) -> NDArray[np.int64]:
        """n_r of each party."""
        return np.array([one.released for one in self._facts], dtype=np.int64)

    @property
    def shifts(self) -> NDArray[np.int64]:
        """K of each party."""
        return np.array([one.shift.count if one.shift else 0 for one in self._facts], dtype=np.int64)

    def select(self, index: NDArray[np.intp]) -> "KeyedParties":
        """Return some of the parties."""
        keys, facts = [self._keys[one] for one in index], [self._facts[one] for one in index]
        return KeyedParties(keys, facts, self.space, self._answered, self._places[index])

    def bits(self, cells: Cells) -> Bools:
        """Return each party's bits: 1 with probability t/65536."""
        return self._once("bits", cells.arrays, lambda: self._bits(cells))

    def held(self, cells: Cells) -> Bools | None:
        """Return which cells each party held."""
        held = self._registered(lambda facts: facts.holds(cells))
        return None if all(bool(one.all()) for one in held) else np.stack(held)

    def ids(self, participant: NDArray[np.uint64], value: NDArray[np.int64]) -> Seen:
        """Return whether each value is the party's own id of that participant."""
        if len(value) == 0:
            return Seen(*np.zeros((2, len(self), 0), dtype=bool))
        hit = self._once("ids", (participant, value), lambda: self._own_ids(participant) == value)
        held = self._registered(lambda facts: among(participant, facts.identified))
        return Seen(hit, np.array(held, dtype=bool).reshape(hit.shape))

    def loose_ids(self, value: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return how many values are ids of participants released to each party."""
        known = value[self.space.holds(value)]
        owners = restored([keys.identifiers for keys in self._keys], known, self.space).astype(np.uint64)
        hits = [among(mine, one.identified).sum() for mine, one in zip(owners, self._facts, strict=True)]
        return np.array(hits, dtype=np.int64)

    def dates(self, participant: NDArray[np.uint64], unit: NDArray[np.uint64], shift: NDArray[np.int64]) -> Seen:
        """Return whether each shift is the party's own; never held by a party that accepted no shift."""
        if len(unit) == 0:
            return Seen(*np.zeros((2, len(self), 0), dtype=bool))
        hit = self._once("dates", (unit, shift), lambda: self._own_shifts(unit, shift))
        held = self._registered(lambda facts: facts.moves(participant, unit, shift))
        return Seen(hit, np.array(held, dtype=bool).reshape(hit.shape))

    def _bits(self, cells: Cells) -> Bools:
        drawn = uniforms_of_keys([keys.mark for keys in self._keys], cells.marks)
        return np.asarray(drawn < cells.threshold)

    def _own_ids(self, participant: NDArray[np.uint64]) -> NDArray[np.int64]:
        return permuted([keys.identifiers for keys in self._keys], participant.astype(np.int64), self.space)

    def _own_shifts(self, unit: NDArray[np.uint64], shift: NDArray[np.int64]) -> Bools:
        hit = np.zeros((len(self), len(unit)), dtype=bool)
        for one, (keys, facts) in enumerate(zip(self._keys, self._facts, strict=True)):
            if facts.shift is not None:
                hit[one] = shifts(keys.dates, unit, facts.shift) == shift
        return hit

    def _once(self, what: str, asked: Sequence[NDArray[Any]], work: Callable[[], Bools]) -> Bools:
        return self._answered.once(what, asked, self._places, work)

    def _registered(self, look: Callable[[Facts], Bools]) -> list[Bools]:
        """Ask the register about each party; facts that several parties share are looked up once."""
        found = {id(one): look(one) for one in {id(one): one for one in self._facts}.values()}
        return [found[id(one)] for one in self._facts]


def control_parties(facts: Sequence[Facts], space: IdSpace, count: int, chance: Callable[[int], bytes]) -> KeyedParties:
    """Return parties that never were: the register's facts in turn, under fresh keys from `chance` (bytes wanted).

    The keys are kept nowhere else, so they are gone with the value that is returned.
    """
    keys = [PartyKeys(chance(KEY_BYTES), chance(KEY_BYTES), chance(KEY_BYTES)) for _ in range(count)]
    return KeyedParties(keys, list(islice(cycle(facts), count)), space)


@dataclass(frozen=True)
class StatedParties:
    """Parties whose answers are written down, as a case file does for the one it is about.

    id_space  N
    released  int64 (parties,), shifts int64 (parties,): n_r and K of each
    cells     addresses of all cells that may be asked about
    bits      bool (parties, cells), cell_held bool (parties, cells)
    id_pairs  (participant, value) of all ids that may be asked about, with id_seen (parties, pairs)
    loose     values of the ids of no row, with loose_hit bool (parties, values)
    moves     (unit, shift) of all shifts that may be asked about, with moves_seen (parties, moves)
    """

    id_space: int
    released: NDArray[np.int64]
    shifts: NDArray[np.int64]
    cells: Cells
    cell_bits: Bools
    cell_held: Bools
    id_pairs: tuple[tuple[int, int], ...]
    id_seen: Seen
    loose: tuple[int, ...]
    loose_hit: Bools
    moves: tuple[tuple[int, int], ...]
    moves_seen: Seen

    def __len__(self) -> int:
        return len(self.cell_bits)

    def select(self, index: NDArray[np.intp]) -> "StatedParties":
        """Return some of the parties."""
        return replace(
            self,
            released=self.released[index],
            shifts=self.shifts[index],
            cell_bits=self.cell_bits[index],
            cell_held=self.cell_held[index],
            id_seen=Seen(self.id_seen.hit[index], self.id_seen.held[index]),
            loose_hit=self.loose_hit[index],
            moves_seen=Seen(self.moves_seen.hit[index], self.moves_seen.held[index]),
        )

    def bits(self, cells: Cells) -> Bools:
        """Return the stated bits."""
        return self.cell_bits[:, self._places(cells)]

    def held(self, cells: Cells) -> Bools:
        """Return the stated holdings."""
        return self.cell_held[:, self._places(cells)]

    def ids(self, participant: NDArray[np.uint64], value: NDArray[np.int64]) -> Seen:
        """Return what is stated about each pair."""
        pairs = zip(participant.tolist(), value.tolist(), strict=True)
        return _of(self.id_seen, _lookup(self.id_pairs, pairs))

    def loose_ids(self, value: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return how many of the values are stated to be the party's own."""
        return np.asarray(self.loose_hit[:, _lookup(self.loose, value.tolist())].sum(axis=1), dtype=np.int64)

    def dates(self, participant: NDArray[np.uint64], unit: NDArray[np.uint64], shift: NDArray[np.int64]) -> Seen:
        """Return what is stated about each move."""
        return _of(self.moves_seen, _lookup(self.moves, zip(unit.tolist(), shift.tolist(), strict=True)))

    def _places(self, cells: Cells) -> NDArray[np.intp]:
        return _lookup(self.cells.addresses(), cells.addresses())


def _lookup(known: Iterable[Hashable], asked: Iterable[Hashable]) -> NDArray[np.intp]:
    place = {one: number for number, one in enumerate(known)}
    return np.array([place[one] for one in asked], dtype=np.intp)


def _of(seen: Seen, places: NDArray[np.intp]) -> Seen:
    return Seen(seen.hit[:, places], seen.held[:, places])


def among(asked: NDArray[Number], known: NDArray[Number] | None) -> Bools:
    """Return which values occur among the known ones, which are sorted, bool (asked,); None knows all."""
    if known is None:
        return np.ones(len(asked), dtype=bool)
    if len(known) == 0:
        return np.zeros(len(asked), dtype=bool)
    place = np.minimum(np.searchsorted(known, asked), len(known) - 1)
    return np.asarray(known[place] == asked)


def _in_any(holdings: tuple[Holding, ...], cells: Cells) -> Bools:
    found = np.zeros(len(cells.row), dtype=bool)
    for one in holdings:
        found |= one.holds(cells)
    return found
