# SPDX-License-Identifier: Apache-2.0
"""What a worker does on the path: moves, notes, what is written down beside them. Queued here, decided by the hub.

A move is one transaction of the casebook; then it is carried, and the hub's answer is what the next page shows.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection

from connectors.base.errors import ConnectorError
from connectors.casebook import deeds, files, journal, people, step_files, words
from connectors.casebook.deeds import Deed
from connectors.casebook.journal import Entry
from connectors.casebook.statements import Pen
from connectors.casebook.steps import CONTACT_ATTEMPT, CONTACT_MADE, DECISION_CONFIRMED
from connectors.desk.cases.reads import require_reason
from connectors.desk.path import reads
from connectors.desk.web.visits import Visit
from connectors.sdk.problems import ProblemError

MOVE: Final = "case_move"

Beside = Callable[[Connection, str], None]
"""What is written in the casebook with a queued deed; it is given the deed's key."""


class NotOfferedError(ConnectorError):
    """The hub did not offer this move when it was last heard; `code` says why nothing was queued."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """A move somebody wants: where to, the state if it is not the step's first, why if it is beside the order."""

    step: str
    state: str | None = None
    reason: str | None = None
    closure: Mapping[str, Any] | None = None
    action: str = "move"

    @property
    def said(self) -> dict[str, Any]:
        """Give what is sent."""
        said = {"step": self.step, "state": self.state, "reason": self.reason, "closure": self.closure}
        return {name: value for name, value in said.items() if value is not None}


def move(visit: Visit, case: str, wish: Wish, *, version: int, beside: Beside | None = None) -> Deed:
    """Queue a move with what is written beside it, and carry it; the same form sent twice is one move.

    *Raises* `NotOfferedError`: `move-waiting`, `move-not-offered`, `case-not-ours`; `ConnectorError("case-unknown")`;
    `NeedToKnowError`.
    """
    with visit.book() as connection:
        key = _queue(connection, visit, case, wish, version, beside)
    return carry(visit, case, key)


def note(visit: Visit, case: str, said: Mapping[str, Any], *, text: str = "", beside: Beside | None = None) -> Deed:
    """Queue a note of a kind with what is written beside it, and carry it. Of `text` the hub gets the digest alone.

    *Raises* as `move`, without `move-waiting`.
    """
    with visit.book() as connection:
        require_reason(connection, visit, case, files.file_of(connection, case))
        _require_ours(connection, visit, case)
        pen = visit.pen()
        digest = _kept_words(connection, pen, case, text) if text else None
        key = deeds.note(connection, pen, case=case, note={**said, "digest": digest})
        if beside is not None:
            beside(connection, key)
    return carry(visit, case, key)


def carry(visit: Visit, case: str, key: str) -> Deed:
    """Bring a queued row to the hub, and learn how the case stands after it."""
    deed = visit.site.courier.deliver(key)
    if deed.state == "sent":
        freshen(visit, case)
    return deed


def freshen(visit: Visit, case: str) -> None:
    """Learn how a case stands; with the line down, what is known here serves."""
    with contextlib.suppress(ConnectorError, ProblemError):
        visit.site.connector.refresh_course(case)


def begin(visit: Visit, case: str) -> bool:
    """Tell the hub of a case that it does not know yet; say whether it was so."""
    with visit.book() as connection:
        require_reason(connection, visit, case, files.file_of(connection, case))
        _require_ours(connection, visit, case)
        is_new = people.announce(connection, case, now=visit.at)
        waiting = deeds.waiting_about(connection, case)
    if waiting:
        carry(visit, case, waiting[0].key)
    else:
        freshen(visit, case)
    return is_new


def write_down(connection: Connection, visit: Visit, case: str, *, kind: str, channel: str | None, text: str) -> None:
    """Write something into the case's journal; nothing where there is no word."""
    if not text:
        return
    pen = visit.pen()
    entry = Entry(
        id=pen.new_id(), case=case, referral=None, at=visit.at, staff=visit.me.id, kind=kind, channel=channel, text=text
    )
    journal.write(connection, pen, entry)


def attempt(visit: Visit, case: str, *, channel: str, made: bool, text: str) -> Deed:
    """Write down a try to reach the person; the hub gets kind, channel and a digest of the words."""
    said = {"kind": CONTACT_MADE if made else CONTACT_ATTEMPT, "channel": None if made else channel}

    def beside(connection: Connection, key: str) -> None:
        kept = step_files.Attempt(
            id=key, case=case, at=visit.at, staff=visit.me.id, channel=channel, made=made, text=text
        )
        step_files.write_attempt(connection, visit.pen(), kept)

    return note(visit, case, said, text=text, beside=beside)


def confirm_decision(visit: Visit, case: str, *, text: str) -> Deed:
    """Note that the municipality's decision came on paper; what it says stays in the journal."""

    def beside(connection: Connection, key: str) -> None:
        del key
        write_down(connection, visit, case, kind="note", channel="letter", text=text)

    return note(visit, case, {"kind": DECISION_CONFIRMED}, text=text, beside=beside)


def _queue(connection: Connection, visit: Visit, case: str, wish: Wish, version: int, beside: Beside | None) -> str:
    require_reason(connection, visit, case, files.file_of(connection, case))
    _require_ours(connection, visit, case)
    known = reads.made_before(connection, case, wish.said, version)
    if known is not None:
        return known.key
    course = reads.course(connection, case)
    if any(one.what == MOVE for one in course.waiting):
        raise NotOfferedError("move-waiting")
    if not course.may(wish.action) or (wish.action != "move" and not course.may("move")):
        raise NotOfferedError("move-not-offered")
    key = deeds.case_move(connection, visit.pen(), case=case, said=wish.said, version=version)
    if beside is not None:
        beside(connection, key)
    return key


def _require_ours(connection: Connection, visit: Visit, case: str) -> None:
    if reads.course(connection, case).shown.owner != visit.site.connector.agency:
        raise NotOfferedError("case-not-ours")


def _kept_words(connection: Connection, pen: Pen, case: str, text: str) -> str:
    return words.keep_words(connection, case=case, about=pen.new_id(), text=text.encode(), staff=pen.staff, now=pen.now)
