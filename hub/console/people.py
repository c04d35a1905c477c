# SPDX-License-Identifier: Apache-2.0
"""Who received what about one case (H3): the ledger by pseudonym, on paper, as CSV and as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import partial
from typing import Any

from flask import Response, request, url_for
from werkzeug.wrappers import Response as Answer

from hub.agencies.reads import Agency
from hub.base.db import now
from hub.base.errors import NotFoundError
from hub.base.ids import is_id
from hub.console import naming, wording
from hub.console.pages import page, see
from hub.console.rendering import render
from hub.console.visits import Visit
from hub.oversight import ledger, service
from hub.oversight.ledger import Disclosure, Ledger
from hub.oversight.rules import record_duty

COLUMNS = ("at", "sender", "recipient", "name", "purpose", "categories", "basis", "consent", "decision")
TIMES = ("state", "delivered", "opened", "duty", "log")


@page("/people", permission="console.ledger")
def people(visit: Visit) -> Answer | tuple[str, int]:
    """Ask for the handle of a case."""
    asked = request.args.get("case", "").strip().lower()
    if is_id(asked):
        return see(url_for("console.person", case=asked))
    with visit.reading("people"):
        return render("people.html", asked=bool(asked))


@page("/people/<case>", permission="console.ledger")
def person(visit: Visit, case: str) -> tuple[str, int]:
    """Show every disclosure of a case and what the log says to it.

    *Raises* NotFoundError: that is no handle.
    """
    made, known = _ledger(visit, case, "ledger")
    facts: dict[str, Any] = {
        "ledger": made,
        "name": naming.named(known, visit.language),
        "receivers": len({line.disclosure.recipient for line in made.lines}),
        "urgent": sum(line.disclosure.basis == "emergency" for line in made.lines),
        "consents": len({consent for line in made.lines for consent in line.disclosure.consents}),
        "duty": partial(_duty, known),
    }
    return render("person.html", **facts)


@page("/people/<case>/csv", permission="console.ledger")
def person_csv(visit: Visit, case: str) -> Response:
    """Give the ledger as CSV; the name's column is filled in at the agency."""
    made, known = _ledger(visit, case, "ledger.csv")
    _note(visit, case, "csv")
    say, name = partial(wording.text, visit.language), naming.named(known, visit.language)
    head = [say(f"people.col-{column}") for column in (*COLUMNS, *TIMES)]
    rows = [_row(visit.language, line, name, _duty(known, line.disclosure)) for line in made.lines]
    return naming.as_csv(f"ledger-{case}.csv", head, rows)


@page("/people/<case>/json", permission="console.ledger")
def person_json(visit: Visit, case: str) -> Response:
    """Give the ledger as JSON, in codes and ids."""
    made, _ = _ledger(visit, case, "ledger.json")
    _note(visit, case, "json")
    body = json.dumps(_members(made), ensure_ascii=True, indent=1).encode("ascii")
    return naming.as_file(f"ledger-{case}.json", body, "application/json")


def _ledger(visit: Visit, case: str, what: str) -> tuple[Ledger, Mapping[str, Agency]]:
    if not is_id(case):
        raise NotFoundError
    with visit.reading(what, case=case) as session:
        return ledger.ledger(session, case, now=now(session)), naming.directory(session)


def _note(visit: Visit, case: str, form: str) -> None:
    with visit.doing() as session:
        service.note_export(session, by=visit.me.id, what="ledger", form=form, now=now(session), case=case)


def _duty(known: Mapping[str, Agency], one: Disclosure) -> str:
    sender, recipient = known.get(one.sender), known.get(one.recipient)
    if sender is None or recipient is None:
        return "depends"
    return record_duty(sender.kind, recipient.kind, basis=one.basis)


def _row(language: str, line: ledger.Line, name: naming.Name, duty: str) -> list[str]:
    one, say, label = line.disclosure, partial(wording.text, language), partial(wording.label, language)
    mark = say("people.and")
    return [
        wording.say_moment(one.at),
        name(one.sender),
        name(one.recipient),
        say("people.at-agency"),
        label("purposes", one.purpose),
        mark.join(label("categories", code) for code in one.categories),
        say(f"people.basis-{one.basis}"),
        " ".join(one.consents),
        one.decision,
        label("delivery_state", one.state),
        "" if one.delivered_at is None else wording.say_moment(one.delivered_at),
        "" if one.opened_at is None else wording.say_moment(one.opened_at),
        say(f"people.duty-{duty}"),
        say(f"people.held-{line.held.value}"),
    ]


def _members(made: Ledger) -> dict[str, Any]:
    return {
        "case": made.case,
        "made_at": made.made_at.isoformat(),
        "log_size": made.log_size,
        "complete": made.is_complete,
        "refused": made.refused,
        "disclosures": [
            {
                "message": one.id,
                "at": one.at.isoformat(),
                "from": one.sender,
                "to": one.recipient,
                "name": None,
                "purpose": one.purpose,
                "shared": [{"category": part.category, "consent": part.consent} for part in one.shared],
                "basis": one.basis,
                "decision": one.decision,
                "state": one.state,
                "delivered_at": None if one.delivered_at is None else one.delivered_at.isoformat(),
                "opened_at": None if one.opened_at is None else one.opened_at.isoformat(),
                "log": {"held": line.held.value, "index": line.index},
            }
            for line in made.lines
            for one in (line.disclosure,)
        ],
        "lost": [{"index": fact.index, "entry": fact.id, "message": fact.subject} for fact in made.lost],
    }
