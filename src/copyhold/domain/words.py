"""What every noun is spelled with: ids, bounded texts, secrets, and values as plain data.

Words are checked where they are made: a text has a bound and no control characters, an id has its prefix, and
whatever does not fit raises InvalidInputError naming the field, never the value.
"""

import hmac
import unicodedata
from dataclasses import fields, is_dataclass
from datetime import UTC, date, datetime
from decimal import ROUND_CEILING, Context, Decimal
from enum import Enum
from typing import ClassVar, Self, TypeVar

from copyhold.domain.errors import InvalidInputError

CROCKFORD = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's base 32: in order under every collation, no i l o u
TIME_LETTERS = 10  # 48 bits of milliseconds since 1970
CHANCE_LETTERS = 16
CHANCE_BYTES = 10


class Id(str):
    """A prefixed text that begins with the moment of its making, so that order by id is order by time.

    Shape: prefix, underscore, 10 letters of milliseconds since 1970, 16 letters of chance.
    """

    prefix: ClassVar[str] = ""
    __slots__ = ()

    @classmethod
    def new(cls, at: datetime, chance: bytes) -> Self:
        """Make an id of the moment `at` and ten bytes from the operating system's generator."""
        if len(chance) != CHANCE_BYTES:
            raise ValueError("an id takes ten bytes of chance")
        milliseconds = int(at.timestamp() * 1000)
        letters = _letters(milliseconds, TIME_LETTERS) + _letters(int.from_bytes(chance), CHANCE_LETTERS)
        return cls(f"{cls.prefix}_{letters}")

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read an id that came from outside."""
        if not cls.fits(text):
            raise InvalidInputError(f"This is not a {cls.noun()} id; such an id begins with {cls.prefix}_.")
        return cls(text)

    @classmethod
    def fits(cls, text: str) -> bool:
        """Whether a text has the shape of an id of this kind."""
        prefix, _, letters = text.partition("_")
        right_length = len(letters) == TIME_LETTERS + CHANCE_LETTERS
        return prefix == cls.prefix and right_length and all(letter in CROCKFORD for letter in letters)

    @classmethod
    def noun(cls) -> str:
        """What it is an id of, in words."""
        return cls.__name__.removesuffix("Id").lower()

    @property
    def made_at(self) -> datetime:
        """The moment it was made, to the millisecond."""
        milliseconds = 0
        for letter in self[len(self.prefix) + 1 :][:TIME_LETTERS]:
            milliseconds = milliseconds * 32 + CROCKFORD.index(letter)
        return datetime.fromtimestamp(milliseconds / 1000, UTC)


def _letters(number: int, length: int) -> str:
    letters = []
    for _ in range(length):
        number, digit = divmod(number, 32)
        letters.append(CROCKFORD[digit])
    return "".join(reversed(letters))


class Secret:
    """Bytes that no print, log line, traceback or pickle may show."""

    __slots__ = ("_value",)

    def __init__(self, value: bytes) -> None:
        self._value = value

    def reveal(self) -> bytes:
        """Give the bytes to the one who computes with them."""
        return self._value

    def __repr__(self) -> str:
        return "Secret()"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and hmac.compare_digest(self._value, other._value)

    def __hash__(self) -> int:
        raise TypeError("a secret is no key of a table")

    def __reduce__(self) -> str:
        raise TypeError("a secret does not leave its process")


def text(value: str, field: str, *, most: int = 200, least: int = 1) -> str:
    """Check one line of text: trimmed, `least` to `most` characters, nothing unprintable."""
    trimmed = value.strip()
    if not least <= len(trimmed) <= most:
        raise InvalidInputError(f"{field} must have {least} to {most} characters; it has {len(trimmed)}.")
    if any(unicodedata.category(character) in {"Cc", "Cs"} for character in trimmed):
        raise InvalidInputError(f"{field} holds a control character; write it as plain text.")
    return trimmed


def prose(value: str, field: str, *, most: int = 10_000) -> str:
    """Check a text of several lines, possibly empty; line ends become one form, tabs become spaces."""
    told = value.replace("\r\n", "\n").replace("\r", "\n").replace("\t", " ").strip()
    text(told.replace("\n", " "), field, most=most, least=0)
    return told


Choice = TypeVar("Choice", bound=Enum)


def one_of(kinds: type[Choice], word: str, what: str) -> Choice:
    """Read one of several words, whatever their case; `what` says in the message what there is none of."""
    try:
        return kinds(word.strip().casefold())
    except ValueError:
        known = ", ".join(str(one.value) for one in kinds)
        raise InvalidInputError(f"There is no such {what}; there are: {known}.") from None


def sha256(value: str, field: str) -> str:
    """Check a SHA-256: 64 hexadecimal digits, in lower case from here on."""
    digest = value.strip().casefold()
    if len(digest) != 64 or not set(digest) <= set("0123456789abcdef"):
        raise InvalidInputError(f"{field} must be a SHA-256: 64 hexadecimal digits.")
    return digest


def email(value: str, field: str = "The e-mail address") -> str:
    """Check an address as far as it must be: one @, something on both sides, no space; letters become lower."""
    address = text(value, field, most=254).casefold()
    local, _, host = address.partition("@")
    if not local or not host or "@" in host or any(character.isspace() for character in address):
        raise InvalidInputError(f"{field} must look like name@example.org.")
    return address


def country(value: str, field: str = "The country") -> str:
    """Check a country's two letters (ISO 3166-1 alpha-2), as capitals."""
    code = text(value, field, most=2, least=2).upper()
    if code not in COUNTRIES:
        raise InvalidInputError(f"{field} must be a two-letter code of ISO 3166-1, such as GB.")
    return code


# ISO 3166-1 alpha-2, the 249 officially assigned codes, as of the 2024 list.
_ASSIGNED = """
AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY BZ
CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO
FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE
JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO
MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW
PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM
TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW
"""
COUNTRIES = frozenset(_ASSIGNED.split())

Plain = str | int | float | bool | None | list["Plain"] | dict[str, "Plain"]


def plain(value: object) -> Plain:
    """Tell a domain value in the words of JSON: dataclasses by field, moments in UTC, bytes in hexadecimal."""
    match value:
        case Enum():
            return plain(value.value)
        case None | bool() | int() | float():
            return value
        case str():
            return str(value)
        case bytes():
            return value.hex()
        case datetime():
            return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
        case date():
            return value.isoformat()
        case dict():
            return {str(key): plain(one) for key, one in value.items()}
        case tuple() | list():
            return [plain(one) for one in value]
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    raise TypeError(f"{type(value).__name__} has no plain form")


def rounded_up(bound: float) -> str:
    """Write a small bound with two digits, never below what it is, as its shortest decimals tell it."""
    return f"{Context(prec=2, rounding=ROUND_CEILING).create_decimal(Decimal(repr(float(bound)))):.1e}"
