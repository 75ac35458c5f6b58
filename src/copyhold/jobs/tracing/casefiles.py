"""What the register adds to a finding: who the named keys belong to, and the case file that others can check."""

from dataclasses import dataclass, replace

import numpy as np

from copyhold.domain.releases import HeldCopy, ReleaseId
from copyhold.domain.tracing import Attempt, Register
from copyhold.domain.words import plain
from copyhold.engines.reading.reader import Read
from copyhold.engines.reading.readings import Alternative, party_half
from copyhold.engines.tracing.casefile import Asked, Circumstances, Document, Identity, case_file
from copyhold.engines.tracing.naming import Name
from copyhold.engines.tracing.openings import opened
from copyhold.engines.tracing.verification import claims, read
from copyhold.jobs.catalogue.commitments import committed
from copyhold.jobs.catalogue.plans import Occasions
from copyhold.jobs.log import disclosed
from copyhold.jobs.tracing.holdings import Holdings
from copyhold.jobs.tracing.leaks import Leak
from copyhold.jobs.tracing.scoring import Scored
from copyhold.jobs.tracing.sightings import Sighting
from copyhold.ports import Home, Step

_NEARLY_ALL = 0.9  # share of the people read whom a copy must hold to have given the file: alignments err


@dataclass(frozen=True)
class Told:
    """An attempt that was scored, with all that may be told of it."""

    home: Home
    register: Register
    attempt: Attempt
    leak: Leak
    sighting: Sighting
    read: Read
    scored: Scored
    holdings: Holdings

    def identity(self, name: Name) -> Identity:
        """Say who a named key belongs to."""
        key = self.scored.keys[name.party]
        copy = self.copies(name)[0]
        return Identity(
            party=key.party,
            project=copy.project_name,
            institution=copy.institution_name,
            key_commitment=key.commitment,
            releases_consistent=self.consistent(name),
        )

    def copies(self, name: Name) -> tuple[HeldCopy, ...]:
        """The copies made under a named key, oldest first."""
        key = self.scored.keys[name.party]
        return tuple(
            one
            for one in self.register.copies
            if (one.dataset, one.party, one.epoch) == (key.dataset, key.party, key.epoch)
        )

    def consistent(self, name: Name) -> tuple[ReleaseId, ...]:
        """The copies of a named party that hold the fields and nearly all of the people that were read."""
        people = np.array(
            [one.candidates[0].participant for one in self.read.groups if one.candidates], dtype=np.uint64
        )
        return tuple(
            copy.release
            for copy in self.copies(name)
            if self.sighting.fields <= set(copy.released_fields)
            and np.isin(people, self.holdings.people(copy)).sum() >= _NEARLY_ALL * len(people)
        )

    def flows(self, name: Name) -> tuple[str, ...]:
        """Every lawful way from a named party's copies that the register knows."""
        copies = tuple(
            f"Copy {one.release} (version {one.version_number}, issued {one.issued_at.date()}, now {one.state.value}): "
            f"whoever in project {one.project_name} at {one.institution_name} could read it."
            for one in self.copies(name)
        )
        return copies + self.holdings.published.flows(self.scored.keys[name.party].party)


def case_file_of(told: Told, occasions: Occasions, step: Step) -> bytes:
    """Write the case file of an attempt that named somebody: figures, openings of the cells, entries of the log."""
    circumstances = replace(_circumstances(told), openings=_openings(told, step))
    draft = _written(told, circumstances)
    proved = disclosed(told.home, occasions, claims(read(draft)))
    return _written(told, replace(circumstances, log=proved))


def _written(told: Told, circumstances: Circumstances) -> bytes:
    scored = told.scored
    return case_file(told.read.alternatives, party_half, scored.parties, scored.naming, circumstances)


def _openings(told: Told, step: Step) -> tuple[Document, ...]:
    halves = [Alternative(one.weight, party_half(one.reading)) for one in told.read.alternatives]
    version = committed(told.home, told.register.custody, told.sighting.version, step)
    return opened(version, Asked.by(halves).cells)


def _circumstances(told: Told) -> Circumstances:
    names = told.scored.naming.names
    return Circumstances(
        case=told.attempt.case,
        dataset=told.attempt.dataset,
        version=told.sighting.version.id,
        leak={
            "files": ", ".join(told.leak.files),
            "sha256": told.leak.sha256,
            "read_at": str(plain(told.attempt.opened_at)),
        },
        identities=tuple(told.identity(one) for one in names),
        attempts=told.attempt.number,
        derivations=told.home.outside.keys.derivations("mark"),
        blind_errors=0,
        blind_trials=0,
        flows=tuple(flow for one in names for flow in told.flows(one)),
        safeguards={
            "Keys were committed to in the log before the first copy": True,
            "The key store counts every derivation": True,
            "The master key is split with somebody outside the data team": False,
            "The leak was captured with an outside time before it was scored": False,
            "The holder countersigned its copy": False,
        },
        seen=told.scored.seen,
    )
