# SPDX-License-Identifier: Apache-2.0
"""What the log looks like from outside. Checkpoints and tiles are C2SP's own formats and have no shape
here.
"""

from datetime import date, datetime
from typing import Annotated

from pydantic import Field

from consent import wire
from consent.tlog import proofs
from hub.audit.proving import Inclusion
from hub.audit.reads import Checkpoint, LoggedEntry
from hub.audit.service import Anchor, Anchored
from hub.web.paging import Page, PageQuery
from hub.web.shapes import Shape

CASE = r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"


class KeysShape(Shape):
    """What the hub's signatures are verified with: `log` as C2SP tools read it, `receipt` as a JWK.

    They come from the hub itself: compare them with what its operator told on paper before relying on them.
    """

    log: str
    receipt: dict[str, str]


class CheckpointQuery(PageQuery):
    """`?limit=&cursor=`."""


class CheckpointShape(Shape):
    """A signed state of the log: `note` is a C2SP signed note, with the cosignatures that came."""

    size: int
    note: str

    @classmethod
    def of(cls, made: Checkpoint) -> "CheckpointShape":
        """Show a checkpoint as it was signed."""
        return cls(size=made.size, note=made.note)


class CheckpointPage(Page[CheckpointShape]):
    """A page of checkpoints, smallest first."""


class EntryQuery(PageQuery):
    """`?limit=&cursor=&case=`: with `case` only the entries of that handle."""

    case: Annotated[str, Field(pattern=CASE)] | None = None


class EntryShape(Shape):
    """An entry in its place: its leaf hash is SHA-256 over 0x00 and the bytes of `entry`."""

    index: int
    id: str
    entry: str
    logged_at: datetime

    @classmethod
    def of(cls, logged: LoggedEntry) -> "EntryShape":
        """Show an entry with the very bytes that were hashed; they are ASCII."""
        return cls(index=logged.index, id=logged.id, entry=logged.body.decode("ascii"), logged_at=logged.logged_at)


class EntryPage(Page[EntryShape]):
    """A page of entries, in the order of the log."""


class ProofShape(Shape):
    """That the entry at `index` is in the log: `proof` is a C2SP tlog-proof, checkpoint included."""

    index: int
    size: int
    proof: str

    @classmethod
    def of(cls, found: Inclusion) -> "ProofShape":
        """Show an inclusion proof."""
        proof = proofs.LogProof(index=found.index, hashes=found.path, checkpoint=found.checkpoint.note)
        return cls(index=found.index, size=found.checkpoint.size, proof=proofs.write_proof(proof))


class ProvedEntryShape(EntryShape):
    """An entry and the proof that it is in the log."""

    proof: str


class NewAnchor(Shape):
    """The root (RFC 6962) over the lines of one past day of the agency's own access log, and how many lines."""

    day: Annotated[date, Field(ge=date(2020, 1, 1))]
    root: wire.Digest
    count: Annotated[int, Field(ge=1, le=2**53 - 1)]

    def anchor(self) -> Anchor:
        """Give it as the service takes it."""
        return Anchor(day=self.day, root=self.root, count=self.count)


class AnchorShape(Shape):
    """An anchor and the entry of the log that holds it."""

    day: date
    root: str
    count: int
    entry: str
    anchored_at: datetime

    @classmethod
    def of(cls, made: Anchored) -> "AnchorShape":
        """Show an anchor."""
        said = made.anchor
        return cls(day=said.day, root=said.root, count=said.count, entry=made.entry, anchored_at=made.anchored_at)
