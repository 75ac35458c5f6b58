"""What the marks cost science: one pass over the master and a control copy, in the units in which analysts judge.

It is fed control copies only: copies of the same rows and fields, marked under the same plan with a fresh random key
that is destroyed when the report is made. Nothing computed from a party's marks may leave: from 860 shifts of a utility
report to three digits an outsider framed an innocent party at ln E = 286. A control copy costs science the same in
distribution, and nobody can be framed with bits that no party has.

 * A cell counts where it is a number in both tables: no null, no missing code.
 * A correlation is over the rows where both fields count; its sums are kept pair by pair.
 * What is told of a field is told only where the copy differs from the master.
 * Sums of blocks are centred at their own means and joined as Chan, Golub and LeVeque (1983) do, so that a field of
   large mean and small spread loses no digits and the split into batches does not matter.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from copyhold.domain.catalogue import Field
from copyhold.domain.errors import InvalidInputError
from copyhold.domain.words import Plain
from copyhold.engines.tables.blocks import ROW, is_number, natural, unit_codes

ROWS = 8_192  # rows worked on at once: few enough for the cache, enough for a matrix product to be worth its start
SAMPLE_ROWS, SAMPLE_CELLS = 20_000, 4_000_000  # what quantiles are read from, whichever is less
QUANTILES = (1, 5, 25, 50, 75, 95, 99)  # per cent
ONE_LINE = 1 - 1e-9  # a correlation beyond it is one line but for rounding, and has no Fisher z

MEASURED_ON = (
    "A control copy: the same rows and fields, marked under the same plan with a fresh random key that was destroyed "
    "afterwards. Nothing here was computed from the marks of a copy that anybody holds, because such figures could be "
    "used to make it look as if that copy had leaked."
)
FORMULAS: dict[str, Plain] = {
    "mean_shift_se": "difference of the means over sd / sqrt(n), sd of the master",
    "noise_share": "v / sd^2: variance of the differences over the variance of the master",
    "attenuation": "1 / (1 + v / sd^2): what a slope on the field is multiplied by (Fuller 1987, section 1.1)",
    "attenuation_measured": "covariance of master and copy over the variance of the copy; as above where the "
    "differences do not depend on the value",
    "correlation": "difference of atanh(r) times sqrt(n - 3) (Fisher 1921), complete pairs",
}

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class _Pairs:
    """Sums over the rows where fields i and j are both present, each (fields, fields), of values less a centre.

    `first` and `second` are of field i and its square, `cross` of the product.
    """

    first: Floats
    second: Floats
    cross: Floats

    def __add__(self, other: "_Pairs") -> "_Pairs":
        return _Pairs(self.first + other.first, self.second + other.second, self.cross + other.cross)

    def raised(self, by: Floats, count: Floats) -> "_Pairs":
        """Give the sums of the values plus `by`, a number for each field."""
        mine, others = by[:, None], by[None, :]
        return _Pairs(
            self.first + count * mine,
            self.second + 2 * mine * self.first + count * mine**2,
            self.cross + mine * self.first.T + others * self.first + count * mine * others,
        )

    def squares(self, count: Floats) -> Floats:
        """Give the sums of squares of field i about its mean."""
        return np.maximum(self.second - self.first**2 / np.maximum(count, 1), 0.0)

    def fisher(self, count: Floats) -> Floats:
        """Give atanh of the correlations, NaN where a field does not vary."""
        squares = self.squares(count)
        products = self.cross - self.first * self.first.T / np.maximum(count, 1)
        with np.errstate(invalid="ignore", divide="ignore"):
            r = products / np.sqrt(squares * squares.T)
        return np.arctanh(np.clip(r, -ONE_LINE, ONE_LINE))


@dataclass(frozen=True, eq=False)
class _Tally:
    """All sums of some rows.

    `centre` (fields,) is what values are less of, `count` (fields, fields) how often both fields are present. Of the
    differences, copy less master: `shift` their sum, `noise` that of their squares, `drift` that of their products
    with the master, `changed` how many are not 0, `largest` the largest in tolerances, each (fields,).
    """

    rows: int
    centre: Floats
    count: Floats
    master: _Pairs
    copy: _Pairs
    shift: Floats
    noise: Floats
    drift: Floats
    changed: Floats
    largest: Floats

    def __add__(self, other: "_Tally") -> "_Tally":
        centre = np.where(self.cells > 0, self.centre, other.centre)
        one, two = self._about(centre), other._about(centre)
        return _Tally(
            one.rows + two.rows,
            centre,
            one.count + two.count,
            one.master + two.master,
            one.copy + two.copy,
            one.shift + two.shift,
            one.noise + two.noise,
            one.drift + two.drift,
            one.changed + two.changed,
            np.maximum(one.largest, two.largest),
        )

    @property
    def cells(self) -> Floats:
        """How many cells of each field count."""
        return np.diagonal(self.count)

    def _about(self, centre: Floats) -> "_Tally":
        by = np.where(self.cells > 0, self.centre - centre, 0.0)
        return replace(
            self,
            centre=centre,
            master=self.master.raised(by, self.count),
            copy=self.copy.raised(by, self.count),
            drift=self.drift + by * self.shift,
        )


class _Sample:
    """Rows chosen by their numbers alone, the same whatever the split; arrays are (fields, rows)."""

    def __init__(self, fields: int) -> None:
        self._most = max(1, min(SAMPLE_ROWS, SAMPLE_CELLS // max(fields, 1)))
        self._bound = np.uint64(2**64 - 1)
        self._chunks: list[tuple[NDArray[np.uint64], Floats, Floats]] = []

    def add(self, rank: NDArray[np.uint64], master: Floats, copy: Floats) -> None:
        """Keep the rows of least rank."""
        kept = np.flatnonzero(rank <= self._bound)
        self._chunks.append((rank[kept], master[:, kept], copy[:, kept]))
        if sum(len(one) for one, _, _ in self._chunks) > 2 * self._most:
            self._reduce()

    def merge(self, other: "_Sample") -> None:
        """Keep the rows of least rank of both."""
        for chunk in other._chunks:
            self.add(*chunk)

    def tables(self) -> tuple[Floats, Floats]:
        """Give the rows kept of master and copy."""
        self._reduce()
        _, master, copy = self._chunks[0]
        return master, copy

    def _reduce(self) -> None:
        rank = np.concatenate([one for one, _, _ in self._chunks])
        order = np.argsort(rank, kind="stable")[: self._most]
        master = np.concatenate([one for _, one, _ in self._chunks], axis=1)[:, order]
        copy = np.concatenate([one for _, _, one in self._chunks], axis=1)[:, order]
        self._chunks = [(rank[order], master, copy)]
        if len(order) == self._most:
            self._bound = rank[order][-1]


class UtilityMeter:
    """Measures what marks do to the numeric fields of one table, from its master and a control copy.

    `fields` are those of the table; ids, categories and dates among them are passed over. Batches may come in any
    split; meters of parts of a table merge to that of the whole.

    Source: sections 7 and 12 of the tracing notes; pairwise sums after Chan, Golub and LeVeque, The American
    Statistician 37 (1983), 242; attenuation after Fuller, Measurement Error Models (1987), section 1.1; Fisher z after
    Fisher, Metron 1 (1921), 3.
    Cost: per row 12 multiplications for each pair of fields, in matrix products; memory for 7 numbers per pair and for
    a sample of 20,000 rows, or of 4 million cells if that is less.
    """

    def __init__(self, fields: tuple[Field, ...]) -> None:
        self._given = fields
        self._fields: tuple[Field, ...] = ()
        self._tally: _Tally | None = None
        self._sample = _Sample(0)

    def add(self, master: pa.RecordBatch, control: pa.RecordBatch) -> None:
        """Take the same rows of both, in the same order.

        The sample for quantiles follows the master's row numbers; where it has none, the order in which rows came.

        Raises:
            InvalidInputError: the tables differ in length, or a batch has other numeric fields than those before.
        """
        if master.num_rows != control.num_rows:
            raise InvalidInputError("Master and control copy have different numbers of rows; give the same rows.")
        both = set(master.schema.names) & set(control.schema.names)
        self._meet(tuple(one for one in self._given if is_number(one) and one.name in both))
        for start in range(0, master.num_rows, ROWS):
            self._take(master.slice(start, ROWS), control.slice(start, ROWS))

    def merge(self, other: "UtilityMeter") -> "UtilityMeter":
        """Give the meter of the rows of both, which stay as they are."""
        merged = UtilityMeter(self._given)
        for one in (self, other):
            if one._tally is not None:
                merged._meet(one._fields)
                merged._tally = one._tally if merged._tally is None else merged._tally + one._tally
                merged._sample.merge(one._sample)
        return merged

    def finish(self) -> dict[str, Plain]:
        """Tell what was measured, figures to six digits, None where one cannot be had.

        `fields` holds for each field that differs anywhere: `n` cells, the share `changed`, `mean_shift_se`,
        `sd_change` (relative), `noise_share`, `attenuation` and `attenuation_measured`, `largest_change` in declared
        tolerances, and `quantile_shifts` in `quantile_unit` ("tolerance", or "sd" where none is declared in the field's
        own unit). `correlation` is the pair whose correlation changes most, `summary` all of it in a sentence.
        """
        fields = self._of_fields()
        correlation = self._correlation()
        return {
            "measured_on": MEASURED_ON,
            "formulas": dict(FORMULAS),
            "rows": self._tally.rows if self._tally else 0,
            "quantile_rows": self._sample.tables()[0].shape[1] if self._tally else 0,
            "fields": dict(fields),
            "correlation": correlation,
            "summary": _summary(fields, correlation),
        }

    def _meet(self, fields: tuple[Field, ...]) -> None:
        if self._tally is None:
            self._fields, self._sample = fields, _Sample(len(fields))
        elif fields != self._fields:
            raise InvalidInputError("A batch has other numeric fields than those before; measure one table at a time.")

    def _take(self, master: pa.RecordBatch, control: pa.RecordBatch) -> None:
        x, y = _numbers(master, self._fields), _numbers(control, self._fields)
        present = np.isfinite(x) & np.isfinite(y)
        for place, one in enumerate(self._fields):
            for code in natural(np.array(unit_codes(one), dtype=np.int64), one.type, one.decimals or 0):
                present[place] &= (x[place] != code) & (y[place] != code)
        x[~present] = y[~present] = np.nan
        self._sample.add(_ranks(master, self._tally.rows if self._tally else 0), x, y)
        tally = _tally(x, y, present, self._fields)
        self._tally = tally if self._tally is None else self._tally + tally

    def _of_fields(self) -> dict[str, dict[str, Plain]]:
        if self._tally is None:
            return {}
        master, copy = self._sample.tables()
        return {
            one.name: _of_field(place, self._tally)
            | _quantiles(one, master[place], copy[place], _spread(self._tally, place))
            for place, one in enumerate(self._fields)
            if self._tally.changed[place]
        }

    def _correlation(self) -> dict[str, Plain] | None:
        """Tell which pair's correlation changes most, of those in which a field differs."""
        if self._tally is None or len(self._fields) < 2:
            return None
        shifts = _correlation_shifts(self._tally)
        if not np.isfinite(shifts).any():
            return None
        i, j = np.unravel_index(int(np.nanargmax(np.abs(shifts))), shifts.shape)
        return {
            "fields": [self._fields[i].name, self._fields[j].name],
            "n": int(self._tally.count[i, j]),
            "shift_se": _figure(shifts[i, j]),
        }


def _numbers(batch: pa.RecordBatch, fields: Sequence[Field]) -> Floats:
    """Give the fields as (fields, rows), NaN where there is no number."""
    numbers = np.empty((len(fields), batch.num_rows))
    for place, one in enumerate(fields):
        column = batch.column(one.name)
        plain = column.cast(pa.float64()) if pa.types.is_decimal(column.type) else column
        numbers[place] = plain.to_numpy(zero_copy_only=False)
    return numbers


def _ranks(master: pa.RecordBatch, before: int) -> NDArray[np.uint64]:
    """Give each row a pseudo-random rank by its number: the finaliser of SplitMix64 (Steele, Lea and Flood 2014)."""
    rank: NDArray[np.uint64] = np.arange(before, before + master.num_rows, dtype=np.uint64)
    if ROW in master.schema.names:
        rank = master.column(ROW).to_numpy(zero_copy_only=False).astype(np.uint64)
    rank = (rank + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
    rank = (rank ^ (rank >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    rank = (rank ^ (rank >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return rank ^ (rank >> np.uint64(31))


def _tally(x: Floats, y: Floats, present: Bools, fields: Sequence[Field]) -> _Tally:
    differ, cells = y - x, np.count_nonzero(present, axis=1)
    differ[~present] = 0.0
    centre = np.sum(x, axis=1, where=present) / np.maximum(cells, 1)
    before = x - centre[:, None]
    before[~present] = 0.0
    count, master, copy = _products(present, before, before + differ)
    return _Tally(
        rows=x.shape[1],
        centre=centre,
        count=count,
        master=master,
        copy=copy,
        shift=differ.sum(axis=1),
        noise=np.einsum("ij,ij->i", differ, differ),
        drift=np.einsum("ij,ij->i", before, differ),
        changed=np.count_nonzero(differ, axis=1).astype(np.float64),
        largest=np.array([_largest(*one) for one in zip(fields, differ, x, strict=True)]),
    )


def _products(present: Bools, before: Floats, after: Floats) -> tuple[Floats, _Pairs, _Pairs]:
    """Give counts and sums of pairs; one large matrix product costs less than five small ones."""
    seen = present.astype(np.float64)
    stacked = np.concatenate([seen, before, before * before, after, after * after])
    count, first, second, first_after, second_after = (stacked @ seen.T).reshape(5, len(seen), len(seen))
    return count, _Pairs(first, second, before @ before.T), _Pairs(first_after, second_after, after @ after.T)


def _largest(field: Field, differ: Floats, values: Floats) -> float:
    """Give the largest change in declared tolerances, NaN where none is declared."""
    if field.tolerance is None:
        return np.nan
    if not field.tolerance.relative:
        return float(max(differ.max(), -differ.min())) / field.tolerance.amount
    moved = np.flatnonzero(differ)
    allowed = field.tolerance.amount * np.maximum(np.abs(values[moved]), np.finfo(float).tiny)
    return float(np.max(np.abs(differ[moved]) / allowed, initial=0.0))


def _spread(tally: _Tally, place: int) -> float:
    """Give the sd of the master's cells, NaN where it cannot be had."""
    squares = tally.master.squares(tally.count)[place, place]
    return float(np.sqrt(squares / (tally.cells[place] - 1))) if tally.cells[place] > 1 else np.nan


def _of_field(place: int, tally: _Tally) -> dict[str, Plain]:
    n, shift = tally.cells[place], tally.shift[place]
    free = max(n - 1, 1)
    noise = (tally.noise[place] - shift**2 / n) / free
    together = (tally.drift[place] - tally.master.first[place, place] * shift / n) / free
    sd = _spread(tally, place)
    variance = sd**2 or np.nan
    after = max(variance + 2 * together + noise, 0.0)
    return {
        "n": int(n),
        "changed": _figure(tally.changed[place] / n),
        "mean_shift_se": _figure(shift / n / np.sqrt(variance / n)),
        "sd_change": _figure(np.sqrt(after / variance) - 1),
        "noise_share": _figure(noise / variance),
        "attenuation": _figure(attenuation(noise, variance)),
        "attenuation_measured": _figure((variance + together) / (after or np.nan)),
        "largest_change": _figure(tally.largest[place]),
    }


def attenuation(noise: float, variance: float) -> float:
    """Give what a slope on a field is multiplied by when noise is added to the field.

    Guarantee: for noise that depends neither on the field nor on the outcome, as marks do over the drawing of a key.
    Source: Fuller, Measurement Error Models (1987), section 1.1: the reliability ratio 1 / (1 + v / sd^2).
    """
    return 1 / (1 + noise / variance)


def _quantiles(field: Field, master: Floats, copy: Floats, sd: float) -> dict[str, Plain]:
    declared = field.tolerance if field.tolerance and not field.tolerance.relative else None
    unit = declared.amount if declared else sd or np.nan
    present = np.isfinite(master)
    shifts = np.full(len(QUANTILES), np.nan)
    if present.any():
        before, after = (np.percentile(one[present], QUANTILES) for one in (master, copy))
        shifts = (after - before) / unit
    told: dict[str, Plain] = {str(at): _figure(one) for at, one in zip(QUANTILES, shifts, strict=True)}
    return {"quantile_unit": "tolerance" if declared else "sd", "quantile_shifts": told}


def _correlation_shifts(tally: _Tally) -> Floats:
    """Give the change of each pair's correlation in standard errors, NaN where neither field differs.

    Source: Fisher, Metron 1 (1921), 3: atanh(r) has standard error 1 / sqrt(n - 3).
    """
    count, changed = tally.count, tally.changed > 0
    shifts = tally.copy.fisher(count) - tally.master.fisher(count)
    shifts *= np.sqrt(np.maximum(count - 3, 0))
    asked = np.triu(changed[:, None] | changed[None, :], k=1) & (count > 3)
    return np.where(asked, shifts, np.nan)


def _figure(value: Any) -> float | None:
    """Round to six digits: the rest is rounding error of the sums."""
    return float(f"{value:.6g}") if np.isfinite(value) else None


def _summary(fields: dict[str, dict[str, Plain]], correlation: dict[str, Plain] | None) -> str:
    if not fields:
        return "The marks change no numeric field of this table."
    worst = min(fields, key=lambda name: _number(fields[name]["attenuation"], 1.0))
    mean = max(abs(_number(one["mean_shift_se"])) for one in fields.values())
    moved = abs(_number(correlation["shift_se"])) if correlation else 0.0
    slope = 100 * (1 - _number(fields[worst]["attenuation"], 1.0))
    return (
        f"On a control copy the marks change {len(fields)} numeric fields: no mean moves by more than {mean:.2g} of "
        f"its standard error and no correlation by more than {moved:.2g}, and a slope shrinks by at most {slope:.2g} % "
        f"(on {worst})."
    )


def _number(value: Plain, otherwise: float = 0.0) -> float:
    return value if isinstance(value, float) else otherwise
