# SPDX-License-Identifier: Apache-2.0
"""The page on which a person's whole record is given out to the person: who asked, what to look at before, the file."""

from __future__ import annotations

from werkzeug.wrappers import Response

from connectors.casebook import access
from connectors.desk.cases.reads import PersonBar, person_bar
from connectors.desk.exchange import dossier, lists, writing
from connectors.desk.exchange.blueprint import blueprint
from connectors.desk.exchange.lists import OFFICE, Wish
from connectors.desk.web.filling import Filled
from connectors.desk.web.gate import page
from connectors.desk.web.rendering import render, render_again
from connectors.desk.web.texts import text
from connectors.desk.web.visits import Access, Visit

_READABLE = ("people", "referrals", "consents", "provisions", "followups")


@page(blueprint, "/cases/<case>/record", who=Access.CASEWORK)
def record(visit: Visit, case: str) -> tuple[str, int]:
    """Say what the file holds and what to look at before it is handed over."""
    with visit.book() as connection:
        bar = person_bar(connection, visit, case)
    return render("exchange/record.html", bar=bar, case=case)


@page(blueprint, "/cases/<case>/record", who=Access.CASEWORK, methods=("POST",))
def give_record(visit: Visit, case: str) -> Response | tuple[str, int]:
    """Give the file; it is written down with the case that its record was given out."""
    filled = Filled.of_request()
    if filled.values.get("checked") != "yes":
        filled.blame("checked", "exchange.fault-not-checked")
    with visit.book() as connection:
        bar = person_bar(connection, visit, case)
    if not filled.is_fine:
        return render_again("exchange/record.html", filled, bar=bar, case=case)
    body = _pack(visit, bar)
    return writing.attachment(body, "zip", f"record-{visit.today.isoformat()}-{case[:8]}.zip")


def _pack(visit: Visit, bar: PersonBar) -> bytes:
    with visit.book() as connection:
        held = dossier.gather(connection, bar.case)
        cases = frozenset(row["handle"] for row in held.tables["cases"])
        wish = Wish(width=OFFICE, query={}, cases=cases)
        readable = {what: lists.gather(connection, visit, what, wish).rows for what in _READABLE}
        for one in sorted(cases):
            access.record(
                connection, staff=visit.me.id, action="case:disclosed", about=bar.case, case=one, now=visit.at
            )
    readme = text("exchange.record-readme", visit.language, day=visit.today.isoformat(), case=bar.case)
    return dossier.pack(held, readme, {what: rows for what, rows in readable.items() if len(rows) > 1})
