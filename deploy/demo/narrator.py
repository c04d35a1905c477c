# SPDX-License-Identifier: Apache-2.0
"""Tells what happens in plain words, Japanese or English; sentences are in `words.json`, labels in the vocabulary."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.resources import files
from typing import Any, Final, Literal

from consent.calendar import JST
from consent.decisions import Reason
from consent.vocabulary.codes import label
from deploy.play.report import ACCEPTED, Played
from deploy.play.story import Event

Language = Literal["ja", "en"]
_CODED: Final = {"consent_grant", "share", "report_back", "pickup"}
_SENT: Final = {"share", "report_back", "pickup"}


@cache
def _words() -> Mapping[str, Mapping[str, str]]:
    made: dict[str, dict[str, str]] = json.loads(files("deploy.demo").joinpath("words.json").read_text("utf-8"))
    return made


class Narrator:
    """Prints the demo's sentences in one language."""

    def __init__(self, language: Language) -> None:
        """Take the language of the audience."""
        self.language = language

    def say(self, sentence: str, **places: Any) -> None:
        """Print a sentence with its places filled in."""
        print(_words()[sentence][self.language].format(**places), flush=True)

    def word(self, sentence: str) -> str:
        """Give a sentence without printing it."""
        return _words()[sentence][self.language]

    def label(self, code_list: str, code: str) -> str:
        """Give a code's label; `*` stands for itself."""
        return code if code == "*" else label(code_list, code, self.language)

    def labels(self, code_list: str, codes: Iterable[str]) -> str:
        """Give the labels of several codes, side by side."""
        return " · ".join(self.label(code_list, code) for code in codes)

    def event(self, event: Event, number: int) -> None:
        """Say what is about to happen."""
        print()
        at = event.at.astimezone(JST).strftime("%Y-%m-%d %H:%M")
        self.say("event", n=number, at=at, text=event.text)
        known = event.type if event.type in _words() and event.type not in {"title", "event"} else "other"
        if event.type in _CODED:
            told = event.scope
            self.say(
                known,
                sender=event.sender,
                to=", ".join(told.partners) if told else event.to,
                purpose=self.label("purposes", event.purpose) if event.purpose else "",
                purposes=self.labels("purposes", told.purposes) if told else "",
                categories=self.labels("categories", told.categories if told else event.categories),
            )
        else:
            self.say(known)

    def result(self, event: Event, played: Played) -> None:
        """Say what became of it, and why what was refused was refused."""
        if event.type not in _SENT or not isinstance(played.got, dict):
            known = isinstance(played.got, str) and played.got in _words()
            self.say("done", word=self.word(str(played.got)) if known else played.got)
        elif played.outcome == ACCEPTED:
            self.say("accepted")
        else:
            self.say("refused")
            for category, word in played.got.items():
                self._part(category, word, played.remedies)
        if not played.agrees:
            self.say("differs", expected=played.expect)

    def _part(self, category: str, word: str, remedies: Mapping[str, str]) -> None:
        name = self.label("categories", category)
        verdict, _, reason = word.partition(":")
        if verdict == "ALLOW" or reason not in set(Reason):
            self.say("part_permitted", category=name)
            return
        self.say(
            "part_refused",
            category=name,
            reason=self.label("decision_reasons", reason),
            remedy=self.label("remedy", remedies[category]) if category in remedies else "",
        )
