# SPDX-License-Identifier: Apache-2.0
"""The page of a case (ux D10): its path, the moves that the hub offers, strengths beside problems."""

from __future__ import annotations

from typing import Any, Final

from flask import request, url_for
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response

from connectors.casebook import deeds, step_files
from connectors.casebook.deeds import Deed
from connectors.casebook.step_files import Side
from connectors.desk.caseload.pages import blueprint as cases
from connectors.desk.cases.reads import person_bar
from connectors.desk.path import blueprint as path_blueprint
from connectors.desk.path import closing_pages, reads, rules, saying, service, triage_pages, urgent_pages
from connectors.desk.path.service import NotOfferedError, Wish
from connectors.desk.web.filling import Filled
from connectors.desk.web.gate import page
from connectors.desk.web.rendering import render, render_again, see
from connectors.desk.web.visits import Access, Visit

blueprint: Final = path_blueprint.blueprint
PARTS: Final = (closing_pages, triage_pages, urgent_pages)
"""Imported so that their pages hang on the blueprint."""
_LONGEST_SIDE: Final = 300
_MOST_TERMS: Final = 99


# every slice leads to `cases.case`: the page keeps that name, whoever makes it
@page(cases, "/cases/<case>", who=Access.CASEWORK)
def case(visit: Visit, case: str) -> tuple[str, int]:
    """Show one case: where it stands, who holds which ball, and what may be done next."""
    asked = request.args.get("term", "")
    term = int(asked) if asked.isascii() and asked.isdigit() and int(asked[:4]) <= _MOST_TERMS else None
    return _show(visit, case, None, term=term)


@page(blueprint, "/cases/<case>/moves", who=Access.CASEWORK, methods=("POST",))
def move(visit: Visit, case: str) -> Response | tuple[str, int]:
    """Move a case to a step; beside the usual order only with a reason, which stays on the path."""
    filled = Filled.of_request()
    step = filled.code("step", "step", required=True)
    state = filled.code("state", "case_state")
    reason = filled.code("reason", "unusual_move_reason")
    words = filled.text("words", longest=2000)
    version = filled.number("version", least=1, most=10**9, required=True)
    with visit.book() as connection:
        person_bar(connection, visit, case)
        offered = reads.course(connection, case).shown
        forms = reads.forms_of(connection, case)
    is_usual = step == offered.step or step in offered.next_steps
    if step is not None and not is_usual and reason is None:
        filled.blame("reason", "path.fault-reason")
    if step == "3" and state != "seeking_consent" and not forms:
        filled.blame("step", "path.fault-no-form")
    if step is None or version is None or not filled.is_fine:
        return _show(visit, case, filled)

    def beside(connection: Any, key: str) -> None:
        del key
        service.write_down(connection, visit, case, kind="note", channel=None, text=words)

    wish = Wish(step=step, state=state, reason=None if is_usual else reason)
    return saying.moved(visit, case, wish, version=version, beside=beside)


@page(blueprint, "/cases/<case>/pause", who=Access.CASEWORK, methods=("POST",))
def pause(visit: Visit, case: str) -> Response | tuple[str, int]:
    """Suspend a case, which stays ours, or take it up again where it stood."""
    filled = Filled.of_request()
    what = filled.code("what", ("suspend", "resume"), required=True)
    version = filled.number("version", least=1, most=10**9, required=True)
    words = filled.text("why", required=what == "suspend", longest=2000)
    with visit.book() as connection:
        person_bar(connection, visit, case)
        shown = reads.course(connection, case).shown
    if what is None or version is None or not filled.is_fine:
        return _show(visit, case, filled)

    def beside(connection: Any, key: str) -> None:
        del key
        service.write_down(connection, visit, case, kind="note", channel=None, text=words)

    state = rules.SUSPENDED if what == "suspend" else rules.state_before_pause(shown.history)
    wish = Wish(step=shown.step, state=state, action=what)
    return saying.moved(visit, case, wish, version=version, beside=beside)


@page(blueprint, "/cases/<case>/begin", who=Access.CASEWORK, methods=("POST",))
def begin(visit: Visit, case: str) -> Response:
    """Tell the hub of a case that it does not know yet, so that its path begins."""
    with visit.book() as connection:
        person_bar(connection, visit, case)
    try:
        service.begin(visit, case)
    except NotOfferedError as refused:
        return saying.cannot(case, refused)
    with visit.book() as connection:
        told = reads.course(connection, case).told
    said, tone = ("path.begun", "good") if told else ("path.moved-waiting", "wait")
    return see(url_for("cases.case", case=case), said=said, tone=tone)


@page(blueprint, "/cases/<case>/refusals/<key>", who=Access.CASEWORK, methods=("POST",))
def refusal_seen(visit: Visit, case: str, key: str) -> Response:
    """Note that somebody has looked at a move that the hub did not take."""
    with visit.book() as connection:
        person_bar(connection, visit, case)
        known: Deed | None = deeds.find(connection, key)
        if known is None or known.state != "refused" or known.about != case:
            raise NotFound
        deeds.look_at(connection, visit.pen(), key)
    return see(url_for("cases.case", case=case), said="path.refusal-seen")


@page(blueprint, "/cases/<case>/sides", who=Access.CASEWORK, methods=("POST",))
def add_side(visit: Visit, case: str) -> Response | tuple[str, int]:
    """Write down a strength or a problem; it stays at the agency."""
    filled = Filled.of_request()
    kind = filled.code("kind", step_files.SIDES, required=True)
    name = "strength" if kind == step_files.STRENGTH else "problem"
    text = filled.line(name, required=True, longest=_LONGEST_SIDE)
    with visit.book() as connection:
        person_bar(connection, visit, case)
        if filled.is_fine and kind is not None:
            pen = visit.pen()
            made = Side(
                id=filled.values.get("key") or pen.new_id(), case=case, kind=kind, at=visit.at, staff=visit.me.id,
                text=text,
            )  # fmt: skip
            step_files.write_side(connection, pen, made)
    if not filled.is_fine:
        return _show(visit, case, filled)
    return see(url_for("cases.case", case=case, _anchor="sides"), said="path.side-kept")


@page(blueprint, "/cases/<case>/sides/<side>/strike", who=Access.CASEWORK, methods=("POST",))
def strike_side(visit: Visit, case: str, side: str) -> Response:
    """Strike out a strength or a problem that does not hold any more."""
    with visit.book() as connection:
        person_bar(connection, visit, case)
        if not step_files.strike_side(connection, visit.pen(), side, case=case):
            raise NotFound
    return see(url_for("cases.case", case=case, _anchor="sides"), said="path.side-struck")


def _show(visit: Visit, case: str, filled: Filled | None, *, term: int | None = None) -> tuple[str, int]:
    with visit.book() as connection:
        shown = reads.path(connection, visit, case, term)
    facts: dict[str, Any] = {"shown": shown, "key": visit.site.connector.new_id(), "is_text": saying.has_text}
    if filled is None:
        return render("path/path.html", **facts)
    return render_again("path/path.html", filled, **facts)
