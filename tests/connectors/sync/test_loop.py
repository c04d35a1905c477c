# SPDX-License-Identifier: Apache-2.0
"""The loop keeps an agency in step, waits out a hub that is away, and stops cleanly."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import replace

import pytest

from connectors.base.errors import HubAwayError
from connectors.sync import loop, news
from connectors.sync.connector import Connector, Synced
from connectors.sync.inbound import Collected
from connectors.sync.loop import Loop
from tests.connectors.story import Network, consent, letter, open_case, waiting

NEVER = 3600.0
"""Seconds, longer than any test waits."""


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "_FIRST_PAUSE", 0.01)
    monkeypatch.setattr(loop, "_LONGEST_PAUSE", 0.05)


def until(true: Callable[[], bool]) -> None:
    for _ in range(3000):
        if true():
            return
        time.sleep(0.01)
    pytest.fail("it did not happen")


def test_what_is_queued_goes_out_and_comes_in_by_itself(j1: Connector, s1: Connector, network: Network) -> None:
    case = open_case(j1)
    consent(j1, case, s1.agency)
    arrived: list[str] = []
    with Loop(j1) as sending, Loop(s1, heard=lambda synced: arrived.extend(one.message for one in synced.collected)):
        message = j1.send(letter(case, s1))
        sending.nudge()
        until(lambda: arrived == [message])
    assert waiting(j1) == []


def test_a_hub_that_is_away_is_waited_for(j1: Connector, network: Network) -> None:
    open_case(j1)
    network.hub.away = True
    failures: list[Exception] = []
    with Loop(j1, failed=failures.append):
        until(lambda: len(failures) > 3)
        assert waiting(j1) != []
        network.hub.away = False
        until(lambda: waiting(j1) == [])
    assert {type(failure) for failure in failures} == {HubAwayError}


def test_while_nothing_is_heard_whole_rounds_are_rare_and_news_brings_one_at_once(
    s1: Connector, j1: Connector, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = open_case(j1)
    consent(j1, case, s1.agency)
    j1.sync()
    asked: list[int] = []
    monkeypatch.setattr(loop, "_AT_LEAST", 0.01)
    monkeypatch.setattr(loop, "ROUND_EVERY", NEVER)
    listening = news.heed
    monkeypatch.setattr(news, "heed", lambda one, *, wait=0: asked.append(wait) or listening(one, wait=wait))
    rounds: list[Synced] = []
    with Loop(s1, heard=rounds.append):
        until(lambda: len(asked) > 20)
        quiet = len(rounds)
        assert quiet <= 3  # what was in the feed when it began
        message = j1.send(letter(case, s1))
        j1.push()
        until(lambda: [one.message for done in rounds[quiet:] for one in done.collected] == [message])
    assert len(rounds) <= quiet + 2


def test_what_the_log_did_not_show_yet_is_asked_for_again_soon(
    j1: Connector, s1: Connector, network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop, "_SOON", 0.02)
    monkeypatch.setattr(loop, "ROUND_EVERY", NEVER)
    case = open_case(j1)
    consent(j1, case, s1.agency)
    j1.sync()
    behind = Collected(hub_id="h", message="m", sender=j1.agency, outcome="unproved")
    first = [replace(s1.sync(), collected=(behind,))]
    whole = Connector.sync
    monkeypatch.setattr(Connector, "sync", lambda one: first.pop() if first else whole(one))
    rounds: list[Synced] = []
    with Loop(s1, heard=rounds.append):
        until(lambda: len(rounds) == 2)


def test_a_whole_round_comes_round_though_nothing_was_heard(s1: Connector, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "ROUND_EVERY", 0.05)
    rounds: list[Synced] = []
    with Loop(s1, heard=rounds.append):
        until(lambda: len(rounds) > 3)


def test_it_stops_and_leaves_no_thread_behind(j1: Connector) -> None:
    before = threading.active_count()
    running = Loop(j1)
    running.start()
    assert threading.active_count() == before + 2
    begun = time.monotonic()
    running.stop(timeout=5)
    assert threading.active_count() == before
    assert time.monotonic() - begun < 5
