"""Write SPSS (.sav), Stata (.dta) and SAS transport (.xpt, version 8) files.

Titles travel as variable labels; value labels and missing codes travel in .sav and .dta, and what has no place is
reported; decimals become display formats. A value that a format cannot hold is refused: a whole number beyond 2^53,
an infinite number, a text or a number beyond its limits. Three things these formats do not know, and this is the place
to say so: an empty text and no text are one, .sav and .xpt do not keep spaces at the end of a text, and true and false
are 1 and 0. ReadStat writes a file at once, so the table is held in memory. It also writes the time of day into the
header; that is replaced by a fixed moment, so that the same rows make the same bytes.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
import pyreadstat
from numpy.typing import NDArray
from pyarrow import compute

from copyhold.domain.errors import IntegrityError, InvalidInputError
from copyhold.engines.tables.sources import ColumnFacts, Kind, facts_of

_EXACT_WHOLE = 2.0**53
_LONGEST_TEXT = {Kind.SAV: 32_767, Kind.DTA: 2_000_000_000, Kind.XPT: 32_767}  # bytes of a cell
_LONGEST_TITLE = {Kind.SAV: 255, Kind.DTA: 80, Kind.XPT: 255}  # bytes; Stata counts letters, so this is cautious
_IBM_RANGE = (5.4e-79, 7.2e75)  # the numbers of a transport file: SAS TS-140, "Numeric data fields"
_SAV_CODES = 3  # missing codes of an SPSS variable, or one range
_SAV_TEXT_CODE = 8  # bytes of a missing code that is text
_NARROW_STATA = 32_767  # variables up to which Stata 14 opens a file
_ORIGIN = {Kind.SAV: "1582-10-14", Kind.DTA: "1960-01-01", Kind.XPT: "1960-01-01"}
_DATE_FORMAT = {Kind.SAV: "DATE11", Kind.DTA: "%td", Kind.XPT: "DATE9"}
_INSTANT_FORMAT = {Kind.SAV: "DATETIME23.2", Kind.DTA: "%tc", Kind.XPT: "DATETIME22"}
_DATE_UNIT = {Kind.SAV: 86_400.0, Kind.DTA: 1.0, Kind.XPT: 1.0}  # one day in the format's count
_INSTANT_UNIT = {Kind.SAV: 1e-6, Kind.DTA: 1e-3, Kind.XPT: 1e-6}  # one microsecond
_TAG = re.compile(r"\.[a-z]")

# The moment of writing in a header, and what stands there instead; SAV and DTA write it once, XPT four times.
_MOMENTS = {
    Kind.SAV: (re.compile(rb"\d\d [A-Z][a-z]{2} \d\d\d\d:\d\d:\d\d"), b"01 Jan 7000:00:00", 1),
    Kind.DTA: (re.compile(rb"\d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d"), b"01 Jan 1970 00:00", 1),
    Kind.XPT: (re.compile(rb"\d\d[A-Z]{3}\d\d:\d\d:\d\d:\d\d"), b"01JAN70:00:00:00", 4),
}
_MOMENTS_WITHIN = 512  # bytes: all of them stand before any title of a column


@dataclass(frozen=True)
class _Column:
    """A column ready for ReadStat, under its name in the file."""

    name: str
    facts: ColumnFacts
    cells: pl.Series
    form: str = ""
    tagged: bool = False  # numbers with .a to .z among them

    @property
    def text(self) -> bool:
        return self.cells.dtype == pl.String


def write(
    batches: Iterator[pa.RecordBatch], path: Path, schema: pa.Schema, kind: Kind, names: Mapping[str, str]
) -> tuple[int, dict[str, tuple[str, ...]]]:
    """Write the rows under the names given; return their number, and per column the facts that have no place.

    Raises:
        InvalidInputError: the format cannot hold a value; the message names the column.
    """
    table = pa.Table.from_batches(batches, schema).combine_chunks()
    columns = [_column(names[each.name], each, table.column(each.name), kind) for each in schema]
    frame = pl.DataFrame([column.cells for column in columns])
    common: dict[str, Any] = {
        "column_labels": {each.name: _cut(each.facts.title, kind) for each in columns if each.facts.title},
        "variable_format": {each.name: each.form for each in columns if each.form},
    }
    labels = {each.name: meanings for each in columns if (meanings := _value_labels(each, kind))}
    codes = {each.name: declared for each in columns if (declared := _missing_codes(each, kind))}
    if kind is Kind.SAV:
        common |= {"variable_value_labels": labels, "missing_ranges": codes, "row_compress": True}
        pyreadstat.write_sav(frame, path, **common)
    elif kind is Kind.DTA:
        common |= {"variable_value_labels": labels, "missing_user_values": codes}
        pyreadstat.write_dta(frame, path, version=14 if len(columns) <= _NARROW_STATA else 15, **common)
    else:
        pyreadstat.write_xport(frame, path, file_format_version=8, **common)
    _settle_moment(path, kind)
    originals = {written: name for name, written in names.items()}
    return table.num_rows, {originals[each.name]: left for each in columns if (left := _left_out(each, labels, codes))}


def settled(text: pa.Array, kind: Kind) -> pa.Array:
    """Say what a format makes of a text: no text where it is empty, in .sav and .xpt without spaces at its end."""
    kept = text if kind is Kind.DTA else compute.utf8_rtrim(text, " ")
    return compute.if_else(compute.equal(kept, ""), pa.scalar(None, pa.string()), kept)


def _column(name: str, announced: pa.Field, stored: pa.ChunkedArray, kind: Kind) -> _Column:
    facts, found = facts_of(announced), announced.type
    cells = stored.combine_chunks() if stored.num_chunks else pa.array([], found)
    if pa.types.is_dictionary(found):
        cells, found = compute.cast(cells, found.value_type), found.value_type
    if pa.types.is_string(found) or pa.types.is_large_string(found) or pa.types.is_time(found):
        return _text_column(name, facts, compute.cast(cells, pa.string()), kind)
    if pa.types.is_date(found):
        days = compute.cast(compute.cast(cells, pa.date32()), pa.int32())
        return _counted(name, facts, days, kind, _DATE_UNIT[kind], 1.0, _DATE_FORMAT[kind])
    if pa.types.is_timestamp(found):
        micros = compute.cast(compute.cast(cells, pa.timestamp("us")), pa.int64())
        return _counted(name, facts, micros, kind, _INSTANT_UNIT[kind], 86_400e6, _INSTANT_FORMAT[kind])
    if pa.types.is_boolean(found) or pa.types.is_int8(found) or pa.types.is_int16(found) or pa.types.is_int32(found):
        return _Column(name, facts, _series(name, compute.cast(cells, pa.int32())))
    return _number_column(name, facts, cells, kind, whole=pa.types.is_integer(found))


def _number_column(name: str, facts: ColumnFacts, cells: pa.Array, kind: Kind, *, whole: bool) -> _Column:
    numbers = compute.cast(cells, pa.float64(), safe=False)
    numbers = compute.if_else(compute.is_nan(numbers), pa.scalar(None, pa.float64()), numbers)
    sizes: NDArray[np.float64] = np.abs(compute.drop_null(numbers).to_numpy())
    if (whole and (sizes >= _EXACT_WHOLE).any()) or not np.isfinite(sizes).all():
        raise InvalidInputError(f"The column {name!r} holds numbers that a {kind.value} file cannot hold exactly.")
    if kind is Kind.XPT and (((sizes < _IBM_RANGE[0]) & (sizes > 0)) | (sizes > _IBM_RANGE[1])).any():
        raise InvalidInputError(f"The column {name!r} holds numbers beyond the range of a {kind.value} file.")
    return _Column(name, facts, _series(name, numbers), _number_format(facts, kind, whole=whole))


def _number_format(facts: ColumnFacts, kind: Kind, *, whole: bool) -> str:
    decimals = 0 if whole else facts.decimals
    if decimals is None:
        return ""
    width = 16 if whole else 10 + decimals
    return {Kind.SAV: f"F{width}.{decimals}", Kind.DTA: f"%{width}.{decimals}f", Kind.XPT: f"{width}.{decimals}"}[kind]


def _counted(
    name: str, facts: ColumnFacts, counts: pa.Array, kind: Kind, unit: float, day: float, form: str
) -> _Column:
    """Dates and instants as the count since the format's origin; `day` is one day in the counts given."""
    offset = float((np.datetime64("1970-01-01") - np.datetime64(_ORIGIN[kind])).astype(np.int64)) * day
    numbers = compute.multiply(compute.add(compute.cast(counts, pa.float64(), safe=False), offset), unit)
    return _Column(name, facts, _series(name, numbers), form)


def _text_column(name: str, facts: ColumnFacts, cells: pa.Array, kind: Kind) -> _Column:
    if kind is Kind.DTA and facts.missing_codes and all(map(_TAG.fullmatch, facts.missing_codes)):
        return _Column(name, facts, _tagged(name, facts, cells), tagged=True)
    if (compute.max(compute.binary_length(cells)).as_py() or 0) > _LONGEST_TEXT[kind]:
        raise InvalidInputError(f"The column {name!r} holds a text too long for a {kind.value} file.")
    return _Column(name, facts, _series(name, compute.fill_null(cells, "")))


def _tagged(name: str, facts: ColumnFacts, cells: pa.Array) -> pl.Series:
    """Numbers and tags of one column, as ReadStat wants them: 1.5, "a", None."""
    try:
        mixed = [
            cell[1:] if cell in facts.missing_codes else None if cell is None else float(cell)
            for cell in cells.to_pylist()
        ]
    except ValueError as error:
        raise InvalidInputError(f"The column {name!r} has missing codes of numbers and cells that are none.") from error
    return pl.Series(name, mixed, dtype=pl.Object)


def _series(name: str, cells: pa.Array) -> pl.Series:
    return pl.Series(name, pl.from_arrow(cells))


def _value_labels(column: _Column, kind: Kind) -> dict[Any, str]:
    """Value labels with keys of the column's own type; Stata labels whole numbers and tags only."""
    if kind is Kind.XPT or (column.text and kind is Kind.DTA):
        return {}
    if column.text:
        return dict(column.facts.value_labels)
    labels: dict[Any, str] = {}
    for code, label in column.facts.value_labels.items():
        key = _number(code)
        if column.tagged and _TAG.fullmatch(code):
            labels[code[1:]] = label
        elif key is not None and (kind is Kind.SAV or key == int(key)):
            labels[int(key) if key == int(key) else key] = label
    return labels


def _missing_codes(column: _Column, kind: Kind) -> list[Any]:
    """Missing codes as the format declares them: up to three or one range in SPSS, tags in Stata."""
    codes = column.facts.missing_codes
    if kind is Kind.DTA:
        return [code[1:] for code in codes] if column.tagged else []
    if column.text:
        fitting = len(codes) <= _SAV_CODES and all(len(code.encode()) <= _SAV_TEXT_CODE for code in codes)
        return list(codes) if fitting else []
    numbers = sorted(number for code in codes if (number := _number(code)) is not None)
    if len(numbers) <= _SAV_CODES:
        return list(numbers)
    if all(later - earlier == 1 for earlier, later in pairwise(numbers)):
        return [{"lo": numbers[0], "hi": numbers[-1]}]
    return []


def _left_out(column: _Column, labels: Mapping[str, Any], codes: Mapping[str, Any]) -> tuple[str, ...]:
    left = []
    if len(labels.get(column.name, {})) < len(column.facts.value_labels):
        left.append("value labels")
    if column.facts.missing_codes and column.name not in codes:
        left.append("missing codes")
    return tuple(left)


def _number(code: str) -> float | None:
    try:
        return float(code)
    except ValueError:
        return None


def _cut(title: str, kind: Kind) -> str:
    return title.encode()[: _LONGEST_TITLE[kind]].decode(errors="ignore")


def _settle_moment(path: Path, kind: Kind) -> None:
    """Replace the time of writing by a fixed one."""
    pattern, moment, times = _MOMENTS[kind]
    with path.open("r+b") as written:
        header, count = pattern.subn(moment, written.read(_MOMENTS_WITHIN))
        if count != times:
            raise IntegrityError(f"A {kind.value} file was written in a form that is not known here.")
        written.seek(0)
        written.write(header)
