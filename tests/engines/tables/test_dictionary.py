"""dictionary.csv: what is written is read, and every mistake of a hand or a spreadsheet is told with its place."""

import csv
import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from copyhold.domain.catalogue import CutPoint, Dictionary, Field, FieldType, Role, Tolerance
from copyhold.domain.errors import InvalidInputError, UnreadableFileError
from copyhold.engines.tables.consistency import NUMBERS
from copyhold.engines.tables.dictionary import COLUMNS, from_csv, to_csv
from tests.engines.tables.fields import field, number

words = st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), min_size=1, max_size=8)
positive = st.floats(1e-6, 1e9)
finite = st.floats(-1e12, 1e12)


@st.composite
def lone_fields(draw: st.DrawFn, table: str, name: str) -> Field:
    kind = draw(st.sampled_from(list(FieldType)))
    counts = kind in NUMBERS
    decimals = {FieldType.INTEGER: 0, FieldType.DECIMAL: draw(st.integers(0, 15))}.get(kind)
    tolerance = st.one_of(
        st.builds(Tolerance, positive), st.builds(Tolerance, st.floats(1e-4, 0.99), relative=st.just(True))
    )
    low, high = sorted(draw(st.tuples(finite, finite)))
    return Field(
        table=table,
        name=name,
        column=name,
        type=kind,
        role=draw(st.sampled_from([Role.QUASI, Role.SENSITIVE, Role.FREE])),
        title=draw(st.text(st.characters(codec="utf-8", exclude_categories=("C",)), max_size=20)).strip(),
        unit=draw(st.sampled_from(["", "mg/dL", "kg/m²", "%"])),
        decimals=decimals,
        grid=draw(st.one_of(st.none(), positive)) if counts else None,
        tolerance=draw(tolerance) if counts else None,
        low=low if counts else None,
        high=high if counts else None,
        missing_codes=tuple(draw(st.lists(words | st.just('a;"b'), max_size=3, unique=True))),
        cut_points=tuple(draw(st.lists(st.builds(CutPoint, finite, st.booleans()), max_size=2))) if counts else (),
        mark=draw(st.booleans()) if counts else False,
        public_values=draw(st.booleans()),
        guess=draw(st.booleans()),
    )


@st.composite
def dictionaries(draw: st.DrawFn) -> Dictionary:
    names = draw(st.lists(st.tuples(words, words), min_size=1, max_size=5, unique=True))
    return Dictionary(tuple(draw(lone_fields(table, name)) for table, name in names))


@given(dictionaries())
def test_a_dictionary_is_read_back_as_it_was_written(dictionary: Dictionary) -> None:
    assert from_csv(to_csv(dictionary)) == dictionary


LIPIDS = Dictionary(
    (
        field("SEQN", type=FieldType.INTEGER, role=Role.ID),
        field("CYCLE", type=FieldType.CATEGORY),
        number("TC", decimals=0, type=FieldType.INTEGER, mark=True, tolerance=Tolerance(8.0), stratum="CYCLE"),
        number("HDL", ties=("<= TC",), cut_points=(CutPoint(40.0), CutPoint(60.5, upper_closed=True))),
        number("NON HDL", ties=("= TC - HDL", "<= TC"), missing_codes=("7777", "refused; said no")),
        number("RATIO", ties=("= TC/HDL +- 0.1",), tolerance=Tolerance(0.05, relative=True)),
    )
)


def test_every_kind_of_cell_survives_the_way_through_the_file() -> None:
    assert from_csv(to_csv(LIPIDS)) == LIPIDS


def test_the_first_line_has_exactly_the_published_columns() -> None:
    assert to_csv(LIPIDS).splitlines()[0] == (
        "table,field,title,type,unit,decimals,grid,stratum,tolerance,low,high,missing_codes,cut_points,derived_from,"
        "role,mark,public_values,guess"
    )


def cells(dictionary: Dictionary) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(to_csv(dictionary))))


def test_cells_are_written_as_people_write_them() -> None:
    lines = {line["field"]: line for line in cells(LIPIDS)}
    assert lines["TC"]["tolerance"] == "8"
    assert lines["RATIO"]["tolerance"] == "5%"
    assert lines["HDL"]["cut_points"] == ">=40; >60.5"
    assert lines["NON HDL"]["missing_codes"] == '7777;"refused; said no"'


def test_no_cell_begins_with_an_equals_sign_which_a_spreadsheet_would_take_for_a_formula() -> None:
    assert not [cell for line in cells(LIPIDS) for cell in line.values() if cell.startswith("=")]


def edited(**changes: str) -> str:
    """Change cells of the line of HDL (line 5)."""
    lines = cells(LIPIDS)
    lines[3] |= changes
    return written(lines)


def written(lines: list[dict[str, str]], delimiter: str = ",") -> str:
    out = io.StringIO()
    writer = csv.DictWriter(out, list(lines[0]), delimiter=delimiter)
    writer.writeheader()
    writer.writerows(lines)
    return out.getvalue()


def hdl(text: str) -> Field:
    return next(each for each in from_csv(text).fields if each.name == "HDL")


@pytest.mark.parametrize("form", ["= TC - TR", "=TC-TR", "HDL = TC - TR", "HDL=TC-TR"])
def test_a_tie_is_read_with_and_without_its_field_in_front(form: str) -> None:
    lines = cells(Dictionary((*LIPIDS.fields[:4], number("TR"))))
    lines[3]["derived_from"] = form
    assert hdl(written(lines)).ties == ("= TC - TR",)


def test_the_other_side_of_a_cut_point_says_the_same() -> None:
    assert hdl(edited(cut_points="<140; <= 6.5")).cut_points == (CutPoint(140.0), CutPoint(6.5, upper_closed=True))


@pytest.mark.parametrize(
    ("column", "cell", "what"),
    [
        ("field", "", "needs a name"),
        ("table", "", "needs a name"),
        ("type", "float", "is none of integer, decimal, real, category, text, date, datetime"),
        ("role", "key", "is none of id, direct, quasi, sensitive, free"),
        ("decimals", "one", "is not a whole number from 0 to 15"),
        ("decimals", "-1", "is not a whole number from 0 to 15"),
        ("decimals", "16", "is not a whole number from 0 to 15"),
        ("decimals", "", "type decimal needs it"),
        ("grid", "0", "is not above 0"),
        ("grid", "even", "is not a number"),
        ("grid", "nan", "is not a number"),
        ("tolerance", "-0.2", "is not above 0"),
        ("tolerance", "0.2 mg", "is not a number"),
        ("tolerance", "5 per cent", "is not a number"),
        ("tolerance", "100%", "is not below 100 %"),
        ("tolerance", "%", "is not a number"),
        ("low", "1e999", "is not a number"),
        ("high", "10..2", "is not a number"),
        ("stratum", "SITE", "is no other field of this table"),
        ("stratum", "HDL", "is no other field of this table"),
        ("missing_codes", "7777;;9999", "has an empty code"),
        ("missing_codes", "7777;7777", "names a code twice"),
        ("missing_codes", '7777;"99', "quotation mark"),
        ("cut_points", "140", "is not a list like"),
        ("cut_points", ">=140, >6.5", "is not a list like"),
        ("cut_points", ">=14O", "is not a number"),
        ("derived_from", "= TC -", "breaks off"),
        ("derived_from", "#NAME?", "begins with none of"),
        ("derived_from", "= TC - TR", "names something that is no field of this table"),
        ("derived_from", "= CYCLE", "relates fields that are no numbers"),
        ("derived_from", "= TC; = SEQN", "computes the field twice"),
        ("mark", "maybe", "is neither yes nor no"),
        ("public_values", "1", "is neither yes nor no"),
        ("guess", "no idea", "is neither yes nor no"),
    ],
)
def test_a_mistake_is_told_with_its_line_field_and_column(column: str, cell: str, what: str) -> None:
    with pytest.raises(InvalidInputError) as told:
        from_csv(edited(**{column: cell}))
    name = {"field": "(no name)"}.get(column, "HDL")
    assert f"Line 5, field {name}, column {column}: " in told.value.message
    assert what in told.value.message
    assert told.value.code == "DICTIONARY_INVALID"


@pytest.mark.parametrize(
    ("changes", "column", "what"),
    [
        ({"low": "5", "high": "4"}, "high", "is below low"),
        ({"mark": "yes"}, "tolerance", "a marked field needs it"),
        ({"mark": "yes", "tolerance": "1", "role": "direct"}, "mark", "never marked"),
        ({"mark": "yes", "tolerance": "1", "derived_from": "= TC"}, "mark", "computed again, not marked"),
        ({"type": "integer", "decimals": "1"}, "decimals", "is not 0"),
        ({"type": "real"}, "decimals", "does not apply to type real"),
        ({"type": "category", "decimals": "", "cut_points": "", "derived_from": "", "grid": "1"}, "grid", "apply"),
        ({"type": "text", "decimals": "", "cut_points": "", "derived_from": "", "mark": "yes"}, "mark", "not marked"),
        ({"type": "text", "decimals": "", "derived_from": ""}, "cut_points", "does not apply"),
        ({"field": "TC", "derived_from": ""}, "field", "is named by an earlier line too"),
        ({"role": "id"}, "role", "is the second participant id of its table"),
    ],
)
def test_cells_that_contradict_each_other_are_told(changes: dict[str, str], column: str, what: str) -> None:
    with pytest.raises(InvalidInputError) as told:
        from_csv(edited(**changes))
    assert f"Line 5, field {changes.get('field', 'HDL')}, column {column}: " in told.value.message
    assert what in told.value.message


def test_fields_computed_in_a_circle_are_told() -> None:
    with pytest.raises(
        InvalidInputError, match=r"Line 5, field HDL, column derived_from: computes the field from itself"
    ):
        from_csv(edited(derived_from="= RATIO"))


def test_all_mistakes_are_counted_and_the_first_five_spelled_out() -> None:
    lines = cells(LIPIDS)
    for line in lines:
        line["mark"] = "perhaps"
    with pytest.raises(InvalidInputError) as told:
        from_csv(written(lines))
    assert told.value.message.count("column mark") == 5
    assert told.value.message.endswith("And 1 more.")


def test_no_cell_is_repeated_in_a_message() -> None:
    with pytest.raises(InvalidInputError) as told:
        from_csv(edited(tolerance="canary", missing_codes="canary;canary", cut_points="canary", derived_from="canary"))
    assert "canary" not in told.value.message


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("", "lacks the column table, field"),
        ("a,b\n1,2\n", "lacks the column table, field"),
        (",".join(COLUMNS) + "\n", "no field"),
        (",".join([*COLUMNS, "notes"]) + "\n", "column 19 of its first line is none of"),
        (",".join([*COLUMNS, "mark"]) + "\n", "names a column twice"),
        (",".join(COLUMNS) + "\nt,x\n", "line 2 has 2 cells where the first line has 18"),
        (",".join(COLUMNS) + '\nt,"x', "line 2 is not CSV"),
    ],
)
def test_a_file_that_is_no_dictionary_is_told_in_a_sentence(text: str, what: str) -> None:
    with pytest.raises(InvalidInputError, match=what):
        from_csv(text)


@pytest.mark.parametrize("delimiter", [";", "\t"])
def test_a_spreadsheet_of_a_country_with_decimal_commas_is_understood(delimiter: str) -> None:
    lines = cells(LIPIDS)
    for line in lines:
        line["cut_points"] = line["cut_points"].replace(".", ",")
    reordered = [{name: line[name] for name in reversed(COLUMNS)} for line in lines]
    assert from_csv("\ufeff" + written(reordered, delimiter) + delimiter * 17 + "\r\n") == LIPIDS


def test_a_file_is_read_from_its_path(tmp_path: Path) -> None:
    path = tmp_path / "dictionary.csv"
    for encoding in ("utf-8", "utf-8-sig", "utf-16"):
        path.write_text(to_csv(LIPIDS), encoding=encoding)
        assert from_csv(path) == LIPIDS


def test_a_file_that_is_absent_or_no_text_is_told(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFileError, match=r"none\.csv cannot be opened"):
        from_csv(tmp_path / "none.csv")
    path = tmp_path / "dictionary.csv"
    path.write_bytes("é".encode("latin-1"))
    with pytest.raises(UnreadableFileError, match="not UTF-8"):
        from_csv(path)


def test_a_dictionary_of_ten_thousand_fields_is_read_in_full() -> None:
    wide = Dictionary(tuple(number(f"p{i}", ties=(f"= p{i + 1}",) if i % 2 else ()) for i in range(10_001)))
    assert from_csv(to_csv(wide)) == wide
