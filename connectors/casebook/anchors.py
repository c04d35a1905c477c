# SPDX-License-Identifier: Apache-2.0
"""Anchor the agency's own access log at the hub, so that nobody here can change afterwards who looked at whom.

Each past day gets one root (RFC 6962) over its lines, queued like everything else; the hub puts it into its log, once
for each day. The root alone leaves the agency, and it is blinded. Lines belong to days by their place: every line to
exactly one, also one that a clock set back has dated wrongly. Today's lines are not anchored before tomorrow.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import Enum
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.dialects.sqlite import insert

from connectors.base.errors import ConnectorError
from connectors.casebook import access, marks, outgoing, tables
from connectors.casebook.tables_access import access_anchors, anchor_checks
from consent.calendar import day_of
from consent.tlog import tree

WHAT: Final = "anchor"
PATH: Final = "/v1/audit/anchors"
_DONE_ON: Final = "anchored-on"
_BLIND_BYTES: Final = 16
_A_DAY: Final = timedelta(days=1)
SETTLED: Final = timedelta(hours=1)
"""How long after midnight a day counts as over: the hub's clock must say so too."""


class Word(Enum):
    """What the hub has said of a day's anchor."""

    WAITING = "waiting"
    TAKEN = "taken"
    REFUSED = "refused"


class Verdict(Enum):
    """What comparing a day with the hub's log has shown."""

    IN_LOG = "in-log"
    """The hub's log holds just these lines, and the proof was verified."""
    NOT_YET = "not-yet"
    DIFFERS = "differs"


@dataclass(frozen=True, slots=True, kw_only=True)
class Anchor:
    """One day's anchor: the positions of its lines, what the hub said, and what comparing with its log showed last."""

    day: date
    first: int
    last: int
    count: int
    root: str
    made_at: datetime
    word: Word
    verdict: Verdict | None = None
    checked_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """A day's lines read again: whether they are those that were anchored, and the root over them as they are now."""

    anchor: Anchor
    root: str
    count: int

    @property
    def holds(self) -> bool:
        """Say whether no line was changed, added or taken away."""
        return (self.root, self.count) == (self.anchor.root, self.anchor.count)


def queue(connection: Connection, *, new_id: Callable[[], str], now: datetime) -> int:
    """Queue the anchors of all days that are over and have none; give how many. Looks once a day."""
    today = day_of(now - SETTLED)
    if marks.recall(connection, _DONE_ON) == today.isoformat():
        return 0
    made = 0
    for day, lines in _past_days(connection, today):
        blind, key = secrets.token_bytes(_BLIND_BYTES).hex(), new_id()
        root = _root(lines, blind)
        connection.execute(
            sa.insert(access_anchors).values(
                day=day,
                first=lines[0].position,
                last=lines[-1].position,
                count=len(lines),
                root=root,
                blind=blind,
                key=key,
                made_at=now,
            )
        )
        body = {"day": day.isoformat(), "root": root, "count": len(lines)}
        outgoing.put(connection, key=key, what=WHAT, about=day.isoformat(), path=PATH, body=body, now=now)
        made += 1
    marks.remember(connection, _DONE_ON, today.isoformat())
    return made


def anchors(connection: Connection, *, before: date | None = None, limit: int = 31) -> list[Anchor]:
    """Give anchors, newest first; with `before`, those of earlier days."""
    query = _with_word().order_by(access_anchors.c.day.desc()).limit(limit)
    if before is not None:
        query = query.where(access_anchors.c.day < before)
    return [_anchor(row) for row in connection.execute(query)]


def check(connection: Connection, day: date) -> Checked:
    """Read the lines of an anchored day again.

    *Raises* `ConnectorError("anchor-unknown")`.
    """
    row = connection.execute(_with_word().where(access_anchors.c.day == day)).one_or_none()
    if row is None:
        raise ConnectorError("anchor-unknown")
    log = tables.access_log
    query = sa.select(log).where(log.c.position.between(row.first, row.last)).order_by(log.c.position)
    lines = connection.execute(query).all()
    return Checked(anchor=_anchor(row), root=_root(lines, row.blind), count=len(lines))


def note_check(connection: Connection, day: date, verdict: Verdict, *, staff: str, now: datetime) -> None:
    """Note what comparing a day with the hub's log has shown, in place of the time before."""
    values = {"verdict": verdict.value, "checked_at": now, "checked_by": staff}
    statement = insert(anchor_checks).values(day=day, **values)
    connection.execute(statement.on_conflict_do_update(index_elements=["day"], set_=values))
    access.record(connection, staff=staff, action="log:checked", about=day.isoformat(), now=now)


def line_bytes(line: sa.Row[Any], blind: str) -> bytes:
    """Write a line of the access log as canonical JSON: the bytes whose hash is its leaf."""
    members = {
        "v": 1,
        "position": line.position,
        "at": line.at.astimezone(UTC).isoformat(timespec="microseconds"),
        "staff": line.staff,
        "action": line.action,
        "case": line.case,
        "about": line.about,
        "blind": blind,
    }
    return json.dumps(members, ensure_ascii=True, separators=(",", ":"), sort_keys=True).encode("ascii")


def _past_days(connection: Connection, today: date) -> Iterator[tuple[date, list[sa.Row[Any]]]]:
    """Give the lines that no anchor holds yet by their days, up to the first line of today."""
    newest = connection.execute(
        sa.select(access_anchors.c.day, access_anchors.c.last).order_by(access_anchors.c.last.desc()).limit(1)
    ).one_or_none()
    day, last = (newest.day + _A_DAY, newest.last) if newest else (date.min, 0)
    log = tables.access_log
    lines: list[sa.Row[Any]] = []
    for line in connection.execute(sa.select(log).where(log.c.position > last).order_by(log.c.position)).all():
        of_line = max(day, day_of(line.at))
        if lines and of_line > day:
            yield day, lines
            lines = []
        day = of_line
        if day >= today:
            return
        lines.append(line)
    if lines:
        yield day, lines


def _root(lines: Iterable[sa.Row[Any]], blind: str) -> str:
    return tree.root([tree.leaf_hash(line_bytes(line, blind)) for line in lines]).hex()


def _with_word() -> sa.Select[Any]:
    sent, checks = tables.outgoing, anchor_checks
    lines = access_anchors.c.count.label("lines")
    return (
        sa.select(access_anchors, lines, sent.c.state, checks.c.verdict, checks.c.checked_at)
        .outerjoin(sent, sent.c.key == access_anchors.c.key)
        .outerjoin(checks, checks.c.day == access_anchors.c.day)
    )


def _anchor(row: sa.Row[Any]) -> Anchor:
    word = {"sent": Word.TAKEN, "refused": Word.REFUSED}.get(row.state, Word.WAITING)
    return Anchor(
        day=row.day,
        first=row.first,
        last=row.last,
        count=row.lines,
        root=row.root,
        made_at=row.made_at,
        word=word,
        verdict=Verdict(row.verdict) if row.verdict else None,
        checked_at=row.checked_at,
    )
