# SPDX-License-Identifier: Apache-2.0
"""What the hub will say, asked here first with the same function and what this agency knows (consent.md).

A statement that still waits for the hub counts from now on, since it is sent before the message that rests on it. A
partner knows only the records that name it: its reason may differ from the hub's, its permission may not.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy import Connection

from connectors.casebook import conferences, directory, statements, tables
from consent import decisions
from consent.scopes import VALID_SIGNATURES


def facts_of(connection: Connection, case: str, *, now: datetime) -> decisions.Facts:
    """Gather what this agency knows of a case's consents, for one decision at `now`."""
    known = statements.consents_of(connection, case)
    row = connection.execute(
        sa.select(tables.cases.c.owner, tables.cases.c.closed_at).where(tables.cases.c.handle == case)
    ).one_or_none()
    scopes = tuple(consent.registered(now) for consent in known)
    intake = {consent.record.agency for consent in known} | ({row.owner} if row else set())
    # as at the hub: a form that nobody signed does not make another agency one of the intake's side
    signed = (one.scope for one in scopes if one.scope.signature in VALID_SIGNATURES)
    return decisions.Facts(
        intake_side=frozenset(intake).union(*(scope.hub_parties for scope in signed)),
        closed_at=row.closed_at if row else None,
        scopes=scopes,
        exclusions=tuple(statements.exclusions_of(connection, case)),
        withdrawals=tuple(statements.withdrawals_of(connection, case)),
        conferences=tuple(conferences.conferences(connection)),
    )


def preview(  # noqa: PLR0913 - what is asked, each by name
    connection: Connection,
    *,
    case: str,
    sender: str,
    recipient: str,
    purpose: str,
    categories: Sequence[str],
    basis: decisions.Basis,
    now: datetime,
    sent_at: datetime | None = None,
) -> tuple[tuple[str, decisions.Permitted | decisions.Refused], ...]:
    """Decide each category as the hub will, with what is known here.

    `sent_at`: when the hub took the message, for a decision on one that was sent before; an emergency runs from then.

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
        sent_at=sent_at,
    )
    return decisions.decide_parts(question, facts_of(connection, case, now=now), categories)


def for_each(
    connection: Connection,
    *,
    case: str,
    sender: str,
    recipients: Iterable[str],
    purpose: str,
    categories: Sequence[str],
    now: datetime,
) -> Mapping[str, tuple[tuple[str, decisions.Permitted | decisions.Refused], ...]]:
    """Decide by consent for several recipients at once, as `preview` does for one, for a list to choose from.

    *Raises* as `preview`.
    """
    facts = facts_of(connection, case, now=now)
    own = directory.party(connection, sender)
    return {
        recipient: decisions.decide_parts(
            decisions.Question(
                sender=own,
                recipient=directory.party(connection, recipient),
                purpose=purpose,
                category="",
                basis=decisions.ConsentBasis(),
                at=now,
            ),
            facts,
            categories,
        )
        for recipient in recipients
    }
