# SPDX-License-Identifier: Apache-2.0
"""The page on which a member of a 支援会議 tells others there something, without the person's consent (art. 9)."""

from __future__ import annotations

from typing import Any

from flask import request
from werkzeug.wrappers import Response

from connectors.base.errors import ConnectorError
from connectors.casebook import files
from connectors.casebook.compose import RefusedHereError
from connectors.desk.cases.reads import require_reason
from connectors.desk.meetings import listed, reads, service, showing
from connectors.desk.meetings.blueprint import blueprint
from connectors.desk.meetings.listed import Giving
from connectors.desk.web.filling import Filled
from connectors.desk.web.gate import page
from connectors.desk.web.rendering import render, render_again
from connectors.desk.web.visits import Access, Visit

_LONGEST = 4000


@page(blueprint, "/conferences/<meeting>/words/new", who=Access.CASEWORK, methods=("GET", "POST"))
def give(visit: Visit, meeting: str) -> Response | tuple[str, int]:
    """Tell members of a conference something of a case that is spoken of there."""
    with visit.book() as connection:
        shown = listed.giving(connection, visit, meeting)
    facts: dict[str, Any] = {"where": "conferences", "shown": shown, "meeting": meeting}
    if request.method == "GET":
        return render("meetings/give.html", **facts)
    filled = Filled.of_request()
    word = _read(visit, filled, shown)
    if word is None:
        return render_again("meetings/give.html", filled, **facts)
    try:
        with visit.book() as connection:
            keys = service.give(connection, visit, shown.meeting.id, word)
    except RefusedHereError:
        filled.blame("to", "meetings.fault-not-member")
        return render_again("meetings/give.html", filled, **facts)
    except ConnectorError as refused:
        if refused.code != "my-number":
            raise
        filled.blame("said", "meetings.fault-my-number")
        return render_again("meetings/give.html", filled, **facts)
    return showing.told_all(visit, keys, showing.address("conferences", shown.meeting.id))


def _read(visit: Visit, filled: Filled, shown: Giving) -> service.Word | None:
    to = filled.several("to", [one for one, _ in shown.members], required=True)
    category = filled.code("category", "categories", required=True)
    said = filled.text("said", required=True, longest=_LONGEST)
    case = _case(visit, filled, shown)
    if not filled.is_fine or case is None or category is None:
        return None
    return service.Word(case=case, category=category, said=said, to=to, acknowledged=filled.has("no_my_number"))


def _case(visit: Visit, filled: Filled, shown: Giving) -> str | None:
    """Read whom it is about: a case of ours by its number, for a reason, or one that was spoken of there."""
    number = filled.line("number")
    if not number:
        if not shown.cases:
            filled.blame("number", "meetings.fault-which-case")
        return filled.code("case", shown.cases, required=bool(shown.cases))
    with visit.book() as connection:
        case = reads.case_numbered(connection, visit, number)
        if case is not None:
            require_reason(connection, visit, case, files.file_of(connection, case))
    if case is None:
        filled.blame("number", "meetings.fault-case")
    return case
