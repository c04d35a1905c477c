# SPDX-License-Identifier: Apache-2.0
"""Accompaniment from plan to record: on a phone, without scripts, with the line down, and what the hub never learns."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime

import pytest
import sqlalchemy as sa

from connectors.casebook import files, outings, tables
from connectors.casebook.tables_files import journal
from connectors.desk.outings import rules
from connectors.desk.web.visits import Role
from connectors.sdk import threads
from consent.calendar import JST, Calendar
from tests.connectors import story
from tests.connectors.desk.office import Browser, Office, Page
from tests.connectors.desk.paper import Paper
from tests.connectors.desk.walking import CANARY, known_tie, path, plan, write
from tests.connectors.story import Network


@pytest.fixture
def paper(office: Office) -> Paper:
    return Paper(office)


@pytest.fixture
def tie(office: Office, partner: Office, network: Network) -> threads.ReferralDetail:
    return known_tie(office, partner, network)


def _known(office: Office, page: Page) -> outings.Outing:
    with office.connector.casebook.transaction() as connection:
        return outings.find(connection, path(page).rsplit("/", 1)[1])


def _at_hub(network: Network, tie: threads.ReferralDetail) -> threads.Accompaniment:
    (going,) = network.hub.referrals[tie.id].accompaniments
    return going


def test_a_plan_reaches_the_hub_in_codes_alone(
    browser: Browser, office: Office, network: Network, tie: threads.ReferralDetail
) -> None:
    page = plan(browser, tie.id)
    assert "同行を予定に入れました" in page.words
    assert "架空 花子" in page.words.replace("（タカサキ）", "")[:80] or "花子" in page.words
    going = _at_hub(network, tie)
    assert (going.state, going.on, going.role, going.purpose) == ("agreed", date(2026, 4, 6), "counsellor", "apply")
    said = repr(network.hub.referrals[tie.id])
    assert "正面玄関" not in said
    assert "通帳" not in said
    assert _known(office, page).n == 1
    assert "11:00" in browser.get("/").html.select_one("#today").get_text(" ")  # type: ignore[union-attr]


def test_the_whole_way_arriving_ending_and_saving(
    browser: Browser, office: Office, network: Network, tie: threads.ReferralDetail
) -> None:
    page = plan(browser, tie.id)
    network.clock.on(minutes=9)
    page = write(browser, page, "arrive", ready=["0"])
    assert "10:39" in page.words
    assert page.html.select_one("input[name=ready][value='0']").has_attr("checked")  # type: ignore[union-attr]
    network.clock.on(minutes=9)
    page = write(browser, page, "end")
    page = write(
        browser, page, "save", outcome="application_accepted", strengths=CANARY, next_on="2026-04-20",
        next_what="仮名：結果を電話で聞く", handed_in="申請書", travel="３０",
    )  # fmt: skip
    assert "同行の記録を保存しました" in page.words
    assert CANARY in page.words
    going = _at_hub(network, tie)
    assert (going.state, going.result, going.minutes) == ("done", "application_accepted", 9)
    assert going.next_step_on == date(2026, 4, 20)
    assert going.message is None
    assert CANARY not in repr(network.hub.__dict__)
    with office.connector.casebook.transaction() as connection:
        lines = connection.execute(sa.select(journal.c.kind, journal.c.text)).all()
    assert [(row.kind, CANARY in row.text) for row in lines] == [("visit", True)]


def test_a_second_press_changes_no_time_and_a_second_save_nothing(
    browser: Browser, office: Office, network: Network, tie: threads.ReferralDetail
) -> None:
    first = plan(browser, tie.id)
    page = write(browser, first, "arrive")
    network.clock.on(minutes=9)
    write(browser, first, "arrive")
    assert _known(office, page).arrived_at == story.NOW
    page = write(browser, first, "save", outcome="consultation_only")
    again = write(browser, first, "save", outcome="counter_closed")
    assert "もう記録されています" in again.words
    assert _at_hub(network, tie).result == "consultation_only"


def test_the_enter_key_keeps_what_was_written_and_does_no_more(
    browser: Browser, office: Office, tie: threads.ReferralDetail
) -> None:
    page = plan(browser, tie.id)
    form = page.html.select_one("form[data-offline]")
    assert form is not None
    first = form.select_one("button")
    assert first is not None
    assert first["value"] == "keep"
    page = write(browser, page, "keep", strengths=CANARY, outcome="papers_missing")
    known = _known(office, page)
    assert (known.arrived_at, known.ended_at, known.document.get("outcome")) == (None, None, None)
    assert CANARY in page.html.select_one("#f-strengths").get_text()  # type: ignore[union-attr]


def test_turned_away_needs_who_and_why_and_tells_a_supervisor_if_wished(
    browser: Browser, office: Office, tie: threads.ReferralDetail
) -> None:
    page = plan(browser, tie.id)
    page = write(browser, page, "save", outcome="not_accepted", strengths=CANARY)
    assert (page.status, page.faults) == (422, ["turned_away"])
    assert CANARY in page.html.select_one("#f-strengths").get_text()  # type: ignore[union-attr]
    page = write(browser, page, "save", turned_away="窓口の人に管轄が違うと言われた", tell_supervisor="yes")
    assert "同行の記録を保存しました" in page.words
    supervisor = office.browser(office.hire("仮名 上司", roles=frozenset({Role.SUPERVISOR})))
    assert "窓口で受け付けてもらえませんでした" in supervisor.get("/").words


@pytest.mark.parametrize(
    ("now", "next_on", "is_taken"),
    [
        (datetime(2026, 4, 6, 1, 30, tzinfo=UTC), "", False),
        (datetime(2026, 4, 6, 1, 30, tzinfo=UTC), "2026-04-05", False),
        (datetime(2026, 4, 6, 1, 30, tzinfo=UTC), "2026-04-09", True),
        (datetime(2026, 4, 6, 1, 30, tzinfo=UTC), "2026-04-10", False),
        # on the evening of Thursday 30 April: 1 and 7 May are business days, 2 to 6 May are not
        (datetime(2026, 4, 30, 12, 0, tzinfo=UTC), "2026-05-08", True),
        (datetime(2026, 4, 30, 12, 0, tzinfo=UTC), "2026-05-11", False),
    ],
)
def test_a_no_show_needs_a_next_step_within_three_business_days(
    office: Office, network: Network, tie: threads.ReferralDetail, now: datetime, next_on: str, is_taken: bool
) -> None:
    network.clock.at = now
    browser = office.browser(office.hire())
    page = plan(browser, tie.id, on=now.astimezone(JST).date().isoformat(), at="23:50")
    page = write(browser, page, "save", outcome="no_show", next_on=next_on)
    assert (page.status == 200) is is_taken, page.faults
    if is_taken:
        going = _at_hub(network, tie)
        assert (going.state, going.next_step_on, going.result) == ("no_show", date.fromisoformat(next_on), None)
    else:
        assert page.faults == ["next_on"]


def test_nobody_fails_to_come_before_the_day(browser: Browser, tie: threads.ReferralDetail) -> None:
    page = plan(browser, tie.id, on="2026-04-08")
    page = write(browser, page, "save", outcome="no_show", next_on="2026-04-09")
    assert page.faults == ["outcome"]


def test_a_proposal_becomes_a_plan_when_the_person_agrees_and_cannot_be_missed_before(
    browser: Browser, network: Network, tie: threads.ReferralDetail
) -> None:
    page = plan(browser, tie.id, agreed="not_yet")
    assert _at_hub(network, tie).state == "proposed"
    assert page.html.select_one("input[value=no_show]") is None
    refused = write(browser, page, "save", outcome="no_show", next_on="2026-04-07")
    assert refused.status == 422
    page = write(browser, page, "agree")
    assert "同意を記録しました" in page.words
    assert _at_hub(network, tie).state == "agreed"
    assert page.html.select_one("input[value=no_show]") is not None


def test_what_was_called_off_is_called_off(browser: Browser, network: Network, tie: threads.ReferralDetail) -> None:
    page = write(browser, plan(browser, tie.id, on="2026-04-09"), "save", outcome="called_off")
    assert "同行の記録を保存しました" in page.words
    assert _at_hub(network, tie).state == "called_off"


def test_a_narrative_goes_sealed_to_the_other_side_where_consent_permits(
    browser: Browser, office: Office, partner: Office, network: Network, tie: threads.ReferralDetail
) -> None:
    page = plan(browser, tie.id)
    page = write(browser, page, "save", outcome="consultation_only", strengths=CANARY, tell_partner="yes")
    assert "送っていません" not in page.words
    partner.connector.sync()
    with partner.connector.casebook.transaction() as connection:
        said = connection.execute(
            sa.select(tables.messages.c.kind, tables.parts.c.category, tables.parts.c.body)
            .join(tables.parts, tables.parts.c.message == tables.messages.c.id)
            .where(tables.messages.c.kind == "accompaniment")
        ).all()
    assert [(row.kind, row.category, row.body.decode()) for row in said] == [
        ("accompaniment", "support_record", CANARY)
    ]
    assert _at_hub(network, tie).message is not None
    assert "同行の記録が届きました" in partner.browser(partner.hire("仮名 受")).get("/").words


def test_without_consent_the_narrative_stays_here_and_the_page_says_why(
    browser: Browser, office: Office, partner: Office, network: Network
) -> None:
    us = office.connector
    case = story.open_case(us, name="架空 花子")
    story.consent(us, case, partner.connector.agency, categories=frozenset({"identity"}))
    us.send(story.letter(case, partner.connector))
    us.sync()
    (found,) = network.hub.referrals.values()
    page = plan(browser, found.id)
    page = write(browser, page, "save", outcome="consultation_only", strengths=CANARY, tell_partner="yes")
    assert "この項目への同意がありません" in page.words
    assert CANARY in page.words
    assert [message.kind for message in network.hub.messages.values()] == ["referral"]
    assert _at_hub(network, found).state == "done"


def test_with_the_line_down_everything_is_kept_and_sent_in_its_order_later(
    browser: Browser, office: Office, network: Network, tie: threads.ReferralDetail
) -> None:
    network.hub.away = True
    page = plan(browser, tie.id, agreed="not_yet")
    assert "つながり次第送ります" in page.words
    page = write(browser, page, "agree")
    page = write(browser, page, "arrive")
    network.clock.on(minutes=9)
    page = write(browser, page, "save", outcome="papers_missing", missing="離職票")
    assert "つながり次第送ります" in page.words
    assert "送信待ち" in page.words
    network.hub.away = False
    office.connector.sync()
    going = _at_hub(network, tie)
    assert (going.state, going.result, going.minutes, going.version) == ("done", "papers_missing", 9, 3)
    assert "送信待ち" not in browser.get(path(page)).words


def test_a_plan_that_came_too_late_for_the_hub_still_becomes_a_record(
    browser: Browser, office: Office, network: Network, tie: threads.ReferralDetail
) -> None:
    network.hub.away = True
    page = plan(browser, tie.id)
    page = write(browser, page, "save", outcome="consultation_only")
    network.clock.on(days=2)
    network.hub.away = False
    office.connector.sync()
    going = _at_hub(network, tie)
    assert (going.state, going.on) == ("done", date(2026, 4, 6))
    assert _known(office, page).n == 1
    assert "ハブが受け取らなかったもの（1件）" in office.browser(office.hire("仮名 朝")).get("/").words


def test_a_late_record_that_the_hub_cannot_take_any_more_says_so(
    browser: Browser, network: Network, office: Office, tie: threads.ReferralDetail
) -> None:
    page = plan(browser, tie.id)
    known = network.hub.referrals[tie.id]
    from dataclasses import replace

    over = replace(known.accompaniments[0], state="called_off", version=2)
    network.hub.referrals[tie.id] = replace(known, accompaniments=(over,))
    page = write(browser, page, "save", outcome="consultation_only")
    assert "ハブが受け取りませんでした" in page.words
    assert "ほかの人が先に書き換えました" in page.words
    assert _known(office, page).document["outcome"] == "consultation_only"


@pytest.mark.parametrize(
    ("changes", "faults"),
    [
        ({"on": "", "at": ""}, ["on"]),
        ({"on": "2026-04-05"}, ["on"]),
        ({"on": "2026-12-31"}, ["on"]),
        ({"at": "25:00"}, ["at"]),
        ({"at": ""}, ["at"]),
        ({"destination": "nobody"}, ["destination"]),
        ({"role": "king", "purpose": "fun", "place": "moon"}, ["place", "role", "purpose"]),
        ({"agreed": ""}, ["agreed"]),
        ({"bring": "x\n" * 13}, ["bring"]),
        ({"bring": "x" * 101}, ["bring"]),
        ({"counter": "a\x00b"}, ["counter"]),
    ],
)
def test_a_plan_with_faults_changes_nothing_and_keeps_what_was_written(
    browser: Browser, paper: Paper, tie: threads.ReferralDetail, changes: dict[str, str], faults: list[str]
) -> None:
    before = len(paper.queued())
    page = plan(browser, tie.id, **changes)
    assert (page.status, page.faults) == (422, faults)
    assert page.html.select_one("#f-meet_at")["value"] == "正面玄関"  # type: ignore[index]
    assert len(paper.queued()) == before


@pytest.mark.parametrize(
    ("said", "faults"),
    [
        ({}, ["outcome"]),
        ({"outcome": "anything"}, ["outcome"]),
        ({"outcome": "consultation_only", "minutes": "0"}, ["minutes"]),
        ({"outcome": "consultation_only", "minutes": "1441", "travel": "-1"}, ["minutes", "travel"]),
        ({"outcome": "consultation_only", "next_on": "31日"}, ["next_on"]),
        ({"outcome": "consultation_only", "next_on": "2020-01-01"}, ["next_on"]),
        ({"outcome": "consultation_only", "ready": "9"}, ["ready"]),
        ({"outcome": "consultation_only", "strengths": "x" * 20_001}, ["strengths"]),
    ],
)
def test_a_record_with_faults_tells_nobody(
    browser: Browser, network: Network, tie: threads.ReferralDetail, said: dict[str, str], faults: list[str]
) -> None:
    page = write(browser, plan(browser, tie.id), "save", **said)
    assert page.status == 422
    assert set(faults) <= set(page.faults)
    assert _at_hub(network, tie).state == "agreed"


def test_what_is_not_there_is_not_there_and_administrators_see_nobody(
    browser: Browser, office: Office, tie: threads.ReferralDetail
) -> None:
    page = plan(browser, tie.id)
    assert browser.get("/accompaniments/nothing").status == 404
    assert browser.get("/referrals/nothing/accompany").status == 404
    admin = office.browser(office.hire("仮名 管理", roles=frozenset({Role.ADMINISTRATOR})))
    for place in (path(page), f"/referrals/{tie.id}/accompany"):
        assert admin.get(place).status == 403


def test_somebody_elses_case_asks_for_a_reason_first(
    office: Office, browser: Browser, tie: threads.ReferralDetail
) -> None:
    page = plan(browser, tie.id)
    with office.connector.casebook.transaction() as connection:
        files.assign(connection, office.connector.pen("s-1"), case=tie.case, worker="somebody-else")
    worker = office.browser(office.hire("仮名 担当", roles=frozenset({Role.CASEWORKER})))
    asked = worker.get(path(page))
    assert asked.status == 403
    assert "花子" not in asked.answer.get_data(as_text=True)


@pytest.mark.parametrize("language", ["ja", "en"])
def test_the_phone_page_is_whole_in_both_languages(office: Office, tie: threads.ReferralDetail, language: str) -> None:
    browser = office.browser(office.hire(), language=language)
    page = plan(browser, tie.id)
    assert page.html.select_one("input[type=file][capture=environment]") is not None
    assert page.html.select_one("a[href^='tel:']") is not None
    done = write(browser, page, "save", outcome="broken_off", turned_away=CANARY)
    assert done.status == 200
    assert json.dumps(done.words)


def test_minutes_are_counted_from_the_times_and_never_across_days() -> None:
    at = story.NOW
    assert rules.minutes_between(at, at) == 1
    assert rules.minutes_between(at, None) is None
    assert rules.minutes_between(at, at.replace(day=9)) is None
    assert rules.last_day_after_no_show(at, Calendar()) == date(2026, 4, 9)
