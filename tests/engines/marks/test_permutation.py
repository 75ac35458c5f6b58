"""Keyed ids: the samples of SP 800-38G, and a permutation of each space."""

import numpy as np
import pytest

from copyhold.domain.errors import InvalidInputError
from copyhold.engines.marks.permutation import (
    FIFTEEN_DIGITS,
    SEVEN_DIGITS,
    SPACES,
    IdSpace,
    decrypted,
    encrypted,
    permuted,
    restored,
)

# NIST, "Cryptographic Standards and Guidelines: Examples with Intermediate Values", FF1samples.pdf: those of radix 10.
AES_128 = "2B7E151628AED2A6ABF7158809CF4F3C"
AES_192 = AES_128 + "EF4359D8D580AA4F"
AES_256 = AES_192 + "7F036D6F04FC6A94"
TWEAK = "39383736353433323130"
SAMPLES = [
    (AES_128, "", 2433477484),
    (AES_128, TWEAK, 6124200773),
    (AES_192, "", 2830668132),
    (AES_192, TWEAK, 2496655549),
    (AES_256, "", 6657667009),
    (AES_256, TWEAK, 1001623463),
]


@pytest.mark.parametrize(("key", "tweak", "ciphertext"), SAMPLES)
def test_ff1_gives_the_samples_of_the_standard(key: str, tweak: str, ciphertext: int) -> None:
    keys, number = [bytes.fromhex(key)], np.array([123456789])  # the standard's 0123456789
    assert encrypted(keys, number, 10, bytes.fromhex(tweak)).tolist() == [[ciphertext]]
    assert decrypted(keys, np.array([ciphertext]), 10, bytes.fromhex(tweak)).tolist() == [[123456789]]


@pytest.mark.parametrize("space", SPACES)
def test_ids_are_distinct_lie_in_their_space_and_come_back(space: IdSpace) -> None:
    participants = np.arange(50_000)
    ids = permuted([b"k" * 32], participants, space)[0]
    assert len(np.unique(ids)) == len(ids)
    assert space.holds(ids).all()
    np.testing.assert_array_equal(restored([b"k" * 32], ids, space)[0], participants)


def test_a_small_space_is_permuted_whole() -> None:
    space = IdSpace(6, low=990_000)
    ids = permuted([b"s" * 32], np.arange(space.size), space)[0]
    np.testing.assert_array_equal(np.sort(ids), np.arange(990_000, 1_000_000))


@pytest.mark.parametrize("space", SPACES)
def test_many_keys_give_what_each_gives_alone(space: IdSpace) -> None:
    keys = [bytes([number]) * 32 for number in range(50)]
    participants = np.array([0, 7, 499_999, 8_999_999])
    together = permuted(keys, participants, space)
    for row, key in enumerate(keys):
        np.testing.assert_array_equal(together[row], permuted([key], participants, space)[0])
    assert len(np.unique(together[:, 1])) == len(keys)
    np.testing.assert_array_equal(restored(keys, together[0], space)[0], participants)


def test_ids_survive_double_precision_whole() -> None:
    ids = permuted([b"k" * 32], np.arange(10_000), FIFTEEN_DIGITS)[0]
    np.testing.assert_array_equal(ids.astype(np.float64).astype(np.int64), ids)


def test_the_size_of_a_space_is_the_n_of_the_evidence() -> None:
    assert (FIFTEEN_DIGITS.size, SEVEN_DIGITS.size) == (10**15, 9 * 10**6)


@pytest.mark.parametrize("participant", [-1, SEVEN_DIGITS.size])
def test_a_participant_outside_the_space_is_refused(participant: int) -> None:
    with pytest.raises(InvalidInputError):
        permuted([b"k" * 32], np.array([participant]), SEVEN_DIGITS)


@pytest.mark.parametrize(("digits", "low"), [(5, 0), (19, 0), (7, 10**7), (7, -1)])
def test_a_space_that_ff1_does_not_cover_is_refused(digits: int, low: int) -> None:
    with pytest.raises(InvalidInputError):
        IdSpace(digits, low)
