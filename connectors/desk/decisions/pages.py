# SPDX-License-Identifier: Apache-2.0
"""Pages of the support decision: what is asked, deciding, the answer that came, the notice for the person (A4)."""

from __future__ import annotations

from typing import Any, Final

from flask import Blueprint, flash, url_for
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response

from connectors.base.errors import ConnectorError
from connectors.casebook import access
from connectors.casebook.compose import RefusedHereError
from connectors.desk.decisions import forms, reads, rules, service
from connectors.desk.decisions.reads import Picture
from connectors.desk.web.filling import Filled
from connectors.desk.web.gate import page
from connectors.desk.web.rendering import render, render_again, see
from connectors.desk.web.texts import is_text, text
from connectors.desk.web.visits import Access, Visit

blueprint: Final = Blueprint("decisions", __name__)
_ONE: Final = "/decisions/<referral>/<line>"
_TONES: Final = {"sent": "good", "waiting": "wait", "refused": "bad"}
_MAY_BE_SEEN_AGAIN: Final = frozenset({"my-number", "status-stale"})


@page(blueprint, "/decisions", who=Access.CASEWORK)
def decisions(visit: Visit) -> tuple[str, int]:
    """List what is asked of the municipality, or what we have asked it."""
    with visit.book() as connection:
        found = reads.lists(connection, visit)
    return render("decisions/list.html", found=found, is_town=visit.site.connector.kind == rules.MUNICIPALITY)


@page(blueprint, _ONE, who=Access.CASEWORK)
def decision(visit: Visit, referral: str, line: str) -> tuple[str, int]:
    """Show what is asked, or the answer that came."""
    return render("decisions/decision.html", **_facts(visit, _picture(visit, referral, line)))


@page(blueprint, f"{_ONE}/open", who=Access.CASEWORK, methods=("POST",))
def open_paper(visit: Visit, referral: str, line: str) -> Response:
    """Open the minutes that ask, or the answer, on purpose; its sender learns of it."""
    shown = _picture(visit, referral, line)
    paper = shown.paper if shown.paper.recipient == visit.site.connector.agency else shown.answer
    if paper is None:
        raise NotFound
    with visit.book() as connection:
        key = service.open_paper(connection, visit, paper)
    if key is not None:
        visit.site.courier.deliver(key)
    return see(url_for("decisions.decision", referral=referral, line=line))


@page(blueprint, f"{_ONE}/decide", who=Access.CASEWORK, methods=("POST",))
def decide(visit: Visit, referral: str, line: str) -> Response | tuple[str, int]:
    """Decide as the municipality's officer; the answer goes back sealed, and the hub hears that it was decided."""
    service.require_officer(visit)
    shown = _picture(visit, referral, line)
    filled = Filled.of_request()
    said = forms.read_decision(filled, visit, shown.paper.slip)
    if said is None:
        return render_again("decisions/decision.html", filled, **_facts(visit, shown))
    service.learn(visit, shown.paper.case)
    try:
        with visit.book() as connection:
            key = service.decide(connection, visit, shown.paper, said)
    except RefusedHereError:
        filled.blame("plan", "decisions.fault-consent")
        return render_again("decisions/decision.html", filled, **_facts(visit, shown))
    except ConnectorError as refused:
        if refused.code not in _MAY_BE_SEEN_AGAIN:
            raise
        filled.blame("words", f"decisions.fault-{refused.code}")
        return render_again("decisions/decision.html", filled, **_facts(visit, shown))
    deed = visit.site.courier.deliver(key)
    if deed.code is not None:
        why = f"decisions.refused-{deed.code}"
        flash(text(why if is_text(why) else "decisions.refused-other", visit.language, code=deed.code), "bad")
    address = url_for("decisions.decision", referral=referral, line=line)
    return see(address, said=f"decisions.said-{deed.state}", tone=_TONES[deed.state])


@page(blueprint, f"{_ONE}/notice", who=Access.CASEWORK)
def notice(visit: Visit, referral: str, line: str) -> tuple[str, int]:
    """Show the notice for the person, in plain Japanese, to be printed on one sheet."""
    shown = _picture(visit, referral, line)
    if shown.outcome is None:
        raise NotFound
    with visit.book() as connection:
        access.record(
            connection, staff=visit.me.id, action="notice:printed", about=line, case=shown.paper.case, now=visit.at
        )
    return render("decisions/notice.html", **_facts(visit, shown))


def _picture(visit: Visit, referral: str, line: str) -> Picture:
    with visit.book() as connection:
        return reads.picture(connection, visit, referral, line)


def _facts(visit: Visit, shown: Picture) -> dict[str, Any]:
    is_asked = shown.paper.recipient == visit.site.connector.agency
    paper = shown.paper if is_asked else shown.answer
    return {
        "shown": shown,
        "bar": shown.bar,
        "is_asked": is_asked,
        "is_closed": paper is not None and paper.read_at is None,
        "may_decide": is_asked and visit.may(Access.SUPERVISOR) and shown.outcome is None,
        "named": {how: rules.names_of(how) for how in ("law", "beside")},
        "said_by": {how: rules.answers_for(how) for how in ("law", "beside")},
        "town": visit.site.connector.settings.name_ja if is_asked else shown.agency,
    }
