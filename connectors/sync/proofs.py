# SPDX-License-Identifier: Apache-2.0
"""Believe the audit log on proof alone: the hub's keys pinned at first sight, each checkpoint a later state of one log.

A message is opened, and a key is taken, only when its entry is proved to be in the log (audit-log 4, protocol §3). A
hub that rewrites its log, or shows us another one than before, is found out at the next proof.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from functools import cache
from typing import Any, Final

from sqlalchemy import Connection

from connectors.base.errors import ConnectorError
from connectors.casebook import marks
from connectors.sdk.answers import HubKeys
from connectors.sdk.problems import ProblemError
from connectors.sdk.reading import read
from connectors.sync.station import NOT_FOUND, Station
from consent import receipts, wire
from consent.errors import TsunagiError
from consent.jwk import KeyUse, PublicKey
from consent.receipts import AcceptedRecord
from consent.tlog import notes, proofs, tree
from consent.tlog.notes import Checkpoint, Verifier
from consent.wire import write_moment

_KEYS: Final = "hub-keys"
_CHECKPOINT: Final = "log-checkpoint"
_NOTE: Final = "log-checkpoint-note"
_FORK: Final = "log-fork"
_TILE_HEIGHT: Final = 8
_TILE_WIDTH: Final = 1 << _TILE_HEIGHT


@dataclass(frozen=True, slots=True, kw_only=True)
class Pinned:
    """The hub's keys as first seen: of its log, and of its receipts."""

    log: Verifier
    receipt: PublicKey


@dataclass(frozen=True, slots=True, kw_only=True)
class Disclosure:
    """A proved entry of the log about one message: its text and the tlog-proof, to be kept together."""

    entry: str
    proof: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Fork:
    """Two checkpoints that the hub's log signed and that are not of one log; `seen` was the newest known before."""

    seen: str | None
    shown: str
    at: str


def pinned(station: Station) -> Pinned:
    """Give the hub's keys, pinning them the first time.

    *Raises* `ConnectorError("proof-bad")`: they are no keys.
    """
    with station.casebook.transaction() as connection:
        known = marks.recall(connection, _KEYS)
    if known is None:
        known = json.dumps(asdict(station.hub.hub_keys()))
        with station.casebook.transaction() as connection:
            marks.remember(connection, _KEYS, known)
    return _pinned(known)


def pinned_here(connection: Connection) -> Pinned | None:
    """Give the hub's keys as they were first seen, without asking the hub; none where nothing was pinned yet."""
    known = marks.recall(connection, _KEYS)
    return None if known is None else _pinned(known)


def _pinned(known: str) -> Pinned:
    shown = read(HubKeys, json.loads(known))
    try:
        return Pinned(log=Verifier.read(shown.log), receipt=PublicKey.from_jwk(shown.receipt, KeyUse.SIG))
    except TsunagiError:
        raise ConnectorError("proof-bad") from None


def check_pins(station: Station) -> None:
    """Compare the pinned keys with those the hub shows now.

    *Raises* `ConnectorError("hub-keys-changed")`: an operator must say on the telephone whether that is meant.
    """
    pinned(station)
    with station.casebook.transaction() as connection:
        known = marks.recall(connection, _KEYS)
    if known != json.dumps(asdict(station.hub.hub_keys())):
        raise ConnectorError("hub-keys-changed")


def read_receipt(station: Station, token: str) -> AcceptedRecord:
    """Verify the hub's signed word that it took a message.

    *Raises* `ConnectorError`: `proof-bad`, `hub-keys-changed`.
    """
    try:
        return receipts.read_statement(token, AcceptedRecord, pinned(station).receipt)
    except TsunagiError:
        raise _not_believed(station) from None


def prove_disclosure(station: Station, record: AcceptedRecord) -> Disclosure:
    """Prove that the disclosure a receipt speaks of is in the log.

    *Raises* `ConnectorError`: `proof-missing`, it is not there yet; `proof-bad`; `log-forked`. `HubAwayError`.
    """
    try:
        shown = station.hub.log_entry(record.entry)
    except ProblemError as problem:
        if problem.status != NOT_FOUND:
            raise
        raise ConnectorError("proof-missing") from None
    entry = verify_entry(station, shown.entry, shown.proof)
    about = (entry.get("id"), entry.get("kind"), facts_of(entry).get("manifest"))
    if about != (record.entry, "message:accepted", record.manifest):
        raise ConnectorError("proof-bad")
    return Disclosure(entry=shown.entry, proof=shown.proof)


def verify_entry(station: Station, entry: str, proof: str) -> dict[str, Any]:
    """Verify that an entry is in the log as we know it, and give its members.

    *Raises* `ConnectorError`: `proof-bad`, `hub-keys-changed`, `log-forked`. `HubAwayError`.
    """
    log = pinned(station).log
    try:
        shown = proofs.read_proof(proof)
        checkpoint = notes.open_checkpoint(shown.checkpoint, log)
        leaf = tree.leaf_hash(entry.encode())
        proofs.verify_inclusion(leaf, index=shown.index, size=checkpoint.size, proof=shown.hashes, root=checkpoint.root)
        members = wire.parse(entry)
    except TsunagiError:
        raise _not_believed(station) from None
    follow(station, checkpoint, shown.checkpoint)
    return members


def follow(station: Station, checkpoint: Checkpoint, note: str) -> None:
    """Make sure that a checkpoint and the newest one seen so far are of one log that only grows; remember the larger.

    `note` is the checkpoint as the log signed it, already verified. Where the two do not go together both are kept, for
    the data protection officer (`forked`).

    *Raises* `ConnectorError("log-forked")`: one is not the beginning of the other, or the log is shorter than it was
    (LOG-09). `HubAwayError`.
    """
    seen = _seen(station)
    if seen is None:
        return _remember(station, checkpoint, note)
    if seen == checkpoint:  # as for every key of a directory: nothing to ask, and nothing to write to the disk
        return None
    try:
        _require_one_log(station, seen, checkpoint)
    except ConnectorError as refused:
        if refused.code == "log-forked":
            _accuse(station, note)
        raise
    return _remember(station, checkpoint, note) if checkpoint.size >= seen.size else None


def _require_one_log(station: Station, seen: Checkpoint, shown: Checkpoint) -> None:
    if shown.size >= seen.size:
        return _require_consistent(station, seen, shown)
    # an answer that was on its way for long is no shorter log; one that is shorter now is
    if _newest(station).size < seen.size:
        raise ConnectorError("log-forked")
    return _require_consistent(station, shown, seen)


def forked(connection: Connection) -> Fork | None:
    """Give the two notes of a log that was found to be two, the first pair that was seen; none where all is well."""
    known = marks.recall(connection, _FORK)
    return None if known is None else read(Fork, json.loads(known))


def _accuse(station: Station, note: str) -> None:
    with station.casebook.transaction() as connection:
        if marks.recall(connection, _FORK) is None:
            fork = Fork(seen=marks.recall(connection, _NOTE), shown=note, at=write_moment(station.now()))
            marks.remember(connection, _FORK, json.dumps(asdict(fork)))


def _newest(station: Station) -> Checkpoint:
    try:
        return notes.open_checkpoint(station.hub.checkpoint(), pinned(station).log)
    except TsunagiError:
        raise ConnectorError("proof-bad") from None


def _remember(station: Station, checkpoint: Checkpoint, note: str) -> None:
    with station.casebook.transaction() as connection:
        marks.remember(connection, _CHECKPOINT, checkpoint.text())
        marks.remember(connection, _NOTE, note)


def _require_consistent(station: Station, older: Checkpoint, newer: Checkpoint) -> None:
    """Build the proof of consistency from the hub's tiles; whatever they hold, only true ones lead to both roots."""
    tile_of = cache(station.hub.log_tile)

    def node(level: int, index: int) -> bytes:
        tile_level, height = divmod(level, _TILE_HEIGHT)
        first, count = index << height, 1 << height
        width = min(_TILE_WIDTH, (newer.size >> (_TILE_HEIGHT * tile_level)) - (first // _TILE_WIDTH) * _TILE_WIDTH)
        tile = tile_of(tile_level, first // _TILE_WIDTH, width)
        start = first % _TILE_WIDTH
        places = range(start, start + count)
        return tree.root([tile[place * tree.HASH_BYTES : (place + 1) * tree.HASH_BYTES] for place in places])

    try:
        path = proofs.consistency(older.size, newer.size, node)
        proofs.verify_consistency(old=older.size, old_root=older.root, new=newer.size, new_root=newer.root, proof=path)
    except TsunagiError:
        raise ConnectorError("log-forked") from None
    except ProblemError as problem:
        if problem.status != NOT_FOUND:
            raise
        raise ConnectorError("log-forked") from None


def _seen(station: Station) -> Checkpoint | None:
    with station.casebook.transaction() as connection:
        text = marks.recall(connection, _CHECKPOINT)
    return None if text is None else notes.read_checkpoint(notes.Note(text, ()))


def _not_believed(station: Station) -> ConnectorError:
    """Say why a proof does not hold: the hub signs with other keys now, or something worse."""
    try:
        check_pins(station)
    except ConnectorError as error:
        return error
    return ConnectorError("proof-bad")


def facts_of(entry: dict[str, Any]) -> dict[str, Any]:
    """Give the facts of an entry of the log."""
    facts = entry.get("facts")
    return facts if isinstance(facts, dict) else {}
