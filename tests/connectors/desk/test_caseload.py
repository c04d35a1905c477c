# SPDX-License-Identifier: Apache-2.0
"""Finding people, the list of cases, one case: who is in charge, the caution, the journal, and who may look."""

from __future__ import annotations

from datetime import date

import pytest

from connectors.casebook import access, files, people
from connectors.desk.web.visits import Role
from tests.connectors.desk.office import Office
from tests.connectors.story import NAME, open_case

WORKER = frozenset({Role.CASEWORKER})


def filed(office: Office, *, name: str = NAME, worker: str | None = None, team: str = "") -> str:
    """Open a case with its number and somebody in charge."""
    case = open_case(office.connector, name=name)
    with office.connector.casebook.transaction() as connection:
        pen = office.connector.pen("test")
        person = people.person_of(connection, case, staff="test", now=pen.now)
        assert person is not None
        files.keep_record(
            connection, pen, person=person.id, born_on=date(1979, 6, 3), fields={}, phones=["000-0000-1234"]
        )
        files.open_file(connection, pen, case=case, on=pen.now.date(), worker=worker, team=team)
    return case


@pytest.mark.parametrize("typed", ["高崎", "ﾀｶｻｷ", "0000-1234", "令8-0001"])
def test_somebody_is_found_and_one_click_away_from_their_case(office: Office, typed: str) -> None:
    case = filed(office)
    browser = office.browser(office.hire())
    page = browser.get(f"/search?q={typed}")
    assert NAME in page.words
    assert page.html.select_one("table .row-link")["href"] == f"/cases/{case}"  # type: ignore[index]


def test_a_search_is_logged_without_its_words(office: Office) -> None:
    filed(office)
    member = office.hire()
    office.browser(member).get("/search?q=高崎")
    with office.connector.casebook.transaction() as connection:
        rows = connection.exec_driver_sql("SELECT staff, action, about FROM access_log").all()
    assert (member, "person:searched", "") in [tuple(row) for row in rows]
    assert not [row for row in rows if "高崎" in str(row)]


@pytest.mark.parametrize(("language", "said"), [("ja", "見つかりませんでした"), ("en", "Nobody was found")])
def test_a_search_that_finds_nobody_says_what_to_try(office: Office, language: str, said: str) -> None:
    assert said in office.browser(office.hire(), language=language).get("/search?q=架空の誰か").words


def test_the_list_shows_one_s_own_cases_first_and_goes_on_by_its_last_number(office: Office) -> None:
    mine, other = office.hire("仮名 恵"), office.hire("仮名 渉")
    for number in range(52):
        filed(office, name=f"架空 {number:02d}", worker=mine)
    filed(office, name="架空 別", worker=other)
    browser = office.browser(mine)
    first = browser.get("/cases")
    assert len(first.html.select("tbody tr")) == 50
    assert "架空 別" not in first.words
    further = str(first.html.select_one("[rel=next]")["href"])  # type: ignore[index]
    assert len(browser.get(further).html.select("tbody tr")) == 2
    assert "架空 別" in browser.get("/cases?scope=agency").words


def test_a_list_read_on_from_a_number_that_is_not_there_is_empty(office: Office) -> None:
    filed(office)
    assert (
        "ここに当てはまるケースはありません"
        in office.browser(office.hire()).get("/cases?scope=agency&after=').or(").words
    )


def test_somebody_is_put_in_charge_and_the_caution_stands_on_the_page(office: Office) -> None:
    case = filed(office)
    member = office.hire("仮名 渉")
    browser = office.browser(office.hire())
    page = browser.send(
        browser.get(f"/cases/{case}/course"), {"worker": member, "caution": "電話は昼のみ"}, form="aside form"
    )
    assert "電話は昼のみ" in page.html.select_one(".person__note").get_text()  # type: ignore[union-attr]
    with office.connector.casebook.transaction() as connection:
        file = files.file_of(connection, case)
    assert file is not None
    assert (file.worker, file.caution) == (member, "電話は昼のみ")


def test_whoever_does_not_work_here_is_not_put_in_charge(office: Office) -> None:
    case = filed(office)
    browser = office.browser(office.hire())
    page = browser.send(browser.get(f"/cases/{case}/course"), {"worker": "st-nobody"}, form="aside form")
    assert (page.status, page.faults) == (422, ["worker"])


def test_what_is_written_down_is_shown_as_it_was_written_once(office: Office) -> None:
    case = filed(office)
    browser = office.browser(office.hire())
    page = browser.get(f"/cases/{case}/course")
    said = {"kind": "call", "channel": "telephone", "text": "髙﨑さんと話した。\n<b>太字ではない</b>"}
    browser.send(page, said, form="#journal form")
    twice = browser.send(page, said, form="#journal form")
    assert [one.get_text() for one in twice.html.select("#journal .pre")] == [said["text"]]


def test_nothing_is_written_down_without_a_word(office: Office) -> None:
    case = filed(office)
    browser = office.browser(office.hire())
    page = browser.send(browser.get(f"/cases/{case}/course"), {"text": "  "}, form="#journal form")
    assert (page.status, page.faults) == (422, ["text"])


def test_a_case_of_another_worker_asks_why_and_the_log_keeps_the_reason(office: Office) -> None:
    case = filed(office, worker=office.hire("仮名 渉"))
    member = office.hire("仮名 恵", roles=WORKER)
    browser = office.browser(member)
    asked = browser.get(f"/cases/{case}")
    assert asked.status == 403
    assert NAME not in asked.words
    shown = browser.send(asked, {"reason": "cover"})
    assert NAME in shown.words
    with office.connector.casebook.transaction() as connection:
        actions = [(one.staff, one.action) for one in access.history(connection, case)]
    assert (member, "reason:cover") in actions


def test_a_supervisor_opens_every_case(office: Office) -> None:
    case = filed(office, worker=office.hire("仮名 渉"))
    browser = office.browser(office.hire("架空 主任", roles=frozenset({Role.SUPERVISOR})))
    assert browser.get(f"/cases/{case}").status == 200


def test_a_case_that_is_not_here_is_not_found(office: Office) -> None:
    browser = office.browser(office.hire())
    assert browser.get("/cases/0192f000-0000-7000-8000-000000000001").status == 404
    assert (
        browser.post("/cases/0192f000-0000-7000-8000-000000000001/journal", {"kind": "note", "text": "x"}).status == 404
    )
