# SPDX-License-Identifier: Apache-2.0
"""Every code list is closed and labelled in Japanese and English, and the sets that decisions rest on are in it."""

import json
from pathlib import Path

import pytest

from consent import vocabulary
from consent.decisions import RULES, Reason, Remedy
from consent.errors import DocumentRefusedError
from consent.scopes import ORAL, PERSON, VALID_SIGNATURES, Direction
from consent.vocabulary.codes import (
    CATEGORIES,
    CODE_LISTS,
    EMERGENCY_APPROVER_ROLES,
    EMERGENCY_MINIMUM,
    MATRIX,
    PURPOSES,
    RECIPIENTS,
    REMEDIES,
    SENSITIVE,
    STATUTE_KINDS,
    TYPICAL_RECIPIENTS,
    VERSION,
    find_code,
    is_known,
    label,
    require_known,
)


def codes(name: str) -> set[str]:
    return set(CODE_LISTS[name])


@pytest.mark.parametrize("name", sorted(CODE_LISTS))
def test_every_code_has_a_japanese_and_an_english_label(name: str) -> None:
    for code in CODE_LISTS[name]:
        assert label(name, code, "ja").strip()
        assert label(name, code, "en").strip()


def test_no_code_stands_twice_in_a_list() -> None:
    data = json.loads(Path(vocabulary.__path__[0], "vocabulary.json").read_text("utf-8"))
    rows = {name: data[name] for name in ("categories", "recipients", "purposes")} | data["codes"]
    assert {name: len(codes) for name, codes in rows.items()} == {name: len(codes(name)) for name in rows}


def test_the_vocabulary_has_the_agreed_size_and_a_version() -> None:
    assert (len(CATEGORIES), len(RECIPIENTS), len(PURPOSES)) == (16, 17, 23)
    assert len(VERSION) == len("2026-11-23")


def test_the_names_that_code_uses_are_codes_of_the_vocabulary() -> None:
    assert {reason.value for reason in Reason} == codes("decision_reasons")
    assert {remedy.value for remedy in Remedy} == codes("remedy")
    assert {way.value for way in Direction} == codes("direction")
    assert set(RULES) == codes("legal_basis") == set(REMEDIES)
    assert VALID_SIGNATURES | {ORAL} < codes("signature")
    assert PERSON in codes("writer")


def test_every_refusal_has_a_remedy_and_every_remedy_is_of_use() -> None:
    reasons = {reason for rows in REMEDIES.values() for reason in rows}
    remedies = {remedy for rows in REMEDIES.values() for remedy in rows.values()}
    assert (reasons, remedies) == (codes("decision_reasons"), codes("remedy"))


def test_the_sets_that_decisions_rest_on_are_what_the_law_and_the_design_say() -> None:
    assert {"health", "disability", "justice_history", "safety"} == SENSITIVE
    assert {"identity", "contact", "household", "housing", "health", "safety"} == EMERGENCY_MINIMUM
    assert {"supervisor", "administrator"} == EMERGENCY_APPROVER_ROLES <= codes("staff_role")


def test_every_statute_ground_names_kinds_that_exist() -> None:
    assert set(STATUTE_KINDS) == codes("statute_ground")
    assert all(kinds and kinds <= RECIPIENTS for kinds in STATUTE_KINDS.values())


def test_the_matrix_has_a_mark_for_every_recipient_and_category() -> None:
    assert set(MATRIX) == RECIPIENTS
    for row in MATRIX.values():
        assert set(row) == CATEGORIES
        assert set(row.values()) <= codes("offer")


def test_a_sensitive_category_is_never_offered_without_a_tick() -> None:
    assert all(row[category] in {"E", "X"} for row in MATRIX.values() for category in SENSITIVE)


def test_classes_regimes_and_typical_recipients_are_codes() -> None:
    assert {row["klass"] for row in CODE_LISTS["categories"].values()} == codes("category_class")
    assert {row["regime"] for row in CODE_LISTS["recipients"].values()} == codes("regime")
    assert all(kinds <= RECIPIENTS | {"*"} for kinds in TYPICAL_RECIPIENTS.values())


def test_an_unknown_code_is_an_error() -> None:
    assert is_known("categories", "health")
    assert not is_known("categories", "koguchi_shikin")
    assert require_known("purposes", "follow_up") == "follow_up"
    with pytest.raises(DocumentRefusedError) as caught:
        require_known("purposes", "health", "/purpose")
    assert (caught.value.code, caught.value.pointer) == ("unknown-code", "/purpose")
    with pytest.raises(DocumentRefusedError):
        label("purposes", "health", "ja")


def test_a_form_is_found_under_its_names_of_today_and_of_before() -> None:
    assert find_code("consent_kind", "相談受付・申込票") == "intake_form"
    assert find_code("consent_kind", "相談申込・受付票") == "intake_form"
    assert find_code("purposes", "家計相談支援") == "kakei_kaizen"
    assert find_code("purposes", "知らない名前") is None
