"""Cells as text, for files made of text.

A number is written in its column's own decimals wherever that is its value, else in the shortest form that reads back
the same: `5.10` where the custodian's file had `5.10`, never 5.1000000000000005, never 5.1. Every cell is spelled by
itself, so that the bytes do not depend on how the rows were divided.
"""

from functools import lru_cache

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import compute

from copyhold.engines.tables.sources import ColumnFacts

_EXACT_WHOLE = 2.0**53
_TABLED_DECIMALS = 4  # up to here all endings (.0000 to .9999) are kept ready


def spelled(column: pa.Array, facts: ColumnFacts) -> pa.StringArray:
    """Write every cell of a column as text; nulls and NaN stay null."""
    if pa.types.is_dictionary(column.type):
        column = compute.cast(column, column.type.value_type)
    if pa.types.is_floating(column.type):
        return _spelled_numbers(column, facts)
    if pa.types.is_timestamp(column.type):
        return compute.replace_substring_regex(compute.cast(column, pa.string()), r"\.0+$", "")
    return compute.cast(column, pa.string())


def _spelled_numbers(column: pa.Array, facts: ColumnFacts) -> pa.StringArray:
    decimals = facts.decimals or 0
    scale = 10.0**decimals
    numbers: NDArray[np.float64] = compute.cast(column, pa.float64()).to_numpy(zero_copy_only=False)
    with np.errstate(over="ignore", invalid="ignore"):
        units = np.rint(numbers * scale)
        exact = (units / scale == numbers) & (np.abs(units) < _EXACT_WHOLE)
    missing = np.isnan(numbers)
    text = _pointed(np.where(exact, units, 0.0).astype(np.int64), decimals, fixed=facts.fixed_decimals)
    if not (exact | missing).all():
        text = compute.if_else(pa.array(exact), text, compute.cast(column, pa.string()))
    return compute.if_else(pa.array(missing), pa.scalar(None, pa.string()), text) if missing.any() else text


def _pointed(units: NDArray[np.int64], decimals: int, *, fixed: bool) -> pa.StringArray:
    """Write last-place units with the point where it belongs: 510 with two decimals is 5.10, or 5.1 where not fixed."""
    if not decimals:
        return compute.cast(pa.array(units), pa.string())
    whole, part = np.divmod(np.abs(units), 10**decimals)
    text = compute.cast(pa.array(whole), pa.string())
    negative = units < 0
    if negative.any():
        sign = compute.if_else(pa.array(negative), pa.scalar("-"), pa.scalar(""))
        text = compute.binary_join_element_wise(sign, text, "")
    return compute.binary_join_element_wise(text, _endings(part, decimals, fixed=fixed), "")


def _endings(part: NDArray[np.int64], decimals: int, *, fixed: bool) -> pa.StringArray:
    """What follows the whole number: .10, or .1 and nothing at all where the decimals are not fixed."""
    if decimals <= _TABLED_DECIMALS:
        return compute.take(_table_of_endings(decimals, fixed), pa.array(part))
    digits = compute.utf8_lpad(compute.cast(pa.array(part), pa.string()), decimals, "0")
    ending = compute.binary_join_element_wise("", digits, ".")
    return ending if fixed else compute.utf8_rtrim(compute.utf8_rtrim(ending, "0"), ".")


@lru_cache(maxsize=2 * _TABLED_DECIMALS)
def _table_of_endings(decimals: int, fixed: bool) -> pa.StringArray:
    endings = (f".{part:0{decimals}d}" for part in range(10**decimals))
    return pa.array([ending if fixed else ending.rstrip("0").rstrip(".") for ending in endings], pa.string())
