"""Every spelling of a UK Biobank column name is one column, and leads back."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import parquet

from copyhold.domain.errors import InvalidInputError
from copyhold.engines.tables.ukb import (
    FieldColumn,
    Shape,
    Spelling,
    canonical,
    canonical_names,
    is_eid,
    parsed,
    spelled,
    spelled_eid,
)

columns = st.builds(FieldColumn, st.integers(1, 99_999), st.integers(0, 20), st.integers(0, 300))
shapes = st.builds(Shape, st.booleans(), st.booleans())


@given(columns, st.sampled_from(Spelling), shapes)
def test_every_spelling_leads_back_to_its_column(column: FieldColumn, spelling: Spelling, shape: Shape) -> None:
    assert parsed(spelled(column, spelling, shape)) == column


@given(columns)
def test_the_canonical_name_is_a_spelling_of_its_column(column: FieldColumn) -> None:
    assert parsed(column.canonical) == column
    assert canonical(column.canonical) == column.canonical


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("21001-0.0", "p21001_i0"),
        ("f.21001.0.0", "p21001_i0"),
        ("X21001.0.0", "p21001_i0"),
        ("n_21001_0_0", "p21001_i0"),
        ("ts_53_0_0", "p53_i0"),
        ("p21001_i0", "p21001_i0"),
        ("participant.p21001_i0", "p21001_i0"),
        ("p31", "p31_i0"),
        ("p20002_i1_a33", "p20002_i1_a33"),
        ("20002-1.33", "p20002_i1_a33"),
        ("p41270_a3", "p41270_i0_a3"),
        ("41270-0.3", "p41270_i0_a3"),
        ("eid", "eid"),
        ("f.eid", "eid"),
        ("participant.eid", "eid"),
        ("n_eid", "eid"),
    ],
)
def test_a_spelling_has_its_canonical_name(name: str, expected: str) -> None:
    assert canonical(name) == expected


@pytest.mark.parametrize("name", ["BMXBMI", "p", "21001", "21001-0", "p21001_i", "p_i0", "participant", "1-2.3.4", ""])
def test_other_names_stay_what_they_are(name: str) -> None:
    assert parsed(name) is None
    assert canonical(name) == name


@given(st.sampled_from(Spelling))
def test_the_participant_id_is_known_in_every_spelling(spelling: Spelling) -> None:
    assert is_eid(spelled_eid(spelling))


def test_one_field_spelled_twice_in_a_file_is_refused() -> None:
    assert canonical_names(["eid", "31-0.0", "BMI"]) == {"eid": "eid", "31-0.0": "p31_i0", "BMI": "BMI"}
    with pytest.raises(InvalidInputError, match="one field, spelled twice"):
        canonical_names(["21001-0.0", "p21001_i0"])


@pytest.mark.shared
def test_every_column_of_the_public_schema_goes_round() -> None:
    folder = Path(os.environ.get("COPYHOLD_SHARED", Path(__file__).parents[4] / "shared"))
    path = folder / "data" / "ukb_fields.parquet"
    if not path.exists():
        pytest.skip("the public field dictionary does not stand beside the checkout")
    for row in parquet.read_table(path).to_pylist():
        last = FieldColumn(row["field_id"], row["instance_max"] or 0, row["array_max"] or 0)
        shape = Shape(bool(row["instanced"]), bool(row["arrayed"]))
        for column in (FieldColumn(row["field_id"]), last):
            for spelling in Spelling:
                assert parsed(spelled(column, spelling, shape)) == column
