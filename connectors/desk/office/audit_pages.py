# SPDX-License-Identifier: Apache-2.0
"""誰が何を見たか: the agency's access log for its supervisors, and whether it is still what the hub anchored."""

from __future__ import annotations

from datetime import date
from typing import Any, Final

from flask import Response as FileResponse
from flask import request, url_for
from sqlalchemy import Connection
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response

from connectors.base.errors import ConnectorError, HubAwayError
from connectors.casebook import access, anchors, files, looks
from connectors.casebook.anchors import Verdict
from connectors.casebook.looks import Wanted
from connectors.desk.office import reads, rules
from connectors.desk.office.blueprint import blueprint
from connectors.desk.staff import reads as staff
from connectors.desk.web.filling import Filled
from connectors.desk.web.gate import page
from connectors.desk.web.rendering import render, render_again, see
from connectors.desk.web.visits import Access, Visit
from connectors.sdk.problems import ProblemError
from connectors.sync.station import SYSTEM

AT_ONCE: Final = 50
MOST_IN_A_FILE: Final = 20_000
DAYS_AT_ONCE: Final = 14
WRITING: Final = "writing"
_FIELDS: Final = ("staff", "person", "kind", "first", "last")
_LONGEST_PERSON: Final = 100


@page(blueprint, "/office/seen", who=Access.SUPERVISOR)
def seen(visit: Visit) -> tuple[str, int]:
    """List who looked at whom and did what, newest first; opening it is a line of it too."""
    return _listed(visit, Filled(values=request.args))


@page(blueprint, "/office/seen.csv", who=Access.SUPERVISOR)
def seen_csv(visit: Visit) -> Response | tuple[str, int]:
    """Give the lines that were asked for as a file that a table program opens; that it was taken is logged."""
    filled, written = Filled(values=request.args), None
    with visit.book() as connection:
        wanted = _wanted(connection, visit, filled, [one.member.id for one in staff.accounts(connection)])
        n = looks.count(connection, wanted) if wanted else 0
        if n > MOST_IN_A_FILE:
            filled.blame("first", "office.seen-too-many", n=str(n), most=str(MOST_IN_A_FILE))
        elif wanted is not None:
            found = looks.looks(connection, wanted, limit=MOST_IN_A_FILE)
            written = reads.csv_of(reads.rows(connection, found, visit.language))
            access.record(connection, staff=visit.me.id, action="log:exported", about=str(n), now=visit.at)
    if written is None:
        return _listed(visit, filled)
    answer = FileResponse(written.encode("utf-8-sig"), mimetype="text/csv")
    answer.headers["Content-Disposition"] = f'attachment; filename="access-log-{visit.today.isoformat()}.csv"'
    return answer


@page(blueprint, "/office/anchors", who=Access.OVERSIGHT)
def anchored(visit: Visit) -> tuple[str, int]:
    """List the days with their anchors, each read again and compared, and what the hub's log said of it last."""
    before = _day(request.args.get("before", ""))
    with visit.book() as connection:
        found = anchors.anchors(connection, before=before, limit=DAYS_AT_ONCE + 1)
        shown = [anchors.check(connection, one.day) for one in found[:DAYS_AT_ONCE]]
    further = url_for("office.anchored", before=found[DAYS_AT_ONCE - 1].day) if len(found) > DAYS_AT_ONCE else None
    is_wrong = any(not one.holds or one.anchor.verdict is Verdict.DIFFERS for one in shown)
    return render("office/anchors.html", shown=shown, further=further, is_wrong=is_wrong, before=before or "")


@page(blueprint, "/office/anchors/check", who=Access.OVERSIGHT, methods=("POST",))
def check_at_hub(visit: Visit) -> Response:
    """Compare days with the hub's log: the one that is named, else all that the list shows."""
    before, one_day = _day(request.form.get("before", "")), request.form.get("day", "")
    where = url_for("office.anchored", before=before)
    with visit.book() as connection:
        shown = anchors.anchors(connection, before=before, limit=DAYS_AT_ONCE)
    days = [one.day for one in shown if not one_day or one.day.isoformat() == one_day]
    if one_day and not days:
        raise NotFound
    found: list[Verdict] = []
    try:
        for day in days:
            _, verdict = visit.site.connector.check_anchor(day)
            with visit.book() as connection:
                anchors.note_check(connection, day, verdict, staff=visit.me.id, now=visit.site.now())
            found.append(verdict)
    except HubAwayError:
        return see(where, said="office.anchor-away", tone="wait", n=str(len(found)))
    except (ConnectorError, ProblemError):
        return see(where, said="office.anchor-not-believed", tone="bad", n=str(len(found)))
    counted = {one.value.replace("-", "_"): str(found.count(one)) for one in Verdict}
    tone = "bad" if Verdict.DIFFERS in found else "wait" if Verdict.NOT_YET in found else "good"
    return see(where, said="office.anchor-compared", tone=tone, **counted)


def _listed(visit: Visit, filled: Filled) -> tuple[str, int]:
    before = request.args.get("before", type=int)
    with visit.book() as connection:
        members = [(one.member.id, one.member.name) for one in staff.accounts(connection)]
        wanted = _wanted(connection, visit, filled, [one for one, _ in members])
        found = [] if wanted is None else looks.looks(connection, wanted, before=before, limit=AT_ONCE + 1)
        rows = reads.rows(connection, found[:AT_ONCE], visit.language)
        about = (wanted.staff if wanted else None) or ""
        access.record(connection, staff=visit.me.id, action="log:seen", about=about, now=visit.at)
    said: dict[str, Any] = {name: request.args[name] for name in _FIELDS if request.args.get(name)}
    goes_on = len(found) > AT_ONCE
    further = url_for("office.seen", **said, before=found[AT_ONCE - 1].position) if goes_on else None
    kinds = [*rules.KINDS, WRITING]
    facts: dict[str, Any] = {"rows": rows, "members": members, "kinds": kinds, "said": said, "further": further}
    return render("office/seen.html", **facts) if wanted else render_again("office/seen.html", filled, **facts)


def _wanted(connection: Connection, visit: Visit, filled: Filled, members: list[str]) -> Wanted | None:
    """Read the filter; none where something of it cannot be read."""
    who = filled.code("staff", [*members, SYSTEM])
    kind = filled.code("kind", [*rules.KINDS, WRITING])
    first, last = filled.day("first"), filled.day("last")
    person = filled.line("person", longest=_LONGEST_PERSON)
    if first and last and last < first:
        filled.blame("last", "web.fault-day-out-of-range")
    if not filled.is_fine:
        return None
    return Wanted(
        staff=who,
        people=_people(connection, visit, person) if person else None,
        patterns=rules.KINDS.get(kind or "", ()),
        but=[one for patterns in rules.KINDS.values() for one in patterns] if kind == WRITING else (),
        first=first,
        last=last,
    )


def _people(connection: Connection, visit: Visit, person: str) -> frozenset[str]:
    """Find whom a filter means; it is a search like any other, and logged as one."""
    found = files.search(connection, person, staff=visit.me.id, now=visit.at)
    return frozenset({one.person.id for one in found} | {one.case for one in found if one.case})


def _day(written: str) -> date | None:
    try:
        return date.fromisoformat(written)
    except ValueError:
        return None
