"""The numbers of a batch of a snapshot as whole last-place units, the form in which marks are planned and read.

A decimal field with two decimals holds 1.25 as 125 units. A field of type real has no decimal grid: its unit is the
float's place among all floats, a whole number that grows with the value and gives it back bit for bit.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from copyhold.domain.catalogue import Field, FieldType, Role
from copyhold.domain.errors import InvalidInputError

ROW = "__row"  # uint64: the row's number, never used again
PARTICIPANT = "__participant"  # uint64: the participant's number
AMBIGUOUS = "__ambiguous"  # bool: another row has the same natural key, hence no cell of either is marked

NUMERIC = frozenset({FieldType.INTEGER, FieldType.DECIMAL, FieldType.REAL})
EXACT = 2**53  # whole numbers below this are exact in double precision
_SIGN = np.int64(2**63 - 1)


@dataclass(frozen=True)
class Units:
    """One column: `values` int64 (rows,) in units, and where they are `valid` bool (rows,).

    Not valid are nulls, missing codes, detection-limit fills and values finer than the field's decimals; their
    `values` mean nothing.
    """

    values: NDArray[np.int64]
    valid: NDArray[np.bool_]


@dataclass(frozen=True)
class Labels:
    """One column of codes: `codes` int32 (rows,) index into `names`, -1 where there is none."""

    codes: NDArray[np.int32]
    names: tuple[str, ...]


@dataclass(frozen=True)
class Block:
    """Some rows of one table.

    `rows` and `participants` are uint64 (rows,), `ambiguous` bool (rows,); `columns` holds the numeric fields and
    `strata` the fields that split the support of others, by name.
    """

    table: int
    rows: NDArray[np.uint64]
    participants: NDArray[np.uint64]
    ambiguous: NDArray[np.bool_]
    columns: Mapping[str, Units]
    strata: Mapping[str, Labels]


def block(batch: pa.RecordBatch, fields: Iterable[Field], table: int) -> Block:
    """Read a snapshot's batch; `fields` are those of its table, and those that the batch lacks are left out.

    Raises:
        InvalidInputError: the batch has no row or participant numbers, or a numeric field holds no numbers.
    """
    names = set(batch.schema.names)
    present = [field for field in fields if field.name in names]
    splitting = {field.stratum for field in present if field.stratum in names}
    return Block(
        table=table,
        rows=_numbers(batch, ROW),
        participants=_numbers(batch, PARTICIPANT),
        ambiguous=_flags(batch),
        columns={f.name: units(batch.column(f.name), f) for f in present if is_number(f)},
        strata={name: labels(batch.column(name)) for name in sorted(filter(None, splitting))},
    )


def is_number(field: Field) -> bool:
    """Say whether a field's values are numbers that mean something: ids are not, whatever they are written with."""
    return field.type in NUMERIC and field.role not in (Role.ID, Role.DIRECT)


def units(column: pa.Array, field: Field) -> Units:
    """Read one numeric column in its field's units."""
    numbers, valid = _plain(column, field)
    if field.type is FieldType.REAL:
        values = real_units(numbers.astype(np.float64))
        valid &= np.isfinite(numbers)
    else:
        values, valid = _decimal_units(numbers, valid, field.decimals or 0)
    for code in unit_codes(field):
        valid &= values != code
    return Units(values, valid)


def labels(column: pa.Array) -> Labels:
    """Read a column of codes; whole numbers are written without a decimal point."""
    text = column if pa.types.is_string(column.type) else column.cast(pa.string())
    encoded = text.dictionary_encode()
    codes = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int32)
    return Labels(codes, tuple(encoded.dictionary.to_pylist()))


def natural(values: NDArray[np.int64], field_type: FieldType, decimals: int) -> NDArray[np.float64]:
    """Give units back as the float64 nearest to the written number."""
    if field_type is FieldType.REAL:
        return real_values(values)
    # Division by a power of ten is correctly rounded: the float is the one that parsing the decimal gives.
    return values / np.float64(10.0**decimals) if decimals else values.astype(np.float64)


def nearest_units(numbers: NDArray[np.float64], field_type: FieldType, decimals: int) -> NDArray[np.int64]:
    """Give numbers that lie on the field's decimals, up to binary noise, in units; they must be finite."""
    if field_type is FieldType.REAL:
        return real_units(numbers)
    return np.rint(numbers * 10.0**decimals).astype(np.int64)


def real_units(values: NDArray[np.float64]) -> NDArray[np.int64]:
    """Give each float its place among all floats: a whole number, ascending with the value; -0.0 counts as 0.0."""
    bits = (values + 0.0).view(np.int64)
    return bits ^ ((bits >> 63) & _SIGN)


def real_values(places: NDArray[np.int64]) -> NDArray[np.float64]:
    """Undo `real_units`."""
    return (places ^ ((places >> 63) & _SIGN)).view(np.float64)


def unit_ceiling(value: float, field: Field) -> int:
    """Give the lowest unit that is at or above a value written in the field's own unit."""
    if field.type is FieldType.REAL:
        return int(real_units(np.array([value]))[0])
    return math.ceil(scaled(value, field.decimals or 0))


def unit_floor(value: float, field: Field) -> int:
    """Give the highest unit that is at or below a value written in the field's own unit."""
    if field.type is FieldType.REAL:
        return int(real_units(np.array([value]))[0])
    return math.floor(scaled(value, field.decimals or 0))


def unit_codes(field: Field) -> tuple[int, ...]:
    """Give the field's missing codes that are numbers, in units, ascending; those off its decimals cannot occur."""
    codes = set()
    for written in field.missing_codes:
        number = _number(written)
        if number is not None and unit_ceiling(number, field) == unit_floor(number, field):
            codes.add(unit_floor(number, field))
    return tuple(sorted(codes))


def _number(written: str) -> float | None:
    try:
        number = float(written)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def scaled(value: float, decimals: int) -> Fraction:
    """Give a number that a person wrote in last-place units, exactly."""
    # repr is the decimal that a person wrote; the float's own binary expansion would put 0.3 below 3 tenths.
    return Fraction(repr(float(value))) * Fraction(10) ** decimals


def _plain(column: pa.Array, field: Field) -> tuple[NDArray[np.float64 | np.float32 | np.int64], NDArray[np.bool_]]:
    """Return numbers, whatever is stored where there is none, and where they are present."""
    kind = column.type
    if pa.types.is_decimal(kind):
        column = column.cast(pa.float64())
    elif not (pa.types.is_integer(kind) or pa.types.is_floating(kind)):
        raise InvalidInputError(
            f"Field {field.name} is declared {field.type.value} and its column holds no numbers. Declare it a category."
        )
    numbers = stored(column)
    return numbers if numbers.dtype.kind == "f" else numbers.astype(np.int64), presence(column)


def stored(column: pa.Array) -> NDArray[Any]:
    """View the numbers of a column of fixed width where they lie; a null's is whatever lies there."""
    dtype = np.dtype(column.type.to_pandas_dtype())
    data = column.buffers()[1]
    if data is None:
        return np.zeros(len(column), dtype=dtype)
    return np.frombuffer(data, dtype=dtype, count=len(column), offset=column.offset * dtype.itemsize)


def presence(column: pa.Array) -> NDArray[np.bool_]:
    """Say which rows of a column are not null; the array is the caller's own."""
    bitmap = column.buffers()[0]
    if not column.null_count or bitmap is None:
        return np.full(len(column), column.null_count == 0)
    first = column.offset // 8
    bits = np.unpackbits(np.frombuffer(bitmap, dtype=np.uint8, offset=first), bitorder="little")
    return bits[column.offset - 8 * first :][: len(column)].view(np.bool_)


def _decimal_units(
    numbers: NDArray[np.float64 | np.float32 | np.int64], valid: NDArray[np.bool_], decimals: int
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    if numbers.dtype.kind == "i":
        return numbers.astype(np.int64, copy=False) * np.int64(10**decimals), valid
    scale = 10.0**decimals
    rounded = np.rint(numbers * np.float64(scale))
    if rounded.size and not -EXACT < rounded.min() <= rounded.max() < EXACT:  # so it is where there is NaN or infinity
        within = np.abs(rounded) < EXACT
        rounded, valid = np.where(within, rounded, 0.0), valid & within
    back = rounded / scale  # as `natural` gives it: whole numbers below EXACT are the same as floats
    return rounded.astype(np.int64), valid & (back.astype(numbers.dtype, copy=False) == numbers)


def _numbers(batch: pa.RecordBatch, name: str) -> NDArray[np.uint64]:
    if name not in batch.schema.names:
        raise InvalidInputError(f"This batch has no column {name}; read it from a version's snapshot.")
    numbers: NDArray[np.uint64] = batch.column(name).to_numpy(zero_copy_only=False).astype(np.uint64)
    return numbers


def _flags(batch: pa.RecordBatch) -> NDArray[np.bool_]:
    if AMBIGUOUS not in batch.schema.names:
        return np.zeros(batch.num_rows, dtype=bool)
    flags: NDArray[np.bool_] = batch.column(AMBIGUOUS).fill_null(True).to_numpy(zero_copy_only=False)
    return flags
