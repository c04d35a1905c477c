# SPDX-License-Identifier: Apache-2.0
"""Does the hub keep up? In words first: what waits and since when, agencies' last signs of life, work that was given up
(ids only), the workers, the room the database takes (ux H8).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from flask import request, url_for
from werkzeug.wrappers import Response as Answer

from hub.agencies import reads as agencies
from hub.agencies.rules import AgencyState
from hub.audit import reads as log
from hub.audit import service as audit
from hub.audit.rules import AuditKind, Entry
from hub.base import db
from hub.base.db import Session, now
from hub.base.errors import NotFoundError
from hub.base.ids import is_id
from hub.console.pages import page, see
from hub.console.rendering import render
from hub.console.visits import Visit
from hub.oauth import tokens
from hub.outbox import reads as outbox
from hub.outbox import service as work
from hub.outbox.reads import Backlog

LATE: Final = timedelta(minutes=1)
"""Work that is due for so long says that no worker keeps up."""
MANY: Final = 1000
"""So many entries without a place say that the sequencer does not keep up, or stands still."""
SILENT: Final = timedelta(hours=24)
MOST: Final = 100
MEGABYTE: Final = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """An agency and its last sign of life; `is_silent`: none for a day."""

    name: str
    at: datetime | None
    is_silent: bool


@page("/health", permission="console.health")
def health(visit: Visit) -> tuple[str, int]:
    """Show how the hub keeps up."""
    with visit.reading("health") as session:
        at = now(session)
        backlog, unsequenced = outbox.backlog(session, now=at), log.unsequenced(session)
        facts: dict[str, Any] = {
            "backlog": backlog,
            "unsequenced": unsequenced,
            "dead": outbox.dead_letters(session, limit=MOST),
            "seen": _seen(session, visit.language, at),
            "megabytes": db.size_of_database(session) // MEGABYTE,
        }
    listeners = visit.hub.wakes.listeners()
    said = request.args.get("said")
    return render(
        "health.html",
        state=state_of(backlog, unsequenced, at),
        at=at,
        listeners=listeners,
        late=is_late(backlog, at),
        log_late=unsequenced >= MANY,
        said=said if said == "replayed" else None,
        **facts,
    )


@page("/health/replay", permission="console.health", methods=("POST",))
def replay(visit: Visit) -> Answer:
    """Give work that was given up five new tries; the log says who did.

    *Raises* NotFoundError: there is no such work, or it was not given up.
    """
    asked = request.form.get("work", "")
    if not is_id(asked):
        raise NotFoundError
    with visit.doing() as session:
        at = now(session)
        if not work.replay(session, asked, now=at):
            raise NotFoundError
        entry = Entry(kind=AuditKind.DELIVERY_REPLAYED, actor=visit.me.id, parties=(), subject=asked)
        audit.append(session, entry, now=at)
    return see(url_for("console.health", said="replayed"))


def state_of(backlog: Backlog, unsequenced: int, at: datetime) -> str:
    """Say in a word how the hub keeps up: `bad` where it stands still, `poor` where work was given up, else `good`."""
    if is_late(backlog, at) or unsequenced >= MANY:
        return "bad"
    return "poor" if backlog.dead else "good"


def is_late(backlog: Backlog, at: datetime) -> bool:
    """Say whether work has been due for longer than a worker that runs would let it."""
    return backlog.oldest_due_at is not None and at - backlog.oldest_due_at > LATE


def _seen(session: Session, language: str, at: datetime) -> tuple[Seen, ...]:
    """Give the active agencies, those first that have been silent for longest."""
    signs = tokens.last_issued(session)
    known = [one for one in agencies.everybody(session) if one.state is AgencyState.ACTIVE]
    listed = [
        Seen(
            name=one.name_ja if language == "ja" else one.name_en,
            at=signs.get(one.id),
            is_silent=one.id not in signs or at - signs[one.id] > SILENT,
        )
        for one in known
    ]
    return tuple(sorted(listed, key=lambda one: (one.at is not None, one.at or at, one.name)))
