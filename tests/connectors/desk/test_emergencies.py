# SPDX-License-Identifier: Apache-2.0
"""Emergency disclosure: asked for with a call and reasons, approved by another, sealed, told; never by accident."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa

from connectors.casebook import access, files, listing, statements, tables
from connectors.desk.web.visits import Role
from consent.receipts import ExclusionRecord
from tests.connectors.desk.office import Browser, Office, Page
from tests.connectors.story import NAME, STAFF, Network, open_case

WHY = "昨夜から連絡がつかず、いのちの心配がある。架空の理由"
TOLD = "架空アパート2階に一人で住んでいる"
CASEWORKER = frozenset({Role.CASEWORKER})
ADMINISTRATOR = frozenset({Role.ADMINISTRATOR})
SUPERVISOR = frozenset({Role.CASEWORKER, Role.SUPERVISOR})
MY_NUMBER = "123456789018"


@pytest.fixture
def case(office: Office, partner: Office) -> str:
    """A case without any consent, known to the hub."""
    made = open_case(office.connector)
    office.connector.sync()
    return made


@pytest.fixture
def asker(office: Office) -> Browser:
    return office.browser(office.hire("仮名 申し出る", roles=CASEWORKER))


@pytest.fixture
def chief(office: Office) -> Browser:
    made = office.browser(office.hire("仮名 決める", roles=SUPERVISOR))
    made.get("/")
    return made


def said(partner: Office, **changes: Any) -> dict[str, Any]:
    return {
        "called_on": "R8.4.6", "called_at": "10:05", "call_result": "connected", "threat": "life",
        "difficulty": "unreachable", "why": WHY, "recipient": partner.connector.agency, "categories": ["housing"],
        "text_housing": TOLD, "understood": "yes", **changes,
    }  # fmt: skip


def ask(asker: Browser, case: str, partner: Office, **changes: Any) -> Page:
    return asker.send(asker.get(f"/emergencies/new?case={case}"), said(partner, **changes))


def actions(office: Office, case: str) -> list[str]:
    with office.connector.casebook.transaction() as connection:
        return [one.action for one in access.history(connection, case)]


def path(page: Page) -> str:
    return page.answer.request.path


def test_asked_by_one_approved_by_another_opened_by_the_partner_and_told(
    asker: Browser, chief: Browser, office: Office, partner: Office, case: str, network: Network
) -> None:
    page = ask(asker, case, partner)
    assert "承認待ち" in page.words
    assert network.hub.messages == {}
    here = path(page)
    page = chief.get(here)
    assert TOLD in page.words
    assert WHY in page.words
    page = chief.send(page, {"read": "yes"}, form="form[action$=approve]")
    assert "承認し、送りました" in page.html.get_text()
    (kept,) = network.hub.referrals.values()
    assert (kept.basis, kept.urgency, kept.purpose) == ("emergency", "immediate", "emergency_response")
    partner.connector.sync()
    with partner.connector.casebook.transaction() as connection:
        (arrived,) = listing.received(connection, partner.connector.agency)
    (part,) = partner.connector.read(arrived.id, arrived.sender, staff="s-1")
    assert (part.category, part.body.decode()) == ("housing", TOLD)
    page = asker.send(asker.get(here), form="form[action$=told]")
    assert "本人に伝えた日時" in page.words
    assert "いま開いている申し出はありません" in asker.get("/emergencies").words
    logged = actions(office, case)
    for action in ("emergency:asked", "emergency:viewed", "emergency:approved", "emergency:sent", "emergency:told"):
        assert action in logged
    everything = repr(network.hub.messages) + repr(network.hub.referrals)
    assert not any(canary in everything for canary in (NAME, TOLD, WHY))


def test_two_clicks_from_the_wizard_and_nothing_is_chosen_beforehand(
    asker: Browser, case: str, network: Network
) -> None:
    page = asker.get(f"/referrals/new?case={case}")
    link = page.html.select_one(f'a[href="/emergencies/new?case={case}"]')
    assert link is not None
    page = asker.get(str(link["href"]))
    assert page.words.index("まず電話") < page.words.index("なぜ同意なしに")
    assert page.html.select("main input[checked], main option[selected]") == []
    assert [one["value"] for one in page.html.select("input[name=categories]")] == [
        "identity", "contact", "household", "housing", "health", "safety",
    ]  # fmt: skip
    page = asker.send(page)
    assert page.status == 422
    assert set(page.faults) == {
        "called_on", "call_result", "threat", "difficulty", "recipient", "categories", "why", "understood",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "faults"),
    [
        ({"called_on": "2026-04-04"}, ["called_on"]),
        ({"called_at": "12:00"}, ["called_on"]),
        ({"call_result": "x"}, ["call_result"]),
        ({"threat": "x"}, ["threat"]),
        ({"difficulty": ""}, ["difficulty"]),
        ({"recipient": "x"}, ["recipient"]),
        ({"categories": ["legal"]}, ["categories"]),
        ({"categories": ["housing", "health"]}, ["text_health"]),
        ({"why": " "}, ["why"]),
        ({"why": "a\x00"}, ["why"]),
        ({"understood": ""}, ["understood"]),
        ({"text_housing": MY_NUMBER}, ["no_my_number"]),
    ],
)
def test_a_request_that_is_not_whole_comes_back_and_nothing_is_written(
    asker: Browser, office: Office, partner: Office, case: str, changes: dict[str, Any], faults: list[str]
) -> None:
    page = ask(asker, case, partner, **changes)
    assert (page.status, page.faults) == (422, faults)
    assert "emergency:asked" not in actions(office, case)


def test_digits_that_are_no_my_number_are_said_to_be_none(
    asker: Browser, office: Office, partner: Office, case: str
) -> None:
    page = ask(asker, case, partner, text_housing=MY_NUMBER)
    page = asker.send(page, {"no_my_number": "yes"})
    assert "承認待ち" in page.words
    assert "my-number:denied" in actions(office, case)


def test_who_asked_cannot_approve_whatever_their_role(
    office: Office, partner: Office, case: str, network: Network
) -> None:
    both = office.browser(office.hire("仮名 ひとり", roles=frozenset(Role)))
    page = ask(both, case, partner)
    assert page.html.select_one("form[action$=approve]") is None
    assert "自分の申し出は、自分では承認できません" in page.words
    page = both.post(path(page) + "/approve", {"read": "yes"})
    assert "自分では承認できません" in page.html.get_text()
    page = both.post(path(page) + "/turn-down", {"reason": "x"})
    assert "自分では承認できません" in page.html.get_text()
    assert network.hub.messages == {}


def test_a_caseworker_approves_nothing(asker: Browser, office: Office, partner: Office, case: str) -> None:
    here = path(ask(asker, case, partner))
    other = office.browser(office.hire("仮名 なかま", roles=CASEWORKER))
    assert "承認できるのは、管理者か管理責任者です" in other.get(here).words
    assert "承認できるのは" in other.post(here + "/approve", {"read": "yes"}).html.get_text()


def test_an_administrator_decides_without_seeing_the_person(
    asker: Browser, office: Office, partner: Office, case: str, network: Network
) -> None:
    here = path(ask(asker, case, partner))
    administrator = office.browser(office.hire("仮名 責任者", roles=ADMINISTRATOR))
    page = administrator.get(here)
    for canary in (NAME, TOLD, WHY):
        assert canary not in page.answer.get_data(as_text=True)
    page = administrator.send(page, {"read": "yes"}, form="form[action$=approve]")
    assert "承認し、送りました" in page.html.get_text()
    assert len(network.hub.messages) == 1
    assert administrator.get(f"/emergencies/new?case={case}").status == 403
    assert administrator.post(here + "/told").status == 403


def test_approving_wants_that_it_was_read_and_happens_once(
    asker: Browser, chief: Browser, partner: Office, case: str, network: Network
) -> None:
    here = path(ask(asker, case, partner))
    page = chief.post(here + "/approve")
    assert (page.status, page.faults) == (422, ["read"])
    chief.get(here)
    chief.post(here + "/approve", {"read": "yes"})
    page = chief.post(here + "/approve", {"read": "yes"})
    assert "もう決まっています" in page.html.get_text()
    assert len(network.hub.messages) == 1


def test_turned_down_with_a_reason_nothing_leaves(
    asker: Browser, chief: Browser, office: Office, partner: Office, case: str, network: Network
) -> None:
    here = path(ask(asker, case, partner))
    page = chief.post(here + "/turn-down", {"reason": ""})
    assert (page.status, page.faults) == (422, ["reason"])
    page = chief.post(here + "/turn-down", {"reason": "先に家族と連絡がついた"})
    assert "承認しませんでした" in page.html.get_text()
    assert "先に家族と連絡がついた" in asker.get(here).words
    assert network.hub.messages == {}
    assert "emergency:turned-down" in actions(office, case)


def test_after_72_hours_it_lapses(asker: Browser, office: Office, partner: Office, case: str, network: Network) -> None:
    here = path(ask(asker, case, partner))
    network.clock.on(hours=72)
    chief = office.browser(office.hire("仮名 あとから", roles=SUPERVISOR))
    assert "期限切れ" in chief.get(here).words
    page = chief.post(here + "/approve", {"read": "yes"})
    assert "この申し出は切れました" in page.html.get_text()
    assert network.hub.messages == {}
    assert "emergency:lapsed" in actions(office, case)


def test_a_call_that_is_too_old_by_now_is_made_again(
    asker: Browser, office: Office, partner: Office, case: str, network: Network
) -> None:
    here = path(ask(asker, case, partner))
    network.clock.on(hours=30)
    chief = office.browser(office.hire("仮名 あとから", roles=SUPERVISOR))
    page = chief.get(here)
    assert "もう一度電話して" in page.words
    page = chief.send(page, {"read": "yes"}, form="form[action$=approve]")
    assert (page.status, page.faults) == (422, ["called_on", "call_result"])
    call = {"called_on": "2026-04-07", "called_at": "16:00", "call_result": "no_answer"}
    page = chief.send(page, {"read": "yes", **call}, form="form[action$=approve]")
    assert "承認し、送りました" in page.html.get_text()


def test_what_the_person_wished_not_to_be_told_is_said_to_whoever_decides(
    asker: Browser, chief: Browser, office: Office, partner: Office, case: str
) -> None:
    connector = office.connector
    with connector.casebook.transaction() as connection:
        pen = connector.pen(STAFF)
        record = ExclusionRecord(
            id=pen.new_id(), agency=pen.agency, case=case, to=frozenset({"shakyo"}),
            categories=frozenset({"housing"}), from_time=pen.now, words_digest="ab" * 32,
        )  # fmt: skip
        statements.exclude(connection, record, pen)
    page = chief.get(path(ask(asker, case, partner)))
    assert "「伝えないでほしい」と言っている項目" in page.words


def test_with_the_line_down_the_approval_waits(
    asker: Browser, chief: Browser, office: Office, partner: Office, case: str, network: Network
) -> None:
    here = path(ask(asker, case, partner))
    network.hub.away = True
    page = chief.post(here + "/approve", {"read": "yes"})
    assert "つながり次第送ります" in page.html.get_text()
    assert "承認済み・送信待ち" in page.words
    assert chief.post(here + "/told").html.get_text().count("もう決まっています") == 1
    network.hub.away = False
    office.connector.sync()
    assert "本人に伝える" in chief.get(here).words


def test_what_the_hub_refuses_is_said_in_words(
    asker: Browser, chief: Browser, partner: Office, case: str, network: Network
) -> None:
    network.hub.one_need_at_a_time = True
    for _ in range(2):
        page = chief.post(path(ask(asker, case, partner)) + "/approve", {"read": "yes"})
    assert "この相手への緊急提供がすでに進んでいます" in page.words


def test_a_request_that_is_not_there_is_a_404(asker: Browser, partner: Office) -> None:
    for place in ("", "/approve", "/turn-down", "/told"):
        way = asker.post if place else asker.get
        said = {"reason": "x", "read": "yes"} if place else {}
        answer = way(f"/emergencies/none{place}", said) if place else asker.get("/emergencies/none")
        assert answer.status == 404
    assert path(asker.get("/emergencies/new")) == "/emergencies"


def test_two_clicks_lead_from_any_page_to_asking_and_neither_asks_anything(
    office: Office, partner: Office, case: str
) -> None:
    me = office.hire("仮名 担当", roles=CASEWORKER)
    with office.connector.casebook.transaction() as connection:
        files.open_file(connection, office.connector.pen(me), case=case, on=office.connector.now().date(), worker=me)
    browser = office.browser(me)
    menu = browser.get("/cases").html.select_one("nav.side a[href='/emergencies']")
    assert menu is not None
    listed = browser.get(str(menu["href"]))
    assert NAME in listed.words
    link = listed.html.select_one("main a[href^='/emergencies/new']")
    assert link is not None
    form = browser.get(str(link["href"]))
    assert form.html.select_one("form[action='/emergencies/new'] textarea[name=why]")
    assert "いま開いている申し出はありません" in browser.get("/emergencies").words


def test_somebody_elses_case_is_found_by_searching_and_a_closed_one_is_not(
    asker: Browser, office: Office, case: str
) -> None:
    assert NAME not in asker.get("/emergencies").words
    assert NAME in asker.get("/emergencies?q=タカサキ").words
    with office.connector.casebook.transaction() as connection:
        connection.execute(sa.update(tables.cases).values(closed_at=office.connector.now()))
    assert "見つかりません" in asker.get("/emergencies?q=タカサキ").words


def test_an_administrator_alone_is_led_to_no_person(office: Office, case: str) -> None:
    browser = office.browser(office.hire("仮名 管理", roles=ADMINISTRATOR))
    page = browser.get("/emergencies?q=タカサキ")
    assert page.status == 200
    assert NAME not in page.words
    assert page.html.select("main form") == []
