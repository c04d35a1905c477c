# SPDX-License-Identifier: Apache-2.0
"""What is done with a meeting at the hub, queued like every deed: convened, accepted, agenda, decisions, its end.

The hub gets codes: kind, member agencies, times, decision codes, a case's handle where every member may know of it. A
meeting that waits has no id of the hub's yet; the rows behind it name it by ours, and the number is looked up as they
go out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection

from connectors.casebook import access, outgoing
from connectors.casebook.statements import Pen
from consent.wire import write_moment

CONVENED: Final = "meeting"
KINDS: Final = frozenset({CONVENED, "meeting_accept", "meeting_agenda", "meeting_decision", "meeting_end"})
"""The kinds of rows that are about a meeting."""
OURS: Final = "ours"
"""The member of a row that names a meeting by our own id."""


def convene(
    connection: Connection, pen: Pen, *, meeting: str, kind: str, members: Sequence[str], until: datetime
) -> str:
    """Queue that a meeting is convened; give the row's key."""
    body = {"kind": kind, "members": list(members), "until": write_moment(until)}
    return _queue(connection, pen, CONVENED, meeting=meeting, path="/v1/meetings", body=body)


def accept(connection: Connection, pen: Pen, *, meeting: str) -> str:
    """Queue that this agency accepts its membership; `meeting` is the hub's id."""
    return _queue(connection, pen, "meeting_accept", meeting=meeting, path=f"/v1/meetings/{meeting}/accept", body={})


def put_on_agenda(connection: Connection, pen: Pen, *, meeting: str, code: str, case: str | None) -> str:
    """Queue a point of the agenda of a meeting of ours: a code, with the case where all members may know of it."""
    return _ours(connection, pen, "meeting_agenda", meeting, "agenda", _item(code, case))


def decide(connection: Connection, pen: Pen, *, meeting: str, code: str, case: str | None) -> str:
    """Queue what was decided in a meeting of ours, as a code."""
    return _ours(connection, pen, "meeting_decision", meeting, "decisions", _item(code, case))


def end(connection: Connection, pen: Pen, *, meeting: str) -> str:
    """Queue the end of a meeting of ours; what a conference permitted ends with it."""
    return _ours(connection, pen, "meeting_end", meeting, "end", {})


def _item(code: str, case: str | None) -> dict[str, Any]:
    return {"item": {"code": code} | ({"case": case} if case else {})}


def _ours(connection: Connection, pen: Pen, what: str, meeting: str, where: str, body: Mapping[str, Any]) -> str:
    path = f"/v1/meetings/-/{where}"
    return _queue(connection, pen, what, meeting=meeting, path=path, body={OURS: meeting, **body})


def _queue(connection: Connection, pen: Pen, what: str, *, meeting: str, path: str, body: Mapping[str, Any]) -> str:
    key = pen.new_id()
    outgoing.put(connection, key=key, what=what, about=meeting, path=path, body=body, now=pen.now)
    access.record(connection, staff=pen.staff, action=f"{what.replace('_', '-')}:queued", about=meeting, now=pen.now)
    return key
