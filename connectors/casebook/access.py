# SPDX-License-Identifier: Apache-2.0
"""The agency's own access log: who looked at, searched, wrote or sent what. Appended to, never changed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy import Connection

from connectors.casebook import tables


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """One line of the log."""

    at: datetime
    staff: str
    action: str
    case: str | None
    about: str


def record(
    connection: Connection, *, staff: str, action: str, about: str, now: datetime, case: str | None = None
) -> None:
    """Write one line. `action` is `thing:happened`; `about` an id or a code, never a name."""
    connection.execute(sa.insert(tables.access_log).values(at=now, staff=staff, action=action, about=about, case=case))


def record_of_cases(
    connection: Connection, *, staff: str, action: str, about: str, cases: Iterable[str], now: datetime
) -> None:
    """Write one line per case, for what was done with many at once."""
    lines = [{"at": now, "staff": staff, "action": action, "about": about, "case": case} for case in cases]
    if lines:
        connection.execute(sa.insert(tables.access_log), lines)


def history(connection: Connection, case: str) -> Iterator[Access]:
    """Give who did what with a case, oldest first."""
    rows = connection.execute(
        sa.select(tables.access_log).where(tables.access_log.c.case == case).order_by(tables.access_log.c.position)
    )
    for row in rows:
        yield Access(at=row.at, staff=row.staff, action=row.action, case=row.case, about=row.about)
