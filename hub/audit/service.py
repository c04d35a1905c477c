# SPDX-License-Identifier: Apache-2.0
"""Append to the log inside the caller's transaction. What follows (order, tree, signature) is the
sequencer's.
"""

import secrets
from dataclasses import dataclass
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from consent.calendar import day_of
from hub.audit import tables
from hub.audit.rules import BLIND_BYTES, AuditKind, Entry, Json, entry_bytes
from hub.base import rounds
from hub.base.errors import ConflictError, InvalidError
from hub.base.ids import new_id

_APPEND = rounds.Prepared(sa.insert(tables.audit_pending), "id", "kind", "parties", "case_handle", "body")


@dataclass(frozen=True, slots=True, kw_only=True)
class Anchor:
    """The root of one day of an agency's own access log; `root`: SHA-256 in hexadecimal, `count`: of how many lines."""

    day: date
    root: str
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Anchored:
    """An anchor as the log has it; `entry` is the id of the entry, `is_new`: it was not there before."""

    anchor: Anchor
    entry: str
    anchored_at: datetime
    is_new: bool


def append(session: Session, entry: Entry, *, now: datetime) -> str:
    """Write *entry* so that it commits with the change it describes, and return its id (audit-log §1).

    Call it while holding the lock that orders the change: the order of these calls is the order of the log.
    """
    entry_id = new_id(now)
    body = entry_bytes(entry, entry_id=entry_id, at=now, blind=secrets.token_bytes(BLIND_BYTES))
    # nobody reads it back here: it goes out with what is asked next, or with the commit
    asked = _APPEND.of(
        id=entry_id, kind=entry.kind.value, parties=sorted(set(entry.parties)), case_handle=entry.case, body=body
    )
    rounds.later(session, asked)
    return entry_id


def anchor(session: Session, said: Anchor, *, agency: str, now: datetime) -> Anchored:
    """Put the root of a day that is over into the log, once; the same again is the same.

    From then on the agency cannot change its own log of that day without it being seen (security §1, insider).

    Raises:
        InvalidError: `day-not-over`.
        ConflictError: `anchor-differs`, the day was anchored with another root.
    """
    if said.day >= day_of(now):
        raise InvalidError("day-not-over", pointer="/day")
    # two requests at once must not both find the day free
    session.execute(sa.select(sa.func.pg_advisory_xact_lock(sa.func.hashtextextended(f"anchors:{agency}", 0))))
    table = tables.agency_anchors
    known = session.execute(
        sa.select(table, table.c.count.label("lines")).where(table.c.agency == agency, table.c.day == said.day)
    ).one_or_none()
    if known is not None:
        if (known.root, known.lines) != (said.root, said.count):
            raise ConflictError("anchor-differs")
        return Anchored(anchor=said, entry=known.entry, anchored_at=known.anchored_at, is_new=False)
    facts: dict[str, Json] = {"day": said.day.isoformat(), "root": said.root, "count": said.count}
    entry = append(session, Entry(kind=AuditKind.AGENCY_ANCHOR, actor=agency, parties=(agency,), facts=facts), now=now)
    session.execute(
        sa.insert(table).values(
            agency=agency, day=said.day, root=said.root, count=said.count, entry=entry, anchored_at=now
        )
    )
    return Anchored(anchor=said, entry=entry, anchored_at=now, is_new=True)
