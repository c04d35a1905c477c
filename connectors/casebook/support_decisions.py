# SPDX-License-Identifier: Apache-2.0
"""What a municipality decided on a plan (step 8), at the desk of the municipality; the answer itself is sealed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from connectors.base.errors import ConnectorError
from connectors.casebook import access
from connectors.casebook.statements import Pen
from connectors.casebook.tables_meetings import support_decisions as table


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """A decision: services under the law are decided, others only confirmed; codes of the vocabulary by service."""

    referral: str
    line: str
    case: str
    message: str
    key: str
    services: Mapping[str, str]
    first: date | None
    last: date | None
    words: str = field(repr=False)
    officer: str = field(repr=False)
    decided_at: datetime
    decided_by: str


def keep(connection: Connection, pen: Pen, made: Decided) -> None:
    """Keep a decision; one line is decided once.

    *Raises* `ConnectorError("decision-made")`.
    """
    document = {
        "services": dict(made.services),
        "first": made.first.isoformat() if made.first else None,
        "last": made.last.isoformat() if made.last else None,
        "words": made.words,
        "officer": made.officer,
    }
    same = ("referral", "line", "case", "message", "key", "decided_at", "decided_by")
    try:
        connection.execute(sa.insert(table).values(document=document, **{name: getattr(made, name) for name in same}))
    except IntegrityError:
        raise ConnectorError("decision-made") from None
    access.record(connection, staff=pen.staff, action="support:decided", about=made.line, case=made.case, now=pen.now)


def decided(connection: Connection, referral: str, line: str) -> Decided | None:
    """Give what was decided on a line, if it was."""
    row = connection.execute(sa.select(table).where(table.c.referral == referral, table.c.line == line)).one_or_none()
    return None if row is None else _decided(row)


def all_decided(connection: Connection) -> Sequence[Decided]:
    """Give every decision, the newest first."""
    rows = connection.execute(sa.select(table).order_by(table.c.decided_at.desc()))
    return [_decided(row) for row in rows]


def _decided(row: sa.Row[Any]) -> Decided:
    said = row.document
    same = ("referral", "line", "case", "message", "key", "decided_at", "decided_by")
    return Decided(
        **{name: getattr(row, name) for name in same},
        services=said["services"],
        first=date.fromisoformat(said["first"]) if said["first"] else None,
        last=date.fromisoformat(said["last"]) if said["last"] else None,
        words=said["words"],
        officer=said["officer"],
    )
