# SPDX-License-Identifier: Apache-2.0
"""What people said is signed here, kept byte for byte, and goes to the hub in the order in which it was said."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from connectors.casebook import outgoing, statements
from connectors.sync.connector import Connector
from consent.errors import DocumentRefusedError
from consent.keys import KeyUse
from consent.receipts import (
    ConsentRecord,
    ExclusionRecord,
    StatusRecord,
    WithdrawalRecord,
    read_statement,
    statement_hash,
)
from tests.connectors.story import NOW, STAFF, Network, consent, open_case, refused, scope, waiting


def exclusion(connector: Connector, case: str, *to: str) -> ExclusionRecord:
    return ExclusionRecord(
        id=connector.new_id(),
        agency=connector.agency,
        case=case,
        to=frozenset(to),
        categories=frozenset({"health"}),
        from_time=connector.now(),
        words_digest="cd" * 32,
    )


def withdrawal(connector: Connector, case: str, *scopes: str) -> WithdrawalRecord:
    return WithdrawalRecord(
        id=connector.new_id(),
        agency=connector.agency,
        case=case,
        scopes=frozenset(scopes),
        to=frozenset(),
        categories=frozenset(),
        at=connector.now(),
    )


def known(connector: Connector, case: str) -> statements.KnownConsent:
    with connector.casebook.transaction() as connection:
        (only,) = statements.consents_of(connection, case)
    return only


def test_a_consent_is_signed_with_the_agencys_key_and_queued_behind_its_case(j1: Connector, s1: Connector) -> None:
    case = open_case(j1)
    made = consent(j1, case, s1.agency)
    assert waiting(j1) == [("case", case), ("consent", made), ("status", made)]
    record = read_statement(known(j1, case).token, ConsentRecord, j1.keystore.current(KeyUse.SIG, NOW).public)
    assert (record.id, record.agency, record.case) == (made, j1.agency, case)


def test_the_first_word_that_a_consent_is_live_goes_with_it(j1: Connector, s1: Connector) -> None:
    case = open_case(j1)
    consent(j1, case, s1.agency)
    kept = known(j1, case)
    status = read_statement(kept.status or "", StatusRecord, j1.keystore.current(KeyUse.SIG, NOW).public)
    assert status.hash == statement_hash(kept.token)
    assert (status.as_of, status.next_by) == (NOW, NOW + timedelta(hours=24))


def test_a_scope_that_no_hub_would_read_is_not_signed(j1: Connector, s1: Connector) -> None:
    case = open_case(j1)
    ended = replace(scope(j1, case, s1.agency), valid_until=NOW)
    with pytest.raises(DocumentRefusedError, match="bad-date"), j1.casebook.transaction() as connection:
        statements.record_consents(connection, [ended], j1.pen(STAFF))
    assert waiting(j1) == [("case", case)]


def test_a_status_is_renewed_at_half_time_and_not_before(j1: Connector, s1: Connector, network: Network) -> None:
    case = open_case(j1)
    consent(j1, case, s1.agency)
    j1.push()
    network.clock.on(hours=12, seconds=-1)
    assert j1.renew_statuses() == 0
    network.clock.on(seconds=1)
    assert j1.renew_statuses() == 1
    assert known(j1, case).status_as_of == network.clock()


def test_a_consent_that_the_hub_has_not_registered_yet_gets_no_further_status(
    j1: Connector, s1: Connector, network: Network
) -> None:
    consent(j1, open_case(j1), s1.agency)
    network.clock.on(days=2)
    assert j1.renew_statuses() == 0


def test_a_consent_that_has_ended_gets_no_further_status(j1: Connector, s1: Connector, network: Network) -> None:
    consent(j1, open_case(j1), s1.agency)
    j1.push()
    network.clock.on(days=90)
    assert j1.renew_statuses() == 0


def test_a_consent_that_was_taken_back_gets_no_further_status(j1: Connector, s1: Connector, network: Network) -> None:
    case = open_case(j1)
    made = consent(j1, case, s1.agency)
    j1.push()
    with j1.casebook.transaction() as connection:
        statements.withdraw(connection, withdrawal(j1, case, made), j1.pen(STAFF))
    network.clock.on(days=2)
    assert j1.renew_statuses() == 0


def test_a_withdrawal_of_everything_is_sent_by_one_of_the_cases_records(j1: Connector, s1: Connector) -> None:
    case = open_case(j1)
    made = consent(j1, case, s1.agency)
    record = withdrawal(j1, case)
    with j1.casebook.transaction() as connection:
        statements.withdraw(connection, record, j1.pen(STAFF))
        last = outgoing.waiting(connection)[-1]
    assert (last.what, last.about, last.path) == ("withdrawal", record.id, f"/v1/consents/{made}/withdraw")


def test_a_withdrawal_from_a_case_without_consents_is_refused(j1: Connector) -> None:
    case = open_case(j1)
    with refused("consent-unknown"), j1.casebook.transaction() as connection:
        statements.withdraw(connection, withdrawal(j1, case), j1.pen(STAFF))


def test_a_refusal_is_kept_and_queued(j1: Connector, s1: Connector) -> None:
    case = open_case(j1)
    record = exclusion(j1, case, s1.agency)
    with j1.casebook.transaction() as connection:
        statements.exclude(connection, record, j1.pen(STAFF))
        (kept,) = statements.exclusions_of(connection, case)
    assert kept == record.exclusion()
    assert waiting(j1)[-1] == ("exclusion", record.id)


def test_an_older_status_does_not_take_the_place_of_a_newer(j1: Connector, s1: Connector) -> None:
    case = open_case(j1)
    made = consent(j1, case, s1.agency)
    with j1.casebook.transaction() as connection:
        statements.keep_status(connection, made, j1.agency, "older", as_of=NOW - timedelta(hours=1))
    assert known(j1, case).status != "older"


def test_a_status_of_another_signers_record_of_the_same_id_is_not_taken_for_ours(j1: Connector, s1: Connector) -> None:
    case = open_case(j1)
    made = consent(j1, case, s1.agency)
    with j1.casebook.transaction() as connection:
        statements.keep_status(connection, made, s1.agency, "theirs", as_of=NOW + timedelta(hours=1))
    assert known(j1, case).status != "theirs"


def test_a_record_that_the_hub_refused_is_no_consent_any_more(j1: Connector, s1: Connector) -> None:
    case = open_case(j1)
    made = consent(j1, case, s1.agency)
    with j1.casebook.transaction() as connection:
        statements.refused(connection, made, j1.agency, code="case-closed")
        assert statements.consents_of(connection, case) == []


def test_a_withdrawal_of_everything_ends_the_statuses_of_all_signed_until_then(
    j1: Connector, s1: Connector, network: Network
) -> None:
    case = open_case(j1)
    consent(j1, case, s1.agency)
    j1.push()
    with j1.casebook.transaction() as connection:
        statements.withdraw(connection, withdrawal(j1, case), j1.pen(STAFF))
    network.clock.on(seconds=1)
    later = consent(j1, case, s1.agency)
    j1.push()
    network.clock.on(hours=13)
    with j1.casebook.transaction() as connection:
        assert statements.renew_statuses(connection, j1.pen(STAFF)) == 1
        newest = {one.record.id: one.status_as_of for one in statements.consents_of(connection, case)}
    assert newest[later] == network.clock()


def test_a_refusal_is_ended_by_a_word_of_its_own_and_only_by_its_signer(
    j1: Connector, s1: Connector, network: Network
) -> None:
    case = open_case(j1)
    consent(j1, case, s1.agency)
    refusal = ExclusionRecord(
        id=j1.new_id(), agency=j1.agency, case=case, to=frozenset({s1.agency}), categories=frozenset({"contact"}),
        from_time=NOW, words_digest="ab" * 32,
    )  # fmt: skip
    with j1.casebook.transaction() as connection:
        statements.exclude(connection, refusal, j1.pen(STAFF))
    j1.push()
    s1.sync()
    with s1.casebook.transaction() as connection, refused("exclusion-unknown"):
        statements.revoke_exclusion(connection, refusal.exclusion(), s1.pen(STAFF))
    with j1.casebook.transaction() as connection:
        statements.revoke_exclusion(connection, refusal.exclusion(), j1.pen(STAFF))
        (ended,) = statements.exclusions_of(connection, case)
        assert ended.revoked_at == NOW
        with refused("exclusion-unknown"):
            statements.revoke_exclusion(connection, refusal.exclusion(), j1.pen(STAFF))
    assert [what for what, _ in waiting(j1)] == ["revocation"]
    j1.push()
    assert network.hub.exclusions[case][0].revoked_at == NOW
