# SPDX-License-Identifier: Apache-2.0
"""What the agency sets for itself: days its municipality is closed, words at sign-in; what partners see of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Final

from flask import current_app, request, url_for
from werkzeug.wrappers import Response

from connectors.base.wareki import DayError, read_day
from connectors.casebook import house as houses
from connectors.casebook import mirror
from connectors.casebook.house import House
from connectors.desk.office.blueprint import blueprint
from connectors.desk.web.filling import Filled
from connectors.desk.web.gate import page
from connectors.desk.web.rendering import render, render_again, see
from connectors.desk.web.site import EXTENSION
from connectors.desk.web.visits import Access, Visit

MOST_DAYS: Final = 200
LONGEST_NOTE: Final = 2_000


@page(blueprint, "/office/settings", who=Access.ADMINISTRATOR, methods=("GET", "POST"))
def settings(visit: Visit) -> Response | tuple[str, int]:
    """Show and change what the agency sets for itself, and show its entry in the directory as partners read it."""
    filled = Filled.of_request()
    with visit.book() as connection:
        known = houses.house(connection)
        entry = mirror.profiles(connection).get(visit.site.connector.agency)
    if request.method == "GET":
        return render("office/settings.html", house=known, entry=entry)
    made = House(
        closed=_days(filled, "closed"),
        notice=filled.text("notice", longest=LONGEST_NOTE),
        retention=filled.text("retention", longest=LONGEST_NOTE),
        contact=filled.text("contact", longest=LONGEST_NOTE),
    )
    if not filled.is_fine:
        return render_again("office/settings.html", filled, house=known, entry=entry)
    with visit.book() as connection:
        houses.keep_house(connection, visit.pen(), made)
    current_app.extensions[EXTENSION] = replace(visit.site, calendar=made.calendar)
    return see(url_for("office.settings"), said="office.settings-kept")


def _days(filled: Filled, name: str) -> tuple[date, ...]:
    """Read one day a line, however people write it; the first line that is none is named."""
    found: set[date] = set()
    for number, written in enumerate(filled.text(name).splitlines(), start=1):
        if not written.strip():
            continue
        try:
            found.add(read_day(written.strip()))
        except DayError:
            filled.blame(name, "office.fault-holiday", n=str(number))
    if len(found) > MOST_DAYS:
        filled.blame(name, "office.fault-holidays", n=str(MOST_DAYS))
    return tuple(sorted(found))
