# SPDX-License-Identifier: Apache-2.0
"""The database itself keeps messages to their two parties, whatever a query forgets (security §2, TEN-07, TEN-09)."""

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import ProgrammingError

from hub.messages import jobs, tables
from hub.outbox import jobs as outbox_jobs
from tests.hub.messages.story import Story, emergency

TABLES = (
    tables.threads,
    tables.messages,
    tables.parts,
    tables.receipts,
    tables.notices,
    tables.overrides,
)


@pytest.fixture
def lived(story: Story) -> Story:
    """A story with a row in every table."""
    consent = story.consent()
    accepted = story.send("identity")
    story.collect(accepted.message)
    story.acknowledge(accepted)
    story.send("identity", purpose="emergency_response", basis=emergency())
    story.withdraw(consent)
    outbox_jobs.work_off(story.jobs, {"consent:changed": jobs.consent_changed}, given_up=lambda *_: None, by="test")
    return story


def rows(story: Story, table: sa.Table, agency: str | None) -> int:
    with story.database.transaction(agency) as session:
        return int(session.execute(sa.select(sa.func.count()).select_from(table)).scalar_one())


def test_a_third_agency_and_nobody_see_no_row_of_any_table(lived: Story) -> None:
    for table in TABLES:
        assert lived.count(table.name) > 0, table.name
        assert rows(lived, table, lived.f1.id) == 0, table.name
        assert rows(lived, table, None) == 0, table.name


def test_each_party_sees_what_is_its_own(lived: Story) -> None:
    assert rows(lived, tables.messages, lived.j1.id) == rows(lived, tables.messages, lived.s1.id) == 2
    assert rows(lived, tables.notices, lived.j1.id) == 0
    assert rows(lived, tables.notices, lived.s1.id) == 1
    assert rows(lived, tables.overrides, lived.s1.id) == 0


@pytest.mark.parametrize(
    ("table", "values"),
    [
        (tables.messages, {"sender": "recipient"}),
        (tables.messages, {"recipient": "sender"}),
        (tables.messages, {"manifest": "'x'"}),
        (tables.messages, {"accepted_at": "now()"}),
        (tables.parts, {"category": "'contact'"}),
        (tables.parts, {"sender": "recipient"}),
        (tables.parts, {"sealed": "'x'::bytea"}),
        (tables.threads, {"opener": "partner"}),
        (tables.receipts, {"token": "'x'"}),
        (tables.notices, {"due_at": "now()"}),
        (tables.overrides, {"day": "current_date - 1"}),
    ],
    ids=lambda value: value.name if isinstance(value, sa.Table) else next(iter(value)),
)
def test_no_party_rewrites_what_was_sent(lived: Story, table: sa.Table, values: dict[str, str]) -> None:
    changed = {name: sa.text(value) for name, value in values.items()}
    for agency in (lived.j1, lived.s1):
        with pytest.raises(ProgrammingError), lived.database.transaction(agency.id) as session:
            session.execute(sa.update(table).values(changed))


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_nobody_deletes_a_row(lived: Story, table: sa.Table) -> None:
    for database, agency in ((lived.database, lived.j1.id), (lived.jobs, None)):
        with pytest.raises(ProgrammingError), database.transaction(agency) as session:
            session.execute(sa.delete(table))


def test_nobody_sends_in_anothers_name(lived: Story) -> None:
    with lived.jobs.transaction(None) as session:
        thread = dict(session.execute(sa.select(tables.threads)).mappings().first() or {})
    forged = thread | {"id": lived.case, "thread": lived.case}
    with pytest.raises(ProgrammingError), lived.database.transaction(lived.f1.id) as session:
        session.execute(sa.insert(tables.threads).values(forged))


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_every_table_is_forced_under_row_security_and_equals_its_declaration(story: Story, table: sa.Table) -> None:
    with story.jobs.transaction(None) as session:
        forced = sa.text("select relrowsecurity and relforcerowsecurity from pg_class where relname = :name")
        assert session.execute(forced, {"name": table.name}).scalar_one()
        found = {
            column["name"]: column["nullable"] for column in sa.inspect(session.connection()).get_columns(table.name)
        }
    assert found == {column.name: bool(column.nullable) for column in table.columns}
