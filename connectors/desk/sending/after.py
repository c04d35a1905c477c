# SPDX-License-Identifier: Apache-2.0
"""Pages after the wizard: sent, waiting to be sent, or refused and to be put right; and the person's own slip."""

from __future__ import annotations

from typing import Any, Final

from flask import Blueprint, redirect, url_for
from werkzeug.wrappers import Response

from connectors.base.errors import ConnectorError
from connectors.casebook.deeds import Deed
from connectors.desk.sending import overview, service
from connectors.desk.web.gate import page
from connectors.desk.web.rendering import render, see
from connectors.desk.web.texts import is_text, text
from connectors.desk.web.visits import Access, Visit
from connectors.sdk.problems import ProblemError

blueprint: Final = Blueprint("sending", __name__)

_BACK_TO: Final = {
    "consent-refused": "categories",
    "telephone-required": "dates",
    "bad-date": "dates",
    "recipient-inactive": "recipient",
    "recipient-without-key": "recipient",
    "too-large": "content",
}
"""To which page of the wizard a refusal leads back; the check page where there is no better one."""


@page(blueprint, "/referrals/sent/<message>", who=Access.CASEWORK)
def sent(visit: Visit, message: str) -> Response | tuple[str, int]:
    """Show what became of a referral that was sent from here: its number, what happens next, what can be done."""
    with visit.book() as connection:
        outcome = overview.outcome(connection, visit, message)
    return render("sending/sent.html", outcome=outcome, sentence=_sentence(visit, outcome.deed), bar=outcome.bar)


@page(blueprint, "/referrals/sent/<message>/retry", who=Access.CASEWORK, methods=("POST",))
def retry(visit: Visit, message: str) -> Response:
    """Try once more to reach the hub for a referral that waits."""
    with visit.book() as connection:
        outcome = overview.outcome(connection, visit, message)
    return follow(visit, message, visit.site.courier.deliver(outcome.deed.key))


@page(blueprint, "/referrals/sent/<message>/again", who=Access.CASEWORK, methods=("POST",))
def again(visit: Visit, message: str) -> Response:
    """Make a draft again of a referral that the hub refused, everything kept."""
    return _again(visit, message)


def _again(visit: Visit, message: str) -> Response:
    with visit.book() as connection:
        outcome = overview.outcome(connection, visit, message)
        if outcome.deed.state != "refused":
            return redirect(url_for("sending.sent", message=message), 303)
        draft = service.take_up_again(connection, visit, outcome.file, outcome.deed)
    return see(
        url_for("sending.step", draft=draft, step=_BACK_TO.get(str(outcome.deed.code), "check")),
        said="sending.refused-flash",
        tone="bad",
        why=_sentence(visit, outcome.deed),
    )


@page(blueprint, "/referrals/sent/<message>/slip", who=Access.CASEWORK)
def slip(visit: Visit, message: str) -> Response | tuple[str, int]:
    """Print for the person what was passed on, to whom, and what comes next: one A4 page in plain words."""
    with visit.book() as connection:
        outcome = overview.outcome(connection, visit, message)
    return render("sending/slip.html", outcome=outcome, bar=outcome.bar)


def follow(visit: Visit, message: str, deed: Deed) -> Response:
    """Lead on after the hub was asked: to the confirmation, to the queue, or back to what must be put right."""
    if deed.state == "refused":
        _learn(visit, message)
        return _again(visit, message)
    if deed.state == "sent":
        _learn(visit, message)
    return redirect(url_for("sending.sent", message=message), 303)


def _learn(visit: Visit, message: str) -> None:
    """Learn how the referral and the case stand now; what is not learnt now comes with the next round."""
    with visit.book() as connection:
        outcome = overview.outcome(connection, visit, message)
    try:
        if outcome.referral is not None:
            visit.site.connector.refresh_referral(outcome.referral.id)
        else:
            visit.site.connector.refresh_case(outcome.file.case)
    except (ConnectorError, ProblemError):
        return


def _sentence(visit: Visit, deed: Deed) -> str:
    """Say in words why the hub refused, in ours where there are some, else in the hub's own."""
    if deed.code is None:
        return ""
    key = f"sending.refused-{deed.code}"
    if is_text(key):
        return text(key, visit.language)
    detail: Any = deed.answer.get("detail")
    return str(detail) if detail else text("sending.refused-otherwise", visit.language, code=deed.code)
