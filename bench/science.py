"""What the marks cost science: 81 coefficients on control copies of the reference cohort, and four models on NHANES.

Row 19 of the tracing design, section 10, in the form in which its bars were found (tracing evidence, 3.5): the 81
coefficients of three outcomes, each on the 27 other biomarkers at once, on the rows where nothing is missing. The
figure is the change of a coefficient between master and copy in standard errors of the master's; for each key the
largest of 81 counts, and for a design the median of these over the keys. Told beside it, without a bar, for the 27
outcomes that are not BMI, in the order of `bench.cohort.BIOMARKERS`, which is taken round in a ring:

 * background: the slope on BMI beside age and sex, which are not marked;
 * pair: the slope on the next biomarker beside the one after it;
 * logs: the slope of the logarithm on those of the biomarkers 3 and 8 places on;
 * corrected: joint, background and pair again, each covariate's variance less the share of noise that the utility
   report of another control copy tells of its field (Fuller 1987, section 2.2), as any holder of a copy can do;
 * measured again, the yardstick: normal noise of one tolerance on every cell, as a second visit would bring.

With one or two covariates half a million people give slopes of 200 standard errors and more, of which half a per cent
of noise is one: these forms show what is left of a marked exposure's attenuation, the joint ones what it is in a model
with many covariates. Every copy is a control copy: its keys come fresh from the operating system and are kept nowhere.

    python -m bench.science [--keys 20] [--rows 500000]
"""

import argparse
import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from bench.attribution import DESIGNS
from bench.cohort import BIOMARKERS, TABLE, Cohort, generate
from bench.regressions import NHANES_MODELS, Columns, Fit, Floats, Model, cohort_models, fitted, joint_models
from bench.trials import RESULTS, Outcome, Trials, by_row
from copyhold.domain.catalogue import Dictionary, FieldType
from copyhold.engines.marks.draft import draw_plan
from copyhold.engines.marks.embedding import Embedding
from copyhold.engines.marks.keys import PartyKeys
from copyhold.engines.marks.plan import MarkPlan
from copyhold.engines.marks.utility import UtilityMeter
from copyhold.engines.tables.blocks import block
from copyhold.entrypoints.replies.charts import Axis, Series, line_chart
from tests.engines.marks import nhanes

BARS = {"A": 0.15, "B": 0.75}
AGAIN = "measured again"
UNTRANSFORMED = ("background", "pair", "joint")
KINDS = ("forms", "corrected")
NHANES = "NHANES "
SEED = 1
CHART = Path(__file__).parent.parent / "docs" / "evidence" / "science.svg"


@dataclass(frozen=True)
class Dataset:
    """A master with its plans, and the models that are fitted to it and its copies."""

    table: pa.Table
    name: str
    dictionary: Dictionary
    models: tuple[Model, ...]
    columns: Callable[[pa.Table], Columns]

    @property
    def released(self) -> tuple[str, ...]:
        """The numeric fields."""
        numeric = (FieldType.INTEGER, FieldType.DECIMAL, FieldType.REAL)
        return tuple(one.name for one in self.dictionary.fields if one.type in numeric and one.name != "SEQN")

    def plan(self, design: str) -> MarkPlan:
        """Draw the plan of a design."""
        blocks = (block(one, self.dictionary.fields, 1) for one in self.batches())
        return draw_plan(self.dictionary, blocks, DESIGNS[design])

    def batches(self) -> list[pa.RecordBatch]:
        """Give the master in parts."""
        return list(self.table.to_batches(max_chunksize=65_536))

    def control(self, plan: MarkPlan) -> tuple[pa.Table, UtilityMeter]:
        """Make a control copy under fresh keys, which are gone on return, and measure it."""
        keys = PartyKeys(os.urandom(32), os.urandom(32), os.urandom(32))
        made = Embedding(plan, os.urandom(32), keys, self.name, self.dictionary.fields, self.released)
        copies, meter = [], UtilityMeter(self.dictionary.fields)
        for one in self.batches():
            copies.append(made.mark(one))
            meter.add(one, copies[-1])
        return pa.Table.from_batches(copies), meter

    def fits(self, columns: Columns, attenuation: Mapping[str, float] | None = None) -> list[Fit]:
        """Fit every model, or those that can be corrected."""
        asked = [model for model in self.models if attenuation is None or model.form in UNTRANSFORMED]
        return [fitted(columns, model, attenuation) for model in asked]


def cohort_dataset(cohort: Cohort) -> Dataset:
    """The reference cohort with its 81 regressions."""
    age = (cohort.dates["assessed_on"] - cohort.dates["born_on"]) / 365.25
    background = {"age": age, "sex": (cohort.categories["sex"] == cohort.categories["sex"][0]).astype(np.float64)}
    names = [marker.name for marker in BIOMARKERS]

    def columns(table: pa.Table) -> Columns:
        numbers = {name: table[name].to_numpy() for name in names}
        return background | numbers | {f"log {name}": np.log(values) for name, values in numbers.items()}

    return Dataset(cohort.table(), TABLE, cohort.dictionary, cohort_models() + joint_models(), columns)


def nhanes_dataset() -> Dataset:
    """Adults and children of NHANES with models of the kind that are published from it."""
    table, dictionary = nhanes.snapshot().combine_chunks(), nhanes.dictionary()
    died = table["MORTSTAT"].cast(pa.float64()).to_numpy()
    plain = {"died": np.where(np.isin(died, (0, 1)), died, np.nan)}
    names = {name for model in NHANES_MODELS for name in (model.outcome, *model.covariates)} - {"died"}

    def columns(copy: pa.Table) -> Columns:
        return plain | {name: copy[name].cast(pa.float64()).to_numpy() for name in names}

    return Dataset(table, nhanes.TABLE, dictionary, NHANES_MODELS, columns)


@dataclass(frozen=True)
class Prepared:
    """A dataset, its plans by design, the fits of its master, and what published reports say of attenuation."""

    dataset: Dataset
    plans: Mapping[str, MarkPlan]
    fits: list[Fit]
    attenuation: Mapping[str, Mapping[str, float]]


@cache
def prepared(real: bool, rows: int) -> Prepared:
    """Work out once what all trials on a dataset share."""
    dataset = nhanes_dataset() if real else cohort_dataset(generate(rows, SEED))
    plans = {one: dataset.plan(one) for one in DESIGNS}
    published = {one: attenuations(dataset.control(plan)[1].finish()) for one, plan in plans.items()}
    return Prepared(dataset, plans, dataset.fits(dataset.columns(dataset.table)), published)


def attenuations(report: Mapping[str, Any]) -> dict[str, float]:
    """Give the attenuation of each field that a report tells of."""
    return {name: one["attenuation"] for name, one in report["fields"].items()}


def trial_of(rows: int) -> Callable[[str, int], Outcome]:
    """Give the trial of one key on a cohort of so many rows; its seed only counts."""

    def trial(row: str, seed: int) -> Outcome:
        design, ready = row.removeprefix(NHANES), prepared(row.startswith(NHANES), rows)
        if design == AGAIN:
            return compared(ready, ready.dataset.columns(measured_again(ready.dataset)))
        copy, meter = ready.dataset.control(ready.plans[design])
        columns = ready.dataset.columns(copy)
        return compared(ready, columns) | corrected(ready, columns, design) | told(meter)

    return trial


def measured_again(dataset: Dataset) -> pa.Table:
    """Add normal noise of one tolerance to every biomarker and write it with the field's decimals."""
    rng = np.random.default_rng(int.from_bytes(os.urandom(16)))
    table = dataset.table
    for field in dataset.dictionary.fields:
        if field.tolerance:
            values = table[field.name].to_numpy()
            noisy = np.round(values + rng.normal(0, field.tolerance.amount, len(values)), field.decimals or 0)
            least = np.nanmin(values)  # no logarithm of less than was ever measured
            place = table.schema.get_field_index(field.name)
            table = table.set_column(place, field.name, pa.array(np.maximum(noisy, least)))
    return table


def compared(ready: Prepared, columns: Columns) -> Outcome:
    """Tell the shifts of one copy, in standard errors."""
    shifts = by_model(ready.dataset.models, ready.fits, ready.dataset.fits(columns))
    slopes = {f"{model.outcome} on {name}": float(one) for model, name, one in judged(shifts)}
    return {
        "largest": max(slopes.values()),
        "median": float(np.median(list(slopes.values()))),
        "of": max(slopes, key=lambda name: slopes[name]),
        "forms": by_form(shifts),
        "slopes": {name: round(one, 5) for name, one in slopes.items()},
    }


def judged(shifts: Mapping[Model, Floats]) -> list[tuple[Model, str, float]]:
    """Give the slopes that the bar is about: those of the joint models; where there are none, of all."""
    joint = {model: one for model, one in shifts.items() if model.form == "joint"}
    return [
        (model, *each) for model, one in (joint or shifts).items() for each in zip(model.covariates, one, strict=True)
    ]


def corrected(ready: Prepared, columns: Columns, design: str) -> Outcome:
    """Tell the shifts of one copy after the correction that its holder can make."""
    models = [model for model in ready.dataset.models if model.form in UNTRANSFORMED]
    master = [one for model, one in zip(ready.dataset.models, ready.fits, strict=True) if model in models]
    again = ready.dataset.fits(columns, ready.attenuation[design])
    return {"corrected": by_form(by_model(models, master, again))} if models else {}


def by_model(models: Sequence[Model], master: Sequence[Fit], copy: Sequence[Fit]) -> dict[Model, Floats]:
    """Give the absolute shifts of each model's slopes."""
    return {model: np.abs(one.shift(two)) for model, one, two in zip(models, master, copy, strict=True)}


def by_form(shifts: Mapping[Model, Floats]) -> dict[str, float]:
    """Give the largest shift of an exposure in each form; in a joint model every covariate is one."""
    forms: dict[str, float] = {}
    for model, one in shifts.items():
        forms[model.form] = max(forms.get(model.form, 0.0), float(one.max() if model.form == "joint" else one[0]))
    return forms


def told(meter: UtilityMeter) -> Outcome:
    """Tell the largest figures of the utility report of one copy."""
    report: Any = meter.finish()
    fields, pair = report["fields"], report["correlation"]
    return {
        "mean_shift_se": max(abs(one["mean_shift_se"]) for one in fields.values()),
        "sd_change": max(abs(one["sd_change"]) for one in fields.values()),
        "attenuation": min(one["attenuation"] for one in fields.values()),
        "correlation_shift_se": abs(pair["shift_se"]),
        "correlation_of": pair["fields"],
    }


def summary(lines: Sequence[Outcome], rows: int) -> dict[str, Any]:
    """Give the figures of every row: medians over the keys, and the worst key."""
    figures = {row: _row(row, outcomes) for row, outcomes in by_row(lines)}
    return {"cohort_rows": rows, "rows": figures}


def _row(row: str, outcomes: Sequence[Any]) -> dict[str, Any]:
    told: dict[str, Any] = {"keys": len(outcomes)}
    for name in ("largest", "median", "mean_shift_se", "sd_change", "correlation_shift_se"):
        if name in outcomes[0]:
            told[name] = _over_keys([one[name] for one in outcomes])
    for name in ("forms", "corrected", "slopes"):
        if name in outcomes[0]:
            told[name] = {part: _over_keys([one[name][part] for one in outcomes]) for part in outcomes[0][name]}
    if row in BARS:
        told |= {"bar": BARS[row], "met": told["largest"]["median"] < BARS[row]}
    return told


def _over_keys(values: Sequence[float]) -> dict[str, float]:
    return {"median": round(float(np.median(values)), 5), "worst": round(float(np.max(values)), 5)}


def chart(lines: Sequence[Any]) -> str:
    """Draw the largest shift of each key, ascending, beside the bars."""
    series, words = [], []
    for row, outcomes in by_row(lines):
        if row in BARS:
            largest = sorted(one["largest"] for one in outcomes)
            series.append(Series(f"design {row}", tuple(enumerate(largest, start=1))))
            series.append(Series(f"bar of {row}", ((1, BARS[row]), (len(largest), BARS[row]))))
            words.append(f"Design {row}: median {np.median(largest):.2f}, worst {largest[-1]:.2f}, bar {BARS[row]}.")
    x = Axis("control copies, by their largest shift", 1, max(x for one in series for x, _ in one.points))
    y = Axis("largest of 81 shifts, in SE", 0.01, 10.0, log=True)
    text = "Largest change of a coefficient among 81, for each control copy. " + " ".join(words)
    return line_chart("What the marks cost 81 coefficients", x, y, series, text)


def main() -> None:
    """Run what is missing, write the figures and the chart, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--keys", type=int, default=20)
    parser.add_argument("--rows", type=int, default=500_000)
    parser.add_argument("--folder", type=Path, default=RESULTS)
    given = parser.parse_args()
    rows = [*DESIGNS, AGAIN, *(NHANES + design for design in DESIGNS)]
    lines = Trials("science", given.folder).run(rows, range(1, given.keys + 1), trial_of(given.rows))
    figures = summary(lines, given.rows)
    (given.folder / "science.json").write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    if given.folder == RESULTS:
        CHART.parent.mkdir(parents=True, exist_ok=True)
        CHART.write_text(chart(lines), encoding="utf-8")
    print(f"{'':16}{'keys':>5}{'largest':>9}{'worst':>8}{'bar':>6}  forms; corrected")
    for row, one in figures["rows"].items():
        parts = ("  ".join(f"{form} {of['median']:.3f}" for form, of in one.get(name, {}).items()) for name in KINDS)
        print(
            f"{row:16}{one['keys']:5}{one['largest']['median']:9.3f}{one['largest']['worst']:8.3f}"
            f"{one.get('bar', ''):>6}  {'; '.join(parts)}"
        )


if __name__ == "__main__":
    main()
