# SPDX-License-Identifier: Apache-2.0
"""`tsunagi notice`: what we are asked to stop using because its consent was taken back, and our signed answer."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from connectors.casebook import outgoing
from connectors.cli import saying
from connectors.cli.desk import Desk
from connectors.cli.errors import CliError
from connectors.cli.frame import Noun, argument, flag, option, verb
from connectors.cli.kinds import At, Code, Id
from connectors.cli.saying import Said
from connectors.sdk.threads import Notice
from connectors.sync.connector import Connector
from consent.receipts import PurgeAnswer

notice: Final = Noun("notice")
_ANSWERS: Final = "withdrawal_answer"


@verb(notice, "list", flag("--done"))
def list_notices(desk: Desk, *, done: bool) -> Said:
    """List what we are asked to stop using, or with `--done` what was answered."""
    with desk.open() as connector:
        found = [one for one in connector.hub.notices(open_only=not done) if (one.answered_at is not None) is done]
        rows = [
            (
                one.id,
                one.case,
                "; ".join(_what(desk, connector, one)),
                saying.moment(one.due_at),
                desk.label(_ANSWERS, one.answer) if one.answer else "",
            )
            for one in found
        ]
    head = desk.head("id", "case", "categories", "due", "answer")
    lines = saying.table(head, rows) if rows else [desk.text("no-notices")]
    return Said(document={"notices": found}, lines=lines)


@verb(
    notice,
    "answer",
    argument("notice", Id()),
    argument("answer", Code(_ANSWERS)),
    option("--ground"),
    option("--until", At()),
)
def answer_notice(desk: Desk, *, notice: str, answer: str, ground: str | None, until: datetime | None) -> Said:
    """Purge, return or keep by law what a notice names, and say so signed. What is purged or returned is gone here."""
    said = PurgeAnswer(answer)
    if said is PurgeAnswer.KEPT_BY_LAW and None in {ground, until}:
        raise CliError("kept-by-law-needs-ground")
    if said is not PurgeAnswer.KEPT_BY_LAW and {ground, until} != {None}:
        raise CliError("ground-only-for-kept")
    with desk.open() as connector:
        asked = _open_notice(connector, notice)
        gone = connector.answer_notice(asked, said, staff=desk.worker(), ground=ground, until=until)
        sent = desk.deliver(connector, asked.id)
    key = "notice-kept" if said is PurgeAnswer.KEPT_BY_LAW else "notice-answered"
    lines = [desk.text(key, answer=desk.label(_ANSWERS, said.value), parts=gone, id=asked.id)]
    return Said(document={"notice": asked.id, "answer": said, "parts": gone, "sent": sent}, lines=lines)


def _open_notice(connector: Connector, notice: str) -> Notice:
    """Give a notice that waits for our answer.

    *Raises* `CliError`: `notice-unknown`, `notice-answered-before`, also where the answer only waits to be sent.
    """
    found = next((one for one in connector.hub.notices(open_only=False) if one.id == notice), None)
    if found is None:
        raise CliError("notice-unknown")
    with connector.casebook.transaction() as connection:
        waits = any((row.what, row.about) == ("purge", notice) for row in outgoing.waiting(connection))
    if waits or found.answered_at is not None:
        raise CliError("notice-answered-before")
    return found


def _what(desk: Desk, connector: Connector, asked: Notice) -> list[str]:
    return [
        f"{desk.name_of(connector, item.sender)}: {desk.labels('categories', item.categories)}" for item in asked.items
    ]
