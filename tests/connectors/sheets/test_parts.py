# SPDX-License-Identifier: Apache-2.0
"""A sheet in parts: every answer in exactly the part of its own category, in words that the recipient can read."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors.sheets.answers import check
from connectors.sheets.catalogue import ORDER
from connectors.sheets.definitions import Kind
from connectors.sheets.parts import Origin, part_of, split
from tests.connectors.sheets.filled import ASSESSMENT, NATIONAL, PLAN, filled


def _told(definition: Any, body: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {
        category: {key: said for item in items for key, said in item.body.items()}
        for category, items in split(definition, check(definition, body).answers).items()
    }


def test_each_trait_is_in_the_part_of_what_it_tells_of() -> None:
    told = _told(NATIONAL.newest("assessment"), ASSESSMENT)
    where = {category: part["traits"] for category, part in told.items() if "traits" in part}
    assert where == {
        "consultation": ["habits"],
        "debt_arrears": ["debt"],
        "health": ["illness"],
        "justice_history": ["ex_offender"],
        "safety": ["violence"],
    }
    assert told["health"]["illness.unasked"] == "not_wished"


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(ORDER).flatmap(filled))
def test_no_answer_is_lost_and_none_is_in_a_part_of_another_category(told: tuple[str, dict[str, Any]]) -> None:
    definition = NATIONAL.newest(told[0])
    body = dict(check(definition, told[1]).answers)
    together: dict[str, Any] = {}
    for category, items in split(definition, body).items():
        for item in items:
            assert category in item.field.categories
            for key, said in item.body.items():
                if isinstance(said, list) and key == item.field.code and item.field.options:
                    assert {one.category for one in item.field.options if one.code in said} == {category}
                    together.setdefault(key, []).extend(said)
                else:
                    assert key not in together
                    together[key] = said
    several = {one.code for one in definition.fields if one.kind is Kind.CHOICES}
    assert together.keys() == body.keys()
    for key, said in body.items():
        assert sorted(together[key]) == sorted(said) if key in several else together[key] == said


def test_a_part_says_which_sheet_it_is_of_and_reads_like_a_form() -> None:
    definition = NATIONAL.newest("plan")
    items = split(definition, check(definition, PLAN).answers)["support_record"]
    said = json.loads(part_of(definition, items, Origin(id="sheet-1", n=2)))
    assert said["form"] == "sheet-plan"
    assert said["sheet"]["n"] == 2
    assert said["sheet"]["number"] == "【5】"
    by_field = {one["field"]: one for one in said["answers"]}
    assert by_field["goal_now"]["ja"] == "本プランの目標"
    assert by_field["goal_now"]["value"] == PLAN["goal_now"]
    assert by_field["deeds"]["value"] == "本人 / 週に2回通う / 令和8年（2026年）9月30日（水）"
    assert by_field["explained"]["value_en"] == "Yes"
    assert "problems" not in by_field
