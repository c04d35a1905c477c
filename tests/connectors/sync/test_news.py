# SPDX-License-Identifier: Apache-2.0
"""What the hub's feed names is looked at again; what reached the hub another way is countersigned."""

from __future__ import annotations

from datetime import timedelta

import pytest

from connectors.casebook import conferences, statements
from connectors.sdk.problems import ProblemError
from connectors.sync import news
from connectors.sync.connector import Connector
from consent.decisions import Permitted
from consent.receipts import ExclusionRecord
from tests.connectors.story import NOW, STAFF, Network, consent, letter, open_case


@pytest.fixture
def case(j1: Connector, s1: Connector) -> str:
    made = open_case(j1)
    consent(j1, made, s1.agency)
    j1.push()
    return made


def permitted(sender: Connector, recipient: Connector, case: str) -> bool:
    ((_, decided),) = sender.preview(letter(case, recipient))
    return isinstance(decided, Permitted)


def test_a_partner_learns_of_a_consent_that_names_it(j1: Connector, s1: Connector, case: str) -> None:
    assert [event.event for event in news.heed(s1)] == ["consent:registered"]
    with s1.casebook.transaction() as connection:
        (known,) = statements.consents_of(connection, case)
    assert known.registered_at is not None
    assert known.status is not None


def test_the_feed_is_read_on_from_where_it_was_left(j1: Connector, s1: Connector, case: str) -> None:
    assert news.heed(s1)
    assert news.heed(s1) == ()
    consent(j1, case, s1.agency)
    j1.push()
    assert len(news.heed(s1)) == 1


def test_a_withdrawal_is_learnt_at_once(j1: Connector, s1: Connector, case: str) -> None:
    news.heed(s1)
    (made,) = [one.id for one in s1.hub.consents(case)]
    j1.hub.withdraw(made, categories=["identity"])
    news.heed(s1)
    with s1.casebook.transaction() as connection:
        (taken,) = statements.withdrawals_of(connection, case)
    assert (taken.scopes, taken.categories) == ({made}, {"identity"})


def test_a_record_that_a_newer_form_leaves_out_ends_in_the_casebook_of_its_partner(
    j1: Connector, s1: Connector, network: Network, case: str
) -> None:
    news.heed(s1)
    (old,) = [one.id for one in s1.hub.consents(case)]
    assert permitted(s1, j1, case)
    network.clock.on(minutes=1)
    lawyers = network.join("bengoshi")
    new = consent(j1, case, lawyers.agency, supersedes=frozenset({old}))
    j1.push()
    assert [(event.event, event.about) for event in news.heed(s1)] == [("consent:superseded", old)]
    assert not permitted(s1, j1, case)
    with s1.casebook.transaction() as connection:
        (known,) = statements.consents_of(connection, case)
    assert (known.record.id, known.superseded_at) == (old, network.clock())
    assert new not in {one.id for one in s1.hub.consents(case)}


def test_a_refusal_is_learnt_in_every_case_we_know(j1: Connector, s1: Connector, case: str) -> None:
    news.heed(s1)
    record = ExclusionRecord(
        id=j1.new_id(),
        agency=j1.agency,
        case=case,
        to=frozenset({s1.agency}),
        categories=frozenset({"health"}),
        from_time=NOW,
        words_digest="cd" * 32,
    )
    with j1.casebook.transaction() as connection:
        statements.exclude(connection, record, j1.pen(STAFF))
    j1.push()
    news.heed(s1)
    with s1.casebook.transaction() as connection:
        assert [one.id for one in statements.exclusions_of(connection, case)] == [record.id]


def test_a_conference_is_known_as_soon_as_we_are_invited_and_counts_who_accepted(j1: Connector, s1: Connector) -> None:
    meeting = j1.hub.convene("shien_kaigi", members=[s1.agency], until=NOW + timedelta(days=30))
    news.heed(s1)
    with s1.casebook.transaction() as connection:
        assert [one.members for one in conferences.conferences(connection)] == [{j1.agency}]
    s1.hub.accept_meeting(meeting.id)
    s1.sync()
    with s1.casebook.transaction() as connection:
        assert [one.members for one in conferences.conferences(connection)] == [{j1.agency, s1.agency}]


def test_a_conference_that_was_ended_early_carries_no_longer(j1: Connector, s1: Connector, network: Network) -> None:
    meeting = j1.hub.convene("shien_kaigi", members=[s1.agency], until=NOW + timedelta(days=30))
    network.clock.on(days=1)
    j1.hub.end_meeting(meeting.id, version=1)
    j1.sync()
    with j1.casebook.transaction() as connection:
        (known,) = conferences.conferences(connection)
    assert known.until == NOW + timedelta(days=1)


def test_a_withdrawal_that_reached_the_hub_another_way_is_countersigned(
    j1: Connector, s1: Connector, case: str, network: Network
) -> None:
    (made,) = network.hub.consents
    j1.hub.withdraw(made)  # by the person's page, with nobody's signature
    network.clock.on(hours=12)
    synced = j1.sync()
    assert [(one.what, one.code) for one in synced.refused] == [("status", "consent-withdrawn")]
    assert [one.what for one in synced.answered.settled] == ["withdrawal"]
    network.clock.on(hours=12)
    assert j1.renew_statuses() == 0


def test_a_partner_that_is_named_by_its_kind_learns_what_names_it_without_seeing_the_case(
    j1: Connector, s1: Connector
) -> None:
    case = open_case(j1)
    made = consent(j1, case, "shakyo")
    consent(j1, case, "bengoshi")
    record = ExclusionRecord(
        id=j1.new_id(),
        agency=j1.agency,
        case=case,
        to=frozenset({"shakyo"}),
        categories=frozenset({"health"}),
        from_time=NOW,
        words_digest="cd" * 32,
    )
    with j1.casebook.transaction() as connection:
        statements.exclude(connection, record, j1.pen(STAFF))
    j1.push()
    s1.refresh_case(case)
    with s1.casebook.transaction() as connection:
        assert [one.record.id for one in statements.consents_of(connection, case)] == [made]
        assert [one.id for one in statements.exclusions_of(connection, case)] == [record.id]
    assert permitted(s1, j1, case)
    with pytest.raises(ProblemError, check=lambda problem: problem.status == 404):
        s1.hub.case(case)
