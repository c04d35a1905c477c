# SPDX-License-Identifier: Apache-2.0
"""Bring the casebook's mirror up to date: referrals in full, tasks, notices, the directory's entries, cases' steps.

Each round asks only for what changed. No transaction is open during a call.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from connectors.casebook import mirror, papers, people, steps
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


def refresh_courses(station: Station, cases: Iterable[str]) -> int:
    """Fetch how cases stand in the thirteen steps, with history and notes, and keep it; give how many came.

    *Raises* `HubAwayError`, `ProblemError`.
    """
    kept = 0
    for case in dict.fromkeys(cases):
        try:
            shown = station.hub.case(case)
        except ProblemError as problem:
            if problem.status != NOT_FOUND:
                raise
            continue
        with station.casebook.transaction() as connection:
            now = station.now()
            people.keep_case(connection, handle=case, owner=shown.owner, closed_at=shown.closed_at, now=now)
            steps.keep_detail(connection, shown, now=now)
        kept += 1
    return kept


def refresh_stale_courses(station: Station) -> int:
    """Fetch the cases of ours whose steps are not known here as they stand now; give how many came."""
    with station.casebook.transaction() as connection:
        wanted = steps.stale(connection, agency=station.agency, now=station.now(), limit=DETAILS_AT_ONCE)
    return refresh_courses(station, wanted)


def refresh_tasks(station: Station) -> int:
    """Learn what timers and people raised for us, and which requests to stop using something wait; give how many.

    *Raises* `HubAwayError`, `ProblemError`.
    """
    tasks, notices = list(station.hub.tasks()), list(station.hub.notices(open_only=False))
    with station.casebook.transaction() as connection:
        steps.heed_tasks(connection, tasks)
        mirror.keep_tasks(connection, tasks)
        mirror.keep_notices(connection, notices)
    refresh_samples(station)
    return len(tasks) + len(notices)


def refresh_samples(station: Station) -> int:
    """Learn which paper forms an officer drew, and what came of those that somebody else answered; give how many.

    *Raises* `HubAwayError`, `ProblemError`.
    """
    with station.casebook.transaction() as connection:
        wanted = papers.to_look_at(connection)
    for sample in wanted:
        try:
            found = station.hub.sample(sample)
        except ProblemError as problem:
            if problem.status != NOT_FOUND:
                raise
            continue
        with station.casebook.transaction() as connection:
            papers.keep(connection, found)
    return len(wanted)


def refresh_profiles(station: Station) -> int:
    """Learn what the directory says of everybody besides their keys; give how many.

    *Raises* `HubAwayError`, `ProblemError`.
    """
    found = list(station.hub.agencies())
    with station.casebook.transaction() as connection:
        for agency in found:
            mirror.keep_profile(connection, agency, now=station.now())
    return len(found)
