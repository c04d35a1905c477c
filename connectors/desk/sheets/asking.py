# SPDX-License-Identifier: Apache-2.0
"""Ask a partner for what an assessment lacks (⑤): a question in the thread of a referral, within the person's consent.

Each question goes sealed under the category of its answer; both ways are decided, our question and their answer.
"""

from __future__ import annotations

from typing import Any, Final

from flask import request, url_for
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response

from connectors.base.errors import ConnectorError
from connectors.base.labels import label
from connectors.casebook import directory
from connectors.desk.referrals import service as referrals
from connectors.desk.referrals.thread import blame_refusal, outcome
from connectors.desk.sheets import offers, reads
from connectors.desk.sheets.blueprint import blueprint
from connectors.desk.sheets.offers import Question
from connectors.desk.sheets.reads import Opened
from connectors.desk.sheets.sharing import send
from connectors.desk.web.filling import Filled
from connectors.desk.web.gate import page
from connectors.desk.web.rendering import render, render_again
from connectors.desk.web.texts import text
from connectors.desk.web.visits import Access, Visit
from connectors.sheets.answers import UNASKED
from connectors.sheets.definitions import Words
from connectors.sheets.parts import Origin, question_of
from consent.envelope.manifest import MessageKind

_FIELDS: Final = "fields"

View = Response | tuple[str, int]


@page(blueprint, "/sheets/<sheet>/ask", who=Access.CASEWORK)
def ask(visit: Visit, sheet: str) -> View:
    """Offer the partners that can be asked: those with whom a referral of the case is open."""
    with visit.book() as connection:
        shown = _asking(reads.opened(connection, visit, sheet))
        found = []
        for one in offers.open_referrals(connection, visit, shown.sheet.case):
            other = one.sender if one.recipient == visit.site.connector.agency else one.recipient
            known = directory.agency(connection, other)
            found.append((one, known.name_ja if visit.language == "ja" else known.name_en))
    return render("sheets/ask.html", shown=shown, bar=shown.bar, referrals=found)


@page(blueprint, "/sheets/<sheet>/ask/<referral>", who=Access.CASEWORK, methods=("GET", "POST"))
def ask_in(visit: Visit, sheet: str, referral: str) -> View:
    """Choose what to ask, and seal the question into the referral's thread."""
    if request.method == "POST":
        referrals.learn(visit, referral)
    with visit.book() as connection:
        shown = _asking(reads.opened(connection, visit, sheet))
        open_ones = offers.open_referrals(connection, visit, shown.sheet.case)
        one = next((each for each in open_ones if each.id == referral), None)
        if one is None:
            raise ConnectorError("referral-unknown")
        questions, partner = offers.questions(connection, visit, shown.definition, one)
    facts: dict[str, Any] = {
        "shown": shown, "bar": shown.bar, "referral": referral, "partner": partner, "questions": questions,
        "once": visit.site.connector.new_id(), "unanswered": _unanswered(shown),
    }  # fmt: skip
    if request.method == "GET":
        return render("sheets/ask_in.html", **facts)
    filled = Filled.of_request()
    wanted = filled.several(_FIELDS, [each.code for question in questions for each in question.fields], required=True)
    for question in questions:
        if question.refused is not None and any(each.code in wanted for each in question.fields):
            reason = label("decision_reasons", question.refused.reason.value, visit.language)
            category = label("categories", question.category, visit.language)
            filled.blame(_FIELDS, "sheets.fault-ask-refused", category=category, reason=reason)
    if filled.is_fine:
        try:
            parts = _parts(shown, questions, wanted)
            deed = send(visit, shown, referral, MessageKind.QUESTION, parts, filled, action="sheet:asked")
        except ConnectorError as error:
            blame_refusal(filled, _FIELDS, error, visit)
        else:
            what = text("sheets.ask", visit.language)
            return outcome(visit, url_for("referrals.referral", referral=referral), deed, what)
    return render_again("sheets/ask_in.html", filled, **facts)


def _asking(shown: Opened) -> Opened:
    """Let through a sheet for which partners are asked.

    *Raises* NotFound.
    """
    if not shown.definition.asks:
        raise NotFound
    return shown


def _unanswered(shown: Opened) -> frozenset[str]:
    """Name the questions that have no answer yet, those among them that the person did not wish to answer left out."""
    body = shown.sheet.body
    return frozenset(
        one.code
        for one in shown.definition.asked
        if not body.get(one.code) and body.get(one.code + UNASKED) != "not_wished"
    )


def _parts(shown: Opened, questions: list[Question], wanted: tuple[str, ...]) -> list[tuple[str, bytes]]:
    words = Words(ja=text("sheets.ask-asked", "ja"), en=text("sheets.ask-asked", "en"))
    made = []
    for question in questions:
        asked = tuple(one for one in question.fields if one.code in wanted)
        if asked:
            body = question_of(shown.definition, asked, Origin(id=shown.sheet.id), words)
            made.append((question.category, body))
    return made
