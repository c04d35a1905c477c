# SPDX-License-Identifier: Apache-2.0
"""Write down what must be done or told, in the transaction that makes it necessary. Doing it is the jobs' part."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from hub.base.ids import new_id
from hub.outbox import tables
from hub.outbox.rules import QUEUE


def put(
    session: Session,
    *,
    topic: str,
    about: str,
    order_key: str,
    now: datetime,
    due: datetime | None = None,
    agency: str | None = None,
) -> str:
    """Ask for *topic* to be done about the thing *about* once this transaction commits, and return the row's id.

    Rows with one *order_key* are done one after the other, in the order in which their writers held that thing's
    lock. A row with *due* in the future holds up nobody until then.
    """
    work_id = new_id(now)
    session.execute(
        sa.insert(tables.outbox).values(
            id=work_id,
            topic=topic,
            about=about,
            agency=agency,
            order_key=order_key,
            created_at=now,
            due_at=due or now,
        )
    )
    session.info.setdefault("wake", set()).add(QUEUE)
    return work_id


def tell(session: Session, *, agency: str, event: str, about: str, now: datetime) -> None:
    """Put *event* about the thing *about* on the agency's feed, `GET /v1/events` (api: Resources)."""
    session.execute(
        sa.insert(tables.events).values(id=new_id(now), agency=agency, event=event, about=about, at=now)
    )
    session.info.setdefault("wake", set()).add(feed_queue(agency))


def feed_queue(agency: str) -> str:
    """Return the name under which those who wait for this agency's feed are woken."""
    return f"feed:{agency}"
