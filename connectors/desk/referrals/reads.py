# SPDX-License-Identifier: Apache-2.0
"""Lists of referrals, for this page, the board and the inbox: a row has all that a list says, in one query.

Whoever shows rows logs the list as one look. The name behind a case of ours is the casebook's; behind a partner's case
it is what the opened identity part says, never copied, so that it is gone when the part is purged.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import Connection

from connectors.base.errors import ConnectorError
from connectors.base.labels import label
from connectors.casebook import received, tables, tables_files, tables_mirror
from connectors.casebook.referrals import KnownReferral
from connectors.desk.referrals import rules
from connectors.desk.web.when import business_days_late
from consent.calendar import Calendar
from consent.vocabulary.codes import Language

BY_DUE: Final = "due"
BY_CHANGE: Final = "changed"
PAGE: Final = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which rows: our side, states, whose move is due, late ones, who looks after them; `order` by due or change.

    `workers`: staff ids, any of them; `cases` narrows to some cases; `unassigned`: nobody looks after it here.
    """

    side: str | None = None
    states: tuple[str, ...] = ()
    awaiting: str | None = None
    due_before: datetime | None = None
    workers: tuple[str, ...] = ()
    cases: tuple[str, ...] = ()
    unassigned: bool = False
    order: str = BY_CHANGE


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One referral in a list. `late`: business days past due, 0 while it is not; `side`: what we are to it.

    `partner` is the agency on the other side; `worker` the staff id of whoever looks after it here.
    """

    id: str
    case: str
    thread: str
    sender: str
    recipient: str
    person: str | None = field(repr=False)
    kana: str | None = field(repr=False)
    number: str | None
    case_number: str | None
    title: str = field(repr=False)
    purpose: str
    urgency: str
    state: str
    ball: str | None
    awaiting: str | None
    due_at: datetime | None
    late: int
    side: str
    partner: str
    partner_name: str
    worker: str | None
    sent_at: datetime | None
    updated_at: datetime
    version: int
    opened: bool
    asked: bool

    @property
    def key(self) -> tuple[datetime | None, str]:
        """Give where a further page goes on, by its order's moment and the id (`rows(after=…)`)."""
        return self.updated_at, self.id


def rows(
    connection: Connection,
    wanted: Wanted,
    *,
    agency: str,
    language: Language,
    now: datetime,
    calendar: Calendar,
    after: tuple[datetime, str] | None = None,
    limit: int = PAGE,
) -> tuple[Row, ...]:
    """Give rows in their order: due first (those that are due at all), or changed last first. `after` is exclusive.

    The SQL walks one index of `referrals` and looks the rest up by key, so that ten thousand referrals cost no more
    than the rows that are shown.
    """
    found = connection.execute(_query(wanted, agency, after, limit)).all()
    unnamed = [row for row in found if row.name is None]
    names = received.names_in(connection, [row.case for row in unnamed])
    made = (_row(row, agency=agency, language=language, now=now, calendar=calendar) for row in found)
    return tuple(row if row.person is not None else replace(row, person=names.get(row.case)) for row in made)


def row_of(
    connection: Connection, referral: str, *, agency: str, language: Language, now: datetime, calendar: Calendar
) -> Row:
    """Give the row of one referral.

    *Raises* `ConnectorError("referral-unknown")`.
    """
    query = _select().where(tables.referrals.c.id == referral).params(us=agency)
    found = connection.execute(query).one_or_none()
    if found is None:
        raise ConnectorError("referral-unknown")
    row = _row(found, agency=agency, language=language, now=now, calendar=calendar)
    if row.person is not None:
        return row
    return replace(row, person=received.names_in(connection, [row.case]).get(row.case))


def known_of(connection: Connection, referral: str) -> KnownReferral:
    """Give a referral as last heard of.

    *Raises* `ConnectorError("referral-unknown")`.
    """
    row = connection.execute(sa.select(tables.referrals).where(tables.referrals.c.id == referral)).one_or_none()
    if row is None:
        raise ConnectorError("referral-unknown")
    return KnownReferral(**{name: getattr(row, name) for name in KnownReferral.__dataclass_fields__})


def count(connection: Connection, wanted: Wanted, *, agency: str) -> int:
    """Count rows."""
    query = sa.select(sa.func.count()).select_from(tables.referrals).where(*_where(wanted, agency))
    return int(connection.execute(query).scalar_one())


def _select() -> sa.Select[Any]:
    table, file, case = tables.referrals, tables_files.referral_files, tables_files.case_files
    detail = tables_mirror.referral_details
    return sa.select(
        table,
        file.c.number,
        file.c.document,
        sa.func.coalesce(file.c.worker, case.c.worker).label("worker"),
        case.c.number.label("case_number"),
        tables.persons.c.name,
        tables.persons.c.kana,
        sa.func.json_extract(detail.c.document, "$.urgency").label("urgency"),
        sa.func.json_extract(detail.c.document, "$.sent_at").label("sent_at"),
        tables.agencies.c.name_ja,
        tables.agencies.c.name_en,
        tables.messages.c.read_at,
    ).select_from(
        table.outerjoin(file, sa.and_(file.c.thread == table.c.thread, file.c.opener == table.c.sender))
        .outerjoin(case, case.c.case == table.c.case)
        .outerjoin(tables.cases, tables.cases.c.handle == table.c.case)
        .outerjoin(tables.persons, tables.persons.c.id == tables.cases.c.person)
        .outerjoin(detail, detail.c.referral == table.c.id)
        .outerjoin(tables.messages, sa.and_(tables.messages.c.id == table.c.thread,
                                            tables.messages.c.sender == table.c.sender))
        .outerjoin(tables.agencies, tables.agencies.c.id == _PARTNER)
    )  # fmt: skip


_US: Final[sa.BindParameter[str]] = sa.bindparam("us", required=False)
_PARTNER: Final = sa.case(
    (tables.referrals.c.sender == _US, tables.referrals.c.recipient), else_=tables.referrals.c.sender
)


def _query(wanted: Wanted, agency: str, after: tuple[datetime, str] | None, limit: int) -> sa.Select[Any]:
    """Choose the ids first, from `referrals` and its indexes alone, and look up the rest for those only."""
    table = tables.referrals.c
    chosen = sa.select(table.id).where(*_where(wanted, agency)).limit(limit)
    if wanted.order == BY_DUE:
        order = (table.due_at, table.id)
        chosen = chosen.where(table.due_at.is_not(None))
        chosen = chosen if after is None else chosen.where(sa.tuple_(*order) > sa.tuple_(*_bound(after)))
        ordered = chosen.order_by(*order)
        return _select().where(table.id.in_(ordered)).order_by(*order).params(us=agency)
    chosen = (
        chosen if after is None else chosen.where(sa.tuple_(table.updated_at, table.id) < sa.tuple_(*_bound(after)))
    )
    last_first = (table.updated_at.desc(), table.id.desc())
    return _select().where(table.id.in_(chosen.order_by(*last_first))).order_by(*last_first).params(us=agency)


def _bound(after: tuple[datetime, str]) -> tuple[sa.BindParameter[Any], sa.BindParameter[Any]]:
    return sa.literal(after[0], tables.UtcText()), sa.literal(after[1])


def _where(wanted: Wanted, agency: str) -> list[sa.ColumnElement[bool]]:
    table = tables.referrals.c
    where: list[sa.ColumnElement[bool]] = []
    if wanted.side == rules.COORDINATOR:
        where.append(sa.and_(table.sender != agency, table.recipient != agency))
    elif wanted.side is not None:
        where.append((table.sender if wanted.side == rules.SENDER else table.recipient) == agency)
    if wanted.states:
        where.append(table.state.in_(wanted.states))
    if wanted.awaiting is not None:
        where.append(table.awaiting == wanted.awaiting)
    if wanted.due_before is not None:
        where.append(table.due_at <= wanted.due_before)
    if wanted.cases:
        where.append(table.case.in_(wanted.cases))
    file, case = tables_files.referral_files.c, tables_files.case_files.c
    if wanted.workers:
        where.append(_looked_after(wanted.workers))
    if wanted.unassigned:
        by_file = sa.exists().where(file.thread == table.thread, file.opener == table.sender, file.worker.is_not(None))
        by_case = sa.exists().where(case.case == table.case, case.worker.is_not(None))
        where += [~by_file, ~by_case]
    return where


def _looked_after(workers: tuple[str, ...]) -> sa.ColumnElement[bool]:
    """Hold for what one of these people looks after: by the referral's file, else by the case's."""
    ref, file, case = tables.referrals.alias(), tables_files.referral_files, tables_files.case_files
    of_file = sa.and_(file.c.thread == ref.c.thread, file.c.opener == ref.c.sender)
    by_file = sa.select(ref.c.id).join(file, of_file).where(file.c.worker.in_(workers))
    by_case = (
        sa.select(ref.c.id)
        .join(case, case.c.case == ref.c.case)
        .where(case.c.worker.in_(workers), ~sa.exists().where(of_file, file.c.worker.is_not(None)))
    )
    return tables.referrals.c.id.in_(by_file.union(by_case))


def _row(row: Any, *, agency: str, language: Language, now: datetime, calendar: Calendar) -> Row:
    document: Mapping[str, Any] = row.document or {}
    side = rules.side_of(row.sender, row.recipient, agency)
    name = row.name_ja if language == "ja" else row.name_en
    due = row.due_at
    return Row(
        id=row.id,
        case=row.case,
        thread=row.thread,
        sender=row.sender,
        recipient=row.recipient,
        person=row.name,
        kana=row.kana,
        number=row.number,
        case_number=row.case_number,
        title=str(document.get("title") or label("purposes", row.purpose, language)),
        purpose=row.purpose,
        urgency=row.urgency or "normal",
        state=row.state,
        ball=row.ball,
        awaiting=row.awaiting,
        due_at=due,
        late=0 if due is None else business_days_late(due, now, calendar),
        side=side,
        partner=row.recipient if side == rules.SENDER else row.sender,
        partner_name=name or "",
        worker=row.worker,
        sent_at=datetime.fromisoformat(row.sent_at) if row.sent_at else None,
        updated_at=row.updated_at,
        version=row.version,
        opened=row.read_at is not None,
        asked=row.state == "received" and row.awaiting == row.sender,
    )
