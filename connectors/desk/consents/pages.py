# SPDX-License-Identifier: Apache-2.0
"""The register of a case's consents and refusals, requests to stop using what came, and the neutral page (ux D12)."""

from __future__ import annotations

import re
from typing import Any, Final

from flask import request, url_for
from werkzeug.wrappers import Response

from connectors.base.errors import ConnectorError
from connectors.casebook import mirror
from connectors.desk.cases.reads import person_bar
from connectors.desk.consents import (
    copying,
    ledger,
    reads,
    sampling,
    service,
    showing,
    stating,
    withdrawals,
    withdrawing,
)
from connectors.desk.consents.blueprint import blueprint
from connectors.desk.web.filling import Filled
from connectors.desk.web.gate import page
from connectors.desk.web.rendering import render, render_again, see
from connectors.desk.web.visits import Access, Visit
from consent.calendar import end_of_day
from consent.receipts import PurgeAnswer
from consent.scopes import ANY

__all__ = ["blueprint", "copying", "ledger", "sampling", "stating", "withdrawing"]
"""The blueprint, and the modules whose pages hang on it."""

GROUNDS: Final = ("records-rules", "provision-record", "medical-record", "protection-record", "dispute", "other-law")
"""Why the law has something kept; the code goes into the signed answer, its words are in `texts.json`."""
_COPY: Final = re.compile(r"(?:TSUNAGI/|HTTPS?://[^/]+/C/)?([0-9A-F-]{36})(?:/[0-9A-F]{16})?", re.ASCII)
"""What a scanner reads from a copy: the address of its page at the hub, or the name that older copies carry."""


@page(blueprint, "/cases/<case>/consents", who=Access.CASEWORK)
def case_consents(visit: Visit, case: str) -> tuple[str, int]:
    """Show everything that the person allowed, refused and took back."""
    with visit.book() as connection:
        bar = person_bar(connection, visit, case)
        facts = _register(connection, visit, case)
    return render("consents/register.html", bar=bar, case=case, **facts)


@page(blueprint, "/consents/code", who=Access.CASEWORK, methods=("GET", "POST"))
def by_code(visit: Visit) -> Response | tuple[str, int]:
    """Find a case by the number on the person's copy, typed or read by a scanner."""
    if request.method == "GET":
        return render("consents/code.html")
    filled = Filled.of_request()
    said = "".join(filled.line("code", required=True, longest=300).split()).upper()
    whole = _COPY.fullmatch(said)
    with visit.book() as connection:
        case = reads.find_by_code(connection, visit, (whole[1] if whole else said).lower()) if said else None
    if case is None:
        filled.blame("code", "consents.fault-code-unknown")
        return render_again("consents/code.html", filled)
    return see(url_for("consents.case_consents", case=case))


@page(blueprint, "/cases/<case>/exclusions/new", who=Access.CASEWORK, methods=("GET", "POST"))
def exclude(visit: Visit, case: str) -> Response | tuple[str, int]:
    """Write down what the person wants told to nobody, or not to somebody."""
    with visit.book() as connection:
        bar = person_bar(connection, visit, case)
        showing.require_ours(bar)
        whom = showing.whom(connection, visit, case)
    facts: dict[str, Any] = {"bar": bar, "case": case, "whom": whom, "what": showing.what(visit)}
    if request.method == "GET":
        return render("consents/exclude.html", **facts)
    filled = Filled.of_request()
    to = filled.several("to", [code for code, _ in whom], required=True)
    categories = filled.several("categories", [code for code, _ in facts["what"]], required=True)
    words = filled.text("words", longest=2000)
    if not filled.is_fine:
        return render_again("consents/exclude.html", filled, **facts)
    with visit.book() as connection:
        made = service.refuse(
            connection,
            visit,
            case,
            to={ANY} if ANY in to else to,
            categories={ANY} if ANY in categories else categories,
            words=words,
        )
        keys = service.keys_about(connection, [made])
    said, tone = showing.carried(visit, keys, "consents.excluded-")
    showing.freshen(visit, case)
    return see(url_for("consents.case_consents", case=case), said=said, tone=tone)


@page(blueprint, "/cases/<case>/exclusions/<exclusion>/revoke", who=Access.CASEWORK, methods=("GET", "POST"))
def allow_again(visit: Visit, case: str, exclusion: str) -> Response | tuple[str, int]:
    """End a refusal because the person says so; asked once more, since it lets something be told."""
    with visit.book() as connection:
        bar = person_bar(connection, visit, case)
        wishes = reads.wishes_of(connection, visit, case)
        names = reads.name_partners(connection)
    wish = next((one for one in wishes if one.exclusion.id == exclusion), None)
    if wish is None:
        raise ConnectorError("exclusion-unknown")
    back = url_for("consents.case_consents", case=case)
    if not wish.is_in_force(visit.at):
        return see(back, said="consents.allowed-again-before", tone="wait")
    if request.method == "GET":
        return render("consents/allow_again.html", bar=bar, case=case, wish=wish, names=names)
    with visit.book() as connection:
        keys = service.keys_about(connection, [service.allow_again(connection, visit, case, exclusion)])
    said, tone = showing.carried(visit, keys, "consents.allowed-again-")
    showing.freshen(visit, case)
    return see(back, said=said, tone=tone)


@page(blueprint, "/notices", who=Access.CASEWORK)
def notices(visit: Visit) -> tuple[str, int]:
    """List the requests to stop using something that wait for our word, due first."""
    with visit.book() as connection:
        found = mirror.open_notices(connection)
        answered = {one.id for one in found if service.is_answered(connection, one.id)}
        people = showing.names_of_cases(connection, visit, [one.case for one in found])
    return render("consents/notices.html", found=found, answered=answered, people=people)


@page(blueprint, "/notices/<notice>", who=Access.CASEWORK, methods=("GET", "POST"))
def notice(visit: Visit, notice: str) -> Response | tuple[str, int]:
    """Show what somebody asks us to stop using, and take our answer."""
    with visit.book() as connection:
        asked = mirror.notice_of(connection, notice)
        if asked is None:
            raise ConnectorError("notice-unknown")
        facts: dict[str, Any] = {
            "bar": person_bar(connection, visit, asked.case),
            "asked": asked,
            "items": showing.items_of(connection, visit, asked),
            "answered": service.is_answered(connection, notice),
            "grounds": [(one, f"consents.ground-{one}") for one in GROUNDS],
        }
    if request.method == "GET":
        return render("consents/notice.html", **facts)
    here = url_for("consents.notice", notice=notice)
    if facts["answered"] or asked.answered_at is not None:
        return see(here, said="consents.answered-before", tone="wait")
    filled = Filled.of_request()
    said = filled.code("answer", "withdrawal_answer", required=True)
    kept = said == PurgeAnswer.KEPT_BY_LAW.value
    ground = filled.code("ground", GROUNDS, required=kept)
    until = filled.day("until", required=kept, first=visit.today)
    if said is None or not filled.is_fine:
        return render_again("consents/notice.html", filled, **facts)
    gone = visit.site.connector.answer_notice(
        asked,
        PurgeAnswer(said),
        staff=visit.me.id,
        ground=ground if kept else None,
        until=end_of_day(until) if kept and until else None,
    )
    with visit.book() as connection:
        keys = service.keys_about(connection, [notice])
    said_key, tone = showing.carried(visit, keys, f"consents.answered-{said.replace('_', '-')}-")
    return see(here, said=said_key, tone=tone, n=str(gone))


@page(blueprint, "/quiet", who=Access.STAFF)
def quiet(_: Visit) -> tuple[str, int]:
    """Show a page on which nothing of anybody stands: where "close" leads at once."""
    return render("consents/quiet.html")


def _register(connection: Any, visit: Visit, case: str) -> dict[str, Any]:
    entries = reads.entries_of(connection, visit, case)
    return {
        "entries": entries,
        "reasons": {one.refused: showing.reason_key(one.refused) for one in entries if one.refused},
        "wishes": reads.wishes_of(connection, visit, case),
        "takings": withdrawals.takings_of(connection, case),
        "elsewhere": withdrawals.elsewhere(connection, case),
        "state": reads.state_of_case(connection, case, visit.at),
        "names": reads.name_partners(connection),
        "answer": service.last_answer(connection, case),
    }
