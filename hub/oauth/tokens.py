# SPDX-License-Identifier: Apache-2.0
"""Access tokens: opaque, five minutes, bound to a DPoP key, kept as a hash only. Who may get one is decided
elsewhere.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from hub.agencies import reads as agencies
from hub.oauth.tables import oauth_clients, oauth_tokens

LIFETIME: Final = timedelta(minutes=5)
_TOKEN_BYTES: Final = 32
LONGEST_TOKEN: Final = 64
"""Characters that are looked at at all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """What a token stands for."""

    client: str
    agency: str
    scopes: frozenset[str]
    jkt: str
    issued_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """What a new token is to stand for; `client_kid` is the key its client signed in with."""

    client: str
    agency: str
    client_kid: str
    scopes: frozenset[str]
    jkt: str


def new_token() -> str:
    """Make a token's text: 256 random bits."""
    return secrets.token_urlsafe(_TOKEN_BYTES)


def keep(session: Session, token: str, grant: Grant, *, now: datetime) -> None:
    """Let a token stand for *grant* for five minutes; its text is not stored."""
    session.execute(
        sa.insert(oauth_tokens).values(
            digest=_digest(token),
            client=grant.client,
            agency=grant.agency,
            client_kid=grant.client_kid,
            scopes=sorted(grant.scopes),
            jkt=grant.jkt,
            issued_at=now,
            expires_at=now + LIFETIME,
        )
    )


def live(session: Session, token: str, now: datetime) -> Token | None:
    """Give what a token stands for, by one query, or None once anything it rests on has ended.

    That is: the token itself, its agency's standing, and the client's key it was obtained with. Nothing is
    cached, so that an end is effective at the next request (security §4, OAU-25).
    """
    if len(token) > LONGEST_TOKEN or not token.isascii():
        return None
    row = session.execute(
        sa.select(oauth_tokens).where(
            oauth_tokens.c.digest == _digest(token),
            oauth_tokens.c.revoked_at.is_(None),
            oauth_tokens.c.expires_at > now,
            agencies.is_active(oauth_tokens.c.agency),
            _client_stands(now),
        )
    ).one_or_none()
    if row is None:
        return None
    return Token(
        client=row.client,
        agency=row.agency,
        scopes=frozenset(row.scopes),
        jkt=row.jkt,
        issued_at=row.issued_at,
        expires_at=row.expires_at,
    )


def revoke(session: Session, token: str, *, now: datetime) -> None:
    """End a token at once; whoever holds it is refused from the next request on (RFC 7009)."""
    session.execute(
        sa.update(oauth_tokens)
        .where(oauth_tokens.c.digest == _digest(token), oauth_tokens.c.revoked_at.is_(None))
        .values(revoked_at=now)
    )


def forget_expired(session: Session, *, now: datetime) -> int:
    """Remove tokens that ended more than a day ago and give their number; for the worker's timetable."""
    old = sa.delete(oauth_tokens).where(oauth_tokens.c.expires_at < now - timedelta(days=1))
    return session.connection().execute(old).rowcount


def _client_stands(now: datetime) -> sa.ColumnElement[bool]:
    further = sa.exists().where(
        oauth_clients.c.id == oauth_tokens.c.client,
        oauth_clients.c.closed_at.is_(None),
    )
    first = agencies.has_live_key(oauth_tokens.c.agency, oauth_tokens.c.client_kid, now)
    return sa.or_(sa.and_(oauth_tokens.c.client == oauth_tokens.c.agency, first), further)


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
