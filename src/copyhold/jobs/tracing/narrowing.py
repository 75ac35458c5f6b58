"""Which past copies could have given a file that names nobody: from leak, master and register, without a key."""

from copyhold.domain.catalogue import Version
from copyhold.domain.releases import HeldCopy, ReleaseId
from copyhold.domain.tracing import Register
from copyhold.engines.matching.index import TableIndex
from copyhold.engines.reading.signature import AS_MASTER, PastCopy, narrowed
from copyhold.engines.reading.traits import sighting as traits_of
from copyhold.jobs.catalogue.indexes import index
from copyhold.jobs.tracing.holdings import Holdings
from copyhold.jobs.tracing.sightings import Sighting
from copyhold.ports import Home, Step


def could_have_given(
    home: Home, register: Register, sighting: Sighting, holdings: Holdings, step: Step
) -> tuple[ReleaseId, ...]:
    """Narrow the dataset's past copies to those that could have produced the leak; no probability, no order.

    Of a leak of several tables the one with most aligned rows speaks. Copies whose rows all leave out what the leak
    shows are excluded, each with probability at most 0.05 where it is the true one (see engines.reading.signature).
    """
    copies = {copy.release: copy for copy in register.copies if copy.dataset == sighting.version.dataset}
    table = max(sighting.tables, key=lambda one: one.rows_aligned)
    name = sighting.master.plan.tables[table.number - 1]
    versions = [one for one in register.versions if one.dataset == sighting.version.dataset]
    indexes = dict(_indexes(home, versions, name, step))
    seen = traits_of(table.columns, table.match, sighting.master.indexes[table.number], indexes)
    found = narrowed(seen, [_past(copy, holdings) for copy in copies.values()])
    return tuple(copies[ReleaseId(release)].release for release in found.consistent)


def _indexes(home: Home, versions: list[Version], table: str, step: Step) -> list[tuple[int, TableIndex]]:
    """Open the index of a table in every version that has it."""
    opened = [(version.number, index(home, version, step)) for version in versions]
    return [(number, tables[table]) for number, tables in opened if table in tables]


def _past(copy: HeldCopy, holdings: Holdings) -> PastCopy:
    return PastCopy(
        release=copy.release,
        fields=frozenset(copy.released_fields),
        version=copy.version_number,
        participants=holdings.people(copy),
        withdrawn=holdings.withdrawn(copy),
        order=AS_MASTER,
    )
