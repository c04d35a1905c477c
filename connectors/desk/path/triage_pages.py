# SPDX-License-Identifier: Apache-2.0
"""The early steps and the decision: triage (②), application (③), what the municipality decided (⑧)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any, Final

from flask import url_for
from sqlalchemy import Connection
from werkzeug.wrappers import Response

from connectors.casebook import step_files
from connectors.casebook.step_files import Triage
from connectors.desk.cases.reads import person_bar
from connectors.desk.path import reads, rules, saying, service
from connectors.desk.path.blueprint import blueprint
from connectors.desk.path.service import NotOfferedError, Wish
from connectors.desk.web.filling import Filled
from connectors.desk.web.gate import page
from connectors.desk.web.rendering import render, render_again
from connectors.desk.web.visits import Access, Visit

_STEP: Final = "2"
_OUT: Final = "refer_out"
_LONGEST: Final = 2000


@cache
def outcomes() -> Mapping[str, Mapping[str, str]]:
    """Give what each result of a triage leads to: the case's state, and the page that goes on with it."""
    text = files("connectors.desk.path").joinpath("triage.json").read_text(encoding="utf-8")
    read: dict[str, dict[str, str]] = json.loads(text)
    return read


@page(blueprint, "/cases/<case>/triage", who=Access.CASEWORK)
def triage(visit: Visit, case: str) -> tuple[str, int]:
    """Ask what the consultation came to."""
    with visit.book() as connection:
        facts = _facts(connection, visit, case)
        facts["before"] = step_files.triages_of(connection, case)
    return render("path/triage.html", **facts)


@page(blueprint, "/cases/<case>/triage", who=Access.CASEWORK, methods=("POST",))
def triaged(visit: Visit, case: str) -> Response | tuple[str, int]:
    """Write down what the consultation came to; the case goes to the state that belongs to it."""
    filled = Filled.of_request()
    result = filled.code("result", "screening", required=True)
    manner = filled.code("manner", "triage_manner", required=result == _OUT)
    words = filled.text("words", longest=_LONGEST)
    version = filled.number("version", least=1, most=10**9, required=True)
    with visit.book() as connection:
        facts = _facts(connection, visit, case)
        facts["before"] = step_files.triages_of(connection, case)
    if facts["course"].shown.step != _STEP:
        filled.blame("result", "path.fault-not-consulting")
    if result is None or version is None or not filled.is_fine:
        return render_again("path/triage.html", filled, **facts)

    def beside(connection: Connection, key: str) -> None:
        made = Triage(
            id=key, case=case, at=visit.at, staff=visit.me.id, result=result,
            manner=manner if result == _OUT else None, text=words,
        )  # fmt: skip
        step_files.write_triage(connection, visit.pen(), made)

    leads = outcomes()[result]
    pausing = leads["state"] == rules.SUSPENDED and facts["course"].shown.state != rules.SUSPENDED
    wish = Wish(step=_STEP, state=leads["state"], action="suspend" if pausing else "move")
    return saying.moved(visit, case, wish, version=version, beside=beside, to=_onward(leads["then"], case))


@page(blueprint, "/cases/<case>/application", who=Access.CASEWORK)
def application(visit: Visit, case: str) -> tuple[str, int]:
    """Show the forms on which an application rests; without one, what can be done."""
    with visit.book() as connection:
        facts = _facts(connection, visit, case)
        facts["forms"] = reads.forms_of(connection, case)
    return render("path/application.html", **facts)


@page(blueprint, "/cases/<case>/decision", who=Access.CASEWORK)
def decision(visit: Visit, case: str) -> tuple[str, int]:
    """Show whether the municipality has decided; only its word leads on to ⑧."""
    with visit.book() as connection:
        facts = _facts(connection, visit, case)
    return render("path/decision.html", **facts)


@page(blueprint, "/cases/<case>/decision", who=Access.CASEWORK, methods=("POST",))
def decided(visit: Visit, case: str) -> Response | tuple[str, int]:
    """Note the municipality's decision that came on paper."""
    filled = Filled.of_request()
    on = filled.day("on", required=True, last=visit.today)
    number = filled.line("number", required=True, longest=100)
    officer = filled.line("officer", required=True, longest=100)
    if not filled.has("seen"):
        filled.blame("seen", "path.fault-paper-seen")
    with visit.book() as connection:
        facts = _facts(connection, visit, case)
    if on is None or not filled.is_fine:
        return render_again("path/decision.html", filled, **facts)
    written = saying.say(visit, "path.decision-written", on=on.isoformat(), number=number, officer=officer)
    try:
        deed = service.confirm_decision(visit, case, text=written)
    except NotOfferedError as refused:
        return saying.cannot(case, refused)
    return saying.told(visit, case, deed, said="path.confirmed-", to=url_for("path.decision", case=case))


def _facts(connection: Connection, visit: Visit, case: str) -> dict[str, Any]:
    bar = person_bar(connection, visit, case)
    course = reads.course(connection, case)
    return {"bar": bar, "case": case, "course": course, "is_decided": reads.is_decided(course)}


def _onward(then: str, case: str) -> str:
    match then:
        case "close":
            return url_for("path.close", case=case)
        case "refer":
            return url_for("sending.new", case=case)
        case "apply":
            return url_for("path.application", case=case)
        case _:
            return url_for("cases.case", case=case)
