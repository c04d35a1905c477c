# SPDX-License-Identifier: Apache-2.0
"""Samples of paper at the desk: which form an officer drew, what lies here of it, and the answer, right or not."""

from __future__ import annotations

import io
from dataclasses import dataclass

import pytest

from connectors.casebook import access, papers
from connectors.casebook.tables_files import scans
from connectors.sdk.answers import PaperSample
from connectors.testing.papers import draw
from tests.connectors.desk.intaking import scopes, signed_on_screen
from tests.connectors.desk.office import Browser, Office, Page
from tests.connectors.story import NAME, Network


@dataclass
class Drawing:
    """A form that was signed on the screen and drawn by an officer."""

    network: Network
    office: Office
    browser: Browser
    sample: PaperSample

    @property
    def path(self) -> str:
        return f"/samples/{self.sample.id}"

    @property
    def outcome(self) -> str | None:
        return self.network.hub.samples[self.sample.id][1].outcome

    def answer(self, **said: object) -> Page:
        return self.browser.send(self.browser.get(self.path), dict(said), form="form[enctype]")

    def scan(self) -> bytes:
        with self.office.connector.casebook.transaction() as connection:
            return bytes(connection.execute(scans.select()).one().body)

    def change(self, **values: object) -> None:
        """Let something else lie here than what was signed for."""
        with self.office.connector.casebook.transaction() as connection:
            connection.execute(scans.update().values(**values) if values else scans.delete())


@pytest.fixture
def drawing(network: Network, office: Office, partner: Office, browser: Browser) -> Drawing:
    signed_on_screen(browser)
    office.connector.sync()
    (signed, *_) = scopes(office.connector)
    sample = draw(network.hub, office.connector.agency, signed.id)
    office.connector.sync()
    return Drawing(network, office, browser, sample)


def test_it_stands_on_the_board_and_is_answered_from_what_lies_here(drawing: Drawing) -> None:
    board = drawing.browser.get("/")
    link = board.html.select_one(f"a[href='{drawing.path}']")
    assert link is not None
    assert NAME in drawing.browser.get("/samples").words
    page = drawing.browser.get(drawing.path)
    assert "署名のときに登録した値と一致します" in page.words
    done = drawing.answer(answer="seen")
    assert "答えはハブに届きました" in done.words
    assert drawing.outcome == "matches"
    drawing.office.connector.sync()
    assert "一致" in drawing.browser.get("/samples").words
    assert drawing.browser.get("/").html.select_one(f"a[href='{drawing.path}']") is None
    with drawing.office.connector.casebook.transaction() as connection:
        done_here = [one.action for one in access.history(connection, drawing.sample.case)]
    assert {"scan:viewed", "sample:answered"} <= set(done_here)


def test_what_was_replaced_is_said_before_and_answered_as_it_is(drawing: Drawing) -> None:
    drawing.change(body=b"another paper")
    assert "一致しません" in drawing.browser.get(drawing.path).words
    drawing.answer(answer="seen")
    assert drawing.outcome == "differs"
    assert "一致しない" in drawing.browser.get(drawing.path).words


def test_that_there_is_no_paper_is_an_answer(drawing: Drawing) -> None:
    drawing.answer(answer="absent")
    assert drawing.outcome == "not_found"
    assert "紙なし" in drawing.browser.get(drawing.path).words


def test_without_a_scan_here_the_file_that_was_signed_for_answers(drawing: Drawing) -> None:
    body = drawing.scan()
    drawing.change()
    page = drawing.answer(answer="seen")
    assert (page.status, page.faults) == (422, ["scan"])
    empty = drawing.answer(answer="seen", scan=(io.BytesIO(b""), "scan.png"))
    assert (empty.status, empty.faults) == (422, ["scan"])
    assert drawing.outcome is None
    drawing.answer(answer="seen", scan=(io.BytesIO(body), "scan.png"))
    assert drawing.outcome == "matches"


def test_without_the_record_of_the_form_nobody_can_say_that_they_saw_it(drawing: Drawing) -> None:
    with drawing.office.connector.casebook.transaction() as connection:
        connection.execute(papers.tables.forms.update().values(evidence_key=None))
    assert "記録が手元にありません" in drawing.browser.get(drawing.path).words
    page = drawing.answer(answer="seen")
    assert (page.status, page.faults) == (422, ["answer"])
    drawing.answer(answer="absent")
    assert drawing.outcome == "not_found"


@pytest.mark.parametrize("said", [{}, {"answer": "canary"}])
def test_an_answer_that_is_none_changes_nothing(drawing: Drawing, said: dict[str, object]) -> None:
    page = drawing.answer(**said)
    assert (page.status, page.faults, drawing.outcome) == (422, ["answer"], None)


def test_with_the_line_down_the_answer_waits_and_is_given_once(drawing: Drawing) -> None:
    form = drawing.browser.get(drawing.path)
    drawing.network.hub.away = True
    page = drawing.browser.send(form, {"answer": "seen"}, form="form[enctype]")
    assert "つながり次第届けます" in page.words
    assert "すでに答えています" in drawing.browser.send(form, {"answer": "absent"}, form="form[enctype]").words
    drawing.network.hub.away = False
    drawing.office.connector.sync()
    assert drawing.outcome == "matches"


def test_what_an_officer_saw_on_the_spot_waits_here_no_longer(drawing: Drawing) -> None:
    drawing.office.connector.hub.answer_sample(drawing.sample.id, None)
    assert drawing.browser.get(drawing.path).html.select("form[enctype]") != []
    drawing.office.connector.sync()
    assert drawing.browser.get(drawing.path).html.select("form[enctype]") == []


def test_an_answer_that_the_hub_refuses_can_be_given_again(drawing: Drawing) -> None:
    drawing.network.hub.samples[drawing.sample.id] = ("another agency", drawing.sample)
    assert "受け付けませんでした" in drawing.answer(answer="seen").words
    drawing.network.hub.samples[drawing.sample.id] = (drawing.office.connector.agency, drawing.sample)
    drawing.answer(answer="seen")
    assert drawing.outcome == "matches"


def test_what_is_not_there_is_said_and_the_list_is_empty_in_words(browser: Browser) -> None:
    assert browser.get("/samples/canary").status == 404
    assert "答えを待っている抜き取り確認はありません" in browser.get("/samples").words
