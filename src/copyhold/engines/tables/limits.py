"""How much of a file is read before it is called hostile."""

from dataclasses import dataclass

_MEBIBYTE = 1 << 20
_GIBIBYTE = 1 << 30


@dataclass(frozen=True)
class Limits:
    """Bounds on what a reader takes in; every one of them ends in an UnreadableFileError, never in a full memory.

    `expansion` is the largest ratio of unfolded to stored bytes, looked at once `expansion_floor` bytes have come
    out (a wide and sparse table packs 50 to 1, a bomb 1,000 to 1 and more). `line_bytes` bounds one line of text.
    `table_bytes` and `cells` bound what `read_table` holds at once; `batches` is not bound by them. `columns` leaves
    room for the widest table in use, UK Biobank's 38,005. `formulas` True reads the last computed value of a
    spreadsheet's formula and a text cell that starts with an equals sign as text: right for a leak, where nobody may
    make a file unreadable by adding one; wrong for a custodian's own table.
    """

    file_bytes: int = 256 * _GIBIBYTE
    expanded_bytes: int = 1024 * _GIBIBYTE
    expansion: int = 200
    expansion_floor: int = 64 * _MEBIBYTE
    table_bytes: int = 4 * _GIBIBYTE
    cells: int = 400_000_000
    rows: int = 1_000_000_000
    columns: int = 65_536
    line_bytes: int = 4 * _MEBIBYTE
    formulas: bool = False
