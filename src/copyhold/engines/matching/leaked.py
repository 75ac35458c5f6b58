"""A leaked column as it is compared with the master: its values, its kind, and the spacing of its digits."""

from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from copyhold.domain.catalogue import FieldType
from copyhold.engines.tables.columns import TypedColumn

_NUMERIC = (FieldType.INTEGER, FieldType.DECIMAL, FieldType.REAL)
_DATES = (FieldType.DATE, FieldType.DATETIME)
_DAY_SECONDS = 86_400.0
SAMPLE = 40  # leaked values that are compared with a distribution; more add nothing but time
_DIGITS = 12  # decimal digits that a double still tells from binary noise
_NOISE, _ROUNDING = 1e-9, 1e-15  # what binary numbers leave of a decimal: absolute, and relative to the value
_CHANCE = 1e-5  # probability below which a spacing is not put down to luck


class LeakKind(StrEnum):
    """How a leaked column may be compared."""

    NUMBER = "number"
    DATE = "date"
    CATEGORY = "category"


@dataclass(frozen=True, repr=False)
class LeakedColumn:
    """One column of a leak.

    `numbers` float64 (rows,): values, or days since 1970-01-01 for dates, NaN where missing; empty for a category.
    `labels` object (rows,): codes as text, None where missing. Numbers carry their labels too, since a code may be a
    number.
    """

    name: str
    kind: LeakKind
    numbers: NDArray[np.float64]
    labels: NDArray[np.object_]

    @property
    def rows(self) -> int:
        """Rows of the leak."""
        return len(self.labels)

    @cached_property
    def sample(self) -> NDArray[np.float64]:
        """Up to 40 of the numbers, evenly over the rows: enough to tell a distribution."""
        known = self.numbers[np.isfinite(self.numbers)]
        return known[np.linspace(0, len(known) - 1, min(SAMPLE, len(known))).astype(np.int64)] if known.size else known

    @cached_property
    def middle(self) -> float:
        """The median of the sample, NaN where there is none."""
        return float(np.median(self.sample)) if self.sample.size else np.nan

    @cached_property
    def spacing(self) -> tuple[float, int]:
        """The last place of the written numbers and the whole multiple of it on which all of them lie."""
        return written_spacing(self.numbers)

    @property
    def last_place(self) -> float:
        """The unit of the last written decimal; 0 where the numbers have binary noise."""
        return self.spacing[0]

    @property
    def grid(self) -> float:
        """The spacing on which the values lie, wider than the last place only where luck does not explain it."""
        place, multiple = self.spacing
        known = self.numbers[np.isfinite(self.numbers)]
        if multiple < 2 or not known.size:
            return place
        _, counts = np.unique(known, return_counts=True)
        independent = known.size - counts.max() + 1 if len(counts) > 1 else 0
        return place * multiple if float(multiple) ** -float(independent) < _CHANCE else place

    def taking(self, rows: NDArray[np.integer]) -> "LeakedColumn":
        """The same column with the given rows; the spacing stays that of the whole column."""
        numbers = self.numbers[rows] if self.numbers.size else self.numbers
        taken = LeakedColumn(self.name, self.kind, numbers, self.labels[rows])
        taken.__dict__.update(spacing=self.spacing, grid=self.grid)
        return taken

    def __repr__(self) -> str:  # never shows a cell
        return f"LeakedColumn({self.name!r}, {self.kind.value}, {self.rows} rows)"


def leaked_column(name: str, column: TypedColumn) -> LeakedColumn:
    """Take over a column as the readers of files found it."""
    written = np.array(column.written.to_pylist(), dtype=object)
    if column.kind in _DATES:
        days = column.values.cast(pa.timestamp("s"), safe=False).cast(pa.int64()).cast(pa.float64(), safe=False)
        return LeakedColumn(name, LeakKind.DATE, _floats(days) / _DAY_SECONDS, written)
    if column.kind in _NUMERIC:
        codes = column.values.cast(pa.string()) if column.kind is FieldType.INTEGER else column.written
        numbers = _floats(column.values.cast(pa.float64()))
        return LeakedColumn(name, LeakKind.NUMBER, numbers, np.array(codes.to_pylist(), dtype=object))
    return LeakedColumn(name, LeakKind.CATEGORY, np.empty(0), np.array(column.values.to_pylist(), dtype=object))


def _floats(values: pa.Array) -> NDArray[np.float64]:
    return np.array(values.to_numpy(zero_copy_only=False), dtype=np.float64)


def written_spacing(numbers: NDArray[np.float64]) -> tuple[float, int]:
    """Return the last decimal place of all numbers and the greatest common multiple of it on which they lie.

    (0.0, 1) where the numbers have more digits than a double tells from noise, or where there are none.
    """
    known = np.unique(np.abs(numbers[np.isfinite(numbers)]))
    if not known.size:
        return 0.0, 1
    largest = float(known.max())
    for decimals in range(_DIGITS):
        scaled = known * 10.0**decimals
        if largest * 10.0**decimals >= 10.0**_DIGITS:
            break
        units = np.rint(scaled)
        if np.all(np.abs(scaled - units) <= _NOISE + _ROUNDING * scaled):
            return 10.0**-decimals, int(np.gcd.reduce(units.astype(np.int64))) or 1
    return 0.0, 1
