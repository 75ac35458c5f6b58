"""The keys of a marking party and of a plan, and how they are committed to before they are used.

Keys are derived outside, by the one holder of secrets, as HKDF with SHA-256 over info = (purpose, custody, dataset,
party, epoch), each with its length before it. Ids and dates are derived without epoch, so that a party keeps its ids
and shifts when its mark key is spent. No two purposes share a key: FF1 never runs under a key of the PRF.
"""

import hashlib
from dataclasses import dataclass, field

from copyhold.domain.errors import InvalidInputError

KEY_BYTES = 32
NONCE_BYTES = 32


@dataclass(frozen=True)
class PartyKeys:
    """What marks one party's copies; no print, log line or traceback shows the bytes.

    `mark` draws the bits of cells (purpose "mark", with epoch), `identifiers` permutes participant numbers (purpose
    "id"), `dates` draws date shifts (purpose "date").
    """

    mark: bytes = field(repr=False)
    identifiers: bytes = field(repr=False)
    dates: bytes = field(repr=False)

    def __post_init__(self) -> None:
        _check_keys(self)

    def __reduce__(self) -> str:
        raise TypeError("keys do not leave their process")


@dataclass(frozen=True)
class PlanKeys:
    """What draws a plan's cells (purpose "plan") and the salts of their commitments (purpose "salt")."""

    plan: bytes = field(repr=False)
    salt: bytes = field(repr=False)

    def __post_init__(self) -> None:
        _check_keys(self)

    def __reduce__(self) -> str:
        raise TypeError("keys do not leave their process")


def commitment(key: bytes, nonce: bytes) -> bytes:
    """Commit to a key: SHA-256 of the key's 32 bytes and then the nonce's 32."""
    if len(key) != KEY_BYTES or len(nonce) != NONCE_BYTES:
        raise InvalidInputError("A key and its nonce have 32 bytes each.")
    return hashlib.sha256(key + nonce).digest()


def _check_keys(keys: PartyKeys | PlanKeys) -> None:
    values = tuple(vars(keys).values())
    if {len(value) for value in values} != {KEY_BYTES} or len(set(values)) != len(values):
        raise InvalidInputError("Keys have 32 bytes each and differ from each other.")
