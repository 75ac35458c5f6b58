"""RFC 6962 and RFC 9162: hashing, the right edge, proofs, and proofs that must not hold."""

import json
from base64 import b64decode
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from copyhold.auditlog.tree import (
    EMPTY_ROOT,
    Edge,
    EmptyPrefix,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    root_of,
    verify_consistency,
    verify_inclusion,
)
from copyhold.domain.errors import IntegrityError, InvalidInputError

VECTORS = json.loads((Path(__file__).parents[2] / "vectors/tlog/rfc6962-proof-vectors.json").read_text())
LEAVES = [leaf_hash(b"%d" % number) for number in range(300)]


def tree_head(entries: Sequence[bytes]) -> bytes:
    """MTH as RFC 6962, section 2.1, spells it, independent of the code under test."""
    if not entries:
        return sha256(b"").digest()
    if len(entries) == 1:
        return sha256(b"\x00" + entries[0]).digest()
    split = 1
    while split * 2 < len(entries):
        split *= 2
    return sha256(b"\x01" + tree_head(entries[:split]) + tree_head(entries[split:])).digest()


def names(cases: list[dict[str, Any]]) -> list[Any]:
    return [pytest.param(case, id=case["_name"]) for case in cases]


def read(case: dict[str, Any], *fields: str) -> list[bytes]:
    return [b64decode(case[field]) for field in fields]


def proof_of(case: dict[str, Any]) -> list[bytes]:
    return [b64decode(each) for each in case["proof"] or []]


def is_subtree(start: int, end: int) -> bool:
    """Subtrees begin at a multiple of the power of two that covers them (draft-ietf-plants-merkle-tree-certs)."""
    return start < end < 2**63 and start % (1 << (end - start - 1).bit_length()) == 0


@pytest.mark.parametrize("case", names(VECTORS["inclusion"]))
def test_an_inclusion_vector_is_judged_as_published(case: dict[str, Any]) -> None:
    leaf, root = read(case, "leafHash", "root")
    if case["wantErr"]:
        with pytest.raises(IntegrityError):
            verify_inclusion(leaf, case["leafIdx"], case["treeSize"], proof_of(case), root)
    else:
        verify_inclusion(leaf, case["leafIdx"], case["treeSize"], proof_of(case), root)


@pytest.mark.parametrize("case", names(VECTORS["consistency"]))
def test_a_consistency_vector_is_judged_as_published(case: dict[str, Any]) -> None:
    old_root, root = read(case, "root1", "root2")
    if case["wantErr"]:
        with pytest.raises(IntegrityError):
            verify_consistency(case["size1"], case["size2"], old_root, root, proof_of(case))
    else:
        verify_consistency(case["size1"], case["size2"], old_root, root, proof_of(case))


@pytest.mark.parametrize("case", names(VECTORS["subtreeinclusion"]))
def test_a_subtree_inclusion_vector_is_an_inclusion_within_the_subtree(case: dict[str, Any]) -> None:
    leaf, root = read(case, "leafHash", "root")
    start, end = case["start"], case["end"]
    refused = not is_subtree(start, end)
    try:
        verify_inclusion(leaf, case["leafIdx"] - start, end - start, proof_of(case), root)
    except IntegrityError:
        refused = True
    assert refused == case["wantErr"]


@pytest.mark.parametrize(
    "case", names([each for each in VECTORS["subtreeconsistency"] if each["start"] == 0 < each["end"]])
)
def test_a_consistency_vector_of_a_subtree_from_the_left_is_plain_consistency(case: dict[str, Any]) -> None:
    old_root, root = read(case, "root1", "root2")
    refused = False
    try:
        verify_consistency(case["end"], case["size"], old_root, root, proof_of(case))
    except IntegrityError:
        refused = True
    assert refused == case["wantErr"]


def test_the_vectors_are_all_there() -> None:
    counts = {name: len(VECTORS[name]) for name in ("inclusion", "consistency", "subtreeinclusion")}
    assert counts == {"inclusion": 98, "consistency": 98, "subtreeinclusion": 204}


def test_only_the_trivial_policy_takes_the_empty_tree_as_a_prefix_and_only_with_its_own_root() -> None:
    root = root_of(LEAVES[:5])
    verify_consistency(0, 5, EMPTY_ROOT, root, (), EmptyPrefix.TRIVIAL)
    verify_consistency(0, 0, EMPTY_ROOT, EMPTY_ROOT, (), EmptyPrefix.TRIVIAL)
    for old_root, proof, policy in [
        (EMPTY_ROOT, (), EmptyPrefix.REFUSED),
        (LEAVES[0], (), EmptyPrefix.TRIVIAL),
        (EMPTY_ROOT, (LEAVES[0],), EmptyPrefix.TRIVIAL),
    ]:
        with pytest.raises(IntegrityError):
            verify_consistency(0, 5, old_root, root, proof, policy)
    with pytest.raises(IntegrityError):
        verify_consistency(0, 0, EMPTY_ROOT, root, (), EmptyPrefix.TRIVIAL)


@given(st.lists(st.binary(max_size=8), max_size=70))
def test_the_root_is_that_of_the_standard(entries: list[bytes]) -> None:
    assert root_of([leaf_hash(entry) for entry in entries]) == tree_head(entries)


@settings(max_examples=200)
@given(st.lists(st.integers(0, 40), max_size=8))
def test_an_edge_grown_in_any_steps_has_the_root_of_all_its_leaves(steps: list[int]) -> None:
    edge, size = Edge(), 0
    for step in steps:
        edge = edge.grown(LEAVES[size : size + step][:step])
        size = min(size + step, len(LEAVES))
        assert edge == Edge.unpacked(edge.size, edge.packed)
        assert (edge.size, edge.root) == (size, root_of(LEAVES[:size]))
        assert len(edge.hashes) == size.bit_count()


@given(st.data())
def test_every_entry_and_every_prefix_can_be_proven_and_no_other_place_or_root(data: st.DataObject) -> None:
    size = data.draw(st.integers(1, 300))
    index, old = data.draw(st.integers(0, size - 1)), data.draw(st.integers(1, size))
    root, old_root = root_of(LEAVES[:size]), root_of(LEAVES[:old])

    def hash_of(start: int, end: int) -> bytes:
        return root_of(LEAVES[start:end])

    proof = inclusion_proof(index, size, hash_of)
    verify_inclusion(LEAVES[index], index, size, proof, root)
    grown = consistency_proof(old, size, hash_of)
    verify_consistency(old, size, old_root, root, grown)
    other = data.draw(st.integers(0, 299).filter(lambda each: each != index))
    for leaf, place, head in [
        (LEAVES[other], index, root),
        (LEAVES[index], other, root),
        (LEAVES[index], index, LEAVES[0]),
    ]:
        if (leaf, place, head) != (LEAVES[index], index, root):
            with pytest.raises(IntegrityError):
                verify_inclusion(leaf, place, size, proof, head)
    with pytest.raises(IntegrityError):
        verify_consistency(old, size, LEAVES[299] if old < size else b"\x00" * 32, root, grown)


@pytest.mark.parametrize(("index", "size"), [(-1, 3), (3, 3), (0, 0)])
def test_an_entry_outside_the_log_has_no_proof(index: int, size: int) -> None:
    with pytest.raises(InvalidInputError):
        inclusion_proof(index, size, lambda start, end: b"")


@pytest.mark.parametrize(("old_size", "size"), [(0, 3), (4, 3), (-1, 3)])
def test_a_state_the_log_never_had_has_no_consistency_proof(old_size: int, size: int) -> None:
    with pytest.raises(InvalidInputError):
        consistency_proof(old_size, size, lambda start, end: b"")


def test_an_edge_with_too_few_or_short_hashes_is_refused() -> None:
    for size, hashes in [(3, (LEAVES[0],)), (1, (b"short",)), (-1, ())]:
        with pytest.raises(InvalidInputError):
            Edge(size, hashes)


def test_a_proof_longer_than_its_tree_is_refused_even_where_it_leads_to_the_root() -> None:
    leaf, above = LEAVES[:2]
    higher = root_of([above, leaf])
    with pytest.raises(IntegrityError, match="too long"):
        verify_inclusion(leaf, 0, 1, (above,), higher)
    with pytest.raises(IntegrityError, match="too long"):
        verify_consistency(1, 2, leaf, root_of([higher, root_of([leaf, above])]), (above, higher))


def test_bytes_moved_between_neighbouring_hashes_are_refused() -> None:
    left, right = LEAVES[:2]
    root = root_of(LEAVES[:2])
    verify_inclusion(left, 0, 2, (right,), root)
    verify_consistency(1, 2, left, root, (right,))
    with pytest.raises(IntegrityError):
        verify_inclusion(left + right[:1], 0, 2, (right[1:],), root)
    with pytest.raises(IntegrityError):
        verify_consistency(1, 2, left + right[:1], root, (right[1:],))
