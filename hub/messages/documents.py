# SPDX-License-Identifier: Apache-2.0
"""What was signed about messages and stands in the log by its hash, for whoever checks it elsewhere (audit-log 7)."""

from collections.abc import Collection, Mapping

import sqlalchemy as sa
from sqlalchemy.orm import Session

from hub.messages import tables


def manifests(session: Session, rows: Collection[str]) -> Mapping[str, Mapping[str, str]]:
    """Give the sender's manifest and the hub's receipt of messages by the hub's row id."""
    if not rows:
        return {}
    table = tables.messages.c
    query = sa.select(table.id, table.manifest, table.receipt).where(table.id.in_(rows))
    return {row.id: {"manifest": row.manifest, "accepted": row.receipt} for row in session.execute(query)}


def receipts(session: Session, named: Collection[tuple[str, str]]) -> Mapping[tuple[str, str], str]:
    """Give receipts by their signer and its id of them."""
    if not named:
        return {}
    table = tables.receipts.c
    query = sa.select(table.recipient, table.receipt, table.token)
    asked = query.where(sa.tuple_(table.recipient, table.receipt).in_(sorted(named)))
    return {(row.recipient, row.receipt): row.token for row in session.execute(asked)}


def answers(session: Session, notices: Collection[str]) -> Mapping[str, str]:
    """Give the signed answers to stop-use notices by the notice's id."""
    if not notices:
        return {}
    table = tables.notices.c
    query = sa.select(table.id, table.record).where(table.id.in_(notices), table.record.is_not(None))
    return {row.id: row.record for row in session.execute(query)}
