# SPDX-License-Identifier: Apache-2.0
"""Step ⑬ and what is around it: the search for somebody who is not reached, the closure, a new application afterwards.

Suspension is no closure: the case stays ours and consent runs on (domain README §1).
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import date
from typing import Any, Final

from flask import url_for
from sqlalchemy import Connection
from werkzeug.wrappers import Response

from connectors.base.errors import ConnectorError
from connectors.casebook import directory, files, people, step_files
from connectors.casebook.step_files import Ending
from connectors.desk.cases.reads import person_bar
from connectors.desk.path import reads, rules, saying, service
from connectors.desk.path.blueprint import blueprint
from connectors.desk.path.service import NotOfferedError, Wish
from connectors.desk.web.filling import Filled
from connectors.desk.web.gate import page
from connectors.desk.web.rendering import render, render_again, see
from connectors.desk.web.visits import Access, Visit
from consent.vocabulary.codes import CODE_LISTS

_LOST: Final = "lost_contact"
_UNASKED: Final = frozenset({_LOST, "deceased"})
"""Reasons with which nobody can talk it over with the person."""
_PLANNED: Final = rules.LOOP - {"5"}
_LONGEST: Final = 2000
_OURS: Final = "ours"


@page(blueprint, "/cases/<case>/attempts", who=Access.CASEWORK)
def attempts(visit: Visit, case: str) -> tuple[str, int]:
    """Show who tried when to reach the person, and whether that is enough to call contact lost."""
    with visit.book() as connection:
        shown = reads.path(connection, visit, case)
    return render("path/attempts.html", shown=shown)


@page(blueprint, "/cases/<case>/attempts", who=Access.CASEWORK, methods=("POST",))
def tried(visit: Visit, case: str) -> Response | tuple[str, int]:
    """Write down a try, and tell the hub by its kind and channel."""
    filled = Filled.of_request()
    channel = filled.code("channel", "channel", required=True)
    made = filled.code("made", ("yes", "no"), required=True)
    text = filled.text("text", required=True, longest=_LONGEST)
    with visit.book() as connection:
        shown = reads.path(connection, visit, case)
    if channel is None or made is None or not filled.is_fine:
        return render_again("path/attempts.html", filled, shown=shown)
    try:
        deed = service.attempt(visit, case, channel=channel, made=made == "yes", text=text)
    except NotOfferedError as refused:
        return saying.cannot(case, refused)
    return saying.told(visit, case, deed, said="path.tried-", to=url_for("path.attempts", case=case))


@page(blueprint, "/cases/<case>/close", who=Access.CASEWORK)
def close(visit: Visit, case: str) -> tuple[str, int]:
    """Ask how the case ends and what follows."""
    with visit.book() as connection:
        facts = _facts(connection, visit, case)
    return render("path/close.html", **facts)


@page(blueprint, "/cases/<case>/close", who=Access.CASEWORK, methods=("POST",))
def closed(visit: Visit, case: str) -> Response | tuple[str, int]:
    """End the case with its ground and the decision on follow-up."""
    filled = Filled.of_request()
    with visit.book() as connection:
        facts = _facts(connection, visit, case)
    version = filled.number("version", least=1, most=10**9, required=True)
    reason = filled.code("reason", "closure_reason", required=True)
    if reason == _LOST and not facts["shown"].effort.is_enough:
        filled.blame("reason", "path.fault-lost")
    words = filled.text("words", required=True, longest=_LONGEST)
    talked = _talked_over(filled, visit, reason, asks_meeting=facts["asks_meeting"])
    follow, by = _follow_up(filled, visit, [code for code, _ in facts["followers"]])
    if reason is None or version is None or not filled.is_fine:
        return render_again("path/close.html", filled, **facts)

    def beside(connection: Connection, key: str) -> None:
        document: dict[str, Any] = {"words": words, "follow_up": follow, "by": by, **talked}
        made = Ending(id=key, case=case, at=visit.at, staff=visit.me.id, reason=reason, document=document)
        step_files.write_ending(connection, visit.pen(), made)

    wish = Wish(step=rules.CLOSING, state="closed", closure={"ground": reason, "follow_up": follow}, action="close")
    return saying.moved(visit, case, wish, version=version, beside=beside)


@page(blueprint, "/cases/<case>/reopen", who=Access.CASEWORK)
def reopen(visit: Visit, case: str) -> tuple[str, int]:
    """Say what opening again means: a new application with a new consent."""
    with visit.book() as connection:
        shown = reads.path(connection, visit, case)
    return render("path/reopen.html", shown=shown)


@page(blueprint, "/cases/<case>/reopen", who=Access.CASEWORK, methods=("POST",))
def reopened(visit: Visit, case: str) -> Response:
    """Begin a new case for the same person under a new handle; nothing that was allowed before counts in it.

    *Raises* `ConnectorError`: `case-not-ended`, `case-not-ours`.
    """
    with visit.book() as connection:
        bar = person_bar(connection, visit, case)
        if bar.person is None or not bar.is_ours:
            raise ConnectorError("case-not-ours")
        if reads.course(connection, case).shown.state not in rules.CLOSED:
            raise ConnectorError("case-not-ended")
        later = step_files.later_cases(connection, case)
        fresh = later[-1] if later else _begin_anew(connection, visit, case, bar.person.id)
    service.begin(visit, fresh)
    return see(url_for("intakes.new", case=fresh), said="path.reopened")


def _begin_anew(connection: Connection, visit: Visit, case: str, person: str) -> str:
    pen, handle = visit.pen(), str(uuid.uuid4())
    people.open_case(connection, handle=handle, person=person, owner=pen.agency, staff=pen.staff, now=pen.now)
    before = files.file_of(connection, case)
    files.open_file(connection, pen, case=handle, on=visit.today, worker=visit.me.id, team=visit.me.team)
    if before is not None and before.caution:
        files.caution(connection, pen, case=handle, text=before.caution)
    step_files.follows(connection, pen, case=handle, earlier=case)
    return handle


def _talked_over(filled: Filled, visit: Visit, reason: str | None, *, asks_meeting: bool) -> dict[str, Any]:
    """Read when the end and the follow-up were talked over with the person and in the meeting."""
    must = reason not in _UNASKED
    person = filled.day("person_on", required=must, last=visit.today)
    meeting = filled.day("meeting_on", required=asks_meeting, last=visit.today)
    return {"person_on": _iso(person), "meeting_on": _iso(meeting)}


def _follow_up(filled: Filled, visit: Visit, followers: list[str]) -> tuple[Mapping[str, Any], str | None]:
    """Read the decision on follow-up: by whom and when, or none and why not."""
    wanted = filled.code("follow", ("yes", "no"), required=True)
    if wanted == "yes":
        on = filled.day("follow_on", required=True, first=visit.today)
        return {"date": _iso(on)}, filled.code("follow_by", followers, required=True)
    why = filled.code("no_follow_up_reason", "no_follow_up_reason", required=wanted == "no")
    return {"none": True, "no_follow_up_reason": why}, None


def _iso(day: date | None) -> str | None:
    return day.isoformat() if day else None


def _facts(connection: Connection, visit: Visit, case: str) -> dict[str, Any]:
    shown = reads.path(connection, visit, case)
    known = directory.agencies(connection)
    names = [(one.id, one.name_ja if visit.language == "ja" else one.name_en) for one in known]
    own = visit.site.connector.agency
    grounds: dict[str, list[str]] = {}
    for code, row in CODE_LISTS["closure_reason"].items():
        grounds.setdefault(row["ground"], []).append(code)
    return {
        "shown": shown,
        "grounds": grounds,
        "followers": [(_OURS, saying.say(visit, "path.ours")), *((one, name) for one, name in names if one != own)],
        "asks_meeting": any(move.step in _PLANNED for move in shown.course.shown.history),
    }
