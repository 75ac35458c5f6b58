"""The models that are fitted to a master and its copies, and how: the 81 coefficients of row 19, others, NHANES."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bench.cohort import BIOMARKERS

JOINT = ("systolic", "hba1c", "creatinine")

Floats = NDArray[np.float64]
Columns = Mapping[str, Floats]


@dataclass(frozen=True)
class Model:
    """A regression of an outcome on an exposure and further covariates."""

    form: str
    outcome: str
    covariates: tuple[str, ...]
    logistic: bool = False

    @property
    def name(self) -> str:
        """How it is told."""
        return f"{self.form}: {self.outcome} on {', '.join(self.covariates)}"


@dataclass(frozen=True)
class Fit:
    """Slopes in the order of the covariates, with their standard errors."""

    slopes: Floats
    errors: Floats

    def shift(self, copy: "Fit") -> Floats:
        """Give the change of each slope in standard errors of this one."""
        return (copy.slopes - self.slopes) / self.errors


def cohort_models() -> tuple[Model, ...]:
    """Models of few covariates, three for each outcome."""
    ring = [marker.name for marker in BIOMARKERS]
    models = []
    for place, outcome in enumerate(ring):
        after = [ring[(place + steps) % len(ring)] for steps in (1, 2, 3, 8)]
        if outcome != "bmi":
            models.append(Model("background", outcome, ("bmi", "age", "sex")))
            models.append(Model("pair", outcome, (after[0], after[1])))
            models.append(Model("logs", f"log {outcome}", (f"log {after[2]}", f"log {after[3]}")))
    return tuple(models)


def joint_models() -> tuple[Model, ...]:
    """Three outcomes on everything else: 81 coefficients."""
    names = [marker.name for marker in BIOMARKERS]
    return tuple(Model("joint", one, tuple(name for name in names if name != one)) for one in JOINT)


NHANES_MODELS = (
    Model("linear", "BMXBMI", ("LBXGLU",)),
    Model("linear", "BPXSY1", ("BMXBMI", "RIDAGEYR")),
    Model("linear", "LBXGH", ("LBXGLU",)),
    Model("logistic", "died", ("BPXSY1", "LBXTC", "BMXBMI", "RIDAGEYR", "RIAGENDR"), logistic=True),
)


def fitted(columns: Columns, model: Model, attenuation: Mapping[str, float] | None = None) -> Fit:
    """Fit a model to the rows where nothing is missing; `attenuation` by field corrects for it."""
    table = np.array([columns[name] for name in (model.outcome, *model.covariates)])
    table = table[:, np.isfinite(table).all(axis=0)]
    outcome, covariates = table[0], table[1:]
    scale = covariates.std(axis=1)
    standard = (covariates - covariates.mean(axis=1)[:, None]) / scale[:, None]
    noise = np.array([1 - (attenuation or {}).get(name, 1.0) for name in model.covariates])
    fit = logistic(outcome, standard) if model.logistic else least_squares(outcome, standard, noise)
    return Fit(fit.slopes / scale, fit.errors / scale)


def least_squares(outcome: Floats, standard: Floats, noise: Floats) -> Fit:
    """Ordinary least squares with the classical standard errors.

    Covariates have mean 0 and variance 1, of which `noise` is known to be noise and is taken off.
    """
    inverse = np.linalg.inv(standard @ standard.T - len(outcome) * np.diag(noise))
    about = outcome - outcome.mean()
    slopes = inverse @ (standard @ about)
    residual = about - slopes @ standard
    free = len(outcome) - len(standard) - 1
    return Fit(slopes, np.sqrt(np.diagonal(inverse) * (residual @ residual) / free))


def logistic(outcome: Floats, standard: Floats) -> Fit:
    """Maximum likelihood by Newton's method, standard errors from the information matrix."""
    design = np.vstack([np.ones(len(outcome)), standard])
    beta = np.zeros(len(design))
    for _ in range(25):
        chance = 1 / (1 + np.exp(-(beta @ design)))
        inverse = np.linalg.inv((design * (chance * (1 - chance))) @ design.T)
        step = inverse @ (design @ (outcome - chance))
        beta = beta + step
        if np.max(np.abs(step)) < 1e-12:
            break
    return Fit(beta[1:], np.sqrt(np.diagonal(inverse))[1:])
