# SPDX-License-Identifier: Apache-2.0
"""Trying the line again where a loop does the sending: how far it is, that it is over, that the hub stays away."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from connectors.base.errors import HubAwayError
from connectors.desk.web.courier import LineState, Nudge
from connectors.desk.web.site import EXTENSION
from connectors.desk.web.visits import Role
from connectors.sync import witnesses
from connectors.sync.station import Watch
from consent.tlog.policy import read_policy
from tests.connectors.desk.office import Browser, Office
from tests.connectors.story import Network, open_case
from tests.connectors.sync.test_witnesses import KEYS, cosign, policy_text


@pytest.fixture
def woken() -> list[str]:
    return []


@pytest.fixture
def desk(office: Office, woken: list[str]) -> Browser:
    """An administrator at a desk whose loop is the test."""
    office.connector.sync()
    site = office.app.extensions[EXTENSION]
    courier = Nudge(connector=office.connector, nudge=lambda: woken.append("woken"))
    office.app.extensions[EXTENSION] = replace(site, courier=courier, line=LineState())
    return office.browser(office.hire("架空 管理", roles=frozenset({Role.ADMINISTRATOR})))


def test_the_page_says_when_the_witnesses_of_the_log_are_late(office: Office, desk: Browser, network: Network) -> None:
    assert "証人の方針がありません" in desk.get("/office/line").words
    site = office.app.extensions[EXTENSION]
    policy = read_policy(policy_text(network.hub.log.verifier))
    watching = replace(office.connector, watch=Watch(policy=policy, when_late="stop"))
    office.app.extensions[EXTENSION] = replace(site, connector=watching)
    cosign(network.hub.log, *KEYS, at=network.clock() - timedelta(hours=4, seconds=1))
    witnesses.look(watching)
    words = desk.get("/office/line").words
    assert "証人の確認が遅れています" in words
    assert "急ぎのもの以外は開きません" in words
    cosign(network.hub.log, *KEYS, at=network.clock())
    witnesses.look(watching)
    words = desk.get("/office/line").words
    assert "十分な数の証人が確かめた時点" in words
    assert "遅れています" not in words


def test_sending_again_shows_how_far_it_is_until_all_is_sent(office: Office, desk: Browser, woken: list[str]) -> None:
    for _ in range(2):
        open_case(office.connector)
    begun = desk.send(desk.get("/office/line"), form="form.head__act", follow=False)
    assert woken == ["woken"]
    page = desk.get(begun.to)
    assert "2件のうち0件を送りました" in page.words
    assert page.answer.headers["Refresh"] == "2"
    bar = page.html.select_one("progress")
    assert bar is not None
    assert (bar["value"], bar["max"]) == ("0", "2")
    office.connector.push()
    page = desk.get(begun.to)
    assert "待っていた2件をすべて送りました" in page.words
    assert "Refresh" not in page.answer.headers


def test_where_the_hub_stays_away_the_page_stops_looking(office: Office, desk: Browser, network: Network) -> None:
    open_case(office.connector)
    begun = desk.send(desk.get("/office/line"), form="form.head__act", follow=False)
    office.app.extensions[EXTENSION].line.failed(HubAwayError("https://hub.example"), office.connector.now())
    assert "Refresh" in desk.get(begun.to).answer.headers  # it may only just have begun
    network.clock.at += timedelta(seconds=30)
    page = desk.get(begun.to)
    assert "Refresh" not in page.answer.headers
    assert "1件のうち0件を送りました" in page.words


@pytest.mark.parametrize("of", ["-3", "x", "99999999999", "0"])
def test_a_made_up_count_is_no_error(desk: Browser, of: str) -> None:
    assert desk.get(f"/office/line?of={of}&at=x").status == 200
