# SPDX-License-Identifier: Apache-2.0
"""Walk along the leaves of a log: each entry against its leaf, the tree against every checkpoint and against what the
reader saw before.

The whole tree is built again from its leaves, so that every checkpoint is shown to be the beginning of the next one
without a proof. A root that does not agree says: between the last checkpoint that did and this one.
"""

from collections.abc import Callable, Iterable
from hashlib import sha256
from typing import Final

from consent import wire
from consent.errors import LogRefusedError, TsunagiError
from consent.evidence.bundle import Leaves
from consent.evidence.findings import Code, Findings
from consent.tlog import notes
from consent.tlog.tree import EMPTY_ROOT, HASH_BYTES, leaf_hash, node_hash

Quorum = Callable[[str], bool]
"""Says of a checkpoint's note whether enough witnesses cosigned it."""

_NODE: Final = b"\x01"
_TOMBSTONE: Final = b'"kind":"log:erased"'


class Walk:
    """The way along one log, from its first leaf on."""

    def __init__(
        self,
        log: notes.Verifier,
        known: Iterable[notes.Checkpoint],
        found: Findings,
        *,
        whole: bool,
        quorum: Quorum | None = None,
    ) -> None:
        """Begin before the first leaf. `known`: checkpoints that the reader has from elsewhere, already verified.

        `whole`: every entry must be there, because the bundle's holder may read them all. `quorum`: then enough
        witnesses must have cosigned the log up to its end.
        """
        self._whole = whole
        self._quorum = quorum
        self._log = log
        self._known = sorted(known, key=lambda one: one.size)
        self._found = found
        self._peaks: list[bytes] = []
        self._leaves = Leaves(0, b"")
        self._entry = -1
        self._absent: list[range] = []
        self._erased: set[int] = set()
        self._given = 0
        self._agreed = {Code.ROOT_DIFFERS: 0, Code.KNOWN_DIFFERS: 0}
        self._torn: set[Code] = set()
        self._witnessed = 0
        self.size = 0
        self.checkpoints = 0
        self.newest: notes.Checkpoint | None = None

    def leaves(self, line: Leaves) -> None:
        """Take the next leaf hashes; they must follow those before."""
        self._require_entries()
        self._grow(self._given)
        if line.first != self._given:
            self._found.add(Code.OUT_OF_ORDER, min(line.first, self._given))
        self._leaves = Leaves(self._given, line.hashes)
        self._given += len(line.hashes) // HASH_BYTES

    def entry(self, index: int, body: bytes) -> None:
        """Compare an entry's bytes with its leaf."""
        start = (index - self._leaves.first) * HASH_BYTES
        if index <= self._entry or not 0 <= start < len(self._leaves.hashes):
            self._found.add(Code.OUT_OF_ORDER, index)
            return
        if self._whole and index != self._entry + 1:
            self._absent.append(range(self._entry + 1, index))
        self._entry = index
        if _TOMBSTONE in body:
            self._erased |= _erased_by(body)
        if leaf_hash(body) != self._leaves.hashes[start : start + HASH_BYTES]:
            self._found.add(Code.LEAF_DIFFERS, index)

    def checkpoint(self, text: str) -> None:
        """Verify a checkpoint: the log's signature, its place, and the root over all leaves until there."""
        self.checkpoints += 1
        try:
            signed = notes.open_checkpoint(text, self._log)
        except LogRefusedError as error:
            self._found.add(Code.CHECKPOINT_BAD, max(self.size - 1, 0), last=max(self._given - 1, 0), about=error.code)
            return
        if signed.size < self.size or signed.size > self._given:
            # of a longer tree: its entries are not here; of a shorter one: it stands in the wrong place
            self._found.add(Code.ENTRY_MISSING if signed.size > self._given else Code.OUT_OF_ORDER, self._given)
            return
        self._grow(signed.size)
        self._agree(signed.root, Code.ROOT_DIFFERS)
        self.newest = signed
        if self._quorum is not None and self._quorum(text):
            self._witnessed = signed.size

    def end(self, size: int) -> None:
        """Say that nothing more comes; the bundle's head promised `size` leaves."""
        self._require_entries()
        self._miss()
        self._grow(self._given)
        if self._given != size:
            self._found.add(Code.ENTRY_MISSING, min(size, self._given), last=max(size, self._given) - 1)
        covered = 0 if self.newest is None else self.newest.size
        if covered < self._given:
            self._found.add(Code.NOT_COVERED, covered, last=self._given - 1)
        if self._quorum is not None and self._witnessed < self._given:
            self._found.add(Code.NO_QUORUM, self._witnessed, last=self._given - 1)
        for one in self._known:
            self._found.add(Code.LOG_SHORTER, self._given, last=max(one.size - 1, self._given))
        self._known = []

    def _miss(self) -> None:
        """Say which entries are not here, leaving out those whose tombstone is: two people had their bytes erased."""
        for absent in self._absent:
            first = absent.start
            for index in sorted(self._erased.intersection(absent)):
                if first < index:
                    self._found.add(Code.ENTRY_MISSING, first, last=index - 1)
                first = index + 1
            if first < absent.stop:
                self._found.add(Code.ENTRY_MISSING, first, last=absent.stop - 1)

    def _require_entries(self) -> None:
        """Say which of the entries so far did not come."""
        if self._whole and self._entry + 1 < self._given:
            self._absent.append(range(self._entry + 1, self._given))
            self._entry = self._given - 1

    def _grow(self, end: int) -> None:
        """Add leaves up to `end`, stopping where the reader knows a root."""
        while self._known and self._known[0].size <= end:
            one = self._known.pop(0)
            if one.size >= self.size:
                self._add(one.size)
                self._agree(one.root, Code.KNOWN_DIFFERS)
        self._add(end)

    def _add(self, end: int) -> None:
        peaks, hashes, first = self._peaks, self._leaves.hashes, self._leaves.first
        for place in range(self.size, end):
            start = (place - first) * HASH_BYTES
            node = hashes[start : start + HASH_BYTES]
            while place & 1:
                node = sha256(_NODE + peaks.pop() + node).digest()
                place >>= 1  # noqa: PLW2901 - up one level
            peaks.append(node)
        self.size = max(self.size, end)

    def _agree(self, root: bytes, code: Code) -> None:
        # the hub's own word and what was seen before are two witnesses: a fork agrees with the one alone
        if self._root() == root:
            self._agreed[code] = self.size
        elif code not in self._torn:
            # what follows a torn place cannot agree either
            self._torn.add(code)
            agreed = self._agreed[code]
            self._found.add(code, agreed, last=max(self.size - 1, agreed))

    def _root(self) -> bytes:
        if not self._peaks:
            return EMPTY_ROOT
        made = self._peaks[-1]
        for peak in reversed(self._peaks[:-1]):
            made = node_hash(peak, made)
        return made


def _erased_by(body: bytes) -> frozenset[int]:
    """Tell which entries a tombstone says were erased; one that cannot be read names none."""
    try:
        members = wire.parse(body)
        named = members["facts"]["indexes"] if members["kind"] == "log:erased" else ()
        return frozenset(index for index in named if isinstance(index, int))
    except (TsunagiError, KeyError, TypeError):
        return frozenset()
