# SPDX-License-Identifier: Apache-2.0
"""Recovery codes: ten of them, shown once; each lets somebody in once who has lost what shows the one-time codes.

A code does not sign anybody in. With the password it allows a new password and new one-time codes to be set, as an
invitation does; the lost device opens nothing from that moment on.
"""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy import Connection

from connectors.casebook import access
from connectors.desk.staff import reads, rules, service, tables
from connectors.desk.staff.service import NotLetIn


def new_codes(connection: Connection, member: str, *, now: datetime) -> tuple[str, ...]:
    """Make somebody's recovery codes in place of the earlier ones; give them, to be shown once."""
    codes = tuple(service.new_code() for _ in range(rules.RECOVERY_CODES))
    connection.execute(sa.delete(tables.recovery_codes).where(tables.recovery_codes.c.member == member))
    connection.execute(
        sa.insert(tables.recovery_codes),
        [{"code": _kept(code), "member": member, "made_at": now} for code in codes],
    )
    access.record(connection, staff=member, action="recovery:made", about=member, now=now)
    return codes


def count_left(connection: Connection, member: str) -> int:
    """Count the codes that somebody has not used."""
    codes = tables.recovery_codes
    query = sa.select(sa.func.count()).where(codes.c.member == member, codes.c.used_at.is_(None))
    return connection.execute(query).scalar_one()


def recover(connection: Connection, login: str, password: str, code: str, *, now: datetime) -> str | NotLetIn:
    """Use a code up with the right password; give an invitation with which the second factor is set anew."""
    row = service.checked(connection, login, password, now=now)
    if isinstance(row, NotLetIn):
        return row
    codes = tables.recovery_codes
    used = connection.execute(
        sa.update(codes)
        .where(codes.c.code == _kept(code), codes.c.member == row.id, codes.c.used_at.is_(None))
        .values(used_at=now)
    )
    if used.rowcount != 1:
        return service.failed(connection, row.id, now=now)
    access.record(connection, staff=row.id, action="recovery:used", about=row.id, now=now)
    return service.invite_anew(connection, row.id, by=row.id, now=now)


def _kept(code: str) -> str:
    return reads.hashed(service.plain_code(code))
