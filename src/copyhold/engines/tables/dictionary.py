"""The dictionary of a dataset as dictionary.csv, one line a field, made to be read and mended by hand.

`to_csv` writes what `from_csv` reads. A spreadsheet may have passed in between: semicolons or tabs between the cells,
decimal commas with them, another order of columns and empty lines are all understood. Everything else that is not
right is told with its line, field and column, and nothing is guessed.

A tie is written with its field in front (`BMXBMI = 10000*BMXWT/BMXHT^2`), because a cell that begins with `=` is a
formula to a spreadsheet; it is read with and without.
"""

import csv
import io
import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from pathlib import Path
from typing import TypeVar

from copyhold.domain.catalogue import CutPoint, Dictionary, Field, FieldType, Role, Tolerance
from copyhold.domain.errors import InvalidInputError, UnreadableFileError
from copyhold.engines.tables import ties
from copyhold.engines.tables.consistency import contradictions
from copyhold.engines.tables.formulas import split

COLUMNS = (
    "table",
    "field",
    "title",
    "type",
    "unit",
    "decimals",
    "grid",
    "stratum",
    "tolerance",
    "low",
    "high",
    "missing_codes",
    "cut_points",
    "derived_from",
    "role",
    "mark",
    "public_values",
    "guess",
)
MOST_DECIMALS = 15  # a double carries no more

_TOLD = 5  # mistakes that one error spells out


def to_csv(dictionary: Dictionary) -> str:
    """Write a dictionary, one line a field, in its order."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(_cells(field) for field in dictionary.fields)
    return out.getvalue()


def from_csv(source: str | Path) -> Dictionary:
    """Read a dictionary from its text, or from the file at a Path.

    Raises:
        UnreadableFileError: the file is absent, or is not UTF-8 text.
        InvalidInputError: one error with the line, field and column of every mistake (the first five spelled out).
    """
    text = _text_of(source) if isinstance(source, Path) else source
    lines = tuple(_lines(text.removeprefix("\ufeff")))
    if not lines:
        raise _unusable("it has no line after the first, so no field")
    mistakes: list[_Mistake] = []
    fields = [_field(line, mistakes) for line in lines]
    if not mistakes:
        mistakes += [_Mistake(lines[at].number, lines[at].field, *found) for at, *found in contradictions(fields)]
    if mistakes:
        raise _told(mistakes)
    return Dictionary(tuple(fields))


# Writing.


def _cells(field: Field) -> tuple[str, ...]:
    return (
        field.table,
        field.column,
        field.title,
        field.type.value,
        field.unit,
        "" if field.decimals is None else str(field.decimals),
        _written_number(field.grid),
        field.stratum or "",
        _written_tolerance(field.tolerance),
        _written_number(field.low),
        _written_number(field.high),
        _written_list(field.missing_codes),
        "; ".join((">" if cut.upper_closed else ">=") + _written_number(cut.at) for cut in field.cut_points),
        "; ".join(_named(field.name, tie) for tie in field.ties),
        field.role.value,
        "yes" if field.mark else "no",
        "yes" if field.public_values else "no",
        "yes" if field.guess else "",
    )


def _named(name: str, tie: str) -> str:
    """Put the field's name before an equation, unless the name has what divides ties or quotes names."""
    return f"{name} {tie}" if tie.startswith("=") and not set(name) & {";", "`"} else tie


def _written_number(number: float | None) -> str:
    if number is None:
        return ""
    return str(int(number)) if number.is_integer() and abs(number) < 1e15 else repr(float(number))


def _written_tolerance(tolerance: Tolerance | None) -> str:
    if tolerance is None:
        return ""
    if not tolerance.relative:
        return _written_number(tolerance.amount)
    return f"{(Decimal(repr(tolerance.amount)) * 100).normalize():f}%"  # a product of floats would not come back


def _written_list(codes: Iterable[str]) -> str:
    out = io.StringIO()
    csv.writer(out, delimiter=";", lineterminator="").writerow(codes)
    return out.getvalue()


# Reading: from text to lines.


@dataclass(frozen=True)
class _Line:
    number: int
    cells: Mapping[str, str]
    decimal_comma: bool

    @property
    def field(self) -> str:
        return self.cells["field"]


@dataclass(frozen=True)
class _Mistake:
    line: int
    field: str
    column: str
    what: str

    def __str__(self) -> str:
        return f"Line {self.line}, field {self.field or '(no name)'}, column {self.column}: {self.what}."


def _told(mistakes: list[_Mistake]) -> InvalidInputError:
    told = " ".join(str(mistake) for mistake in mistakes[:_TOLD])
    rest = f" And {len(mistakes) - _TOLD} more." if len(mistakes) > _TOLD else ""
    return InvalidInputError(f"The dictionary cannot be used. {told}{rest}", code="DICTIONARY_INVALID")


def _unusable(what: str) -> InvalidInputError:
    return InvalidInputError(f"The dictionary cannot be used: {what}.", code="DICTIONARY_INVALID")


def _text_of(path: Path) -> str:
    try:
        data = path.read_bytes()
        return data.decode("utf-16" if data.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8")
    except OSError as error:
        raise UnreadableFileError(f"{path.name} cannot be opened: check that it is there and may be read.") from error
    except UnicodeDecodeError as error:
        raise UnreadableFileError(f"{path.name} is not UTF-8 text: save it as 'CSV UTF-8' and try again.") from error


def _lines(text: str) -> Iterator[_Line]:
    head = text.split("\n", 1)[0]
    delimiter = max(",;\t", key=head.count)
    reader = csv.reader(io.StringIO(text), delimiter=delimiter, strict=True)
    try:
        columns = _header([cell.strip() for cell in next(reader, [])])
        end = reader.line_num
        for cells in reader:
            number, end = end + 1, reader.line_num
            if any(cell.strip() for cell in cells):
                yield _line(number, columns, cells, decimal_comma=delimiter != ",")
    except csv.Error as error:
        raise _unusable(f"line {reader.line_num} is not CSV; a quotation mark may be missing") from error


def _header(columns: list[str]) -> list[str]:
    missing = [name for name in COLUMNS if name not in columns]
    unknown = [place for place, name in enumerate(columns, 1) if name not in COLUMNS]
    if missing:
        raise _unusable(f"its first line lacks the column {', '.join(missing)}")
    if unknown:
        raise _unusable(f"column {unknown[0]} of its first line is none of {', '.join(COLUMNS)}")
    if len(set(columns)) < len(columns):
        raise _unusable("its first line names a column twice")
    return columns


def _line(number: int, columns: list[str], cells: list[str], *, decimal_comma: bool) -> _Line:
    surplus = [cell for cell in cells[len(columns) :] if cell.strip()]
    if len(cells) < len(columns) or surplus:
        raise _unusable(f"line {number} has {len(cells)} cells where the first line has {len(columns)}")
    return _Line(number, dict(zip(columns, (cell.strip() for cell in cells), strict=False)), decimal_comma)


# Reading: from cells to a field.


class _UnusableCellError(Exception):
    """Why a cell cannot be read; becomes a mistake with its place."""


def _field(line: _Line, mistakes: list[_Mistake]) -> Field:
    """Read one line; where a cell cannot be read, note the mistake and go on with a stand-in."""
    value = _Cells(line, mistakes)
    return Field(
        table=value.of("table", _name, ""),
        name=value.of("field", _name, ""),
        column=value.of("field", str, ""),
        type=value.of("type", _one_of(FieldType), FieldType.TEXT),
        role=value.of("role", _one_of(Role), Role.FREE),
        title=line.cells["title"],
        unit=line.cells["unit"],
        decimals=value.of("decimals", _optional(_decimals), None),
        grid=value.of("grid", _optional(_positive), None),
        stratum=line.cells["stratum"] or None,
        tolerance=value.of("tolerance", _optional(_tolerance), None),
        low=value.of("low", _optional(_number), None),
        high=value.of("high", _optional(_number), None),
        missing_codes=value.of("missing_codes", _codes, ()),
        cut_points=value.of("cut_points", _cut_points, ()),
        ties=value.of("derived_from", _ties_of(line.field), ()),
        mark=value.of("mark", _yes_or_no, False),
        public_values=value.of("public_values", _yes_or_no, False),
        guess=value.of("guess", _yes_or_no, False),
    )


_Value = TypeVar("_Value")
_Word = TypeVar("_Word", bound=StrEnum)


@dataclass(frozen=True)
class _Cells:
    line: _Line
    mistakes: list[_Mistake]

    def of(self, column: str, parse: Callable[[str], _Value], otherwise: _Value) -> _Value:
        """Read one cell; note the mistake and give `otherwise` where it cannot be read."""
        cell = self.line.cells[column]
        if self.line.decimal_comma and column in _NUMBERED:
            cell = re.sub(r"(?<=\d),(?=\d)", ".", cell)
        try:
            return parse(cell)
        except _UnusableCellError as error:
            self.mistakes.append(_Mistake(self.line.number, self.line.field, column, str(error)))
            return otherwise


_NUMBERED = ("grid", "tolerance", "low", "high", "cut_points")


def _name(cell: str) -> str:
    if not cell:
        raise _UnusableCellError("is empty; it needs a name")
    return cell


def _one_of(words: type[_Word]) -> Callable[[str], _Word]:
    def parse(cell: str) -> _Word:
        if cell.lower() not in list(words):
            raise _UnusableCellError(f"is none of {', '.join(words)}")
        return words(cell.lower())

    return parse


def _optional(parse: Callable[[str], _Value]) -> Callable[[str], _Value | None]:
    return lambda cell: parse(cell) if cell else None


def _yes_or_no(cell: str) -> bool:
    if cell.lower() not in ("yes", "no", ""):
        raise _UnusableCellError("is neither yes nor no")
    return cell.lower() == "yes"


def _number(cell: str) -> float:
    try:
        number = float(Decimal(cell))
    except (InvalidOperation, OverflowError) as error:
        raise _UnusableCellError("is not a number") from error
    if not math.isfinite(number):
        raise _UnusableCellError("is not a number")
    return number


def _positive(cell: str) -> float:
    number = _number(cell)
    if number <= 0:
        raise _UnusableCellError("is not above 0")
    return number


def _decimals(cell: str) -> int:
    if not re.fullmatch(r"\d{1,2}", cell, re.ASCII) or int(cell) > MOST_DECIMALS:
        raise _UnusableCellError(f"is not a whole number from 0 to {MOST_DECIMALS}")
    return int(cell)


def _tolerance(cell: str) -> Tolerance:
    if not cell.endswith("%"):
        return Tolerance(_positive(cell))
    percent = cell.removesuffix("%").rstrip()
    if _positive(percent) >= 100:
        raise _UnusableCellError("is not below 100 %")
    return Tolerance(float(Decimal(percent) / 100), relative=True)


def _codes(cell: str) -> tuple[str, ...]:
    try:
        codes = next(csv.reader([cell], delimiter=";", skipinitialspace=True, strict=True), [])
    except csv.Error as error:
        raise _UnusableCellError("has a quotation mark that is not closed") from error
    stripped = tuple(code.strip() for code in codes)
    if len(set(stripped)) < len(stripped):
        raise _UnusableCellError("names a code twice")
    if stripped and not all(stripped):
        raise _UnusableCellError("has an empty code; write codes as 7777;9999")
    return stripped


def _cut_points(cell: str) -> tuple[CutPoint, ...]:
    return tuple(_cut_point(piece.strip()) for piece in cell.split(";")) if cell else ()


def _cut_point(piece: str) -> CutPoint:
    match = re.fullmatch(r"(>=|<=|>|<)\s*(\S+)", piece)
    if match is None:
        raise _UnusableCellError("is not a list like '>=140; >6.5'")
    return CutPoint(
        _number(match[2]), upper_closed=match[1] in (">", "<=")
    )  # "<= 6.5" leaves "> 6.5" on the other side


def _ties_of(field: str) -> Callable[[str], tuple[str, ...]]:
    def parse(cell: str) -> tuple[str, ...]:
        return tuple(_tie(piece, field) for piece in split(cell))

    return parse


def _tie(piece: str, field: str) -> str:
    """Take away the field's own name in front, read what is left, and write it in its one form."""
    for name in (field, f"`{field}`"):
        rest = piece.removeprefix(name).lstrip()
        if rest != piece and rest.startswith(("=", "<", ">")):
            piece = rest
            break
    try:
        return ties.parse(piece, field).text
    except InvalidInputError as error:
        raise _UnusableCellError(error.message[0].lower() + error.message[1:].rstrip(".")) from error
