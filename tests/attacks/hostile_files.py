"""Hostile and broken files, each with a name: what somebody hands in by mistake or on purpose.

`hostile_files(folder)` writes them and says of each what the one sentence must contain. Cells hold CANARY, which must
never show in a message. Every reader must answer with UnreadableFileError or InvalidInputError, every command with
exit code 2, and nothing may change.
"""

import gzip
import io
import os
import pickle
import re
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import openpyxl
import polars as pl
import pyarrow as pa
import pyreadstat
from pyarrow import parquet

CANARY = "CANARY"
_TABLE = f"eid,name,glucose\n1,{CANARY},5.1\n2,{CANARY},6.2\n3,{CANARY},4.9\n".encode()
_BOMB_BYTES = 80 << 20


@dataclass(frozen=True)
class HostileFile:
    """A file that must be refused; `says` is a pattern that the sentence must contain."""

    name: str
    path: Path
    says: str


def hostile_files(folder: Path) -> tuple[HostileFile, ...]:
    """Write every hostile file into an empty folder."""
    made = [
        *_broken_text(folder),
        *_impostors(folder),
        *_bombs(folder),
        *_parquet(folder),
        *_statistical(folder),
        *_workbooks(folder),
        *_pages(folder),
        *_no_files(folder),
    ]
    names = [each.name for each in made]
    assert len(set(names)) == len(names)
    return tuple(made)


def _bytes(folder: Path, files: dict[str, tuple[bytes, str]]) -> Iterator[HostileFile]:
    for name, (data, says) in files.items():
        (folder / name).write_bytes(data)
        yield HostileFile(name, folder / name, says)


def _broken_text(folder: Path) -> Iterator[HostileFile]:
    heading = _TABLE.split(b"\n", 1)[0]
    yield from _bytes(
        folder,
        {
            "empty.csv": (b"", "is empty"),
            "blank_lines.csv": (b"\n\r\n\n", "is empty"),
            "heading_only.csv": (heading + b"\n", "a heading and no rows"),
            "short_row.csv": (_TABLE + b"4\n", "in line 5 is 1"),
            "long_row.csv": (_TABLE + b"4,CANARY,5,6\n", "in line 5 is 4"),
            "late_long_row.csv": (_TABLE + b"4,CANARY,5\n" * 300_000 + b"5,CANARY,6,7\n", "in line 300005 is 4"),
            "open_quote.csv": (_TABLE + b'4,"CANARY,5\n', "quotation mark in line 5"),
            "quote_swallowing_rows.csv": (
                _TABLE + b'4,"CANARY,5\n5,"CANARY",6\n',
                "quotation mark out of place in line 6",
            ),
            "text_after_quote.csv": (_TABLE + b'4,"CANARY" x,5\n', "quotation mark out of place in line 5"),
            "same_name_twice.csv": (b"eid,x,eid\n1,CANARY,3\n", "columns 1 and 3 the same name"),
            "nul_byte.csv": (_TABLE + b"4,CAN\0ARY,5\n", "line 5 holds a NUL byte"),
            "control_characters.csv": (_TABLE + b"4,CANARY\x01,5\n", "control characters"),
            "latin_1_in_utf_8.csv": (
                _TABLE + "4,CANARYÄ,5\n".encode() + b"5,CANARY\xc4,6\n",
                "line 6 holds other bytes",
            ),
            "false_utf_8_mark.csv": (b"\xef\xbb\xbf" + _TABLE + b"4,CANARY\xc4,5\n", "line 5 holds other bytes"),
            "half_a_letter.csv": (_TABLE.decode().encode("utf-16")[:-1], "UTF-16-LE text throughout"),
            "no_encoding.csv": (
                _TABLE + b"4,CANARY\x81\x8d\x90\xff\xfe\xfd\xfc\x81\x9d\x80,5\n",
                "encoding|other bytes",
            ),
            "formula.csv": (_TABLE + b"4,=CANARY(),5\n", "holds a formula in line 5"),
            "quoted_formula.csv": (_TABLE + b'4,"=cmd|CANARY!A0",5\n', "holds a formula in line 5"),
            "two_delimiters.csv": (b"a;b,c\nx;CANARY,z\nu;v,w\n", "could be separated by"),
            "prose.csv": (
                b"Dear CANARY,\n\nplease find the table enclosed, as agreed,\nfor Monday.\n",
                "is not a table",
            ),
            "prose.txt": (b"Dear CANARY\nplease find the table enclosed as agreed on Monday\n", "holds no table"),
            "one_enormous_line.csv": (heading + b"\n1," + b"CANARY" * 1_000_000 + b",5.1\n", "line longer than"),
            "enormous_quoted_cell.csv": (
                heading + b'\n1,"' + b"CANARY\n" * 4_000_000 + b'",5.1\n',
                "cannot be divided",
            ),
            "hundred_thousand_columns.csv": (
                b",".join(b"c%d" % place for place in range(100_000)) + b"\n" + b",".join([b"1"] * 100_000) + b"\n",
                "more than 65536 columns",
            ),
        },
    )


def _impostors(folder: Path) -> Iterator[HostileFile]:
    noise = np.random.default_rng(7)
    yield from _bytes(
        folder,
        {
            "image.csv": (b"\x89PNG\r\n\x1a\n" + noise.bytes(500), "not a table but an image"),
            "document.csv": (b"%PDF-1.7\n" + _TABLE, "not a table but a PDF"),
            "program.csv": (b"\x7fELF\x02\x01\x01" + noise.bytes(500), "not a table but a program"),
            "script.csv": (b"#!/bin/sh\necho CANARY\n", "not a table but a program"),
            "pickle.csv": (pickle.dumps({"eid": [CANARY]}), "pickle"),
            "noise.csv": (noise.bytes(5_000), "is not|holds|encoding"),
            "noise": (noise.bytes(5_000), "no table|is not|holds"),
            "text.sav": (_TABLE, "does not hold SPSS data"),
            "text.dta": (_TABLE, "does not hold Stata data"),
            "text.xpt": (_TABLE, "does not hold SAS transport data"),
            "text.parquet": (_TABLE, "does not hold Parquet data"),
            "text.xlsx": (_TABLE, "does not hold Excel data"),
            "text.csv.gz": (_TABLE, "not compressed as its ending says"),
            "old_or_encrypted_office.xlsx": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "password-protected"),
        },
    )


def _bombs(folder: Path) -> Iterator[HostileFile]:
    flood = b"1,CANARY,5.1\n" * (_BOMB_BYTES // 13)
    yield from _bytes(
        folder,
        {
            "bomb.csv.gz": (gzip.compress(_TABLE + flood, 6, mtime=0), "unfolds to far more"),
            "bomb.csv.zst": (pa.compress(_TABLE + flood, "zstd", asbytes=True), "unfolds to far more"),
            "cut.csv.gz": (gzip.compress(_TABLE * 5_000, mtime=0)[:-200], "damaged or incomplete"),
            "cut.csv.zst": (pa.compress(_TABLE * 5_000, "zstd", asbytes=True)[:-20], "damaged or incomplete"),
            "nothing.csv.gz": (gzip.compress(b"", mtime=0), "is empty"),
        },
    )


def _parquet(folder: Path) -> Iterator[HostileFile]:
    sound = _written_parquet(pa.table({"eid": list(range(5_000)), "name": [CANARY] * 5_000, "x": [0.5] * 5_000}))
    torn = bytearray(sound)
    torn[60:400] = bytes(340)
    yield from _bytes(
        folder,
        {
            "cut.parquet": (sound[: len(sound) // 2], "damaged or incomplete"),
            "cut_footer.parquet": (sound[:-5], "damaged or incomplete"),
            "torn_page.parquet": (bytes(torn), "damaged or incomplete"),
            "mark_only.parquet": (b"PAR1\x15\x04PAR1", "damaged or incomplete"),
            "lists.parquet": (
                _written_parquet(pa.table({"eid": [1], "codes": [[CANARY]]})),
                "lists or records as cells",
            ),
            "no_rows.parquet": (_written_parquet(pa.table({"eid": pa.array([], pa.int64())})), "no rows"),
            "no_columns.parquet": (_written_parquet(pa.table({})), "has no columns"),
            "same_name_twice.parquet": (
                _written_parquet(pa.Table.from_arrays([pa.array([1]), pa.array([CANARY])], names=["eid", "eid"])),
                "two columns of the same name",
            ),
        },
    )


def _written_parquet(table: pa.Table) -> bytes:
    sink = io.BytesIO()
    parquet.write_table(table, sink)
    return sink.getvalue()


def _statistical(folder: Path) -> Iterator[HostileFile]:
    frame = pl.DataFrame({"eid": [1.0, 2.0], "name": [CANARY, CANARY]})
    sound: dict[str, bytes] = {}
    writers: dict[str, Callable[[pl.DataFrame, Path], None]] = {
        "sav": pyreadstat.write_sav,
        "dta": pyreadstat.write_dta,
        "xpt": pyreadstat.write_xport,
    }
    for ending, writer in writers.items():
        path = folder / f"sound.{ending}"
        writer(frame, path)
        sound[ending] = path.read_bytes()
        path.unlink()
    crashing = bytearray(sound["sav"])
    crashing[180] = 0xFF  # the width of the first variable: ReadStat 1.1.9 ends its process over it
    yield from _bytes(
        folder,
        {
            "cut.sav": (sound["sav"][:300], "damaged or incomplete"),
            "crashing.sav": (bytes(crashing), "damaged or incomplete"),
            "cut.dta": (sound["dta"][:300], "damaged or incomplete"),
            "cut.xpt": (sound["xpt"][:700], "damaged or incomplete|no rows"),
            "mark_only.sav": (b"$FL2" + bytes(20), "damaged or incomplete"),
        },
    )


def _workbooks(folder: Path) -> Iterator[HostileFile]:
    sound = _workbook([["eid", "name"], [1, CANARY], [2, CANARY]])
    corners = _workbook([["eid", "name"], [1, CANARY]], {"XFD1048576": 1})
    sheet = "xl/worksheets/sheet1.xml"
    filler = b"<row><c><v>1</v></c></row>" * (_BOMB_BYTES // 26)
    yield from _bytes(
        folder,
        {
            "cut.xlsx": (sound[:-300], "damaged or incomplete"),
            "no_table.xlsx": (_workbook([]), "no sheet with a table"),
            "heading_only.xlsx": (_workbook([["eid", "name"]]), "a heading and no rows"),
            "same_name_twice.xlsx": (_workbook([["eid", "eid"], [1, CANARY]]), "columns 1 and 2 the same name"),
            "formula.xlsx": (_workbook([["eid", "name"], [1, "=CONCAT(A1)"]]), "holds formulas"),
            "far_corners.xlsx": (corners, "cells so far apart"),
            "unclaimed_far_corners.xlsx": (
                _with_part(corners, sheet, lambda xml: re.sub(rb"<dimension[^>]*>", b"", xml)),
                "damaged or incomplete",
            ),
            "bomb.xlsx": (
                _with_part(sound, sheet, lambda xml: xml.replace(b"<sheetData>", b"<sheetData>" + filler)),
                "claims to unfold to far more",
            ),
            "claims_ten_gigabytes.xlsx": (
                _claiming(sound, sheet, 10_000_000_000),
                "claims to unfold to far more|damaged",
            ),
            "claims_too_little.xlsx": (_claiming(sound, sheet, 10), "damaged or incomplete"),
            "password.xlsx": (_encrypted(sound), "protected by a password"),
            "archive_of_text.xlsx": (_archive({"table.csv": _TABLE}), "not an Excel workbook"),
            "archive_of_text.zip": (_archive({"table.csv": _TABLE}), "not an Excel workbook"),
            "several_sheets.xlsx": (_workbook([["eid"], [1]], second=True), "2 sheets with tables"),
        },
    )


def _workbook(rows: list[list[object]], cells: dict[str, object] | None = None, *, second: bool = False) -> bytes:
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    for place, value in (cells or {}).items():
        book.active[place] = value
    if second:
        book.create_sheet("Other").append(["eid"])
    sink = io.BytesIO()
    book.save(sink)
    book.close()
    return sink.getvalue()


def _archive(parts: dict[str, bytes]) -> bytes:
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, data in parts.items():
            archive.writestr(name, data)
    return sink.getvalue()


def _with_part(workbook: bytes, part: str, changed: Callable[[bytes], bytes]) -> bytes:
    with zipfile.ZipFile(io.BytesIO(workbook)) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    return _archive(parts | {part: changed(parts[part])})


def _claiming(workbook: bytes, part: str, size_bytes: int) -> bytes:
    """Let the directory claim another size for a part, and the checksum of what a trusting reader would see."""
    with zipfile.ZipFile(io.BytesIO(workbook)) as archive:
        start = zlib.crc32(archive.read(part)[:size_bytes])
    entry = workbook.index(b"PK\x01\x02" + workbook.split(b"PK\x01\x02", 1)[1][:0])
    while workbook[entry + 46 : entry + 46 + len(part)] != part.encode():
        entry = workbook.index(b"PK\x01\x02", entry + 4)
    claimed = min(size_bytes, 0xFFFFFFFE)
    return (
        workbook[: entry + 16] + struct.pack("<I", start) + workbook[entry + 20 : entry + 24]
        + struct.pack("<I", claimed) + workbook[entry + 28 :]
    )  # fmt: skip


def _encrypted(workbook: bytes) -> bytes:
    """Set the flag of encryption on every part in the directory."""
    return re.sub(rb"(PK\x01\x02.{4})(.{2})", lambda found: found[1] + b"\x01\x00", workbook, flags=re.DOTALL)


def _pages(folder: Path) -> Iterator[HostileFile]:
    uneven = b"<table><tr><td>a</td><td>CANARY</td></tr><tr><td>1</td><td>2</td><td>3</td></tr></table>"
    yield from _bytes(
        folder,
        {
            "no_table.html": (b"<html><body><p>CANARY</p></body></html>", "holds no table"),
            "uneven_table.html": (b"<html>" + uneven + b"</html>", "rows differ in length|no table"),
            "deeply_nested.html": (b"<html>" + b"<div>" * 200_000 + b"CANARY", "no table|cannot be read"),
            "no_table.md": (b"# CANARY\n\nNothing | to see\n", "holds no table"),
        },
    )


def _no_files(folder: Path) -> Iterator[HostileFile]:
    (folder / "folder.csv").mkdir()
    (folder / "loop.csv").symlink_to(folder / "loop.csv")
    (folder / "dangling.csv").symlink_to(folder / "nowhere.csv")
    os.mkfifo(folder / "pipe.csv")
    yield HostileFile("folder.csv", folder / "folder.csv", "is a folder")
    yield HostileFile("loop.csv", folder / "loop.csv", "its path leads nowhere")
    yield HostileFile("dangling.csv", folder / "dangling.csv", "does not exist")
    yield HostileFile("missing.csv", folder / "missing.csv", "does not exist")
    yield HostileFile("pipe.csv", folder / "pipe.csv", "is not a file")
    locked = folder / "locked.csv"
    locked.write_bytes(_TABLE)
    locked.chmod(0)
    if not os.access(locked, os.R_OK):  # the superuser reads everything
        yield HostileFile("locked.csv", locked, "permissions do not allow it")
