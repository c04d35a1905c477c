# SPDX-License-Identifier: Apache-2.0
"""The endpoints of cases: open, read, move, note. In a path a case goes by the agency's handle or the hub's id."""

from flask_restx import Namespace, Resource

from hub.base.errors import NotFoundError, StaleError
from hub.base.ids import is_id
from hub.cases import reads, service
from hub.cases.reads import Case
from hub.cases.shapes import CaseDetail, CasePage, CaseShape, NewCase, NewNote, NewStep, NotedShape
from hub.web.call import Call, Reply
from hub.web.operation import operation
from hub.web.paging import PageQuery, bad_cursor, decode_cursor, encode_cursor

namespace = Namespace("cases")


@namespace.route("/cases")
class Cases(Resource):
    """The cases that are the caller's own or that name it."""

    @operation(permission="cases.read", query=PageQuery, out=CasePage, summary="cases.list")
    def get(self, call: Call, query: PageQuery) -> CasePage:
        """List cases in the order in which they were opened."""
        after = after_id(query.cursor)
        found = reads.page(call.session, after=after, limit=query.limit + 1)
        shown = tuple(CaseShape.of(case, call.caller.agency) for case in found[: query.limit])
        more = len(found) > query.limit
        return CasePage(items=shown, next_cursor=encode_cursor(shown[-1].id) if more else None)

    @operation(permission="cases.write", body=NewCase, out=CaseShape, status=201, summary="cases.open")
    def post(self, call: Call, body: NewCase) -> Reply:
        """Open a case under the agency's own handle."""
        case, is_new = service.open_case(call.session, agency=call.caller.agency, handle=body.case, now=call.now)
        shown = CaseShape.of(case, call.caller.agency)
        return Reply(body=shown, status=201 if is_new else 200, etag=case.version)


@namespace.route("/cases/<string:case>")
class OneCase(Resource):
    """One case."""

    @operation(permission="cases.read", out=CaseDetail, summary="cases.read")
    def get(self, call: Call, case: str) -> Reply:
        """Give a case with its history, as far as it is the caller's to see."""
        found = visible_case(call, case)
        shown = CaseDetail.with_history(
            found,
            call.caller.agency,
            reads.history(call.session, found.id),
            reads.notes(call.session, found.id),
        )
        return Reply(body=shown, etag=found.version)


@namespace.route("/cases/<string:case>/steps")
class Steps(Resource):
    """The moves of a case through the thirteen steps."""

    @operation(permission="cases.write", body=NewStep, out=CaseShape, conditional=True, summary="cases.move")
    def post(self, call: Call, body: NewStep, case: str) -> Reply:
        """Move a case, suspend it, or close it."""
        found = visible_case(call, case)
        moved = service.move_case(
            call.session, found, body.move(seen_version(call)), agency=call.caller.agency, now=call.now
        )
        return Reply(body=CaseShape.of(moved, call.caller.agency), etag=moved.version)


@namespace.route("/cases/<string:case>/notes")
class Notes(Resource):
    """The notes of a case: kinds, never words."""

    @operation(permission="cases.write", body=NewNote, out=NotedShape, status=201, summary="cases.note")
    def post(self, call: Call, body: NewNote, case: str) -> NotedShape:
        """Note that something happened; a task may be asked for an agency."""
        found = visible_case(call, case)
        noted = service.add_note(call.session, found, body.note(), agency=call.caller.agency, now=call.now)
        return NotedShape.of(noted)


def visible_case(call: Call, reference: str) -> Case:
    """Give the case that the caller means.

    Raises:
        NotFoundError: there is none that the caller may see.
    """
    found = reads.find(call.session, reference, agency=call.caller.agency)
    if found is None:
        raise NotFoundError
    return found


def seen_version(call: Call) -> int:
    """Read the version that the caller saw from If-Match.

    Raises:
        StaleError: it is none of ours.
    """
    text = call.if_match or ""
    if not (text.isascii() and text.isdigit()):
        raise StaleError
    return int(text)


def after_id(cursor: str | None) -> str | None:
    """Read the id of the last row seen from a cursor.

    Raises:
        MalformedError: `bad-cursor`.
    """
    key = decode_cursor(cursor, str)
    if key is None:
        return None
    if not is_id(str(key[0])):
        raise bad_cursor()
    return str(key[0])
