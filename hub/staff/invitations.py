# SPDX-License-Identifier: Apache-2.0
"""One-time codes: whoever enrols a person at the hub's machine hands one over, and it opens the console once, so that
the person makes a passkey there.
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from hub.audit import service as audit
from hub.audit.rules import HUB, AuditKind, Entry
from hub.base.errors import NotFoundError
from hub.staff import attempts, reads
from hub.staff.reads import Member
from hub.staff.rules import CODE_FOR, CODE_GROUP, CODE_GROUPS, CODE_SIGNS, Role, Tries, plain_code
from hub.staff.tables import staff


def invite(session: Session, staff_id: str, *, now: datetime) -> str:
    """Give a new code for a person; one that was given before opens nothing any more. Raises NotFoundError."""
    member = reads.member(session, staff_id)
    if member is None or member.closed_at is not None:
        raise NotFoundError
    groups = ["".join(secrets.choice(CODE_SIGNS) for _ in range(CODE_GROUP)) for _ in range(CODE_GROUPS)]
    code = "-".join(groups)
    session.execute(
        sa.update(staff).where(staff.c.id == staff_id).values(code=_digest(code), code_until=now + CODE_FOR)
    )
    entry = Entry(kind=AuditKind.STAFF_INVITED, actor=HUB, parties=(), subject=staff_id, facts={"role": member.role})
    audit.append(session, entry, now=now)
    return code


def redeem(session: Session, code: str, *, source: str, now: datetime) -> Member | timedelta | None:
    """Give whom a code lets in, once; None for a wrong, used or old one; how long to wait where too many were tried.

    It counts the wrong ones, so the caller commits either way.
    """
    tries = attempts.of_source(session, source)
    wait = attempts.wait_of(tries, now)
    if wait is not None:
        return wait
    row = session.execute(
        sa.update(staff)
        .where(staff.c.code == _digest(code), staff.c.code_until > now, staff.c.closed_at.is_(None))
        .values(code=None, code_until=None)
        .returning(staff.c.id, staff.c.role, staff.c.enrolled_at, staff.c.agency)
    ).one_or_none()
    if row is None:
        attempts.source_failed(session, source, tries, now=now)
        return None
    attempts.set_person(session, row.id, Tries(count=0, since=None))
    return Member(id=row.id, role=Role(row.role), enrolled_at=row.enrolled_at, closed_at=None, agency=row.agency)


def _digest(code: str) -> bytes:
    """A hundred random bits need no slow hash."""
    return hashlib.sha256(plain_code(code).encode()).digest()
