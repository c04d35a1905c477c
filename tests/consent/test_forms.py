# SPDX-License-Identifier: Apache-2.0
"""From a signed form to one record per partner; the template fills in, the person narrows, nothing is added."""

from dataclasses import replace
from datetime import date, timedelta
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consent.calendar import add_months, moment
from consent.errors import DocumentRefusedError, ScopeRefusedError
from consent.forms import Form, Row, default_end, generic_template, read_template, split
from consent.scopes import Direction, Scope, check_scope, expand
from consent.vocabulary.codes import (
    CATEGORIES,
    MATRIX,
    PURPOSES,
    RECIPIENTS,
    SENSITIVE,
    TYPICAL_RECIPIENTS,
    scope_template,
)
from tests.consent.builders import F1, H1, J1, S1, SIGNED, scope, uid

GENERIC = generic_template()
COUNCIL = Row(partner=S1.agency, kind="shakyo")
LEGAL_AID = Row(partner=H1.agency, kind="houterasu")
FORM = Form(
    id="form-1",
    case=uid("case"),
    kind="intake_form",
    version="2026-04",
    hub_parties=frozenset({J1.agency}),
    purposes=frozenset({"koguchi_shikin", "saimu_seiri", "follow_up"}),
    categories=frozenset({"*"}),
    rows=(COUNCIL, LEGAL_AID),
    valid_from=SIGNED,
    signature="self",
    signed_at=SIGNED,
    written_by="person",
    evidence="ab" * 32,
)


def scopes(form: Form = FORM) -> dict[str, Scope]:
    numbers = count(1)
    made = split(form, GENERIC, lambda: uid(f"new {next(numbers)}"))
    return {next(iter(one.partners)): one for one in made}


def one(**row: object) -> Scope:
    return scopes(replace(FORM, rows=(replace(COUNCIL, **row),)))[S1.agency]


# ── splitting ──


def test_a_form_becomes_one_record_per_partner() -> None:
    made = scopes()
    assert [sorted(one.partners) for one in made.values()] == [[S1.agency], [H1.agency]]
    assert {one.form for one in made.values()} == {"form-1"}
    assert {one.evidence for one in made.values()} == {FORM.evidence}
    assert len({one.id for one in made.values()}) == 2
    for record in made.values():
        check_scope(record, SIGNED)


def test_the_template_says_which_purposes_and_categories_a_kind_usually_needs() -> None:
    made = scopes()
    assert made[S1.agency].purposes == {"koguchi_shikin", "follow_up"}
    assert made[H1.agency].purposes == {"saimu_seiri", "follow_up"}
    assert made[S1.agency].categories == GENERIC.usual["shakyo"]
    assert "legal" in made[H1.agency].categories - made[S1.agency].categories


def test_a_blanket_sentence_never_gives_a_sensitive_category() -> None:
    assert all(not record.categories & SENSITIVE for record in scopes().values())


def test_a_tick_of_its_own_gives_a_sensitive_category_to_that_partner_only() -> None:
    made = scopes(replace(FORM, rows=(COUNCIL, replace(LEGAL_AID, ticked=frozenset({"health"})))))
    assert "health" in made[H1.agency].categories
    assert "health" not in made[S1.agency].categories


def test_a_sentence_that_names_a_sensitive_category_gives_it_where_the_template_offers_it() -> None:
    named = replace(FORM, categories=frozenset({"identity", "health", "justice_history"}))
    made = scopes(named)
    assert made[S1.agency].categories == {"identity", "health"}
    assert made[H1.agency].categories == {"identity", "health", "justice_history"}


def test_the_person_strikes_out_what_is_not_to_be_told() -> None:
    assert one(struck=frozenset({"contact"})).categories == GENERIC.usual["shakyo"] - {"contact"}
    assert "health" not in one(ticked=frozenset({"health"}), struck=frozenset({"health"})).categories


def test_everything_stays_everything_until_something_is_struck_out() -> None:
    assert one(categories=frozenset({"*"})).categories == {"*"}
    struck = one(categories=frozenset({"*"}), struck=frozenset({"housing"})).categories
    assert struck == CATEGORIES - SENSITIVE - {"housing"}


def test_a_row_chooses_purposes_among_those_of_the_form() -> None:
    assert one(purposes=frozenset({"saimu_seiri", "shokuryo"})).purposes == {"saimu_seiri"}


def test_a_row_keeps_its_direction() -> None:
    assert one(direction=Direction.OUT).direction is Direction.OUT


sets_of_codes = {
    "purposes": st.frozensets(st.sampled_from(sorted(PURPOSES)), min_size=1),
    "categories": st.frozensets(st.sampled_from([*sorted(CATEGORIES), "*"]), min_size=1),
}
rows = st.builds(
    Row,
    partner=st.just(S1.agency),
    kind=st.sampled_from(sorted(RECIPIENTS)),
    purposes=st.none() | sets_of_codes["purposes"],
    categories=st.none() | sets_of_codes["categories"],
    ticked=st.frozensets(st.sampled_from(sorted(SENSITIVE)), max_size=1),
    struck=st.frozensets(st.sampled_from(sorted(CATEGORIES)), max_size=3),
)


@given(rows, sets_of_codes["purposes"], sets_of_codes["categories"])
def test_a_template_never_grants_what_the_form_does_not_say(
    row: Row, purposes: frozenset[str], categories: frozenset[str]
) -> None:
    form = replace(FORM, purposes=purposes, categories=categories, rows=(row,))
    try:
        made = scopes(form)[S1.agency]
    except ScopeRefusedError:
        return
    assert made.purposes <= purposes
    assert expand(made.categories) <= expand(categories) | row.ticked
    assert not expand(made.categories) & row.struck


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"rows": ()}, "/rows"),
        ({"rows": (COUNCIL, COUNCIL)}, "/rows"),
        ({"purposes": frozenset({"seikatsu_hogo"})}, "/rows/0"),
        ({"categories": frozenset({"legal"})}, "/rows/0"),
    ],
)
def test_a_form_that_leaves_nothing_for_a_partner_is_refused(changes: dict[str, object], pointer: str) -> None:
    with pytest.raises(ScopeRefusedError) as caught:
        scopes(replace(FORM, **changes))
    assert (caught.value.code, caught.value.pointer) == ("bad-scope", pointer)


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"purposes": frozenset({"follow_up", "identity"})}, "/purposes"),
        ({"categories": frozenset({"follow_up"})}, "/categories"),
        ({"rows": (replace(COUNCIL, kind="police"),)}, "/rows/0/kind"),
        ({"rows": (LEGAL_AID, replace(COUNCIL, ticked=frozenset({"hobby"})))}, "/rows/1/ticked"),
    ],
)
def test_an_unknown_code_on_a_form_is_an_error(changes: dict[str, object], pointer: str) -> None:
    with pytest.raises(DocumentRefusedError) as caught:
        scopes(replace(FORM, **changes))
    assert (caught.value.code, caught.value.pointer) == ("unknown-code", pointer)


# ── replacing ──


def test_a_new_record_ends_the_old_one_of_its_partner_and_the_first_ends_those_that_are_dropped() -> None:
    old = [scope(name, partners=frozenset({party.agency})) for name, party in (("s", S1), ("h", H1), ("f", F1))]
    made = scopes(replace(FORM, replaces=tuple(old)))
    assert made[S1.agency].supersedes == {uid("s"), uid("f")}
    assert made[H1.agency].supersedes == {uid("h")}


# ── the end ──


def test_without_an_end_a_consent_runs_thirty_days_beyond_the_plan() -> None:
    assert default_end(SIGNED, date(2026, 9, 30)) == moment("2026-10-31")
    assert scopes(replace(FORM, plan_end=date(2026, 9, 30)))[S1.agency].valid_until == moment("2026-10-31")


def test_a_default_end_is_never_over_twelve_months() -> None:
    assert default_end(SIGNED) == default_end(SIGNED, date(2027, 3, 31)) == add_months(SIGNED, 12)


def test_an_oral_consent_ends_after_fourteen_days_and_sooner_if_it_says_so() -> None:
    oral = replace(FORM, signature="oral_pending", kind="oral", evidence="")
    assert scopes(oral)[S1.agency].valid_until == SIGNED + timedelta(days=14)
    sooner = replace(oral, valid_until=SIGNED + timedelta(days=3))
    assert scopes(sooner)[S1.agency].valid_until == SIGNED + timedelta(days=3)


# ── templates ──


def test_the_generic_template_is_the_matrix_of_the_vocabulary() -> None:
    assert GENERIC.name == "generic-2026-11-23"
    for kind, row in MATRIX.items():
        assert GENERIC.usual[kind] == {category for category, mark in row.items() if mark in {"R", "O"}}
        assert GENERIC.ticked[kind] == {category for category, mark in row.items() if mark == "E"}
    for purpose, kinds in GENERIC.purposes.items():
        typical = TYPICAL_RECIPIENTS[purpose]
        assert kinds == (RECIPIENTS if "*" in typical else typical)


def test_what_does_not_rest_on_consent_stands_in_no_template() -> None:
    assert PURPOSES - set(GENERIC.purposes) == {"emergency_response", "shien_kaigi"}


def test_a_template_that_gives_a_sensitive_category_without_a_tick_is_refused() -> None:
    data = {**scope_template("generic"), "usual": {"shakyo": ["identity", "health"]}}
    with pytest.raises(ScopeRefusedError, match="bad-scope at /usual"):
        read_template(data)


@pytest.mark.parametrize("member", ["purposes", "usual", "ticked"])
def test_a_template_with_an_unknown_code_is_refused(member: str) -> None:
    with pytest.raises(DocumentRefusedError, match=f"unknown-code at /{member}"):
        read_template({**scope_template("generic"), member: {"unheard_of": []}})
