# SPDX-License-Identifier: Apache-2.0
"""What the hub will say, asked here first with the same function and what this agency knows (consent.md).

A statement that still waits for the hub counts from now on, since it is sent before the message that rests on it. A
partner knows only the records that name it: its reason may differ from the hub's, its permission may not.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy import Connection

from connectors.casebook import directory, statements, tables
from consent import decisions
from consent.scopes import Conference


def facts_of(connection: Connection, case: str, *, now: datetime) -> decisions.Facts:
    """Gather what this agency knows of a case's consents, for one decision at `now`."""
    known = statements.consents_of(connection, case)
    row = connection.execute(
        sa.select(tables.cases.c.owner, tables.cases.c.closed_at).where(tables.cases.c.handle == case)
    ).one_or_none()
    intake = {consent.record.agency for consent in known} | ({row.owner} if row else set())
    return decisions.Facts(
        intake_side=frozenset(intake),
        closed_at=row.closed_at if row else None,
        scopes=tuple(consent.registered(now) for consent in known),
        exclusions=tuple(statements.exclusions_of(connection, case)),
        withdrawals=tuple(statements.withdrawals_of(connection, case)),
        conferences=tuple(_conferences(connection)),
    )


def preview(
    connection: Connection,
    *,
    case: str,
    sender: str,
    recipient: str,
    purpose: str,
    categories: Sequence[str],
    basis: decisions.Basis,
    now: datetime,
) -> tuple[tuple[str, decisions.Permitted | decisions.Refused], ...]:
    """Decide each category as the hub will, with what is known here.

    *Raises* `ConnectorError("agency-unknown")` for a recipient the directory does not have, `DocumentRefusedError`
    for a code that is not in the vocabulary.
    """
    question = decisions.Question(
        sender=directory.party(connection, sender),
        recipient=directory.party(connection, recipient),
        purpose=purpose,
        category="",
        basis=basis,
        at=now,
    )
    return decisions.decide_parts(question, facts_of(connection, case, now=now), categories)


def _conferences(connection: Connection) -> list[Conference]:
    rows = connection.execute(sa.select(tables.conferences))
    return [Conference(id=row.id, members=frozenset(row.members), until=row.until) for row in rows]
