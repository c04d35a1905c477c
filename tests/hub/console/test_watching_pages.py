# SPDX-License-Identifier: Apache-2.0
"""The officer's pages: register, anomalies, unanswered withdrawals, samples of paper, what a leak reaches."""

from datetime import date

import pytest

from consent.calendar import Calendar, day_of
from hub.console import wording
from hub.messages import jobs as messages_jobs
from hub.oversight import reads, watching
from hub.oversight.deadlines import deadlines
from tests.hub.builders import new_uuid
from tests.hub.console.test_frame import check_markup
from tests.hub.messages.story import Story, emergency, new_story


@pytest.fixture
def story(console, database, jobs_database) -> Story:
    return new_story(database, jobs_database)


@pytest.fixture
def officer(signed_in):
    return signed_in()


def today(story: Story) -> date:
    return day_of(story.time())


# ── the register ──


def test_the_register_is_narrowed_by_state_and_template(story, officer) -> None:
    story.consent()
    story.withdraw(story.consent(template="kakuu-2027"))
    page = officer.soup("/console/consents")
    check_markup(page)
    assert len(page.find("tbody").find_all("tr")) == 2
    for query, left in (("state=withdrawn", "kakuu-2027"), ("template=kakuu-2026", "kakuu-2026")):
        rows = officer.soup(f"/console/consents?{query}").find("tbody").find_all("tr")
        assert len(rows) == 1
        assert left in rows[0].get_text()
    assert officer.soup("/console/consents?state=renewed").find("tbody") is None
    assert len(officer.soup("/console/consents?state=perhaps&before=x").find("tbody").find_all("tr")) == 2


def test_a_renewed_record_shows_what_was_added_and_what_went(story, officer) -> None:
    old = story.consent()
    story.consent(categories=("identity", "contact"), supersedes=frozenset({old}))
    newest = officer.soup("/console/consents").find("tbody").find("a")["href"]
    page = officer.soup(newest)
    check_markup(page)
    changes = {
        row.th.get_text(): [cell.get_text(strip=True) for cell in row.find_all("td")] for row in page.find_all("tr")[1:]
    }
    assert changes["区分"] == ["連絡先", "収入・資産・家計"]
    assert "目的" not in changes
    assert officer.get(f"/console/consents/{new_uuid()}").status_code == 404
    assert officer.get("/console/consents/kakuu").status_code == 404


# ── anomalies and withdrawals ──


@pytest.fixture
def anomaly(story, sequence, jobs_database) -> reads.Anomaly:
    from hub.base.errors import ForbiddenError

    story.consent()
    for _ in range(3):
        with pytest.raises(ForbiddenError):
            story.send("health")
    sequence()
    with jobs_database.transaction(None) as session:
        watching.watch(session, today(story), now=story.time())
        (found,) = reads.anomalies(session)
    return found


def test_an_anomaly_is_closed_from_the_page_with_a_code(story, officer, anomaly) -> None:
    page = officer.soup("/console/watch")
    check_markup(page)
    assert "同じケースで拒否がくり返された" in page.get_text()
    path = f"/console/watch/anomalies/{anomaly.id}"
    answer = officer.send(path, {"closing": "training_given", "reference": ""}, seen="/console/watch")
    assert (answer.status_code, answer.location) == (303, "/console/watch?said=closed")
    after = officer.soup(answer.location)
    assert wording.text("ja", "oversight.anomalies-none") in after.get_text()
    (entry,) = story.entries("anomaly:closed")
    assert (entry["actor"], entry["facts"]["closing"]) == (officer.staff_id, "training_given")
    again = officer.send(path, {"closing": "training_given", "reference": ""})
    assert again.status_code == 422
    assert "すでに閉じられています" in again.text


@pytest.mark.parametrize(
    "fields", [{"closing": "because"}, {}, {"closing": "explained", "reference": "Kakuu"}], ids=str
)
def test_what_is_no_code_closes_nothing(story, officer, anomaly, fields) -> None:
    answer = officer.send(f"/console/watch/anomalies/{anomaly.id}", fields, seen="/console/watch")
    assert answer.status_code == 422
    assert "Kakuu" not in answer.text
    assert story.entries("anomaly:closed") == []


def test_a_withdrawal_without_an_answer_is_listed_and_reminded_of(story, officer, jobs_database, hub_database) -> None:
    import sqlalchemy as sa

    consent = story.consent()
    sent = story.send()
    story.collect(sent.message)
    story.withdraw(consent)
    with jobs_database.transaction(None) as session:
        case = story.message(sent.message).case_row or ""
        messages_jobs.noticing.raise_notices(session, messages_jobs.reads.of_case(session, case), now=story.time())
    (notice,) = story.notices()
    path = f"/console/watch/notices/{notice.id}"
    early = officer.send(path, seen="/console/watch")
    assert early.status_code == 422
    engine = sa.create_engine(hub_database.admin_url, poolclass=sa.NullPool)
    with engine.begin() as connection:
        connection.execute(sa.text("update stop_use_notices set due_at = now() - interval '1 day'"))
        connection.execute(sa.text("update withdrawals set at = now() - interval '10 days'"))
    page = officer.soup("/console/watch")
    check_markup(page)
    assert "催促 0 回" in page.get_text()
    assert wording.text("ja", "oversight.uncountersigned-none") not in page.get_text()
    answer = officer.send(path, seen="/console/watch")
    assert answer.location == "/console/watch?said=reminded"
    assert "催促 1 回" in officer.soup("/console/watch").get_text()
    assert story.count("events", f"event = 'notice:reminded' and agency = '{story.s1.id}'") == 1


# ── samples ──


def test_forms_are_drawn_and_what_was_seen_is_written_down(story, officer, sequence) -> None:
    for _ in range(3):
        story.consent()
    sequence()
    day = today(story).isoformat()
    asked = {"first": day, "last": day, "size": "2", "agency": ""}
    answer = officer.send("/console/samples", asked, seen="/console/samples")
    assert answer.status_code == 303
    page = officer.soup(answer.location)
    check_markup(page)
    samples = [one["value"] for one in page.find_all("input", attrs={"name": "sample"})]
    assert len(samples) == 2
    path = answer.location.split("?")[0]
    noted = officer.send(path, {"sample": samples[0], "outcome": "differs", "reference": "R8-5"}, seen=path)
    assert noted.location == f"{path}?said=noted"
    after = officer.soup(path)
    assert len(after.find_all("input", attrs={"name": "sample"})) == 1
    assert "R8-5" in after.get_text()
    assert officer.soup("/console/samples").find("a", href=path)
    assert officer.get(f"/console/samples/{new_uuid()}").status_code == 404


@pytest.mark.parametrize(
    "fields",
    [
        {"first": "2026-13-01"},
        {"last": "yesterday"},
        {"size": "0"},
        {"size": "-1"},
        {"size": "９"},
        {"agency": "kakuu"},
        {"agency": "01890000-0000-7000-8000-000000000001"},
        {"first": "2030-01-02", "last": "2030-01-01"},
    ],
    ids=str,
)
def test_what_cannot_be_drawn_is_said(story, officer, sequence, fields) -> None:
    story.consent()
    sequence()
    day = today(story).isoformat()
    asked = {"first": day, "last": day, "size": "1", "agency": ""} | fields
    answer = officer.send("/console/samples", asked, seen="/console/samples")
    assert answer.status_code == 422
    assert 'role="alert"' in answer.text
    assert story.entries("sample:drawn") == []


# ── a leak ──


def test_the_reach_of_a_leak_and_its_deadlines_are_worked_out(story, officer) -> None:
    story.consent()
    story.send()
    story.send("safety", purpose="emergency_response", basis=emergency())
    day = today(story)
    query = f"agency={story.s1.id}&key={story.s1.enc.kid}&first={day}&last={day}&known={day}"
    page = officer.soup(f"/console/breach?{query}")
    check_markup(page)
    said = deadlines(day, Calendar())
    text = page.get_text()
    for one in (said.first_from, said.first_until, said.full, said.full_ill_intent):
        assert one.isoformat() in text
    for key in ("reason-sensitive", "reason-property", "exposed", "seal-sealed"):
        assert wording.text("ja", f"oversight.{key}") in text
    (seen,) = [one for one in story.entries("dpo:read") if one["facts"]["page"] == "breach"]
    assert seen["facts"]["agency"] == story.s1.id


@pytest.mark.parametrize(
    "change",
    [
        {"agency": "kakuu"},
        {"agency": "01890000-0000-7000-8000-000000000001"},
        {"key": "kakuu"},
        {"first": ""},
        {"known": "soon"},
        {"first": "2030-01-01", "last": "2029-01-01"},
    ],
    ids=str,
)
def test_what_names_no_leak_is_said_and_not_answered(story, officer, change) -> None:
    day = today(story)
    given = {"agency": story.s1.id, "key": "", "first": day, "last": day, "known": day} | change
    answer = officer.get("/console/breach", query_string=given)
    assert answer.status_code == 422
    assert 'role="alert"' in answer.text
    assert wording.text("ja", "oversight.deadline-how") not in answer.text


def test_an_operator_is_not_let_in(signed_in) -> None:
    from hub.staff.rules import Role

    operator = signed_in(Role.OPERATOR)
    for path in ("/console/watch", "/console/consents", "/console/breach", "/console/samples"):
        assert operator.get(path).status_code == 403
