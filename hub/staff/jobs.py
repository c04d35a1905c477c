# SPDX-License-Identifier: Apache-2.0
"""What the worker's timetable does for the people of the hub: forget what nobody can come in by any more."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from hub.staff import attempts, passkeys, sessions


def tidy(session: Session, *, now: datetime) -> None:
    """Remove sessions that are long over, challenges nobody can answer, and addresses whose tries count no more."""
    sessions.forget_over(session, now=now)
    passkeys.forget_old(session, now=now)
    attempts.forget_old(session, now=now)
