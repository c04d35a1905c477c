# SPDX-License-Identifier: Apache-2.0
"""Who works at the hub, as frozen dataclasses. The passphrase's hash never leaves the slice."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from hub.staff.rules import Role
from hub.staff.tables import staff


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One person at the hub: an id and a role, no name."""

    id: str
    role: Role
    enrolled_at: datetime
    closed_at: datetime | None


def member(session: Session, staff_id: str) -> Member | None:
    """Give one person, also one who has left, or None."""
    row = session.execute(_MEMBERS.where(staff.c.id == staff_id)).one_or_none()
    return None if row is None else _member(row)


def members(session: Session) -> tuple[Member, ...]:
    """Give everybody who may sign in, in the order of enrolment."""
    rows = session.execute(_MEMBERS.where(staff.c.closed_at.is_(None)).order_by(staff.c.id))
    return tuple(_member(row) for row in rows)


_MEMBERS = sa.select(staff.c.id, staff.c.role, staff.c.enrolled_at, staff.c.closed_at)


def _member(row: sa.Row[str, str, datetime, datetime | None]) -> Member:
    return Member(id=row.id, role=Role(row.role), enrolled_at=row.enrolled_at, closed_at=row.closed_at)
