# SPDX-License-Identifier: Apache-2.0
"""Pages of an accompaniment (ux D8): the plan, the one page for the telephone, the photographs of papers."""

from __future__ import annotations

import contextlib
from typing import Any, Final

from flask import Blueprint, flash, make_response, request, url_for
from werkzeug.wrappers import Response

from connectors.base.errors import HubAwayError
from connectors.base.labels import codes, label
from connectors.casebook import outings
from connectors.casebook.deeds import Deed
from connectors.casebook.outings import Outing
from connectors.desk.cases.reads import PersonBar, person_bar
from connectors.desk.outings import forms, photos, reads, rules, service
from connectors.desk.outings.reads import Tie
from connectors.desk.outings.service import Written
from connectors.desk.web.filling import Filled
from connectors.desk.web.gate import page
from connectors.desk.web.rendering import render, render_again, see
from connectors.desk.web.texts import is_text, text
from connectors.desk.web.visits import Access, Visit
from connectors.sdk.problems import ProblemError

blueprint: Final = Blueprint("outings", __name__)

_TONES: Final = {"sent": "good", "waiting": "wait", "refused": "bad"}


@page(blueprint, "/referrals/<referral>/accompany", who=Access.CASEWORK, methods=("GET", "POST"))
def new(visit: Visit, referral: str) -> Response | tuple[str, int]:
    """Plan an accompaniment from a referral."""
    with visit.book() as connection:
        tie = reads.tie_of(connection, referral, visit.site.connector.agency)
        facts = _plan_facts(visit, tie, person_bar(connection, visit, tie.case), reads.agencies(connection))
    if request.method == "GET":
        return render("outings/new.html", **facts)
    filled = Filled.of_request()
    plan = forms.read_plan(filled, visit, frozenset(one for one, _ in facts["agencies"]))
    if plan is None:
        return render_again("outings/new.html", filled, **facts)
    with visit.book() as connection:
        made = service.plan(connection, visit, tie, plan)
    return _told(visit, visit.site.courier.deliver(made), tie, made, "planned")


@page(blueprint, "/accompaniments/<outing>", who=Access.CASEWORK, methods=("GET", "POST"))
def outing(visit: Visit, outing: str) -> Response | tuple[str, int]:
    """Show an accompaniment and keep what is noted on the way: the times, the record, a photograph."""
    with visit.book() as connection:
        known = outings.find(connection, outing)
        tie = reads.tie_of(connection, known.referral, visit.site.connector.agency)
        facts: dict[str, Any] = {
            "bar": person_bar(connection, visit, known.case),
            "destination": reads.name_of(connection, str(known.document["destination"])),
            "partner": reads.name_of(connection, tie.partner),
            "standing": reads.standing(connection, known),
        }
    if request.method == "POST":
        return _sent(visit, known, tie, facts)
    return render("outings/outing.html", **facts, **_facts(visit, known, tie))


@page(blueprint, "/accompaniments/<outing>/photos/<photo>", who=Access.CASEWORK)
def photo(visit: Visit, outing: str, photo: str) -> Response:
    """Show a photograph to somebody who may see the accompaniment."""
    with visit.book() as connection:
        known = outings.find(connection, outing)
        person_bar(connection, visit, known.case)
        among = list(known.document.get("photos", ()))
        found = photos.find(connection, visit.pen(), photo, case=known.case, among=among)
    answer = make_response(found.body)
    answer.headers["Content-Type"] = found.media
    answer.headers["Content-Disposition"] = "inline"
    return answer


def _sent(visit: Visit, known: Outing, tie: Tie, facts: dict[str, Any]) -> Response | tuple[str, int]:
    here = url_for("outings.outing", outing=known.id)
    if known.document.get("outcome"):
        return see(here, said="outings.said-already", tone="wait")
    filled, do = Filled.of_request(), request.form.get("do", "keep")
    picture = forms.read_photo(filled)
    record = forms.read_record(filled, known, visit) if do == "save" else None
    notes = record.notes if record else forms.read_notes(filled, known)
    if not filled.is_fine:
        return render_again("outings/outing.html", filled, **facts, **_facts(visit, known, tie))
    with visit.book() as connection:
        # somebody else may have written it down since; the casebook's writers take turns
        known = outings.find(connection, known.id)
        if known.document.get("outcome"):
            return see(here, said="outings.said-already", tone="wait")
        if picture is not None:
            known = service.add_photo(connection, visit, known, picture)
        if record is not None:
            written = service.finish(
                connection, visit, known, tie, notes, next_on=record.next_on, minutes=record.minutes
            )
        else:
            known = service.keep_notes(connection, visit, known, notes)
            outings.stamp(connection, visit.pen(), known.id, arrived=do == "arrive", ended=do == "end")
            agreed = service.agree(connection, visit, known) if do == "agree" and _is_proposed(known) else None
    if record is None:
        if agreed is not None:
            return _told(visit, visit.site.courier.deliver(agreed), tie, known.id, "agreed")
        return see(here, said="outings.said-kept")
    _say_unshared(visit, written)
    return _told(visit, visit.site.courier.deliver(written.key), tie, known.id, "saved")


def _is_proposed(known: Outing) -> bool:
    return known.document.get("state") == "proposed"


def _told(visit: Visit, deed: Deed, tie: Tie, outing: str, what: str) -> Response:
    """Say what the hub said, and make the next page fresh where it did say something."""
    if deed.state == "sent":
        with contextlib.suppress(HubAwayError, ProblemError):
            visit.site.connector.refresh_referral(tie.id)
    key = f"outings.said-{what}-{deed.state}"
    why = f"outings.refused-{deed.code}"
    reason = text(why if is_text(why) else "outings.refused-other", visit.language) if deed.code else ""
    return see(url_for("outings.outing", outing=outing), said=key, tone=_TONES[deed.state], why=reason)


def _say_unshared(visit: Visit, written: Written) -> None:
    """Say that the narrative stayed here, and why; the record itself is saved all the same."""
    if written.unshared is None:
        return
    reasons = "、".join(label("decision_reasons", one, visit.language) for one in written.reasons)
    flash(text(f"outings.unshared-{written.unshared}", visit.language, reasons=reasons), "wait")


def _plan_facts(visit: Visit, tie: Tie, bar: PersonBar, agencies: list[reads.Agency]) -> dict[str, Any]:
    listed = [(one.id, one.names[visit.language]) for one in agencies]
    return {"tie": tie, "bar": bar, "agencies": listed, "today": visit.today}


def _facts(visit: Visit, known: Outing, tie: Tie) -> dict[str, Any]:
    state = str(known.document.get("state", "agreed"))
    results = codes("accompaniment_result")
    outcomes = [
        (one, label("accompaniment_result", one, visit.language) if one in results else None)
        for one in rules.outcomes(state)
    ]
    return {
        "outing": known,
        "said": known.document,
        "notes": known.document.get("notes") or {},
        "tie": tie,
        "outcomes": outcomes,
        "is_over": bool(known.document.get("outcome")),
        "last_no_show": rules.last_day_after_no_show(visit.at, visit.site.calendar),
    }
