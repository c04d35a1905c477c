# SPDX-License-Identifier: Apache-2.0
"""After an import: it is taken back, put away, reported and logged; who may do what, step by step."""

from __future__ import annotations

import csv
import io
import json

import pytest

from connectors.casebook import access
from connectors.desk.web.visits import Role
from tests.connectors import story
from tests.connectors.desk.office import Browser, Office
from tests.connectors.desk.tables import (
    ALIKE,
    OTHER,
    ROW,
    as_csv,
    checked,
    confirm,
    counts,
    go_on,
    held,
    known,
    path_of,
    taken_in,
    upload,
)

WORKER = frozenset({Role.CASEWORKER})


def test_an_import_is_taken_back_whole_while_nobody_has_worked_with_it(office: Office, browser: Browser) -> None:
    case = known(office, address="前からの住所", phone_home="000-1111")
    before = held(office, "SELECT document, born_on, phone_key FROM person_records")
    page = browser.get(f"{path_of(checked(browser, ROW, ALIKE))}?show=alike")
    done = confirm(browser, page, **{"row-3": "same"})
    browser.get("/cases?scope=agency")
    browser.get("/search?q=架空")
    undone = go_on(browser, browser.send(done, form=f"form[action='{path_of(done)}/undo']"))
    assert "取り消した 2" in undone.words
    assert counts(office)[:3] == [1, 1, 1]
    assert held(office, "SELECT document, born_on, phone_key FROM person_records") == before
    assert held(office, "SELECT count(*) FROM answers, journal, quiet_cases") == [(0,)]
    assert "書き足し" not in browser.get(f"/cases/{case}/course").words
    again = taken_in(browser, as_csv(ROW))
    assert "入れた 1" in again.words


@pytest.mark.parametrize("deed", ["journal", "consent", "charge"])
def test_an_import_is_not_taken_back_once_somebody_has_worked_with_a_case(
    office: Office, partner: Office, deed: str
) -> None:
    browser = office.browser(office.hire())
    done = taken_in(browser, as_csv(ROW, OTHER))
    ((case,),) = held(
        office, "SELECT c.handle FROM cases c JOIN persons p ON p.id = c.person WHERE p.kana LIKE '%たろう'"
    )
    undo = f"{path_of(done)}/undo"
    browser.get(f"/cases/{case}")
    match deed:
        case "journal":
            browser.post(f"/cases/{case}/journal", {"kind": "note", "text": "電話した"})
        case "charge":
            browser.post(f"/cases/{case}/charge", {"caution": "昼のみ"})
        case _:
            story.consent(office.connector, case, partner.connector.agency)
    page = browser.get(path_of(done))
    assert "取り消せません" in page.words
    assert not page.html.select(f"form[action='{undo}']")
    assert browser.post(undo).status == 409
    assert counts(office)[0] == 2


def test_an_import_that_added_nobody_is_thrown_away(office: Office, browser: Browser) -> None:
    page = checked(browser, ROW)
    browser.send(page, form=f"form[action='{path_of(page)}/drop']")
    assert counts(office, ["persons", "imports", "import_rows"]) == [0, 0, 0]
    assert browser.get(path_of(page)).status == 404


def test_nothing_of_the_file_is_kept_twice_and_the_rest_is_deleted_on_request(office: Office, browser: Browser) -> None:
    done = taken_in(browser, as_csv(ROW, ("", "", "", "いつか", "", "", "", "CANARYのこり")))
    kept = [json.loads(row[0]) for row in held(office, "SELECT cells FROM import_rows ORDER BY n")]
    assert (kept[0], kept[1][7]) == ([], "CANARYのこり")
    browser.send(done, form=f"form[action='{path_of(done)}/drop']")
    assert "CANARY" not in str(held(office, "SELECT * FROM import_rows"))
    assert "取り込み済みの行 1" in checked(browser, ROW).words


def test_the_report_has_a_line_per_row_with_the_reason_and_the_cells(browser: Browser) -> None:
    done = taken_in(browser, as_csv(ROW, ("", "=架空", "", "いつか", "", "", "", "")))
    answer = browser.client.get(f"{path_of(done)}/report.csv")
    assert answer.data.startswith(b"\xef\xbb\xbf")
    rows = list(csv.reader(io.StringIO(answer.data.decode("utf-8-sig"), newline="")))
    assert rows[1][:5] == ["2", "入れる", "入れた", "", "H31-0042"]
    assert rows[2][:3] == ["3", "直すところがある", "入れなかった"]
    assert "「生年月日」" in rows[2][3]
    assert "'=架空" in rows[2]


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
@pytest.mark.parametrize("language", ["ja", "en"])
def test_the_template_can_be_taken_in_as_it_is(office: Office, kind: str, language: str) -> None:
    browser = office.browser(office.hire(), language=language)
    data = browser.client.get(f"/exchange/template.{kind}", headers={"Accept-Language": language}).data
    page = go_on(browser, upload(browser, data, "xlsx" if kind == "xlsx" else "csv-utf-8"))
    assert ("1行を入れる" if language == "ja" else "Add 1 rows") in page.words


def test_an_import_is_its_maker_s_and_a_supervisor_s_alone(office: Office) -> None:
    mine = office.browser(office.hire("仮名 恵", roles=WORKER))
    path = path_of(checked(mine, ROW))
    other = office.browser(office.hire("仮名 渉", roles=WORKER))
    assert other.get(path).status == 404
    assert other.get(f"{path}/report.csv").status == 404
    assert other.post(f"{path}/drop").status == 404
    assert other.post(f"{path}/choices", {"do": "confirm"}).status == 404
    assert office.browser(office.hire("架空 主任", roles=frozenset({Role.SUPERVISOR}))).get(path).status == 200
    administrator = office.browser(office.hire("架空 管理", roles=frozenset({Role.ADMINISTRATOR})))
    assert administrator.get("/exchange/imports/new").status == 403
    assert administrator.get("/exchange/template.gz").status == 403
    assert mine.get("/exchange/template.gz").status == 404


def test_a_step_that_is_over_is_refused(office: Office, browser: Browser) -> None:
    page = checked(browser, ROW)
    path = path_of(page)
    assert browser.post(f"{path}/columns", {"column-1": "name"}).status == 409
    assert browser.post(f"{path}/undo").status == 409
    confirm(browser, page)
    assert browser.post(f"{path}/choices", {"do": "confirm"}).status == 409
    assert counts(office)[0] == 1


def test_every_step_is_in_the_access_log_without_a_word_of_the_file(office: Office) -> None:
    member = office.hire()
    browser = office.browser(member)
    taken_in(browser, as_csv(ROW))
    with office.connector.casebook.transaction() as connection:
        ((case,),) = connection.exec_driver_sql("SELECT handle FROM cases").all()
        about_case = [one.action for one in access.history(connection, case)]
    actions = [row[0] for row in held(office, "SELECT action FROM access_log ORDER BY position")]
    for action in ("import:begun", "import:ready", "import:adding", "person:registered", "import:done"):
        assert action in actions
    assert "case:opened" in about_case
    assert "架空" not in str(held(office, "SELECT * FROM access_log"))


@pytest.mark.parametrize("language", ["ja", "en"])
def test_the_page_says_what_to_do_when_there_is_nothing_yet(office: Office, language: str) -> None:
    page = office.browser(office.hire(), language=language).get("/exchange")
    assert ("まだありません" if language == "ja" else "Nothing was imported yet") in page.words
    assert page.html.select("a[href='/exchange/imports/new']")
