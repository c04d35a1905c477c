# SPDX-License-Identifier: Apache-2.0
"""What is asked of the municipality and what it has answered, as either side's pages show it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Connection

from connectors.base.errors import ConnectorError
from connectors.casebook import corrected, deeds, directory, meeting_papers, receive, support_decisions
from connectors.casebook.corrected import Mark
from connectors.casebook.meeting_papers import DECISION, MINUTES, Paper
from connectors.casebook.receive import ReadPart
from connectors.casebook.support_decisions import Decided
from connectors.desk.cases.reads import PersonBar, person_bar
from connectors.desk.decisions import rules
from connectors.desk.web.contents import Content, by_category
from connectors.desk.web.visits import Visit
from consent.vocabulary.codes import CODE_LISTS


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A request or an answer in a list, without anybody's name."""

    paper: Paper
    agency: str
    decided: Decided | None = None
    came: Paper | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Lists:
    """At the municipality: what it is asked. At a counselling agency: what it has asked, with the answers."""

    asked: Sequence[Row]
    sent: Sequence[Row]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """A decision as a page and the notice show it: services with how they stand and what was said of each."""

    services: Sequence[tuple[str, str, str]]
    first: date | None
    last: date | None
    plan: str
    at: datetime
    words: str = ""
    officer: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """One line that the municipality is asked about: `paper` the minutes that ask, `contents` once they were opened.

    `marks`: what its sender has corrected of it since, by category.
    """

    paper: Paper
    bar: PersonBar
    agency: str
    contents: Sequence[tuple[str, Sequence[Content]]]
    services: Sequence[tuple[str, str]]
    outcome: Outcome | None
    answer: Paper | None
    state: str
    marks: Mapping[str, tuple[Mark, ...]]


def lists(connection: Connection, visit: Visit) -> Lists:
    """Give what is asked of us and what we have asked."""
    us, names = visit.site.connector.agency, _names(connection, visit)
    asked = [
        Row(
            paper=one,
            agency=names.get(one.sender, one.sender),
            decided=support_decisions.decided(connection, one.referral or "", one.slip.line),
        )
        for one in _newest(connection, recipient=us)
        if visit.site.connector.kind == rules.MUNICIPALITY
    ]
    answers = {(one.referral, one.slip.line): one for one in reversed(_answers(connection, us))}
    towns = {one.id for one in directory.agencies(connection, kind=rules.MUNICIPALITY)}
    sent = [
        Row(paper=one, agency=names.get(one.recipient, one.recipient), came=answers.get((one.referral, one.slip.line)))
        for one in _newest(connection, sender=us)
        if one.recipient in towns
    ]
    return Lists(asked=asked, sent=sent)


def request_of(connection: Connection, visit: Visit, referral: str, line: str) -> Paper:
    """Give the newest minutes of a line that ask us, or by which we have asked.

    *Raises* `ConnectorError("decision-unknown")`.
    """
    us = visit.site.connector.agency
    for side in ({"recipient": us}, {"sender": us}):
        found = [one for one in _newest(connection, referral=referral, **side) if one.slip.line == line]
        if found:
            return found[0]
    raise ConnectorError("decision-unknown")


def picture(connection: Connection, visit: Visit, referral: str, line: str) -> Picture:
    """Give a line with what is asked and what was decided; that somebody looked is logged.

    *Raises* `ConnectorError("decision-unknown")`; as `person_bar`.
    """
    paper, us = request_of(connection, visit, referral, line), visit.site.connector.agency
    is_asked = paper.recipient == us
    answer = next((one for one in _answers(connection, us) if (one.referral, one.slip.line) == (referral, line)), None)
    known = support_decisions.decided(connection, referral, line) if is_asked else None
    deed = deeds.find(connection, known.key) if known else None
    other = paper.sender if is_asked else paper.recipient
    shown = paper if is_asked else answer
    is_open = shown is not None and shown.read_at is not None
    parts = receive.read(connection, shown.message, shown.sender, visit.pen()) if shown and is_open else ()
    return Picture(
        paper=paper,
        bar=person_bar(connection, visit, paper.case),
        agency=_names(connection, visit).get(other, other),
        contents=by_category(parts, visit.language),
        services=[(one, how) for one, how in paper.slip.services.items()],
        outcome=_of_ours(known) if known else _of_paper(answer, parts) if answer and not is_asked and is_open else None,
        answer=answer,
        state=deed.state if deed else "sent",
        marks=_marks(connection, shown, parts, us) if shown else {},
    )


def _marks(connection: Connection, shown: Paper, parts: Sequence[ReadPart], us: str) -> dict[str, tuple[Mark, ...]]:
    found, marks = corrected.marks_on(connection, shown.message, shown.sender, us), dict[str, tuple[Mark, ...]]()
    for part in parts:
        marks[part.category] = tuple(dict.fromkeys((*marks.get(part.category, ()), *found.get(part.n, ()))))
    return marks


def _newest(connection: Connection, **side: str) -> list[Paper]:
    """Give the newest minutes of each line that ask for a decision."""
    found: dict[tuple[str | None, str], Paper] = {}
    for one in meeting_papers.papers(connection, forms=(MINUTES,), **side):
        found.setdefault((one.referral, one.slip.line), one)
    return [one for one in found.values() if rules.asks(one.slip) and one.referral is not None]


def _answers(connection: Connection, us: str) -> Sequence[Paper]:
    towns = {one.id for one in directory.agencies(connection, kind=rules.MUNICIPALITY)}
    return [one for one in meeting_papers.papers(connection, forms=(DECISION,), recipient=us) if one.sender in towns]


def _of_ours(known: Decided) -> Outcome:
    return Outcome(
        services=_services(known.services),
        first=known.first,
        last=known.last,
        plan=known.services.get(rules.PLAN, ""),
        at=known.decided_at,
        words=known.words,
        officer=known.officer,
    )


def _of_paper(answer: Paper, parts: Sequence[ReadPart]) -> Outcome:
    first, last = (_day(one) for one in answer.slip.term)
    services = answer.slip.services
    said = {name: value for part in parts for name, value in meeting_papers.said_in(part.media, part.body).items()}
    return Outcome(
        services=_services(services),
        first=first,
        last=last,
        plan=services.get(rules.PLAN, ""),
        at=answer.at,
        words=said.get("words", ""),
        officer=said.get("officer", ""),
    )


def _services(said: Mapping[str, str]) -> list[tuple[str, str, str]]:
    return [(one, rules.how_of(one, CODE_LISTS), answer) for one, answer in said.items() if one != rules.PLAN]


def _day(said: str) -> date | None:
    try:
        return date.fromisoformat(said) if said else None
    except ValueError:
        return None


def _names(connection: Connection, visit: Visit) -> dict[str, str]:
    found = directory.agencies(connection)
    return {one.id: one.name_ja if visit.language == "ja" else one.name_en for one in found}
