"""A leak as it was handed in: one file, or several that are read as one."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import rfc8785

from copyhold.domain.errors import InvalidInputError, NotFoundError
from copyhold.engines.matching.leaked import LeakedColumn
from copyhold.engines.reading.sighting import leaked_columns
from copyhold.engines.tables.limits import Limits
from copyhold.engines.tables.reading import read_tables

_FORMULAS = Limits(formulas=True)  # a cell that a spreadsheet would compute makes a leak no less a leak


@dataclass(frozen=True)
class Leak:
    """The tables of a leak, each as its columns, and the hash by which the leak is known.

    The hash of several files is that of the canonical JSON of their own, sorted: their order says nothing.
    """

    sha256: str
    files: tuple[str, ...]
    tables: tuple[tuple[LeakedColumn, ...], ...]

    @property
    def rows(self) -> int:
        """Rows over all tables."""
        return sum(columns[0].rows for columns in self.tables)


def read_leak(files: Sequence[Path]) -> Leak:
    """Read every table of every file.

    Raises:
        NotFoundError: there is no such file.
        UnreadableFileError: a file holds no table that can be read.
    """
    hashes = [_sha256(file) for file in files]
    found = [leaked_columns(source) for file in files for source in read_tables(file, limits=_FORMULAS)]
    digest = hashes[0] if len(hashes) == 1 else hashlib.sha256(rfc8785.dumps(sorted(hashes))).hexdigest()
    return Leak(digest, tuple(file.name for file in files), tuple(columns for columns in found if columns))


def _sha256(file: Path) -> str:
    if not file.exists():
        raise NotFoundError(f"There is no file {file}.")
    if not file.is_file():
        raise InvalidInputError(f"{file} is no file; name the leaked files themselves.")
    with file.open("rb") as data:
        return hashlib.file_digest(data, "sha256").hexdigest()
