"""Columns with other values: same type, same nulls."""

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from copyhold.engines.tables.blocks import stored

Array = NDArray[Any]


def plain_values(column: pa.Array) -> Array:
    """Give a numeric column's values as the caller's own numpy array; where it is null they mean nothing."""
    if _is_of_bytes(column.type):
        lying = stored(column)
        # Memory of Arrow's pool is used again, batch after batch; memory of numpy's own is fetched anew each time.
        own = np.frombuffer(pa.allocate_buffer(lying.nbytes), dtype=lying.dtype)
        own[:] = lying
        return own
    filled = pc.fill_null(column, 0) if column.null_count else column
    return np.array(filled.to_numpy(zero_copy_only=False), copy=True)


def with_values(column: pa.Array, values: Array) -> pa.Array:
    """Give the column with other values, null where it is null."""
    kind = column.type
    if not _is_of_bytes(kind):
        return pa.array(values, mask=~_present(column)).cast(kind, safe=False)
    data = pa.py_buffer(np.ascontiguousarray(values, dtype=_dtype(kind)))
    if not column.null_count:
        return pa.Array.from_buffers(kind, len(column), [None, data])
    present = column.is_valid()
    return pa.Array.from_buffers(kind, len(column), [_bitmap(present), data], null_count=column.null_count)


def _is_of_bytes(kind: pa.DataType) -> bool:
    return bool(pa.types.is_primitive(kind) and kind.bit_width >= 8) and not pa.types.is_decimal(kind)


def _present(column: pa.Array) -> NDArray[np.bool_]:
    present: NDArray[np.bool_] = column.is_valid().to_numpy(zero_copy_only=False)
    return present


def _bitmap(present: pa.BooleanArray) -> pa.Buffer:
    if present.offset == 0:
        return present.buffers()[1]
    return pa.py_buffer(np.packbits(present.to_numpy(zero_copy_only=False), bitorder="little"))


def _dtype(kind: pa.DataType) -> np.dtype[np.generic]:
    if pa.types.is_date32(kind):
        return np.dtype(np.int32)
    if pa.types.is_date64(kind) or pa.types.is_timestamp(kind):
        return np.dtype(np.int64)
    numpy: np.dtype[np.generic] = np.dtype(kind.to_pandas_dtype())
    return numpy
