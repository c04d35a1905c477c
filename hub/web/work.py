# SPDX-License-Identifier: Apache-2.0
"""One request is one transaction: change, audit entry, outbox row and remembered answer commit together or not at
all.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from hub.base import replay
from hub.base.config import Settings
from hub.base.db import Database, Door, Duty, now
from hub.base.errors import ClashError, HubError
from hub.base.queues import Wakes
from hub.base.replay import Answered
from hub.base.rounds import Asked
from hub.web.call import Call
from hub.web.gate import Caller, Gate

ATTEMPTS: Final = 3
EXTENSION: Final = "tsunagi"


@dataclass(frozen=True, slots=True, kw_only=True)
class Hub:
    """What the app carries for its endpoints (`app.extensions["tsunagi"]`); `oversight`: the same database as the
    console's readers see it (tsn_dpo).
    """

    settings: Settings
    database: Database
    gate: Gate
    wakes: Wakes
    oversight: Database


@dataclass(frozen=True, slots=True, kw_only=True)
class Once:
    """An idempotency key and what it was used for."""

    key: str
    fingerprint: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What is known of a request before its transaction opens.

    `door`: the caller's, until a transaction of this request has gone through it. `ahead`: what the work is sure to
    ask, so that it is asked in the first round trip (`hub.base.rounds`).
    """

    caller: Caller
    door: Door | None
    language: str
    if_match: str | None
    duty: Duty | None
    once: Once | None
    ahead: Sequence[Asked] = ()


def settle(database: Database, caller: Caller) -> None:
    """Ask the door of a caller whose request is refused before any work: a proof is used up by whatever it came with.

    *Raises* UnauthorizedError: the door refuses, which is said before anything else.
    """
    if caller.door is not None:
        with database.transaction(None, door=caller.door) as session:
            now(session)


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
    agency, once = work.caller.agency, work.once
    claiming = [] if once is None else [replay.claiming(agency=agency, **_of(once))]
    ahead = [*claiming, *work.ahead]
    with database.transaction(agency or None, work.duty, door=work.door, ahead=ahead) as session:
        at = now(session)
        if once is not None:
            known = replay.take(session, agency=agency, **_of(once))
            if known is not None:
                return Answered(status=known.status, headers=_replayed(known.headers), body=known.body)
        call = Call(
            session=session,
            caller=work.caller,
            now=at,
            language=work.language,
            if_match=work.if_match,
        )
        try:
            answer = act(call)
        except HubError as refused:
            if not refused.keep:
                raise
            answer = refuse(refused)
        if once is not None:
            replay.remember(session, agency=agency, key=once.key, answer=answer)
    return answer


def _of(once: Once) -> dict[str, Any]:
    return {"key": once.key, "fingerprint": once.fingerprint}


def _replayed(headers: Mapping[str, str]) -> dict[str, str]:
    return {**headers, "Idempotency-Replayed": "true"}
