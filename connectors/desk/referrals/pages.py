# SPDX-License-Identifier: Apache-2.0
"""Pages of referrals (ux D7): the list both ways, its CSV, one referral, and every move that the hub offers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlencode

from flask import Response as Download
from flask import current_app, request, url_for
from werkzeug.exceptions import BadRequest, NotFound
from werkzeug.wrappers import Response

from connectors.base.errors import ConnectorError
from connectors.base.labels import label
from connectors.casebook import access, deeds
from connectors.desk.referrals import listed, moves, picture, reads, service
from connectors.desk.referrals.moves import MOVES
from connectors.desk.referrals.thread import blame_refusal, blueprint, outcome, reason
from connectors.desk.staff import reads as staff
from connectors.desk.web.filling import Filled
from connectors.desk.web.gate import page
from connectors.desk.web.rendering import render, render_again, see
from connectors.desk.web.visits import Access, Visit

__all__ = ["blueprint"]

MOST_EXPORTED: Final = 20_000


@page(blueprint, "/referrals", who=Access.CASEWORK)
def referrals(visit: Visit) -> tuple[str, int]:
    """List what we sent and received, filtered by links."""
    chosen = _chosen()
    with visit.book() as connection:
        wanted = chosen.wanted(visit, listed.team_of(connection, visit))
        found = _rows(connection, visit, wanted, after=chosen.cursor, limit=reads.PAGE + 1)
        names = staff.names_of(connection, {one.worker for one in found if one.worker})
        access.record(connection, staff=visit.me.id, action="referrals:listed", about=str(len(found)), now=visit.at)
    shown = found[: reads.PAGE]
    further = chosen.further(shown[-1]) if len(found) > reads.PAGE else None
    return render(
        "referrals/list.html",
        rows=shown,
        staff=names,
        groups=chosen.groups(),
        further=_list_url("referrals.referrals", further) if further else None,
        export=_list_url("referrals.export", chosen.query),
        further_export=_exchange(chosen.query),
        narrowed=bool(chosen.query),
    )


@page(blueprint, "/referrals.csv", who=Access.CASEWORK)
def export(visit: Visit) -> Response:
    """Give the list as CSV with codes and labels, safe for spreadsheets; that somebody took it is logged."""
    chosen = _chosen()
    with visit.book() as connection:
        wanted = chosen.wanted(visit, listed.team_of(connection, visit))
        found = _rows(connection, visit, wanted, after=None, limit=MOST_EXPORTED)
        names = staff.names_of(connection, {one.worker for one in found if one.worker})
        access.record(connection, staff=visit.me.id, action="referrals:exported", about=str(len(found)), now=visit.at)
    written = listed.csv_of(found, names, visit.language)
    answer = Download(written, mimetype="text/csv")
    answer.headers["Content-Disposition"] = f"attachment; filename=referrals-{visit.today.isoformat()}.csv"
    return answer


@page(blueprint, "/referrals/<referral>", who=Access.CASEWORK)
def referral(visit: Visit, referral: str) -> tuple[str, int]:
    """Show one referral: where it stands, what to do next, what happened, what is visible to whom."""
    with visit.book() as connection:
        shown = picture.picture(connection, visit, referral)
        workers = picture.workers(connection)
    return render(
        "referrals/referral.html",
        shown=shown,
        bar=shown.bar,
        workers=workers,
        reasons={one.deed.key: reason(visit, one.deed) for one in shown.refused},
    )


@page(blueprint, "/referrals/<referral>/moves/<event>", who=Access.CASEWORK, methods=("GET", "POST"))
def move(visit: Visit, referral: str, event: str) -> Response | tuple[str, int]:
    """Make a move: a small form that asks what the move needs, in our own words and the hub's codes."""
    row = MOVES.get(event)
    if row is None:
        raise NotFound
    if request.method == "POST" and row.words is not None:
        service.learn(visit, referral)
    with visit.book() as connection:
        shown = picture.picture(connection, visit, referral)
        if shown.detail is None:
            raise ConnectorError("referral-unknown")
        setting = picture.setting_of(connection, visit, shown.detail, event)
        facts: dict[str, Any] = {
            "shown": shown, "bar": shown.bar, "move": row, "setting": setting,
            "presets": picture.presets(connection, visit, (row,)),
            "workers": [(one.id, one.name) for one in picture.workers(connection)],
            "others": picture.other_agencies(connection, visit, besides=(visit.site.connector.agency,)),
            "decided": picture.may_say(connection, visit, shown.detail),
        }  # fmt: skip
    if request.method == "GET":
        return render("referrals/move.html", heard=None, **facts)
    return answer(visit, referral, event, Filled.of_request(), facts, template="referrals/move.html")


def answer(
    visit: Visit, referral: str, event: str, filled: Filled, facts: dict[str, Any], *, template: str
) -> Response | tuple[str, int]:
    """Read the form of a move and make it; a page of several forms comes back with every value kept.

    A decline is shown once more first, with the sentence that the person will hear.
    """
    row, said = MOVES[event], moves.read(MOVES[event], filled, facts["setting"])
    version = filled.number("version", least=1, most=2**31, required=True)
    if filled.is_fine and event == "decline" and not filled.has("heard"):
        return render("referrals/move.html", **{**facts, "move": row, "filled": filled, "heard": said.body})
    if filled.is_fine and version is not None:
        try:
            deed = service.make_move(visit, referral, event, said, version=version)
        except ConnectorError as error:
            blame_refusal(filled, f"{event}-text", error, visit)
        else:
            url = url_for("referrals.referral", referral=referral)
            return outcome(visit, url, deed, label("referral_move", event, visit.language))
    shown = moves.with_presets(filled, facts["presets"], sent=event)
    return render_again(template, shown, heard=None, **facts)


@page(blueprint, "/referrals/<referral>/assign", who=Access.CASEWORK, methods=("POST",))
def assign(visit: Visit, referral: str) -> Response:
    """Put somebody in charge here; the hub learns nothing of it before we accept.

    *Raises* BadRequest: nobody of that id works here.
    """
    with visit.book() as connection:
        worker = request.form.get("worker", "")
        if worker not in {one.id for one in picture.workers(connection)}:
            raise BadRequest
        service.assign(connection, visit, referral, worker)
    return see(url_for("referrals.referral", referral=referral), said="referrals.assigned")


@page(blueprint, "/referrals/<referral>/seen/<key>", who=Access.CASEWORK, methods=("POST",))
def seen(visit: Visit, referral: str, key: str) -> Response:
    """Put a refusal away once a person has looked at it.

    *Raises* NotFound: it is none of this referral.
    """
    with visit.book() as connection:
        shown = picture.picture(connection, visit, referral)
        if key not in {one.deed.key for one in shown.refused}:
            raise NotFound
        deeds.look_at(connection, visit.pen(), key)
    return see(url_for("referrals.referral", referral=referral), said="referrals.put-away")


def _list_url(endpoint: str, query: Mapping[str, str]) -> str:
    return f"{url_for(endpoint)}?{urlencode(query)}" if query else url_for(endpoint)


def _exchange(query: Mapping[str, str]) -> str | None:
    """Give where this list is given out in other formats, with what it is narrowed to; none on a desk without it."""
    if "exchange.exchange" not in current_app.view_functions:
        return None
    width = {"mine": "mine"}.get(query.get("who", ""), "office")
    kept: dict[str, Any] = {name: query[name] for name in ("role", "state", "due") if name in query}
    return url_for("exchange.exchange", what="referrals", width=width, **kept, _anchor="export")


def _chosen() -> listed.Chosen:
    try:
        return listed.Chosen.of(request.args)
    except ValueError:
        raise BadRequest from None


def _rows(connection: Any, visit: Visit, wanted: reads.Wanted, *, after: Any, limit: int) -> tuple[reads.Row, ...]:
    site = visit.site
    return reads.rows(
        connection, wanted, agency=site.connector.agency, language=visit.language, now=visit.at,
        calendar=site.calendar, after=after, limit=limit,
    )  # fmt: skip
