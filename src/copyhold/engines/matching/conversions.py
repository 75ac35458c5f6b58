"""Units in which a leaked column may be written, other than the master's: one table, each line with its source.

A leaked value is factor x value + offset. Every conversion is tried in both directions, for fields whose declared unit
it starts or ends in, or for all fields where the unit is not declared; which one holds is decided by content.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from copyhold.domain.catalogue import Field


@dataclass(frozen=True)
class Conversion:
    """leaked = factor x value + offset; `name` is told to people, `price` is what it must gain on "as is", in nats.

    `fitted` says that factor and offset were checked on aligned rows.
    """

    name: str
    factor: float = 1.0
    offset: float = 0.0
    price: float = 0.0
    fitted: bool = False

    @property
    def exact(self) -> bool:
        """Whether a leaked value is the field's own within its written digits."""
        return self.factor == 1.0 or self.fitted

    def to_field(self, leaked: NDArray[np.float64]) -> NDArray[np.float64]:
        """Write leaked values in the field's unit."""
        return np.asarray((leaked - self.offset) / self.factor)

    def to_leaked(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Write the field's values in the leaked unit."""
        return np.asarray(values * self.factor + self.offset)


AS_IS = Conversion("as is")
_PRICE, _PLAIN_PRICE = 4.0, 8.0  # a known unit, and a bare power of ten, before anything was seen


@dataclass(frozen=True)
class _Line:
    start: str
    end: str
    factor: float
    offset: float = 0.0
    what: str = ""

    @property
    def onward(self) -> Conversion:
        return Conversion(self._name(self.start, self.end), self.factor, self.offset, _PRICE)

    @property
    def back(self) -> Conversion:
        return Conversion(self._name(self.end, self.start), 1 / self.factor, -self.offset / self.factor, _PRICE)

    def _name(self, start: str, end: str) -> str:
        return f"{start} -> {end}" + (f" ({self.what})" if self.what else "")


# Molar masses (g/mol): PubChem compound records. The rounded factors are those that laboratories print: AMA Manual of
# Style, 11th ed., section 17.5 (units of measure). Both stand here where they differ, since a leaker may use either.
_LINES = (
    _Line("mg/dL", "mmol/L", 1 / 18.016, what="glucose, 180.16 g/mol"),
    _Line("mg/dL", "mmol/L", 1 / 18.0, what="glucose, rounded factor 18"),
    _Line("mg/dL", "mmol/L", 0.0555, what="glucose, rounded factor 0.0555"),
    _Line("mg/dL", "mmol/L", 1 / 38.67, what="cholesterol, 386.7 g/mol"),
    _Line("mg/dL", "mmol/L", 0.0259, what="cholesterol, rounded factor 0.0259"),
    _Line("mg/dL", "mmol/L", 1 / 88.57, what="triglycerides, 885.7 g/mol"),
    _Line("mg/dL", "mmol/L", 0.0113, what="triglycerides, rounded factor 0.0113"),
    _Line("mg/dL", "umol/L", 88.42, what="creatinine, 113.1 g/mol"),
    _Line("mg/dL", "umol/L", 88.4, what="creatinine, rounded factor 88.4"),
    _Line("mg/dL", "umol/L", 59.48, what="urate, 168.1 g/mol"),
    _Line("mg/dL", "mmol/L", 0.05948, what="urate, 168.1 g/mol"),
    _Line("mg/dL", "umol/L", 17.10, what="bilirubin, 584.7 g/mol"),
    _Line("mg/dL", "mmol/L", 1 / 2.8014, what="urea nitrogen, 28.014 g/mol"),
    _Line("mg/dL", "mmol/L", 1 / 6.006, what="urea, 60.06 g/mol"),
    _Line("mg/dL", "mmol/L", 1 / 4.0078, what="calcium, 40.078 g/mol"),
    _Line("mg/dL", "mmol/L", 1 / 3.0974, what="phosphorus, 30.974 g/mol"),
    _Line("ug/dL", "umol/L", 1 / 5.5845, what="iron, 55.845 g/mol"),
    _Line("ng/mL", "nmol/L", 2.496, what="25-hydroxyvitamin D, 400.6 g/mol"),
    _Line("pg/mL", "pmol/L", 1 / 1.355, what="vitamin B12, 1355 g/mol"),
    _Line("g/dL", "mmol/L", 0.6206, what="haemoglobin monomer, 16114 g/mol"),
    _Line("g/dL", "g/L", 10.0),
    _Line("mg/dL", "mg/L", 10.0),
    _Line("mg/dL", "g/L", 0.01),
    _Line("ug/mL", "mg/L", 1.0),
    _Line("ug/L", "mg/L", 0.001),
    _Line("mmol/L", "umol/L", 1000.0),
    _Line("umol/L", "nmol/L", 1000.0),
    _Line("10^9/L", "10^3/uL", 1.0),
    _Line("10^9/L", "1/uL", 1000.0),
    _Line("10^12/L", "10^6/uL", 1.0),
    # International Committee for Weights and Measures; NIST SP 811 (2008), appendix B.
    _Line("kg", "lb", 1 / 0.45359237),
    _Line("kg", "st", 1 / 6.35029318),
    _Line("kg", "g", 1000.0),
    _Line("cm", "in", 1 / 2.54),
    _Line("cm", "m", 0.01),
    _Line("cm", "mm", 10.0),
    _Line("mmHg", "kPa", 0.133322),
    _Line("kcal", "kJ", 4.184),
    _Line("C", "F", 1.8, 32.0),
    _Line("years", "months", 12.0),
    _Line("hours", "minutes", 60.0),
    _Line("%", "fraction", 0.01),
    # NGSP % from IFCC mmol/mol: Hoelzel et al., Clin Chem 2004;50:166-174, master equation as printed by ngsp.org.
    _Line("mmol/mol", "%", 0.09148, 2.152, what="HbA1c, IFCC to NGSP"),
)
_PLAIN = tuple(
    Conversion(f"times {factor:g}", factor, price=_PLAIN_PRICE) for factor in (0.001, 0.01, 0.1, 10.0, 100.0, 1000.0)
)
_SPELLINGS = {
    "µ": "u", "μ": "u", " ": "", "kg/m**2": "kg/m2", "lbs": "lb", "pounds": "lb", "inches": "in", "inch": "in",
    "°": "", "mcg": "ug", "thousandcells/ul": "10^3/ul", "1000cells/ul": "10^3/ul", "millioncells/ul": "10^6/ul",
    "percent": "%", "year": "years",
}  # fmt: skip


def conversions_of(field: Field) -> tuple[Conversion, ...]:
    """Every way the field may be written, the field's own unit first."""
    unit = plain_unit(field.unit)
    found = [AS_IS]
    for line in _LINES:
        if not unit or plain_unit(line.start) == unit:
            found.append(line.onward)
        if not unit or plain_unit(line.end) == unit:
            found.append(line.back)
    return tuple(_distinct([*found, *_PLAIN]))


def plain_unit(unit: str) -> str:
    """Spell a unit in one way: no spaces, no micro sign, lower case."""
    spelled = re.sub(r"\s+", "", unit.strip().lower())
    for other, plain in _SPELLINGS.items():
        spelled = plain if spelled == other else spelled.replace(other, plain) if len(other) == 1 else spelled
    return spelled


def _distinct(conversions: list[Conversion]) -> Iterator[Conversion]:
    seen: set[tuple[float, float]] = set()
    for conversion in conversions:
        key = (round(conversion.factor, 12), round(conversion.offset, 12))
        if key not in seen:
            seen.add(key)
            yield conversion
