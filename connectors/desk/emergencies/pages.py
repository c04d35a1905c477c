# SPDX-License-Identifier: Apache-2.0
"""Pages of the emergency disclosure: the request, the second person's decision, what is open.

Two clicks from a case, and never by accident: the telephone comes first, nothing is ticked beforehand, and nothing
leaves before somebody else has read it and approved on a sign-in of their own.
"""

from __future__ import annotations

import contextlib
from typing import Any, Final

from flask import Blueprint, redirect, request, url_for
from werkzeug.wrappers import Response

from connectors.base.errors import ConnectorError
from connectors.casebook import access, compose
from connectors.casebook.deeds import Deed
from connectors.desk.cases.reads import person_bar
from connectors.desk.emergencies import reads, rules, service
from connectors.desk.emergencies.reads import Emergency
from connectors.desk.emergencies.service import BarredError
from connectors.desk.web.contents import by_category
from connectors.desk.web.filling import Filled
from connectors.desk.web.gate import page
from connectors.desk.web.rendering import render, render_again, see
from connectors.desk.web.texts import is_text, text
from connectors.desk.web.visits import Access, Visit
from connectors.desk.web.when import counts_as_call
from connectors.sdk.problems import ProblemError
from consent.errors import SealRefusedError
from consent.wire import read_moment

blueprint: Final = Blueprint("emergencies", __name__)

_LONGEST_SEARCH: Final = 100


@page(blueprint, "/emergencies", who=Access.STAFF)
def emergencies(visit: Visit) -> tuple[str, int]:
    """List what is left to do, and lead whoever works with people to asking: whose it is comes first."""
    wanted = request.args.get("q", "")[:_LONGEST_SEARCH].strip()
    whose: list[reads.Whose] = []
    with visit.book() as connection:
        rows = reads.emergencies(connection, visit)
        if visit.may(Access.CASEWORK):
            whose = reads.found_cases(connection, visit, wanted) if wanted else reads.own_cases(connection, visit)
    return render("emergencies/emergencies.html", rows=rows, wanted=wanted, whose=whose)


@page(blueprint, "/emergencies/new", who=Access.CASEWORK, methods=("GET", "POST"))
def new(visit: Visit) -> Response | tuple[str, int]:
    """Ask for an emergency disclosure; nothing is sent by it."""
    case = request.values.get("case", "")
    if not case:
        return redirect(url_for("emergencies.emergencies"), 303)
    filled = Filled.of_request()
    numbers: list[str] = []
    made = None
    with visit.book() as connection:
        bar = person_bar(connection, visit, case)
        agencies = reads.reachable(connection, visit)
        if request.method == "POST":
            asked = _read(filled, visit, case, frozenset(one.id for one in agencies))
            numbers = [said for _, said in compose.numbers_in(service.parts_of(_texts(filled)))]
            if numbers and not filled.has("no_my_number"):
                filled.blame("no_my_number", "emergencies.fault-my-number")
            if asked is not None and filled.is_fine:
                made = service.ask(connection, visit, asked)
    if made is not None:
        return see(url_for("emergencies.emergency", emergency=made), said="emergencies.asked", tone="wait")
    facts: dict[str, Any] = {"bar": bar, "agencies": agencies, "categories": rules.CATEGORIES, "numbers": numbers}
    if request.method == "GET":
        return render("emergencies/new.html", **facts)
    return render_again("emergencies/new.html", filled, **facts)


@page(blueprint, "/emergencies/<emergency>", who=Access.STAFF)
def emergency(visit: Visit, emergency: str) -> tuple[str, int]:
    """Show a request as it stands, and to whoever may decide what would be seen there."""
    return _show(visit, emergency, Filled(values=request.form))


@page(blueprint, "/emergencies/<emergency>/approve", who=Access.STAFF, methods=("POST",))
def approve(visit: Visit, emergency: str) -> Response | tuple[str, int]:
    """Approve and send."""
    filled = Filled.of_request()
    here = url_for("emergencies.emergency", emergency=emergency)
    try:
        with visit.book() as connection:
            asked = reads.emergency(connection, visit, emergency)
            service.require_may_decide(visit, asked)
            if not filled.has("read"):
                filled.blame("read", "emergencies.fault-read")
            call = None if _call_counts(asked, visit) else _read_call(filled, visit)
            if filled.is_fine:
                key = service.approve(connection, visit, asked, call)
    except BarredError as barred:
        return _barred(visit, emergency, barred)
    except (ConnectorError, SealRefusedError) as error:
        if isinstance(error, ConnectorError) and error.code.endswith("-unknown"):
            raise
        return see(here, said="emergencies.cannot", tone="bad")
    if not filled.is_fine:
        return _show(visit, emergency, filled, status=422)
    deed = visit.site.courier.deliver(key)
    _learn(visit, emergency)
    tone = {"sent": "good", "waiting": "wait"}.get(deed.state, "bad")
    return see(here, said=f"emergencies.delivered-{deed.state}", tone=tone)


@page(blueprint, "/emergencies/<emergency>/turn-down", who=Access.STAFF, methods=("POST",))
def turn_down(visit: Visit, emergency: str) -> Response | tuple[str, int]:
    """Turn a request down."""
    filled = Filled.of_request()
    reason = filled.text("reason", required=True, longest=1000)
    if not filled.is_fine:
        return _show(visit, emergency, filled, status=422)
    try:
        with visit.book() as connection:
            asked = reads.emergency(connection, visit, emergency)
            service.turn_down(connection, visit, asked, reason)
    except BarredError as barred:
        return _barred(visit, emergency, barred)
    return see(url_for("emergencies.emergency", emergency=emergency), said="emergencies.turned-down")


@page(blueprint, "/emergencies/<emergency>/told", who=Access.CASEWORK, methods=("POST",))
def told(visit: Visit, emergency: str) -> Response:
    """Note that the person was told what was passed on, to whom and why."""
    here = url_for("emergencies.emergency", emergency=emergency)
    try:
        with visit.book() as connection:
            asked = reads.emergency(connection, visit, emergency)
            person_bar(connection, visit, asked.case)
            service.tell(connection, visit, asked)
    except BarredError as barred:
        return _barred(visit, emergency, barred)
    return see(here, said="emergencies.told")


def _barred(visit: Visit, emergency: str, barred: BarredError) -> Response:
    if barred.bar == "lapsed":
        _settle(visit, emergency)
    key = f"emergencies.barred-{barred.bar}"
    return see(url_for("emergencies.emergency", emergency=emergency), said=key, tone="bad")


def _show(visit: Visit, wanted: str, filled: Filled, *, status: int = 200) -> tuple[str, int]:
    trouble, seen, against = "", [], []
    with visit.book() as connection:
        asked = reads.emergency(connection, visit, wanted)
        # an administrator alone sees no person: for them the request without name and content
        bar = person_bar(connection, visit, asked.case) if visit.may(Access.CASEWORK) else None
        access.record(
            connection, staff=visit.me.id, action="emergency:viewed", about=asked.id, case=asked.case, now=visit.at
        )
        barred = rules.bar(me=visit.me.id, roles=visit.me.roles, asked_by=asked.asked_by, standing=asked.standing)
        if barred is None:
            against = service.against_exclusions(connection, visit, asked)
    if barred is None and bar is not None:
        try:
            with visit.book() as connection:
                seen = by_category(service.rehearse(connection, visit, asked), visit.language)
        except (ConnectorError, SealRefusedError) as error:
            trouble = error.says(visit.language) if isinstance(error, ConnectorError) else error.code
    return render(
        "emergencies/emergency.html",
        status=status,
        filled=filled,
        faults=filled.faults,
        asked=asked,
        bar=bar,
        barred=barred,
        seen=seen,
        against=against,
        trouble=trouble,
        sentence=_sentence(visit, asked.deed),
        categories=[one for one in rules.CATEGORIES if asked.texts.get(one)],
        called_at=read_moment(asked.call["at"]),
        calls=_call_counts(asked, visit),
        until=(asked.decided_at or asked.asked_at) + rules.TERM,
    )


def _read(filled: Filled, visit: Visit, case: str, agencies: frozenset[str]) -> service.Request | None:
    call = _read_call(filled, visit)
    threat = filled.code("threat", "threat", required=True)
    difficulty = filled.code("difficulty", "consent_difficulty", required=True)
    recipient = filled.code("recipient", agencies, required=True)
    ticked = filled.several("categories", rules.CATEGORIES, required=True)
    for category in ticked:
        filled.text(f"text_{category}", required=True)
    why = filled.text("why", required=True, longest=2000)
    if not filled.has("understood"):
        filled.blame("understood", "emergencies.fault-understood")
    if call is None or threat is None or difficulty is None or recipient is None or not filled.is_fine:
        return None
    return service.Request(
        case=case,
        recipient=recipient,
        threat=threat,
        difficulty=difficulty,
        why=why,
        texts=_texts(filled),
        called_at=call[0],
        call_result=call[1],
        no_my_number=filled.has("no_my_number"),
    )


def _texts(filled: Filled) -> dict[str, str]:
    ticked = frozenset(filled.values.getlist("categories"))
    said = {one: filled.values.get(f"text_{one}", "").replace("\r\n", "\n").strip() for one in rules.CATEGORIES}
    return {one: words for one, words in said.items() if one in ticked and words}


def _read_call(filled: Filled, visit: Visit) -> tuple[Any, str] | None:
    at = filled.moment("called_on", "called_at", required=True)
    result = filled.code("call_result", "call_result", required=True)
    if at is not None and not counts_as_call(at, visit.at):
        filled.blame("called_on", "emergencies.fault-call")
    return (at, result) if at is not None and result is not None else None


def _call_counts(asked: Emergency, visit: Visit) -> bool:
    return counts_as_call(read_moment(asked.call["at"]), visit.at)


def _settle(visit: Visit, emergency: str) -> None:
    with visit.book() as connection:
        service.settle(connection, visit, reads.emergency(connection, visit, emergency))


def _learn(visit: Visit, emergency: str) -> None:
    """Write down that the hub took it, and learn how the referral stands; what is not learnt now comes later."""
    _settle(visit, emergency)
    with visit.book() as connection:
        referral = reads.referral_of(connection, visit, emergency)
    if referral is None:
        return
    with contextlib.suppress(ConnectorError, ProblemError):
        visit.site.connector.refresh_referral(referral.id)


def _sentence(visit: Visit, deed: Deed | None) -> str:
    if deed is None or deed.code is None:
        return ""
    key = f"emergencies.refused-{deed.code}"
    if is_text(key):
        return text(key, visit.language)
    detail: Any = deed.answer.get("detail")
    return str(detail) if detail else text("emergencies.refused-otherwise", visit.language, code=deed.code)
