"""The index of one table of a version: every column sorted once, so that rows are found by what stands in them.

For each number or date column three arrays: the values in table order, the positions sorted by value, and the values
in that order; for each category its codes, positions by code, and labels. Each array is a memory-mapped .npy file, so
that only the columns that a leak shows are ever read. Numbers are stored as integers in last-place units where the
dictionary declares decimals. The index holds the master's values in clear: it is as sensitive as the master.
"""

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from copyhold.domain.catalogue import Dictionary, Field, FieldType, Role
from copyhold.domain.errors import IntegrityError, InvalidInputError
from copyhold.engines.matching.decoy import correlated_blocks
from copyhold.engines.tables.blocks import AMBIGUOUS, PARTICIPANT, ROW

_FORMAT = 2
_META = "index.json"
_SAMPLE = 4_000  # rows on which correlations are judged
_COLUMNS_AT_ONCE = 16
_NUMERIC = {FieldType.INTEGER, FieldType.DECIMAL, FieldType.REAL}
_DATES = {FieldType.DATE, FieldType.DATETIME}
_HALF_UNIT = 1e-6  # binary noise of a decimal, in last-place units
_EMPTY_BYTES = 128  # the header of a .npy file without elements
_DAY_SECONDS = 86_400.0

Units = NDArray[Any]  # int32, int64 or float64


@dataclass(frozen=True)
class NumberColumn:
    """A sorted column of numbers or dates (days since 1970-01-01).

    values  int32, int64 or float64 (rows,): `scale` times the value, missing where `missing` says so
    order   int32 (present,): positions in the table by ascending value, missing left out
    ranked  as values (present,): the values in that order
    """

    field: Field
    scale: float
    values: Units
    order: NDArray[np.int32]
    ranked: Units

    @property
    def rows(self) -> int:
        """Rows of the table."""
        return len(self.values)

    @property
    def present(self) -> int:
        """Rows that hold a value."""
        return len(self.order)

    def at(self, positions: NDArray[np.integer]) -> NDArray[np.float64]:
        """Return the values at `positions` (any shape) in the field's own unit, NaN where missing."""
        units = self.values[positions]
        found: NDArray[np.float64] = units.astype(np.float64) / self.scale
        if units.dtype != np.float64:
            found[units == np.iinfo(np.int32 if units.dtype == np.int32 else np.int64).min] = np.nan
        return found

    def window(
        self, low: NDArray[np.float64], high: NDArray[np.float64]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return start and stop in `order` of the values in [low, high], per pair; empty where either is NaN."""
        first, last = self._units(low, np.ceil, -_HALF_UNIT), self._units(high, np.floor, _HALF_UNIT)
        start = np.searchsorted(self.ranked, first, side="left")
        stop = np.searchsorted(self.ranked, last, side="right")
        known = np.isfinite(low) & np.isfinite(high)
        return np.where(known, start, 0), np.where(known, np.maximum(start, stop), 0)

    @cached_property
    def core(self) -> tuple[float, float]:
        """The range of all but the outermost thousandth on each side."""
        low, high = self.quantiles(np.array([0.001, 0.999]))
        return float(low), float(high)

    def quantiles(self, shares: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the values below which the given shares of the present ones lie; NaN for an empty column."""
        if not self.present:
            return np.full(len(shares), np.nan)
        spots = np.minimum((shares * self.present).astype(np.int64), self.present - 1)
        return np.asarray(self.ranked[spots].astype(np.float64) / self.scale)

    @cached_property
    def spread(self) -> float:
        """A robust standard deviation: the range of the middle half over 1.349, wider ranges where that is 0."""
        for tail, width in ((0.25, 1.349), (0.05, 3.29), (0.0, 6.0)):
            low, high = self.quantiles(np.array([tail, 1 - tail]))
            if high > low:
                return float((high - low) / width)
        return 0.0

    def _units(self, bounds: NDArray[np.float64], rounding: np.ufunc, noise: float) -> Units:
        # Needles in the array's own type: numpy would otherwise convert the whole column for each search.
        scaled = np.nan_to_num(np.asarray(bounds, dtype=np.float64) * self.scale, nan=0.0)
        if self.ranked.dtype == np.float64:
            return np.asarray(scaled + noise * 1e-6 * np.abs(scaled))
        limits = np.iinfo(np.int32 if self.ranked.dtype == np.int32 else np.int64)
        return np.asarray(np.clip(rounding(scaled + noise), limits.min + 1, limits.max), dtype=self.ranked.dtype)


@dataclass(frozen=True)
class CategoryColumn:
    """A column of codes.

    codes   int32 (rows,): index into `labels`, -1 where missing
    order   int32 (present,): positions by ascending code
    starts  int64 (labels + 1,): where each code's positions begin in `order`
    """

    field: Field
    labels: tuple[str, ...]
    codes: NDArray[np.int32]
    order: NDArray[np.int32]
    starts: NDArray[np.int64]

    @property
    def rows(self) -> int:
        """Rows of the table."""
        return len(self.codes)

    @property
    def present(self) -> int:
        """Rows that hold a code."""
        return len(self.order)

    @cached_property
    def code_of(self) -> Mapping[str, int]:
        """Code by label."""
        return {label: code for code, label in enumerate(self.labels)}

    def written(self, positions: NDArray[np.integer]) -> pa.StringArray:
        """Return the labels at `positions`, null where missing."""
        codes = self.codes[positions]
        return pa.array(self.labels, pa.string()).take(pa.array(codes, mask=codes < 0))


Column = NumberColumn | CategoryColumn


class TableIndex:
    """The opened index of one table; a column's arrays are mapped when it is first asked for.

    `dictionary` is the version's own. Raises IntegrityError where the folder holds no whole index of that table.
    """

    def __init__(self, folder: Path, dictionary: Dictionary) -> None:
        self._folder = folder
        meta = _read_meta(folder)
        self.table: str = meta["table"]
        self.rows: int = meta["rows"]
        self.version: str = meta["version"]
        self.blocks: tuple[tuple[str, ...], ...] = tuple(tuple(block) for block in meta["blocks"])
        self._stems: dict[str, dict[str, Any]] = meta["columns"]
        self._declared = {field.name: field for field in dictionary.of(self.table)}
        self._columns: dict[str, Column] = {}

    @property
    def fields(self) -> tuple[str, ...]:
        """Names of the indexed fields, in the dictionary's order."""
        return tuple(self._stems)

    def __getitem__(self, field: str) -> Column:
        if field not in self._columns:
            self._columns[field] = self._open(field)
        return self._columns[field]

    def __contains__(self, field: object) -> bool:
        return field in self._stems

    @cached_property
    def row_ids(self) -> NDArray[np.uint64]:
        """Row id by position."""
        return self._load("rows")

    @cached_property
    def participants(self) -> NDArray[np.uint64]:
        """Participant number by position."""
        return self._load("participants")

    @cached_property
    def ambiguous(self) -> NDArray[np.bool_]:
        """Whether the row shares its natural key with another, by position: no cell of it is marked."""
        return self._load("ambiguous")

    def batch(self, positions: NDArray[np.integer], names: Iterable[str]) -> pa.RecordBatch:
        """Give some rows as the snapshot has them: numbers, flag and the fields named, as far as they are indexed.

        What is declared missing is null; dates are left out. Cells worked out from this batch are those of the copies.
        """
        columns: dict[str, pa.Array] = {
            ROW: pa.array(self.row_ids[positions]),
            PARTICIPANT: pa.array(self.participants[positions]),
            AMBIGUOUS: pa.array(self.ambiguous[positions]),
        }
        for column in (self[name] for name in names if name in self):
            if isinstance(column, CategoryColumn):
                columns[column.field.name] = column.written(positions)
            elif column.field.type in _NUMERIC:
                columns[column.field.name] = pa.array(column.at(positions), from_pandas=True)
        return pa.RecordBatch.from_pydict(columns)

    def declared(self, names: Iterable[str]) -> tuple[Field, ...]:
        """Return what the dictionary says of the fields named."""
        return tuple(self._declared[name] for name in names)

    def numbers(self) -> Iterator[NumberColumn]:
        """Every number and date column."""
        yield from (column for column in map(self.__getitem__, self.fields) if isinstance(column, NumberColumn))

    def categories(self) -> Iterator[CategoryColumn]:
        """Every category."""
        yield from (column for column in map(self.__getitem__, self.fields) if isinstance(column, CategoryColumn))

    def _open(self, name: str) -> Column:
        meta, field = self._stems[name], self._declared[name]
        stem = meta["stem"]
        if meta["kind"] == "number":
            values, order, ranked = (self._load(f"{stem}.{part}") for part in ("values", "order", "ranked"))
            return NumberColumn(field, meta["scale"], values, order, ranked)
        codes, order, starts = (self._load(f"{stem}.{part}") for part in ("codes", "order", "starts"))
        return CategoryColumn(field, tuple(meta["labels"]), codes, order, starts)

    def _load(self, name: str) -> NDArray[Any]:
        path = self._folder / f"{name}.npy"
        try:
            # An empty array cannot be mapped; plain views spare the bookkeeping of numpy's memmap class.
            mode: Literal["r"] | None = "r" if path.stat().st_size > _EMPTY_BYTES else None
            array: NDArray[Any] = np.load(path, mmap_mode=mode, allow_pickle=False)
        except (OSError, ValueError) as error:
            raise IntegrityError(
                f"The index of table {self.table} is damaged. Delete its folder; it is built again."
            ) from error
        return array.view(np.ndarray)


def build_index(snapshot: Path, dictionary: Dictionary, table: str, folder: Path, *, version: str = "") -> TableIndex:
    """Sort every indexable column of a Parquet snapshot into `folder` and open the result.

    Direct identifiers, the participant id and free text are not indexed. Declared missing codes count as missing.
    The folder is whole once `index.json` stands in it, which is written last. `version` names the snapshot (its
    sha256) and is kept with the index.

    Cost: one sort per column, memory for 16 columns at a time.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / _META).unlink(missing_ok=True)
    with pq.ParquetFile(snapshot) as file:
        present = set(file.schema_arrow.names)
        fields = [field for field in dictionary.of(table) if field.name in present and _indexable(field)]
        rows = _write_addresses(file, folder)
        stems = _write_columns(file, fields, folder)
    index_meta = {"format": _FORMAT, "table": table, "rows": rows, "version": version, "columns": stems, "blocks": []}
    _write_meta(folder, index_meta)
    opened = TableIndex(folder, dictionary)
    _write_meta(folder, index_meta | {"blocks": correlated_blocks(*_sampled(opened))})
    return TableIndex(folder, dictionary)


def _indexable(field: Field) -> bool:
    return field.role not in (Role.ID, Role.DIRECT) and field.type is not FieldType.TEXT


def _write_addresses(file: pq.ParquetFile, folder: Path) -> int:
    flagged = AMBIGUOUS in file.schema_arrow.names
    addresses = file.read([ROW, PARTICIPANT, *([AMBIGUOUS] if flagged else [])])
    for name, column in (("rows", ROW), ("participants", PARTICIPANT)):
        np.save(folder / f"{name}.npy", addresses.column(column).to_numpy().astype(np.uint64))
    unflagged = np.zeros(addresses.num_rows, dtype=bool)
    np.save(folder / "ambiguous.npy", addresses.column(AMBIGUOUS).to_numpy() if flagged else unflagged)
    return int(addresses.num_rows)


def _write_columns(file: pq.ParquetFile, fields: list[Field], folder: Path) -> dict[str, dict[str, Any]]:
    stems: dict[str, dict[str, Any]] = {}
    for first in range(0, len(fields), _COLUMNS_AT_ONCE):
        batch = fields[first : first + _COLUMNS_AT_ONCE]
        columns = file.read([field.name for field in batch])
        for offset, field in enumerate(batch):
            stem = f"f{first + offset:05d}"
            stems[field.name] = _write_column(field, columns.column(field.name), folder / stem) | {"stem": stem}
    return stems


def _write_column(field: Field, column: pa.ChunkedArray, stem: Path) -> dict[str, Any]:
    if field.type is FieldType.CATEGORY:
        return _write_category(field, column, stem)
    numbers = _days(column) if field.type in _DATES else _numbers(field, column)
    units, scale = _in_units(numbers, field)
    order = np.argsort(units, kind="stable").astype(np.int32)
    # Missing is the lowest integer, or NaN, which numpy sorts last.
    missing = int(np.count_nonzero(np.isnan(numbers)))
    order = order[: len(order) - missing] if units.dtype == np.float64 else order[missing:]
    _save(stem, values=units, order=order, ranked=units[order])
    return {"kind": "number", "scale": scale}


def _write_category(field: Field, column: pa.ChunkedArray, stem: Path) -> dict[str, Any]:
    written = canonical_labels(column)
    encoded = pc.dictionary_encode(written).combine_chunks()
    labels = encoded.dictionary.to_pylist() if len(written) else []
    missing = set(field.missing_codes)
    kept = {label: code for code, label in enumerate(sorted(label for label in labels if label not in missing))}
    recode = np.array([kept.get(label, -1) for label in labels] + [-1], dtype=np.int32)
    codes = recode[encoded.indices.fill_null(len(labels)).to_numpy()] if len(written) else np.empty(0, np.int32)
    order = np.argsort(codes, kind="stable").astype(np.int32)[int(np.count_nonzero(codes < 0)) :]
    starts = np.searchsorted(codes[order], np.arange(len(kept) + 1))
    _save(stem, codes=codes, order=order, starts=starts.astype(np.int64))
    return {"kind": "category", "labels": list(kept)}


def canonical_labels(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Write the codes of a category as text, whole numbers without a decimal point; nulls stay null."""
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if pa.types.is_floating(column.type):
        whole = pc.all(pc.equal(column, pc.round(column))).as_py()
        column = column.cast(pa.int64()) if whole else column
    return column.cast(pa.string())


def _numbers(field: Field, column: pa.ChunkedArray) -> NDArray[np.float64]:
    try:
        found: NDArray[np.float64] = column.cast(pa.float64()).to_numpy().astype(np.float64, copy=True)
    except pa.ArrowInvalid as error:
        raise InvalidInputError(
            f"Field {field.name} of table {field.table} is declared {field.type} and holds other text. "
            "Declare it a category, or mend the values."
        ) from error
    found[~np.isfinite(found)] = np.nan
    for code in field.missing_codes:
        with suppress(ValueError):
            found[found == float(code)] = np.nan
    return found


def _days(column: pa.ChunkedArray) -> NDArray[np.float64]:
    if pa.types.is_timestamp(column.type):
        seconds = column.cast(pa.timestamp("s"), safe=False).cast(pa.int64()).cast(pa.float64(), safe=False)
        return np.asarray(seconds.to_numpy() / _DAY_SECONDS)
    days = column.cast(pa.date32()).cast(pa.int32()).cast(pa.float64())
    return np.array(days.to_numpy(), dtype=np.float64)


def _in_units(numbers: NDArray[np.float64], field: Field) -> tuple[Units, float]:
    if field.type is FieldType.REAL:
        return numbers, 1.0
    scale = _DAY_SECONDS if field.type is FieldType.DATETIME else 10.0 ** (field.decimals or 0)
    scaled = numbers * scale
    known = scaled[np.isfinite(scaled)]
    units = np.rint(known)
    # Values finer than declared keep their digits, as do those too large for an integer.
    if np.any(np.abs(units - known) > np.maximum(_HALF_UNIT, 1e-9 * np.abs(known))) or np.any(np.abs(known) >= 2.0**53):
        return numbers, 1.0
    narrow = not known.size or float(np.abs(known).max()) < np.iinfo(np.int32).max
    kind: type[np.int32] | type[np.int64] = np.int32 if narrow else np.int64
    return np.where(np.isfinite(scaled), np.rint(scaled), np.iinfo(kind).min).astype(kind), scale


def _sampled(index: TableIndex) -> tuple[list[str], NDArray[np.float64]]:
    positions = np.linspace(0, index.rows - 1, min(_SAMPLE, index.rows)).astype(np.int64)
    columns = {column.field.name: column.at(positions) for column in index.numbers()}
    codes = {column.field.name: np.full(len(positions), np.nan) for column in index.categories()}
    return list(columns | codes), np.array([*(columns | codes).values()]).reshape(-1, len(positions))


def _save(stem: Path, **arrays: NDArray[Any]) -> None:
    for part, array in arrays.items():
        np.save(stem.with_name(f"{stem.name}.{part}.npy"), array)


def _write_meta(folder: Path, meta: dict[str, Any]) -> None:
    draft = folder / f"{_META}.draft"
    draft.write_text(json.dumps(meta, ensure_ascii=False), encoding="utf-8")
    os.replace(draft, folder / _META)


def _read_meta(folder: Path) -> dict[str, Any]:
    try:
        meta: dict[str, Any] = json.loads((folder / _META).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise IntegrityError("There is no whole index in this folder. Build it again from the snapshot.") from error
    if meta.get("format") != _FORMAT:
        raise IntegrityError("This index was written by another version of Copyhold. Build it again from the snapshot.")
    return meta
