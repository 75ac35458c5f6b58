"""The same rows in batches of another size."""

from collections.abc import Iterable, Iterator, Sequence

import pyarrow as pa


def regrouped(batches: Iterable[pa.RecordBatch], rows: int) -> Iterator[pa.RecordBatch]:
    """Iterate over the same rows in batches of exactly `rows`, the last one shorter, each in one piece of memory.

    What comes out does not depend on how the rows came in, so that files made of it do not either.
    """
    held: list[pa.RecordBatch] = []
    count = 0
    for batch in batches:
        start = 0
        while count + batch.num_rows - start >= rows:
            taken = rows - count
            yield joined([*held, batch.slice(start, taken)])
            start, held, count = start + taken, [], 0
        if start < batch.num_rows:
            held.append(batch.slice(start))
            count += batch.num_rows - start
    if held:
        yield joined(held)


def joined(parts: Sequence[pa.RecordBatch]) -> pa.RecordBatch:
    """Put batches with rows in them together, in one piece of memory."""
    return pa.Table.from_batches(parts).combine_chunks().to_batches()[0]
