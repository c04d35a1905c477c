# SPDX-License-Identifier: Apache-2.0
"""The demo says the same in both languages, and has a word for everything that can happen in a story."""

from __future__ import annotations

import json
import string
from pathlib import Path

import pytest

from consent.decisions import Reason
from deploy.demo import __main__ as demo
from deploy.demo.narrator import Language, Narrator
from deploy.play.report import Played
from deploy.play.story import Event

WORDS = json.loads(Path(demo.__file__).with_name("words.json").read_text("utf-8"))
LANGUAGES: tuple[Language, ...] = ("ja", "en")


def places(sentence: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(sentence) if name}


@pytest.mark.parametrize("name", WORDS)
def test_a_sentence_is_there_in_both_languages_with_the_same_places(name: str) -> None:
    assert set(WORDS[name]) == {"ja", "en"}
    assert places(WORDS[name]["ja"]) == places(WORDS[name]["en"])


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("reason", Reason)
def test_every_refusal_is_told_in_words(language: Language, reason: Reason, capsys: pytest.CaptureFixture[str]) -> None:
    event = Event.model_validate(
        {"at": "2027-01-01", "type": "share", "from": "J1", "to": "S1", "purpose": "follow_up", "categories": ["legal"]}
    )
    got = {"legal": f"DENY:{reason.value}"}
    played = Played(n=1, type="share", expect=got, got=got, outcome="REFUSE", remedies={"legal": "ask_consent"})
    Narrator(language).event(event, 1)
    Narrator(language).result(event, played)
    said = capsys.readouterr().out
    assert reason.value not in said
    assert len(said.splitlines()) >= 4


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_difference_is_told(language: Language, capsys: pytest.CaptureFixture[str]) -> None:
    event = Event.model_validate({"at": "2027-01-01", "type": "first_visit"})
    Narrator(language).result(event, Played(n=1, type="first_visit", expect="TASK", got="RECORDED", outcome="ACCEPT"))
    assert "TASK" in capsys.readouterr().out
