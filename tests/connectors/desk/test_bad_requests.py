# SPDX-License-Identifier: Apache-2.0
"""Bad requests to a whole desk (WEB rows of the list of bad input): refused in words, and nothing changed."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from werkzeug.routing import AnyConverter
from werkzeug.test import TestResponse

from connectors.casebook import tables
from connectors.casebook.tables import metadata
from connectors.desk.staff import service
from connectors.desk.staff.pages import SESSION_TOKEN
from connectors.desk.web.throttle import MOST_TRIES, WINDOW, Throttle
from consent.envelope.sealing import PlainPart
from tests.connectors.desk import markup
from tests.connectors.desk.office import PASSWORD, Browser, Office, Page, code_now
from tests.connectors.desk.referring import form_part, refer
from tests.connectors.story import NOW, Network

EVIL = (
    "<img src=x onerror=alert(1)>",
    "</script><script>alert(1)</script>",
    '"><svg onload=alert(1)>',
    "javascript:alert(1)",
    "{{7*7}}{% raw %}",
)
_PASSING = {"access_log", "staff_sessions"}
"""What looking at a page writes; everything else is what must not change."""


def facts(office: Office) -> dict[str, list[tuple[Any, ...]]]:
    """Give everything that the casebook holds besides who looked."""
    with office.connector.casebook.transaction() as connection:
        return {
            table.name: [tuple(row) for row in connection.execute(sa.select(table))]
            for table in metadata.sorted_tables
            if table.name not in _PASSING
        }


def member(office: Office, login: str = "hajime") -> tuple[str, str]:
    """Take somebody in who has set password and one-time codes; give their id and the secret of the codes."""
    from connectors.desk.web.visits import Role

    secret = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
    with office.connector.casebook.transaction() as connection:
        now = office.connector.now()
        made, _ = service.enrol(
            connection, login=login, name="仮名 はじめ", team="", roles=frozenset(Role), by="test", now=now
        )
        service.set_password(connection, made, PASSWORD, now=now)
        assert service.set_totp(connection, made, secret, code_now(secret, office.connector), now=now)
    return made, secret


def right(office: Office, secret: str, login: str = "hajime") -> dict[str, str]:
    return {"login": login, "password": PASSWORD, "code": code_now(secret, office.connector)}


def wrong(login: str = "hajime") -> dict[str, str]:
    return {"login": login, "password": "架空の間違った言葉", "code": "000000"}


# ── forms from elsewhere ──


@pytest.mark.parametrize("guard", ["none", "another session's", "in the address", "no token at all of ours"])
def test_web_01_a_form_without_the_sessions_own_guard_changes_nothing(office: Office, guard: str) -> None:
    browser, other = office.browser(office.hire()), office.browser(office.hire("仮名 別人"))
    browser.get("/"), other.get("/")
    before = facts(office)
    said: dict[str, str] = {"purpose": "koguchi_shikin"}
    path = "/referrals/new"
    if guard == "another session's":
        said["csrf_token"] = other.token
    elif guard == "in the address":
        path += f"?csrf_token={browser.token}"
    elif guard != "none":
        said["csrf_token"] = "A" * 91
    page = browser.post(path, said, guard=False)
    assert page.status == 403
    assert "画面が古くなっています" in page.words
    assert facts(office) == before


def _one_of(converter: object) -> str:
    """Give what fits a place of a rule: one of its words where it has a few, anything else where not."""
    return min(converter.items) if isinstance(converter, AnyConverter) else "1"


def test_web_01_every_form_of_the_desk_asks_for_the_guard(office: Office) -> None:
    browser = office.browser(office.hire())
    before = facts(office)
    open_ways = []
    for rule in office.app.url_map.iter_rules():
        if "POST" in (rule.methods or ()):
            with office.app.test_request_context():
                places = {one: _one_of(rule._converters.get(one)) for one in rule.arguments}
                path = rule.build(places)
            if path is not None and browser.post(path[1], guard=False, follow=False).status not in {403, 429}:
                open_ways.append(rule.rule)
    assert open_ways == []
    assert facts(office) == before


def test_web_03_signing_in_by_a_form_from_elsewhere_is_refused(office: Office) -> None:
    _, secret = member(office)
    victim = office.browser()
    page = victim.post("/signin", right(office, secret), guard=False)
    assert page.status == 403
    assert victim.get("/", follow=False).to.startswith("/signin")


# ── sessions ──


def test_web_04_what_was_fixed_before_signing_in_opens_nothing_after_it(office: Office, network: Network) -> None:
    _, secret = member(office)
    network.clock.on(minutes=1)
    victim, thief = office.browser(), office.browser()
    page = victim.get("/signin")
    fixed = victim.client.get_cookie(office.app.config["SESSION_COOKIE_NAME"])
    assert fixed is not None
    victim.send(page, right(office, secret))
    now = victim.client.get_cookie(office.app.config["SESSION_COOKIE_NAME"])
    assert now is not None
    assert now.value != fixed.value
    thief.client.set_cookie(office.app.config["SESSION_COOKIE_NAME"], fixed.value)
    assert thief.get("/", follow=False).to.startswith("/signin")


def test_web_04_a_made_up_session_opens_nothing(office: Office) -> None:
    office.hire()
    browser = office.browser()
    with browser.client.session_transaction() as session:
        session[SESSION_TOKEN] = "A" * 43
    assert browser.get("/", follow=False).to.startswith("/signin")


def test_web_13_after_signing_out_neither_the_way_back_nor_the_old_cookie_shows_anything(office: Office) -> None:
    browser = office.browser(office.hire())
    page = browser.get("/cases")
    assert page.answer.headers["Cache-Control"] == "no-store"
    old = browser.client.get_cookie(office.app.config["SESSION_COOKIE_NAME"])
    assert old is not None
    browser.send(page, form="form[action$='/signout']")
    assert browser.get("/cases", follow=False).to.startswith("/signin")
    browser.client.set_cookie(office.app.config["SESSION_COOKIE_NAME"], old.value)
    assert browser.get("/cases", follow=False).to.startswith("/signin")


# ── what is written by others ──


def test_web_08_what_others_wrote_is_shown_as_text(network: Network, office: Office, partner: Office) -> None:
    told = [
        PlainPart(category="consultation", media="text/plain", body=" ".join(EVIL).encode()),
        PlainPart(category="support_record", media="text/html", body=EVIL[1].encode()),
    ]
    made = refer(network, office, partner, form_part(), *told)
    with partner.connector.casebook.transaction() as connection:
        connection.execute(sa.update(tables.agencies).values(name_ja=EVIL[0], name_en=EVIL[2]))
    made.open()
    paths = ("/", "/inbox", f"/inbox/{made.id}", f"/referrals/{made.id}", "/referrals", "/agencies", "/followups")
    for language in ("ja", "en"):
        browser = partner.browser(made.they, language=language)
        for path in paths:
            page = browser.get(path)
            assert page.status == 200
            _holds_no_code(page)
    assert EVIL[0] in made.theirs.get(f"/inbox/{made.id}").words


@pytest.mark.parametrize("evil", EVIL)
def test_web_08_what_people_type_comes_back_as_text(browser: Browser, evil: str) -> None:
    for page in (
        browser.get("/search", follow=True),
        browser.get(f"/search?q={evil}"),
        browser.get(f"/agencies?q={evil}"),
    ):
        _holds_no_code(page)
    form = browser.post("/intakes/new", {"name": evil, "words": evil, "kana": evil})
    _holds_no_code(form)


def _holds_no_code(page: Page) -> None:
    """The markup of each page is checked by the browser too: no inline script, no handler, no style."""
    assert page.html.select("main img, main script, main iframe, main object") == []
    assert not [
        one for one in page.html.find_all(href=True) if str(one["href"]).strip().lower().startswith("javascript")
    ]
    assert "'unsafe-inline'" not in page.answer.headers["Content-Security-Policy"]
    assert "49{%" not in page.words


ELSEWHERE = (
    "//evil.example", "/\\evil.example", "https:evil.example", "https://evil.example", "\\\\evil.example",
    "/\t/evil.example", "///evil.example", "http:\\evil.example", " //evil.example", "javascript:alert(1)",
)  # fmt: skip


def _leads_home(answer: TestResponse) -> None:
    page = markup.read(answer.get_data(as_text=True))
    assert {str(one["value"]) for one in page.select("main input[name=next]")} <= {"", "/"}
    assert [
        str(one["href"]) for one in page.find_all(href=True) if not re.match(r"/(?![/\\])|#", str(one["href"]))
    ] == []


def test_web_10_signing_in_leads_to_no_other_house(office: Office, network: Network) -> None:
    _, secret = member(office)
    network.clock.on(minutes=1)
    browser = office.browser()
    for elsewhere in ELSEWHERE:
        _leads_home(browser.client.get("/signin", query_string={"next": elsewhere}))
    browser.get("/signin")
    assert browser.post("/signin", right(office, secret) | {"next": ELSEWHERE[1]}, follow=False).to == "/"


def test_web_10_no_other_way_back_leads_elsewhere_either(office: Office) -> None:
    browser = office.browser(office.hire())
    browser.get("/")
    for elsewhere in ELSEWHERE:
        chosen = browser.client.get("/language/en", query_string={"next": elsewhere})
        assert chosen.headers["Location"] == "/"
        assert "evil" not in browser.post("/lock", {"next": elsewhere}, follow=False).to
        _leads_home(browser.client.get("/locked", query_string={"next": elsewhere}))


def test_web_12_no_page_may_stand_in_a_frame(office: Office) -> None:
    browser = office.browser(office.hire())
    for path in ("/", "/cases", "/signin", "/nowhere", "/static/desk.css"):
        answer = browser.client.get(path)
        assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
        assert answer.headers["X-Frame-Options"] == "DENY"
        answer.close()


# ── guessing ──


def test_web_15_the_eleventh_try_at_an_account_is_turned_away_and_the_right_words_open_it_later(
    office: Office, network: Network
) -> None:
    _, secret = member(office)
    browser = office.browser()
    tries = [browser.post("/signin", wrong()).status for _ in range(MOST_TRIES)]
    assert set(tries) == {422}
    page = browser.post("/signin", right(office, secret))
    assert page.status == 429
    assert 0 < int(page.answer.headers["Retry-After"]) <= WINDOW.total_seconds()
    assert "あと10分は受け付けません" in page.words
    for _ in range(90):
        assert browser.post("/signin", wrong()).status == 429
    network.clock.on(minutes=16)  # beyond the wait of wrong words in a row, too
    assert browser.post("/signin", right(office, secret)).answer.request.path == "/"


def test_web_15_one_source_gets_ten_tries_whatever_names_it_tries(office: Office, network: Network) -> None:
    _, secret = member(office)
    browser = office.browser()
    for n in range(MOST_TRIES):
        assert browser.post("/signin", wrong(f"name{n}")).status == 422
    assert browser.post("/signin", right(office, secret)).status == 429
    elsewhere = office.browser()
    elsewhere.client.environ_base["REMOTE_ADDR"] = "192.0.2.7"
    network.clock.on(minutes=1)
    assert elsewhere.post("/signin", right(office, secret)).answer.request.path == "/"


def test_web_15_an_account_is_counted_from_all_sources_together_however_its_id_is_typed(office: Office) -> None:
    member(office)
    for n, login in enumerate(("hajime", "ＨＡＪＩＭＥ", " Hajime ", "hajime ") * 3):
        browser = office.browser()
        browser.client.environ_base["REMOTE_ADDR"] = f"192.0.2.{n + 1}"
        assert browser.post("/signin", wrong(login)).status == (422 if n < MOST_TRIES else 429), n


def test_web_15_whoever_signs_in_again_and_again_is_not_turned_away(office: Office, network: Network) -> None:
    _, secret = member(office)
    for _ in range(MOST_TRIES + 2):
        network.clock.on(seconds=31)
        browser = office.browser()
        assert browser.post("/signin", right(office, secret)).answer.request.path == "/"


def test_web_15_setting_up_and_codes_of_invitations_cannot_be_guessed_either(office: Office) -> None:
    with office.connector.casebook.transaction() as connection:
        service.setup_code(connection)
    browser = office.browser()
    said = {"setup_code": "AAAA-BBBB-CCCC-DDDD", "name": "架空", "login": "x"}
    assert [browser.post("/setup", said).status for _ in range(MOST_TRIES + 1)][-2:] == [422, 429]


def test_tries_are_forgotten_after_their_time_and_memory_is_bounded() -> None:
    throttle = Throttle()
    for _ in range(MOST_TRIES):
        assert throttle.begin(["source:1"], NOW) is None
    assert throttle.begin(["source:1"], NOW + timedelta(minutes=4)) == timedelta(minutes=6)
    assert throttle.begin(["source:1"], NOW + WINDOW) is None
    for n in range(20_000):
        throttle.begin([f"source:{n}"], NOW)
    assert len(throttle._tries) == 10_000
