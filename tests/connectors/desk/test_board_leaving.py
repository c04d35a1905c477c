# SPDX-License-Identifier: Apache-2.0
"""What leaves the board: rows that are put off, refusals and escalations that were seen, tasks that are done."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from connectors.casebook import deeds, outings
from connectors.casebook.tables_files import snoozes
from connectors.desk.web.visits import Role
from connectors.sdk import answers
from tests.connectors.desk.office import Browser, Office
from tests.connectors.desk.paper import Paper, outing_of, section
from tests.connectors.story import Network

NAMES = ("架空 一郎", "架空 二子", "架空 三郎", "架空 四子", "架空 五郎", "架空 六子")


def test_a_row_that_is_put_off_leaves_with_a_reason_and_comes_back_by_itself(
    office: Office, partner: Office, paper: Paper, network: Network
) -> None:
    sent = paper.referral(paper.case(), partner.connector.agency, due_at=paper.now - timedelta(days=2))
    browser = office.browser(office.hire())
    form = browser.get(f"/board/put-off?about=referral:{sent.id}")
    page = browser.send(form, {"until": "2026-04-08", "reason": "担当者が明日まで不在のため"})
    assert "あとに回しました" in page.words
    assert "架空 花子" not in section(browser, "late")
    assert "board:put-off" in paper.log()
    network.clock.at = datetime(2026, 4, 7, 15, 0, 1, tzinfo=UTC)
    assert "架空 花子" in section(office.browser(office.hire("仮名 朝")), "late")


@pytest.mark.parametrize(
    ("said", "faults"),
    [
        ({}, ["until", "reason"]),
        ({"until": "2026-04-06", "reason": "x"}, ["until"]),
        ({"until": "2026-04-14", "reason": "x"}, ["until"]),
        ({"until": "あした", "reason": "x"}, ["until"]),
        ({"until": "2026-04-08", "reason": "  "}, ["reason"]),
    ],
)
def test_putting_off_needs_a_reason_and_a_day_within_a_week(
    browser: Browser, partner: Office, paper: Paper, said: dict[str, str], faults: list[str]
) -> None:
    sent = paper.referral(paper.case(), partner.connector.agency)
    page = browser.send(browser.get(f"/board/put-off?about=referral:{sent.id}"), said)
    assert (page.status, page.faults) == (422, faults)
    with paper.connector.casebook.transaction() as connection:
        assert connection.execute(sa.select(snoozes)).all() == []


@pytest.mark.parametrize("about", ["", "referral:nobody", "follow-up:x:1", "follow-up:x:99999999999", "task:", "what"])
def test_what_is_not_on_the_board_cannot_be_put_off(browser: Browser, about: str) -> None:
    assert browser.get(f"/board/put-off?about={about}").status == 404
    said = {"about": about, "until": "2026-04-08", "reason": "x"}
    assert browser.post("/board/put-off", said, follow=False).status == 404


def test_what_is_urgent_for_somebodys_safety_cannot_be_put_off(browser: Browser, partner: Office, paper: Paper) -> None:
    sent = paper.referral(paper.case(), partner.connector.agency, urgency="same_day")
    page = browser.get(f"/board/put-off?about=referral:{sent.id}")
    assert page.status == 409
    assert "あとに回せません" in page.words
    assert "あとに回す" not in section(browser, "late")


def test_a_refusal_of_the_hub_stays_until_a_person_has_seen_it(browser: Browser, paper: Paper) -> None:
    with paper.connector.casebook.transaction() as connection:
        key = deeds.task_done(connection, paper.connector.pen("s-1"), task="no-such-task")
    paper.connector.push()
    page = browser.get("/")
    assert "ハブが受け取らなかったもの（1件）" in page.words
    browser.send(page, form="#refused form")
    assert browser.get("/").html.select_one("#refused") is None
    assert browser.post(f"/board/refusals/{key}x").status == 404


def test_a_task_of_the_hub_is_marked_as_done_and_waits_while_the_line_is_down(
    browser: Browser, network: Network, paper: Paper
) -> None:
    raised = paper.task(paper.case())
    with paper.connector.casebook.transaction() as connection:
        from connectors.casebook import mirror

        known = mirror.open_tasks(connection)[0]
    network.hub.tasks.append((paper.connector.agency, known))
    network.hub.away = True
    page = browser.send(browser.get("/"), form="#todo form")
    assert "送信待ち" in page.words
    network.hub.away = False
    paper.connector.push()
    assert network.hub.tasks[0][1].done_at is not None
    assert browser.post(f"/board/tasks/{raised}x").status == 404


def test_a_task_leaves_the_board_as_soon_as_the_hub_has_taken_it(
    browser: Browser, network: Network, paper: Paper
) -> None:
    raised = paper.task(None)
    network.hub.tasks.append(
        (
            paper.connector.agency,
            answers.Task(id=raised, kind="case_note", label="x", about="x", raised_at=paper.now),
        )
    )
    page = browser.send(browser.get("/"), form="#todo form")
    assert "済みにしました" in page.words
    assert "架空のお願い" not in page.words


def test_a_task_about_a_referral_that_is_on_the_board_is_not_told_twice(
    browser: Browser, partner: Office, paper: Paper
) -> None:
    case = paper.case()
    sent = paper.referral(case, partner.connector.agency, due_at=paper.now - timedelta(days=2))
    paper.task(case, kind="referral_overdue", about=sent.id)
    assert "架空のお願い" not in browser.get("/").words
    paper.task(case, kind="referral_overdue", about="somewhere-else")
    assert "架空のお願い" in browser.get("/").words


def test_an_escalation_is_a_supervisors_and_leaves_when_it_was_seen(office: Office, paper: Paper) -> None:
    case = paper.case()
    with paper.connector.casebook.transaction() as connection:
        pen = paper.connector.pen("s-1")
        outings.escalate(connection, pen, outing_of(case))
    worker = office.browser(office.hire("仮名 担当", roles=frozenset({Role.CASEWORKER})))
    assert "窓口で受け付けてもらえませんでした" not in worker.get("/").words
    supervisor = office.browser(office.hire("仮名 上司", roles=frozenset({Role.SUPERVISOR})))
    page = supervisor.get("/")
    assert "窓口で受け付けてもらえませんでした" in page.words
    page = supervisor.send(page, form="#todo form")
    assert "窓口で受け付けてもらえませんでした" not in page.words
    assert worker.post("/board/escalations/x").status == 403
