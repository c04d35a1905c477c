# SPDX-License-Identifier: Apache-2.0
"""Each kind of agency asks for what it needs; answers go into parts by category, and consent decides on those."""

from __future__ import annotations

import json

import pytest

from connectors.agencies.referral_forms import KINDS_WITH_A_FORM, fill, missing, referral_form
from consent.vocabulary.codes import CATEGORIES, PURPOSES, RECIPIENTS
from tests.connectors.story import NAME


@pytest.mark.parametrize("kind", sorted(RECIPIENTS))
def test_every_kind_of_agency_has_a_form_of_known_categories_and_purposes(kind: str) -> None:
    form = referral_form(kind)
    assert form.kind == kind
    assert {field.category for field in form.fields} <= CATEGORIES
    assert set(form.purposes) <= PURPOSES
    assert all(field.ja and field.en for field in form.fields)
    codes = [field.code for field in form.fields]
    assert len(codes) == len(set(codes))


@pytest.mark.parametrize("kind", KINDS_WITH_A_FORM)
def test_a_form_of_ones_own_requires_something_and_names_its_purposes(kind: str) -> None:
    form = referral_form(kind)
    assert any(field.required for field in form.fields)
    assert form.purposes


def test_a_kind_without_a_form_of_its_own_requires_nothing() -> None:
    kind = min(RECIPIENTS - set(KINDS_WITH_A_FORM))
    assert not any(field.required for field in referral_form(kind).fields)


def test_answers_become_one_body_for_each_category_byte_for_byte() -> None:
    form = referral_form("shakyo")
    field = next(field for field in form.fields if field.category == "identity")
    bodies = fill(form, {"identity": {field.code: NAME}, "health": {"unasked": "…"}})
    assert set(bodies) == {"identity"}
    body = json.loads(bodies["identity"])
    assert (body["form"], body["version"]) == (form.kind, form.version)
    assert body["answers"] == [{"field": field.code, "ja": field.ja, "en": field.en, "value": NAME}]
    assert NAME.encode() in bodies["identity"]


def test_what_nobody_answered_makes_no_part() -> None:
    form = referral_form("jiritsu")
    assert fill(form, {}) == {}
    assert fill(form, {form.fields[0].category: {form.fields[0].code: ""}}) == {}


def test_a_required_field_is_missing_until_it_is_answered() -> None:
    form = referral_form("houterasu")
    required = [field for field in form.fields if field.required]
    assert missing(form, {}) == tuple(required)
    answers: dict[str, dict[str, object]] = {}
    for field in required:
        answers.setdefault(field.category, {})[field.code] = False
    assert missing(form, answers) == ()
