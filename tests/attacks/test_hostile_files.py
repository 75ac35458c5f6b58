"""Every hostile file ends in one clear sentence, whichever way it is read."""

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from copyhold.domain.errors import InvalidInputError
from copyhold.engines.tables.limits import Limits
from copyhold.engines.tables.reading import batches, read_table, read_tables
from tests.attacks.hostile_files import CANARY, HostileFile, hostile_files


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> tuple[HostileFile, ...]:
    return hostile_files(tmp_path_factory.mktemp("hostile"))


def refusal(read: Callable[[], object]) -> str:
    """The sentence with which a reading is refused, "" where it is not."""
    try:
        read()
    except InvalidInputError as error:
        return error.message
    return ""


def is_one_clear_sentence(message: str, file: HostileFile) -> bool:
    return (
        re.search(file.says, message) is not None
        and CANARY not in message
        and "\n" not in message
        and message.endswith(".")
        and file.path.name in message
        and len(message) < 300
    )


def unclear(hostile: tuple[HostileFile, ...], read: Callable[[HostileFile], object]) -> dict[str, str]:
    said = {file.name: refusal(lambda file=file: read(file)) for file in hostile}  # type: ignore[misc]
    return {file.name: said[file.name] for file in hostile if not is_one_clear_sentence(said[file.name], file)}


def test_there_are_enough_of_them(hostile: tuple[HostileFile, ...]) -> None:
    assert len(hostile) >= 60


def test_every_hostile_file_is_refused_in_one_sentence(hostile: tuple[HostileFile, ...]) -> None:
    assert unclear(hostile, lambda file: read_table(file.path)) == {}


def test_every_hostile_file_is_refused_in_a_stream(hostile: tuple[HostileFile, ...]) -> None:
    streamed = tuple(file for file in hostile if file.path.suffix not in (".sav", ".dta", ".xpt", ".xlsx"))
    assert unclear(streamed, lambda file: sum(batch.num_rows for batch in batches(file.path))) == {}


def test_hostile_bytes_are_refused_like_hostile_files(hostile: tuple[HostileFile, ...]) -> None:
    isolated = (".sav", ".dta", ".xpt", ".xlsx")
    files = tuple(
        file
        for file in hostile
        if file.path.is_file() and (file.path.suffix not in isolated or file.name in ("crashing.sav", "cut.xlsx"))
    )
    assert unclear(files, lambda file: read_table(file.path.read_bytes(), name=file.path.name)) == {}


def test_reading_every_table_of_a_hostile_file_is_refused_too(hostile: tuple[HostileFile, ...]) -> None:
    several = tuple(file for file in hostile if file.path.suffix in (".xlsx", ".zip", ".html", ".md", ".txt", ""))
    assert set(unclear(several, lambda file: read_tables(file.path))) == {
        "several_sheets.xlsx"
    }  # sound where all are read


def test_a_formula_does_not_make_a_leak_unreadable(hostile: tuple[HostileFile, ...]) -> None:
    for file in hostile:
        if file.name in ("formula.csv", "quoted_formula.csv", "formula.xlsx"):
            assert read_table(file.path, limits=Limits(formulas=True)).table.num_rows >= 1


@pytest.mark.parametrize("ending", ["csv", "parquet", "sav", "dta", "xpt", "xlsx", "html", "csv.gz", "csv.zst", "txt"])
def test_a_file_damaged_anywhere_is_read_or_refused_and_nothing_else(tmp_path: Path, ending: str) -> None:
    sound = _sound(tmp_path, ending)
    chance = np.random.default_rng(len(sound))
    isolated = ending in ("sav", "dta", "xpt", "xlsx")
    for _ in range(6 if isolated else 150):
        damaged = bytearray(sound)
        for _ in range(chance.choice([1, 3, 20])):
            damaged[chance.integers(len(damaged))] = chance.integers(256)
        if chance.random() < 0.3:
            del damaged[chance.integers(len(damaged)) :]
        message = refusal(lambda data=bytes(damaged): read_table(data, name=f"sample.{ending}"))  # type: ignore[misc]
        assert CANARY not in message


def _sound(folder: Path, ending: str) -> bytes:
    import gzip

    import openpyxl
    import pyarrow as pa

    from copyhold.engines.tables.writing import write

    table = pa.table({"eid": list(range(50)), "name": [CANARY, None] * 25, "x": [place / 10 for place in range(50)]})
    if ending in ("parquet", "sav", "dta", "xpt", "csv"):
        write(table.to_batches(), folder / f"sound.{ending}", table.schema)
        return (folder / f"sound.{ending}").read_bytes()
    text = b"eid,name,x\n" + b"".join(b"%d,CANARY,%d.5\n" % (place, place) for place in range(50))
    if ending == "xlsx":
        book = openpyxl.Workbook()
        for row in text.decode().splitlines():
            book.active.append(row.split(","))
        book.save(folder / "sound.xlsx")
        book.close()
        return (folder / "sound.xlsx").read_bytes()
    if ending == "html":
        rows = (b"<tr><td>" + row.replace(b",", b"</td><td>") + b"</td></tr>" for row in text.splitlines())
        return b"<html><table>" + b"".join(rows) + b"</table></html>"
    if ending == "csv.gz":
        return gzip.compress(text, mtime=0)
    if ending == "csv.zst":
        packed: bytes = pa.compress(text, "zstd", asbytes=True)
        return packed
    return text.replace(b",", b"  ")
