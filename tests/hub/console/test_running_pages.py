# SPDX-License-Identifier: Apache-2.0
"""Agencies and their keys, retention and the monthly report, as operators and officers work with them."""

import csv
import io

import pypdf
import pytest

from consent.calendar import day_of
from consent.keys import fingerprint_words
from consent.receipts import PurgeAnswer
from hub.agencies import reads as agencies
from hub.base.db import Duty
from hub.console import wording
from hub.messages import jobs as messages_jobs
from hub.staff.rules import Role
from tests.hub.builders import pending_agency
from tests.hub.console.test_frame import check_markup
from tests.hub.messages.story import Keeping, Story, new_story


@pytest.fixture
def story(console, database, jobs_database) -> Story:
    return new_story(database, jobs_database)


@pytest.fixture
def officer(signed_in):
    return signed_in()


@pytest.fixture
def operator(signed_in):
    return signed_in(Role.OPERATOR)


def state(database, agency: str) -> str:
    with database.transaction(None, Duty.DIRECTORY) as session:
        return agencies.agency(session, agency).state.value


def do(looking, agency: str, deed: str, **fields):
    path = f"/console/agencies/{agency}"
    return looking.send(path, {"deed": deed, **fields}, seen=path)


def test_two_people_who_heard_the_words_let_an_agency_in(story, database, officer, operator) -> None:
    newcomer = pending_agency(database)
    path = f"/console/agencies/{newcomer.id}"
    page = operator.soup(path)
    check_markup(page)
    words = fingerprint_words(newcomer.root.public, "ja")
    # who confirms must have heard them: before that the page does not say them
    assert not any("　".join(words[:2]) in one.get_text() for one in page.find_all("p"))
    assert do(operator, newcomer.id, "confirm", words=" ".join(words)).location == f"{path}?said=confirm"
    assert state(database, newcomer.id) == "pending"
    assert "運用担当が認めました" in officer.soup(path).get_text()
    again = do(operator, newcomer.id, "confirm", words=" ".join(words))
    assert again.status_code == 422
    do(officer, newcomer.id, "confirm", words="　".join(words))
    assert state(database, newcomer.id) == "active"
    after = officer.soup(path)
    check_markup(after)
    assert "　".join(words) in after.get_text()


def test_words_that_are_not_its_own_let_nobody_in(story, database, officer) -> None:
    newcomer = pending_agency(database)
    answer = do(officer, newcomer.id, "confirm", words="abandon " * 12)
    assert answer.status_code == 422
    assert "abandon" not in answer.text
    assert state(database, newcomer.id) == "pending"


def test_suspending_shows_what_it_stops_and_letting_on_takes_two(story, database, officer, operator) -> None:
    story.consent()
    story.send()
    path = f"/console/agencies/{story.s1.id}"
    page = officer.soup(path)
    check_markup(page)
    assert wording.text("ja", "running.effect-collect", n=1) in page.get_text()
    assert do(officer, story.s1.id, "suspend").location == f"{path}?said=suspend"
    assert state(database, story.s1.id) == "suspended"
    assert do(officer, story.s1.id, "suspend").status_code == 422
    do(officer, story.s1.id, "resume")
    assert state(database, story.s1.id) == "suspended"
    page = operator.soup(path)
    check_markup(page)
    assert "個人情報保護担当が認めました" in page.get_text()
    do(operator, story.s1.id, "resume")
    assert state(database, story.s1.id) == "active"
    kinds = [one["actor"] for one in story.entries("agency:suspended")]
    assert kinds == [officer.staff_id]


def test_two_people_end_a_key(story, database, officer, operator) -> None:
    kid = story.s1.sig.kid
    do(operator, story.s1.id, "revoke", kid=kid)
    assert story.entries("key:revoked") == []
    do(officer, story.s1.id, "revoke", kid=kid)
    (entry,) = story.entries("key:revoked")
    assert entry["facts"] == {"kid": kid, "by": "staff"}
    assert "終了" in officer.soup(f"/console/agencies/{story.s1.id}").get_text()


def test_what_is_no_deed_or_no_agency_is_not_there(story, officer) -> None:
    assert do(officer, story.s1.id, "dissolve").status_code == 404
    assert officer.get("/console/agencies/kakuu").status_code == 404
    assert do(officer, story.s1.id, "revoke", kid="kakuu").status_code == 404


def test_what_goes_and_what_is_kept_by_law_is_shown(story, officer, jobs_database) -> None:
    consent = story.consent()
    sent = story.send()
    story.collect(sent.message)
    story.acknowledge(sent)
    story.withdraw(consent)
    with jobs_database.transaction(None) as session:
        case = story.message(sent.message).case_row or ""
        messages_jobs.noticing.raise_notices(session, messages_jobs.reads.of_case(session, case), now=story.time())
    (notice,) = story.notices()
    at = story.time()
    record = story.purge(notice, PurgeAnswer.KEPT_BY_LAW, ground="law-123", until=at.replace(year=at.year + 1))
    with Keeping(story.database, story.s1.id) as session:
        messages_jobs.noticing.answer(session, agency=story.s1.id, notice=notice.id, record=record, now=at)
    page = officer.soup("/console/retention")
    check_markup(page)
    text = page.get_text()
    assert "law-123" in text
    row = page.find("tbody").find("tr")
    assert [cell.get_text() for cell in row.find_all("td")] == ["1", "0"]


def test_the_month_goes_out_as_csv_and_pdf_without_a_small_number(story, officer, sequence) -> None:
    story.consent()
    for _ in range(6):
        story.send("identity")
    sequence()
    month = f"{day_of(story.time()):%Y-%m}"
    given = officer.get(f"/console/report.csv?month={month}")
    head, *rows = csv.reader(io.StringIO(given.data.decode("utf-8-sig")))
    assert len(head) == 4
    assert ["提供した区分（受け手の種類ごと）", "本人確認情報", "社会福祉協議会", "6"] in rows
    assert ["そのほかの件数", "登録した同意", "", "−"] in rows
    assert not [row for row in rows if row[3] in {"1", "2", "3", "4"}]
    paper = officer.get(f"/console/report.pdf?month={month}")
    assert paper.headers["Content-Type"] == "application/pdf"
    read = pypdf.PdfReader(io.BytesIO(paper.data))
    assert (round(read.pages[0].mediabox.width), round(read.pages[0].mediabox.height)) == (595, 842)
    assert read.metadata.title == f"つなぎ 月次報告 {month[:4]}年{int(month[5:])}月"
    forms = [one["facts"]["form"] for one in story.entries("export:made")]
    assert forms == ["csv", "pdf"]


@pytest.mark.parametrize("month", ["", "2026-13", "2026-1", "2026-00", "1999-01", "２０２６-01", "2026-01-01"])
def test_what_is_no_month_has_no_report(story, officer, month) -> None:
    for form in ("csv", "pdf"):
        answer = officer.get(f"/console/report.{form}", query_string={"month": month})
        assert answer.status_code == 422
        assert answer.headers["Content-Type"].startswith("text/html")
    assert story.entries("export:made") == []


def test_an_operator_sees_agencies_and_retention_and_takes_no_report(operator) -> None:
    assert operator.get("/console/agencies").status_code == 200
    page = operator.soup("/console/retention")
    assert page.find("input", type="month") is None
    assert operator.get("/console/report.csv?month=2026-11").status_code == 403
