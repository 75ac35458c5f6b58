"""Tables in pages and pasted text: what a leak looks like."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from copyhold.domain.errors import InvalidInputError, UnreadableFileError
from copyhold.engines.tables.reading import read_table, read_tables
from copyhold.engines.tables.sources import SourceTable

WANTED = {"eid": ["1", "2"], "glucose": ["5.10", "6.20"], "sex": ["M", "F"]}

MARKDOWN = """Fresh from the source, sample below.

| eid | glucose | sex |
|----:|--------:|:---:|
| 1   | 5.10    | M   |
| 2   | 6.20    | F   |

Write to the usual place, no time wasters."""

PSQL = """cohort=# select * from t limit 2;
 eid | glucose | sex
-----+---------+-----
   1 |    5.10 | M
   2 |    6.20 | F
(2 rows)
"""

MYSQL = """+-----+---------+-----+
| eid | glucose | sex |
+-----+---------+-----+
|   1 |    5.10 | M   |
|   2 |    6.20 | F   |
+-----+---------+-----+
2 rows in set (0.00 sec)
"""

POLARS = """shape: (500_000, 3)
┌─────┬─────────┬─────┐
│ eid ┆ glucose ┆ sex │
│ --- ┆ ---     ┆ --- │
│ i64 ┆ f64     ┆ str │
╞═════╪═════════╪═════╡
│ 1   ┆ 5.10    ┆ M   │
│ …   ┆ …       ┆ …   │
│ 2   ┆ 6.20    ┆ F   │
└─────┴─────────┴─────┘
"""

COMMAS = """here you go:
eid,glucose,sex
1,5.10,M
2,6.20,F
more later, friends, promised
"""

TABS = "look\n\neid\tglucose\tsex\n1\t5.10\tM\n2\t6.20\tF\n\nbye\n"
SPACES = "As asked, two rows.\neid  glucose  sex\n1    5.10     M\n2    6.20     F\nThe rest costs more.\n"


def pasted(text: str) -> SourceTable:
    return read_table(text.encode(), name="post.txt")


@pytest.mark.parametrize("text", [MARKDOWN, PSQL, MYSQL, POLARS, COMMAS, TABS, SPACES])
def test_a_table_is_found_in_the_text_around_it(text: str) -> None:
    assert pasted(text).table.to_pydict() == WANTED
    assert read_table(text.encode("utf-16"), name="post").table.to_pydict() == WANTED


def test_the_numbers_of_a_printed_data_frame_become_a_column() -> None:
    text = ">>> df\n    SEQN  BMXBMI\n0   9966   26.20\n1   9967   22.90\n2   9968   30.10\n>>> "
    found = pasted(text)
    assert found.columns == ("column_1", "SEQN", "BMXBMI")
    assert found.table["BMXBMI"].to_pylist() == ["26.20", "22.90", "30.10"]


def test_rows_without_a_heading_are_read() -> None:
    found = pasted("sample\n60 120.5 5.1\n61 118.0 5.9\n45 130.5 6.2\nbuy now\n")
    assert not found.header
    assert found.table["column_3"].to_pylist() == ["5.1", "5.9", "6.2"]


def test_a_decimal_comma_does_not_divide_pasted_columns() -> None:
    found = pasted("seht her\nalter  zucker\n60     5,1\n61     5,9\n")
    assert found.table.to_pydict() == {"alter": ["60", "61"], "zucker": ["5,1", "5,9"]}


def test_a_table_that_goes_on_after_a_break_is_one_table() -> None:
    text = MARKDOWN + "\n\nand some more\n\n" + MARKDOWN.replace("5.10", "4.40")
    assert pasted(text).table["glucose"].to_pylist() == ["5.10", "6.20", "4.40", "6.20"]


def test_two_tables_of_one_post_are_asked_about_and_read_together() -> None:
    text = MARKDOWN + "\n\n| a | b |\n|---|---|\n| 1 | 2 |\n"
    with pytest.raises(UnreadableFileError, match="has 2 tables"):
        pasted(text)
    assert [source.columns for source in read_tables(text.encode(), name="post.txt")] == [tuple(WANTED), ("a", "b")]
    assert read_table(text.encode(), name="post.txt", table="table_2").table.num_rows == 1


def test_prose_holds_no_table() -> None:
    for text in (
        "Nothing to see here.\nPlease move along now.\n",
        "- a\n- b\n- c\n",
    ):
        with pytest.raises(UnreadableFileError):
            pasted(text)


def page(table: str) -> SourceTable:
    return read_table(f"<!DOCTYPE html><html><body><p>Hello, world</p>{table}</body></html>".encode(), name="page.html")


def test_a_page_gives_its_table() -> None:
    rows = "".join(
        f"<tr><td>{a}</td><td>{b}</td><td><b>{c}</b></td></tr>" for a, b, c in zip(*WANTED.values(), strict=True)
    )
    found = page(
        f"<table><caption>x</caption><thead><tr><th>eid<th>glucose<th>sex</tr></thead><tbody>{rows}</tbody></table>"
    )
    assert found.table.to_pydict() == WANTED


def test_cells_that_span_are_repeated_and_captions_passed_over() -> None:
    found = page(
        "<table><tr><th>a</th><th>b</th></tr><tr><td rowspan='2'>1</td><td>2</td></tr><tr><td>3</td></tr>"
        "<tr><td colspan=2>Page 1 of 9</td></tr></table>"
    )
    assert found.table.to_pydict() == {"a": ["1", "1"], "b": ["2", "3"]}


def test_layout_around_a_table_is_passed_over() -> None:
    inner = "<table><tr><td>a</td><td>b</td></tr><tr><td>1</td><td>2.5</td></tr></table>"
    assert page(f"<table><tr><td>menu</td><td>{inner}</td></tr></table>").table.to_pydict() == {
        "a": ["1"],
        "b": ["2.5"],
    }


def test_entities_of_a_page_are_not_unfolded_and_nothing_is_fetched() -> None:
    bomb = '<!DOCTYPE html [<!ENTITY a "xxxx"><!ENTITY b "&a;&a;"><!ENTITY c SYSTEM "file:///etc/passwd">]>'
    text = bomb + "<table><tr><td>k</td><td>v</td></tr><tr><td>&b;</td><td>&c;</td></tr></table>"
    assert read_table(text.encode(), name="page.html").table.to_pydict() == {"k": ["&b;"], "v": ["&c;"]}


def test_absurd_spans_do_not_fill_the_memory() -> None:
    found = page("<table>" + "<tr><td colspan=999999999>1</td><td>2</td></tr>" * 2 + "</table>")
    assert found.table.num_columns == 1001


def read_or_refused(data: bytes, name: str) -> bool:
    try:
        return read_table(data, name=name).table.num_rows > 0
    except InvalidInputError as error:
        return error.message.startswith(name)


@settings(max_examples=150, deadline=None)
@given(
    st.text(alphabet="ab1.,;|\t\n +-\"'=<>trd/é…", max_size=200),
    st.sampled_from(["x.csv", "x.txt", "x.html", "x.md", "x"]),
)
def test_any_text_is_read_or_refused(text: str, name: str) -> None:
    assert read_or_refused(text.encode(), name)


@settings(max_examples=150, deadline=None)
@given(
    st.binary(max_size=200), st.sampled_from(["x.csv", "x.txt", "x.html", "x.parquet", "x.csv.gz", "x.csv.zst", "x"])
)
def test_any_bytes_are_read_or_refused(data: bytes, name: str) -> None:
    assert read_or_refused(data, name)
