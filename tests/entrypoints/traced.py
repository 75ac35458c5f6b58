"""A custody in which a leak was traced to its holder: real data and keys, all acts, a case file in storage.

The reading is made here, without error, from the version's own snapshot; everything after it is the product's.
"""

import hashlib
import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq

import tests.world  # noqa: F401 - rows can be imported only once Django is set up
from copyhold.actions import accounts, catalogue, custody, tracing
from copyhold.config import wiring
from copyhold.domain.accounts import Door
from copyhold.domain.catalogue import Version
from copyhold.domain.releases import MarkKey, Release
from copyhold.domain.tracing import Attempt, Case, Finding, Named, TraceResult
from copyhold.engines.marks.keys import PartyKeys
from copyhold.engines.marks.permutation import FIFTEEN_DIGITS
from copyhold.engines.reading.readings import Alternative, party_half
from copyhold.engines.tables.blocks import block
from copyhold.engines.tracing import verification
from copyhold.engines.tracing.casefile import Asked, Circumstances, Identity, case_file
from copyhold.engines.tracing.naming import Attempt as Charged
from copyhold.engines.tracing.naming import Naming, name_parties
from copyhold.engines.tracing.openings import opened
from copyhold.engines.tracing.parties import Facts, Holding, KeyedParties, control_parties
from copyhold.jobs import log as publishing
from copyhold.jobs.catalogue.commitments import committed as committed_version
from copyhold.jobs.catalogue.plans import plan_key as derive_plan_key
from copyhold.jobs.catalogue.plans import plan_of
from tests import make
from tests.engines.tracing.nhanes_case import read_exactly
from tests.world import World

LEAK = make.digest("leak")


class Inside(World):
    """A world in a custody that the command line founded."""

    def __init__(self, directory: Path) -> None:
        self.home = wiring.open_home(directory, Door.CLI)
        self.now = datetime.now(UTC)
        self.outside = self.home.outside
        self.operator = accounts.recognise(self.home.occasion(), None, None)


@dataclass(frozen=True)
class Traced:
    """What came of it."""

    case: Case
    release: Release
    content: bytes


def traced(directory: Path) -> Traced:
    """Issue copies to three parties, leak rows of the second, and trace them; the dataset NHANES is there already."""
    world = Inside(directory)
    copies = [make.release(world) for _ in range(3)]
    attempt = tracing.open_attempt(world.by(), LEAK, "NHANES")
    (version,) = catalogue.versions(world.by(), "NHANES")
    place = next(number for number, key in enumerate(attempt.keys) if key.party == copies[1].party)
    parties = KeyedParties([_keys(world, key) for key in attempt.keys], (FACTS,) * 3, FIFTEEN_DIGITS)
    alternatives = [Alternative(1.0, _reading(world, version, parties, place))]
    controls = control_parties([FACTS], FIFTEEN_DIGITS, 200, np.random.default_rng(5).bytes)
    naming = name_parties(alternatives, parties, controls, Charged(attempt.number, attempt.keys_issued))
    identity = Identity(copies[1].party, "Lipids", "Harbour", attempt.keys[place].commitment, (copies[1].id,))
    said = _circumstances(world, attempt, version, identity, alternatives)
    draft = case_file(alternatives, party_half, parties, naming, said)
    shown = publishing.disclosed(world.home, world.by, verification.claims(verification.read(draft)))
    content = case_file(alternatives, party_half, parties, naming, replace(said, log=shown))
    result = _result(world, naming, identity, version, content)
    case = tracing.conclude(world.by(), attempt.case, result)
    publishing.publish(world.home)
    return Traced(case, copies[1], content)


def committed_root(directory: Path) -> str:
    """The root of the dataset's version, from the tree that openings are made with."""
    world = Inside(directory)
    (version,) = catalogue.versions(world.by(), "NHANES")
    keep = custody.show(world.by()).id
    return committed_version(world.home, keep, version, lambda name, share: None).tree.root.hex()


FACTS = Facts((Holding(1),), np.arange(0))


def _keys(world: Inside, key: MarkKey) -> PartyKeys:
    keep, derive = custody.show(world.by()).id, world.outside.keys.derive
    parts = (keep, key.dataset, key.party)
    secrets = derive("mark", *parts, str(key.epoch)), derive("id", *parts), derive("date", *parts)
    return PartyKeys(*(one.reveal() for one in secrets))


def _reading(world: Inside, version: Version, parties: KeyedParties, leaker: int) -> Any:
    (table,) = version.tables
    rows = pq.read_table(world.outside.storage.path(table.sha256)).slice(700, 120).combine_chunks().to_batches()[0]
    read = block(rows, version.dictionary.of(table.table), table.number)
    plan_key = derive_plan_key(world.outside, custody.show(world.by()).id, version.dataset)
    return read_exactly(plan_of(world.outside, version), plan_key, read, parties, leaker)


def _circumstances(
    world: Inside, attempt: Attempt, version: Version, identity: Identity, alternatives: list[Alternative]
) -> Circumstances:
    committed = committed_version(world.home, custody.show(world.by()).id, version, lambda name, share: None)
    return Circumstances(
        case=attempt.case,
        dataset=attempt.dataset,
        version=version.id,
        leak={"sha256": LEAK},
        identities=(identity,),
        attempts=attempt.number,
        derivations=3,
        blind_errors=0,
        blind_trials=40,
        flows=("A copy was released to the project Lipids at Harbour on 5 January 2026.",),
        safeguards={"The leak was hashed before it was scored": True, "The holder countersigned at receipt": False},
        openings=opened(committed, Asked.by(alternatives).cells),
    )


def _result(world: Inside, naming: Naming, identity: Identity, version: Version, content: bytes) -> TraceResult:
    (told,) = json.loads(content)["names"]
    figures = told["figures"]
    named = Named(
        party=identity.party,  # type: ignore[arg-type] # a party's id, as text
        project=identity.project,
        institution=identity.institution,
        releases_consistent=identity.releases_consistent,  # type: ignore[arg-type] # as above
        log10_evidence=figures["log10_evidence"],
        p_family=figures["p_family"],
        cells=figures["cells"],
    )
    report = {
        "rows_in": 120,
        "rows_aligned": 120,
        "participants": 120,
        "parties_considered": 3,
        "log10_threshold": figures["log10_threshold"],
        "columns": [{"leaked": "chol", "field": "LBXSCH", "conversion": "mmol/L"}],
        "rows_needed": {"none": {"n50": 12, "n95": 17}},
        "statement": told["statement"],
    }
    kept = world.outside.storage.put(BytesIO(content))
    assert kept == hashlib.sha256(content).hexdigest()
    return TraceResult(Finding.NAMED, "NHANES", version.number, (named,), report=report, case_sha256=kept)
