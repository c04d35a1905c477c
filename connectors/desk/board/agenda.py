# SPDX-License-Identifier: Apache-2.0
"""What of the board is no referral: today's appointments, follow-ups, requests to stop, tasks, emergencies, drafts."""

from __future__ import annotations

from datetime import datetime
from functools import cache
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import Connection

from connectors.casebook import papers, tables, tables_mirror
from connectors.casebook import tables_files as own
from connectors.casebook.tables_papers import paper_samples
from connectors.desk.board.rows import Row, Some, some
from connectors.desk.board.scope import (
    AGENCY,
    DAY_BEGINS,
    DAY_ENDS,
    ME,
    NOW,
    TODAY,
    TOTAL,
    WHO,
    Scope,
    awake,
    covers,
    in_charge,
    pressing,
    with_person,
)
from consent.calendar import day_of, end_of_day, start_of_day

_SHOWN: Final = 60
_MOST_DIGITS: Final = 5
_AHEAD: Final = ("proposed", "agreed")
_OWN_ROWS: Final = (
    "follow_up_due", "follow_up_overdue", "accompaniment_due", "purge_answer", "purge_overdue", "consent_ending",
    papers.TASK,
)  # fmt: skip
"""Tasks of which the board has a row of its own, of the thing itself."""
_asked: Final = tables_mirror.follow_ups.c
_walk: Final = own.outings.c
_told: Final = tables_mirror.accompaniments.c


@cache
def _follow_ups(reach: str) -> sa.Select[Any]:
    queued = sa.select(tables.outgoing.c.path).where(
        tables.outgoing.c.what == "follow_up_done", tables.outgoing.c.state == "waiting"
    )
    path = sa.literal("/v1/referrals/") + _asked.referral + "/follow-ups/" + sa.cast(_asked.n, sa.String) + "/done"
    about = sa.literal("follow-up:") + _asked.referral + ":" + sa.cast(_asked.n, sa.String)
    chosen = (
        sa.select(_asked.referral, _asked.n, _asked.case, _asked.due_on, TOTAL, pressing(_asked.due_on < TODAY))
        .select_from(in_charge(tables_mirror.follow_ups, _asked.case, reach))
        .where(_asked.agency == AGENCY, _asked.done_at.is_(None), _asked.due_on <= TODAY)
        .where(covers(reach), awake(about), path.not_in(queued))
        .order_by(_asked.due_on, _asked.referral, _asked.n)
        .limit(_SHOWN)
        .subquery()
    )
    ref = tables.referrals.c
    joined = with_person(chosen.outerjoin(tables.referrals, ref.id == chosen.c.referral), chosen.c.case)
    query = sa.select(chosen, *WHO, ref.state, ref.purpose, ref.sender, ref.recipient).select_from(joined)
    return query.order_by(chosen.c.due_on, chosen.c.referral, chosen.c.n)


def follow_ups(connection: Connection, scope: Scope) -> Some:
    """Give the follow-ups that are ours and due, today's too, oldest first; not those whose answer is queued."""
    return some(
        connection.execute(_follow_ups(scope.reach), scope.places).all(),
        lambda row: Row(
            about=f"follow-up:{row.referral}:{row.n}",
            kind="follow-up",
            case=row.case,
            name=row.name,
            number=row.number,
            referral=row.referral,
            n=row.n,
            partner=row.recipient if row.sender == scope.agency else row.sender,
            state=row.state,
            purpose=row.purpose,
            due=end_of_day(row.due_on),
        ),
    )


@cache
def _outings(reach: str) -> sa.Select[Any]:
    unwritten = sa.func.json_extract(_walk.document, "$.outcome").is_(None)
    ref = tables.referrals.c
    joined = own.outings.outerjoin(tables.referrals, ref.id == _walk.referral)
    return (
        sa.select(own.outings, *WHO, ref.state, ref.purpose, ref.sender, ref.recipient, TOTAL)
        .add_columns(pressing(_walk.begins_at < DAY_BEGINS))
        .select_from(with_person(joined, _walk.case))
        .where(_walk.begins_at < DAY_ENDS, sa.or_(_walk.begins_at >= DAY_BEGINS, unwritten))
        .where(covers(reach, _walk.staff))
        .order_by(_walk.begins_at, _walk.id)
        .limit(_SHOWN)
    )


def outings(connection: Connection, scope: Scope) -> Some:
    """Give the accompaniments of today, done ones too, and older ones that nobody has written down."""
    begins = start_of_day(scope.today)
    return some(
        connection.execute(_outings(scope.reach), scope.places).all(),
        lambda row: Row(
            about=f"outing:{row.id}",
            kind="outing",
            case=row.case,
            name=row.name,
            number=row.number,
            referral=row.referral,
            partner=row.document.get("destination"),
            purpose=row.purpose,
            due=row.begins_at if row.begins_at >= begins else end_of_day(day_of(row.begins_at)),
            at=row.begins_at,
            is_over=row.document.get("outcome") is not None,
            detail=str(row.document.get("counter", "")),
        ),
    )


@cache
def _told_outings(reach: str) -> sa.Select[Any]:
    here = sa.select(_walk.id).where(_walk.referral == _told.referral, _walk.n == _told.n).exists()
    return (
        sa.select(_told.referral, _told.n, _told.case, _told.on_day, *WHO, TOTAL, pressing(_told.on_day < TODAY))
        .add_columns(sa.func.json_extract(_told.document, "$.destination").label("destination"))
        .select_from(with_person(tables_mirror.accompaniments, _told.case))
        .where(_told.on_day <= TODAY, _told.agency == AGENCY, _told.state.in_(_AHEAD), ~here)
        .where(covers(reach), awake(sa.literal("walk:") + _told.referral + ":" + sa.cast(_told.n, sa.String)))
        .order_by(_told.on_day, _told.referral, _told.n)
        .limit(_SHOWN)
    )


def told_outings(connection: Connection, scope: Scope) -> Some:
    """Give the accompaniments that the hub knows as ours and the casebook does not: written down by other means."""
    return some(
        connection.execute(_told_outings(scope.reach), scope.places).all(),
        lambda row: Row(
            about=f"walk:{row.referral}:{row.n}",
            kind="walk",
            case=row.case,
            name=row.name,
            number=row.number,
            referral=row.referral,
            n=row.n,
            partner=row.destination,
            due=end_of_day(row.on_day),
        ),
    )


@cache
def _notices(reach: str) -> sa.Select[Any]:
    asked = tables_mirror.notices.c
    return (
        sa.select(asked.id, asked.case, asked.due_at, *WHO, TOTAL, pressing(asked.due_at <= NOW))
        .select_from(with_person(tables_mirror.notices, asked.case))
        .where(asked.answered_at.is_(None), covers(reach), awake(sa.literal("notice:") + asked.id))
        .order_by(asked.due_at, asked.id)
        .limit(_SHOWN)
    )


def notices(connection: Connection, scope: Scope) -> Some:
    """Give the requests to stop using something that wait for our signed word."""
    return some(
        connection.execute(_notices(scope.reach), scope.places).all(),
        lambda row: Row(
            about=f"notice:{row.id}", kind="notice", case=row.case, name=row.name, number=row.number, due=row.due_at
        ),
    )


@cache
def _samples(reach: str) -> sa.Select[Any]:
    drawn, out = paper_samples.c, tables.outgoing.c
    answered = sa.select(out.about).where(out.what == papers.WHAT, out.state != "refused")
    return (
        sa.select(drawn.id, drawn.case, drawn.due_at, *WHO, TOTAL, pressing(drawn.due_at <= NOW))
        .select_from(with_person(paper_samples, drawn.case))
        .where(drawn.outcome.is_(None), drawn.id.not_in(answered), covers(reach))
        .where(awake(sa.literal("sample:") + drawn.id))
        .order_by(drawn.due_at, drawn.id)
        .limit(_SHOWN)
    )


def samples(connection: Connection, scope: Scope) -> Some:
    """Give the paper forms that an officer drew and that wait for our answer."""
    return some(
        connection.execute(_samples(scope.reach), scope.places).all(),
        lambda row: Row(
            about=f"sample:{row.id}", kind="sample", case=row.case, name=row.name, number=row.number, due=row.due_at
        ),
    )


@cache
def _hub_tasks(reach: str) -> sa.Select[Any]:
    task, ref = tables_mirror.tasks.c, tables.referrals.c
    ours = sa.or_(ref.awaiting == AGENCY, ref.ball == AGENCY)
    shown = sa.and_(task.kind.startswith("referral_", autoescape=True), sa.func.coalesce(ours, sa.false()))
    joined = tables_mirror.tasks.outerjoin(tables.referrals, ref.id == task.about)
    return (
        sa.select(task.id, task.kind, task.case, task.about, task.due_at, *WHO, ref.id.label("referral"), TOTAL)
        .add_columns(pressing(task.due_at <= NOW), sa.func.json_extract(task.document, "$.label").label("label"))
        .select_from(with_person(joined, task.case))
        .where(task.done_at.is_(None), task.kind.not_in(_OWN_ROWS), ~shown)
        .where(covers(reach), awake(sa.literal("task:") + task.id))
        .order_by(task.due_at.is_(None), task.due_at, task.id)
        .limit(_SHOWN)
    )


def hub_tasks(connection: Connection, scope: Scope) -> Some:
    """Give what timers and people at the hub raised, without that of which the board has a row of its own."""
    return some(
        connection.execute(_hub_tasks(scope.reach), scope.places).all(),
        lambda row: Row(
            about=f"task:{row.id}",
            kind="task",
            case=row.case,
            name=row.name,
            number=row.number,
            referral=row.referral,
            state=row.kind,
            due=row.due_at,
            detail=row.label or row.kind,
        ),
    )


_EMERGENCIES: Final = (
    sa.select(own.emergencies.c.id, own.emergencies.c.case, own.emergencies.c.asked_at, *WHO, TOTAL)
    .select_from(with_person(own.emergencies, own.emergencies.c.case))
    .where(own.emergencies.c.state == "asked", own.emergencies.c.asked_by != ME)
    .order_by(own.emergencies.c.asked_at, own.emergencies.c.id)
    .limit(_SHOWN)
)


def emergencies(connection: Connection, scope: Scope) -> Some:
    """Give the emergency disclosures that wait for a second person; whoever asked is not one."""
    return some(
        connection.execute(_EMERGENCIES, scope.places).all(),
        lambda row: Row(
            about=f"emergency:{row.id}",
            kind="emergency",
            case=row.case,
            name=row.name,
            number=row.number,
            urgent=True,
            at=row.asked_at,
        ),
    )


_LINE: Final = own.escalations.c
_ESCALATIONS: Final = (
    sa.select(_LINE.id, _LINE.case, _LINE.referral, _LINE.at, *WHO, TOTAL)
    .select_from(with_person(own.escalations, _LINE.case))
    .where(_LINE.seen_at.is_(None))
    .order_by(_LINE.at, _LINE.id)
    .limit(_SHOWN)
)


def escalations(connection: Connection) -> Some:
    """Give what workers asked a supervisor to look at and none has yet: people who were turned away at a counter."""
    return some(
        connection.execute(_ESCALATIONS).all(),
        lambda row: Row(
            about=f"escalation:{row.id}",
            kind="escalation",
            case=row.case,
            name=row.name,
            number=row.number,
            referral=row.referral,
            at=row.at,
        ),
    )


_met: Final = tables.conferences.c
_MEETINGS: Final = (
    sa.select(_met.id, _met.until).where(_met.until > NOW, _met.until <= DAY_ENDS).order_by(_met.until).limit(_SHOWN)
)


def conferences(connection: Connection, scope: Scope) -> Some:
    """Give the meetings to which this agency was called and that end today: their word must be given by then."""
    rows = connection.execute(_MEETINGS, scope.places).all()
    found = [Row(about=f"meeting:{row.id}", kind="meeting", due=row.until, at=row.until) for row in rows]
    return Some(rows=found, total=len(found))


@cache
def _drafts(limit: int) -> sa.Select[Any]:
    begun = own.drafts.c
    return (
        sa.select(begun.id, begun.kind, begun.case, begun.saved_at, *WHO, TOTAL)
        .select_from(with_person(own.drafts, begun.case))
        .where(begun.staff == ME)
        .order_by(begun.saved_at.desc(), begun.id)
        .limit(limit)
    )


def drafts(connection: Connection, scope: Scope, *, limit: int) -> Some:
    """Give what this person has begun to write, the newest first."""
    return some(
        connection.execute(_drafts(limit), scope.places).all(),
        lambda row: Row(
            about=f"draft:{row.id}",
            kind="draft",
            case=row.case,
            name=row.name,
            number=row.number,
            at=row.saved_at,
            detail=row.kind,
        ),
    )


def is_open(connection: Connection, about: str) -> bool:
    """Say whether there is such a row that could be put off."""
    kind, _, rest = about.partition(":")
    thing, _, n = rest.partition(":")
    number = int(n) if n.isascii() and n.isdigit() and len(n) <= _MOST_DIGITS else -1
    queries: dict[str, sa.Select[Any]] = {
        "referral": sa.select(tables.referrals.c.id).where(tables.referrals.c.id == rest),
        "reply": sa.select(tables.messages.c.id).where(tables.messages.c.id == rest),
        "notice": sa.select(tables_mirror.notices.c.id).where(tables_mirror.notices.c.id == rest),
        "sample": sa.select(paper_samples.c.id).where(paper_samples.c.id == rest),
        "task": sa.select(tables_mirror.tasks.c.id).where(tables_mirror.tasks.c.id == rest),
        "look": sa.select(tables.cases.c.handle).where(tables.cases.c.handle == thing),
        "follow-up": sa.select(_asked.n).where(_asked.referral == thing, _asked.n == number),
        "walk": sa.select(_told.n).where(_told.referral == thing, _told.n == number),
    }
    return kind in queries and connection.execute(queries[kind]).first() is not None


def urgency_of(connection: Connection, about: str) -> str | None:
    """Give the urgency of the referral that a row is about, if it is about one."""
    kind, _, referral = about.partition(":")
    full = tables_mirror.referral_details.c
    query = sa.select(sa.func.json_extract(full.document, "$.urgency")).where(full.referral == referral)
    found: str | None = connection.execute(query).scalar() if kind == "referral" else None
    return found


def put_off(connection: Connection, about: str) -> tuple[datetime, str, str] | None:
    """Give until when a row was put off, why and by whom."""
    row = connection.execute(sa.select(own.snoozes).where(own.snoozes.c.about == about)).one_or_none()
    return None if row is None else (row.until, row.reason, row.staff)
