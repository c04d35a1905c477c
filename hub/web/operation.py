# SPDX-License-Identifier: Apache-2.0
"""`@operation` makes a method of a `flask_restx.Resource` an endpoint of the API.

    @cases.route("/cases")
    class Cases(Resource):
        @operation(permission="cases.write", body=NewCase, out=CaseShape, status=201, summary="cases.open")
        def post(self, call: Call, body: NewCase) -> CaseShape: ...

What happens, in this order: 1. the gate (401, 403) 2. ids in the path (404) 3. parameters (400) 4. If-Match and
Idempotency-Key (428, 412, 400) 5. the body (415, 413, 400, 422) 6. one transaction: idempotency, the method, the
answer 7. rendering. The method gets the call, then the body if one is declared, then the parameters if declared,
then the path's values by name. It gives a Shape, a Reply or None (204 unless told otherwise); it refuses by raising
a HubError.
"""

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar
from urllib.parse import urlencode

from flask import Request, Response, current_app, g, request
from pydantic import BaseModel

from hub.base.db import Duty
from hub.base.errors import HubError
from hub.base.replay import Answered
from hub.base.rounds import Asked
from hub.web import problems, reading
from hub.web.call import Call, Reply
from hub.web.gate import Caller
from hub.web.permissions import PERMISSIONS
from hub.web.waiting import WaitingQuery, patiently
from hub.web.work import EXTENSION, Hub, Once, Work, perform, settle

Method = TypeVar("Method", bound=Callable[..., BaseModel | Reply | None])
JSON: Final = "application/json"
NO_CONTENT: Final = 204


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """What an endpoint declares about itself; the gate, the reader and OpenAPI all read it."""

    permission: str
    summary: str
    body: type[BaseModel] | None
    query: type[BaseModel] | None
    out: type[BaseModel] | None
    status: int
    duty: Duty | None
    conditional: bool
    once: bool
    plain: frozenset[str]
    media: str
    waits: Callable[[Caller], str] | None
    ahead: Callable[..., Sequence[Asked]] | None


def operation(  # noqa: PLR0913 - what an endpoint can declare, each by name
    *,
    permission: str,
    summary: str,
    body: type[BaseModel] | None = None,
    query: type[BaseModel] | None = None,
    out: type[BaseModel] | None = None,
    status: int = 200,
    duty: Duty | None = None,
    conditional: bool = False,
    plain: tuple[str, ...] = (),
    media: str = JSON,
    waits: Callable[[Caller], str] | None = None,
    ahead: Callable[..., Sequence[Asked]] | None = None,
) -> Callable[[Method], Method]:
    """Declare an endpoint.

    - `permission`: a row of `hub.web.permissions`; `summary`: a key of `summaries.json`
    - `conditional`: the request must carry If-Match, because it changes a state the caller has seen
    - `duty`: the narrow reason to read across agencies that the transaction gets
    - `plain`: names of texts in the path that are not ids
    - `media`: the type of an answer given as `Reply.raw`
    - `ahead`: called with the caller and then as the method is, gives what the method is sure to ask
      (`hub.base.rounds`). It is asked in the first round trip, while it is not yet known that the token still stands:
      it may read and lock, and what it gives is seen by nobody unless the door admits
    - `waits`: a long poll: which queue's wake-up to wait for while the method replies `again` (query: a WaitingQuery)

    *Raises* KeyError: no such permission.
    """
    rule = PERMISSIONS[permission]

    def declare(method: Method) -> Method:
        declared = Operation(
            permission=permission,
            summary=summary,
            body=body,
            query=query,
            out=out,
            status=status,
            duty=duty,
            conditional=conditional,
            once=method.__name__ == "post" and not rule.open,
            plain=frozenset(plain),
            media=media,
            waits=waits,
            ahead=ahead,
        )

        @functools.wraps(method)
        def endpoint(resource: Any, **path: Any) -> Response:
            return _serve(declared, functools.partial(method, resource), path)

        endpoint.permission = permission  # type: ignore[attr-defined]  # hub.web.permissions.declared reads it
        endpoint.operation = declared  # type: ignore[attr-defined]  # hub.web.openapi reads it
        return endpoint  # type: ignore[return-value]  # Flask sees the endpoint, readers see the method

    return declare


def _serve(op: Operation, method: Callable[..., BaseModel | Reply | None], path: dict[str, Any]) -> Response:
    """Serve one request; the numbers are those of the module's docstring."""
    hub: Hub = current_app.extensions[EXTENSION]
    caller = hub.gate.recognise(op.permission, request)  # 1
    g.agency = caller.agency
    try:
        hub.gate.require(op.permission, caller)
        asked = _read(op, path, hub.settings.request_limit)
    except Exception:
        settle(hub.database, caller)
        raise
    arguments = [given for given in (asked.body, asked.query) if given is not None]
    door, again, query = caller.door, False, asked.query

    def act(call: Call) -> Answered:
        nonlocal again
        given = method(call, *arguments, **path)
        again = isinstance(given, Reply) and given.again
        return render(op, given, request, query, hub.settings.issuer)  # 7

    def refuse(error: HubError) -> Answered:
        return problems.refusal(error, g.language, g.request_id)

    def look() -> tuple[Answered, bool]:
        nonlocal door
        ahead = () if op.ahead is None else op.ahead(caller, *arguments, **path)
        work = Work(
            caller=caller,
            door=door,
            language=g.language,
            if_match=asked.if_match,
            duty=op.duty,
            once=asked.once,
            ahead=ahead,
        )
        answer = perform(hub.database, work, act, refuse)  # 6
        door = None  # a long poll looks again with the same proof
        return answer, again

    if op.waits is not None:
        seconds = query.wait if isinstance(query, WaitingQuery) else 0
        answer = patiently(look, seconds=seconds, wakes=hub.wakes, queue=op.waits(caller))
    else:
        answer, _ = look()
    if _unchanged(request, answer):
        answer = Answered(status=304, headers={"ETag": answer.headers["ETag"]}, body=b"")
    return problems.respond(answer)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    query: BaseModel | None
    if_match: str | None
    once: Once | None
    body: BaseModel | None


def _read(op: Operation, path: dict[str, Any], limit: int) -> _Asked:
    reading.path_ids(path, op.plain)  # 2
    query = reading.query(request, op.query)  # 3
    seen = reading.if_match(request, needed=op.conditional)  # 4
    key = reading.idempotency_key(request) if op.once else None
    takes_body = request.method in {"POST", "PUT", "PATCH"}
    body, raw = reading.body(request, op.body, limit=limit) if takes_body else (None, b"")  # 5
    once = Once(key=key, fingerprint=reading.fingerprint(request, raw)) if key is not None else None
    return _Asked(query=query, if_match=seen, once=once, body=body)


def render(
    op: Operation, given: BaseModel | Reply | None, asked: Request, query: BaseModel | None, origin: str
) -> Answered:
    """Write what the method gave as JSON, with its version and, on a page that has a next one, the link to it.

    *Raises* TypeError: the method gave something other than it declares.
    """
    reply = given if isinstance(given, Reply) else Reply(body=given)
    if reply.body is not None and (op.out is None or not isinstance(reply.body, op.out)):
        raise TypeError("undeclared-answer")
    headers = dict(reply.headers)
    if reply.etag is not None:
        headers["ETag"] = f'"{reply.etag}"'
    cursor = getattr(reply.body, "next_cursor", None)
    if cursor is not None:
        headers["Link"] = f'<{origin}{asked.path}?{_next(query, cursor)}>; rel="next"'
    if reply.raw is not None:
        headers["Content-Type"] = op.media
        return Answered(status=reply.status or op.status, headers=headers, body=reply.raw)
    if reply.body is None:
        status = reply.status or (op.status if op.status != 200 else NO_CONTENT)  # noqa: PLR2004 - HTTP's own figure
        return Answered(status=status, headers=headers, body=b"")
    headers["Content-Type"] = JSON
    kept = None if reply.kept is None else reply.kept.model_dump_json().encode()
    body = reply.body.model_dump_json().encode()
    return Answered(status=reply.status or op.status, headers=headers, body=body, kept=kept)


def _next(query: BaseModel | None, cursor: str) -> str:
    known = query.model_dump(mode="json", exclude_none=True, exclude_unset=True) if query is not None else {}
    return urlencode({**known, "cursor": cursor})


def _unchanged(asked: Request, answer: Answered) -> bool:
    """Tell whether a GET already has this version (If-None-Match)."""
    tag = answer.headers.get("ETag")
    return asked.method == "GET" and tag is not None and asked.headers.get("If-None-Match") == tag
