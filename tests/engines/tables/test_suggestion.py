"""What is proposed from files alone: the people that ship, small tables made by hand, tables that may not ship."""

from importlib.resources import files
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from copyhold.domain.catalogue import Dictionary, Field, FieldType, Role
from copyhold.domain.errors import InvalidInputError, UnreadableFileError
from copyhold.engines.tables.consistency import contradictions
from copyhold.engines.tables.dictionary import from_csv, to_csv
from copyhold.engines.tables.suggestion import FROM_SPREAD, Suggestion, suggest
from tests.attacks.hostile_files import hostile_files

PEOPLE = Path(str(files("copyhold.demo_data") / "nhanes.parquet"))
ROWS = 400


@pytest.fixture(scope="module")
def nhanes() -> Suggestion:
    return suggest([PEOPLE], "SEQN")


@pytest.fixture(scope="module")
def fields(nhanes: Suggestion) -> dict[str, Field]:
    return {field.name: field for field in nhanes.dictionary.fields}


def of(tmp_path: Path, columns: dict[str, object], id_column: str | None = None) -> dict[str, Field]:
    """Suggest from one small CSV, and give its fields by name."""
    path = tmp_path / "small.csv"
    pl.DataFrame(columns).write_csv(path)
    found = suggest([path], id_column).dictionary
    assert from_csv(to_csv(found)) == found
    return {field.name: field for field in found.fields}


def normal(mean: float, sd: float, decimals: int, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).normal(mean, sd, ROWS).round(decimals)


# On the shipped people.


def test_every_line_is_a_guess_and_what_is_written_is_read_back(nhanes: Suggestion) -> None:
    assert len(nhanes.dictionary.fields) == 92
    assert all(field.guess for field in nhanes.dictionary.fields)
    assert not list(contradictions(nhanes.dictionary.fields))
    assert from_csv(to_csv(nhanes.dictionary)) == nhanes.dictionary


def test_readings_stay_even(fields: dict[str, Field]) -> None:
    for name in ("BPXSY1", "BPXSY2", "BPXSY3", "BPXDI1", "BPXPLS"):
        assert fields[name].grid == 2
    assert (fields["BMXWT"].decimals, fields["BMXWT"].grid) == (1, 0.1)
    assert (fields["BMXHT"].decimals, fields["BMXHT"].grid) == (2, 0.1)  # two decimals in a few slips alone


def test_a_cycle_that_wrote_other_decimals_divides_the_support(fields: dict[str, Field]) -> None:
    for name in ("BMXBMI", "LBXSKSI", "LBXSCR", "LBXGLU"):
        assert (fields[name].stratum, fields[name].grid) == ("CYCLE", None)
    assert fields["LBXCOT"].stratum is None  # smoking decides how much, not how it is written


def test_ages_are_top_coded_and_not_marked(nhanes: Suggestion, fields: dict[str, Field]) -> None:
    age = fields["RIDAGEYR"]
    assert (age.type, age.role, age.mark, age.high) == (FieldType.INTEGER, Role.QUASI, False, 85)
    assert "top-coded" in age.title
    assert "top-coded" in [flag.note for flag in nhanes.flags if flag.field == "INDFMPIR"]


def test_codes_stand_outside_the_answers(fields: dict[str, Field]) -> None:
    codes = {
        "DMDEDUC2": ("7", "9"), "DMDMARTL": ("77", "99"), "BPQ020": ("9",), "DIQ010": ("7", "9"), "BPXDI1": ("0",),
        "ALQ130": ("99", "999"), "DMDHHSIZ": (), "UCOD_LEADING": (), "RIDAGEYR": (), "BPXSY1": (), "LBXSGL": (),
    }  # fmt: skip
    assert {name: fields[name].missing_codes for name in codes} == codes


def test_fills_below_a_limit_of_detection_are_left_alone(fields: dict[str, Field]) -> None:
    # 0.015, 0.3, 5 and 0.6 divided by the root of two.
    fills = {"LBXCOT": ("0.011",), "URXUMA": ("0.21",), "URXUCR": ("3.54",), "LBXSCR": ("0.42",)}
    assert {name: fields[name].missing_codes for name in fills} == fills
    assert not any(fields[name].missing_codes for name in ("LBXSAL", "LBXSKSI", "BMXBMI", "LBXGH", "LBXSTB"))


def test_codes_answers_and_what_is_exact_are_not_marked_and_measurements_are(fields: dict[str, Field]) -> None:
    for name in ("RIAGENDR", "HUQ010", "SMQ040", "UCOD_LEADING", "MORTSTAT", "SDMVSTRA", "WTMEC2YR", "PERMTH_INT"):
        assert not fields[name].mark
    for name in ("BMXWT", "BMXHT", "BPXSY1", "LBXSCH", "LBXSGL", "LBXSUA", "LBXTC", "LBXTR", "URXUCR"):
        field = fields[name]
        assert field.mark
        assert field.tolerance is not None
        assert FROM_SPREAD in field.title


def test_a_tolerance_is_two_tenths_of_the_robust_spread(fields: dict[str, Field]) -> None:
    values = pl.read_parquet(PEOPLE, columns=["LBXSCH"])["LBXSCH"].drop_nulls().to_numpy()
    spread = 1.4826 * np.median(np.abs(values - np.median(values)))
    assert fields["LBXSCH"].tolerance is not None
    assert fields["LBXSCH"].tolerance.amount == pytest.approx(0.2 * spread, rel=0.05)


def test_the_arithmetic_of_the_laboratory_is_found(nhanes: Suggestion) -> None:
    found = {(tie.field, tie.tie): tie.share for tie in nhanes.ties}
    assert found["BMXBMI", "= 10000*BMXWT/BMXHT^2 +- 0.05"] == 1
    assert found["LBDLDL", "= LBXTC - LBDHDD - 0.2*LBXTR"] == 1
    assert found["LBXSGB", "= LBXSTP - LBXSAL"] == pytest.approx(0.958, abs=0.001)
    assert found["LBXSOSSI", "= LBXSBU/2.8 + LBXSGL/18 + 1.86*LBXSNASI + 9 +- 1.2"] > 0.98
    assert found["LBXMCVSI", "= 10*LBXHCT/LBXRBCSI +- 0.21"] > 0.93
    assert sum(tie.startswith("=") for _, tie in found) <= 6  # and nothing invented but the months of follow-up


def test_what_is_never_the_greater_is_found(nhanes: Suggestion) -> None:
    orders = {(tie.field, tie.tie) for tie in nhanes.ties if not tie.tie.startswith("=")}
    wanted = {("LBDHDD", "<= LBXTC"), ("LBDLDL", "<= LBXTC"), ("BMXARMC", "<= BMXWAIST")}
    wanted |= {(f"BPXDI{n}", f"<= BPXSY{n}") for n in (1, 2, 3)}
    assert wanted <= orders
    assert all(tie.share == 1 for tie in nhanes.ties if not tie.tie.startswith("="))
    assert ("LBXHCT", "<= BMXWAIST") not in orders  # holds by chance: a share of blood is no length


def test_computed_fields_are_not_marked(nhanes: Suggestion, fields: dict[str, Field]) -> None:
    derived = {tie.field for tie in nhanes.ties if tie.tie.startswith("=")}
    assert all(fields[name].ties and not fields[name].mark and fields[name].tolerance is None for name in derived)


def test_without_an_id_the_record_number_is_a_direct_identifier() -> None:
    table = suggest([PEOPLE]).dictionary.of("nhanes")
    assert table[0].role is Role.DIRECT
    assert not any(field.role is Role.ID for field in table)


def test_what_was_not_searched_is_told(nhanes: Suggestion) -> None:
    assert any("across" in told for told in nhanes.not_searched)


# On small tables.


def test_identifiers_are_known_by_what_they_hold(tmp_path: Path) -> None:
    rows = range(ROWS)
    found = of(
        tmp_path,
        {
            "a": [f"person{row}@example.org" for row in rows],
            "b": [f"020 7946 {row:04d}" for row in rows],
            "c": [f"Anna{'abcdefghij'[row % 10]} Miller{'abcdefghijklmnopqrst'[row // 20]}" for row in rows],
            "d": [f"AB{row % 90 + 1} {row % 10}CD" for row in rows],
            "e": nhs_numbers(),
            "f": [f"{row:08x}-0000-4000-8000-000000000000" for row in rows],
            "ward": ["north", "south"] * (ROWS // 2),
            "weight": normal(70, 10, 1),
        },
    )
    assert {name for name, field in found.items() if field.role is Role.DIRECT} == set("abcdef")
    assert found["weight"].mark


def nhs_numbers() -> list[str]:
    """Ten digits, the last of them the check digit; numbers whose check digit would be ten are not issued."""
    numbers = []
    for start in range(943_000_000, 943_100_000):
        rest = 11 - sum(int(digit) * weight for digit, weight in zip(str(start), range(10, 1, -1), strict=True)) % 11
        if rest != 10:
            numbers.append(f"{start}{rest % 11}")
    return numbers[:ROWS]


def test_ten_digits_without_the_check_digit_are_no_nhs_numbers(tmp_path: Path) -> None:
    wrong = [f"{number[:9]}{(int(number[9]) + 1) % 10}" for number in nhs_numbers()]
    path = tmp_path / "small.csv"
    pl.DataFrame({"e": wrong}).write_csv(path)
    assert "NHS" not in suggest([path]).dictionary.fields[0].title


def test_identifiers_are_known_by_their_names(tmp_path: Path) -> None:
    repeated = [row // 2 for row in range(ROWS)]
    found = of(
        tmp_path, {"PatientId": repeated, "surname": [f"x{row}" for row in repeated], "hospital_id": [1, 2] * 200}
    )
    assert [field.role for field in found.values()] == [Role.DIRECT, Role.DIRECT, Role.QUASI]
    assert of(tmp_path, {"PatientId": repeated}, "PatientId")["PatientId"].role is Role.ID


def test_words_among_numbers_are_codes(tmp_path: Path) -> None:
    glucose = [str(value) for value in normal(95, 12, 0).astype(int)]
    glucose[3], glucose[9], glucose[11], glucose[200] = "refused", "NA", "<40", "refused"
    field = of(tmp_path, {"glucose_mg_dl": glucose})["glucose_mg_dl"]
    assert (field.type, field.mark, field.unit) == (FieldType.INTEGER, True, "mg/dL")
    assert set(field.missing_codes) == {"refused", "NA", "<40"}


def test_diagnoses_are_codes_though_most_are_numbers(tmp_path: Path) -> None:
    codes = [*(f"{code}.{code % 9}" for code in range(250, 250 + ROWS - 20)), *["V57", "E909"] * 10]
    assert of(tmp_path, {"diagnosis": codes})["diagnosis"].mark is False


def test_nines_beyond_all_else_are_a_code_and_below_zero_too(tmp_path: Path) -> None:
    drinks, steps = normal(14, 4, 0), normal(60, 12, 0)
    drinks[:9], steps[:7] = 999, -9
    found = of(tmp_path, {"drinks": drinks.astype(int), "pulse": steps.astype(int)})
    assert found["drinks"].missing_codes == ("999",)
    assert found["pulse"].missing_codes == ("-9",)


def test_a_decimal_comma_is_read(tmp_path: Path) -> None:
    path = tmp_path / "comma.csv"
    frame = pl.DataFrame({"person": range(ROWS), "height_cm": normal(170, 9, 0), "weight_kg": normal(72, 11, 1)})
    bmi = (10_000 * pl.col("weight_kg") / pl.col("height_cm") ** 2).round(2).alias("bmi")
    frame.with_columns(bmi).write_csv(path, separator=";", decimal_comma=True)
    found = {field.name: field for field in suggest([path], "person").dictionary.fields}
    assert (found["weight_kg"].decimals, found["weight_kg"].unit) == (1, "kg")
    assert found["bmi"].ties == ("= 10000*weight_kg/height_cm^2",)


def test_sums_to_a_hundred_differences_and_copies_are_found(tmp_path: Path) -> None:
    first, second, noise = normal(30, 6, 1, 1), normal(45, 7, 1, 2), normal(80, 5, 1, 3)
    found = of(
        tmp_path,
        {
            "systolic": noise * 10,
            "lymphocytes": first,
            "neutrophils": second,
            "others": (100 - first - second).round(1),
            "glucose_si": (noise * 10 / 18).round(3),
        },
    )
    ties = {name: field.ties for name, field in found.items() if field.ties and field.ties[0].startswith("=")}
    assert ties == {
        "others": ("= -lymphocytes - neutrophils + 100",),
        "glucose_si": ("= systolic/18",),
    }


def test_a_class_that_follows_from_a_number_keeps_it_from_marks(tmp_path: Path) -> None:
    sugar = normal(100, 15, 0)
    named = np.select([sugar < 90, sugar < 110], ["low", "middle"], "high")
    found = of(
        tmp_path, {"sugar": np.tile(sugar, 2), "class": np.tile(named, 2), "other": np.tile(normal(9, 2, 1, 5), 2)}
    )
    assert not found["sugar"].mark
    assert "class" in found["sugar"].title


def test_figures_of_an_area_are_known_elsewhere(tmp_path: Path) -> None:
    area = np.random.default_rng(3).integers(0, 25, 2_000)
    index = np.random.default_rng(4).normal(20, 6, 25).round(2)[area]
    found = of(tmp_path, {"area": [f"E{code:04d}" for code in area], "deprivation": index})
    assert (found["deprivation"].public_values, found["deprivation"].mark) == (True, False)


def test_tables_of_one_dataset_are_described_together(tmp_path: Path) -> None:
    pl.DataFrame({"person": range(ROWS), "weight": normal(70, 9, 1)}).write_csv(tmp_path / "base.csv")
    pl.DataFrame({"person": [3, 3, 4], "event": ["a", "b", "a"]}).write_csv(tmp_path / "events.csv")
    found: Dictionary = suggest([tmp_path / "base.csv", tmp_path / "events.csv"], "person").dictionary
    assert found.tables == ("base", "events")
    assert [field.role for field in found.fields if field.name == "person"] == [Role.ID, Role.ID]


def test_files_that_cannot_be_a_dataset_are_told_in_a_sentence(tmp_path: Path) -> None:
    pl.DataFrame({"person": [1, 2]}).write_csv(tmp_path / "base.csv")
    (tmp_path / "base.txt").write_text("person\n1\n")
    with pytest.raises(InvalidInputError, match="has no column pid"):
        suggest([tmp_path / "base.csv"], "pid")
    with pytest.raises(InvalidInputError, match="Two files are called base"):
        suggest([tmp_path / "base.csv", tmp_path / "base.csv"])
    (tmp_path / "broken.parquet").write_bytes(PEOPLE.read_bytes()[:5_000])
    with pytest.raises(UnreadableFileError):
        suggest([tmp_path / "broken.parquet"])


def test_every_hostile_file_is_refused_in_a_sentence(tmp_path: Path) -> None:
    for file in hostile_files(tmp_path):
        with pytest.raises(InvalidInputError) as refusal:
            suggest([file.path])
        assert "\n" not in refusal.value.message


def test_names_that_need_quoting_and_numbers_beyond_measure_are_written_so_that_they_are_read_back(
    tmp_path: Path,
) -> None:
    parts = {"21001-0.0": normal(9, 2, 1, 1), 'x`y;"z': normal(8, 2, 1, 2)}
    columns = {**parts, "tot; `": sum(parts.values()).round(1), "huge": normal(0, 1e300, 0), "nothing": [None] * ROWS}
    path = tmp_path / "odd.parquet"
    pl.DataFrame(columns).write_parquet(path)
    found = suggest([path]).dictionary
    assert from_csv(to_csv(found)) == found
    assert found.fields[2].ties == ('= `21001-0.0` + `x``y;"z`',)


def test_words_that_end_as_age_does_are_no_ages(tmp_path: Path) -> None:
    found = of(tmp_path, {"average_dose": normal(50, 9, 1), "AgeAtDeath": normal(70, 9, 0).astype(int)})
    assert (found["average_dose"].mark, found["AgeAtDeath"].mark) == (True, False)


# On tables that may not ship.

CODES = {
    "diabetes130_encounters": ("admission_type_id", "discharge_disposition_id", "admission_source_id", "diag_1",
                               "diag_2", "diag_3", "time_in_hospital", "number_diagnoses", "payer_code", "readmitted"),
    "adult": ("education-num", "education", "workclass", "fnlwgt", "income", "age"),
    "nafld1": ("male", "status", "futime", "age"),
    "nafld2": ("test", "days", "value"),
    "nafld3": ("event", "days"),
}  # fmt: skip


@pytest.mark.shared
@pytest.mark.parametrize("name", CODES)
def test_codes_of_other_tables_are_never_proposed_for_marking(shared: Path, name: str) -> None:
    found = suggest([shared / "data" / f"{name}.parquet"])
    assert all(field.guess for field in found.dictionary.fields)
    assert from_csv(to_csv(found.dictionary)) == found.dictionary
    table = {field.name: field for field in found.dictionary.fields}
    assert not any(table[code].mark for code in CODES[name])
    assert not any(field.mark for field in table.values() if field.type in (FieldType.CATEGORY, FieldType.TEXT))
    for identifier in {"encounter_id", "patient_nbr", "id", "case_id", "Id"} & set(table):
        assert table[identifier].role is Role.DIRECT


@pytest.mark.shared
def test_a_tie_in_binary_noise_is_found(shared: Path) -> None:
    (tie,) = suggest([shared / "data" / "nafld1.parquet"]).ties
    assert (tie.field, tie.tie.partition(" +-")[0]) == ("bmi", "= 10000*weight/height^2")
