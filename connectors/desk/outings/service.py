# SPDX-License-Identifier: Apache-2.0
"""Plan an accompaniment, keep what is noted on the way, write down what came of it: here in words, there in codes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection

from connectors.base.errors import ConnectorError
from connectors.casebook import journal, outings
from connectors.casebook.compose import RefusedHereError
from connectors.casebook.outings import Narrative, Outing
from connectors.desk.outings import photos, rules
from connectors.desk.outings.reads import Tie
from connectors.desk.web.visits import Visit
from consent.calendar import day_of
from consent.errors import TsunagiError


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """An accompaniment to come. `agreed`: the person wants it; `spoken_for`: and wants us to speak for them."""

    begins_at: datetime
    agreed: bool
    spoken_for: bool
    place: str
    meet_at: str
    destination: str
    counter: str
    phone: str
    role: str
    purpose: str
    others: str
    bring: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Notes:
    """What is written down on the way, as it was written; `ready` are the places of what was brought along."""

    ready: tuple[int, ...] = ()
    outcome: str = ""
    strengths: str = field(default="", repr=False)
    turned_away: str = field(default="", repr=False)
    missing: str = field(default="", repr=False)
    handed_in: str = field(default="", repr=False)
    next_what: str = field(default="", repr=False)
    next_on: str = ""
    minutes: str = ""
    travel: str = ""
    tell_partner: bool = False
    tell_supervisor: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What became of a record: the row that tells the hub, and why the narrative was not shared, if it was not."""

    key: str
    unshared: str | None = None
    reasons: tuple[str, ...] = ()


def plan(connection: Connection, visit: Visit, tie: Tie, wanted: Plan) -> str:
    """Keep a plan and queue it for the hub; give the accompaniment's id."""
    codes = {
        "state": "agreed" if wanted.agreed else "proposed",
        "on": rules.day_in_japan(wanted.begins_at),
        "role": wanted.role,
        "destination": wanted.destination,
        "purpose": wanted.purpose,
    }
    words = {name: value for name, value in asdict(wanted).items() if name != "begins_at"}
    document = {**words, "bring": list(wanted.bring), "state": codes["state"]}
    return outings.plan(
        connection,
        visit.pen(),
        referral=tie.id,
        case=tie.case,
        begins_at=wanted.begins_at,
        going=rules.going(codes),
        document=document,
    )


def keep_notes(connection: Connection, visit: Visit, outing: Outing, notes: Notes) -> Outing:
    """Keep what was written so far, without telling anybody."""
    return outings.write(connection, visit.pen(), outing, notes=_plain(notes))


def agree(connection: Connection, visit: Visit, outing: Outing) -> str:
    """Note that the person agrees to be accompanied, and queue it; give the row's key."""
    key = outings.change(connection, visit.pen(), outing, _codes(outing, state="agreed"))
    outings.write(connection, visit.pen(), outing, agreed=True, state="agreed", told=key)
    return key


def add_photo(connection: Connection, visit: Visit, outing: Outing, body: bytes) -> Outing:
    """Put a cleaned photograph beside an accompaniment."""
    made = photos.keep(connection, visit.pen(), case=outing.case, body=body)
    return outings.write(connection, visit.pen(), outing, photos=[*outing.document.get("photos", ()), made])


def finish(
    connection: Connection,
    visit: Visit,
    outing: Outing,
    tie: Tie,
    notes: Notes,
    *,
    next_on: date | None,
    minutes: int | None,
) -> Written:
    """Write down what came of it: end the clock, share the narrative where consent permits, queue the codes.

    The narrative stays in the casebook whatever the consent says; `Written.unshared` tells why it was not shared.
    """
    pen = visit.pen()
    outings.stamp(connection, pen, outing.id, ended=True)
    outing = outings.find(connection, outing.id)
    message, unshared, reasons = _share(connection, visit, tie, notes)
    state = rules.state_after(notes.outcome)
    is_done = state == "done"
    took = rules.minutes_between(outing.arrived_at, outing.ended_at) if minutes is None else minutes
    codes = _codes(
        outing,
        state=state,
        on=_day_of(outing, visit, state),
        result=notes.outcome if is_done else None,
        minutes=took if is_done else None,
        next_step_on=next_on.isoformat() if next_on else None,
        message=message,
    )
    key = outings.change(connection, pen, outing, codes)
    said = {"outcome": notes.outcome, "state": state, "minutes": took if is_done else None, "message": message}
    outings.write(connection, pen, outing, notes=_plain(notes), told=key, **said)
    _into_journal(connection, visit, outing, notes)
    return Written(key=key, unshared=unshared, reasons=reasons)


def _share(
    connection: Connection, visit: Visit, tie: Tie, notes: Notes
) -> tuple[str | None, str | None, tuple[str, ...]]:
    """Seal the narrative to the other side if that was wished; give the message, or why not with the reasons."""
    if not notes.tell_partner or not notes.strengths:
        return None, None, ()
    letter = Narrative(
        referral=tie.id,
        thread=tie.thread,
        case=tie.case,
        recipient=tie.partner,
        purpose=tie.purpose,
        text=notes.strengths,
    )
    try:
        sealed = outings.narrate(connection, visit.pen(), letter, own=visit.site.connector.own_key())
    except RefusedHereError as refused:
        return None, "consent", tuple(answer.reason.value for _, answer in refused.refused)
    except (ConnectorError, TsunagiError):
        return None, "other", ()
    return sealed, None, ()


def _into_journal(connection: Connection, visit: Visit, outing: Outing, notes: Notes) -> None:
    pen = visit.pen()
    words = "\n".join(text for text in (notes.strengths, notes.turned_away, notes.missing, notes.next_what) if text)
    entry = journal.Entry(
        id=pen.new_id(),
        case=outing.case,
        referral=outing.referral,
        at=pen.now,
        staff=pen.staff,
        kind="visit",
        channel="visit",
        text=words,
    )
    journal.write(connection, pen, entry)
    if notes.tell_supervisor:
        outings.escalate(connection, pen, outing)


def _codes(outing: Outing, **changes: Any) -> dict[str, Any]:
    known: Mapping[str, Any] = outing.document
    planned = {name: known[name] for name in ("state", "role", "destination", "purpose")}
    return rules.going({**planned, "on": rules.day_in_japan(outing.begins_at)}, **changes)


def _day_of(outing: Outing, visit: Visit, state: str) -> str:
    """Give the day on which it happened: of the arrival if there was one, else as planned, never one to come."""
    if outing.arrived_at is not None and state == "done":
        return rules.day_in_japan(outing.arrived_at)
    planned = day_of(outing.begins_at)
    is_ahead = state in {"done", rules.NO_SHOW} and planned > visit.today
    return (visit.today if is_ahead else planned).isoformat()


def _plain(notes: Notes) -> dict[str, Any]:
    plain = asdict(notes)
    ready: Sequence[int] = notes.ready
    return {**plain, "ready": list(ready)}
