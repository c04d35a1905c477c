# SPDX-License-Identifier: Apache-2.0
"""Is the log what was signed? The last check, the checkpoints, the witnesses; a check on demand; the bundle to check
elsewhere. What a check finds wrong makes a red page, and nothing is ever put right from here (ux H6).
"""

from __future__ import annotations

import tempfile
from typing import Any, Final, cast

from flask import Response, redirect, url_for
from werkzeug.wrappers import Response as Answer

from hub.audit import checking
from hub.audit import reads as log
from hub.audit import service as audit
from hub.audit.checking import Check
from hub.audit.rules import AuditKind, Entry
from hub.base import hubkeys
from hub.base.db import Session, now
from hub.base.errors import ConflictError
from hub.console.pages import SEE_OTHER, page
from hub.console.rendering import render
from hub.console.visits import Visit
from hub.evidence import service as evidence
from hub.evidence.reads import Keys
from hub.tasks import reads as tasks
from hub.tasks.reads import Task
from hub.tasks.rules import TaskKind

SHOWN: Final = 10
"""Checkpoints that the page lists."""
MOST_ENTRIES: Final = 100_000
"""A larger log is too much for one answer of a web server; the command line writes it into a file."""
IN_MEMORY: Final = 8 * 1024 * 1024
_TASKS: Final = 200


@page("/verify", permission="console.verify")
def verify(visit: Visit) -> tuple[str, int]:
    """Show how the log stands; all red where it is not what was signed."""
    with visit.reading("verify", network=True) as session:
        facts = _facts(session)
        last = cast("Check | None", facts["last"])
        if last is not None and last.is_damaged:
            place = last.place or 0
            return render(
                "verify_failed.html", reach=checking.reach(session, place), told=_told(session, last), **facts
            )
    return render("verify.html", **facts)


@page("/verify/now", permission="console.verify", methods=("POST",))
def verify_now(visit: Visit) -> Answer:
    """Ask the worker for a check; the database knows it, and a wake-up hurries it."""
    me = visit.me
    with visit.doing() as session:
        at = now(session)
        facts = {"page": "verify-now", "role": me.role.value}
        audit.append(session, Entry(kind=AuditKind.DPO_READ, actor=me.id, parties=(), facts=facts), now=at)
        checking.ask(session, by=me.id, now=at)
    return redirect(url_for("console.verify"), SEE_OTHER)


@page("/verify/bundle", permission="console.bundle", methods=("POST",))
def verify_bundle(visit: Visit) -> Answer:
    """Give the whole log as a file that `tsunagi audit verify` checks without the hub.

    *Raises* ConflictError: bundle-too-large.
    """
    with visit.doing() as session, tempfile.SpooledTemporaryFile(IN_MEMORY) as out:
        newest = log.checkpoint(session)
        if newest is not None and newest.size > MOST_ENTRIES:
            raise ConflictError("bundle-too-large")
        keys = Keys(log=log.verifier(session), receipt=hubkeys.receipts(session).key.public.jwk())
        evidence.export(session, cast("Any", out), keys, by=visit.me.id, now=now(session))
        out.seek(0)
        body = out.read()
    name = f"tsunagi-log-{0 if newest is None else newest.size}.bundle"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(body, content_type="application/octet-stream", headers=headers)


def _facts(session: Session) -> dict[str, Any]:
    newest = log.checkpoint(session)
    size = 0 if newest is None else newest.size
    return {
        "last": checking.newest(session),
        "going": checking.open_one(session),
        "newest": newest,
        "witnessed": log.witnessed(session),
        "standings": log.standings(session),
        "recovery": log.recovery(session),
        "checkpoints": log.last_checkpoints(session, SHOWN),
        "key": log.verifier(session).text(),
        "is_large": size > MOST_ENTRIES,
    }


def _told(session: Session, last: Check) -> tuple[Task, ...]:
    """Give what stands on the operator's list about this damage."""
    about = f"{last.code}:{last.place}"
    found = tasks.tasks(session, None, limit=_TASKS)
    return tuple(one for one in found if one.kind is TaskKind.LOG_DAMAGED and one.about == about)
