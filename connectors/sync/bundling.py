# SPDX-License-Identifier: Apache-2.0
"""Write this agency's bundle of evidence (docs/evidence.md): its own entries with what was signed about them, all leaf
hashes, every checkpoint, and the keys of those it deals with.

Nothing is believed on the way: whoever reads the bundle verifies it. One page of entries and one tile at a time.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO, Final, Generic, TypeVar

from connectors.base.errors import ConnectorError
from connectors.sdk.answers import Evidence
from connectors.sync import proofs
from connectors.sync.station import Station
from consent.errors import TsunagiError
from consent.evidence.bundle import WIDTH, Head, Told, Writer
from consent.tlog import notes
from consent.tlog.proofs import read_proof

Shown = TypeVar("Shown")

_SIGNATURES: Final = ("by_self", "by_previous", "by_root")
_LEVEL: Final = 0


def write(station: Station, out: BinaryIO) -> int:
    """Write the bundle as of the newest checkpoint and return how many entries of ours are in it.

    *Raises* `ConnectorError`: `proof-bad`, `hub-keys-changed`, `log-forked`. `HubAwayError`.
    """
    pinned = proofs.pinned(station)
    try:
        note = station.hub.checkpoint()
        newest = notes.open_checkpoint(note, pinned.log)
    except TsunagiError:
        raise ConnectorError("proof-bad") from None
    proofs.follow(station, newest, note)
    head = Head(
        holder=station.agency,
        log=pinned.log.text(),
        receipt=pinned.receipt.jwk(),
        size=newest.size,
        made_at=station.now(),
    )
    writer = Writer(out, head)
    keys = _keys(station, writer)
    count = _entries(station, writer, newest.size, keys)
    writer.end()
    return count


def _keys(station: Station, writer: Writer) -> dict[int, Evidence]:
    """Say who the agencies are, and give the entries of their keys by index: signatures are verified with them."""
    found: dict[int, Evidence] = {}
    for agency in station.hub.agencies():
        published = station.hub.agency_keys(agency.id)
        writer.agency(Told(id=agency.id, kind=agency.kind, root=published.root))
        for key in published.keys:
            if key.logged is None or key.proof is None:
                continue
            index = read_proof(key.proof).index
            signed = {name: token for name in _SIGNATURES if (token := getattr(key.signed, name)) is not None}
            found[index] = Evidence(
                index=index, id=key.log_entry, entry=key.logged, logged_at=key.published_at, documents=signed
            )
    return found


def _entries(station: Station, writer: Writer, size: int, keys: dict[int, Evidence]) -> int:
    ours = _Ahead((one.index, one) for one in station.hub.log_evidence())
    others = _Ahead(iter(sorted(keys.items())))
    checkpoints = _Ahead((one.size, one) for one in station.hub.log_checkpoints())
    count = 0
    for first in range(0, size, WIDTH):
        end = min(first + WIDTH, size)
        writer.leaves(first, station.hub.log_tile(_LEVEL, first // WIDTH, end - first))
        for index in range(first, end):
            # a key entry of our own comes both ways
            shown = others.take(index) or ours.take(index)
            if shown is not None:
                writer.entry(index, shown.entry.encode(), shown.documents)
                count += 1
            note = checkpoints.take(index + 1)
            if note is not None:
                writer.checkpoint(note.note)
    return count


class _Ahead(Generic[Shown]):
    """Take from a stream in order what stands at a place, if anything does."""

    def __init__(self, stream: Iterator[tuple[int, Shown]]) -> None:
        self._stream = stream
        self._next = next(stream, None)

    def take(self, place: int) -> Shown | None:
        while self._next is not None and self._next[0] < place:
            self._next = next(self._stream, None)
        if self._next is None or self._next[0] != place:
            return None
        return self._next[1]
