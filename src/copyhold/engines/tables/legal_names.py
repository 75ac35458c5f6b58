"""Column names that a format allows, and the way back.

SPSS, Stata and SAS want a letter first, then letters, digits and underscores, and keep some words for themselves; SPSS
and SAS do not tell capitals apart. UK Biobank's `21001-0.0` becomes `p21001_i0`; of any other name the illegal letters
become underscores. A legal name stays. No two columns get the same name, so the map can be turned round.
"""

import re
from collections.abc import Sequence

from copyhold.engines.tables import ukb
from copyhold.engines.tables.sources import Kind

_LONGEST = {Kind.SAV: 64, Kind.DTA: 32, Kind.XPT: 32}  # bytes; letters beyond ASCII are replaced
_RESERVED = {
    # SPSS Statistics, Command Syntax Reference, "Variable Names"
    Kind.SAV: {"all", "and", "by", "eq", "ge", "gt", "le", "lt", "ne", "not", "or", "to", "with"},
    # Stata User's Guide, section 11.3 "Naming conventions"
    Kind.DTA: {"_all", "_b", "_coef", "_cons", "_n", "_pi", "_pred", "_rc", "_skip"}
    | {"byte", "double", "float", "if", "in", "int", "long", "strl", "using", "with"},
    # SAS Language Reference, "Names in the SAS Language"
    Kind.XPT: {"_n_", "_error_", "_all_", "_numeric_", "_character_", "_null_", "_data_", "_last_"},
}
_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_STATA_STRING = re.compile(r"str[0-9]+")


def legal_names(names: Sequence[str], kind: Kind) -> dict[str, str]:
    """Map each name to one that `kind` allows, in order; CSV and Parquet allow every name."""
    if kind not in _LONGEST:
        return {name: name for name in names}
    mapped: dict[str, str] = {}
    taken: set[str] = set()
    for name in names:
        mapped[name] = _free(_legal(name, kind), taken, _LONGEST[kind])
        taken.add(mapped[name].lower())
    return mapped


def _legal(name: str, kind: Kind) -> str:
    field = None if _PLAIN.fullmatch(name) else ukb.parsed(name)
    plain = re.sub(r"[^A-Za-z0-9_]", "_", field.canonical if field else name)
    if not plain or plain[0].isdigit() or (plain[0] == "_" and kind is Kind.SAV):
        plain = "v" + plain
    if plain.lower() in _RESERVED[kind] or (kind is Kind.DTA and _STATA_STRING.fullmatch(plain.lower())):
        plain += "_"
    return plain[: _LONGEST[kind]]


def _free(name: str, taken: set[str], longest: int) -> str:
    """The name, or the name with the first number that nobody has."""
    number, found = 2, name
    while found.lower() in taken:
        ending = f"_{number}"
        found = name[: longest - len(ending)] + ending
        number += 1
    return found
