"""Tables from SPSS (.sav), Stata (.dta) and SAS transport (.xpt) files, with their labels and missing codes.

The parsing happens in `readstat`, in a process that may end without taking this one along. Here its chunks become a
table: columns of whole numbers are integers, columns with a date format are dates, empty text is null (these formats
know no other), and numbers that the file declares missing stay numbers and are listed in the facts.
"""

import contextlib
import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa
from pyarrow import compute

from copyhold.engines.tables import isolation
from copyhold.engines.tables.files import File
from copyhold.engines.tables.limits import Limits
from copyhold.engines.tables.sources import NO_FACTS, ColumnFacts, Kind, described
from copyhold.engines.tables.spelling import spelled

_LEGACY_ENCODING = "WINDOWS-1252"  # what NCHS labels are in, and most old files
_EXACT_WHOLE = 2.0**53
_LISTED_RANGE = 100  # a declared range of missing whole numbers up to this wide is listed one by one

# Formats whose numbers are dates or instants, by the letters they begin with, and the unit and origin of the count.
_DATE_FORMATS = {
    Kind.SAV: ("DATE", "ADATE", "EDATE", "JDATE", "SDATE", "MOYR", "QYR", "WKYR"),
    Kind.DTA: ("%td", "%-td", "%d", "%-d"),
    Kind.XPT: ("DATE", "DDMMYY", "MMDDYY", "YYMMDD", "E8601DA", "B8601DA", "IS8601DA", "JULIAN", "MONYY", "WORDDAT"),
}
_INSTANT_FORMATS = {
    Kind.SAV: ("DATETIME", "YMDHMS"),
    Kind.DTA: ("%tc", "%-tc"),
    Kind.XPT: ("DATETIME", "E8601DT", "B8601DT", "IS8601DT"),
}
_SECONDS = {Kind.SAV: (1.0, 1.0), Kind.DTA: (86_400.0, 0.001), Kind.XPT: (86_400.0, 1.0)}  # of a date, an instant
_ORIGIN = {Kind.SAV: "1582-10-14", Kind.DTA: "1960-01-01", Kind.XPT: "1960-01-01"}
_YEARS = (np.datetime64("0001-01-01", "s"), np.datetime64("9999-12-31", "s"))


def table(file: File, limits: Limits) -> tuple[pa.Table, str]:
    """Read the whole table; return it and the encoding that the file names.

    Raises:
        UnreadableFileError: the file is damaged, of another kind, too large, or in an encoding that cannot be told.
    """
    about, chunks = _read(file, limits)
    if not any(chunk.num_rows for chunk in chunks):
        raise file.error("holds a heading and no rows")
    columns, fields = [], []
    for place, column in enumerate(about["columns"]):
        found = _joined([chunk.column(place) for chunk in chunks])
        found = _meant(found, column["format"], file.kind)
        columns.append(found)
        fields.append(described(pa.field(column["name"], found.type), _facts(column)))
    names = [field.name for field in fields]
    if len(set(names)) < len(names):
        raise file.error("has two columns of the same name: rename one of them")
    return pa.table(columns, schema=pa.schema(fields)), about["encoding"]


def _read(file: File, limits: Limits) -> tuple[dict[str, Any], list[pa.RecordBatch]]:
    """The columns and the rows, in the file's own encoding or else in the one of old files."""
    for encoding in ("", _LEGACY_ENCODING):
        with contextlib.suppress(isolation.WrongEncodingError):
            bounds = (str(limits.columns), str(limits.cells))
            return isolation.parsed(file, "readstat", file.kind.value, encoding, *bounds)
    raise file.error("is in an encoding that cannot be told: export it again in UTF-8")


def _joined(parts: list[pa.Array]) -> pa.Array:
    """One column of its chunks; numbers that turn out to have tagged codes among them become text as a whole."""
    if len({part.type for part in parts}) > 1:
        parts = [part if pa.types.is_string(part.type) else spelled(part, NO_FACTS) for part in parts]
    return pa.concat_arrays(parts)


def _meant(column: pa.Array, form: str, kind: Kind) -> pa.Array:
    """Make of the file's doubles and texts what they stand for."""
    if pa.types.is_string(column.type):
        return compute.if_else(compute.equal(column, ""), pa.scalar(None, pa.string()), column)
    if form.startswith(_INSTANT_FORMATS[kind]):
        return _counted(column, _SECONDS[kind][1], kind, pa.timestamp("us"))
    if form.startswith(_DATE_FORMATS[kind]):
        return _counted(column, _SECONDS[kind][0], kind, pa.date32())
    numbers = compute.fill_null(column, 0.0).to_numpy()
    if (np.rint(numbers) == numbers).all() and (np.abs(numbers) < _EXACT_WHOLE).all():
        return compute.cast(column, pa.int64())
    return column


def _counted(column: pa.Array, seconds: float, kind: Kind, wanted: pa.DataType) -> pa.Array:
    """Dates of counts since the format's origin; a column with a count outside the calendar stays as it is."""
    numbers = compute.fill_null(column, 0.0).to_numpy() * seconds
    origin = np.datetime64(_ORIGIN[kind], "s")
    first, last = ((bound - origin).astype(np.int64) for bound in _YEARS)
    if not ((numbers >= first) & (numbers <= last)).all():
        return column
    micros = np.rint(numbers * 1e6).astype("timedelta64[us]") + origin.astype("datetime64[us]")
    instants = pa.array(micros, pa.timestamp("us"), mask=compute.is_null(column).to_numpy(zero_copy_only=False))
    return compute.cast(compute.floor_temporal(instants, unit="day"), wanted) if wanted == pa.date32() else instants


def _facts(column: dict[str, Any]) -> ColumnFacts:
    labels = {_code(value, column["text"]): label for value, label in column["value_labels"]}
    return ColumnFacts(
        title=column["title"],
        value_labels=labels,
        missing_codes=tuple(_missing(column, labels)),
        stored_as=column["format"],
    )


def _missing(column: dict[str, Any], labels: dict[str, str]) -> Iterator[str]:
    """The declared missing codes; of a wide range those that are whole or have a label."""
    for low, high in column["missing"]:
        if low == high or isinstance(low, str):
            yield _code(low, column["text"])
        elif high - low <= _LISTED_RANGE:
            yield from (str(code) for code in range(math.ceil(low), math.floor(high) + 1))
        else:
            yield from (code for code in labels if low <= float(code) <= high)
    yield from (code for code in labels if _is_tag(code) and not column["text"])


def _is_tag(code: str) -> bool:
    return len(code) == 2 and code[0] == "." and code[1].isalpha()


def _code(value: float | str, text: bool) -> str:
    if isinstance(value, str):
        return value if text else f".{value}"
    return str(int(value)) if value == int(value) else repr(value)
