"""Why a field's cells are not marked, in plain words."""

import numpy as np

from copyhold.domain.catalogue import Field, FieldType, Role
from copyhold.engines.marks.listed import listed_restoration
from copyhold.engines.marks.plan import ColumnPlan
from copyhold.engines.marks.supports import Kind, restoration

MOST_RESTORED = 0.75  # a column whose originals are guessed better than this from marked values is refused
FEWEST_VALUES = 12  # a whole-number field with fewer different values reads as an answer, a count or a score
_NOISE = 1e-9

_BY_ROLE = {
    Role.ID: "it is the participant's id, which every party gets anew",
    Role.DIRECT: "it identifies people directly and is never released",
}
_BY_TYPE = {
    FieldType.CATEGORY: "codes, yes/no and ordinal answers and scores have no tolerance: any change is an error",
    FieldType.TEXT: "free text has no tolerance",
    FieldType.DATE: "dates are shifted where a project accepted it, never marked",
    FieldType.DATETIME: "dates are shifted where a project accepted it, never marked",
}


def barred(field: Field) -> str | None:
    """Say why the dictionary alone forbids to mark a field; None where it does not."""
    if field.role in _BY_ROLE:
        return _BY_ROLE[field.role]
    if field.type in _BY_TYPE:
        return _BY_TYPE[field.type]
    if any(tie.lstrip().startswith("=") for tie in field.ties):
        return "it is computed from other fields: copies hold it computed again"
    if field.public_values:
        return "its values are known elsewhere, so marks in it are seen and undone"
    if not field.mark:
        return "the dictionary says not to mark it"
    if field.tolerance is None or not field.tolerance.amount > 0:
        return "no tolerance is declared for it"
    return None


def unfit(column: ColumnPlan) -> str | None:
    """Say why the values of a column forbid to mark it; None where they do not."""
    if not column.supports:
        return "it holds no value that may be marked"
    return _too_few(column) or _too_coarse(column) or _no_cell(column) or _restorable(column)


def _too_few(column: ColumnPlan) -> str | None:
    if column.type is FieldType.REAL or column.decimals:
        return None
    values = np.unique(np.concatenate([support.values for support in column.supports]))
    if len(values) <= 2:
        return "it has at most two different values and reads as a yes/no answer"
    if set(values.tolist()) <= {0, 1, 2}:
        return "it holds 0, 1 and 2 alone and reads as a genotype: a genotype has no tolerance"
    if len(values) < FEWEST_VALUES:
        return f"it has {len(values)} different whole values and reads as an answer, a count or a score"
    return None


def _too_coarse(column: ColumnPlan) -> str | None:
    if column.kind is Kind.LISTED:
        return None
    widest = max(float(column.rule.most(support.values).max()) for support in column.supports)
    return "one last-place unit is larger than its tolerance" if widest < 1 else None


def _no_cell(column: ColumnPlan) -> str | None:
    for support in column.supports:
        for upward in (True, False):
            steps = column.lookup.steps(
                support.values,
                np.full(len(support.values), upward),
                np.zeros(len(support.values), dtype=np.int32) if column.stratum else None,
                (support.stratum,),
            )
            if steps.any():
                return None
    return "no two of its values lie on one grid, within the tolerance, on one side of all cuts and about as frequent"


def _restorable(column: ColumnPlan) -> str | None:
    weigh = listed_restoration if column.kind is Kind.LISTED else restoration
    weights = [weigh(support, column.rule, column.limits) for support in column.supports]
    right, whole = sum(one for one, _ in weights), sum(one for _, one in weights)
    if whole > 0 and right / whole > MOST_RESTORED + _NOISE:
        return f"the original of a marked value is guessed in {right / whole:.0%} of the cells, more than three in four"
    return None
