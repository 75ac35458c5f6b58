"""Cells as text, for files made of text.

A number is written in its column's own decimals wherever that is its value, else in the shortest form that reads back
the same: `5.10` where the custodian's file had `5.10`, never 5.1000000000000005, never 5.1. Every cell is spelled by
itself, so that the bytes do not depend on how the rows were divided.
"""

import numpy as np
import pyarrow as pa
from pyarrow import compute

from copyhold.engines.tables.sources import ColumnFacts

_EXACT_WHOLE = 2.0**53


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
    column = compute.if_else(compute.is_nan(column), pa.scalar(None, column.type), column)
    shortest = compute.cast(column, pa.string())
    numbers = compute.fill_null(compute.cast(column, pa.float64()), 0.0).to_numpy(zero_copy_only=False)
    decimals = facts.decimals or 0
    scale = 10.0**decimals
    with np.errstate(over="ignore"):
        units = np.rint(numbers * scale)
    exact = (units / scale == numbers) & (np.abs(units) < _EXACT_WHOLE)
    text = _pointed(np.where(exact, units, 0.0).astype(np.int64), decimals)
    if decimals and not facts.fixed_decimals:
        text = compute.utf8_rtrim(compute.utf8_rtrim(text, "0"), ".")
    text = compute.if_else(pa.array(exact), text, shortest)
    return compute.if_else(compute.is_valid(column), text, pa.scalar(None, pa.string()))


def _pointed(units: np.ndarray[tuple[int, ...], np.dtype[np.int64]], decimals: int) -> pa.StringArray:
    """Write last-place units with the point where it belongs: 510 with two decimals is 5.10."""
    if not decimals:
        return compute.cast(pa.array(units), pa.string())
    digits = compute.utf8_lpad(compute.cast(pa.array(np.abs(units)), pa.string()), decimals + 1, "0")
    whole, part = compute.utf8_slice_codeunits(digits, 0, -decimals), compute.utf8_slice_codeunits(digits, -decimals)
    sign = compute.if_else(pa.array(units < 0), pa.scalar("-"), pa.scalar(""))
    return compute.binary_join_element_wise(compute.binary_join_element_wise(sign, whole, ""), part, ".")
