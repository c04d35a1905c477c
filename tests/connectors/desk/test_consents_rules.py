# SPDX-License-Identifier: Apache-2.0
"""How a consent stands, in one word: never another answer than the decision's; and what the law asks to record."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.desk.consents import rules
from connectors.desk.consents.rules import CaseConsent, Duty, Standing, Taken
from consent import decisions
from consent.decisions import ConsentBasis, Facts, Permitted, Question
from consent.scopes import ANY, Exclusion, Party, Registered, Scope, Withdrawal
from consent.vocabulary.codes import CATEGORIES, RECIPIENTS, SENSITIVE
from tests.connectors.story import NOW

HUB = Party(agency="00000000-0000-7000-8000-000000000001", kind="jiritsu")
PARTNER = Party(agency="00000000-0000-7000-8000-000000000002", kind="shakyo")
CASE = "00000000-0000-4000-8000-000000000003"
KINDS = {HUB.agency: HUB.kind, PARTNER.agency: PARTNER.kind}
MOMENTS = st.integers(-60, 60).map(lambda days: NOW + timedelta(days=days))
SETS = st.sets(st.sampled_from(sorted(CATEGORIES)), max_size=4).map(frozenset)


def scope(**changes: Any) -> Scope:
    members: dict[str, Any] = {
        "id": "00000000-0000-7000-8000-00000000000a", "case": CASE, "form": "f", "kind": "intake_form",
        "hub_parties": frozenset({HUB.agency}), "partners": frozenset({PARTNER.agency}),
        "purposes": frozenset({"sogo_shien_shikin"}), "categories": frozenset({"identity", "health"}),
        "valid_from": NOW - timedelta(days=1), "valid_until": NOW + timedelta(days=90), "signature": "self",
        "signed_at": NOW - timedelta(days=1), "written_by": "person", "form_version": "1", "template": "t",
        "evidence": "ab" * 32,
    }  # fmt: skip
    return Scope(**members | changes)


@st.composite
def scopes(draw: st.DrawFn) -> Scope:
    begins = draw(MOMENTS)
    return scope(
        partners=frozenset({draw(st.sampled_from([PARTNER.agency, PARTNER.kind]))}),
        categories=draw(SETS) | {draw(st.sampled_from([ANY, "identity", "health"]))},
        valid_from=begins,
        valid_until=begins + timedelta(days=draw(st.integers(1, 90))),
        signature=draw(st.sampled_from(["self", "oral_pending", "none", "family_unverified", "legal_rep"])),
        signed_at=draw(MOMENTS.filter(lambda at: at <= NOW)),
    )


@st.composite
def withdrawals(draw: st.DrawFn) -> Withdrawal:
    return Withdrawal(
        id="w",
        scopes=draw(st.sampled_from([frozenset(), frozenset({scope().id}), frozenset({"another"})])),
        to=draw(st.sampled_from([frozenset(), frozenset({PARTNER.agency}), frozenset({PARTNER.kind}),
                                 frozenset({HUB.agency}), frozenset({"houterasu"})])),
        categories=draw(SETS),
        at=draw(MOMENTS),
    )  # fmt: skip


@given(scopes(), st.lists(withdrawals(), max_size=3), st.sampled_from(sorted(CATEGORIES)))
def test_what_is_said_to_be_left_is_what_the_decision_permits(
    made: Scope, words: list[Withdrawal], category: str
) -> None:
    taken = Taken(words=words, kinds=KINDS)
    stands = rules.standing(made, registered=True, superseded=False, taken=taken, now=NOW)
    partly = rules.apart(made, taken, NOW)
    said = stands in rules.PERMITS and category in rules.left(made, taken, NOW)
    facts = Facts(
        intake_side=frozenset({HUB.agency}),
        scopes=(Registered(scope=made, registered_at=NOW - timedelta(days=70)),),
        withdrawals=tuple(words),
    )
    question = Question(
        sender=HUB, recipient=PARTNER, purpose="sogo_shien_shikin", category=category, basis=ConsentBasis(), at=NOW
    )
    ((_, answer),) = decisions.decide_parts(question, facts, [category])
    if PARTNER.agency not in partly:
        assert isinstance(answer, Permitted) == said, (stands, answer)
    elif isinstance(answer, Permitted):
        assert said


@pytest.mark.parametrize(
    ("changes", "how", "word"),
    [
        ({}, {}, Standing.LIVE),
        ({}, {"registered": False}, Standing.WAITING),
        ({}, {"superseded": True}, Standing.SUPERSEDED),
        ({"valid_until": NOW + rules.ENDING_SOON}, {}, Standing.ENDING),
        ({"valid_until": NOW}, {}, Standing.ENDED),
        ({"valid_from": NOW + timedelta(seconds=1)}, {}, Standing.NOT_YET),
        ({"signature": "oral_pending"}, {}, Standing.PENDING),
        ({"signature": "oral_pending", "signed_at": NOW - timedelta(days=14)}, {}, Standing.UNSIGNED),
        ({"signature": "none"}, {"superseded": True}, Standing.UNSIGNED),
    ],
)
def test_the_most_telling_word_stands(changes: dict[str, Any], how: dict[str, bool], word: Standing) -> None:
    facts = {"registered": True, "superseded": False} | how
    assert rules.standing(scope(**changes), taken=Taken(), now=NOW, **facts) is word


def test_what_was_taken_back_for_one_agency_of_a_kind_stands_apart() -> None:
    made = scope(partners=frozenset({PARTNER.kind}))
    word = Withdrawal(id="w", to=frozenset({PARTNER.agency}), at=NOW)
    taken = Taken(words=[word], kinds=KINDS)
    assert rules.left(made, taken, NOW) == {"identity", "health"}
    assert rules.apart(made, taken, NOW) == {PARTNER.agency}


def test_the_last_day_to_sign_is_counted_in_days_of_the_calendar() -> None:
    made = scope(signed_at=NOW)
    assert [rules.days_for_signature(made, NOW + timedelta(days=day)) for day in (0, 13, 14, 20)] == [14, 1, 0, 0]


@given(st.lists(st.sampled_from(Standing)))
def test_a_case_has_consent_exactly_when_something_permits(found: list[Standing]) -> None:
    word = rules.case_consent(found)
    has = word in {CaseConsent.LIVE, CaseConsent.ENDING, CaseConsent.PENDING}
    assert has == bool(rules.PERMITS & set(found))


def test_refusals_for_all_a_kind_and_an_agency_are_withheld_while_they_last() -> None:
    def one(to: str, categories: set[str], **more: Any) -> Exclusion:
        return Exclusion(id="x", case=CASE, to=frozenset({to}), categories=frozenset(categories),
                         from_time=NOW - timedelta(days=1), **more)  # fmt: skip

    found = [one(ANY, {"legal"}), one("shakyo", {"debt_arrears"}), one(PARTNER.agency, {"health"}),
             one("houterasu", {"housing"}), one(ANY, {ANY}, revoked_at=NOW)]  # fmt: skip
    assert rules.withheld(found, PARTNER.agency, "shakyo", NOW) == {"legal", "debt_arrears", "health"}
    assert rules.withheld([one(ANY, {ANY})], "shakyo", "shakyo", NOW) >= SENSITIVE


@pytest.mark.parametrize(
    ("giver", "receiver", "basis", "duty"),
    [
        ("shakyo", "bengoshi", "consent", Duty.REQUIRED),
        ("lifeline", "shakyo", "consent", Duty.REQUIRED),
        ("shakyo", "bengoshi", "emergency", Duty.VOLUNTARY),
        ("shakyo", "bengoshi", "statute", Duty.VOLUNTARY),
        ("shakyo", "fukushi_jimusho", "consent", Duty.VOLUNTARY),
        ("fukushi_jimusho", "shakyo", "consent", Duty.VOLUNTARY),
        ("houterasu", "bengoshi", "consent", Duty.VOLUNTARY),
        ("jiritsu", "shakyo", "consent", Duty.DEPENDS),
        ("kakei", "houkatsu", "consent", Duty.DEPENDS),
    ],
)
def test_the_law_asks_for_a_record_between_private_bodies_by_consent(
    giver: str, receiver: str, basis: str, duty: Duty
) -> None:
    assert rules.duty(giver, receiver, basis) is duty


@given(st.sampled_from(sorted(RECIPIENTS)), st.sampled_from(sorted(RECIPIENTS)))
def test_the_duty_is_the_same_seen_from_both_sides(one: str, other: str) -> None:
    assert rules.duty(one, other, "consent") is rules.duty(other, one, "consent")


@given(st.text())
def test_no_cell_is_read_as_a_formula_and_none_is_changed_otherwise(cell: str) -> None:
    guarded = rules.without_formula(cell)
    assert guarded[:1] not in {"=", "+", "-", "@", "\t", "\r"}
    assert guarded in {cell, "'" + cell}


def test_what_shift_jis_cannot_write_is_named_sign_by_sign() -> None:
    assert rules.unwritable("髙﨑 𠮷葛\U000e0100𠮷", "cp932") == ("𠮷", "\U000e0100")
    assert rules.unwritable("Nguyễn", "cp932") == ("ễ",)
    assert rules.unwritable("𠮷", "utf-8-sig") == ()
