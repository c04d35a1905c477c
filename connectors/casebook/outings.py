# SPDX-License-Identifier: Apache-2.0
"""Accompaniments (同行支援) as the agency plans and writes them down; the hub learns codes, dates and minutes alone.

An outing's id is the key of the row that tells the hub of it, so that the hub's number finds its outing whenever it
comes. What was planned and never reached the hub may be over by then: its end waits behind its plan (`change`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import Connection

from connectors.base.errors import ConnectorError
from connectors.casebook import access, compose, deeds, tables_mirror
from connectors.casebook.statements import Pen
from connectors.casebook.tables_files import escalations, outings
from consent.envelope.manifest import MessageKind
from consent.envelope.sealing import PlainPart
from consent.jwk import PublicKey

NARRATIVE: Final = "support_record"
"""The category under which the narrative is shared (protocol: it is sealed, the hub never sees it)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outing:
    """One accompaniment: `n` is its number at the hub, none while it waits; `document` is ours alone."""

    id: str
    referral: str
    n: int | None
    case: str
    staff: str
    begins_at: datetime
    arrived_at: datetime | None
    ended_at: datetime | None
    document: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Narrative:
    """How an accompaniment went, in the worker's words, for the other side of its referral."""

    referral: str
    thread: str
    case: str
    recipient: str
    purpose: str
    text: str = field(repr=False)


def plan(
    connection: Connection,
    pen: Pen,
    *,
    referral: str,
    case: str,
    begins_at: datetime,
    going: Mapping[str, Any],
    document: Mapping[str, Any],
) -> str:
    """Keep a planned accompaniment and queue it for the hub; give its id, which is the queued row's key."""
    key = deeds.accompaniment(connection, pen, referral=referral, going=going)
    connection.execute(
        sa.insert(outings).values(
            id=key,
            referral=referral,
            case=case,
            staff=pen.staff,
            begins_at=begins_at,
            document=dict(document),
        )
    )
    access.record(connection, staff=pen.staff, action="outing:planned", about=key, case=case, now=pen.now)
    return key


def find(connection: Connection, outing: str) -> Outing:
    """Give one.

    *Raises* `ConnectorError("outing-unknown")`.
    """
    row = connection.execute(sa.select(outings).where(outings.c.id == outing)).one_or_none()
    if row is None:
        raise ConnectorError("outing-unknown")
    return outing_from(row)


def of_referral(connection: Connection, referral: str) -> Sequence[Outing]:
    """Give those of a referral, the latest first."""
    query = sa.select(outings).where(outings.c.referral == referral).order_by(outings.c.begins_at.desc())
    return [outing_from(row) for row in connection.execute(query)]


def stamp(connection: Connection, pen: Pen, outing: str, *, arrived: bool = False, ended: bool = False) -> None:
    """Note the time of arriving or of ending, once: a second press changes nothing. Only the time, no place."""
    for column, wanted in ((outings.c.arrived_at, arrived), (outings.c.ended_at, ended)):
        if wanted:
            connection.execute(
                sa.update(outings).where(outings.c.id == outing, column.is_(None)).values({column: pen.now})
            )


def write(connection: Connection, pen: Pen, outing: Outing, **document: Any) -> Outing:
    """Keep what was written down of an accompaniment beside what was there; it stays in the casebook."""
    connection.execute(
        sa.update(outings).where(outings.c.id == outing.id).values(document={**outing.document, **document})
    )
    access.record(connection, staff=pen.staff, action="outing:written", about=outing.id, case=outing.case, now=pen.now)
    return find(connection, outing.id)


def change(connection: Connection, pen: Pen, outing: Outing, going: Mapping[str, Any]) -> str:
    """Queue an accompaniment as it stands now; give the row's key. Works before the hub has given it a number."""
    known = tables_mirror.accompaniments.c
    document = connection.execute(
        sa.select(known.document).where(known.referral == outing.referral, known.n == outing.n)
    ).scalar_one_or_none()
    # what waits before this row will have moved the version on by the time this one is sent
    ahead = sum(
        deed.what == "accompaniment_change" and deed.said.get("outing") == outing.id
        for deed in deeds.waiting_about(connection, outing.referral)
    )
    version = (int(document["version"]) if document else 1) + ahead
    return deeds.accompaniment_change(
        connection, pen, referral=outing.referral, n=outing.n, going=going, version=version, outing=outing.id
    )


def narrate(connection: Connection, pen: Pen, letter: Narrative, *, own: PublicKey) -> str:
    """Seal how it went to the other side of the referral, in its thread and as a support record; give the message's id.

    *Raises* as `compose.send`; nothing is kept or queued then.
    """
    part = PlainPart(category=NARRATIVE, media="text/plain", body=letter.text.encode())
    sealed = compose.Letter(
        case=letter.case,
        recipient=letter.recipient,
        purpose=letter.purpose,
        parts=(part,),
        kind=MessageKind.ACCOMPANIMENT,
        referral=letter.referral,
        thread=letter.thread,
    )
    return compose.send(connection, sealed, pen, own=own)


def escalate(connection: Connection, pen: Pen, outing: Outing) -> str:
    """Ask a supervisor to look at somebody who was turned away; give the id of the asking."""
    made = pen.new_id()
    connection.execute(
        sa.insert(escalations).values(
            id=made, case=outing.case, referral=outing.referral, outing=outing.id, at=pen.now, staff=pen.staff
        )
    )
    access.record(connection, staff=pen.staff, action="escalation:made", about=made, case=outing.case, now=pen.now)
    return made


def escalation_seen(connection: Connection, pen: Pen, escalation: str) -> None:
    """Note that a supervisor has looked; the first one counts."""
    known = escalations.c
    connection.execute(
        sa.update(escalations)
        .where(known.id == escalation, known.seen_at.is_(None))
        .values(seen_at=pen.now, seen_by=pen.staff)
    )
    access.record(connection, staff=pen.staff, action="escalation:seen", about=escalation, now=pen.now)


def numbered(connection: Connection, outing: str, n: int) -> None:
    """Note the number that the hub gave."""
    connection.execute(sa.update(outings).where(outings.c.id == outing).values(n=n))


def number_of(connection: Connection, outing: str) -> int | None:
    """Give the number at the hub, if it has one by now."""
    return connection.execute(sa.select(outings.c.n).where(outings.c.id == outing)).scalar_one_or_none()


def outing_from(row: sa.Row[Any]) -> Outing:
    """Read a row of the table."""
    return Outing(**{name: getattr(row, name) for name in Outing.__dataclass_fields__})
