# SPDX-License-Identifier: Apache-2.0
"""One's own account: password, authenticator, passkeys, recovery codes, sessions; and the two pages for everybody."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from connectors.desk.staff import passkeys, recovery, service
from connectors.desk.staff import tables as staff_tables
from connectors.desk.web.visits import Role
from tests.connectors.desk.office import PASSWORD, Browser, Office, code_now
from tests.connectors.desk.test_office_staff import account, logged, settle

NEW = "架空の新しいとても長い合言葉"


@pytest.fixture
def member(office: Office) -> str:
    return settle(office, office.hire("仮名 花", roles=frozenset({Role.CASEWORKER})))


@pytest.fixture
def mine(office: Office, member: str) -> Browser:
    return office.browser(member)


def keep_passkey(office: Office, member: str, name: str = "相談室のノート") -> str:
    with office.connector.casebook.transaction() as connection:
        values = {"id": f"key-{member}", "member": member, "public_key": b"x", "counter": 0, "name": name}
        connection.execute(sa.insert(staff_tables.passkeys).values(made_at=office.connector.now(), **values))
    return f"key-{member}"


def test_a_new_password_asks_for_the_old_one_and_ends_every_other_session(
    office: Office, member: str, mine: Browser
) -> None:
    other = office.browser(member)
    page = mine.send(mine.get("/office/me/password"), {"old": PASSWORD, "new": NEW, "again": NEW})
    assert page.answer.request.path == "/office/me"
    assert other.get("/", follow=False).to.startswith("/signin")
    assert mine.get("/office").status == 200
    login, now = account(office, member).login, office.connector.now()
    with office.connector.casebook.transaction() as connection:
        assert isinstance(service.checked(connection, login, PASSWORD, now=now), service.NotLetIn)
        assert not isinstance(service.checked(connection, login, NEW, now=now), service.NotLetIn)


@pytest.mark.parametrize(
    ("said", "fault"),
    [
        ({"old": "wrong"}, "old"),
        ({"new": "短い", "again": "短い"}, "new"),
        ({"new": "x" * 257, "again": "x" * 257}, "new"),
        ({"again": "something else"}, "again"),
        ({"old": ""}, "old"),
    ],
)
def test_a_password_that_cannot_be_taken_changes_nothing_and_is_not_shown_again(
    office: Office, member: str, mine: Browser, said: dict[str, str], fault: str
) -> None:
    page = mine.send(mine.get("/office/me/password"), {"old": PASSWORD, "new": NEW, "again": NEW} | said)
    assert (page.status, page.faults) == (422, [fault])
    assert NEW not in str(page.html)
    with office.connector.casebook.transaction() as connection:
        answer = service.checked(connection, "staff0", PASSWORD, now=office.connector.now())
    assert not isinstance(answer, service.NotLetIn)


def test_a_password_with_the_staff_id_in_it_is_refused(mine: Browser) -> None:
    new = "staff0-is-my-own-password"
    assert mine.send(mine.get("/office/me/password"), {"old": PASSWORD, "new": new, "again": new}).faults == ["new"]


def test_wrong_passwords_on_ones_own_page_count_as_tries(mine: Browser) -> None:
    for _ in range(5):
        mine.send(mine.get("/office/me/password"), {"old": "wrong", "new": NEW, "again": NEW})
    page = mine.send(mine.get("/office/me/password"), {"old": PASSWORD, "new": NEW, "again": NEW})
    assert "あと1分" in page.words


def test_a_new_authenticator_takes_the_place_of_the_old_one(office: Office, member: str, mine: Browser) -> None:
    page = mine.get("/office/me/authenticator")
    secret = page.html.select_one(".mono[translate=no]").get_text()  # type: ignore[union-attr]
    wrong = mine.send(page, {"password": PASSWORD, "code": "000000"})
    assert wrong.faults == ["code"]
    assert secret in wrong.words  # the same picture as was scanned
    assert mine.send(page, {"password": "wrong", "code": code_now(secret, office.connector)}).faults == ["password"]
    done = mine.send(page, {"password": PASSWORD, "code": code_now(secret, office.connector)})
    assert done.answer.request.path == "/office/me"
    with office.connector.casebook.transaction() as connection:
        kept = connection.execute(sa.select(staff_tables.members.c.totp)).scalar_one()
    assert kept == secret
    assert secret not in mine.get("/office/me/authenticator").words


def test_passkeys_are_listed_renamed_and_removed_by_their_owner(office: Office, member: str, mine: Browser) -> None:
    key = keep_passkey(office, member)
    page = mine.get("/office/me")
    assert {"相談室のノート", "まだ使っていません"} <= set(page.html.get_text("|").replace("・", "|").split("|"))
    page = mine.send(page, {"name": "受付の電話"}, form="form[action$='/name']")
    assert "受付の電話" in page.words
    page = mine.send(page, {"name": " "}, form="form[action$='/name']")
    assert "受付の電話" in page.words
    mine.send(page, form="form[action$='/remove']")
    with office.connector.casebook.transaction() as connection:
        assert passkeys.passkeys_of(connection, member) == []
    assert [action for _, action, _ in logged(office)][-2:] == ["passkey:renamed", "passkey:removed"]
    for what in ("remove", "name"):
        assert mine.post(f"/office/me/passkeys/{key}/{what}", {"name": "x"}).status == 404


def test_somebody_elses_passkey_is_not_there(office: Office, mine: Browser) -> None:
    other = office.hire("仮名 別人")
    key = keep_passkey(office, other)
    mine.get("/office/me")
    for what in ("remove", "name"):
        assert mine.post(f"/office/me/passkeys/{key}/{what}", {"name": "x"}).status == 404
    with office.connector.casebook.transaction() as connection:
        assert [one.name for one in passkeys.passkeys_of(connection, other)] == ["相談室のノート"]


def test_recovery_codes_are_shown_once_and_made_anew(office: Office, member: str, mine: Browser) -> None:
    page = mine.send(mine.get("/office/me/recovery"), {"password": PASSWORD})
    codes = [one.get_text() for one in page.html.select(".codes li")]
    assert len(set(codes)) == 10
    assert "使えるコードが 10 個" in mine.get("/office/me").words
    assert codes[0] not in mine.get("/office/me/recovery").words
    login, now = account(office, member).login, office.connector.now()
    mine.send(mine.get("/office/me/recovery"), {"password": PASSWORD})
    with office.connector.casebook.transaction() as connection:
        assert isinstance(recovery.recover(connection, login, PASSWORD, codes[0], now=now), service.NotLetIn)


def test_recovery_codes_ask_for_the_password(office: Office, member: str, mine: Browser) -> None:
    page = mine.send(mine.get("/office/me/recovery"), {"password": "wrong"})
    assert (page.status, page.faults, page.html.select(".codes")) == (422, ["password"], [])
    with office.connector.casebook.transaction() as connection:
        assert recovery.count_left(connection, member) == 0


def test_ones_sessions_elsewhere_are_seen_and_ended(office: Office, member: str, mine: Browser) -> None:
    elsewhere = office.browser(member)
    page = mine.get("/office/me")
    assert page.words.count("この端末") == 1
    page = mine.send(page, form="form[action$='/sessions/end']")
    assert "ほかの 1 件" in page.words
    assert elsewhere.get("/", follow=False).to.startswith("/signin")


def test_the_page_of_a_new_passkey_says_what_it_needs(mine: Browser) -> None:
    page = mine.get("/office/me/passkeys/new")
    assert page.html.select("[data-passkey=make]")
    assert page.html.select("noscript")


@pytest.mark.parametrize("language", ["ja", "en"])
def test_accessibility_and_what_to_do_when_something_is_lost_are_open_to_everybody_and_linked_from_each_page(
    office: Office, member: str, language: str
) -> None:
    browser = office.browser(language=language)
    with office.connector.casebook.transaction() as connection:
        service.setup_code(connection)
    foot = [one["href"] for one in browser.get("/signin").html.select(".foot a")]
    assert foot == ["/accessibility", "/keys-help"]
    for path in foot:
        page = browser.get(str(path))
        assert (page.status, page.html.html["lang"]) == (200, language)  # type: ignore[index]
    for path in ("/office/me", "/office/me/password", "/office/me/authenticator", "/office/me/recovery"):
        assert office.browser(member, language=language).get(path).status == 200


@pytest.mark.parametrize("path", ["/office/me", "/office/me/password", "/office/staff", "/office"])
def test_nobody_reads_the_office_without_signing_in(office: Office, member: str, path: str) -> None:
    assert office.browser().get(path, follow=False).to.startswith("/signin")
