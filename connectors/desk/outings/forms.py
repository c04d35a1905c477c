# SPDX-License-Identifier: Apache-2.0
"""Read the two forms of an accompaniment, the plan and the record, each field with what may be wrong with it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from connectors.casebook.outings import Outing
from connectors.desk.outings import photos, rules
from connectors.desk.outings.photos import PhotoError
from connectors.desk.outings.service import Notes, Plan
from connectors.desk.web.filling import Filled
from connectors.desk.web.visits import Visit
from consent.calendar import day_of

MOST_THINGS: Final = 12
LONGEST_THING: Final = 100
AGREED: Final = ("yes", "not_yet")


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """The record as it was filled in, with its day and its minutes read."""

    notes: Notes
    next_on: date | None
    minutes: int | None


def read_plan(filled: Filled, visit: Visit, agencies: frozenset[str]) -> Plan | None:
    """Read a plan; none where something is wrong with it."""
    begins_at = filled.moment("on", "at", required=True)
    if begins_at is not None:
        last = visit.today + timedelta(days=rules.FURTHEST_DAYS)
        if not visit.today <= day_of(begins_at) <= last:
            filled.blame("on", "outings.fault-day")
    agreed = filled.code("agreed", AGREED, required=True)
    place = filled.code("place", "meeting_place", required=True)
    destination = filled.code("destination", agencies, required=True)
    role = filled.code("role", "staff_role", required=True)
    purpose = filled.code("purpose", "accompaniment_purpose", required=True)
    words = {name: filled.line(name) for name in ("meet_at", "counter", "phone", "others")}
    bring = tuple(line.strip() for line in filled.text("bring").splitlines() if line.strip())
    if len(bring) > MOST_THINGS or any(len(one) > LONGEST_THING for one in bring):
        filled.blame("bring", "outings.fault-bring", n=str(MOST_THINGS), longest=str(LONGEST_THING))
    if not filled.is_fine or not (begins_at and place and destination and role and purpose):
        return None
    return Plan(
        begins_at=begins_at,
        agreed=agreed == "yes",
        spoken_for=filled.has("spoken_for"),
        place=place,
        destination=destination,
        role=role,
        purpose=purpose,
        bring=bring,
        **words,
    )


def read_notes(filled: Filled, outing: Outing) -> Notes:
    """Read what has been written so far; nothing is required while somebody is on the way."""
    places = [str(n) for n, _ in enumerate(outing.document.get("bring", ()))]
    allowed = rules.outcomes(str(outing.document.get("state", "agreed")))
    texts = {name: filled.text(name) for name in ("strengths", "turned_away", "missing", "handed_in")}
    return Notes(
        ready=tuple(int(n) for n in filled.several("ready", places)),
        outcome=filled.code("outcome", allowed) or "",
        next_what=filled.line("next_what"),
        next_on=filled.line("next_on", longest=40),
        minutes=filled.line("minutes", longest=10),
        travel=filled.line("travel", longest=10),
        tell_partner=filled.has("tell_partner"),
        tell_supervisor=filled.has("tell_supervisor"),
        **texts,
    )


def read_record(filled: Filled, outing: Outing, visit: Visit) -> Record | None:
    """Read the record that is to be saved; none where something is missing.

    Turned away at the counter: who and why. The person did not come: a next step within three business days.
    """
    notes = read_notes(filled, outing)
    if not notes.outcome:
        filled.blame("outcome", "web.fault-choose")
    if notes.outcome == rules.TURNED_AWAY and not notes.turned_away:
        filled.blame("turned_away", "outings.fault-turned-away")
    is_no_show = notes.outcome == rules.NO_SHOW
    if is_no_show and day_of(outing.begins_at) > visit.today:
        filled.blame("outcome", "outings.fault-not-yet")
    last = rules.last_day_after_no_show(visit.at, visit.site.calendar) if is_no_show else None
    if is_no_show and not notes.next_on:
        filled.blame("next_on", "outings.fault-next-step")
    next_on = filled.day("next_on", first=visit.today)
    if next_on is not None and last is not None and next_on > last:
        filled.blame("next_on", "outings.fault-next-step")
    minutes = filled.number("minutes", least=1, most=rules.LONGEST_MINUTES)
    filled.number("travel", least=0, most=rules.LONGEST_MINUTES)
    return Record(notes=notes, next_on=next_on, minutes=minutes) if filled.is_fine else None


def read_photo(filled: Filled) -> bytes | None:
    """Read a photograph, cleaned; none where there is none, or it is not one that can be kept."""
    sent = filled.files.get("photo")
    if sent is None or not sent.filename:
        return None
    try:
        return photos.cleaned(sent.read(photos.LARGEST + 1))
    except PhotoError as error:
        filled.blame("photo", f"outings.fault-photo-{error.code}")
        return None
