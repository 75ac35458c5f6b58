"""Arithmetic ties: their written form, their arithmetic, and that a marked copy keeps them row by row."""

from fractions import Fraction
from importlib.resources import files

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from copyhold.domain.errors import InvalidInputError
from copyhold.engines.tables.formulas import Formula, Term, TieKind, read, split
from copyhold.engines.tables.ties import Floats, Tie, declared, in_order, parse, rounded
from tests.engines.tables.fields import number

names = st.one_of(
    st.from_regex(r"[A-Za-z_][A-Za-z0-9_.]{0,8}", fullmatch=True),
    st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), min_size=1, max_size=6),
    st.just("21001-0.0"),
    st.just("a; `b"),
)
numbers = st.fractions(-1000, 1000, max_denominator=400).filter(bool)
slacks = st.decimals(0, 100, places=3).map(Fraction)


@st.composite
def formulas(draw: st.DrawFn) -> Formula:
    fields = draw(st.lists(names, min_size=1, max_size=4, unique=True))
    kind = draw(st.sampled_from(list(TieKind)))
    if kind is TieKind.LINEAR:
        terms = tuple(Term(field, draw(numbers)) for field in fields)
        return Formula(kind, terms, draw(st.one_of(st.just(Fraction(0)), numbers)), draw(slacks))
    if kind is TieKind.PRODUCT:
        powers = [draw(st.sampled_from([-3, -2, -1, 2, 3])) for _ in fields]
        terms = tuple(Term(field, exponent=power) for field, power in zip(fields, powers, strict=True))
        return Formula(kind, tuple(sorted(terms, key=lambda term: term.exponent < 0)), draw(numbers), draw(slacks))
    return Formula(kind, (Term(fields[0]),))


@given(formulas())
def test_a_formula_is_read_back_as_it_was_written(formula: Formula) -> None:
    assert read(formula.text) == formula


@given(st.lists(formulas(), max_size=4))
def test_several_ties_in_one_cell_come_apart_where_they_were_joined(several: list[Formula]) -> None:
    texts = tuple(formula.text for formula in several)
    assert split("; ".join(texts)) == texts


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("= LBXTC - LBDHDD - 0.2*LBXTR", "= LBXTC - LBDHDD - 0.2*LBXTR"),
        ("=LBXTC-LBDHDD-LBXTR/5", "= LBXTC - LBDHDD - 0.2*LBXTR"),
        ("= 1.86*Na + GLU/18 + BUN/2.8 + 9", "= 1.86*Na + GLU/18 + BUN/2.8 + 9"),
        ("= 10000*BMXWT*BMXHT^-2", "= 10000*BMXWT/BMXHT^2"),
        ("= BMXWT/BMXHT/BMXLEG*3", "= 3*BMXWT/BMXHT/BMXLEG"),
        ("= 100 - A - B", "= -A - B + 100"),
        ("= A - B +- 0.10", "= A - B +- 0.1"),
        ("= 2*A*3/4", "= 1.5*A"),
        ("= 1/A", "= 1/A"),
        ("<=LBXTC", "<= LBXTC"),
        (">= `p 1`", ">= `p 1`"),
    ],
)
def test_a_formula_has_one_written_form(text: str, written: str) -> None:
    assert read(text).text == written


@pytest.mark.parametrize(
    "text",
    [
        "",
        "A - B",
        "= ",
        "= 5",
        "= A B",
        "= A - - B",
        "= A -",
        "= A * ",
        "= A^B",
        "= A^1.5",
        "= A^-",
        "= A^0",
        "= A + A",
        "= A*A",
        "= 0*A",
        "= A/0",
        "= A*B + C",
        "= A^2 + B",
        "= A + 1 + 2",
        "= (A + B)",
        "= log(A)",
        "= 1e4*A",
        "= A; B",
        "= A +- B",
        "<= A - B",
        "<= 5",
        "<= A +- 1",
        "< A",
        "== A",
        "#NAME?",
        "= `A",
        "= DERIVED - A",
    ],
)
def test_anything_beyond_the_four_forms_is_refused(text: str) -> None:
    with pytest.raises(InvalidInputError, match="tie"):
        parse(text, "DERIVED")


def test_halves_are_rounded_away_from_zero_in_spite_of_binary_noise() -> None:
    values = np.array([0.5, -0.5, 2.5, 1.005, 0.15, -1.25, 0.0, np.nan])
    assert rounded(values, 0)[:3].tolist() == [1.0, -1.0, 3.0]
    assert rounded(values, 2)[3] == 1.01
    assert rounded(values, np.array([0, 0, 0, 2, 1, 1, 0, 0], dtype=np.int8))[3:7].tolist() == [1.01, 0.2, -1.3, 0.0]
    assert np.isnan(rounded(values, 2)[7])


def test_a_linear_tie_is_computed_and_rounded() -> None:
    tie = parse("= TC - HDL - 0.2*TR", "LDL", decimals=0)
    columns = {
        "TC": np.array([200.0, 200.0, np.nan]),
        "HDL": np.array([50.0, 50.0, 50.0]),
        "TR": np.array([101.0, 103.0, 100.0]),
        "LDL": np.array([130.0, 130.0, 130.0]),
    }
    assert tie.evaluate(columns)[:2].tolist() == [130.0, 129.0]
    assert tie.holds(columns).tolist() == [True, False, False]
    assert tie.counted(columns).share == 0.5


def test_a_product_divides_by_its_negative_powers_and_never_by_zero() -> None:
    tie = parse("= 10000*W/H^2", "BMI", decimals=2)
    assert tie.evaluate({"W": np.array([80.0, 80.0]), "H": np.array([180.0, 0.0])})[0] == 24.69
    assert np.isnan(tie.evaluate({"W": np.array([80.0]), "H": np.array([0.0])})[0])


def test_slack_is_what_a_row_may_differ_by() -> None:
    tie = parse("= A - B +- 0.1", "D", decimals=1)
    columns = {"A": np.full(4, 7.1), "B": np.full(4, 4.0), "D": np.array([3.0, 3.2, 3.3, 2.9])}
    assert tie.holds(columns).tolist() == [True, True, False, False]


def test_order_constraints_compare_and_compute_nothing() -> None:
    columns = {"low": np.array([1.0, 2.0, np.nan]), "high": np.array([1.0, 1.0, 1.0])}
    assert parse("<= high", "low").holds(columns).tolist() == [True, False, False]
    assert parse(">= low", "high").holds(columns).tolist() == [True, False, False]
    assert parse("<= high", "low").counted(columns).share == 0.5


def test_a_tie_that_no_row_can_show_has_no_share() -> None:
    columns = {"A": np.array([np.nan]), "D": np.array([1.0])}
    assert parse("= A", "D", 0).counted(columns).share is None


@given(
    st.lists(st.tuples(*[st.integers(0, 5000)] * 3, *[st.integers(-20, 20)] * 2), min_size=1, max_size=30),
    st.sampled_from(["= A - 0.2*B", "= A/18 + B/2.8 + 9", "= 100*A/B", "= 7*A*B +- 0.3"]),
    st.integers(0, 2),
)
def test_a_marked_copy_keeps_the_residual_of_every_row(rows: list[tuple[int, ...]], text: str, decimals: int) -> None:
    tie = parse(text, "D", decimals)
    table = np.array(rows, dtype=np.float64)
    original = {"A": table[:, 0], "B": table[:, 1], "D": rounded(table[:, 2] / 100, decimals)}
    marked = {"A": table[:, 0] + table[:, 3], "B": table[:, 1] + table[:, 4]}
    copied = marked | {"D": tie.recompute(original, marked)}
    before = original["D"] - tie.evaluate(original)
    after = copied["D"] - tie.evaluate(copied)
    computable = np.isfinite(before) & np.isfinite(after)
    scale = 10.0**decimals
    assert np.rint(before[computable] * scale).tolist() == np.rint(after[computable] * scale).tolist()
    assert tie.holds(original)[computable].tolist() == tie.holds(copied)[computable].tolist()
    assert copied["D"][~computable].tolist() == original["D"][~computable].tolist()


def test_a_recomputed_value_is_the_float_that_its_decimals_name() -> None:
    tie = parse("= A - B", "D", 1)
    original = {"A": np.array([7.3]), "B": np.array([4.1]), "D": np.array([3.2])}
    copied = tie.recompute(original, {"A": np.array([7.4]), "B": np.array([4.1])})
    assert copied.tolist() == [3.3]


def test_decimals_that_differ_by_stratum_are_kept_by_stratum() -> None:
    tie = parse("= 10000*W/H^2", "BMI", decimals=2)
    places = np.array([1, 2], dtype=np.int8)
    original = {"W": np.array([80.0, 80.0]), "H": np.array([180.0, 180.0]), "BMI": np.array([24.7, 24.69])}
    assert tie.holds(original, places).tolist() == [True, True]
    copied = tie.recompute(original, {"W": np.array([80.3, 80.3]), "H": original["H"]}, places)
    assert copied.tolist() == [24.8, 24.78]


def test_parents_are_computed_before_what_is_derived_from_them() -> None:
    ldl, non_hdl = parse("= NON - 0.2*TR", "LDL", 0), parse("= TC - HDL", "NON", 0)
    order = parse("<= TC", "HDL")
    assert in_order([order, ldl, non_hdl]) == (non_hdl, ldl, order)


def test_ties_are_taken_from_the_fields_that_declare_them() -> None:
    fields = (number("TC"), number("HDL", ties=("<= TC",)), number("NON", ties=("= TC - HDL",)))
    assert [tie.text for tie in declared(fields)] == ["= TC - HDL", "<= TC"]
    assert declared(fields)[0].decimals == 1


@pytest.mark.parametrize("texts", [("= B", "= A"), ("= B + C", "= C", "= A")])
def test_fields_computed_in_a_circle_are_refused(texts: tuple[str, ...]) -> None:
    with pytest.raises(InvalidInputError, match="from itself"):
        in_order(parse(text, derived, 0) for text, derived in zip(texts, "ABC", strict=False))


def test_a_field_computed_twice_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="another tie"):
        in_order([parse("= B", "A", 0), parse("= C", "A", 0)])


@pytest.fixture(scope="module")
def nhanes() -> dict[str, Floats]:
    wanted = ["BMXBMI", "BMXWT", "BMXHT", "LBDLDL", "LBXTC", "LBDHDD", "LBXTR"]
    frame = pl.read_parquet(str(files("copyhold.demo_data") / "nhanes.parquet"), columns=wanted)
    return {name: frame[name].cast(pl.Float64).to_numpy().copy() for name in wanted}


@pytest.mark.parametrize(
    ("derived", "decimals", "text"),
    [("BMXBMI", 2, "= 10000*BMXWT/BMXHT^2 +- 0.05"), ("LBDLDL", 0, "= LBXTC - LBDHDD - 0.2*LBXTR")],
)
def test_the_ties_of_nhanes_hold_in_every_row(
    nhanes: dict[str, Floats], derived: str, decimals: int, text: str
) -> None:
    share = parse(text, derived, decimals).counted(nhanes).share
    assert share is not None
    assert share > 0.9999


def test_a_tie_is_a_value() -> None:
    assert parse("= A", "D", 0) == Tie(TieKind.LINEAR, "D", (Term("A"),), decimals=0)
