"""What a column means: numbers, dates or categories, found over the whole column.

Numbers have a decimal point or a decimal comma, and thin separators between thousands. Dates are read in the forms of
`dates`. A column whose numbers begin with superfluous zeros holds codes. Cells that do not fit (`<0.1`, `ND`,
`1987-UN`) stay text: they are listed as codes and have no value. Nothing is lost: `written` keeps every cell.

The work on text is done once per distinct cell.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import compute

from copyhold.domain.catalogue import FieldType
from copyhold.domain.errors import InvalidInputError
from copyhold.engines.tables import dates, numerals
from copyhold.engines.tables.dates import Origin
from copyhold.engines.tables.sources import NO_FACTS, ColumnFacts, SourceTable
from copyhold.engines.tables.spelling import spelled

# What programs write for "no answer". In a column of text they stay what they are: NA may be Namibia.
MISSING_WORDS = frozenset(
    ["", ".", "NA", "N/A", "#N/A", "n/a", "<NA>", "NaN", "nan", "NAN", "NULL", "null", "None", "NaT", "\\N", "-"]
)

_MOST_CODES = 20  # different cells that are no numbers, in a column of numbers
_MOST_DECIMALS = 6  # written with more, a column has binary noise: 1.19995117 for 1.2
_EXACT_WHOLE = 2.0**53  # beyond it a double skips integers
_NUMERIC = (FieldType.INTEGER, FieldType.DECIMAL, FieldType.REAL)
_DATED = (FieldType.DATE, FieldType.DATETIME)


@dataclass(frozen=True, repr=False)
class TypedColumn:
    """A column and what it means, cell by cell and in the file's order.

    `values` is int64 (INTEGER), float64 (DECIMAL, REAL), date32 (DATE), timestamp in microseconds (DATETIME) or text
    (CATEGORY, TEXT); null where a cell is missing or a code. `codes` are the distinct written cells that have no
    value though they are not empty. `decimals` is the largest number of decimals; `fixed_decimals` says that all
    numbers have that many (`5.10`); `places` counts them per cell (-1: no number), None where the file holds numbers
    and not text. `mark` is the decimal mark, `form` the order of a date's parts. `note` says why a column that looks
    like numbers or dates was left as text.
    """

    kind: FieldType
    source: pa.ChunkedArray
    values: pa.Array
    codes: tuple[str, ...] = ()
    decimals: int | None = None
    fixed_decimals: bool = False
    places: NDArray[np.int8] | None = None
    mark: str = ""
    form: str = ""
    note: str = ""

    @cached_property
    def written(self) -> pa.ChunkedArray:
        """Every cell as text: as written, or for a file of numbers in the shortest form that reads back the same."""
        if pa.types.is_string(self.source.type):
            return self.source
        return pa.chunked_array([spelled(part, NO_FACTS) for part in self.source.chunks], pa.string())


def typed(
    column: pa.ChunkedArray | pa.Array,
    facts: ColumnFacts = NO_FACTS,
    *,
    kind: FieldType | None = None,
    decimal_mark: str = "",
    origin: Origin = Origin.EXCEL,
) -> TypedColumn:
    """Find what a column means.

    `kind` is what a dictionary already says: a column declared a DATE may hold counts of days since `origin` or eight
    digits; one declared a number keeps its numbers even where they begin with zeros; one declared text is not looked
    at. `decimal_mark` decides where the cells leave it open. Missing codes of `facts` have no value.

    Raises:
        InvalidInputError: the column holds lists, records or bytes.
    """
    source = column if isinstance(column, pa.ChunkedArray) else pa.chunked_array([column])
    found = source.type
    if pa.types.is_dictionary(found):
        return typed(compute.cast(source, found.value_type), facts, kind=kind, decimal_mark=decimal_mark, origin=origin)
    if _is_text(found):
        texts = compute.cast(source, pa.string())
        return _typed_text(texts, facts, kind, decimal_mark, origin)
    if pa.types.is_floating(found) or pa.types.is_decimal(found) or pa.types.is_integer(found):
        return _typed_numbers(source, facts, kind, origin)
    if pa.types.is_date(found) or pa.types.is_timestamp(found):
        return _typed_dates(source)
    if pa.types.is_boolean(found) or pa.types.is_null(found) or pa.types.is_time(found):
        return TypedColumn(FieldType.CATEGORY, source, compute.cast(source, pa.string()).combine_chunks())
    raise InvalidInputError("A column holds lists, records or bytes: make it flat before it is used.")


def typed_column(
    source: SourceTable, name: str, *, kind: FieldType | None = None, origin: Origin = Origin.EXCEL
) -> TypedColumn:
    """Find what a column of a file means, with what the file as a whole says about it."""
    return typed(source.table[name], source.facts(name), kind=kind, decimal_mark=source.decimal_mark, origin=origin)


def _is_text(found: pa.DataType) -> bool:
    return bool(pa.types.is_string(found) or pa.types.is_large_string(found) or pa.types.is_string_view(found))


@dataclass(frozen=True, repr=False)
class _Cells:
    """The distinct cells of a text column: which are missing, and how often each occurs."""

    source: pa.ChunkedArray
    places: pa.Int32Array  # of each row in `distinct`, null where the row is
    distinct: pa.StringArray
    missing: NDArray[np.bool_]
    declared: NDArray[np.bool_]  # a missing code that the file or the dictionary names
    counts: NDArray[np.int64]

    def spread(self, values: pa.Array) -> pa.Array:
        """Give every row the value of its distinct cell."""
        return compute.take(values, self.places)

    def carried(self, fits: NDArray[np.bool_]) -> bool:
        """Whether cells that fit are what the column is about: at least half of what is written, few others."""
        open_cells = ~self.missing & ~self.declared
        others = open_cells & ~fits
        fitting = int(self.counts[open_cells & fits].sum())
        return fitting > 0 and fitting >= int(self.counts[others].sum()) and int(others.sum()) <= _MOST_CODES

    def codes(self, fits: NDArray[np.bool_]) -> tuple[str, ...]:
        """The cells that have no value though they are not empty."""
        found = (self.declared | ~fits) & ~self.missing
        return tuple(sorted(self.distinct.filter(pa.array(found)).to_pylist()))


def _cells(source: pa.ChunkedArray, facts: ColumnFacts) -> _Cells:
    encoded = source.combine_chunks().dictionary_encode()
    distinct, places = encoded.dictionary, encoded.indices
    trimmed = compute.utf8_trim_whitespace(distinct)
    missing = compute.is_in(trimmed, value_set=pa.array(sorted(MISSING_WORDS - {*facts.missing_codes})))
    declared = compute.is_in(trimmed, value_set=pa.array(list(facts.missing_codes), pa.string()))
    counts = np.bincount(compute.drop_null(places).to_numpy(), minlength=len(distinct))
    return _Cells(
        source,
        places,
        distinct,
        missing.to_numpy(zero_copy_only=False),
        declared.to_numpy(zero_copy_only=False),
        counts,
    )


def _typed_text(
    source: pa.ChunkedArray, facts: ColumnFacts, kind: FieldType | None, decimal_mark: str, origin: Origin
) -> TypedColumn:
    cells = _cells(source, facts)
    if kind in (FieldType.TEXT, FieldType.CATEGORY):
        return _as_text(cells, kind)
    read = numerals.parsed(cells.distinct, decimal_mark)
    note = "the decimal mark cannot be told" if read.ambiguous else ""
    if cells.carried(read.fits) and kind not in _DATED:
        if not read.padded or kind in _NUMERIC:
            return _as_numbers(cells, read)
        return _as_text(cells, None, "numbers begin with zeros, as codes do")
    found = dates.parsed(cells.distinct, compact=kind in _DATED)
    if found is not None and found.ambiguous:
        note = "day and month cannot be told apart"
    if found is not None and cells.carried(found.fits) and kind not in _NUMERIC:
        return _as_dates(cells, found.instants, found.fits, found.form, found.timed)
    if kind in _DATED and cells.carried(read.fits):
        instants = dates.since(read.values, origin)
        return _as_dates(cells, instants, read.fits, f"days since {origin.value}", bool((read.places > 0).any()))
    return _as_text(cells, None, note)


def _as_numbers(cells: _Cells, read: numerals.Numbers) -> TypedColumn:
    valued = read.fits & ~cells.missing & ~cells.declared
    places = np.where(valued, read.places, -1).astype(np.int8)
    most = int(places.max(initial=0))
    if read.whole is not None:
        kind, values = FieldType.INTEGER, pa.array(read.whole, mask=~valued)
    else:
        kind = FieldType.DECIMAL if most <= _MOST_DECIMALS else FieldType.REAL
        values = pa.array(read.values, mask=~valued)
    seen = cells.places.fill_null(len(cells.distinct))
    return TypedColumn(
        kind,
        cells.source,
        cells.spread(values),
        codes=cells.codes(read.fits),
        decimals=most,
        fixed_decimals=most > 0 and bool((places[valued] == most).all()),
        places=np.append(places, np.int8(-1))[seen.to_numpy()],
        mark=read.mark,
    )


def _as_dates(
    cells: _Cells, instants: NDArray[np.datetime64], fits: NDArray[np.bool_], form: str, timed: bool
) -> TypedColumn:
    valued = fits & ~cells.missing & ~cells.declared
    values = pa.array(instants, pa.timestamp("us"), mask=~valued)
    if not timed:
        values = compute.cast(values, pa.date32())
    kind = FieldType.DATETIME if timed else FieldType.DATE
    return TypedColumn(kind, cells.source, cells.spread(values), codes=cells.codes(fits), form=form)


def _as_text(cells: _Cells, kind: FieldType | None, note: str = "") -> TypedColumn:
    """A category where cells repeat: no more than half as many different ones as there are."""
    if kind is None:
        few = 2 * len(cells.distinct) <= max(_MOST_CODES, int(cells.counts.sum()))
        kind = FieldType.CATEGORY if few else FieldType.TEXT
    empty = compute.equal(cells.distinct, "")
    values = compute.if_else(empty, pa.scalar(None, pa.string()), cells.distinct)
    return TypedColumn(kind, cells.source, cells.spread(values), note=note)


def _typed_numbers(source: pa.ChunkedArray, facts: ColumnFacts, kind: FieldType | None, origin: Origin) -> TypedColumn:
    values = source.combine_chunks()
    if pa.types.is_decimal(values.type):
        facts, values = facts, compute.cast(values, pa.float64())
    codes = _numeric_codes(values, facts)
    present = compute.is_finite(values) if pa.types.is_floating(values.type) else compute.is_valid(values)
    present = compute.and_(present, compute.invert(codes))
    values = compute.if_else(present, values, pa.scalar(None, values.type))
    if kind in _DATED:
        instants = dates.since(compute.cast(values, pa.float64()).to_numpy(zero_copy_only=False), origin)
        held = compute.cast(pa.array(instants, pa.timestamp("us")), pa.date32())
        return TypedColumn(FieldType.DATE, source, held, form=f"days since {origin.value}")
    seen = tuple(sorted(set(compute.cast(source.combine_chunks().filter(codes), pa.string()).to_pylist())))
    return _as_stored_numbers(source, values, seen)


def _as_stored_numbers(source: pa.ChunkedArray, values: pa.Array, codes: tuple[str, ...]) -> TypedColumn:
    if pa.types.is_integer(values.type):
        whole = values if pa.types.is_uint64(values.type) else compute.cast(values, pa.int64())
        return TypedColumn(FieldType.INTEGER, source, whole, codes, decimals=0, mark=".")
    exact = compute.cast(values, pa.float64())
    present = exact.drop_null().to_numpy()
    decimals = numerals.decimals_of(present, _MOST_DECIMALS)
    if decimals == 0 and (np.abs(present) < _EXACT_WHOLE).all():
        return TypedColumn(FieldType.INTEGER, source, compute.cast(exact, pa.int64()), codes, decimals=0, mark=".")
    kind = FieldType.REAL if decimals is None else FieldType.DECIMAL
    return TypedColumn(kind, source, exact, codes, decimals=decimals, mark=".")


def _numeric_codes(values: pa.Array, facts: ColumnFacts) -> pa.BooleanArray:
    """Which cells are a missing code that the file declares."""
    declared = numerals.parsed(pa.array(list(facts.missing_codes), pa.string()))
    listed = declared.values[declared.fits]
    if not len(listed):
        return pa.array(np.zeros(len(values), dtype=bool))
    return compute.is_in(compute.cast(values, pa.float64()), value_set=pa.array(listed))


def _typed_dates(source: pa.ChunkedArray) -> TypedColumn:
    """Dates stay dates; instants that are all midnight are dates, as programs without a type for dates write them."""
    if pa.types.is_date(source.type):
        return TypedColumn(FieldType.DATE, source, compute.cast(source, pa.date32()).combine_chunks())
    instants = compute.cast(source, pa.timestamp("us"), safe=False).combine_chunks()
    midnight = compute.equal(compute.floor_temporal(instants, unit="day"), instants)
    if compute.all(midnight).as_py() is not False:
        return TypedColumn(FieldType.DATE, source, compute.cast(instants, pa.date32()))
    return TypedColumn(FieldType.DATETIME, source, instants)
