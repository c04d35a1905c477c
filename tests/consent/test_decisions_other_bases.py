# SPDX-License-Identifier: Apache-2.0
"""Emergency, 支援会議 and statute: each test of each row, in the order of the row."""

from dataclasses import replace
from datetime import timedelta

import pytest

from consent.decisions import RULES, ConferenceBasis, EmergencyBasis, StatuteBasis
from consent.scopes import Conference
from consent.vocabulary.codes import CATEGORIES, EMERGENCY_MINIMUM, RECIPIENTS, STATUTE_KINDS
from tests.consent.builders import (
    C1,
    F1,
    H1,
    J1,
    M1,
    MICROSECOND,
    NOW,
    S1,
    Party,
    ask,
    exclusion,
    facts,
    permitted,
    refused,
    scope,
    uid,
)

APPROVED = EmergencyBasis(
    threat="life",
    difficulty="unreachable",
    requester="u-101",
    approver="u-100",
    approver_role="supervisor",
    approved_at=NOW,
)
TERM = timedelta(hours=72)


def emergency(basis: EmergencyBasis = APPROVED, **changes: object) -> str:
    return ask(facts(), basis=basis, **({"recipient": M1, "purpose": "emergency_response"} | changes))


def test_con_22_an_emergency_with_everything_said_permits_without_a_scope() -> None:
    answer = permitted(facts(), basis=APPROVED, recipient=M1, purpose="emergency_response")
    assert (answer.basis, answer.scope, answer.against_exclusion) == ("emergency", None, False)
    assert answer.path == ("emergency", *RULES["emergency"])


@pytest.mark.parametrize(
    "lacking",
    [
        {"threat": None},
        {"threat": "a bad feeling"},
        {"difficulty": ""},
        {"difficulty": "too_late_in_the_day"},
        {"requester": None},
        {"requester": "  "},
        {"approver": None},
        {"approver": ""},
        {"approver": "u-101"},
        {"approver": " U-101"},
        {"approver_role": None},
        {"approver_role": "counsellor"},
        {"approver_role": "chief_counsellor"},
        {"valid_until": NOW + TERM + MICROSECOND},
        {"approved_at": NOW + timedelta(days=1)},
    ],
    ids=str,
)
def test_con_22_an_emergency_lacking_anything_is_refused(lacking: dict[str, object]) -> None:
    assert emergency(replace(APPROVED, **lacking)) == "LEGAL_BASIS_INCOMPLETE"


@pytest.mark.parametrize("role", ["supervisor", "administrator"])
def test_a_supervisor_or_an_administrator_approves(role: str) -> None:
    assert emergency(replace(APPROVED, approver_role=role)) == "ALLOW"


@pytest.mark.parametrize("category", sorted(CATEGORIES))
def test_an_emergency_carries_the_minimum_and_no_more(category: str) -> None:
    expected = "ALLOW" if category in EMERGENCY_MINIMUM else "BASIS_CATEGORY_NOT_PERMITTED"
    assert emergency(category=category) == expected


def test_an_emergency_ends_with_its_term() -> None:
    for basis in (APPROVED, replace(APPROVED, valid_until=NOW + TERM)):
        assert emergency(basis, at=NOW + TERM - MICROSECOND) == "ALLOW"
        assert emergency(basis, at=NOW + TERM) == "EXPIRED"


def test_an_emergency_may_end_sooner() -> None:
    sooner = replace(APPROVED, valid_until=NOW + timedelta(hours=1))
    assert emergency(sooner, at=NOW + timedelta(hours=1)) == "EXPIRED"


def test_an_undated_approval_counts_from_the_moment_of_sending() -> None:
    undated = replace(APPROVED, approved_at=None)
    assert emergency(undated) == "ALLOW"
    assert emergency(undated, sent_at=NOW, at=NOW + TERM - MICROSECOND) == "ALLOW"
    assert emergency(undated, sent_at=NOW, at=NOW + TERM) == "EXPIRED"


def test_the_tests_of_an_emergency_run_in_the_order_of_the_row() -> None:
    late = {"at": NOW + TERM, "category": "legal"}
    assert emergency(replace(APPROVED, approver=None), **late) == "LEGAL_BASIS_INCOMPLETE"
    assert emergency(APPROVED, **late) == "BASIS_CATEGORY_NOT_PERMITTED"


def test_an_emergency_is_barred_neither_by_closure_nor_by_an_exclusion_and_the_use_is_flagged() -> None:
    against = facts(scope(), closed_at=NOW, exclusions=(exclusion({M1.agency}, {"safety"}),))
    assert permitted(against, basis=APPROVED, recipient=M1, category="safety").against_exclusion
    assert not permitted(against, basis=APPROVED, recipient=M1, category="identity").against_exclusion


# ── 支援会議 ──

MEETING = Conference(id=uid("meeting"), members=frozenset({J1.agency, C1.agency}), until=NOW + timedelta(days=30))
IN_MEETING = ConferenceBasis(conference=MEETING.id)


def conference(**changes: object) -> str:
    asked = {"basis": IN_MEETING, "recipient": C1, "purpose": "shien_kaigi", "category": "safety"} | changes
    return ask(facts(conferences=(MEETING,)), **asked)


def test_members_of_a_conference_share_for_its_purpose() -> None:
    assert conference() == "ALLOW"
    assert conference(sender=C1, recipient=J1) == "ALLOW"


@pytest.mark.parametrize("name", [None, "", uid("another meeting")])
def test_an_unknown_conference_has_no_members(name: str | None) -> None:
    assert conference(basis=ConferenceBasis(conference=name)) == "NOT_CONFERENCE_MEMBER"


@pytest.mark.parametrize("parties", [{"recipient": H1}, {"sender": H1}, {"sender": H1, "recipient": F1}])
def test_who_has_not_accepted_membership_neither_gives_nor_gets(parties: dict[str, Party]) -> None:
    assert conference(**parties) == "NOT_CONFERENCE_MEMBER"


def test_a_conference_covers_its_own_purpose_only() -> None:
    assert conference(purpose="case_conference") == "PURPOSE_NOT_COVERED"


def test_a_conference_ends() -> None:
    assert conference(at=MEETING.until - MICROSECOND) == "ALLOW"
    assert conference(at=MEETING.until) == "EXPIRED"


def test_the_tests_of_a_conference_run_in_the_order_of_the_row() -> None:
    late = {"at": MEETING.until, "purpose": "follow_up"}
    assert conference(recipient=H1, **late) == "NOT_CONFERENCE_MEMBER"
    assert conference(**late) == "PURPOSE_NOT_COVERED"


# ── statute ──


@pytest.mark.parametrize("ground", sorted(STATUTE_KINDS))
@pytest.mark.parametrize("kind", sorted(RECIPIENTS))
def test_a_statute_opens_the_kinds_that_its_ground_names(ground: str, kind: str) -> None:
    expected = "ALLOW" if kind in STATUTE_KINDS[ground] else "PARTY_NOT_COVERED"
    recipient = Party(agency=uid(kind), kind=kind)
    assert ask(facts(), basis=StatuteBasis(ground=ground), recipient=recipient, category="safety") == expected


@pytest.mark.parametrize("ground", [None, "", "it_seemed_right"])
def test_a_ground_that_is_not_registered_is_no_ground(ground: str | None) -> None:
    answer = refused(facts(), basis=StatuteBasis(ground=ground), recipient=C1)
    assert (answer.reason, answer.remedy) == ("LEGAL_BASIS_INCOMPLETE", "complete_basis")
    assert answer.path == ("statute", "registered_ground")


def test_a_statute_is_barred_neither_by_closure_nor_by_an_exclusion_and_the_use_is_flagged() -> None:
    against = facts(closed_at=NOW, exclusions=(exclusion({"*"}, {"*"}),))
    basis = StatuteBasis(ground="child_abuse")
    assert permitted(against, basis=basis, recipient=C1, category="children").against_exclusion


def test_consent_does_not_help_another_basis() -> None:
    assert ask(facts(scope()), basis=StatuteBasis(ground="child_abuse"), recipient=S1) == "PARTY_NOT_COVERED"
