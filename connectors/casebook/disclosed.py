# SPDX-License-Identifier: Apache-2.0
"""What this agency holds of the messages it sent and opened, for comparing with the log and the other side: signed
words and codes alone, never content.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import sqlalchemy as sa
from sqlalchemy import Connection

from connectors.casebook import tables
from consent import receipts
from consent.errors import TsunagiError
from consent.evidence.records import Held
from consent.receipts import ReceiptRecord

_OPENED: Final = ("opened", "undecryptable")


def held(connection: Connection, agency: str) -> Iterator[Held]:
    """Give every message that the hub took from us or handed over to us, oldest first."""
    own = tables.messages.c
    sent = sa.and_(own.sender == agency, own.hub_receipt.is_not(None))
    opened = sa.and_(own.sender != agency, own.state.in_(_OPENED))
    signed = _receipts(connection)
    for row in connection.execute(sa.select(tables.messages).where(sa.or_(sent, opened)).order_by(own.at, own.id)):
        yield Held(
            message=row.id,
            sender=row.sender,
            recipient=row.recipient,
            case=row.case,
            manifest=row.manifest,
            accepted=row.hub_receipt,
            receipts=tuple(signed.get((row.sender, row.id), ())),
            entry=row.log_entry,
            proof=row.log_proof,
        )


def _receipts(connection: Connection) -> dict[tuple[str, str], list[str]]:
    """Give the receipts that we signed by the message they are about: its sender and its sender's id of it."""
    outgoing = tables.outgoing.c
    query = sa.select(outgoing.body).where(outgoing.what == "receipt").order_by(outgoing.position)
    found: dict[tuple[str, str], list[str]] = {}
    for body in connection.execute(query).scalars():
        token = str(body["receipt"])
        try:
            said = receipts.peek_record(token, ReceiptRecord)
        except TsunagiError:
            # our own word altered here is no word; that the log has it and we do not is what shows
            continue
        found.setdefault((said.sender, said.message), []).append(token)
    return found
