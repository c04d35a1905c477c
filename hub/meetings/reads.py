# SPDX-License-Identifier: Apache-2.0
"""Look meetings up, and give the conferences that a decision may stand on. Nothing is changed here."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from consent.scopes import Conference
from hub.cases.reads import Case
from hub.meetings.rules import MeetingKind
from hub.meetings.tables import meeting_acceptances, meeting_items, meetings


@dataclass(frozen=True, slots=True, kw_only=True)
class Meeting:
    """One meeting; `members` are those invited, `accepted` those who sit, the convenor among them."""

    id: str
    kind: MeetingKind
    convenor: str
    case: str | None
    members: tuple[str, ...]
    accepted: frozenset[str]
    until: datetime
    convened_at: datetime
    ended_at: datetime | None
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One entry of the agenda or of the decisions: a code, a case handle or both."""

    id: str
    list: str
    code: str | None
    case: str | None
    author: str
    at: datetime


def meeting(session: Session, meeting_id: str, *, lock: bool = False) -> Meeting | None:
    """Give a meeting that this transaction may see; `lock` holds it for a change."""
    found = _meetings(session, meetings.c.id == meeting_id, limit=1, lock=lock)
    return found[0] if found else None


def page(session: Session, *, after: str | None, limit: int) -> Sequence[Meeting]:
    """List the meetings this transaction may see, in the order of their ids, from the one after `after`."""
    condition = sa.true() if after is None else meetings.c.id > after
    return _meetings(session, condition, limit=limit)


def items(session: Session, meeting_id: str) -> tuple[Item, ...]:
    """Give what stands on a meeting's agenda and what it decided, oldest first."""
    wanted = (
        meeting_items.c.id,
        meeting_items.c.list,
        meeting_items.c.code,
        meeting_items.c.case_handle.label("case"),
        meeting_items.c.author,
        meeting_items.c.at,
    )
    statement = sa.select(*wanted).where(meeting_items.c.meeting_id == meeting_id).order_by(meeting_items.c.id)
    return tuple(Item(**row) for row in session.execute(statement).mappings())


def conferences(
    session: Session, case: Case, *, conference: str | None = None, hold: bool = False
) -> tuple[Conference, ...]:
    """Give the 支援会議 that a decision about a case may stand on; needs `Duty.DECIDE`.

    A conference convened for no case sits for any that its members bring;
    `conference` narrows the answer to the one a message names. 支援調整会議 are never among them: they rest
    on consent. `hold` keeps them as they are to the end of the transaction, so that the order of the log is that of the
    facts; then one to which the caller was not invited, and which could permit it nothing, is not among them.
    """
    condition = sa.and_(
        meetings.c.kind == MeetingKind.CONFERENCE.value,
        sa.or_(meetings.c.case_id.is_(None), meetings.c.case_id == case.id),
        sa.true() if conference is None else meetings.c.id == conference,
    )
    return tuple(
        Conference(id=found.id, members=found.accepted, until=min(found.until, found.ended_at or found.until))
        for found in _meetings(session, condition, limit=None, share=hold)
    )


def _meetings(
    session: Session,
    condition: sa.ColumnElement[bool],
    *,
    limit: int | None,
    lock: bool = False,
    share: bool = False,
) -> tuple[Meeting, ...]:
    statement = sa.select(meetings).where(condition).order_by(meetings.c.id).limit(limit)
    if lock or share:
        statement = statement.with_for_update(read=share)
    rows = session.execute(statement).mappings().all()
    accepted = _accepted(session, [row["id"] for row in rows])
    return tuple(
        Meeting(
            id=row["id"],
            kind=MeetingKind(row["kind"]),
            convenor=row["convenor"],
            case=row["case_handle"],
            members=tuple(row["members"]),
            accepted=frozenset({row["convenor"], *accepted.get(row["id"], ())}),
            until=row["until"],
            convened_at=row["convened_at"],
            ended_at=row["ended_at"],
            version=row["version"],
        )
        for row in rows
    )


def _accepted(session: Session, ids: Sequence[str]) -> dict[str, list[str]]:
    if not ids:
        return {}
    accepted: dict[str, list[str]] = {}
    statement = sa.select(meeting_acceptances.c.meeting_id, meeting_acceptances.c.agency).where(
        meeting_acceptances.c.meeting_id.in_(ids)
    )
    for meeting_id, agency in session.execute(statement):
        accepted.setdefault(meeting_id, []).append(agency)
    return accepted
