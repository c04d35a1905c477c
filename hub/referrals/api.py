# SPDX-License-Identifier: Apache-2.0
"""The endpoints of the referral loop: send, track, move, and what goes on beside it.

The moves are one table: the last piece of the path is the event of `lifecycle`, and `actions[]` of a referral lists
which of them the caller may call now.
"""

import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from flask_restx import Namespace, Resource

from hub.base.db import Duty
from hub.base.errors import NotFoundError
from hub.base.ids import is_id
from hub.messages import reads as messages
from hub.referrals import accompaniment, followups, meter, reads, service, shapes, views
from hub.referrals.lifecycle import Event
from hub.referrals.reads import Position, Referral
from hub.referrals.service import Asked
from hub.referrals.views import (
    AcceptedShape,
    AccompanimentShape,
    FollowUpShape,
    FollowUpsShape,
    OpenedShape,
    ReceiptShape,
    ReferralDetail,
    ReferralPage,
    ReferralShape,
    ReroutedShape,
)
from hub.web.call import Call, Reply
from hub.web.operation import operation
from hub.web.paging import bad_cursor, decode_cursor, encode_cursor
from hub.web.shapes import Shape

namespace = Namespace("referrals")

# what the sender does, what the receiver does, and what either or the coordinator does
_SEND, _RECEIVE, _EITHER = "referrals.send", "referrals.receive", "referrals.move"

MOVES: Final[Sequence[tuple[Event, str, type[Shape]]]] = (
    (Event.ACCEPT, _RECEIVE, shapes.Accept),
    (Event.ASK, _RECEIVE, shapes.Words),
    (Event.DECLINE, _RECEIVE, shapes.Decline),
    (Event.TAKE_BACK, _SEND, shapes.Words),
    (Event.CONTEST, _EITHER, shapes.Reasoned),
    (Event.UPHOLD, _EITHER, shapes.Reasoned),
    (Event.SEND_BACK, _EITHER, shapes.Reasoned),
    (Event.CANCEL, _SEND, shapes.Cancel),
    (Event.ASK_TO_CANCEL, _SEND, shapes.Cancel),
    (Event.CONFIRM_CANCEL, _RECEIVE, shapes.Words),
    (Event.ALREADY_SERVED, _RECEIVE, shapes.Outcome),
    (Event.START, _RECEIVE, shapes.Start),
    (Event.HOLD, _RECEIVE, shapes.Hold),
    (Event.RESUME, _RECEIVE, shapes.Words),
    (Event.NOTE_PROGRESS, _RECEIVE, shapes.Progress),
    (Event.REPORT_OUTCOME, _RECEIVE, shapes.Outcome),
    (Event.ACKNOWLEDGE, _SEND, shapes.Acknowledge),
    (Event.RETURN, _SEND, shapes.Reasoned),
    (Event.REOPEN, _EITHER, shapes.Reasoned),
    (Event.WITHDRAW, _SEND, shapes.Words),
    (Event.TAKE_BACK_ACCEPTANCE, _RECEIVE, shapes.Words),
    (Event.ENTER_IN_ERROR, _SEND, shapes.Words),
    (Event.HAND_OVER, _EITHER, shapes.HandOver),
)
"""Moves that say something and change one referral; those that bring a message or a receipt stand apart below."""

DUTIES: Final = {Event.REOPEN: Duty.DECIDE, Event.DECLINE: Duty.DIRECTORY}
"""Reopening asks for consent anew; a decline for want of room is shown in the directory."""


@namespace.route("/referrals")
class Referrals(Resource):
    """The referrals that the caller sends, receives or coordinates."""

    @operation(permission="referrals.read", query=shapes.ReferralQuery, out=ReferralPage, summary="referrals.list")
    def get(self, call: Call, query: shapes.ReferralQuery) -> ReferralPage:
        """List referrals, longest unchanged first."""
        found = reads.page(
            call.session,
            query.wanted(),
            agency=call.caller.agency,
            now=call.now,
            after=_after(query.cursor),
            limit=query.limit + 1,
        )
        page = found[: query.limit]
        last = encode_cursor(page[-1].updated_at.isoformat(), page[-1].id) if len(found) > query.limit else None
        return ReferralPage(items=tuple(_shape(call, one) for one in page), next_cursor=last)

    @operation(
        permission="referrals.send",
        body=shapes.NewReferral,
        out=OpenedShape,
        status=201,
        duty=Duty.DECIDE,
        summary="referrals.open",
        ahead=lambda _, body: service.open_ahead(body.envelope()),
    )
    def post(self, call: Call, body: shapes.NewReferral) -> Reply:
        """Send a referral: every part is decided, stored sealed and queued."""
        opened = service.open_referral(call.session, body.envelope(), agency=call.caller.agency, now=call.now)
        actions = service.actions_of(call.session, opened.referral, agency=call.caller.agency, now=call.now)
        return Reply(body=OpenedShape.opened(opened, actions, call.now), etag=opened.referral.version)


@namespace.route("/referrals/<string:referral>")
class OneReferral(Resource):
    """One referral."""

    @operation(
        permission="referrals.read",
        out=ReferralDetail,
        summary="referrals.get",
        ahead=lambda _, referral: service.show_ahead(referral),
    )
    def get(self, call: Call, referral: str) -> Reply:
        """Show where a referral stands and all that went on; the tag is its version and a digest of what is shown."""
        found = _visible(call, referral)
        detail = _detail(call, found)
        digest = hashlib.sha256(detail.model_dump_json().encode()).hexdigest()[:16]
        return Reply(body=detail, etag=f"{found.version}.{digest}")


@namespace.route("/referrals/<string:referral>/messages")
class Messages(Resource):
    """The thread of a referral."""

    @operation(
        permission="messages.write",
        body=shapes.NewMessage,
        out=AcceptedShape,
        status=201,
        duty=Duty.DECIDE,
        summary="referrals.message",
    )
    def post(self, call: Call, body: shapes.NewMessage, referral: str) -> Reply:
        """Send a further message, either way, in any state: consent alone decides."""
        found, accepted = service.add_message(
            call.session, referral, body.envelope(), agency=call.caller.agency, now=call.now
        )
        shown = AcceptedShape.of(accepted, _shape(call, found))
        return Reply(body=shown, status=202 if accepted.held else 201, etag=found.version)


@namespace.route("/messages/<string:message>/receipts")
class Receipts(Resource):
    """What a recipient says of a message; it may move the referral."""

    @operation(
        permission="messages.write",
        body=shapes.Receipt,
        out=ReceiptShape,
        summary="messages.acknowledge",
        ahead=lambda _, body, message: service.acknowledge_ahead(message, body.receipt),
    )
    def post(self, call: Call, body: shapes.Receipt, message: str) -> ReceiptShape:
        """Take a delivery or read receipt."""
        _, moved = service.acknowledge(call.session, message, body.receipt, agency=call.caller.agency, now=call.now)
        stored = messages.message(call.session, message)
        if stored is None:
            raise NotFoundError
        referral = None if moved is None else _shape(call, moved)
        return ReceiptShape(message=message, delivery=stored.delivery.value, referral=referral)


@namespace.route("/referrals/<string:referral>/receive")
class Receive(Resource):
    """Move 2."""

    @operation(
        permission="referrals.receive",
        body=shapes.Receipt,
        out=ReferralShape,
        conditional=True,
        summary="referrals.receive",
    )
    def post(self, call: Call, body: shapes.Receipt, referral: str) -> Reply:
        """Say that a named worker opened it, by the signed read receipt of its first message."""
        asked = Asked(referral=referral, event=Event.RECEIVE, seen=call.if_match)
        return _moved(call, service.receive(call.session, asked, body.receipt, agency=call.caller.agency, now=call.now))


def _refer_on(call: Call, asked: Asked, body: shapes.NewReferral) -> Reply:
    old, opened = service.refer_on(call.session, asked, body.envelope(), agency=call.caller.agency, now=call.now)
    actions = service.actions_of(call.session, opened.referral, agency=call.caller.agency, now=call.now)
    following = OpenedShape.opened(opened, actions, call.now)
    return Reply(body=ReroutedShape(referral=_shape(call, old), next=following), status=201, etag=old.version)


@namespace.route("/referrals/<string:referral>/refer-on")
class ReferOn(Resource):
    """Move 7."""

    @operation(
        permission="referrals.send",
        body=shapes.ReferOn,
        out=ReroutedShape,
        status=201,
        conditional=True,
        duty=Duty.DECIDE,
        summary="referrals.refer-on",
    )
    def post(self, call: Call, body: shapes.ReferOn, referral: str) -> Reply:
        """Send a declined need on to another agency, consent decided anew; once for each need."""
        asked = Asked(referral=referral, event=Event.REFER_ON, details=body.details(), seen=call.if_match)
        return _refer_on(call, asked, body)


@namespace.route("/referrals/<string:referral>/conference-result")
class ConferenceResult(Resource):
    """Move 9, rerouted."""

    @operation(
        permission="referrals.send",
        body=shapes.ConferenceResult,
        out=ReroutedShape,
        status=201,
        conditional=True,
        duty=Duty.DECIDE,
        summary="referrals.conference-result",
    )
    def post(self, call: Call, body: shapes.ConferenceResult, referral: str) -> Reply:
        """Send a need where a conference decided that it belongs."""
        asked = Asked(referral=referral, event=Event.CONFERENCE_RESULT, details=body.details(), seen=call.if_match)
        return _refer_on(call, asked, body)


def _declare(event: Event, permission: str, shape: type[Shape]) -> None:
    @operation(
        permission=permission,
        body=shape,
        out=ReferralShape,
        conditional=True,
        duty=DUTIES.get(event),
        summary=f"referrals.{event.value}",
        ahead=lambda _, __, referral: service.move_ahead(referral),
    )
    def post(_: Resource, call: Call, body: Any, referral: str) -> Reply:
        asked = Asked(referral=referral, event=event, details=body.details(), seen=call.if_match)
        return _moved(call, service.move(call.session, asked, agency=call.caller.agency, now=call.now))

    name = "".join(piece.capitalize() for piece in event.value.split("-"))
    resource = type(f"{name}Move", (Resource,), {"post": post, "__doc__": event.value})
    namespace.add_resource(resource, f"/referrals/<string:referral>/{event.value}")


for _event, _permission, _body in MOVES:
    _declare(_event, _permission, _body)


@namespace.route("/referrals/<string:referral>/accompaniments")
class Accompaniments(Resource):
    """The accompaniments of a referral."""

    @operation(
        permission="referrals.move",
        body=shapes.NewAccompaniment,
        out=AccompanimentShape,
        status=201,
        summary="accompaniments.record",
    )
    def post(self, call: Call, body: shapes.NewAccompaniment, referral: str) -> Reply:
        """Write an accompaniment down, planned or past."""
        found = _visible(call, referral, lock=True)
        agency = call.caller.agency
        one = accompaniment.record(call.session, found, body.going(), agency=agency, now=call.now)
        return Reply(body=AccompanimentShape.of(one), etag=one.version)


@namespace.route("/referrals/<string:referral>/accompaniments/<int:n>")
class OneAccompaniment(Resource):
    """One accompaniment."""

    @operation(
        permission="referrals.move",
        body=shapes.NewAccompaniment,
        out=AccompanimentShape,
        conditional=True,
        summary="accompaniments.change",
    )
    def patch(self, call: Call, body: shapes.NewAccompaniment, referral: str, n: int) -> Reply:
        """Carry an accompaniment on: agreed, done, nobody came, called off; the whole record is sent."""
        found = _visible(call, referral, lock=True)
        agency, seen = call.caller.agency, call.if_match
        one = accompaniment.change(call.session, found, n, body.going(), agency=agency, version=seen, now=call.now)
        return Reply(body=AccompanimentShape.of(one), etag=one.version)


@namespace.route("/referrals/<string:referral>/follow-ups")
class FollowUps(Resource):
    """The follow-ups of a referral."""

    @operation(
        permission="referrals.move",
        body=shapes.NewFollowUp,
        out=FollowUpShape,
        status=201,
        summary="follow-ups.set",
    )
    def post(self, call: Call, body: shapes.NewFollowUp, referral: str) -> FollowUpShape:
        """Set a follow-up, in any state, also after closure."""
        found = _visible(call, referral, lock=True)
        one = followups.set_due(
            call.session, found, due_on=body.due, preset=body.preset, agency=call.caller.agency, now=call.now
        )
        return FollowUpShape.of(one)


@namespace.route("/referrals/<string:referral>/follow-ups/<int:n>/done")
class FollowUpDone(Resource):
    """What came of a follow-up."""

    @operation(permission="referrals.move", body=shapes.FollowUpDone, out=FollowUpsShape, summary="follow-ups.done")
    def post(self, call: Call, body: shapes.FollowUpDone, referral: str, n: int) -> FollowUpsShape:
        """Write down who was asked and what came of it; a next day sets the next follow-up."""
        found = _visible(call, referral, lock=True)
        done = followups.finish(call.session, found, n, body.answer(), agency=call.caller.agency, now=call.now)
        return FollowUpsShape(items=tuple(FollowUpShape.of(one) for one in done))


def _visible(call: Call, referral: str, *, lock: bool = False) -> Referral:
    found = reads.referral(call.session, referral, lock=lock)
    if found is None:
        raise NotFoundError
    return found


def _shape(call: Call, referral: Referral) -> ReferralShape:
    actions = service.actions_of(call.session, referral, agency=call.caller.agency, now=call.now)
    return ReferralShape.of(referral, actions, call.now)


def _moved(call: Call, referral: Referral) -> Reply:
    return Reply(body=_shape(call, referral), etag=referral.version)


def _detail(call: Call, referral: Referral) -> ReferralDetail:
    session, agency = call.session, call.caller.agency
    at, result = referral.telephone_at, referral.telephone_result
    service.foresee_detail(session, referral, agency=agency)
    return ReferralDetail(
        **_shape(call, referral).model_dump(),
        history=tuple(views.MoveShape.of(one) for one in reads.history(session, referral.id)),
        deliveries=tuple(
            views.DeliveryShape.of(one)
            for one in messages.of_thread(
                session,
                agency=agency,
                other=service.other_side(referral, agency),
                thread=referral.thread,
            )
        ),
        accompaniments=tuple(AccompanimentShape.of(one) for one in reads.accompaniments(session, referral.id)),
        follow_ups=tuple(FollowUpShape.of(one) for one in reads.follow_ups(session, referral.id)),
        hops=tuple(
            views.HopShape(id=one.id, hop=one.hop, recipient=one.recipient, state=one.state)
            for one in reads.hops(session, referral.root)
        ),
        meter=views.MeterShape.of(meter.read(session, referral, now=call.now)),
        telephone=views.CallShape(at=at, result=result) if at and result else None,
    )


def _after(cursor: str | None) -> Position | None:
    key = decode_cursor(cursor, str, str)
    if key is None:
        return None
    try:
        at = datetime.fromisoformat(str(key[0]))
    except ValueError:
        raise bad_cursor() from None
    if at.tzinfo is None or not is_id(str(key[1])):
        raise bad_cursor()
    return at, str(key[1])
