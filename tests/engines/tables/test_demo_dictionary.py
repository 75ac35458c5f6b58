"""The dictionary that ships with the people: it loads, its ties hold, and a person stands behind every line."""

import csv
from importlib.resources import files
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from copyhold.domain.catalogue import CutPoint, Dictionary, Role
from copyhold.engines.tables.dictionary import from_csv, to_csv
from copyhold.engines.tables.ties import declared

DATA = Path(str(files("copyhold.demo_data")))
# The least share of rows in which each computed field follows from its parents.
HELD = {"BMXBMI": 1.0, "LBDLDL": 1.0, "LBXSGB": 0.95, "LBXSOSSI": 0.98, "LBXMCVSI": 0.93}


@pytest.fixture(scope="module")
def dictionary() -> Dictionary:
    return from_csv(DATA / "dictionary.csv")


def test_it_describes_every_column_in_order_and_nothing_is_a_guess(dictionary: Dictionary) -> None:
    with (DATA / "nhanes_columns.csv").open() as lines:
        columns = [line["column"] for line in csv.DictReader(lines)]
    assert [field.column for field in dictionary.fields] == columns
    assert not dictionary.guesses
    assert all(field.title for field in dictionary.fields)
    assert to_csv(dictionary) == (DATA / "dictionary.csv").read_text(encoding="utf-8")


def test_its_ties_hold_as_often_as_it_is_said(dictionary: Dictionary) -> None:
    ties = declared(dictionary.fields)
    fields = {field.name: field for field in dictionary.fields}
    names = {name for tie in ties for name in (tie.derived, *tie.parents)}
    columns = {}
    for name, values in pl.read_parquet(DATA / "nhanes.parquet", columns=sorted(names)).to_dict().items():
        numbers = values.cast(pl.Float64).to_numpy().copy()
        numbers[np.isin(numbers, [float(code) for code in fields[name].missing_codes])] = np.nan
        columns[name] = numbers
    shares = {(tie.derived, tie.is_order): tie.counted(columns).share for tie in ties if not tie.is_order}
    assert set(shares) == {(name, False) for name in HELD}
    for name, least in HELD.items():
        share = shares[name, False]
        assert share is not None
        assert share >= least
    assert all(tie.counted(columns).share == 1 for tie in ties if tie.is_order)


def test_what_a_mark_must_not_carry_anybody_over_is_declared(dictionary: Dictionary) -> None:
    cuts = {field.name: tuple(cut.at for cut in field.cut_points) for field in dictionary.fields if field.cut_points}
    assert cuts["BMXBMI"] == (25, 30)
    assert cuts["BPXSY1"] == (140,)
    assert cuts["LBXTC"] == (200, 240)
    assert (cuts["LBXGH"], cuts["LBXGLU"]) == ((6.5,), (126,))
    assert CutPoint(6.5) in next(field for field in dictionary.fields if field.name == "LBXGH").cut_points


def test_measurements_are_marked_and_nothing_else(dictionary: Dictionary) -> None:
    fields = {field.name: field for field in dictionary.fields}
    assert sum(field.mark for field in dictionary.fields) == 53
    assert fields["SEQN"].role is Role.ID
    assert not any(field.mark for field in dictionary.fields if field.role in (Role.ID, Role.QUASI, Role.FREE))
    assert not any(fields[name].mark for name in HELD)
