"""Read SPSS, Stata and SAS transport files with ReadStat: the process behind `statfiles`, see `isolation`.

Numbers come as doubles, dates as the counts that the file holds, text as text; a column of numbers with tagged missing
codes (Stata's .a to .z) is text in the chunks where a code occurs.
"""

import io
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pyarrow as pa
import pyreadstat

from copyhold.engines.tables import isolation

_CHUNK_CELLS = 1 << 22
_READERS: dict[str, Callable[..., Any]] = {
    "SPSS": pyreadstat.read_sav,
    "Stata": pyreadstat.read_dta,
    "SAS transport": pyreadstat.read_xport,
}


def main(path: str, kind: str, encoding: str, most_columns: int, most_cells: int) -> int:
    """Read one file, or standard input where `path` is empty, and return the exit code."""
    isolation.bound()
    source = path or io.BytesIO(sys.stdin.buffer.read())
    try:
        reading = _Reading(kind, source, encoding)
        return isolation.answer(reading.about(most_columns), reading.chunks(most_cells))
    except isolation.RefusedError as refused:
        sys.stderr.write(str(refused))
        return isolation.REFUSED
    except UnicodeDecodeError:
        return isolation.WRONG_ENCODING
    except Exception as error:  # whatever C code makes of a damaged file; its words may quote a cell and stay here
        undecodable = "convert string to the requested encoding" in str(error)
        return isolation.WRONG_ENCODING if undecodable else isolation.DAMAGED


class _Reading:
    """One file, read in parts."""

    def __init__(self, kind: str, source: str | io.BytesIO, encoding: str) -> None:
        self._read = _READERS[kind]
        self._source = source
        self._options: dict[str, Any] = {"disable_datetime_conversion": True, "output_format": "dict"}
        if kind != "SAS transport":
            self._options["user_missing"] = True
        if encoding:
            self._options["encoding"] = encoding
        self._found = self._part(metadataonly=True)[1]

    def about(self, most_columns: int) -> dict[str, Any]:
        """What the file says about its columns."""
        found = self._found
        if not found.column_names:
            raise isolation.RefusedError("has no columns")
        if len(found.column_names) > most_columns:
            raise isolation.RefusedError(f"has more than {most_columns} columns, the most that is read")
        return {"columns": [_column(found, name) for name in found.column_names], "encoding": found.file_encoding or ""}

    def chunks(self, most_cells: int) -> Iterator[pa.RecordBatch]:
        """The rows in order."""
        width = len(self._found.column_names)
        texts = {name for name, kind in self._found.readstat_variable_types.items() if kind == "string"}
        chunk = max(1, _CHUNK_CELLS // width)
        start, rows = 0, chunk
        while rows == chunk:
            columns, _ = self._part(row_offset=start, row_limit=chunk)
            rows = len(next(iter(columns.values())))
            start += rows
            if start * width > most_cells:
                raise isolation.RefusedError(f"has more than {most_cells} cells, the most that is held at once")
            yield pa.record_batch({name: _array(cells, text=name in texts) for name, cells in columns.items()})

    def _part(self, **options: Any) -> tuple[dict[str, Sequence[Any]], Any]:
        """Columns by name, and the metadata."""
        if isinstance(self._source, io.BytesIO):
            self._source.seek(0)
        found: tuple[dict[str, Sequence[Any]], Any] = self._read(self._source, **self._options, **options)
        return found


def _column(about: Any, name: str) -> dict[str, Any]:
    return {
        "name": name,
        "title": about.column_names_to_labels.get(name) or "",
        "format": about.original_variable_types.get(name) or "",
        "text": about.readstat_variable_types.get(name) == "string",
        "value_labels": [[value, label] for value, label in about.variable_value_labels.get(name, {}).items()],
        "missing": [[bounds["lo"], bounds["hi"]] for bounds in about.missing_ranges.get(name, [])],
    }


def _array(cells: Sequence[Any], *, text: bool) -> pa.Array:
    if text:
        return pa.array(cells, pa.string())
    try:
        return pa.array(cells, pa.float64())
    except (pa.ArrowInvalid, TypeError):  # tagged codes among the numbers
        return pa.array([f".{cell}" if isinstance(cell, str) else _written(cell) for cell in cells], pa.string())


def _written(number: float | None) -> str | None:
    if number is None:
        return None
    return str(int(number)) if number == int(number) else repr(number)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]), int(sys.argv[5])))
