# SPDX-License-Identifier: Apache-2.0
"""Pages of corrections: write one and see who will be told, see who has confirmed, tell the rest another way."""

from __future__ import annotations

from typing import Any, Final

from flask import Blueprint, request, url_for
from werkzeug.wrappers import Response

from connectors.base.errors import ConnectorError
from connectors.base.labels import codes
from connectors.casebook import corrections
from connectors.casebook.corrections import Made, Wording
from connectors.desk.cases.reads import person_bar
from connectors.desk.corrections import reads, service
from connectors.desk.corrections.reads import Draft
from connectors.desk.web.filling import Filled
from connectors.desk.web.gate import page
from connectors.desk.web.rendering import render, render_again, see
from connectors.desk.web.texts import is_text
from connectors.desk.web.visits import Access, Visit
from consent import wire
from consent.envelope.corrections import LONGEST_TEXT

blueprint: Final = Blueprint("corrections", __name__)

CHANNELS: Final = ("telephone", "letter", "visit", "meeting", "counter")
"""How an agency may hear of it where no sealed notice reaches it; nothing that goes open over the net."""


@page(blueprint, "/corrections/new", who=Access.CASEWORK, methods=("GET", "POST"))
def new(visit: Visit) -> Response | tuple[str, int]:
    """Write what is right, and see who will be told, who cannot be and why, before anything is sent."""
    message, category = request.args.get("message", ""), request.args.get("category")
    draft = _draft(visit, message, category)
    if request.method == "POST":
        service.learn(visit, draft.case)
        draft = _draft(visit, message, category)
    facts = _facts(visit, draft)
    if request.method == "GET" or draft.category is None:
        return render("corrections/new.html", **facts)
    filled = Filled.of_request()
    said = filled.text("text", required=True, longest=LONGEST_TEXT)
    chosen = filled.several("to", [one.referral for one in draft.reachable], required=True)
    once = filled.line("once", required=True, longest=64)
    if not wire.is_id(once):
        filled.blame("text", "corrections.fault-again")
    if not filled.is_fine:
        return render_again("corrections/new.html", filled, **facts)
    wording = Wording(
        id=once,
        case=draft.case,
        message=draft.message,
        category=draft.category,
        text=said,
        acknowledged=filled.has("acknowledged"),
    )
    # those who cannot be told are kept beside those who can: what is to be done for them stays in sight
    try:
        service.make_known(visit, wording, {*chosen, *(one.referral for one in draft.unreachable)})
    except ConnectorError as error:
        key = f"corrections.fault-{error.code}"
        filled.blame("text", key if is_text(key) else "corrections.fault-not-sealed")
        return render_again("corrections/new.html", filled, **facts)
    return see(url_for("corrections.correction", correction=once), said="corrections.said")


@page(blueprint, "/corrections/<correction>", who=Access.CASEWORK)
def correction(visit: Visit, correction: str) -> tuple[str, int]:
    """Show a correction: what was said, who has confirmed it, who has not, who could not be told."""
    service.freshen(visit, _made(visit, correction))
    with visit.book() as connection:
        found = reads.made_of(connection, visit, correction)
        facts: dict[str, Any] = {
            "bar": person_bar(connection, visit, found.case),
            "names": reads.names_of(connection, visit),
            "staff": reads.staff_of(connection, found),
            "reasons": reads.reasons(visit, [one.why for one in found.told]),
            "channels": [(one, codes("channel")[one][visit.language]) for one in CHANNELS],
        }
    return render("corrections/correction.html", found=found, **facts)


@page(blueprint, "/corrections/<correction>/again", who=Access.CASEWORK, methods=("POST",))
def again(visit: Visit, correction: str) -> Response:
    """Tell whoever may be told by now, in the words that were written."""
    count = service.try_again(visit, _made(visit, correction))
    url = url_for("corrections.correction", correction=correction)
    if not count:
        return see(url, said="corrections.again-none", tone="wait")
    return see(url, said="corrections.again-done", n=str(count))


@page(blueprint, "/corrections/<correction>/told/<referral>", who=Access.CASEWORK, methods=("POST",))
def told(visit: Visit, correction: str, referral: str) -> Response:
    """Note that somebody was told in another way."""
    _made(visit, correction)
    url = url_for("corrections.correction", correction=correction)
    channel = Filled.of_request().code("channel", CHANNELS, required=True)
    if channel is None:
        return see(url, said="corrections.told-how", tone="bad")
    try:
        with visit.book() as connection:
            corrections.note_told(connection, visit.pen(), correction, referral, channel=channel)
    except ConnectorError as error:
        if error.code != "told-against-consent":
            raise
        return see(url, said="corrections.told-against-consent", tone="bad")
    return see(url, said="corrections.told-noted")


@page(blueprint, "/cases/<case>/corrections", who=Access.CASEWORK)
def case_corrections(visit: Visit, case: str) -> tuple[str, int]:
    """List the corrections of a case that were made known here, and how many have not confirmed yet."""
    with visit.book() as connection:
        bar = person_bar(connection, visit, case)
        found = reads.of_case(connection, visit, case)
    return render("corrections/list.html", bar=bar, case=case, found=found)


def _made(visit: Visit, correction: str) -> Made:
    """Give a correction whose case this person may look at."""
    with visit.book() as connection:
        found = reads.made_of(connection, visit, correction)
        person_bar(connection, visit, found.case)
    return found


def _draft(visit: Visit, message: str, category: str | None) -> Draft:
    with visit.book() as connection:
        return reads.draft_of(connection, visit, message, category)


def _facts(visit: Visit, draft: Draft) -> dict[str, Any]:
    with visit.book() as connection:
        names = reads.names_of(connection, visit)
    return {
        "draft": draft,
        "bar": draft.bar,
        "names": names,
        "reasons": reads.reasons(visit, [one.why for one in draft.addressees]),
        "once": visit.site.connector.new_id(),
    }
