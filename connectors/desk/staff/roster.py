# SPDX-License-Identifier: Apache-2.0
"""Change who works here and what each may do; an administrator stays, and whoever leaves is out at once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from connectors.base.errors import ConnectorError
from connectors.casebook import access
from connectors.desk.staff import reads, rules, service, tables
from connectors.desk.web.site import Limits
from connectors.desk.web.visits import Role


@dataclass(frozen=True, slots=True, kw_only=True)
class Seat:
    """Where somebody is signed in."""

    id: str
    begun_at: datetime
    active_at: datetime
    is_locked: bool


def is_last_administrator(connection: Connection, member: str) -> bool:
    """Say whether nobody else could let people in: an administrator who was only invited cannot."""
    able = {
        one.member.id
        for one in reads.accounts(connection)
        if one.can_sign_in and Role.ADMINISTRATOR in one.member.roles
    }
    known = reads.account(connection, member)
    is_one = known is not None and known.is_active and Role.ADMINISTRATOR in known.member.roles
    return is_one and able <= {member}


def change(
    connection: Connection, member: str, *, name: str, team: str, roles: frozenset[Role], by: str, now: datetime
) -> None:
    """Change what somebody is called and may do; it counts from their next page on.

    *Raises* `ConnectorError("last-administrator")`: nobody could let people in any more.
    """
    if Role.ADMINISTRATOR not in roles:
        _require_another(connection, member)
    _change(connection, member, name=name, team=team, roles=sorted(role.value for role in roles))
    access.record(connection, staff=by, action="staff:changed", about=member, now=now)


def deactivate(connection: Connection, member: str, *, by: str, now: datetime) -> None:
    """Let somebody go: every session ends, nothing of theirs opens any more; what they wrote stays under their name.

    *Raises* `ConnectorError("last-administrator")`: nobody could let people in any more.
    """
    _require_another(connection, member)
    _change(connection, member, is_active=False, password=None, totp=None, invitation=None, invited_until=None)
    connection.execute(sa.delete(tables.passkeys).where(tables.passkeys.c.member == member))
    connection.execute(sa.delete(tables.recovery_codes).where(tables.recovery_codes.c.member == member))
    service.end_all(connection, member)
    access.record(connection, staff=by, action="staff:left", about=member, now=now)


def reactivate(connection: Connection, member: str, *, by: str, now: datetime) -> str:
    """Take somebody back who left; give the set-up code, without which nothing of theirs opens."""
    _change(connection, member, is_active=True, failures=0, barred_until=None)
    access.record(connection, staff=by, action="staff:returned", about=member, now=now)
    return service.invite_anew(connection, member, by=by, now=now)


def end_sessions(connection: Connection, member: str, *, by: str, now: datetime, keep: str | None = None) -> int:
    """End every session of somebody, but for one that is kept; give how many."""
    sessions = tables.sessions
    ending = sa.delete(sessions).where(sessions.c.member == member)
    ended = connection.execute(ending if keep is None else ending.where(sessions.c.id != keep)).rowcount
    access.record(connection, staff=by, action="sessions:ended", about=member, now=now)
    return ended


def seats_of(connection: Connection, member: str, *, limits: Limits, now: datetime) -> list[Seat]:
    """Give where somebody is signed in, newest first; a session that has run out is none."""
    rows = connection.execute(
        sa.select(tables.sessions)
        .where(tables.sessions.c.member == member)
        .order_by(tables.sessions.c.active_at.desc())
    )
    found = []
    for row in rows:
        stands = rules.standing(
            begun_at=row.begun_at, active_at=row.active_at, locked=row.locked, now=now, limits=limits
        )
        if stands is not rules.Standing.ENDED:
            is_locked = stands is rules.Standing.LOCKED
            found.append(Seat(id=row.id, begun_at=row.begun_at, active_at=row.active_at, is_locked=is_locked))
    return found


def _require_another(connection: Connection, member: str) -> None:
    if is_last_administrator(connection, member):
        raise ConnectorError("last-administrator")


def _change(connection: Connection, member: str, **values: Any) -> None:
    connection.execute(sa.update(tables.members).where(tables.members.c.id == member).values(**values))
