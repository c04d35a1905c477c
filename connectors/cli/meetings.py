# SPDX-License-Identifier: Apache-2.0
"""`tsunagi task` and `tsunagi meeting`: what somebody here has to do, and the two kinds of conference."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from connectors.cli import saying
from connectors.cli.desk import Desk
from connectors.cli.frame import Noun, argument, flag, option, verb
from connectors.cli.kinds import At, Code, Id
from connectors.cli.saying import Said
from connectors.sync.cases import refresh_meetings

task: Final = Noun("task")
meeting: Final = Noun("meeting")


@verb(task, "list", flag("--done"))
def list_tasks(desk: Desk, *, done: bool) -> Said:
    """List what timers and people raised for us."""
    with desk.open() as connector:
        found = list(connector.hub.tasks(done=done))
    rows = [
        (
            one.id,
            one.label,
            saying.moment(one.due_at) + (f" {desk.text('overdue')}" if one.overdue else ""),
            one.about,
        )
        for one in found
    ]
    lines = saying.table(desk.head("id", "task", "due", "about"), rows) if rows else [desk.text("no-tasks")]
    return Said(document={"tasks": found}, lines=lines)


@verb(task, "done", argument("task", Id()))
def finish_task(desk: Desk, *, task: str) -> Said:
    """Mark a task done."""
    with desk.open() as connector:
        one = connector.hub.finish_task(task)
    return Said(document=one, lines=[desk.text("task-done", label=one.label)])


@verb(
    meeting,
    "convene",
    argument("kind", Code("meeting_kind")),
    option("--member", many=True, required=True),
    option("--until", At(), required=True),
    option("--case", Id()),
)
def convene(desk: Desk, *, kind: str, member: tuple[str, ...], until: datetime, case: str | None) -> Said:
    """Convene a conference; whoever is invited has to accept."""
    with desk.open() as connector:
        members = [desk.agency(connector, one).id for one in member]
        made = connector.hub.convene(kind, members=members, until=until, case=case)
        refresh_meetings(connector)
    return Said(
        document=made, lines=[desk.text("meeting-convened", kind=desk.label("meeting_kind", made.kind), id=made.id)]
    )


@verb(meeting, "accept", argument("meeting", Id()))
def accept(desk: Desk, *, meeting: str) -> Said:
    """Accept membership, and with it the duty of secrecy."""
    with desk.open() as connector:
        made = connector.hub.accept_meeting(meeting)
        refresh_meetings(connector)
    return Said(document=made, lines=[desk.text("meeting-accepted", id=made.id)])


@verb(meeting, "list")
def list_meetings(desk: Desk) -> Said:
    """List the conferences to which we were invited."""
    with desk.open() as connector:
        found = list(connector.hub.meetings())
        rows = [
            (
                one.id,
                desk.label("meeting_kind", one.kind),
                desk.name_of(connector, one.convenor),
                f"{len(one.accepted)}/{len(one.members)}",
                saying.moment(min(one.until, one.ended_at or one.until)),
            )
            for one in found
        ]
    head = desk.head("id", "kind", "convenor", "accepted", "until")
    return Said(document={"meetings": found}, lines=saying.table(head, rows))
