# SPDX-License-Identifier: Apache-2.0
"""The intake form as a caseworker fills it in: what is told, what may be passed on, to whom (ux D6)."""

from __future__ import annotations

import pytest

from connectors.casebook import files, people, statements, words
from consent.decisions import Permitted
from tests.connectors.desk.intaking import (
    LOAN,
    PERSON,
    STROKES,
    Filling,
    answers,
    only_case,
    scopes,
    signed_on_screen,
)
from tests.connectors.desk.office import Browser, Office
from tests.connectors.story import NAME, Network, letter, text


def test_a_form_becomes_a_case_and_one_record_per_partner(browser: Browser, office: Office, partner: Office) -> None:
    page = signed_on_screen(browser)
    assert "登録しました" in page.words
    assert "登録済み" in page.words
    assert "同意の記録と一致しています" in page.words
    (made,) = scopes(office.connector)
    assert made.partners == {partner.connector.agency}
    assert (made.signature, made.kind, made.written_by) == ("self", "intake_form", "person")
    assert made.categories == {
        "identity",
        "contact",
        "consultation",
        "income_assets",
        "debt_arrears",
    }
    case = only_case(office.connector)
    with office.connector.casebook.transaction() as book:
        file = files.file_of(book, case)
        record = files.record_of(book, people.person_of(book, case, staff="t", now=office.connector.now()).id)  # type: ignore[union-attr]
    assert file is not None
    assert file.number == "令8-0001"
    assert file.caution == "昼のみ"
    assert record is not None
    assert str(record.born_on) == "1985-04-18"


def test_what_was_taken_lets_the_agency_send_and_no_more(browser: Browser, office: Office, partner: Office) -> None:
    signed_on_screen(browser)
    case = only_case(office.connector)
    said = office.connector.preview(letter(case, partner.connector, text("identity"), text("health"), text("housing")))
    assert [isinstance(one, Permitted) for _, one in said] == [True, False, False]


def test_answers_go_into_the_casebook_by_category(browser: Browser, office: Office, partner: Office) -> None:
    signed_on_screen(browser)
    known = answers(office.connector, only_case(office.connector))
    assert known["identity"] == {
        "name": NAME, "kana": "カクウダ ハナコ", "birth_date": "1985-04-18", "sex": "女性",
    }  # fmt: skip
    assert known["contact"] == {
        "address": "123-4567 架空市見本町1丁目2番3号 ①㍿",
        "telephone": "090-0000-0000",
        "safe_contact": "昼のみ",
    }
    assert known["consultation"]["topics"] == "◎収入・生活費、住まい"
    assert known["consultation"]["wish"] == PERSON["words"]


def test_a_protected_address_is_in_no_answer_and_stands_on_every_page(
    browser: Browser, office: Office, partner: Office
) -> None:
    page = signed_on_screen(browser, address_facts=["protected"])
    case = only_case(office.connector)
    assert "address" not in answers(office.connector, case)["contact"]
    assert "支援措置：住所を伝えない" in page.html.select_one(".person").get_text()  # type: ignore[union-attr]


def test_only_day_receiver_and_one_identifier_are_asked_for(browser: Browser, office: Office) -> None:
    filling = Filling(browser)
    page = filling.check(received_on="", method="none")
    assert page.status == 422
    assert page.faults == ["received_on", "name"]
    page = filling.check(received_on="R8.4.6", phone_mobile="090-0000-0000", declined=["name", "kana"], method="none")
    assert "本人が希望しない" in page.words
    assert "未聴取" in page.words
    page = filling.take()
    assert "（氏名未聴取）" in page.words
    with office.connector.casebook.transaction() as book:
        found = files.search(book, "0000", staff="t", now=office.connector.now())
        record = files.record_of(book, found[0].person.id)
    assert record is not None
    assert record.fields["untold"]["name"] == "declined"
    assert record.fields["untold"]["email"] == "not_asked"


def test_a_form_without_consent_begins_a_case_and_lets_nothing_out(
    browser: Browser, office: Office, partner: Office
) -> None:
    filling = Filling(browser)
    filling.look(**PERSON, **LOAN)
    assert "どこにも伝えません" in filling.check(method="none").words
    page = filling.take()
    assert "同意はまだありません" in page.words
    assert scopes(office.connector) == []
    (_, one), *_ = office.connector.preview(letter(only_case(office.connector), partner.connector))
    assert not isinstance(one, Permitted)
    assert NAME in browser.get("/intakes").words


def test_nothing_of_the_person_reaches_the_hub(
    browser: Browser, office: Office, partner: Office, network: Network
) -> None:
    signed_on_screen(browser, no1_words="病気のことは言わないで", no1_to=["*"], no1_what=["health"])
    everything = repr(vars(network.hub))
    assert scopes(office.connector)[0].case in everything
    for canary in (NAME, "ハナコ", "0000-0000", "見本町", "病気のこと", "昼のみ"):
        assert canary not in everything


def test_what_the_person_refuses_stands_in_their_words_and_wins(
    browser: Browser, office: Office, partner: Office
) -> None:
    filling = Filling(browser)
    filling.look(**PERSON, **LOAN)
    agency = partner.connector.agency
    no = {"no1_words": "お金のことは社協に言わないで", "no1_to": [agency], "no1_what": ["income_assets"]}
    page = filling.look(**no)
    assert "お金のことは社協に言わないで" in page.html.select_one("[data-sentence]").get_text()  # type: ignore[union-attr]
    assert page.html.select_one(f"input[value='{agency}:income_assets']") is None
    filling.check(method="pad", strokes=STROKES)
    filling.take()
    (made,) = scopes(office.connector)
    assert "income_assets" not in made.categories
    with office.connector.casebook.transaction() as book:
        (one,) = statements.exclusions_of(book, made.case)
        kept = words.words_about(book, one.id, staff="t", now=office.connector.now())
    assert (one.to, one.categories) == ({agency}, {"income_assets"})
    assert kept is not None
    assert kept[0].decode() == "お金のことは社協に言わないで"


def test_a_refusal_names_whom_and_what_or_is_not_taken(browser: Browser, partner: Office) -> None:
    filling = Filling(browser)
    filling.look(**PERSON, **LOAN)
    assert filling.check(method="none", no1_words="言わないで").faults == ["no1_to", "no1_what"]


def test_a_sensitive_category_is_never_ticked_by_itself(browser: Browser, office: Office, partner: Office) -> None:
    filling = Filling(browser)
    page = filling.look(**PERSON, **LOAN)
    agency = partner.connector.agency
    assert not page.html.select_one(f"input[value='{agency}:health']").has_attr("checked")  # type: ignore[union-attr]
    assert page.html.select_one(f"input[value='{agency}:legal']") is None
    ticks = [str(one["value"]) for one in page.html.select("input[name=m][checked]")]
    filling.check(m=[*ticks, f"{agency}:health", f"{agency}:legal", "nobody:health"], method="pad", strokes=STROKES)
    filling.take()
    (made,) = scopes(office.connector)
    assert "health" in made.categories
    assert "legal" not in made.categories


def test_boxes_that_the_person_cleared_stay_clear(browser: Browser, partner: Office) -> None:
    filling = Filling(browser)
    filling.look(**PERSON, **LOAN)
    page = filling.look(m=[])
    assert page.html.select("input[name=m][checked]") == []
    assert filling.check(method="pad", strokes=STROKES).faults == ["m"]


def test_partners_that_nobody_has_looked_at_are_not_signed_for(browser: Browser, partner: Office) -> None:
    filling = Filling(browser)
    page = filling.check(**PERSON, **LOAN, method="pad", strokes=STROKES)
    assert page.faults == ["m"]
    assert page.html.select_one("table.mx")
    assert filling.check().status == 200


def test_a_kind_without_a_known_agency_stands_for_itself(browser: Browser, office: Office, partner: Office) -> None:
    filling = Filling(browser)
    filling.look(**PERSON, purposes=["iryo_jushin"])
    filling.check(method="pad", strokes=STROKES)
    page = filling.take()
    (made,) = scopes(office.connector)
    assert made.partners == {"iryo"}
    assert "医療機関" in page.words


@pytest.mark.parametrize(("until", "is_fine"), [("R9.4.5", True), ("R9.4.6", False), ("R8.4.5", False)])
def test_a_consent_ends_within_twelve_months(browser: Browser, partner: Office, until: str, *, is_fine: bool) -> None:
    filling = Filling(browser)
    filling.look(**PERSON, **LOAN)
    page = filling.check(method="pad", strokes=STROKES, until=until)
    assert page.faults == ([] if is_fine else ["until"])


def test_somebody_who_may_be_the_same_person_is_offered_and_not_merged(
    browser: Browser, office: Office, partner: Office, network: Network
) -> None:
    signed_on_screen(browser)
    network.clock.on(minutes=1)
    filling = Filling(browser)
    filling.look(**PERSON | {"name": "高崎 吉", "kana": "かくうだはなこ"}, **LOAN)
    page = filling.check(method="pad", strokes=STROKES)
    assert NAME in page.words
    assert filling.take().faults == ["whom"]
    offers = [str(one["value"]) for one in filling.page.html.select("input[name=whom]")]
    assert [one.partition(":")[0] for one in offers] == ["case", "new"]
    assert filling.take(whom="case:elsewhere").status == 422
    filling.take(whom=offers[0])
    made = scopes(office.connector)
    assert made[0].case == made[1].case
    assert made[1].kind == "additional"
    assert answers(office.connector, made[0].case)["identity"]["name"] == "高崎 吉"
    with office.connector.casebook.transaction() as book:
        assert files.people_of(book, [made[0].case])[made[0].case].name == NAME


def test_somebody_else_with_the_same_reading_and_birthday_gets_a_case_of_their_own(
    browser: Browser, office: Office, partner: Office
) -> None:
    signed_on_screen(browser)
    filling = Filling(browser)
    filling.look(**PERSON, **LOAN)
    filling.check(method="pad", strokes=STROKES)
    filling.take(whom="new")
    made = scopes(office.connector)
    assert made[0].case != made[1].case


def test_a_form_opened_from_a_case_knows_the_person_and_may_replace_what_was_signed(
    browser: Browser, office: Office, partner: Office, network: Network
) -> None:
    signed_on_screen(browser)
    network.clock.on(minutes=1)
    (before,) = scopes(office.connector)
    filling = Filling(browser, f"/intakes/new?case={before.case}")
    assert filling.page.html.select_one("input[name=name]")["value"] == NAME  # type: ignore[index]
    filling.look(name="架空田 花子", **LOAN)
    filling.check(method="pad", strokes=STROKES)
    filling.take(replaces="yes")
    made = scopes(office.connector)
    assert made[1].supersedes == {before.id}
    with office.connector.casebook.transaction() as book:
        assert files.people_of(book, [before.case])[before.case].name == "架空田 花子"


def test_with_the_line_down_the_form_is_taken_and_waits(
    browser: Browser, office: Office, partner: Office, network: Network
) -> None:
    network.hub.away = True
    page = signed_on_screen(browser)
    assert "ハブにはまだ届いていません" in page.words
    assert "送信待ち" in page.words
    network.hub.away = False
    office.connector.push()
    assert "登録済み" in browser.get(page.answer.request.path).words


def test_a_second_click_leads_to_what_the_first_one_made(browser: Browser, office: Office, partner: Office) -> None:
    filling = Filling(browser)
    filling.look(**PERSON, **LOAN)
    check = filling.check(method="pad", strokes=STROKES)
    filling.take()
    filling.page = check
    assert "控え番号" in filling.take().words
    assert len(scopes(office.connector)) == 1
    assert browser.get(filling.at).status == 200
    assert "控え番号" in browser.get(filling.at).words


def test_a_draft_is_kept_found_again_and_thrown_away(browser: Browser, office: Office) -> None:
    filling = Filling(browser)
    page = filling.press("save", name=NAME)
    assert NAME in page.words
    assert browser.get(filling.at).html.select_one("input[name=name]")["value"] == NAME  # type: ignore[index]
    saved = browser.post(f"{filling.at}/save", {"name": "仮名", "m": ["x"]})
    assert saved.answer.get_data(as_text=True) == "10:30 下書きを保存しました"
    assert browser.get(filling.at).html.select_one("input[name=name]")["value"] == "仮名"  # type: ignore[index]
    other = office.browser(office.hire("架空 三郎"))
    assert other.get(filling.at).status == 404
    assert browser.post(f"{filling.at}/drop").status == 200
    assert browser.get(filling.at).status == 404


def test_a_save_that_is_late_on_the_line_does_not_undo_what_was_sent_after_it(browser: Browser) -> None:
    filling, page, other = Filling(browser), "0" * 24, "1" * 24
    filling.press("save", name=NAME, turn=f"{page} 1002")

    def kept_after(turn: str) -> str:
        assert browser.post(f"{filling.at}/save", {"name": "仮名", "turn": turn}).status == 200
        field = browser.get(filling.at).html.select_one("input[name=name]")
        return str(field["value"]) if field else ""

    assert kept_after(f"{page} 1001") == NAME
    late = {"name": "仮名", "turn": f"{page} 1001", "csrf_token": browser.token}
    assert browser.client.post(f"{filling.at}/sentence", data=late).status_code == 200
    assert kept_after(f"{page} 1000") == NAME
    assert kept_after(f"{page} 1003") == "仮名"
    browser.post(f"{filling.at}/save", {"name": NAME, "turn": f"{page} 1004"})
    assert kept_after(f"{other} 1") == "仮名", "another page is another matter"
    browser.post(f"{filling.at}/save", {"name": NAME, "turn": f"{other} 2"})
    assert kept_after("no turn at all") == "仮名"


def test_an_empty_form_is_taken_up_again_and_not_made_twice(browser: Browser) -> None:
    assert Filling(browser).at == Filling(browser).at


def test_the_sentence_follows_the_boxes(browser: Browser, partner: Office) -> None:
    filling = Filling(browser)
    page = filling.look(**PERSON, **LOAN)
    said = page.html.select_one("[data-sentence]")
    assert said is not None
    assert "社会福祉" not in said.get_text()
    assert [one.get_text() for one in said.select("h3")] == ["架空の機関1"]
    assert said.select_one("ruby rt")
    asked = {"purposes": LOAN["purposes"], "columns": [partner.connector.agency], "csrf_token": browser.token}
    answer = browser.client.post(f"{filling.at}/sentence", data=asked)
    assert "ぜんぶ" in answer.get_data(as_text=True)


def test_english_pages_are_english(office: Office, partner: Office) -> None:
    browser = office.browser(office.hire(), language="en")
    filling = Filling(browser)
    page = filling.look(**PERSON, **LOAN)
    assert "We tell" in page.words
    filling.check(method="pad", strokes=STROKES)
    assert "Receipt number" in filling.take().words


def test_the_blank_form_has_every_topic(browser: Browser) -> None:
    page = browser.get("/intakes/blank")
    assert len(page.html.select(".a4__topics .a4__box")) == 16
