"""Signed notes and verifier keys (C2SP signed-note v1.0.0; cosignatures after C2SP tlog-cosignature v1.0.1).

A note is text, a blank line, then signature lines that begin with an em dash. Rules:

* UTF-8, no control character but the newline; the last blank line parts text and signatures;
* a signature by an unknown key is passed over; one by a known key must verify, or the whole note is refused;
* a note without any verified signature is refused: its text means nothing.

Two kinds of key are read: type 01, Ed25519 over the text; type 04, Ed25519 over a time and the text, which is
what witnesses give. Signing is for checkpoints alone, see there.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from copyhold.auditlog.encoding import from_base64, to_base64
from copyhold.domain.errors import IntegrityError, InvalidInputError

ED25519 = 0x01
COSIGNATURE = 0x04
MAX_NOTE_BYTES = 1_000_000
MAX_SIGNATURES = 100
_DASH = "— "
_KEY_BYTES = 32
_ID_BYTES = 4
_SIGNATURE_BYTES = 64
_TIME_BYTES = 8
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f]")
_VKEY = re.compile(r"(?P<name>[^+]+)\+(?P<id>[0-9a-f]{8})\+(?P<key>.+)")


@dataclass(frozen=True)
class VerifierKey:
    """A public key with the name it signs under. Its text form is a `vkey`, one line that is safe to hand out."""

    name: str
    public: bytes
    kind: int = ED25519

    def __post_init__(self) -> None:
        if not is_key_name(self.name):
            raise InvalidInputError("A key name is not empty and holds no space, plus sign or control character.")
        if self.kind not in (ED25519, COSIGNATURE) or len(self.public) != _KEY_BYTES:
            raise InvalidInputError("Only Ed25519 keys of type 01 or 04 are read here.")

    @property
    def key_id(self) -> bytes:
        """The four bytes that stand for the key in a signature line."""
        return sha256(self.name.encode() + b"\n" + bytes([self.kind]) + self.public).digest()[:_ID_BYTES]

    @property
    def text(self) -> str:
        """The vkey: name, id in hex, type and key in base64, parted by plus signs."""
        return f"{self.name}+{self.key_id.hex()}+{to_base64(bytes([self.kind]) + self.public)}"

    @classmethod
    def parse(cls, text: str) -> "VerifierKey":
        """Read a vkey line; a newline at its end is allowed, as files have it."""
        found = _VKEY.fullmatch(text.removesuffix("\n"))
        if found is None:
            raise InvalidInputError(
                "The vkey is not of the form name+id+key. Give the line exactly as it was published."
            )
        data = from_base64(found["key"], "The vkey's last part")
        key = cls(found["name"], data[1:], data[0])
        if key.key_id.hex() != found["id"]:
            raise InvalidInputError("The vkey's id does not fit its name and key. Give the line exactly as published.")
        return key

    def verify(self, text: str, signature: bytes) -> int | None:
        """Check a signature over a note's text; give a cosignature's time in seconds since 1970, else None.

        Raises IntegrityError (LOG_SIGNATURE) when it does not verify.
        """
        time, message = None, text.encode()
        if self.kind == COSIGNATURE:
            time, signature = int.from_bytes(signature[:_TIME_BYTES]), signature[_TIME_BYTES:]
            message = f"cosignature/v1\ntime {time}\n".encode() + message
        try:
            if len(signature) != _SIGNATURE_BYTES or (time is not None and time >> 63):
                raise InvalidSignature
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, message)
        except InvalidSignature as error:
            raise _distrusted("a signature by a known key does not verify") from error
        return time


@dataclass(frozen=True)
class SignatureLine:
    """One signature as it stands in a note: nothing is said yet about whether it verifies."""

    name: str
    key_id: bytes
    signature: bytes

    @property
    def text(self) -> str:
        """The line, with its newline."""
        return f"{_DASH}{self.name} {to_base64(self.key_id + self.signature)}\n"


@dataclass(frozen=True)
class Note:
    """A text and the signature lines under it, read but not verified."""

    text: str
    signatures: tuple[SignatureLine, ...]

    @property
    def signed_text(self) -> str:
        """The note as it is stored: text, blank line, signatures."""
        return self.text + "\n" + "".join(line.text for line in self.signatures)

    def verified(self, keys: Sequence[VerifierKey]) -> tuple["VerifiedSignature", ...]:
        """Verify every signature by one of `keys`; at least one must be there.

        Raises IntegrityError (LOG_SIGNATURE) when one fails or none is there.
        """
        known = {(key.name, key.key_id): key for key in keys}
        verified = []
        for line in self.signatures:
            key = known.get((line.name, line.key_id))
            if key is not None:
                verified.append(VerifiedSignature(key, key.verify(self.text, line.signature)))
        if not verified:
            raise _distrusted("no trusted key has signed it")
        return tuple(verified)


@dataclass(frozen=True)
class VerifiedSignature:
    """A signature that verified: by whom, and when if it says so (seconds since 1970)."""

    key: VerifierKey
    time: int | None


def parse_note(signed: str) -> Note:
    """Read a signed note strictly. Raises InvalidInputError for any departure from the form."""
    try:
        size = len(signed.encode())
    except UnicodeEncodeError as error:
        raise _malformed("it is not UTF-8") from error
    if size > MAX_NOTE_BYTES or _CONTROL.search(signed):
        raise _malformed("it is too long or holds a control character")
    text, blank, lines = signed.rpartition("\n\n")
    if not blank or not lines.endswith("\n"):
        raise _malformed("a blank line and signature lines must follow the text")
    signatures = tuple(_parse_signature(line) for line in lines[:-1].split("\n"))
    if len(signatures) > MAX_SIGNATURES:
        raise _malformed("it has too many signatures")
    return Note(text + "\n", signatures)


def _parse_signature(line: str) -> SignatureLine:
    name, space, encoded = line.removeprefix(_DASH).partition(" ")
    if not line.startswith(_DASH) or not space or not is_key_name(name):
        raise _malformed("a signature line is not: em dash, name, base64")
    data = from_base64(encoded, "A signature of the note")
    if len(data) <= _ID_BYTES:
        raise _malformed("a signature is empty")
    return SignatureLine(name, data[:_ID_BYTES], data[_ID_BYTES:])


def is_key_name(name: str) -> bool:
    """Whether a key may have this name: not empty, printable, no Unicode space, no plus sign."""
    return bool(name) and name.isprintable() and "+" not in name and not any(each.isspace() for each in name)


def _malformed(why: str) -> InvalidInputError:
    return InvalidInputError(f"This is not a signed note: {why}. Give it byte for byte as it was published.")


def _distrusted(why: str) -> IntegrityError:
    return IntegrityError(
        f"The note cannot be trusted: {why}. Check that the key is the log's own, then keep the note as evidence.",
        code="LOG_SIGNATURE",
    )
