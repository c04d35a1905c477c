# SPDX-License-Identifier: Apache-2.0
"""Whose request is this: an access token and the DPoP proof that goes with it (RFC 9449 §7), for the API's gate."""

from __future__ import annotations

from typing import Final

from flask import Request
from sqlalchemy.orm import Session

from hub.base.db import Database, Duty, now
from hub.base.errors import UnauthorizedError
from hub.oauth import dpop, tokens
from hub.web.gate import CHALLENGE, Caller

_SCHEME: Final = "dpop"


class TokenValidator:
    """Tells who sent a request; nothing of an earlier request is remembered, so that an end is effective at once."""

    def __init__(self, database: Database, issuer: str) -> None:
        """Take the database of requests and the hub's public origin."""
        self._database = database
        self._issuer = issuer

    def __call__(self, request: Request) -> Caller:
        """Give the caller of a request whose token is good and whose proof is for this very request.

        *Raises* UnauthorizedError (`unauthorized`, `invalid-token`, `invalid-dpop-proof`).
        """
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if not token:
            raise UnauthorizedError(headers={"WWW-Authenticate": CHALLENGE})
        if scheme.lower() != _SCHEME:
            # A bound token shown as Bearer was stolen or is about to be (OAU-19).
            raise _refused("invalid-token")
        with self._database.transaction(None, Duty.SIGN_IN) as session:
            return self._caller(session, request, token)

    def _caller(self, session: Session, request: Request, token: str) -> Caller:
        at = now(session)
        found = tokens.live(session, token, at)
        if found is None:
            raise _refused("invalid-token")
        occasion = dpop.Occasion(method=request.method, url=self._issuer + request.path, now=at, token=token)
        try:
            thumbprint = dpop.check_proof(session, request.headers.get("DPoP"), occasion)
        except dpop.ProofRefusedError as refused:
            raise _refused("invalid-dpop-proof") from refused
        if thumbprint != found.jkt:
            raise _refused("invalid-token")
        return Caller(agency=found.agency, client=found.client, scopes=found.scopes)


def _refused(code: str) -> UnauthorizedError:
    challenge = f'{CHALLENGE}, error="{code.replace("-", "_")}"'
    return UnauthorizedError(code, headers={"WWW-Authenticate": challenge})
