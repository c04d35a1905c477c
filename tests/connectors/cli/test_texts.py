# SPDX-License-Identifier: Apache-2.0
"""Every text that a person reads is in a catalogue, in both languages; every command and parameter is explained."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest

from connectors.cli import texts
from connectors.cli.frame import Root
from connectors.cli.main import main
from connectors.cli.moves import MOVES
from connectors.cli.saying import harmless, table
from consent.evidence.findings import Code
from hub.referrals.lifecycle import Event

HOME = Path(texts.__file__).parent
LANGUAGES = ("ja", "en")
PLACE = re.compile(r"{[a-z_]+}")
TEXTS: dict[str, dict[str, str]] = json.loads((HOME / "messages.json").read_text(encoding="utf-8"))
NOT_COMMANDS = {"send", "receive", "refer-on", "accompany", "conference-result"}
"""Moves that are commands of their own: send, refer-on (also by a conference), inbox read, accompany record."""


def commands(command: click.Command, path: str = "") -> Iterator[tuple[str, click.Command]]:
    yield path, command
    if isinstance(command, click.Group):
        for name, inner in command.commands.items():
            yield from commands(inner, f"{path} {name}".strip())


ALL = dict(commands(main))


@pytest.mark.parametrize("path", ALL)
def test_a_command_is_explained_in_both_languages(path: str) -> None:
    for language in LANGUAGES:
        assert texts.help_of(path or "tsunagi", "", language)


@pytest.mark.parametrize("path", ALL)
def test_each_of_its_parameters_is_explained(path: str) -> None:
    for param in ALL[path].params:
        name = max(param.opts, key=len) if isinstance(param, click.Option) else (param.name or "").upper()
        for language in LANGUAGES:
            assert texts.help_of(path, name, language), name


def used() -> Iterator[str]:
    for path in HOME.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield node.value


def asked() -> Iterator[str]:
    """Give the keys that stand as literals in calls of `text`, `note` and the errors."""
    takers = {"text", "note", "CliError", "wrong"}
    for path in HOME.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or not node.args:
                continue
            name = getattr(node.func, "id", getattr(node.func, "attr", ""))
            first = node.args[0]
            if name in takers and isinstance(first, ast.Constant) and isinstance(first.value, str):
                yield first.value


def test_every_sentence_that_is_asked_for_is_there() -> None:
    assert {key for key in asked() if key not in TEXTS} == set()


def test_no_sentence_is_left_over() -> None:
    literals = set(used())
    built = ("head:", "refused:", "correction-why:", "sample-outcome:", "doctor-", "found-", "verdict-", "compared-")
    assert {key for key in TEXTS if key not in literals and not key.startswith(built)} == set()


def test_both_languages_fill_in_the_same_places() -> None:
    differing = {key for key, text in TEXTS.items() if set(PLACE.findall(text["ja"])) != set(PLACE.findall(text["en"]))}
    assert differing == set()


@pytest.mark.parametrize("name", ["first_contact", "progress", "follow_up_preset", "asked", "call_result"])
def test_codes_that_only_the_api_has_are_the_hubs_own(name: str) -> None:
    hubs: Any = json.loads((Path(__file__).parents[3] / "hub/referrals/codes.json").read_text(encoding="utf-8"))
    assert list(texts.codes(name).values()) == hubs[name]


def test_every_move_of_the_machine_can_be_typed() -> None:
    assert set(MOVES) == {event.value for event in Event} - NOT_COMMANDS
    assert {event.value for event in Event} == set(texts.codes("referral_move")) | {"conference-result"}


def test_a_code_is_found_by_its_label_in_either_language() -> None:
    assert texts.code_of("purposes", "債務整理") == "saimu_seiri"
    assert texts.code_of("purposes", "Debt settlement") == "saimu_seiri"
    assert texts.code_of("purposes", "nothing of the kind") is None
    assert texts.code_of("asked", "本人") == "person"


def test_what_would_steer_a_terminal_is_shown_and_not_obeyed() -> None:
    assert harmless("a\x1b[2Jb\u202ec") == "a�[2Jb�c"
    assert harmless("髙﨑\t葛󠄀") == "髙﨑\t葛󠄀"


def test_a_cell_never_breaks_its_row() -> None:
    assert table(["a", "b"], [["x\ty\nz", "w"]]) == ["a\tb", "x y z\tw"]


def test_the_entry_is_one_command() -> None:
    assert isinstance(main, Root)
    assert main.name == "tsunagi"


def test_each_thing_that_a_check_can_find_has_its_sentence() -> None:
    found = {key.removeprefix("found-") for key in TEXTS if key.startswith("found-")}
    assert found == {code.value for code in Code}
