# SPDX-License-Identifier: Apache-2.0
"""What is done from the inbox besides the moves themselves: opening an item, asking for it again, assigning several."""

from __future__ import annotations

from collections.abc import Iterable

from connectors.casebook.deeds import Deed
from connectors.desk.inbox import reads
from connectors.desk.referrals import picture
from connectors.desk.referrals import service as referrals
from connectors.desk.referrals.moves import Said
from connectors.desk.referrals.service import Writing
from connectors.desk.web.texts import text
from connectors.desk.web.visits import Visit
from consent.envelope.manifest import MessageKind


def open_item(visit: Visit, referral: str) -> Deed | None:
    """Open what came, on purpose: the read receipt is queued in this person's name and carried.

    *Raises* as `picture.picture`; `ConnectorError("message-unknown")`.
    """
    with visit.book() as connection:
        found = reads.item(connection, visit, referral)
    if found.held is None or not found.closed:
        return None
    return referrals.open_message(visit, referral, found.held.id, found.held.sender)


def ask_again(visit: Visit, referral: str, *, version: int) -> Deed:
    """Ask the sender to send again what could not be opened: a question, sealed if anything may be told them now.

    *Raises* as `referrals.make_move`.
    """
    referrals.learn(visit, referral)
    with visit.book() as connection:
        found = reads.item(connection, visit, referral)
        detail = referrals.detail_of(connection, referral)
        permitted = picture.permitted(picture.may_say(connection, visit, detail), "ask")
    kid = found.held.to_kid[:12] if found.held else ""
    words = text(f"inbox.ask-again-{found.trouble or 'locked'}", visit.language, kid=kid) if permitted else ""
    category = permitted[0] if permitted else ""
    if "ask" in found.shown.actions or not permitted:
        return referrals.make_move(
            visit, referral, "ask", Said(body={}, text=words, category=category), version=version
        )
    return referrals.say(visit, referral, Writing(kind=MessageKind.QUESTION, category=category, text=words))


def assign_all(visit: Visit, wanted: Iterable[str], worker: str) -> int:
    """Put somebody in charge of several items; nothing is accepted by that. Give how many.

    *Raises* `ConnectorError("referral-unknown")`.
    """
    count = 0
    with visit.book() as connection:
        for referral in dict.fromkeys(wanted):
            referrals.assign(connection, visit, referral, worker)
            count += 1
    return count
