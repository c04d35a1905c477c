# SPDX-License-Identifier: Apache-2.0
"""Follow the hub's feed of what concerns us, and look again at whatever it names. The feed holds ids, never content."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from connectors.casebook import listing, marks, statements
from connectors.sdk.answers import Event
from connectors.sdk.problems import ProblemError
from connectors.sync.cases import refresh_case, refresh_meetings
from connectors.sync.mirroring import refresh_details
from connectors.sync.outbound import Settled
from connectors.sync.station import NOT_FOUND, Station
from consent.receipts import WithdrawalRecord

_CURSOR: Final = "events-cursor"
_ABOUT_CONSENTS: Final = frozenset({"consent", "withdrawal"})
_BESIDE_REFERRALS: Final = frozenset({"accompaniment", "follow_up"})
"""What happens beside a referral does not change the referral, so the list of changed ones does not show it."""


def heed(station: Station, *, wait: int = 0) -> tuple[Event, ...]:
    """Read what is new in the feed, look again at the cases and meetings it names, and remember how far we have read.

    With `wait`, wait so many seconds for something. Referrals and messages are looked at by every round anyway.

    *Raises* `HubAwayError`, `ProblemError`.
    """
    heard: list[Event] = []
    while True:
        with station.casebook.transaction() as connection:
            cursor = marks.recall(connection, _CURSOR)
        page = station.hub.events(cursor=cursor, wait=0 if heard else wait)
        _look_again(station, page.items)
        heard += page.items
        if not page.items or page.next_cursor is None:
            return tuple(heard)
        with station.casebook.transaction() as connection:
            marks.remember(connection, _CURSOR, page.next_cursor)


def countersign(station: Station, settled: Iterable[Settled]) -> int:
    """Sign withdrawals that reached the hub another way (consent.md, "Withdrawal"); give how many are queued.

    The hub takes no status of a consent that was taken back; that is how its own agency hears of it.

    *Raises* `HubAwayError`, `ProblemError`.
    """
    withdrawn = [one.about for one in settled if (one.what, one.code) == ("status", "consent-withdrawn")]
    queued = 0
    for consent in dict.fromkeys(withdrawn):
        case = _case_of(station, consent)
        if case is None:
            continue
        refresh_case(station, case)
        with station.casebook.transaction() as connection:
            pen = station.pen()
            record = WithdrawalRecord(
                id=pen.new_id(),
                agency=station.agency,
                case=case,
                scopes=frozenset({consent}),
                to=frozenset(),
                categories=frozenset(),
                at=pen.now,
            )
            statements.withdraw(connection, record, pen)
            queued += 1
    return queued


def _look_again(station: Station, events: Iterable[Event]) -> None:
    things = {(event.event.partition(":")[0], event.about) for event in events}
    cases = {_case_of(station, about) for thing, about in things if thing in _ABOUT_CONSENTS}
    if any(thing == "exclusion" for thing, _ in things):
        cases |= _known_cases(station)  # the feed does not say whose refusal it is
    for case in cases - {None}:
        refresh_case(station, str(case))
    if any(thing == "meeting" for thing, _ in things):
        refresh_meetings(station)
    beside = {about for thing, about in things if thing in _BESIDE_REFERRALS}
    refresh_details(station, beside | _referrals_of(station, {about for thing, about in things if thing == "message"}))


def _case_of(station: Station, consent: str) -> str | None:
    """Name the case of a consent, asking the hub for one that is new to us."""
    with station.casebook.transaction() as connection:
        known = statements.case_of(connection, consent)
    if known is not None:
        return known
    try:
        return station.hub.consent(consent).case
    except ProblemError as problem:
        if problem.status != NOT_FOUND:
            raise
        return None


def _referrals_of(station: Station, messages: set[str]) -> set[str]:
    """Name the referrals to which messages (the hub's ids) belong, as far as the casebook knows them."""
    with station.casebook.transaction() as connection:
        return set(listing.referrals_of(connection, messages))


def _known_cases(station: Station) -> set[str | None]:
    with station.casebook.transaction() as connection:
        return set(statements.cases(connection))
