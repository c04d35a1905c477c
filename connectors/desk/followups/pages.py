# SPDX-License-Identifier: Apache-2.0
"""Pages of follow-ups (ux D9): the agenda, the month, setting one, writing one down, the calendar feed."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from datetime import date, timedelta
from itertools import groupby
from typing import Any, Final

from flask import Blueprint, make_response, request, url_for
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response

from connectors.base.errors import ConnectorError, HubAwayError
from connectors.casebook.deeds import Deed
from connectors.desk.cases.reads import person_bar
from connectors.desk.followups import feed, forms, reads, rules, service
from connectors.desk.followups.reads import Asking, Thread
from connectors.desk.staff import reads as staff
from connectors.desk.web.filling import Filled
from connectors.desk.web.gate import page
from connectors.desk.web.rendering import render, render_again, see
from connectors.desk.web.texts import is_text, text
from connectors.desk.web.visits import ALLOWED, Access, Visit
from connectors.sdk.problems import ProblemError
from consent.calendar import day_of

blueprint: Final = Blueprint("followups", __name__)

_TONES: Final = {"sent": "good", "waiting": "wait", "refused": "bad"}
_UNTENDED: Final = 5
_IN_A_CELL: Final = 3
_WEEKS_AHEAD: Final = timedelta(days=28)


@page(blueprint, "/followups", who=Access.CASEWORK)
def followups(visit: Visit) -> tuple[str, int]:
    """Show what is to be asked, the oldest first: late ones, then by the day, then by the week."""
    width = _width()
    after = _after()
    with visit.book() as connection:
        whose = service.whose(visit, width)
        found = reads.agenda(connection, whose, after=after)
        walks = reads.walks(connection, whose, visit.today, visit.today + _WEEKS_AHEAD) if after is None else []
        count, untended = reads.untended(connection, whose, limit=_UNTENDED)
        names, token = reads.agency_names(connection), reads.feed_of(connection, visit.me.id)
    listed, further = found[: reads.PAGE], None
    if len(found) > reads.PAGE:
        last = listed[-1]
        key = f"{last.due_on.isoformat()}.{last.n}.{last.referral}"
        further = url_for("followups.followups", scope=width, after=key)
    return render(
        "followups/agenda.html", groups=_grouped(listed, visit.today), walks=walks, untended=untended,
        untended_total=count, names=names, further=further, width=width, widths=_widths(visit), token=token,
    )  # fmt: skip


@page(blueprint, "/followups/month", who=Access.CASEWORK)
def month(visit: Visit) -> tuple[str, int]:
    """Show a month as a table."""
    wanted = request.args.get("month")
    shown = visit.today.replace(day=1) if wanted is None else rules.read_month(wanted)
    if shown is None:
        raise NotFound
    weeks = rules.weeks_of(shown)
    first, last = weeks[0][0], weeks[-1][-1]
    with visit.book() as connection:
        whose = service.whose(visit, _width())
        counts = reads.days_of_month(connection, whose, first, last)
        found = reads.between(connection, whose, first, last, limit=reads.PAGE * 4)
        walks = reads.walks(connection, whose, first, last)
    asked: dict[date, list[Asking]] = {}
    for one in found:
        asked.setdefault(one.due_on, []).append(one)
    return render(
        "followups/month.html", shown=shown, weeks=weeks, counts=counts, asked=asked, walks=walks,
        width=_width(), widths=_widths(visit), most=_IN_A_CELL, before=rules.month_before(shown).strftime("%Y-%m"),
        after=rules.next_month(shown).strftime("%Y-%m"), holidays=_closed_days(visit, weeks),
        day_in_japan=day_of,
    )  # fmt: skip


@page(blueprint, "/followups/<referral>/new", who=Access.CASEWORK, methods=("GET", "POST"))
def new(visit: Visit, referral: str) -> Response | tuple[str, int]:
    """Set a follow-up of a referral."""
    thread, facts = _facts(visit, referral)
    if request.method == "GET":
        return render("followups/new.html", **facts)
    filled = Filled.of_request()
    due = forms.read_due(filled, visit, thread)
    if due is None or not filled.is_fine:
        return render_again("followups/new.html", filled, **facts)
    with visit.book() as connection:
        key = service.set_due(connection, visit, thread, due)
    return _told(visit, visit.site.courier.deliver(key), thread, "set")


@page(blueprint, "/followups/<referral>/<int:n>", who=Access.CASEWORK, methods=("GET", "POST"))
def record(visit: Visit, referral: str, n: int) -> Response | tuple[str, int]:
    """Write down what came of a follow-up."""
    thread, facts = _facts(visit, referral)
    one = service.open_one(thread, n)
    with visit.book() as connection:
        is_queued = reads.is_queued(connection, referral, n)
    facts |= {"one": one, "is_queued": is_queued}
    if request.method == "GET":
        return render("followups/record.html", **facts)
    if one.is_done or is_queued:
        return see(url_for("followups.record", referral=referral, n=n), said="followups.said-already", tone="wait")
    filled = Filled.of_request()
    said = forms.read_answer(filled, visit, thread, one)
    if said is None:
        return render_again("followups/record.html", filled, **facts)
    with visit.book() as connection:
        # a second click that came meanwhile: the first one stands
        if reads.is_queued(connection, referral, n):
            return see(url_for("followups.followups"), said="followups.said-already", tone="wait")
        key = service.answer(connection, visit, thread, n, said)
    return _told(visit, visit.site.courier.deliver(key), thread, "done")


@page(blueprint, "/followups/calendar", who=Access.CASEWORK, methods=("GET", "POST"))
def calendar(visit: Visit) -> Response | tuple[str, int]:
    """Show the secret address of one's own calendar, and renew it."""
    if request.method == "POST":
        with visit.book() as connection:
            service.renew_feed(connection, visit)
        return see(url_for("followups.calendar"), said="followups.said-renewed")
    with visit.book() as connection:
        token = reads.feed_of(connection, visit.me.id)
    path = url_for("followups.calendar_feed", token=token) if token else None
    return render("followups/calendar.html", address=visit.site.origin.rstrip("/") + path if path else None)


@page(blueprint, "/followups/feed/<token>.ics", who=Access.EVERYBODY)
def calendar_feed(visit: Visit, token: str) -> Response:
    """Give a calendar that names nobody to whoever has its secret address, as long as its owner does casework here."""
    with visit.book() as connection:
        try:
            owner = service.feed_owner(connection, token)
        except ConnectorError:
            raise NotFound from None
        account = staff.account(connection, owner)
        if account is None or not account.is_active or not account.member.roles & ALLOWED[Access.CASEWORK]:
            raise NotFound
        whose = reads.Whose(agency=visit.site.connector.agency, me=owner, team=account.member.team, width="mine")
        asked, walks = reads.fed(connection, whose, visit.at)
    answer = make_response(feed.write(asked, walks, language=visit.language, now=visit.at))
    answer.headers["Content-Type"] = "text/calendar; charset=utf-8"
    answer.headers["Content-Disposition"] = 'inline; filename="tsunagi.ics"'
    return answer


def _facts(visit: Visit, referral: str) -> tuple[Thread, dict[str, Any]]:
    with visit.book() as connection:
        thread = reads.thread_of(connection, referral, visit.site.connector.agency)
        bar = person_bar(connection, visit, thread.case)
        names = reads.agency_names(connection)
    days = {preset: rules.day_of_preset(preset, visit.at) for preset in (*rules.PRESETS, rules.AFTER_CLOSURE)}
    partner = names.get(thread.partner, {}).get(visit.language, "")
    return thread, {"thread": thread, "bar": bar, "partner": partner, "days": days}


def _told(visit: Visit, deed: Deed, thread: Thread, what: str) -> Response:
    """Say what the hub said, and make the next page fresh where it did say something."""
    if deed.state == "sent":
        with contextlib.suppress(HubAwayError, ProblemError):
            visit.site.connector.refresh_referral(thread.id)
    why = f"followups.refused-{deed.code}"
    reason = text(why if is_text(why) else "followups.refused-other", visit.language) if deed.code else ""
    return see(
        url_for("followups.followups"), said=f"followups.said-{what}-{deed.state}", tone=_TONES[deed.state], why=reason
    )


def _grouped(listed: Sequence[Asking], today: date) -> list[tuple[rules.Group, list[Asking]]]:
    return [(group, list(rows)) for group, rows in groupby(listed, key=lambda one: rules.group_of(one.due_on, today))]


def _closed_days(visit: Visit, weeks: Sequence[Sequence[date]]) -> frozenset[date]:
    return frozenset(day for week in weeks for day in week if not visit.site.calendar.is_business_day(day))


def _width() -> str:
    asked = request.args.get("scope", reads.SCOPES[0])
    return asked if asked in reads.SCOPES else reads.SCOPES[0]


def _widths(visit: Visit) -> list[str]:
    return [one for one in reads.SCOPES if one != "team" or visit.me.team]


def _after() -> tuple[date, str, int] | None:
    """Read from which row on to go; what cannot be read begins at the first."""
    day, _, rest = request.args.get("after", "").partition(".")
    n, _, referral = rest.partition(".")
    if not (n.isascii() and n.isdigit() and referral):
        return None
    try:
        return date.fromisoformat(day), referral, int(n[:6])
    except ValueError:
        return None
