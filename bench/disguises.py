"""What leakers do to copies: the attacks of the trace benches, as functions on data frames.

A frame is one copy, or some rows of it, under canonical names with numbers as floats, dates as dates and categories as
text. Nothing here knows a key or a plan; `tolerances` are the declared ones, by field.
"""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

Floats = NDArray[np.float64]


class Coalition(StrEnum):
    """How several copies are made one, cell by cell."""

    RANDOM = "random"
    AVERAGE = "average"
    MINIMUM = "min"
    MAXIMUM = "max"
    MINORITY = "minority"
    MAJORITY = "majority"
    COIN = "coin"


def sampled(frame: pl.DataFrame, rows: int, rng: np.random.Generator) -> pl.DataFrame:
    """Take rows at random, in random order."""
    return frame[rng.choice(frame.height, rows, replace=False)]


def anonymous(frame: pl.DataFrame, rng: np.random.Generator, *, ids: Sequence[str] = ()) -> pl.DataFrame:
    """Drop the ids, shuffle rows and columns, and name the columns v1, v2, ..."""
    kept = [name for name in frame.columns if name not in ids]
    shuffled = [kept[place] for place in rng.permutation(len(kept))]
    some = frame.select(shuffled)[rng.permutation(frame.height)]
    return some.rename({name: f"v{place}" for place, name in enumerate(shuffled, start=1)})


def rounded(frame: pl.DataFrame, tolerances: Mapping[str, float]) -> pl.DataFrame:
    """Round each marked column to the least of 1-2-5 x 10^k that is at least its tolerance."""
    return frame.with_columns(
        pl.Series(name, _on_grid(_floats(frame, name), coarse_grid(tolerance))).fill_nan(None)
        for name, tolerance in tolerances.items()
        if name in frame.columns
    )


def coarse_grid(tolerance: float) -> float:
    """The least of 1-2-5 x 10^k that is at least `tolerance`."""
    power = np.floor(np.log10(tolerance))
    return float(next(one * 10.0**power for one in (1, 2, 5, 10) if one * 10.0**power >= tolerance * (1 - 1e-9)))


def noisy(
    frame: pl.DataFrame, tolerances: Mapping[str, float], share: float, decimals: int, rng: np.random.Generator
) -> pl.DataFrame:
    """Add normal noise of `share` tolerances to each marked column, written with `decimals` decimals."""
    return frame.with_columns(
        pl.Series(
            name, np.round(_floats(frame, name) + share * tolerance * rng.standard_normal(frame.height), decimals)
        ).fill_nan(None)
        for name, tolerance in tolerances.items()
        if name in frame.columns
    )


def replaced(frame: pl.DataFrame, donors: pl.DataFrame, share: float, rng: np.random.Generator) -> pl.DataFrame:
    """Replace a share of the cells of every column by those of `donors`, row for row."""
    return frame.with_columns(
        pl.Series(name, np.where(rng.random(frame.height) < share, donors[name].to_numpy(), frame[name].to_numpy()))
        .cast(frame[name].dtype)
        .alias(name)
        for name in frame.columns
    )


def with_foreign(frame: pl.DataFrame, foreign: pl.DataFrame, rng: np.random.Generator) -> pl.DataFrame:
    """Mix in rows of other people."""
    both = pl.concat([frame, foreign.select(frame.columns).cast(dict(frame.schema))])
    return both[rng.permutation(both.height)]


def deciles(frame: pl.DataFrame, whole: pl.DataFrame, fields: Sequence[str]) -> pl.DataFrame:
    """Write 1 to 10 for the decile of each value, with cuts from the leaker's whole copy."""
    cuts = {name: np.nanquantile(_floats(whole, name), np.arange(0.1, 0.95, 0.1)) for name in fields}
    numbers = {name: 1.0 + np.searchsorted(cuts[name], _floats(frame, name), side="left") for name in fields}
    return frame.with_columns(
        pl.Series(name, np.where(np.isnan(_floats(frame, name)), np.nan, decile)).fill_nan(None)
        for name, decile in numbers.items()
    )


def converted(frame: pl.DataFrame, units: Mapping[str, tuple[float, float, int]]) -> pl.DataFrame:
    """Write columns in another unit: factor x value + offset, rounded to so many decimals."""
    return frame.with_columns(
        pl.Series(name, np.round(_floats(frame, name) * factor + offset, decimals)).fill_nan(None)
        for name, (factor, offset, decimals) in units.items()
    )


def colluding(
    copies: Sequence[pl.DataFrame],
    coalition: Coalition,
    fields: Sequence[str],
    rng: np.random.Generator,
    *,
    decimals: Mapping[str, int] | None = None,
) -> pl.DataFrame:
    """Make one table of several copies of the same rows.

    Averages are rounded to the field's last place where `decimals` gives it. All other columns are the first copy's.
    """
    merged = {}
    for name in fields:
        values = np.array([_floats(copy, name) for copy in copies])
        shown = _merged(values, coalition, rng)
        merged[name] = np.round(shown, decimals[name]) if decimals and name in decimals else shown
    return copies[0].with_columns(pl.Series(name, shown).fill_nan(None) for name, shown in merged.items())


def write_tsv(frame: pl.DataFrame, path: Path, *, decimal_comma: bool = True, dates: str = "%d.%m.%Y") -> Path:
    """Write a tab-separated file as a spreadsheet of another country does."""
    written = frame.with_columns(
        pl.col(pl.Date).dt.strftime(dates),
        pl.col(pl.Float64).map_elements(lambda value: f"{value:.12g}", return_dtype=pl.String),
    )
    if decimal_comma:
        numbers = [name for name, kind in frame.schema.items() if kind == pl.Float64]
        written = written.with_columns(pl.col(numbers).str.replace(".", ",", literal=True))
    written.write_csv(path, separator="\t")
    return path


def _merged(values: Floats, coalition: Coalition, rng: np.random.Generator) -> Floats:
    low, high = values.min(axis=0), values.max(axis=0)
    if coalition is Coalition.RANDOM:
        return np.asarray(values[rng.integers(0, len(values), values.shape[1]), np.arange(values.shape[1])])
    if coalition is Coalition.AVERAGE:
        return np.asarray(values.mean(axis=0))
    if coalition is Coalition.MINIMUM:
        return np.asarray(low)
    if coalition is Coalition.MAXIMUM:
        return np.asarray(high)
    showing_high = (values == high).sum(axis=0) - (values == low).sum(axis=0)
    coin = np.where(rng.random(values.shape[1]) < 0.5, low, high)
    if coalition is Coalition.COIN:
        return np.asarray(coin)
    wins = showing_high > 0 if coalition is Coalition.MAJORITY else showing_high < 0
    return np.asarray(np.where((showing_high == 0) | (low == high), coin, np.where(wins, high, low)))


def _on_grid(values: Floats, width: float) -> Floats:
    decimals = max(0, -int(np.floor(np.log10(width))))
    return np.asarray(np.round(np.rint(values / width) * width, decimals))


def _floats(frame: pl.DataFrame, name: str) -> Floats:
    return np.asarray(frame[name].cast(pl.Float64).to_numpy(), dtype=np.float64)
