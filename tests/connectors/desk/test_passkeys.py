# SPDX-License-Identifier: Apache-2.0
"""Passkeys: made by whoever knows the password, then enough alone; recovery codes for whoever lost the device."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st
from webauthn.helpers import bytes_to_base64url

from connectors.casebook import tables as casebook
from connectors.desk.staff import passkeys, recovery, rules, service
from connectors.desk.staff import tables as staff_tables
from connectors.desk.staff.passkeys import Place
from connectors.desk.web.site import EXTENSION
from tests.connectors.desk.authenticator import Device
from tests.connectors.desk.office import PASSWORD, Browser, Office, code_now
from tests.connectors.story import NOW, Network

PLACE = Place(host="localhost", origin="http://localhost", agency="架空の機関")


@pytest.fixture
def member(office: Office, network: Network) -> str:
    made = office.hire()
    with office.connector.casebook.transaction() as connection:
        service.set_password(connection, made, PASSWORD, now=network.clock())
    return made


def say(browser: Browser, path: str, body: Any) -> tuple[int, Any]:
    """Send JSON as the page's script does, with the guard of a form."""
    if not browser.token:
        browser.get("/signin")
    headers = {"X-CSRFToken": browser.token, "Accept-Language": browser.language}
    answer = browser.client.post(path, json=body, headers=headers)
    return answer.status_code, answer.get_json()


def make(browser: Browser, device: Device, *, password: str = PASSWORD) -> tuple[int, Any]:
    browser.get("/")
    status, options = say(browser, "/passkeys/options", {"password": password})
    if status != 200:
        return status, options
    return say(browser, "/passkeys", {"credential": device.make(options), "name": "仮の電話", "next": "/"})


def enter(browser: Browser, device: Device, **spoilt: Any) -> tuple[int, Any]:
    status, options = say(browser, "/signin/passkey/options", {})
    assert status == 200
    return say(browser, "/signin/passkey", {"credential": device.ask(options) | spoilt, "next": "/agencies"})


@pytest.fixture
def device(office: Office, member: str) -> Device:
    made = Device()
    assert make(office.browser(member), made) == (200, {"to": "/"})
    return made


def test_a_passkey_signs_in_by_itself_and_leads_where_one_wanted_to_go(
    office: Office, member: str, device: Device
) -> None:
    browser = office.browser()
    assert enter(browser, device) == (200, {"to": "/agencies"})
    assert browser.get("/agencies").status == 200


def test_making_a_passkey_asks_for_the_password(office: Office, member: str) -> None:
    status, answer = make(office.browser(member), Device(), password="something else entirely")
    assert (status, "違います" in answer["said"]) == (422, True)
    with office.connector.casebook.transaction() as connection:
        assert passkeys.passkeys_of(connection, member) == []


def test_wrong_passwords_on_the_way_to_a_passkey_count_as_tries(office: Office, member: str) -> None:
    browser = office.browser(member)
    for _ in range(5):
        make(browser, Device(), password="wrong")
    assert "あと1分" in make(browser, Device())[1]["said"]


@pytest.mark.parametrize(
    "spoil",
    [
        {"origin": "http://elsewhere.example"},
        {"verifies": False},
        {"key": Device().key},
        {"counter": -1},
        {"credential": b"0123456789abcdef"},
    ],
    ids=["origin", "nobody-asked-who-it-is", "key", "counter", "credential"],
)
def test_whatever_is_wrong_with_a_passkey_nobody_comes_in(
    office: Office, member: str, device: Device, spoil: dict[str, Any]
) -> None:
    if "counter" in spoil:
        assert enter(office.browser(), device)[0] == 200  # the counter stands at 1 now, and the copy says 0 + 1 again
        spoil = {"counter": 0}
    browser = office.browser()
    status, answer = enter(browser, replace(device, **spoil))
    assert (status, list(answer)) == (422, ["said"])
    assert browser.get("/", follow=False).to.startswith("/signin")


def test_a_challenge_counts_once_even_when_the_cookie_is_sent_again(
    office: Office, member: str, device: Device
) -> None:
    browser = office.browser()
    _, options = say(browser, "/signin/passkey/options", {})
    answer = device.ask(options)
    with browser.client.session_transaction() as session:
        asked = session["challenge"]
    assert say(browser, "/signin/passkey", {"credential": answer})[0] == 200
    again = office.browser()
    again.get("/signin")
    with again.client.session_transaction() as session:
        session["challenge"] = asked
    device.counter = 0
    assert say(again, "/signin/passkey", {"credential": answer})[0] == 422


def test_an_answer_that_comes_too_late_or_was_not_asked_for_opens_nothing(
    office: Office, member: str, device: Device, network: Network
) -> None:
    browser = office.browser()
    _, options = say(browser, "/signin/passkey/options", {})
    network.clock.on(minutes=6)
    answer = device.ask(options)
    assert say(browser, "/signin/passkey", {"credential": answer})[0] == 422
    assert say(browser, "/signin/passkey", {"credential": answer})[0] == 422


def test_somebody_who_left_has_no_passkey_that_opens(office: Office, member: str, device: Device) -> None:
    with office.connector.casebook.transaction() as connection:
        connection.execute(
            sa.update(staff_tables.members).where(staff_tables.members.c.id == member).values(is_active=False)
        )
    assert enter(office.browser(), device)[0] == 422


def test_a_passkey_unlocks_the_desk_and_what_was_written_is_there(
    office: Office, member: str, device: Device, network: Network
) -> None:
    browser = office.browser(member)
    browser.get("/")
    network.clock.on(minutes=11)
    browser.post("/lock", {"note": "書きかけ"})
    status, answer = enter(browser, device)
    assert status == 200
    page = browser.get(answer["to"])
    assert page.html.select_one("input[name=note]")["value"] == "書きかけ"  # type: ignore[index]
    assert browser.get("/").answer.request.path == "/"


def test_what_was_kept_is_shown_once_after_unlocking_though_the_session_is_open_again_by_then(
    office: Office, member: str, device: Device, network: Network
) -> None:
    browser = office.browser(member)
    browser.get("/")
    network.clock.on(minutes=11)
    browser.post("/lock", {"note": "書きかけ"})
    _, answer = enter(browser, device)
    assert browser.get("/", follow=False).status == 200  # open already, in another window
    assert "書いた内容が残っています" in browser.get(answer["to"]).words
    assert browser.get(answer["to"], follow=False).to == "/agencies"


def test_nobody_else_unlocks_the_desk(office: Office, member: str, device: Device, network: Network) -> None:
    browser = office.browser(office.hire("架空 別人"))
    browser.get("/")
    network.clock.on(minutes=11)
    browser.get("/")
    status, answer = enter(browser, device)
    assert (status, answer["said"]) == (422, "ロックした職員のパスキーではありません。")
    assert "ロックしました" in browser.get("/").words


@pytest.mark.parametrize(
    ("origin", "words"), [("http://127.0.0.1:8443", "IPアドレス"), ("http://desk.office.example", "https")]
)
def test_where_there_can_be_no_passkeys_the_page_says_why_and_offers_none(
    office: Office, member: str, origin: str, words: str
) -> None:
    office.app.extensions[EXTENSION] = replace(office.app.extensions[EXTENSION], origin=origin)
    browser = office.browser()
    page = browser.get("/signin")
    assert words in page.words
    assert page.html.select("[data-passkey]") == []
    assert say(browser, "/signin/passkey/options", {})[0] == 422
    assert make(office.browser(member), Device())[0] == 422


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        ("https://desk.office.example", "desk.office.example"),
        ("http://localhost:8443", "localhost"),
        ("https://192.0.2.7", None),
        ("https://[2001:db8::1]:8443", None),
        ("http://desk.office.example", None),
        ("", None),
    ],
)
def test_passkeys_are_bound_to_the_host_name_of_the_desk(origin: str, host: str | None) -> None:
    assert rules.passkey_host(origin) == host


def test_json_without_its_guard_changes_nothing(office: Office, member: str) -> None:
    browser = office.browser(member)
    browser.get("/")
    assert browser.client.post("/passkeys/options", json={"password": PASSWORD}).status_code == 403


def test_somebody_has_ten_passkeys_at_most_and_each_is_one_persons(office: Office, member: str) -> None:
    browser, first = office.browser(member), Device()
    assert make(browser, first)[0] == 200
    other = office.hire("架空 別人")
    with office.connector.casebook.transaction() as connection:
        service.set_password(connection, other, PASSWORD, now=office.connector.now())
    assert make(office.browser(other), first)[0] == 422
    for _ in range(passkeys.MOST_OF_ONE - 1):
        assert make(browser, Device())[0] == 200
    assert make(browser, Device())[0] == 422


nonsense = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=8,
)


@settings(deadline=None, max_examples=60)
@given(
    nonsense, st.dictionaries(st.sampled_from(["clientDataJSON", "attestationObject", "authenticatorData"]), nonsense)
)
def test_nonsense_instead_of_an_answer_is_refused_and_never_an_error(whole: Any, response: Any) -> None:
    engine = sa.create_engine("sqlite://")
    casebook.metadata.create_all(engine)
    name = bytes_to_base64url(b"credential")
    answers = [{"id": name, "rawId": name, "type": "public-key", "response": response}]
    answers += [whole] if isinstance(whole, dict) else []
    with engine.begin() as connection:
        connection.execute(
            sa.insert(staff_tables.members).values(id="st-1", login="x", name="仮", roles=[], created_at=NOW)
        )
        connection.execute(
            sa.insert(staff_tables.passkeys).values(
                id=name, member="st-1", public_key=b"\x00", counter=0, name="", made_at=NOW
            )
        )
        for number, answer in enumerate(answers):
            challenge = bytes([number]) * 32
            assert passkeys.owner(connection, PLACE, answer, challenge=challenge, now=NOW) is None
            assert not passkeys.take(connection, PLACE, "st-1", answer, challenge=challenge + b"x", name="", now=NOW)


# ── recovery codes ──


def _codes(office: Office, member: str) -> tuple[str, ...]:
    with office.connector.casebook.transaction() as connection:
        return recovery.new_codes(connection, member, now=office.connector.now())


def _login(office: Office, member: str) -> str:
    with office.connector.casebook.transaction() as connection:
        query = sa.select(staff_tables.members.c.login).where(staff_tables.members.c.id == member)
        return str(connection.execute(query).scalar_one())


def test_a_recovery_code_lets_password_and_authenticator_be_set_anew_and_ends_what_was_before(
    office: Office, member: str, device: Device
) -> None:
    codes, was = _codes(office, member), office.browser(member)
    browser = office.browser()
    page = browser.get("/recover")
    said = {"login": _login(office, member), "password": PASSWORD, "recovery": codes[3].lower().replace("-", " ")}
    page = browser.send(page, said)
    secret = page.html.select_one("[translate=no]").get_text()  # type: ignore[union-attr]
    assert was.get("/", follow=False).to.startswith("/signin")
    assert enter(office.browser(), device)[0] == 422
    new = "架空の新しいとても長い合言葉"
    page = browser.send(page, {"password": new, "again": new, "code": code_now(secret, office.connector)})
    assert page.answer.request.path == "/"
    with office.connector.casebook.transaction() as connection:
        assert recovery.count_left(connection, member) == 9


@pytest.mark.parametrize("wrong", [{"recovery": "AAAA-BBBB-CCCC-DDDD"}, {"password": "wrong"}, {"login": "nobody"}])
def test_a_wrong_recovery_changes_nothing_and_says_always_the_same(
    office: Office, member: str, wrong: dict[str, str]
) -> None:
    codes = _codes(office, member)
    right = {"login": _login(office, member), "password": PASSWORD, "recovery": codes[0]}
    browser = office.browser()
    page = browser.send(browser.get("/recover"), right | wrong)
    assert (page.status, page.faults) == (422, ["login"])
    with office.connector.casebook.transaction() as connection:
        assert recovery.count_left(connection, member) == 10


def test_a_recovery_code_works_once_and_new_ones_end_the_old(office: Office, member: str) -> None:
    codes, now = _codes(office, member), office.connector.now()
    login = _login(office, member)
    with office.connector.casebook.transaction() as connection:
        assert isinstance(recovery.recover(connection, login, PASSWORD, codes[0], now=now), str)
        assert isinstance(recovery.recover(connection, login, PASSWORD, codes[0], now=now), service.NotLetIn)
        newer = recovery.new_codes(connection, member, now=now)
        assert isinstance(recovery.recover(connection, login, PASSWORD, codes[1], now=now), service.NotLetIn)
        assert isinstance(recovery.recover(connection, login, PASSWORD, newer[1], now=now), str)


def test_tries_with_wrong_recovery_codes_end_in_a_bar(office: Office, member: str) -> None:
    codes = _codes(office, member)
    browser, login = office.browser(), _login(office, member)
    for _ in range(5):
        browser.post("/recover", {"login": login, "password": PASSWORD, "recovery": "AAAA-BBBB-CCCC-DDDD"})
    page = browser.post("/recover", {"login": login, "password": PASSWORD, "recovery": codes[0]})
    assert "あと1分" in page.words


def test_recovery_codes_are_kept_as_hashes_alone(office: Office, member: str) -> None:
    codes = _codes(office, member)
    with office.connector.casebook.transaction() as connection:
        kept = connection.execute(sa.select(staff_tables.recovery_codes.c.code)).scalars().all()
    assert len(kept) == len(set(kept)) == 10
    assert not set(kept) & {*codes, *map(service.plain_code, codes)}
