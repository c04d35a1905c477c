# SPDX-License-Identifier: Apache-2.0
"""Read an agency's webhooks and how their deliveries went. Secrets are not among what is read here."""

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from hub.webhooks.rules import DisabledFor, Outcome
from hub.webhooks.tables import webhook_deliveries, webhooks


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """One address that an agency's events are sent to. `failures` counts those since the last success."""

    id: str
    agency: str
    url: str
    failures: int
    failing_since: datetime | None
    next_try_at: datetime | None
    disabled_at: datetime | None
    disabled_for: DisabledFor | None
    old_secret_until: datetime | None
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One try: which event, how it went, the receiver's status if it answered."""

    id: str
    event: str
    kind: str
    attempt: int
    outcome: Outcome
    status: int | None
    milliseconds: int
    at: datetime


def webhook(session: Session, webhook_id: str, *, agency: str, lock: bool = False) -> Webhook | None:
    """Give one of the agency's webhooks; `lock` holds it for a change."""
    statement = sa.select(webhooks).where(webhooks.c.id == webhook_id, *_present(agency))
    row = session.execute(statement.with_for_update() if lock else statement).mappings().one_or_none()
    return None if row is None else _webhook(row)


def page(session: Session, agency: str, *, after: str | None, limit: int) -> tuple[Webhook, ...]:
    """List the agency's webhooks in the order in which they were registered."""
    statement = sa.select(webhooks).where(*_present(agency)).order_by(webhooks.c.id).limit(limit)
    if after is not None:
        statement = statement.where(webhooks.c.id > after)
    return tuple(_webhook(row) for row in session.execute(statement).mappings())


def deliveries(session: Session, webhook_id: str, *, before: str | None, limit: int) -> tuple[Delivery, ...]:
    """List what was tried at a webhook, newest first."""
    table = webhook_deliveries.c
    wanted = (
        table.id, table.event, table.kind, table.attempt, table.outcome, table.status, table.milliseconds, table.at,
    )  # fmt: skip
    statement = sa.select(*wanted).where(table.webhook == webhook_id).order_by(table.id.desc()).limit(limit)
    if before is not None:
        statement = statement.where(table.id < before)
    rows = session.execute(statement).mappings()
    return tuple(Delivery(**{**row, "outcome": Outcome(row["outcome"])}) for row in rows)


def _present(agency: str) -> tuple[sa.ColumnElement[bool], ...]:
    return webhooks.c.agency == agency, webhooks.c.removed_at.is_(None)


def _webhook(row: sa.RowMapping) -> Webhook:
    return Webhook(
        id=row["id"],
        agency=row["agency"],
        url=row["url"],
        failures=row["failures"],
        failing_since=row["failing_since"],
        next_try_at=row["due_at"] if row["failures"] and row["disabled_at"] is None else None,
        disabled_at=row["disabled_at"],
        disabled_for=None if row["disabled_for"] is None else DisabledFor(row["disabled_for"]),
        old_secret_until=row["old_until"],
        created_at=row["created_at"],
    )
