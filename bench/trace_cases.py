"""The rows of the table of traces: what is done to a copy before it leaks, and at how many rows its holder is named.

A case gives the leak as a frame whose first n rows are a leak of n rows, so that the same leak can be asked how many of
its rows suffice. Bars stand in tracing.md, section 10; where none stands (None) the bar is 1.25 times what the
calculator foresees on the data at hand. Nothing here knows a key.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import numpy as np
import openpyxl
import polars as pl
import pyarrow as pa

from bench.attribution import World, write
from bench.cohort import generate
from bench.disguises import (
    Coalition,
    colluding,
    converted,
    deciles,
    noisy,
    replaced,
    rounded,
    write_tsv,
)

FIVE = ("ldl", "hdl", "glucose", "creatinine", "bmi")
EIGHT = ("ldl", "hdl", "glucose", "creatinine", "hba1c", "triglycerides", "urate", "albumin")
CONVERTED = {  # three units of another country: factor, offset, decimals as its laboratories print them
    "glucose": (18.016, 0.0, 1),
    "cholesterol": (38.67, 0.0, 1),
    "creatinine": (1 / 88.42, 0.0, 2),
}
UPDATED = 0.1  # share of cells that a refresh changes
WRONG_DIGITS = 0.02
FOREIGN = 2_000  # people of the same population that are in no copy

Rng = np.random.Generator
Frame = pl.DataFrame


@dataclass(frozen=True)
class Leak:
    """Rows as they leak, whose they are, and how they are written."""

    frame: Frame
    parties: tuple[int, ...]
    write: Callable[[Frame, Path], Path] = write


@dataclass(frozen=True)
class Case:
    """One attack, the world it is tried in, and its bar by design; `without_name` says that naming nobody passes too.

    `colluders` is the number of parties of whom all must be named, 0 where one suffices; `keeps_ids` leaves the id
    column in the leak, under a scrambled name as all are.
    """

    number: str
    what: str
    leak: Callable[[World, int, Rng], Leak]
    bars: Mapping[str, int | None]
    world: str = "cohort"
    colluders: int = 0
    keeps_ids: bool = False
    without_name: tuple[str, ...] = field(default=())

    @property
    def provisional(self) -> bool:
        """Whether the bar was set from what the first build found, and is measured for that."""
        return self.number in ("11", "22b")

    @property
    def starred(self) -> bool:
        """Whether the calculator sets the bar."""
        return None in self.bars.values()


Attack = Callable[[World, Frame, Rng], Frame]


def alone(attack: Attack) -> Callable[[World, int, Rng], Leak]:
    """Leak rows of one party's copy after an attack."""

    def leak(world: World, rows: int, rng: Rng) -> Leak:
        party = int(rng.integers(world.parties))
        return Leak(attack(world, world.copy(party, world.sampled(rows, rng)), rng), (party,))

    return leak


def together(colluders: int, coalition: Coalition) -> Callable[[World, int, Rng], Leak]:
    """Leak rows that several parties made of their copies, cell by cell."""

    def leak(world: World, rows: int, rng: Rng) -> Leak:
        parties = tuple(rng.choice(world.parties, colluders, replace=False).tolist())
        chosen = world.sampled(rows, rng)
        copies = [world.copy(party, chosen) for party in parties]
        return Leak(colluding(copies, coalition, _marked(world), rng, decimals=world.decimals), parties)

    return leak


def untouched(world: World, frame: Frame, rng: Rng) -> Frame:
    """Leak the copy as it is."""
    return frame


def abroad(world: World, rows: int, rng: Rng) -> Leak:
    """Leak through a spreadsheet of another country, three columns in other units."""
    one = alone(lambda world, frame, rng: converted(frame, CONVERTED))(world, rows, rng)
    return Leak(one.frame, one.parties, _through_a_spreadsheet)


def with_original(share: float) -> Callable[[World, int, Rng], Leak]:
    """Leak a copy of whose cells a share was put back to the original."""

    def leak(world: World, rows: int, rng: Rng) -> Leak:
        party, chosen = int(rng.integers(world.parties)), world.sampled(rows, rng)
        frame, original = world.copy(party, chosen), world.original(chosen)
        return Leak(replaced(frame.select(original.columns), original, share, rng), (party,))

    return leak


def with_others(share: float) -> Callable[[World, int, Rng], Leak]:
    """Leak a copy of whose cells a share is other people's."""

    def leak(world: World, rows: int, rng: Rng) -> Leak:
        party = int(rng.integers(world.parties))
        frame, donors = (world.copy(party, world.sampled(rows, rng)) for _ in range(2))
        return Leak(replaced(frame, donors, share, rng), (party,))

    return leak


def among_foreign(share: float) -> Callable[[World, int, Rng], Leak]:
    """Leak rows of a copy among rows of people whom the master does not know."""

    def leak(world: World, rows: int, rng: Rng) -> Leak:
        party, foreign = int(rng.integers(world.parties)), round(rows * share)
        own = world.copy(party, world.sampled(rows - foreign, rng)).drop(world.ids)
        strangers = _strangers().select(own.columns).cast(dict(own.schema))
        both = pl.concat([own, strangers[rng.choice(FOREIGN, foreign, replace=False)]])
        return Leak(both[rng.permutation(rows)], (party,))

    return leak


def as_deciles(world: World, rows: int, rng: Rng) -> Leak:
    """Leak the decile of every marked value, cut where the leaker's whole copy says."""
    party = int(rng.integers(world.parties))
    whole = world.copy(party, np.arange(world.index.rows))
    return Leak(deciles(whole[world.sampled(rows, rng)], whole, _marked(world)), (party,))


def averaged_with_a_refresh(world: World, rows: int, rng: Rng) -> Leak:
    """Leak the mean of a copy and of the same party's copy of a later version."""
    party, chosen = int(rng.integers(world.parties)), world.rows(world.sampled(rows, rng))
    later = world.marked(world.keys[party], _updated(world, chosen, rng))
    first = world.marked(world.keys[party], chosen)
    return Leak(colluding([first, later], Coalition.AVERAGE, _marked(world), rng, decimals=world.decimals), (party,))


def retyped(world: World, frame: Frame, rng: Rng) -> Frame:
    """Type eight columns by hand, with two wrong digits in a hundred."""
    return frame.select(_mistyped(frame[name], world.decimals[name], rng) for name in EIGHT)


def ids_beside_the_original(world: World, rows: int, rng: Rng) -> Leak:
    """Leak unmarked content under a party's ids."""
    party, chosen = int(rng.integers(world.parties)), world.sampled(rows, rng)
    ids = world.copy(party, chosen).select(world.ids)
    return Leak(pl.concat([ids, world.original(chosen)], how="horizontal"), (party,))


def ids_only(world: World, frame: Frame, rng: Rng) -> Frame:
    """Leak a list of ids."""
    return frame.select(world.ids)


def duplicated(world: World, rows: int, rng: Rng) -> Leak:
    """Leak ten rows again and again with jitter, from a copy that no party was given."""
    frame = world.marked(world.stranger, world.rows(world.sampled(10, rng)))
    again = frame[np.arange(rows) % 10]
    return Leak(noisy(again, world.tolerances, 0.03, 3, rng), ())


def tied(world: World, rows: int, rng: Rng) -> Leak:
    """Leak five coarse columns of a copy that no party was given, so that many master rows fit each."""
    frame = world.marked(world.stranger, world.rows(world.sampled(rows, rng)))
    return Leak(frame.select("bmi", "systolic", "diastolic", "pulse", "height"), ())


def _one_copy(share: float) -> Attack:
    return lambda world, frame, rng: noisy(frame, world.tolerances, share, 3, rng)


# fmt: off
CASES: Sequence[Case] = (
    Case("1", "none", alone(untouched), {"A": 7, "B": 4}),
    Case("2", "ids of 15 digits on unmarked rows", ids_beside_the_original, {"A": 1, "B": 1}, keeps_ids=True),
    Case(
        "2",
        "ids of 7 digits on unmarked rows",
        ids_beside_the_original,
        {"A": 3, "B": 3},
        "cohort, 7 digits",
        keeps_ids=True,
    ),
    Case("2", "ids of 15 digits alone", alone(ids_only), {"A": 2, "B": 2}, keeps_ids=True),
    Case("2", "ids of 7 digits alone", alone(ids_only), {"A": 15, "B": 15}, "cohort, 7 digits", keeps_ids=True),
    Case("3", "five columns kept", alone(lambda world, frame, rng: frame.select(FIVE)), {"A": None, "B": None}),
    Case("4", "spreadsheet, decimal comma, other dates and units", abroad, {"A": 7, "B": 4}),
    Case(
        "5",
        "rounded to the tolerance",
        alone(lambda world, frame, rng: rounded(frame, world.tolerances)),
        {"A": None, "B": None},
    ),
    *(
        Case("6", f"noise of {share:g} tolerances", alone(_one_copy(share)), {"A": None, "B": None})
        for share in (0.1, 0.3, 1.0)
    ),
    Case("7", "half of the rows foreign", among_foreign(0.5), {"A": 18, "B": 10}),
    Case("7", "nine tenths of the rows foreign", among_foreign(0.9), {"A": 100, "B": 50}),
    Case("8", "a fifth of the cells other people's", with_others(0.2), {"A": None, "B": None}),
    Case("8", "a fifth of the cells the original's", with_original(0.2), {"A": None, "B": None}),
    Case("9", "decile numbers", as_deciles, {"A": None, "B": None}),
    *(
        Case("10", f"{c} colluders, random choice", together(c, Coalition.RANDOM), {"A": a, "B": b})
        for c, a, b in ((2, 30, 15), (3, 64, 32), (5, 155, 77))
    ),
    *(
        Case("11", f"{c} copies averaged", together(c, Coalition.AVERAGE), {"A": a, "B": b})
        for c, a, b in ((5, 45, 18), (10, 75, 40), (20, 200, 100))
    ),
    *(
        Case("12", f"{way} of {c} copies", together(c, way), {"A": a, "B": b})
        for c, a, b in ((5, 110, 55), (10, 430, 215))
        for way in (Coalition.MINIMUM, Coalition.MAXIMUM)
    ),
    Case("13", "10 colluders, random choice, the first", together(10, Coalition.RANDOM), {"A": 525, "B": 260}),
    Case(
        "13", "10 colluders, random choice, all", together(10, Coalition.RANDOM), {"A": None, "B": None}, colluders=10
    ),
    Case("14", "5 colluders, minority", together(5, Coalition.MINORITY), {"A": 83, "B": 41}),
    Case("14", "5 colluders, coin", together(5, Coalition.COIN), {"A": 340, "B": 170}),
    Case(
        "16",
        "rows aligned wrongly on purpose",
        alone(untouched),
        {"A": 100, "B": 100},
        "cohort, misaligned",
        without_name=("A", "B"),
    ),
    Case("16", "ten rows repeated with jitter", duplicated, {"A": 200, "B": 200}, without_name=("A", "B")),
    Case("16", "ties in every row", tied, {"A": 200, "B": 200}, without_name=("A", "B")),
    Case("17", "averaged with a refresh", averaged_with_a_refresh, {"A": 7, "B": 4}),
    Case("20", "Adult", alone(untouched), {"A": None, "B": None}, "Adult"),
    Case("21", "NHANES", alone(untouched), {"A": 10, "B": 6}, "NHANES"),
    Case("22", "codes and answers alone", alone(untouched), {"A": 500}, "codes", without_name=("A",)),
    Case("22", "codes with shifted dates", alone(untouched), {"A": 500}, "dates", without_name=("A",)),
    Case("22b", "12 x 8 numbers retyped", alone(retyped), {"A": 12, "B": 12}, without_name=("A",)),
)
# fmt: on


def _marked(world: World) -> list[str]:
    return [column.field for column in world.plan.columns]


@cache
def _strangers() -> Frame:
    return pl.DataFrame(pl.from_arrow(generate(FOREIGN, 99).table()))


def _updated(world: World, rows: pa.Table, rng: Rng) -> pa.Table:
    """Measure a tenth of the cells again."""
    for name, tolerance in world.tolerances.items():
        values = rows[name].to_numpy()
        again = np.round(values + 3 * tolerance * rng.standard_normal(len(values)), world.decimals[name])
        fresh = np.where(rng.random(len(values)) < UPDATED, np.maximum(again, 0.0), values)
        rows = rows.set_column(rows.schema.get_field_index(name), name, pa.array(fresh, from_pandas=True))
    return rows


def _mistyped(column: pl.Series, decimals: int, rng: Rng) -> pl.Series:
    typed = [None if value is None else _with_slips(f"{value:.{decimals}f}", rng) for value in column.to_list()]
    return pl.Series(column.name, typed, pl.String)


def _with_slips(number: str, rng: Rng) -> str:
    return "".join(
        str((int(one) + rng.integers(1, 10)) % 10) if one.isdigit() and rng.random() < WRONG_DIGITS else one
        for one in number
    )


def _through_a_spreadsheet(frame: Frame, folder: Path) -> Path:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(frame.columns)
    for row in pl.read_csv(write(frame, folder), try_parse_dates=True).iter_rows():
        sheet.append(row)
    book.save(folder / "leak.xlsx")
    header, *rows = openpyxl.load_workbook(folder / "leak.xlsx").active.iter_rows(values_only=True)
    shown = pl.DataFrame(rows, schema=list(header), orient="row", infer_schema_length=None)
    return write_tsv(shown.with_columns(pl.col(pl.Datetime).cast(pl.Date)), folder / "leak.tsv")
