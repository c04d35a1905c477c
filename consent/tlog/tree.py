# SPDX-License-Identifier: Apache-2.0
"""The Merkle tree of RFC 6962 §2.1: hashes, roots, and the edge of a tree that is enough to make it grow.

Where hashes are stored is the caller's business; it names a full subtree by (level, index): the `index`-th,
from 0, of the subtrees over 2^level leaves.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

HASH_BYTES = 32
# RFC 6962 §2.1: a leaf can never be taken for a node.
_LEAF_PREFIX = b"\x00"
_NODE_PREFIX = b"\x01"
EMPTY_ROOT = hashlib.sha256(b"").digest()


@dataclass(frozen=True, slots=True)
class Node:
    """The hash of a full subtree, by its place."""

    level: int
    index: int
    hash: bytes


def leaf_hash(entry: bytes) -> bytes:
    """Hash an entry as a leaf (RFC 6962 §2.1)."""
    return hashlib.sha256(_LEAF_PREFIX + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash two subtrees into the one above them (RFC 6962 §2.1)."""
    return hashlib.sha256(_NODE_PREFIX + left + right).digest()


def root(leaves: Sequence[bytes]) -> bytes:
    """Give the root over leaf hashes, in one pass a level."""
    level = list(leaves)
    if not level:
        return EMPTY_ROOT
    while len(level) > 1:
        odd = level[-1:] if len(level) % 2 else []
        level = [node_hash(level[at], level[at + 1]) for at in range(0, len(level) - 1, 2)] + odd
    return level[0]


@dataclass(frozen=True, slots=True)
class Frontier:
    """The edge of a tree: its size and the roots of its full subtrees, largest first.

    Enough to grow it by.
    """

    size: int = 0
    peaks: tuple[bytes, ...] = ()

    def __post_init__(self) -> None:
        if len(self.peaks) != self.size.bit_count():
            message = "a tree has one peak for each bit of its size"
            raise ValueError(message)

    def root(self) -> bytes:
        """Give the root of the tree."""
        if not self.peaks:
            return EMPTY_ROOT
        made = self.peaks[-1]
        for peak in reversed(self.peaks[:-1]):
            made = node_hash(peak, made)
        return made

    def extend(self, leaves: Iterable[bytes]) -> tuple["Frontier", tuple[Node, ...]]:
        """Append leaf hashes; give the new edge and every full subtree that came to be, leaves included."""
        size, peaks, made = self.size, list(self.peaks), list[Node]()
        for leaf in leaves:
            node = Node(0, size, leaf)
            made.append(node)
            while node.index % 2:
                node = Node(node.level + 1, node.index // 2, node_hash(peaks.pop(), node.hash))
                made.append(node)
            peaks.append(node.hash)
            size += 1
        return Frontier(size, tuple(peaks)), tuple(made)


def peaks_of(size: int) -> tuple[tuple[int, int], ...]:
    """Name the full subtrees (level, index) at a tree's edge, largest first: the peaks of its `Frontier`."""
    return cover(0, size)


def cover(begin: int, end: int) -> tuple[tuple[int, int], ...]:
    """Name the fewest full subtrees (level, index) that hold the leaves `[begin, end)`, left to right."""
    made: list[tuple[int, int]] = []
    while begin < end:
        level = (end - begin).bit_length() - 1
        if begin:
            level = min(level, (begin & -begin).bit_length() - 1)
        made.append((level, begin >> level))
        begin += 1 << level
    return tuple(made)
