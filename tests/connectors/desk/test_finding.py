# SPDX-License-Identifier: Apache-2.0
"""Step ① at the desk: a tip is written down, looked into, and becomes a case without consent or ends with a reason."""

from __future__ import annotations

from typing import Any, Final

import pytest

from connectors.casebook import compose, files, finding, journal, people
from connectors.casebook.compose import RefusedHereError
from connectors.casebook.finding import Tip
from connectors.desk.exchange import dossier
from connectors.desk.web.visits import Role
from consent.decisions import Refused
from tests.connectors.desk.office import Browser, Office
from tests.connectors.desk.paper import Paper
from tests.connectors.desk.stepping import stands
from tests.connectors.story import Network, letter

CANARY: Final = "架空乃かなりあ"
SAID: Final = {
    "source": "tax", "came_by": "telephone", "signs": f"{CANARY}さんの郵便がたまっている", "name": CANARY,
    "kana": "かくうのかなりあ", "address": "架空市見本町9-9", "phone": "000-0000-7777", "knows": "no",
    "teller": "仮名 収納係",
}  # fmt: skip


def told(browser: Browser, **changes: Any) -> str:
    """Write a tip down; give its id."""
    page = browser.send(browser.get("/tips/new"), SAID | changes, form="main form.card")
    assert page.status == 200, page.faults
    return page.answer.request.path.rsplit("/", 1)[1]


def tip_of(office: Office, tip: str) -> Tip:
    with office.connector.casebook.transaction() as connection:
        return finding.tip_of(connection, tip)


def test_a_tip_by_telephone_is_kept_as_it_was_told_and_stands_on_the_list(browser: Browser, office: Office) -> None:
    tip = told(browser)
    kept = tip_of(office, tip)
    assert (kept.source, kept.came_by, kept.state) == ("tax", "telephone", "open")
    assert kept.document == {name: value for name, value in SAID.items() if name not in {"source", "came_by"}}
    page = browser.get("/tips")
    assert CANARY in page.words
    assert page.html.select_one("nav .count--hot") is not None
    assert not Paper(office).queued(), "the hub hears nothing of a tip"


NO_TIPS: Final[tuple[tuple[dict[str, str], list[str]], ...]] = (
    ({"source": ""}, ["source"]),
    ({"source": "moon"}, ["source"]),
    ({"signs": " "}, ["signs"]),
    ({"came_by": "form"}, ["came_by"]),
    ({"name": "", "kana": "", "address": "", "phone": ""}, ["name"]),
    ({"knows": "perhaps"}, ["knows"]),
)


def test_what_is_no_tip_is_blamed_and_not_kept(browser: Browser, office: Office) -> None:
    form = browser.get("/tips/new")
    for change, faults in NO_TIPS:
        page = browser.send(form, SAID | change, form="main form.card")
        assert (page.status, page.faults) == (422, faults), change
    with office.connector.casebook.transaction() as connection:
        assert finding.count_open(connection) == 0


def test_urgent_tips_come_first(browser: Browser) -> None:
    told(browser, name="架空 ふつう")
    told(browser, name="架空 いそぎ", urgent="yes")
    words = browser.get("/tips").words
    assert words.index("架空 いそぎ") < words.index("架空 ふつう")


def test_a_visit_is_written_down_once(browser: Browser, office: Office) -> None:
    tip = told(browser)
    page = browser.get(f"/tips/{tip}")
    said = {"channel": "visit", "result": "not_met", "text": "架空の留守"}
    browser.send(page, said, form="#outreach")
    page = browser.send(page, said, form="#outreach")
    assert page.words.count("架空の留守") == 1
    bad = browser.send(page, {"channel": "visit", "text": ""}, form="#outreach")
    assert (bad.status, bad.faults) == (422, ["result", "text"])
    with office.connector.casebook.transaction() as connection:
        assert len(finding.outreach_of(connection, tip)) == 1


def test_a_tip_becomes_a_case_without_consent_with_what_was_told_in_its_journal(
    browser: Browser, office: Office
) -> None:
    tip = told(browser)
    browser.send(browser.get(f"/tips/{tip}"), {"channel": "visit", "result": "met", "text": "会えた"}, form="#outreach")
    page = browser.send(browser.get(f"/tips/{tip}"), form="#case")
    assert "同意はまだありません" in page.html.select_one(".flash").get_text()  # type: ignore[union-attr]
    case = tip_of(office, tip).case
    assert case is not None
    assert stands(office, case) == ("1", "found")
    (one,) = [each for each in page.html.select("li.st") if each.select_one("i").get_text() == "1"]  # type: ignore[union-attr]
    assert "税・国保・住宅" in one.select_one(".st__x--l").get_text(), "the tax office stands in the left column"  # type: ignore[union-attr]
    assert "なし" in page.html.select_one(".head .chip").get_text()  # type: ignore[union-attr]
    with office.connector.casebook.transaction() as connection:
        assert {one.text for one in journal.of_case(connection, case)} == {SAID["signs"], "会えた"}
        found = files.search(connection, "0000-7777", staff="test", now=office.connector.now())
    assert [one.case for one in found] == [case]
    again = browser.post(f"/tips/{tip}/case", {"whom": "new"})
    assert again.status == 409


def test_nothing_of_a_tips_subject_can_go_onward_before_they_agree(
    browser: Browser, office: Office, partner: Office, network: Network
) -> None:
    tip = told(browser)
    browser.send(browser.get(f"/tips/{tip}"), form="#case")
    case = tip_of(office, tip).case
    assert case is not None
    office.connector.sync()
    about = letter(case, partner.connector)
    ((_, decided),) = office.connector.preview(about)
    assert isinstance(decided, Refused)
    with pytest.raises(RefusedHereError), office.connector.casebook.transaction() as connection:
        compose.send(connection, about, office.connector.pen("test"), own=office.connector.own_key())
    assert network.hub.messages == {}
    assert CANARY not in repr(network.hub.__dict__)
    assert CANARY not in str(Paper(office).queued())


def test_a_tip_about_somebody_known_can_be_theirs(browser: Browser, office: Office) -> None:
    us = office.connector
    with us.casebook.transaction() as connection:
        people.register_person(connection, person="p-known", name=CANARY, kana="かくう", staff="test", now=us.now())
    tip = told(browser)
    page = browser.get(f"/tips/{tip}")
    assert page.html.select_one("input[name=whom][value=p-known]")
    browser.send(page, {"whom": "p-known"}, form="#case")
    case = tip_of(office, tip).case
    assert case is not None
    with us.casebook.transaction() as connection:
        person = people.person_of(connection, case, staff="test", now=us.now())
    assert person is not None
    assert person.id == "p-known"


def test_a_tip_about_nobody_here_is_no_case_of_theirs(browser: Browser, office: Office) -> None:
    tip = told(browser)
    browser.get(f"/tips/{tip}")
    assert browser.post(f"/tips/{tip}/case", {"whom": "p-none"}).status == 404
    assert tip_of(office, tip).state == "open"


@pytest.mark.parametrize("erase", ["", "yes"])
def test_a_tip_ends_with_its_reason_and_can_be_erased(browser: Browser, office: Office, erase: str) -> None:
    tip = told(browser)
    page = browser.send(browser.get(f"/tips/{tip}"), {"reason": ""}, form="#end")
    assert (page.status, page.faults) == (422, ["reason"])
    browser.send(page, {"reason": "no_need", **({"erase": erase} if erase else {})}, form="#end")
    kept = tip_of(office, tip)
    assert (kept.state, kept.reason, kept.document == {}) == ("ended", "no_need", bool(erase))
    page = browser.get("/tips?state=ended")
    assert (CANARY in page.words) is not bool(erase)
    assert browser.post(f"/tips/{tip}/end", {"reason": "no_need"}).status == 409


def test_a_tip_that_is_not_here_is_not_found(browser: Browser) -> None:
    browser.get("/tips")
    assert browser.get("/tips/none").status == 404
    assert browser.post("/tips/none/outreach", {"channel": "visit", "result": "met", "text": "x"}).status == 404
    assert browser.post("/tips/none/end", {"reason": "no_need"}).status == 404


def test_looking_at_a_tip_is_in_the_access_log(browser: Browser, office: Office) -> None:
    tip = told(browser)
    browser.get(f"/tips/{tip}")
    assert {"tip:kept", "tip:viewed"} <= set(Paper(office).log())


def test_an_administrator_alone_sees_no_tip(office: Office) -> None:
    browser = office.browser(office.hire(roles=frozenset({Role.ADMINISTRATOR})))
    assert browser.get("/tips").status == 403


# ── the public page ──

TOLD: Final = {
    "signs": f"{CANARY}さんが心配", "name": CANARY, "source": "neighbour", "understood": "yes",
}  # fmt: skip


def opened(office: Office) -> Browser:
    """Open the public page; give a browser of somebody who has no account."""
    chief = office.browser(office.hire(roles=frozenset({Role.SUPERVISOR})))
    chief.send(chief.get("/tips"), {"open": "yes"}, form="section[aria-labelledby=h-form] form")
    return office.browser()


def test_the_public_page_is_closed_until_a_supervisor_opens_it(office: Office) -> None:
    assert office.browser().get("/tell").status == 404
    worker = office.browser(office.hire(roles=frozenset({Role.CASEWORKER})))
    worker.get("/tips")
    assert worker.post("/tips/form", {"open": "yes"}).status == 403
    anybody = opened(office)
    page = anybody.get("/tell")
    assert "本人の同意なしに、ほかの機関へは渡しません" in page.words
    assert "110番" in page.words


def test_anybody_can_tell_and_is_thanked_without_learning_anything(office: Office, network: Network) -> None:
    anybody = opened(office)
    page = anybody.get("/tell")
    network.clock.on(seconds=20)
    thanks = anybody.send(page, TOLD, form="main form")
    assert "ありがとうございます" in thanks.words
    assert CANARY not in thanks.words
    with office.connector.casebook.transaction() as connection:
        (kept,) = finding.tips(connection, finding.OPEN, limit=9)
    assert (kept.came_by, kept.staff, kept.said("name")) == ("form", None, CANARY)


def test_a_machine_gets_thanks_and_leaves_nothing_and_haste_is_sent_back(office: Office, network: Network) -> None:
    anybody = opened(office)
    page = anybody.get("/tell")
    hasty = anybody.send(page, TOLD, form="main form")
    assert (hasty.status, hasty.faults) == (422, ["signs"])
    network.clock.on(seconds=20)
    assert anybody.send(page, TOLD | {"website": "http://x"}, form="main form").status == 200
    nothing = anybody.send(
        page, {name: value for name, value in TOLD.items() if name != "understood"}, form="main form"
    )
    assert (nothing.status, nothing.faults) == (422, ["understood"])
    with office.connector.casebook.transaction() as connection:
        assert finding.count_open(connection) == 0


def test_without_the_forms_own_guard_nothing_is_taken(office: Office) -> None:
    assert opened(office).post("/tell", TOLD, guard=False).status == 403


def test_one_address_tells_ten_times_in_ten_minutes_at_most(office: Office, network: Network) -> None:
    anybody = opened(office)
    answers = []
    for _ in range(11):
        page = anybody.get("/tell")
        network.clock.on(seconds=5)
        answers.append(anybody.send(page, TOLD, form="main form").status)
    assert answers == [200] * 10 + [429]
    with office.connector.casebook.transaction() as connection:
        assert finding.count_open(connection) == 10


def test_the_person_s_own_record_has_the_tip_and_not_who_told_it(browser: Browser, office: Office) -> None:
    tip = told(browser, teller="仮名 近所の目", teller_phone="000-0000-9999")
    browser.send(
        browser.get(f"/tips/{tip}"), {"channel": "visit", "result": "met", "text": "架空の訪問"}, form="#outreach"
    )
    browser.send(browser.get(f"/tips/{tip}"), form="#case")
    case = tip_of(office, tip).case
    assert case is not None
    with office.connector.casebook.transaction() as connection:
        gathered = repr(dossier.gather(connection, case))
    assert SAID["signs"] in gathered
    assert "架空の訪問" in gathered
    assert "近所の目" not in gathered
    assert "9999" not in gathered
