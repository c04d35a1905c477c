# SPDX-License-Identifier: Apache-2.0
"""The gate: who is calling, and does the permission's row let them in. How tokens are checked is oauth's affair.

The validator is given by registration (`hub/app.py`), so that this file stands below the slices.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from flask import Request

from hub.base.db import Door
from hub.base.errors import ForbiddenError, UnauthorizedError
from hub.web.permissions import CONNECTOR, PERMISSIONS

CHALLENGE: Final = 'DPoP algs="ES256"'


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who is calling: the agency, its OAuth client and the scopes of the token (bare OAuth names).

    `door` is what only the database can say of them: that the token still stands and its proof was not used before. It
    is asked by the first transaction of the request, in the same round trip as the work (`hub.base.db`).
    """

    agency: str
    client: str
    scopes: frozenset[str]
    role: str = CONNECTOR
    door: Door | None = None


NOBODY: Final = Caller(agency="", client="", scopes=frozenset(), role="")

Validator = Callable[[Request], Caller]
"""Tells who sent the request, or raises UnauthorizedError."""


class Gate:
    """Lets callers in, or says why not."""

    def __init__(self, validator: Validator | None = None) -> None:
        """Take the validator; without one nobody gets through a door that is not open."""
        self._validator = validator

    def admit(self, permission: str, request: Request) -> Caller:
        """Tell who calls, if `permission` lets them: `recognise`, then `require`. A `door` is still to be asked."""
        caller = self.recognise(permission, request)
        self.require(permission, caller)
        return caller

    def recognise(self, permission: str, request: Request) -> Caller:
        """Tell who calls; where `permission` is OPEN nobody is asked.

        *Raises* UnauthorizedError: the token or its proof is not good.
        """
        if PERMISSIONS[permission].open:
            return NOBODY
        if self._validator is None:
            raise UnauthorizedError(headers={"WWW-Authenticate": CHALLENGE})
        return self._validator(request)

    def require(self, permission: str, caller: Caller) -> None:
        """Require that the role is one of the permission's, and that one of its scopes, if it has any, is in the token.

        *Raises* ForbiddenError: forbidden, insufficient-scope.
        """
        rule = PERMISSIONS[permission]
        if rule.open:
            return
        if caller.role not in rule.roles:
            raise ForbiddenError("forbidden")
        if rule.scopes and not rule.scopes & caller.scopes:
            needed = " ".join(sorted(rule.scopes))
            challenge = f'{CHALLENGE}, error="insufficient_scope", scope="{needed}"'
            raise ForbiddenError("insufficient-scope", headers={"WWW-Authenticate": challenge})
