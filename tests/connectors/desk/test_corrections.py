# SPDX-License-Identifier: Apache-2.0
"""A correction at two desks: written once, arriving as a mark on the earlier part, confirmed, seen by its sender."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from connectors.casebook import statements, tables_corrections
from consent.envelope.manifest import ByEmergency, MessageKind
from consent.scopes import ANY, Exclusion
from tests.connectors.desk.office import Page
from tests.connectors.desk.referring import CANARY, Referred, referred
from tests.connectors.story import PURPOSE, letter, text

__all__ = ["referred"]

RIGHT = "正しくは架空の別の事情"
FORM = "form[data-guard]"


@pytest.fixture
def told(referred: Referred) -> Referred:
    """A referral that the partner has opened; its consultation part is wrong."""
    referred.open()
    return referred


def path(told: Referred, category: str = "consultation") -> str:
    return f"/corrections/new?message={told.message}&category={category}"


def write(told: Referred, said: str = RIGHT, **more: str) -> Page:
    return told.ours.send(told.ours.get(path(told)), {"text": said, **more}, form=FORM)


def notice(told: Referred) -> str:
    """Give the path of the notice that went."""
    (sent,) = [one for one in told.network.hub.messages.values() if one.kind == "notice"]
    return f"/referrals/{told.id}/messages/{sent.sender}/{sent.message}"


def original(told: Referred) -> str:
    return f"/referrals/{told.id}/messages/{told.office.connector.agency}/{told.message}"


def exclude(told: Referred, category: str) -> None:
    """Let the person want nothing of a category told any more, as far as the sender's desk knows."""
    connector = told.office.connector
    word = Exclusion(
        id=connector.new_id(), case=told.case, to=frozenset({ANY}), categories=frozenset({category}),
        from_time=connector.now(),
    )  # fmt: skip
    with connector.casebook.transaction() as connection:
        statements.keep_exclusion(connection, word, None)


def test_it_is_written_once_arrives_as_a_mark_is_confirmed_and_its_sender_sees_that(told: Referred) -> None:
    sent = told.ours.get(original(told))
    link = sent.html.select_one("a[href*='/corrections/new'][href*='consultation']")
    assert link is not None
    form = told.ours.get(str(link["href"]))
    assert "架空の機関1" in form.words
    done = told.ours.send(form, {"text": RIGHT}, form=FORM)
    assert (done.status, RIGHT in done.words) == (200, True)
    assert "まだ届いていません" in done.words
    told.round()
    # the receiver: marked at once, closed until somebody confirms it
    for page in (told.theirs.get(f"/inbox/{told.id}"), told.theirs.get(original(told))):
        assert "訂正あり" in page.words
        assert RIGHT not in page.words
    assert "訂正のお知らせ" in told.theirs.get(f"/referrals/{told.id}").words
    closed = told.theirs.get(notice(told))
    assert RIGHT not in closed.words
    assert "届きました（まだ確認していません）" in told.ours.get(done.answer.request.path).words
    opened = told.theirs.send(closed, form="form[action$='/open']")
    assert RIGHT in opened.words
    assert "確認しました" in opened.words
    told.round()
    marked = told.theirs.get(f"/inbox/{told.id}")
    assert RIGHT in marked.words
    assert CANARY in marked.words  # what came stays readable, beside what is right
    seen = told.ours.get(done.answer.request.path)
    assert "すべて確認済み" in seen.words
    assert "すべて確認済み" in told.ours.get(f"/cases/{told.case}/corrections").words
    assert "訂正あり" in told.ours.get(original(told)).words


def test_the_record_of_provision_says_so_on_both_sides_and_leads_there(told: Referred) -> None:
    record = f"/cases/{told.case}/provisions"
    page = told.ours.get(record)
    link = page.html.select_one("a[href*='/corrections/new']")
    assert link is not None
    choose = told.ours.get(str(link["href"]))
    assert [str(one["href"]).split("category=")[1] for one in choose.html.select("nav.card a")] == [
        "identity", "consultation",
    ]  # fmt: skip
    assert choose.html.select(FORM) == []
    write(told)
    told.round()
    for side in (told.ours, told.theirs):
        assert "訂正あり" in side.get(record).words
        rows = json.loads(side.get(f"{record}.json").answer.data)["provisions"]
        # the notice itself is a provision too
        assert {one["purpose"]: len(rows) for one in rows} == {PURPOSE: 2}
        assert sorted(one["corrected"] for one in rows) == ["", "訂正あり"]


def test_a_short_word_of_a_thread_is_marked_where_the_thread_shows_it(told: Referred) -> None:
    form = told.ours.get(f"/referrals/{told.id}/write?kind=reply")
    said = {"text": "10月31日です", "category": "consultation"}
    told.ours.send(form, said, form="form[action$='/write']")
    told.round()
    told.later(minutes=1)
    write(told)
    told.round()
    page = told.ours.get(f"/referrals/{told.id}")
    quote = next(one for one in page.html.select(".quote") if "10月31日です" in one.get_text())
    mark = quote.find_next_sibling("div")
    assert mark is not None
    assert RIGHT in mark.get_text()


@pytest.mark.parametrize("language", ["ja", "en"])
def test_who_cannot_be_told_is_listed_with_why_and_what_to_do(told: Referred, language: str) -> None:
    exclude(told, "consultation")
    page = told.office.browser(told.we, language=language).get(path(told))
    wanted = {
        "ja": ("本人が伝えないでほしい", "本人が取り消したときだけ送れます"),
        "en": ("Excluded", "only the person can revoke"),
    }
    for words in wanted[language]:
        assert words in page.words
    assert page.html.select(FORM) == []


def test_consent_that_changes_while_it_is_written_stops_it(told: Referred) -> None:
    form = told.ours.get(path(told))
    exclude(told, "consultation")
    page = told.ours.send(form, {"text": RIGHT}, form=FORM)
    assert (page.status, page.faults) == (422, ["to"])
    told.round()
    assert [one for one in told.network.hub.messages.values() if one.kind == "notice"] == []


@pytest.mark.parametrize(
    ("said", "blamed"),
    [
        ({"text": ""}, ["text"]),
        ({"text": "あ" * 4001}, ["text"]),
        ({"to": []}, ["to"]),
        ({"to": ["canary"]}, ["to"]),
        ({"once": "canary"}, ["text"]),
        ({"text": "番号は 1234 5678 9018"}, ["text"]),
    ],
)
def test_a_form_that_cannot_be_taken_comes_back_and_sends_nothing(
    told: Referred, said: dict[str, object], blamed: list[str]
) -> None:
    page = told.ours.send(told.ours.get(path(told)), {"text": RIGHT, **said}, form=FORM)
    assert (page.status, page.faults) == (422, blamed)
    told.round()
    assert [one for one in told.network.hub.messages.values() if one.kind == "notice"] == []


def test_the_same_form_twice_is_one_correction(told: Referred) -> None:
    form = told.ours.get(path(told))
    for _ in range(2):
        assert told.ours.send(form, {"text": RIGHT}, form=FORM).status == 200
    told.round()
    assert notice(told)


def test_a_number_that_somebody_has_looked_at_may_go(told: Referred) -> None:
    assert write(told, "番号は 1234 5678 9018", acknowledged="yes").status == 200
    told.round()
    assert notice(told)


def test_with_the_line_down_it_waits_and_goes_later(told: Referred) -> None:
    told.network.hub.away = True
    page = write(told)
    assert "つながり次第送ります" in page.words
    told.network.hub.away = False
    told.round()
    assert notice(told)


def _own(told: Referred) -> tuple[str, str]:
    """Give the page of the one correction of the case, and its referral."""
    page = told.ours.get(f"/cases/{told.case}/corrections")
    link = page.html.select_one("main a[href^='/corrections/']")
    assert link is not None
    return str(link["href"]), told.id


def test_telling_in_another_way_is_noted_and_trying_again_says_when_nobody_is_left(told: Referred) -> None:
    write(told)
    place, referral = _own(told)
    page = told.ours.send(told.ours.get(place), form=f"form[action$='/told/{referral}']")
    assert "電話で仮名 恵が伝えました" in page.words
    assert told.ours.post(f"{place}/told/{referral}", {"channel": "canary"}).words.count("どのように伝えたか") == 1
    assert "いま届けられるようになった機関はありません" in told.ours.post(f"{place}/again").words


def test_against_consent_it_is_told_in_no_way(told: Referred) -> None:
    told.network.hub.away = True
    write(told)
    place, referral = _own(told)
    connector = told.office.connector
    with connector.casebook.transaction() as connection:
        to = tables_corrections.correction_addressees
        connection.execute(to.update().values(message=None, why="WITHDRAWN"))
    assert told.ours.get(place).html.select("form[action*='/told/']") == []
    page = told.ours.post(f"{place}/told/{referral}", {"channel": "letter"})
    assert "ほかの方法でも内容は伝えられません" in page.words
    with connector.casebook.transaction() as connection:
        assert connection.execute(to.select()).one().told_at is None


@pytest.mark.parametrize("rule", ["/corrections/new?message=canary", "/corrections/canary"])
def test_what_is_not_there_is_said_and_not_repeated(told: Referred, rule: str) -> None:
    page = told.ours.get(rule)
    assert page.status in {404, 409}
    assert "canary" not in page.words


def test_another_agencys_message_cannot_be_corrected_from_here(told: Referred) -> None:
    assert told.theirs.get(path(told)).status in {404, 409}


def test_a_name_that_was_told_and_is_wrong_is_marked_in_the_bar_until_the_right_one_comes(told: Referred) -> None:
    page = told.ours.get(path(told, "identity"))
    told.ours.send(page, {"text": "氏名の読みが違います"}, form=FORM)
    told.round()
    assert "訂正あり" in str(told.theirs.get(f"/inbox/{told.id}").html.select_one("section.person"))
    told.later(minutes=1)
    connector = told.office.connector
    again = letter(told.case, told.partner.connector, text("identity", "架空 正"), kind=MessageKind.DOCUMENT)
    thread = told.network.hub.referrals[told.id].thread
    sent = connector.send(replace(again, referral=told.id, thread=thread))
    told.round()
    closed = told.theirs.get(f"/referrals/{told.id}/messages/{connector.agency}/{sent}")
    told.theirs.send(closed, form="form[action$='/open']")
    assert "訂正あり" not in str(told.theirs.get(f"/inbox/{told.id}").html.select_one("section.person"))


def test_either_side_corrects_what_it_said(told: Referred) -> None:
    told.accept()
    told.later(minutes=1)
    form = told.theirs.get(f"/referrals/{told.id}/write?kind=reply")
    told.theirs.send(form, {"text": "架空の返事", "category": "consultation"}, form="form[action$='/write']")
    told.round()
    theirs = told.partner.connector.agency
    (reply,) = [one for one in told.network.hub.messages.values() if one.sender == theirs]
    page = told.theirs.get(f"/corrections/new?message={reply.message}&category=consultation")
    assert told.theirs.send(page, {"text": RIGHT}, form=FORM).status == 200
    told.round()
    assert "訂正あり" in told.ours.get(f"/referrals/{told.id}/messages/{theirs}/{reply.message}").words


def test_a_receiver_that_passed_it_on_is_asked_to_tell_the_next(told: Referred) -> None:
    third = told.network.join("shakyo")
    told.network.meet()
    partner, now = told.partner.connector, told.network.clock()
    basis = ByEmergency(
        threat="life", difficulty="unreachable", requester="s-07", approver="s-09", approver_role="supervisor",
        approved_at=now,
    )  # fmt: skip
    partner.send(letter(told.case, third, text("identity"), basis=basis))
    told.round()
    told.ours.send(told.ours.get(path(told, "identity")), {"text": RIGHT}, form=FORM)
    told.round()
    opened = told.theirs.send(told.theirs.get(notice(told)), form="form[action$='/open']")
    link = opened.html.select_one("a[href*='/corrections/new']")
    assert link is not None
    assert "架空の機関2" in told.theirs.get(str(link["href"])).words
