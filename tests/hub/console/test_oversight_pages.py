# SPDX-License-Identifier: Apache-2.0
"""The officer's pages about one person and about emergencies, over a real story of the broker."""

import csv
import io
import json
import re

import pytest

from consent.receipts import Delivery
from hub.console import wording
from hub.staff.rules import Role
from tests.hub.builders import new_uuid
from tests.hub.console.test_frame import check_markup
from tests.hub.messages.story import Story, emergency, new_story


@pytest.fixture
def story(console, database, jobs_database) -> Story:
    return new_story(database, jobs_database)


@pytest.fixture
def officer(signed_in):
    return signed_in()


def urgent(story: Story, **changes) -> str:
    return story.send("identity", "safety", purpose="emergency_response", basis=emergency(**changes)).message


def entries(story: Story, kind: str):
    return story.entries(kind)


def test_the_ledger_of_a_case_says_who_what_when_for_what_and_under_which_consent(story, officer, sequence) -> None:
    consent = story.consent()
    sent = story.send()
    story.collect(sent.message)
    story.acknowledge(sent)
    story.acknowledge(sent, kind=Delivery.READ)
    sequence()
    page = officer.soup(f"/console/people/{story.case}")
    check_markup(page)
    row = page.find("table", class_="ledger").tbody.get_text(" ")
    for said in (consent, "本人の同意", "（機関で記入）", "本人確認情報", "収入・資産・家計", "一致"):
        assert said in row
    assert wording.text("ja", "people.complete") in page.get_text()
    (seen,) = [one for one in entries(story, "dpo:read") if one["case"] == story.case]
    assert (seen["actor"], seen["facts"]["page"]) == (officer.staff_id, "ledger")


def test_a_handle_is_looked_up_and_a_name_is_not(story, officer) -> None:
    found = officer.get(f"/console/people?case=+{story.case.upper()}+")
    assert (found.status_code, found.location) == (303, f"/console/people/{story.case}")
    page = officer.soup("/console/people?case=架空一郎")
    assert page.find(id="e-case")
    assert "架空一郎" not in page.get_text()
    assert officer.get("/console/people/kakuu").status_code == 404
    assert wording.text("ja", "people.none") in officer.soup(f"/console/people/{new_uuid()}").get_text()


def test_the_ledger_goes_out_as_csv_and_json_and_that_is_logged(story, officer, sequence) -> None:
    story.consent()
    sent = story.send()
    urgent(story)
    sequence()
    given = officer.get(f"/console/people/{story.case}/csv")
    assert given.headers["Content-Disposition"] == f'attachment; filename="ledger-{story.case}.csv"'
    head, first, second = csv.reader(io.StringIO(given.data.decode("utf-8-sig")))
    assert len(head) == len(first) == len(second) == 14
    assert first[3] == "（機関で記入）"
    assert second[6] == "緊急（生命・身体・財産）"
    told = json.loads(officer.get(f"/console/people/{story.case}/json").data)
    assert told["complete"] is True
    assert told["disclosures"][0]["message"] == sent.message
    assert told["disclosures"][0]["name"] is None
    forms = [one["facts"]["form"] for one in entries(story, "export:made")]
    assert forms == ["csv", "json"]


def test_a_ledger_that_the_log_does_not_bear_out_is_red(story, officer, sequence, hub_database) -> None:
    import sqlalchemy as sa

    story.consent()
    sent = story.send()
    sequence()
    engine = sa.create_engine(hub_database.admin_url, poolclass=sa.NullPool)
    with engine.begin() as connection:
        connection.execute(sa.text("set session_replication_role = replica"))
        connection.execute(sa.text("update messages set purpose = 'follow_up' where id = :id"), {"id": sent.message})
    page = officer.soup(f"/console/people/{story.case}")
    assert page.find(class_="flash--bad", role="alert")
    assert wording.text("ja", "people.held-differs") in page.find("table").get_text()


def judge(officer, message: str, **fields):
    path = f"/console/reviews/{message}"
    return officer.send(path, {"answer": "justified", "remark": "none", "reference": ""} | fields, seen=path)


def test_an_officer_judges_an_emergency_from_the_list_to_the_answer(story, officer) -> None:
    message = urgent(story)
    listed = officer.soup("/console/reviews")
    assert listed.find("a", href=f"/console/reviews/{message}")
    page = officer.soup(f"/console/reviews/{message}")
    check_markup(page)
    assert [one["value"] for one in page.find_all("input", type="radio")] == [
        "justified", "procedure_lacking", "not_justified", "more_needed",
    ]  # fmt: skip
    answer = judge(officer, message, answer="procedure_lacking", remark="approval_late", reference="R8-0123")
    assert (answer.status_code, answer.location) == (303, f"/console/reviews/{message}?said=judged")
    after = officer.soup(answer.location)
    check_markup(after)
    assert "妥当だが手順不備" in after.get_text()
    assert after.find("form", method="post", class_="card__b") is None
    assert officer.soup("/console/reviews").find("table") is None
    assert officer.soup("/console/reviews?all=1").find("table")
    (entry,) = entries(story, "override:reviewed")
    assert (entry["actor"], entry["facts"]["reference"]) == (officer.staff_id, "R8-0123")


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"reference": "架空一郎"}, "文書番号"),
        ({"answer": "not_justified"}, "所見"),
        ({"answer": "perhaps"}, "一つ選んで"),
        ({"remark": "Kakuu was right"}, "一つ選んで"),
    ],
    ids=["a name for a number", "no remark", "another answer", "a sentence"],
)
def test_what_is_no_answer_is_refused_and_not_repeated(story, officer, fields, code) -> None:
    message = urgent(story)
    answer = judge(officer, message, **fields)
    assert answer.status_code == 422
    assert code in answer.text
    assert "架空一郎" not in answer.text
    assert "Kakuu" not in answer.text
    assert entries(story, "override:reviewed") == []


def test_who_asked_for_it_may_not_judge_it(story, officer) -> None:
    message = urgent(story, requester=officer.staff_id)
    answer = judge(officer, message)
    assert answer.status_code == 422
    assert re.search("別の担当官", answer.text)


def test_what_was_no_emergency_has_no_review(story, officer) -> None:
    story.consent()
    for message in (story.send().message, new_uuid(), "kakuu"):
        assert officer.get(f"/console/reviews/{message}").status_code == 404


def test_an_operator_sees_no_persons_ledger(story, signed_in) -> None:
    operator = signed_in(Role.OPERATOR)
    assert operator.get(f"/console/people/{story.case}").status_code == 403
    assert entries(story, "dpo:read") == []
