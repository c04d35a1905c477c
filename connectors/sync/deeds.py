# SPDX-License-Identifier: Apache-2.0
"""Give the hub what a worker did: moves, accompaniments, follow-ups, notes, steps, meetings, done tasks.

A row that was never tried before is the word of somebody who sees the page now: if the thing has changed meanwhile, the
hub's `stale` goes back to the person. One that waited for the line is late: it is made on the newest version if the hub
still offers the move, else it is refused and becomes a conflict for a person (referral-loop.md, "Order of checks").
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any, Final

from connectors.casebook.outgoing import Waiting
from connectors.sdk import answers, threads
from connectors.sdk.interface import Hub
from connectors.sdk.problems import ProblemError

Deed = (
    threads.Referral
    | threads.Rerouted
    | threads.Accompaniment
    | threads.FollowUp
    | tuple[threads.FollowUp, ...]
    | answers.Task
    | answers.Noted
    | answers.Case
    | answers.Meeting
)
"""What the hub answers to a deed."""
_STALE: Final = "stale"


def _named(row: Waiting, step: int = 3) -> str:
    return row.path.split("/")[step]


def _move(hub: Hub, row: Waiting, body: Mapping[str, Any]) -> Deed:
    referral, event, said = _named(row), body["event"], body["said"]
    try:
        return hub.move(referral, event, said, version=body["version"], idempotency_key=row.key)
    except ProblemError as problem:
        if problem.code != _STALE or row.tries == 0:
            raise
        now = hub.referral(referral)
        if event not in now.actions:
            raise
        return hub.move(referral, event, said, version=now.version, idempotency_key=f"{row.key}:{now.version}")


def _refer_on(hub: Hub, row: Waiting, body: Mapping[str, Any]) -> Deed:
    return hub.refer_on(
        _named(row),
        body["manifest"],
        body["parts"],
        version=body["version"],
        reason=body.get("reason"),
        telephone=body.get("telephone"),
        idempotency_key=row.key,
    )


def _change(hub: Hub, row: Waiting, body: Mapping[str, Any]) -> Deed:
    referral, n, going = _named(row), body["n"], body["going"]
    if n is None:
        # the plan never became a record of the hub's: what came of it may be one in any state
        return hub.record_accompaniment(referral, going, idempotency_key=row.key)
    try:
        return hub.change_accompaniment(referral, n, going, version=body["version"], idempotency_key=row.key)
    except ProblemError as problem:
        if problem.code != _STALE or row.tries == 0:
            raise
        now = next((one for one in hub.referral(referral).accompaniments if one.n == n), None)
        if now is None:
            raise
        return hub.change_accompaniment(
            referral, n, going, version=now.version, idempotency_key=f"{row.key}:{now.version}"
        )


def _follow_up(hub: Hub, row: Waiting, body: Mapping[str, Any]) -> Deed:
    due = body.get("due")
    return hub.set_follow_up(
        _named(row),
        due=date.fromisoformat(due) if due else None,
        preset=body.get("preset"),
        idempotency_key=row.key,
    )


def _step(hub: Hub, row: Waiting, body: Mapping[str, Any]) -> Deed:
    return hub.move_case(_named(row), body["said"], version=body["version"], idempotency_key=row.key)


def _convene(hub: Hub, row: Waiting, body: Mapping[str, Any]) -> Deed:
    until = datetime.fromisoformat(body["until"])
    return hub.convene(body["kind"], members=body["members"], until=until, idempotency_key=row.key)


def _end(hub: Hub, row: Waiting, body: Mapping[str, Any]) -> Deed:
    seen = hub.meeting(body["meeting"])
    return hub.end_meeting(seen.id, version=seen.version, idempotency_key=row.key)


CALLS: Final[Mapping[str, Callable[[Hub, Waiting, Mapping[str, Any]], Deed]]] = {
    "move": _move,
    "refer_on": _refer_on,
    "accompaniment": lambda hub, row, body: hub.record_accompaniment(_named(row), body, idempotency_key=row.key),
    "accompaniment_change": _change,
    "follow_up": _follow_up,
    "follow_up_done": lambda hub, row, body: hub.finish_follow_up(
        _named(row), body["n"], body["answer"], idempotency_key=row.key
    ),
    "task_done": lambda hub, row, _: hub.finish_task(_named(row), idempotency_key=row.key),
    "note": lambda hub, row, body: hub.note(_named(row), body, idempotency_key=row.key),
    "case_move": _step,
    "meeting": _convene,
    "meeting_accept": lambda hub, row, _: hub.accept_meeting(_named(row), idempotency_key=row.key),
    "meeting_agenda": lambda hub, row, body: hub.put_on_agenda(body["meeting"], body["item"], idempotency_key=row.key),
    "meeting_decision": lambda hub, row, body: hub.record_decision(
        body["meeting"], body["item"], idempotency_key=row.key
    ),
    "meeting_end": _end,
}
"""How each kind of deed is sent. Every call takes effect once for the row's key."""
