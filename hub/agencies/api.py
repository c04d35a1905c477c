# SPDX-License-Identifier: Apache-2.0
"""The directory's endpoints: who is there, their keys with proofs, and an agency's own key entries."""

from __future__ import annotations

import hashlib

from flask_restx import Namespace, Resource

from hub.agencies import reads, service
from hub.agencies.reads import Agency, LoggedKey
from hub.agencies.rules import AgencyState
from hub.agencies.shapes import (
    AgencyPage,
    AgencyShape,
    DirectoryQuery,
    KeyShape,
    KeysShape,
    SignedEntryShape,
    agency_shape,
    key_shape,
)
from hub.base.errors import NotFoundError
from hub.base.ids import is_id
from hub.web.call import Call, Reply
from hub.web.operation import operation
from hub.web.paging import bad_cursor, decode_cursor, encode_cursor

namespace = Namespace("agencies")


@namespace.route("/agencies")
class Directory(Resource):
    """Everybody who may be found."""

    @operation(permission="directory.read", query=DirectoryQuery, out=AgencyPage, summary="agencies.list")
    def get(self, call: Call, query: DirectoryQuery) -> AgencyPage:
        """List the directory in the order of ids."""
        found = reads.directory(
            call.session,
            after=_after(query.cursor),
            limit=query.limit + 1,
            kind=query.kind,
            purpose=query.purpose,
        )
        page = found[: query.limit]
        more = encode_cursor(page[-1].id) if len(found) > query.limit else None
        lasting = reads.lasting_keys_of(call.session, [agency.id for agency in page], call.now)
        items = tuple(agency_shape(agency, lasting[agency.id], at=call.now) for agency in page)
        return AgencyPage(items=items, next_cursor=more)


@namespace.route("/agencies/<string:agency>")
class OneAgency(Resource):
    """One agency."""

    @operation(permission="directory.read", out=AgencyShape, summary="agencies.get")
    def get(self, call: Call, agency: str) -> Reply:
        """Show one agency with its keys that are good now or soon; the tag is of what is shown."""
        known = _listed(call, agency)
        lasting = reads.lasting_keys_of(call.session, [known.id], call.now)
        shape = agency_shape(known, lasting[known.id], at=call.now)
        return Reply(body=shape, etag=hashlib.sha256(shape.model_dump_json().encode()).hexdigest()[:32])


@namespace.route("/agencies/<string:agency>/keys")
class Keys(Resource):
    """The key entries of one agency."""

    @operation(permission="directory.read", out=KeysShape, summary="agencies.keys")
    def get(self, call: Call, agency: str) -> KeysShape:
        """Show every key entry of an agency, with its proof."""
        known = _listed(call, agency)
        entries = reads.logged_keys(call.session, known.id)
        return KeysShape(agency=known.id, root=dict(known.root), keys=tuple(key_shape(entry) for entry in entries))


@namespace.route("/keys")
class OwnKeys(Resource):
    """The caller's own keys."""

    @operation(permission="keys.write", body=SignedEntryShape, out=KeyShape, status=201, summary="agencies.publish_key")
    def post(self, call: Call, body: SignedEntryShape) -> KeyShape:
        """Publish a key entry: a new key of a chain, or the early end of one."""
        key = service.publish_key(call.session, call.caller.agency, body.signed(), now=call.now)
        return key_shape(LoggedKey(key=key, body=None, proof=None))


def _after(cursor: str | None) -> str | None:
    key = decode_cursor(cursor, str)
    if key is None:
        return None
    if not is_id(str(key[0])):
        raise bad_cursor()
    return str(key[0])


def _listed(call: Call, agency_id: str) -> Agency:
    agency = reads.agency(call.session, agency_id)
    if agency is None or agency.state is AgencyState.PENDING:
        raise NotFoundError
    return agency
