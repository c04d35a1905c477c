# SPDX-License-Identifier: Apache-2.0
"""Kinds of agencies by their names, what agrees with what, and every form in which a name might lie about."""

from __future__ import annotations

import base64
import json

import pytest

from consent.vocabulary.codes import is_known
from deploy.demo.search import forms_of
from deploy.play import company, report
from deploy.play.report import Played
from tests.journeys.theatre import DEMO, OURS, read

AGENCIES = sorted({pair for path in (*DEMO, *OURS) for pair in read(path).agencies.items()})


@pytest.mark.parametrize(("code", "name"), AGENCIES)
def test_every_agency_of_a_story_has_a_kind_of_the_vocabulary(code: str, name: str) -> None:
    assert is_known("recipients", company.kind_of(code, name))


@pytest.mark.parametrize(
    ("code", "name", "kind"),
    [
        ("X1", "\u67b6\u7a7a\u5e02\u798f\u7949\u4e8b\u52d9\u6240", "fukushi_jimusho"),
        ("S9", "Fictional", "shakyo"),
        ("Q1", "Fictional", "jichitai"),
    ],
)
def test_the_name_says_the_kind_else_the_letter_else_the_municipality(code: str, name: str, kind: str) -> None:
    assert company.kind_of(code, name) == kind


def played(**changes: object) -> Played:
    told = {"n": 1, "type": "share", "expect": {"legal": "ALLOW"}, "got": {"legal": "ALLOW"}, "outcome": "ACCEPT"}
    return Played(**(told | changes))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changes", "agrees"),
    [
        ({}, True),
        ({"expected_outcome": "ACCEPT"}, True),
        ({"expected_outcome": "REFUSE"}, False),
        ({"got": {"legal": "DENY:NO_CONSENT"}}, False),
        ({"got": {"legal": "ALLOW", "health": "ALLOW"}}, False),
        ({"remarks": ("preview legal=DENY:NO_CONSENT",)}, False),
        ({"expect": None, "got": "REGISTERED"}, True),
        ({"expect": "RECORDED", "got": "NOTHING"}, False),
    ],
)
def test_an_event_agrees_only_when_all_of_it_does(changes: dict[str, object], agrees: bool) -> None:
    one = played(**changes)
    assert one.agrees is agrees
    assert report.line(one).startswith("ok " if agrees else "DIFF")
    assert list(json.loads(report.document([one]))[0]) == ["n", "type", "expect", "got", "outcome"]


@pytest.mark.parametrize("offset", range(3))
def test_a_name_is_known_in_base64_wherever_it_begins(offset: int) -> None:
    name = "\u67b6\u7a7a\u91ce \u63a2\u4e00\u90ce"
    longer = b"x" * offset + name.encode() + b"y" * 5
    for encoded in (base64.b64encode(longer), base64.urlsafe_b64encode(longer)):
        assert any(form in encoded for form in forms_of(name))


def test_what_is_too_short_to_be_more_than_chance_is_not_looked_for() -> None:
    assert all(len(form) >= 6 for form in forms_of("\u4e00"))
