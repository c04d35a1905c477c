# SPDX-License-Identifier: Apache-2.0
"""What a worker does at a referral, a case or a task, queued for the hub like everything else.

A move is made at the hub, never here: the row waits in the outbox, so that with the line down nothing is lost and with
the line up the answer comes within the same page. The hub takes a late move only where it is still legal; else the
row is refused and a person looks at it (referral-loop.md, "Order of checks").
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import Connection

from connectors.casebook import access, charge, meeting_deeds, outgoing, people, tables
from connectors.casebook.statements import Pen

KINDS: Final = frozenset(
    {"move", "refer_on", "accompaniment", "accompaniment_change", "follow_up", "follow_up_done", "task_done", "note",
     "case_move"}
) | meeting_deeds.KINDS  # fmt: skip
"""The kinds of rows that are a worker's deed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deed:
    """A queued deed and what the hub said: `state` is waiting, sent or refused; `code` why; `answer` its problem."""

    key: str
    what: str
    about: str
    state: str
    code: str | None
    answer: Mapping[str, Any]
    said: Mapping[str, Any]
    queued_at: datetime
    tries: int


def move(
    connection: Connection,
    pen: Pen,
    *,
    referral: str,
    event: str,
    said: Mapping[str, Any],
    version: int,
    here: Mapping[str, Any] | None = None,
) -> str:
    """Queue a move of a referral, made on the version that was seen; give the row's key.

    `here`: what is written in the casebook once the hub has taken it (`casebook/charge.py`); it is not sent.
    """
    body = {"event": event, "said": _plain(said), "version": version}
    if here is not None:
        body |= {charge.HERE: dict(here), "by": pen.staff}
    return _queue(connection, pen, "move", about=referral, path=f"/v1/referrals/{referral}/{event}", body=body)


def refer_on(
    connection: Connection,
    pen: Pen,
    *,
    referral: str,
    message: str,
    body: Mapping[str, Any],
    version: int,
    reason: str | None = None,
) -> str:
    """Queue the next referral of a declined need; `body` holds the sealed message that was prepared."""
    said = {**body, "message": message, "version": version, "reason": reason}
    return _queue(connection, pen, "refer_on", about=referral, path=f"/v1/referrals/{referral}/refer-on", body=said)


def accompaniment(connection: Connection, pen: Pen, *, referral: str, going: Mapping[str, Any]) -> str:
    """Queue an accompaniment to be written down, planned or past."""
    path = f"/v1/referrals/{referral}/accompaniments"
    return _queue(connection, pen, "accompaniment", about=referral, path=path, body=_plain(going))


def accompaniment_change(
    connection: Connection,
    pen: Pen,
    *,
    referral: str,
    n: int | None,
    going: Mapping[str, Any],
    version: int,
    outing: str | None = None,
) -> str:
    """Queue an accompaniment as it stands now; the whole record is sent.

    `n` is none where the plan still waits before it: the number is then looked up by `outing` as the row goes out.
    """
    path = f"/v1/referrals/{referral}/accompaniments/{n or '-'}"
    body = {"going": _plain(going), "n": n, "version": version, "outing": outing}
    return _queue(connection, pen, "accompaniment_change", about=referral, path=path, body=body)


def follow_up(
    connection: Connection, pen: Pen, *, referral: str, due: date | None = None, preset: str | None = None
) -> str:
    """Queue a follow-up for a day or by a preset."""
    path = f"/v1/referrals/{referral}/follow-ups"
    body = _plain({"due": due, "preset": preset})
    return _queue(connection, pen, "follow_up", about=referral, path=path, body=body)


def follow_up_done(connection: Connection, pen: Pen, *, referral: str, n: int, answer: Mapping[str, Any]) -> str:
    """Queue what came of a follow-up."""
    path = f"/v1/referrals/{referral}/follow-ups/{n}/done"
    return _queue(connection, pen, "follow_up_done", about=referral, path=path, body={"answer": _plain(answer), "n": n})


def task_done(connection: Connection, pen: Pen, *, task: str) -> str:
    """Queue that a task is done."""
    return _queue(connection, pen, "task_done", about=task, path=f"/v1/tasks/{task}/done", body={})


def note(connection: Connection, pen: Pen, *, case: str, note: Mapping[str, Any]) -> str:
    """Queue that something of a kind was noted at a case."""
    people.announce(connection, case, now=pen.now)
    return _queue(connection, pen, "note", about=case, path=f"/v1/cases/{case}/notes", body=_plain(note))


def case_move(connection: Connection, pen: Pen, *, case: str, said: Mapping[str, Any], version: int) -> str:
    """Queue a move of a case to a step."""
    body = {"said": _plain(said), "version": version}
    people.announce(connection, case, now=pen.now)
    return _queue(connection, pen, "case_move", about=case, path=f"/v1/cases/{case}/steps", body=body)


def find(connection: Connection, key: str) -> Deed | None:
    """Give a queued row by its key, whatever its kind."""
    row = connection.execute(sa.select(tables.outgoing).where(tables.outgoing.c.key == key)).one_or_none()
    return None if row is None else _deed(row)


def waiting_about(connection: Connection, about: str) -> tuple[Deed, ...]:
    """Give the deeds about a thing that wait for the hub, in their order."""
    return _deeds(connection, tables.outgoing.c.about == about, tables.outgoing.c.state == "waiting")


def latest(connection: Connection, what: str, about: str) -> Deed | None:
    """Give the newest queued row of a kind about a thing: a message or a receipt that was written just now."""
    found = _deeds(connection, tables.outgoing.c.what == what, tables.outgoing.c.about == about)
    return found[-1] if found else None


def moves_of(connection: Connection, referral: str) -> tuple[Deed, ...]:
    """Give every move of a referral that was queued here, in their order, whatever came of it."""
    return _deeds(connection, tables.outgoing.c.what == "move", tables.outgoing.c.about == referral)


def refused(connection: Connection) -> tuple[Deed, ...]:
    """Give what the hub refused and nobody has looked at yet, oldest first: receipts and statuses settle themselves."""
    seen = sa.select(tables.settings.c.name)
    return _deeds(
        connection,
        tables.outgoing.c.state == "refused",
        tables.outgoing.c.what.in_(
            (*KINDS, "message", "consent", "exclusion", "revocation", "withdrawal", "purge", "sample")
        ),
        (sa.literal(_SEEN) + tables.outgoing.c.key).not_in(seen),
    )


def look_at(connection: Connection, pen: Pen, key: str) -> None:
    """Note that a person has looked at a refusal; it leaves the board."""
    statement = sa.insert(tables.settings).prefix_with("OR IGNORE")
    connection.execute(statement.values(name=_SEEN + key, value=pen.staff))
    access.record(connection, staff=pen.staff, action="refusal:seen", about=key, now=pen.now)


_SEEN: Final = "refusal-seen:"


def _queue(connection: Connection, pen: Pen, what: str, *, about: str, path: str, body: Mapping[str, Any]) -> str:
    key = pen.new_id()
    outgoing.put(connection, key=key, what=what, about=about, path=path, body=body, now=pen.now)
    access.record(connection, staff=pen.staff, action=f"{what.replace('_', '-')}:queued", about=about, now=pen.now)
    return key


def _deeds(connection: Connection, *where: sa.ColumnElement[bool]) -> tuple[Deed, ...]:
    rows = connection.execute(sa.select(tables.outgoing).where(*where).order_by(tables.outgoing.c.position))
    return tuple(_deed(row) for row in rows)


def _deed(row: sa.Row[Any]) -> Deed:
    return Deed(
        key=row.key,
        what=row.what,
        about=row.about,
        state=row.state,
        code=row.code,
        answer=row.answer or {},
        said=row.body,
        queued_at=row.queued_at,
        tries=row.tries,
    )


def _plain(said: Mapping[str, Any]) -> dict[str, Any]:
    """Write days and moments as the API does, and leave out what was not said."""

    def plain(value: Any) -> Any:
        if isinstance(value, Mapping):
            return _plain(value)
        return value.isoformat() if isinstance(value, date | datetime) else value

    return {name: plain(value) for name, value in said.items() if value is not None}
