# SPDX-License-Identifier: Apache-2.0
"""Pages of the inbox (ux D3): what came, one item that is opened on purpose, and the three answers.

Opening is a POST: the first reading by a named worker is told to the sender and moves the referral, so that it must not
happen because a link was followed, a page was fetched ahead or a browser restored its windows.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlencode

from flask import Blueprint, redirect, request, url_for
from werkzeug.exceptions import BadRequest, NotFound
from werkzeug.wrappers import Response

from connectors.base.errors import ConnectorError
from connectors.casebook import access
from connectors.desk.inbox import reads, rules, service
from connectors.desk.referrals import picture
from connectors.desk.referrals import rules as machine
from connectors.desk.referrals import service as referrals
from connectors.desk.referrals.moves import MOVES
from connectors.desk.referrals.pages import answer as answer_move
from connectors.desk.referrals.reads import BY_CHANGE, BY_DUE, PAGE, Row, Wanted
from connectors.desk.referrals.thread import outcome
from connectors.desk.staff import reads as staff
from connectors.desk.web.filling import Filled
from connectors.desk.web.gate import page
from connectors.desk.web.rendering import render, see
from connectors.desk.web.texts import text
from connectors.desk.web.visits import Access, Visit

blueprint: Final = Blueprint("inbox", __name__)


@page(blueprint, "/inbox", who=Access.CASEWORK)
def inbox(visit: Visit) -> tuple[str, int]:
    """List what came to us, what is due first, and the words in threads that nobody has opened."""
    query = _query()
    with visit.book() as connection:
        found = reads.rows(connection, visit, _wanted(visit, query), after=_after(query), limit=PAGE + 1)
        unread = reads.unread(connection, visit)
        workers = picture.workers(connection)
        names = staff.names_of(connection, {one.worker for one in found if one.worker})
        agencies = dict(picture.other_agencies(connection, visit, besides=()))
        access.record(connection, staff=visit.me.id, action="inbox:listed", about=str(len(found)), now=visit.at)
    filters = {name: value for name, value in query.items() if name != "after"}
    further = _further(filters, found[PAGE - 1]) if len(found) > PAGE else None
    return render(
        "inbox/list.html", rows=found[:PAGE], unread=unread, staff=names, workers=workers, agencies=agencies,
        query=filters, choices=rules.CHOICES, further=further, ages={one.id: _age(visit, one) for one in found},
    )  # fmt: skip


@page(blueprint, "/inbox/assign", who=Access.CASEWORK, methods=("POST",))
def assign(visit: Visit) -> Response:
    """Put somebody in charge of several items at once; accepting is never done in bulk.

    *Raises* BadRequest: nobody of that id works here.
    """
    worker, wanted = request.form.get("worker", ""), request.form.getlist("item")
    with visit.book() as connection:
        known = {one.id for one in picture.workers(connection)}
    if worker not in known:
        raise BadRequest
    if not wanted:
        return see(url_for("inbox.inbox"), said="inbox.assign-none", tone="bad")
    count = service.assign_all(visit, wanted, worker)
    return see(url_for("inbox.inbox"), said="inbox.assigned", n=str(count))


@page(blueprint, "/inbox/<referral>", who=Access.CASEWORK)
def item(visit: Visit, referral: str) -> Response | tuple[str, int]:
    """Show what came; closed, with what it announces, until somebody opens it by the button."""
    with visit.book() as connection:
        found = reads.item(connection, visit, referral)
        facts = _facts(connection, visit, found)
    if found.shown.row.side != machine.RECIPIENT:
        return redirect(url_for("referrals.referral", referral=referral), 303)
    return render("inbox/item.html", heard=None, **facts)


@page(blueprint, "/inbox/<referral>/open", who=Access.CASEWORK, methods=("POST",))
def open_item(visit: Visit, referral: str) -> Response:
    """Open what came, in this person's name; the sender learns that it was opened."""
    deed = service.open_item(visit, referral)
    url = url_for("inbox.item", referral=referral)
    if deed is not None and deed.state == "waiting":
        return see(url, said="inbox.opened-waiting", tone="wait")
    return see(url, said="inbox.opened")


@page(blueprint, "/inbox/<referral>/again", who=Access.CASEWORK, methods=("POST",))
def ask_again(visit: Visit, referral: str) -> Response:
    """Ask the sender to send again what could not be opened."""
    filled = Filled.of_request()
    version = filled.number("version", least=1, most=2**31, required=True)
    if version is None:
        raise BadRequest
    url = url_for("inbox.item", referral=referral)
    try:
        deed = service.ask_again(visit, referral, version=version)
    except ConnectorError:
        return see(url, said="inbox.ask-again-failed", tone="bad")
    return outcome(visit, url, deed, text("inbox.ask-again", visit.language))


@page(blueprint, "/inbox/<referral>/<event>", who=Access.CASEWORK, methods=("POST",))
def answer(visit: Visit, referral: str, event: str) -> Response | tuple[str, int]:
    """Accept, ask or decline; a form with faults comes back with all three as they were."""
    if event not in rules.ANSWERS:
        raise NotFound
    referrals.learn(visit, referral)
    with visit.book() as connection:
        found = reads.item(connection, visit, referral)
        if found.shown.detail is None:
            raise ConnectorError("referral-unknown")
        facts = _facts(connection, visit, found)
        facts["setting"] = picture.setting_of(connection, visit, found.shown.detail, event)
    return answer_move(visit, referral, event, Filled.of_request(), facts, template="inbox/item.html")


def count(visit: Visit) -> int:
    """Count what the menu shows beside the inbox."""
    with visit.book() as connection:
        return reads.count_open(connection, visit)


def _facts(connection: Any, visit: Visit, found: reads.Item) -> dict[str, Any]:
    detail = found.shown.detail
    offered = [MOVES[event] for event in rules.ANSWERS]
    decided = picture.may_say(connection, visit, detail) if detail else ()
    setting = picture.setting_of(connection, visit, detail, "ask") if detail else None
    return {
        "item": found, "shown": found.shown, "bar": found.shown.bar, "answers": offered, "setting": setting,
        "presets": picture.presets(connection, visit, offered), "decided": decided, "move": None,
        "workers": [(one.id, one.name) for one in picture.workers(connection)],
        "others": picture.other_agencies(
            connection, visit, besides=(visit.site.connector.agency, found.shown.row.sender)
        ),
    }  # fmt: skip


def _query() -> dict[str, str]:
    query = {name: request.args[name] for name in (*rules.CHOICES, "after") if request.args.get(name)}
    if any(name in rules.CHOICES and value not in rules.CHOICES[name] for name, value in query.items()):
        raise BadRequest
    return query


def _wanted(visit: Visit, query: Mapping[str, str]) -> Wanted:
    state, who = query.get("state", ""), query.get("who", "")
    return Wanted(
        side=machine.RECIPIENT,
        states=rules.STATES[state],
        workers=(visit.me.id,) if who == "mine" else (),
        unassigned=who == "none",
        due_before=visit.at if query.get("due") == "late" else None,
        order=BY_CHANGE if state == "all" else BY_DUE,
    )


def _after(query: Mapping[str, str]) -> tuple[datetime, str] | None:
    if "after" not in query:
        return None
    at, _, referral = query["after"].partition("~")
    try:
        read = datetime.fromisoformat(at)
    except ValueError:
        raise BadRequest from None
    if read.tzinfo is None or not referral:
        raise BadRequest
    return read, referral


def _further(filters: Mapping[str, str], last: Row) -> str:
    at = last.updated_at if filters.get("state") == "all" else last.due_at
    place = {**filters, "after": f"{at.isoformat() if at else ''}~{last.id}"}
    return f"{url_for('inbox.inbox')}?{urlencode(place)}"


def _age(visit: Visit, one: Row) -> int:
    """Count the business days since it was sent."""
    return 0 if one.sent_at is None else visit.site.calendar.business_days_between(one.sent_at, visit.at)
