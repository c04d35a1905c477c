# SPDX-License-Identifier: Apache-2.0
"""Requests to stop using what came: due in three business days, answered by a signed word, and done at once."""

from __future__ import annotations

from datetime import timedelta

import pytest

from connectors.casebook import receive
from connectors.sdk.threads import Notice, NoticeItem
from tests.connectors.desk.consent_office import admit, provide
from tests.connectors.desk.office import Browser, Office
from tests.connectors.story import NOW, Network


@pytest.fixture
def notice(office: Office, partner: Office, network: Network) -> Notice:
    """The person takes `contact` back, which the council has opened."""
    case, _ = admit(office, partner.connector)
    message = provide(office, partner, case)
    made = Notice(
        id=office.connector.new_id(),
        case=case,
        withdrawal=office.connector.new_id(),
        items=(NoticeItem(message=message, sender=office.connector.agency, categories=("contact",)),),
        raised_at=NOW,
        due_at=NOW + timedelta(days=3),
    )
    network.hub.notices.append((partner.connector.agency, made))
    partner.connector.sync()
    return made


@pytest.fixture
def worker(partner: Office) -> Browser:
    return partner.browser(partner.hire())


def readable(partner: Office, notice: Notice) -> list[str]:
    with partner.connector.casebook.transaction() as connection:
        parts = receive.read(connection, notice.items[0].message, notice.items[0].sender, partner.connector.pen("s"))
    return [part.category for part in parts]


def test_the_list_says_when_an_answer_is_due_and_how_late_it_is(
    partner: Office, worker: Browser, notice: Notice, network: Network
) -> None:
    page = worker.get("/notices")
    assert "4月9日" in page.words
    assert page.html.select(".late") == []
    network.clock.on(days=5)
    late = partner.browser(partner.hire("仮名 後日")).get("/notices")
    assert late.html.select_one(".late") is not None


def test_the_page_names_the_parts_and_where_they_came_from(worker: Browser, notice: Notice) -> None:
    page = worker.get(f"/notices/{notice.id}")
    for said in ("架空の機関0", "連絡先", "に受け取りました", "使うのをやめてください"):
        assert said in page.words, said


@pytest.mark.parametrize("answer", ["purged", "returned"])
def test_what_is_purged_leaves_the_casebook_at_once_and_the_answer_reaches_the_hub(
    partner: Office, worker: Browser, notice: Notice, answer: str
) -> None:
    page = worker.send(worker.get(f"/notices/{notice.id}"), {"answer": answer})
    assert "1部分" in page.words
    assert "ハブに届きました" in page.words
    assert readable(partner, notice) == ["identity"]
    assert [one.answer for one in partner.connector.hub.notices(open_only=False)] == [answer]
    assert page.html.select("main form") == []
    assert "返事を待っているお願いはありません" in worker.get("/notices").words


def test_what_the_law_has_kept_stays_with_its_ground_and_its_end(
    partner: Office, worker: Browser, notice: Notice
) -> None:
    said = {"answer": "kept_by_law", "ground": "medical-record", "until": "令和13年3月31日"}
    page = worker.send(worker.get(f"/notices/{notice.id}"), said)
    assert "法令により保存" in page.words
    assert readable(partner, notice) == ["identity", "contact"]


@pytest.mark.parametrize(
    ("said", "blamed"),
    [
        ({}, ["answer"]),
        ({"answer": "canary"}, ["answer"]),
        ({"answer": "kept_by_law"}, ["ground", "until"]),
        ({"answer": "kept_by_law", "ground": "canary", "until": "R13.3.31"}, ["ground"]),
        ({"answer": "kept_by_law", "ground": "dispute", "until": "R1.5.1"}, ["until"]),
        ({"answer": "kept_by_law", "ground": "dispute", "until": "昭和65年1月1日"}, ["until"]),
    ],
)
def test_an_answer_that_is_not_whole_changes_nothing(
    partner: Office, worker: Browser, notice: Notice, said: dict[str, str], blamed: list[str]
) -> None:
    page = worker.post(f"/notices/{notice.id}", said)
    assert (page.status, page.faults) == (422, blamed)
    assert readable(partner, notice) == ["identity", "contact"]
    assert [one.answer for one in partner.connector.hub.notices(open_only=False)] == [None]


def test_with_the_line_down_the_answer_waits_and_is_not_given_twice(
    partner: Office, worker: Browser, notice: Notice, network: Network
) -> None:
    network.hub.away = True
    page = worker.post(f"/notices/{notice.id}", {"answer": "purged"})
    assert "つながり次第届けます" in page.words
    assert "ハブに届くのを待っています" in page.words
    assert "すでに答えています" in worker.post(f"/notices/{notice.id}", {"answer": "returned"}).words
    network.hub.away = False
    partner.connector.push()
    assert [one.answer for one in partner.connector.hub.notices(open_only=False)] == ["purged"]
    assert "「消去した」と答えました" in worker.get(f"/notices/{notice.id}").words


def test_the_list_is_empty_in_words(browser: Browser) -> None:
    assert "返事を待っているお願いはありません" in browser.get("/notices").words
