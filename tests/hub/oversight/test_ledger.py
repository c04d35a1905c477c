# SPDX-License-Identifier: Apache-2.0
"""The ledger of a case is complete: what store and log do not both say is shown, and nothing is left out."""

import pytest
import sqlalchemy as sa

from consent.receipts import Delivery
from hub.base.db import Duty
from hub.base.errors import ForbiddenError
from hub.cases import reads as cases
from hub.oversight import ledger
from hub.oversight.ledger import Held
from tests.hub.messages.story import emergency, next_in
from tests.hub.oversight.conftest import Office


def tamper(office: Office, statement: str) -> None:
    """Change what is stored behind the hub's back, as whoever has the database's superuser can."""
    url = sa.make_url(office.dpo.engine.url).set(username="tsn_admin")
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    with engine.begin() as connection:
        connection.execute(sa.text("set session_replication_role = replica"))
        connection.execute(sa.text(statement))
    engine.dispose()


def test_every_disclosure_is_there_with_when_from_to_what_for_and_under_which_consent(office: Office) -> None:
    story = office.story
    consent = story.consent()
    first = story.send("identity", "income_assets")
    story.collect(first.message)
    story.acknowledge(first)
    story.acknowledge(first, kind=Delivery.READ)
    second = story.accept(story.seal("identity", **next_in(first)), thread=first.manifest.thread, to=story.s1.id)
    urgent = story.send("safety", purpose="emergency_response", basis=emergency(), recipient=story.f1)
    office.sequence()
    made = office.look(ledger.ledger, story.case)
    assert [one.disclosure.id for one in made.lines] == [first.message, second.message, urgent.message]
    one = made.lines[0].disclosure
    assert (one.sender, one.recipient, one.purpose) == (story.j1.id, story.s1.id, "sogo_shien_shikin")
    assert (one.categories, one.consents, one.basis) == (("identity", "income_assets"), (consent,), "consent")
    assert one.state == "opened"
    assert None not in (one.handed_over_at, one.delivered_at, one.opened_at)
    assert one.decision in {entry["id"] for entry in entries(office)}
    assert made.lines[2].disclosure.consents == ()
    assert {one.held for one in made.lines} == {Held.AGREES}
    assert made.is_complete


def entries(office: Office):
    with office.dpo.transaction(None) as session:
        bodies = session.execute(sa.text("select convert_from(body, 'utf8')::json from log_entries")).scalars()
        return list(bodies)


def test_what_was_refused_is_counted_and_is_no_disclosure(office: Office) -> None:
    story = office.story
    story.consent()
    with pytest.raises(ForbiddenError):
        story.send("health")
    office.sequence()
    made = office.look(ledger.ledger, story.case)
    assert (made.lines, made.refused) == ((), 1)


def test_what_is_not_in_the_log_yet_is_on_its_way_and_after_a_minute_missing(office: Office) -> None:
    story = office.story
    story.consent()
    sent = story.send()
    made = office.look(ledger.ledger, story.case)
    assert [one.held for one in made.lines] == [Held.ON_ITS_WAY]
    assert made.is_complete
    late = office.look(ledger.ledger, story.case, at=sent.accepted_at + ledger.SEQUENCED_WITHIN)
    assert [one.held for one in late.lines] == [Held.NOT_IN_LOG]
    assert not late.is_complete


def test_a_row_that_was_taken_away_is_named_by_its_entry(office: Office) -> None:
    story = office.story
    story.consent()
    gone, stays = story.send(), story.send("identity")
    office.sequence()
    for table, column in (("message_parts", "message_row"), ("messages", "id")):
        tamper(office, f"delete from {table} where {column} = '{gone.message}'")  # noqa: S608 - fixed names, our id
    made = office.look(ledger.ledger, story.case)
    assert [one.disclosure.id for one in made.lines] == [stays.message]
    assert [one.subject for one in made.lost] == [gone.message]
    assert not made.is_complete


@pytest.mark.parametrize(
    "change",
    [
        "messages set purpose = 'follow_up' where id",
        "messages set recipient = gen_random_uuid() where id",
        "messages set manifest_hash = repeat('0', 64) where id",
        "message_parts set category = 'contact' where n = 1 and message_row",
    ],
    ids=["purpose", "recipient", "manifest", "category"],
)
def test_a_row_that_was_changed_differs_from_its_entry(office: Office, change: str) -> None:
    story = office.story
    story.consent()
    sent = story.send()
    office.sequence()
    tamper(office, f"update {change} = '{sent.message}'")
    made = office.look(ledger.ledger, story.case)
    assert [one.held for one in made.lines] == [Held.DIFFERS]
    assert not made.is_complete


def test_a_handle_that_nobody_knows_has_an_empty_ledger(office: Office) -> None:
    made = office.look(ledger.ledger, office.officer)
    assert (made.lines, made.lost, made.refused) == ((), (), 0)
    assert made.is_complete


def test_the_owner_of_a_case_gets_its_statement_with_what_others_disclosed(office: Office) -> None:
    story = office.story
    story.consent()
    story.send("identity")
    sealed = story.seal(
        "safety", sender=story.s1, recipient=story.f1, purpose="emergency_response", basis=emergency()
    )  # fmt: skip
    story.accept(sealed, agency=story.s1)
    with story.database.transaction(story.j1.id) as session:
        case = cases.own(session, story.case, owner=story.j1.id)
        assert case is not None
    with story.database.transaction(story.j1.id, Duty.STATEMENT) as session:
        assert [one.sender for one in ledger.statement(session, case.id)] == [story.j1.id, story.s1.id]
    with story.database.transaction(story.j1.id) as session:
        # without the duty an agency sees what it sent or received
        assert [one.sender for one in ledger.statement(session, case.id)] == [story.j1.id]
    with story.database.transaction(story.f1.id, Duty.STATEMENT) as session:
        # and with it no other agency sees more of a case that is not its own
        assert [one.sender for one in ledger.statement(session, case.id)] == [story.s1.id]
