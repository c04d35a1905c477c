# SPDX-License-Identifier: Apache-2.0
"""Write the calendar feed (iCalendar, RFC 5545). It names nobody: it has the case's number, no more."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from icalendar import Calendar, Event

from connectors.desk.followups.reads import Asking, Walk
from connectors.desk.web.texts import text
from consent.vocabulary.codes import Language

_HOST: Final = "tsunagi.invalid"
_AN_HOUR: Final = timedelta(hours=1)
_OFTEN: Final = timedelta(hours=1)


def write(asked: Sequence[Asking], walks: Sequence[Walk], *, language: Language, now: datetime) -> bytes:
    """Write the feed; ids of events are digests, so that nothing of the network's ids leaves either."""
    made = Calendar()
    made.add("prodid", "-//Tsunagi//Desk//EN")
    made.add("version", "2.0")
    made.add("method", "PUBLISH")
    made.add("x-wr-calname", text("followups.feed-name", language))
    made.add("refresh-interval", _OFTEN, parameters={"value": "DURATION"})
    for one in asked:
        event = _event(f"follow-up:{one.referral}:{one.n}", now)
        event.add("summary", text("followups.feed-follow-up", language, number=one.number or "–"))
        event.add("dtstart", one.due_on)
        event.add("dtend", one.due_on + timedelta(days=1))
        event.add("transp", "TRANSPARENT")
        made.add_component(event)
    for walk in walks:
        event = _event(f"outing:{walk.id}", now)
        event.add("summary", text("followups.feed-walk", language, number=walk.number or "–"))
        event.add("dtstart", walk.begins_at)
        event.add("dtend", walk.begins_at + _AN_HOUR)
        made.add_component(event)
    written: bytes = made.to_ical()
    return written


def _event(thing: str, now: datetime) -> Event:
    event = Event()
    event.add("uid", f"{hashlib.sha256(thing.encode()).hexdigest()[:32]}@{_HOST}")
    event.add("dtstamp", now)
    event.add("class", "PRIVATE")
    return event
