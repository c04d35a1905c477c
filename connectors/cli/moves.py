# SPDX-License-Identifier: Apache-2.0
"""Every move of a referral as one table: what it is called, what it must say, how that is put to the hub.

Whether a move is possible the hub decides; `actions` of a referral lists what is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import click

from connectors.casebook import referrals as mirror
from connectors.casebook.compose import Letter
from connectors.cli.desk import Desk
from connectors.cli.errors import CliError
from connectors.cli.frame import Answering, argument, option, verb
from connectors.cli.kinds import Code, Content, Day, Id, content
from connectors.cli.letters import ready
from connectors.cli.referrals import in_thread, other_side, standing_lines
from connectors.cli.saying import Said
from connectors.sdk.threads import ReferralDetail
from connectors.sync.connector import Connector
from consent.envelope.manifest import MessageKind
from consent.envelope.sealing import PlainPart

Body = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """The sealed message that may go with a move: its kind, and the category it falls under unless said otherwise."""

    kind: MessageKind
    category: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """One move: its options by the member they become, whether a named worker makes it, how the body is formed."""

    says: Mapping[str, click.Option]
    by_worker: bool = False
    words: Words | None = None
    body: Callable[[Body], Body] = dict


def _follow_up(said: Body) -> Body:
    return {"follow_up": said}


_REASON: Final = {"reason": option("--reason", Code("unusual_move_reason"), required=True)}
_CANCEL: Final = {"reason": option("--reason", Code("cancel_reason"), required=True)}
_OUTCOME: Final = {"outcome": option("--outcome", Code("outcome"), required=True)}
_ROLE: Final = {"worker_role": option("--role", Code("staff_role"), required=True)}

MOVES: Final[Mapping[str, Move]] = {
    "accept": Move(says={**_ROLE, "next_on": option("--next-on", Day(), required=True)}, by_worker=True),
    "ask": Move(says={}, words=Words(kind=MessageKind.QUESTION, category="consultation")),
    "decline": Move(
        says={
            "decline_by": option("--by", Code("decline_by"), default="agency"),
            "reason": option("--reason", Code("decline_reason"), required=True),
            "suggestion": option("--suggestion", Code("suggestion")),
            "other_agency": option("--other-agency"),
            "missing": option("--missing", Code("categories"), many=True),
        },
        words=Words(kind=MessageKind.REPLY, category="support_record"),
    ),
    "take-back": Move(says={}),
    "contest": Move(says=_REASON),
    "uphold": Move(says=_REASON),
    "send-back": Move(says=_REASON),
    "cancel": Move(says=_CANCEL),
    "ask-to-cancel": Move(says=_CANCEL),
    "confirm-cancel": Move(says={}),
    "already-served": Move(says=_OUTCOME),
    "start": Move(
        says={
            "what": option("--what", Code("first_contact"), default="contact_made"),
            "on": option("--on", Day(), required=True),
        }
    ),
    "hold": Move(
        says={
            "reason": option("--reason", Code("hold_reason"), required=True),
            "review_on": option("--review-on", Day(), required=True),
        }
    ),
    "resume": Move(says={}),
    "note-progress": Move(
        says={
            "what": option("--what", Code("progress"), required=True),
            "on": option("--on", Day(), required=True),
            "next_step_on": option("--next-step-on", Day()),
        }
    ),
    "report-outcome": Move(says=_OUTCOME, words=Words(kind=MessageKind.OUTCOME, category="support_record")),
    "acknowledge": Move(
        says={
            "on": option("--follow-up-on", Day()),
            "preset": option("--preset", Code("follow_up_preset")),
            "no_follow_up_reason": option("--no-follow-up-reason", Code("no_follow_up_reason")),
        },
        body=_follow_up,
    ),
    "return": Move(says=_REASON),
    "reopen": Move(says=_REASON),
    "withdraw": Move(says={}),
    "take-back-acceptance": Move(says={}),
    "enter-in-error": Move(says={}),
    "hand-over": Move(says=_ROLE, by_worker=True),
}
"""By the last piece of the endpoint. `send`, `refer-on` and reading (which is `receive`) are commands of their own."""


def add_to(referral: click.Group) -> None:
    """Make a command of each move."""
    for name, move in MOVES.items():
        params = [argument("referral", Id()), *move.says.values()]
        if move.words is not None:
            params += [option("--words"), option("--words-category", Code("categories"))]
        verb(referral, name, *params)(_command(name, move))


def _command(name: str, move: Move) -> Answering:
    def make(
        desk: Desk, *, referral: str, words: str | None = None, words_category: str | None = None, **given: Any
    ) -> Said:
        said = {member: given[param.name or ""] for member, param in move.says.items()}
        body = {member: value for member, value in said.items() if value not in (None, ())}
        told = None if words is None else content(words)
        if move.by_worker:
            body["worker"] = desk.worker()
        with desk.open() as connector:
            if "other_agency" in body:
                body["other_agency"] = desk.agency(connector, body["other_agency"]).id
            connector.push()
            if told is not None and move.words is not None:
                body["message"] = _tell(desk, connector, referral, told, words_category, move.words)
            version = connector.hub.referral(referral).version
            moved = connector.hub.move(referral, name, move.body(body), version=version)
            with connector.casebook.transaction() as connection:
                mirror.keep(connection, moved)
            return Said(document=moved, lines=standing_lines(desk, connector, moved))

    return make


def _tell(desk: Desk, connector: Connector, referral: str, told: Content, category: str | None, words: Words) -> str:
    """Send the words that go with a move, sealed to the other side; give the message's id."""
    seen: ReferralDetail = connector.hub.referral(referral)
    part = PlainPart(category=category or words.category, media=told.media, body=told.body)
    plain = Letter(case=seen.case, recipient=other_side(connector, seen), purpose=seen.purpose, parts=(part,))
    written = ready(desk, connector, in_thread(plain, seen, words.kind), {"only_allowed": False})
    message = connector.send(written, staff=desk.staff)
    if not desk.deliver(connector, message):
        raise CliError("words-kept")
    return message
