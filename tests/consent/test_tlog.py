# SPDX-License-Identifier: Apache-2.0
"""The log's tree and proofs: against the plain definition of RFC 6962, and against everything that is one step off."""

import hashlib
from collections.abc import Callable
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consent.errors import LogRefusedError
from consent.tlog import proofs, tree
from consent.tlog.proofs import (
    LogProof,
    consistency,
    consistency_places,
    inclusion,
    inclusion_places,
    read_proof,
    verify_consistency,
    verify_inclusion,
    write_proof,
)
from consent.tlog.tree import EMPTY_ROOT, Frontier, Node, cover, leaf_hash, node_hash, peaks_of, root

many = settings(max_examples=200, deadline=None)
sizes = st.integers(1, 130)


@cache
def leaf(index: int) -> bytes:
    return leaf_hash(str(index).encode())


@cache
def mth(begin: int, end: int) -> bytes:
    """Hash by the definition of RFC 6962 §2.1, recursion and all."""
    if end - begin == 0:
        return hashlib.sha256(b"").digest()
    if end - begin == 1:
        return leaf(begin)
    k = 1
    while k * 2 < end - begin:
        k *= 2
    return node_hash(mth(begin, begin + k), mth(begin + k, end))


def node(level: int, index: int) -> bytes:
    return mth(index << level, (index + 1) << level)


def refused(act: Callable[[], object], code: str = "bad-proof") -> None:
    with pytest.raises(LogRefusedError, match=f"^{code}$"):
        act()


def test_leaves_and_nodes_are_hashed_apart() -> None:
    assert leaf_hash(b"a" * 64) != node_hash(b"a" * 32, b"a" * 32)
    assert root([]) == EMPTY_ROOT == Frontier().root()


@pytest.mark.parametrize("size", range(70))
def test_roots_agree_with_the_definition(size: int) -> None:
    leaves = [leaf(index) for index in range(size)]
    assert root(leaves) == mth(0, size)
    frontier, made = Frontier().extend(leaves)
    assert frontier.root() == mth(0, size)
    assert frontier.size == size
    assert all(each.hash == node(each.level, each.index) for each in made)
    assert len(made) == 2 * size - size.bit_count()


@given(sizes, sizes)
def test_a_tree_that_grows_in_two_steps_is_the_same_tree(one: int, two: int) -> None:
    leaves = [leaf(index) for index in range(one + two)]
    first, made = Frontier().extend(leaves[:one])
    second, more = first.extend(leaves[one:])
    assert (second, (*made, *more)) == Frontier().extend(leaves)
    assert second.root() == root(leaves)


@given(sizes)
def test_a_frontier_is_loaded_from_its_peaks(size: int) -> None:
    frontier = Frontier(size, tuple(node(level, index) for level, index in peaks_of(size)))
    assert frontier.root() == mth(0, size)
    assert frontier == Frontier().extend([leaf(index) for index in range(size)])[0]


def test_a_frontier_without_the_right_number_of_peaks_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="one peak"):
        Frontier(3, (leaf(0),))


def test_the_first_subtrees_come_to_be_in_order() -> None:
    _, made = Frontier().extend([leaf(0), leaf(1), leaf(2)])
    assert made == (
        Node(0, 0, leaf(0)), Node(0, 1, leaf(1)), Node(1, 0, node_hash(leaf(0), leaf(1))), Node(0, 2, leaf(2)),
    )  # fmt: skip


@given(st.integers(0, 500), st.integers(0, 500))
def test_a_cover_is_the_range_left_to_right(one: int, two: int) -> None:
    begin, end = sorted((one, two))
    covered = [leaf for level, index in cover(begin, end) for leaf in range(index << level, (index + 1) << level)]
    assert covered == list(range(begin, end))


@given(sizes, st.data())
def test_every_leaf_is_proven_and_by_few_hashes(size: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size - 1))
    proof = inclusion(index, size, node)
    verify_inclusion(leaf(index), index=index, size=size, proof=proof, root=mth(0, size))
    assert len(proof) <= (size - 1).bit_length()


@given(sizes, st.data())
def test_every_beginning_of_a_tree_is_proven(new: int, data: st.DataObject) -> None:
    old = data.draw(st.integers(0, new))
    proof = consistency(old, new, node)
    verify_consistency(old=old, old_root=mth(0, old), new=new, new_root=mth(0, new), proof=proof)


@given(sizes, st.data())
def test_the_places_named_beforehand_are_those_that_are_asked_for(size: int, data: st.DataObject) -> None:
    index, old = data.draw(st.integers(0, size - 1)), data.draw(st.integers(0, size))
    asked: list[tuple[int, int]] = []

    def recorded(level: int, at: int) -> bytes:
        asked.append((level, at))
        return node(level, at)

    inclusion(index, size, recorded)
    assert tuple(asked) == inclusion_places(index, size)
    asked.clear()
    consistency(old, size, recorded)
    assert tuple(asked) == consistency_places(old, size)


def test_places_outside_a_tree_are_a_mistake() -> None:
    for index, size in ((0, 0), (3, 3), (-1, 3)):
        with pytest.raises(ValueError, match="index"):
            inclusion(index, size, node)
    for old, new in ((4, 3), (-1, 3)):
        with pytest.raises(ValueError, match="old size"):
            consistency(old, new, node)


@many
@given(sizes, st.data())
def test_the_right_leaf_at_a_wrong_index_is_refused(size: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size - 1))
    other = data.draw(st.integers(-1, size + 1).filter(lambda at: at != index))
    proof = inclusion(index, size, node)
    refused(lambda: verify_inclusion(leaf(index), index=other, size=size, proof=proof, root=mth(0, size)))


@many
@given(sizes, st.data())
def test_an_inclusion_proof_that_is_one_step_off_is_refused(size: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size - 1))
    right = list(inclusion(index, size, node))
    at = data.draw(st.integers(0, len(right)))
    wrong = [[*right[:at], leaf(999), *right[at:]], [*right, right[-1]] if right else [leaf(0)], [*right, b""]]
    if right:
        wrong += [right[:-1], right[1:], [*right[:-1], leaf(999)], [right[0][:31], *right[1:]]]
    if right[::-1] != right:
        wrong.append(right[::-1])
    for proof in wrong:
        refused(lambda p=proof: verify_inclusion(leaf(index), index=index, size=size, proof=p, root=mth(0, size)))
    refused(lambda: verify_inclusion(leaf(index), index=index, size=size, proof=right, root=leaf(999)))
    refused(lambda: verify_inclusion(leaf(999), index=index, size=size, proof=right, root=mth(0, size)))


@many
@given(sizes, sizes, st.data())
def test_a_consistency_proof_that_is_one_step_off_is_refused(one: int, two: int, data: st.DataObject) -> None:
    old, new = sorted((one, two))
    right = list(consistency(old, new, node))
    at = data.draw(st.integers(0, len(right)))
    wrong = [[*right[:at], leaf(999), *right[at:]], [*right, right[-1]] if right else [leaf(0)]]
    if right:
        wrong += [right[:-1], right[1:], [*right[:-1], leaf(999)], []]
    for proof in wrong:
        refused(
            lambda p=proof: verify_consistency(old=old, old_root=mth(0, old), new=new, new_root=mth(0, new), proof=p)
        )
    fork = node_hash(leaf(998), leaf(999))
    refused(lambda: verify_consistency(old=old, old_root=fork, new=new, new_root=mth(0, new), proof=right))
    refused(lambda: verify_consistency(old=old, old_root=mth(0, old), new=new, new_root=fork, proof=right))


def test_a_tree_that_shrinks_or_an_empty_tree_with_a_root_is_refused() -> None:
    refused(lambda: verify_consistency(old=3, old_root=mth(0, 3), new=2, new_root=mth(0, 2), proof=[]))
    refused(lambda: verify_consistency(old=-1, old_root=EMPTY_ROOT, new=2, new_root=mth(0, 2), proof=[]))
    refused(lambda: verify_consistency(old=0, old_root=mth(0, 1), new=2, new_root=mth(0, 2), proof=[]))
    refused(lambda: verify_consistency(old=2, old_root=mth(0, 2), new=2, new_root=leaf(9), proof=[]))


def test_a_proof_with_more_hashes_than_any_tree_has_is_refused() -> None:
    refused(lambda: verify_inclusion(leaf(0), index=0, size=2**62, proof=[leaf(0)] * 65, root=leaf(0)))


CHECKPOINT = "hub.example/log\n1\nAAAA\n\n— hub.example/log AAAAAAAA\n"
PROOF = LogProof(index=73894, hashes=(leaf(0), leaf(1)), checkpoint=CHECKPOINT, extra=b"blind")


def test_a_proof_file_looks_as_c2sp_writes_it() -> None:
    lines = write_proof(PROOF).split("\n")
    assert lines[:3] == ["c2sp.org/tlog-proof@v1", "extra YmxpbmQ=", "index 73894"]
    assert lines[5] == ""
    assert write_proof(PROOF).endswith(CHECKPOINT)


@given(
    st.builds(
        LogProof,
        index=st.integers(0, 10**18),
        hashes=st.lists(st.binary(min_size=32, max_size=32), max_size=63).map(tuple),
        checkpoint=st.just(CHECKPOINT),
        extra=st.none() | st.binary(max_size=40),
    )
)
def test_a_proof_file_comes_back(proof: LogProof) -> None:
    assert read_proof(write_proof(proof)) == proof


GOOD = write_proof(PROOF)


@pytest.mark.parametrize(
    "text",
    [
        "", "\n\n", GOOD.replace("@v1", "@v2"), GOOD.replace("index 73894", "index 073894"),
        GOOD.replace("index 73894", "index -1"),
        GOOD.replace("index 73894", "index ７"), GOOD.replace("index 73894\n", ""), GOOD.replace("index", "Index"),
        GOOD.replace("extra YmxpbmQ=", "extra YmxpbmQ"), GOOD.replace("extra YmxpbmQ=", "extra YmxpbmR="),
        GOOD.replace("extra YmxpbmQ=", "extra あ"), GOOD.split("\n\n", maxsplit=1)[0], GOOD.split("\n\n",
        maxsplit=1)[0] + "\n\n",
        GOOD.replace("index 73894\n", "index 73894\nAAAA\n"), GOOD.replace("index 73894\n",
        "index 73894\n" + "A" * 43 + "=\n" + "x\n"),
        write_proof(LogProof(index=1, hashes=(leaf(0),) * 64, checkpoint=CHECKPOINT)), GOOD.replace("\n", "\r\n"),
        "c2sp.org/tlog-proof@v1\nextra YmxpbmQ=\n\nx", "c2sp.org/tlog-proof@v1\n\nx",
        write_proof(LogProof(index=1, hashes=(), checkpoint=CHECKPOINT, extra=bytes(proofs.MAX_EXTRA + 1))),
    ],
    ids=range(20),
)  # fmt: skip
def test_a_proof_file_that_is_not_exact_is_refused(text: str) -> None:
    refused(lambda: read_proof(text), "malformed-proof")


@many
@given(
    st.text()
    | st.tuples(st.integers(0, len(GOOD)), st.text(max_size=3)).map(lambda c: GOOD[: c[0]] + c[1] + GOOD[c[0] + 1 :])
)
def test_whatever_comes_in_only_our_refusal_comes_out(text: str) -> None:
    try:
        read = read_proof(text)
    except LogRefusedError:
        return
    assert write_proof(read) == text


def test_the_tree_knows_no_clock_and_no_chance() -> None:
    assert not {"time", "random", "secrets", "os", "uuid"} & set(vars(tree)) & set(vars(proofs))
