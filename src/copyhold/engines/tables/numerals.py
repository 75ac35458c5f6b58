"""Numbers as people and programs write them.

One decimal mark per column, point or comma, told by the column as a whole: `1,5` or `0,125` can only be a decimal
comma, `1,234.5` only a point, `1,234` alone could be either and is then not read as a number. Thousands may stand
apart by a space of any width, an apostrophe, or the mark that is not the decimal one.
"""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import compute

_PLAIN = r"^[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?$"
_PARTS = r"^[+-]?(?P<whole>[0-9]*)(?:\.(?P<part>[0-9]*))?(?:[eE](?P<power>[+-]?[0-9]+))?$"
_PADDED = r"^[+-]?0[0-9]"
_MINUS = "\u2212"
_SPACES = "[ \u00a0\u2009\u202f'\u2019]"  # plain, no-break, thin, narrow no-break; straight and curly apostrophe
_SPACED = rf"^[+-]?[0-9]{{1,3}}(?:{_SPACES}[0-9]{{3}})+(?:[.,][0-9]+)?$"
_COMMA = r"^[+-]?[0-9]*,[0-9]+(?:[eE][+-]?[0-9]{1,3})?$"
_OUTWEIGHED = 4
# What only a decimal comma explains, and what only a decimal point does.
_DECIMAL_COMMA = "|".join(
    [
        r"^[+-]?[0-9]*,(?:[0-9]{1,2}|[0-9]{4,})$",  # not three digits behind it
        r"^[+-]?0*,[0-9]+$",  # no group of thousands begins with zero
        r"^[+-]?[0-9]{4,},[0-9]+$",  # four digits and more before it
        r"\.[0-9]{3},",
        r"^[+-]?[0-9]{1,3}(?:\.[0-9]{3}){2,}$",
        _SPACES + r"[0-9]{3},[0-9]+$",
        r",[0-9]+[eE]",
    ]
)
_DECIMAL_POINT = "|".join(
    [
        r"\.(?:[0-9]{0,2}|[0-9]{4,})$",
        r"^[+-]?0*\.[0-9]",
        r"^[+-]?[0-9]{4,}\.",
        r",[0-9]{3}\.",
        r"^[+-]?[0-9]{1,3}(?:,[0-9]{3}){2,}$",
        r"\.[0-9]+[eE]",
    ]
)
_GROUPED_BY_COMMA = r"^[+-]?[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]*)?$"
_GROUPED_BY_POINT = r"^[+-]?[0-9]{1,3}(?:\.[0-9]{3})+(?:,[0-9]*)?$"
_SHAPE = "|".join([_PLAIN, _COMMA, _SPACED, _GROUPED_BY_COMMA, _GROUPED_BY_POINT])
_LONGEST_WHOLE = 18  # digits: what a 64-bit integer holds for certain
_TOO_LONG = r"^[+-]?[0-9]{19,}$"  # an id: as a double it would lose its last digits


@dataclass(frozen=True, repr=False)
class Numbers:
    """What a list of written cells is as numbers, cell by cell.

    `fits` says which are numbers; `values` are NaN elsewhere. `places` counts the decimals as written, after a power
    of ten (1.5e-3 has four); -1 where there is no number. `whole` holds the same numbers as integers, exact to 18
    digits, None where one has decimals. `padded`: some number begins with a superfluous zero, as codes do.
    """

    values: NDArray[np.float64]
    whole: NDArray[np.int64] | None
    fits: NDArray[np.bool_]
    places: NDArray[np.int8]
    mark: str
    padded: bool
    ambiguous: bool = False


def parsed(written: pa.StringArray, decimal_mark: str = "") -> Numbers:
    """Read cells (no nulls) as numbers; `decimal_mark` decides where the cells alone cannot."""
    texts = compute.utf8_trim_whitespace(written)
    fits = _plain(texts)
    if fits.all() and decimal_mark != ",":
        return _valued(texts, fits, ".")
    texts = compute.replace_substring(texts, _MINUS, "-")
    mark, ambiguous = _mark(texts, decimal_mark)
    plain = _pointed(texts, mark)
    return _valued(plain, _plain(plain), mark, ambiguous=ambiguous)


def decimals_of(values: NDArray[np.float64], most: int) -> int | None:
    """Return the fewest decimals, up to `most`, that write every value (no NaN) exactly; None where none do."""
    for decimals in range(most + 1):
        if np.array_equal(np.round(values, decimals), values):
            return decimals
    return None


def _matching(texts: pa.StringArray, pattern: str) -> NDArray[np.bool_]:
    found: NDArray[np.bool_] = compute.match_substring_regex(texts, pattern).to_numpy(zero_copy_only=False)
    return found


def _plain(texts: pa.StringArray) -> NDArray[np.bool_]:
    fits = _matching(texts, _PLAIN)
    return fits & ~_matching(texts, _TOO_LONG) if fits.any() else fits


def told_mark(texts: pa.StringArray) -> str:
    """Tell the decimal mark from cells of any kind; "" where no number among them tells, or they contradict.

    A few cells of the other mark are mistakes: they do not outweigh four times as many.
    """
    shaped = texts.filter(pa.array(_matching(texts, _SHAPE)))
    commas, points = int(_matching(shaped, _DECIMAL_COMMA).sum()), int(_matching(shaped, _DECIMAL_POINT).sum())
    if commas > _OUTWEIGHED * points:
        return ","
    return "." if points > _OUTWEIGHED * commas else ""


def _mark(texts: pa.StringArray, decimal_mark: str) -> tuple[str, bool]:
    """Tell the decimal mark of a column, and whether its cells leave it open."""
    told = told_mark(texts) or decimal_mark
    if told:
        return told, False
    return ".", bool(_matching(texts, _COMMA).any())


def _pointed(texts: pa.StringArray, mark: str) -> pa.StringArray:
    """Rewrite cells of one decimal mark with a point and without separators between thousands."""
    spaced = pa.array(_matching(texts, _SPACED))
    texts = compute.if_else(spaced, compute.replace_substring_regex(texts, _SPACES, ""), texts)
    if mark == ",":
        grouped = pa.array(_matching(texts, _GROUPED_BY_POINT))
        texts = compute.if_else(grouped, compute.replace_substring(texts, ".", ""), texts)
        # what still has a point is no number under this mark
        texts = compute.if_else(compute.match_substring(texts, "."), pa.scalar(""), texts)
        return compute.replace_substring(texts, ",", ".")
    grouped = pa.array(_matching(texts, _GROUPED_BY_COMMA))
    return compute.if_else(grouped, compute.replace_substring(texts, ",", ""), texts)


def _valued(texts: pa.StringArray, fits: NDArray[np.bool_], mark: str, *, ambiguous: bool = False) -> Numbers:
    fits = np.zeros_like(fits) if ambiguous else fits
    kept = texts.filter(pa.array(fits))
    values = np.full(len(texts), np.nan)
    places = np.full(len(texts), -1, dtype=np.int8)
    values[fits] = compute.cast(kept, pa.float64()).to_numpy(zero_copy_only=False)
    places[fits] = _places(kept)
    whole = _whole(kept, fits) if not (places > 0).any() else None
    return Numbers(values, whole, fits, places, mark, bool(_matching(kept, _PADDED).any()), ambiguous)


def _places(texts: pa.StringArray) -> NDArray[np.int8]:
    parts = compute.extract_regex(texts, _PARTS)
    lengths = compute.cast(compute.utf8_length(compute.struct_field(parts, "part")), pa.int64())
    written: NDArray[np.int64] = lengths.to_numpy(zero_copy_only=False)
    powers = compute.struct_field(parts, "power")
    if compute.max(compute.utf8_length(powers)).as_py():
        shown = compute.if_else(compute.equal(powers, ""), pa.scalar("0"), compute.utf8_ltrim(powers, "+"))
        written = written - compute.cast(shown, pa.int64()).to_numpy(zero_copy_only=False)
    return np.clip(written, 0, 127).astype(np.int8)


def _whole(texts: pa.StringArray, fits: NDArray[np.bool_]) -> NDArray[np.int64] | None:
    """The numbers as integers, where each is written as one."""
    digits = compute.utf8_rtrim(compute.utf8_ltrim(texts, "+"), ".")
    longest = compute.max(compute.utf8_length(digits)).as_py() or 0
    if longest > _LONGEST_WHOLE or compute.any(compute.match_substring_regex(digits, "[eE]")).as_py():
        return None
    whole = np.zeros(len(fits), dtype=np.int64)
    whole[fits] = compute.cast(digits, pa.int64()).to_numpy(zero_copy_only=False)
    return whole
