# SPDX-License-Identifier: Apache-2.0
"""The endpoints of the broker: may I, what waits for me, give it to me, stop-use notices. Sending a message and
acknowledging one are the referrals' endpoints, because both move a referral.
"""

from datetime import datetime

from flask_restx import Namespace, Resource

from hub.base import queues
from hub.base.db import Duty
from hub.base.ids import is_id
from hub.messages import reads, service
from hub.messages.rules import Delivery
from hub.messages.shapes import (
    AnswerShape,
    AskShape,
    DecisionsShape,
    InboxPage,
    MessageShape,
    NoticePage,
    NoticeQuery,
    NoticeShape,
    WaitingShape,
)
from hub.web.call import Call, Reply
from hub.web.operation import operation
from hub.web.paging import bad_cursor, decode_cursor, encode_cursor
from hub.web.waiting import WaitingQuery

namespace = Namespace("messages")
HIGHEST_SEQ = 2**31 - 1


@namespace.route("/decisions")
class Decisions(Resource):
    """What would be allowed now."""

    @operation(
        permission="decisions.ask",
        body=AskShape,
        out=DecisionsShape,
        duty=Duty.DECIDE,
        summary="decisions.ask",
    )
    def post(self, call: Call, body: AskShape) -> DecisionsShape:
        """Ask the consent engine; the question is logged."""
        return DecisionsShape.of(*service.ask(call.session, body.asked(sender=call.caller.agency), now=call.now))


@namespace.route("/inbox")
class Inbox(Resource):
    """What waits for the caller until it acknowledges it."""

    @operation(
        permission="messages.read",
        query=WaitingQuery,
        out=InboxPage,
        summary="messages.inbox",
        waits=lambda caller: queues.feed(caller.agency),
        ahead=lambda caller, query: service.offer_ahead(
            agency=caller.agency, after=_position(query.cursor), limit=query.limit + 1
        ),
    )
    def get(self, call: Call, query: WaitingQuery) -> Reply:
        """List what waits, marking it as offered; a cursor pages within one look, the next look begins anew.

        With `wait`, a look that finds nothing new waits for something.
        """
        found = service.offer(
            call.session,
            agency=call.caller.agency,
            after=_position(query.cursor),
            limit=query.limit + 1,
            now=call.now,
        )
        shown, more = found[: query.limit], len(found) > query.limit
        news = more or any(one.message.delivery is Delivery.QUEUED for one in found)
        page = InboxPage(
            items=tuple(WaitingShape.of(one) for one in shown),
            next_cursor=_cursor(shown[-1].message) if more else None,
        )
        return Reply(body=page, again=not news)


@namespace.route("/messages/<string:message>")
class OneMessage(Resource):
    """One message."""

    @operation(
        permission="messages.read",
        out=MessageShape,
        duty=Duty.DECIDE,
        summary="messages.collect",
        ahead=lambda _, message: service.collect_ahead(message),
    )
    def get(self, call: Call, message: str) -> MessageShape:
        """Hand a message over to its recipient, deciding again; show its sender how it stands."""
        return MessageShape.of(service.collect(call.session, agency=call.caller.agency, message=message, now=call.now))


@namespace.route("/notices")
class Notices(Resource):
    """Requests to stop using what was handed over."""

    @operation(permission="messages.read", query=NoticeQuery, out=NoticePage, summary="notices.list")
    def get(self, call: Call, query: NoticeQuery) -> NoticePage:
        """List the notices that the caller must answer, oldest first."""
        found = reads.notices(
            call.session,
            agency=call.caller.agency,
            open_only=query.open,
            after=_after(query.cursor),
            limit=query.limit + 1,
        )
        shown = tuple(NoticeShape.of(notice) for notice in found[: query.limit])
        more = len(found) > query.limit
        return NoticePage(items=shown, next_cursor=encode_cursor(shown[-1].id) if more else None)


@namespace.route("/notices/<string:notice>/answer")
class Answer(Resource):
    """The caller's signed answer to a notice."""

    @operation(permission="messages.write", body=AnswerShape, out=NoticeShape, summary="notices.answer")
    def post(self, call: Call, body: AnswerShape, notice: str) -> NoticeShape:
        """Take the signed word that something was purged, returned, or is kept by law."""
        answered = service.answer_notice(
            call.session, agency=call.caller.agency, notice=notice, record=body.record, now=call.now
        )
        return NoticeShape.of(answered)


def _cursor(message: reads.Message) -> str:
    waiting_since = message.waiting_since or message.accepted_at
    return encode_cursor(waiting_since.isoformat(), message.seq, message.id)


def _position(cursor: str | None) -> reads.Position | None:
    key = decode_cursor(cursor, str, int, str)
    if key is None:
        return None
    since, seq, row = _time(str(key[0])), int(key[1]), str(key[2])
    if since is None or not is_id(row) or not 0 <= seq <= HIGHEST_SEQ:
        raise bad_cursor()
    return since, seq, row


def _time(text: str) -> datetime | None:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return at if at.tzinfo is not None else None


def _after(cursor: str | None) -> str | None:
    key = decode_cursor(cursor, str)
    if key is None:
        return None
    if not is_id(str(key[0])):
        raise bad_cursor()
    return str(key[0])
