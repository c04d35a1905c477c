# SPDX-License-Identifier: Apache-2.0
"""People and their cases come in from a table: checked row by row, decided on, added once, taken back whole."""

from __future__ import annotations

import io
from datetime import date
from typing import Any

import pytest

from connectors.casebook import files, listing, people
from connectors.casebook.compose import RefusedHereError
from connectors.desk.app import create_desk
from connectors.desk.exchange.service import shown_name
from connectors.desk.web.visits import Role
from tests.connectors import story
from tests.connectors.desk.office import Browser, Office, Page
from tests.connectors.desk.tables import (
    ALIKE,
    HEADER,
    OTHER,
    ROW,
    as_csv,
    as_xlsx,
    checked,
    confirm,
    counts,
    everybody,
    go_on,
    held,
    known,
    path_of,
    taken_in,
    upload,
)
from tests.connectors.story import NAME, Network

WORKER = frozenset({Role.CASEWORKER})
AWKWARD = (
    "髙﨑 𠮷葛\U000e0100\ufa19", "Nguyễn Thị Hoa", "李 秀英", "ただ一つの名", "①㍿㈱Ⅲ", "👨‍👩‍👧 🇯🇵",
)  # fmt: skip


def reasons(page: Page) -> list[str]:
    return [one.get_text(" ", strip=True) for one in page.html.select(".x-faults li")]


@pytest.mark.parametrize("kind", ["csv-utf-8", "csv-cp932", "xlsx"])
def test_a_register_comes_in_with_all_that_it_says(office: Office, browser: Browser, kind: str) -> None:
    data = as_xlsx(ROW, OTHER) if kind == "xlsx" else as_csv(ROW, OTHER, encoding="cp932" if "932" in kind else "utf-8")
    page = taken_in(browser, data, kind)
    assert "取り込み済み" in page.words
    assert set(everybody(office)) == {(ROW[1], ROW[2]), (OTHER[1], OTHER[2])}
    with office.connector.casebook.transaction() as connection:
        (found, *_) = files.search(connection, "H31-0042", staff="t", now=office.connector.now())
        record = files.record_of(connection, found.person.id)
        told = people.answers_of(connection, found.case or "")
    assert record is not None
    assert found.file is not None
    assert (found.born_on, found.file.number, found.file.opened_on) == (date(1979, 6, 3), "H31-0042", date(2026, 4, 6))
    assert (record.fields["postal"], record.fields["address"]) == ("000-0000", ROW[5])
    assert told["contact"] == {"address": f"000-0000 {ROW[5]}", "telephone": ROW[6]}
    assert ROW[7] in browser.get(f"/cases/{found.case}/course").words


def test_whoever_imports_is_in_charge_unless_a_row_names_a_colleague(office: Office) -> None:
    me, other = office.hire("仮名 恵", team="一係"), office.hire("仮名 渉", team="二係")
    header = ("氏名", "担当者", "受付日")
    taken_in(office.browser(me), as_csv(("架空 一", "", ""), ("架空 二", "仮名　渉", "R7.5.1"), header=header))
    found = held(office, "SELECT worker, team, opened_on, number FROM case_files ORDER BY number")
    assert found == [(other, "二係", "2025-05-01", "令7-0001"), (me, "一係", "2026-04-06", "令8-0001")]


@pytest.mark.parametrize("kind", ["csv-utf-8", "xlsx"])
def test_names_are_kept_byte_for_byte_and_found_by_the_plain_sign(office: Office, browser: Browser, kind: str) -> None:
    rows = [(name, "かくう") for name in AWKWARD]
    header = ("氏名", "ふりがな")
    data = as_xlsx(*rows, header=header) if kind == "xlsx" else as_csv(*rows, header=header)
    page = go_on(browser, upload(browser, data, kind))
    confirm(browser, browser.send(page, {"do": "other-rest"}, form="#f-alike"))
    assert {name for name, _ in everybody(office)} == set(AWKWARD)
    assert "髙﨑" in browser.get("/search?q=高崎").words


def test_family_and_given_names_in_two_columns_are_one_name(office: Office, browser: Browser) -> None:
    header = ("姓", "名", "せい", "めい")
    taken_in(browser, as_csv(("葛\U000e0100城", "\ufa19子", "カツラギ", "かみこ"), ("", "ホア", "", ""), header=header))
    assert set(everybody(office)) == {("葛\U000e0100城　\ufa19子", "カツラギ　かみこ"), ("ホア", "")}


def test_an_imported_case_is_quiet_and_nothing_of_it_may_go_to_anybody(
    office: Office, partner: Office, network: Network
) -> None:
    page = taken_in(office.browser(office.hire()), as_csv(ROW))
    assert "同意がありません" in page.words
    office.connector.sync()
    assert counts(office, ["cases", "outgoing"]) == [1, 0]
    assert not network.hub.cases
    ((case,),) = held(office, "SELECT handle FROM cases")
    with pytest.raises(RefusedHereError):
        office.connector.send(story.letter(case, partner.connector))
    assert counts(office, ["messages", "outgoing"]) == [0, 0]
    assert "CANARY" not in str(network.hub.__dict__)


def test_the_hub_learns_of_the_case_with_the_first_consent_and_then_it_works_as_any_other(
    office: Office, partner: Office
) -> None:
    taken_in(office.browser(office.hire()), as_csv(ROW))
    ((case,),) = held(office, "SELECT handle FROM cases")
    us, other = office.connector, partner.connector
    story.consent(us, case, other.agency)
    assert [row[0] for row in held(office, "SELECT what FROM outgoing ORDER BY position")][:2] == ["case", "consent"]
    assert not [one for one in us.sync().pushed.settled if one.code]
    us.send(story.letter(case, other))
    assert not [one for one in us.sync().pushed.settled if one.code]
    other.sync()
    assert held(partner, "SELECT count(*) FROM parts") == [(1,)]


def test_each_fault_is_named_with_its_cell_and_its_row_stays_out(office: Office, browser: Browser) -> None:
    header = ("氏名", "生年月日", "郵便番号", "電話（携帯）", "E-mail", "担当者", "支援措置", "備考", "受付日")
    page = checked(
        browser,
        ("架空 一", "明治5年12月31日", "12", "²①3", "x@", "知らない職員", "たぶん", "読めない�", "R99.1.1"),
        ("", "S54.6.3", "", "", "", "", "", "だれか分からない", ""),
        ("架空 二", "平成31年4月31日", "", "", "", "", "", "", ""),
        ("架\n空", "", "", "", "", "", "", "", ""),
        ("架" * 201, "", "", "", "", "", "", "", ""),
        ("架空 三", "平成31年4月30日", "", "", "", "", "", "", "令和元年5月1日"),
        header=header,
    )
    said = reasons(page)
    for words in (
        "「生年月日」明治6年", "「郵便番号」", "「電話（携帯）」", "「E-mail」", "「担当者」その名前",
        "「住所を知らせない",
        "「備考」読めなかった文字", "「受付日」", "「氏名」", "「生年月日」その日付はありません", "1行で", "200字まで",
    ):  # fmt: skip
        assert any(words in one for one in said), (words, said)
    assert "1行を入れる" in page.words
    confirm(browser, page)
    assert everybody(office) == [("架空 三", "")]


@pytest.mark.parametrize(("cell", "code"), [("=1+1", "式が入って"), (9012345678, "先頭の0"), ("#N/A", "エラー")])
def test_cells_of_a_workbook_that_are_no_text_are_faults(browser: Browser, cell: object, code: str) -> None:
    page = go_on(browser, upload(browser, as_xlsx(("架空 一", cell), header=("氏名", "電話（携帯）")), "xlsx"))
    assert any(code in one for one in reasons(page)), page.words


def test_a_text_that_begins_like_a_formula_is_a_text(office: Office, browser: Browser) -> None:
    rows = (("=架空", "@見本町"), ("'+架空", ""), ("''-架空", ""))
    taken_in(browser, as_csv(*rows, header=("氏名", "住所")))
    # the guard that our own export puts before such a text is taken off, once
    assert {name for name, _ in everybody(office)} == {"=架空", "+架空", "'-架空"}


def test_what_nobody_could_read_of_a_protected_address_counts_as_protected(office: Office, browser: Browser) -> None:
    header = ("氏名", "住所", "支援措置")
    taken_in(browser, as_csv(("架空 一", "CANARY町", "○"), ("架空 二", "見本町", ""), header=header))
    told = dict(held(office, "SELECT p.name, a.body FROM answers a JOIN cases c ON c.handle = a.'case' "
                             "JOIN persons p ON p.id = c.person WHERE a.category = 'contact'"))  # fmt: skip
    assert set(told) == {"架空 二"}
    ((caution,),) = held(office, "SELECT caution FROM case_files WHERE caution <> ''")
    assert caution


def test_the_same_file_twice_adds_nobody_twice(office: Office, browser: Browser) -> None:
    taken_in(browser, as_csv(ROW, OTHER))
    # another order of columns and another format say the same
    turned = [tuple(reversed(row)) for row in (ROW, OTHER)]
    page = go_on(browser, upload(browser, as_xlsx(*turned, header=tuple(reversed(HEADER))), "xlsx"))
    assert "取り込み済みの行 2" in page.words
    assert "入れられる行がありません" in page.words
    page = confirm(browser, page)
    assert counts(office) == [2, 2, 2, 0, 2]


def test_the_same_file_taken_in_by_two_imports_at_once_adds_nobody_twice(office: Office, browser: Browser) -> None:
    first, second = checked(browser, ROW, OTHER), checked(browser, ROW, OTHER)
    confirm(browser, first)
    assert "取り込み済みの行 2" in confirm(browser, second).words
    assert counts(office)[:3] == [2, 2, 2]


def test_a_check_that_goes_on_in_another_window_knows_the_rows_above(office: Office, monkeypatch: Any) -> None:
    monkeypatch.setattr("connectors.desk.exchange.checking.BATCH", 2)
    monkeypatch.setattr("connectors.desk.exchange.importing._MOMENT", -1.0)
    browser = office.browser(office.hire())
    page = go_on(browser, upload(browser, as_csv(ROW, OTHER, ROW, OTHER)))
    assert "ファイルの中で重複 2" in page.words


def test_a_row_that_stands_twice_in_a_file_comes_in_once(office: Office, browser: Browser) -> None:
    page = checked(browser, ROW, ROW)
    assert "ファイルの中で重複 1" in page.words
    confirm(browser, page)
    assert counts(office)[0] == 1


def test_somebody_who_is_here_is_shown_beside_the_row_and_nothing_is_decided_for_anyone(
    office: Office, browser: Browser
) -> None:
    known(office, address="前からの住所")
    page = checked(browser, ALIKE, OTHER)
    assert "似た人がいる 1" in page.words
    shown = browser.get(f"{path_of(page)}?show=alike")
    assert NAME in shown.words
    assert "前からの住所" in shown.words
    assert ALIKE[4] in shown.words
    undecided = browser.send(shown, {"do": "confirm"}, form="#f-alike")
    assert (undecided.status, undecided.faults) == (422, ["alike"])
    assert counts(office)[0] == 1


def test_the_same_person_gets_what_was_missing_and_keeps_what_was_known(office: Office, browser: Browser) -> None:
    case = known(office, address="前からの住所")
    page = browser.get(f"{path_of(checked(browser, ALIKE))}?show=alike")
    confirm(browser, page, **{"row-2": "same"})
    assert counts(office)[:2] == [1, 1]
    with office.connector.casebook.transaction() as connection:
        person = listing.case_of(connection, case).person
        record = files.record_of(connection, person or "")
    assert record is not None
    assert (record.fields["address"], record.fields["phone_mobile"]) == ("前からの住所", "000-0000-9999")
    assert "書き足し" in browser.get(f"/cases/{case}/course").words
    assert everybody(office)[0][0] == NAME


@pytest.mark.parametrize(("choice", "found"), [("other", 2), ("leave", 1)])
def test_another_person_is_added_and_whoever_is_left_out_is_not(
    office: Office, browser: Browser, choice: str, found: int
) -> None:
    known(office)
    page = browser.get(f"{path_of(checked(browser, ALIKE))}?show=alike")
    confirm(browser, page, **{"row-2": choice})
    assert counts(office)[0] == found


def test_a_row_like_one_above_can_be_the_same_person(office: Office, browser: Browser) -> None:
    again = ("", ROW[1], ROW[2], ROW[3], "", "", "", "二つ目の備考")
    page = browser.get(f"{path_of(checked(browser, ROW, again))}?show=alike")
    assert "2行目と似ています" in page.words
    confirm(browser, page, **{"row-3": "same"})
    assert counts(office)[:2] == [1, 1]
    assert held(office, "SELECT text FROM journal ORDER BY text") == [(ROW[7],), (again[7],)]


@pytest.mark.parametrize("said", ["すべて", "<script>", ""])
def test_a_choice_that_there_is_not_changes_nothing(office: Office, browser: Browser, said: str) -> None:
    known(office)
    page = browser.get(f"{path_of(checked(browser, ALIKE))}?show=alike")
    refused = browser.send(page, {"do": said or "confirm", "row-2": "whoever"}, form="#f-alike")
    assert refused.status == 422
    assert counts(office)[0] == 1


def test_a_number_that_a_case_has_is_a_fault_and_new_numbers_pass_over_it(office: Office, browser: Browser) -> None:
    taken_in(browser, as_csv(("令8-0001", "架空 一"), header=("番号", "氏名")))
    page = checked(browser, ("令８－０００１", "架空 二"), ("", "架空 三"), header=("番号", "氏名"))
    assert reasons(page) == ["「ケース番号」その番号のケースがすでにあります"]
    confirm(browser, page)
    assert {row[0] for row in held(office, "SELECT number FROM case_files")} == {"令8-0001", "令8-0002"}


def test_columns_that_nobody_knows_are_asked_for(office: Office, browser: Browser) -> None:
    page = upload(browser, as_csv(("架空 花子", "かくう", "青"), header=("対象者の名", "読み方", "好きな色")))
    assert "列の確認" in page.words
    wrong = browser.send(page, {"column-0": "kana", "column-1": "kana"})
    assert (wrong.status, wrong.faults) == (422, ["column-1"])
    nobody = browser.send(page, {"column-0": "notes", "column-1": ""})
    assert (nobody.status, nobody.faults) == (422, ["column-0"])
    unknown = browser.send(page, {"column-0": "salary"})
    assert (unknown.status, unknown.faults) == (422, ["column-0"])
    result = confirm(browser, go_on(browser, browser.send(page, {"column-0": "name", "column-1": "kana"})))
    assert result.status == 200
    assert everybody(office) == [("架空 花子", "かくう")]


@pytest.mark.parametrize(
    ("data", "kind", "name", "status"),
    [(as_csv(OTHER, encoding="euc_jp"), "csv-cp932", "a.csv", 415),
     (b"MZ\x90", "csv-utf-8", "a.csv", 415),
     (as_csv(), "csv-utf-8", "a.csv", 422),
     (b"x" * 10_485_761, "csv-utf-8", "a.csv", 413)],
)  # fmt: skip
def test_a_file_that_is_refused_leaves_nothing_but_a_line_in_the_log(
    office: Office, browser: Browser, data: bytes, kind: str, name: str, status: int
) -> None:
    page = upload(browser, data, kind, name=name)
    assert (page.status, page.faults) == (status, ["file"])
    assert "CANARY" not in page.words
    assert counts(office) == [0, 0, 0, 0, 0]
    assert held(office, "SELECT count(*) FROM access_log WHERE action = 'import:refused'") == [(1,)]


@pytest.mark.parametrize(
    "said", [{}, {"kind": "csv-utf-8"}, {"kind": "auto", "file": (io.BytesIO(as_csv(ROW)), "a.csv")}]
)
def test_a_file_is_not_taken_before_somebody_says_what_it_is(
    office: Office, browser: Browser, said: dict[str, Any]
) -> None:
    assert browser.post("/exchange/imports/new", said).status == 422
    assert counts(office)[4] == 0


@pytest.mark.parametrize(
    ("name", "shown"),
    [("../../etc/架空.csv", "架空.csv"), ("C:\\Users\\x\\台帳.csv", "台帳.csv"), ("abc\u202egpj.csv", "abcgpj.csv"),
     ("あ" * 300 + ".csv", "あ" * 120), ("a\nb.csv", "ab.csv")],
)  # fmt: skip
def test_the_name_of_a_file_is_shown_clean(name: str, shown: str) -> None:
    assert shown_name(name) == shown


def test_a_file_is_listed_by_its_clean_name(office: Office, browser: Browser) -> None:
    upload(browser, as_csv(ROW), name="../../etc/架空\u202e台帳.csv")
    assert held(office, "SELECT file_name FROM imports") == [("架空台帳.csv",)]
    assert "架空台帳.csv" in browser.get("/exchange").words


def test_a_long_import_goes_on_where_it_was_after_the_desk_was_stopped(office: Office, monkeypatch: Any) -> None:
    monkeypatch.setattr("connectors.desk.exchange.importing._MOMENT", 0.0)
    monkeypatch.setattr("connectors.desk.exchange.checking.BATCH", 40)
    member = office.hire()
    browser = office.browser(member)
    rows = [(f"架空 {n:03d}", f"000-{n:04d}") for n in range(70)]
    page = upload(browser, as_csv(*rows, header=("氏名", "電話")))
    assert page.answer.headers["Refresh"] == "1"
    assert "70行のうち" in page.words
    page = browser.send(go_on(browser, page), {"do": "confirm"}, form="#f-alike")
    begun = counts(office)[0]
    assert 0 < begun < 70
    office.app = create_desk(office.app.extensions["tsunagi-desk"])
    office.app.testing = True
    browser = office.browser(member)
    still = browser.get(f"{path_of(page)}?still=1")
    assert "Refresh" not in still.answer.headers
    done = go_on(browser, browser.get(path_of(page)))
    assert "入れた 70" in done.words
    assert counts(office)[:3] == [70, 70, 70]
