# SPDX-License-Identifier: Apache-2.0
"""Signing in: the first administrator, wrong tries, the lock that keeps what was written, the end of a session."""

from __future__ import annotations

import base64
from dataclasses import replace

import pyotp
import pytest

from connectors.desk.serve import open_desk
from connectors.desk.staff import service
from connectors.desk.web.site import EXTENSION
from connectors.desk.web.visits import Role
from tests.connectors.desk.office import PASSWORD, Browser, Office, code_now
from tests.connectors.story import Network, refused


@pytest.fixture
def nobody(office: Office) -> Browser:
    return office.browser()


def _first_administrator(office: Office, nobody: Browser) -> str:
    """Go through the set-up as a person does; give the secret of the one-time codes."""
    with office.connector.casebook.transaction() as connection:
        code = service.setup_code(connection)
    page = nobody.send(nobody.get("/"), {"setup_code": code, "name": "架空 はじめ", "login": "Hajime"})
    secret = page.html.select_one("[translate=no]").get_text()  # type: ignore[union-attr]
    said = {"password": PASSWORD, "again": PASSWORD, "code": code_now(secret, office.connector)}
    assert nobody.send(page, said).status == 200
    return secret


def test_the_first_administrator_is_made_with_the_code_that_the_program_printed(
    office: Office, nobody: Browser
) -> None:
    _first_administrator(office, nobody)
    assert "今日のボード" in nobody.get("/").words
    with office.connector.casebook.transaction() as connection:
        assert service.setup_code(connection) is None


def test_without_the_printed_code_nobody_becomes_administrator(office: Office, nobody: Browser) -> None:
    with office.connector.casebook.transaction() as connection:
        service.setup_code(connection)
    page = nobody.send(nobody.get("/"), {"setup_code": "AAAA-BBBB-CCCC-DDDD", "name": "架空", "login": "x"})
    assert (page.status, page.faults) == (422, ["setup_code"])


def test_somebody_signs_in_with_id_password_and_code_whatever_the_width_of_the_signs(
    office: Office, nobody: Browser, network: Network
) -> None:
    secret = _first_administrator(office, nobody)
    nobody.post("/signout")
    network.clock.on(minutes=1)
    wide = code_now(secret, office.connector).translate(str.maketrans("0123456789", "０１２３４５６７８９"))
    page = nobody.send(nobody.get("/signin"), {"login": "ＨＡＪＩＭＥ", "password": PASSWORD, "code": wide})
    assert page.answer.request.path == "/"


@pytest.mark.parametrize(
    "wrong", [{"login": "who"}, {"password": "something else entirely"}, {"code": "000000"}, {"code": "²"}]
)
def test_whatever_is_wrong_the_sentence_is_the_same(
    office: Office, nobody: Browser, network: Network, wrong: dict[str, str]
) -> None:
    secret = _first_administrator(office, nobody)
    nobody.post("/signout")
    network.clock.on(minutes=1)
    right = {"login": "hajime", "password": PASSWORD, "code": code_now(secret, office.connector)}
    page = nobody.send(nobody.get("/signin"), right | wrong)
    assert (page.status, page.faults) == (422, ["login"])
    assert PASSWORD not in page.answer.get_data(as_text=True)


def test_a_one_time_code_opens_once(office: Office, nobody: Browser, network: Network) -> None:
    secret = _first_administrator(office, nobody)
    nobody.post("/signout")
    network.clock.on(minutes=1)
    right = {"login": "hajime", "password": PASSWORD, "code": code_now(secret, office.connector)}
    nobody.send(nobody.get("/signin"), right)
    nobody.post("/signout")
    assert nobody.send(nobody.get("/signin"), right).status == 422


def test_after_five_wrong_tries_one_has_to_wait_even_with_the_right_words(
    office: Office, nobody: Browser, network: Network
) -> None:
    secret = _first_administrator(office, nobody)
    nobody.post("/signout")
    network.clock.on(minutes=1)
    for _ in range(5):
        nobody.send(nobody.get("/signin"), {"login": "hajime", "password": "wrong", "code": "1"})
    right = {"login": "hajime", "password": PASSWORD, "code": code_now(secret, office.connector)}
    assert "あと1分" in nobody.send(nobody.get("/signin"), right).words
    network.clock.on(minutes=2)
    right["code"] = code_now(secret, office.connector)
    assert nobody.send(nobody.get("/signin"), right).answer.request.path == "/"


def test_a_page_asks_who_it_is_and_comes_back(office: Office, nobody: Browser, network: Network) -> None:
    office.hire()
    page = nobody.get("/?scope=team", follow=False)
    assert page.to == "/signin?next=/?scope%3Dteam"


@pytest.mark.parametrize(
    "elsewhere", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)"]
)
def test_the_way_back_never_leads_elsewhere(office: Office, elsewhere: str) -> None:
    browser = office.browser(office.hire())
    assert browser.get(f"/language/en?next={elsewhere}", follow=False).to == "/"


def test_after_ten_idle_minutes_the_desk_is_locked_and_what_was_written_is_kept(
    office: Office, network: Network
) -> None:
    member = office.hire()
    with office.connector.casebook.transaction() as connection:
        service.set_password(connection, member, PASSWORD, now=network.clock())
    browser = office.browser(member)
    browser.get("/")
    network.clock.on(minutes=11)
    page = browser.post("/lock", {"note": "改行も\n残る"})
    assert "ロックしました" in page.words
    page = browser.send(page, {"password": PASSWORD})
    assert page.html.select_one("textarea[name=note]").get_text() == "改行も\n残る"  # type: ignore[union-attr]


def test_a_wrong_password_unlocks_nothing(office: Office, network: Network) -> None:
    member = office.hire()
    with office.connector.casebook.transaction() as connection:
        service.set_password(connection, member, PASSWORD, now=network.clock())
    browser = office.browser(member)
    network.clock.on(minutes=11)
    page = browser.send(browser.get("/"), {"password": "wrong"})
    assert (page.status, page.faults) == (422, ["password"])
    assert browser.get("/").html.select_one("input[name=password]")


@pytest.mark.parametrize("away", [{"minutes": 16}, {"hours": 9}])
def test_a_session_ends_when_nobody_comes_back(office: Office, network: Network, away: dict[str, float]) -> None:
    browser = office.browser(office.hire())
    browser.get("/")
    network.clock.on(**away)
    assert browser.get("/", follow=False).to.startswith("/signin")


def test_activity_keeps_a_session_open_but_not_beyond_eight_hours(office: Office, network: Network) -> None:
    browser = office.browser(office.hire())
    for _ in range(95):
        network.clock.on(minutes=5)
        assert browser.get("/").answer.request.path == "/"
    network.clock.on(minutes=6)
    assert browser.get("/", follow=False).to.startswith("/signin")


def test_a_form_without_its_guard_changes_nothing(office: Office) -> None:
    browser = office.browser(office.hire())
    page = browser.post("/signout", guard=False)
    assert page.status == 403
    assert browser.get("/").answer.request.path == "/"


def test_somebody_who_left_is_out_at_once(office: Office) -> None:
    member = office.hire(roles=frozenset({Role.CASEWORKER}))
    browser = office.browser(member)
    with office.connector.casebook.transaction() as connection:
        service.end_all(connection, member)
    assert browser.get("/", follow=False).to.startswith("/signin")


def test_the_secret_of_the_codes_is_what_an_authenticator_reads() -> None:
    secret = base64.b32encode(b"12345678901234567890").decode()
    assert pyotp.TOTP(secret).at(59) == "287082"  # RFC 6238, appendix B, the last six digits


def test_a_ticket_opens_a_desk_of_sample_data(office: Office) -> None:
    member = office.hire()
    with office.connector.casebook.transaction() as connection:
        ticket = service.ticket(connection, member)
    assert office.browser().get(f"/enter/{ticket}").answer.request.path == "/"
    assert office.browser().get("/enter/some-other").status == 404


def test_a_ticket_opens_no_other_desk(office: Office) -> None:
    member = office.hire()
    with office.connector.casebook.transaction() as connection:
        ticket = service.ticket(connection, member)
    office.app.extensions[EXTENSION] = replace(office.app.extensions[EXTENSION], sample=False)
    assert office.browser().get(f"/enter/{ticket}").status == 404


def test_sample_data_never_meet_a_hub_elsewhere(office: Office) -> None:
    with refused("sample-hub-real"), open_desk(office.connector, port=0, sample=True):
        pass


@pytest.mark.parametrize("path", ["/signin", "/join", "/locked"])
def test_whoever_is_in_already_is_led_on(office: Office, path: str) -> None:
    assert office.browser(office.hire()).get(path, follow=False).to == "/"
