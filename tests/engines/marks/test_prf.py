"""Uniforms at addresses: the layout of an address, its uniqueness, and the two ways to draw."""

import numpy as np
import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from copyhold.engines.marks.plan import arcsine_thresholds
from copyhold.engines.marks.prf import Addresses, Tag, paired_uniforms, uniforms, uniforms_of_keys, words_at

KEY = bytes(range(32))


def plain_uniform(key: bytes, table: int, row: int, column: int, tag: Tag) -> int:
    """The address written out byte by byte, as the notes have it, and one AES block of it."""
    address = table.to_bytes(2) + row.to_bytes(8) + (column // 8).to_bytes(4) + bytes([tag, 0])
    block = Cipher(algorithms.AES(key), modes.ECB()).encryptor().update(address)  # noqa: S305 - one block
    lane = column % 8
    return int.from_bytes(block[2 * lane : 2 * lane + 2])


ADDRESSES = [(1, 0, 0), (1, 0, 7), (1, 0, 8), (65535, 2**64 - 1, 2**32 - 1), (3, 123_456_789_012, 41), (2, 65535, 9)]


@pytest.mark.parametrize("tag", list(Tag))
@pytest.mark.parametrize(("table", "row", "column"), ADDRESSES)
def test_a_uniform_is_the_lane_of_the_aes_block_at_its_address(table: int, row: int, column: int, tag: Tag) -> None:
    drawn = uniforms(KEY, table, np.array([row], dtype=np.uint64), np.array([column], dtype=np.uint32), tag)
    assert drawn[0, 0] == plain_uniform(KEY, table, row, column, tag)


VECTORS = [
    (1, 0, 0, "M", 7576),
    (1, 0, 7, "M", 57123),
    (1, 0, 8, "M", 9544),
    (65535, 2**64 - 1, 2**32 - 1, "P", 61150),
    (3, 123_456_789_012, 41, "A", 59881),
]


@pytest.mark.parametrize(("table", "row", "column", "tag", "value"), VECTORS)
def test_uniforms_never_change_between_versions_of_the_software(
    table: int, row: int, column: int, tag: str, value: int
) -> None:
    rows, columns = np.array([row], dtype=np.uint64), np.array([column], dtype=np.uint32)
    assert uniforms(KEY, table, rows, columns, Tag(ord(tag)))[0, 0] == value


def test_the_matrix_the_pairs_and_many_keys_give_the_same_numbers() -> None:
    rng = np.random.default_rng(5)
    rows = rng.integers(0, 2**63, 40).astype(np.uint64) * 2 + 1
    columns = rng.permutation(100)[:40].astype(np.uint32)
    matrix = uniforms(KEY, 7, rows, columns, Tag.MARK)
    diagonal = paired_uniforms(KEY, 7, rows, columns, Tag.MARK)
    np.testing.assert_array_equal(np.diag(matrix), diagonal)
    other = bytes(32)
    both = list(uniforms_of_keys([other, KEY], Addresses.of(7, rows, columns, Tag.MARK)))
    np.testing.assert_array_equal(both[1], diagonal)
    assert not np.array_equal(both[0], both[1])


def test_a_list_of_addresses_may_span_tables() -> None:
    tables = np.array([1, 2, 1], dtype=np.uint16)
    rows, columns = np.array([9, 9, 9], dtype=np.uint64), np.array([4, 4, 5], dtype=np.uint32)
    drawn = next(iter(uniforms_of_keys([KEY], Addresses.of(tables, rows, columns, Tag.MARK))))
    assert drawn.tolist() == [plain_uniform(KEY, *where, Tag.MARK) for where in ((1, 9, 4), (2, 9, 4), (1, 9, 5))]


def test_no_two_addresses_of_a_custody_share_a_block_and_lane() -> None:
    tables = np.repeat(np.array([0, 1, 2, 255, 256, 65535], dtype=np.uint16), 12 * 20)
    rows = np.tile(
        np.repeat(
            np.array(
                [0, 1, 255, 2**16 - 1, 2**16, 2**17, 2**32, 2**48 - 1, 2**48, 2**56, 2**63, 2**64 - 1], dtype=np.uint64
            ),
            20,
        ),
        6,
    )
    columns = np.tile(
        np.array([0, 1, 7, 8, 15, 16, 2**11, 2**16, 2**19, 2**27 - 8, *range(100, 109), 2**32 - 1], dtype=np.uint32),
        6 * 12,
    )
    seen = set()
    for tag in Tag:
        addresses = Addresses.of(tables, rows, columns, tag)
        blocks = addresses.words[addresses.spots // 8]
        seen |= {(*block, lane) for block, lane in zip(blocks.tolist(), (addresses.spots % 8).tolist(), strict=True)}
    assert len(seen) == len(Tag) * len(rows)


def test_a_column_of_a_drawn_matrix_is_contiguous() -> None:
    drawn = uniforms(KEY, 1, np.arange(100, dtype=np.uint64), np.arange(20, dtype=np.uint32), Tag.PLAN)
    assert drawn.shape == (100, 20)
    assert drawn[:, 3].flags.c_contiguous


def test_nothing_is_drawn_for_no_rows_or_no_columns() -> None:
    no_rows, no_columns = np.empty(0, dtype=np.uint64), np.empty(0, dtype=np.uint32)
    assert uniforms(KEY, 1, no_rows, np.arange(3, dtype=np.uint32), Tag.MARK).shape == (0, 3)
    assert uniforms(KEY, 1, np.arange(3, dtype=np.uint64), no_columns, Tag.MARK).shape == (3, 0)
    assert len(paired_uniforms(KEY, 1, no_rows, no_columns, Tag.MARK)) == 0


def test_a_word_is_the_first_half_of_its_block() -> None:
    rows = np.array([3, 2**63], dtype=np.uint64)
    words = words_at(KEY, 0, rows, 0, Tag.DATE)
    for row, word in zip(rows.tolist(), words.tolist(), strict=True):
        lanes = [plain_uniform(KEY, 0, row, lane, Tag.DATE) for lane in range(4)]
        assert word == (lanes[0] << 48) | (lanes[1] << 32) | (lanes[2] << 16) | lanes[3]


def test_over_ten_million_cells_each_bias_comes_out_as_its_threshold_says() -> None:
    rows, columns = np.arange(156_250, dtype=np.uint64), np.arange(64, dtype=np.uint32)
    drawn = uniforms(KEY, 1, rows, columns, Tag.MARK)
    assert drawn.size == 10_000_000
    counts = np.bincount(drawn.reshape(-1, order="A"), minlength=65_536)
    below = np.concatenate([[0], np.cumsum(counts)])  # below[t]: cells that show their upper member at threshold t
    for threshold in [*arcsine_thresholds().tolist(), 32_768]:
        bias = threshold / 65_536
        assert abs(below[threshold] - bias * drawn.size) < 6 * np.sqrt(bias * (1 - bias) * drawn.size) + 1
