"""The public leaf: what it may carry, what it commits to, and what erasing leaves behind."""

import json
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from copyhold.auditlog.encoding import Json
from copyhold.auditlog.entries import (
    MAX_LEAF_BYTES,
    Leaf,
    OpenPayload,
    PayloadSecrets,
    commitment,
    pseudonym,
    seal,
    unseal,
    verify_commitment,
)
from copyhold.domain.errors import IntegrityError, InvalidInputError
from tests.unit.auditlog.ledger import LOG_KEY, make_leaf

SECRETS = PayloadSecrets(key=b"\x11" * 32, salt=b"\x22" * 32, nonce=b"\x33" * 12)
PAYLOAD: dict[str, Json] = {"name": "Canary Person", "email": "canary@example.org", "rows": 3, "ratio": 0.5}


def test_a_leaf_is_canonical_json_with_exactly_the_fields_of_the_record() -> None:
    leaf = make_leaf(5, links=(1, 4))
    data = leaf.encode()
    values = json.loads(data)
    assert list(values) == ["actor", "c", "id", "links", "pol", "project", "seq", "subject", "t", "type", "v"]
    assert b" " not in data
    assert Leaf.decode(data) == leaf


@pytest.mark.parametrize(
    "change",
    [
        {"seq": -1},
        {"seq": 2**53},
        {"seq": True},
        {"seq": "5"},
        {"id": "00000000-0000-0000-0000-00000000000A"},
        {"id": "per_1"},
        {"t": "2026-04-01T09:00:00+00:00"},
        {"t": "2026-04-01T09:00:00.5Z"},
        {"t": "2026-4-1T09:00:00Z"},
        {"t": "2026-02-30T09:00:00Z"},
        {"t": "2026-04-01T24:00:00Z"},
        {"t": "2026-04-01T09:00:00"},
        {"t": "20260401T090000Z"},
        {"t": ""},
        {"t": 5},
        {"type": "release"},
        {"type": "canary.person"},
        {"type": "release.3_rows"},
        {"type": "Release.issued"},
        {"actor": "canary@example.org"},
        {"actor": "p:canary"},
        {"actor": "person:" + "0" * 32},
        {"actor": None},
        {"subject": "r:rel_1"},
        {"subject": "diabetes cohort"},
        {"project": "7"},
        {"project": ["p:" + "0" * 32]},
        {"commitment": "AAAA"},
        {"commitment": "0" * 64},
        {"policy": "strict"},
        {"policy": 4},
        {"links": (5,)},
        {"links": (3, 2)},
        {"links": (2, 2)},
        {"links": (-1,)},
        {"links": [1]},
        {"links": tuple(range(65)), "seq": 100},
    ],
)
def test_a_leaf_that_could_carry_a_name_an_address_or_a_count_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(InvalidInputError) as caught:
        make_leaf(5, **change)
    assert "canary" not in caught.value.message


@pytest.mark.parametrize(
    "spoil",
    [
        lambda data: data.replace(b'{"actor"', b'{"a":1,"actor"'),
        lambda data: data.replace(b'"v":1', b'"v":2'),
        lambda data: data.replace(b'"v":1', b'"v":1,"v":1'),
        lambda data: data.replace(b'"v":1', b'"v":true'),
        lambda data: data.replace(b'"v":1', b'"v":1.0'),
        lambda data: data.replace(b'"seq":5', b'"seq":5.0'),
        lambda data: data.replace(b'"seq":5', b'"seq":5e0'),
        lambda data: data.replace(b'"seq":5', b'"seq":1e999'),
        lambda data: data.replace(b'"links":[]', b'"links":null'),
        lambda data: data.replace(b'"links":[]', b'"links":"12"'),
        lambda data: data.replace(b'"pol"', b'"name"'),
        lambda data: data.replace(b",", b", "),
        lambda data: data.replace(b"release", b"\\u0072elease"),
        lambda data: data + b"\n",
        lambda data: b"\xef\xbb\xbf" + data,
        lambda data: data.decode().encode("utf-16"),
        lambda data: b"[" * 2000,
        lambda data: b"{" + b'"a":' * 300 + b"1" + b"}" * 300,
        lambda data: b"[]",
        lambda data: b"",
        lambda data: b" " * MAX_LEAF_BYTES + data,
    ],
)
def test_an_entry_that_is_not_exactly_a_leaf_is_refused(spoil: Callable[[bytes], bytes]) -> None:
    data = make_leaf(5).encode()
    with pytest.raises(InvalidInputError):
        Leaf.decode(spoil(data))


@given(
    st.binary(max_size=300)
    | st.text(max_size=100).map(str.encode)
    | st.from_regex(r'\{"v":1,.{0,60}\}').map(str.encode)
)
def test_whatever_is_read_is_a_leaf_or_refused(data: bytes) -> None:
    with pytest.raises(InvalidInputError):
        Leaf.decode(data)


def test_the_longest_leaf_that_passes_its_checks_stays_within_the_bound() -> None:
    seq = 2**53 - 1
    leaf = make_leaf(
        5, seq=seq, links=tuple(range(seq - 64, seq)), type="institution." + "a" * 24 + ("_" + "b" * 24) * 3
    )
    assert len(leaf.encode()) <= MAX_LEAF_BYTES


def test_a_pseudonym_is_the_keyed_hash_of_the_id_and_a_new_key_unlinks_it() -> None:
    # HMAC-SHA256 of RFC 4231, test case 1 (key 0b x 20) is shorter than a log key may be, so case 6 serves: 131 x aa.
    message = "Test Using Larger Than Block-Size Key - Hash Key First"
    assert pseudonym(b"\xaa" * 131, "p", message) == "p:60e431591ee0b67f0d8a26aacbf5b77f"
    assert pseudonym(LOG_KEY, "p", "per_1") != pseudonym(b"\x08" * 32, "p", "per_1")
    for key, kind, identifier in [
        (b"short", "p", "per_1"),
        (LOG_KEY, "person", "per_1"),
        (LOG_KEY, "p", ""),
        (LOG_KEY, "P", "x"),
    ]:
        with pytest.raises(InvalidInputError):
            pseudonym(key, kind, identifier)


def test_a_commitment_is_the_hash_of_salt_and_canonical_payload() -> None:
    # printf '%032d{"a":1,"b":"x"}' 0 | openssl dgst -sha256 -binary | base64
    assert commitment(b"0" * 32, {"b": "x", "a": 1}) == "s+k23pQOfq6QcfwLYencvD56XKh2PQV4p46GHTiCxAU="
    with pytest.raises(InvalidInputError):
        commitment(b"0" * 31, {})


@pytest.mark.parametrize(
    "value", [float("nan"), float("inf"), 2**53, "\ud800", b"bytes", {1: 2}, {"\ud800": 1}, object()]
)
def test_a_payload_that_json_cannot_carry_exactly_is_refused(value: object) -> None:
    with pytest.raises(InvalidInputError):
        commitment(b"0" * 32, {"value": value})  # type: ignore[dict-item]


def test_a_payload_nested_beyond_measure_is_refused() -> None:
    nested: Json = []
    for _ in range(100_000):
        nested = [nested]
    with pytest.raises(InvalidInputError):
        commitment(b"0" * 32, {"value": nested})


def test_a_sealed_payload_opens_with_its_key_for_its_entry_alone() -> None:
    leaf = make_leaf(5, commitment=commitment(SECRETS.salt, PAYLOAD))
    box = seal(PAYLOAD, leaf.id, SECRETS)
    assert unseal(box, SECRETS.key, leaf) == OpenPayload(PAYLOAD, SECRETS.salt)
    other = make_leaf(6, commitment=leaf.commitment)
    rewritten = make_leaf(5, commitment=commitment(SECRETS.salt, {**PAYLOAD, "rows": 4}))
    wrong = [(box, b"\x12" * 32, leaf), (box, b"", leaf), (box, SECRETS.key, other), (box, SECRETS.key, rewritten)]
    wrong += [
        (b"", SECRETS.key, leaf),
        (box[:-1], SECRETS.key, leaf),
        (box[:-1] + bytes([box[-1] ^ 1]), SECRETS.key, leaf),
    ]
    for spoilt, key, at in wrong:
        with pytest.raises(IntegrityError) as caught:
            unseal(spoilt, key, at)
        assert caught.value.code == "LOG_PAYLOAD"


def test_neither_leaf_nor_box_nor_the_printed_secrets_tell_the_payload_or_its_salt() -> None:
    leaf = make_leaf(5, commitment=commitment(SECRETS.salt, PAYLOAD))
    box = seal(PAYLOAD, leaf.id, SECRETS)
    for shown in (leaf.encode(), box):
        assert b"Canary" not in shown
        assert SECRETS.salt not in shown
        assert SECRETS.key not in shown
    printed = repr(SECRETS) + repr(OpenPayload(PAYLOAD, SECRETS.salt))
    assert "Canary" not in printed
    assert "\\x11" not in printed
    assert "\\x22" not in printed


def test_after_the_key_is_dropped_a_guess_of_the_payload_cannot_be_confirmed() -> None:
    leaf = make_leaf(5, commitment=commitment(SECRETS.salt, PAYLOAD))
    with pytest.raises(IntegrityError):
        verify_commitment(leaf, OpenPayload(PAYLOAD, b"\x00" * 32))
    verify_commitment(leaf, OpenPayload(PAYLOAD, SECRETS.salt))


def test_secrets_are_drawn_apart_and_of_the_right_length() -> None:
    drawn: list[int] = []

    def chance(count: int) -> bytes:
        drawn.append(count)
        return bytes([len(drawn)]) * count

    secrets = PayloadSecrets.drawn(chance)
    assert sorted(drawn) == [12, 32, 32]
    assert len({secrets.key[:12], secrets.salt[:12], secrets.nonce}) == 3
    with pytest.raises(InvalidInputError):
        PayloadSecrets(b"\x00" * 16, secrets.salt, secrets.nonce)
