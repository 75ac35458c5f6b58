"""Names that SPSS, Stata and SAS allow, one for each column."""

import re
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from copyhold.engines.tables.legal_names import legal_names
from copyhold.engines.tables.sources import Kind
from copyhold.engines.tables.writing import write

STATISTICAL = (Kind.SAV, Kind.DTA, Kind.XPT)
AWKWARD = [
    "21001-0.0",
    "f.21001.0.0",
    "A",
    "a",
    "long",
    "all",
    "_n_",
    "",
    "é",
    "9",
    "x" * 70,
    "x" * 71,
    "a b",
    "str5",
    "_",
]


@given(st.lists(st.text(max_size=40), unique=True), st.sampled_from(STATISTICAL))
def test_every_name_is_legal_and_nobody_shares_one(names: list[str], kind: Kind) -> None:
    mapped = legal_names(names, kind)
    assert list(mapped) == names
    assert len({legal.lower() for legal in mapped.values()}) == len(names)
    longest = 64 if kind is Kind.SAV else 32
    assert all(re.fullmatch(rf"[A-Za-z_][A-Za-z0-9_]{{0,{longest - 1}}}", legal) for legal in mapped.values())


def test_ukb_names_get_their_platform_spelling() -> None:
    assert legal_names(["21001-0.0", "20002-0.3", "eid"], Kind.SAV) == {
        "21001-0.0": "p21001_i0",
        "20002-0.3": "p20002_i0_a3",
        "eid": "eid",
    }


def test_legal_names_stay_and_csv_keeps_every_name() -> None:
    assert legal_names(["LBXTC", "p31"], Kind.DTA) == {"LBXTC": "LBXTC", "p31": "p31"}
    assert legal_names(AWKWARD, Kind.DELIMITED) == {name: name for name in AWKWARD}


@pytest.mark.parametrize("ending", [".sav", ".dta", ".xpt"])
def test_awkward_names_are_written(tmp_path: Path, ending: str) -> None:
    schema = pa.schema([(name, pa.int64()) for name in AWKWARD])
    written = write([pa.record_batch([[1]] * len(AWKWARD), schema=schema)], tmp_path / f"copy{ending}", schema)
    assert list(written.names) == AWKWARD
    assert len(set(written.names.values())) == len(AWKWARD)


@settings(max_examples=20, deadline=None)
@given(
    st.lists(
        st.sampled_from(["all", "and", "eq", "ge", "long", "int", "_n", "strL", "str12", "_N_", "_ALL_", "in"]),
        unique=True,
        min_size=1,
    )
)
def test_reserved_words_are_never_written(names: list[str]) -> None:
    import tempfile

    schema = pa.schema([(name, pa.int64()) for name in names])
    with tempfile.TemporaryDirectory() as folder:
        for ending in (".sav", ".dta", ".xpt"):
            batch = pa.record_batch([[1]] * len(names), schema=schema)
            assert write([batch], Path(folder) / f"copy{ending}", schema).rows == 1
