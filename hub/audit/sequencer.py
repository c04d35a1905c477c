# SPDX-License-Identifier: Apache-2.0
"""Give pending entries their place: dense indexes, the tree over them, a signed checkpoint, in one
transaction.

Before it signs, the sequencer makes sure that what is stored still leads to the root that it signed last: a
log that was edited, cut off or restored from an older state is refused, not continued (audit-log: known
traps). Rows are taken by their being there, never by "larger than the last one I saw", because commits
overtake each other.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple

import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy.orm import Session

from consent.errors import LogRefusedError
from consent.jwk import PrivateKey
from consent.tlog import notes, tree
from consent.tlog.tree import Frontier, Node
from hub.audit import proving, reads, rules, tables
from hub.audit.reads import STRETCH, TILE_HEIGHT, Checkpoint, LogDamagedError

Progress = Callable[[int, int], None]
BATCH: Final = 2000
_ERASED: Final = f'"kind":"{rules.AuditKind.LOG_ERASED}"'.encode()
LOCK: Final = 0x7473_6E6C_6F67
"""The advisory lock of the one that works; the number spells "tsnlog"."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Signer:
    """Who signs checkpoints: the log's name (its origin line) and the hub's `log` key."""

    origin: str
    key: PrivateKey

    @property
    def native(self) -> Ed25519PrivateKey:
        """The key as notes are signed with it."""
        if not isinstance(self.key.native, Ed25519PrivateKey):
            raise TypeError("log-key-not-ed25519")
        return self.key.native

    @property
    def verifier(self) -> notes.Verifier:
        """What others verify the log's notes with."""
        return notes.Verifier(self.origin, self.native.public_key())


class _Pending(NamedTuple):
    id: str
    kind: str
    parties: Sequence[str]
    case_handle: str | None
    body: bytes


def sequence(session: Session, signer: Signer, *, now: datetime) -> int | None:
    """Put up to 2,000 pending entries into the log and sign the tree; return how many, or None if another is
    at it.

    The order is that of arrival: who held a lock first wrote first. Times do not go back, whatever the clock
    does.

    Raises:
        LogDamagedError: what is stored is not what was signed; nothing was written.
    """
    if not session.execute(sa.select(sa.func.pg_try_advisory_xact_lock(LOCK))).scalar_one():
        return None
    pending = _take(session)
    last = reads.checkpoint(session)
    if last is not None and not pending:
        return 0
    frontier = _continue(session, signer, last)
    at = now if last is None else max(now, last.made_at)
    if pending:
        _store(session, pending, first=frontier.size, at=at)
        frontier, grown = frontier.extend(tree.leaf_hash(one.body) for one in pending)
        _store_hashes(session, grown)
    _sign(session, signer, frontier, at)
    return len(pending)


def begin(session: Session, signer: Signer, *, now: datetime) -> None:
    """Sign the empty tree where nothing was ever signed, so that witnesses can be asked before anything is logged."""
    free = session.execute(sa.select(sa.func.pg_try_advisory_xact_lock(LOCK))).scalar_one()
    if free and reads.checkpoint(session) is None:
        _sign(session, signer, _continue(session, signer, None), now)


def verify(session: Session, signer: Signer, *, progress: Progress = lambda _looked, _size: None) -> int:
    """Hash every entry as stored and compare with every hash and checkpoint; return the size that was found
    sound. *progress* is told every few thousand entries how many were hashed, of how many.

    Raises:
        LogDamagedError: something was changed, removed or put in; it says what and where.
    """
    last = reads.checkpoint(session)
    _continue(session, signer, last)
    if last is None:
        return 0
    signed = reads.roots(session)
    size, root = next(signed)
    frontier, upper, gone = Frontier(), _Upper(), _Gone()
    for index, body, stored in reads.bodies(session, last.size):
        if index != frontier.size:
            raise LogDamagedError("entry-missing", frontier.size)
        leaf = stored if body is None else tree.leaf_hash(body)
        if leaf != stored:
            raise LogDamagedError("entry-changed", index)
        gone.see(index, body)
        if size == frontier.size:
            _agree(frontier, root)
            size, root = next(signed)
        frontier, grown = frontier.extend([leaf])
        upper.add(grown)
        if frontier.size % STRETCH == 0:
            progress(frontier.size, last.size)
    if frontier.size != last.size:
        raise LogDamagedError("entry-missing", frontier.size)
    _agree(frontier, last.root)
    upper.compare(session)
    gone.compare()
    return last.size


class _Gone:
    """The entries without bytes, and those of which a tombstone in the log says so: no other may be without."""

    def __init__(self) -> None:
        self._empty: list[int] = []
        self._named: set[int] = set()

    def see(self, index: int, body: bytes | None) -> None:
        if body is None:
            self._empty.append(index)
        elif _ERASED in body:
            self._named |= rules.erased_by(body)

    def compare(self) -> None:
        unsaid = [index for index in self._empty if index not in self._named]
        if unsaid:
            raise LogDamagedError("entry-missing", unsaid[0])


class _Upper:
    """The hashes above the leaves that a sound log has stored, by tile level."""

    def __init__(self) -> None:
        self._hashes: dict[int, list[bytes]] = {}

    def add(self, grown: Iterable[Node]) -> None:
        for node in grown:
            if node.level and node.level % TILE_HEIGHT == 0:
                self._hashes.setdefault(node.level // TILE_HEIGHT, []).append(node.hash)

    def compare(self, session: Session) -> None:
        for level, hashes in self._hashes.items():
            for index, stored in enumerate(reads.stored_hashes(session, level, len(hashes))):
                if stored != hashes[index]:
                    raise LogDamagedError("hash-changed", index << (TILE_HEIGHT * level))


def _take(session: Session) -> list[_Pending]:
    """Remove the oldest pending rows and return them in the order of arrival."""
    table = tables.audit_pending.c
    oldest = sa.select(table.id).order_by(table.arrival).limit(BATCH)
    rows = session.execute(
        sa.delete(tables.audit_pending)
        .where(table.id.in_(oldest))
        .returning(table.arrival, table.id, table.kind, table.parties, table.case_handle, table.body)
    )
    return [_Pending(*row[1:]) for row in sorted(rows, key=lambda row: row.arrival)]


def _continue(session: Session, signer: Signer, last: Checkpoint | None) -> Frontier:
    """Return the tree's right edge, having made sure that it is the one that was signed."""
    size = 0 if last is None else last.size
    if reads.logged(session) != size:
        raise LogDamagedError("size-differs", size)
    frontier = proving.frontier(session, size)
    if last is not None:
        _agree(frontier, last.root)
        _check_note(signer, last)
    return frontier


def _agree(frontier: Frontier, root: bytes) -> None:
    if frontier.root() != root:
        raise LogDamagedError("root-differs", frontier.size)


def _check_note(signer: Signer, last: Checkpoint) -> None:
    """Make sure that the newest checkpoint is ours and says what its row says."""
    try:
        signed = notes.open_checkpoint(last.note, signer.verifier)
    except LogRefusedError as error:
        raise LogDamagedError("note-not-ours", last.size) from error
    if (signed.size, signed.root) != (last.size, last.root):
        raise LogDamagedError("note-differs", last.size)


def _store(session: Session, pending: Sequence[_Pending], *, first: int, at: datetime) -> None:
    rows = [{"index": first + place, "logged_at": at, **one._asdict()} for place, one in enumerate(pending)]
    session.execute(sa.insert(tables.log_entries), rows)


def _store_hashes(session: Session, grown: Iterable[Node]) -> None:
    rows = [
        {"level": node.level // TILE_HEIGHT, "index": node.index, "hash": node.hash}
        for node in grown
        if node.level % TILE_HEIGHT == 0
    ]
    session.execute(sa.insert(tables.log_hashes), rows)


def _sign(session: Session, signer: Signer, frontier: Frontier, at: datetime) -> None:
    signed = notes.Checkpoint(origin=signer.origin, size=frontier.size, root=frontier.root())
    note = notes.sign_checkpoint(signed, signer.native).write()
    session.execute(sa.insert(tables.log_checkpoints).values(size=signed.size, root=signed.root, note=note, made_at=at))
