# SPDX-License-Identifier: Apache-2.0
"""Which parts of messages are corrected by a later word of their own sender, to be marked wherever they are shown.

A notice corrects parts of its own sender alone, and only under the category it was sealed and decided under: nobody
marks what another agency said. What cannot be read as a correction marks nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import Connection

from connectors.casebook import tables
from consent.envelope import corrections
from consent.envelope.corrections import Correction
from consent.errors import DocumentRefusedError

MEDIA: Final = corrections.MEDIA

Place = tuple[str, str, int]
"""A part: its message, that message's sender, its number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A later word about a part: the notice that brought it, and what is right; `text` is empty while nobody read it.

    `confirmed_at`: when a named worker first read it, which its sender hears of; none of what we said ourselves.
    """

    notice: str
    sender: str
    referral: str | None
    category: str
    at: datetime
    confirmed_at: datetime | None
    text: str = field(repr=False)


def marks_of(connection: Connection, case: str, agency: str) -> Mapping[Place, tuple[Mark, ...]]:
    """Give the corrections of a case by the part that they correct, oldest first."""
    found: dict[Place, tuple[Mark, ...]] = {}
    for row, said in _notices(connection, [case]):
        read = row.sender == agency or row.read_at is not None
        mark = Mark(
            notice=row.id,
            sender=row.sender,
            referral=row.referral,
            category=said.category,
            at=row.at,
            confirmed_at=row.read_at,
            text=said.text if read else "",
        )
        for one in said.corrects:
            place = (one.message, row.sender, one.n)
            found[place] = (*found.get(place, ()), mark)
    return found


def on(marks: Mapping[Place, tuple[Mark, ...]], place: Place, category: str) -> tuple[Mark, ...]:
    """Give what corrects a part; a word under another category says nothing of it."""
    return tuple(mark for mark in marks.get(place, ()) if mark.category == category)


def marks_on(connection: Connection, message: str, sender: str, agency: str) -> Mapping[int, tuple[Mark, ...]]:
    """Give what corrects the parts of one message, by number; a part that nothing corrects is not in it."""
    held, parts = tables.messages.c, tables.parts.c
    rows = connection.execute(
        sa.select(held.case, parts.n, parts.category)
        .join(tables.parts, sa.and_(parts.message == held.id, parts.sender == held.sender))
        .where(held.id == message, held.sender == sender)
    ).all()
    found = marks_of(connection, rows[0].case, agency) if rows else {}
    marks = {row.n: on(found, (message, sender, row.n), row.category) for row in rows}
    return {n: some for n, some in marks.items() if some}


def newest_is_corrected(connection: Connection, case: str, category: str, agency: str) -> bool:
    """Say whether what others told us last of a category, as far as somebody opened it, is corrected by its sender."""
    held, parts = tables.messages.c, tables.parts.c
    row = connection.execute(
        sa.select(held.id, held.sender, parts.n)
        .join(tables.parts, sa.and_(parts.message == held.id, parts.sender == held.sender))
        .where(
            held.case == case,
            held.sender != agency,
            held.read_at.is_not(None),
            parts.category == category,
            parts.media != MEDIA,
            parts.result == "ok",
        )
        .order_by(held.at.desc(), held.id.desc(), parts.n)
        .limit(1)
    ).one_or_none()
    if row is None:
        return False
    return bool(on(marks_of(connection, case, agency), (row.id, row.sender, row.n), category))


def messages_corrected(connection: Connection, case: str, agency: str) -> frozenset[tuple[str, str]]:
    """Name the messages of a case of which some part is corrected: id and sender."""
    return frozenset((message, sender) for message, sender, _ in marks_of(connection, case, agency))


def read_correction(media: str, body: bytes) -> Correction | None:
    """Read a part as a correction; none where it is none, or is not written as one must be."""
    if media != MEDIA:
        return None
    try:
        return corrections.read_correction(body)
    except DocumentRefusedError:
        return None


def _notices(connection: Connection, cases: Iterable[str]) -> list[tuple[Any, Correction]]:
    messages, parts = tables.messages.c, tables.parts.c
    rows = connection.execute(
        sa.select(
            messages.id, messages.sender, messages.referral, messages.at, messages.read_at, parts.category, parts.body
        )
        .join(tables.parts, sa.and_(parts.message == messages.id, parts.sender == messages.sender))
        .where(
            messages.case.in_(list(cases)),
            messages.state != "refused",
            parts.media == MEDIA,
            parts.result == "ok",
        )
        .order_by(messages.at, messages.id)
    )
    read = ((row, read_correction(MEDIA, row.body)) for row in rows)
    return [(row, said) for row, said in read if said is not None and said.category == row.category]
