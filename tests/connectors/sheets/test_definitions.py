# SPDX-License-Identifier: Apache-2.0
"""The sheets are data: what the national ones ask, later versions, own fields, and what is refused."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from connectors.base.errors import ConnectorError
from connectors.sheets.catalogue import ORDER, Catalogue, applied, national, read_overlay
from connectors.sheets.definitions import DefinitionError, Kind, read_definition
from consent.vocabulary.codes import CATEGORIES, SENSITIVE
from tests.connectors.sheets.filled import NATIONAL

OWN: dict[str, Any] = {
    "sheet": "assessment",
    "id": "kakuu-shi",
    "version": "1",
    "fields": [
        {
            "section": "home",
            "code": "own_pet",
            "kind": "line",
            "category": "household",
            "ja": "飼っている動物",
            "en": "Pets",
        }
    ],
    "options": [
        {
            "field": "traits",
            "code": "own_snow",
            "ja": "雪下ろしができない",
            "en": "Cannot clear snow",
            "category": "housing",
        }
    ],
}


def test_every_national_sheet_is_there_and_belongs_to_a_step() -> None:
    assert NATIONAL.codes() == list(ORDER)
    steps = {step for code in ORDER for step in NATIONAL.newest(code).steps}
    assert {"1", "2", "5", "6", "10", "11"} <= steps


@pytest.mark.parametrize("code", ORDER)
def test_every_field_has_a_category_and_strengths_stand_beside_problems(code: str) -> None:
    definition = NATIONAL.newest(code)
    assert all(one.categories <= CATEGORIES for one in definition.fields)
    assert {"strengths", "problems"} <= {section.tone for section in definition.sections}


def test_what_a_trait_tells_of_follows_the_trait_and_not_the_list() -> None:
    traits = NATIONAL.newest("assessment").field("traits")
    assert traits is not None
    assert traits.categories & SENSITIVE == SENSITIVE
    assert {one.code for one in traits.options if one.category == "justice_history"} == {"delinquency", "ex_offender"}


def test_a_later_version_is_filled_in_from_now_on_and_the_older_one_is_still_read() -> None:
    later = dict(national()[0].document) | {"version": "2027-04"}
    known = Catalogue([*national(), read_definition(later)])
    assert known.newest(later["code"]).version == "2027-04"
    assert known.find(later["code"], "2026-11").version == "2026-11"


def test_own_fields_and_options_come_in_as_data_and_the_form_without_them_stays_known() -> None:
    known = Catalogue(national(), [read_overlay(OWN)])
    mine = known.newest("assessment")
    pet, traits = mine.field("own_pet"), mine.field("traits")
    assert pet is not None
    assert pet.own
    assert pet.category == "household"
    assert traits is not None
    assert [one.code for one in traits.options][-2:] == ["own_snow", "other"]
    assert known.find("assessment", mine.version) == mine
    assert known.find("assessment", "2026-11").field("own_pet") is None


@pytest.mark.parametrize(
    ("code", "version"), [("assessment", "1999-01"), ("nothing", "2026-11"), ("plan", "2026-11+x-1")]
)
def test_a_form_that_is_not_here_is_refused(code: str, version: str) -> None:
    with pytest.raises(ConnectorError) as refused:
        NATIONAL.find(code, version)
    assert refused.value.code == "sheet-definition-unknown"
    with pytest.raises(ConnectorError):
        NATIONAL.newest("nothing")


def _spoilt(path: list[Any], value: Any) -> dict[str, Any]:
    data = copy.deepcopy(dict(NATIONAL.newest("plan").document))
    place: Any = data
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    return data


FIRST = ["sections", 0, "fields", 0]


@pytest.mark.parametrize(
    "data",
    [
        None,
        [],
        {},
        _spoilt(["code"], "Plan!"),
        _spoilt(["version"], "../x"),
        _spoilt(["sections"], 3),
        _spoilt(["ja"], ""),
        _spoilt(["order", "from"], "problems"),
        _spoilt([*FIRST, "kind"], "file"),
        _spoilt([*FIRST, "category"], "everything"),
        _spoilt([*FIRST, "code"], "problems"),
        _spoilt([*FIRST, "kind"], "choice"),
        _spoilt([*FIRST, "options"], [{"code": "a", "ja": "あ", "en": "a"}]),
        _spoilt([*FIRST, "other"], True),
        _spoilt([*FIRST, "when"], {"field": "nowhere", "is": ["x"]}),
        _spoilt([*FIRST, "list"], "no_such_list"),
    ],
)
def test_data_that_is_no_form_is_refused(data: Any) -> None:
    with pytest.raises(DefinitionError) as refused:
        read_definition(data)
    assert refused.value.says("ja")
    assert refused.value.says("en")


@pytest.mark.parametrize(
    "change",
    [
        {"fields": [], "options": []},
        {"fields": [OWN["fields"][0] | {"code": "pet"}]},
        {"options": [OWN["options"][0] | {"code": "snow"}]},
        {"fields": [OWN["fields"][0] | {"category": "x"}]},
        {"fields": [OWN["fields"][0] | {"after": True}]},
        {"id": "…"},
        {"fields": 3},
    ],
)
def test_own_fields_that_cannot_be_read_are_refused(change: dict[str, Any]) -> None:
    with pytest.raises(DefinitionError):
        read_overlay(OWN | change)


@pytest.mark.parametrize(
    "change",
    [
        {"fields": [OWN["fields"][0] | {"section": "nowhere"}]},
        {"fields": [OWN["fields"][0], OWN["fields"][0]]},
        {"options": [OWN["options"][0] | {"field": "nowhere"}]},
        {"options": [OWN["options"][0] | {"field": "chief"}]},
        {"options": [OWN["options"][0] | {"category": "x"}]},
        {"options": [OWN["options"][0], OWN["options"][0]]},
    ],
)
def test_own_fields_that_have_no_place_in_the_form_are_refused(change: dict[str, Any]) -> None:
    with pytest.raises(DefinitionError):
        applied(NATIONAL.newest("assessment"), read_overlay(OWN | change))


def test_a_form_is_plain_json_that_can_be_handed_on() -> None:
    for one in national():
        assert read_definition(json.loads(json.dumps(dict(one.document)))) == one
        assert all(each.columns for each in one.fields if each.kind is Kind.TABLE)
