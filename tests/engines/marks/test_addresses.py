"""Over all versions of a dataset an address means one cell of one person, and no two cells share a draw."""

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from copyhold.domain.catalogue import Dictionary, Field, FieldType, Role, Tolerance
from copyhold.engines.marks.draft import draw_plan, extend_plan
from copyhold.engines.marks.plan import MarkPlan
from copyhold.engines.marks.prf import LANES, Addresses, Tag
from copyhold.engines.tables.blocks import ROW, block
from copyhold.engines.tables.snapshots import write_snapshot

Address = tuple[int, int, int]
Meaning = tuple[str, str, str]  # table, natural key of the row, field


def measured(table: str, name: str) -> Field:
    return Field(table, name, name, FieldType.INTEGER, Role.FREE, decimals=0, tolerance=Tolerance(2.0), mark=True)


def described(tables: dict[str, tuple[str, ...]]) -> Dictionary:
    ids = {table: Field(table, "eid", "eid", FieldType.TEXT, Role.ID) for table in tables}
    keys = {table: Field(table, "key", "key", FieldType.CATEGORY, Role.FREE) for table in tables}
    return Dictionary(
        tuple(
            one
            for table, names in tables.items()
            for one in (ids[table], keys[table], *(measured(table, name) for name in names))
        )
    )


# Fields, tables and people come and go, the ones with the highest numbers among them, and some come back.
VERSIONS: tuple[tuple[dict[str, tuple[str, ...]], range], ...] = (
    ({"people": ("a", "b", "c"), "visits": ("d", "e")}, range(200)),
    ({"people": ("a", "b"), "visits": ("d", "f")}, range(20, 150)),
    ({"people": ("a", "g")}, range(100, 230)),
    ({"people": ("a", "b", "c", "h"), "visits": ("e",), "tests": ("a",)}, range(260)),
)


def meanings(tmp_path: Path) -> list[dict[Address, Meaning]]:
    """Give what every address of each version stands for."""
    found, plan, before = [], None, {}
    for number, (tables, people) in enumerate(VERSIONS):
        folder, dictionary = tmp_path / str(number), described(tables)
        folder.mkdir()
        sources = {table: written(folder, table, names, people) for table, names in tables.items()}
        made = write_snapshot(
            sources, dictionary, folder / "s", id_column="eid", key_columns=("key",), previous=before or None
        )
        before = {**before, **{one.table: one.path for one in made.tables}}
        plan = planned(plan, dictionary, {one.table: one.path for one in made.tables})
        found.append(
            {
                (place.table, row, place.column): (table, f"{eid}/{key}", place.field)
                for table in tables
                for place in plan.places
                if place.table == plan.number(table) and place.field in tables[table]
                for row, eid, key in rows_of(before[table])
            }
        )
    return found


def written(folder: Path, table: str, names: tuple[str, ...], people: range) -> Path:
    path = folder / f"{table}.csv"
    lines = [f"{one},{one % 2},{','.join(str((one * 7 + len(name)) % 50) for name in names)}" for one in people]
    path.write_text("\n".join((f"eid,key,{','.join(names)}", *lines)) + "\n")
    return path


def planned(plan: MarkPlan | None, dictionary: Dictionary, paths: dict[str, Path]) -> MarkPlan:
    tables = plan.tables if plan else ()
    tables += tuple(name for name in dictionary.tables if name not in tables)
    read = [
        block(batch, dictionary.of(table), tables.index(table) + 1)
        for table, path in paths.items()
        for batch in pq.read_table(path).to_batches()
    ]
    return extend_plan(plan, dictionary, read) if plan else draw_plan(dictionary, read)


def rows_of(path: Path) -> list[tuple[int, str, str]]:
    table = pq.read_table(path, columns=[ROW, "eid", "key"])
    return list(zip(*(table[name].to_pylist() for name in (ROW, "eid", "key")), strict=True))


def test_an_address_means_the_same_cell_in_all_versions_and_is_never_used_again(tmp_path: Path) -> None:
    ever: dict[Address, Meaning] = {}
    for version in meanings(tmp_path):
        for address, meaning in version.items():
            assert ever.setdefault(address, meaning) == meaning
    assert len({meaning[0] for meaning in ever.values()}) == 3
    assert len(ever) > 2_000


def test_no_two_cells_of_a_dataset_share_a_draw(tmp_path: Path) -> None:
    ever = sorted({address for version in meanings(tmp_path) for address in version})
    table, row, column = (np.array(each) for each in zip(*ever, strict=True))
    drawn = set()
    for tag in Tag:
        found = Addresses.of(table.astype(np.uint16), row.astype(np.uint64), column.astype(np.uint32), tag)
        blocks, lanes = found.words[found.spots // LANES], found.spots % LANES
        drawn |= {(*block, lane) for block, lane in zip(blocks.tolist(), lanes.tolist(), strict=True)}
    assert len(drawn) == len(Tag) * len(ever)


def columns_of(version: dict[Address, Meaning], name: str) -> set[int]:
    return {column for (_, _, column), (table, _, field) in version.items() if (table, field) == ("people", name)}


def test_a_field_that_comes_back_has_the_number_it_had(tmp_path: Path) -> None:
    first, *_, last = meanings(tmp_path)
    for name in ("a", "b", "c"):
        assert columns_of(first, name) == columns_of(last, name)
        assert len(columns_of(first, name)) == 1


def rows_by_person(version: dict[Address, Meaning]) -> dict[str, int]:
    return {key: row for (_, row, _), (table, key, _) in version.items() if table == "people"}


def test_a_row_that_left_and_came_back_is_another_row_and_one_that_stayed_is_not(tmp_path: Path) -> None:
    first, *_, last = (rows_by_person(version) for version in meanings(tmp_path))
    stayed, left = ([f"{one}/{one % 2}" for one in some] for some in (range(100, 150), range(100)))
    assert [first[one] for one in stayed] == [last[one] for one in stayed]
    assert not {first[one] for one in left} & {last[one] for one in left}
