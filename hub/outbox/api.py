# SPDX-License-Identifier: Apache-2.0
"""The endpoint of the event feed: what has changed for the caller, waiting for it if asked to."""

from flask_restx import Namespace, Resource

from hub.base import queues
from hub.outbox import reads
from hub.outbox.shapes import EventPage, EventShape
from hub.web.call import Call, Reply
from hub.web.operation import operation
from hub.web.paging import bad_cursor, decode_cursor, encode_cursor
from hub.web.waiting import WaitingQuery

namespace = Namespace("events")
LARGEST_PLACE = 2**63 - 1


@namespace.route("/events")
class Events(Resource):
    """Changes that concern the caller, oldest first, none missed and none twice."""

    @operation(
        permission="events.read",
        query=WaitingQuery,
        out=EventPage,
        summary="events.list",
        waits=lambda caller: queues.feed(caller.agency),
    )
    def get(self, call: Call, query: WaitingQuery) -> Reply:
        """Give what came after the cursor."""
        events = reads.events(call.session, call.caller.agency, after=_place(query.cursor), limit=query.limit)
        following = encode_cursor(events[-1].place.xact, events[-1].place.seq) if events else query.cursor
        page = EventPage(items=tuple(EventShape.of(event) for event in events), next_cursor=following)
        return Reply(body=page, again=not events)


def _place(cursor: str | None) -> reads.Place:
    match decode_cursor(cursor, int, int):
        case None:
            return reads.Place()
        case (int(xact), int(seq)) if 0 <= xact <= LARGEST_PLACE and 0 <= seq <= LARGEST_PLACE:
            return reads.Place(xact=xact, seq=seq)
    raise bad_cursor()
