# SPDX-License-Identifier: Apache-2.0
"""The story of the broker, seen by an officer."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

import pytest
from sqlalchemy.orm import Session

from hub.audit import jobs as audit_jobs
from hub.audit.rules import origin
from hub.audit.sequencer import Signer
from hub.base.db import Database, Role, now
from tests.hub.builders import new_uuid
from tests.hub.conftest import ISSUER, Place
from tests.hub.messages.story import RECEIPT_KEY, Story, new_story


@dataclass(kw_only=True)
class Office:
    """An officer at the hub, with the role's own connection."""

    story: Story
    dpo: Database
    seq: Database
    officer: str = field(default_factory=new_uuid)

    def sequence(self) -> None:
        """Put what is pending into the log."""
        audit_jobs.sequence(self.seq, Signer(key=RECEIPT_KEY, origin=origin(ISSUER)))

    def look(self, ask: Callable[..., object], *arguments: object, at: datetime | None = None, **options: object):
        """Read as the officer at the present, or at another time."""
        with self.dpo.transaction(None) as session:
            return ask(session, *arguments, now=at or now(session), **options)

    def ask(self, ask: Callable[..., object], *arguments: object, **options: object):
        """Read what needs no time."""
        with self.dpo.transaction(None) as session:
            return ask(session, *arguments, **options)

    def tick(self, job: Callable[[Session], None], *, at: datetime) -> None:
        """Run a timer of the worker as if it came round at `at`."""
        with self.story.jobs.transaction(None) as session:
            session.connection()
            session.info["now"] = at
            job(session)


@pytest.fixture
def story(database: Database, jobs_database: Database) -> Story:
    return new_story(database, jobs_database)


@pytest.fixture
def office(story: Story, hub_database: Place) -> Iterator[Office]:
    dpo, seq = Database(hub_database.url, Role.DPO), Database(hub_database.url, Role.SEQ)
    yield Office(story=story, dpo=dpo, seq=seq)
    dpo.close()
    seq.close()
