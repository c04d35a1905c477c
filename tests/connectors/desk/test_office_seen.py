# SPDX-License-Identifier: Apache-2.0
"""誰が何を見たか: the access log as supervisors read, filter and take it, and its days compared with the hub's log."""

from __future__ import annotations

import csv
import io
import re
from datetime import date, timedelta
from importlib.resources import files
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from connectors.casebook import access, tables
from connectors.casebook import files as case_files
from connectors.casebook.anchors import Verdict
from connectors.desk.office import audit_pages, reads, rules
from connectors.desk.web.texts import is_text
from connectors.desk.web.visits import Role
from connectors.sync.station import SYSTEM
from tests.connectors.desk.office import Browser, Office, Page
from tests.connectors.desk.test_office_staff import logged
from tests.connectors.story import NAME, NOW, Network, open_case

SUPERVISOR = frozenset({Role.SUPERVISOR})


@pytest.fixture
def worker(office: Office) -> str:
    return office.hire("仮名 担当", roles=frozenset({Role.CASEWORKER}))


@pytest.fixture
def desk(office: Office) -> Browser:
    return office.browser(office.hire("仮名 監督", roles=SUPERVISOR))


@pytest.fixture
def case(office: Office) -> str:
    made = open_case(office.connector)
    with office.connector.casebook.transaction() as connection:
        pen = office.connector.pen("st-other")
        case_files.open_file(connection, pen, case=made, on=date(2026, 4, 6), worker="st-other")
    return made


def note(office: Office, staff: str, action: str, *, case: str | None = None, about: str = "") -> None:
    with office.connector.casebook.transaction() as connection:
        access.record(connection, staff=staff, action=action, about=about, case=case, now=office.connector.now())


def rows(page: Page) -> list[list[str]]:
    return [
        [" ".join(one.get_text(" ").split()) for one in row.select("td")] for row in page.html.select(".log tbody tr")
    ]


def taken(desk: Browser, query: str = "") -> list[dict[str, str]]:
    answer = desk.client.get(f"/office/seen.csv{query}")
    assert answer.mimetype == "text/csv"
    return list(csv.DictReader(io.StringIO(answer.get_data().decode("utf-8-sig"))))


def test_who_looked_at_whom_and_for_which_reason(office: Office, desk: Browser, worker: str, case: str) -> None:
    theirs = office.browser(worker)
    page = theirs.get(f"/cases/{case}")
    theirs.send(page, {"reason": "cover"}, form="main form")
    line = next(row for row in rows(desk.get("/office/seen")) if "person:viewed" in row[2])
    assert line[0].endswith("10:30")
    assert line[1:5] == [
        "仮名 担当", "相談者のページを見た person:viewed", f"{NAME} 令8-0001", "担当が不在のため代わりに対応"
    ]  # fmt: skip


def test_the_list_is_filtered_by_worker_person_kind_and_period(
    office: Office, desk: Browser, worker: str, case: str, network: Network
) -> None:
    other = open_case(office.connector, name="仮名 別人")
    note(office, worker, "person:viewed", case=case)
    note(office, worker, "scan:viewed", case=other)
    note(office, SYSTEM, "message:refused", about="m-1")
    network.clock.on(minutes=9)

    def actions(query: str) -> list[str]:
        return [row[2].split()[-1] for row in rows(desk.get(f"/office/seen?{query}"))]

    assert actions(f"staff={worker}") == ["scan:viewed", "person:viewed"]
    assert actions(f"staff={worker}&person=令8-0001") == ["person:viewed"]
    assert actions("person=別人")[-2:] == ["case:opened", "person:registered"]
    assert actions("person=存在しない") == []
    assert set(actions("kind=looks")) == {"scan:viewed", "person:viewed", "log:seen"}
    assert actions("kind=writing&person=別人") == ["case:opened", "person:registered"]
    assert actions(f"staff={SYSTEM}") == ["message:refused"]
    assert actions("first=2026-04-07") == []
    assert "person:viewed" in actions("first=令和8年4月6日&last=2026-04-06")
    assert ("仮名 監督" in desk.get("/office/seen?kind=searches").words) is True  # the search by a person is one too


def test_pages_go_on_by_position_and_never_repeat_a_line(office: Office, desk: Browser, worker: str) -> None:
    for n in range(audit_pages.AT_ONCE + 5):
        note(office, worker, "person:viewed", about=f"p-{n}")
    page = desk.get(f"/office/seen?staff={worker}")
    first = [row[5] for row in rows(page)]
    note(office, worker, "person:viewed", about="p-new")
    link = page.html.select_one(".further a")
    assert link is not None
    rest = [row[5] for row in rows(desk.get(str(link["href"])))]
    assert first + rest == [f"p-{n}" for n in reversed(range(audit_pages.AT_ONCE + 5))]


def test_the_file_holds_the_filtered_lines_and_taking_it_is_a_line_too(
    office: Office, desk: Browser, worker: str, case: str
) -> None:
    note(office, worker, "reason:contact", case=case, about=case)
    note(office, worker, "person:viewed", case=case)
    found = taken(desk, f"?staff={worker}")
    assert tuple(found[0]) == reads.COLUMNS
    assert [(one["action"], one["case_number"], one["person_name"]) for one in found] == [
        ("person:viewed", "令8-0001", NAME), ("reason:contact", "令8-0001", NAME)
    ]  # fmt: skip
    assert found[0]["reason_label"] == "本人・機関から連絡があった"
    assert found[0]["at"] == "2026-04-06T10:30:00+09:00"
    assert logged(office)[-1][1:] == ("log:exported", "2")


def test_no_cell_is_a_formula(office: Office, desk: Browser) -> None:
    note(office, "=cmd|' /C calc'!A0", "person:viewed", about="@SUM(1)")
    (line,) = [one for one in taken(desk) if one["action"] == "person:viewed"]
    assert (line["staff_id"][:2], line["about"][:2]) == ("'=", "'@")


def test_too_many_lines_for_one_file_are_refused_with_their_number(
    office: Office, desk: Browser, worker: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit_pages, "MOST_IN_A_FILE", 2)
    for _ in range(3):
        note(office, worker, "person:viewed")
    page = desk.get(f"/office/seen.csv?staff={worker}")
    assert (page.status, page.faults) == (422, ["first"])
    assert "3行あります" in page.words
    assert "log:exported" not in [action for _, action, _ in logged(office)]


@pytest.mark.parametrize(
    ("query", "fault"),
    [
        ("staff=st-canary", "staff"),
        ("kind=canary", "kind"),
        ("first=canary", "first"),
        ("last=2026-02-30", "last"),
        ("first=2026-04-07&last=2026-04-06", "last"),
        (f"person={'x' * 101}", "person"),
    ],
)
def test_a_filter_that_cannot_be_read_shows_nothing_and_says_where(
    office: Office, desk: Browser, query: str, fault: str
) -> None:
    for path in ("/office/seen", "/office/seen.csv"):
        page = desk.get(f"{path}?{query}")
        assert (page.status, page.faults, rows(page)) == (422, [fault], [])
    assert desk.get("/office/seen?before=canary").status == 200


def test_looking_at_the_log_stands_in_the_log_and_a_search_in_it_does_too(office: Office, desk: Browser) -> None:
    desk.get("/office/seen?person=高崎")
    assert [action for _, action, _ in logged(office)][-2:] == ["person:searched", "log:seen"]
    assert "高崎" not in str(logged(office))


@pytest.mark.parametrize("role", [Role.CASEWORKER, Role.ADMINISTRATOR])
def test_names_in_the_log_are_for_supervisors_alone(office: Office, role: Role) -> None:
    browser = office.browser(office.hire(roles=frozenset({role})))
    assert browser.get("/office/seen").status == 403
    assert browser.get("/office/seen.csv").status == 403
    assert browser.get("/office/anchors").status == (200 if role is Role.ADMINISTRATOR else 403)
    assert browser.get("/").status in {200, 403}
    browser.get("/office")
    expected = 200 if role is Role.ADMINISTRATOR else 403
    assert browser.post("/office/anchors/check").status == expected


def test_every_action_that_the_program_writes_has_words() -> None:
    code = "\n".join(path.read_text(encoding="utf-8") for path in Path(str(files("connectors"))).rglob("*.py"))
    written = set(re.findall(r"""action=f?"([a-z-]+:[a-z{}-]*)""", code))
    written |= set(re.findall(r"""_log\(\w+, \w+, f?"([a-z-]+:[a-z{}-]*)""", code))
    assert len(written) > 60
    wordless = [
        one
        for one in sorted(written)
        if not is_text(f"office.act-{one.replace(':', '-')}") and not is_text(f"office.act-{one.partition(':')[0]}")
    ]
    assert wordless == []


@given(st.from_regex(r"[a-z]{1,9}:[a-z-]{1,9}", fullmatch=True))
def test_an_action_nobody_put_into_words_stands_for_itself(action: str) -> None:
    said = reads.words_of(action, "ja")
    assert said == action or re.search(r"[぀-ヿ㐀-鿿]", said)


# ── the days ──


@pytest.fixture
def past(office: Office, network: Network, worker: str) -> None:
    note(office, worker, "person:viewed", about="p-1")
    network.clock.on(days=1)
    office.connector.sync()


def guard(office: Office) -> Browser:
    return office.browser(office.hire("架空 番", roles=frozenset({Role.ADMINISTRATOR})))


def tamper(office: Office) -> None:
    with office.connector.casebook.transaction() as connection:
        connection.execute(
            sa.update(tables.access_log).where(tables.access_log.c.action == "person:viewed").values(staff="st-9")
        )


def test_a_day_is_verified_in_the_hub_s_log_in_words(office: Office, past: None) -> None:
    browser = guard(office)
    page = browser.get("/office/anchors")
    assert {"書かれたときのまま", "受け取られました", "まだ照らし合わせていません"} <= set(page.words.split())
    page = browser.send(page)
    assert "一致 1 日、まだ 0 日、一致しません 0 日" in page.words
    assert page.html.select(".flash--bad") == []
    row = page.html.select_one("tbody tr")
    assert row is not None
    assert "一致" in row.get_text("|").split("|")
    assert logged(office)[-1][1:] == ("log:checked", "2026-04-06")


def test_a_changed_record_is_said_in_red_here_and_by_the_hub_s_log(office: Office, past: None) -> None:
    browser = guard(office)
    tamper(office)
    page = browser.get("/office/anchors")
    assert {"変わっています"} <= set(page.words.split())
    assert page.html.select_one(".flash--bad[role=alert]") is not None
    page = browser.send(page, form="tbody form")
    assert "一致しません 1 日" in page.words
    assert page.html.select(".chip--red")
    assert "一致しません" in browser.get("/office/anchors").words


def test_with_the_hub_away_nothing_is_said_of_the_days(office: Office, past: None, network: Network) -> None:
    browser = guard(office)
    network.hub.away = True
    page = browser.send(browser.get("/office/anchors"))
    assert "照らし合わせたのは0日" in page.words
    assert "まだ照らし合わせていません" in page.words


def test_a_day_that_waits_to_be_sent_is_not_yet_there(office: Office, worker: str, network: Network) -> None:
    note(office, worker, "person:viewed", about="p-1")
    network.clock.on(days=1)
    network.hub.away = True
    with pytest.raises(Exception, match="hub-away"):
        office.connector.sync()
    network.hub.away = False
    browser = guard(office)
    page = browser.send(browser.get("/office/anchors"))
    assert "まだ 1 日" in page.words
    assert network.hub.anchors == {}


def test_days_go_on_by_key(office: Office, worker: str, network: Network) -> None:
    for _ in range(audit_pages.DAYS_AT_ONCE + 2):
        note(office, worker, "person:viewed")
        network.clock.on(days=1)
    office.connector.sync()
    browser = guard(office)
    page = browser.get("/office/anchors")
    assert len(page.html.select("tbody tr")) == audit_pages.DAYS_AT_ONCE
    link = page.html.select_one(".further a")
    assert link is not None
    older = browser.get(str(link["href"]))
    assert len(older.html.select("tbody tr")) == 2
    page = browser.send(older)
    assert "一致 2 日" in page.words
    assert len(page.html.select("tbody tr")) == 2


@pytest.mark.parametrize("day", ["2026-04-05", "canary"])
def test_a_day_that_has_no_anchor_is_not_there(office: Office, past: None, day: str) -> None:
    browser = guard(office)
    browser.get("/office/anchors")
    assert browser.post("/office/anchors/check", {"day": day}).status == 404


def test_before_the_first_day_is_over_the_page_says_when(office: Office) -> None:
    assert "翌日の最初の同期で留めます" in guard(office).get("/office/anchors").words


@pytest.mark.parametrize("language", ["ja", "en"])
def test_the_log_and_the_days_are_whole_in_both_languages(office: Office, past: None, language: str) -> None:
    browser = office.browser(office.hire("仮名 監督", roles=SUPERVISOR), language=language)
    for path in ("/office/seen", "/office/anchors"):
        assert browser.get(path).html.html["lang"] == language  # type: ignore[index]
    assert {one.value for one in Verdict} == {"in-log", "not-yet", "differs"}
    assert NOW.date() + timedelta(days=1) == office.connector.now().date()
    assert set(rules.KINDS) | {audit_pages.WRITING} == {
        str(one["value"]) for one in browser.get("/office/seen").html.select("#f-kind option[value]") if one["value"]
    }
