"""The one form in which a dictionary writes an arithmetic tie; nothing beyond it can be said.

* `= LBXTC - LBDHDD - 0.2*LBXTR`    a linear combination
* `= 10000*BMXWT/BMXHT^2 +- 0.05`   a product of powers; after `+-` the slack that rounding of the parents leaves
* `<= LBXTC`, `>= LBXTC`            an order constraint

Numbers are decimals without exponent, powers are whole; a name that is not letters, digits, `_` and `.` stands in
backticks, doubled where the name has one. Coefficients are exact fractions: `LBXSGL/18` stays a division.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from itertools import groupby

from copyhold.domain.errors import InvalidInputError


class TieKind(StrEnum):
    """The four things a tie can say of its derived member."""

    LINEAR = "linear"
    PRODUCT = "product"
    AT_MOST = "at most"
    AT_LEAST = "at least"


@dataclass(frozen=True)
class Term:
    """One parent: coefficient * field in a linear formula, field ** exponent in a product; 1 where it has no say."""

    field: str
    coefficient: Fraction = Fraction(1)
    exponent: int = 1


@dataclass(frozen=True)
class Formula:
    """The right side of a tie: `constant` is added in a linear formula and multiplies a product."""

    kind: TieKind
    terms: tuple[Term, ...]
    constant: Fraction = Fraction(0)
    slack: Fraction = Fraction(0)

    @property
    def text(self) -> str:
        """The formula as the dictionary has it; `read` gives it back."""
        if self.kind in _ORDERS:
            return f"{_ORDERS[self.kind]} {_written_name(self.terms[0].field)}"
        written = _written_sum(self) if self.kind is TieKind.LINEAR else _written_product(self)
        return f"= {written}" + (f" +- {_written_number(self.slack)}" if self.slack else "")


def read(text: str) -> Formula:
    """Read the right side of a tie.

    Raises:
        InvalidInputError: the text is not one of the four forms, or repeats a field.
    """
    relation, body, slack = _parts(text)
    if relation == "=":
        formula = _equation(_items(body), slack)
    else:
        kind = next(kind for kind, sign in _ORDERS.items() if sign == relation)
        formula = Formula(kind, (_bound(body),))
    names = [term.field for term in formula.terms]
    require(len(set(names)) == len(names), "names a field twice")
    return formula


def split(text: str) -> tuple[str, ...]:
    """Split several ties at their semicolons; those within backticks belong to a name."""
    pieces = re.findall(r"(?:`[^`]*`|[^`;])+|`", text)
    return tuple(piece.strip() for piece in pieces if piece.strip())


def require(condition: bool, what: str) -> None:
    """Raise the one error of this form unless `condition` holds; `what` follows the words 'A tie'."""
    if not condition:
        raise unreadable(what)


def unreadable(what: str) -> InvalidInputError:
    """Make the one error of this form."""
    return InvalidInputError(
        f"A tie {what}. Write it as '= A - B - 0.2*C', '= 10000*W/H^2', '<= A' or '>= A'.", code="TIE_UNREADABLE"
    )


_ORDERS = {TieKind.AT_MOST: "<=", TieKind.AT_LEAST: ">="}
_BARE = re.compile(r"[A-Za-z_][A-Za-z0-9_.]*")


def _written_name(name: str) -> str:
    return name if _BARE.fullmatch(name) else "`" + name.replace("`", "``") + "`"


def _is_decimal(number: Fraction) -> bool:
    rest = number.denominator
    for prime in (2, 5):
        while rest % prime == 0:
            rest //= prime
    return rest == 1


def _written_number(number: Fraction) -> str:
    """Write a positive fraction, as a decimal where its expansion ends."""
    if not _is_decimal(number):
        return f"{number.numerator}/{number.denominator}"
    places = 0
    while (number * 10**places).denominator != 1:
        places += 1
    digits = str(int(number * 10**places)).rjust(places + 1, "0")
    return f"{digits[:-places]}.{digits[-places:]}" if places else digits


def _written_term(term: Term) -> str:
    size, name = abs(term.coefficient), _written_name(term.field)
    if size == 1:
        return name
    if _is_decimal(size):
        return f"{_written_number(size)}*{name}"
    if _is_decimal(1 / size):
        return f"{name}/{_written_number(1 / size)}"
    return f"{size.numerator}*{name}/{size.denominator}"


def _written_sum(formula: Formula) -> str:
    pieces = [(term.coefficient < 0, _written_term(term)) for term in formula.terms]
    if formula.constant:
        pieces.append((formula.constant < 0, _written_number(abs(formula.constant))))
    first_negative, first = pieces[0]
    rest = "".join(f" {'-' if negative else '+'} {piece}" for negative, piece in pieces[1:])
    return ("-" if first_negative else "") + first + rest


def _written_product(formula: Formula) -> str:
    size = abs(formula.constant)
    above = [] if size == 1 else [_written_number(size)]
    above += [_written_power(term) for term in formula.terms if term.exponent > 0]
    below = [_written_power(term) for term in formula.terms if term.exponent < 0]
    return ("-" if formula.constant < 0 else "") + "/".join(["*".join(above) or "1", *below])


def _written_power(term: Term) -> str:
    power = abs(term.exponent)
    return _written_name(term.field) + (f"^{power}" if power > 1 else "")


_TOKEN = re.compile(
    r"\s*(?:(?P<number>\d+(?:\.\d+)?)|(?P<name>[A-Za-z_][A-Za-z0-9_.]*)|`(?P<quoted>(?:[^`]|``)+)`|(?P<sign>[-+*/^]))"
)
_SLACK = re.compile(r"\+-\s*(\d+(?:\.\d+)?)\s*$")

Token = tuple[str, str]  # ("number" | "name" | "sign", its text)
_SIGNS: tuple[Token, ...] = (("sign", "+"), ("sign", "-"))


@dataclass(frozen=True)
class _Item:
    """One summand: a number times powers of fields."""

    number: Fraction
    powers: tuple[tuple[str, int], ...]

    @property
    def is_linear(self) -> bool:
        return len(self.powers) == 1 and self.powers[0][1] == 1


def _parts(text: str) -> tuple[str, str, Fraction]:
    stripped = text.strip()
    relation = next((sign for sign in ("<=", ">=", "=") if stripped.startswith(sign)), "")
    require(relation != "", "begins with none of =, <= and >=")
    body = stripped[len(relation) :]
    slack = _SLACK.search(body)
    if slack is None:
        return relation, body, Fraction(0)
    require(relation == "=", "has a slack after an order")
    return relation, body[: slack.start()], Fraction(slack[1])


def _tokens(body: str) -> Iterator[Token]:
    position, end = 0, len(body.rstrip())
    while position < end:
        match = _TOKEN.match(body, position)
        if match is None:
            raise unreadable("has a sign that is no part of a formula (unusual names stand in `backticks`)")
        kind = match.lastgroup or ""
        yield ("name", match[kind].replace("``", "`")) if kind == "quoted" else (kind, match[kind])
        position = match.end()


def _items(body: str) -> list[_Item]:
    """Read signed summands: a sign may stand before the first and must stand before every other."""
    tokens = list(_tokens(body))
    if not tokens or tokens[0] not in _SIGNS:
        tokens.insert(0, ("sign", "+"))
    summands: list[tuple[str, list[Token]]] = []
    for is_sign, group in groupby(tokens, key=lambda token: token in _SIGNS):
        found = list(group)
        if not is_sign or (summands and _awaits_power(summands[-1][1])):
            summands[-1][1].extend(found)
        else:
            require(len(found) == 1, "has two signs in a row")
            summands.append((found[0][1], []))
    return [_item(sign, tokens) for sign, tokens in summands]


def _awaits_power(tokens: list[Token]) -> bool:
    return tokens[-1:] == [("sign", "^")]


def _item(sign: str, tokens: list[Token]) -> _Item:
    number, powers, position, divides = Fraction(-1 if sign == "-" else 1), [], 0, False
    while True:
        kind, value = tokens[position] if position < len(tokens) else ("", "")
        require(kind in ("number", "name"), "breaks off where a number or a field is due")
        position += 1
        if kind == "number":
            require(Fraction(value) != 0, "multiplies or divides by zero")
            number = number / Fraction(value) if divides else number * Fraction(value)
        else:
            power, position = _power(tokens, position)
            powers.append((value, -power if divides else power))
        if position == len(tokens):
            return _Item(number, tuple(powers))
        require(tokens[position] in (("sign", "*"), ("sign", "/")), "has two members without a sign between them")
        divides = tokens[position][1] == "/"
        position += 1


def _power(tokens: list[Token], position: int) -> tuple[int, int]:
    if tokens[position : position + 1] != [("sign", "^")]:
        return 1, position
    negative = tokens[position + 1 : position + 2] == [("sign", "-")]
    position += 2 if negative else 1
    kind, value = tokens[position] if position < len(tokens) else ("", "")
    require(kind == "number" and value.isdigit() and 0 < int(value) < 10, "has a power that is not a whole number")
    return (-int(value) if negative else int(value)), position + 1


def _equation(items: list[_Item], slack: Fraction) -> Formula:
    if len(items) == 1 and items[0].powers and not items[0].is_linear:
        terms = tuple(Term(name, exponent=power) for name, power in items[0].powers)
        return Formula(TieKind.PRODUCT, _above_first(terms), items[0].number, slack)
    require(all(item.is_linear or not item.powers for item in items), "adds to a product of fields")
    constants = [item.number for item in items if not item.powers]
    terms = tuple(Term(item.powers[0][0], item.number) for item in items if item.powers)
    require(len(constants) <= 1, "has two constants")
    require(len(terms) > 0, "names no field")
    return Formula(TieKind.LINEAR, terms, sum(constants, Fraction(0)), slack)


def _above_first(terms: tuple[Term, ...]) -> tuple[Term, ...]:
    return tuple(sorted(terms, key=lambda term: term.exponent < 0))


def _bound(body: str) -> Term:
    tokens = list(_tokens(body))
    require(len(tokens) == 1 and tokens[0][0] == "name", "bounds by something other than one field")
    return Term(tokens[0][1])
