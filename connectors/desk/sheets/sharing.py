# SPDX-License-Identifier: Apache-2.0
"""Pages on which a settled sheet is shared: who would see which part and why not another, and sending what was ticked.

Each part is sealed under its own category and decided by consent, here, at the hub, and once more when it is opened.
"""

from __future__ import annotations

import contextlib
from typing import Any

from flask import request, url_for
from werkzeug.wrappers import Response

from connectors.base.errors import ConnectorError
from connectors.casebook import access, conversation, deeds, marks, mirror
from connectors.casebook.deeds import Deed
from connectors.desk.referrals import service as referrals
from connectors.desk.referrals.thread import blame_refusal, outcome
from connectors.desk.sheets import offers, reads
from connectors.desk.sheets.blueprint import blueprint
from connectors.desk.sheets.offers import Portion
from connectors.desk.sheets.reads import Opened
from connectors.desk.web.contents import FORM_MEDIA
from connectors.desk.web.filling import Filled
from connectors.desk.web.gate import page
from connectors.desk.web.rendering import render, render_again
from connectors.desk.web.visits import Access, Visit
from connectors.sdk.problems import ProblemError
from consent.envelope.manifest import MessageKind

View = Response | tuple[str, int]


@page(blueprint, "/sheets/<sheet>/share", who=Access.CASEWORK)
def share(visit: Visit, sheet: str) -> View:
    """Show for each open referral what its other side would see of a sheet; or begin a new referral with it."""
    with visit.book() as connection:
        shown = reads.opened(connection, visit, sheet)
        offers.require_shareable(shown.definition, shown.sheet)
        found = offers.offers(connection, visit, shown.definition, shown.sheet)
    return render("sheets/share.html", shown=shown, bar=shown.bar, offers=found)


@page(blueprint, "/sheets/<sheet>/share/<referral>", who=Access.CASEWORK, methods=("GET", "POST"))
def share_in(visit: Visit, sheet: str, referral: str) -> View:
    """Look at every part as the recipient will read it, and seal those that are ticked into the referral's thread."""
    if request.method == "POST":
        referrals.learn(visit, referral)
    with visit.book() as connection:
        shown = reads.opened(connection, visit, sheet)
        offers.require_shareable(shown.definition, shown.sheet)
        found = offers.offer(connection, visit, shown.definition, shown.sheet, referral)
    facts: dict[str, Any] = {"shown": shown, "bar": shown.bar, "offer": found, "once": visit.site.connector.new_id()}
    if request.method == "GET":
        return render("sheets/share_in.html", **facts)
    filled = Filled.of_request()
    ticked = filled.several("categories", [one.category for one in found.portions], required=True)
    if filled.is_fine:
        try:
            chosen = [one for one in found.portions if one.category in ticked]
            deed = _send(visit, shown, referral, chosen, filled)
        except ConnectorError as error:
            blame_refusal(filled, "categories", error, visit)
        else:
            what = shown.definition.words.said(visit.language)
            return outcome(visit, url_for("referrals.referral", referral=referral), deed, what)
    return render_again("sheets/share_in.html", filled, **facts)


def _send(visit: Visit, shown: Opened, referral: str, chosen: list[Portion], filled: Filled) -> Deed:
    return send(
        visit,
        shown,
        referral,
        MessageKind.DOCUMENT,
        [(one.category, one.body) for one in chosen],
        filled,
        action="sheet:shared",
    )


def send(
    visit: Visit,
    shown: Opened,
    referral: str,
    kind: MessageKind,
    parts: list[tuple[str, bytes]],
    filled: Filled,
    *,
    action: str,
) -> Deed:
    """Seal what was chosen, queue and carry it; the same page sent twice is one message.

    *Raises* `RefusedHereError`, `ConnectorError` as `conversation.say`; nothing has changed then.
    """
    mark = f"{action}:{shown.sheet.id}:{filled.line('once')}"
    with visit.book() as connection:
        sent = marks.recall(connection, mark)
        if sent is None:
            detail = mirror.detail_of(connection, referral)
            if detail is None:
                raise ConnectorError("referral-unknown")
            sent = conversation.say(
                connection,
                visit.pen(),
                detail,
                kind,
                [(category, FORM_MEDIA, body) for category, body in parts],
                own=visit.site.connector.own_key(),
                acknowledged=filled.has("acknowledged"),
            )
            marks.remember(connection, mark, sent)
            about = f"{shown.sheet.id}:{','.join(category for category, _ in parts)}"
            access.record(
                connection, staff=visit.me.id, action=action, about=about, case=shown.sheet.case, now=visit.at
            )
        deed = deeds.latest(connection, "message", sent)
    if deed is None:
        raise ConnectorError("message-unknown")
    done = visit.site.courier.deliver(deed.key)
    with contextlib.suppress(ConnectorError, ProblemError):
        visit.site.connector.refresh_referral(referral)
    return done
