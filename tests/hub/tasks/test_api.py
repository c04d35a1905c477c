# SPDX-License-Identifier: Apache-2.0
"""Tasks over HTTP."""

from datetime import timedelta

import pytest

from hub.app import create_app
from hub.base.db import Database, now
from hub.tasks import api, service
from hub.tasks.rules import TaskKind
from tests.hub.conftest import HubClient, agency_by_header

OURS = "00000000-0000-4000-8000-00000000000a"
THEIRS = "00000000-0000-4000-8000-00000000000b"
CASE = "00000000-0000-4000-8000-0000000000ca"


@pytest.fixture
def client(settings, database) -> HubClient:
    app = create_app(settings, database, validator=agency_by_header, namespaces=[api.namespace])
    app.test_client_class = HubClient
    return app.test_client().by(OURS)


def raise_one(database: Database, about: str = "r1", *, agency: str = OURS, due: timedelta | None = None) -> str:
    with database.transaction(OURS) as session:
        at = now(session)
        due_at = None if due is None else at + due
        kind = TaskKind.REFERRAL_ANSWER
        return service.raise_task(session, agency=agency, kind=kind, about=about, due=due_at, now=at, case=CASE)


def test_a_task_says_what_about_which_thing_by_when_and_what_may_be_done(client: HubClient, database) -> None:
    task = raise_one(database, due=timedelta(hours=1))
    (item,) = client.get("/v1/tasks", headers={"Accept-Language": "en"}).json["items"]
    assert (item["id"], item["kind"], item["about"], item["case"]) == (task, "referral_answer", "r1", CASE)
    assert (item["label"], item["overdue"], item["actions"]) == ("Answer the referral", False, ["done"])


def test_a_task_past_its_time_is_overdue_and_one_without_a_time_never(client: HubClient, database) -> None:
    raise_one(database, "late", due=timedelta(hours=-1))
    raise_one(database, "some day")
    assert [item["overdue"] for item in client.get("/v1/tasks").json["items"]] == [True, False]


def test_a_done_task_leaves_the_list_unless_asked_for(client: HubClient, database) -> None:
    task = raise_one(database)
    answer = client.say(f"/v1/tasks/{task}/done")
    assert (answer.status_code, answer.json["actions"]) == (200, [])
    assert client.get("/v1/tasks").json["items"] == []
    (item,) = client.get("/v1/tasks?done=true").json["items"]
    assert item["done_at"] == answer.json["done_at"]


def test_doing_it_twice_gives_the_same_answer(client: HubClient, database) -> None:
    task = raise_one(database)
    first = client.say(f"/v1/tasks/{task}/done")
    assert client.say(f"/v1/tasks/{task}/done").json == first.json


def test_anothers_task_answers_like_one_that_does_not_exist(client: HubClient, database) -> None:
    theirs = raise_one(database, agency=THEIRS)
    answers = [client.say(f"/v1/tasks/{one}/done") for one in (theirs, "01900000-0000-7000-8000-00000000dead")]
    assert [answer.status_code for answer in answers] == [404, 404]
    assert answers[0].data == answers[1].data
    assert client.get("/v1/tasks").json["items"] == []


def test_tasks_come_in_pages_in_the_order_raised(client: HubClient, database) -> None:
    ids = [raise_one(database, str(number)) for number in range(5)]
    seen, path = [], "/v1/tasks?limit=2"
    while path:
        page = client.get(path).json
        seen += [item["id"] for item in page["items"]]
        path = page["next_cursor"] and f"/v1/tasks?limit=2&cursor={page['next_cursor']}"
    assert seen == sorted(ids)


@pytest.mark.parametrize("cursor", ["x", "WzFd", "WyJhIl0"])
def test_a_cursor_of_another_make_is_refused(client: HubClient, cursor: str) -> None:
    answer = client.get(f"/v1/tasks?cursor={cursor}")
    assert (answer.status_code, answer.json["code"]) == (400, "bad-cursor")
