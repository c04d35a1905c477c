# SPDX-License-Identifier: Apache-2.0
"""What came to us: the rows of the inbox, unread words of threads, and one item with what it brought or why not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Connection

from connectors.casebook import conversation, mirror
from connectors.casebook.conversation import Held
from connectors.desk.inbox import rules
from connectors.desk.referrals import parts, picture
from connectors.desk.referrals import reads as referrals
from connectors.desk.referrals import rules as machine
from connectors.desk.referrals.parts import Shown
from connectors.desk.referrals.picture import Picture
from connectors.desk.referrals.reads import Row, Wanted
from connectors.desk.web.visits import Visit
from connectors.sdk.answers import Agency

FIRST: Final = "referral"


@dataclass(frozen=True, slots=True, kw_only=True)
class Unread:
    """A word in a thread that nobody here has opened: of which referral, what kind, from whom, when."""

    referral: str
    kind: str
    sender: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One thing that came: the referral, its opening message if it is here, its parts, whether it is still closed.

    `trouble` says why something cannot be opened (`rules.trouble`); `until`: the first end of a consent it rests on.
    """

    shown: Picture
    held: Held | None
    parts: tuple[Shown, ...]
    closed: bool
    trouble: str | None
    until: datetime | None
    sender: Agency | None


def rows(
    connection: Connection, visit: Visit, wanted: Wanted, *, after: tuple[datetime, str] | None, limit: int
) -> tuple[Row, ...]:
    """Give the rows of the inbox."""
    site = visit.site
    return referrals.rows(
        connection,
        wanted,
        agency=site.connector.agency,
        language=visit.language,
        now=visit.at,
        calendar=site.calendar,
        after=after,
        limit=limit,
    )


def unread(connection: Connection, visit: Visit) -> Sequence[Unread]:
    """Give what came into threads and nobody has opened, newest first."""
    found = conversation.unread(connection, visit.site.connector.agency)
    return [Unread(referral=referral, sender=sender, kind=kind, at=at) for referral, sender, kind, at in found]


def count_open(connection: Connection, visit: Visit) -> int:
    """Count what waits for our answer or for being opened, for the menu."""
    agency = visit.site.connector.agency
    waiting = Wanted(side=machine.RECIPIENT, states=tuple(machine.WAITING), awaiting=agency)
    return referrals.count(connection, waiting, agency=agency) + len(conversation.unread(connection, agency))


def item(connection: Connection, visit: Visit, referral: str) -> Item:
    """Give one item, as it is: closed before somebody has opened it on purpose, else opened by this reading too.

    *Raises* as `picture.picture`.
    """
    shown = picture.picture(connection, visit, referral)
    held = next((one for one in shown.messages if one.kind == FIRST and one.sender == shown.row.sender), None)
    found: tuple[Shown, ...] = ()
    closed = held is not None and held.read_at is None
    if held is not None and closed:
        found = parts.outside(connection, held, now=visit.at)
    elif held is not None:
        found = parts.open_message(connection, held, visit.pen(), visit.language)
    first = next((one for one in shown.detail.deliveries if one.kind == FIRST), None) if shown.detail else None
    ends = [one.reach.until for one in found if one.reach.until is not None]
    return Item(
        shown=shown,
        held=held,
        parts=found,
        closed=closed,
        trouble=rules.trouble(
            is_here=held is not None, kinds=[one.kind for one in found], delivery=first.delivery if first else None
        ),
        until=min(ends, default=None),
        sender=_profiles(connection).get(shown.row.sender),
    )


def _profiles(connection: Connection) -> Mapping[str, Agency]:
    return mirror.profiles(connection)
