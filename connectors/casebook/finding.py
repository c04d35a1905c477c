# SPDX-License-Identifier: Apache-2.0
"""Tips about people in need (step ①), outreach, and how a tip becomes a case without consent or ends.

Nobody whom a tip is about has agreed to anything: what stands here is read at this agency and nowhere else. A case
made of a tip has no consent, so that nothing of it can be sealed for another agency before the person says yes.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import Connection

from connectors.base.errors import ConnectorError
from connectors.casebook import access, files, journal, people
from connectors.casebook import tables_finding as own
from connectors.casebook.journal import Entry
from connectors.casebook.statements import Pen

OPEN: Final = "open"
CASE: Final = "case"
ENDED: Final = "ended"
STATES: Final = (OPEN, CASE, ENDED)
BY_FORM: Final = "form"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tip:
    """One tip. `document`: `name`, `kana`, `address`, `phone`, `signs`, `knows`, `teller`, `teller_phone`."""

    id: str
    at: datetime
    source: str
    came_by: str
    staff: str | None
    urgent: bool
    document: Mapping[str, Any]
    state: str = OPEN
    case: str | None = None
    reason: str | None = None
    settled_at: datetime | None = None
    settled_by: str | None = None

    def said(self, name: str) -> str:
        """Give what was told under a name, empty where nothing was or it was erased."""
        return str(self.document.get(name) or "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Outreach:
    """One visit or try to find whom a tip is about."""

    id: str
    tip: str
    at: datetime
    staff: str
    channel: str
    result: str
    text: str


def keep(connection: Connection, tip: Tip, *, by: str) -> None:
    """Keep a tip; the same id again changes nothing. `by` is who acts, for the access log."""
    values = {name: getattr(tip, name) for name in Tip.__dataclass_fields__}
    done = connection.execute(sa.insert(own.tips).prefix_with("OR IGNORE").values(**values))
    if done.rowcount:
        access.record(connection, staff=by, action="tip:kept", about=tip.id, now=tip.at)


def tip_of(connection: Connection, tip: str) -> Tip:
    """Give a tip. Whoever shows it logs that it was seen.

    *Raises* `ConnectorError("tip-unknown")`.
    """
    row = connection.execute(sa.select(own.tips).where(own.tips.c.id == tip)).one_or_none()
    if row is None:
        raise ConnectorError("tip-unknown")
    return _tip(row)


def tips(connection: Connection, state: str, *, limit: int, after: str | None = None) -> Sequence[Tip]:
    """List tips in a state: open ones urgent and oldest first, the others the latest first; after the tip `after`."""
    table = own.tips.c
    order = (table.urgent.desc(), table.at, table.id) if state == OPEN else (table.at.desc(), table.id.desc())
    rows = connection.execute(sa.select(own.tips).where(table.state == state).order_by(*order)).all()
    found = [_tip(row) for row in rows]
    start = next((place + 1 for place, one in enumerate(found) if one.id == after), 0) if after else 0
    return found[start : start + limit]


def count_open(connection: Connection) -> int:
    """Count the tips that nobody has settled."""
    query = sa.select(sa.func.count()).select_from(own.tips).where(own.tips.c.state == OPEN)
    return connection.execute(query).scalar_one()


def tips_of_case(connection: Connection, case: str) -> Sequence[Tip]:
    """Give the tips that a case came from, oldest first."""
    rows = connection.execute(sa.select(own.tips).where(own.tips.c.case == case).order_by(own.tips.c.at))
    return [_tip(row) for row in rows]


def write_outreach(connection: Connection, pen: Pen, tried: Outreach) -> None:
    """Write down a visit or a try; the same id again changes nothing."""
    values = {name: getattr(tried, name) for name in Outreach.__dataclass_fields__}
    done = connection.execute(sa.insert(own.outreach).prefix_with("OR IGNORE").values(**values))
    if done.rowcount:
        access.record(connection, staff=pen.staff, action="outreach:written", about=tried.tip, now=pen.now)


def outreach_of(connection: Connection, tip: str) -> Sequence[Outreach]:
    """Give what was tried for a tip, oldest first."""
    rows = connection.execute(sa.select(own.outreach).where(own.outreach.c.tip == tip).order_by(own.outreach.c.at))
    return [Outreach(**{name: getattr(row, name) for name in Outreach.__dataclass_fields__}) for row in rows]


def end(connection: Connection, pen: Pen, tip: str, *, reason: str, erase: bool) -> None:
    """End a tip with its reason; with `erase` what was told goes, and only that a tip came stays.

    *Raises* `ConnectorError`: `tip-unknown`, `tip-settled`.
    """
    _require_open(tip_of(connection, tip))
    values: dict[str, Any] = {
        "state": ENDED, "reason": reason, "settled_at": pen.now, "settled_by": pen.staff
    }  # fmt: skip
    if erase:
        values["document"] = {}
        connection.execute(sa.update(own.outreach).where(own.outreach.c.tip == tip).values(text=""))
    connection.execute(sa.update(own.tips).where(own.tips.c.id == tip).values(**values))
    action = "tip:erased" if erase else "tip:ended"
    access.record(connection, staff=pen.staff, action=action, about=tip, now=pen.now)


def becomes_case(
    connection: Connection, pen: Pen, tip: str, *, on: date, team: str, nameless: str, person: str | None = None
) -> str:
    """Open a case for whom a tip is about, somebody new or `person`, without any consent; give its handle.

    What was told and tried goes into the case's journal. The hub learns of the handle alone.

    *Raises* `ConnectorError`: `tip-unknown`, `tip-settled`, `person-unknown`.
    """
    known = tip_of(connection, tip)
    _require_open(known)
    if person is None:
        person = _register(connection, pen, known, nameless)
    elif not people.is_person(connection, person):
        raise ConnectorError("person-unknown")
    handle = str(uuid.uuid4())
    people.open_case(connection, handle=handle, person=person, owner=pen.agency, staff=pen.staff, now=pen.now)
    files.open_file(connection, pen, case=handle, on=on, worker=pen.staff, team=team)
    _into_journal(connection, pen, known, handle)
    connection.execute(
        sa.update(own.tips)
        .where(own.tips.c.id == tip)
        .values(state=CASE, case=handle, settled_at=pen.now, settled_by=pen.staff)
    )
    access.record(connection, staff=pen.staff, action="tip:became-case", about=tip, case=handle, now=pen.now)
    return handle


def _register(connection: Connection, pen: Pen, tip: Tip, nameless: str) -> str:
    name = tip.said("name") or tip.said("kana") or nameless
    made = people.register_person(
        connection, person=pen.new_id(), name=name, kana=tip.said("kana"), staff=pen.staff, now=pen.now
    )
    fields = {"address": tip.said("address"), "telephone": tip.said("phone")}
    kept = {name: value for name, value in fields.items() if value}
    phones = [tip.said("phone")] if tip.said("phone") else []
    files.keep_record(connection, pen, person=made.id, born_on=None, fields=kept, phones=phones)
    return made.id


def _into_journal(connection: Connection, pen: Pen, tip: Tip, case: str) -> None:
    entries: list[tuple[datetime, str, str, str | None, str]] = [
        (tip.at, tip.staff or pen.staff, "note", None, tip.said("signs"))
    ]
    entries += [(one.at, one.staff, "visit", one.channel, one.text) for one in outreach_of(connection, tip.id)]
    for at, staff, kind, channel, text in entries:
        if text:
            entry = Entry(
                id=pen.new_id(), case=case, referral=None, at=at, staff=staff, kind=kind, channel=channel, text=text
            )
            journal.write(connection, pen, entry)


def _require_open(tip: Tip) -> None:
    if tip.state != OPEN:
        raise ConnectorError("tip-settled")


def _tip(row: sa.Row[Any]) -> Tip:
    return Tip(**{name: getattr(row, name) for name in Tip.__dataclass_fields__})
