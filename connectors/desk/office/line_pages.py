# SPDX-License-Identifier: Apache-2.0
"""The line to the hub: when it answered last, what waits and since when, what was refused; try again now."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from flask import Response as FlaskResponse
from flask import make_response, request, url_for
from werkzeug.wrappers import Response

from connectors.base.errors import ConnectorError, HubAwayError
from connectors.casebook import access, line, outgoing
from connectors.desk.office.blueprint import blueprint
from connectors.desk.web.gate import page
from connectors.desk.web.rendering import render, see
from connectors.desk.web.visits import Access, Visit
from connectors.sdk.problems import ProblemError
from connectors.sync import proofs, witnesses

_EVERY: Final = 2
"""Seconds after which the page looks again while something is being sent."""
_PATIENCE: Final = timedelta(seconds=10)
"""How long the page waits for a line that was down when sending began."""
_MOST: Final = 1_000_000


@page(blueprint, "/office/line", who=Access.ADMINISTRATOR)
def health(visit: Visit) -> FlaskResponse:
    """Show how the line to the hub is, what stands behind it, and which keys of the hub were seen first; after "try
    again" also how far the sending is (`of` how many, begun `at` which second).
    """
    with visit.book() as connection:
        waiting, refusals = line.waiting_by_kind(connection), line.newest_refusals(connection)
        pinned = proofs.pinned_here(connection)
        watch = visit.site.connector.watch
        witnessed = witnesses.standing(connection, watch, now=visit.at)
    of, left = min(max(request.args.get("of", 0, type=int), 0), _MOST), sum(one.count for one in waiting)
    is_sending = bool(of and left) and (visit.site.line.failing_since is None or _just_begun(visit))
    shown = render(
        "office/line.html",
        sending={"of": of, "done": max(0, of - left), "on": is_sending} if of else None,
        waiting_rows=waiting,
        refusals=refusals,
        hub=visit.site.connector.settings.hub,
        pinned=pinned,
        witnessed=witnessed,
        when_late=None if watch is None else watch.when_late,
        why=_why(visit),
    )
    answer: FlaskResponse = make_response(shown)
    if is_sending:
        answer.headers["Refresh"] = str(_EVERY)
    return answer


def _just_begun(visit: Visit) -> bool:
    at = request.args.get("at", 0, type=int)
    return abs(visit.at.timestamp() - at) < _PATIENCE.total_seconds()


@page(blueprint, "/office/line/sync", who=Access.ADMINISTRATOR, methods=("POST",))
def sync_now(visit: Visit) -> Response:
    """Make a round with the hub now."""
    site, where = visit.site, url_for("office.health")
    with visit.book() as connection:
        access.record(connection, staff=visit.me.id, action="line:tried", about="", now=visit.at)
        waiting = outgoing.count_waiting(connection)
    if site.courier.begin():
        return see(url_for("office.health", of=waiting, at=int(visit.at.timestamp())), said="office.sync-begun")
    try:
        done = site.connector.sync()
    except (ConnectorError, ProblemError) as error:
        site.line.failed(error, site.now())
        is_away = isinstance(error, HubAwayError)
        return see(
            where, said="office.sync-away" if is_away else "office.sync-failed", tone="wait" if is_away else "bad"
        )
    if done.pushed.hub_away or done.answered.hub_away:
        return see(where, said="office.sync-away", tone="wait")
    site.line.heard(site.now())
    n = len(done.pushed.settled) + len(done.answered.settled)
    return see(where, said="office.synced", n=str(n), m=str(len(done.collected)))


def _why(visit: Visit) -> str | None:
    """Say what went wrong last, in words."""
    code = visit.site.line.code
    if code is None:
        return None
    return ConnectorError(code, url=visit.site.connector.settings.hub).says(visit.language)
