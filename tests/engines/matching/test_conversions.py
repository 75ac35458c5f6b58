"""Units against equivalences that clinicians know by heart: a wrong constant fails."""

import numpy as np
import pytest

from copyhold.domain.catalogue import Field, FieldType, Role
from copyhold.engines.matching.conversions import conversions_of, plain_unit


def _field(unit: str) -> Field:
    return Field("t", "x", "x", FieldType.DECIMAL, Role.FREE, unit=unit)


@pytest.mark.parametrize(
    ("unit", "start", "what", "value", "leaked", "within"),
    [
        ("mg/dL", "mg/dL -> mmol/L (glucose, 180", "", 126.0, 7.0, 0.01),  # the diagnostic cut-off of diabetes
        ("mmol/L", "mmol/L -> mg/dL (glucose, 180", "", 7.0, 126.0, 0.2),
        ("mg/dL", "mg/dL -> mmol/L (cholesterol, 386", "", 200.0, 5.17, 0.01),
        ("mg/dL", "mg/dL -> mmol/L (triglycerides, 885", "", 150.0, 1.69, 0.01),
        ("mg/dL", "mg/dL -> umol/L (creatinine, 113", "", 1.0, 88.4, 0.05),
        ("mg/dL", "mg/dL -> umol/L (urate, 168", "", 7.0, 416.0, 1.0),
        ("mg/dL", "mg/dL -> umol/L (bilirubin", "", 1.0, 17.1, 0.01),
        ("mg/dL", "mg/dL -> mmol/L (urea nitrogen", "", 20.0, 7.1, 0.05),
        ("mg/dL", "mg/dL -> mmol/L (calcium", "", 10.0, 2.5, 0.01),
        ("mg/dL", "mg/dL -> mmol/L (phosphorus", "", 4.0, 1.29, 0.01),
        ("ug/dL", "ug/dL -> umol/L (iron", "", 100.0, 17.9, 0.05),
        ("ng/mL", "ng/mL -> nmol/L (25", "", 20.0, 50.0, 0.1),
        ("g/dL", "g/dL -> mmol/L (haemoglobin", "", 15.0, 9.3, 0.02),
        ("g/dL", "g/dL -> g/L", "", 15.0, 150.0, 1e-9),
        ("kg", "kg -> lb", "", 100.0, 220.46, 0.01),
        ("cm", "cm -> in", "", 180.0, 70.87, 0.01),
        ("mmHg", "mmHg -> kPa", "", 120.0, 16.0, 0.01),
        ("°C", "C -> F", "", 37.0, 98.6, 1e-9),
        ("mmol/mol", "mmol/mol -> %", "", 48.0, 6.5, 0.05),  # the diagnostic cut-off of diabetes, both ways
        ("%", "% -> mmol/mol", "", 6.5, 48.0, 0.6),
    ],
)
def test_a_conversion_gives_the_known_value_and_goes_back(
    unit: str, start: str, what: str, value: float, leaked: float, within: float
) -> None:
    conversion = next(one for one in conversions_of(_field(unit)) if one.name.startswith(start))
    assert conversion.to_leaked(np.array([value]))[0] == pytest.approx(leaked, abs=within)
    assert conversion.to_field(conversion.to_leaked(np.array([value])))[0] == pytest.approx(value)


def test_a_field_is_first_of_all_taken_as_it_is() -> None:
    first, *others = conversions_of(_field("mg/dL"))
    assert (first.factor, first.offset, first.price) == (1.0, 0.0, 0.0)
    assert min(other.price for other in others) > 0


def test_a_unit_that_is_not_declared_opens_every_conversion() -> None:
    assert len(conversions_of(_field(""))) > len(conversions_of(_field("kg")))


@pytest.mark.parametrize("spelled", ["µmol/L", "umol/l", " μmol / L "])
def test_spellings_of_a_unit_are_one(spelled: str) -> None:
    assert plain_unit(spelled) == "umol/l"
