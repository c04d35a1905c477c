# SPDX-License-Identifier: Apache-2.0
"""Read the log: the newest checkpoint, tiles, entries of a party. What is proved from it: `proving`."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy.orm import Session

from consent.tlog import notes
from hub.audit import rules, tables
from hub.base import hubkeys

TILE_HEIGHT: Final = 8
TILE_WIDTH: Final = 1 << TILE_HEIGHT
STRETCH: Final = 5000


class LogDamagedError(Exception):
    """The log as stored is not the log that was signed; nothing may be signed until people have looked.

    `code` says what disagrees, `place` is the index or size where, so that the officer can look there.
    """

    def __init__(self, code: str, place: int) -> None:
        super().__init__(f"{code} at {place}")
        self.code = code
        self.place = place


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """A tree size, its root and the signed note that says so (C2SP tlog-checkpoint)."""

    size: int
    root: bytes
    note: str
    made_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedEntry:
    """An entry where it stands in the log; `body` is the bytes whose leaf hash is in the tree."""

    index: int
    id: str
    body: bytes
    logged_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovery:
    """Why the log is being recovered: `who` (a witness or the mirror) saw `size`; `code`: `ahead` or `differs`."""

    code: str
    who: str
    size: int
    begun_at: datetime


def verifier(session: Session) -> notes.Verifier:
    """Give the name and key that checkpoints are verified with."""
    native = hubkeys.log_key(session).native
    if not isinstance(native, Ed25519PublicKey):
        raise TypeError("log-key-not-ed25519")
    return notes.Verifier(rules.origin(hubkeys.receipts(session).hub), native)


def receipt_key(session: Session) -> dict[str, str]:
    """Give the public JWK that the hub's receipts are verified with."""
    return hubkeys.receipts(session).key.public.jwk()


def checkpoint(session: Session) -> Checkpoint | None:
    """Return the newest checkpoint; None before the sequencer's first pass."""
    query = sa.select(tables.log_checkpoints).order_by(tables.log_checkpoints.c.size.desc()).limit(1)
    row = session.execute(query).one_or_none()
    if row is None:
        return None
    return Checkpoint(size=row.size, root=row.root, note=row.note, made_at=row.made_at)


def witnessed(session: Session) -> Checkpoint | None:
    """Return the newest checkpoint that enough witnesses cosigned, its note with all their lines; None if none."""
    best = sa.select(sa.func.max(tables.log_quorums.c.size)).scalar_subquery()
    row = session.execute(sa.select(tables.log_checkpoints).where(tables.log_checkpoints.c.size == best)).one_or_none()
    if row is None:
        return None
    found = Checkpoint(size=row.size, root=row.root, note=row.note, made_at=row.made_at)
    return replace(found, note=with_cosignatures(session, found).write())


def with_cosignatures(session: Session, checkpoint: Checkpoint) -> notes.Note:
    """Return a checkpoint's note with the lines of the witnesses that cosigned it, as they are stored."""
    table = tables.log_cosignatures.c
    lines = session.execute(sa.select(table.line).where(table.size == checkpoint.size).order_by(table.witness))
    return notes.read_note(checkpoint.note + "".join(lines.scalars()))


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What a witness, named as its key is, said last: what came of the asking, and what it cosigned when."""

    witness: str
    code: str
    size: int
    asked_at: datetime
    agreed_at: datetime | None


def standings(session: Session) -> tuple[Standing, ...]:
    """Return how each witness stands that was ever asked."""
    table = tables.log_witnesses
    return tuple(
        Standing(witness=row.witness, code=row.code, size=row.size, asked_at=row.asked_at, agreed_at=row.agreed_at)
        for row in session.execute(sa.select(table).order_by(table.c.witness))
    )


def recovery(session: Session) -> Recovery | None:
    """Return why nothing is written or signed; None as long as all is well."""
    table = tables.log_recovery.c
    row = session.execute(sa.select(table.code, table.who, table.size, table.begun_at)).one_or_none()
    return None if row is None else Recovery(code=row.code, who=row.who, size=row.size, begun_at=row.begun_at)


def tile(session: Session, *, level: int, number: int, width: int) -> bytes | None:
    """Return *width* hashes of the tile, 32 bytes each; None if the published tree has not that many there.

    Levels and numbers are those of C2SP tlog-tiles; nothing beyond the newest checkpoint is shown.
    """
    newest = checkpoint(session)
    first = number * TILE_WIDTH
    if newest is None or first + width > newest.size >> (TILE_HEIGHT * level):
        return None
    return b"".join(_stored(session, level, first, width))


def entries(
    session: Session, agency: str, *, after: int = -1, limit: int = 50, case: str | None = None
) -> tuple[LoggedEntry, ...]:
    """List entries that name *agency* as a party, in the order of the log, after the index *after*."""
    table = tables.log_entries.c
    query = (
        sa.select(table.index.label("place"), table.id, table.body, table.logged_at)
        .where(table.parties.contains([agency]), table.index > after, table.body.is_not(None))
        .order_by(table.index)
        .limit(limit)
    )
    if case is not None:
        query = query.where(table.case_handle == case)
    return tuple(_logged(row) for row in session.execute(query))


def entries_by_id(session: Session, agency: str, ids: Collection[str]) -> tuple[LoggedEntry, ...]:
    """Return the entries with those ids that name *agency* as a party and are in the log, in its order."""
    table = tables.log_entries.c
    query = (
        sa.select(table.index.label("place"), table.id, table.body, table.logged_at)
        .where(table.id.in_(ids), table.parties.contains([agency]), table.body.is_not(None))
        .order_by(table.index)
    )
    return tuple(_logged(row) for row in session.execute(query))


def entry(session: Session, agency: str, entry_id: str) -> LoggedEntry | None:
    """Return the entry with that id if *agency* is a party to it and it is in the log, else None."""
    table = tables.log_entries.c
    row = session.execute(
        sa.select(table.index.label("place"), table.id, table.body, table.logged_at).where(
            table.id == entry_id, table.parties.contains([agency]), table.body.is_not(None)
        )
    ).one_or_none()
    return None if row is None else _logged(row)


def bodies(session: Session, size: int) -> Iterator[tuple[int, bytes | None, bytes]]:
    """Give index, stored bytes (None: erased) and stored leaf hash of the first *size* entries, in order, a few
    thousand at a time.
    """
    for first in range(0, size, STRETCH):
        yield from stored_bodies(session, first, min(first + STRETCH, size))


def stored_bodies(session: Session, first: int, end: int) -> Iterator[tuple[int, bytes | None, bytes]]:
    """Give index, stored bytes (None: erased) and stored leaf hash of the entries from *first* to before *end*."""
    entry_of, hash_of = tables.log_entries.c, tables.log_hashes.c
    pairs = sa.join(
        tables.log_entries,
        tables.log_hashes,
        sa.and_(hash_of.level == 0, hash_of.index == entry_of.index),
    )
    query = (
        sa.select(entry_of.index.label("place"), entry_of.body, hash_of.hash)
        .select_from(pairs)
        .where(entry_of.index >= first, entry_of.index < end)
        .order_by(entry_of.index)
    )
    for row in session.execute(query).all():
        yield row.place, row.body, row.hash


@dataclass(frozen=True, slots=True, kw_only=True)
class Erasure:
    """Entries that two people ordered to be erased: on which ground, and when the bytes went (None: not yet)."""

    id: str
    ground: str
    indexes: tuple[int, ...]
    ordered_by: str
    ordered_at: datetime
    confirmed_by: str | None
    entry: str | None
    erased_at: datetime | None


def erasures(session: Session) -> tuple[Erasure, ...]:
    """Return every erasure that was ordered, oldest first."""
    table = tables.log_erasures
    return tuple(
        Erasure(
            id=row.id,
            ground=row.ground,
            indexes=tuple(row.indexes),
            ordered_by=row.ordered_by,
            ordered_at=row.ordered_at,
            confirmed_by=row.confirmed_by,
            entry=row.entry,
            erased_at=row.erased_at,
        )
        for row in session.execute(sa.select(table).order_by(table.c.ordered_at, table.c.id))
    )


def roots(session: Session) -> Iterator[tuple[int, bytes]]:
    """Give size and root of every checkpoint, smallest first, a few thousand at a time."""
    table = tables.log_checkpoints.c
    query = sa.select(table.size, table.root).order_by(table.size).limit(STRETCH)
    seen = -1
    while rows := session.execute(query.where(table.size > seen)).all():
        for row in rows:
            yield row.size, row.root
        seen = rows[-1].size


def stored_hashes(session: Session, level: int, count: int, *, first: int = 0) -> list[bytes]:
    """Return *count* stored hashes of that tile level, from the place *first* on.

    Raises:
        LogDamagedError: one is missing.
    """
    return _stored(session, level, first, count)


def stretch(session: Session, first: int, end: int) -> tuple[LoggedEntry, ...]:
    """Return the entries at [first, end), whoever they name, as far as this transaction may see them; of those
    that were erased the body is empty.

    Raises:
        LogDamagedError: one is missing.
    """
    table = tables.log_entries.c
    query = (
        sa.select(
            table.index.label("place"), table.id, sa.func.coalesce(table.body, b"").label("body"), table.logged_at
        )
        .where(table.index >= first, table.index < end)
        .order_by(table.index)
    )
    found = tuple(_logged(row) for row in session.execute(query))
    if len(found) != end - first:
        raise LogDamagedError("entry-missing", first)
    return found


def unsequenced(session: Session) -> int:
    """Return how many entries wait for their place in the log."""
    return session.execute(sa.select(sa.func.count(tables.audit_pending.c.arrival))).scalar_one()


def last_checkpoints(session: Session, count: int) -> tuple[Checkpoint, ...]:
    """Return the newest *count* checkpoints, newest first."""
    query = sa.select(tables.log_checkpoints).order_by(tables.log_checkpoints.c.size.desc()).limit(count)
    return tuple(
        Checkpoint(size=row.size, root=row.root, note=row.note, made_at=row.made_at) for row in session.execute(query)
    )


def checkpoints(
    session: Session, *, after: int = -1, until: int | None = None, limit: int | None = None
) -> tuple[Checkpoint, ...]:
    """Return the checkpoints of sizes in (after, until], smallest first, each with the cosignatures that came."""
    table, cosigned = tables.log_checkpoints.c, tables.log_cosignatures.c
    query = sa.select(tables.log_checkpoints).where(table.size > after).order_by(table.size).limit(limit)
    if until is not None:
        query = query.where(table.size <= until)
    rows = session.execute(query).all()
    lines: dict[int, str] = {}
    by_witness = sa.select(cosigned.size, cosigned.line).order_by(cosigned.size, cosigned.witness)
    for size, line in session.execute(by_witness.where(cosigned.size.in_([row.size for row in rows]))):
        lines[size] = lines.get(size, "") + line
    return tuple(
        Checkpoint(size=row.size, root=row.root, note=row.note + lines.get(row.size, ""), made_at=row.made_at)
        for row in rows
    )


def logged(session: Session) -> int:
    """Return how many entries the table holds, by its highest index."""
    highest = session.execute(sa.select(sa.func.max(tables.log_entries.c.index))).scalar_one()
    return 0 if highest is None else highest + 1


def _stored(session: Session, level: int, first: int, count: int) -> list[bytes]:
    table = tables.log_hashes.c
    query = (
        sa.select(table.hash)
        .where(table.level == level, table.index >= first, table.index < first + count)
        .order_by(table.index)
    )
    found = list(session.execute(query).scalars())
    if len(found) != count:
        raise LogDamagedError("hash-missing", first)
    return found


def _logged(row: sa.Row[*tuple[Any, ...]]) -> LoggedEntry:
    return LoggedEntry(index=row.place, id=row.id, body=row.body, logged_at=row.logged_at)
