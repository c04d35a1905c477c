# SPDX-License-Identifier: Apache-2.0
"""Who may decide about an emergency disclosure, and how one stands; pure (consent.md, "Other bases", row emergency)."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Final

from connectors.desk.web.visits import Role
from consent.decisions import EMERGENCY_TERM
from consent.vocabulary.codes import CODE_LISTS, EMERGENCY_MINIMUM

PURPOSE: Final = "emergency_response"
TERM: Final = EMERGENCY_TERM
"""How long a request may wait for an approver, and how long an approval holds."""
CATEGORIES: Final = tuple(code for code in CODE_LISTS["categories"] if code in EMERGENCY_MINIMUM)
"""All that may go without consent, in the vocabulary's order."""
OPEN: Final = frozenset({"asked", "approved", "sent"})
"""States after which something is left to do."""


def approver_role(roles: Collection[Role]) -> str | None:
    """Give as what somebody may approve, as the manifest names it; none where they may not."""
    if Role.SUPERVISOR in roles:
        return "supervisor"
    return "administrator" if Role.ADMINISTRATOR in roles else None


def bar(*, me: str, roles: Collection[Role], asked_by: str, standing: str) -> str | None:
    """Give why somebody may not decide about a request: `lapsed`, `decided`, `own`, `role`; none where they may."""
    if standing == "lapsed":
        return "lapsed"
    if standing != "asked":
        return "decided"
    if me == asked_by:
        return "own"
    return "role" if approver_role(roles) is None else None


def standing(
    *, state: str, asked_at: datetime, decided_at: datetime | None, outgoing: str | None, now: datetime
) -> str:
    """Say how a request stands: asked, approved (on its way), sent, refused (by the hub), turned_down, lapsed.

    `outgoing` is the state of the row that carries it to the hub. What nobody decided in time lapses, and so does an
    approval that could not be brought to the hub in time.
    """
    if state == "asked":
        return "lapsed" if now >= asked_at + TERM else "asked"
    if state != "approved":
        return state
    if outgoing in {"sent", "refused"}:
        return outgoing
    return "lapsed" if decided_at is not None and now >= decided_at + TERM else "approved"
