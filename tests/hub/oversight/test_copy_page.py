# SPDX-License-Identifier: Apache-2.0
"""The page behind the code on a printed copy: what holds now, in easy Japanese, without a name, and no oracle."""

import re
from datetime import timedelta

import pytest
import sqlalchemy as sa
from bs4 import BeautifulSoup
from flask import Flask

from hub.app import create_app
from hub.base.config import Settings
from hub.base.db import Database
from hub.oversight.pages import segments
from tests.hub.builders import new_uuid
from tests.hub.conftest import ISSUER
from tests.hub.messages.story import Story
from tests.hub.oversight.conftest import Office


@pytest.fixture
def hub(settings: Settings, database: Database, office: Office) -> Flask:
    return create_app(settings, database, oversight=office.dpo)


def code(office: Office, consent: str) -> str:
    with office.dpo.transaction(None) as session:
        found = sa.text("select record_hash from consents where consent = :id")
        return str(session.execute(found, {"id": consent}).scalar_one())[:16]


def visit(hub: Flask, path: str):
    return hub.test_client().get(path, base_url=ISSUER)


def page(hub: Flask, path: str) -> BeautifulSoup:
    answer = visit(hub, path)
    assert answer.status_code == 200, answer.status_code
    return BeautifulSoup(answer.text, "html.parser")


def words(soup: BeautifulSoup) -> str:
    for reading in soup.find_all(["rt", "rp"]):
        reading.decompose()
    return re.sub(r"\s+", "", soup.get_text())


def test_it_says_who_may_learn_what_until_when_and_how_to_stop_it(hub: Flask, office: Office) -> None:
    story: Story = office.story
    consent = story.consent(categories=("identity", "income_assets"))
    soup = page(hub, f"/c/{consent}/{code(office, consent)}")
    assert soup.html["lang"] == "ja"
    assert soup.find("ruby")
    said = words(soup)
    for one in ("いま使えます", "本人確認情報", "収入・資産・家計", "理由はいりません", "総合支援資金"):
        assert one in said
    assert story.case not in str(soup)
    assert soup.find("form") is None
    english = page(hub, f"/c/{consent}/{code(office, consent)}?lang=en")
    assert english.html["lang"] == "en"
    assert "In force" in english.get_text()


def test_capitals_lead_to_the_same_page(hub: Flask, office: Office) -> None:
    consent = office.story.consent()
    path = f"/c/{consent}/{code(office, consent)}"
    assert visit(hub, path.upper()).data == visit(hub, path).data


def test_all_partners_of_the_form_are_there_and_no_other_form(hub: Flask, office: Office) -> None:
    story = office.story
    form = new_uuid()
    first = story.consent(form=form)
    story.consent(form=form, partners=frozenset({"houterasu"}), categories=("identity", "legal"))
    story.consent(partners=frozenset({"iryo"}))
    soup = page(hub, f"/c/{first}/{code(office, first)}")
    assert len(soup.find_all("h3")) == 2
    assert "法テラス" in soup.get_text()
    assert "医療" not in soup.get_text()


def test_what_was_taken_back_is_said_at_once(hub: Flask, office: Office) -> None:
    story = office.story
    partly, wholly = story.consent(), story.consent()
    story.withdraw(partly, categories=("income_assets",))
    story.withdraw(wholly)
    soup = page(hub, f"/c/{partly}/{code(office, partly)}")
    assert "もう伝えない収入・資産・家計" in words(soup)
    assert "いま使えます" in words(page(hub, f"/c/{partly}/{code(office, partly)}"))
    assert "やめました" in words(page(hub, f"/c/{wholly}/{code(office, wholly)}"))


def test_an_ended_record_says_so(hub: Flask, office: Office) -> None:
    at = office.story.time()
    consent = office.story.consent(
        valid_from=at - timedelta(days=40), valid_until=at + timedelta(milliseconds=300), signed_at=at
    )
    import time

    time.sleep(0.4)
    assert "終わりました" in words(page(hub, f"/c/{consent}/{code(office, consent)}"))


def test_whatever_is_wrong_the_answer_is_the_same(hub: Flask, office: Office) -> None:
    consent = office.story.consent()
    right = code(office, consent)
    wrong = "0" * 16 if right != "0" * 16 else "1" * 16
    tried = [
        f"/c/{consent}/{wrong}",
        f"/c/{new_uuid()}/{right}",
        f"/c/{consent}/{right[:15]}",
        f"/c/{consent}/{'%25' * 16}",
        f"/c/{consent}/{'_' * 16}",
        f"/c/kakuu/{right}",
    ]
    answers = [visit(hub, path) for path in tried]
    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.data for answer in answers}) == 1


def test_an_address_that_guesses_waits_and_is_told_how_long(hub: Flask, office: Office) -> None:
    consent = office.story.consent()
    for _ in range(10):
        assert visit(hub, f"/c/{new_uuid()}/{'0' * 16}").status_code == 404
    answer = visit(hub, f"/c/{consent}/{code(office, consent)}")
    assert answer.status_code == 429
    assert 0 < int(answer.headers["Retry-After"]) <= 600
    assert "本人確認" not in answer.text


def test_it_carries_a_policy_without_scripts_and_is_kept_by_nobody(hub: Flask, office: Office) -> None:
    consent = office.story.consent()
    answer = visit(hub, f"/c/{consent}/{code(office, consent)}")
    assert "script-src" not in answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert (answer.headers["Cache-Control"], answer.headers["X-Robots-Tag"]) == ("no-store", "noindex")
    soup = BeautifulSoup(answer.text, "html.parser")
    assert soup.find_all("script") == []
    assert soup.find_all(style=True) == []
    assert visit(hub, "/c/copy.css").status_code == 200


def test_furigana_is_taken_apart() -> None:
    assert segments("[今|いま]の ようす") == [("今", "いま"), ("の ようす", None)]
    assert segments("plain") == [("plain", None)]
    assert segments("") == []
