"""Base64 and JSON in the one spelling that the log knows.

What is hashed or signed may have one spelling only: a second one that reads alike would let a byte change
without being seen. So reading back is strict: what does not come out again as it went in is refused.
"""

import base64
import binascii
from collections.abc import Mapping

import rfc8785

from copyhold.domain.errors import InvalidInputError

Json = None | bool | int | float | str | list["Json"] | Mapping[str, "Json"]


def to_base64(data: bytes) -> str:
    """Write bytes in the standard alphabet with padding (RFC 4648, section 4)."""
    return base64.b64encode(data).decode("ascii")


def from_base64(text: str, what: str) -> bytes:
    """Read standard base64 with padding; `what` names the thing in the error.

    Raises InvalidInputError for another alphabet, missing padding or stray bits in the last character.
    """
    try:
        data = base64.b64decode(text.encode("ascii"), validate=True)
    except (UnicodeEncodeError, binascii.Error) as error:
        raise InvalidInputError(f"{what} is not base64. Give it exactly as it was handed out.") from error
    if to_base64(data) != text:
        raise InvalidInputError(f"{what} is base64 in a second spelling. Give it exactly as it was handed out.")
    return data


def canonical_json(value: Json, what: str) -> bytes:
    """Write a value as canonical JSON (RFC 8785); `what` names it in the error.

    Raises InvalidInputError for what JSON cannot carry exactly: integers beyond 2**53 - 1, NaN, infinities,
    lone surrogates, keys that are no text, nesting beyond all measure.
    """
    try:
        return rfc8785.dumps(value)
    except (ValueError, RecursionError) as error:
        raise InvalidInputError(
            f"{what} has no canonical JSON form. Use plain texts, whole numbers and lists."
        ) from error
