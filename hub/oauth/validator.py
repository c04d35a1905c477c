# SPDX-License-Identifier: Apache-2.0
"""Whose request is this: an access token and the DPoP proof that goes with it (RFC 9449 §7), for the API's gate."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from flask import Request

from hub.base import replay
from hub.base.db import Database, Door, Duty, now
from hub.base.errors import UnauthorizedError
from hub.base.rounds import Told
from hub.oauth import dpop, tokens
from hub.oauth.dpop import Proof
from hub.oauth.tokens import Token
from hub.web.gate import CHALLENGE, Caller

_SCHEME: Final = "dpop"
MOST_REMEMBERED: Final = 4096
"""Tokens whose meaning one process remembers; beyond it begins anew."""


class TokenValidator:
    """Tells who sent a request.

    What a token stands for is remembered, since it never changes; that it still stands, and that its proof is new, is
    asked of the database by every request in its own transaction (`Caller.door`), so that an end is effective at once.
    """

    def __init__(self, database: Database, issuer: str) -> None:
        """Take the database of requests and the hub's public origin."""
        self._database = database
        self._issuer = issuer
        self._known: dict[bytes, Token] = {}

    def __call__(self, request: Request) -> Caller:
        """Give the caller of a request whose token is known and whose proof is for this very request.

        *Raises* UnauthorizedError (`unauthorized`, `invalid-token`, `invalid-dpop-proof`), as the caller's door does.
        """
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if not token:
            raise UnauthorizedError(headers={"WWW-Authenticate": CHALLENGE})
        if scheme.lower() != _SCHEME:
            # A bound token shown as Bearer was stolen or is about to be (OAU-19).
            raise _refused("invalid-token")
        found = self._find(token)
        occasion = dpop.Occasion(method=request.method, url=self._issuer + request.path, token=token)
        try:
            proof = dpop.read_proof(request.headers.get("DPoP"), occasion)
        except dpop.ProofRefusedError as refused:
            self._look(token)  # of a token that has ended this is said first
            raise _refused("invalid-dpop-proof") from refused
        door = self._door(tokens.digest(token), found, proof)
        return Caller(agency=found.agency, client=found.client, scopes=found.scopes, door=door)

    def _find(self, token: str) -> Token:
        if len(token) > tokens.LONGEST_TOKEN or not token.isascii():
            raise _refused("invalid-token")
        digest = tokens.digest(token)
        found = self._known.get(digest)
        if found is None:
            found = self._look(token)
            if len(self._known) >= MOST_REMEMBERED:
                self._known.clear()
            self._known[digest] = found
        return found

    def _look(self, token: str) -> Token:
        with self._database.transaction(None, Duty.SIGN_IN) as session:
            found = tokens.live(session, token, now(session))
        if found is None:
            raise _refused("invalid-token")
        return found

    def _door(self, digest: bytes, found: Token, proof: Proof) -> Door:
        def admit(told: Sequence[Told], at: datetime) -> None:
            standing, use = told
            if not tokens.stands(standing, at):
                self._known.pop(digest, None)
                raise _refused("invalid-token")
            try:
                proof.require_time(at)
            except dpop.ProofRefusedError as refused:
                raise _refused("invalid-dpop-proof") from refused
            if replay.was_used(use):
                raise _refused("invalid-dpop-proof")
            if proof.thumbprint != found.jkt:
                raise _refused("invalid-token")

        return Door(duty=Duty.SIGN_IN, asked=(tokens.standing(digest), proof.use), admit=admit)


def _refused(code: str) -> UnauthorizedError:
    challenge = f'{CHALLENGE}, error="{code.replace("-", "_")}"'
    return UnauthorizedError(code, headers={"WWW-Authenticate": challenge})
