# SPDX-License-Identifier: Apache-2.0
"""What a worker does at a referral: a move, a message, opening one, a journal entry, putting somebody in charge.

Each is one transaction of the casebook; what the hub must learn is queued in it and then carried (`web/courier.py`).
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection

from connectors.base.errors import ConnectorError
from connectors.casebook import charge, conversation, deeds, journal, marks, mirror, receive, referral_files
from connectors.casebook.deeds import Deed
from connectors.desk.referrals import picture, reads
from connectors.desk.referrals.moves import MOVES, Said
from connectors.desk.web.visits import Visit
from connectors.sdk.problems import ProblemError
from connectors.sdk.threads import ReferralDetail
from consent.envelope.manifest import MessageKind

PLAIN: Final = "text/plain"
_SERVED_BY_US: Final = frozenset({"accept", "hand-over"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Writing:
    """A message to write into a thread: its kind, category, text and, perhaps, a paper; `once` names the form sent."""

    kind: MessageKind
    category: str
    text: str
    paper: tuple[str, bytes] | None = None
    acknowledged: bool = False
    once: str = ""


def detail_of(connection: Connection, referral: str) -> ReferralDetail:
    """Give a referral in full.

    *Raises* `ConnectorError("referral-unknown")`: it is not here, or only the list's word of it.
    """
    found = mirror.detail_of(connection, referral)
    if found is None:
        raise ConnectorError("referral-unknown")
    return found


def learn(visit: Visit, referral: str) -> None:
    """Learn how the case of a referral stands and say anew that our consents are live, so that words can be sealed.

    With the line down, what is known here serves; too old a word refuses by itself (`status-stale`).
    """
    with visit.book() as connection:
        case = reads.known_of(connection, referral).case
    with contextlib.suppress(ConnectorError, ProblemError):
        visit.site.connector.renew_statuses()
        visit.site.connector.refresh_case(case)


def make_move(visit: Visit, referral: str, event: str, said: Said, *, version: int) -> Deed:
    """Queue a move, with its sealed words before it, and carry both; the same form sent twice is one move.

    *Raises* `RefusedHereError`, `ConnectorError` as `conversation.say`; nothing has changed then.
    """
    with visit.book() as connection:
        detail = detail_of(connection, referral)
        made = _made_before(connection, referral, event, version)
        key = made.key if made else _queue_move(connection, visit, detail, event, said, version)
    return _carry(visit, referral, key)


def say(visit: Visit, referral: str, writing: Writing) -> Deed:
    """Seal a message into the thread, queue and carry it; the same form sent twice is one message.

    *Raises* `RefusedHereError`, `ConnectorError` as `conversation.say`; nothing has changed then.
    """
    with visit.book() as connection:
        detail = detail_of(connection, referral)
        sent = marks.recall(connection, _once(writing.once)) if writing.once else None
        if sent is None:
            sent = _seal(connection, visit, detail, writing)
            if writing.once:
                marks.remember(connection, _once(writing.once), sent)
        key = _key_of(connection, "message", sent)
    return _carry(visit, referral, key)


def open_message(visit: Visit, referral: str, message: str, sender: str) -> Deed | None:
    """Open a message on purpose: note who reads it, queue the read receipt of the first reading, and carry it.

    *Raises* `ConnectorError("message-unknown")`.
    """
    with visit.book() as connection:
        held_of(connection, referral, message, sender)
        receive.read(connection, message, sender, visit.pen())
        receipt = deeds.latest(connection, "receipt", message)
    return None if receipt is None else _carry(visit, referral, receipt.key)


def held_of(connection: Connection, referral: str, message: str, sender: str) -> conversation.Held:
    """Give a message of a referral's thread, unopened.

    *Raises* `ConnectorError("message-unknown")`: it is not here, or of another referral.
    """
    detail = detail_of(connection, referral)
    held = conversation.messages_of(connection, detail)
    found = next((one for one in held if (one.id, one.sender) == (message, sender)), None)
    if found is None:
        raise ConnectorError("message-unknown")
    return found


def write_journal(
    connection: Connection,
    visit: Visit,
    referral: str,
    *,
    once: str,
    kind: str,
    channel: str | None,
    at: datetime,
    text: str,
) -> None:
    """Write down a call, a visit, a note or what the person was told; the same form sent twice is one entry."""
    known = reads.known_of(connection, referral)
    entry = journal.Entry(
        id=once, case=known.case, referral=referral, at=at, staff=visit.me.id, kind=kind, channel=channel, text=text
    )
    journal.write(connection, visit.pen(), entry)


def assign(connection: Connection, visit: Visit, referral: str, worker: str | None) -> None:
    """Put somebody in charge of a referral here."""
    known, pen = reads.known_of(connection, referral), visit.pen()
    file = referral_files.open_file(
        connection, pen, thread=known.thread, opener=known.sender, case=known.case, worker=worker, document={}
    )
    if file.worker != worker:
        referral_files.assign(connection, pen, file, worker)


def _queue_move(
    connection: Connection, visit: Visit, detail: ReferralDetail, event: str, said: Said, version: int
) -> str:
    body, kind = dict(said.body), MOVES[event].words
    if said.text and kind is not None:
        writing = Writing(kind=kind, category=said.category, text=said.text)
        body["message"] = _seal(connection, visit, detail, writing)
    here = _promise(connection, visit, event, body) if event in _SERVED_BY_US else None
    return deeds.move(connection, visit.pen(), referral=detail.id, event=event, said=body, version=version, here=here)


def _promise(connection: Connection, visit: Visit, event: str, body: Mapping[str, Any]) -> dict[str, Any]:
    """Say who will look after the person once the hub has taken the move; refused, it leaves nothing behind."""
    worker = str(body["worker"])
    if worker == visit.me.id:
        picture.remember_role(connection, visit, str(body["worker_role"]))
    return charge.promise(worker, team=visit.me.team, opens_case=event == "accept")


def _seal(connection: Connection, visit: Visit, detail: ReferralDetail, writing: Writing) -> str:
    parts = [(writing.category, PLAIN, writing.text.encode("utf-8"))] if writing.text else []
    if writing.paper is not None:
        media, body = writing.paper
        parts.append((writing.category, media, body))
    return conversation.say(
        connection,
        visit.pen(),
        detail,
        writing.kind,
        parts,
        own=visit.site.connector.own_key(),
        acknowledged=writing.acknowledged,
    )


def _made_before(connection: Connection, referral: str, event: str, version: int) -> Deed | None:
    """Find the same move on the same version; one that was refused may be tried again."""
    return next(
        (
            deed
            for deed in deeds.moves_of(connection, referral)
            if (deed.said.get("event"), deed.said.get("version")) == (event, version) and deed.state != "refused"
        ),
        None,
    )


def _key_of(connection: Connection, what: str, about: str) -> str:
    deed = deeds.latest(connection, what, about)
    if deed is None:
        raise ConnectorError("message-unknown")
    return deed.key


def _carry(visit: Visit, referral: str, key: str) -> Deed:
    deed = visit.site.courier.deliver(key)
    with contextlib.suppress(ConnectorError, ProblemError):
        visit.site.connector.refresh_referral(referral)
    return deed


def _once(once: str) -> str:
    return f"said:{once}"
