# SPDX-License-Identifier: Apache-2.0
"""Taking back (ux D13): choose, see what follows in plain words, confirm. No reason is asked; never more steps."""

from __future__ import annotations

from typing import Any

from flask import request, url_for
from werkzeug.wrappers import Response

from connectors.base.errors import ConnectorError
from connectors.desk.cases.reads import person_bar
from connectors.desk.consents import reads, service, showing, withdrawals
from connectors.desk.consents.blueprint import blueprint
from connectors.desk.consents.withdrawals import AGENCIES, CATEGORIES, WHAT, Choice
from connectors.desk.consents.wording import Wording, languages, wording
from connectors.desk.web.filling import Filled
from connectors.desk.web.gate import page
from connectors.desk.web.rendering import render, render_again, see
from connectors.desk.web.visits import Access, Visit
from consent import wire


@page(blueprint, "/cases/<case>/withdraw", who=Access.CASEWORK)
def withdraw(visit: Visit, case: str) -> tuple[str, int]:
    """Choose: all, some agencies, or some categories; and how the person said it."""
    return render("consents/withdraw.html", **_facts(visit, case))


@page(blueprint, "/cases/<case>/withdraw/confirm", who=Access.CASEWORK)
def withdraw_confirm(visit: Visit, case: str) -> tuple[str, int]:
    """Say what follows from the choice, before it is confirmed; nothing has changed."""
    facts = _facts(visit, case)
    filled = Filled(values=request.args)
    choice, channel = _choice(filled, facts)
    if choice is None or channel is None:
        return render_again("consents/withdraw.html", filled, **facts)
    with visit.book() as connection:
        follows = withdrawals.consequences(connection, visit, case, choice)
    if not follows.entries:
        filled.blame("what", "consents.fault-nothing")
        return render_again("consents/withdraw.html", filled, **facts)
    form = visit.site.connector.new_id()
    return render("consents/withdraw_confirm.html", choice=choice, channel=channel, follows=follows, form=form, **facts)


@page(blueprint, "/cases/<case>/withdraw", who=Access.CASEWORK, methods=("POST",))
def take_back(visit: Visit, case: str) -> Response | tuple[str, int]:
    """Take back what was confirmed: effective here at once, at the hub as soon as it answers."""
    facts = _facts(visit, case, form=request.form.get("form", ""))
    filled = Filled.of_request()
    choice, channel = _choice(filled, facts)
    form = request.form.get("form", "")
    if not wire.is_id(form):
        filled.blame("what", "consents.fault-choose-again")
    if choice is None or channel is None or not filled.is_fine:
        return render_again("consents/withdraw.html", filled, **facts)
    with visit.book() as connection:
        follows = withdrawals.consequences(connection, visit, case, choice)
        taking = service.take_back(connection, visit, case, choice, follows, form=form, channel=channel)
        keys = service.keys_about(connection, taking.words)
    said, tone = showing.carried(visit, keys, "consents.taken-")
    showing.freshen(visit, case)
    return see(url_for("consents.taken", taking=taking.id), said=said, tone=tone)


@page(blueprint, "/withdrawals/<taking>", who=Access.CASEWORK)
def taken(visit: Visit, taking: str) -> tuple[str, int]:
    """Show and print the receipt: what was taken back, when, how it was said, whether the hub has it."""
    with visit.book() as connection:
        known = withdrawals.taking_of(connection, taking)
        if known is None:
            raise ConnectorError("withdrawal-unknown")
        bar = person_bar(connection, visit, known.case)
        facts: dict[str, Any] = {
            "names": reads.name_partners(connection),
            "states": withdrawals.states_of(connection, known.words),
        }
    words = wording(request.args.get("words"), visit.language)
    choices = [Wording(code) for code in languages()]
    return render("consents/taken.html", taking=known, bar=bar, words=words, choices=choices, **facts)


def _facts(visit: Visit, case: str, form: str = "") -> dict[str, Any]:
    with visit.book() as connection:
        bar = person_bar(connection, visit, case)
        entries = withdrawals.standing_entries(connection, visit, case)
        names = reads.name_partners(connection)
        known = withdrawals.taking_of(connection, form) if form else None
        whom = withdrawals.options(connection, visit, case, entries)
    kept = {category for one in entries for category in one.categories}
    if known is not None:  # the same form again: what it named is taken back already
        whom += [stop[0] for stop in known.document["stops"] if stop[0] not in whom]
        kept |= {category for stop in known.document["stops"] for category in stop[1]}
    return {
        "bar": bar,
        "case": case,
        "entries": entries,
        "names": names,
        "whom": [(one, showing.name_of(one, names, visit)) for one in whom],
        "kept": showing.labelled(kept, visit),
        "channels": service.CHANNELS,
    }


def _choice(filled: Filled, facts: dict[str, Any]) -> tuple[Choice | None, str | None]:
    what = filled.code("what", WHAT, required=True)
    channel = filled.code("channel", service.CHANNELS, required=True)
    to = filled.several("to", [one for one, _ in facts["whom"]], required=what == AGENCIES)
    categories = filled.several("categories", [one for one, _ in facts["kept"]], required=what == CATEGORIES)
    if what is None or not filled.is_fine:
        return None, None
    return (
        Choice(
            what=what,
            to=frozenset(to) if what == AGENCIES else frozenset(),
            categories=frozenset(categories) if what == CATEGORIES else frozenset(),
        ),
        channel,
    )
