# SPDX-License-Identifier: Apache-2.0
"""The helper for a leak: what it reaches, and by when it must be reported."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import request

from consent.calendar import day_of, end_of_day, start_of_day
from hub.agencies import reads as agencies
from hub.base.db import Session, now
from hub.base.errors import HubError, InvalidError
from hub.base.ids import is_id
from hub.console import naming
from hub.console.forms import day, refusal
from hub.console.pages import page
from hub.console.rendering import render
from hub.console.visits import Visit
from hub.oversight import breaches
from hub.oversight.breaches import Asked, Reach
from hub.referrals.network import current

LONGEST_KID = 64


@page("/breach", permission="console.breach")
def breach(visit: Visit) -> tuple[str, int]:
    """Ask which agency, which key and which days, and show what a leak reaches."""
    asked = request.args.get("agency", "")
    fault, found = None, None
    with visit.reading("breach", agency=asked if is_id(asked) else None) as session:
        known = naming.directory(session)
        at = now(session)
        keys = agencies.keys(session, asked) if asked in known else ()
        if asked:
            try:
                found = _reach(session, asked)
            except HubError as error:
                fault = refusal(visit, error)
    facts: dict[str, Any] = {"known": known, "found": found, "fault": fault, "given": _given(), "today": day_of(at)}
    shown = [key for key in keys if not key.removal]
    return render(
        "breach.html", status=422 if fault else 200, name=naming.named(known, visit.language), keys=shown, **facts
    )


def _reach(session: Session, agency: str) -> Reach:
    first, last, known_on = (day(field, form=False) for field in ("first", "last", "known"))
    if not is_id(agency):
        raise InvalidError("unknown-agency")
    kid = request.args.get("key", "")[:LONGEST_KID] or None
    asked = Asked(agency=agency, kid=kid, since=start_of_day(first), until=end_of_day(last))
    return breaches.reach(session, asked, known_on=known_on, calendar=current().calendar)


def _given() -> Mapping[str, str]:
    """Give back the days and ids that were chosen; they are read as such or not at all."""
    fields = ("agency", "key", "first", "last", "known")
    return {name: request.args.get(name, "")[:LONGEST_KID] for name in fields}
