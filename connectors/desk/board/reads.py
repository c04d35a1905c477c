# SPDX-License-Identifier: Apache-2.0
"""The referrals of the board, from the casebook alone, in a fixed number of queries however much there is.

Each query fetches the few rows that can be in sight and counts the others beside them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import Connection

from connectors.casebook import tables, tables_mirror
from connectors.casebook import tables_files as own
from connectors.desk.board.rows import Row, Some, some
from connectors.desk.board.rules import URGENT
from connectors.desk.board.scope import TOTAL, WHO, Scope, awake, in_charge, pressing, with_person
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


def _referrals(scope: Scope) -> sa.FromClause:
    """Join what a referral is chosen and sorted by, and whoever is in charge only where that is asked."""
    joined = tables.referrals.outerjoin(tables_mirror.referral_marks, _mark.referral == _ref.id)
    if scope.width == "office":
        return joined
    looked_after = sa.and_(_rf.thread == _ref.thread, _rf.opener == _ref.sender)
    return in_charge(joined.outerjoin(own.referral_files, looked_after), _ref.case, scope)


def _some(
    connection: Connection, scope: Scope, kind: str, *where: sa.ColumnElement[bool], limit: int, urgent: bool = True
) -> Some:
    """Choose referrals first and only then ask who is behind those that are chosen."""
    first = ("is_urgent", "no_due", "due_at", "id") if urgent else ("no_due", "due_at", "id")
    chosen = (
        sa.select(tables.referrals, _mark.sent_at, _URGENT.label("urgent"), (~_URGENT).label("is_urgent"))
        .add_columns(_ref.due_at.is_(None).label("no_due"), TOTAL, pressing(sa.or_(_URGENT, _ref.due_at <= scope.now)))
        .select_from(_referrals(scope))
        .where(scope.covers(_rf.worker), *where)
        .order_by(*map(sa.literal_column, first))
        .limit(limit)
        .subquery()
    )
    named = sa.select(chosen, *WHO).select_from(with_person(chosen, chosen.c.case))

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

    ordered = named.order_by(*(chosen.c[name] for name in first))
    return some(connection.execute(ordered).all(), row_of)


def our_moves(connection: Connection, scope: Scope) -> Some:
    """Give the referrals in which something is ours to do: our turn, or ours to see to because the other is late.

    What came in and nobody has answered is in the inbox until it is late.
    """
    ours, is_late = _ref.awaiting == scope.agency, _ref.due_at <= scope.now
    in_inbox = sa.and_(_ref.recipient == scope.agency, _ref.state.in_(_UNANSWERED))
    ours_to_do = sa.or_(sa.and_(ours, ~in_inbox), sa.and_(ours, is_late), sa.and_(_ref.ball == scope.agency, is_late))
    is_awake = awake(sa.literal("referral:") + _ref.id, scope)
    return _some(connection, scope, "referral", ours_to_do, is_awake, limit=SHOWN)


def awaited(connection: Connection, scope: Scope, *, limit: int) -> Some:
    """Give the referrals that we sent and whose answer another agency owes us, late ones first."""
    sent = (_ref.sender == scope.agency, _ref.state.in_(_UNANSWERED))
    return _some(connection, scope, "waiting", *sent, limit=limit, urgent=False)


def came_in(connection: Connection, scope: Scope, *, limit: int) -> Some:
    """Give the referrals that came in and wait for our answer, urgent ones first."""
    came = (_ref.recipient == scope.agency, _ref.state.in_(_UNANSWERED))
    return _some(connection, scope, "inbox", *came, limit=limit)


def replies(connection: Connection, scope: Scope) -> Some:
    """Give what other agencies wrote in threads that are open already and nobody here has read."""
    said = tables.messages.c
    joined = with_person(tables.messages.outerjoin(tables.referrals, _ref.id == said.referral), said.case)
    query = (
        sa.select(said.id, said.sender, said.case, said.kind, said.referral, said.purpose, said.at, *WHO, TOTAL)
        .select_from(joined)
        .where(
            said.recipient == scope.agency,
            said.sender != scope.agency,
            said.read_at.is_(None),
            said.kind != "referral",
            said.state == "opened",
            scope.covers(),
            awake(sa.literal("reply:") + said.id, scope),
        )
        .order_by(said.at, said.id)
        .limit(SHOWN)
    )
    return some(
        connection.execute(query).all(),
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


def appointments(connection: Connection, scope: Scope) -> Some:
    """Give the referrals that we have taken on and whose next step is today."""
    step = (_mark.next_on == scope.today, _ref.awaiting == scope.agency, _ref.state.in_(("accepted", "in_progress")))
    return _some(connection, scope, "appointment", *step, limit=SHOWN)


def next_due(connection: Connection, scope: Scope) -> datetime | None:
    """Give when something of ours is due next, for a board on which nothing is late."""
    turn = (
        sa.select(_ref.due_at.label("at"))
        .select_from(_referrals(scope))
        .where(_ref.awaiting == scope.agency, _ref.due_at > scope.now, scope.covers(_rf.worker))
        .order_by(_ref.due_at)
        .limit(1)
    )
    asked = tables_mirror.follow_ups
    follow_up = (
        sa.select(asked.c.due_on)
        .select_from(in_charge(asked, asked.c.case, scope))
        .where(asked.c.agency == scope.agency, asked.c.done_at.is_(None), asked.c.due_on >= scope.today)
        .where(scope.covers())
        .order_by(asked.c.due_on)
        .limit(1)
    )
    found = connection.execute(sa.select(turn.scalar_subquery(), follow_up.scalar_subquery())).one()
    both = [one for one in (found[0], end_of_day(found[1]) if found[1] else None) if one is not None]
    return min(both, default=None)


def start(connection: Connection, scope: Scope) -> Start:
    """Tell how far a new agency has come."""
    others = sa.select(tables.agencies.c.id).where(tables.agencies.c.id != scope.agency)
    cases = sa.select(tables.cases.c.handle).where(tables.cases.c.person.is_not(None))
    row = connection.execute(sa.select(others.exists(), cases.exists(), sa.select(_ref.id).exists())).one()
    return Start(knows_others=bool(row[0]), has_cases=bool(row[1]), has_referrals=bool(row[2]))


def caseload(connection: Connection, me: str) -> int:
    """Count the open cases that somebody is in charge of."""
    joined = own.case_files.join(tables.cases, tables.cases.c.handle == own.case_files.c.case)
    query = sa.select(sa.func.count()).select_from(joined)
    return connection.execute(
        query.where(own.case_files.c.worker == me, tables.cases.c.closed_at.is_(None))
    ).scalar_one()


def waiting_abouts(connection: Connection) -> frozenset[str]:
    """Name what a deed is queued about that the hub has not heard of yet."""
    rows = connection.execute(sa.select(tables.outgoing.c.about).where(tables.outgoing.c.state == "waiting"))
    return frozenset(row.about for row in rows)


def agency_names(connection: Connection) -> dict[str, dict[str, str]]:
    """Give what the agencies of the directory are called, in both languages."""
    rows = connection.execute(sa.select(tables.agencies.c.id, tables.agencies.c.name_ja, tables.agencies.c.name_en))
    return {row.id: {"ja": row.name_ja, "en": row.name_en} for row in rows}
