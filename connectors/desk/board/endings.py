# SPDX-License-Identifier: Apache-2.0
"""Which consents end soon: each signed record is read once and its end kept; the board asks the ends alone."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

import sqlalchemy as sa
from sqlalchemy import Connection

from connectors.casebook import tables
from connectors.desk.board.rows import Row, Some, some
from connectors.desk.board.scope import TOTAL, WHO, Scope, with_person
from connectors.desk.board.tables import consent_ends
from consent import receipts, signing, wire
from consent.receipts import ConsentRecord

SOON: Final = timedelta(days=30)
_AT_ONCE: Final = 2_000
"""How many new records one look reads; a desk that has just been filled needs a few looks."""


def learn(connection: Connection) -> int:
    """Read the end of each record that is new since the last look; give how many."""
    known, end = tables.consents.c, consent_ends.c
    query = (
        sa.select(known.id, known.signer, known.case, known.token)
        .select_from(
            tables.consents.outerjoin(consent_ends, sa.and_(end.consent == known.id, end.signer == known.signer))
        )
        .where(end.consent.is_(None))
        .limit(_AT_ONCE)
    )
    rows = connection.execute(query).all()
    records = [
        (row, wire.read(ConsentRecord, signing.peek_payload(row.token, typ=receipts.TYPS[ConsentRecord])))
        for row in rows
    ]
    if records:
        connection.execute(
            sa.insert(consent_ends),
            [
                {"consent": row.id, "signer": row.signer, "case": row.case, "ends_at": record.valid_until}
                for row, record in records
            ],
        )
    replaced = [old for _, record in records for old in record.supersedes]
    if replaced:
        connection.execute(sa.update(consent_ends).where(end.consent.in_(replaced)).values(replaced=True))
    return len(records)


def ending_soon(connection: Connection, scope: Scope, *, limit: int) -> Some:
    """Give the consents that end within a month and that nothing has replaced or ended before, the next first."""
    end, known, gone, back = consent_ends.c, tables.consents.c, tables.superseded.c, tables.withdrawals.c
    withdrawn = (
        sa.select(back.id)
        .where(back.case == end.case, back.to == sa.literal([], sa.JSON), back.categories == sa.literal([], sa.JSON))
        .where(sa.or_(back.scopes == sa.literal([], sa.JSON), _names(back.scopes, end.consent)))
    )
    joined = with_person(
        consent_ends.join(tables.consents, sa.and_(known.id == end.consent, known.signer == end.signer)), end.case
    )
    query = (
        sa.select(end.consent, end.case, end.ends_at, *WHO, TOTAL)
        .select_from(joined)
        .where(end.ends_at > scope.now, end.ends_at <= scope.now + SOON, ~end.replaced, known.refused.is_(None))
        .where(tables.cases.c.closed_at.is_(None), scope.covers(), ~withdrawn.exists())
        .where(~sa.select(gone.id).where(gone.id == end.consent, gone.signer == end.signer).exists())
        .order_by(end.ends_at, end.consent)
        .limit(limit)
    )
    return some(
        connection.execute(query).all(),
        lambda row: Row(
            about=f"consent:{row.consent}",
            kind="consent",
            case=row.case,
            name=row.name,
            number=row.number,
            due=row.ends_at,
        ),
    )


def _names(listed: sa.ColumnElement[object], one: sa.ColumnElement[str]) -> sa.ColumnElement[bool]:
    """Say that a list kept as JSON has an id in it; ids hold no quotation marks."""
    return sa.cast(listed, sa.String).contains(sa.literal('"') + one + sa.literal('"'))
