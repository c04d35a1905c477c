# SPDX-License-Identifier: Apache-2.0
"""What one agency learns of another's by asking the whole hub (TEN rows): nothing, not even by the clock."""

import statistics
import time
import uuid

import pytest

from hub.web import openapi
from hub.web.permissions import PERMISSIONS, declared
from tests.security.stage import Stage

NOTHING = "00000000-0000-7000-8000-000000000000"
PUBLIC_LISTS = {"/v1/agencies"}
"""The directory is everybody's. Every other list is the caller's own."""


def lists(stage: Stage) -> list[str]:
    """Give every list of the API: a GET without an id in its path and with a cursor."""
    found = []
    for route in openapi.routes(stage.app):
        query = route.operation.query
        pages = query is not None and "cursor" in query.model_fields
        if route.method == "get" and not route.arguments and pages and route.path not in PUBLIC_LISTS:
            found.append(route.path)
    return found


def mine(stage: Stage) -> str:
    return str(stage.by(stage.story.j1).get("/v1/referrals").get_json()["items"][0]["id"])


def test_ten_01_another_agencys_referral_answers_like_none_also_by_the_clock(wall: Stage) -> None:
    paths, by = (f"/v1/referrals/{mine(wall)}", f"/v1/referrals/{NOTHING}"), wall.by(wall.story.f1)

    def took(path: str) -> float:
        by.token()
        started = time.perf_counter()
        answer = by.get(path)
        assert (answer.status_code, answer.data) == (404, missing)
        return time.perf_counter() - started

    def difference() -> float:
        """Compare the quicker half, taken in turns: what a busy machine adds is in the slower one."""
        there, nowhere = zip(*((took(paths[0]), took(paths[1])) for _ in range(40)), strict=True)
        return abs(statistics.median(sorted(there)[:20]) - statistics.median(sorted(nowhere)[:20]))

    missing = by.get(paths[1]).data
    # a difference that is really there shows every time
    assert any(difference() < 0.005 for _ in range(3))


def test_ten_02_a_handle_that_another_agency_uses_is_free_and_shows_nothing(stage: Stage) -> None:
    answers = [
        stage.by(stage.story.f1).post("/v1/cases", {"case": case}) for case in (stage.story.case, str(uuid.uuid4()))
    ]
    assert [answer.status_code for answer in answers] == [201, 201]
    own = ("case", "id", "opened_at", "moved_at")
    shown = [{name: value for name, value in answer.get_json().items() if name not in own} for answer in answers]
    assert shown[0] == shown[1]


def test_ten_06_every_list_counts_the_callers_own_only(wall: Stage) -> None:
    paths = lists(wall)
    assert {"/v1/referrals", "/v1/cases", "/v1/tasks", "/v1/inbox", "/v1/events", "/v1/audit/entries"} <= set(paths)
    for path in paths:
        asked = f"{path}?case={wall.story.case}" if path == "/v1/consents" else path
        answer = wall.by(wall.story.f1).get(asked)
        if path == "/v1/consents":
            assert wall.refused(answer, 404, "not-found")
            continue
        assert answer.status_code == 200, (path, answer.get_json())
        told = answer.get_data(as_text=True)
        assert not any(word in told for word in (wall.story.case, wall.story.s1.id)), path
        assert set(answer.get_json()) == {"items", "next_cursor"}, path


@pytest.mark.parametrize("path", ["/v1/referrals", "/v1/agencies", "/v1/tasks", "/v1/inbox", "/v1/events"])
@pytest.mark.parametrize("query", ["agency=x", "sort=ciphertext", "fields=sealed", "count=true", "topic=x"])
def test_ten_03_05_12_nothing_hidden_can_be_asked_for(wall: Stage, path, query) -> None:
    before = wall.facts()
    assert wall.refused(wall.by(wall.story.f1).get(f"{path}?{query}"), 400, "bad-query")
    assert wall.facts() == before


def test_ten_12_a_feed_is_the_callers_own_and_no_webhook_can_ask_for_anothers(wall: Stage) -> None:
    told = wall.by(wall.story.s1).get("/v1/events").get_json()
    assert [event["event"] for event in told["items"] if event["event"].startswith("referral:")]
    assert wall.by(wall.story.f1).get(f"/v1/events?cursor={told['next_cursor']}").get_json()["items"] == []
    before = wall.facts()
    for more in ({"agency": wall.story.s1.id}, {"topic": "referral:requested"}):
        asked = wall.by(wall.story.f1).post("/v1/webhooks", {"url": "https://hooks.example/x", **more})
        assert wall.refused(asked, 422, "unknown-member")
    assert wall.facts() == before


def test_ten_14_no_door_of_the_api_is_an_operators_or_an_officers(wall: Stage) -> None:
    named = {name for _, path, name in declared(wall.app) if path.startswith("/v1/")}
    roles = {role for name in named if name is not None for role in PERMISSIONS[name].roles}
    assert roles == {"CON"}
    # and what is theirs, at the console, is no connector's
    theirs = {name for _, path, name in declared(wall.app) if path.startswith("/console")}
    assert not any("CON" in PERMISSIONS[name].roles for name in theirs if name is not None)


def test_ten_15_entries_of_others_are_not_found(wall: Stage) -> None:
    entry = wall.by(wall.story.j1).get("/v1/audit/entries").get_json()
    by = wall.by(wall.story.f1)
    for item in [*entry["items"], {"id": NOTHING}]:
        assert wall.refused(by.get(f"/v1/audit/entries/{item['id']}"), 404, "not-found")
