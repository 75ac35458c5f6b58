"""The public leaf of an entry, the commitment in it, and the sealed payload behind it.

A leaf is read by everybody for ever, so it is poor by construction: what kind of act, when, pseudonyms of who and
what, and a salted commitment to the rest. It has no field that could hold a name, an address, a count or a file
name, and a leaf with anything more is refused, on writing and on reading. The rest, the payload, lies encrypted
in the database together with the salt of its commitment, each under a key of its own: destroy that key and the
payload is gone while the log stays whole.

The leaf is canonical JSON (RFC 8785) of at most 2,048 bytes with exactly these fields:

* v        1, the version of this form
* seq      place in the log from 0
* id       UUID of the entry
* t        instant in UTC, to the second; a claim, as every time in a leaf
* type     what happened: a family, a dot, a verb ("release.granted")
* actor    pseudonym of who did it
* subject  pseudonym of what it was done to, or null
* project  pseudonym of the project, or null
* c        base64 of SHA-256(salt of 32 bytes || payload as canonical JSON)
* pol      SHA-256 of the policy set that decided, in hex, or null
* links    seq of earlier entries that this one follows from, ascending

A pseudonym is a kind of one or two letters, a colon, and 32 hex digits of HMAC-SHA256(log key, id); a new log key
unlinks all that follows from all that was.
"""

import hmac
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from itertools import pairwise
from typing import Any
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from copyhold.auditlog.encoding import Json, canonical_json, from_base64, to_base64
from copyhold.domain.errors import IntegrityError, InvalidInputError

MAX_LEAF_BYTES = 2048
MAX_LINKS = 64
MAX_SEQ = 2**53 - 1
SALT_BYTES = 32
KEY_BYTES = 32
NONCE_BYTES = 12
_VERSION = 1
_FIELDS = frozenset({"v", "seq", "id", "t", "type", "actor", "subject", "project", "c", "pol", "links"})
_PSEUDONYM = re.compile(r"[a-z]{1,2}:[0-9a-f]{32}")
_HEX_SHA256 = re.compile(r"[0-9a-f]{64}")
_KIND = re.compile(r"[a-z]{1,2}")
_VERB = re.compile(r"[a-z]{2,24}(?:_[a-z]{1,24}){0,3}")

# What an entry can be about. A closed list, so that no text a user wrote can pass as a type; a new noun adds a line.
_FAMILIES = (
    "access account admin agreement airlock application attestation audit auth backup budget campaign case "
    "catalogue clock custody dataset decision destruction drill duty egress ethics evidence field grant incident "
    "institution job key log mark notice operator order output party participant person policy project query recall "
    "release report request retirement review revocation scope service session setting sighting subcopy suspension "
    "trace tracing training transfer version waiver withdrawal witness work workspace"
)
FAMILIES = frozenset(_FAMILIES.split())


@dataclass(frozen=True)
class Leaf:
    """The public part of an entry; see the module for the fields. Every value is checked when it is made."""

    seq: int
    id: str
    t: str
    type: str
    actor: str
    subject: str | None
    project: str | None
    commitment: str
    policy: str | None
    links: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        for name, holds in self._checks():
            if not holds:
                raise InvalidInputError(
                    f"The leaf's field '{name}' is not of the form that a public log takes. Put it in the payload."
                )

    def _checks(self) -> tuple[tuple[str, bool], ...]:
        return (
            ("seq", _is_seq(self.seq)),
            ("id", _is_uuid(self.id)),
            ("t", _is_second(self.t)),
            ("type", _is_type(self.type)),
            ("actor", _matches(_PSEUDONYM, self.actor)),
            ("subject", self.subject is None or _matches(_PSEUDONYM, self.subject)),
            ("project", self.project is None or _matches(_PSEUDONYM, self.project)),
            ("c", _is_commitment(self.commitment)),
            ("pol", self.policy is None or _matches(_HEX_SHA256, self.policy)),
            ("links", _are_links(self.links, self.seq)),
        )

    def encode(self) -> bytes:
        """Write the leaf as it is hashed. Raises InvalidInputError over 2,048 bytes."""
        values: dict[str, Json] = {
            "v": _VERSION,
            "seq": self.seq,
            "id": self.id,
            "t": self.t,
            "type": self.type,
            "actor": self.actor,
            "subject": self.subject,
            "project": self.project,
            "c": self.commitment,
            "pol": self.policy,
            "links": list(self.links),
        }
        data = canonical_json(values, "The leaf")
        if len(data) > MAX_LEAF_BYTES:
            raise InvalidInputError(f"A leaf has at most {MAX_LEAF_BYTES} bytes. Link fewer earlier entries.")
        return data

    @classmethod
    def decode(cls, data: bytes) -> "Leaf":
        """Read a leaf. Raises InvalidInputError unless it is exactly what `encode` would write."""
        values = _read_object(data)
        if values.keys() != _FIELDS or values["v"] != _VERSION:
            raise InvalidInputError(
                "An entry is not a leaf of version 1: it has other fields. It does not belong in this log."
            )
        links = values["links"]
        leaf = cls(
            **{name: values[name] for name in ("seq", "id", "t", "type", "actor", "subject", "project")},
            commitment=values["c"],
            policy=values["pol"],
            links=tuple(links) if isinstance(links, list) else links,
        )
        if leaf.encode() != data:
            raise InvalidInputError("An entry is a leaf in a second spelling. It does not belong in this log.")
        return leaf


def _read_object(data: bytes) -> dict[str, Any]:
    try:
        values = json.loads(data) if len(data) <= MAX_LEAF_BYTES else None
    except (ValueError, RecursionError):
        values = None
    if not isinstance(values, dict):
        raise InvalidInputError(
            "An entry is not a leaf: it is too long or no JSON object. It does not belong in this log."
        )
    return values


def _matches(pattern: re.Pattern[str], value: object) -> bool:
    return isinstance(value, str) and pattern.fullmatch(value) is not None


def _is_seq(value: object) -> bool:
    return type(value) is int and 0 <= value <= MAX_SEQ


def _is_uuid(value: object) -> bool:
    try:
        return isinstance(value, str) and str(UUID(value)) == value
    except ValueError:
        return False


def _is_second(value: object) -> bool:
    try:
        return isinstance(value, str) and datetime.fromisoformat(value[:-1]).isoformat() + "Z" == value
    except ValueError:
        return False


def _is_type(value: object) -> bool:
    if not isinstance(value, str):
        return False
    family, _, verb = value.partition(".")
    return family in FAMILIES and _matches(_VERB, verb)


def _is_commitment(value: object) -> bool:
    try:
        return isinstance(value, str) and len(from_base64(value, "c")) == sha256().digest_size
    except InvalidInputError:
        return False


def _are_links(value: object, seq: int) -> bool:
    if not isinstance(value, tuple) or len(value) > MAX_LINKS or not all(_is_seq(each) for each in (*value, seq)):
        return False
    return all(earlier < later for earlier, later in pairwise((*value, seq)))


def pseudonym(log_key: bytes, kind: str, identifier: str) -> str:
    """Name an id in public: the first 16 bytes of HMAC-SHA256(log key, id) in hex, after its kind.

    `kind` is one or two letters, and says what is named, not whom.
    """
    if len(log_key) < KEY_BYTES or not _KIND.fullmatch(kind) or not identifier:
        raise InvalidInputError("A pseudonym takes a log key of 32 bytes, a kind of one or two letters, and an id.")
    return f"{kind}:{hmac.digest(log_key, identifier.encode(), 'sha256')[:16].hex()}"


def commitment(salt: bytes, payload: Mapping[str, Json]) -> str:
    """Commit to a payload: base64 of SHA-256(salt || canonical JSON). The salt has 32 random bytes."""
    if len(salt) != SALT_BYTES:
        raise InvalidInputError(f"The salt of a commitment has {SALT_BYTES} bytes.")
    return to_base64(sha256(salt + canonical_json(payload, "The payload")).digest())


@dataclass(frozen=True)
class PayloadSecrets:
    """What keeps one payload closed: its key, the salt of its commitment, the nonce. For one payload, once.

    The caller wraps `key` and keeps it apart; whoever destroys it has erased the payload.
    """

    key: bytes = field(repr=False)
    salt: bytes = field(repr=False)
    nonce: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if (len(self.key), len(self.salt), len(self.nonce)) != (KEY_BYTES, SALT_BYTES, NONCE_BYTES):
            raise InvalidInputError("A payload takes a key of 32 bytes, a salt of 32 and a nonce of 12, all random.")

    @classmethod
    def drawn(cls, chance: Callable[[int], bytes]) -> "PayloadSecrets":
        """Draw them from the operating system's generator, which `chance` stands for: bytes by the number."""
        return cls(chance(KEY_BYTES), chance(SALT_BYTES), chance(NONCE_BYTES))


@dataclass(frozen=True)
class OpenPayload:
    """A payload with the salt that shows it is the one committed to."""

    payload: Mapping[str, Json] = field(repr=False)
    salt: bytes = field(repr=False)


def seal(payload: Mapping[str, Json], entry_id: str, secrets: PayloadSecrets) -> bytes:
    """Encrypt a payload and its salt with AES-256-GCM, bound to its entry; give nonce || ciphertext || tag.

    The salt goes inside: left in clear, it would let a short payload be guessed from its commitment after erasure.
    """
    plain = secrets.salt + canonical_json(payload, "The payload")
    return secrets.nonce + AESGCM(secrets.key).encrypt(secrets.nonce, plain, _bound_to(entry_id))


def unseal(box: bytes, key: bytes, leaf: Leaf) -> OpenPayload:
    """Open the payload of an entry and hold it against the commitment in its leaf.

    Raises IntegrityError (LOG_PAYLOAD) when key, box and leaf do not belong together.
    """
    try:
        plain = AESGCM(key).decrypt(box[:NONCE_BYTES], box[NONCE_BYTES:], _bound_to(leaf.id))
    except (InvalidTag, ValueError) as error:
        raise _foreign_payload("it does not open") from error
    opened = OpenPayload(json.loads(plain[SALT_BYTES:]), plain[:SALT_BYTES])
    verify_commitment(leaf, opened)
    return opened


def verify_commitment(leaf: Leaf, opened: OpenPayload) -> None:
    """Check that a disclosed payload is the one that the leaf commits to.

    Raises IntegrityError (LOG_PAYLOAD) when it is not.
    """
    if commitment(opened.salt, opened.payload) != leaf.commitment:
        raise _foreign_payload("it is not what the log committed to")


def _bound_to(entry_id: str) -> bytes:
    return b"copyhold payload v1\n" + entry_id.encode()


def _foreign_payload(why: str) -> IntegrityError:
    return IntegrityError(
        f"The payload does not belong to this entry: {why}. Keep both as they are and compare with a backup.",
        code="LOG_PAYLOAD",
    )
