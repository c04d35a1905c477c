# SPDX-License-Identifier: Apache-2.0
"""Follow-ups and accompaniments by their days, and the referrals that nobody follows yet; from the casebook alone."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import Connection

from connectors.base.errors import ConnectorError
from connectors.casebook import received, tables, tables_mirror
from connectors.casebook import tables_files as own
from connectors.desk.followups.tables import calendar_feeds
from consent.calendar import day_of, end_of_day, start_of_day

PAGE: Final = 50
SCOPES: Final = ("mine", "team", "office")
_FED_BEFORE: Final = timedelta(days=60)
_FED_AFTER: Final = timedelta(days=366)
_MOST_FED: Final = 2_000
_asked: Final = tables_mirror.follow_ups.c
_ref: Final = tables.referrals.c
_file: Final = own.case_files.c


@dataclass(frozen=True, slots=True, kw_only=True)
class Whose:
    """Whose follow-ups: the agency's, seen by somebody, as wide as `width`; of nobody's case are everybody's."""

    agency: str
    me: str
    team: str
    width: str

    def covers(self, worker: sa.ColumnElement[Any]) -> sa.ColumnElement[bool]:
        """Say of a row whether it is among them."""
        mine = sa.or_(worker.is_(None), worker == self.me)
        if self.width == "office":
            return sa.true()
        return sa.or_(mine, _file.team == self.team) if self.width == "team" and self.team else mine


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """One follow-up to do; `waits`: its answer is on the way to the hub."""

    referral: str
    n: int
    case: str
    due_on: date
    name: str | None
    number: str | None
    partner: str
    state: str | None
    purpose: str | None
    waits: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Walk:
    """One accompaniment to come, beside the follow-ups of its day."""

    id: str
    case: str
    begins_at: datetime
    name: str | None
    number: str | None
    destination: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Untended:
    """A referral that was taken on and that nobody follows yet."""

    referral: str
    name: str | None
    number: str | None
    partner: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Thread:
    """A referral with its follow-ups so far: the day each was due, what came of it, who set it."""

    id: str
    case: str
    partner: str
    purpose: str
    state: str
    is_closed: bool
    ours: Sequence[Done]


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """One follow-up of ours, done or not."""

    n: int
    due_on: date
    is_done: bool
    channel: str | None
    asked: tuple[str, ...]
    result: str | None


def _people(source: sa.FromClause, case: sa.ColumnElement[str]) -> sa.FromClause:
    return (
        source.outerjoin(own.case_files, _file.case == case)
        .outerjoin(tables.cases, tables.cases.c.handle == case)
        .outerjoin(tables.persons, tables.persons.c.id == tables.cases.c.person)
    )


def _told(connection: Connection, rows: Iterable[Any]) -> dict[str, str]:
    """Give the names behind partners' cases, as far as somebody here has opened them."""
    return received.names_in(connection, [row.case for row in rows if row.name is None])


def _queued(what: str) -> sa.Select[Any]:
    out = tables.outgoing.c
    return sa.select(out.path).where(out.what == what, out.state == "waiting")


def agenda(connection: Connection, whose: Whose, *, after: tuple[date, str, int] | None = None) -> list[Asking]:
    """Give what is to be asked, the oldest first, one page and the first row of the next (`PAGE` + 1)."""
    key = sa.tuple_(_asked.due_on, _asked.referral, _asked.n)
    where = [] if after is None else [key > sa.tuple_(sa.literal(after[0], sa.Date), after[1], after[2])]
    return _askings(connection, whose, where, limit=PAGE + 1)


def between(connection: Connection, whose: Whose, first: date, last: date, *, limit: int) -> list[Asking]:
    """Give what is to be asked on some days, both included."""
    return _askings(connection, whose, [_asked.due_on.between(first, last)], limit=limit)


def _askings(
    connection: Connection, whose: Whose, where: Sequence[sa.ColumnElement[bool]], *, limit: int
) -> list[Asking]:
    source = tables_mirror.follow_ups.outerjoin(own.case_files, _file.case == _asked.case)
    chosen = (
        sa.select(_asked.referral, _asked.n, _asked.case, _asked.due_on)
        .select_from(source if whose.width != "office" else tables_mirror.follow_ups)
        .where(_asked.agency == whose.agency, _asked.done_at.is_(None), whose.covers(_file.worker), *where)
        .order_by(_asked.due_on, _asked.referral, _asked.n)
        .limit(limit)
        .subquery()
    )
    c = chosen.c
    path = sa.literal("/v1/referrals/") + c.referral + "/follow-ups/" + sa.cast(c.n, sa.String) + "/done"
    query = (
        sa.select(chosen, tables.persons.c.name, _file.number, _ref.sender, _ref.recipient, _ref.state, _ref.purpose)
        .add_columns(path.in_(_queued("follow_up_done")).label("waits"))
        .select_from(_people(chosen.outerjoin(tables.referrals, _ref.id == c.referral), c.case))
        .order_by(c.due_on, c.referral, c.n)
    )
    rows = connection.execute(query).all()
    told = _told(connection, rows)
    return [
        Asking(
            referral=row.referral,
            n=row.n,
            case=row.case,
            due_on=row.due_on,
            name=row.name or told.get(row.case),
            number=row.number,
            partner=(row.recipient if row.sender == whose.agency else row.sender) or "",
            state=row.state,
            purpose=row.purpose,
            waits=bool(row.waits),
        )
        for row in rows
    ]


def walks(connection: Connection, whose: Whose, first: date, last: date) -> list[Walk]:
    """Give the accompaniments of some days, both included, that are not over."""
    walk = own.outings.c
    worker = sa.func.coalesce(walk.staff, _file.worker)
    query = (
        sa.select(walk.id, walk.case, walk.begins_at, walk.document, tables.persons.c.name, _file.number)
        .select_from(_people(own.outings, walk.case))
        .where(walk.begins_at >= start_of_day(first), walk.begins_at < end_of_day(last), whose.covers(worker))
        .where(sa.func.json_extract(walk.document, "$.outcome").is_(None))
        .order_by(walk.begins_at, walk.id)
        .limit(PAGE * 4)
    )
    rows = connection.execute(query).all()
    told = _told(connection, rows)
    return [
        Walk(
            id=row.id,
            case=row.case,
            begins_at=row.begins_at,
            name=row.name or told.get(row.case),
            number=row.number,
            destination=str(row.document.get("destination", "")),
        )
        for row in rows
    ]


def days_of_month(connection: Connection, whose: Whose, first: date, last: date) -> dict[date, int]:
    """Count what is to be asked on each day."""
    source = tables_mirror.follow_ups.outerjoin(own.case_files, _file.case == _asked.case)
    query = (
        sa.select(_asked.due_on, sa.func.count().label("n"))
        .select_from(source)
        .where(_asked.agency == whose.agency, _asked.done_at.is_(None), _asked.due_on.between(first, last))
        .where(whose.covers(_file.worker))
        .group_by(_asked.due_on)
    )
    return {row.due_on: row.n for row in connection.execute(query)}


def untended(connection: Connection, whose: Whose, *, limit: int) -> tuple[int, list[Untended]]:
    """Give the referrals that we sent, that were taken on, and for which nothing is set to be asked; and how many."""
    has_one = sa.select(_asked.n).where(
        _asked.referral == _ref.id, _asked.agency == whose.agency, _asked.done_at.is_(None)
    )
    queued = sa.select(tables.outgoing.c.about).where(
        tables.outgoing.c.what == "follow_up", tables.outgoing.c.state == "waiting"
    )
    source = tables.referrals.outerjoin(own.case_files, _file.case == _ref.case)
    chosen = (  # few columns first: the count beside the rows holds every row that fits
        sa.select(_ref.id, _ref.recipient, _ref.case, _ref.updated_at, sa.func.count().over().label("total"))
        .select_from(source if whose.width != "office" else tables.referrals)
        .where(_ref.sender == whose.agency, _ref.state.in_(("accepted", "in_progress", "on_hold")))
        .where(~has_one.exists(), _ref.id.not_in(queued), whose.covers(_file.worker))
        .order_by(_ref.updated_at, _ref.id)
        .limit(limit)
        .subquery()
    )
    query = (
        sa.select(chosen, tables.persons.c.name, _file.number)
        .select_from(_people(chosen, chosen.c.case))
        .order_by(chosen.c.updated_at, chosen.c.id)
    )
    rows = connection.execute(query).all()
    listed = [Untended(referral=row.id, name=row.name, number=row.number, partner=row.recipient) for row in rows]
    return (rows[0].total if rows else 0), listed


def thread_of(connection: Connection, referral: str, us: str) -> Thread:
    """Give a referral with the follow-ups that are ours.

    *Raises* `ConnectorError("referral-unknown")`.
    """
    row = connection.execute(sa.select(tables.referrals).where(_ref.id == referral)).one_or_none()
    if row is None or us not in {row.sender, row.recipient}:
        raise ConnectorError("referral-unknown")
    rows = connection.execute(
        sa.select(tables_mirror.follow_ups)
        .where(_asked.referral == referral, _asked.agency == us)
        .order_by(_asked.due_on, _asked.n)
    )
    ours = [
        Done(
            n=one.n,
            due_on=one.due_on,
            is_done=one.done_at is not None,
            channel=one.document.get("channel"),
            asked=tuple(one.document.get("asked") or ()),
            result=one.document.get("result"),
        )
        for one in rows
    ]
    return Thread(
        id=row.id,
        case=row.case,
        partner=row.recipient if row.sender == us else row.sender,
        purpose=row.purpose,
        state=row.state,
        is_closed=row.state == "closed",
        ours=ours,
    )


def is_queued(connection: Connection, referral: str, n: int) -> bool:
    """Say whether what came of a follow-up is on its way to the hub."""
    path = f"/v1/referrals/{referral}/follow-ups/{n}/done"
    out = tables.outgoing.c
    query = sa.select(out.key).where(out.path == path, out.what == "follow_up_done", out.state == "waiting")
    return connection.execute(query).first() is not None


def agency_names(connection: Connection) -> dict[str, dict[str, str]]:
    """Give what the agencies of the directory are called, in both languages."""
    rows = connection.execute(sa.select(tables.agencies.c.id, tables.agencies.c.name_ja, tables.agencies.c.name_en))
    return {row.id: {"ja": row.name_ja, "en": row.name_en} for row in rows}


def feed_of(connection: Connection, member: str) -> str | None:
    """Give the secret of somebody's calendar."""
    query = sa.select(calendar_feeds.c.token).where(calendar_feeds.c.member == member)
    return connection.execute(query).scalar_one_or_none()


def member_of_feed(connection: Connection, token: str) -> str | None:
    """Give whose calendar a secret opens."""
    query = sa.select(calendar_feeds.c.member).where(calendar_feeds.c.token == token)
    return connection.execute(query).scalar_one_or_none()


def fed(connection: Connection, whose: Whose, now: datetime) -> tuple[list[Asking], list[Walk]]:
    """Give what a calendar feed shows: two months back, a year ahead."""
    first, last = day_of(now - _FED_BEFORE), day_of(now + _FED_AFTER)
    return between(connection, whose, first, last, limit=_MOST_FED), walks(connection, whose, first, last)
