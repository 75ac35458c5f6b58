"""Which past releases could have produced a leaked file: told by what it holds, without a mark and without a key.

Copies that were never marked, or whose marks were destroyed, still differ: in fields, in people, in the version they
were made from, in who had withdrawn by then, in the order of their rows, in habits of writing. Each past release is
put to the same tests; one stays in the set unless errors of reading cannot explain what speaks against it.

* The set is a confidence set: the release that gave the file is left out with probability at most 0.05. Only the tests
  of that one release can leave it out, so the levels add up over the tests and not over the releases.
* It is a set and no more: no score, no ranking, no probability that a holder leaked. A set of one names a copy that
  could have produced the file, among those of the register.
* It speaks of files taken from one release. Where a holder joined two copies, hand in their union as a further release;
  an empty set says that no single release of the list explains the file.
* What a leaker can bring about by leaving out, shuffling or writing anew speaks against nobody. Hence absent people and
  absent fields count only where the file is known to be whole, and only an order that cannot be made afterwards counts.
"""

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln
from scipy.stats import binom

from copyhold.domain.errors import InvalidInputError

AS_MASTER, SHUFFLED = "as master", "shuffled"  # orders of rows; any other is the field that the rows were sorted by
_RUNGS = 7
LADDER = 10.0 ** -np.arange(_RUNGS)  # doubts at which people are counted, in false-match rates


class Ground(StrEnum):
    """Why a release cannot have produced the file."""

    FIELDS = "it never had a field that the file shows"
    PEOPLE = "it never had people that the file shows"
    WITHDRAWN = "it was made after people that the file shows had withdrawn"
    ABSENT = "the file is whole and lacks people that it had"
    VERSION = "the values are those of another version"
    ORDER = "the rows stand in an order that it did not have"
    HABITS = "it was written in another way"


# The chance at which each test may leave out the release that gave the file. With RATE, the chance that the
# false-match rate was set too low, they add to 0.05.
LEVELS: Mapping[Ground, float] = {
    Ground.FIELDS: 0.01,
    Ground.PEOPLE: 0.0075,
    Ground.WITHDRAWN: 0.0075,
    Ground.ABSENT: 0.005,
    Ground.VERSION: 0.005,
    Ground.ORDER: 0.005,
    Ground.HABITS: 0.005,
}
RATE = 0.005
ERROR = RATE + sum(LEVELS.values())

_NOBODY = np.zeros(0, dtype=np.uint64)


@dataclass(frozen=True)
class PastCopy:
    """What the register knows of a past release. What is not known speaks neither for nor against it.

    release       its id
    fields        canonical names of all fields it held, in any spelling, derived ones included
    version       number of the version it was made from
    participants  sorted uint64: everybody it held; None for all of the version
    withdrawn     sorted uint64: those left out of it because they had withdrawn
    order         AS_MASTER, SHUFFLED, or the field by which its rows were sorted. None where not known, and where the
                  copy held a field that rises with the master's rows, by which anyone could restore their order
    habits        how it was written (which participant ids, which missing code): habits that no program adds by itself
    """

    release: str
    fields: frozenset[str]
    version: int
    participants: NDArray[np.uint64] | None = None
    withdrawn: NDArray[np.uint64] = field(default_factory=lambda: _NOBODY)
    order: str | None = None
    habits: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Sighting:
    """What a leak shows, read from leak and master alone.

    A doubt bounds the chance of a wrong reading: for every u, a row is given a wrong participant with a doubt of at
    most u with probability at most u, and likewise a column a wrong field and a habit a wrong value.

    rows              how many rows the file has, aligned or not
    columns           how many columns
    fields            doubt by field, for each field that a column was matched to
    participants      uint64 (aligned,): the participant of each aligned row, in the file's order
    doubts            float64 (aligned,)
    false_match_rate  the greatest doubt with which a row counts as aligned
    versions          numbers of the versions that the values were compared with
    agreements        int32 (aligned, versions): cells of the row that agree with each version, counted over fields that
                      all these versions hold
    places            int64 (aligned,): where the row stands in the master
    sorted_by_field   whether the rows stand sorted by a column, which anyone can do
    habits            value and doubt by habit
    whole             whether the file is known to hold every row of its release (told by whoever offers it, and
                      believed by the analyst; where that is wrong, the guarantee is void)
    """

    rows: int
    columns: int
    fields: Mapping[str, float]
    participants: NDArray[np.uint64]
    doubts: NDArray[np.float64]
    false_match_rate: float
    versions: tuple[int, ...]
    agreements: NDArray[np.int32]
    places: NDArray[np.int64]
    sorted_by_field: bool = False
    habits: Mapping[str, tuple[str, float]] = field(default_factory=dict)
    whole: bool = False

    def __post_init__(self) -> None:
        aligned = len(self.participants)
        if {len(self.doubts), len(self.agreements), len(self.places)} != {aligned} or aligned > self.rows:
            raise InvalidInputError("A sighting has one participant, doubt, count and place for each aligned row.")
        if self.agreements.shape != (aligned, len(self.versions)):
            raise InvalidInputError("A sighting counts the agreements of each aligned row with each version.")
        if len(self.fields) > self.columns:
            raise InvalidInputError("A column of a sighting is matched to at most one field.")
        if not 0 <= self.false_match_rate < 1:
            raise InvalidInputError("The false-match rate of a sighting lies between 0 and 1.")


@dataclass(frozen=True)
class Exclusion:
    """A release that cannot have produced the file, and every ground for it."""

    release: str
    grounds: tuple[Ground, ...]


@dataclass(frozen=True)
class Narrowing:
    """The releases that could have produced the file, by id, and why each of the others could not.

    Nothing here says how likely any of them is.
    """

    consistent: tuple[str, ...]
    excluded: tuple[Exclusion, ...]


def narrowed(sighting: Sighting, copies: Sequence[PastCopy]) -> Narrowing:
    """Return the releases that could have produced the file.

    Guarantee: if all the file's rows that are ours come from one release of `copies`, as the register describes it, and
    doubts are as `Sighting` says, that release is excluded with probability at most 0.05: the sum of LEVELS and RATE
    (union bound; each test states what it assumes). RATE is spent by whoever sets the false-match rate from a sample.
    Source: inversion of tests, Neyman (1937); Lehmann and Romano, Testing Statistical Hypotheses (2005), section 3.5.
    Cost: a sort of the participants for each release.
    """
    if len({copy.release for copy in copies}) < len(copies):
        raise InvalidInputError("A release is listed twice. Give each past release once.")
    people = _people(sighting)
    against = {copy.release: _grounds(sighting, people, copy) for copy in copies}
    consistent = sorted(release for release, grounds in against.items() if not grounds)
    excluded = sorted((release, grounds) for release, grounds in against.items() if grounds)
    return Narrowing(tuple(consistent), tuple(Exclusion(release, grounds) for release, grounds in excluded))


@dataclass(frozen=True)
class _People:
    """Distinct participants, sorted, with the least doubt of their rows and the sum of their rows' agreements."""

    participants: NDArray[np.uint64]
    doubts: NDArray[np.float64]
    agreements: NDArray[np.int32]


def _people(sighting: Sighting) -> _People:
    # A row that was copied a hundred times is one error or none, hence one person.
    participants, owner = np.unique(sighting.participants, return_inverse=True)
    doubts = np.ones(len(participants))
    np.minimum.at(doubts, owner, sighting.doubts)
    agreements = np.zeros((len(participants), len(sighting.versions)), dtype=np.int32)
    np.add.at(agreements, owner, sighting.agreements)
    return _People(participants, doubts, agreements)


def _grounds(sighting: Sighting, people: _People, copy: PastCopy) -> tuple[Ground, ...]:
    held = _held(people.participants, copy.participants)
    gone = _among(people.participants, copy.withdrawn)
    against = {
        Ground.FIELDS: _shows_other_fields(sighting, copy),
        Ground.PEOPLE: _shows_others(sighting, people, ~held & ~gone, LEVELS[Ground.PEOPLE]),
        Ground.WITHDRAWN: _shows_others(sighting, people, gone, LEVELS[Ground.WITHDRAWN]),
        Ground.ABSENT: _lacks_people(sighting, int(np.count_nonzero(held & ~gone)), copy),
        Ground.VERSION: _is_of_another_version(sighting, people, copy.version),
        Ground.ORDER: _stands_in_another_order(sighting, copy),
        Ground.HABITS: _is_written_otherwise(sighting, copy),
    }
    return tuple(ground for ground, holds in against.items() if holds)


def _shows_other_fields(sighting: Sighting, copy: PastCopy) -> bool:
    """Tell whether a column surely is a field that the release never had.

    Guarantee: level LEVELS[FIELDS], as each of the columns is wrong and this sure with at most level / columns.
    """
    sure = LEVELS[Ground.FIELDS] / max(sighting.columns, 1)
    return any(doubt <= sure and name not in copy.fields for name, doubt in sighting.fields.items())


def _shows_others(sighting: Sighting, people: _People, others: NDArray[np.bool_], level: float) -> bool:
    """Tell whether more of the participants are `others` than wrong alignments explain.

    All of them must be wrong if the file came of this release. They are counted at each rung of a ladder of doubts, so
    that many doubtful ones or a single sure one can decide.

    Guarantee: `level`, divided evenly over the rungs. Rows are wrong independently of each other, at most with the
    rung's probability; rows of one participant count once.
    Source: the binomial tail; Bonferroni over the rungs.
    """
    doubts = people.doubts[others]
    rungs = sighting.false_match_rate * LADDER
    counts = np.count_nonzero(doubts[None, :] <= rungs[:, None], axis=1)
    return bool(np.any(binom.sf(counts - 1, sighting.rows, rungs) <= level / _RUNGS))


def _lacks_people(sighting: Sighting, seen: int, copy: PastCopy) -> bool:
    """Tell whether more people of the release are missing from a whole file than it has rows that nobody knows.

    Guarantee: level LEVELS[ABSENT], if the file is whole: every missing person then stands in a row that was not
    aligned, or was aligned wrongly. Says nothing of a release whose people are not listed.
    """
    if not sighting.whole or copy.participants is None:
        return False
    missing = int(np.count_nonzero(~_among(copy.participants, copy.withdrawn))) - seen
    unexplained = missing - (sighting.rows - len(sighting.participants))
    chance = binom.sf(unexplained - 1, sighting.rows, sighting.false_match_rate)
    return bool(chance <= LEVELS[Ground.ABSENT])


def _is_of_another_version(sighting: Sighting, people: _People, version: int) -> bool:
    """Tell whether people whose values tell this version from another speak for the other.

    They speak for the version with which more of their cells agree; cells on which both say the same cancel.

    Guarantee: level LEVELS[VERSION], divided over the other versions, if each such person of the release speaks for its
    own version at least as likely as for the other, independently of the rest: changed, rounded and misread cells
    favour neither. Says nothing of a version that the values were not compared with.
    Source: the sign test (Dixon and Mood, 1946).
    """
    if version not in sighting.versions or len(sighting.versions) == 1:
        return False
    own = people.agreements[:, sighting.versions.index(version), None]
    for_other = np.count_nonzero(people.agreements > own, axis=0)
    telling = np.count_nonzero(people.agreements != own, axis=0)
    chance = binom.sf(for_other - 1, telling, 0.5)
    return bool(np.any(chance <= LEVELS[Ground.VERSION] / (len(sighting.versions) - 1)))


def _stands_in_another_order(sighting: Sighting, copy: PastCopy) -> bool:
    """Tell whether the file stands in the master's order and the release did not.

    A file in any other order speaks against nobody, as rows are easily shuffled or sorted. All but a false-match rate
    of the rows must ascend, lest a sort by something that follows the master's order loosely be taken for it.

    Guarantee: level LEVELS[ORDER], if the holder left the rows in the release's order, independent of the master's,
    shuffled them, or sorted them by a column that still is in the file: among n shuffled rows m ascend with probability
    at most C(n, m) / m!.
    Source: the expected number of ascending subsequences; Hammersley (1972), "A few seedlings of research".
    """
    if copy.order is None or copy.order == AS_MASTER or sighting.sorted_by_field:
        return False
    count, run = len(sighting.places), _longest_ascent(sighting.places.tolist())
    if count - run > sighting.false_match_rate * count:
        return False
    log_ways = gammaln(count + 1) - gammaln(run + 1) - gammaln(count - run + 1)
    return bool(log_ways - gammaln(run + 1) <= np.log(LEVELS[Ground.ORDER]))


def _longest_ascent(places: Iterable[int]) -> int:
    """Return the length of the longest strictly ascending subsequence.

    Source: patience sorting, Schensted (1961).
    """
    piles: list[int] = []
    for place in places:
        at = bisect_left(piles, place)
        piles[at : at + 1] = [place]
    return len(piles)


def _is_written_otherwise(sighting: Sighting, copy: PastCopy) -> bool:
    """Tell whether the file surely shows a habit that is not the release's.

    Guarantee: level LEVELS[HABITS], divided over the habits read.
    """
    sure = LEVELS[Ground.HABITS] / max(len(sighting.habits), 1)
    return any(
        doubt <= sure and name in copy.habits and copy.habits[name] != value
        for name, (value, doubt) in sighting.habits.items()
    )


def _held(participants: NDArray[np.uint64], those: NDArray[np.uint64] | None) -> NDArray[np.bool_]:
    return np.ones(len(participants), dtype=bool) if those is None else _among(participants, those)


def _among(participants: NDArray[np.uint64], those: NDArray[np.uint64]) -> NDArray[np.bool_]:
    if not len(those):
        return np.zeros(len(participants), dtype=bool)
    at = np.minimum(np.searchsorted(those, participants), len(those) - 1)
    return np.asarray(those[at] == participants)
