"""Whether a leak is of this dataset at all: judged by rows that stand out, without any key.

A decoy keeps the ties within blocks of columns and loses those between them, so that a row of somebody else entirely
aligns more often than the one in a hundred that the decoy promises: of NHANES participants outside a version up to 17 %
align, single ones 12 nats above every decoy row. Rows that are in a version stand out by 20 nats once they show ten
columns or so; with few columns most of them align. Either is asked for here. What is missed has too few values to name
anybody.
"""

from collections.abc import Sequence

import numpy as np
from scipy.stats import binom

from copyhold.engines.reading.sighting import SightedTable

BEYOND_DOUBT = 20.0  # nats by which a row leads every decoy row
STRANGERS = 0.2  # share of rows of other people that align, at most
CHANCE = 1e-3  # that so many of them do


def recognised(tables: Sequence[SightedTable]) -> bool:
    """Say whether rows of a leak are rows of the version in which it was looked for."""
    return any(_leads(one) or _many(one) for one in tables)


def _leads(table: SightedTable) -> bool:
    decoys = table.match.decoy_scores
    best = table.match.alignment.best
    return bool(decoys.size and best.size and best.max() > decoys.max() + BEYOND_DOUBT)


def _many(table: SightedTable) -> bool:
    """Say whether more rows align than would of strangers, at level 1e-3."""
    aligned = int(np.count_nonzero(table.match.aligned))
    return bool(binom.sf(aligned - 1, table.rows, STRANGERS) < CHANCE) if aligned else False
