# SPDX-License-Identifier: Apache-2.0
"""An audit log in memory: the same formats, tree and proofs as the hub's, every entry in it at once."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from connectors.sdk.answers import LogEntry
from connectors.sdk.log_calls import TILE_WIDTH
from consent.tlog import notes, proofs, tree
from consent.tlog.notes import Checkpoint, Verifier
from consent.tlog.proofs import LogProof


class MemoryLog:
    """Entries in their order, with the hashes of their tree worked out anew for each question."""

    def __init__(self, name: str) -> None:
        """Take the log's name (its origin line); the key is made here."""
        self._key = Ed25519PrivateKey.generate()
        self._name = name
        self.entries: list[tuple[LogEntry, Sequence[str]]] = []
        self.witnessed: str | None = None
        """The newest checkpoint that witnesses cosigned, as the hub would show it."""

    @property
    def verifier(self) -> str:
        """Give the verifier key as C2SP tools read it."""
        return Verifier(self._name, self._key.public_key()).text()

    def append(
        self, kind: str, entry_id: str, *, parties: Sequence[str], facts: Mapping[str, Any], at: datetime
    ) -> str:
        """Put an entry in; `parties` may read it. Gives its id."""
        members = {"v": 1, "id": entry_id, "kind": kind, "at": at.isoformat(), "facts": facts}
        text = json.dumps(members, sort_keys=True, separators=(",", ":"))
        entry = LogEntry(index=len(self.entries), id=entry_id, entry=text, logged_at=at)
        self.entries.append((entry, tuple(parties)))
        return entry_id

    def checkpoint(self) -> str:
        """Sign the tree as it is."""
        leaves = self._leaves()
        state = Checkpoint(origin=self._name, size=len(leaves), root=tree.root(leaves))
        return notes.sign_checkpoint(state, self._key).write()

    def proof(self, index: int) -> str:
        """Prove that the entry at an index is in the tree (a tlog-proof)."""
        leaves = self._leaves()

        def node(level: int, place: int) -> bytes:
            return tree.root(leaves[place << level : (place + 1) << level])

        hashes = proofs.inclusion(index, len(leaves), node)
        return proofs.write_proof(LogProof(index=index, hashes=hashes, checkpoint=self.checkpoint()))

    def tile(self, level: int, number: int, width: int) -> bytes:
        """Give hashes of the tree, 256 to a tile."""
        leaves, span = self._leaves(), TILE_WIDTH**level
        first = number * TILE_WIDTH
        return b"".join(tree.root(leaves[place * span : (place + 1) * span]) for place in range(first, first + width))

    def find(self, entry: str, agency: str) -> LogEntry | None:
        """Give an entry to one of its parties."""
        return next((one for one, parties in self.entries if one.id == entry and agency in parties), None)

    def _leaves(self) -> list[bytes]:
        return [tree.leaf_hash(entry.entry.encode()) for entry, _ in self.entries]
