"""The keyed half of a trace: the attempt's parties and controls, and the names that the evidence reaches."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from copyhold.domain.errors import IntegrityError
from copyhold.domain.releases import MarkKey
from copyhold.domain.tracing import Attempt, Register
from copyhold.engines.marks.keys import PartyKeys, commitment
from copyhold.engines.marks.permutation import FIFTEEN_DIGITS
from copyhold.engines.reading.readings import Alternative
from copyhold.engines.tracing import naming
from copyhold.engines.tracing.naming import CONTROLS, Naming, name_parties
from copyhold.engines.tracing.parties import Cells, KeyedParties, control_parties
from copyhold.jobs.tracing.holdings import Holdings
from copyhold.ports import Outside, Step


@dataclass(frozen=True)
class Scored:
    """What an attempt came to: `keys` stand in the order of `parties`, in which `naming` counts."""

    keys: tuple[MarkKey, ...]
    parties: KeyedParties
    naming: Naming
    seen: Cells | None


def score(
    outside: Outside,
    register: Register,
    attempt: Attempt,
    alternatives: Sequence[Alternative],
    holdings: Holdings,
    step: Step,
) -> Scored:
    """Weigh a reading against every key of its dataset and as many control keys as the instrument asks for.

    Keys of other datasets count in R and are not asked: what they marked is not in this reading.

    Raises:
        IntegrityError: a key is not the one that was committed to; nothing was scored.
    """
    keys = tuple(key for key in attempt.keys if key.dataset == attempt.dataset)
    facts = holdings.facts(keys)
    secrets = []
    for place, key in enumerate(keys):
        secrets.append(_party_keys(outside, register, key))
        if place % 500 == 0:
            step("keys", place / len(keys))
    step("keys", 1.0)
    parties = KeyedParties(secrets, facts, FIFTEEN_DIGITS)
    controls = control_parties(facts, FIFTEEN_DIGITS, CONTROLS, outside.chance)
    step("evidence", 0.0)
    seen = _seen(outside, attempt)
    found = name_parties(
        alternatives, parties, controls, naming.Attempt(attempt.number, attempt.keys_issued), seen=seen
    )
    step("evidence", 1.0)
    return Scored(keys, parties, found, seen)


def _party_keys(outside: Outside, register: Register, key: MarkKey) -> PartyKeys:
    parts = (register.custody, key.dataset, key.party)
    mark = outside.keys.derive("mark", *parts, str(key.epoch)).reveal()
    if commitment(mark, bytes.fromhex(key.nonce)).hex() != key.commitment:
        raise IntegrityError("A party's key is not the one that the log commits to; nothing was scored.")
    return PartyKeys(mark, outside.keys.derive("id", *parts).reveal(), outside.keys.derive("date", *parts).reveal())


def _seen(outside: Outside, attempt: Attempt) -> Cells | None:
    """Collect the cells that stand in earlier case files of the dataset."""
    addresses: set[tuple[int, int, int]] = set()
    for sha256 in attempt.earlier:
        with outside.storage.open(sha256) as data:
            document = json.loads(data.read())
        addresses |= {(int(table), int(row), int(column)) for table, row, column in document["cells"]}
    if not addresses:
        return None
    table, row, column = np.array(sorted(addresses), dtype=np.object_).T
    return Cells(
        table.astype(np.uint16), row.astype(np.uint64), column.astype(np.uint32), np.ones(len(row), dtype=np.uint16)
    )
