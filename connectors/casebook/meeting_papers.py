# SPDX-License-Identifier: Apache-2.0
"""The sealed papers of meetings: what is on the table, the minutes, the municipality's decision; written and found.

Each is a form like any other (`{form, version, answers}`), so that every desk shows it; `slip` beside it says to which
meeting and line it belongs, in ids and codes. Finding them opens nothing: only the slip is looked at.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import Connection

from connectors.casebook import tables
from consent.vocabulary.codes import CODE_LISTS

MEDIA: Final = "application/json"
AGENDA: Final = "meeting_agenda"
MINUTES: Final = "meeting_minutes"
DECISION: Final = "support_decision"
WORD: Final = "conference_word"
"""What a member of a conference tells another one there."""
CARRIER: Final = "support_record"
"""The category in which the slip travels: whoever may not have it is not at the table."""
VERSION: Final = "2026-11"
_FORMS: Final = (AGENDA, MINUTES, DECISION, WORD)
_OVER: Final = ("closed", "cancelled", "rerouted", "withdrawn", "entered_in_error")


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One question and what is said to it, in both languages' questions; the answer as it was written."""

    field: str
    ja: str
    en: str
    value: str = dataclasses.field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Slip:
    """What a paper belongs to: the hub's id of the meeting, the line; services by code, each with what is said of it.

    `term` is the first and last day for which something was decided, as ISO days.
    """

    form: str
    meeting: str
    kind: str
    line: str
    decision: str = ""
    services: Mapping[str, str] = dataclasses.field(default_factory=dict)
    term: tuple[str, str] = ("", "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Paper:
    """A paper that came in or went out, by its slip; its content is read with `receive.read`, by a named worker."""

    message: str
    sender: str
    recipient: str
    referral: str | None
    case: str
    at: datetime
    read_at: datetime | None
    slip: Slip


def category_of(service: str, how: str) -> str:
    """Give the category that a service tells something of: who may not know of debts does not learn of the budget."""
    row = CODE_LISTS["service_by_law" if how == "law" else "service_beside_law"].get(service, {})
    return row.get("category", CARRIER)


def write(slip: Slip, said: Sequence[Answer]) -> bytes:
    """Write a part with a slip: the carrier's, or that of another category with the services which tell of it."""
    body = {
        "form": slip.form,
        "version": VERSION,
        "slip": {name: value for name, value in asdict(slip).items() if name != "form"},
        "answers": [asdict(one) for one in said],
    }
    return json.dumps(body, ensure_ascii=False).encode("utf-8")


def write_more(form: str, said: Sequence[Answer]) -> bytes:
    """Write a part of another category of the same paper."""
    body = {"form": form, "version": VERSION, "answers": [asdict(one) for one in said]}
    return json.dumps(body, ensure_ascii=False).encode("utf-8")


def slip_in(media: str, body: bytes) -> Slip | None:
    """Read the slip of a part; none where it is no paper of a meeting, or not one that can be read."""
    if media != MEDIA:
        return None
    try:
        said = json.loads(body)
        slip, form = said["slip"], said["form"]
        first, last = slip["term"]
        made = Slip(
            form=str(form), meeting=str(slip["meeting"]), kind=str(slip["kind"]), line=str(slip["line"]),
            decision=str(slip["decision"]), services={str(one): str(two) for one, two in slip["services"].items()},
            term=(str(first), str(last)),
        )  # fmt: skip
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
    return made if made.form in _FORMS else None


def said_in(media: str, body: bytes) -> dict[str, str]:
    """Give what a part that carries a slip says, by its fields; nothing where it is no such part."""
    if slip_in(media, body) is None:
        return {}
    try:
        return {str(one["field"]): str(one["value"]) for one in json.loads(body)["answers"]}
    except (ValueError, KeyError, TypeError, AttributeError):
        return {}


def papers(
    connection: Connection,
    *,
    forms: Collection[str],
    meeting: str | None = None,
    sender: str | None = None,
    recipient: str | None = None,
    case: str | None = None,
    referral: str | None = None,
) -> Sequence[Paper]:
    """Give the papers of some forms by their slips, the newest first; what was purged is not among them."""
    messages, parts = tables.messages.c, tables.parts.c
    wanted = {"sender": sender, "recipient": recipient, "case": case, "referral": referral}
    query = (
        sa.select(tables.messages, parts.category, parts.media, parts.body)
        .join(tables.parts, sa.and_(parts.message == messages.id, parts.sender == messages.sender))
        .where(
            messages.purpose.in_(("case_conference", "shien_kaigi")),
            messages.state != "refused",
            parts.media == MEDIA,
            parts.result == "ok",
            *(messages[name] == value for name, value in wanted.items() if value is not None),
        )
        .order_by(messages.at.desc(), sa.literal_column("messages.rowid").desc(), parts.n)
    )
    found: dict[tuple[str, str], Paper] = {}
    services: dict[tuple[str, str], dict[str, str]] = {}
    for row in connection.execute(query):
        slip = slip_in(row.media, row.body)
        if slip is None or slip.form not in forms or meeting not in {None, slip.meeting}:
            continue
        services.setdefault((row.id, row.sender), {}).update(slip.services)
        if row.category == CARRIER:
            found[row.id, row.sender] = _paper(row, slip)
    return [
        dataclasses.replace(one, slip=dataclasses.replace(one.slip, services=services[key]))
        for key, one in found.items()
    ]


def _paper(row: sa.Row[Any], slip: Slip) -> Paper:
    same = ("sender", "recipient", "referral", "case", "at", "read_at")
    return Paper(message=row.id, slip=slip, **{name: getattr(row, name) for name in same})


def thread_for(
    connection: Connection, *, agency: str, case: str, recipient: str, purpose: str
) -> tuple[str | None, str | None]:
    """Give the referral and the thread in which we go on telling somebody about a case for a purpose.

    Whoever of the two began it. Neither where a new one begins; the thread alone where its first message still waits
    for the hub. The hub has one open referral for a need, so that every meeting of a case with the same member is one
    conversation.
    """
    known = tables.referrals.c
    either = sa.or_(
        sa.and_(known.sender == agency, known.recipient == recipient),
        sa.and_(known.sender == recipient, known.recipient == agency),
    )
    row = connection.execute(
        sa.select(known.id, known.thread)
        .where(
            either,
            known.case == case,
            known.purpose == purpose,
            known.state.not_in(_OVER),
        )
        .order_by(known.updated_at.desc())
        .limit(1)
    ).one_or_none()
    if row is not None:
        return row.id, row.thread
    messages = tables.messages.c
    waiting = (
        sa.select(messages.thread)
        .where(
            messages.sender == agency,
            messages.recipient == recipient,
            messages.case == case,
            messages.purpose == purpose,
            messages.state == "waiting",
            messages.id == messages.thread,
        )
        .order_by(messages.at.desc())
        .limit(1)
    )
    return None, connection.execute(waiting).scalar_one_or_none()
