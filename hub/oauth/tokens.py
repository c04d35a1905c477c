# SPDX-License-Identifier: Apache-2.0
"""Access tokens: opaque, five minutes, bound to a DPoP key, kept as a hash only. Who may get one is decided
elsewhere.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from hub.agencies import reads as agencies
from hub.base import rounds
from hub.base.rounds import Asked, Told
from hub.oauth.tables import oauth_clients, oauth_tokens

LIFETIME: Final = timedelta(minutes=5)
_TOKEN_BYTES: Final = 32
LONGEST_TOKEN: Final = 64
"""Characters that are looked at at all."""


# times are compared where they are read, so that a rehearsal's time counts too
_begins, _ends = agencies.key_window(oauth_tokens.c.agency, oauth_tokens.c.client_kid)
_further = sa.exists().where(oauth_clients.c.id == oauth_tokens.c.client, oauth_clients.c.closed_at.is_(None))
_RESTS_ON: Final = (
    oauth_tokens.c.client,
    oauth_tokens.c.agency,
    oauth_tokens.c.expires_at,
    _begins.label("key_begins"),
    _ends.label("key_ends"),
    _further.label("further"),
)
_NOT_ENDED: Final = (
    oauth_tokens.c.digest == sa.bindparam("of_digest"),
    oauth_tokens.c.revoked_at.is_(None),
    agencies.is_active(oauth_tokens.c.agency),
)
_FIND: Final = sa.select(*_RESTS_ON, oauth_tokens.c.scopes, oauth_tokens.c.jkt, oauth_tokens.c.issued_at).where(
    *_NOT_ENDED
)
_STANDING: Final = rounds.Prepared(sa.select(*_RESTS_ON).where(*_NOT_ENDED))


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
            digest=digest(token),
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

    That is: the token itself, its agency's standing, and the client's key it was obtained with. What a token stands
    for never changes and may be remembered; that it stands is asked anew each time (security §4, OAU-25).
    """
    if len(token) > LONGEST_TOKEN or not token.isascii():
        return None
    row = session.execute(_FIND, {"of_digest": digest(token)}).mappings().one_or_none()
    if row is None or not _stands(dict(row), now):
        return None
    return Token(
        client=row["client"],
        agency=row["agency"],
        scopes=frozenset(row["scopes"]),
        jkt=row["jkt"],
        issued_at=row["issued_at"],
        expires_at=row["expires_at"],
    )


def standing(token_digest: bytes) -> Asked:
    """Make the question whether a token stands, for a door (`hub.base.db`); `stands` reads what came of it."""
    return _STANDING.of(of_digest=token_digest)


def stands(told: Told, now: datetime) -> bool:
    """Say whether the token that `standing` asked about stands at a moment."""
    return bool(told.rows) and _stands(told.rows[0], now)


def revoke(session: Session, token: str, *, now: datetime) -> None:
    """End a token at once; whoever holds it is refused from the next request on (RFC 7009)."""
    session.execute(
        sa.update(oauth_tokens)
        .where(oauth_tokens.c.digest == digest(token), oauth_tokens.c.revoked_at.is_(None))
        .values(revoked_at=now)
    )


def last_issued(session: Session) -> Mapping[str, datetime]:
    """Give when each agency was last given a token, as far back as tokens are kept: its last sign of life, to within
    the five minutes that a token lasts.
    """
    table = oauth_tokens.c
    rows = session.execute(sa.select(table.agency, sa.func.max(table.issued_at).label("at")).group_by(table.agency))
    return {row.agency: row.at for row in rows}


def forget_expired(session: Session, *, now: datetime) -> int:
    """Remove tokens that ended more than a day ago and give their number; for the worker's timetable."""
    old = sa.delete(oauth_tokens).where(oauth_tokens.c.expires_at < now - timedelta(days=1))
    return session.connection().execute(old).rowcount


def _stands(row: Mapping[str, Any], now: datetime) -> bool:
    if row["expires_at"] <= now:
        return False
    if row["client"] != row["agency"]:
        return bool(row["further"])
    begins, ends = row["key_begins"], row["key_ends"]
    return begins is not None and begins <= now < ends


def digest(token: str) -> bytes:
    """Give the name under which a token is kept: who reads the table cannot call with what is there."""
    return hashlib.sha256(token.encode()).digest()
