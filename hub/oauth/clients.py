# SPDX-License-Identifier: Apache-2.0
"""Who may ask for tokens: an agency's first client, which is its `client` key entries, and further ones
with fewer scopes.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import sqlalchemy as sa
from authlib.oauth2.rfc6749 import ClientMixin
from sqlalchemy.orm import Session

from consent.jwk import KeyUse, PublicKey
from hub.agencies import reads as agencies
from hub.agencies.rules import AgencyState
from hub.audit import service as audit
from hub.audit.rules import AuditKind, Entry
from hub.base.errors import InvalidError, NotFoundError
from hub.base.ids import new_id
from hub.oauth.tables import oauth_clients

AUTH_METHOD: Final = "private_key_jwt"
GRANT_TYPE: Final = "client_credentials"
AGENCY_SCOPES: Final = (
    "directory:read",
    "consents:read",
    "consents:write",
    "referrals:read",
    "referrals:send",
    "referrals:receive",
    "cases:write",
    "meetings:write",
    "keys:write",
    "audit:read",
)
"""Everything an agency may be allowed (api.md, manners)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Client(ClientMixin):
    """One client of an active agency, as Authlib wants to see it."""

    id: str
    agency: str
    scopes: frozenset[str]
    keys: tuple[PublicKey, ...]

    def get_client_id(self) -> str:
        """Give the client's id."""
        return self.id

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        """Allow a signed assertion and nothing else, at every endpoint."""
        del endpoint
        return method == AUTH_METHOD

    def check_grant_type(self, grant_type: str) -> bool:
        """Allow client credentials and nothing else: there is no person behind a connector's call."""
        return grant_type == GRANT_TYPE

    def granted(self, asked: str | None) -> frozenset[str] | None:
        """Give the scopes asked for (all when none is named), or None when one goes beyond the client's.

        None makes the answer `invalid_scope`: Authlib would drop it silently and hand out a token that can do nothing
        (libraries §3, trap f).
        """
        wanted = frozenset(asked.split()) if asked else self.scopes
        return wanted if wanted <= self.scopes else None


def find(session: Session, client_id: str, now: datetime) -> Client | None:
    """Give a client whose agency is active and which has a key valid now, or None."""
    row = session.execute(
        sa.select(oauth_clients).where(oauth_clients.c.id == client_id, oauth_clients.c.closed_at.is_(None))
    ).one_or_none()
    agency = agencies.agency(session, client_id if row is None else row.agency)
    if agency is None or agency.state is not AgencyState.ACTIVE:
        return None
    if row is not None:
        own = (PublicKey.from_jwk(row.jwk, KeyUse.CLIENT),)
        return Client(id=row.id, agency=row.agency, scopes=frozenset(row.scopes), keys=own)
    keys = agencies.client_keys(session, agency.id, now)
    return Client(id=agency.id, agency=agency.id, scopes=frozenset(AGENCY_SCOPES), keys=keys) if keys else None


def open_further(session: Session, *, agency: str, key: PublicKey, scopes: Iterable[str], now: datetime) -> str:
    """Open one more client for an agency, with a P-256 key of its own and fewer scopes; give its id.

    Raises NotFoundError, InvalidError (`unknown-scope`, `key-not-allowed`: not a client key).
    """
    wanted = sorted(set(scopes))
    if agencies.agency(session, agency) is None:
        raise NotFoundError
    if not wanted or not set(wanted) <= set(AGENCY_SCOPES):
        raise InvalidError("unknown-scope", pointer="/scopes")
    if key.use is not KeyUse.CLIENT:
        raise InvalidError("key-not-allowed", pointer="/jwk")
    client_id = new_id(now)
    session.execute(
        sa.insert(oauth_clients).values(id=client_id, agency=agency, jwk=key.jwk(), scopes=wanted, opened_at=now)
    )
    entry = Entry(
        kind=AuditKind.OAUTH_CLIENT_REGISTERED,
        actor="hub",
        parties=(agency,),
        subject=client_id,
        facts={"scopes": wanted},
    )
    audit.append(session, entry, now=now)
    return client_id


def close(session: Session, client_id: str, *, now: datetime) -> None:
    """End a further client and with it every token it holds. Raises NotFoundError."""
    closed = session.connection().execute(
        sa.update(oauth_clients)
        .where(oauth_clients.c.id == client_id, oauth_clients.c.closed_at.is_(None))
        .values(closed_at=now)
    )
    if not closed.rowcount:
        raise NotFoundError
