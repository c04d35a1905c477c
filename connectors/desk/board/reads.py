# SPDX-License-Identifier: Apache-2.0
"""The referrals of the board, from the casebook alone, in a fixed number of queries however much there is.

Each query fetches the few rows that can be in sight and counts the others beside them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import Connection

from connectors.casebook import tables, tables_mirror
from connectors.casebook import tables_files as own
from connectors.desk.board.rows import Row, Some, some
from connectors.desk.board.rules import URGENT
from connectors.desk.board.scope import (
    AGENCY,
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
from consent.calendar import end_of_day

SHOWN: Final = 60
"""How many rows of a kind are fetched; what is not in sight is counted."""
_UNANSWERED: Final = ("requested", "received")


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """What a new agency has done so far: knows others, has registered somebody, has made a first referral."""

    knows_others: bool
    has_cases: bool
    has_referrals: bool

    @property
    def is_new(self) -> bool:
        """Say whether the board would be empty for want of any work."""
        return not self.has_referrals


_ref: Final = tables.referrals.c
_rf: Final = own.referral_files.c
_mark: Final = tables_mirror.referral_marks.c
_URGENT: Final = sa.func.coalesce(_mark.urgency.in_(sorted(URGENT)), sa.false())
_IS_LATE: Final = _ref.due_at <= NOW
_UNANSWERED_SENT: Final = (_ref.sender == AGENCY, _ref.state.in_(_UNANSWERED))
_UNANSWERED_CAME: Final = (_ref.recipient == AGENCY, _ref.state.in_(_UNANSWERED))


def _referrals(reach: str) -> sa.FromClause:
    """Join what a referral is chosen and sorted by, and whoever is in charge only where that is asked."""
    joined = tables.referrals.outerjoin(tables_mirror.referral_marks, _mark.referral == _ref.id)
    if reach == "office":
        return joined
    looked_after = sa.and_(_rf.thread == _ref.thread, _rf.opener == _ref.sender)
    return in_charge(joined.outerjoin(own.referral_files, looked_after), _ref.case, reach)


def _choose(reach: str, *where: sa.ColumnElement[bool], limit: int, urgent: bool = True) -> sa.Select[Any]:
    """Choose referrals by as few columns as there are to sort by, and only then ask what they are and who is behind.

    The counts beside the rows make SQLite hold every row that fits, so each column more is held thousands of times.
    """
    first = ("is_urgent", "no_due", "due_at", "id") if urgent else ("no_due", "due_at", "id")
    chosen = (
        sa.select(_ref.id, _ref.due_at, _mark.sent_at, _URGENT.label("urgent"), (~_URGENT).label("is_urgent"))
        .add_columns(_ref.due_at.is_(None).label("no_due"), TOTAL, pressing(sa.or_(_URGENT, _IS_LATE)))
        .select_from(_referrals(reach))
        .where(covers(reach, _rf.worker), *where)
        .order_by(*map(sa.literal_column, first))
        .limit(limit)
        .subquery()
    )
    full = tables.referrals.alias()
    joined = with_person(chosen.join(full, full.c.id == chosen.c.id), full.c.case)
    columns = (chosen.c.sent_at, chosen.c.urgent, chosen.c.total, chosen.c.pressing, *WHO)
    return sa.select(full, *columns).select_from(joined).order_by(*(chosen.c[name] for name in first))


def _some(connection: Connection, scope: Scope, kind: str, query: sa.Select[Any]) -> Some:
    def row_of(row: Any) -> Row:
        is_sent = row.sender == scope.agency
        return Row(
            about=f"referral:{row.id}",
            kind=kind,
            case=row.case,
            name=row.name,
            number=row.number,
            referral=row.id,
            partner=row.recipient if is_sent else row.sender,
            state=row.state,
            purpose=row.purpose,
            urgent=bool(row.urgent),
            due=row.due_at,
            at=row.sent_at or row.updated_at,
            detail="sent" if is_sent else "came",
        )

    return some(connection.execute(query, scope.places).all(), row_of)


@cache
def _our_moves(reach: str) -> sa.Select[Any]:
    ours = _ref.awaiting == AGENCY
    in_inbox = sa.and_(*_UNANSWERED_CAME)
    ours_to_do = sa.or_(sa.and_(ours, ~in_inbox), sa.and_(ours, _IS_LATE), sa.and_(_ref.ball == AGENCY, _IS_LATE))
    return _choose(reach, ours_to_do, awake(sa.literal("referral:") + _ref.id), limit=SHOWN)


def our_moves(connection: Connection, scope: Scope) -> Some:
    """Give the referrals in which something is ours to do: our turn, or ours to see to because the other is late.

    What came in and nobody has answered is in the inbox until it is late.
    """
    return _some(connection, scope, "referral", _our_moves(scope.reach))


@cache
def _awaited(reach: str, limit: int) -> sa.Select[Any]:
    return _choose(reach, *_UNANSWERED_SENT, limit=limit, urgent=False)


def awaited(connection: Connection, scope: Scope, *, limit: int) -> Some:
    """Give the referrals that we sent and whose answer another agency owes us, late ones first."""
    return _some(connection, scope, "waiting", _awaited(scope.reach, limit))


@cache
def _came_in(reach: str, limit: int) -> sa.Select[Any]:
    return _choose(reach, *_UNANSWERED_CAME, limit=limit)


def came_in(connection: Connection, scope: Scope, *, limit: int) -> Some:
    """Give the referrals that came in and wait for our answer, urgent ones first."""
    return _some(connection, scope, "inbox", _came_in(scope.reach, limit))


@cache
def _replies(reach: str) -> sa.Select[Any]:
    said = tables.messages.c
    joined = with_person(tables.messages.outerjoin(tables.referrals, _ref.id == said.referral), said.case)
    return (
        sa.select(said.id, said.sender, said.case, said.kind, said.referral, said.purpose, said.at, *WHO, TOTAL)
        .select_from(joined)
        .where(
            said.recipient == AGENCY,
            said.sender != AGENCY,
            said.read_at.is_(None),
            said.kind != "referral",
            said.state == "opened",
            covers(reach),
            awake(sa.literal("reply:") + said.id),
        )
        .order_by(said.at, said.id)
        .limit(SHOWN)
    )


def replies(connection: Connection, scope: Scope) -> Some:
    """Give what other agencies wrote in threads that are open already and nobody here has read."""
    return some(
        connection.execute(_replies(scope.reach), scope.places).all(),
        lambda row: Row(
            about=f"reply:{row.id}",
            kind="reply",
            case=row.case,
            name=row.name,
            number=row.number,
            referral=row.referral,
            partner=row.sender,
            purpose=row.purpose,
            at=row.at,
            detail=row.kind,
        ),
    )


@cache
def _appointments(reach: str) -> sa.Select[Any]:
    # from the few steps of one day: by whose turn it is, thousands of referrals would be looked at
    today = sa.select(_mark.referral).where(_mark.next_on == TODAY)
    step = (_ref.awaiting == AGENCY, _ref.state.in_(("accepted", "in_progress")))
    return _choose(reach, _ref.id.in_(today), *step, limit=SHOWN)


def appointments(connection: Connection, scope: Scope) -> Some:
    """Give the referrals that we have taken on and whose next step is today."""
    return _some(connection, scope, "appointment", _appointments(scope.reach))


@cache
def _next_due(reach: str) -> sa.Select[Any]:
    turn = (
        sa.select(_ref.due_at.label("at"))
        .select_from(_referrals(reach))
        .where(_ref.awaiting == AGENCY, _ref.due_at > NOW, covers(reach, _rf.worker))
        .order_by(_ref.due_at)
        .limit(1)
    )
    asked = tables_mirror.follow_ups
    follow_up = (
        sa.select(asked.c.due_on)
        .select_from(in_charge(asked, asked.c.case, reach))
        .where(asked.c.agency == AGENCY, asked.c.done_at.is_(None), asked.c.due_on >= TODAY, covers(reach))
        .order_by(asked.c.due_on)
        .limit(1)
    )
    return sa.select(turn.scalar_subquery(), follow_up.scalar_subquery())


def next_due(connection: Connection, scope: Scope) -> datetime | None:
    """Give when something of ours is due next, for a board on which nothing is late."""
    found = connection.execute(_next_due(scope.reach), scope.places).one()
    both = [one for one in (found[0], end_of_day(found[1]) if found[1] else None) if one is not None]
    return min(both, default=None)


_START: Final = sa.select(
    sa.select(tables.agencies.c.id).where(tables.agencies.c.id != AGENCY).exists(),
    sa.select(tables.cases.c.handle).where(tables.cases.c.person.is_not(None)).exists(),
    sa.select(_ref.id).exists(),
)


def start(connection: Connection, scope: Scope) -> Start:
    """Tell how far a new agency has come."""
    row = connection.execute(_START, scope.places).one()
    return Start(knows_others=bool(row[0]), has_cases=bool(row[1]), has_referrals=bool(row[2]))


_IS_OPEN: Final = sa.select(tables.cases.c.handle).where(
    tables.cases.c.handle == own.case_files.c.case, tables.cases.c.closed_at.is_(None)
)
_CASELOAD: Final = (
    sa.select(sa.func.count()).select_from(own.case_files).where(own.case_files.c.worker == ME, _IS_OPEN.exists())
)


def caseload(connection: Connection, scope: Scope) -> int:
    """Count the open cases that somebody is in charge of."""
    return connection.execute(_CASELOAD, scope.places).scalar_one()


def waiting_abouts(connection: Connection) -> frozenset[str]:
    """Name what a deed is queued about that the hub has not heard of yet."""
    rows = connection.execute(sa.select(tables.outgoing.c.about).where(tables.outgoing.c.state == "waiting"))
    return frozenset(row.about for row in rows)


def agency_names(connection: Connection) -> dict[str, dict[str, str]]:
    """Give what the agencies of the directory are called, in both languages."""
    rows = connection.execute(sa.select(tables.agencies.c.id, tables.agencies.c.name_ja, tables.agencies.c.name_en))
    return {row.id: {"ja": row.name_ja, "en": row.name_en} for row in rows}
