# SPDX-License-Identifier: Apache-2.0
"""Let people in: the first administrator, invitations, password and one-time code, sessions and their lock.

Every way in ends in `begin`, and every refusal looks the same from outside. What is kept of a secret is a hash, but for
the secret of the one-time codes, which must be known to be compared; the casebook is encrypted.
"""

from __future__ import annotations

import secrets
import unicodedata
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, Final

import pyotp
import sqlalchemy as sa
from cryptography.exceptions import InvalidKey
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from sqlalchemy import Connection

from connectors.base.errors import ConnectorError
from connectors.casebook import access, marks
from connectors.desk.staff import reads, rules, tables
from connectors.desk.web.visits import Role

_MEMORY_KIB: Final = 64 * 1024
_PASSES: Final = 3
_LANES: Final = 4
_LENGTH: Final = 32
_SALT: Final = 16
_STEP: Final = 30
"""Seconds of one step of the one-time codes (RFC 6238)."""
_SETUP: Final = "setup-code"
_TICKET: Final = "sample-ticket:"
_CODE_SIGNS: Final = "23456789ABCDEFGHJKMNPQRSTVWXYZ"


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedIn:
    """A sign-in that was taken: the member, and the new session's token for the cookie."""

    member: str
    token: str
    seen_before_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class NotLetIn:
    """A sign-in that was not taken. `until`: when the next try counts, where somebody is barred."""

    until: datetime | None = None


def new_code() -> str:
    """Make a set-up code that can be read over the telephone: four groups of four signs (about 78 bits)."""
    return "-".join("".join(secrets.choice(_CODE_SIGNS) for _ in range(4)) for _ in range(4))


def setup_code(connection: Connection) -> str | None:
    """Make the code with which the first administrator is made, in place of an earlier one; none once there is one."""
    if reads.is_anybody_here(connection):
        return None
    code = new_code()
    marks.remember(connection, _SETUP, reads.hashed(plain_code(code)))
    return code


def is_setup_code(connection: Connection, code: str) -> bool:
    """Say whether this is the set-up code, while nobody is here yet."""
    kept = marks.recall(connection, _SETUP)
    same = kept is not None and secrets.compare_digest(kept, reads.hashed(plain_code(code)))
    return same and not reads.is_anybody_here(connection)


def enrol(
    connection: Connection, *, login: str, name: str, team: str, roles: frozenset[Role], by: str, now: datetime
) -> tuple[str, str]:
    """Take somebody into the staff; give their opaque id and the code with which they set their password.

    *Raises* `ConnectorError("login-taken")`: somebody has this staff id, whoever it is and whether they left or not.
    """
    if _by_login(connection, login) is not None:
        raise ConnectorError("login-taken")
    member, code = f"st-{secrets.token_hex(6)}", new_code()
    connection.execute(
        sa.insert(tables.members).values(
            id=member,
            login=rules.fold_login(login),
            name=name,
            team=team,
            roles=sorted(role.value for role in roles),
            is_active=True,
            totp_used=0,
            failures=0,
            invitation=reads.hashed(plain_code(code)),
            invited_until=now + rules.INVITED_FOR,
            created_at=now,
        )
    )
    access.record(connection, staff=by, action="staff:enrolled", about=member, now=now)
    return member, code


def invited(connection: Connection, code: str, *, now: datetime) -> str | None:
    """Give whom a set-up code invites, while it holds."""
    row = connection.execute(
        sa.select(tables.members.c.id).where(
            tables.members.c.invitation == reads.hashed(plain_code(code)),
            tables.members.c.invited_until > now,
            tables.members.c.is_active,
        )
    ).one_or_none()
    return None if row is None else str(row.id)


def set_password(connection: Connection, member: str, password: str, *, now: datetime) -> None:
    """Set a password; the set-up code that allowed it is used up, and every session of the member ends."""
    _change(connection, member, password=_hash(password), invitation=None, invited_until=None, failures=0)
    end_all(connection, member)
    access.record(connection, staff=member, action="password:set", about=member, now=now)


def set_totp(connection: Connection, member: str, secret: str, code: str, *, now: datetime) -> bool:
    """Take a new secret for one-time codes if the code shows that the person's device has it; say whether."""
    step = _step_of(secret, code, now)
    if step is None:
        return False
    _change(connection, member, totp=secret, totp_used=step)
    access.record(connection, staff=member, action="totp:set", about=member, now=now)
    return True


def sign_in(connection: Connection, login: str, password: str, code: str, *, now: datetime) -> SignedIn | NotLetIn:
    """Check id, password and one-time code, all three whatever the first says, and begin a session."""
    row = _by_login(connection, login)
    is_right = _verify(password, row.password if row else None)
    step = _step_of(row.totp, code, now) if row and row.totp else None
    if row is None or not row.is_active:
        return NotLetIn()
    if row.barred_until is not None and now < row.barred_until:
        return NotLetIn(until=row.barred_until)
    if not is_right or step is None or step <= row.totp_used:
        return _fail(connection, row, now)
    _change(connection, row.id, totp_used=step)
    return begin(connection, row.id, now=now)


def checked(connection: Connection, login: str, password: str, *, now: datetime) -> sa.Row[Any] | NotLetIn:
    """Give the row of whoever knows a password, before anything else of them is asked; a wrong one counts as a try."""
    row = _by_login(connection, login)
    is_right = _verify(password, row.password if row else None)
    if row is None or not row.is_active:
        return NotLetIn()
    if row.barred_until is not None and now < row.barred_until:
        return NotLetIn(until=row.barred_until)
    return row if is_right else _fail(connection, row, now)


def failed(connection: Connection, member: str, *, now: datetime) -> NotLetIn:
    """Note a wrong try of somebody; say until when they wait."""
    return _fail(connection, connection.execute(_of(member)).one(), now)


def invite_anew(connection: Connection, member: str, *, by: str, now: datetime) -> str:
    """Give the code with which somebody sets password and second factor anew; what they had before opens nothing."""
    code = new_code()
    _change(
        connection,
        member,
        totp=None,
        totp_used=0,
        invitation=reads.hashed(plain_code(code)),
        invited_until=now + rules.INVITED_FOR,
    )
    connection.execute(sa.delete(tables.passkeys).where(tables.passkeys.c.member == member))
    end_all(connection, member)
    access.record(connection, staff=by, action="staff:invited", about=member, now=now)
    return code


def begin(connection: Connection, member: str, *, now: datetime) -> SignedIn:
    """Begin a session for somebody who has proved who they are."""
    token = secrets.token_urlsafe(32)
    seen: datetime | None = connection.execute(
        sa.select(tables.members.c.last_seen_at).where(tables.members.c.id == member)
    ).scalar_one()
    _change(connection, member, failures=0, barred_until=None, last_seen_at=now)
    connection.execute(
        sa.insert(tables.sessions).values(
            id=reads.hashed(token), member=member, begun_at=now, active_at=now, locked=False
        )
    )
    access.record(connection, staff=member, action="session:begun", about=member, now=now)
    return SignedIn(member=member, token=token, seen_before_at=seen)


def ticket(connection: Connection, member: str) -> str:
    """Make a ticket with which somebody enters a desk of sample data without a password; the page for it is shut on
    every other desk.
    """
    made = secrets.token_urlsafe(16)
    marks.remember(connection, _TICKET + reads.hashed(made), member)
    return made


def holder(connection: Connection, made: str) -> str | None:
    """Give whose ticket this is."""
    return marks.recall(connection, _TICKET + reads.hashed(made))


def touch(connection: Connection, session: str, *, now: datetime) -> None:
    """Note that somebody is active."""
    connection.execute(sa.update(tables.sessions).where(tables.sessions.c.id == session).values(active_at=now))


def lock(connection: Connection, session: str, kept: dict[str, Any] | None = None) -> None:
    """Lock a session; `kept` is a form that was sent meanwhile."""
    values: dict[str, Any] = {"locked": True} | ({"kept": kept} if kept else {})
    connection.execute(sa.update(tables.sessions).where(tables.sessions.c.id == session).values(**values))


def unlock(connection: Connection, session: reads.Session, password: str, *, now: datetime) -> bool | NotLetIn:
    """Unlock a session by its member's password; say whether."""
    row = connection.execute(_of(session.member.id)).one()
    if row.barred_until is not None and now < row.barred_until:
        return NotLetIn(until=row.barred_until)
    if not _verify(password, row.password):
        return _fail(connection, row, now)
    _change(connection, row.id, failures=0, barred_until=None)
    reopen(connection, session.id, now=now)
    return True


def reopen(connection: Connection, session: str, *, now: datetime) -> None:
    """Open a locked session again, for somebody who has proved who they are."""
    connection.execute(
        sa.update(tables.sessions).where(tables.sessions.c.id == session).values(locked=False, active_at=now)
    )


def take_kept(connection: Connection, session: str) -> dict[str, Any] | None:
    """Give the form that was kept for a session and keep it no longer."""
    kept: dict[str, Any] | None = connection.execute(
        sa.select(tables.sessions.c.kept).where(tables.sessions.c.id == session)
    ).scalar_one_or_none()
    connection.execute(sa.update(tables.sessions).where(tables.sessions.c.id == session).values(kept=None))
    return kept


def end(connection: Connection, session: str) -> None:
    """End a session."""
    connection.execute(sa.delete(tables.sessions).where(tables.sessions.c.id == session))


def end_all(connection: Connection, member: str) -> None:
    """End every session of somebody."""
    connection.execute(sa.delete(tables.sessions).where(tables.sessions.c.member == member))


def _fail(connection: Connection, row: sa.Row[Any], now: datetime) -> NotLetIn:
    failures = row.failures + 1
    until = now + rules.barred_for(failures)
    _change(connection, row.id, failures=failures, barred_until=until if until > now else None)
    access.record(connection, staff=row.id, action="session:refused", about=row.id, now=now)
    return NotLetIn(until=until if until > now else None)


def _by_login(connection: Connection, login: str) -> sa.Row[Any] | None:
    query = sa.select(tables.members).where(tables.members.c.login == rules.fold_login(login))
    return connection.execute(query).one_or_none()


def _of(member: str) -> sa.Select[Any]:
    return sa.select(tables.members).where(tables.members.c.id == member)


def _change(connection: Connection, member: str, **values: Any) -> None:
    connection.execute(sa.update(tables.members).where(tables.members.c.id == member).values(**values))


def _hash(password: str) -> str:
    salt = secrets.token_bytes(_SALT)
    kdf = Argon2id(salt=salt, length=_LENGTH, iterations=_PASSES, lanes=_LANES, memory_cost=_MEMORY_KIB)
    return kdf.derive_phc_encoded(password.encode())


@cache
def _nobodys() -> str:
    return _hash(secrets.token_urlsafe())


def _verify(password: str, kept: str | None) -> bool:
    """Compare a password; for nobody too, so that the time tells nothing."""
    try:
        Argon2id.verify_phc_encoded(password.encode(), kept or _nobodys())
    except InvalidKey:
        return False
    return kept is not None


def _step_of(secret: str, code: str, now: datetime) -> int | None:
    """Give the time step of a one-time code, one step early or late too; none where it is wrong."""
    plain = "".join(unicodedata.normalize("NFKC", code).split()).encode()
    present = int(now.timestamp()) // _STEP
    totp = pyotp.TOTP(secret)
    steps = (present, present - 1, present + 1)
    return next((step for step in steps if secrets.compare_digest(totp.generate_otp(step).encode(), plain)), None)


def plain_code(code: str) -> str:
    """Give the signs of a code without case, width of its groups and hyphens."""
    return "".join(sign for sign in code.upper() if sign in _CODE_SIGNS)
