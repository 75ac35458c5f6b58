"""A dictionary proposed from the source files alone, every line of it a guess.

Rules:

* Nothing is decided: each field is flagged, and `dataset add` refuses it until a person has accepted it. What a person
  should look at is told in the field's title, in brackets.
* In doubt a field is more secret, and not marked: codes, answers, scores, small counts, free text, ages, times between
  events, survey weights and copies of an area's figures are never proposed for marking. What is proposed may still be
  refused by the plan, with its reason.
* Nobody but the laboratory knows an assay's error. Where none is declared the tolerance is 0.2 robust standard
  deviations, and the title says that it is from the spread.
* No cell of a table is told anywhere but in the dictionary: special codes and fills, in `missing_codes`.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from copyhold.domain.catalogue import Dictionary, Field, FieldType, Role, Tolerance
from copyhold.domain.errors import InvalidInputError
from copyhold.engines.tables import suggestion_numbers as numbers
from copyhold.engines.tables import suggestion_roles as roles
from copyhold.engines.tables import suggestion_strata as strata
from copyhold.engines.tables.suggestion_profiles import Profile, TableSource
from copyhold.engines.tables.tie_fits import ROOM, Ground
from copyhold.engines.tables.tie_search import MOST_TRIPLED, Search, search, verified
from copyhold.engines.tables.ties import Tie

Step = Callable[[str, float], None]

FROM_SPREAD = "tolerance from spread, not from the assay"
SMALL_SPREAD = "its spread is small against its last place: declare its own error to have it marked"

MOST_DIVIDING = 100  # categories that are held against every column of numbers
_MOST_JUMPS = 0.6  # frequencies of a measurement change less from one value to the next
_LETTERED = re.compile(r"[A-Za-z]{1,3}[0-9][0-9.]*")  # a code among numbers: E11, V57.1
_WORDS = frozenset(
    ["refused", "unknown", "missing", "declined", "?", "unk", "not known", "don't know", "prefer not to say",
     "not applicable", "not available", "not recorded", "no answer", "n/a", "na", "not done"]
)  # fmt: skip


@dataclass(frozen=True)
class FoundTie:
    """A tie that holds, and in which share of the rows that have all its members."""

    table: str
    field: str
    tie: str
    share: float


@dataclass(frozen=True)
class Flag:
    """What a person should look at in a field before accepting it."""

    table: str
    field: str
    note: str


@dataclass(frozen=True)
class Suggestion:
    """A proposed dictionary, and what was found and not looked for on the way."""

    dictionary: Dictionary
    ties: tuple[FoundTie, ...]
    flags: tuple[Flag, ...]
    not_searched: tuple[str, ...]


def suggest(files: Sequence[Path], id_column: str | None = None, step: Step = lambda name, share: None) -> Suggestion:
    """Propose the dictionary of a dataset from its source files, one per table.

    Without `id_column` each row is one participant.

    Cost: one reading of the files, one count of the distinct values of each column, and a second reading of the columns
    that ties bind. Memory: 20,000 rows of the table, the distinct values of its columns, and what is read at a time: 32
    columns of a Parquet file, all of another.

    Raises:
        UnreadableFileError: a file cannot be read.
        InvalidInputError: two files are one table by their names, or a file lacks the id column.
    """
    sources: list[TableSource] = []
    for at, path in enumerate(files):
        sources.append(_source(path, id_column, [one.name for one in sources]))
        step("open", (at + 1) / len(files))
    found = [_Table(source, id_column, step).proposed() for source in sources]
    return Suggestion(
        Dictionary(tuple(field for one in found for field in one.dictionary.fields)),
        tuple(tie for one in found for tie in one.ties),
        tuple(flag for one in found for flag in one.flags),
        tuple(dict.fromkeys(left_out for one in found for left_out in one.not_searched)),
    )


def _source(path: Path, id_column: str | None, earlier: Sequence[str]) -> TableSource:
    source = TableSource(path)
    if source.name in earlier:
        raise InvalidInputError(f"Two files are called {source.name}; a table is named after its file. Rename one.")
    if id_column is not None and id_column not in source.columns:
        raise InvalidInputError(f"{path.name} has no column {id_column}; every table names its participants by --id.")
    spaced = [at for at, name in enumerate(source.columns, start=1) if name != name.strip() or not name]
    if spaced:
        raise InvalidInputError(f"The name of column {spaced[0]} of {path.name} is empty or has a space at its end.")
    return source


@dataclass(frozen=True, eq=False)
class _Column:
    """One column with what was concluded about it so far."""

    profile: Profile
    role: Role
    type: FieldType
    codes: tuple[float, ...] = ()
    stratum: str | None = None
    grid: float | None = None
    caps: tuple[float, ...] = ()
    tolerance: float | None = None
    area: str = ""
    notes: tuple[str, ...] = ()

    @property
    def measured(self) -> bool:
        """Whether it holds numbers that are no codes and number nobody."""
        return self.type in (FieldType.INTEGER, FieldType.DECIMAL, FieldType.REAL) and self.role not in (
            Role.ID,
            Role.DIRECT,
        )

    @property
    def core(self) -> tuple[numbers.Floats, numbers.Whole]:
        """Its numbers without special codes and fills."""
        return numbers.without(self.profile.values, self.profile.counts, self.codes)

    def computed(self) -> "_Column":
        """Give up its tolerance: a copy holds it computed again."""
        notes = tuple(note for note in self.notes if note not in (FROM_SPREAD, SMALL_SPREAD))
        return replace(self, tolerance=None, notes=notes)

    def noted(self, *notes: str) -> "_Column":
        return replace(self, notes=(*self.notes, *notes))


@dataclass(frozen=True, eq=False)
class _Table:
    source: TableSource
    id_column: str | None
    step: Step

    def proposed(self) -> Suggestion:
        """Go over the table: columns one by one, then together, then ties over all rows."""
        profiles = []
        for profile in self.source.profiles():
            profiles.append(profile)
            self.step(f"{self.source.name}: columns", len(profiles) / len(self.source.columns))
        columns = self._together([self._alone(profile) for profile in profiles])
        self.step(f"{self.source.name}: ties", 0.0)
        found = self._ties(columns, profiles[0].rows if profiles else 0)
        self.step(f"{self.source.name}: ties", 1.0)
        computed = {tie.derived for tie in found.ties if not tie.is_order}
        columns = [one.computed() if one.profile.name in computed else one for one in columns]
        fields = [self._field(column, found.ties) for column in columns]
        return Suggestion(
            Dictionary(tuple(fields)),
            tuple(FoundTie(self.source.name, tie.derived, tie.text, tie.share or 0.0) for tie in found.ties),
            tuple(Flag(self.source.name, one.profile.name, note) for one in columns for note in one.notes),
            (*found.not_searched, *_undivided(columns)),
        )

    def _alone(self, profile: Profile) -> _Column:
        if profile.name == self.id_column:
            return _Column(profile, Role.ID, profile.kind)
        identifies = roles.direct(profile)
        if identifies:
            return _Column(profile, Role.DIRECT, profile.kind).noted(f"identifies people directly: {identifies}")
        codes = numbers.special_codes(profile.values, profile.counts) if profile.numeric else ()
        coded = _is_coded(profile, codes)
        kind = FieldType.CATEGORY if coded else profile.kind
        column = _Column(profile, roles.role(profile, is_code=kind is FieldType.CATEGORY), kind, codes)
        return column.noted("special codes") if codes else column

    def _together(self, columns: Sequence[_Column]) -> list[_Column]:
        """Conclude what only other columns show: strata, classes, figures of an area."""
        categories = [one.profile for one in columns if one.type is FieldType.CATEGORY and len(one.profile.labels)]
        dividing = categories[:MOST_DIVIDING]
        measured = [one.profile for one in columns if one.measured and one.profile.numeric]
        split = strata.splitting(dividing, measured)
        main = max(split.values(), key=list(split.values()).count, default=None)
        known = strata.by_name(dividing)
        return [
            _judged(one, known.get(split.get(one.profile.name, "")), known.get(main or ""), dividing) for one in columns
        ]

    def _ties(self, columns: Sequence[_Column], rows: int) -> Search:
        measured = {one.profile.name: one for one in columns if one.measured and one.profile.distinct >= 2}
        ground = Ground(
            {name: _valued(one) for name, one in measured.items()},
            {name: one.profile.unit for name, one in measured.items()},
            {name: one.profile.decimals for name, one in measured.items()},
            {name: numbers.spread(*one.core) for name, one in measured.items()},
            frozenset(name for name, one in measured.items() if one.stratum and one.grid is None),
        )
        present = {name: int(one.core[1].sum()) for name, one in measured.items()}
        found = search(ground, _groups(measured.values()), rows, present)
        needed = {name for tie in found.ties for name in (tie.derived, *tie.parents)}
        whole = {
            name: np.where(np.isin(values, measured[name].codes), np.nan, values)
            for name, values in self.source.numbers(needed).items()
        }
        return Search(verified(found.ties, whole), found.not_searched)

    def _field(self, column: _Column, ties: Sequence[Tie]) -> Field:
        profile = column.profile
        own = tuple(tie.text for tie in ties if tie.derived == profile.name)
        tolerance = None if column.tolerance is None else Tolerance(column.tolerance)
        number = column.type in (FieldType.INTEGER, FieldType.DECIMAL, FieldType.REAL)
        return Field(
            table=self.source.name,
            name=profile.name,
            column=profile.name,
            type=column.type,
            role=column.role,
            title=_title(profile.facts.title, column.notes),
            unit=roles.unit(profile),
            decimals=(profile.decimals or 0) if number and column.type is not FieldType.REAL else None,
            grid=column.grid if column.measured else None,
            stratum=column.stratum,
            tolerance=tolerance,
            high=column.caps[-1] if column.caps else None,
            missing_codes=_missing_codes(column),
            ties=own,
            mark=tolerance is not None,
            public_values=bool(column.area),
            guess=True,
        )


def _undivided(columns: Sequence[_Column]) -> list[str]:
    more = sum(one.type is FieldType.CATEGORY and len(one.profile.labels) > 0 for one in columns) - MOST_DIVIDING
    return [f"whether the last {more} categories divide or name columns of numbers"] if more > 0 else []


def _is_coded(profile: Profile, codes: tuple[float, ...]) -> bool:
    """Whether numbers are codes, answers or scores: few, named so, uneven, or with lettered codes among them."""
    if not profile.numeric:
        return False
    if any(_LETTERED.fullmatch(cell) for cell in profile.unread) or bool(profile.facts.value_labels):
        return True
    if profile.kind is not FieldType.INTEGER:
        return False
    values, counts = numbers.without(profile.values, profile.counts, codes)
    if len(values) < numbers.FEWEST_MEASURED or roles.named_code(profile):
        return True
    return numbers.jumps(values, counts, numbers.grid_of(values, counts, 0)) > _MOST_JUMPS


def _judged(column: _Column, stratum: Profile | None, main: Profile | None, dividing: Sequence[Profile]) -> _Column:
    """Conclude grid, fills, caps and tolerance of a column of measurements."""
    if not column.measured or not column.profile.numeric:
        return column
    profile = column.profile
    filled = {*numbers.fills(*column.core, profile.decimals or 0)}
    filled |= set(strata.stratum_fills(profile, stratum, column.codes)) if stratum else set()
    if filled:
        column = replace(column, codes=(*column.codes, *sorted(filled))).noted("fills below a limit of detection")
    caps = strata.caps(profile, column.codes, main)
    if caps:
        column = replace(column, caps=caps).noted("top-coded")
    column = replace(
        column,
        stratum=stratum.name if stratum else None,
        grid=strata.grid(profile, column.codes, stratum),
        area=next((one.name for one in dividing if strata.is_area(one, profile)), ""),
    )
    if column.area:
        return column.noted(f"one value for each {column.area}: known elsewhere")
    mixture = next((one.name for one in dividing if strata.mixes(profile, one)), "")
    if mixture:
        return column.noted(f"holds different quantities by {mixture}: give each a column of its own to have it marked")
    decided = next((one.name for one in dividing if strata.decides(profile, one)), "")
    return column.noted(f"decides {decided}, which a mark would contradict") if decided else _tolerated(column)


def _tolerated(column: _Column) -> _Column:
    """Propose a tolerance where a mark may be: not in what is exact by its nature."""
    profile = column.profile
    if roles.is_age(profile) or roles.is_time(profile) or roles.is_weight(profile):
        return column.noted("exact by its nature: not proposed for marking")
    amount = ROOM * numbers.spread(*column.core)
    if amount <= 0 or len(column.core[0]) < numbers.FEWEST_MEASURED:
        return column
    if amount < (column.grid or profile.unit):
        return column.noted(SMALL_SPREAD)
    return replace(column, tolerance=float(f"{amount:.1e}")).noted(FROM_SPREAD)


def _valued(column: _Column) -> numbers.Floats:
    return np.where(np.isin(column.profile.pool, column.codes), np.nan, column.profile.pool)


def _groups(columns: Iterable[_Column]) -> list[list[str]]:
    """Put together columns whose names begin alike, and those of one unit; of a narrow table, all."""
    profiles = [column.profile for column in columns]
    if len(profiles) <= MOST_TRIPLED // 2:
        return [[profile.name for profile in profiles]] if len(profiles) > 2 else []
    groups: dict[str, list[str]] = {}
    for profile in profiles:
        groups.setdefault("".join(roles.words(profile.name))[:2], []).append(profile.name)
        if roles.unit(profile):
            groups.setdefault(f"unit {roles.unit(profile)}", []).append(profile.name)
    distinct: Mapping[tuple[str, ...], None] = dict.fromkeys(
        tuple(names) for names in groups.values() if len(names) > 2
    )
    return [list(names) for names in distinct]


def _missing_codes(column: _Column) -> tuple[str, ...]:
    written = [*column.profile.unread]
    written += [cell.strip() for cell in column.profile.texts if cell.strip().lower() in _WORDS]
    written += [str(int(code)) if code.is_integer() else repr(code) for code in column.codes]
    return tuple(dict.fromkeys(written))


def _title(told: str, notes: Sequence[str]) -> str:
    plain = " ".join(told.split())
    return f"{plain} [{'; '.join(notes)}]".strip() if notes else plain
