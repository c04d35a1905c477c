# SPDX-License-Identifier: Apache-2.0
"""Proofs that an entry is in a tree and that one tree extends another (RFC 9162 §2.1).

A proof has exactly the hashes that its place in the tree asks for, each of 32 bytes; one more or one less
is refused. Proofs travel as C2SP tlog-proof files, which hold all that a stranger needs to verify offline.
"""

import base64
import binascii
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import NoReturn

from consent.errors import LogRefusedError
from consent.tlog.tree import EMPTY_ROOT, HASH_BYTES, cover, node_hash

NodeSource = Callable[[int, int], bytes]
"""Gives the hash of the full subtree (level, index)."""
Place = tuple[int, int]
_Range = tuple[int, int]

MAX_HASHES = 63
MAX_EXTRA = 64 * 1024
_HEADER = "c2sp.org/tlog-proof@v1"
_NUMBER = re.compile("0|[1-9][0-9]{0,18}")


def inclusion_places(index: int, size: int) -> tuple[Place, ...]:
    """Name every subtree that `inclusion` will ask for, so that a store can fetch them at once."""
    return _places(_inclusion_ranges(index, size))


def consistency_places(old: int, new: int) -> tuple[Place, ...]:
    """Name every subtree that `consistency` will ask for."""
    return _places(_consistency_ranges(old, new))


def inclusion(index: int, size: int, node: NodeSource) -> tuple[bytes, ...]:
    """Prove that leaf `index` (from 0) is in the tree of `size` leaves (RFC 9162 §2.1.3.1).

    Raises:
        ValueError: the index is not below the size.
    """
    return tuple(_subroot(begin, end, node) for begin, end in _inclusion_ranges(index, size))


def consistency(old: int, new: int, node: NodeSource) -> tuple[bytes, ...]:
    """Prove that the tree of `new` leaves begins with that of `old` leaves (RFC 9162 §2.1.4.1).

    Raises:
        ValueError: `old` is larger than `new`.
    """
    return tuple(_subroot(begin, end, node) for begin, end in _consistency_ranges(old, new))


def verify_inclusion(leaf: bytes, *, index: int, size: int, proof: Sequence[bytes], root: bytes) -> None:
    """Verify that a leaf hash stands at `index` of the tree with this size and root (RFC 9162 §2.1.3.2).

    Raises:
        LogRefusedError: `bad-proof`.
    """
    if not 0 <= index < size:
        _refuse()
    _require_hashes(proof)
    made, last = leaf, size - 1
    for sibling in proof:
        if last == 0:
            _refuse()
        if index % 2 or index == last:
            made = node_hash(sibling, made)
            while index % 2 == 0 and index:
                index, last = index // 2, last // 2
        else:
            made = node_hash(made, sibling)
        index, last = index // 2, last // 2
    if last or made != root:
        _refuse()


def verify_consistency(*, old: int, old_root: bytes, new: int, new_root: bytes, proof: Sequence[bytes]) -> None:
    """Verify that the new tree begins with the old one (RFC 9162 §2.1.4.2); the empty tree begins every tree.

    Raises:
        LogRefusedError: `bad-proof`.
    """
    _require_hashes(proof)
    if not 0 <= old <= new or (old == new and old_root != new_root) or (old == 0 and old_root != EMPTY_ROOT):
        _refuse()
    if old in {0, new}:
        if proof:
            _refuse()
        return
    _walk_consistency(old, old_root, new, new_root, proof)


@dataclass(frozen=True, slots=True, kw_only=True)
class LogProof:
    """A C2SP tlog-proof: index, inclusion proof, signed checkpoint, and data of our own (`extra`)."""

    index: int
    hashes: tuple[bytes, ...]
    checkpoint: str
    extra: bytes | None = None


def write_proof(proof: LogProof) -> str:
    """Write a tlog-proof file."""
    extra = [] if proof.extra is None else [f"extra {_base64(proof.extra)}"]
    lines = [_HEADER, *extra, f"index {proof.index}", *map(_base64, proof.hashes), "", proof.checkpoint]
    return "\n".join(lines)


def read_proof(text: str) -> LogProof:
    """Read a tlog-proof file strictly; nothing in it is verified yet, and `extra` never is.

    Raises:
        LogRefusedError: `malformed-proof`.
    """
    head, _, checkpoint = text.partition("\n\n")
    lines = head.split("\n")
    if lines.pop(0) != _HEADER or not checkpoint or not lines:
        _refuse_file()
    extra = None
    if lines[0].startswith("extra "):
        extra = _from_base64(lines.pop(0).removeprefix("extra "))
    if not lines or not lines[0].startswith("index "):
        _refuse_file()
    index = lines.pop(0).removeprefix("index ")
    hashes = tuple(_from_base64(line) for line in lines[: MAX_HASHES + 1])
    if not _NUMBER.fullmatch(index) or len(lines) > MAX_HASHES or any(len(one) != HASH_BYTES for one in hashes):
        _refuse_file()
    return LogProof(index=int(index), hashes=hashes, checkpoint=checkpoint, extra=extra)


def _split(size: int) -> int:
    """Give the largest power of two below `size`: where RFC 6962 cuts a tree."""
    return 1 << ((size - 1).bit_length() - 1)


def _inclusion_ranges(index: int, size: int) -> tuple[_Range, ...]:
    if not 0 <= index < size:
        message = "the index is not below the size"
        raise ValueError(message)
    made: list[_Range] = []
    begin, end = 0, size
    while end - begin > 1:
        middle = begin + _split(end - begin)
        if index < middle:
            made.append((middle, end))
            end = middle
        else:
            made.append((begin, middle))
            begin = middle
    return tuple(reversed(made))


def _consistency_ranges(old: int, new: int) -> tuple[_Range, ...]:
    if not 0 <= old <= new:
        message = "the old size is larger than the new"
        raise ValueError(message)
    if old in {0, new}:
        return ()
    made: list[_Range] = []
    begin, end = 0, new
    while end != old:
        middle = begin + _split(end - begin)
        if old <= middle:
            made.append((middle, end))
            end = middle
        else:
            made.append((begin, middle))
            begin = middle
    if begin:
        made.append((begin, end))
    return tuple(reversed(made))


def _places(ranges: Sequence[_Range]) -> tuple[Place, ...]:
    return tuple(chain.from_iterable(cover(begin, end) for begin, end in ranges))


def _subroot(begin: int, end: int, node: NodeSource) -> bytes:
    """Hash the leaves `[begin, end)` from full subtrees; only the right edge of a tree has more than one."""
    *left, last = (node(level, index) for level, index in cover(begin, end))
    for each in reversed(left):
        last = node_hash(each, last)
    return last


def _walk_consistency(old: int, old_root: bytes, new: int, new_root: bytes, proof: Sequence[bytes]) -> None:
    path = list(proof)
    if not path:
        _refuse()
    if old & (old - 1) == 0:
        path.insert(0, old_root)
    first, last = old - 1, new - 1
    while first % 2:
        first, last = first // 2, last // 2
    old_made = new_made = path[0]
    for sibling in path[1:]:
        if last == 0:
            _refuse()
        if first % 2 or first == last:
            old_made, new_made = node_hash(sibling, old_made), node_hash(sibling, new_made)
            while first % 2 == 0 and first:
                first, last = first // 2, last // 2
        else:
            new_made = node_hash(new_made, sibling)
        first, last = first // 2, last // 2
    if last or old_made != old_root or new_made != new_root:
        _refuse()


def _require_hashes(proof: Sequence[bytes]) -> None:
    if len(proof) > MAX_HASHES + 1 or any(len(each) != HASH_BYTES for each in proof):
        _refuse()


def _refuse() -> NoReturn:
    raise LogRefusedError("bad-proof")


def _refuse_file() -> NoReturn:
    raise LogRefusedError("malformed-proof")


def _base64(raw: bytes) -> str:
    return base64.b64encode(raw).decode("ascii")


def _from_base64(text: str) -> bytes:
    try:
        raw = binascii.a2b_base64(text.encode("ascii"), strict_mode=True)
    except ValueError:
        _refuse_file()
    if _base64(raw) != text or len(raw) > MAX_EXTRA:
        _refuse_file()
    return raw
