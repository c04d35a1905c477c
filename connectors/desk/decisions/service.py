# SPDX-License-Identifier: Apache-2.0
"""Decide, seal the answer into the meeting's thread, tell the hub that it was decided; open what came."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from sqlalchemy import Connection

from connectors.base.errors import ConnectorError
from connectors.base.labels import label
from connectors.base.wareki import say_day
from connectors.casebook import conversation, deeds, meeting_papers, mirror, receive, support_decisions
from connectors.casebook.meeting_papers import CARRIER, DECISION, MEDIA, Answer, Paper, Slip
from connectors.casebook.support_decisions import Decided
from connectors.desk.decisions import rules
from connectors.desk.web.texts import text
from connectors.desk.web.visits import Access, Visit
from connectors.sdk.problems import ProblemError
from consent.envelope.manifest import MessageKind
from consent.vocabulary.codes import CODE_LISTS

_NOTE = "decision_confirmed"
"""What the hub asks for before a case may stand at `decided` (step 8)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What an officer says: of each service, of the plan as a whole, from when to when, on which conditions."""

    services: Mapping[str, str]
    first: date | None
    last: date | None
    words: str = field(repr=False)
    officer: str = field(repr=False)
    acknowledged: bool


def require_officer(visit: Visit) -> None:
    """Let through who may decide: an officer with the right to sign, at the desk of the municipality.

    *Raises* `ConnectorError("not-the-municipality")`.
    """
    if visit.site.connector.kind != rules.MUNICIPALITY or not visit.may(Access.SUPERVISOR):
        raise ConnectorError("not-the-municipality")


def learn(visit: Visit, case: str) -> None:
    """Learn how a case stands before an answer is sealed; with the line down, what is known here serves."""
    with contextlib.suppress(ConnectorError, ProblemError):
        visit.site.connector.refresh_case(case)


def decide(connection: Connection, visit: Visit, paper: Paper, said: Said) -> str:
    """Keep the decision, seal it for whoever asked, and queue the hub's note behind it; give the message's row.

    *Raises* `ConnectorError`: `not-the-municipality`, `decision-unknown`, `decision-made`, `my-number`,
    `status-stale`; `RefusedHereError`.
    """
    require_officer(visit)
    referral = mirror.detail_of(connection, paper.referral or "")
    if referral is None or paper.recipient != visit.site.connector.agency:
        raise ConnectorError("decision-unknown")
    if support_decisions.decided(connection, referral.id, paper.slip.line) is not None:
        raise ConnectorError("decision-made")
    pen = visit.pen()
    message = conversation.say(
        connection,
        pen,
        referral,
        MessageKind.REPLY,
        _parts(visit, paper.slip, said),
        own=visit.site.connector.own_key(),
        acknowledged=said.acknowledged,
    )
    key = deeds.waiting_about(connection, message)[-1].key
    made = Decided(
        referral=referral.id, line=paper.slip.line, case=paper.case, message=message, key=key,
        services=dict(said.services), first=said.first, last=said.last, words=said.words, officer=said.officer,
        decided_at=pen.now, decided_by=pen.staff,
    )  # fmt: skip
    support_decisions.keep(connection, pen, made)
    if rules.carries(said.services):
        deeds.note(connection, pen, case=paper.case, note={"kind": _NOTE})
    return key


def open_paper(connection: Connection, visit: Visit, paper: Paper) -> str | None:
    """Open a paper on purpose, as a named worker; give the row of the read receipt of the first reading."""
    receive.read(connection, paper.message, paper.sender, visit.pen())
    receipt = deeds.latest(connection, "receipt", paper.message)
    return receipt.key if receipt else None


def _parts(visit: Visit, asked: Slip, said: Said) -> Sequence[tuple[str, str, bytes]]:
    """Write the answer: what is said of a service goes as the category that the service tells something of."""
    found: dict[str, dict[str, str]] = {CARRIER: {rules.PLAN: said.services[rules.PLAN]}}
    for service, how in asked.services.items():
        category = meeting_papers.category_of(service, how)
        found.setdefault(category, {})[service] = said.services[service]
    return [
        (
            category,
            MEDIA,
            meeting_papers.write(_slip(asked, said, found[category]), _answers(visit, asked, said, category)),
        )
        for category in CODE_LISTS["categories"]
        if category in found
    ]


def _slip(asked: Slip, said: Said, services: Mapping[str, str]) -> Slip:
    term = tuple(one.isoformat() if one else "" for one in (said.first, said.last))
    return Slip(
        form=DECISION,
        meeting=asked.meeting,
        kind=asked.kind,
        line=asked.line,
        services=dict(services),
        term=(term[0], term[1]),
    )


def _answers(visit: Visit, asked: Slip, said: Said, category: str) -> Sequence[Answer]:
    lines = []
    for service, how in asked.services.items():
        if meeting_papers.category_of(service, how) == category:
            name = label(rules.names_of(how), service, "ja")
            lines.append(f"{name}: {label(rules.answers_for(how), said.services[service], 'ja')}")
    services = ("services", "\n".join(lines))
    if category != CARRIER:
        return [_ask(*services)]
    term = " - ".join(say_day(one, "ja") for one in (said.first, said.last) if one)
    found = (
        ("plan", label("service_confirmation", said.services[rules.PLAN], "ja")),
        services,
        ("term", term),
        ("words", said.words),
        ("officer", said.officer),
        ("on", say_day(visit.today, "ja")),
    )
    return [_ask(code, value) for code, value in found if value]


def _ask(code: str, value: str) -> Answer:
    key = f"decisions.q-{code}"
    return Answer(field=code, ja=text(key, "ja"), en=text(key, "en"), value=value)
