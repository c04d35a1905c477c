# SPDX-License-Identifier: Apache-2.0
"""The person's copy and the page turned to the person: six languages, furigana, equal answers, one A4 page for each."""

from __future__ import annotations

import io
import json
import re
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from importlib.resources import files

import pytest
from pypdf import PdfReader

from connectors.casebook import access, mirror
from connectors.desk.consents import copying, reads, wording
from connectors.sdk.threads import Notice, NoticeItem
from consent.vocabulary.codes import CATEGORIES, PURPOSES, RECIPIENTS
from tests.connectors.desk.consent_office import admit, provide
from tests.connectors.desk.office import Browser, Office
from tests.connectors.desk.serving import served
from tests.connectors.story import NAME, NOW, Network, consent
from tests.pages import seeing
from tests.pages.seeing import Eyes

LANGUAGES = ("ja-easy", "ja", "en", "zh-Hans", "vi", "pt")
CATALOGUE = json.loads(files("connectors.desk.consents").joinpath("person.json").read_text(encoding="utf-8"))
SANS_KANJI = re.compile(r"[㐀-鿿々]")


def code_of(office: Office, case: str, made: str) -> str:
    with office.connector.casebook.transaction() as connection:
        found = reads._registers(connection, [case], office.connector.now())[case]
        return next(one.code for one in found if one.id == made)


# ── the words ──


@pytest.mark.parametrize("key", CATALOGUE["texts"])
def test_every_text_is_there_in_six_languages_and_fills_the_same_places(key: str) -> None:
    said = CATALOGUE["texts"][key]
    assert tuple(said) == LANGUAGES
    places = {frozenset(re.findall(r"\{(\w+)\}", one)) for one in said.values()}
    assert len(places) == 1
    assert all(one.strip() for one in said.values())


@pytest.mark.parametrize(
    ("code_list", "codes"), [("categories", CATEGORIES), ("recipients", RECIPIENTS), ("purposes", PURPOSES)]
)
def test_every_code_has_words_for_the_person(code_list: str, codes: frozenset[str]) -> None:
    assert CATALOGUE[code_list].keys() == codes
    assert all(tuple(row) == ("ja-easy", "zh-Hans", "vi", "pt") for row in CATALOGUE[code_list].values())


def test_no_kanji_stands_in_the_easy_language_without_its_reading() -> None:
    easy = [
        row["ja-easy"] for part in ("texts", "categories", "recipients", "purposes") for row in CATALOGUE[part].values()
    ]
    bare = [one for one in easy if SANS_KANJI.search(re.sub(r"\[[^\]|]+\|[ぁ-ゖー]+\]", "", one))]
    assert bare == []


def test_what_fills_a_place_is_never_read_as_furigana_or_markup() -> None:
    said = wording.Wording("ja-easy").say("san", name="[架|か]<b>")
    assert said == "[架|か]&lt;b&gt;さん"


# ── the copy ──


@pytest.mark.parametrize("words", LANGUAGES)
def test_the_copy_says_who_what_why_until_when_twice(
    office: Office, partner: Office, browser: Browser, words: str
) -> None:
    case, made = admit(office, partner.connector)
    page = browser.get(f"/consents/{made}/copy?words={words}")
    sheets = page.html.select("article.sheet")
    assert [one["lang"] for one in sheets] == [wording.Wording(words).html] * 2
    own = wording.Wording(words)
    for sheet in sheets:
        said = sheet.get_text()
        assert "架空の機関1" in said or "Fictional agency 1" in said
        assert NAME in said
        for text in (
            own.say("know-no"),
            own.say("know-stop"),
            own.say("know-seal"),
            own.code_of("categories", "contact"),
        ):
            assert text.striptags() in " ".join(str(one) for one in [sheet.get_text(" ")]) or text in str(sheet), text
    assert page.words.count(code_of(office, case, made)[:4]) >= 2


def test_the_easy_copy_has_furigana_and_needs_no_seal(office: Office, partner: Office, browser: Browser) -> None:
    _, made = admit(office, partner.connector)
    html = browser.get(f"/consents/{made}/copy").answer.get_data(as_text=True)
    assert "<ruby>電話<rp>（</rp><rt>でんわ</rt>" in html
    assert "はんこは" in html


def test_the_code_is_of_the_records_hash_and_names_nobody(
    office: Office, partner: Office, browser: Browser, network: Network
) -> None:
    case, made = admit(office, partner.connector)
    code = code_of(office, case, made)
    assert re.fullmatch("[0-9a-f]{16}", code)
    assert network.hub.consents[made].shown.hash.startswith(code)
    page = browser.get(f"/consents/{made}/copy")
    pictures = page.html.select(".sign__qr svg")
    assert len(pictures) == 2
    assert NAME not in str(pictures)


def test_the_copy_names_all_whom_the_form_named_or_one_alone(office: Office, partner: Office, browser: Browser) -> None:
    case, first = admit(office, partner.connector)
    consent(office.connector, case, "houterasu", categories=frozenset({"identity", "debt_arrears"}))
    consent(office.connector, case, "hellowork", form="another-form")
    office.connector.push()
    whole = browser.get(f"/consents/{first}/copy?words=ja").words
    assert "法テラス" in whole
    assert "ハローワーク" not in whole
    assert "法テラス" not in browser.get(f"/consents/{first}/copy?words=ja&alone=1").words


def test_what_was_refused_or_taken_back_stands_under_not_told(
    office: Office, partner: Office, browser: Browser
) -> None:
    case, made = admit(office, partner.connector)
    browser.post(f"/cases/{case}/exclusions/new", {"to": ["*"], "categories": ["contact"]})
    sheet = browser.get(f"/consents/{made}/copy?words=ja").html.select_one("article.sheet .who-what")
    assert sheet is not None
    yes, no = sheet.select_one(".yes"), sheet.select_one(".nope")
    assert yes is not None
    assert no is not None
    assert "連絡先" not in yes.get_text()
    assert "連絡先" in no.get_text()
    assert "健康・医療" in no.get_text()


def test_while_the_signature_is_awaited_yes_and_no_stand_side_by_side(
    office: Office, partner: Office, browser: Browser
) -> None:
    _, made = admit(office, partner.connector, signature="oral_pending", evidence="")
    page = browser.get(f"/consents/{made}/copy?words=ja")
    assert [one.get_text() for one in page.html.select(".sign__yn")[0].select("span")] == ["□ はい", "□ いいえ"]
    assert "あと14日" in page.words


def test_partners_that_do_not_fit_go_onto_further_sheets_and_none_is_lost(
    office: Office, partner: Office, browser: Browser
) -> None:
    case, made = admit(office, partner.connector)
    others = sorted(RECIPIENTS - {"jiritsu"})
    for one in others:
        consent(office.connector, case, one, categories=frozenset({"*", "health", "disability"}))
    page = browser.get(f"/consents/{made}/copy?words=ja")
    sheets = page.html.select("article.sheet")
    assert len(sheets) > 4
    assert len(page.html.select(".who-what > li")) == 2 * (len(others) + 1)
    assert f"1/{len(sheets) // 2}" in page.words


# ── the page turned to the person ──


def test_the_person_sees_who_is_told_what_and_what_was_told(office: Office, partner: Office, browser: Browser) -> None:
    case, _ = admit(office, partner.connector)
    provide(office, partner, case)
    page = browser.get(f"/cases/{case}/person?words=ja")
    for said in ("だれに、何を伝えるか", "架空の機関1", "あなたの記録", "令和8年（2026年）4月6日"):
        assert said in page.words, said
    with office.connector.casebook.transaction() as connection:
        assert "provisions:read" in [one.action for one in access.history(connection, case)]


def test_nothing_of_the_office_stands_on_the_persons_page(office: Office, partner: Office, browser: Browser) -> None:
    case, _ = admit(office, partner.connector)
    page = browser.get(f"/cases/{case}/person").html
    assert page.select("nav.side, .find, .person__note, .tabbar") == []
    leave = page.select_one("a[data-leave]")
    assert leave is not None
    quiet = browser.get(str(leave["href"]))
    assert NAME not in quiet.answer.get_data(as_text=True)
    assert "同意" not in quiet.answer.get_data(as_text=True)


@pytest.mark.parametrize(("answer", "said"), [("yes", "署名していただきます"), ("no", "相談は続けられます")])
def test_yes_and_no_to_a_renewal_weigh_the_same(
    office: Office, partner: Office, browser: Browser, answer: str, said: str
) -> None:
    case, _ = admit(office, partner.connector, valid_until=NOW + timedelta(days=20))
    page = browser.get(f"/cases/{case}/person?words=ja")
    yes, no = page.html.select("form button[name=answer]")
    assert (yes["class"], yes.get_text(), no.get_text()) == (no["class"], "はい", "いいえ")
    page = browser.post(f"/cases/{case}/person?words=ja", {"answer": answer})
    assert said in page.words
    register = browser.get(f"/cases/{case}/consents").words
    assert ("更新に「いいえ」" in register) == (answer == "no")


def test_an_answer_that_is_none_changes_nothing(office: Office, partner: Office, browser: Browser) -> None:
    case, _ = admit(office, partner.connector, valid_until=NOW + timedelta(days=20))
    page = browser.post(f"/cases/{case}/person", {"answer": "canary"})
    assert page.status == 200
    assert "canary" not in page.words
    with office.connector.casebook.transaction() as connection:
        assert not [one for one in access.history(connection, case) if one.action.startswith("renewal")]


def test_a_person_without_consent_reads_that_nothing_is_told(office: Office, partner: Office, browser: Browser) -> None:
    case, _ = admit(office, partner.connector, valid_until=NOW + timedelta(days=1))
    office.connector.clock.on(days=2)  # type: ignore[attr-defined]
    browser = office.browser(office.hire("仮名 後"))
    assert "いま有効な同意はありません" in browser.get(f"/cases/{case}/person?words=ja").words


# ── on paper, by Chromium ──


SEVEN = frozenset({"identity", "contact", "consultation", "income_assets", "debt_arrears", "housing", "work_education"})


@contextmanager
def tab(eyes: Eyes, office: Office, url: str, **how: object) -> Iterator[seeing.Page]:
    cookie = office.browser(office.hire(f"仮名 {uuid.uuid4()}")).client.get_cookie(
        office.app.config["SESSION_COOKIE_NAME"]
    )
    assert cookie is not None
    with eyes.tab(**how) as page:  # type: ignore[arg-type]
        page.context.add_cookies([{"name": cookie.key, "value": cookie.value, "url": url}])
        yield page


def printed(page: seeing.Page, url: str) -> PdfReader:
    page.goto(url)
    return PdfReader(io.BytesIO(page.pdf(prefer_css_page_size=True, print_background=True)))


@pytest.mark.slow
def test_each_copy_is_exactly_one_a4_page_in_every_language(office: Office, partner: Office, eyes: Eyes) -> None:
    small, one = admit(office, partner.connector)
    awaited, two = admit(office, partner.connector, signature="oral_pending", evidence="")
    some, four = admit(office, partner.connector, categories=SEVEN)
    for kind in ("fukushi_jimusho", "houterasu"):
        consent(office.connector, some, kind, categories=SEVEN)
    many, three = admit(office, partner.connector, name="架" * 30)
    for kind in sorted(RECIPIENTS - {"jiritsu"}):
        consent(office.connector, many, kind, purposes=frozenset(sorted(PURPOSES)[:4]), categories=CATEGORIES)
    office.connector.push()
    with served(office) as url, tab(eyes, office, url) as page:
        for made in (one, two, three, four):
            for words in LANGUAGES:
                where = f"{url}/consents/{made}/copy?words={words}"
                pdf = printed(page, where)
                sheets = page.locator("article.sheet").count()
                assert len(pdf.pages) == sheets, (made == three, words)
                assert sheets == 2 or made == three
                width, height = (float(side) / 72 * 25.4 for side in pdf.pages[0].mediabox[2:])
                assert (round(width), round(height)) == (210, 297)
    assert {small, awaited, some, many}
    assert eyes.complaints == []


@pytest.mark.slow
def test_the_record_of_provision_prints_on_numbered_pages(office: Office, partner: Office, eyes: Eyes) -> None:
    case, _ = admit(office, partner.connector)
    for _ in range(3):
        provide(office, partner, case)
    with served(office) as url, tab(eyes, office, url) as page:
        pdf = printed(page, f"{url}/cases/{case}/provisions")
    assert "1 / " in pdf.pages[0].extract_text()
    assert "架空の機関1" in pdf.pages[0].extract_text()


@pytest.mark.slow
def test_close_leaves_no_way_back(office: Office, partner: Office, eyes: Eyes) -> None:
    case, _ = admit(office, partner.connector)
    with served(office) as url, tab(eyes, office, url) as page:
        page.goto(f"{url}/quiet")
        page.goto(f"{url}/cases/{case}/person")
        page.locator("[data-leave]").click()
        page.wait_for_url(f"{url}/quiet")
        page.go_back()
        assert page.url == f"{url}/quiet"
        page.goto(f"{url}/cases/{case}/person")
        for _ in range(3):
            page.keyboard.press("Shift")
        page.wait_for_url(f"{url}/quiet")


@pytest.mark.slow
def test_the_pages_can_be_used_by_everybody(office: Office, partner: Office, eyes: Eyes) -> None:
    case, made = admit(office, partner.connector, valid_until=NOW + timedelta(days=20))
    provide(office, partner, case)
    notice = Notice(
        id=office.connector.new_id(), case=case, withdrawal=office.connector.new_id(), raised_at=NOW,
        due_at=NOW - timedelta(days=3),
        items=(NoticeItem(message=made, sender=partner.connector.agency, categories=("contact",)),),
    )  # fmt: skip
    with office.connector.casebook.transaction() as connection:
        mirror.keep_notices(connection, [notice])
    office.browser(office.hire("仮名 書")).post(
        f"/cases/{case}/exclusions/new", {"to": ["*"], "categories": ["health"], "words": "架空の言葉"}
    )
    paths = {
        "consents": f"/cases/{case}/consents",
        "consents-copy": f"/consents/{made}/copy",
        "consents-person": f"/cases/{case}/person",
        "consents-withdraw": f"/cases/{case}/withdraw",
        "consents-confirm": f"/cases/{case}/withdraw/confirm?what=all&channel=here",
        "consents-exclude": f"/cases/{case}/exclusions/new",
        "consents-provisions": f"/cases/{case}/provisions",
        "consents-unwritable": f"/cases/{case}/provisions.csv?encoding=cp932",
        "consents-code": "/consents/code",
        "consents-notices": "/notices",
        "consents-notice": f"/notices/{notice.id}",
        "consents-quiet": "/quiet",
    }
    wrong: list[str] = []
    with served(office) as url:
        for language, width in (("ja", seeing.WIDE), ("en", seeing.NARROW), ("ja", seeing.NARROW)):
            with tab(eyes, office, url, language=language, width=width) as page:
                for name, path in paths.items():
                    page.set_viewport_size({"width": width, "height": 900})
                    page.goto(url + path)
                    # whole: the tab bar stands over whatever is at the bottom of a window, and axe measures that
                    whole = page.evaluate("document.documentElement.scrollHeight")
                    page.set_viewport_size({"width": width, "height": max(900, whole + 100)})
                    seeing.shoot(page, f"{name}-{language}-{width}")
                    wrong += [f"{name} {language} {width}: {one}" for one in seeing.violations(page)]
                    if seeing.scrolls_sideways(page):
                        wrong.append(f"{name} {language} {width}: scrolls sideways")
    assert wrong == []
    assert eyes.complaints == []


def test_sheets_are_dealt_in_order_and_never_empty() -> None:
    assert copying._sheets([]) == [[]]
