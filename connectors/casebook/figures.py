# SPDX-License-Identifier: Apache-2.0
"""What a span of days held, as facts without names: for the monthly report, which counts them (`desk/reports`).

A fact is about one case, referral, sheet or meeting, and says codes and days only. Days are Japanese days.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import Connection

from connectors.base.wareki import age_on
from connectors.casebook import tables, tables_files, tables_meetings, tables_mirror, tables_sheets, tables_steps
from connectors.casebook.sheets import DRAFT
from connectors.casebook.steps import DECISION_CONFIRMED
from connectors.sdk import answers, threads
from connectors.sdk.reading import read
from consent.calendar import day_of, start_of_day

FIRST_ANSWERS: Final = frozenset({"accept", "ask", "decline"})
"""Moves by which a recipient answers a referral for the first time (referral-loop.md)."""
BEGUN: Final = frozenset({"start", "report-outcome"})
"""Moves that show the recipient at work with the person."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Some days, both included."""

    first: date
    last: date

    @property
    def bounds(self) -> tuple[datetime, datetime]:
        """Give the moment at which it begins, and the one at which the day after it does."""
        return start_of_day(self.first), start_of_day(self.last + timedelta(days=1))


@dataclass(frozen=True, slots=True, kw_only=True)
class Newcomer:
    """A case that was opened here; `sex` as the form numbers it, `age` in years on that day, if told."""

    sex: str | None
    age: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """A referral that we sent: to which kind of agency, and what became of it until now.

    `answered_after`, `begun_after`: days from sending until the first answer, until the recipient was at work.
    """

    kind: str
    hop: int
    events: frozenset[str]
    declined: str | None
    outcome: str | None
    answered_after: int | None
    begun_after: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowUpFact:
    """A follow-up of ours that fell due: when it was done, if it was, and with which result."""

    due_on: date
    done_on: date | None
    result: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SheetFact:
    """A sheet that was settled: which, for which plan, whether it re-plans, and what it says."""

    case: str
    code: str
    change: str
    answers: dict[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """Everything that the report counts."""

    newcomers: Sequence[Newcomer]
    applications: int
    screenings: Sequence[str]
    sheets: Sequence[SheetFact]
    sent: Sequence[Sent]
    accompaniments: Sequence[str]
    follow_ups: Sequence[FollowUpFact]
    endings: Sequence[str]
    meetings: int
    meeting_lines: int
    decisions: int
    missing: Sequence[str]


def facts(connection: Connection, agency: str, span: Span) -> Facts:
    """Gather what happened at an agency in some days; missing resources are those open at the end."""
    meetings, lines = _meetings(connection, span)
    return Facts(
        newcomers=_newcomers(connection, agency, span),
        applications=_applications(connection, agency, span),
        screenings=_screenings(connection, span),
        sheets=_sheets(connection, span),
        sent=_sent(connection, agency, span),
        accompaniments=_accompaniments(connection, agency, span),
        follow_ups=_follow_ups(connection, agency, span),
        endings=_endings(connection, agency, span),
        meetings=meetings,
        meeting_lines=lines,
        decisions=_decisions(connection, agency, span),
        missing=_missing(connection),
    )


def _newcomers(connection: Connection, agency: str, span: Span) -> list[Newcomer]:
    begins, ends = span.bounds
    own, record = tables.cases.c, tables_files.person_records
    query = (
        sa.select(own.created_at, record.c.born_on, record.c.document)
        .select_from(tables.cases.outerjoin(record, record.c.person == own.person))
        .where(own.owner == agency, own.created_at >= begins, own.created_at < ends)
    )
    return [
        Newcomer(
            sex=(row.document or {}).get("sex"),
            age=age_on(row.born_on, day_of(row.created_at)) if row.born_on else None,
        )
        for row in connection.execute(query)
    ]


def _applications(connection: Connection, agency: str, span: Span) -> int:
    """Count the cases whose first form was signed in these days."""
    begins, ends = span.bounds
    own, form = tables.cases.c, tables.forms.c
    firsts = (
        sa.select(sa.func.min(form.signed_at).label("at"))
        .select_from(tables.forms.join(tables.cases, own.handle == form.case))
        .where(own.owner == agency)
        .group_by(form.case)
        .subquery()
    )
    within = sa.select(sa.func.count()).where(firsts.c.at >= begins, firsts.c.at < ends)
    return int(connection.execute(within).scalar_one())


def _screenings(connection: Connection, span: Span) -> list[str]:
    """Give the last result of each case that was screened in these days."""
    begins, ends = span.bounds
    triages = tables_steps.triages.c
    moved = sa.select(triages.case, triages.result).where(triages.at >= begins, triages.at < ends)
    found = {row.case: row.result for row in connection.execute(moved.order_by(triages.at))}
    for sheet in _sheets(connection, span):
        if sheet.code == "triage" and isinstance(said := sheet.answers.get("screening"), str):
            found.setdefault(sheet.case, said)
    return list(found.values())


def _sheets(connection: Connection, span: Span) -> list[SheetFact]:
    begins, ends = span.bounds
    sheet = tables_sheets.sheets.c
    query = sa.select(sheet.case, sheet.code, sheet.change, sheet.body, sheet.after).where(
        sheet.settled_at >= begins, sheet.settled_at < ends, sheet.state != DRAFT
    )
    return [
        SheetFact(case=row.case, code=row.code, change=row.change, answers={**row.body, **row.after})
        for row in connection.execute(query.order_by(sheet.settled_at))
    ]


def _sent(connection: Connection, agency: str, span: Span) -> list[Sent]:
    begins, ends = span.bounds
    sent, marks, details = tables.referrals.c, tables_mirror.referral_marks.c, tables_mirror.referral_details.c
    known = connection.execute(sa.select(tables.agencies.c.id, tables.agencies.c.kind))
    kinds = {row.id: row.kind for row in known}
    query = (
        sa.select(details.document)
        .select_from(
            tables.referrals.join(tables_mirror.referral_marks, marks.referral == sent.id).join(
                tables_mirror.referral_details, details.referral == sent.id
            )
        )
        .where(sent.sender == agency, marks.sent_at >= begins, marks.sent_at < ends)
    )
    found = (read(threads.ReferralDetail, document) for document in connection.execute(query).scalars())
    return [_fact(one, kinds.get(one.recipient, "")) for one in found if one.state != "entered_in_error"]


def _fact(referral: threads.ReferralDetail, kind: str) -> Sent:
    declined = next((one.facts.get("reason") for one in reversed(referral.history) if one.event == "decline"), None)
    return Sent(
        kind=kind,
        hop=referral.hop,
        events=frozenset(one.event for one in referral.history),
        declined=declined,
        outcome=referral.outcome,
        answered_after=_days_until(referral, FIRST_ANSWERS),
        begun_after=_days_until(referral, BEGUN),
    )


def _days_until(referral: threads.ReferralDetail, events: Iterable[str]) -> int | None:
    moments = [one.at for one in referral.history if one.event in events]
    return (day_of(min(moments)) - day_of(referral.sent_at)).days if moments else None


def _accompaniments(connection: Connection, agency: str, span: Span) -> list[str]:
    going = tables_mirror.accompaniments.c
    query = sa.select(going.state).where(going.agency == agency, going.on_day.between(span.first, span.last))
    return list(connection.execute(query).scalars())


def _follow_ups(connection: Connection, agency: str, span: Span) -> list[FollowUpFact]:
    asked = tables_mirror.follow_ups.c
    query = sa.select(asked.due_on, asked.done_at, asked.document).where(
        asked.agency == agency, asked.due_on.between(span.first, span.last)
    )
    return [
        FollowUpFact(
            due_on=row.due_on,
            done_on=day_of(row.done_at) if row.done_at else None,
            result=row.document.get("result"),
        )
        for row in connection.execute(query)
    ]


def _endings(connection: Connection, agency: str, span: Span) -> list[str]:
    """Give the grounds on which the hub closed cases of ours."""
    begins, ends = span.bounds
    course, own = tables_steps.case_courses.c, tables.cases.c
    query = (
        sa.select(course.document)
        .select_from(tables_steps.case_courses.join(tables.cases, own.handle == course.case))
        .where(own.owner == agency, own.closed_at.is_not(None), course.moved_at >= begins)
    )
    return [
        step.closure_ground
        for document in connection.execute(query).scalars()
        for step in read(answers.CaseDetail, document).history
        if step.closure_ground is not None and begins <= step.at < ends
    ]


def _meetings(connection: Connection, span: Span) -> tuple[int, int]:
    """Count coordination meetings that were held, and the cases that were talked over in them."""
    begins, ends = span.bounds
    meeting, line = tables_meetings.meetings.c, tables_meetings.meeting_lines.c
    held = sa.and_(
        meeting.kind == "shien_chosei_kaigi", meeting.held_at >= begins, meeting.held_at < ends,
        meeting.ended_at.is_not(None),
    )  # fmt: skip
    number = connection.execute(sa.select(sa.func.count()).where(held)).scalar_one()
    lines = sa.select(sa.func.count()).select_from(
        tables_meetings.meeting_lines.join(tables_meetings.meetings, meeting.id == line.meeting)
    )
    return int(number), int(connection.execute(lines.where(held)).scalar_one())


def _decisions(connection: Connection, agency: str, span: Span) -> int:
    """Count the words of municipalities that they decided on, or confirmed, a plan of ours: notes of step ⑧."""
    begins, ends = span.bounds
    course, own = tables_steps.case_courses.c, tables.cases.c
    query = (
        sa.select(course.document)
        .select_from(tables_steps.case_courses.join(tables.cases, own.handle == course.case))
        .where(own.owner == agency, course.fetched_at >= begins)
    )
    return sum(
        note.kind == DECISION_CONFIRMED and begins <= note.at < ends
        for document in connection.execute(query).scalars()
        for note in read(answers.CaseDetail, document).notes
    )


def _missing(connection: Connection) -> list[str]:
    entry = tables_meetings.resources.c
    query = sa.select(entry.kind).where(entry.state.in_(("found", "in_hand")))
    return list(connection.execute(query).scalars())
