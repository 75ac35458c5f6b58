"""The reference cohort: a synthetic population of health measurements, the same for every bench.

28 numeric biomarkers with the means, spreads, decimals and measurement errors of a large adult cohort (log-normal where
real ones are), 1-12 % missing, correlated through four latent factors; 8 categories of 2 to 500 levels; 3 dates; 1
count. On average 26.4 of the 28 numbers are present in a row, and all of them may be marked. Nobody in it is real.
"""

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from copyhold.domain.catalogue import Dictionary, Field, FieldType, Role, Tolerance

TABLE = "cohort"
FACTORS = 4


@dataclass(frozen=True)
class Biomarker:
    """A measured quantity: population mean and sd, decimals as released, and the error of one measurement."""

    name: str
    unit: str
    mean: float
    sd: float
    decimals: int
    error: float  # within-person and assay error, declared as the field's tolerance
    skewed: bool = False  # log-normal


# Means, spreads and decimals are of the order that large adult cohorts publish; errors are typical within-person plus
# assay standard deviations, and never below the last place, so that every field can be marked.
BIOMARKERS = (
    Biomarker("bmi", "kg/m2", 27.4, 4.8, 1, 0.3),
    Biomarker("height", "cm", 168.4, 9.3, 0, 1.0),
    Biomarker("weight", "kg", 78.1, 15.9, 1, 0.8),
    Biomarker("waist", "cm", 90.3, 13.5, 0, 1.5),
    Biomarker("systolic", "mmHg", 139.7, 19.6, 0, 5.0),
    Biomarker("diastolic", "mmHg", 82.2, 10.7, 0, 3.0),
    Biomarker("pulse", "1/min", 69.4, 11.3, 0, 4.0),
    Biomarker("haemoglobin", "g/dL", 14.17, 1.25, 2, 0.25),
    Biomarker("leukocytes", "10^9/L", 6.88, 2.1, 2, 0.5, skewed=True),
    Biomarker("platelets", "10^9/L", 252.9, 60.1, 1, 12.0),
    Biomarker("erythrocytes", "10^12/L", 4.508, 0.415, 3, 0.09),
    Biomarker("albumin", "g/L", 45.21, 2.62, 2, 1.2),
    Biomarker("alt", "U/L", 23.51, 14.1, 2, 3.5, skewed=True),
    Biomarker("ast", "U/L", 26.2, 10.6, 1, 2.8, skewed=True),
    Biomarker("alp", "U/L", 83.7, 26.5, 1, 4.5, skewed=True),
    Biomarker("ggt", "U/L", 37.4, 42.1, 1, 4.0, skewed=True),
    Biomarker("bilirubin", "umol/L", 9.13, 4.42, 2, 1.2, skewed=True),
    Biomarker("creatinine", "umol/L", 72.4, 18.5, 1, 3.5, skewed=True),
    Biomarker("urea", "mmol/L", 5.4, 1.39, 2, 0.5),
    Biomarker("urate", "umol/L", 309.2, 80.4, 1, 18.0),
    Biomarker("glucose", "mmol/L", 5.121, 1.24, 3, 0.25, skewed=True),
    Biomarker("hba1c", "mmol/mol", 36.1, 6.8, 1, 0.9, skewed=True),
    Biomarker("cholesterol", "mmol/L", 5.692, 1.144, 3, 0.3),
    Biomarker("hdl", "mmol/L", 1.448, 0.383, 3, 0.08),
    Biomarker("ldl", "mmol/L", 3.559, 0.87, 3, 0.25),
    Biomarker("triglycerides", "mmol/L", 1.748, 1.026, 3, 0.25, skewed=True),
    Biomarker("crp", "mg/L", 2.6, 4.4, 2, 0.4, skewed=True),
    Biomarker("calcium", "mmol/L", 2.38, 0.094, 3, 0.03),
)
CATEGORIES = {  # name: levels; frequencies fall off with rank
    "sex": 2,
    "smoking": 3,
    "diet": 5,
    "education": 7,
    "centre": 22,
    "ethnicity": 20,
    "district": 150,
    "occupation": 500,
}
DATES = {
    "assessed_on": (date(2006, 3, 13), 1650),
    "born_on": (date(1936, 1, 1), 12400),
    "seen_on": (date(2015, 1, 1), 2500),
}
COUNT = "medications"
_MISSING = (0.01, 0.12)  # shares missing over the biomarkers: 28 of them leave 26.4 present
_MEAN_PRESENT = 26.4


@dataclass(frozen=True)
class Cohort:
    """Columns by name (numbers float64 with NaN, categories as text, dates as days since 1970), and what they mean."""

    numbers: dict[str, NDArray[np.float64]]
    categories: dict[str, NDArray[np.object_]]
    dates: dict[str, NDArray[np.int32]]
    dictionary: Dictionary

    @property
    def rows(self) -> int:
        """How many people."""
        return len(next(iter(self.numbers.values())))

    def table(self) -> pa.Table:
        """The cohort as a snapshot: `__row` and `__participant`, then every field under its canonical name."""
        columns: dict[str, pa.Array] = {
            "__row": pa.array(np.arange(self.rows, dtype=np.uint64)),
            "__participant": pa.array(np.arange(self.rows, dtype=np.uint64)),
        }
        columns |= {name: pa.array(values, from_pandas=True) for name, values in self.numbers.items()}
        columns |= {name: pa.array(values, type=pa.string()) for name, values in self.categories.items()}
        columns |= {name: pa.array(days, type=pa.date32()) for name, days in self.dates.items()}
        return pa.table(columns)

    def write(self, path: Path) -> Path:
        """Write the snapshot as Parquet."""
        pq.write_table(self.table(), path)
        return path


def generate(rows: int, seed: int, *, numbers: int = len(BIOMARKERS)) -> Cohort:
    """Draw a cohort of `rows` people, the same for the same arguments.

    `numbers` above 28 adds repeat visits of the same biomarkers (`glucose_i1`, ...), each with its own error and a
    correlation of about 0.8 with the visit before. Cohorts with another `seed` are other people of the same population.
    """
    rng = np.random.default_rng([seed, rows])
    factors = rng.standard_normal((FACTORS, rows)).astype(np.float32)
    measured: dict[str, NDArray[np.float64]] = {}
    fields: list[Field] = []
    for index in range(numbers):
        marker, visit = BIOMARKERS[index % len(BIOMARKERS)], index // len(BIOMARKERS)
        name = marker.name if visit == 0 else f"{marker.name}_i{visit}"
        measured[name] = _measured(marker, index, factors, rng)
        fields.append(_field(name, marker))
    categories = {name: _category(name, levels, rows, rng) for name, levels in CATEGORIES.items()}
    dates = {name: _days(start, span, rows, rng) for name, (start, span) in DATES.items()}
    measured[COUNT] = rng.poisson(2.4, rows).astype(np.float64)
    fields.append(Field(TABLE, COUNT, COUNT, FieldType.INTEGER, Role.FREE, decimals=0, grid=1.0))
    fields += [Field(TABLE, name, name, FieldType.CATEGORY, Role.QUASI) for name in CATEGORIES]
    fields += [Field(TABLE, name, name, FieldType.DATE, Role.QUASI) for name in DATES]
    return Cohort(measured, categories, dates, Dictionary(tuple(fields)))


def tolerances(cohort: Cohort) -> dict[str, float]:
    """The declared tolerance of every field that may be marked."""
    return {field.name: field.tolerance.amount for field in cohort.dictionary.fields if field.tolerance}


def _field(name: str, marker: Biomarker) -> Field:
    return Field(
        TABLE,
        name,
        name,
        FieldType.DECIMAL if marker.decimals else FieldType.INTEGER,
        Role.SENSITIVE,
        unit=marker.unit,
        decimals=marker.decimals,
        grid=10.0**-marker.decimals,
        tolerance=Tolerance(marker.error),
        mark=True,
    )


def _measured(
    marker: Biomarker, index: int, factors: NDArray[np.float32], rng: np.random.Generator
) -> NDArray[np.float64]:
    # The loadings belong to the population, not to the draw: another seed is other people with the same biology.
    loadings = np.random.default_rng(index % len(BIOMARKERS)).normal(size=FACTORS)
    loadings *= 0.7 / np.linalg.norm(loadings)
    rows = factors.shape[1]
    shared = loadings.astype(np.float32) @ factors
    own = rng.standard_normal(rows).astype(np.float32) * np.float32(np.sqrt(1 - 0.49))
    values = _scaled(marker, (shared + own).astype(np.float64))
    values = np.maximum(np.round(values, marker.decimals), 10.0**-marker.decimals)
    values[rng.random(rows) < _missing_share(index % len(BIOMARKERS))] = np.nan
    return values


def _scaled(marker: Biomarker, standard: NDArray[np.float64]) -> NDArray[np.float64]:
    if not marker.skewed:
        return marker.mean + marker.sd * standard
    log_sd = np.sqrt(np.log1p((marker.sd / marker.mean) ** 2))
    return np.asarray(marker.mean * np.exp(log_sd * standard - log_sd**2 / 2))


def _missing_share(index: int) -> float:
    """Shares from 1 to 12 %, skewed so that their mean leaves 26.4 biomarkers in a row."""
    low, high = _MISSING
    mean = 1 - _MEAN_PRESENT / len(BIOMARKERS)
    power = (high - low) / (mean - low) - 1  # the mean of u^power over [0, 1] is 1 / (power + 1)
    spot = (index * 11 % len(BIOMARKERS) + 0.5) / len(BIOMARKERS)
    return float(low + (high - low) * spot**power)


def _category(name: str, levels: int, rows: int, rng: np.random.Generator) -> NDArray[np.object_]:
    shares = 1 / np.arange(1, levels + 1) ** (0.3 if levels < 4 else 0.7)
    codes = rng.choice(levels, size=rows, p=shares / shares.sum())
    labels = np.array([f"{name[:3]}{level:03d}" for level in range(levels)], dtype=object)
    return labels[codes]


def _days(start: date, span: int, rows: int, rng: np.random.Generator) -> NDArray[np.int32]:
    return np.asarray((start - date(1970, 1, 1)).days + rng.integers(0, span, rows), dtype=np.int32)
