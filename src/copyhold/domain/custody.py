"""The custody: who keeps it, under which settings, and what is due in it."""

from dataclasses import dataclass
from datetime import datetime

from copyhold.domain.parties import PersonId
from copyhold.domain.words import Id


class CustodyId(Id):
    """An id of a custody."""

    prefix = "cus"
    __slots__ = ()


@dataclass(frozen=True)
class Policy:
    """Settings that decide.

    `alpha` bounds the chance of ever naming an innocent party (tracing). A release must let `power_rows` unattacked
    rows without ids name one of `power_parties` parties, or carry a waiver. Clocks are counted in days.
    """

    alpha: float = 1e-9
    power_rows: int = 30
    power_parties: int = 100
    affiliation_days: int = 90
    scope_days: int = 183
    withdrawal_days: int = 90


@dataclass(frozen=True)
class Custody:
    """One custodian's custody; with four eyes, whoever asks is never who decides.

    `country` is where the custodian exports data from; without one no transfer over a border is asked about.
    """

    id: CustodyId
    name: str
    operator: PersonId
    four_eyes: bool
    policy: Policy
    founded_at: datetime
    country: str = ""


@dataclass(frozen=True)
class Due:
    """Something that waits for somebody, or falls due: what, about which thing, and when (None: now)."""

    kind: str
    subject: str
    told: str
    at: datetime | None


@dataclass(frozen=True)
class Status:
    """The morning board: the custody, how much is in it, and what is due, most urgent first."""

    custody: Custody
    entries: int
    datasets: int
    projects: int
    people: int
    copies_outside: int
    keys_issued: int
    attempts: int
    suspensions: int
    due: tuple[Due, ...]
