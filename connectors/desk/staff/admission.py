# SPDX-License-Identifier: Apache-2.0
"""Whose session a request belongs to: the gate's `Admission`, fulfilled by the staff slice.

A session that has been idle for too long locks; what is sent while it is locked is kept for when it is unlocked.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

from flask import request, session

from connectors.desk.staff import reads, rules, service
from connectors.desk.staff.pages import SESSION_TOKEN
from connectors.desk.web.gate import Admitted
from connectors.desk.web.site import here

NOTED_EVERY: Final = timedelta(seconds=30)
"""Activity is written down at most this often: a page that only reads shall not write each time."""
_NOT_KEPT: Final = frozenset({"csrf_token", "password"})
_LARGEST_KEPT: Final = 200_000


class StaffAdmission:
    """Looks the cookie's token up in the casebook."""

    def admitted(self) -> Admitted | None:
        """Give whoever has signed in; an ended session is removed."""
        token = session.get(SESSION_TOKEN)
        if not isinstance(token, str):
            return None
        site, now = here(), here().now()
        with site.connector.casebook.transaction() as connection:
            found = reads.session_of(connection, token)
            if found is None:
                return None
            stands = rules.standing(
                begun_at=found.begun_at, active_at=found.active_at, locked=found.locked, now=now, limits=site.limits
            )
            if stands is rules.Standing.ENDED:
                service.end(connection, found.id)
                return None
            if stands is rules.Standing.LOCKED and not found.locked:
                service.lock(connection, found.id)
            if stands is rules.Standing.OPEN and now - found.active_at >= NOTED_EVERY:
                service.touch(connection, found.id, now=now)
        return Admitted(member=found.member, session=found.id, locked=stands is rules.Standing.LOCKED)

    def keep(self, session: str) -> None:
        """Keep the form of this request: its path and fields, without files and secrets."""
        fields: list[tuple[str, str]] = [
            (name, value) for name, value in request.form.items(multi=True) if name not in _NOT_KEPT
        ]
        if sum(len(value) for _, value in fields) > _LARGEST_KEPT:
            return
        kept: dict[str, Any] = {"path": request.full_path.rstrip("?"), "fields": fields}
        site = here()
        with site.connector.casebook.transaction() as connection:
            service.lock(connection, session, kept)
