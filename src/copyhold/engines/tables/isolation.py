"""Parsers written in C or Rust, run in a process of their own.

A damaged SPSS file ends the process that reads it; a spreadsheet of two cells in opposite corners asks for more memory
than there is. So such a parser runs alone (`readstat`, `sheets`), with bounded memory and time and without our
environment's tokens, and what it hands over is Arrow, which needs no trust. A parser that ends early is a damaged
file. On standard output it gives one line of JSON about the table, then Arrow streams; its exit code says how it went.
"""

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator
from typing import Any

import pyarrow as pa

from copyhold.engines.tables.files import File

DONE, DAMAGED, WRONG_ENCODING, REFUSED = 0, 3, 4, 5

_MEMORY_BYTES = 8 << 30
_SECONDS = 900
_KEPT_VARIABLES = ("PATH", "LD_LIBRARY_PATH", "SYSTEMROOT", "TZ", "LANG", "LC_ALL")


class RefusedError(Exception):
    """Raised in the parser's process: a sound file that cannot be used. The message follows the file's name."""


class WrongEncodingError(Exception):
    """The file is not in the encoding in which it was to be read."""


def parsed(file: File, module: str, *arguments: str) -> tuple[dict[str, Any], list[pa.RecordBatch]]:
    """Let `module` of this package parse a file; return what it says about the table, and the rows.

    Raises:
        UnreadableFileError: the parser refused the file, or came to an early end.
        WrongEncodingError: the parser asks for another encoding.
    """
    path = str(file.path.absolute()) if file.path else ""
    ended = subprocess.run(  # noqa: S603 this interpreter and a module of ours; the path is an argument, no command
        [sys.executable, "-P", "-m", f"copyhold.engines.tables.{module}", path, *arguments],
        input=file.data or b"",
        capture_output=True,
        check=False,
        env=_environment(),
    )
    if ended.returncode == REFUSED:
        raise file.error(ended.stderr.decode())
    if ended.returncode == WRONG_ENCODING:
        raise WrongEncodingError
    if ended.returncode != DONE:
        raise file.error(f"is damaged or incomplete, or not {file.kind.value} data: make it again or fetch it again")
    line, _, streams = ended.stdout.partition(b"\n")
    return json.loads(line), list(_chunks(streams))


def answer(about: dict[str, Any], blocks: Iterable[pa.RecordBatch]) -> int:
    """In the parser's process: hand over the table and return the exit code."""
    sys.stdout.buffer.write(json.dumps(about).encode() + b"\n")
    for batch in blocks:
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, batch.schema) as writer:
            writer.write_batch(batch)
        sys.stdout.buffer.write(sink.getvalue())
    sys.stdout.buffer.flush()
    return DONE


def bound() -> None:
    """In the parser's process: let the system end it before it takes the machine, where the system can."""
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))
        resource.setrlimit(resource.RLIMIT_CPU, (_SECONDS, _SECONDS))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _environment() -> dict[str, str]:
    kept = {name: os.environ[name] for name in _KEPT_VARIABLES if name in os.environ}
    return kept | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}


def _chunks(streams: bytes) -> Iterator[pa.RecordBatch]:
    reader = pa.BufferReader(streams)
    while reader.tell() < len(streams):
        yield from pa.ipc.open_stream(reader)
