"""The reference cohort, small, with its index; and copies of it as a leaker would hold them."""

from collections.abc import Sequence

import numpy as np
import polars as pl
import pyarrow as pa
import pytest

from bench.cohort import TABLE, Cohort, generate
from copyhold.engines.matching.index import TableIndex, build_index
from copyhold.engines.matching.leaked import LeakedColumn, leaked_column
from copyhold.engines.tables.columns import typed

ROWS = 20_000


@pytest.fixture(scope="session")
def cohort() -> Cohort:
    return generate(ROWS, seed=1)


@pytest.fixture(scope="session")
def index(cohort: Cohort, tmp_path_factory: pytest.TempPathFactory) -> TableIndex:
    folder = tmp_path_factory.mktemp("cohort")
    snapshot = cohort.write(folder / "snapshot.parquet")
    return build_index(snapshot, cohort.dictionary, TABLE, folder / "index", version="v1")


@pytest.fixture(scope="session")
def steps(cohort: Cohort) -> dict[str, float]:
    """Steps of a tenth of the tolerance, never below the last place."""
    return {
        field.name: max(1, round(0.1 * field.tolerance.amount * 10**field.decimals)) / 10**field.decimals
        for field in cohort.dictionary.fields
        if field.tolerance and field.decimals is not None
    }


@pytest.fixture(scope="session")
def copy(cohort: Cohort, steps: dict[str, float]) -> pl.DataFrame:
    """One marked copy: every marked value moved by one step up, one down, or left."""
    rng = np.random.default_rng(7)
    frame = pl.from_arrow(cohort.table())
    assert isinstance(frame, pl.DataFrame)
    marked = {name: frame[name].to_numpy() + step * rng.integers(-1, 2, frame.height) for name, step in steps.items()}
    decimals = {field.name: field.decimals or 0 for field in cohort.dictionary.fields}
    return frame.with_columns(
        pl.Series(name, np.round(values, decimals[name])).fill_nan(None) for name, values in marked.items()
    ).drop("__participant")


def leaked(frame: pl.DataFrame) -> list[LeakedColumn]:
    """The columns of a leaked file, `__row` being the truth that no leak carries."""
    shown = frame.drop("__row", strict=False).to_arrow()
    return [leaked_column(name, typed(_plain(shown.column(name)))) for name in shown.column_names]


def _plain(column: pa.ChunkedArray) -> pa.ChunkedArray:
    return column.cast(pa.string()) if pa.types.is_large_string(column.type) else column


def renamed(frame: pl.DataFrame, seed: int) -> tuple[pl.DataFrame, dict[str, str]]:
    """Shuffle and rename the columns but the truth; return the field behind each new name as well."""
    names = [name for name in frame.columns if name != "__row"]
    order = [names[place] for place in np.random.default_rng(seed).permutation(len(names))]
    new = {name: f"v{place}" for place, name in enumerate(order)}
    return frame.select(["__row", *order]).rename(new), {code: name for name, code in new.items()}


def named(fields: Sequence[str]) -> list[str]:
    """The truth beside the given fields."""
    return ["__row", *fields]
