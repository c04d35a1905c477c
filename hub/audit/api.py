# SPDX-License-Identifier: Apache-2.0
"""The endpoints of the log: checkpoints, tiles and proofs for every agency; entries for their parties
alone.
"""

import re
from typing import Final

from flask_restx import Namespace, Resource

from hub.audit import proving, reads, service
from hub.audit.reads import TILE_WIDTH
from hub.audit.shapes import (
    AnchorShape,
    CheckpointPage,
    CheckpointQuery,
    CheckpointShape,
    EntryPage,
    EntryQuery,
    EntryShape,
    KeysShape,
    NewAnchor,
    ProofShape,
    ProvedEntryShape,
)
from hub.base.errors import NotFoundError
from hub.web.call import Call, Reply
from hub.web.operation import operation
from hub.web.paging import bad_cursor, decode_cursor, encode_cursor

namespace = Namespace("audit")

NOTE: Final = "text/plain; charset=utf-8"
BYTES: Final = "application/octet-stream"
# C2SP tlog-tiles: 1234067 is x001/x234/067; a tile that is not full yet says its width, 067.p/12
NUMBER: Final = re.compile(r"(?P<groups>(?:x\d{3}/){0,5}\d{3})(?:\.p/(?P<width>[1-9]\d{0,2}))?", re.ASCII)
HIGHEST_LEVEL: Final = 7
LARGEST_INDEX: Final = 2**62
FOR_EVER: Final = {"Cache-Control": "private, max-age=31536000, immutable"}


@namespace.route("/audit/keys")
class Keys(Resource):
    """The public halves of what the hub signs with."""

    @operation(permission="audit.read", out=KeysShape, summary="audit.keys")
    def get(self, call: Call) -> KeysShape:
        """Give the keys that checkpoints and receipts are verified with."""
        return KeysShape(log=reads.verifier(call.session).text(), receipt=reads.receipt_key(call.session))


@namespace.route("/audit/checkpoint")
class Checkpoint(Resource):
    """The newest signed state of the log."""

    @operation(permission="audit.read", media=NOTE, summary="audit.checkpoint")
    def get(self, call: Call) -> Reply:
        """Give the checkpoint as it was signed, with the cosignatures that it has so far (C2SP tlog-checkpoint)."""
        found = reads.checkpoint(call.session)
        if found is None:
            raise NotFoundError
        return Reply(raw=reads.with_cosignatures(call.session, found).write().encode())


@namespace.route("/audit/checkpoint/witnessed")
class Witnessed(Resource):
    """The newest state of the log that enough witnesses have seen."""

    @operation(permission="audit.read", media=NOTE, summary="audit.witnessed")
    def get(self, call: Call) -> Reply:
        """Give the checkpoint with its cosignatures (C2SP tlog-cosignature)."""
        found = reads.witnessed(call.session)
        if found is None:
            raise NotFoundError
        return Reply(raw=found.note.encode())


@namespace.route("/audit/checkpoints")
class Checkpoints(Resource):
    """Every signed state of the log, for whoever checks that each is the beginning of the next."""

    @operation(permission="audit.read", query=CheckpointQuery, out=CheckpointPage, summary="audit.checkpoints")
    def get(self, call: Call, query: CheckpointQuery) -> CheckpointPage:
        """List checkpoints, smallest first."""
        found = reads.checkpoints(call.session, after=_after(query.cursor), limit=query.limit + 1)
        shown = tuple(CheckpointShape.of(one) for one in found[: query.limit])
        more = len(found) > query.limit
        return CheckpointPage(items=shown, next_cursor=encode_cursor(shown[-1].size) if more else None)


@namespace.route("/audit/tile/<int:level>/<path:number>")
class Tile(Resource):
    """Hashes of the tree, 256 to a tile."""

    @operation(permission="audit.read", media=BYTES, plain=("number",), summary="audit.tile")
    def get(self, call: Call, level: int, number: str) -> Reply:
        """Give a tile (C2SP tlog-tiles): 32 bytes for each hash."""
        place, width = _tile(number)
        found = None
        if level <= HIGHEST_LEVEL:
            found = reads.tile(call.session, level=level, number=place, width=width)
        if found is None:
            raise NotFoundError
        return Reply(raw=found, headers=FOR_EVER)


@namespace.route("/audit/entries")
class Entries(Resource):
    """The entries to which the caller is a party."""

    @operation(permission="audit.read", query=EntryQuery, out=EntryPage, summary="audit.entries")
    def get(self, call: Call, query: EntryQuery) -> EntryPage:
        """List entries in the order of the log."""
        found = reads.entries(
            call.session,
            call.caller.agency,
            after=_after(query.cursor),
            limit=query.limit + 1,
            case=query.case,
        )
        shown = tuple(EntryShape.of(entry) for entry in found[: query.limit])
        more = len(found) > query.limit
        return EntryPage(items=shown, next_cursor=encode_cursor(shown[-1].index) if more else None)


@namespace.route("/audit/entries/<string:entry>")
class OneEntry(Resource):
    """One entry by its id, e.g. the one that a receipt of the hub names."""

    @operation(permission="audit.read", out=ProvedEntryShape, summary="audit.entry")
    def get(self, call: Call, entry: str) -> ProvedEntryShape:
        """Give the entry with its inclusion proof; there is none while it waits for the sequencer."""
        logged = reads.entry(call.session, call.caller.agency, entry)
        proved = None if logged is None else proving.inclusion(call.session, logged.index)
        if logged is None or proved is None:
            raise NotFoundError
        shown = EntryShape.of(logged)
        return ProvedEntryShape(**shown.model_dump(), proof=ProofShape.of(proved).proof)


@namespace.route("/audit/proofs/<int:index>")
class Proof(Resource):
    """That an entry is in the log."""

    @operation(permission="audit.read", out=ProofShape, summary="audit.proof")
    def get(self, call: Call, index: int) -> ProofShape:
        """Prove that the entry at *index* is in the tree of the newest checkpoint."""
        found = proving.inclusion(call.session, index) if index < LARGEST_INDEX else None
        if found is None:
            raise NotFoundError
        return ProofShape.of(found)


@namespace.route("/audit/anchors")
class Anchors(Resource):
    """The roots of the caller's own access log."""

    @operation(permission="audit.anchor", body=NewAnchor, out=AnchorShape, status=201, summary="audit.anchor")
    def post(self, call: Call, body: NewAnchor) -> Reply:
        """Anchor one past day of the agency's own access log in the hub's log."""
        made = service.anchor(call.session, body.anchor(), agency=call.caller.agency, now=call.now)
        return Reply(body=AnchorShape.of(made), status=201 if made.is_new else 200)


def _tile(number: str) -> tuple[int, int]:
    """Read a tile's number and width from its path.

    *Raises* NotFoundError: it is not written as the format writes it.
    """
    found = NUMBER.fullmatch(number)
    if found is None:
        raise NotFoundError
    width = int(found["width"] or TILE_WIDTH)
    if width > TILE_WIDTH or (found["width"] and width == TILE_WIDTH) or found["groups"].startswith("x000/"):
        raise NotFoundError
    return int(found["groups"].replace("x", "").replace("/", "")), width


def _after(cursor: str | None) -> int:
    match decode_cursor(cursor, int):
        case None:
            return -1
        case (int(index),) if 0 <= index < LARGEST_INDEX:
            return index
    raise bad_cursor()
