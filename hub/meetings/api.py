# SPDX-License-Identifier: Apache-2.0
"""The endpoints of meetings: convene, accept, agenda, decisions, end."""

from flask_restx import Namespace, Resource

from hub.base.errors import NotFoundError
from hub.cases.api import after_id, seen_version
from hub.meetings import reads, service
from hub.meetings.reads import Meeting
from hub.meetings.rules import actions
from hub.meetings.shapes import (
    MeetingDetail,
    MeetingPage,
    MeetingShape,
    NewDecision,
    NewItem,
    NewMeeting,
)
from hub.web.call import Call, Reply
from hub.web.operation import operation
from hub.web.paging import PageQuery, encode_cursor

namespace = Namespace("meetings")


@namespace.route("/meetings")
class Meetings(Resource):
    """The meetings to which the caller was invited or which it convened."""

    @operation(permission="meetings.read", query=PageQuery, out=MeetingPage, summary="meetings.list")
    def get(self, call: Call, query: PageQuery) -> MeetingPage:
        """List meetings in the order in which they were convened."""
        found = reads.page(call.session, after=after_id(query.cursor), limit=query.limit + 1)
        page = found[: query.limit]
        cursor = encode_cursor(page[-1].id) if len(found) > query.limit else None
        return MeetingPage(items=tuple(_shown(call, meeting) for meeting in page), next_cursor=cursor)

    @operation(permission="meetings.write", body=NewMeeting, out=MeetingShape, status=201, summary="meetings.convene")
    def post(self, call: Call, body: NewMeeting) -> Reply:
        """Convene a 支援調整会議 or a 支援会議."""
        meeting = service.convene(call.session, body.meeting(), agency=call.caller.agency, now=call.now)
        return _reply(call, meeting)


@namespace.route("/meetings/<string:meeting>")
class OneMeeting(Resource):
    """One meeting."""

    @operation(permission="meetings.read", out=MeetingDetail, summary="meetings.read")
    def get(self, call: Call, meeting: str) -> Reply:
        """Give a meeting with its agenda and decisions."""
        found = reads.meeting(call.session, meeting)
        if found is None:
            raise NotFoundError
        detail = MeetingDetail.with_items(found, _may(call, found), reads.items(call.session, found.id))
        return Reply(body=detail, etag=found.version)


@namespace.route("/meetings/<string:meeting>/accept")
class Acceptances(Resource):
    """Accepting membership."""

    @operation(permission="meetings.write", out=MeetingShape, summary="meetings.accept")
    def post(self, call: Call, meeting: str) -> Reply:
        """Accept membership, and with it the duty of secrecy."""
        return _reply(call, service.accept(call.session, meeting, agency=call.caller.agency, now=call.now))


@namespace.route("/meetings/<string:meeting>/agenda")
class Agenda(Resource):
    """The agenda."""

    @operation(permission="meetings.write", body=NewItem, out=MeetingShape, status=201, summary="meetings.agenda")
    def post(self, call: Call, body: NewItem, meeting: str) -> Reply:
        """Put a case or a point on the agenda."""
        changed = service.put_on_agenda(
            call.session,
            meeting,
            agency=call.caller.agency,
            code=body.code,
            case=body.case,
            now=call.now,
        )
        return _reply(call, changed)


@namespace.route("/meetings/<string:meeting>/decisions")
class Decisions(Resource):
    """The decisions."""

    @operation(
        permission="meetings.write",
        body=NewDecision,
        out=MeetingShape,
        status=201,
        summary="meetings.decide",
    )
    def post(self, call: Call, body: NewDecision, meeting: str) -> Reply:
        """Record what was decided."""
        changed = service.record_decision(
            call.session,
            meeting,
            agency=call.caller.agency,
            code=body.code,
            case=body.case,
            now=call.now,
        )
        return _reply(call, changed)


@namespace.route("/meetings/<string:meeting>/end")
class Ends(Resource):
    """The end of a meeting."""

    @operation(permission="meetings.write", out=MeetingShape, conditional=True, summary="meetings.end")
    def post(self, call: Call, meeting: str) -> Reply:
        """End a meeting, as its convenor."""
        ended = service.end(
            call.session,
            meeting,
            agency=call.caller.agency,
            now=call.now,
            seen_version=seen_version(call),
        )
        return _reply(call, ended)


def _may(call: Call, meeting: Meeting) -> tuple[str, ...]:
    agency = call.caller.agency
    return actions(
        is_open=meeting.ended_at is None and call.now < meeting.until,
        has_accepted=agency in meeting.accepted,
        is_convenor=agency == meeting.convenor,
    )


def _shown(call: Call, meeting: Meeting) -> MeetingShape:
    return MeetingShape.of(meeting, _may(call, meeting))


def _reply(call: Call, meeting: Meeting) -> Reply:
    return Reply(body=_shown(call, meeting), etag=meeting.version)
