# SPDX-License-Identifier: Apache-2.0
"""Who works here, and whose session a cookie belongs to."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from connectors.desk.staff import tables
from connectors.desk.web.visits import Member, Role


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A session and whose it is."""

    id: str
    member: Member
    begun_at: datetime
    active_at: datetime
    locked: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A member with what a page of the staff list says of them; nothing secret."""

    member: Member
    login: str
    is_active: bool
    has_password: bool
    has_totp: bool
    passkeys: int
    invited_until: datetime | None
    last_seen_at: datetime | None
    barred_until: datetime | None

    @property
    def can_sign_in(self) -> bool:
        """Say whether this person works here and has set what signing in asks for."""
        return self.is_active and self.has_password and self.has_totp


def hashed(token: str) -> str:
    """Give what is kept of a secret that a person or a browser holds."""
    return hashlib.sha256(token.encode()).hexdigest()


def session_of(connection: Connection, token: str) -> Session | None:
    """Give the session of a cookie, of a member who still works here."""
    row = connection.execute(
        sa.select(tables.sessions, tables.members.c.name, tables.members.c.roles, tables.members.c.team)
        .join(tables.members, tables.members.c.id == tables.sessions.c.member)
        .where(tables.sessions.c.id == hashed(token), tables.members.c.is_active)
    ).one_or_none()
    if row is None:
        return None
    member = Member(id=row.member, name=row.name, roles=frozenset(map(Role, row.roles)), team=row.team)
    return Session(id=row.id, member=member, begun_at=row.begun_at, active_at=row.active_at, locked=row.locked)


def is_anybody_here(connection: Connection) -> bool:
    """Say whether the first administrator was made already."""
    return connection.execute(sa.select(tables.members.c.id).limit(1)).first() is not None


def accounts(connection: Connection) -> list[Account]:
    """Give everybody who works or worked here, active ones first."""
    query = _accounts().order_by(tables.members.c.is_active.desc(), tables.members.c.created_at)
    return [_account(row) for row in connection.execute(query)]


def account(connection: Connection, member: str) -> Account | None:
    """Give one account."""
    row = connection.execute(_accounts().where(tables.members.c.id == member)).one_or_none()
    return None if row is None else _account(row)


def names_of(connection: Connection, members: Iterable[str]) -> dict[str, str]:
    """Give the names of staff by their opaque id; whoever is not known here stands for no name."""
    wanted = [one for one in members if one]
    rows = connection.execute(
        sa.select(tables.members.c.id, tables.members.c.name).where(tables.members.c.id.in_(wanted))
    )
    return {row.id: row.name for row in rows}


def colleagues(connection: Connection, role: Role | None = None) -> list[Member]:
    """Give whoever works here now, by name; only those of a role where one is named."""
    rows = connection.execute(_accounts().where(tables.members.c.is_active).order_by(tables.members.c.name))
    found = [_account(row).member for row in rows]
    return [one for one in found if role is None or role in one.roles]


def _accounts() -> sa.Select[Any]:
    passkeys = tables.passkeys
    counted = sa.select(sa.func.count()).where(passkeys.c.member == tables.members.c.id).scalar_subquery()
    return sa.select(tables.members, counted.label("passkeys"))


def _account(row: sa.Row[Any]) -> Account:
    return Account(
        member=Member(id=row.id, name=row.name, roles=frozenset(map(Role, row.roles)), team=row.team),
        login=row.login,
        is_active=row.is_active,
        has_password=row.password is not None,
        has_totp=row.totp is not None,
        passkeys=row.passkeys,
        invited_until=row.invited_until,
        last_seen_at=row.last_seen_at,
        barred_until=row.barred_until,
    )
