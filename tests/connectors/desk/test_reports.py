# SPDX-License-Identifier: Apache-2.0
"""The month at a desk: counted from the casebook and the mirror, shown, printed, given as files, without a name."""

from __future__ import annotations

import csv
import io

from openpyxl import load_workbook

from connectors.casebook import sheets, tables
from tests.connectors.desk.office import Browser, Office, Page
from tests.connectors.desk.referring import CANARY, Referred, referred
from tests.connectors.desk.stepping import through
from tests.connectors.sheets.filled import TRIAGE
from tests.connectors.story import NAME

__all__ = ["referred"]

MONTH = "2026-04"


def number(page: Page, table: str, row: str, column: int = 0) -> str:
    """Read a figure as a person finds it: the table by its heading, the row by its label."""
    part = page.html.select_one(f"section[aria-labelledby='h-{table}']")
    assert part is not None, table
    for one in part.select("tbody tr"):
        if one.th is not None and one.th.get_text(strip=True) == row:
            return one.select("td.num")[column].get_text(strip=True)
    raise AssertionError(row)


def settle_triage(office: Office, case: str, result: str) -> None:
    with office.connector.casebook.transaction() as connection:
        pen = office.connector.pen("s-1")
        made = sheets.begin(connection, pen, case=case, code="triage")
        sheets.keep_draft(connection, pen, made.id, TRIAGE | {"screening": result})
        sheets.settle(connection, pen, made.id)


def test_an_empty_month_says_so_and_has_every_table(browser: Browser) -> None:
    page = browser.get("/reports")
    assert page.status == 200
    assert "この月はまだ終わっていません。" in page.words
    assert page.words.count("この月の記録はありません。") == len(page.html.select("section.report")) > 10


def test_what_happened_in_the_month_is_counted(referred: Referred) -> None:
    settle_triage(referred.office, referred.case, "info_only")
    referred.open()
    referred.later(days=2)
    referred.decline(reason="no_capacity")
    page = referred.ours.get(f"/reports?month={MONTH}")
    assert number(page, "national", "新規相談受付件数") == "1"
    assert number(page, "national", "他制度・他機関へのつなぎ") == "1"
    assert number(page, "screening", "情報提供・相談対応のみで終了") == "1"
    assert [number(page, "destinations", "社会福祉協議会", n) for n in (0, 1, 2, 5)] == ["1", "0", "1", "2"]
    assert number(page, "declines", "定員・体制") == "1"
    assert number(page, "people", "年齢不明", 3) == "1"
    before = referred.ours.get("/reports?month=2026-03")
    assert "この月の記録はありません。" in before.words
    assert page.html.select_one("a[rel=next]") is None


def test_the_report_names_nobody(referred: Referred) -> None:
    referred.open()
    for path in (f"/reports?month={MONTH}", f"/reports/{MONTH}.csv"):
        given = referred.ours.get(path).answer.get_data(as_text=True)
        assert NAME not in given
        assert CANARY not in given
        assert referred.case not in given


def test_the_month_is_given_as_files_and_the_access_log_says_who_took_it(referred: Referred) -> None:
    given = referred.ours.get(f"/reports/{MONTH}.csv")
    assert "tsunagi-2026-04.csv" in given.answer.headers["Content-Disposition"]
    rows = list(csv.reader(io.StringIO(given.answer.get_data().decode("utf-8-sig"))))
    assert rows[0] == ["月", "表", "コード", "項目", "列", "数"]
    assert ["2026-04", "つなぎ先", "shakyo", "社会福祉協議会", "送った", "1"] in rows
    book = load_workbook(io.BytesIO(referred.ours.get(f"/reports/{MONTH}.xlsx").answer.get_data())).active
    assert book is not None
    assert book.max_row == len(rows)
    with referred.office.connector.casebook.transaction() as connection:
        log = [(row.action, row.about) for row in connection.execute(tables.access_log.select())]
    assert [one for one in log if one[0] == "report:exported"] == [
        ("report:exported", "2026-04:csv"),
        ("report:exported", "2026-04:xlsx"),
    ]


def test_small_numbers_are_hidden_in_what_leaves_the_agency(referred: Referred) -> None:
    page = referred.ours.get(f"/reports?month={MONTH}&shared=1")
    assert "5未満の数を伏せています。" in page.words
    assert number(page, "destinations", "社会福祉協議会") == "*"
    rows = referred.ours.get(f"/reports/{MONTH}.csv?shared=1").answer.get_data().decode("utf-8-sig").splitlines()
    figures = {row.rsplit(",", 1)[1] for row in rows[1:]}
    assert figures <= {"*", "0", ""}


def test_what_is_no_month_is_said_and_this_one_is_shown(browser: Browser) -> None:
    for asked in ("2026-13", "<script>", "2099-01"):
        page = browser.get(f"/reports?month={asked}")
        assert page.status == 422
        assert "今月を表示しています。" in page.words
        assert asked not in page.words
    for path in ("/reports/2026-13.csv", "/reports/2099-01.csv", f"/reports/{MONTH}.exe"):
        assert browser.get(path).status == 404


def test_the_report_is_read_in_english_too(office: Office) -> None:
    page = office.browser(office.hire(), language="en").get("/reports")
    assert "Main figures of the national survey" in page.words


def test_a_municipalitys_decision_counts_in_the_month_in_which_it_came(referred: Referred) -> None:
    office, case = referred.office, referred.case
    through(referred.ours, office, case, "2", "3", "5", "6", "7")
    said = {
        "on": office.connector.now().date().isoformat(),
        "number": "架空第一号",
        "officer": "仮名 所管",
        "seen": "yes",
    }
    assert referred.ours.send(referred.ours.get(f"/cases/{case}/decision"), said, form="main form").status == 200
    referred.round()
    assert number(referred.ours.get(f"/reports?month={MONTH}"), "national", "支援決定・確認件数") == "1"
