"""What the marks cost science: one pass over the master and a control copy, in the units in which analysts judge.

It is fed control copies only: copies of the same rows and fields, marked under the same plan with a fresh random key
that is destroyed when the report is made. Nothing computed from a party's marks may leave: from 860 shifts of a utility
report to three digits an outsider framed an innocent party at ln E = 286. A control copy costs science the same in
distribution, and nobody can be framed with bits that no party has.

 * A cell counts where it is a number in both tables: no null, no missing code.
 * A correlation is over the rows where both fields count; its sums are kept pair by pair.
 * What is told of a field is told only where the copy differs from the master.
 * Sums are joined so that the split into batches does not matter; quantiles are of a sample of rows chosen by number.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from copyhold.domain.catalogue import Field
from copyhold.domain.errors import InvalidInputError
from copyhold.domain.words import Plain
from copyhold.engines.marks.sampling import RowSample
from copyhold.engines.marks.tallies import Tally, tally
from copyhold.engines.tables.blocks import ROW, is_number, natural, unit_codes

ROWS = 8_192  # rows worked on at once: few enough for the cache, enough for a matrix product to be worth its start
QUANTILES = (1, 5, 25, 50, 75, 95, 99)  # per cent

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
        self._tally: Tally | None = None
        self._sample = RowSample(0)

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
            "quantile_rows": self._sample.rows,
            "fields": dict(fields),
            "correlation": correlation,
            "summary": _summary(fields, correlation),
        }

    def _meet(self, fields: tuple[Field, ...]) -> None:
        if self._tally is None:
            self._fields, self._sample = fields, RowSample(len(fields))
        elif fields != self._fields:
            raise InvalidInputError("A batch has other numeric fields than those before; measure one table at a time.")

    def _take(self, master: pa.RecordBatch, control: pa.RecordBatch) -> None:
        x, y = _numbers(master, self._fields), _numbers(control, self._fields)
        present = np.isfinite(x) & np.isfinite(y)
        for place, one in enumerate(self._fields):
            for code in natural(np.array(unit_codes(one), dtype=np.int64), one.type, one.decimals or 0):
                present[place] &= (x[place] != code) & (y[place] != code)
        x[~present] = y[~present] = np.nan
        self._sample.add(self._row_numbers(master), x, y)
        found = tally(x, y, present, self._fields)
        self._tally = found if self._tally is None else self._tally + found

    def _row_numbers(self, master: pa.RecordBatch) -> NDArray[np.uint64]:
        if ROW not in master.schema.names:
            before = self._tally.rows if self._tally else 0
            return np.arange(before, before + master.num_rows, dtype=np.uint64)
        numbers: NDArray[np.uint64] = master.column(ROW).to_numpy(zero_copy_only=False).astype(np.uint64)
        return numbers

    def _of_fields(self) -> dict[str, dict[str, Plain]]:
        if self._tally is None:
            return {}
        master, copy = self._sample.table()
        return {
            one.name: _of_field(place, self._tally)
            | _quantiles(one, master[place], copy[place], self._tally.spread[place])
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


def _of_field(place: int, sums: Tally) -> dict[str, Plain]:
    n, shift = sums.cells[place], sums.shift[place]
    free = max(n - 1, 1)
    noise = (sums.noise[place] - shift**2 / n) / free
    together = (sums.drift[place] - sums.master.first[place, place] * shift / n) / free
    variance = sums.spread[place] ** 2 or np.nan
    after = max(variance + 2 * together + noise, 0.0)
    return {
        "n": int(n),
        "changed": _figure(sums.changed[place] / n),
        "mean_shift_se": _figure(shift / n / np.sqrt(variance / n)),
        "sd_change": _figure(np.sqrt(after / variance) - 1),
        "noise_share": _figure(noise / variance),
        "attenuation": _figure(attenuation(noise, variance)),
        "attenuation_measured": _figure((variance + together) / (after or np.nan)),
        "largest_change": _figure(sums.largest[place]),
    }


def attenuation(noise: float, variance: float) -> float:
    """Give what a slope on a field is multiplied by when noise is added to the field.

    Guarantee: for noise that depends neither on the field nor on the outcome, as marks do over the drawing of a key.
    Source: Fuller, Measurement Error Models (1987), section 1.1: the reliability ratio 1 / (1 + v / sd^2).
    """
    return 1 / (1 + noise / variance)


def _quantiles(field: Field, master: Floats, copy: Floats, sd: Any) -> dict[str, Plain]:
    declared = field.tolerance if field.tolerance and not field.tolerance.relative else None
    unit = declared.amount if declared else sd or np.nan
    present = np.isfinite(master)
    shifts = np.full(len(QUANTILES), np.nan)
    if present.any():
        before, after = (np.percentile(one[present], QUANTILES) for one in (master, copy))
        shifts = (after - before) / unit
    told: dict[str, Plain] = {str(at): _figure(one) for at, one in zip(QUANTILES, shifts, strict=True)}
    return {"quantile_unit": "tolerance" if declared else "sd", "quantile_shifts": told}


def _correlation_shifts(sums: Tally) -> Floats:
    """Give the change of each pair's correlation in standard errors, NaN where neither field differs.

    Source: Fisher, Metron 1 (1921), 3: atanh(r) has standard error 1 / sqrt(n - 3).
    """
    count, changed = sums.count, sums.changed > 0
    shifts = sums.copy.fisher(count) - sums.master.fisher(count)
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
