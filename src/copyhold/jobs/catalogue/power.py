"""How many leaked rows of a version would name a holder, worked out on a part of its rows."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow as pa

from copyhold.actions import catalogue, custody
from copyhold.domain.catalogue import Dictionary, Version
from copyhold.domain.custody import Policy
from copyhold.domain.errors import InvalidInputError
from copyhold.engines.marks import power
from copyhold.engines.marks.cells import cells
from copyhold.engines.marks.plan import MarkPlan
from copyhold.engines.tables.blocks import Block, block
from copyhold.jobs.catalogue.plans import Occasions, plan_key, plan_of, read_for_marks
from copyhold.ports import Home

SAMPLED = 4_000  # rows of the master, on which it is worked out how many would name a holder


@dataclass(frozen=True)
class Power:
    """How many leaked rows name a holder among so many parties, per attack."""

    version: Version
    parties: int
    rows: Mapping[power.Attack, power.Rows]


def power_of(home: Home, occasions: Occasions, name: str, parties: int | None = None) -> Power:
    """Work out how many leaked rows of a dataset's newest version name a holder, with no field left out.

    `parties` are those among whom the holder is to be named; the policy's number by default.
    """
    version = catalogue.show(occasions(), name)
    founded = custody.show(occasions())
    policy = founded.policy if parties is None else replace(founded.policy, power_parties=parties)
    if policy.power_parties < 1:
        raise InvalidInputError("The number of parties must be 1 or more.")
    paths = [(one.number, home.outside.storage.path(one.sha256), one.rows) for one in version.tables]
    plan = plan_of(home.outside, version)
    key = plan_key(home.outside, founded.id, version.dataset)
    return Power(version, policy.power_parties, rows_needed(plan, key, version.dictionary, paths, policy))


def rows_needed(
    plan: MarkPlan, key: bytes, dictionary: Dictionary, paths: Sequence[tuple[int, Path, int]], policy: Policy
) -> Mapping[power.Attack, power.Rows]:
    """Work out the rows needed of each table, and give those of the one that tells most.

    `paths` are a table's number, its file and its rows.
    """
    nats = power.threshold(policy.power_parties, alpha=policy.alpha)
    found = []
    for number, path, rows in paths:
        sample = (cells(plan, key, one) for one in _sampled(number, path, rows, dictionary, plan.tables))
        found.append(power.rows_to_name(sample, nats))
    return min(found, key=lambda rows: rows[power.Attack.NONE].n95 or math.inf)


def _sampled(number: int, path: Path, rows: int, dictionary: Dictionary, tables: Sequence[str]) -> Iterator[Block]:
    """Read every so many-th row of a table, so that about SAMPLED come together."""
    every, start = max(1, rows // SAMPLED), 0
    for whole in read_for_marks(path, dictionary.of(tables[number - 1])):
        chosen = np.arange(-start % every, whole.num_rows, every)
        start += whole.num_rows
        if len(chosen):
            yield block(whole.take(pa.array(chosen)), dictionary.of(tables[number - 1]), number)
