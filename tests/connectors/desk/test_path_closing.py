# SPDX-License-Identifier: Apache-2.0
"""Step ⑬ at the desk: the search for somebody who is not reached, the closure, what follows it, beginning again."""

from __future__ import annotations

from typing import Any, Final

import pytest

from connectors.casebook import statements, step_files
from connectors.casebook.step_files import Ending
from consent.vocabulary.codes import CODE_LISTS
from tests.connectors.desk.office import Browser, Office
from tests.connectors.desk.paper import Paper
from tests.connectors.desk.stepping import course, go, send, stands, through
from tests.connectors.story import NAME, Network, consent, open_case

PLANNED = ("2", "3", "5", "6", "7", "9", "11")
SAID = {
    "reason": "improved", "words": "架空の終わり方", "person_on": "2026-04-05", "meeting_on": "2026-04-03",
    "follow": "yes", "follow_on": "2026-07-06", "follow_by": "ours",
}  # fmt: skip


@pytest.fixture
def case(office: Office) -> str:
    made = open_case(office.connector)
    office.connector.sync()
    return made


def endings(office: Office, case: str) -> list[Ending]:
    with office.connector.casebook.transaction() as connection:
        return list(step_files.endings_of(connection, case))


def try_again(browser: Browser, case: str, channel: str, made: str = "no") -> None:
    page = browser.get(f"/cases/{case}/attempts")
    said = {"channel": channel, "made": made, "text": "架空の留守番電話"}
    assert browser.send(page, said, form="main form.card").status == 200


def lost(office: Office, network: Network, case: str) -> Browser:
    """Try three times in fourteen days by two channels; give a browser of somebody who has signed in since."""
    for channel, days in (("telephone", 7), ("visit", 7), ("telephone", 0)):
        try_again(office.browser(office.hire()), case, channel)
        network.clock.on(days=days)
    return office.browser(office.hire())


def test_a_case_is_closed_with_its_ground_and_the_follow_up_that_was_talked_over(
    browser: Browser, office: Office, case: str
) -> None:
    through(browser, office, case, *PLANNED)
    page = browser.send(browser.get(f"/cases/{case}/close"), SAID, form="main form")
    assert stands(office, case) == ("13", "closed")
    last = course(office, case).shown.history[-1]
    assert (last.closure_ground, str(last.follow_up_on)) == ("improved", "2026-07-06")
    (kept,) = endings(office, case)
    assert kept.document == {
        "words": "架空の終わり方", "follow_up": {"date": "2026-07-06"}, "by": "ours", "person_on": "2026-04-05",
        "meeting_on": "2026-04-03",
    }  # fmt: skip
    assert "架空の終わり方" not in str([said for _, _, said in Paper(office).queued()])
    assert "終結済み" in page.html.select_one(".person").get_text()  # type: ignore[union-attr]


LACKING: Final[tuple[tuple[dict[str, str], list[str]], ...]] = (
    ({"reason": ""}, ["reason"]),
    ({"reason": "tired"}, ["reason"]),
    ({"reason": "lost_contact"}, ["reason"]),
    ({"words": ""}, ["words"]),
    ({"person_on": ""}, ["person_on"]),
    ({"person_on": "2027-01-01"}, ["person_on"]),
    ({"meeting_on": ""}, ["meeting_on"]),
    ({"follow": ""}, ["follow"]),
    ({"follow_on": ""}, ["follow_on"]),
    ({"follow_on": "2026-04-01"}, ["follow_on"]),
    ({"follow_by": ""}, ["follow_by"]),
    ({"follow_by": "somebody"}, ["follow_by"]),
    ({"follow": "no"}, ["no_follow_up_reason"]),
)


def test_a_closure_that_lacks_something_says_what_and_closes_nothing(
    browser: Browser, office: Office, case: str
) -> None:
    through(browser, office, case, *PLANNED)
    form = browser.get(f"/cases/{case}/close")
    for change, faults in LACKING:
        page = browser.send(form, SAID | change, form="main form")
        assert (page.status, page.faults) == (422, faults), change
    assert stands(office, case) == ("11", "evaluating")
    assert endings(office, case) == []


def test_what_was_typed_is_kept_when_a_closure_is_not_taken(browser: Browser, office: Office, case: str) -> None:
    page = browser.send(browser.get(f"/cases/{case}/close"), SAID | {"follow": ""}, form="main form")
    assert page.html.select_one("[name=words]").get_text().strip() == SAID["words"]  # type: ignore[union-attr]
    assert page.html.select_one("[name=follow_on]")["value"] == SAID["follow_on"]  # type: ignore[index]


def test_without_a_plan_no_meeting_is_asked_for(browser: Browser, office: Office, case: str) -> None:
    said = SAID | {"meeting_on": "", "follow": "no", "no_follow_up_reason": "not_needed"}
    browser.send(browser.get(f"/cases/{case}/close"), said, form="main form")
    assert stands(office, case) == ("13", "closed")


@pytest.mark.parametrize(
    "reason", ["deceased", "moved", "protected", "declined_by_person", "other", "partial_ok_to_end"]
)
def test_the_practical_reasons_close_a_case_too_and_stand_under_a_ground(
    browser: Browser, office: Office, case: str, reason: str
) -> None:
    assert {one["ground"] for one in CODE_LISTS["closure_reason"].values()} <= set(CODE_LISTS["closure_reason"])
    said = SAID | {"reason": reason} | ({"person_on": ""} if reason == "deceased" else {})
    browser.send(browser.get(f"/cases/{case}/close"), said, form="main form")
    assert course(office, case).shown.history[-1].closure_ground == reason


def test_lost_contact_can_be_chosen_only_after_enough_tries(
    browser: Browser, office: Office, case: str, network: Network
) -> None:
    box = browser.get(f"/cases/{case}/close").html.select_one("input[value=lost_contact]")
    assert box is not None
    assert box.has_attr("disabled")
    later = lost(office, network, case)
    page = later.get(f"/cases/{case}/close")
    assert not page.html.select_one("input[value=lost_contact]").has_attr("disabled")  # type: ignore[union-attr]
    said = {"reason": "lost_contact", "words": "架空", "follow": "no", "no_follow_up_reason": "not_possible"}
    later.send(page, said, form="main form")
    assert stands(office, case) == ("13", "closed")


def test_reaching_the_person_begins_the_count_anew(office: Office, case: str, network: Network) -> None:
    later = lost(office, network, case)
    assert "途絶を選べます" in later.get(f"/cases/{case}/attempts").words
    network.clock.on(minutes=1)
    try_again(later, case, "telephone", made="yes")
    page = later.get(f"/cases/{case}/attempts")
    assert "まだ足りません" in page.words
    assert len(page.html.select("ol.list li")) == 4


def test_the_hub_learns_kind_and_channel_of_a_try_and_never_its_words(
    browser: Browser, office: Office, case: str
) -> None:
    try_again(browser, case, "letter")
    try_again(browser, case, "visit", made="yes")
    notes = [said for what, _, said in Paper(office).queued() if what == "note"]
    assert [(one["kind"], one.get("channel")) for one in notes] == [
        ("contact_attempt", "letter"), ("contact_made", None)
    ]  # fmt: skip
    assert all(len(one["digest"]) == 64 for one in notes)
    assert "留守番電話" not in str(notes)


NO_TRIES: Final[tuple[tuple[dict[str, str], list[str]], ...]] = (
    ({"channel": "", "made": "no", "text": "x"}, ["channel"]),
    ({"channel": "pigeon", "made": "no", "text": "x"}, ["channel"]),
    ({"channel": "visit", "made": "", "text": "x"}, ["made"]),
    ({"channel": "visit", "made": "no", "text": " "}, ["text"]),
)


def test_a_try_that_cannot_be_taken_is_not_logged(browser: Browser, office: Office, case: str) -> None:
    form = browser.get(f"/cases/{case}/attempts")
    for said, faults in NO_TRIES:
        page = browser.send(form, said, form="main form.card")
        assert (page.status, page.faults) == (422, faults), said
    assert not [one for one in Paper(office).queued() if one[0] == "note"]


def test_with_the_line_down_a_try_is_kept_and_counts_when_it_arrives(
    browser: Browser, office: Office, case: str, network: Network
) -> None:
    network.hub.away = True
    try_again(browser, case, "telephone")
    assert "0（3以上で可）" in browser.get(f"/cases/{case}/attempts").words
    network.hub.away = False
    office.connector.sync()
    assert "1（3以上で可）" in browser.get(f"/cases/{case}/attempts").words


def test_after_closure_comes_the_follow_up_and_its_end(browser: Browser, office: Office, case: str) -> None:
    page = browser.send(browser.get(f"/cases/{case}/close"), SAID, form="main form")
    page = browser.send(page, {"state": "follow_up"}, form=f"form[action='/cases/{case}/moves']")
    assert stands(office, case) == ("13", "follow_up")
    assert "終結後のフォロー中です" in page.words
    page = browser.send(page, {"state": "ended"}, form=f"form[action='/cases/{case}/moves']")
    assert stands(office, case) == ("13", "ended")
    assert not page.html.select(f"form[action='/cases/{case}/moves']")
    assert go(browser, office, case, step="9", reason="correction").status == 200
    assert stands(office, case) == ("13", "ended")


def test_opening_again_is_a_new_case_of_the_same_person_in_which_no_old_consent_counts(
    browser: Browser, office: Office, partner: Office, case: str
) -> None:
    consent(office.connector, case, partner.connector.agency)
    office.connector.sync()
    page = browser.send(browser.get(f"/cases/{case}/close"), SAID, form="main form")
    page = browser.get(f"/cases/{case}/reopen")
    assert "前の同意は使えません" in page.words
    page = browser.send(page, form="main form")
    assert "新しいケースを始めました" in page.html.select_one(".flash").get_text()  # type: ignore[union-attr]
    browser.send(browser.get(f"/cases/{case}/reopen"), form="main form")
    with office.connector.casebook.transaction() as connection:
        (fresh,) = step_files.later_cases(connection, case)
        assert step_files.earlier_case(connection, fresh) == case
        assert statements.consents_of(connection, fresh) == []
        assert len(statements.consents_of(connection, case)) == 1
    shown = browser.get(f"/cases/{fresh}")
    assert NAME in shown.html.select_one(".person").get_text()  # type: ignore[union-attr]
    assert "前に終わったケースに続くケースです" in shown.words
    assert stands(office, fresh) == ("1", "found")
    assert stands(office, case) == ("13", "closed")


def test_what_has_not_ended_is_not_begun_again(browser: Browser, office: Office, case: str) -> None:
    browser.get(f"/cases/{case}")
    assert send(browser, case, "reopen").status == 409
    with office.connector.casebook.transaction() as connection:
        assert step_files.later_cases(connection, case) == []


def test_a_partners_case_is_not_begun_again_here(office: Office, partner: Office, case: str) -> None:
    consent(office.connector, case, partner.connector.agency)
    office.connector.sync()
    partner.connector.sync()
    theirs = partner.browser(partner.hire())
    theirs.get(f"/cases/{case}")
    said: dict[str, Any] = {}
    assert send(theirs, case, "reopen", **said).status == 409
