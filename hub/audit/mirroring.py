# SPDX-License-Identifier: Apache-2.0
"""The officer's mirror of the log: a folder in the layout of C2SP tlog-tiles, filled bit by bit, and read back.

`checkpoint`, `tile/0/…` (leaf hashes) and `tile/entries/…` (each entry behind its length in two bytes). An entry
that was erased is empty there; its leaf hash stays. The mirror is never made shorter: one that is ahead of the
database says that the database is an older one.
"""

import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final, NamedTuple

import sqlalchemy as sa
from sqlalchemy.orm import Session

from consent import wire
from consent.calendar import moment
from consent.errors import TsunagiError
from consent.tlog import notes, tree
from consent.tlog.tree import HASH_BYTES, Node
from hub.audit import proving, reads, tables
from hub.audit.reads import TILE_HEIGHT, TILE_WIDTH, Checkpoint
from hub.audit.sequencer import LOCK, Signer

_CHECKPOINT: Final = "checkpoint"
_ERASED: Final = "erased"
_LENGTH_BYTES: Final = 2


class MirrorError(Exception):
    """The mirror cannot be written or read: `mirror-ahead`, `mirror-broken`, `mirror-shorter`, `mirror-differs`."""

    def __init__(self, code: str, place: int = 0) -> None:
        super().__init__(f"{code} at {place}")
        self.code = code
        self.place = place


class _Leaf(NamedTuple):
    body: bytes
    hash: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Refilled:
    """What came back from a mirror: from which index to which size, and how many of each kind."""

    first: int
    size: int
    kinds: dict[str, int]


def write(session: Session, folder: Path, signer: Signer) -> int:
    """Bring the mirror up to the newest checkpoint; return its size.

    Raises:
        MirrorError: `mirror-ahead`, it holds more than the database; `mirror-broken`. OSError: the folder cannot be
            written.
    """
    newest = reads.checkpoint(session)
    if newest is None:
        return 0
    have = _agreed(session, folder, signer, newest)
    for number in range(have // TILE_WIDTH, -(-newest.size // TILE_WIDTH)):
        _write_bundle(session, folder, number, newest.size)
    _erase(session, folder, newest.size)
    _put(folder / _CHECKPOINT, reads.with_cosignatures(session, newest).write().encode())
    return newest.size


def refill(session: Session, folder: Path, signer: Signer) -> Refilled:
    """Put back the entries that the database lost, after proving that the mirror is what the hub signed.

    Entries that wait in the database and are in the mirror already are not logged a second time.

    Raises:
        MirrorError: `mirror-broken`; `mirror-shorter`, nothing would come back; `mirror-differs`, with the size:
            what lies in the database is no beginning of it. LogDamagedError: the database itself is not whole.
    """
    session.execute(sa.select(sa.func.pg_advisory_xact_lock(LOCK)))
    note, signed = _signed(folder, signer)
    last = reads.checkpoint(session)
    size = 0 if last is None else last.size
    if signed.size <= size:
        raise MirrorError("mirror-shorter", signed.size)
    frontier, at = proving.frontier(session, size), None if last is None else last.made_at
    rows: list[dict[str, Any]] = []
    for index, leaf in _leaves(folder, size, signed.size):
        rows.append(_row(index, leaf, at))
        at = rows[-1]["logged_at"]
        frontier, grown = frontier.extend([leaf.hash])
        _store_hashes(session, grown)
    if frontier.root() != signed.root:
        raise MirrorError("mirror-differs", signed.size)
    session.execute(sa.insert(tables.log_entries), rows)
    ids, kinds = [row["id"] for row in rows], Counter(row["kind"] for row in rows)
    session.execute(sa.delete(tables.audit_pending).where(tables.audit_pending.c.id.in_(ids)))
    session.execute(sa.insert(tables.log_checkpoints).values(size=signed.size, root=signed.root, note=note, made_at=at))
    return Refilled(first=size, size=signed.size, kinds=dict(kinds))


def _signed(folder: Path, signer: Signer) -> tuple[str, notes.Checkpoint]:
    """Read the mirror's checkpoint, which our own key must have signed, and give it without cosignatures."""
    try:
        text = (folder / _CHECKPOINT).read_text(encoding="utf-8")
        signed = notes.open_checkpoint(text, signer.verifier)
    except (OSError, UnicodeDecodeError, TsunagiError):
        raise MirrorError("mirror-broken") from None
    own = signer.verifier
    note = notes.read_note(text)
    lines = tuple(line for line in note.signatures if (line.name, line.key_id) == (own.name, own.key_id))
    return notes.Note(note.text, lines).write(), signed


def _agreed(session: Session, folder: Path, signer: Signer, newest: Checkpoint) -> int:
    """Tell how much the mirror holds, having made sure that it is the beginning of what the database holds."""
    if not (folder / _CHECKPOINT).exists():
        return 0
    have = _signed(folder, signer)[1]
    if have.size > newest.size:
        raise MirrorError("mirror-ahead", have.size)
    if proving.frontier(session, have.size).root() != have.root:
        raise MirrorError("mirror-differs", have.size)
    return have.size


def _write_bundle(session: Session, folder: Path, number: int, size: int) -> None:
    first = number * TILE_WIDTH
    width = min(TILE_WIDTH, size - first)
    stored = [*reads.stored_bodies(session, first, first + width)]
    if [index for index, _, _ in stored] != list(range(first, first + width)):
        raise reads.LogDamagedError("entry-missing", first)
    entries = b"".join(len(body or b"").to_bytes(_LENGTH_BYTES) + (body or b"") for _, body, _ in stored)
    name = _number(number) + ("" if width == TILE_WIDTH else f".p/{width}")
    _put(folder / "tile" / "entries" / name, entries)
    _put(folder / "tile" / "0" / name, b"".join(leaf for _, _, leaf in stored))


def _erase(session: Session, folder: Path, size: int) -> None:
    """Write the bundles anew that hold entries erased since: their bytes go from the mirror too."""
    list_ = folder / _ERASED
    known = set(list_.read_text(encoding="ascii").split()) if list_.exists() else set()
    fresh = {one.id: one.indexes for one in reads.erasures(session) if one.erased_at and one.id not in known}
    for number in sorted({index // TILE_WIDTH for indexes in fresh.values() for index in indexes}):
        _write_bundle(session, folder, number, size)
    if fresh:
        _put(list_, "\n".join(sorted({*known, *fresh})).encode("ascii"))


def _leaves(folder: Path, first: int, size: int) -> Iterator[tuple[int, _Leaf]]:
    for number in range(first // TILE_WIDTH, -(-size // TILE_WIDTH)):
        width = min(TILE_WIDTH, size - number * TILE_WIDTH)
        name = _number(number) + ("" if width == TILE_WIDTH else f".p/{width}")
        try:
            entries = (folder / "tile" / "entries" / name).read_bytes()
            hashes = (folder / "tile" / "0" / name).read_bytes()
        except OSError:
            raise MirrorError("mirror-broken", number * TILE_WIDTH) from None
        place = 0
        for at in range(width):
            index = number * TILE_WIDTH + at
            length = int.from_bytes(entries[place : place + _LENGTH_BYTES])
            body = entries[place + _LENGTH_BYTES : place + _LENGTH_BYTES + length]
            place += _LENGTH_BYTES + length
            stored = hashes[at * HASH_BYTES : (at + 1) * HASH_BYTES]
            leaf = stored if not length else tree.leaf_hash(body)
            if place > len(entries) or len(body) != length or leaf != stored:
                raise MirrorError("mirror-broken", index)
            if index >= first:
                yield index, _Leaf(body, leaf)


def _row(index: int, leaf: _Leaf, before: datetime | None) -> dict[str, Any]:
    """Make the row of an entry from its bytes; when it was logged is not in them, so it is when it was written."""
    try:
        said = wire.parse(leaf.body)
        at = moment(said["at"])
    except (TsunagiError, KeyError, TypeError, ValueError):
        raise MirrorError("mirror-broken", index) from None
    return {
        "index": index,
        "id": said["id"],
        "kind": said["kind"],
        "parties": said["parties"],
        "case_handle": said["case"],
        "body": leaf.body,
        "logged_at": at if before is None else max(at, before),
    }


def _store_hashes(session: Session, grown: tuple[Node, ...]) -> None:
    rows = [
        {"level": node.level // TILE_HEIGHT, "index": node.index, "hash": node.hash}
        for node in grown
        if node.level % TILE_HEIGHT == 0
    ]
    session.execute(sa.insert(tables.log_hashes), rows)


def _number(number: int) -> str:
    """Write a tile's number as C2SP tlog-tiles does: 1234067 is x001/x234/067."""
    groups = [f"{number % 1000:03d}"]
    while number := number // 1000:
        groups.insert(0, f"x{number % 1000:03d}")
    return "/".join(groups)


def _put(path: Path, content: bytes) -> None:
    """Write beside and rename, on the disk before the checkpoint that speaks of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.new")
    with beside.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)
