"""A table as it was found in a file: its columns, and what the file says about each."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

import pyarrow as pa


class Kind(StrEnum):
    """What a file holds."""

    DELIMITED = "CSV"
    PARQUET = "Parquet"
    SAV = "SPSS"
    DTA = "Stata"
    XPT = "SAS transport"
    WORKBOOK = "Excel"
    PAGE = "HTML"
    PASTED = "text"


@dataclass(frozen=True)
class ColumnFacts:
    """What a file says about a column beside its cells.

    `fixed_decimals`: every number is written with exactly `decimals` decimals (`5.10`, not `5.1`). `value_labels`
    maps written codes to their meaning. `missing_codes` are written values declared to mean "no answer" (`.a` in
    Stata, 999 in SPSS). `stored_as` is the file's own format (`F8.2`, `%td`, `DATE9`). Facts travel in the metadata
    of the Arrow field and hence inside Parquet.
    """

    title: str = ""
    unit: str = ""
    decimals: int | None = None
    fixed_decimals: bool = False
    value_labels: Mapping[str, str] = field(default_factory=dict)
    missing_codes: tuple[str, ...] = ()
    stored_as: str = ""


NO_FACTS = ColumnFacts()

_PREFIX = "copyhold."


def described(arrow_field: pa.Field, facts: ColumnFacts) -> pa.Field:
    """Return the field with `facts` as its metadata; facts that say nothing leave no trace."""
    said: dict[str, str] = {
        "title": facts.title,
        "unit": facts.unit,
        "decimals": "" if facts.decimals is None else str(facts.decimals),
        "fixed_decimals": "yes" if facts.fixed_decimals else "",
        "value_labels": json.dumps(dict(facts.value_labels), ensure_ascii=False) if facts.value_labels else "",
        "missing_codes": json.dumps(list(facts.missing_codes), ensure_ascii=False) if facts.missing_codes else "",
        "stored_as": facts.stored_as,
    }
    metadata = {_PREFIX + name: text for name, text in said.items() if text}
    return arrow_field.with_metadata(metadata or None)


def facts_of(arrow_field: pa.Field) -> ColumnFacts:
    """Read the facts back from a field's metadata; a field that carries none gives empty facts."""
    metadata = arrow_field.metadata or {}
    said = {
        key.decode().removeprefix(_PREFIX): text.decode()
        for key, text in metadata.items()
        if key.startswith(_PREFIX.encode())
    }
    decimals = said.get("decimals", "")
    return ColumnFacts(
        title=said.get("title", ""),
        unit=said.get("unit", ""),
        decimals=int(decimals) if decimals else None,
        fixed_decimals=said.get("fixed_decimals") == "yes",
        value_labels=json.loads(said.get("value_labels", "{}")),
        missing_codes=tuple(json.loads(said.get("missing_codes", "[]"))),
        stored_as=said.get("stored_as", ""),
    )


@dataclass(frozen=True, repr=False)
class SourceTable:
    """One table of a file.

    `table` keeps the file's order of rows and columns. Where `written` is True (CSV, spreadsheet, page, pasted text)
    every column is text exactly as written, nulls being cells with nothing in them; else columns have the file's own
    types. `header` is False where the file names no columns: they are then called `column_1`, `column_2`, ...
    `encoding`, `delimiter` and `decimal_mark` are what was found; "" where it has no meaning or cannot be told.
    """

    name: str
    table: pa.Table
    kind: Kind
    written: bool
    header: bool = True
    encoding: str = ""
    delimiter: str = ""
    decimal_mark: str = ""

    @property
    def columns(self) -> tuple[str, ...]:
        """Column names in file order."""
        return tuple(self.table.column_names)

    def facts(self, column: str) -> ColumnFacts:
        """What the file says about one column."""
        return facts_of(self.table.schema.field(column))

    def __repr__(self) -> str:  # an Arrow table prints its cells: this never does
        return f"SourceTable({self.name!r}, {self.kind.value}, {self.table.num_rows} x {self.table.num_columns})"
