# SPDX-License-Identifier: Apache-2.0
"""The line to the hub: when it answered last, what waits and since when, what was refused; try again now."""

from __future__ import annotations

from flask import url_for
from werkzeug.wrappers import Response

from connectors.base.errors import ConnectorError, HubAwayError
from connectors.casebook import access, line
from connectors.desk.office.blueprint import blueprint
from connectors.desk.web.gate import page
from connectors.desk.web.rendering import render, see
from connectors.desk.web.visits import Access, Visit
from connectors.sdk.problems import ProblemError
from connectors.sync import proofs


@page(blueprint, "/office/line", who=Access.ADMINISTRATOR)
def health(visit: Visit) -> tuple[str, int]:
    """Show how the line to the hub is, what stands behind it, and which keys of the hub were seen first."""
    with visit.book() as connection:
        waiting, refusals = line.waiting_by_kind(connection), line.newest_refusals(connection)
        pinned = proofs.pinned_here(connection)
    return render(
        "office/line.html",
        waiting_rows=waiting,
        refusals=refusals,
        hub=visit.site.connector.settings.hub,
        pinned=pinned,
        why=_why(visit),
    )


@page(blueprint, "/office/line/sync", who=Access.ADMINISTRATOR, methods=("POST",))
def sync_now(visit: Visit) -> Response:
    """Make a round with the hub now."""
    site, where = visit.site, url_for("office.health")
    with visit.book() as connection:
        access.record(connection, staff=visit.me.id, action="line:tried", about="", now=visit.at)
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
