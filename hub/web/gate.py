# SPDX-License-Identifier: Apache-2.0
"""The gate: who is calling, and does the permission's row let them in. How tokens are checked is oauth's affair.

The validator is given by registration (`hub/app.py`), so that this file stands below the slices.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from flask import Request

from hub.base.errors import ForbiddenError, UnauthorizedError
from hub.web.permissions import CONNECTOR, PERMISSIONS

CHALLENGE: Final = 'DPoP algs="ES256"'


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who is calling: the agency, its OAuth client and the scopes of the token (bare OAuth names)."""

    agency: str
    client: str
    scopes: frozenset[str]
    role: str = CONNECTOR


NOBODY: Final = Caller(agency="", client="", scopes=frozenset(), role="")

Validator = Callable[[Request], Caller]
"""Tells who sent the request, or raises UnauthorizedError."""


class Gate:
    """Lets callers in, or says why not."""

    def __init__(self, validator: Validator | None = None) -> None:
        """Take the validator; without one nobody gets through a door that is not open."""
        self._validator = validator

    def admit(self, permission: str, request: Request) -> Caller:
        """Tell who calls, if `permission` lets them.

        1. A door that is OPEN asks nobody. 2. The token must be good. 3. The role must be one of the rule's.
        4. One of the rule's scopes must be in the token.

        *Raises* UnauthorizedError (2), ForbiddenError: forbidden (3), insufficient-scope (4).
        """
        rule = PERMISSIONS[permission]
        if rule.open:
            return NOBODY
        if self._validator is None:
            raise UnauthorizedError(headers={"WWW-Authenticate": CHALLENGE})
        caller = self._validator(request)
        if caller.role not in rule.roles:
            raise ForbiddenError("forbidden")
        if not rule.scopes & caller.scopes:
            needed = " ".join(sorted(rule.scopes))
            challenge = f'{CHALLENGE}, error="insufficient_scope", scope="{needed}"'
            raise ForbiddenError("insufficient-scope", headers={"WWW-Authenticate": challenge})
        return caller
