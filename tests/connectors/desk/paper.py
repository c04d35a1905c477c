# SPDX-License-Identifier: Apache-2.0
"""Work on a desk's board, written into the casebook as a sync would: referrals, follow-ups, notices, tasks, people."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from connectors.casebook import files, mirror, people, referrals, tables
from connectors.casebook.outings import Outing
from connectors.casebook.tables_mirror import follow_ups
from connectors.sdk import answers, threads
from connectors.sync.connector import Connector
from tests.connectors.desk.office import Browser, Office
from tests.connectors.story import STAFF


def new_id() -> str:
    return str(uuid.uuid4())


def outing_of(case: str) -> Outing:
    """Give an accompaniment that ended at a counter where nobody listened."""
    at = datetime(2026, 4, 6, 1, 0, tzinfo=UTC)
    return Outing(
        id=new_id(), referral=new_id(), n=None, case=case, staff=STAFF, begins_at=at, arrived_at=at, ended_at=at,
        document={},
    )  # fmt: skip


@dataclass
class Paper:
    """Puts work on one office's board."""

    office: Office

    @property
    def connector(self) -> Connector:
        return self.office.connector

    @property
    def now(self) -> datetime:
        return self.connector.now()

    def case(self, name: str = "架空 花子", *, worker: str | None = None, team: str = "") -> str:
        """Register a person with a case that has a number and somebody in charge."""
        handle, person = new_id(), new_id()
        with self.connector.casebook.transaction() as connection:
            people.register_person(connection, person=person, name=name, kana="カクウ", staff=STAFF, now=self.now)
            people.open_case(
                connection, handle=handle, person=person, owner=self.connector.agency, staff=STAFF, now=self.now
            )
            pen = self.connector.pen(STAFF)
            files.open_file(connection, pen, case=handle, on=date(2026, 4, 6), worker=worker, team=team)
        return handle

    def referral(self, case: str, partner: str, *, came: bool = False, **changes: Any) -> threads.ReferralDetail:
        """Put a referral into the mirror as the hub would show it; sent by us unless it came."""
        us, own = self.connector.agency, new_id()
        sender, recipient = (partner, us) if came else (us, partner)
        members: dict[str, Any] = {
            "id": own, "root": own, "hop": 0, "thread": new_id(), "message": new_id(), "case": case,
            "sender": sender, "recipient": recipient, "coordinator": sender, "purpose": "koguchi_shikin",
            "urgency": "normal", "basis": "consent", "state": "requested", "version": 1, "ball": sender,
            "awaiting": recipient, "due_at": self.now + timedelta(days=3), "sent_at": self.now - timedelta(days=1),
            "updated_at": self.now,
        }  # fmt: skip
        made = threads.ReferralDetail(**members | changes)
        with self.connector.casebook.transaction() as connection:
            referrals.keep(connection, made)
            mirror.keep_detail(connection, made, now=self.now)
        return made

    def follow_up(self, referral: threads.ReferralDetail, due_on: date, n: int = 1) -> None:
        """Put a follow-up of ours beside a referral."""
        asked = threads.FollowUp(n=n, agency=self.connector.agency, due_on=due_on)
        with self.connector.casebook.transaction() as connection:
            mirror.keep_follow_ups(connection, referral.id, [asked])

    def notice(self, case: str, *, due_at: datetime) -> str:
        """Put a request to stop using something on the board."""
        made = threads.Notice(id=new_id(), case=case, withdrawal=new_id(), items=(), raised_at=self.now, due_at=due_at)
        with self.connector.casebook.transaction() as connection:
            mirror.keep_notices(connection, [made])
        return made.id

    def task(self, case: str | None, *, kind: str = "case_note", about: str | None = None) -> str:
        """Put a task of the hub's on the board."""
        made = answers.Task(
            id=new_id(), kind=kind, label="架空のお願い", about=about or new_id(), case=case, raised_at=self.now
        )
        with self.connector.casebook.transaction() as connection:
            mirror.keep_tasks(connection, [made])
        return made.id

    def is_open(self, referral: str, n: int) -> bool:
        """Say whether a follow-up is still open in the mirror."""
        with self.connector.casebook.transaction() as connection:
            table = follow_ups.c
            query = sa.select(table.done_at).where(table.referral == referral, table.n == n)
            return connection.execute(query).scalar_one() is None

    def log(self) -> Sequence[str]:
        """Give what the access log says was done, oldest first."""
        with self.connector.casebook.transaction() as connection:
            log = tables.access_log.c
            return list(connection.execute(sa.select(log.action).order_by(log.position)).scalars())

    def queued(self) -> Sequence[tuple[str, str, Any]]:
        """Give what waits for the hub: kind, state and body."""
        with self.connector.casebook.transaction() as connection:
            out = tables.outgoing.c
            rows = connection.execute(sa.select(out.what, out.state, out.body).order_by(out.position))
            return [(row.what, row.state, row.body) for row in rows]


def section(browser: Browser, name: str, path: str = "/") -> str:
    """Give what a person reads in one section of the board."""
    found = browser.get(path).html.select_one(f"#{name}")
    assert found is not None, name
    return " ".join(found.get_text(" ").split())


def order_of(text: str, words: tuple[str, ...]) -> list[str]:
    return sorted((word for word in words if word in text), key=text.index)
