# SPDX-License-Identifier: Apache-2.0
"""The endpoint from which an agency makes its own bundle: its entries with what was signed about them."""

from typing import Final

from flask_restx import Namespace, Resource

from hub.audit import reads as audit
from hub.evidence import reads
from hub.evidence.shapes import EvidencePage, EvidenceQuery, EvidenceShape
from hub.web.call import Call
from hub.web.operation import operation
from hub.web.paging import bad_cursor, decode_cursor, encode_cursor

namespace = Namespace("evidence")

LARGEST_INDEX: Final = 2**62


@namespace.route("/audit/evidence")
class Evidence(Resource):
    """The entries to which the caller is a party, with the signed documents that they speak of."""

    @operation(permission="audit.read", query=EvidenceQuery, out=EvidencePage, summary="audit.evidence")
    def get(self, call: Call, query: EvidenceQuery) -> EvidencePage:
        """List entries in the order of the log, each with its documents."""
        found = audit.entries(call.session, call.caller.agency, after=_after(query.cursor), limit=query.limit + 1)
        shown = found[: query.limit]
        signed = reads.documents(call.session, shown)
        items = tuple(EvidenceShape.about(one, signed[one.index]) for one in shown)
        more = len(found) > query.limit
        return EvidencePage(items=items, next_cursor=encode_cursor(items[-1].index) if more else None)


def _after(cursor: str | None) -> int:
    match decode_cursor(cursor, int):
        case None:
            return -1
        case (int(index),) if 0 <= index < LARGEST_INDEX:
            return index
    raise bad_cursor()
