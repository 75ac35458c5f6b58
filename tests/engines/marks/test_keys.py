"""Keys: never shown, never alike, committed to by hash."""

import hashlib
import pickle
import traceback

import pytest

from copyhold.domain.errors import InvalidInputError
from copyhold.engines.marks.keys import PartyKeys, PlanKeys, commitment

MARK, IDENTIFIERS, DATES = (bytes([letter]) * 32 for letter in b"XYZ")


def test_keys_show_themselves_in_no_print_and_no_pickle() -> None:
    party, plan = PartyKeys(MARK, IDENTIFIERS, DATES), PlanKeys(MARK, DATES)
    for shown in (repr(party), str(party), repr(plan), f"{plan}"):
        assert "X" not in shown
        assert "58" not in shown
    for keys in (party, plan):
        with pytest.raises(TypeError):
            pickle.dumps(keys)


def test_an_error_about_keys_does_not_show_them() -> None:
    with pytest.raises(InvalidInputError) as caught:
        PartyKeys(MARK, MARK[:31], DATES)
    assert "XX" not in "".join(traceback.format_exception(caught.value))


def test_two_purposes_never_share_a_key() -> None:
    with pytest.raises(InvalidInputError):
        PartyKeys(MARK, IDENTIFIERS, MARK)


def test_a_commitment_is_the_hash_of_key_and_nonce() -> None:
    assert commitment(MARK, DATES) == hashlib.sha256(b"X" * 32 + b"Z" * 32).digest()
    with pytest.raises(InvalidInputError):
        commitment(MARK, b"short")
