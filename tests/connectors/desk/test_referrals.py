# SPDX-License-Identifier: Apache-2.0
"""Referrals: the list both ways, one referral's page, every move with what it needs, and every refusal of one."""

from __future__ import annotations

import csv
import io

import pytest

from tests.connectors.desk.office import Browser
from tests.connectors.desk.referring import CANARY, Referred, referred
from tests.connectors.story import NAME

__all__ = ["referred"]


@pytest.fixture
def accepted(referred: Referred) -> Referred:
    referred.open()
    referred.accept()
    return referred


@pytest.fixture
def serving(accepted: Referred) -> Referred:
    accepted.make(accepted.theirs, "start")
    assert accepted.state == "in_progress"
    return accepted


@pytest.fixture
def reported(serving: Referred) -> Referred:
    serving.make(serving.theirs, "report-outcome", outcome="granted", text="貸付が決まりました")
    assert serving.state == "outcome_reported"
    return serving


def test_the_list_has_both_sides_and_its_filters_are_links(referred: Referred) -> None:
    page = referred.ours.get("/referrals")
    assert NAME in page.words
    assert "R-2026-0001" in page.words
    assert len(page.html.select("tbody tr")) == 1
    for query, count in (
        ("role=sender", 1), ("role=recipient", 0), ("state=open", 1), ("state=ended", 0), ("state=requested", 1),
        ("due=late", 0), ("who=mine", 1), ("who=team", 1), ("role=coordinator", 0),
    ):  # fmt: skip
        assert len(referred.ours.get(f"/referrals?{query}").html.select("tbody tr")) == count, query
    assert "合うつなぎはありません" in referred.ours.get("/referrals?role=recipient").words
    assert page.html.select(".filters a[aria-current]")


def test_what_is_late_says_by_how_many_business_days(referred: Referred) -> None:
    referred.later(days=7)
    assert "営業日超過" in referred.ours.get("/referrals?due=late").words


@pytest.mark.parametrize("query", ["state=gone", "role=x", "who=all", "due=soon", "after=no", "after=2026~x"])
def test_a_choice_that_there_is_not_is_told_so(browser: Browser, query: str) -> None:
    assert browser.get(f"/referrals?{query}").status == 400
    assert browser.get(f"/referrals.csv?{query}").status == 400


def test_an_empty_list_says_what_to_do(browser: Browser) -> None:
    assert "新しくつないでください" in browser.get("/referrals").words


def test_the_list_leaves_as_csv_that_no_spreadsheet_takes_for_a_formula(referred: Referred) -> None:
    answer = referred.ours.get("/referrals.csv").answer
    assert answer.headers["Content-Disposition"].startswith("attachment")
    said = answer.get_data(as_text=True)
    assert said.startswith("\ufeff")
    (row,) = csv.DictReader(io.StringIO(said.removeprefix("\ufeff")))
    assert (row["person"], row["state"], row["state_label"]) == (NAME, "requested", "送付済み")
    from connectors.desk.referrals.listed import safe

    assert [safe(one) for one in ("=1+1", "@x", "-1", "+1", "架空")] == ["'=1+1", "'@x", "'-1", "'+1", "架空"]


def test_the_page_says_whose_it_is_what_is_next_and_what_is_visible(referred: Referred) -> None:
    page = referred.ours.get(f"/referrals/{referred.id}")
    for words in (
        NAME,
        "令8-0001",
        "次にすること：相手の返事を待つ",
        "本人確認情報",
        "よりどころの同意",
        "作成",
        "完了",
    ):
        assert words in page.words, words
    assert CANARY not in page.words
    assert page.html.select_one(".steps [aria-current=step]") is not None
    assert page.html.select_one("ol.tl h3") is not None


def test_what_we_sent_can_be_seen_as_it_is(referred: Referred) -> None:
    page = referred.ours.get(f"/referrals/{referred.id}")
    (link,) = [one["href"] for one in page.html.select(".tl a")]
    shown = referred.ours.get(str(link))
    assert CANARY in shown.words
    assert NAME in shown.words


def test_a_referral_that_is_not_ours_is_not_found(browser: Browser) -> None:
    assert browser.get("/referrals/nothing").status == 404
    assert browser.get("/referrals/nothing/moves/accept").status == 404
    assert browser.get("/referrals/nothing/write").status == 404


def test_a_case_of_a_colleagues_asks_for_a_reason_first(referred: Referred) -> None:
    from connectors.desk.web.visits import Role

    other = referred.office.browser(referred.office.hire("仮名 三郎", roles=frozenset({Role.CASEWORKER})))
    page = other.get(f"/referrals/{referred.id}")
    assert page.status == 403
    assert NAME not in page.words
    assert NAME in other.send(page, {"reason": "cover"}).words


# ── every move ──


def test_start_and_progress_are_told_to_the_sender(accepted: Referred) -> None:
    accepted.make(accepted.theirs, "start", what="contact_made")
    assert accepted.state == "in_progress"
    accepted.make(accepted.theirs, "note-progress", what="appointment_set", on="2026-04-10")
    accepted.make(accepted.theirs, "note-progress", what="no_show", on="2026-04-06", next_step_on="2026-04-08")
    words = accepted.ours.get(f"/referrals/{accepted.id}").words
    assert "来られなかった" in words
    assert "次の予定" in words
    assert "支援の結果を待つ" in words


def test_hold_and_resume(serving: Referred) -> None:
    serving.make(serving.theirs, "hold", reason="papers")
    assert serving.state == "on_hold"
    serving.make(serving.theirs, "resume")
    assert serving.state == "in_progress"


def test_outcome_acknowledgement_and_follow_up(reported: Referred) -> None:
    words = reported.ours.get(f"/referrals/{reported.id}").words
    assert "結果を確かめる" in words
    assert "決定・支給" in words
    reported.make(reported.ours, "acknowledge", follow_up="3m")
    assert reported.state == "closed"
    words = reported.ours.get(f"/referrals/{reported.id}").words
    assert "3か月後" in words
    reported.make(reported.ours, "reopen", reason="persons_wish")
    assert reported.state == "in_progress"


def test_an_acknowledgement_may_name_a_day_or_say_why_none(reported: Referred) -> None:
    page = reported.make(reported.ours, "acknowledge", follow_up="day")
    assert page.faults == ["acknowledge-follow_up_on"]
    page = reported.make(reported.ours, "acknowledge", follow_up="none")
    assert page.faults == ["acknowledge-follow_up_reason"]
    reported.make(reported.ours, "acknowledge", follow_up="day", follow_up_on="R8.6.1")
    assert reported.state == "closed"
    assert reported.network.hub.referrals[reported.id].history[-1].facts == {"follow_up": {"on": "2026-06-01"}}


def test_an_outcome_is_returned_twice_and_then_contested_and_reviewed(reported: Referred) -> None:
    for _ in range(2):
        reported.make(reported.ours, "return", reason="correction")
        reported.make(reported.theirs, "report-outcome", outcome="granted", text="もう一度")
    words = reported.ours.get(f"/referrals/{reported.id}").words
    assert "差し戻し" in words
    reported.make(reported.ours, "contest", reason="persons_wish")
    assert reported.state == "reroute_review"
    assert "会議の結論を記録する" in reported.ours.get(f"/referrals/{reported.id}").words
    assert "会議の結論を待つ" in reported.theirs.get(f"/referrals/{reported.id}").words
    reported.make(reported.ours, "uphold", reason="correction")
    assert reported.state == "declined"
    reported.make(reported.ours, "contest", reason="correction")
    reported.make(reported.ours, "send-back", reason="correction")
    assert reported.state == "requested"


def test_after_a_decline_we_serve_the_person_ourselves(referred: Referred) -> None:
    referred.open()
    referred.decline()
    referred.make(referred.ours, "take-back")
    assert referred.state == "closed"


def test_a_referral_is_cancelled_before_it_is_accepted(referred: Referred) -> None:
    referred.make(referred.ours, "cancel", reason="need_gone")
    assert referred.state == "cancelled"
    assert "このつなぎは終わりました" in referred.ours.get(f"/referrals/{referred.id}").words


def test_a_cancellation_is_asked_for_and_agreed(accepted: Referred) -> None:
    accepted.make(accepted.ours, "ask-to-cancel", reason="persons_wish")
    assert "取り下げに答える" in accepted.theirs.get(f"/referrals/{accepted.id}").words
    accepted.make(accepted.theirs, "confirm-cancel")
    assert accepted.state == "cancelled"


def test_a_cancellation_comes_too_late_where_the_person_was_served(accepted: Referred) -> None:
    accepted.make(accepted.ours, "ask-to-cancel", reason="persons_wish")
    accepted.make(accepted.theirs, "already-served", outcome="advice_given")
    assert accepted.state == "outcome_reported"


def test_an_acceptance_by_mistake_is_taken_back_within_a_day(accepted: Referred) -> None:
    accepted.make(accepted.theirs, "take-back-acceptance")
    assert accepted.state == "received"


def test_a_referral_entered_in_error_is_marked_so_before_it_is_opened(referred: Referred) -> None:
    referred.make(referred.ours, "enter-in-error")
    assert referred.state == "entered_in_error"


def test_a_referral_is_handed_over_to_a_colleague(accepted: Referred) -> None:
    other = accepted.partner.hire("仮名 四郎")
    accepted.make(accepted.theirs, "hand-over", worker=other, worker_role="caseworker")
    assert accepted.network.hub.referrals[accepted.id].worker == other
    assert "仮名 四郎" in accepted.theirs.get(f"/referrals/{accepted.id}").words


def test_the_consent_of_one_referral_ends(accepted: Referred) -> None:
    accepted.make(accepted.ours, "withdraw")
    assert accepted.network.hub.referrals[accepted.id].content_stopped
    page = accepted.theirs.get(f"/referrals/{accepted.id}")
    assert "内容は止まっています" in page.words
    form = accepted.theirs.get(f"/referrals/{accepted.id}/moves/report-outcome")
    assert form.html.select_one("textarea") is None
    accepted.make(accepted.theirs, "report-outcome", outcome="person_stopped")
    assert accepted.state == "outcome_reported"


def test_every_move_of_the_hubs_table_has_a_form_or_a_page_of_its_own() -> None:
    from connectors.desk.referrals.moves import MOVES
    from connectors.desk.referrals.rules import ELSEWHERE
    from hub.referrals.lifecycle import Event

    assert set(MOVES) | ELSEWHERE == {event.value for event in Event} - {"send", "accompany"}


# ── every refusal ──


@pytest.mark.parametrize(
    ("event", "said", "blamed"),
    [
        ("start", {"on": "2026-04-08"}, "start-on"),
        ("start", {"what": "appointment_set", "on": "2026-04-01"}, "start-on"),
        ("start", {"what": "nothing"}, "start-what"),
        ("start", {"on": "昭和65年1月1日"}, "start-on"),
        ("hold", {"reason": ""}, "hold-reason"),
        ("hold", {"reason": "papers", "review_on": "2026-05-30"}, "hold-review_on"),
        ("report-outcome", {"outcome": "", "text": "x"}, "report-outcome-outcome"),
        ("report-outcome", {"outcome": "granted", "text": ""}, "report-outcome-text"),
        ("report-outcome", {"outcome": "granted", "text": "x", "category": "health"}, "report-outcome-category"),
        ("report-outcome", {"outcome": "granted", "text": "番号 123456789018"}, "report-outcome-text"),
        ("hand-over", {"worker": "st-nobody"}, "hand-over-worker"),
        ("hand-over", {"worker_role": "king"}, "hand-over-worker_role"),
        ("decline", {"reason": "no_capacity", "suggestion": ""}, "decline-suggestion"),
    ],
)
def test_a_move_that_says_too_little_changes_nothing(
    accepted: Referred, event: str, said: dict[str, str], blamed: str
) -> None:
    page = accepted.make(accepted.theirs, event, **said)
    assert (page.status, page.faults) == (422, [blamed])
    assert accepted.state == "accepted"


def test_progress_of_nobody_came_names_a_near_step(serving: Referred) -> None:
    page = serving.make(serving.theirs, "note-progress", what="no_show", on="2026-04-06", next_step_on="2026-04-20")
    assert page.faults == ["note-progress-next_step_on"]


def test_a_decline_after_a_visit_owes_a_note(serving: Referred) -> None:
    serving.make(serving.theirs, "note-progress", what="visit_done", on="2026-04-06")
    page = serving.make(serving.theirs, "decline", reason="not_eligible", suggestion="think_together")
    assert page.faults == ["decline-text"]


def test_a_move_of_the_other_side_is_not_offered(referred: Referred) -> None:
    page = referred.ours.get(f"/referrals/{referred.id}/moves/accept")
    assert "いまはこの操作をできません" in page.words
    assert page.html.select_one("main form[action*='/moves/']") is None
    assert referred.ours.get(f"/referrals/{referred.id}/moves/nothing").status == 404


def test_a_move_that_the_hub_refuses_is_shown_with_its_reason_until_somebody_has_seen_it(referred: Referred) -> None:
    form = referred.ours.get(f"/referrals/{referred.id}/moves/enter-in-error")
    referred.open()
    referred.ours.get("/")
    done = referred.ours.send(form, form="form[action$='/moves/enter-in-error']")
    assert "受け付けられませんでした" in done.words
    assert "その間にあったこと" in done.words
    assert "開いた" in done.words
    assert referred.state == "received"
    seen = referred.ours.send(done, form="form[action*='/seen/']")
    assert "受け付けませんでした" not in seen.words
    assert referred.ours.post(f"/referrals/{referred.id}/seen/nothing").status == 404


def test_a_late_move_is_taken_where_it_is_still_offered(referred: Referred) -> None:
    form = referred.ours.get(f"/referrals/{referred.id}/moves/cancel")
    referred.network.hub.away = True
    done = referred.ours.send(form, {"cancel-reason": "need_gone"}, form="form[action$='/moves/cancel']")
    assert "送信待ち" in done.words
    assert "いまはこの操作をできません" in referred.ours.get(f"/referrals/{referred.id}/moves/cancel").words
    referred.network.hub.away = False
    referred.open()
    referred.round()
    assert referred.state == "cancelled"


def test_words_that_the_consent_does_not_reach_are_refused_with_reason_and_remedy(accepted: Referred) -> None:
    from connectors.casebook import statements
    from consent.receipts import WithdrawalRecord

    connector = accepted.office.connector
    with connector.casebook.transaction() as connection:
        pen = connector.pen(accepted.we)
        record = WithdrawalRecord(
            id=pen.new_id(), agency=pen.agency, case=accepted.case, scopes=frozenset(), to=frozenset(),
            categories=frozenset(), at=pen.now,
        )  # fmt: skip
        statements.withdraw(connection, record, pen)
    accepted.round()
    accepted.later(minutes=1)
    page = accepted.ours.get(f"/referrals/{accepted.id}/write")
    assert "伝えられる区分がいまはありません" in page.words
    assert "撤回" in page.words
    done = accepted.ours.send(page, {"text": "もう送れない文"}, form="form[action$='/write']")
    assert done.status == 422


def test_an_old_word_of_the_consent_seals_nothing(referred: Referred) -> None:
    referred.network.hub.away = True
    referred.later(days=3)
    page = referred.theirs.get(f"/inbox/{referred.id}")
    done = referred.theirs.send(page, {"ask-text": "質問です"}, form="form[action$='/ask']")
    assert (done.status, done.faults) == (422, ["ask-text"])
    assert "最新の確認" in done.words


def test_somebody_else_is_put_in_charge(referred: Referred) -> None:
    other = referred.office.hire("仮名 五郎")
    referred.ours.get("/referrals")
    done = referred.ours.post(f"/referrals/{referred.id}/assign", {"worker": other})
    assert "仮名 五郎" in done.words
    assert referred.ours.post(f"/referrals/{referred.id}/assign", {"worker": "x"}).status == 400


def test_everything_is_there_in_english_too(reported: Referred) -> None:
    browser = reported.office.browser(reported.we, language="en")
    page = browser.get(f"/referrals/{reported.id}")
    assert "Next: acknowledge the outcome" in page.words
    for event in ("acknowledge", "return"):
        assert browser.get(f"/referrals/{reported.id}/moves/{event}").status == 200
    assert "As" in browser.get("/referrals").words
