# SPDX-License-Identifier: Apache-2.0
"""Ask for an emergency disclosure, approve and send it, turn it down, tell the person. Every step is logged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import Connection

from connectors.base.errors import ConnectorError
from connectors.casebook import access, compose, deeds, preview, referral_files
from connectors.casebook.compose import Letter, WrittenPart
from connectors.casebook.tables_files import emergencies as table
from connectors.desk.emergencies import rules
from connectors.desk.emergencies.reads import Emergency
from connectors.desk.web.contents import TEXT_MEDIA, Part
from connectors.desk.web.visits import Visit
from consent.decisions import Permitted
from consent.envelope import manifest as manifests
from consent.envelope.manifest import ByEmergency
from consent.keys import KeyUse
from consent.wire import write_moment

_URGENCY: Final = "immediate"
_REQUEST_KIND: Final = "service"


class BarredError(ConnectorError):
    """This person may not decide about this request; `bar` is a word of `rules.bar`."""

    def __init__(self, bar: str) -> None:
        """Take why."""
        super().__init__("emergency-barred")
        self.bar = bar


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What is asked for: to tell whom what of which case, and why it cannot wait for consent."""

    case: str
    recipient: str
    threat: str
    difficulty: str
    why: str = field(repr=False)
    texts: Mapping[str, str] = field(repr=False)
    called_at: datetime
    call_result: str
    no_my_number: bool = False


def parts_of(texts: Mapping[str, str]) -> list[WrittenPart]:
    """Write the parts, in the vocabulary's order."""
    return [
        compose.plain_part(one, TEXT_MEDIA, texts[one].encode("utf-8")) for one in rules.CATEGORIES if texts.get(one)
    ]


def ask(connection: Connection, visit: Visit, request: Request) -> str:
    """Write a request down; nothing is sealed and nothing leaves. Give its id."""
    made = visit.site.connector.new_id()
    document = {
        "recipient": request.recipient,
        "purpose": rules.PURPOSE,
        "threat": request.threat,
        "difficulty": request.difficulty,
        "why": request.why,
        "texts": dict(request.texts),
        "call": _call(request.called_at, request.call_result),
        "no_my_number": request.no_my_number,
    }
    connection.execute(
        sa.insert(table).values(
            id=made, case=request.case, state="asked", document=document, asked_by=visit.me.id, asked_at=visit.at
        )
    )
    if request.no_my_number:
        _log(connection, visit, "my-number:denied", made, request.case)
    _log(connection, visit, "emergency:asked", made, request.case)
    return made


def rehearse(connection: Connection, visit: Visit, asked: Emergency) -> Sequence[Part]:
    """Seal it as it would go and open our own copy, for whoever decides.

    *Raises* as `compose.rehearse`.
    """
    own = visit.site.connector.keystore.current(KeyUse.ENC, visit.at)
    return compose.rehearse(connection, _letter(visit, asked, asked.call), visit.pen(), own=own)


def against_exclusions(connection: Connection, visit: Visit, asked: Emergency) -> list[str]:
    """Name the categories of which the person has said that they shall not be told there."""
    decided = preview.preview(
        connection,
        case=asked.case,
        sender=visit.site.connector.agency,
        recipient=asked.recipient.id,
        purpose=rules.PURPOSE,
        categories=[one for one in rules.CATEGORIES if asked.texts.get(one)],
        basis=manifests.basis_from(_basis(visit, asked)),
        now=visit.at,
    )
    return [one for one, answer in decided if isinstance(answer, Permitted) and answer.against_exclusion]


def approve(connection: Connection, visit: Visit, asked: Emergency, call: tuple[datetime, str] | None) -> str:
    """Approve on one's own sign-in, seal and queue it, in one transaction; give the key of the row.

    `call`: a newer telephone call, where the one of the request is too old by now.

    *Raises* `BarredError`; as `compose.send`.
    """
    require_may_decide(visit, asked)
    said = _call(*call) if call else dict(asked.call)
    pen = visit.pen()
    own = visit.site.connector.own_key()
    message = compose.send(connection, _letter(visit, asked, said), pen, own=own)
    key = deeds.waiting_about(connection, message)[-1].key
    referral_files.open_file(
        connection,
        pen,
        thread=message,
        opener=pen.agency,
        case=asked.case,
        worker=asked.asked_by,
        document={
            "key": key,
            "recipient": asked.recipient.id,
            "purpose": rules.PURPOSE,
            "urgency": _URGENCY,
            "categories": [one for one in rules.CATEGORIES if asked.texts.get(one)],
            "emergency": asked.id,
            "fields": {},
            "files": [],
        },
    )
    _decide(connection, visit, asked, "approved", message=message, key=key, call=said)
    _log(connection, visit, "emergency:approved", asked.id, asked.case)
    return key


def turn_down(connection: Connection, visit: Visit, asked: Emergency, reason: str) -> None:
    """Turn a request down with a reason; nothing leaves.

    *Raises* `BarredError`.
    """
    require_may_decide(visit, asked)
    _decide(connection, visit, asked, "turned_down", turned_down=reason)
    _log(connection, visit, "emergency:turned-down", asked.id, asked.case)


def settle(connection: Connection, visit: Visit, asked: Emergency) -> None:
    """Write down what time or the hub has made of a request: lapsed, or sent."""
    if asked.standing in {"lapsed", "sent"}:
        changed = connection.execute(
            sa.update(table)
            .where(table.c.id == asked.id, table.c.state.in_(("asked", "approved")))
            .values(state=asked.standing)
        )
        if changed.rowcount:
            _log(connection, visit, f"emergency:{asked.standing}", asked.id, asked.case)


def tell(connection: Connection, visit: Visit, asked: Emergency) -> None:
    """Note that the person was told; once.

    *Raises* `BarredError`: nothing was sent.
    """
    if asked.standing != "sent":
        raise BarredError("decided")
    if asked.told_at is None:
        connection.execute(sa.update(table).where(table.c.id == asked.id).values(state="sent", told_at=visit.at))
        _log(connection, visit, "emergency:told", asked.id, asked.case)


def require_may_decide(visit: Visit, asked: Emergency) -> None:
    """Let through whoever may decide about a request.

    *Raises* `BarredError`.
    """
    bar = rules.bar(me=visit.me.id, roles=visit.me.roles, asked_by=asked.asked_by, standing=asked.standing)
    if bar is not None:
        raise BarredError(bar)


def _decide(connection: Connection, visit: Visit, asked: Emergency, state: str, **more: Any) -> None:
    message = more.pop("message", None)
    document = connection.execute(sa.select(table.c.document).where(table.c.id == asked.id)).scalar_one()
    connection.execute(
        sa.update(table)
        .where(table.c.id == asked.id)
        .values(
            state=state,
            decided_by=visit.me.id,
            decided_at=visit.at,
            message=message,
            document={**document, **more},
        )
    )


def _letter(visit: Visit, asked: Emergency, call: Mapping[str, str]) -> Letter:
    return Letter(
        case=asked.case,
        recipient=asked.recipient.id,
        purpose=rules.PURPOSE,
        parts=tuple(parts_of(asked.texts)),
        basis=_basis(visit, asked),
        urgency=_URGENCY,
        request_kind=_REQUEST_KIND,
        telephone=call,
        acknowledged=asked.no_my_number,
    )


def _basis(visit: Visit, asked: Emergency) -> ByEmergency:
    return ByEmergency(
        threat=asked.threat,
        difficulty=asked.difficulty,
        requester=asked.asked_by,
        approver=visit.me.id,
        approver_role=rules.approver_role(visit.me.roles),
        approved_at=visit.at,
        valid_until=visit.at + rules.TERM,
    )


def _call(at: datetime, result: str) -> dict[str, str]:
    return {"at": write_moment(at), "result": result}


def _log(connection: Connection, visit: Visit, action: str, about: str, case: str) -> None:
    access.record(connection, staff=visit.me.id, action=action, about=about, case=case, now=visit.at)
