"""Narrowing a leak of an unmarked copy to the past releases that could have produced it.

A register of 50 overlapping releases is drawn for each seed: cohorts by conditions and random parts, fields by chance,
three versions with 10 % of the cells updated and 5 % more people each time, 30 withdrawals before every release, and
every fourth release an earlier one issued again with the version and the withdrawals of its own day. One per cent of
the rows of one release leaks without ids, rows and columns shuffled, columns renamed. It is matched to the newest
version by the matching engine and narrowed.

Rows: "23" as said; "alike" all releases with the same fields, every second an earlier one again, six columns leaked;
"disguised" a tenth of the cells other people's and a tenth of the rows foreign; "22" a table without numbers (diagnosis
codes with dates, age, sex, month of birth, deprivation, yes/no answers); "22, no dates" the same without the dates.

The floor in the same run is the set that a reader without any error would leave, from the true rows and fields. Bars:
the true release in the set in 95 % of the trials; for "23" a median set of at most 3.

    python -m bench.narrowing [--seeds 40] [--people 100000] [--only ROW]
"""

import argparse
import json
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from bench.cohort import TABLE, generate, tolerances
from bench.disguises import anonymous, replaced, sampled, with_foreign
from bench.trials import RESULTS, Outcome, Trials, by_row
from copyhold.domain.catalogue import Dictionary, Field, FieldType, Role
from copyhold.engines.matching.index import TableIndex, build_index
from copyhold.engines.matching.leaked import LeakedColumn, leaked_column
from copyhold.engines.matching.tables import match_table
from copyhold.engines.reading.signature import PastCopy, narrowed
from copyhold.engines.reading.traits import sighting
from copyhold.engines.tables.blocks import PARTICIPANT, ROW
from copyhold.engines.tables.columns import typed
from copyhold.entrypoints.replies.charts import Axis, Series, line_chart

CHART = Path(__file__).parents[1] / "docs" / "evidence" / "narrowing.svg"
RELEASES, VERSIONS = 50, 3
LEAKED = 0.01  # share of the release's rows
UPDATED = 0.1  # share of cells that a version changes
JOINED = 0.05  # share of people that a version adds
WITHDRAWN = 30  # people who withdraw between two releases
AGAIN, AGAIN_ALIKE = 4, 2  # every so manieth release is an earlier one issued again
FOREIGN = REPLACED = 0.1
FEW_COLUMNS = 6
KEPT_BAR, SIZE_BAR = 0.95, 3
MOST_LEVELS = 22  # of a category that a project chooses its people by
SHARES = (1.0, 0.5, 0.3)
SURE = 0.01 / 40  # doubt up to which a field is told as found
NOBODY = 2**40  # row number of foreign rows
WIDEST = 12
ROWS = ("23", "alike", "disguised", "22, no dates", "22")
YES_NO, CODES, DIAGNOSES = 16, 500, 4


@dataclass(frozen=True)
class Master:
    """The versions of one dataset: people join at the end, so that a row's place is its participant in all of them."""

    versions: tuple[pl.DataFrame, ...]
    foreign: pl.DataFrame
    dictionary: Dictionary
    folder: Path

    @property
    def fields(self) -> list[str]:
        """Names of the fields."""
        return [field.name for field in self.dictionary.fields]

    @cached_property
    def levels(self) -> dict[str, list[str]]:
        """The values by which a project may choose its people, by category."""
        newest = self.versions[-1]
        named = {field.name for field in self.dictionary.fields if field.type is FieldType.CATEGORY}
        levels = {name: newest[name].unique().sort().to_list() for name in sorted(named)}
        return {name: some for name, some in levels.items() if len(some) <= MOST_LEVELS}

    @cached_property
    def indexes(self) -> dict[int, TableIndex]:
        """The index of each version, by number."""
        self.folder.mkdir()
        built = {}
        for number, frame in enumerate(self.versions, start=1):
            snapshot = self.folder / f"{number}.parquet"
            pq.write_table(frame.to_arrow(), snapshot)
            built[number] = build_index(
                snapshot, self.dictionary, TABLE, self.folder / str(number), version=f"v{number}"
            )
        return built


@dataclass(frozen=True)
class Recipe:
    """What a project asked for: fields, the categories its people have, and a random part of them."""

    fields: tuple[str, ...]
    conditions: tuple[tuple[str, tuple[str, ...]], ...]
    share: float
    lot: int  # of the random part; the same when the release is issued again


def master(people: int, folder: Path, *, numbers: bool) -> Master:
    """Draw a dataset with its versions: the reference cohort, or a table without numbers."""
    if numbers:
        cohort = generate(people, seed=1)
        whole, foreign = _frame(cohort.table()), _frame(generate(people // 50, seed=2).table())
        return _with_versions(whole, foreign, cohort.dictionary, tolerances(cohort), folder)
    whole, foreign = answers(people, seed=1), answers(people // 50, seed=2)
    return _with_versions(whole, foreign, answers_dictionary(), {}, folder)


def answers(people: int, seed: int) -> pl.DataFrame:
    """Draw people of whom no measurement is known: codes with dates, age, sex, month of birth, deprivation, answers."""
    rng = np.random.default_rng([seed, people])
    shares = 1 / np.arange(1, CODES + 1) ** 0.7
    columns: dict[str, object] = {
        ROW: np.arange(people, dtype=np.uint64),
        PARTICIPANT: np.arange(people, dtype=np.uint64),
        "age": rng.integers(40, 80, people).astype(np.float64),
        "sex": rng.choice(["f", "m"], people),
        "born_in": rng.integers(1, 13, people).astype(str),
        "deprivation": rng.integers(1, 11, people).astype(str),
    }
    for number in range(YES_NO):
        columns[f"answer{number}"] = np.where(rng.random(people) < rng.uniform(0.05, 0.5), "yes", "no")
    days = np.sort(rng.integers(10957, 19723, (people, DIAGNOSES)), axis=1)  # in 2000 to 2023
    for number in range(DIAGNOSES):
        columns[f"code{number}"] = np.char.add("D", rng.choice(CODES, people, p=shares / shares.sum()).astype(str))
        columns[f"coded_on{number}"] = pl.Series(days[:, number].astype(np.int32)).cast(pl.Date)
    return pl.DataFrame(columns)


def answers_dictionary() -> Dictionary:
    """What the fields of `answers` mean."""
    types = {"age": FieldType.INTEGER} | {f"coded_on{number}": FieldType.DATE for number in range(DIAGNOSES)}
    names = [name for name in answers(2, seed=0).columns if name not in (ROW, PARTICIPANT)]
    return Dictionary(
        tuple(Field(TABLE, name, name, types.get(name, FieldType.CATEGORY), Role.QUASI, decimals=0) for name in names)
    )


def register(made: Master, rng: np.random.Generator, *, alike: bool) -> list[PastCopy]:
    """Draw the past releases, oldest first; `alike` gives all of them the same fields."""
    recipes: list[Recipe] = []
    shared, every = (_fields(made, rng), AGAIN_ALIKE) if alike else (None, AGAIN)
    leaving = rng.permutation(made.versions[-1].height)[: RELEASES * WITHDRAWN].astype(np.uint64)
    copies = []
    for number in range(RELEASES):
        again = number > every and number % every == 0
        recipes.append(recipes[rng.integers(number)] if again else _recipe(made, shared or _fields(made, rng), rng))
        version = 1 + number * VERSIONS // RELEASES
        withdrawn = np.sort(leaving[: number * WITHDRAWN])
        people = np.setdiff1d(_people(made, version, recipes[-1]), withdrawn, assume_unique=True)
        copies.append(PastCopy(f"rel_{number:02}", frozenset(recipes[-1].fields), version, people, withdrawn))
    return copies


def leak(made: Master, copy: PastCopy, row: str, rng: np.random.Generator) -> pl.DataFrame:
    """Take one per cent of a release, as the row of the bench has it; the rows' numbers stay as the truth."""
    frame = _copy(made, copy).select([ROW, *_shown(copy, row, rng)])
    some = sampled(frame, max(1, round(LEAKED * frame.height)), rng)
    if row != "disguised":
        return some
    mixed = replaced(some, sampled(frame, some.height, rng), REPLACED, rng).with_columns(some[ROW])
    strangers = sampled(made.foreign.with_columns(pl.lit(NOBODY).alias(ROW)), round(some.height * FOREIGN), rng)
    return with_foreign(mixed, strangers, rng)


def trial(made: Master, row: str, seed: int) -> Outcome:
    """Draw a register and a leak, and narrow it."""
    rng = np.random.default_rng([ROWS.index(row), seed])
    copies = register(made, rng, alike=row == "alike")
    true = copies[rng.integers(RELEASES)]
    frame = leak(made, true, row, rng)
    columns = _leaked(anonymous(frame, rng, ids=[ROW]))
    match = match_table(columns, made.indexes[VERSIONS], {})
    seen = sighting(columns, match, made.indexes[VERSIONS], made.indexes)
    found = narrowed(seen, copies)
    against = [ground.name for one in found.excluded if one.release == true.release for ground in one.grounds]
    return {
        "kept": true.release in found.consistent,
        "against": against,
        "size": len(found.consistent),
        "floor": _floor(made, frame, copies, true),
        "rows": frame.height,
        "columns": len(columns),
        "aligned": len(seen.participants),
        "misaligned": int(np.count_nonzero(~np.isin(seen.participants, frame[ROW].to_numpy()))),
        "fields": sum(doubt <= SURE for doubt in seen.fields.values()),
        "wrong_fields": sum(doubt <= SURE and name not in frame.columns for name, doubt in seen.fields.items()),
    }


def _with_versions(
    whole: pl.DataFrame,
    foreign: pl.DataFrame,
    dictionary: Dictionary,
    errors: Mapping[str, float],
    folder: Path,
) -> Master:
    """Make the versions; measurements are taken again with their own error, other cells are another person's."""
    rng = np.random.default_rng(3)
    decimals = {field.name: field.decimals or 0 for field in dictionary.fields}
    versions, current = [], whole
    for number in range(VERSIONS):
        if number:
            current = _updated(current, errors, decimals, rng)
        versions.append(current[: round(whole.height * (1 - JOINED * (VERSIONS - 1 - number)))])
    return Master(tuple(versions), foreign, dictionary, folder)


def _updated(
    frame: pl.DataFrame, errors: Mapping[str, float], decimals: Mapping[str, int], rng: np.random.Generator
) -> pl.DataFrame:
    again = frame[rng.permutation(frame.height)].with_columns(
        pl.Series(
            name, np.round(frame[name].to_numpy() + error * rng.standard_normal(frame.height), decimals[name])
        ).fill_nan(None)
        for name, error in errors.items()
    )
    kept = frame.select(ROW, PARTICIPANT)
    return replaced(frame, again, UPDATED, rng).with_columns(kept)


def _fields(made: Master, rng: np.random.Generator) -> tuple[str, ...]:
    names = made.fields
    return tuple(rng.choice(names, rng.integers(10, round(0.8 * len(names))), replace=False).tolist())


def _recipe(made: Master, fields: tuple[str, ...], rng: np.random.Generator) -> Recipe:
    conditions = []
    for name in rng.choice(list(made.levels), rng.integers(0, 3), replace=False).tolist():
        levels = made.levels[name]
        some = rng.choice(levels, rng.integers(-(-len(levels) // 2), len(levels) + 1), replace=False)
        conditions.append((name, tuple(some.tolist())))
    return Recipe(fields, tuple(conditions), float(rng.choice(SHARES)), int(rng.integers(2**32)))


def _people(made: Master, version: int, recipe: Recipe) -> NDArray[np.uint64]:
    frame = made.versions[version - 1]
    drawn = np.random.default_rng(recipe.lot).random(made.versions[-1].height)[: frame.height] < recipe.share
    for name, levels in recipe.conditions:
        drawn &= frame[name].is_in(levels).to_numpy()
    return frame[PARTICIPANT].to_numpy()[drawn]


def _shown(copy: PastCopy, row: str, rng: np.random.Generator) -> list[str]:
    fields = sorted(copy.fields)
    if row == "alike":
        return rng.choice(fields, FEW_COLUMNS, replace=False).tolist()
    return [name for name in fields if row != "22, no dates" or not name.startswith("coded_on")]


def _copy(made: Master, copy: PastCopy) -> pl.DataFrame:
    assert copy.participants is not None
    return made.versions[copy.version - 1][copy.participants.astype(np.int64)]


def _floor(made: Master, frame: pl.DataFrame, copies: Sequence[PastCopy], true: PastCopy) -> int:
    """Count the releases that hold the very fields and people of the leak, in a version that shows them alike."""
    people = np.setdiff1d(frame[ROW].to_numpy(), [NOBODY])
    fields = [name for name in frame.columns if name != ROW]
    values = [_rows(one, people, fields) for one in made.versions]
    alike = {number for number, one in enumerate(values, 1) if one.equals(values[true.version - 1])}
    return sum(
        copy.version in alike and copy.fields >= set(fields) and bool(np.isin(people, copy.participants).all())
        for copy in copies
    )


def _rows(frame: pl.DataFrame, people: NDArray[np.uint64], fields: Sequence[str]) -> pl.DataFrame:
    return frame.filter(pl.col(ROW).is_in(people)).select(fields)


def _frame(table: pa.Table) -> pl.DataFrame:
    frame = pl.from_arrow(table)
    assert isinstance(frame, pl.DataFrame)
    return frame


def _leaked(frame: pl.DataFrame) -> list[LeakedColumn]:
    table = frame.to_arrow()
    return [leaked_column(name, typed(_plain(table.column(name)))) for name in table.column_names]


def _plain(column: pa.ChunkedArray) -> pa.ChunkedArray:
    return column.cast(pa.string()) if pa.types.is_large_string(column.type) else column


def summary(lines: Sequence[Outcome]) -> dict[str, dict[str, float]]:
    """Give the figures of each row."""
    figures = {}
    for row, outcomes in by_row(lines):
        sizes, floors = (np.array([line[name] for line in outcomes], dtype=float) for name in ("size", "floor"))
        figures[row] = {
            "trials": len(outcomes),
            "true_in_set": float(np.mean([bool(line["kept"]) for line in outcomes])),
            "median_size": float(np.median(sizes)),
            "size_90": float(np.quantile(sizes, 0.9, method="higher")),
            "median_floor": float(np.median(floors)),
            "floor_90": float(np.quantile(floors, 0.9, method="higher")),
        }
    return figures


def chart(lines: Sequence[Outcome], figures: Mapping[str, Mapping[str, float]]) -> str:
    """Draw by row the share of trials whose set is no larger than a size."""
    series = []
    for row, outcomes in by_row(lines):
        sizes = np.array([line["size"] for line in outcomes])
        points = tuple((float(size), float(np.mean(sizes <= size))) for size in range(WIDEST + 1))
        series.append(Series(row, points))
    told = "; ".join(
        f"{row}: true release in the set in {figure['true_in_set']:.1%} of {figure['trials']:.0f} trials, "
        f"median size {figure['median_size']:g} (floor {figure['median_floor']:g})"
        for row, figure in figures.items()
    )
    across = Axis("releases in the set, of 50", 0, WIDEST)
    return line_chart(
        "Sets of releases that could have produced a leak", across, Axis("share of trials", 0, 1), series, told
    )


def main() -> None:
    """Run what is missing, print the table, write JSON and chart."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=40)
    parser.add_argument("--people", type=int, default=100_000)
    parser.add_argument("--only", default="")
    given = parser.parse_args()
    rows = [row for row in ROWS if given.only in ("", row)]
    with tempfile.TemporaryDirectory() as folder:

        @cache
        def made(numbers: bool) -> Master:
            return master(given.people, Path(folder) / str(numbers), numbers=numbers)

        lines = Trials("narrowing").run(
            rows, range(1, given.seeds + 1), lambda row, seed: trial(made(not row.startswith("22")), row, seed)
        )
    figures = summary(lines)
    (RESULTS / "narrowing.json").write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    CHART.parent.mkdir(parents=True, exist_ok=True)
    CHART.write_text(chart(lines, figures), encoding="utf-8")
    _print(figures)


def _print(figures: Mapping[str, Mapping[str, float]]) -> None:
    print(f"{'row':16}{'trials':>8}{'true in set':>13}{'median':>8}{'90 %':>6}{'floor':>7}{'90 %':>6}")
    for row, one in figures.items():
        print(
            f"{row:16}{one['trials']:8.0f}{one['true_in_set']:13.3f}{one['median_size']:8g}{one['size_90']:6g}"
            f"{one['median_floor']:7g}{one['floor_90']:6g}"
        )


if __name__ == "__main__":
    main()
