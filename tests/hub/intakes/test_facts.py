# SPDX-License-Identifier: Apache-2.0
"""What a decision rests on, and that its order with a withdrawal is the order of commit (consent.md, CON-08)."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from consent.decisions import decide
from consent.questions import ConsentBasis, Permitted, Question, Reason, Refused
from hub.agencies import reads as agencies
from hub.audit import service as audit
from hub.audit.rules import AuditKind, Entry
from hub.base.db import Duty, now
from hub.cases import reads as cases
from hub.intakes import reads, service
from hub.intakes.rules import Taking
from tests.hub.casework import (
    DAY,
    closed,
    consent,
    exclusion,
    opened_case,
    present,
    registered,
    revocation,
    rows,
    scope,
)

PURPOSE, CATEGORY = "koguchi_shikin", "identity"


@pytest.fixture
def case(client, intake):
    return opened_case(client, intake)


@pytest.fixture
def known(client, intake, council, case):
    return registered(client, intake, case, council.id)


def gathered(session, case, sender, recipient, *, lock=False):
    found = cases.resolve(session, case, sender=sender.id, recipient=recipient.id)
    return reads.facts(session, found, lock=lock)


def decided(session, case, sender, recipient, *, category=CATEGORY, lock=False):
    question = Question(
        sender=agencies.party(session, sender.id),
        recipient=agencies.party(session, recipient.id),
        purpose=PURPOSE,
        category=category,
        basis=ConsentBasis(),
        at=now(session),
    )
    return decide(question, gathered(session, case, sender, recipient, lock=lock))


def reason(database, case, sender, recipient, **options):
    with database.transaction(sender.id, Duty.DECIDE) as session:
        verdict = decided(session, case, sender, recipient, **options)
    return verdict.reason if isinstance(verdict, Refused) else None


def withdrawn(database, intake, known):
    with database.transaction(intake.id) as session:
        found = reads.statement(session, known["id"], agency=intake.id)
        service.withdraw(session, found, agency=intake.id, taking=Taking(), token=None, now=now(session))


# ── the facts ──


def test_both_sides_and_the_worker_gather_the_same_facts(database, jobs_database, intake, council, case, known):
    seen = []
    for agency in (intake, council):
        with database.transaction(agency.id, Duty.DECIDE) as session:
            seen.append(gathered(session, case, intake, council))
    with jobs_database.transaction(None) as session:
        seen.append(gathered(session, case, intake, council))
    assert seen[0] == seen[1] == seen[2]
    assert [one.scope.id for one in seen[0].scopes] == [known["id"]]
    assert seen[0].intake_side == {intake.id}


def test_without_the_duty_an_agency_does_not_even_find_a_case_that_does_not_name_it(
    database, intake, council, lawyers, case, client
):
    registered(client, intake, case, lawyers.id)
    with database.transaction(council.id) as session:
        assert cases.resolve(session, case, sender=intake.id, recipient=council.id) is None


def test_a_consent_permits_both_ways_until_it_is_withdrawn(database, intake, council, lawyers, case, known):
    assert reason(database, case, intake, council) is None
    assert reason(database, case, council, intake) is None
    assert reason(database, case, intake, lawyers) is Reason.PARTY_NOT_COVERED
    withdrawn(database, intake, known)
    assert reason(database, case, intake, council) is Reason.WITHDRAWN
    assert reason(database, case, council, intake) is Reason.WITHDRAWN


def test_a_case_without_a_consent_permits_nothing(database, intake, council, case):
    assert reason(database, case, intake, council, lock=True) is Reason.NO_CONSENT


def test_a_refusal_counts_from_its_registration_until_it_is_revoked(client, database, intake, council, case, known):
    by = client.by(intake.id)
    token = exclusion(intake, case, council.id, categories=[CATEGORY])
    made = by.say(f"/v1/cases/{case}/exclusions", {"record": token}).get_json()
    assert reason(database, case, intake, council) is Reason.EXCLUDED_BY_SUBJECT
    word = revocation(intake, case, made["id"])
    by.say(f"/v1/cases/{case}/exclusions/{made['id']}/revoke", {"record": word})
    assert reason(database, case, intake, council) is None


def test_a_newer_record_ends_those_it_supersedes(client, database, intake, council, case, known):
    later = {"valid_from": present() + DAY, "supersedes": frozenset({known["id"]})}
    registered(client, intake, case, council.id, **later)
    assert reason(database, case, intake, council) is Reason.SUPERSEDED


def test_a_record_that_nobody_signed_does_not_put_another_agency_on_the_intake_side(
    client, database, intake, council, lawyers, case
):
    both = frozenset({intake.id, lawyers.id})
    registered(client, intake, case, council.id, hub_parties=both, signature="none")
    with database.transaction(intake.id, Duty.DECIDE) as session:
        assert gathered(session, case, intake, council).intake_side == {intake.id}
    registered(client, intake, case, council.id, hub_parties=both)
    with database.transaction(intake.id, Duty.DECIDE) as session:
        assert gathered(session, case, intake, council).intake_side == both


def test_a_closed_case_carries_its_closing_time(client, database, intake, council, case, known):
    closed(client, intake, case)
    assert reason(database, case, intake, council, lock=True) is Reason.CASE_CLOSED


def test_a_copied_handle_disturbs_nobody_elses_case(client, database, intake, council, stranger, case, known):
    opened_case(client, stranger, handle=case)
    assert reason(database, case, intake, council) is None
    assert reason(database, case, council, intake) is None
    assert reason(database, case, stranger, council) is Reason.NO_CONSENT


# ── the race ──


def test_a_send_that_waited_for_a_withdrawal_is_refused_although_it_began_earlier(
    database, intake, council, case, known
):
    began, may_go_on = threading.Event(), threading.Event()

    def send():
        with database.transaction(intake.id, Duty.DECIDE) as session:
            now(session)
            began.set()
            assert may_go_on.wait(10)
            return decided(session, case, intake, council, lock=True)

    with ThreadPoolExecutor(1) as pool:
        sending = pool.submit(send)
        assert began.wait(10)
        withdrawn(database, intake, known)
        may_go_on.set()
        verdict = sending.result(20)
    assert isinstance(verdict, Refused)
    assert verdict.reason is Reason.WITHDRAWN


def test_a_withdrawal_waits_for_the_sends_under_way(database, intake, council, case, known):
    with ThreadPoolExecutor(1) as pool:
        with database.transaction(council.id, Duty.DECIDE) as session:
            assert isinstance(decided(session, case, council, intake, lock=True), Permitted)
            withdrawing = pool.submit(withdrawn, database, intake, known)
            assert not _is_done(withdrawing, seconds=0.5)
        withdrawing.result(20)
    assert reason(database, case, council, intake) is Reason.WITHDRAWN


def _is_done(future, *, seconds):
    try:
        future.result(seconds)
    except TimeoutError:
        return False
    return True


def test_sends_do_not_wait_for_each_other(database, intake, council, case, known):
    with (
        database.transaction(intake.id, Duty.DECIDE) as one,
        database.transaction(council.id, Duty.DECIDE) as other,
    ):
        assert isinstance(decided(one, case, intake, council, lock=True), Permitted)
        assert isinstance(decided(other, case, council, intake, lock=True), Permitted)


def test_the_first_consent_of_a_case_waits_for_a_refusal_that_rests_on_there_being_none(
    client, database, intake, council, case
):
    with ThreadPoolExecutor(1) as pool:
        with database.transaction(intake.id, Duty.DECIDE) as session:
            verdict = decided(session, case, intake, council, lock=True)
            assert verdict.reason is Reason.NO_CONSENT
            registering = pool.submit(registered, client, intake, case, council.id)
            assert not _is_done(registering, seconds=0.5)
        registering.result(20)
    assert reason(database, case, intake, council) is None


def test_a_closure_waits_for_the_sends_under_way(client, database, intake, council, case, known):
    with ThreadPoolExecutor(1) as pool:
        with database.transaction(intake.id, Duty.DECIDE) as session:
            decided(session, case, intake, council, lock=True)
            closing = pool.submit(closed, client, intake, case)
            assert not _is_done(closing, seconds=0.5)
        closing.result(20)
    assert reason(database, case, intake, council) is Reason.CASE_CLOSED


@pytest.mark.parametrize("round_", range(3))
def test_of_many_sends_racing_one_withdrawal_none_is_logged_after_it(
    database, intake, council, case, known, hub_database, round_
):
    """Each send writes an audit entry if it is permitted; the log's order must agree with what was decided."""
    start = threading.Barrier(9)

    def send(number):
        start.wait(10)
        with database.transaction(intake.id, Duty.DECIDE) as session:
            verdict = decided(session, case, intake, council, lock=True)
            kind = AuditKind.MESSAGE_ACCEPTED if isinstance(verdict, Permitted) else AuditKind.MESSAGE_REFUSED
            entry = Entry(kind=kind, actor=intake.id, parties=(intake.id, council.id), case=case)
            audit.append(session, entry, now=now(session))

    def take_back():
        start.wait(10)
        withdrawn(database, intake, known)

    with ThreadPoolExecutor(9) as pool:
        racing = [pool.submit(send, number) for number in range(8)] + [pool.submit(take_back)]
        for each in racing:
            each.result(30)
    kinds = [
        kind
        for (kind,) in rows(
            hub_database,
            "select kind from audit_pending where kind like 'message:%%' or kind = 'withdrawal:registered'"
            " order by arrival",
        )
    ]
    taken = kinds.index("withdrawal:registered")
    assert len(kinds) == 9
    assert set(kinds[:taken]) <= {"message:accepted"}
    assert set(kinds[taken + 1 :]) <= {"message:refused"}


def test_two_withdrawals_that_race_are_one(database, intake, council, case, known, hub_database):
    with ThreadPoolExecutor(4) as pool:
        for done in [pool.submit(withdrawn, database, intake, known) for _ in range(4)]:
            done.result(30)
    assert rows(hub_database, "select count(*) from withdrawals") == [(1,)]


def test_the_same_record_registered_twice_at_once_is_one(client, intake, council, case, hub_database):
    token = consent(intake, scope(case, intake, council.id))
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: client.by(intake.id).say("/v1/consents", {"record": token}), range(4)))
    assert {answer.status_code for answer in answers} == {201}
    assert rows(hub_database, "select count(*) from consents") == [(1,)]


def test_a_gate_counts_the_changes_of_its_case(client, database, intake, council, case, known):
    def version():
        with database.transaction(intake.id, Duty.DECIDE) as session:
            found = cases.own(session, case, owner=intake.id)
            return reads.hold_gate(session, found.id, change=False)

    before = version()
    withdrawn(database, intake, known)
    assert version() == before + 1
    withdrawn(database, intake, known)
    assert version() == before + 1


def test_an_answer_of_the_far_future_changes_nothing_now(database, intake, council, case, known):
    # the end of the period is the decision's affair: the facts are the same before and after
    with database.transaction(intake.id, Duty.DECIDE) as session:
        facts = gathered(session, case, intake, council)
        question = Question(
            sender=agencies.party(session, intake.id),
            recipient=agencies.party(session, council.id),
            purpose=PURPOSE,
            category=CATEGORY,
            basis=ConsentBasis(),
            at=now(session) + timedelta(days=400),
        )
    assert decide(question, facts).reason is Reason.EXPIRED
