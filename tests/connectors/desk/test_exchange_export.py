# SPDX-License-Identifier: Apache-2.0
"""Lists go out as files: who may have which and why, codes beside labels, and not one sign lost unsaid."""

from __future__ import annotations

import csv
import io
import zipfile
from datetime import date
from typing import Any

import pytest
from openpyxl import load_workbook

from connectors.casebook import access, deeds
from connectors.desk.web.visits import Role
from tests.connectors.desk.office import Browser, Office, Page
from tests.connectors.desk.tables import HEADER, OTHER, ROW, as_csv, everybody, go_on, held, known, taken_in, upload
from tests.connectors.desk.walking import known_tie
from tests.connectors.story import NAME, Network

WORKER = frozenset({Role.CASEWORKER})
SUPERVISOR = frozenset({Role.SUPERVISOR})
ADMINISTRATOR = frozenset({Role.ADMINISTRATOR})
ASKED = {"what": "people", "width": "office", "state": "", "kind": "csv-utf-8", "reason": "report"}


def export(browser: Browser, **said: str) -> Page:
    browser.get("/exchange")  # where the form stands
    return browser.post("/exchange/export", ASKED | said)


def rows_of(page: Page) -> list[dict[str, str]]:
    assert page.status == 200, page.words
    data = page.answer.data
    assert data.startswith(b"\xef\xbb\xbf")
    return list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline="")))


def test_people_go_out_with_days_in_both_calendars_and_come_in_elsewhere_byte_for_byte(
    office: Office, partner: Office
) -> None:
    browser = office.browser(office.hire())
    awkward = (
        "H31-0044",
        "葛\U000e0100 \ufa19子",
        "=かくう",
        "平成元年1月8日",
        "",
        "①㍿㈱Ⅲ～－",
        "+81 00-0000-0000",
        "",
    )
    taken_in(browser, as_csv(ROW, awkward))
    known(office, address="見本町")
    found = rows_of(export(browser))
    assert [row["ケース番号"] for row in found] == ["H31-0042", "H31-0044", "令8-0001"]
    one = found[1]
    assert (one["氏名"], one["ふりがな"], one["電話（携帯）"]) == (awkward[1], "'=かくう", "'+81 00-0000-0000")
    assert (one["生年月日"], one["生年月日（和暦）"]) == ("1989-01-08", "平成元年（1989年）1月8日")
    assert (one["同意の状態"], one["同意の状態（コード）"]) == ("なし", "none")
    there = partner.browser(partner.hire())
    page = go_on(there, upload(there, export(browser).answer.data))
    assert "直すところがある" not in page.words, page.words
    taken_in(there, export(browser).answer.data)
    assert set(everybody(partner)) == set(everybody(office))
    assert {row[0] for row in everybody(partner)} == {ROW[1], awkward[1], NAME}


def test_a_workbook_of_an_export_has_text_in_every_cell_and_comes_in_again(office: Office, partner: Office) -> None:
    browser = office.browser(office.hire())
    taken_in(browser, as_csv(("H1", "=1+1", "かくう", "", "0120001", "@見本町", "", "")))
    data = export(browser, kind="xlsx").answer.data
    sheet = load_workbook(io.BytesIO(data)).active
    assert sheet is not None
    assert {cell.data_type for row in sheet.iter_rows() for cell in row if cell.value} == {"s"}
    there = partner.browser(partner.hire())
    taken_in(there, data, "xlsx")
    assert everybody(partner) == [("=1+1", "かくう")]


def test_what_cp932_lacks_is_shown_before_anything_goes_out(office: Office, browser: Browser) -> None:
    known(office)
    page = export(browser, kind="csv-cp932")
    assert page.answer.mimetype == "text/html"
    assert NAME in page.words
    for number in ("U+20BB7", "U+E0100"):
        assert number in page.words
    assert not held(office, "SELECT 1 FROM access_log WHERE action LIKE 'export:%'")
    whole = browser.send(page, {"kind": "csv-utf-8"}, form="main form")
    assert rows_of(whole)[0]["氏名"] == NAME
    packed = browser.send(page, {"kind": "csv-cp932"}, form="main form").answer
    assert packed.mimetype == "application/zip"
    with zipfile.ZipFile(io.BytesIO(packed.data)) as archive:
        plain, lost = archive.read("people.csv"), archive.read("unwritable.csv").decode("utf-8-sig")
    assert b"?" not in plain
    assert "髙﨑 〓葛〓" in plain.decode("cp932")
    assert NAME in lost
    assert "U+20BB7" in lost


def test_what_cp932_has_goes_out_at_once(office: Office, browser: Browser) -> None:
    taken_in(browser, as_csv(ROW))
    assert ROW[1] in export(browser, kind="csv-cp932").answer.data.decode("cp932")


def test_referrals_consents_provisions_and_follow_ups_go_out(office: Office, partner: Office, network: Network) -> None:
    browser = office.browser(office.hire())
    found = known_tie(office, partner, network)
    partner.connector.sync()
    with office.connector.casebook.transaction() as connection:
        deeds.follow_up(connection, office.connector.pen("s-1"), referral=found.id, due=date(2026, 4, 20))
    office.connector.sync()
    (referral,) = rows_of(export(browser, what="referrals"))
    assert (referral["氏名"], referral["状態（コード）"]) == ("架空 花子", "requested")
    assert referral["送った日（和暦）"].startswith("令和8年")
    (consent,) = rows_of(export(browser, what="consents"))
    assert consent["有効期限（和暦）"].startswith("令和8年")
    assert "identity" in consent["項目（コード）"]
    (provision,) = rows_of(export(browser, what="provisions"))
    assert (provision["氏名"], provision["項目（コード）"]) == ("架空 花子", "identity")
    (asked,) = rows_of(export(browser, what="followups"))
    assert (asked["氏名"], asked["予定日"]) == ("架空 花子", "2026-04-20")


def test_a_caseworker_has_their_own_cases_and_nobody_else_s(office: Office) -> None:
    mine, other = office.hire("仮名 恵", roles=WORKER), office.hire("仮名 渉", roles=WORKER)
    taken_in(office.browser(mine), as_csv(ROW))
    taken_in(office.browser(other), as_csv(OTHER))
    browser = office.browser(mine)
    assert [row["氏名"] for row in rows_of(export(browser, width="mine"))] == [ROW[1]]
    for what in ("people", "referrals", "consents", "provisions", "followups"):
        refused = export(browser, what=what, width="office")
        assert (refused.status, refused.faults) == (422, ["width"])
    assert not browser.get("/exchange").html.select("input[name=width][value=office]")


@pytest.mark.parametrize("roles", [SUPERVISOR, ADMINISTRATOR, WORKER | ADMINISTRATOR])
def test_the_whole_office_goes_out_to_supervisors_and_administrators(office: Office, roles: frozenset[Role]) -> None:
    taken_in(office.browser(office.hire(roles=WORKER)), as_csv(ROW, OTHER))
    browser = office.browser(office.hire("架空 主任", roles=roles))
    assert len(rows_of(export(browser))) == 2
    only_office = browser.get("/exchange").html.select("input[name=width][value=mine]")
    assert bool(only_office) == (roles != ADMINISTRATOR)


def test_who_took_what_and_why_is_in_the_log_and_with_each_case(office: Office) -> None:
    member = office.hire()
    browser = office.browser(member)
    taken_in(browser, as_csv(ROW, OTHER))
    export(browser, reason="meeting")
    lines = held(office, "SELECT staff, action, about FROM access_log WHERE action LIKE 'export:%'")
    assert lines == [(member, "export:meeting", "people:office:2:csv-utf-8")]
    ((case,),) = held(office, "SELECT \"case\" FROM case_files WHERE number = 'H31-0042'")
    with office.connector.casebook.transaction() as connection:
        assert "case:exported" in [one.action for one in access.history(connection, case)]


@pytest.mark.parametrize(
    ("said", "fault"),
    [({"reason": ""}, "reason"), ({"reason": "curiosity"}, "reason"), ({"what": "staff"}, "what"),
     ({"kind": "pdf"}, "kind"), ({"width": "world"}, "width"), ({"state": "accepted"}, "state"),
     ({"what": "referrals", "role": "')--"}, "what")],
)  # fmt: skip
def test_an_export_that_is_not_asked_for_in_full_gives_nothing(
    office: Office, browser: Browser, said: dict[str, str], fault: str
) -> None:
    page = export(browser, **said)
    assert (page.status, page.faults) == (422, [fault])
    assert not held(office, "SELECT 1 FROM access_log WHERE action LIKE 'export:%'")


def test_every_list_leads_to_its_export_with_its_filter(office: Office, browser: Browser) -> None:
    for path, wanted in (
        ("/cases?scope=agency&state=closed", {"what": "people", "width": "office", "state": "ended"}),
        (
            "/referrals?state=accepted&due=late&role=sender",
            {"what": "referrals", "width": "office", "state": "accepted"},
        ),
        ("/followups?scope=mine", {"what": "followups", "width": "mine", "state": "open"}),
    ):
        (link,) = browser.get(path).html.select("main a[href^='/exchange?']")
        page = browser.get(str(link["href"]).partition("#")[0])
        chosen = {str(one["name"]): str(one["value"]) for one in page.html.select("#export input[checked]")}
        assert wanted.items() <= chosen.items(), path
    late = browser.get("/exchange?what=referrals&due=late&role=sender")
    assert {str(one["name"]) for one in late.html.select("#export input[type=hidden]")} >= {"due", "role"}


def test_an_address_with_nonsense_shows_the_page_as_it_begins(browser: Browser) -> None:
    page = browser.get("/exchange?what=x&width=y&state=%00&role=z&due=%27")
    assert page.status == 200
    assert not page.html.select("#export input[name=role]")


def test_a_list_can_be_narrowed_to_what_is_open_or_ended(office: Office, browser: Browser) -> None:
    taken_in(browser, as_csv(ROW, OTHER))
    with office.connector.casebook.transaction() as connection:
        connection.exec_driver_sql(
            "UPDATE cases SET closed_at = '2026-04-06T00:00:00.000000+00:00' WHERE handle IN "
            "(SELECT \"case\" FROM case_files WHERE number = 'H31-0042')"
        )
    assert [row["氏名"] for row in rows_of(export(browser, state="open"))] == [OTHER[1]]
    (ended,) = rows_of(export(browser, state="ended"))
    assert (ended["氏名"], ended["終結日"]) == (ROW[1], "2026-04-06")


@pytest.mark.parametrize("header", [HEADER])
def test_a_text_too_long_for_a_cell_of_excel_is_not_cut(
    office: Office, browser: Browser, header: tuple[str, ...]
) -> None:
    taken_in(browser, as_csv(("架空", "🇯" * 19_000), header=("氏名", "相談の内容")))
    page = export(browser, kind="xlsx")
    assert (page.status, page.faults) == (422, ["kind"])
    assert len(rows_of(export(browser))[0]["相談の内容"]) == 19_000


def test_the_form_speaks_both_languages(office: Office) -> None:
    page = office.browser(office.hire(), language="en").get("/exchange")
    assert "Why" in page.words
    answer: Any = office.browser(office.hire("仮名 二"), language="en")
    assert "Case number" in export(answer).answer.data.decode("utf-8-sig")
