# SPDX-License-Identifier: Apache-2.0
"""Empty the casebook's outbox into the hub: first in, first out, each thing once, whatever breaks in between.

Each row: 1. read it, and sign a message's manifest as it must go out now 2. send it, with no transaction open and
always the same idempotency key 3. note the answer with what it means, in one transaction. A crash between 2 and 3 sends
the same bytes with the same key again, and the hub gives the same answer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import Connection

from connectors.base.errors import ConnectorError, HubAwayError
from connectors.casebook import (
    charge,
    compose,
    meeting_deeds,
    meetings,
    mirror,
    outgoing,
    outings,
    papers,
    people,
    referrals,
    statements,
    steps,
)
from connectors.casebook.compose import Letter
from connectors.casebook.outgoing import Waiting
from connectors.casebook.statements import Pen
from connectors.sdk import answers, threads
from connectors.sdk.interface import Body, Hub
from connectors.sdk.problems import ConsentRefusedError, PartDecision, ProblemError
from connectors.sync import deeds, proofs
from connectors.sync.directory import fetch_agency
from connectors.sync.station import Station
from consent.envelope.manifest import manifest_hash

_REFUSALS: Final = range(400, 500)
_NOWHERE: Final = "-"
"""Stands in a path for what the hub has not taken; if it never does, it answers that there is no such thing."""
_NOT_ABOUT_IT: Final = frozenset({401, 408, 429})
"""Client errors that say nothing about what was sent."""

_Answer = (
    answers.Case
    | answers.Consent
    | answers.Exclusion
    | threads.Notice
    | threads.Opened
    | threads.MessageAccepted
    | threads.ReceiptTaken
    | answers.Anchored
    | answers.PaperSample
    | deeds.Deed
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """One thing that the hub has answered: taken, or refused by the rule `code`, with the decisions if by consent."""

    what: str
    about: str
    code: str | None = None
    decisions: tuple[PartDecision, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Pushed:
    """What a round has sent, how much goes on waiting, and whether that is because the hub is away."""

    settled: tuple[Settled, ...]
    waiting: int
    hub_away: bool = False

    @property
    def refused(self) -> tuple[Settled, ...]:
        """What the hub did not take, for a person to look at."""
        return tuple(one for one in self.settled if one.code is not None)


def push(station: Station) -> Pushed:
    """Send what waits, oldest first, until nothing does or the hub is away.

    *Raises* `ConnectorError`: `not-authorised`, `answer-malformed`, `key-missing`; `ProblemError` for a failure of the
    hub's own. What was not answered goes on waiting.
    """
    settled: list[Settled] = []
    while True:
        row, body = _next(station)
        if row is None:
            return Pushed(settled=tuple(settled), waiting=0)
        try:
            done = _send(station, row, body)
        except HubAwayError:
            with station.casebook.transaction() as connection:
                outgoing.tried(connection, row.position)
                waiting = outgoing.count_waiting(connection)
            return Pushed(settled=tuple(settled), waiting=waiting, hub_away=True)
        if done is not None:
            settled.append(done)


def submit(
    station: Station, letter: Letter, pen: Pen, *, telephone: Body | None = None
) -> threads.Opened | threads.MessageAccepted:
    """Seal a letter without asking whether it may go, keep it, and give it to the hub at once.

    *Raises* `ConsentRefusedError`, `ProblemError`, `HubAwayError`; `MyNumberFoundError`; `ConnectorError` as
    `directory.sealing_key`. A letter that the hub refused is kept as refused.
    """
    with station.casebook.transaction() as connection:
        is_new = people.announce(connection, letter.case, now=pen.now)
        message, sealed = compose.seal(connection, letter, pen, own=station.own_key())
        compose.keep(connection, letter, message, sealed, pen)
    if is_new:
        push(station)
    row = Waiting(
        position=0,
        key=message,
        what="message",
        about=message,
        path=compose.path_of(letter),
        body={"manifest": sealed.manifest, "parts": list(sealed.parts), "telephone": telephone},
    )
    try:
        answer = _message(station.hub, row, row.body)
    except ProblemError:
        with station.casebook.transaction() as connection:
            compose.refused(connection, sender=station.agency, message=message)
        raise
    _check_receipt(station, row, answer, row.body)
    with station.casebook.transaction() as connection:
        _taken(connection, station, row, answer)
    return answer


def prove_sent(station: Station) -> tuple[str, ...]:
    """Fetch the proofs that what we sent is in the audit log; give the messages for which the hub's promise is broken.

    *Raises* `ConnectorError`: `proof-bad`, `log-forked`; `HubAwayError`, `ProblemError`.
    """
    with station.casebook.transaction() as connection:
        waiting = compose.unproved(connection, station.agency)
    overdue = []
    for message, receipt in waiting:
        record = proofs.read_receipt(station, receipt)
        try:
            shown = proofs.prove_disclosure(station, record)
        except ConnectorError as missing:
            if missing.code != "proof-missing":
                raise
            overdue += [message] if station.now() > record.logged_by else []
            continue
        with station.casebook.transaction() as connection:
            compose.proved(connection, sender=station.agency, message=message, entry=shown.entry, proof=shown.proof)
    return tuple(overdue)


def _check_receipt(station: Station, row: Waiting, answer: _Answer, body: Mapping[str, Any]) -> None:
    """Verify the hub's signed word for a message; without it the message goes on waiting, so that nothing is lost.

    *Raises* `ConnectorError("proof-bad")`.
    """
    message = row.about
    if isinstance(answer, threads.Rerouted):
        answer, message = answer.next, body["message"]
    if not isinstance(answer, threads.Opened | threads.MessageAccepted):
        return
    record = proofs.read_receipt(station, answer.receipt)
    said = (record.sender, record.message, record.manifest)
    if said != (station.agency, message, manifest_hash(body["manifest"])):
        raise ConnectorError("proof-bad")


def _next(station: Station) -> tuple[Waiting | None, Mapping[str, Any]]:
    with station.casebook.transaction() as connection:
        row = next(iter(outgoing.waiting(connection, limit=1)), None)
        if row is not None and row.what == "accompaniment_change" and row.body["n"] is None:
            return row, {**row.body, "n": outings.number_of(connection, row.body["outing"])}
        if row is not None and meeting_deeds.OURS in row.body:
            known = meetings.hub_id_of(connection, row.body[meeting_deeds.OURS])
            return row, {**row.body, "meeting": known or _NOWHERE}
        if row is None or row.what != "message":
            return row, row.body if row else {}
        if row.path.split("/")[3:4] == [_NOWHERE]:
            row = replace(row, path=compose.path_in_thread(connection, row.about, station.agency))
        return row, {**row.body, "manifest": compose.finalise(connection, row.about, station.pen())}


def _send(station: Station, row: Waiting, body: Mapping[str, Any]) -> Settled | None:
    """Send one row and note the answer; None where somebody else had noted it already."""
    try:
        answer = _CALLS[row.what](station.hub, row, body)
    except ProblemError as problem:
        if problem.status not in _REFUSALS or problem.status in _NOT_ABOUT_IT:
            raise
        return _refuse(station, row, problem)
    _check_receipt(station, row, answer, body)
    with station.casebook.transaction() as connection:
        if not outgoing.settle(connection, row.position, answer={}, code=None, now=station.now()):
            return None
        _taken(connection, station, row, answer)
    return Settled(what=row.what, about=row.about)


def _taken(connection: Connection, station: Station, row: Waiting, answer: _Answer) -> None:
    """Write down what it means that the hub took it."""
    match answer:
        case answers.Consent(registered_at=at) if row.what == "consent":
            statements.registered(connection, row.about, station.agency, at=at)
        case threads.Opened(id=referral, message=hub_id, receipt=receipt):
            _accepted(connection, station, row, referral=referral, hub_id=hub_id, receipt=receipt)
            referrals.keep(connection, answer)
        case threads.MessageAccepted(referral=referral, message=hub_id, receipt=receipt):
            _accepted(connection, station, row, referral=referral.id, hub_id=hub_id, receipt=receipt)
            referrals.keep(connection, referral)
        case threads.ReceiptTaken(referral=referral) if referral is not None:
            referrals.keep(connection, referral)
        case threads.Rerouted(referral=declined, next=following):
            sent = replace(row, about=str(row.body["message"]))
            _accepted(
                connection, station, sent, referral=following.id, hub_id=following.message, receipt=following.receipt
            )
            referrals.keep(connection, declined)
            referrals.keep(connection, following)
        case threads.Referral():
            referrals.keep(connection, answer)
            if charge.HERE in row.body:
                charge.take(connection, station.pen(str(row.body["by"])), answer, row.body[charge.HERE])
        case threads.Notice():
            mirror.keep_notices(connection, [answer])
        case answers.PaperSample():
            papers.keep(connection, answer)
        case _:
            _followed(connection, row, answer, now=station.now())


def _followed(connection: Connection, row: Waiting, answer: _Answer, *, now: datetime) -> None:
    """Write down what the hub says of a case, a meeting, or beside a referral, so that the next page is right."""
    match answer:
        case answers.Case():
            steps.keep_head(connection, answer, now=now)
        case answers.Noted():
            steps.wants_a_look(connection, [row.about])
        case threads.Accompaniment(n=n):
            outings.numbered(connection, row.body.get("outing") or row.key, n)
            mirror.keep_accompaniments(connection, row.about, [answer])
        case threads.FollowUp():
            mirror.keep_follow_ups(connection, row.about, [answer])
        case tuple():
            mirror.keep_follow_ups(connection, row.about, answer)
        case answers.Meeting():
            meetings.keep_at_hub(connection, answer, ours=row.about if row.what == meeting_deeds.CONVENED else None)


def _accepted(
    connection: Connection, station: Station, row: Waiting, *, referral: str, hub_id: str, receipt: str
) -> None:
    compose.accepted(
        connection, sender=station.agency, message=row.about, referral=referral, hub_id=hub_id, receipt=receipt
    )


def _refuse(station: Station, row: Waiting, problem: ProblemError) -> Settled | None:
    """Note a refusal; None where the row goes on waiting after all, or somebody else has noted it."""
    if (row.what, problem.code) == ("message", "key-not-current") and _sealed_anew(station, row):
        return None
    decisions = problem.decisions if isinstance(problem, ConsentRefusedError) else ()
    with station.casebook.transaction() as connection:
        now = station.now()
        if not outgoing.settle(connection, row.position, answer=problem.document, code=problem.code, now=now):
            return None
        match row.what:
            case "message":
                compose.refused(connection, sender=station.agency, message=row.about)
            case "refer_on":
                compose.refused(connection, sender=station.agency, message=str(row.body["message"]))
            case "consent":
                statements.refused(connection, row.about, station.agency, code=problem.code)
            case "status":
                statements.drop_status(connection, row.about, station.agency)
    return Settled(what=row.what, about=row.about, code=problem.code, decisions=decisions)


def _sealed_anew(station: Station, row: Waiting) -> bool:
    """Seal a message to the key that its recipient has taken since it was written."""
    with station.casebook.transaction() as connection:
        recipient = compose.recipient_of(connection, row.about, station.agency)
    fetch_agency(station, recipient)
    with station.casebook.transaction() as connection:
        return compose.reseal(connection, row, station.pen(), own=station.own_key())


def _named(row: Waiting) -> str:
    """Give the id that stands in the row's path, `/v1/<things>/<id>/…`, as its second step."""
    return row.path.split("/")[3]


def _message(hub: Hub, row: Waiting, body: Mapping[str, Any]) -> threads.Opened | threads.MessageAccepted:
    manifest, parts = body["manifest"], body["parts"]
    if row.path == "/v1/referrals":
        return hub.open_referral(manifest, parts, telephone=body.get("telephone"), idempotency_key=row.key)
    return hub.send_message(_named(row), manifest, parts, idempotency_key=row.key)


_CALLS: Final[Mapping[str, Callable[[Hub, Waiting, Mapping[str, Any]], _Answer]]] = {
    "case": lambda hub, row, body: hub.open_case(body["case"], idempotency_key=row.key),
    "consent": lambda hub, row, body: hub.register_consent(body["record"], idempotency_key=row.key),
    "status": lambda hub, row, body: hub.renew_status(_named(row), body["record"], idempotency_key=row.key),
    "withdrawal": lambda hub, row, body: hub.withdraw(_named(row), record=body["record"], idempotency_key=row.key),
    "exclusion": lambda hub, row, body: hub.exclude(_named(row), body["record"], idempotency_key=row.key),
    "revocation": lambda hub, row, body: hub.revoke_exclusion(
        _named(row), row.path.split("/")[5], body["record"], idempotency_key=row.key
    ),
    "purge": lambda hub, row, body: hub.answer_notice(_named(row), body["record"], idempotency_key=row.key),
    "sample": lambda hub, row, body: hub.answer_sample(_named(row), body["evidence"], idempotency_key=row.key),
    "receipt": lambda hub, row, body: hub.acknowledge(_named(row), body["receipt"], idempotency_key=row.key),
    "anchor": lambda hub, row, body: hub.anchor(
        date.fromisoformat(body["day"]), root=body["root"], count=body["count"], idempotency_key=row.key
    ),
    "message": _message,
    **deeds.CALLS,
}
"""How each kind of row is sent. Every call takes effect once for the row's key."""
