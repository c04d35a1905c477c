# SPDX-License-Identifier: Apache-2.0
"""Count what the log says of disclosures: by day, by reason of refusal, by category and recipient.

Only codes are counted. Who may count which entries is the transaction's (row-level security).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Session

from consent.ids import RANDOM_BYTES, uuid7
from hub.audit import tables
from hub.audit.rules import AuditKind

DISCLOSED: Final = AuditKind.MESSAGE_ACCEPTED
REFUSED: Final = AuditKind.MESSAGE_REFUSED
EMERGENCY: Final = AuditKind.OVERRIDE_USED
_ZONE: Final = "Asia/Tokyo"


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """From a moment until before another, of every agency or of one."""

    since: datetime
    until: datetime
    agency: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """What happened on one day in Japan, in messages."""

    disclosed: int = 0
    refused: int = 0
    emergency: int = 0


def by_day(session: Session, span: Span) -> Mapping[date, Day]:
    """Count disclosures, refusals and emergency disclosures of each day that had any."""
    table = tables.log_entries.c
    day = sa.cast(sa.func.timezone(_ZONE, table.logged_at), sa.Date).label("day")
    rows = session.execute(
        sa.select(day, table.kind, sa.func.count().label("n"))
        .where(*_within(span), table.kind.in_([DISCLOSED, REFUSED, EMERGENCY]))
        .group_by(day, table.kind)
    )
    found: dict[date, dict[str, int]] = {}
    for row in rows:
        found.setdefault(row.day, {})[row.kind] = row.n
    return {
        at: Day(disclosed=n.get(DISCLOSED, 0), refused=n.get(REFUSED, 0), emergency=n.get(EMERGENCY, 0))
        for at, n in found.items()
    }


def reasons(session: Session, span: Span) -> Mapping[str, int]:
    """Count refused messages by reason; one that was refused for two reasons counts under both."""
    facts = _facts(span, REFUSED)
    parts = _parts(facts)
    reason = parts.c.value.op("->>")("reason").label("reason")
    rows = session.execute(
        sa.select(reason, sa.func.count(facts.c.place.distinct()).label("n"))
        .select_from(sa.join(facts, parts, sa.true()))
        .where(reason.is_not(None))
        .group_by(reason)
    )
    return {row.reason: row.n for row in rows}


def by_category_and_kind(session: Session, span: Span) -> Mapping[tuple[str, str], int]:
    """Count disclosed parts by category and kind of the recipient."""
    facts = _facts(span, DISCLOSED)
    parts = _parts(facts)
    category = parts.c.value.op("->>")("category").label("category")
    kind = facts.c.said["to"].op("->>")("kind").label("recipient")
    rows = session.execute(
        sa.select(category, kind, sa.func.count().label("n"))
        .select_from(sa.join(facts, parts, sa.true()))
        .group_by(category, kind)
    )
    return {(row.category, row.recipient): row.n for row in rows if row.category and row.recipient}


def _facts(span: Span, kind: AuditKind) -> sa.Subquery:
    """Take the facts of each entry out of its bytes, once: the offset keeps the planner from doing it again for each
    use.
    """
    table = tables.log_entries.c
    said = sa.cast(sa.func.convert_from(table.body, "UTF8"), JSONB)["facts"].label("said")
    chosen = sa.select(table.index.label("place"), said).where(*_within(span), table.kind == kind)
    return chosen.offset(0).subquery("facts")


def _parts(facts: sa.Subquery) -> sa.TableValuedAlias:
    """Unfold the parts of each decision, one row for each; to be joined to the facts."""
    return sa.func.jsonb_array_elements(facts.c.said["parts"]).table_valued(sa.column("value", JSONB))


def _within(span: Span) -> list[sa.ColumnElement[bool]]:
    """Keep to the span by the entries' ids, which sort by time and have an index."""
    table = tables.log_entries.c
    first, last = (uuid7(at, bytes(RANDOM_BYTES)) for at in (span.since, span.until))
    conditions = [table.id >= first, table.id < last]
    if span.agency is not None:
        conditions.append(table.parties.contains([span.agency]))
    return conditions
