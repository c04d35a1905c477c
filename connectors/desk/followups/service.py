# SPDX-License-Identifier: Apache-2.0
"""Set a follow-up, write down what came of it, renew the secret of a calendar."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from datetime import date

from sqlalchemy import Connection
from sqlalchemy.dialects.sqlite import insert

from connectors.base.errors import ConnectorError
from connectors.casebook import access, deeds, journal
from connectors.desk.followups import reads
from connectors.desk.followups.reads import Done, Thread, Whose
from connectors.desk.followups.tables import calendar_feeds
from connectors.desk.web.visits import Visit

_TOKEN_BYTES = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came of a follow-up; the words stay here, the hub learns codes and the next day alone."""

    channel: str
    asked: tuple[str, ...]
    result: str
    next_due: date | None
    note: str = field(default="", repr=False)
    reason: str = field(default="", repr=False)


def whose(visit: Visit, width: str) -> Whose:
    """Give whose follow-ups are asked for."""
    return Whose(agency=visit.site.connector.agency, me=visit.me.id, team=visit.me.team, width=width)


def set_due(connection: Connection, visit: Visit, thread: Thread, due: date) -> str:
    """Queue a follow-up for a day; give the row's key. The day is sent, never a preset: a row may wait for the line."""
    return deeds.follow_up(connection, visit.pen(), referral=thread.id, due=due)


def open_one(thread: Thread, n: int) -> Done:
    """Give a follow-up of ours by its number.

    *Raises* `ConnectorError("follow-up-unknown")`.
    """
    found = next((one for one in thread.ours if one.n == n), None)
    if found is None:
        raise ConnectorError("follow-up-unknown")
    return found


def answer(connection: Connection, visit: Visit, thread: Thread, n: int, said: Answer) -> str:
    """Queue what came of a follow-up and keep the words here; give the row's key."""
    pen = visit.pen()
    codes = {
        "channel": said.channel,
        "asked": list(said.asked),
        "result": said.result,
        "next_due": said.next_due.isoformat() if said.next_due else None,
    }
    key = deeds.follow_up_done(connection, pen, referral=thread.id, n=n, answer=codes)
    words = "\n".join(text for text in (said.note, said.reason) if text)
    kind = "visit" if said.channel == "visit" else "call" if said.channel == "telephone" else "note"
    entry = journal.Entry(
        id=pen.new_id(),
        case=thread.case,
        referral=thread.id,
        at=pen.now,
        staff=pen.staff,
        kind=kind,
        channel=said.channel,
        text=words,
    )
    journal.write(connection, pen, entry)
    return key


def renew_feed(connection: Connection, visit: Visit) -> str:
    """Make the secret of one's own calendar, or another one in its place; the old address shows nothing any more."""
    token = secrets.token_urlsafe(_TOKEN_BYTES)
    values = {"token": token, "made_at": visit.at}
    statement = insert(calendar_feeds).values(member=visit.me.id, **values)
    connection.execute(statement.on_conflict_do_update(index_elements=["member"], set_=values))
    access.record(connection, staff=visit.me.id, action="calendar:renewed", about=visit.me.id, now=visit.at)
    return token


def feed_owner(connection: Connection, token: str) -> str:
    """Give whose calendar a secret opens.

    *Raises* `ConnectorError("calendar-unknown")`.
    """
    member = reads.member_of_feed(connection, token)
    if member is None:
        raise ConnectorError("calendar-unknown")
    return member
