"""The case file: all that an outsider needs to compute the evidence again, and not one bit more.

A case file is one JSON document in canonical form (RFC 8785). It holds the readings as the scorer took them, the list
of hypotheses, the openings of the cells used, and for each named party its answers on exactly those cells, ids and
dates. It holds no bit of a party that is not named and no cell that was not used. Numbers that may exceed 2^53 (rows,
participants, units, ids, shifts) are written as text.

Answers are texts with a character for each thing asked: 1 for the higher member or the party's own, 0 for the other,
- for what the party never held (or has spent).
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import rfc8785
from numpy.typing import NDArray

from copyhold.domain.errors import IntegrityError, InvalidInputError
from copyhold.engines.reading.readings import KINDS, Alternative, Reading
from copyhold.engines.tracing.hypotheses import Hypothesis, prior
from copyhold.engines.tracing.naming import ALPHA, CONTROL_LEVEL, CONTROLS, Name, Naming
from copyhold.engines.tracing.parties import Cells, Parties, cells_of
from copyhold.engines.tracing.statement import ASSUMPTIONS, BY_IDS_ALONE, BY_MARKS, statement, upper_limit

FORMAT = "copyhold case 1"
FIGURES = (
    "log10_evidence",
    "log10_evidence_without_ids",
    "log10_evidence_without_seen",
    "log10_threshold",
    "p_family",
    "cells",
)

Document = dict[str, Any]


@dataclass(frozen=True)
class Identity:
    """Who a named key belongs to, and what the log holds of it.

    `key_commitment` is hex; `releases_consistent` are the releases that could have given the file; `countersigned` says
    whether the holder countersigned the commitment and the package at receipt.
    """

    party: str
    project: str
    institution: str
    key_commitment: str
    releases_consistent: tuple[str, ...] = ()
    countersigned: bool = False


@dataclass(frozen=True)
class Circumstances:
    """What stands in a case file beside the reading and the names, as the register and the log have it.

    leak            where it was found, its sha256, when it was captured and by which outside time
    attempts        T, traces logged in this custody; derivations, keys the key store counted as derived
    blind_errors    errors of people and software together in so many blind tests
    flows           every lawful way from the party's copies, as competing propositions
    safeguards      which safeguards against framing by the custodian held
    openings        the openings of the cells used (see openings.opened)
    log             entries of the log with their proofs, that hold the version's root, each named party's key
                    commitment, and the attempt (see verification.claims)
    seen            cells found in earlier sightings

    `case`, `dataset`, `version` and each identity's `party` are ids as the log knows them.
    """

    case: str
    dataset: str
    version: str
    leak: Mapping[str, str]
    identities: tuple[Identity, ...]
    attempts: int
    derivations: int
    blind_errors: int
    blind_trials: int
    flows: tuple[str, ...] = ()
    safeguards: Mapping[str, bool] = field(default_factory=dict)
    openings: tuple[Any, ...] = ()
    log: tuple[Any, ...] = ()
    seen: Cells | None = None


def case_file(
    alternatives: Sequence[Alternative],
    half: Callable[[Reading], Reading],
    parties: Parties,
    naming: Naming,
    circumstances: Circumstances,
) -> bytes:
    """Write the case file of an attempt that named somebody, as canonical JSON.

    `half` is `party_half` or `institution_half`, whichever the names come from. Nothing is written where nobody is
    named: there is nothing then that may leave.
    """
    if not naming.names or len(circumstances.identities) != len(naming.names):
        raise InvalidInputError("A case file is written about the parties that were named, with each one's identity.")
    readings = [Alternative(one.weight, half(one.reading)) for one in alternatives]
    asked = Asked.by(readings)
    document = {
        "format": FORMAT,
        "case": circumstances.case,
        "dataset": circumstances.dataset,
        "version": circumstances.version,
        "leak": dict(circumstances.leak),
        "attempt": {"number": naming.attempt.number, "keys_issued": naming.attempt.keys_issued, "alpha": ALPHA},
        "controls": {"keys": CONTROLS, "level": CONTROL_LEVEL, "reached": [list(one) for one in naming.controls]},
        "id_space": str(parties.id_space),
        "hypotheses": [hypothesis_document(one) for one in prior()],
        "alternatives": [{"weight": one.weight, "reading": reading_document(one.reading)} for one in readings],
        **asked.document(),
        "seen": _places(asked.cells, circumstances.seen),
        "openings": list(circumstances.openings),
        "log": list(circumstances.log),
        "names": [
            _name_document(one, identity, asked, parties, circumstances.attempts)
            for one, identity in zip(naming.names, circumstances.identities, strict=True)
        ],
        "assumptions": list(ASSUMPTIONS),
        "competing": list(circumstances.flows),
        "safeguards": dict(circumstances.safeguards),
        "attempts_logged": circumstances.attempts,
        "keys_derived": circumstances.derivations,
        "blind_tests": blind_tests(circumstances.blind_errors, circumstances.blind_trials),
    }
    return rfc8785.dumps(document)


def reading_document(reading: Reading) -> Document:
    """Return a reading as JSON: its arrays by name, 64-bit numbers as text."""
    arrays = {name: _listed(getattr(reading, name)) for name in KINDS}
    return {**arrays, "channels": [_channel_document(asdict(one)) for one in reading.channels]}


def hypothesis_document(one: Hypothesis) -> Document:
    """Return a hypothesis as JSON: its law, its share of the rows and its weight."""
    law = asdict(one.law) | {"strategy": one.law.strategy.value}
    return {**law, "share": one.share, "weight": one.weight}


def blind_tests(errors: int, trials: int) -> Document:
    """Return the error rate of people and software together in blind tests, and its upper limit."""
    return {"errors": errors, "trials": trials, "upper_limit": upper_limit(errors, trials)}


def figures(one: Name) -> Document:
    """Return every figure that is printed about a name, decimal logarithms for E."""
    log10 = {
        "log10_evidence": one.log_evidence,
        "log10_evidence_without_ids": one.log_evidence_without_ids,
        "log10_evidence_without_seen": one.log_evidence_without_seen,
        "log10_threshold": one.log_threshold,
    }
    return {name: value / math.log(10) for name, value in log10.items()} | {
        "p_family": one.p_family,
        "cells": one.cells,
    }


@dataclass(frozen=True)
class Asked:
    """All that the readings ask of a party, each thing once."""

    cells: Cells
    id_pairs: tuple[tuple[int, int], ...]  # participant, id
    loose: tuple[int, ...]
    moves: tuple[tuple[int, int, int], ...]  # participant, unit, shift

    @staticmethod
    def by(alternatives: Sequence[Alternative]) -> "Asked":
        """Collect the cells, ids and shifts of all readings."""
        readings = [one.reading for one in alternatives]
        facts = {
            fact for one in readings for fact in zip(cells_of(one).addresses(), one.threshold.tolist(), strict=True)
        }
        addresses = [address for address, _ in sorted(facts)]
        if len(set(addresses)) < len(addresses):
            raise IntegrityError("A cell has two biases: the readings do not come from one plan.")
        table, row, column = _split(addresses, 3)
        threshold = np.array([bias for _, bias in sorted(facts)], dtype=np.uint16)
        pairs = [
            zip(one.participant[one.id_candidate].tolist(), one.id_value.tolist(), strict=True) for one in readings
        ]
        loose = [one.loose_id.tolist() for one in readings]
        moves = [
            zip(
                one.participant[one.date_candidate].tolist(),
                one.date_unit.tolist(),
                one.date_shift.tolist(),
                strict=True,
            )
            for one in readings
        ]
        return Asked(
            Cells(table.astype(np.uint16), row.astype(np.uint64), column.astype(np.uint32), threshold),
            tuple(dict.fromkeys(pair for some in pairs for pair in some)),
            tuple(dict.fromkeys(value for some in loose for value in some)),
            tuple(dict.fromkeys(move for some in moves for move in some)),
        )

    def document(self) -> Document:
        """Return what is asked, as JSON."""
        return {
            "cells": [[table, str(row), column] for table, row, column in self.cells.addresses()],
            "id_pairs": [[str(participant), str(value)] for participant, value in self.id_pairs],
            "loose_ids": [str(value) for value in self.loose],
            "moves": [[str(unit), str(shift)] for _, unit, shift in self.moves],
        }

    def answers(self, party: Parties) -> Document:
        """Return what one party answers, as JSON; `party` holds that one alone."""
        held = party.held(self.cells)
        participant, value = _split(self.id_pairs, 2)
        ids = party.ids(participant.astype(np.uint64), value.astype(np.int64))
        owner, unit, shift = _split(self.moves, 3)
        moves = party.dates(owner.astype(np.uint64), unit.astype(np.uint64), shift.astype(np.int64))
        own = [bool(party.loose_ids(np.array([one]))[0]) for one in self.loose]
        return {
            "bits": _text(party.bits(self.cells)[0], None if held is None else held[0]),
            "ids": _text(ids.hit[0], ids.held[0]),
            "loose": _text(np.array(own, dtype=bool), None),
            "moves": _text(moves.hit[0], moves.held[0]),
            "released": int(party.released[0]),
            "shifts": int(party.shifts[0]),
        }


def _name_document(one: Name, identity: Identity, asked: Asked, parties: Parties, attempts: int) -> Document:
    return {
        "party": identity.party,
        "project": identity.project,
        "institution": identity.institution,
        "releases_consistent": list(identity.releases_consistent),
        **asked.answers(parties.select(np.array([one.party]))),
        "figures": figures(one),
        "heading": BY_IDS_ALONE if one.by_ids_alone else BY_MARKS,
        "statement": statement(one.p_family, attempts),
        "key_commitment": identity.key_commitment,
        "countersigned": identity.countersigned,
        "opened_key": None,
    }


def _listed(values: NDArray[Any]) -> list[Any]:
    wide = values.dtype in (np.uint64, np.int64)
    return [str(one) for one in values.tolist()] if wide else values.tolist()


def _channel_document(channel: Document) -> Document:
    return channel | {"sigmas": list(channel["sigmas"]), "weights": list(channel["weights"])}


def _places(cells: Cells, some: Cells | None) -> list[int]:
    wanted = set() if some is None else set(some.addresses())
    return [place for place, address in enumerate(cells.addresses()) if address in wanted]


def _split(rows: Sequence[tuple[int, ...]], width: int) -> NDArray[np.object_]:
    return np.array(rows, dtype=np.object_).reshape(-1, width).T


def _text(own: NDArray[np.bool_], held: NDArray[np.bool_] | None) -> str:
    known = np.ones_like(own) if held is None else held
    return "".join("-" if not there else "1" if mine else "0" for mine, there in zip(own, known, strict=True))
