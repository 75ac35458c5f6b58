"""Tiles and bundles: names, widths, and what growth writes."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from copyhold.auditlog.tiles import (
    BUNDLE,
    TileName,
    decode_bundle,
    decode_tile,
    encode_bundle,
    encode_tile,
    growth,
    parse_path,
)
from copyhold.domain.errors import InvalidInputError


@pytest.mark.parametrize(
    ("name", "path"),
    [
        (TileName(0, 0), "tile/0/000"),
        (TileName(0, 1234067), "tile/0/x001/x234/067"),
        (TileName(2, 999, 1), "tile/2/999.p/1"),
        (TileName(BUNDLE, 1000, 255), "tile/entries/x001/000.p/255"),
        (TileName(63, 5), "tile/63/005"),
    ],
)
def test_a_tile_lies_where_the_specification_says(name: TileName, path: str) -> None:
    assert name.path == path
    assert parse_path(path) == name


@pytest.mark.parametrize(
    "path",
    [
        "tile/64/000",
        "tile/00/000",
        "tile/0/0",
        "tile/0/000.p/0",
        "tile/0/000.p/256",
        "tile/0/000.p/300",
        "tile/0/000.p/01",
        "tile/0/x000/001",
        "tile/0/001/001",
        "tile/0/٠٠٠",
        "tile/0/000\n",
        "tile/entries",
        "tile/0/000.p/1/2",
        "/tile/0/000",
        "tile/../tile/0/000",
    ],
)
def test_another_spelling_of_a_path_is_no_tile(path: str) -> None:
    with pytest.raises(InvalidInputError):
        parse_path(path)


def test_a_log_of_seventy_thousand_has_the_tiles_that_the_specification_counts() -> None:
    names = list(growth(0, 70_000))
    full = [name.level for name in names if name.width == 256]
    partial = {name.level: name.width for name in names if name.width < 256}
    assert (full.count(0), full.count(1), full.count(2), full.count(BUNDLE)) == (273, 1, 0, 273)
    assert partial == {BUNDLE: 112, 0: 112, 1: 17, 2: 1}


def test_a_log_of_256_is_one_full_tile_and_a_partial_one_above() -> None:
    assert {name.path for name in growth(0, 256)} == {"tile/entries/000", "tile/0/000", "tile/1/000.p/1"}


@given(st.lists(st.integers(0, 70_000), min_size=2, max_size=6).map(sorted))
def test_growth_in_steps_ends_with_the_tiles_of_one_step(sizes: list[int]) -> None:
    stepwise = {name for old, new in zip([0, *sizes], sizes, strict=False) for name in growth(old, new)}
    assert set(growth(0, sizes[-1])) <= stepwise
    assert all(name not in set(growth(0, old)) for old, new in pairwise(sizes) for name in growth(old, new))


@given(st.lists(st.binary(max_size=300), max_size=20))
def test_a_bundle_gives_back_its_entries_and_no_other_number_of_them(entries: list[bytes]) -> None:
    data = encode_bundle(entries)
    assert decode_bundle(data, len(entries)) == entries
    for spoilt, width in [(data, len(entries) + 1), (data + b"\x00", len(entries)), (data + b"\x00\x00", len(entries))]:
        with pytest.raises(InvalidInputError):
            decode_bundle(spoilt, width)


def test_a_bundle_cut_anywhere_is_refused() -> None:
    data = encode_bundle([b"one", b"", b"three"])
    for cut in range(len(data)):
        with pytest.raises(InvalidInputError):
            decode_bundle(data[:cut], 3)


def test_an_entry_too_long_for_its_length_prefix_is_refused() -> None:
    assert decode_bundle(encode_bundle([b"x" * 65_535]), 1) == [b"x" * 65_535]
    with pytest.raises(InvalidInputError):
        encode_bundle([b"x" * 65_536])


def test_a_tile_of_another_width_than_its_name_is_refused() -> None:
    hashes = [bytes([number]) * 32 for number in range(3)]
    assert decode_tile(encode_tile(hashes), 3) == hashes
    for data, width in [(encode_tile(hashes), 2), (encode_tile(hashes)[:-1], 3), (encode_tile(hashes), 4)]:
        with pytest.raises(InvalidInputError):
            decode_tile(data, width)
