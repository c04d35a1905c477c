# SPDX-License-Identifier: Apache-2.0
"""What Japanese forms bring along: names that careless software spoils, digits of every width, eras (group JPN)."""

from __future__ import annotations

import string
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.base.wareki import DayError, read_day
from connectors.casebook import compose, files
from connectors.desk.intakes import rules
from consent.envelope.sealing import PlainPart
from tests.connectors.desk.intaking import LOAN, PERSON, STROKES, Filling, answers, only_case
from tests.connectors.desk.office import Browser, Office
from tests.connectors.story import PURPOSE, Network

NAMES = {
    "mincho-kami": "\ufa19田 架空",
    "selector": "葛\U000e0100城 架空",
    "hashigo-daka": "髙橋 架空",
    "tatsu-saki": "\ufa11山 架空",
    "tsuchi-yoshi": "\U00020bb7田 架空",
    "chinese": "虚构 李秀英",
    "vietnamese-composed": "Nguyễn Thị Hư Cấu",
    "vietnamese-apart": "Nguye\u0302\u0303n Thi\u0323 Hu\u031b Ca\u0302\u0301u",
    "single": "カクウ",
    "compatibility": "架空 ①㍿㈱Ⅲ",
    "wave": "架空～〜－−‐",
}


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
def test_a_name_survives_from_the_form_to_the_partner_byte_for_byte(
    browser: Browser, office: Office, partner: Office, network: Network, name: str
) -> None:
    filling = Filling(browser)
    filling.look(**PERSON | {"name": name}, **LOAN)
    page = filling.check(method="pad", strokes=STROKES)
    assert name in page.html.get_text()
    filling.take()
    case = only_case(office.connector)
    kept = answers(office.connector, case)["identity"]["name"]
    assert kept.encode() == name.encode()
    with office.connector.casebook.transaction() as book:
        assert files.people_of(book, [case])[case].name.encode() == name.encode()
    part = PlainPart(category="identity", media="text/plain", body=kept.encode())
    letter = compose.Letter(case=case, recipient=partner.connector.agency, purpose=PURPOSE, parts=(part,))
    office.connector.send(letter, staff="s-01")
    office.connector.push()
    (got,) = partner.connector.collect()
    (read,) = partner.connector.read(got.message, got.sender, staff="s-02")
    assert read.body == name.encode()


@pytest.mark.parametrize(
    ("written", "typed"),
    [("髙橋 架空", "高橋"), ("\ufa11山 架空", "崎山"), ("\ufa19田 架空", "神田"), ("葛\U000e0100城 架空", "葛城")],
)
def test_a_name_is_found_by_the_plain_sign_too(browser: Browser, office: Office, written: str, typed: str) -> None:
    filling = Filling(browser)
    filling.check(name=written, method="none")
    filling.take()
    with office.connector.casebook.transaction() as book:
        found = files.search(book, typed, staff="t", now=office.connector.now())
    assert [one.person.name for one in found] == [written]


def test_a_name_is_as_long_as_the_signs_a_person_sees(browser: Browser) -> None:
    filling = Filling(browser)
    assert filling.check(name="葛\U000e0100" * 200, method="none").status == 200
    filling = Filling(browser, filling.at)
    assert filling.check(name="葛\U000e0100" * 201, method="none").faults == ["name"]
    assert filling.check(name="葛" + "\U000e0100" * 5000, method="none").faults == ["name"]


def test_pictures_made_of_many_signs_stay_whole(browser: Browser, office: Office) -> None:
    family, flag = "👨\u200d👩\u200d👧\u200d👦", "🇯🇵"
    filling = Filling(browser)
    filling.check(kana="かくうだ", words=(family + flag) * 500, method="none")
    filling.take()
    assert answers(office.connector, only_case(office.connector))["consultation"]["wish"] == (family + flag) * 500


def test_an_address_keeps_its_special_signs(browser: Browser, office: Office) -> None:
    filling = Filling(browser)
    filling.check(kana="かくうだ", address="架空市①丁目 ㍿㈱ビルⅢ号館 ～〜", method="none")
    filling.take()
    kept = answers(office.connector, only_case(office.connector))["contact"]["address"]
    assert kept == "架空市①丁目 ㍿㈱ビルⅢ号館 ～〜"


@pytest.mark.parametrize(
    "written", ["123-4567", "1234567", "１２３－４５６７", "〒１２３−４５６７", "123‐4567", "123ー4567"]
)
def test_a_postal_code_is_read_however_it_is_typed(written: str) -> None:
    assert rules.read_postal(written) == "123-4567"


@pytest.mark.parametrize("written", ["²23-4567", "①23-4567", "12-34567", "123-456", "abc-defg", "12３４－５６7８"])
def test_what_is_no_postal_code_is_none(written: str) -> None:
    assert rules.read_postal(written) is None


@pytest.mark.parametrize("written", ["０９０−００００−００００", "090ー0000ー0000", "090-0000-0000", "090‐0000－0000"])
def test_a_telephone_number_is_read_however_it_is_typed(written: str) -> None:
    assert rules.read_phone(written) == "090-0000-0000"


@pytest.mark.parametrize("written", ["090-①000-0000", "²90-0000-0000", "電話なし", "12", "0" * 16])
def test_what_is_no_telephone_number_is_none(written: str) -> None:
    assert rules.read_phone(written) is None


def test_odd_digits_are_refused_where_a_number_is_asked_and_kept(browser: Browser) -> None:
    filling = Filling(browser)
    page = filling.check(kana="かくうだ", postal="²23-4567", phone_home="①", born_on="昭和⑥年4月18日", method="none")
    assert page.faults == ["born_on", "postal", "phone_home"]
    assert page.html.select_one("input[name=postal]")["value"] == "²23-4567"  # type: ignore[index]


@pytest.mark.parametrize(
    ("written", "day"),
    [("平成31年4月30日", date(2019, 4, 30)), ("令和元年5月1日", date(2019, 5, 1)), ("明治6年1月1日", date(1873, 1, 1)),
     ("昭和64年1月7日", date(1989, 1, 7)), ("Ｔ１５．１２．２４", date(1926, 12, 24))],
)  # fmt: skip
def test_a_day_at_the_edge_of_an_era_is_shown_back_in_both(browser: Browser, written: str, day: date) -> None:
    filling = Filling(browser)
    assert f"{day.year}年" in filling.press("refresh", kana="かくうだ", born_on=written).words


@pytest.mark.parametrize(
    "written", ["平成31年5月1日", "令和元年4月30日", "明治5年12月31日", "昭和65年1月1日", "2000-02-30"]
)
def test_a_day_that_never_was_is_refused(browser: Browser, written: str) -> None:
    with pytest.raises(DayError):
        read_day(written)
    assert Filling(browser).check(kana="かくうだ", born_on=written, method="none").faults == ["born_on"]


@pytest.mark.parametrize(
    ("written", "read"), [("ｶｸｳﾀﾞ ﾊﾅｺ", "カクウダ ハナコ"), ("かくうだ", "かくうだ"), ("カクウダ", "カクウダ")]
)
def test_a_reading_may_be_written_in_any_kana(written: str, read: str) -> None:
    assert rules.read_kana(written) == read


@pytest.mark.parametrize(
    ("written", "read"),
    [("ｋａｋｕｕ＠ｅｘａｍｐｌｅ．ｊｐ", "kakuu@example.jp"), ("kakuu@example.jp", "kakuu@example.jp"),
     ("kakuu@", None), ("a b@example.jp", None), ("kakuu@example", None)],
)  # fmt: skip
def test_an_email_address_is_read_in_any_width(written: str, read: str | None) -> None:
    assert rules.read_email(written) == read


@given(st.text(alphabet=string.printable + "０１２３４５６７８９²①－−ー‐〒（）", max_size=20))
def test_numbers_are_read_as_ascii_or_not_at_all(written: str) -> None:
    for read in (rules.read_postal(written), rules.read_phone(written)):
        assert read is None or read.isascii()
    again = rules.read_phone(rules.read_phone(written) or "")
    assert again == rules.read_phone(written)


@given(st.dates(date(2026, 1, 1), date(2030, 1, 1)), st.integers(-3, 30))
def test_a_word_of_mouth_counts_down_to_nothing_and_never_below(spoken: date, later: int) -> None:
    today = date.fromordinal(spoken.toordinal() + max(later, 0))
    assert rules.days_left(spoken, today) == max(0, 14 - max(later, 0))
