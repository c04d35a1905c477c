# SPDX-License-Identifier: Apache-2.0
"""Answer a stop-use notice: what was opened before its consent was taken back is purged, returned, or kept by law.

The answer is this agency's signed word (consent.md, "Withdrawal, expiry, closure"). What is purged or returned leaves
the casebook with the same transaction; that it was there stays in the access log.
"""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy import Connection

from connectors.casebook import access, outgoing, tables
from connectors.casebook.statements import Pen
from connectors.sdk.threads import Notice
from consent import receipts
from consent.receipts import PurgeAnswer, PurgeRecord


def answer_notice(
    connection: Connection,
    notice: Notice,
    answer: PurgeAnswer,
    pen: Pen,
    *,
    ground: str | None = None,
    until: datetime | None = None,
) -> int:
    """Do what the answer says, sign it and queue it; give how many parts left the casebook.

    `kept_by_law` needs `ground` and `until`, the others have neither.

    *Raises* `DocumentRefusedError` for an answer that the hub would not read; nothing is purged then.
    """
    record = PurgeRecord(
        id=pen.new_id(),
        agency=pen.agency,
        case=notice.case,
        withdrawal=notice.withdrawal,
        answer=answer,
        ground=ground,
        until=until,
        at=pen.now,
    )
    token = receipts.sign_statement(record, pen.key)
    gone = 0 if answer is PurgeAnswer.KEPT_BY_LAW else _purge(connection, notice)
    outgoing.put(
        connection,
        key=pen.new_id(),
        what="purge",
        about=notice.id,
        path=f"/v1/notices/{notice.id}/answer",
        body={"record": token},
        now=pen.now,
    )
    access.record(
        connection, staff=pen.staff, action=f"parts:{answer.value}", about=notice.id, case=notice.case, now=pen.now
    )
    return gone


def _purge(connection: Connection, notice: Notice) -> int:
    count = 0
    for item in notice.items:
        purged = connection.execute(
            sa.update(tables.parts)
            .where(
                tables.parts.c.message == item.message,
                tables.parts.c.sender == item.sender,
                tables.parts.c.category.in_(item.categories),
                tables.parts.c.result != "purged",
            )
            .values(body=b"", result="purged")
        )
        count += purged.rowcount
    return count
