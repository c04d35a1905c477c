# SPDX-License-Identifier: Apache-2.0
"""The algebra of scopes, and one test per refusal at registration."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consent.calendar import add_months
from consent.errors import DocumentRefusedError, ScopeRefusedError, TsunagiError
from consent.scopes import (
    Direction,
    Scope,
    check_exclusion,
    check_scope,
    check_withdrawal,
    expand,
    is_within,
    meet,
    narrow,
)
from consent.vocabulary.codes import CATEGORIES, SENSITIVE
from tests.consent.builders import F1, J1, MICROSECOND, NOW, S1, SIGNED, exclusion, scope, uid, withdrawal

category_sets = st.frozensets(st.sampled_from([*sorted(CATEGORIES), "*"]))


# ── algebra ──


def test_everything_is_every_category_but_the_sensitive_ones() -> None:
    assert expand({"*"}) == CATEGORIES - SENSITIVE
    assert expand({"*", "health"}) == CATEGORIES - SENSITIVE | {"health"}
    assert expand(()) == frozenset()


@given(category_sets, category_sets)
def test_what_two_sets_share_is_exactly_what_both_carry(one: frozenset[str], other: frozenset[str]) -> None:
    assert expand(meet(one, other)) == expand(one) & expand(other)
    assert meet(one, other) == meet(other, one)
    assert meet(one, one) <= one | expand(one)
    assert ("*" in meet(one, other)) == ("*" in one and "*" in other)


def test_a_scope_is_within_itself_and_not_within_less() -> None:
    whole = scope(categories=frozenset({"*"}))
    assert is_within(whole, whole)
    for less in (
        scope(categories=frozenset({"identity"})),
        replace(whole, direction=Direction.OUT),
        replace(whole, valid_until=NOW),
        replace(whole, valid_from=NOW),
        replace(whole, partners=frozenset({F1.agency})),
        replace(whole, purposes=frozenset({"follow_up"})),
        replace(whole, hub_parties=frozenset()),
    ):
        assert not is_within(whole, less)


def test_narrowing_cuts_every_side() -> None:
    smaller = narrow(
        scope(partners=frozenset({S1.agency, F1.agency}), categories=frozenset({"*"})),
        partners=frozenset({S1.agency, J1.agency}),
        purposes=frozenset({"koguchi_shikin", "saimu_seiri"}),
        categories=frozenset({"identity", "health"}),
        direction=Direction.OUT,
        valid_from=SIGNED - timedelta(days=9),
        valid_until=NOW,
    )
    assert smaller == scope(direction=Direction.OUT, categories=frozenset({"identity"}), valid_until=NOW)


@pytest.mark.parametrize(
    ("cut", "pointer"),
    [
        ({"partners": frozenset({F1.agency})}, "/partners"),
        ({"purposes": frozenset({"follow_up"})}, "/purposes"),
        ({"categories": frozenset({"health"})}, "/categories"),
        ({"direction": Direction.IN}, "/direction"),
        ({"valid_until": SIGNED}, "/valid_until"),
    ],
)
def test_narrowing_to_nothing_is_refused(cut: dict[str, object], pointer: str) -> None:
    with pytest.raises(ScopeRefusedError) as caught:
        narrow(scope(direction=Direction.OUT), **cut)
    assert (caught.value.code, caught.value.pointer) == ("bad-scope", pointer)


def test_an_errors_text_is_its_code_and_its_place_only() -> None:
    assert str(TsunagiError("bad-scope")) == "bad-scope"
    assert str(TsunagiError("bad-scope", "/valid_until")) == "bad-scope at /valid_until"


# ── registration ──


def refusal(record: Scope, at: object = SIGNED) -> tuple[str, str]:
    with pytest.raises(TsunagiError) as caught:
        check_scope(record, at)
    return caught.value.code, caught.value.pointer


@pytest.mark.parametrize(
    "said",
    [
        {},
        {"partners": frozenset({"shakyo"}), "categories": frozenset({"*", "health"})},
        {"signature": "oral_pending", "kind": "oral", "evidence": ""},
        {"signature": "none", "evidence": ""},
        {"signature": "family_unverified", "written_by": "family", "proxy_reason": "asked"},
        {"signature": "self_dictated", "written_by": "counsellor:u-101", "proxy_reason": "cannot_write"},
        {"signature": "legal_rep", "written_by": "legal_rep", "proxy_reason": "guardian"},
        {"valid_until": add_months(SIGNED, 12)},
        {"supersedes": frozenset({uid("c0")})},
    ],
)
def test_a_scope_in_order_can_be_registered(said: dict[str, object]) -> None:
    check_scope(scope(**said), SIGNED)


@pytest.mark.parametrize(
    ("said", "pointer"),
    [
        ({"valid_until": SIGNED}, "/valid_until"),
        ({"valid_until": SIGNED - MICROSECOND}, "/valid_until"),
        ({"valid_until": add_months(SIGNED, 12) + MICROSECOND}, "/valid_until"),
        ({"signed_at": SIGNED + MICROSECOND}, "/signed_at"),
        ({"hub_parties": frozenset()}, "/hub_parties"),
        ({"hub_parties": frozenset({"jiritsu"})}, "/hub_parties"),
        ({"hub_parties": frozenset({S1.agency})}, "/hub_parties"),
        ({"partners": frozenset()}, "/partners"),
        ({"purposes": frozenset()}, "/purposes"),
        ({"categories": frozenset()}, "/categories"),
        ({"supersedes": frozenset({uid("c1")})}, "/supersedes"),
        ({"supersedes": frozenset({"the old one"})}, "/supersedes"),
        ({"id": uid("c1").upper()}, "/id"),
        ({"case": "架空田 一郎"}, "/case"),
        ({"form": "form of 架空田"}, "/form"),
        ({"template": ""}, "/template"),
        ({"evidence": "ab"}, "/evidence"),
        ({"evidence": ""}, "/evidence"),
    ],
)
def test_con_06_07_a_scope_out_of_order_is_refused(said: dict[str, object], pointer: str) -> None:
    assert refusal(scope(**said)) == ("bad-scope", pointer)


def test_con_07_a_signature_older_than_thirty_days_needs_a_second_signer() -> None:
    on_time, late = SIGNED + timedelta(days=30), SIGNED + timedelta(days=30) + MICROSECOND
    check_scope(scope(), on_time)
    assert refusal(scope(), late) == ("needs-second-signer", "/witness")
    check_scope(scope(witness="supervisor:u-100"), late)


def test_the_second_signer_is_not_the_writer() -> None:
    alone = scope(written_by="counsellor:u-101", proxy_reason="asked", witness="counsellor:u-101")
    assert refusal(alone, SIGNED + timedelta(days=40)) == ("needs-second-signer", "/witness")


@pytest.mark.parametrize(
    "said", [{"written_by": "counsellor:u-101"}, {"written_by": "family"}, {"signature": "legal_rep"}]
)
def test_con_20_another_writer_or_a_representative_needs_a_reason(said: dict[str, object]) -> None:
    assert refusal(scope(**said)) == ("proxy-reason-required", "/proxy_reason")


@pytest.mark.parametrize(
    ("said", "pointer"),
    [
        ({"kind": "handshake"}, "/kind"),
        ({"direction": "sideways"}, "/direction"),
        ({"signature": "stamp"}, "/signature"),
        ({"purposes": frozenset({"koguchi_shikin", "identity"})}, "/purposes"),
        ({"categories": frozenset({"koguchi_shikin"})}, "/categories"),
        ({"partners": frozenset({"police"})}, "/partners"),
        ({"proxy_reason": "because"}, "/proxy_reason"),
        ({"written_by": "架空田 一郎"}, "/written_by"),
        ({"written_by": "counsellor:架空田"}, "/written_by"),
        ({"written_by": "person:u-1"}, "/written_by"),
        ({"witness": ""}, "/witness"),
    ],
)
def test_con_16_an_unknown_code_is_never_ignored(said: dict[str, object], pointer: str) -> None:
    assert refusal(scope(**said)) == ("unknown-code", pointer)


def test_an_exclusion_names_agencies_and_categories_that_can_exist() -> None:
    check_exclusion(exclusion({"*"}, {"*"}))
    check_exclusion(exclusion({S1.agency, "shakyo"}, {"health"}))
    with pytest.raises(DocumentRefusedError, match="unknown-code at /to"):
        check_exclusion(exclusion({"my former husband"}, {"*"}))
    with pytest.raises(DocumentRefusedError, match="unknown-code at /categories"):
        check_exclusion(exclusion({"*"}, {"address"}))
    with pytest.raises(ScopeRefusedError, match="bad-scope at /to"):
        check_exclusion(exclusion(set(), {"*"}))
    with pytest.raises(ScopeRefusedError, match="bad-scope at /categories"):
        check_exclusion(exclusion({"*"}, set()))


def test_a_withdrawal_names_agencies_and_categories_that_can_exist() -> None:
    check_withdrawal(withdrawal())
    check_withdrawal(withdrawal(to={"shakyo", S1.agency, "*"}, categories={"contact", "*"}))
    with pytest.raises(DocumentRefusedError, match="unknown-code at /to"):
        check_withdrawal(withdrawal(to={"everyone"}))
    with pytest.raises(DocumentRefusedError, match="unknown-code at /categories"):
        check_withdrawal(withdrawal(categories={"address"}))
