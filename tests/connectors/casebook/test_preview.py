# SPDX-License-Identifier: Apache-2.0
"""The preview answers as the hub will: the same function, asked with what this agency knows."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors.casebook import conferences, people, preview, statements
from connectors.sync.connector import Connector
from consent.decisions import Facts, Permitted, Question, Refused, decide
from consent.questions import ConferenceBasis, ConsentBasis, EmergencyBasis, Reason
from consent.scopes import Conference, Exclusion, Party, Registered, Withdrawal
from tests.connectors.story import NOW, PURPOSE, STAFF, Network, consent, letter, open_case, refused, scope, text

CATEGORIES = ("identity", "contact", "income_assets", "health")
EMERGENCY = EmergencyBasis(
    threat="life", difficulty="unreachable", requester="s-07", approver="s-09", approver_role="supervisor"
)


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Connector, Connector]]:
    network = Network(folder=tmp_path_factory.mktemp("preview"))
    j1, s1 = network.join("jiritsu"), network.join("shakyo")
    network.meet()
    yield j1, s1
    network.close()


def ask(connector: Connector, case: str, to: str, basis=None, *, categories=("identity",), at=NOW, sent_at=None):
    with connector.casebook.transaction() as connection:
        return preview.preview(
            connection,
            case=case,
            sender=connector.agency,
            recipient=to,
            purpose=PURPOSE,
            categories=categories,
            basis=basis or ConsentBasis(),
            now=at,
            sent_at=sent_at,
        )


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_preview_agrees_with_the_decision_on_the_same_facts(pair: tuple[Connector, Connector], data: st.DataObject):
    j1, s1 = pair
    case = open_case(j1)
    some = st.frozensets(st.sampled_from(CATEGORIES), min_size=1)
    hours = st.integers(-30, 30).map(lambda n: NOW + timedelta(hours=n))
    scopes = [
        scope(
            j1,
            case,
            data.draw(st.sampled_from([s1.agency, "shakyo", "houterasu"])),
            categories=data.draw(some),
            valid_from=(begins := data.draw(hours)),
            valid_until=begins + timedelta(hours=data.draw(st.integers(1, 48))),
            signed_at=NOW - timedelta(days=2),
        )
        for _ in range(data.draw(st.integers(0, 3)))
    ]
    refusal = Exclusion(id=j1.new_id(), case=case, to=frozenset({s1.agency}), categories=data.draw(some), from_time=NOW)
    refusals = (refusal,) if data.draw(st.booleans()) else ()
    taken = Withdrawal(id=j1.new_id(), scopes=frozenset(one.id for one in scopes[:1]), at=data.draw(hours))
    withdrawals = (taken,) if scopes and data.draw(st.booleans()) else ()
    at = data.draw(hours)
    registered = NOW - timedelta(days=1)
    with j1.casebook.transaction() as connection:
        statements.record_consents(connection, scopes, j1.pen(STAFF))
        for one in scopes:
            statements.registered(connection, one.id, j1.agency, at=registered)
        for one in refusals:
            statements.keep_exclusion(connection, one, None)
        for one in withdrawals:
            statements.keep_withdrawal(connection, one, case, None)
    facts = Facts(
        intake_side=frozenset({j1.agency}),
        scopes=tuple(Registered(scope=one, registered_at=registered) for one in sorted(scopes, key=lambda one: one.id)),
        exclusions=refusals,
        withdrawals=withdrawals,
    )
    for category, answer in ask(j1, case, s1.agency, categories=CATEGORIES, at=at):
        question = Question(
            sender=Party(agency=j1.agency, kind="jiritsu"),
            recipient=Party(agency=s1.agency, kind="shakyo"),
            purpose=PURPOSE,
            category=category,
            basis=ConsentBasis(),
            at=at,
        )
        assert answer == decide(question, facts)


def test_a_consent_that_still_waits_for_the_hub_counts_from_now(j1: Connector, s1: Connector) -> None:
    case = open_case(j1)
    made = consent(j1, case, s1.agency)
    ((_, answer),) = ask(j1, case, s1.agency)
    assert isinstance(answer, Permitted)
    assert answer.scope == made


def test_a_closed_case_is_refused_here_too(j1: Connector, s1: Connector) -> None:
    case = open_case(j1)
    consent(j1, case, s1.agency)
    with j1.casebook.transaction() as connection:
        people.keep_case(connection, handle=case, owner=j1.agency, closed_at=NOW, now=NOW)
    ((_, answer),) = ask(j1, case, s1.agency)
    assert isinstance(answer, Refused)
    assert answer.reason is Reason.CASE_CLOSED


def test_an_agency_that_is_in_no_directory_cannot_be_asked_about(j1: Connector) -> None:
    with refused("agency-unknown"):
        ask(j1, open_case(j1), j1.new_id())


def test_an_emergency_without_a_date_runs_from_the_moment_the_hub_took_it(j1: Connector, s1: Connector) -> None:
    later = NOW + timedelta(hours=73)
    ((_, sent_now),) = ask(j1, open_case(j1), s1.agency, EMERGENCY, at=later)
    ((_, sent_then),) = ask(j1, open_case(j1), s1.agency, EMERGENCY, at=later, sent_at=NOW)
    assert isinstance(sent_now, Permitted)
    assert isinstance(sent_then, Refused)
    assert sent_then.reason is Reason.EXPIRED


def test_only_a_conference_that_both_accepted_carries(j1: Connector, s1: Connector) -> None:
    both, one = j1.new_id(), j1.new_id()
    until = NOW + timedelta(days=1)
    with j1.casebook.transaction() as connection:
        conferences.keep(connection, Conference(id=both, members=frozenset({j1.agency, s1.agency}), until=until))
        conferences.keep(connection, Conference(id=one, members=frozenset({j1.agency}), until=until))
        answers = [
            preview.preview(
                connection,
                case=j1.new_id(),
                sender=j1.agency,
                recipient=s1.agency,
                purpose="shien_kaigi",
                categories=["identity"],
                basis=ConferenceBasis(conference=conference),
                now=NOW,
            )[0][1]
            for conference in (both, one)
        ]
    assert [type(answer) for answer in answers] == [Permitted, Refused]


def test_the_connectors_preview_is_about_each_part_of_a_letter(j1: Connector, s1: Connector) -> None:
    case = open_case(j1)
    consent(j1, case, s1.agency)
    decided = j1.preview(letter(case, s1, text("identity"), text("health")))
    assert [(category, type(answer)) for category, answer in decided] == [("identity", Permitted), ("health", Refused)]
