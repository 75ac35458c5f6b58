"""Whether the fields of a dictionary agree with each other: what no single cell of dictionary.csv can show."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter

from copyhold.domain.catalogue import Field, FieldType, Role
from copyhold.engines.tables import ties

NUMBERS = (FieldType.INTEGER, FieldType.DECIMAL, FieldType.REAL)
_DATES = (FieldType.DATE, FieldType.DATETIME)

Contradiction = tuple[int, str, str]  # place among the fields, column of dictionary.csv, what is wrong


def contradictions(fields: Sequence[Field]) -> Iterator[Contradiction]:
    """Find what is wrong between the fields of a dictionary, and between the cells of one."""
    tables: dict[str, dict[str, Field]] = {}
    for at, field in enumerate(fields):
        earlier = tables.setdefault(field.table, {})
        if field.name in earlier:
            yield at, "field", "is named by an earlier line too"
        if field.role is Role.ID and any(other.role is Role.ID for other in earlier.values()):
            yield at, "role", "is the second participant id of its table"
        earlier.setdefault(field.name, field)
    circling = {(table, name) for table, beside in tables.items() for name in _circle(beside.values())}
    for at, field in enumerate(fields):
        found = [*_of_numbers(field), *_of_marks(field), *_of_others(field, tables[field.table])]
        if (field.table, field.name) in circling:
            found.append(("derived_from", "computes the field from itself through others"))
        yield from ((at, column, what) for column, what in found)


def _circle(fields: Iterable[Field]) -> tuple[str, ...]:
    """Names of fields that are computed in a circle; the first circle found is enough to tell."""
    parsed = (ties.parse(text, field.name) for field in fields for text in field.ties if text.startswith("="))
    try:
        TopologicalSorter({tie.derived: tie.parents for tie in parsed}).prepare()
    except CycleError as error:
        return tuple(error.args[1])
    return ()


def _of_numbers(field: Field) -> Iterator[tuple[str, str]]:
    if field.type not in NUMBERS:
        for column in ("decimals", "grid", "tolerance", "low", "high"):
            if getattr(field, column) is not None:
                yield column, f"does not apply to type {field.type}"
        if field.cut_points:
            yield "cut_points", f"does not apply to type {field.type}"
    if field.type is FieldType.DECIMAL and field.decimals is None:
        yield "decimals", "is empty; type decimal needs it"
    if field.type is FieldType.INTEGER and field.decimals:
        yield "decimals", "is not 0; write type decimal for numbers with decimals"
    if field.type is FieldType.REAL and field.decimals is not None:
        yield "decimals", "does not apply to type real; write type decimal for numbers with a fixed number of decimals"
    if field.low is not None and field.high is not None and field.low > field.high:
        yield "high", "is below low"


def _of_marks(field: Field) -> Iterator[tuple[str, str]]:
    if not field.mark:
        return
    if field.type not in NUMBERS:
        yield "mark", f"is yes; fields of type {field.type} are not marked by a tolerance"
    elif field.tolerance is None:
        yield "tolerance", "is empty; a marked field needs it"
    if field.role in (Role.ID, Role.DIRECT):
        yield "mark", f"is yes; a field with role {field.role} is never marked"
    if any(tie.startswith("=") for tie in field.ties):
        yield "mark", "is yes; a field computed from others is computed again, not marked"


def _of_others(field: Field, beside: Mapping[str, Field]) -> Iterator[tuple[str, str]]:
    if field.stratum is not None and (field.stratum not in beside or field.stratum == field.name):
        yield "stratum", "is no other field of this table"
    if sum(tie.startswith("=") for tie in field.ties) > 1:
        yield "derived_from", "computes the field twice"
    for tie in (ties.parse(text, field.name) for text in field.ties):
        if any(parent not in beside for parent in tie.parents):
            yield "derived_from", "names something that is no field of this table"
        elif not all(_comparable(field, beside[parent], tie) for parent in tie.parents):
            yield "derived_from", "relates fields that are no numbers"


def _comparable(field: Field, parent: Field, tie: ties.Tie) -> bool:
    both_numbers = field.type in NUMBERS and parent.type in NUMBERS
    return both_numbers or (tie.is_order and field.type in _DATES and parent.type is field.type)
