"""Dates as people and programs write them.

ISO (1987-05-31, with a time or without), day.month.year, day month-name year (31MAY1987, 31-May-1987), and
day/month/year against month/day/year, which the column must decide: one day above 12 in it is enough. Two-digit years
are not read. Counts of days since an origin are dates only where the caller says so.
"""

from dataclasses import dataclass
from enum import Enum

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import compute

_TIME = r"(?:[T :](?P<hour>[0-9]{1,2}):(?P<minute>[0-9]{2})(?::(?P<second>[0-9]{2})(?:[.,](?P<part>[0-9]{1,9}))?)?Z?)?"
_FORMS = {
    "year-month-day": rf"^(?P<year>[0-9]{{4}})[-/](?P<month>[0-9]{{1,2}})[-/](?P<day>[0-9]{{1,2}}){_TIME}$",
    "day.month.year": rf"^(?P<day>[0-9]{{1,2}})\.(?P<month>[0-9]{{1,2}})\.(?P<year>[0-9]{{4}}){_TIME}$",
    "day/month/year": rf"^(?P<day>[0-9]{{1,2}})[-/](?P<month>[0-9]{{1,2}})[-/](?P<year>[0-9]{{4}}){_TIME}$",
    "day month year": rf"^(?P<day>[0-9]{{1,2}})[- ]?(?P<month>[A-Za-z]{{3}})[a-z]*[- ,]*(?P<year>[0-9]{{4}}){_TIME}$",
}
_OPEN_ORDER = "day/month/year"
_COMPACT = r"^(?P<year>[0-9]{4})(?P<month>[0-9]{2})(?P<day>[0-9]{2})$"
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")


class Origin(Enum):
    """The day from which a program counts."""

    EXCEL = "1899-12-30"  # right from 1 March 1900 on: Excel believes in 29 February 1900
    EXCEL_1904 = "1904-01-01"
    SAS = "1960-01-01"  # and Stata
    SPSS = "1582-10-14"
    UNIX = "1970-01-01"


@dataclass(frozen=True, repr=False)
class Dates:
    """What a list of written cells is as dates: `instants` in microseconds, NaT where a cell is none.

    `form` names the order of the parts. `ambiguous`: every cell could be day/month and month/day.
    """

    instants: NDArray[np.datetime64]
    fits: NDArray[np.bool_]
    form: str
    timed: bool
    ambiguous: bool = False


def parsed(written: pa.StringArray, *, compact: bool = False) -> Dates | None:
    """Read cells (no nulls) as dates of one form; None where no form fits any of them.

    `compact` also takes eight digits, year first: only for a column that is known to hold dates.
    """
    texts = compute.utf8_trim_whitespace(written)
    forms = {**_FORMS, "yearmonthday": _COMPACT} if compact else _FORMS
    counts = {form: compute.sum(compute.match_substring_regex(texts, forms[form])).as_py() or 0 for form in forms}
    form = max(counts, key=lambda each: counts[each])
    if not counts[form]:
        return None
    return _read(texts, form, forms[form])


def since(days: NDArray[np.float64], origin: Origin) -> NDArray[np.datetime64]:
    """Turn counts of days since an origin, parts of days included, into instants in microseconds; NaN gives NaT."""
    missing = ~np.isfinite(days)
    micros = np.round(np.where(missing, 0.0, days) * 86_400_000_000.0).astype(np.int64)
    instants = np.datetime64(origin.value, "us") + micros.astype("timedelta64[us]")
    instants[missing] = np.datetime64("NaT")
    return instants


def _read(texts: pa.StringArray, form: str, pattern: str) -> Dates:
    parts = compute.extract_regex(texts, pattern)
    fits = compute.is_valid(parts).to_numpy(zero_copy_only=False)
    day, month, year = (_part(parts, name, fits) for name in ("day", "month", "year"))
    if form == _OPEN_ORDER:
        day, month, form, ambiguous = _ordered(day, month, fits)
        if ambiguous:
            return Dates(
                np.full(len(texts), np.datetime64("NaT"), "datetime64[us]"), np.zeros_like(fits), form, False, True
            )
    instants, right = _instants(year, month, day)
    timed = False
    if "<hour>" in pattern:
        clock, right_clock = _clock(parts, fits)
        instants, right, timed = instants + clock, right & right_clock, bool(clock.astype(np.int64).any())
    fits = fits & right
    instants[~fits] = np.datetime64("NaT")
    return Dates(instants, fits, form, timed)


def _part(parts: pa.StructArray, name: str, fits: NDArray[np.bool_]) -> NDArray[np.int64]:
    """One part of every date as a number, 0 where there is none."""
    texts = compute.fill_null(compute.struct_field(parts, name), "")
    if name == "month" and fits.any() and compute.any(compute.match_substring_regex(texts, "[A-Za-z]")).as_py():
        found = compute.index_in(compute.utf8_lower(texts), value_set=pa.array(["", *_MONTHS]))
        texts = compute.cast(compute.fill_null(found, 0), pa.string())
    digits = compute.if_else(compute.equal(texts, ""), pa.scalar("0"), texts)
    numbers: NDArray[np.int64] = compute.cast(digits, pa.int64()).to_numpy(zero_copy_only=False)
    return numbers


def _ordered(
    first: NDArray[np.int64], second: NDArray[np.int64], fits: NDArray[np.bool_]
) -> tuple[NDArray[np.int64], NDArray[np.int64], str, bool]:
    """Tell day from month; returns day, month, the form and whether both orders are possible."""
    first_is_day, second_is_day = bool((first[fits] > 12).any()), bool((second[fits] > 12).any())
    if second_is_day and not first_is_day:
        return second, first, "month/day/year", False
    ambiguous = not first_is_day and not bool((first[fits] == second[fits]).all())
    return first, second, "day/month/year", ambiguous


def _instants(
    year: NDArray[np.int64], month: NDArray[np.int64], day: NDArray[np.int64]
) -> tuple[NDArray[np.datetime64], NDArray[np.bool_]]:
    """Instants at midnight, and which of them exist in the calendar."""
    possible = (month >= 1) & (month <= 12) & (day >= 1) & (day <= 31) & (year >= 1)
    months = (np.where(possible, year, 1970) - 1970) * 12 + np.where(possible, month, 1) - 1
    firsts = months.astype("datetime64[M]")
    days = firsts.astype("datetime64[D]") + (np.where(possible, day, 1) - 1).astype("timedelta64[D]")
    existing = possible & (days.astype("datetime64[M]") == firsts)
    return days.astype("datetime64[us]"), existing


def _clock(parts: pa.StructArray, fits: NDArray[np.bool_]) -> tuple[NDArray[np.timedelta64], NDArray[np.bool_]]:
    hour, minute, second = (_part(parts, name, fits) for name in ("hour", "minute", "second"))
    texts = compute.fill_null(compute.struct_field(parts, "part"), "")
    micros = compute.cast(compute.utf8_slice_codeunits(compute.utf8_rpad(texts, 6, "0"), 0, 6), pa.int64())
    clock = ((hour * 60 + minute) * 60 + second) * 1_000_000 + micros.to_numpy(zero_copy_only=False)
    return clock.astype("timedelta64[us]"), (hour < 24) & (minute < 60) & (second < 60)
