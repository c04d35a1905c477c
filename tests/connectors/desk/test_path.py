# SPDX-License-Identifier: Apache-2.0
"""The page of a case: its path, the moves that the hub offers, what is refused or waits, strengths, problems."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import pytest

from connectors.casebook import access, deeds, journal, people
from connectors.desk.web.visits import Role
from tests.connectors.desk.office import Browser, Office, Page
from tests.connectors.desk.paper import Paper
from tests.connectors.desk.stepping import course, go, send, stands, through
from tests.connectors.desk.wizard import agreed
from tests.connectors.story import NAME, STAFF, Network, open_case


@pytest.fixture
def case(office: Office) -> str:
    """A case that the hub knows and nothing has happened to."""
    made = open_case(office.connector)
    office.connector.sync()
    return made


def standing(page: Page) -> Mapping[str, str]:
    """Give how each step of the path stands, by its class."""
    found = page.html.select("li.st")
    return {
        one.select_one("i").get_text(): next(str(c)[4:] for c in one["class"] if str(c).startswith("st--"))  # type: ignore[union-attr]
        for one in found
    }


def test_a_new_case_stands_at_the_first_step_and_thirteen_are_shown(browser: Browser, case: str) -> None:
    page = browser.get(f"/cases/{case}")
    assert NAME in page.html.select_one(".person").get_text()  # type: ignore[union-attr]
    assert len(standing(page)) == 13
    assert standing(page)["1"] == "now"
    assert [one.get_text() for one in page.html.select("[aria-current=step] h3")] == ["把握・アウトリーチ"]


def test_the_usual_next_steps_are_what_the_hub_offers(browser: Browser, office: Office, case: str) -> None:
    page = browser.get(f"/cases/{case}")
    offered = page.html.select(f"form[action='/cases/{case}/moves'][aria-label] button[name=step]")
    assert [one["value"] for one in offered] == ["2"], "③ has a page of its own"
    assert page.html.select_one(f"a[href='/cases/{case}/application']")
    page = browser.send(page, {"step": "2"}, form=f"form[action='/cases/{case}/moves'][aria-label]")
    assert "段階を移しました" in page.html.select_one(".flash").get_text()  # type: ignore[union-attr]
    assert stands(office, case) == ("2", "consulting")
    assert (standing(page)["1"], standing(page)["2"], standing(page)["4"]) == ("done", "now", "ahead")


def test_a_move_beside_the_order_needs_a_reason_which_stays_on_the_path(
    browser: Browser, office: Office, case: str
) -> None:
    page = go(browser, office, case, step="6")
    assert (page.status, page.faults) == (422, ["reason"])
    assert stands(office, case) == ("1", "found")
    page = go(browser, office, case, step="6", reason="persons_wish", words="架空の事情")
    assert stands(office, case) == ("6", "planning")
    assert "臨機応変" in page.words
    assert "本人の希望" in page.html.select_one("[aria-current=step]").get_text()  # type: ignore[union-attr]
    assert standing(page)["5"] == "skipped"
    with office.connector.casebook.transaction() as connection:
        assert [one.text for one in journal.of_case(connection, case)] == ["架空の事情"]


def test_the_words_of_a_move_do_not_go_to_the_hub(browser: Browser, office: Office, case: str) -> None:
    go(browser, office, case, step="6", reason="persons_wish", words="架空の事情の言葉")
    sent = [said for what, _, said in Paper(office).queued() if what == "case_move"]
    assert sent == [{"said": {"step": "6", "reason": "persons_wish"}, "version": 1}]


NO_MOVES: Final[tuple[tuple[dict[str, str], list[str]], ...]] = (
    ({"step": "14"}, ["step"]),
    ({"step": ""}, ["step"]),
    ({"step": "2", "state": "deciding"}, ["state"]),
    ({"step": "6", "reason": "because"}, ["reason"]),
    ({"step": "2", "version": "none"}, ["version"]),
    ({"step": "3", "state": "applied"}, ["step"]),
)


def test_what_is_no_move_is_blamed_and_changes_nothing(browser: Browser, office: Office, case: str) -> None:
    for said, faults in NO_MOVES:
        page = go(browser, office, case, **said)
        assert (page.status, page.faults) == (422, faults), said
    assert stands(office, case) == ("1", "found")
    assert not [one for one in Paper(office).queued() if one[0] == "case_move"]


def test_a_state_that_the_step_does_not_have_is_refused_by_the_hub_and_shown_with_what_to_do(
    browser: Browser, office: Office, case: str
) -> None:
    page = go(browser, office, case, step="2", state="planning")
    assert "その段階にない状態です" in page.html.select_one(".flash--bad").get_text()  # type: ignore[union-attr]
    assert stands(office, case) == ("1", "found")
    shown = page.html.select_one("section[aria-labelledby=h-refused]")
    assert shown is not None
    assert "state-not-of-step" in shown.get_text()
    gone = browser.send(page, form="section[aria-labelledby=h-refused] form")
    assert not gone.html.select("section[aria-labelledby=h-refused]")


def test_with_the_line_down_a_move_waits_is_shown_so_and_no_other_is_offered(
    browser: Browser, office: Office, case: str, network: Network
) -> None:
    network.hub.away = True
    page = go(browser, office, case, step="2")
    assert "送信待ち" in page.words
    assert not page.html.select("button[name=step]")
    again = go(browser, office, case, step="6", reason="emergency")
    assert "前の移動がハブに届くのを待っています" in again.words
    network.hub.away = False
    office.connector.sync()
    assert stands(office, case) == ("2", "consulting")
    assert "送信待ち" not in browser.get(f"/cases/{case}").words


def test_a_second_click_is_one_move(browser: Browser, office: Office, case: str) -> None:
    for _ in range(2):
        send(browser, case, "moves", version="1", step="2")
    assert [what for what, _, _ in Paper(office).queued() if what == "case_move"] == ["case_move"]
    assert course(office, case).refused == ()


def test_a_move_that_came_too_late_says_that_somebody_was_faster(browser: Browser, office: Office, case: str) -> None:
    go(browser, office, case, step="2")
    page = send(browser, case, "moves", version="1", step="3", state="seeking_consent")
    assert "ほかの人が先に動かしました" in page.words
    assert stands(office, case) == ("2", "consulting")


def test_suspension_is_no_closure_and_the_case_is_taken_up_where_it_stood(
    browser: Browser, office: Office, case: str
) -> None:
    through(browser, office, case, "2")
    go(browser, office, case, step="2", state="screened")
    page = send(browser, case, "pause", version="3", what="suspend", why="")
    assert (page.status, page.faults) == (422, ["why"])
    page = send(browser, case, "pause", version="3", what="suspend", why="架空の入院")
    assert stands(office, case) == ("2", "suspended")
    assert "終結ではありません" in page.words
    with office.connector.casebook.transaction() as connection:
        assert connection.exec_driver_sql("SELECT closed_at FROM cases").scalar_one() is None
    page = browser.send(page, {"what": "resume"}, form=f"form[action='/cases/{case}/pause']")
    assert stands(office, case) == ("2", "screened")


def test_a_second_plan_empties_the_loop_and_the_first_can_still_be_seen(
    browser: Browser, office: Office, case: str
) -> None:
    through(browser, office, case, "2", "3", "5", "6", "7", "9", "10", "11", "12", "5")
    page = browser.get(f"/cases/{case}")
    assert "プラン第2期" in page.words
    assert (standing(page)["5"], standing(page)["6"]) == ("now", "ahead")
    first = browser.get(f"/cases/{case}?term=1")
    assert "プラン第1期" in first.html.select_one("h1 + p").get_text()  # type: ignore[union-attr]
    assert standing(first)["11"] == "done"
    assert browser.get(f"/cases/{case}?term=9999").status == 200
    assert browser.get(f"/cases/{case}?term=x").status == 200


def test_a_quiet_case_begins_its_path_when_somebody_says_so(browser: Browser, office: Office) -> None:
    handle, us = "8c1f7b3a-5d2e-4f60-9a1b-0c2d3e4f5a6b", office.connector
    with us.casebook.transaction() as connection:
        made = people.register_person(connection, person="p-9", name="架空 静", kana="しず", staff=STAFF, now=us.now())
        people.open_case(
            connection, handle=handle, person=made.id, owner=us.agency, staff=STAFF, now=us.now(), quiet=True
        )
    page = browser.get(f"/cases/{handle}")
    assert "まだハブに知らせていません" in page.words
    assert not page.html.select("button[name=step]")
    page = browser.send(page, form=f"form[action='/cases/{handle}/begin']")
    assert "道すじが始まりました" in page.words
    assert course(office, handle).told


def test_the_balls_name_who_must_act(browser: Browser, office: Office, partner: Office, paper: Paper) -> None:
    case = paper.case()
    office.connector.sync()
    ours = paper.referral(case, partner.connector.agency)
    paper.referral(
        case, partner.connector.agency, state="accepted", ball=partner.connector.agency,
        awaiting=partner.connector.agency, purpose="kakei_kaizen",
    )  # fmt: skip
    cards = browser.get(f"/cases/{case}").html.select(".balls li")
    said = [" ".join(card.get_text(" ").split()) for card in cards]
    assert len(said) == 3
    assert [card["class"] for card in cards] == [["balls__m"], ["balls__m"], []]
    assert "社会資源" in said[2]
    assert cards[1].select_one(f"a[href='/referrals/{ours.id}']")


def test_what_partners_did_stands_beside_the_step_at_which_it_was_asked(
    browser: Browser, office: Office, partner: Office, paper: Paper, network: Network
) -> None:
    case = paper.case()
    office.connector.sync()
    network.clock.on(minutes=4)
    through(browser, office, case, "2")
    network.clock.on(minutes=4)
    paper.referral(case, partner.connector.agency, sent_at=network.clock.at)
    page = browser.get(f"/cases/{case}")
    (two,) = [one for one in page.html.select("li.st") if one.select_one("i").get_text() == "2"]  # type: ignore[union-attr]
    assert partner.connector.settings.name_ja in two.select_one(".st__x--r").get_text()  # type: ignore[union-attr]
    assert not two.select(".st__x--l p")


def test_strengths_stand_beside_problems_and_can_be_struck_out(browser: Browser, office: Office, case: str) -> None:
    page = browser.get(f"/cases/{case}")
    page = browser.send(page, {"strength": "約束の時間に必ず来る"}, form="section[aria-labelledby=h-strength] > form")
    page = browser.send(page, {"problem": "家賃が高い"}, form="section[aria-labelledby=h-problem] > form")
    assert [one.get_text() for one in page.html.select(".aspect b")] == ["約束の時間に必ず来る", "家賃が高い"]
    page = browser.send(page, form="section[aria-labelledby=h-strength] .aspect form")
    assert [one.get_text() for one in page.html.select(".aspect b")] == ["家賃が高い"]
    again = browser.post(f"/cases/{case}/sides", {"kind": "strength", "strength": " "})
    assert (again.status, again.faults) == (422, ["strength"])
    assert browser.post(f"/cases/{case}/sides/none/strike").status == 404
    assert not Paper(office).queued()[1:], "nothing of it is told to the hub"


def test_a_partners_case_is_shown_without_its_path_and_cannot_be_moved(office: Office, partner: Office) -> None:
    case = agreed(office, partner)
    partner.connector.sync()
    theirs = partner.browser(partner.hire())
    page = theirs.get(f"/cases/{case}")
    assert page.status == 200
    assert "ほかの機関が開いたケースです" in page.words
    assert not page.html.select("li.st")
    assert not page.html.select(".balls__m"), "the case is its owner's to move"
    moved = send(theirs, case, "moves", version="1", step="2", reason="correction")
    assert "動かせるのは開いた機関だけです" in moved.words
    assert not [one for one in Paper(partner).queued() if one[0] == "case_move"]


def test_a_case_of_another_worker_is_moved_only_by_who_said_why(office: Office) -> None:
    paper = Paper(office)
    case = paper.case(worker=office.hire("仮名 渉"))
    office.connector.sync()
    browser = office.browser(office.hire(roles=frozenset({Role.CASEWORKER})))
    assert send(browser, case, "moves", version="1", step="2").status == 403
    assert stands(office, case) == ("1", "found")


def test_looking_and_moving_are_in_the_access_log(browser: Browser, office: Office, case: str) -> None:
    go(browser, office, case, step="2")
    with office.connector.casebook.transaction() as connection:
        actions = [one.action for one in access.history(connection, case)]
        assert deeds.waiting_about(connection, case) == ()
    assert {"person:viewed"} <= set(actions)
    assert "case-move:queued" in Paper(office).log()


def test_the_page_reads_in_english_too(office: Office, case: str) -> None:
    page = office.browser(office.hire(), language="en").get(f"/cases/{case}")
    assert "Who holds which ball" in page.words
    assert "Finding, outreach" in page.words


def test_the_list_of_cases_says_where_each_stands(browser: Browser, office: Office, paper: Paper) -> None:
    case = paper.case()
    assert "包括的相談" not in browser.get("/cases?scope=agency").words, "the hub has said nothing of it yet"
    office.connector.sync()
    through(browser, office, case, "2")
    assert "2. 包括的相談／振り分け 相談中" in browser.get("/cases?scope=agency").words


def test_a_refused_move_on_the_board_leads_to_its_case(browser: Browser, office: Office, case: str) -> None:
    go(browser, office, case, step="2", state="planning")
    board = browser.get("/").html.select_one("#refused")
    assert board is not None
    assert "ケースの段階の移動" in board.get_text()
    assert board.select_one(f"a[href='/cases/{case}']")


def test_the_pages_of_a_case_lead_to_one_another(browser: Browser, case: str) -> None:
    page = browser.get(f"/cases/{case}")
    links = [str(one["href"]) for one in page.html.select("nav.tabs a")]
    rest = ("", "/course", "/referrals", "/consents", "/sheets", "/meetings")
    assert links == [f"/cases/{case}{one}" for one in rest]
    for link in links:
        assert browser.get(link).html.select_one("nav.tabs a[aria-current=page]")["href"] == link  # type: ignore[index]
