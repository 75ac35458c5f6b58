"""CSV and its relatives: what is found by itself, and what is refused with a line number."""

import gzip

import pyarrow as pa
import pytest

from copyhold.domain.errors import InvalidInputError, UnreadableFileError
from copyhold.engines.tables.limits import Limits
from copyhold.engines.tables.reading import batches, read_table
from copyhold.engines.tables.sources import SourceTable


def read(text: str | bytes, name: str = "sample.csv", **options: object) -> SourceTable:
    data = text.encode() if isinstance(text, str) else text
    return read_table(data, name=name, **options)  # type: ignore[arg-type]


def refusal(text: str | bytes, name: str = "sample.csv", **options: object) -> str:
    with pytest.raises(UnreadableFileError) as caught:
        read(text, name, **options)
    return caught.value.message


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_found(delimiter: str) -> None:
    found = read(f"id{delimiter}glucose\n007{delimiter}5.10\n008{delimiter}6.20\n")
    assert found.delimiter == delimiter
    assert found.table.to_pydict() == {"id": ["007", "008"], "glucose": ["5.10", "6.20"]}


def test_cells_keep_the_text_that_was_written() -> None:
    found = read('a,b,c\n005,5.10," x ""y"" "\n,"",1e3\n')
    assert found.written
    assert found.table.to_pydict() == {"a": ["005", None], "b": ["5.10", ""], "c": [' x "y" ', "1e3"]}


def test_a_decimal_comma_does_not_divide_a_semicolon_file() -> None:
    assert read("x;y\n1,5;2,25\n3;4\n").table.to_pydict() == {"x": ["1,5", "3"], "y": ["2,25", "4"]}
    assert read("x;y\n1,5;2,5\n").delimiter == ";"


def test_two_delimiters_that_fit_equally_well_are_asked_about() -> None:
    text = "a;b,c\nx;y,z\nu;v,w\n"
    assert refusal(text) == (
        "sample.csv could be separated by ',' or ';': export it again with one that occurs in no cell."
    )
    assert read(text, delimiter=";").columns == ("a", "b,c")


@pytest.mark.parametrize(
    ("encoding", "found"),
    [("utf-8", "utf-8"), ("utf-8-sig", "utf-8"), ("cp1252", "cp1252"), ("latin-1", "cp1252"), ("utf-16", "utf-16-le")],
)
def test_the_encoding_is_found(encoding: str, found: str) -> None:
    text = "größe;ort\n1,80;Besançon\n1,70;Málaga\n"
    source = read(text.encode(encoding))
    assert source.encoding == found
    assert source.table.to_pydict() == {"größe": ["1,80", "1,70"], "ort": ["Besançon", "Málaga"]}


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32"])
def test_wide_encodings_are_read_with_and_without_their_mark(encoding: str) -> None:
    assert read("id,x\n1,2\n3,4\n".encode(encoding)).table["x"].to_pylist() == ["2", "4"]


def test_an_accent_beyond_the_first_block_still_decides_the_encoding() -> None:
    rows = "".join(f"{number},x\n" for number in range(400_000))
    for encoding in ("utf-8", "cp1252"):
        source = read(("id,name\n" + rows + "1,Müller\n").encode(encoding))
        assert (source.encoding, source.table["name"][-1].as_py()) == (encoding, "Müller")


def test_an_accent_cut_in_two_by_a_block_is_still_one_letter() -> None:
    for block in (1 << 20, 8 << 20):  # what the sample is read in, and what the rows are
        start = "name,b\n" + "x,1\n" * (block // 4 - 3)
        text = start + "x" * (block - len(start) - 1) + "é,1\n"
        assert text.encode()[block - 1 : block + 1] == "é".encode()
        assert read(text).table["name"][-1].as_py().endswith("xé")


def test_a_latin_1_byte_in_utf_8_text_is_refused_with_its_line() -> None:
    assert "line 3 holds other bytes" in refusal("id;ort\n1;Köln\n".encode() + b"2;K\xf6ln\n")


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_every_line_end_is_read(line_end: str) -> None:
    assert read(line_end.join(["a,b", "1,2", "3,4", ""])).table.to_pydict() == {"a": ["1", "3"], "b": ["2", "4"]}


def test_mixed_line_ends_are_read() -> None:
    assert read("a,b\r\n1,2\n3,4\r5,6\r\n").table["a"].to_pylist() == ["1", "3", "5"]


@pytest.mark.parametrize("fold", [gzip.compress, lambda data: pa.compress(data, "zstd", asbytes=True)])
def test_compressed_text_is_read(fold: object) -> None:
    ending = ".gz" if fold is gzip.compress else ".zst"
    assert read(fold(b"a,b\n1,2\n"), f"sample.csv{ending}").table.num_rows == 1  # type: ignore[operator]


def test_a_table_without_a_heading_is_told_by_its_numbers() -> None:
    found = read("9966,M,5.1\n9967,F,6.2\n9968,F,4.9\n")
    assert not found.header
    assert found.columns == ("column_1", "column_2", "column_3")
    assert found.table.num_rows == 3


def test_a_list_of_ids_is_a_table_of_one_column() -> None:
    assert read("eid\n1000017\n1000025\n").table.to_pydict() == {"eid": ["1000017", "1000025"]}


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("a,b\n1,2\n3\n", "the number of cells in line 3 is 1 and in its first line 2"),
        ('a,b\n1,"x\n\ny"\n3,4,5\n', "the number of cells in line 5 is 3"),
        ("a,b\n\n\n1,2\n3,4,5\n", "the number of cells in line 5 is 3"),
        ('a,b\n1,"2\n3,4\n', "opens a quotation mark in line 2 and never closes it"),
        ('a,b\n1,"2\n3,"4"\n', "has a quotation mark out of place in line 3"),
        ("a,b\n", "holds a heading and no rows"),
        ("a,b", "holds a heading and no rows"),
        ("\n\n", "is empty"),
        ("a,b,a\n1,2,3\n", "gives columns 1 and 3 the same name"),
        ("a,b\n1,2\x00\n", "line 2 holds a NUL byte"),
        ("a,b\n1,2\n=HYPERLINK(1),3\n", "holds a formula in line 3"),
        ('a,b\n1,"=1+1"\n', "holds a formula in line 2"),
        ("a,b\n" + "x" * 5_000_000 + ",1\n", "has a line longer than 4194304 bytes"),
        ("Dear all,\n\nplease find the table enclosed as agreed.\n", "is not a table"),
    ],
)
def test_damage_is_one_sentence_with_its_line(text: str, sentence: str) -> None:
    message = refusal(text)
    assert sentence in message
    assert message.startswith("sample.csv ")
    assert message.endswith(".")


def test_no_message_quotes_a_cell() -> None:
    for text in (
        "a,b\n1,2\nCANARY,3,4\n",
        'a,b\n1,"CANARY\n',
        'a,b\n1,"x"CANARY\n',
        "CANARY,CANARY\nx,y\n",
        "a,b\n=CANARY,1\n",
    ):
        assert "CANARY" not in refusal(text)


def test_a_quotation_mark_inside_an_unquoted_cell_is_a_letter() -> None:
    assert read("name,feet\nann,5'11\"\nbob,6'2\"\n").table["feet"].to_pylist() == ["5'11\"", "6'2\""]


def test_quotation_is_followed_across_every_division_into_blocks() -> None:
    from copyhold.engines.tables.quotation import QuotationCheck

    whole = b'a,"b ""c"" d",""\n5\'11",x,"y\nz"\n'
    broken = b'a,b\n1,"x\n2,"y"\n'
    for text, sound in ((whole, True), (broken, False), (b'a,"b', False), (b'"a"', True), (b'"a""', False)):
        for first in range(1, len(text)):
            for second in range(first, len(text)):
                check = QuotationCheck(",")
                blocks = [block for block in (text[:first], text[first:second], text[second:]) if block]
                found = [check.add(block) for block in blocks]
                assert (all(offset is None for offset in found) and not check.unclosed) is sound


def test_a_leak_may_hold_formulas() -> None:
    assert read("a,b\n1,=x\n2,y\n", limits=Limits(formulas=True)).table["b"].to_pylist() == ["=x", "y"]


def test_batches_stream_the_same_rows_as_the_whole() -> None:
    text = "a,b\n" + "".join(f"{number},{number * 0.5:.2f}\n" for number in range(5_000))
    parts = list(batches(text.encode(), name="sample.csv", rows=700))
    assert max(part.num_rows for part in parts) <= 700
    assert pa.Table.from_batches(parts).equals(read(text).table)


def test_a_projection_keeps_the_order_asked_for_and_names_a_column_that_is_not_there() -> None:
    text = b"a,b,c\n1,2,3\n"
    assert next(batches(text, ["c", "a"], name="sample.csv")).to_pydict() == {"c": ["3"], "a": ["1"]}
    with pytest.raises(InvalidInputError, match="no column 'z'"):
        next(batches(text, ["z"], name="sample.csv"))
