# SPDX-License-Identifier: Apache-2.0
"""The broker's endpoints as a connector sees them."""

import threading
import time

import pytest

from consent.receipts import PurgeAnswer
from hub.messages import jobs
from hub.outbox import jobs as outbox_jobs
from tests.hub.conftest import HubClient
from tests.hub.messages.story import PURPOSE, Story


@pytest.fixture
def council(client: HubClient, story: Story) -> HubClient:
    return client.by(story.s1.id)


@pytest.fixture
def centre(client: HubClient, story: Story) -> HubClient:
    return client.by(story.j1.id)


def question(story: Story, **changes: object) -> dict[str, object]:
    return {"case": story.case, "to": story.s1.id, "purpose": PURPOSE, "categories": ["identity", "health"]} | changes


def test_a_question_is_answered_by_the_same_engine_and_logged(story: Story, centre: HubClient) -> None:
    consent = story.consent()
    answer = centre.say("/v1/decisions", question(story))
    assert answer.status_code == 200, answer.json
    first, second = answer.json["decisions"]
    assert (first["outcome"], first["consent"], first["version"]) == ("permitted", consent, "2026-1")
    assert (second["outcome"], second["reason"]) == ("refused", "CATEGORY_NOT_COVERED")
    assert story.entries("decision:asked")[0]["id"] == answer.json["decision_id"]


def test_a_question_on_another_basis_names_it_as_a_manifest_does(story: Story, centre: HubClient) -> None:
    basis = {
        "kind": "emergency",
        "threat": "life",
        "difficulty": "unreachable",
        "requester": "u-101",
        "approver": "u-100",
        "approver_role": "supervisor",
        "approved_at": None,
        "valid_until": None,
    }
    asked = question(story, purpose="emergency_response", basis=basis)
    answer = centre.say("/v1/decisions", asked)
    assert [one["basis"] for one in answer.json["decisions"]] == ["emergency", "emergency"], answer.json


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"categories": ["loan"]}, "unknown-code"),
        ({"purpose": "identity"}, "unknown-code"),
        ({"categories": []}, None),
        ({"case": "K-1"}, None),
        ({"name": "Kakuu Ichiro"}, "unknown-member"),
    ],
    ids=["category", "purpose", "none", "handle", "member"],
)
def test_a_question_outside_the_closed_lists_is_refused(
    story: Story, centre: HubClient, changes: dict[str, object], code: str | None
) -> None:
    answer = centre.say("/v1/decisions", question(story, **changes))
    assert answer.status_code == 422
    assert code in {None, answer.json["code"]}


def test_an_inbox_is_collected_and_a_thread_of_others_is_not_in_it(
    story: Story, council: HubClient, centre: HubClient
) -> None:
    story.consent()
    sealed = story.seal("identity")
    accepted = story.accept(sealed)
    listed = council.get("/v1/inbox").json
    assert [one["id"] for one in listed["items"]] == [accepted.message]
    assert listed["next_cursor"] is None
    collected = council.get(f"/v1/messages/{accepted.message}").json
    assert collected["manifest"] == sealed.manifest
    assert tuple(collected["parts"]) == sealed.parts
    assert collected["receipt"] == accepted.receipt
    assert centre.get("/v1/inbox").json["items"] == []
    assert centre.get(f"/v1/messages/{accepted.message}").json["parts"] is None


def test_an_inbox_pages_in_order_without_missing_or_repeating(story: Story, council: HubClient) -> None:
    story.consent()
    sent = [story.send("identity").message for _ in range(5)]
    seen, cursor = [], ""
    for _ in range(3):
        page = council.get(f"/v1/inbox?limit=2{cursor}").json
        seen += [one["id"] for one in page["items"]]
        cursor = f"&cursor={page['next_cursor']}"
    assert seen == sent


@pytest.mark.parametrize("cursor", ["x", "WzFd", "WyJ4IiwxLCJ5Il0", "W10"])
def test_a_cursor_that_is_not_ours_is_refused(council: HubClient, cursor: str) -> None:
    assert council.get(f"/v1/inbox?cursor={cursor}").json["code"] == "bad-cursor"


def test_whoever_waits_at_the_inbox_hears_of_a_message_that_comes(story: Story, council: HubClient) -> None:
    story.consent()
    sealed = story.seal("identity")
    late = threading.Timer(1.0, story.accept, (sealed,))
    late.start()
    begun = time.monotonic()
    listed = council.get("/v1/inbox?wait=20").json
    late.join()
    assert len(listed["items"]) == 1
    assert 0.5 < time.monotonic() - begun < 15


def test_what_was_offered_before_does_not_end_a_wait_and_is_given_at_its_end(story: Story, council: HubClient) -> None:
    story.consent()
    accepted = story.send("identity")
    council.get("/v1/inbox")
    begun = time.monotonic()
    listed = council.get("/v1/inbox?wait=1").json
    assert time.monotonic() - begun >= 1
    assert [one["id"] for one in listed["items"]] == [accepted.message]


def test_another_agencys_message_looks_exactly_like_none(story: Story, client: HubClient) -> None:
    story.consent()
    accepted = story.send("identity")
    stranger = client.by(story.f1.id)
    theirs = stranger.get(f"/v1/messages/{accepted.message}")
    none = stranger.get(f"/v1/messages/{story.case}")
    assert (theirs.status_code, theirs.data) == (404, none.data)


def test_a_refused_hand_over_says_why_and_stays_refused_though_the_answer_was_an_error(
    story: Story, council: HubClient
) -> None:
    consent = story.consent()
    accepted = story.send("identity")
    story.withdraw(consent)
    answer = council.get(f"/v1/messages/{accepted.message}")
    assert (answer.status_code, answer.json["code"]) == (403, "consent-refused")
    assert answer.json["decisions"][0]["reason"] == "WITHDRAWN"
    assert story.message(accepted.message).delivery == "refused"


def test_what_is_gone_says_gone(story: Story, council: HubClient) -> None:
    consent = story.consent()
    accepted = story.send("identity")
    story.withdraw(consent)
    council.get(f"/v1/messages/{accepted.message}")
    story.consent()
    answer = council.get(f"/v1/messages/{accepted.message}")
    assert (answer.status_code, answer.json["code"]) == (410, "gone")


def test_a_notice_is_listed_and_answered(story: Story, council: HubClient) -> None:
    consent = story.consent()
    story.collect(story.send("identity").message)
    story.withdraw(consent)
    outbox_jobs.work_off(story.jobs, {"consent:changed": jobs.consent_changed}, given_up=lambda *_: None, by="test")
    (listed,) = council.get("/v1/notices?open=true").json["items"]
    assert listed["items"][0]["categories"] == ["identity"]
    assert listed["actions"] == ["answer"]
    (notice,) = story.notices()
    record = story.purge(notice, PurgeAnswer.PURGED)
    answered = council.say(f"/v1/notices/{notice.id}/answer", {"record": record})
    assert (answered.status_code, answered.json["answer"], answered.json["actions"]) == (200, "purged", [])
    assert council.get("/v1/notices?open=true").json["items"] == []
    assert len(council.get("/v1/notices").json["items"]) == 1
