# SPDX-License-Identifier: Apache-2.0
"""Whether the hub keeps up, in words first; work that was given up gets new tries, and the log says who gave them."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from hub.base.db import now
from hub.base.ids import new_id
from hub.console.health import MANY, is_late, state_of
from hub.outbox import service as outbox
from hub.outbox.reads import Backlog
from hub.staff.rules import Role
from tests.hub.builders import active_agency


@pytest.fixture
def admin(hub_database):
    engine = sa.create_engine(hub_database.admin_url, poolclass=sa.NullPool)
    with engine.connect() as connection:
        yield connection.execution_options(isolation_level="AUTOCOMMIT")


@pytest.fixture
def given_up(jobs_database, admin):
    """One piece of work that failed five times; its id."""
    with jobs_database.transaction(None) as session:
        work = outbox.put(session, topic="message:waiting", about="x", order_key="x", now=now(session))
    gone = sa.text(
        "update outbox set state = 'dead', attempts = 5, fault = 'KeyError', finished_at = now() where id = :id"
    )
    admin.execute(gone, {"id": work})
    return work


def english(looking):
    looking.get("/console/language/en")
    return looking


def test_a_hub_that_keeps_up_says_so_in_words(signed_in):
    page = english(signed_in(Role.OPERATOR)).soup("/console/health")
    assert page.select_one("#h-state").get_text() == "All is well"
    assert "No work is waiting." in page.get_text()
    assert "No work was given up." in page.get_text()


def test_work_that_waits_too_long_makes_it_bad(signed_in, jobs_database, admin):
    with jobs_database.transaction(None) as session:
        outbox.put(session, topic="message:waiting", about="x", order_key="x", now=now(session))
    looking = english(signed_in(Role.OPERATOR))
    assert "1 pieces of work are under way." in looking.get("/console/health").text
    admin.execute(sa.text("update outbox set due_at = now() - interval '5 minutes'"))
    page = looking.soup("/console/health")
    assert page.select_one("#h-state").get_text() == "It does not keep up"
    assert "Work has been waiting since" in page.get_text()


def test_given_up_work_is_shown_by_its_id_and_tried_again_once(signed_in, given_up, sequence, admin):
    looking = english(signed_in(Role.OPERATOR))
    page = looking.soup("/console/health")
    assert page.select_one("#h-state").get_text() == "It runs, but some work was given up"
    assert given_up in page.get_text()
    assert "KeyError" in page.get_text()
    answer = looking.send("/console/health/replay", {"work": given_up}, seen="/console/health")
    assert (answer.status_code, answer.location) == (303, "/console/health?said=replayed")
    state = admin.execute(sa.text("select state, attempts, finished_at from outbox")).one()
    assert tuple(state) == ("pending", 0, None)
    assert looking.send("/console/health/replay", {"work": given_up}).status_code == 404
    sequence()
    bodies = admin.execute(sa.text("select body from log_entries where kind = 'delivery:replayed'")).scalars().all()
    assert [looking.staff_id in body.decode() for body in bodies] == [True]


@pytest.mark.parametrize("work", ["", "x", "00000000-0000-4000-8000-000000000000", "' or 1=1", "\0"])
def test_work_that_is_not_there_is_not_tried_again(signed_in, given_up, work, admin):
    looking = signed_in(Role.OPERATOR)
    assert looking.send("/console/health/replay", {"work": work}).status_code == 404
    assert admin.execute(sa.text("select state from outbox")).scalar_one() == "dead"


def test_agencies_that_have_been_silent_come_first(signed_in, database, admin):
    silent, talking = active_agency(database), active_agency(database)
    token = sa.text(
        "insert into oauth_tokens (digest, client, agency, client_kid, scopes, jkt, issued_at, expires_at)"
        " values (sha256(:d), :a, :a, 'k', '{}', 'j', now(), now() + interval '5 minutes')"
    )
    admin.execute(token, {"d": new_id.__name__.encode(), "a": talking.id})
    page = english(signed_in(Role.OPERATOR)).soup("/console/health")
    rows = [row.get_text(" ", strip=True) for row in page.select("section[aria-labelledby=h-seen] tbody tr")]
    assert len(rows) == 2
    assert "Not lately" in rows[0]
    assert "Silent for a day" in rows[0]
    assert "In touch" in rows[1]
    assert silent.id != talking.id


def test_the_words_follow_from_the_numbers(database):
    with database.transaction(None) as session:
        at = now(session)
    fine = Backlog(due=3, oldest_due_at=at - timedelta(seconds=30), retried=0, dead=0, later=0)
    late = Backlog(due=1, oldest_due_at=at - timedelta(minutes=2), retried=0, dead=0, later=0)
    dead = Backlog(due=0, oldest_due_at=None, retried=0, dead=1, later=0)
    assert [state_of(one, 0, at) for one in (fine, late, dead)] == ["good", "bad", "poor"]
    assert state_of(fine, MANY, at) == "bad"
    assert not is_late(dead, at)
