# SPDX-License-Identifier: Apache-2.0
"""The wizard's pure decisions: the order of recipients, what is needed, days, words that give away more."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.desk.emergencies import rules as emergency
from connectors.desk.sending import lexicon, rules
from connectors.desk.sending.rules import Candidate
from connectors.desk.web.visits import Role
from consent.calendar import Calendar
from consent.vocabulary.codes import CATEGORIES, EMERGENCY_MINIMUM, MATRIX
from tests.connectors.story import NOW

unhurried = settings(deadline=None)
"""The holidays of a year are worked out once, and the machine may be busy."""
PLAIN = Candidate(
    agency="a", name="架空", typical=False, offers=False, in_area=None, answer_days=None, has_room=True, permitted=0,
    wanted=5,
)  # fmt: skip

candidates = st.builds(
    Candidate,
    agency=st.text("abcdef", min_size=1, max_size=4),
    name=st.sampled_from(["架空", "仮名"]),
    typical=st.booleans(),
    offers=st.booleans(),
    in_area=st.sampled_from([None, True, False]),
    answer_days=st.none() | st.integers(0, 90),
    has_room=st.booleans(),
    permitted=st.integers(0, 5),
    wanted=st.integers(0, 5),
    reachable=st.booleans(),
    suggested=st.booleans(),
)
lists = st.lists(candidates, max_size=8, unique_by=lambda one: one.agency)


@given(lists, st.randoms())
def test_the_order_does_not_hang_on_the_order_in_which_they_came(found: list[Candidate], random: object) -> None:
    mixed = list(found)
    random.shuffle(mixed)  # type: ignore[attr-defined]
    assert rules.ranked(mixed) == rules.ranked(found)
    assert sorted(one.agency for one in rules.ranked(found)) == sorted(one.agency for one in found)


@given(lists)
def test_what_cannot_be_reached_is_last_and_what_fits_comes_before_what_does_not(found: list[Candidate]) -> None:
    order = [(not one.reachable, not one.suggested, not one.fits, not one.consented) for one in rules.ranked(found)]
    assert order == sorted(order)


@given(lists)
def test_nobody_is_chosen_first_whom_consent_does_not_reach(found: list[Candidate]) -> None:
    ranked = rules.ranked(found)
    first = rules.first_choice(ranked)
    chosen = next((one for one in ranked if one.agency == first), None)
    assert chosen is None or (chosen.reachable and chosen.consented and (chosen.fits or chosen.suggested))
    assert (first is None) == (
        not any(one.reachable and one.consented and (one.fits or one.suggested) for one in ranked)
    )


@pytest.mark.parametrize(
    ("better", "worse"),
    [
        (replace(PLAIN, reachable=True), replace(PLAIN, reachable=False, suggested=True, typical=True)),
        (replace(PLAIN, suggested=True), replace(PLAIN, typical=True, permitted=5)),
        (replace(PLAIN, typical=True), replace(PLAIN, permitted=5)),
        (replace(PLAIN, offers=True), replace(PLAIN, permitted=5)),
        (replace(PLAIN, typical=True, permitted=1), replace(PLAIN, typical=True, in_area=True)),
        (replace(PLAIN, permitted=5), replace(PLAIN, permitted=2, in_area=True)),
        (replace(PLAIN, in_area=True), replace(PLAIN, in_area=False, answer_days=0)),
        (replace(PLAIN, has_room=True), replace(PLAIN, has_room=False, answer_days=0)),
        (replace(PLAIN, answer_days=1), replace(PLAIN, answer_days=2)),
        (replace(PLAIN, answer_days=90), replace(PLAIN, answer_days=None)),
    ],
)
def test_each_step_of_the_order_counts(better: Candidate, worse: Candidate) -> None:
    one, other = replace(better, agency="z", name="仮名"), replace(worse, agency="a", name="仮名")
    assert rules.ranked([other, one]) == [one, other]


@pytest.mark.parametrize("kind", sorted(MATRIX))
@pytest.mark.parametrize("purpose", rules.purposes())
def test_no_more_is_ticked_than_the_matrix_needs(kind: str, purpose: str) -> None:
    needed = rules.needed(kind, purpose)
    assert needed <= {category for category, mark in MATRIX[kind].items() if mark == "R"}
    assert not needed & rules.unused(kind)
    if not rules.is_typical(kind, purpose):
        assert needed <= rules.ALWAYS_ASKED


def test_a_loan_needs_money_and_debts_and_no_illness() -> None:
    assert rules.needed("shakyo", "koguchi_shikin") == {
        "identity", "contact", "consultation", "income_assets", "debt_arrears",
    }  # fmt: skip
    assert "legal" in rules.unused("shakyo")


@unhurried
@given(
    st.dates(date(2026, 1, 1), date(2027, 12, 31)),
    st.sampled_from(["immediate", "same_day", "soon", "normal"]),
    st.none() | st.integers(0, 30),
)
def test_an_answer_is_wished_for_on_a_business_day_not_before_today(
    today: date, urgency: str, usual: int | None
) -> None:
    calendar = Calendar()
    day = rules.answer_by(today, urgency, usual, calendar)
    assert day >= today
    assert calendar.is_business_day(day)
    if urgency in {"immediate", "same_day"} and calendar.is_business_day(today):
        assert day == today


def test_golden_week_does_not_count() -> None:
    assert rules.answer_by(date(2026, 5, 1), "normal", 1, Calendar()) == date(2026, 5, 7)


def test_words_are_found_whatever_their_width_in_texts_of_others_alone() -> None:
    texts = {"contact": "水曜は通院です。ＤＶの心配", "consultation": "特になし"}
    found = rules.noticed(texts, ["health", "safety"], lexicon.words())
    assert {(one.where, one.word, one.category) for one in found} == {
        ("contact", "通院", "health"),
        ("contact", "DV", "safety"),
    }
    assert rules.noticed({"health": "通院"}, ["health"], lexicon.words()) == ()


def test_the_lexicon_knows_categories_alone_and_no_word_that_is_in_every_text() -> None:
    assert set(lexicon.words()) <= CATEGORIES
    assert all(len(word) > 1 for listed in lexicon.words().values() for word in listed)


# ── emergency ──


def test_only_the_minimum_may_be_told() -> None:
    assert set(emergency.CATEGORIES) == EMERGENCY_MINIMUM


@given(st.sets(st.sampled_from(list(Role))), st.booleans(), st.sampled_from(["asked", "lapsed", "sent", "turned_down"]))
def test_nobody_decides_about_a_request_of_their_own_or_without_the_role(
    roles: set[Role], own: bool, standing: str
) -> None:
    bar = emergency.bar(me="a", roles=roles, asked_by="a" if own else "b", standing=standing)
    may = standing == "asked" and not own and bool(roles & {Role.SUPERVISOR, Role.ADMINISTRATOR})
    assert (bar is None) == may


@given(st.timedeltas(timedelta(0), timedelta(days=6)), st.sampled_from([None, "waiting", "sent", "refused"]))
def test_after_72_hours_nothing_waits_any_more(after: timedelta, outgoing: str | None) -> None:
    later = NOW + after
    over = after >= timedelta(hours=72)
    asked = emergency.standing(state="asked", asked_at=NOW, decided_at=None, outgoing=None, now=later)
    assert asked == ("lapsed" if over else "asked")
    approved = emergency.standing(state="approved", asked_at=NOW, decided_at=NOW, outgoing=outgoing, now=later)
    if outgoing in {"sent", "refused"}:
        assert approved == outgoing
    else:
        assert approved == ("lapsed" if over else "approved")
    assert emergency.standing(state="sent", asked_at=NOW, decided_at=NOW, outgoing="sent", now=later) == "sent"
