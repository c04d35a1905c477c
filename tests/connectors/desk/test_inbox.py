# SPDX-License-Identifier: Apache-2.0
"""The inbox: what came, opening it on purpose, and the three answers; from page to page, as a caseworker goes."""

from __future__ import annotations

import pytest

from connectors.casebook import files, referral_files
from tests.connectors.desk.office import Browser, Office
from tests.connectors.desk.referring import CANARY, Referred, refer, referred
from tests.connectors.story import NAME, PURPOSE, Network, text

__all__ = ["referred"]


def test_what_came_is_listed_without_being_opened(referred: Referred) -> None:
    page = referred.theirs.get("/inbox")
    assert "総合支援資金" in page.words
    assert "まだ開いていません" in page.words
    assert NAME not in page.words
    assert referred.state == "requested"


def test_looking_at_an_item_opens_nothing(referred: Referred) -> None:
    page = referred.theirs.get(f"/inbox/{referred.id}")
    assert "開いて読む" in page.words
    assert "相談内容・主訴" in page.words
    assert CANARY not in page.words
    assert NAME not in page.words
    referred.round()
    assert referred.state == "requested"


def test_opening_by_the_button_shows_it_and_tells_the_sender(referred: Referred) -> None:
    page = referred.open()
    assert CANARY in page.words
    assert NAME in page.words
    assert "同意" in page.words
    assert referred.state == "received"
    assert "開封済み" in referred.ours.get(f"/referrals/{referred.id}").words


def test_it_is_accepted_in_one_page_with_what_the_form_begins_with(referred: Referred) -> None:
    referred.open()
    page = referred.accept()
    assert "送りました" in page.words
    found = referred.network.hub.referrals[referred.id]
    assert (found.state, found.worker, str(found.next_on)) == ("accepted", referred.they, "2026-04-07")
    assert "令8-0001" in page.words


def test_an_acceptance_can_bring_a_word_to_the_sender(referred: Referred) -> None:
    referred.open()
    page = referred.theirs.get(f"/inbox/{referred.id}")
    said = {"accept-text": "窓口3番でお待ちします", "accept-category": "support_record"}
    referred.theirs.send(page, said, form="form[action$='/accept']")
    referred.round()
    inbox = referred.ours.get("/inbox")
    assert "まだ開いていない返事" in inbox.words
    ours = referred.ours.get(f"/referrals/{referred.id}")
    assert "窓口3番" not in ours.words
    (link,) = [one["href"] for one in ours.html.select(".tl a") if "まだ開いていません" in one.get_text()]
    opened = referred.ours.send(referred.ours.get(str(link)), form="form[action$='/open']")
    assert "窓口3番でお待ちします" in opened.words
    assert "窓口3番でお待ちします" in referred.ours.get(f"/referrals/{referred.id}").words


def test_a_question_reaches_the_sender_sealed_and_stops_the_clock(referred: Referred) -> None:
    referred.open()
    page = referred.theirs.get(f"/inbox/{referred.id}")
    assert "最長2営業日" in page.words
    done = referred.theirs.send(page, {"ask-text": "離職日はいつですか"}, form="form[action$='/ask']")
    referred.round()
    assert "送りました" in done.words
    found = referred.network.hub.referrals[referred.id]
    assert (found.state, found.awaiting) == ("received", referred.office.connector.agency)
    ours = referred.ours.get(f"/referrals/{referred.id}")
    assert "質問に答える" in ours.words
    assert "質問中" in ours.words


def test_a_question_without_words_is_not_one(referred: Referred) -> None:
    page = referred.theirs.get(f"/inbox/{referred.id}")
    again = referred.theirs.send(page, {"accept-text": "残る文"}, form="form[action$='/ask']")
    assert (again.status, again.faults) == (422, ["ask-text"])
    assert again.html.select_one("#f-accept-next_on")["value"] == "2026-04-07"  # type: ignore[index]
    assert referred.state == "requested"


@pytest.mark.parametrize(
    ("said", "blamed"),
    [
        ({"reason": ""}, "decline-reason"),
        ({"suggestion": "agency"}, "decline-other_agency"),
        ({"suggestion": "re_apply_later"}, "decline-suggestion"),
        ({"reason": "other_agency_better"}, "decline-suggestion"),
        ({"reason": "insufficient_information"}, "decline-missing"),
        ({"reason": "unable_to_act", "text": "利益が相反するため"}, "decline-text"),
        ({"reason": "unable_to_act", "missing": ["identity"]}, "decline-missing"),
        ({"other_agency": "nobody", "suggestion": "agency"}, "decline-other_agency"),
    ],
)
def test_a_decline_that_says_too_little_or_too_much_changes_nothing(
    referred: Referred, said: dict[str, object], blamed: str
) -> None:
    referred.open()
    page = referred.decline(**said)
    assert page.status == 422
    assert blamed in page.faults
    assert referred.state == "received"


def test_a_decline_shows_the_sentence_first_and_sends_nobody_away_empty_handed(referred: Referred) -> None:
    third = referred.network.join("houterasu")
    referred.network.meet()
    referred.open()
    page = referred.theirs.get(f"/inbox/{referred.id}")
    said = {
        "decline-reason": "other_agency_better",
        "decline-suggestion": "agency",
        "decline-other_agency": third.agency,
    }
    shown = referred.theirs.send(page, said, form="form[action$='/decline']")
    assert "ご本人に伝わる文" in shown.words
    assert "より合う窓口があります" in shown.words
    assert third.settings.name_ja in shown.words
    assert referred.state == "received"
    referred.theirs.send(shown, form="form[action$='/decline']")
    referred.round()
    assert referred.state == "declined"
    ours = referred.ours.get(f"/referrals/{referred.id}")
    assert "本人の次の行き先を決める" in ours.words
    assert "より合う窓口があります" in ours.words
    assert third.settings.name_ja in ours.words
    assert "自分たちで支援する" in ours.words
    (onward,) = ours.html.select(".next a.btn--go")
    assert onward["href"] == f"/referrals/new?from={referred.id}"
    wizard = referred.ours.get(str(onward["href"]))
    assert wizard.status == 200
    begun = referred.ours.send(wizard, {"purpose": PURPOSE, "accompany": "no"}, form="main form[method=post]")
    assert third.settings.name_ja in begun.words


def test_a_decline_may_say_which_categories_are_missing(referred: Referred) -> None:
    referred.open()
    referred.decline(reason="insufficient_information", missing=["debt_arrears", "household"])
    assert referred.state == "declined"
    words = referred.ours.get(f"/referrals/{referred.id}").words
    assert "債務・滞納・世帯・家族" in words


def test_unable_to_act_says_nothing_of_why(referred: Referred) -> None:
    referred.open()
    referred.decline(reason="unable_to_act")
    (facts,) = [one.facts for one in referred.network.hub.referrals[referred.id].history if one.event == "decline"]
    assert set(facts) == {"decline_by", "reason", "suggestion"}


def test_with_the_hub_away_an_acceptance_waits_and_arrives_when_the_line_is_back(referred: Referred) -> None:
    referred.network.hub.away = True
    page = referred.theirs.get(f"/inbox/{referred.id}")
    opened = referred.theirs.send(page, form="form[action$='/open']")
    assert "送信待ち" in opened.words
    assert CANARY in opened.words
    accepted = referred.theirs.send(opened, form="form[action$='/accept']")
    assert "送信待ち：受け入れ" in accepted.words
    assert "送信待ち：受け入れ" in referred.theirs.get(f"/inbox/{referred.id}").words
    referred.network.hub.away = False
    referred.round()
    assert referred.state == "accepted"
    assert "送信待ち：" not in referred.theirs.get(f"/referrals/{referred.id}").words


def _left_behind(referred: Referred) -> tuple[object, list[str | None]]:
    """Give our own file of the case, and who is in charge of the referral here."""
    with referred.partner.connector.casebook.transaction() as connection:
        known = referral_files.files_of(connection, [referred.message]).values()
        return files.file_of(connection, referred.case), [one.worker for one in known if one.worker]


def test_a_refused_acceptance_leaves_no_number_of_ours_and_nobody_in_charge(referred: Referred) -> None:
    referred.open()
    page = referred.theirs.get(f"/inbox/{referred.id}")
    referred.make(referred.ours, "cancel", reason="need_gone")
    refused = referred.theirs.send(page, form="form[action$='/accept']")
    assert "受け付けませんでした" in refused.words
    assert referred.state == "cancelled"
    assert _left_behind(referred) == (None, [])
    assert "令8-0001" not in referred.theirs.get(f"/referrals/{referred.id}").words


def test_an_acceptance_that_waited_and_came_too_late_leaves_nothing_either(referred: Referred) -> None:
    referred.open()
    page = referred.theirs.get(f"/inbox/{referred.id}")
    referred.network.hub.away = True
    referred.theirs.send(page, form="form[action$='/accept']")
    assert _left_behind(referred) == (None, [])
    referred.network.hub.away = False
    form = referred.ours.get(f"/referrals/{referred.id}/moves/cancel")
    referred.ours.send(form, {"cancel-reason": "need_gone"}, form="form[action$='/moves/cancel']")
    referred.round()
    assert referred.state == "cancelled"
    assert _left_behind(referred) == (None, [])


def test_an_acceptance_that_waited_gives_the_number_when_the_hub_has_taken_it(referred: Referred) -> None:
    referred.open()
    page = referred.theirs.get(f"/inbox/{referred.id}")
    referred.network.hub.away = True
    referred.theirs.send(page, form="form[action$='/accept']")
    referred.network.hub.away = False
    referred.round()
    file, workers = _left_behind(referred)
    assert file is not None
    assert workers == [referred.they]


def test_a_double_click_accepts_once(referred: Referred) -> None:
    referred.open()
    page = referred.theirs.get(f"/inbox/{referred.id}")
    for _ in range(2):
        assert referred.theirs.send(page, form="form[action$='/accept']").status == 200
    history = [one.event for one in referred.network.hub.referrals[referred.id].history]
    assert history.count("accept") == 1
    assert "受け付けませんでした" not in referred.theirs.get(f"/referrals/{referred.id}").words


def test_several_are_assigned_at_once_and_none_is_accepted(referred: Referred) -> None:
    other = referred.partner.hire("仮名 二郎")
    page = referred.theirs.get("/inbox")
    done = referred.theirs.send(page, {"item": [referred.id], "worker": other}, form="main form")
    assert "1件の担当" in done.words
    assert "仮名 二郎" in done.words
    assert referred.state == "requested"
    assert referred.theirs.get("/inbox?who=mine").html.select("tbody tr") == []
    assert len(referred.theirs.get("/inbox?who=none").html.select("tbody tr")) == 0


def test_assigning_to_nobody_of_ours_is_refused(referred: Referred) -> None:
    assert referred.theirs.post("/inbox/assign", {"item": referred.id, "worker": "st-nobody"}).status == 400
    assert "選んでください" in referred.theirs.post("/inbox/assign", {"worker": referred.they}).words


@pytest.mark.parametrize("query", ["state=what", "who=x", "due=1", "after=x", "after=2026-04-06T01:30:00~a"])
def test_a_filter_that_there_is_not_is_told_so(browser: Browser, query: str) -> None:
    assert browser.get(f"/inbox?{query}").status == 400


def test_an_empty_inbox_says_how_others_find_us(browser: Browser) -> None:
    assert "名簿" in browser.get("/inbox").words
    assert "合う依頼はありません" in browser.get("/inbox?who=mine").words


def test_what_is_no_inbox_item_is_not_found_and_what_we_sent_is_shown_elsewhere(referred: Referred) -> None:
    assert referred.theirs.get("/inbox/nothing-here").status == 404
    assert referred.theirs.post(f"/inbox/{referred.id}/confirm-cancel").status == 404
    there = referred.ours.get(f"/inbox/{referred.id}", follow=False)
    assert (there.status, there.to) == (303, f"/referrals/{referred.id}")


def test_what_does_not_open_is_explained_and_asked_for_again(
    network: Network, office: Office, partner: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    from connectors.casebook import receive
    from consent.envelope import opening

    def broken(manifest: object, parts: object, own: object) -> tuple[opening.RefusedPart, ...]:
        return tuple(
            opening.RefusedPart(n=part.n, category=part.category, code="undecryptable")
            for part in manifest.parts  # type: ignore[attr-defined]
        )

    monkeypatch.setattr(receive.opening, "open_parts", broken)
    referred = refer(network, office, partner, text("identity"))
    monkeypatch.undo()
    page = referred.theirs.get(f"/inbox/{referred.id}")
    assert "鍵が合わず" in page.words
    done = referred.theirs.send(page, form="form[action$='/again']")
    assert "再送を依頼" in done.words
    referred.round()
    assert [one.event for one in network.hub.referrals[referred.id].history] == ["ask"]
    assert "質問に答える" in referred.ours.get(f"/referrals/{referred.id}").words


def test_everything_is_there_in_english_too(referred: Referred) -> None:
    browser = referred.partner.browser(referred.they, language="en")
    assert "Open and read" in browser.get(f"/inbox/{referred.id}").words
    assert "Waiting for our answer" in browser.get("/inbox").words


def test_the_name_is_in_no_redirect_and_not_at_the_hub(referred: Referred) -> None:
    page = referred.theirs.get(f"/inbox/{referred.id}")
    there = referred.theirs.send(page, form="form[action$='/open']", follow=False)
    assert NAME not in there.to
    assert CANARY not in str(referred.network.hub.referrals) + str(referred.network.hub.log.entries)
