# SPDX-License-Identifier: Apache-2.0
"""One request is one transaction: change, audit entry, outbox row and remembered answer commit together or not at
all.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from hub.base import replay
from hub.base.config import Settings
from hub.base.db import Database, Duty, now
from hub.base.errors import ClashError, HubError
from hub.base.queues import Wakes
from hub.base.replay import Answered
from hub.web.call import Call
from hub.web.gate import Caller, Gate

ATTEMPTS: Final = 3
EXTENSION: Final = "tsunagi"


@dataclass(frozen=True, slots=True, kw_only=True)
class Hub:
    """What the app carries for its endpoints (`app.extensions["tsunagi"]`)."""

    settings: Settings
    database: Database
    gate: Gate
    wakes: Wakes


@dataclass(frozen=True, slots=True, kw_only=True)
class Once:
    """An idempotency key and what it was used for."""

    key: str
    fingerprint: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What is known of a request before its transaction opens."""

    caller: Caller
    language: str
    if_match: str | None
    duty: Duty | None
    once: Once | None


def perform(
    database: Database,
    work: Work,
    act: Callable[[Call], Answered],
    refuse: Callable[[HubError], Answered],
) -> Answered:
    """Do `act` in one transaction and give its answer, or the one the same request had before.

    A refusal that says `keep` is an answer like another: what the service wrote stays, and the key remembers it.
    When the database made two transactions give way to each other the work is done again.

    *Raises* HubError: refused, nothing changed.
    """
    for attempt in range(1, ATTEMPTS + 1):
        try:
            return _attempt(database, work, act, refuse)
        except ClashError:
            if attempt == ATTEMPTS:
                raise
    raise AssertionError("unreachable")


def _attempt(
    database: Database, work: Work, act: Callable[[Call], Answered], refuse: Callable[[HubError], Answered]
) -> Answered:
    agency = work.caller.agency
    with database.transaction(agency or None, work.duty) as session:
        at = now(session)
        if work.once is not None:
            known = replay.claim(session, agency=agency, key=work.once.key, fingerprint=work.once.fingerprint, now=at)
            if known is not None:
                return Answered(status=known.status, headers=_replayed(known.headers), body=known.body)
        call = Call(session=session, caller=work.caller, now=at, language=work.language, if_match=work.if_match)
        try:
            answer = act(call)
        except HubError as refused:
            if not refused.keep:
                raise
            answer = refuse(refused)
        if work.once is not None:
            replay.remember(session, agency=agency, key=work.once.key, answer=answer)
    return answer


def _replayed(headers: Mapping[str, str]) -> dict[str, str]:
    return {**headers, "Idempotency-Replayed": "true"}
