# SPDX-License-Identifier: Apache-2.0
"""Bring the casebook's mirror up to date: referrals in full, tasks, notices, the directory's entries.

Each round asks only for what changed. No transaction is open during a call.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from connectors.casebook import mirror
from connectors.sdk.problems import ProblemError
from connectors.sync.station import NOT_FOUND, Station

DETAILS_AT_ONCE: Final = 200
"""How many referrals one round fetches in full; the rest follow in the next, so that a first round ends."""


def refresh_details(station: Station, referrals: Iterable[str]) -> int:
    """Fetch referrals in full and keep them; give how many came.

    *Raises* `HubAwayError`, `ProblemError`.
    """
    kept = 0
    for referral in dict.fromkeys(referrals):
        try:
            detail = station.hub.referral(referral)
        except ProblemError as problem:
            if problem.status != NOT_FOUND:
                raise
            continue
        with station.casebook.transaction() as connection:
            mirror.keep_detail(connection, detail, now=station.now())
        kept += 1
    return kept


def refresh_stale_details(station: Station) -> int:
    """Fetch in full the referrals of which the mirror has an older version than the list, or none; give how many."""
    with station.casebook.transaction() as connection:
        wanted = mirror.stale(connection, limit=DETAILS_AT_ONCE)
    return refresh_details(station, wanted)


def refresh_tasks(station: Station) -> int:
    """Learn what timers and people raised for us, and which requests to stop using something wait; give how many.

    *Raises* `HubAwayError`, `ProblemError`.
    """
    tasks, notices = list(station.hub.tasks()), list(station.hub.notices(open_only=False))
    with station.casebook.transaction() as connection:
        mirror.keep_tasks(connection, tasks)
        mirror.keep_notices(connection, notices)
    return len(tasks) + len(notices)


def refresh_profiles(station: Station) -> int:
    """Learn what the directory says of everybody besides their keys; give how many.

    *Raises* `HubAwayError`, `ProblemError`.
    """
    found = list(station.hub.agencies())
    with station.casebook.transaction() as connection:
        for agency in found:
            mirror.keep_profile(connection, agency, now=station.now())
    return len(found)
