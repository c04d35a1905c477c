# SPDX-License-Identifier: Apache-2.0
"""Sessions of the console: begun by who proved who they are, looked up by the cookie's digest, over by themselves
after ten idle minutes or four hours, ended at once by whoever signs out, leaves or is given another role.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from hub.staff.reads import Member
from hub.staff.rules import LONGEST, Role, is_over
from hub.staff.tables import sessions, staff

NOTED_EVERY: Final = timedelta(seconds=15)
"""Activity is written down at most this often."""
_TOKEN_BYTES: Final = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A session that stands: whose it is and since when."""

    member: Member
    begun_at: datetime


def begin(session: Session, staff_id: str, *, now: datetime) -> str:
    """Begin a session and give the cookie's value, which is kept nowhere."""
    token = secrets.token_urlsafe(_TOKEN_BYTES)
    session.execute(sa.insert(sessions).values(digest=_digest(token), staff=staff_id, begun_at=now, active_at=now))
    return token


def standing(session: Session, token: str, *, now: datetime) -> Standing | None:
    """Give whose session this is, noting that something was asked in it; None when there is none or it is over."""
    row = session.execute(
        sa.select(
            sessions.c.begun_at, sessions.c.active_at, staff.c.id, staff.c.role, staff.c.enrolled_at, staff.c.agency
        )
        .join(staff, staff.c.id == sessions.c.staff)
        .where(sessions.c.digest == _digest(token), sessions.c.ended_at.is_(None), staff.c.closed_at.is_(None))
    ).one_or_none()
    if row is None or is_over(begun_at=row.begun_at, active_at=row.active_at, now=now):
        return None
    if now - row.active_at >= NOTED_EVERY:
        session.execute(sa.update(sessions).where(sessions.c.digest == _digest(token)).values(active_at=now))
    member = Member(id=row.id, role=Role(row.role), enrolled_at=row.enrolled_at, closed_at=None, agency=row.agency)
    return Standing(member=member, begun_at=row.begun_at)


def end(session: Session, token: str, *, now: datetime) -> None:
    """End a session at once."""
    session.execute(
        sa.update(sessions)
        .where(sessions.c.digest == _digest(token), sessions.c.ended_at.is_(None))
        .values(ended_at=now)
    )


def end_all(session: Session, staff_id: str, *, now: datetime) -> None:
    """End every session of somebody at once."""
    session.execute(
        sa.update(sessions).where(sessions.c.staff == staff_id, sessions.c.ended_at.is_(None)).values(ended_at=now)
    )


def forget_over(session: Session, *, now: datetime) -> None:
    """Remove sessions that are long over; for the worker's timetable."""
    session.execute(sa.delete(sessions).where(sessions.c.begun_at < now - 2 * LONGEST))


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
