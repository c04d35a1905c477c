# SPDX-License-Identifier: Apache-2.0
"""Who works at the hub, as frozen dataclasses. The passphrase's hash never leaves the slice."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from hub.staff.rules import Role
from hub.staff.tables import passkeys, staff


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One person at the hub: an id and a role, no name."""

    id: str
    role: Role
    enrolled_at: datetime
    closed_at: datetime | None
    agency: str | None = None
    """Whose officer this is, for an agency's officer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Passkey:
    """A passkey as its owner's page shows it."""

    id: str
    made_at: datetime
    used_at: datetime | None


def member(session: Session, staff_id: str) -> Member | None:
    """Give one person, also one who has left, or None."""
    row = session.execute(_MEMBERS.where(staff.c.id == staff_id)).one_or_none()
    return None if row is None else _member(row)


def members(session: Session) -> tuple[Member, ...]:
    """Give everybody who may sign in, in the order of enrolment."""
    rows = session.execute(_MEMBERS.where(staff.c.closed_at.is_(None)).order_by(staff.c.id))
    return tuple(_member(row) for row in rows)


def passkeys_of(session: Session, staff_id: str) -> tuple[Passkey, ...]:
    """Give somebody's passkeys, oldest first."""
    rows = session.execute(
        sa.select(passkeys.c.id, passkeys.c.made_at, passkeys.c.used_at)
        .where(passkeys.c.staff == staff_id, passkeys.c.removed_at.is_(None))
        .order_by(passkeys.c.made_at, passkeys.c.id)
    )
    return tuple(Passkey(id=row.id, made_at=row.made_at, used_at=row.used_at) for row in rows)


_MEMBERS = sa.select(staff.c.id, staff.c.role, staff.c.enrolled_at, staff.c.closed_at, staff.c.agency)


def _member(row: sa.Row[str, str, datetime, datetime | None, str | None]) -> Member:
    return Member(
        id=row.id, role=Role(row.role), enrolled_at=row.enrolled_at, closed_at=row.closed_at, agency=row.agency
    )
