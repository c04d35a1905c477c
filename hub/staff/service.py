# SPDX-License-Identifier: Apache-2.0
"""Enrol, sign in and close the people of the hub. Passphrases are kept as Argon2id; what a role may do
lives elsewhere.
"""

from __future__ import annotations

import secrets
import unicodedata
from datetime import datetime
from typing import Final

import sqlalchemy as sa
from cryptography.exceptions import InvalidKey
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from sqlalchemy.orm import Session

from hub.agencies import reads as agencies
from hub.audit import service as audit
from hub.audit.rules import AuditKind, Entry
from hub.base.errors import InvalidError, NotFoundError
from hub.base.ids import new_id
from hub.staff import attempts, reads, sessions
from hub.staff.reads import Member
from hub.staff.rules import SHORTEST_PASSPHRASE, WITH_PASSPHRASE, Role, Tries, is_locked
from hub.staff.tables import staff

MEMORY_KIB: Final = 64 * 1024
"""64 MiB and three rounds: about 0.3 s (libraries §10)."""
_ROUNDS: Final = 3
_HASH_BYTES: Final = 32
_SALT_BYTES: Final = 16


def enrol(
    session: Session,
    role: Role,
    passphrase: str | None,
    *,
    now: datetime,
    agency: str | None = None,
    memory_kib: int = MEMORY_KIB,
) -> str:
    """Let a person sign in from now on and give their id.

    The passphrase is for deeds at the hub's command line; without one they sign in at the console only, first by a
    one-time code (`invitations`). `agency` is whose officer an agency's officer is.

    Raises InvalidError (`passphrase-too-short`, `role-without-passphrase`, `role-needs-agency`).
    """
    if passphrase is not None and len(passphrase) < SHORTEST_PASSPHRASE:
        raise InvalidError("passphrase-too-short")
    if passphrase is not None and role not in WITH_PASSPHRASE:
        raise InvalidError("role-without-passphrase")
    _check_agency(session, role, agency)
    staff_id = new_id(now)
    session.execute(
        sa.insert(staff).values(
            id=staff_id,
            role=role.value,
            agency=agency,
            passphrase=None if passphrase is None else _hash(passphrase, memory_kib),
            enrolled_at=now,
            tries=0,
        )
    )
    _log(session, AuditKind.STAFF_ENROLLED, staff_id, role, now)
    _log(session, AuditKind.ROLE_GIVEN, staff_id, role, now)
    return staff_id


def give_role(session: Session, staff_id: str, role: Role, *, now: datetime, agency: str | None = None) -> None:
    """Give a person another role in place of theirs, at once: sessions of the old one end.

    Raises NotFoundError; InvalidError (`role-needs-agency`, `role-without-passphrase`).
    """
    known = reads.member(session, staff_id)
    if known is None or known.closed_at is not None:
        raise NotFoundError
    _check_agency(session, role, agency)
    passphrase = session.execute(sa.select(staff.c.passphrase).where(staff.c.id == staff_id)).scalar_one()
    if passphrase is not None and role not in WITH_PASSPHRASE:
        raise InvalidError("role-without-passphrase")
    session.execute(sa.update(staff).where(staff.c.id == staff_id).values(role=role.value, agency=agency))
    sessions.end_all(session, staff_id, now=now)
    _log(session, AuditKind.ROLE_TAKEN, staff_id, known.role, now)
    _log(session, AuditKind.ROLE_GIVEN, staff_id, role, now)


def check(session: Session, staff_id: str, passphrase: str, *, now: datetime) -> Member | None:
    """Give the person who this passphrase belongs to, or None: unknown, gone, locked out or wrong, all alike.

    It counts the wrong ones, so the caller commits either way, else ten tries would never be ten.
    """
    row = session.execute(
        sa.select(staff).where(staff.c.id == staff_id, staff.c.closed_at.is_(None)).with_for_update()
    ).one_or_none()
    # The same work for someone unknown: how long the answer takes tells nothing.
    matches = _matches(passphrase, _NOBODY if row is None or row.passphrase is None else row.passphrase)
    if row is None or row.passphrase is None:
        return None
    tries = Tries(count=row.tries, since=row.tries_since)
    if is_locked(tries, now):
        return None
    if not matches:
        attempts.person_failed(session, staff_id, tries, now=now)
        return None
    if tries.count:
        attempts.set_person(session, staff_id, Tries(count=0, since=None))
    return Member(id=row.id, role=Role(row.role), enrolled_at=row.enrolled_at, closed_at=None, agency=row.agency)


def close(session: Session, staff_id: str, *, now: datetime) -> None:
    """End a person's access, at once and for good. Raises NotFoundError."""
    member = reads.member(session, staff_id)
    if member is None or member.closed_at is not None:
        raise NotFoundError
    session.execute(sa.update(staff).where(staff.c.id == staff_id).values(closed_at=now, code=None, code_until=None))
    sessions.end_all(session, staff_id, now=now)
    _log(session, AuditKind.ROLE_TAKEN, staff_id, member.role, now)


def _log(session: Session, kind: AuditKind, staff_id: str, role: Role, now: datetime) -> None:
    entry = Entry(kind=kind, actor="hub", parties=(), case=None, subject=staff_id, facts={"role": role.value})
    audit.append(session, entry, now=now)


def _check_agency(session: Session, role: Role, agency: str | None) -> None:
    if (role is Role.AGENCY_OFFICER) != (agency is not None):
        raise InvalidError("role-needs-agency")
    if agency is not None and agencies.agency(session, agency) is None:
        raise NotFoundError


def _hash(passphrase: str, memory_kib: int) -> str:
    kdf = Argon2id(
        salt=secrets.token_bytes(_SALT_BYTES),
        length=_HASH_BYTES,
        iterations=_ROUNDS,
        lanes=1,
        memory_cost=memory_kib,
    )
    return kdf.derive_phc_encoded(_bytes(passphrase))


def _matches(passphrase: str, encoded: str) -> bool:
    try:
        Argon2id.verify_phc_encoded(_bytes(passphrase), encoded)
    except InvalidKey:
        return False
    return True


def _bytes(passphrase: str) -> bytes:
    """Write a passphrase the same way whatever keyboard it came from (NIST SP 800-63B)."""
    return unicodedata.normalize("NFKC", passphrase).encode("utf-8", "surrogatepass")


_NOBODY: Final = (
    # Nobody's passphrase, at the cost of everybody's.
    f"$argon2id$v=19$m={MEMORY_KIB},t={_ROUNDS},p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
)
