# SPDX-License-Identifier: Apache-2.0
"""Keep and give what the hub said last of referrals in full, tasks, notices and the directory.

For pages that must open with the line down. Days and moments stay as the hub gave them; nothing here decides.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.dialects.sqlite import insert

from connectors.casebook import tables_mirror as tables
from connectors.casebook.tables import referrals
from connectors.sdk import answers, threads
from connectors.sdk.reading import plain, read

Shape = TypeVar("Shape")


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenFollowUp:
    """A follow-up that nobody has done yet, and the referral it belongs to."""

    referral: str
    n: int
    case: str
    agency: str
    due_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedAccompaniment:
    """An accompaniment as the hub knows it, and the referral it belongs to."""

    referral: str
    case: str
    going: threads.Accompaniment


def keep_detail(connection: Connection, detail: threads.ReferralDetail, *, now: datetime) -> None:
    """Keep a referral in full, with its accompaniments and follow-ups, unless a newer version is here."""
    values = {"version": detail.version, "document": plain(threads.ReferralDetail, detail), "fetched_at": now}
    statement = insert(tables.referral_details).values(referral=detail.id, **values)
    newer = tables.referral_details.c.version <= statement.excluded.version
    connection.execute(statement.on_conflict_do_update(index_elements=["referral"], set_=values, where=newer))
    marks = {"urgency": detail.urgency, "sent_at": detail.sent_at, "next_on": detail.next_on}
    _put(connection, tables.referral_marks, {"referral": detail.id}, marks)
    _keep_accompaniments(connection, detail.id, detail.case, detail.accompaniments)
    _keep_follow_ups(connection, detail.id, detail.case, detail.follow_ups)


def keep_accompaniments(connection: Connection, referral: str, found: Iterable[threads.Accompaniment]) -> None:
    """Keep accompaniments as the hub answered them; nothing where the referral is not known here."""
    if (case := _case_of(connection, referral)) is not None:
        _keep_accompaniments(connection, referral, case, found)


def keep_follow_ups(connection: Connection, referral: str, found: Iterable[threads.FollowUp]) -> None:
    """Keep follow-ups as the hub answered them; nothing where the referral is not known here."""
    if (case := _case_of(connection, referral)) is not None:
        _keep_follow_ups(connection, referral, case, found)


def detail_of(connection: Connection, referral: str) -> threads.ReferralDetail | None:
    """Give a referral in full as the hub showed it last; none where it was never fetched."""
    table = tables.referral_details.c
    document = connection.execute(sa.select(table.document).where(table.referral == referral)).scalar_one_or_none()
    return None if document is None else read(threads.ReferralDetail, document)


def details_of(connection: Connection, wanted: Iterable[str]) -> dict[str, threads.ReferralDetail]:
    """Give several referrals in full, those that are here."""
    table = tables.referral_details.c
    rows = connection.execute(sa.select(table.referral, table.document).where(table.referral.in_(list(wanted))))
    return {row.referral: read(threads.ReferralDetail, row.document) for row in rows}


def stale(connection: Connection, *, limit: int) -> Sequence[str]:
    """Name referrals whose full picture is missing or older than the list's word, those that changed last first."""
    known, full = referrals.c, tables.referral_details.c
    rows = connection.execute(
        sa.select(known.id)
        .select_from(referrals.outerjoin(tables.referral_details, full.referral == known.id))
        .where(sa.or_(full.version.is_(None), full.version < known.version, full.fetched_at < known.updated_at))
        .order_by(known.updated_at.desc())
        .limit(limit)
    )
    return [row.id for row in rows]


def open_follow_ups(
    connection: Connection, agency: str, *, until: date | None = None, limit: int = 200
) -> Sequence[OpenFollowUp]:
    """Give the follow-ups that are this agency's to do, due first, up to and including the day `until`."""
    table = tables.follow_ups.c
    query = sa.select(table.referral, table.n, table.case, table.agency, table.due_on).where(
        table.done_at.is_(None), table.agency == agency
    )
    if until is not None:
        query = query.where(table.due_on <= until)
    rows = connection.execute(query.order_by(table.due_on, table.referral, table.n).limit(limit))
    return [OpenFollowUp(**row._mapping) for row in rows]  # noqa: SLF001 - SQLAlchemy's public name for it


def accompaniments_between(
    connection: Connection, first: date, last: date, *, agency: str | None = None
) -> Sequence[PlannedAccompaniment]:
    """Give the accompaniments of some days, both included, in their order; of one agency or of all."""
    table = tables.accompaniments.c
    query = sa.select(table.referral, table.case, table.document).where(table.on_day.between(first, last))
    if agency is not None:
        query = query.where(table.agency == agency)
    rows = connection.execute(query.order_by(table.on_day, table.referral, table.n))
    return [
        PlannedAccompaniment(referral=row.referral, case=row.case, going=read(threads.Accompaniment, row.document))
        for row in rows
    ]


def keep_tasks(connection: Connection, found: Iterable[answers.Task]) -> None:
    """Keep the open tasks as the hub lists them; what it lists no more is done."""
    listed = list(found)
    for task in listed:
        _put(
            connection,
            tables.tasks,
            {"id": task.id},
            {
                "kind": task.kind,
                "case": task.case,
                "about": task.about,
                "due_at": task.due_at,
                "raised_at": task.raised_at,
                "done_at": task.done_at,
                "document": plain(answers.Task, task),
            },
        )
    gone = sa.delete(tables.tasks).where(
        tables.tasks.c.done_at.is_(None), tables.tasks.c.id.not_in([task.id for task in listed])
    )
    connection.execute(gone)


def open_tasks(connection: Connection, *, limit: int = 200) -> Sequence[answers.Task]:
    """Give what timers and people at the hub raised for this agency, due first."""
    table = tables.tasks.c
    query = sa.select(table.document).where(table.done_at.is_(None))
    rows = connection.execute(query.order_by(table.due_at.is_(None), table.due_at, table.raised_at).limit(limit))
    return [read(answers.Task, row.document) for row in rows]


def keep_notices(connection: Connection, found: Iterable[threads.Notice]) -> None:
    """Keep the requests to stop using something, answered ones too."""
    for notice in found:
        _put(
            connection,
            tables.notices,
            {"id": notice.id},
            {
                "case": notice.case,
                "due_at": notice.due_at,
                "answered_at": notice.answered_at,
                "document": plain(threads.Notice, notice),
            },
        )


def open_notices(connection: Connection) -> Sequence[threads.Notice]:
    """Give the requests to stop using something that wait for our word, due first."""
    table = tables.notices.c
    rows = connection.execute(sa.select(table.document).where(table.answered_at.is_(None)).order_by(table.due_at))
    return [read(threads.Notice, row.document) for row in rows]


def notice_of(connection: Connection, notice: str) -> threads.Notice | None:
    """Give one request to stop using something."""
    table = tables.notices.c
    document = connection.execute(sa.select(table.document).where(table.id == notice)).scalar_one_or_none()
    return None if document is None else read(threads.Notice, document)


def keep_profile(connection: Connection, agency: answers.Agency, *, now: datetime) -> None:
    """Keep what the directory says of an agency. Its keys are not here: `directory` keeps those, verified."""
    values = {"document": plain(answers.Agency, agency) | {"keys": []}, "fetched_at": now}
    _put(connection, tables.agency_profiles, {"agency": agency.id}, values)


def profiles(connection: Connection) -> dict[str, answers.Agency]:
    """Give the directory's entries by agency."""
    rows = connection.execute(sa.select(tables.agency_profiles.c.agency, tables.agency_profiles.c.document))
    return {row.agency: read(answers.Agency, row.document) for row in rows}


def _case_of(connection: Connection, referral: str) -> str | None:
    return connection.execute(sa.select(referrals.c.case).where(referrals.c.id == referral)).scalar_one_or_none()


def _keep_accompaniments(
    connection: Connection, referral: str, case: str, found: Iterable[threads.Accompaniment]
) -> None:
    for going in found:
        values = {"case": case, "agency": going.agency, "state": going.state, "on_day": going.on}
        document = {"document": plain(threads.Accompaniment, going)}
        _put(connection, tables.accompaniments, {"referral": referral, "n": going.n}, values | document)


def _keep_follow_ups(connection: Connection, referral: str, case: str, found: Iterable[threads.FollowUp]) -> None:
    for asked in found:
        values = {"case": case, "agency": asked.agency, "due_on": asked.due_on, "done_at": asked.done_at}
        document = {"document": plain(threads.FollowUp, asked)}
        _put(connection, tables.follow_ups, {"referral": referral, "n": asked.n}, values | document)


def _put(connection: Connection, table: sa.Table, key: dict[str, Any], values: dict[str, Any]) -> None:
    statement = insert(table).values(**key, **values)
    connection.execute(statement.on_conflict_do_update(index_elements=list(key), set_=values))
