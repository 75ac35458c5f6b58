"""Read SPSS, Stata and SAS transport files with ReadStat, in a process of its own.

ReadStat is written in C, and damaged SPSS files end the process that reads them. So nothing else runs in it: `main` is
started by `statfiles` for one file, with bounded memory and time. On standard output it gives one line of JSON (the
columns), then the rows, one Arrow stream per chunk: numbers as doubles, dates as the counts that the file holds, text
as text; a column of numbers with tagged missing codes (Stata's .a to .z) is text in the chunks where a code occurs.
Its exit code says how it went; a sentence goes to standard error.
"""

import contextlib
import io
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pyarrow as pa
import pyreadstat

DONE, DAMAGED, WRONG_ENCODING, REFUSED = 0, 3, 4, 5

_CHUNK_CELLS = 1 << 22
_MEMORY_BYTES = 16 << 30
_SECONDS = 3600
_READERS: dict[str, Callable[..., Any]] = {
    "SPSS": pyreadstat.read_sav,
    "Stata": pyreadstat.read_dta,
    "SAS transport": pyreadstat.read_xport,
}


def main(kind: str, path: str, encoding: str, most_columns: int, most_cells: int) -> int:
    """Read one file, or standard input where `path` is empty, and return the exit code."""
    _bound()
    source = path or io.BytesIO(sys.stdin.buffer.read())
    try:
        for block in _answer(_Reading(kind, source, encoding), most_columns, most_cells):
            sys.stdout.buffer.write(block)
        sys.stdout.buffer.flush()
    except _RefusedError as refused:
        sys.stderr.write(str(refused))
        return REFUSED
    except UnicodeDecodeError:
        return WRONG_ENCODING
    except Exception as error:  # whatever C code makes of a damaged file; its words may quote a cell and stay here
        return WRONG_ENCODING if "convert string to the requested encoding" in str(error) else DAMAGED
    return DONE


class _RefusedError(Exception):
    """The file is sound and cannot be used; the message says why and follows the file's name."""


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

    def part(self, **options: Any) -> tuple[dict[str, Sequence[Any]], Any]:
        """Columns by name, and the metadata."""
        if isinstance(self._source, io.BytesIO):
            self._source.seek(0)
        found: tuple[dict[str, Sequence[Any]], Any] = self._read(self._source, **self._options, **options)
        return found


def _answer(reading: _Reading, most_columns: int, most_cells: int) -> Iterator[bytes]:
    _, about = reading.part(metadataonly=True)
    if not about.column_names:
        raise _RefusedError("has no columns")
    if len(about.column_names) > most_columns:
        raise _RefusedError(f"has more than {most_columns} columns, the most that is read")
    yield json.dumps({"columns": _columns(about), "encoding": about.file_encoding or ""}).encode() + b"\n"
    width = len(about.column_names)
    chunk = max(1, _CHUNK_CELLS // width)
    texts = {name for name, kind in about.readstat_variable_types.items() if kind == "string"}
    start = rows = 0
    while True:
        columns, _ = reading.part(row_offset=start, row_limit=chunk)
        rows = len(next(iter(columns.values())))
        if (start + rows) * width > most_cells:
            raise _RefusedError(f"has more than {most_cells} cells, the most that is held at once")
        yield _stream(columns, texts)
        start += rows
        if rows < chunk:
            return


def _columns(about: Any) -> list[dict[str, Any]]:
    return [
        {
            "name": name,
            "title": about.column_names_to_labels.get(name) or "",
            "format": about.original_variable_types.get(name) or "",
            "text": about.readstat_variable_types.get(name) == "string",
            "value_labels": [[value, label] for value, label in about.variable_value_labels.get(name, {}).items()],
            "missing": [[bounds["lo"], bounds["hi"]] for bounds in about.missing_ranges.get(name, [])],
        }
        for name in about.column_names
    ]


def _stream(columns: dict[str, Sequence[Any]], texts: set[str]) -> bytes:
    arrays = {name: _array(cells, text=name in texts) for name, cells in columns.items()}
    batch = pa.record_batch(arrays)
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema) as writer:
        writer.write_batch(batch)
    stream: bytes = sink.getvalue().to_pybytes()
    return stream


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


def _bound() -> None:
    """Let the system end this process before it takes the machine; a system without such bounds has none."""
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))
        resource.setrlimit(resource.RLIMIT_CPU, (_SECONDS, _SECONDS))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]), int(sys.argv[5])))
