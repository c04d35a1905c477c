# SPDX-License-Identifier: Apache-2.0
"""Events on their way to a real server: signed, in order, none lost, and nobody held up by somebody else's trouble."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from connectors.sdk.webhooks import verify
from hub.agencies import service as agencies
from hub.base.config import Settings
from hub.base.db import Database, Duty, now
from hub.outbox import service as outbox
from hub.tasks.rules import TaskKind
from hub.webhooks import delivering
from hub.webhooks.jobs import Couriers
from hub.webhooks.rules import Outcome
from hub.webhooks.sending import Sent
from tests.hub.builders import operator
from tests.hub.webhooks.conftest import Office
from tests.hub.webhooks.receiver import Receiver, receiving, say


@pytest.fixture
def wait_over(sql) -> Callable[[], None]:
    """Let the outbox believe that all waiting is over."""
    return lambda: sql("update webhooks set due_at = now() where due_at > now()")


# ── what arrives ──


def test_each_event_arrives_once_in_order_and_says_no_more_than_the_feed(
    office: Office, couriers: Couriers, receiver: Receiver
) -> None:
    office.hear("consent:registered")
    office.register(receiver.url)
    told = office.hear("referral:requested", "message:waiting", "meeting:convened")
    assert couriers.deliver() == 3
    assert [about for _, about in receiver.told] == told
    shown = {one["id"]: one for one in office.feed()}
    for got in receiver.got:
        event = shown[got.id]
        assert set(got.json) == {"type", "id", "timestamp", "about"}
        assert (got.json["id"], got.json["type"], got.json["about"]) == (event["id"], event["event"], event["about"])
        assert got.json["timestamp"][:19] == event["at"][:19]
        assert got.headers["content-type"] == "application/json"
    assert couriers.deliver() == 0


def test_the_signature_is_what_standard_webhooks_verifies(
    office: Office, couriers: Couriers, receiver: Receiver
) -> None:
    made = office.register(receiver.url)
    office.hear("message:waiting")
    couriers.deliver()
    (got,) = receiver.got
    assert Webhook(made["secret"]).verify(got.body, dict(got.headers)) == got.json
    with pytest.raises(WebhookVerificationError):
        Webhook(made["secret"]).verify(got.body + b" ", dict(got.headers))
    note = verify(got.headers, got.body, [made["secret"]], now=datetime.now(UTC), seen=lambda _: False)
    assert (note.id, note.about) == (got.id, got.json["about"])


def test_while_a_secret_changes_both_sign_and_after_a_day_the_new_one_alone(
    office: Office, couriers: Couriers, receiver: Receiver, station, sql
) -> None:
    old = office.register(receiver.url)
    new = office.do(old["id"], "rotate")
    assert new["secret"] != old["secret"]
    office.hear("message:waiting")
    couriers.deliver()
    for secret in (old["secret"], new["secret"]):
        Webhook(secret).verify(receiver.got[0].body, dict(receiver.got[0].headers))
    sql("update webhooks set old_until = now() - interval '1 second'")
    office.hear("message:opened")
    couriers.deliver()
    assert receiver.got[1].headers["webhook-signature"].count("v1,") == 1
    Webhook(new["secret"]).verify(receiver.got[1].body, dict(receiver.got[1].headers))
    station.tidy()
    assert sql("select old_secret from webhooks") == [(None,)]


def test_a_test_goes_to_its_own_webhook_and_no_other(office: Office, couriers: Couriers, receiver: Receiver) -> None:
    with receiving() as another:
        first, second = office.register(receiver.url)["id"], office.register(another.url)["id"]
        office.do(first, "test", status=202)
        (waiting,) = office.hear("message:waiting")
        couriers.deliver()
        assert receiver.told == [("webhook:tested", first), ("message:waiting", waiting)]
        assert another.told == [("message:waiting", waiting)]
        assert [one["kind"] for one in office.deliveries(second)] == ["message:waiting"]


def test_agencies_get_their_own_events_and_no_others(
    found: Callable[[], Office], couriers: Couriers, receiver: Receiver
) -> None:
    ours, theirs = found(), found()
    ours.register(receiver.url)
    theirs.hear("referral:requested")
    (mine,) = ours.hear("message:waiting")
    couriers.deliver()
    assert receiver.told == [("message:waiting", mine)]


def test_an_event_of_a_transaction_that_was_open_at_registration_is_not_missed(
    office: Office, couriers: Couriers, receiver: Receiver, database: Database
) -> None:
    with database.transaction(None) as slow:
        outbox.tell(slow, agency=office.agency.id, event="case:noted", about=office.agency.id, now=now(slow))
        office.register(receiver.url)
        assert couriers.deliver() == 0
    assert couriers.deliver() == 1
    assert receiver.told == [("case:noted", office.agency.id)]


# ── trouble ──


def test_an_event_that_fails_is_tried_again_before_the_next_one_and_then_all_arrive(
    office: Office, couriers: Couriers, receiver: Receiver, wait_over
) -> None:
    made = office.register(receiver.url)["id"]
    receiver.answers = [say(500), say(503), say(200)]
    told = office.hear("a:b", "c:d")
    assert couriers.deliver() == 1
    shown = office.show(made)
    assert (shown["failures"], shown["disabled_at"]) == (1, None)
    assert shown["next_try_at"] > shown["failing_since"]
    assert couriers.deliver() == 0, "it waits"
    wait_over()
    couriers.deliver()
    wait_over()
    couriers.deliver()
    assert [about for _, about in receiver.told] == [told[0]] * 3 + [told[1]]
    assert len({got.id for got in receiver.got[:3]}) == 1, "the same webhook-id each time"
    tries = [(one["attempt"], one["outcome"], one["status"]) for one in reversed(office.deliveries(made))]
    assert tries == [(1, "refused", 500), (2, "refused", 503), (3, "delivered", 200), (1, "delivered", 200)]
    assert (office.show(made)["failures"], office.show(made)["next_try_at"]) == (0, None)


def test_deliveries_come_in_pages_newest_first(office: Office, couriers: Couriers, receiver: Receiver) -> None:
    made = office.register(receiver.url)["id"]
    office.hear("a:b", "c:d", "e:f")
    couriers.deliver()
    first = office.client.get(f"/v1/webhooks/{made}/deliveries?limit=2").get_json()
    rest = office.client.get(f"/v1/webhooks/{made}/deliveries?limit=2&cursor={first['next_cursor']}").get_json()
    assert [one["kind"] for one in (*first["items"], *rest["items"])] == ["e:f", "c:d", "a:b"]
    assert rest["next_cursor"] is None


def test_a_redirect_is_a_failure_and_leads_nowhere(office: Office, couriers: Couriers, receiver: Receiver) -> None:
    made = office.register(receiver.url)["id"]
    with receiving() as inside:
        receiver.answers = [say(307, Location=inside.url)]
        office.hear("message:waiting")
        couriers.deliver()
        assert inside.connections == 0
    (one,) = office.deliveries(made)
    assert (one["outcome"], one["status"]) == ("refused", 307)


def tasks(office: Office) -> list[tuple[str, str]]:
    return [(one["kind"], one["about"]) for one in office.client.get("/v1/tasks").get_json()["items"]]


def test_410_stops_a_webhook_at_once_and_its_agency_is_told(
    office: Office, couriers: Couriers, receiver: Receiver, station
) -> None:
    made = office.register(receiver.url)["id"]
    receiver.answers = [say(410), say(200)]
    told = office.hear("a:b", "c:d")
    couriers.deliver()
    shown = office.show(made)
    assert (shown["disabled_for"], shown["next_try_at"]) == ("ended", None)
    assert shown["actions"] == ["enable", "rotate", "replay", "remove"]
    assert (office.feed()[-1]["event"], office.feed()[-1]["about"]) == ("webhook:disabled", made)
    assert tasks(office) == [(TaskKind.WEBHOOK_DISABLED.value, made)]
    station.sequence()
    logged = [json.loads(one["entry"]) for one in office.client.get("/v1/audit/entries").get_json()["items"]]
    assert (logged[-1]["kind"], logged[-1]["actor"], logged[-1]["facts"]["deed"]) == (
        "config:change",
        "hub",
        "disabled",
    )
    assert couriers.deliver() == 0
    assert office.do(made, "test", status=409)["code"] == "webhook-disabled"
    assert office.do(made, "enable")["disabled_at"] is None
    couriers.deliver()
    assert receiver.told == [("a:b", told[0]), ("a:b", told[0]), ("c:d", told[1]), ("webhook:disabled", made)]
    assert tasks(office) == []


def test_an_address_that_fails_for_days_is_stopped_and_goes_on_where_it_was(
    office: Office, couriers: Couriers, receiver: Receiver, wait_over, sql
) -> None:
    made = office.register(receiver.url)["id"]
    receiver.answers = [say(500)]
    (told,) = office.hear("a:b")
    couriers.deliver()
    sql("update webhooks set failing_since = now() - interval '4 days 23 hours'")
    wait_over()
    couriers.deliver()
    assert office.show(made)["disabled_at"] is None
    sql("update webhooks set failing_since = now() - interval '5 days'")
    wait_over()
    couriers.deliver()
    assert office.show(made)["disabled_for"] == "failing"
    assert tasks(office) == [(TaskKind.WEBHOOK_DISABLED.value, made)]
    wait_over()
    assert couriers.deliver() == 0
    receiver.answers = [say(200)]
    office.do(made, "enable")
    couriers.deliver()
    assert receiver.told[-2:] == [("a:b", told), ("webhook:disabled", made)]


def test_replaying_sends_again_from_an_event_on_with_the_ids_it_had(
    office: Office, couriers: Couriers, receiver: Receiver
) -> None:
    made = office.register(receiver.url)["id"]
    office.hear("a:b", "c:d", "e:f")
    couriers.deliver()
    ids = [got.id for got in receiver.got]
    office.do(made, "replay", {"event": ids[1]}, status=202)
    couriers.deliver()
    assert [got.id for got in receiver.got] == [*ids, *ids[1:]]


def test_replaying_while_a_call_is_under_way_is_not_undone_by_its_end(
    office: Office, couriers: Couriers, receiver: Receiver, jobs_database: Database, station
) -> None:
    made = office.register(receiver.url)["id"]
    office.hear("a:b", "c:d")
    couriers.deliver()
    office.hear("e:f")
    with station.jobs.transaction(None) as session:
        parcel = delivering.take(session, reach=couriers.line.reach, now=now(session))
    assert parcel is not None
    office.do(made, "replay", {"event": receiver.got[0].id}, status=202)
    with station.jobs.transaction(None) as session:
        sent = Sent(outcome=Outcome.DELIVERED, status=200)
        delivering.settle(session, parcel, sent, milliseconds=1, now=now(session))
    couriers.deliver()
    assert [kind for kind, _ in receiver.told] == ["a:b", "c:d", "a:b", "c:d", "e:f"]


def test_an_agency_that_is_suspended_is_sent_nothing_until_it_is_let_on(
    office: Office, couriers: Couriers, receiver: Receiver, database: Database, wait_over
) -> None:
    office.register(receiver.url)
    with database.transaction(None, Duty.DIRECTORY) as session:
        agencies.suspend(session, office.agency.id, operator(), now=now(session))
    office.hear("message:waiting")
    assert couriers.deliver() == 0
    wait_over()
    assert couriers.deliver() == 0
    assert receiver.connections == 0


def test_a_webhook_removed_meanwhile_is_called_no_more(office: Office, couriers: Couriers, receiver: Receiver) -> None:
    made = office.register(receiver.url)["id"]
    office.hear("message:waiting")
    office.client.call("DELETE", f"/v1/webhooks/{made}")
    assert couriers.deliver() == 0


def test_a_secret_sealed_with_another_key_stops_nobody_else_and_says_so(
    office: Office, couriers: Couriers, receiver: Receiver, wait_over, sql
) -> None:
    made = office.register(receiver.url)["id"]
    sql("update webhooks set secret = 'something else, and long enough to be one'")
    office.hear("message:waiting")
    couriers.deliver()
    assert [one["outcome"] for one in office.deliveries(made)] == ["secret-unreadable"]
    assert receiver.connections == 0
    office.do(made, "rotate")
    sql("update webhooks set old_secret = null, old_until = null")
    wait_over()
    couriers.deliver()
    assert len(receiver.got) == 1


def test_an_address_that_the_settings_no_longer_allow_is_not_called(
    office: Office, couriers: Couriers, receiver: Receiver, settings: Settings
) -> None:
    made = office.register(receiver.url)["id"]
    office.hear("message:waiting")
    strict = replace(
        couriers, line=replace(couriers.line, reach=replace(couriers.line.reach, networks=(), plain=False))
    )
    strict.deliver()
    assert [one["outcome"] for one in office.deliveries(made)] == ["address-refused"]
    assert receiver.connections == 0


# ── nobody is held up ──

IDLE = "select 1 from pg_stat_activity where state = 'idle in transaction' and datname = current_database()"


def wait_for(fulfilled: Callable[[], bool]) -> None:
    until = time.monotonic() + 30
    while not fulfilled():
        assert time.monotonic() < until, "not in time"
        time.sleep(0.02)


def test_slow_servers_hold_up_no_other_and_no_transaction_waits_for_them(
    found: Callable[[], Office], couriers: Couriers, receiver: Receiver, sql
) -> None:
    let_go = threading.Event()

    def slowly(handler: BaseHTTPRequestHandler) -> None:
        let_go.wait(60)
        say(200)(handler)

    with receiving() as slow:
        slow.answers = [slowly]
        for _ in range(3):
            office = found()
            office.register(f"{slow.url}/{office.agency.id}")
            office.hear("a:b")
        quick = found()
        quick.register(receiver.url)
        quick.hear(*["c:d"] * 20)
        patient = replace(couriers, line=replace(couriers.line, seconds=60.0))
        thread = threading.Thread(target=patient.deliver)
        thread.start()
        try:
            wait_for(lambda: len(receiver.got) == 20 and len(slow.got) == 3)
            # the quick one's own transactions end by themselves, those of a waiting call would not
            wait_for(lambda: sql(IDLE) == [])
        finally:
            let_go.set()
            thread.join()
        assert [kind for kind, _ in slow.told] == ["a:b"] * 3


def test_one_event_of_a_webhook_is_under_way_at_a_time_with_two_workers(
    office: Office, couriers: Couriers, receiver: Receiver
) -> None:
    office.register(receiver.url)
    told = office.hear(*["a:b"] * 30)
    threads = [threading.Thread(target=couriers.deliver) for _ in range(2)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert [about for _, about in receiver.told] == told


def test_what_is_old_is_tidied_away(office: Office, couriers: Couriers, receiver: Receiver, station, sql) -> None:
    made = office.register(receiver.url)["id"]
    gone = office.register(f"{receiver.url}/gone")["id"]
    office.hear("a:b")
    couriers.deliver()
    office.client.call("DELETE", f"/v1/webhooks/{gone}")
    with station.jobs.transaction(None) as session:
        assert delivering.tidy(session, now=now(session)) == 0
        assert delivering.tidy(session, now=now(session) + delivering.KEPT + timedelta(minutes=1)) == 3
    assert sql("select id::text from webhooks") == [(made,)]


# ── a worker that dies ──


def test_a_call_whose_worker_died_is_made_again_under_the_same_id_when_its_lease_is_over(
    office: Office, couriers: Couriers, receiver: Receiver, station, sql
) -> None:
    office.register(receiver.url)
    office.hear("a:b")
    with station.jobs.transaction(None) as session:
        parcel = delivering.take(session, reach=couriers.line.reach, now=now(session))
    assert parcel is not None
    assert couriers.deliver() == 0, "the lease still stands"
    sql("update webhooks set leased_until = now()")
    assert couriers.deliver() == 1
    assert receiver.got[0].id == parcel.event.id
    # the first one comes back from the dead: what it says moves nothing
    with station.jobs.transaction(None) as session:
        sent = Sent(outcome=Outcome.ENDED, status=410)
        delivering.settle(session, parcel, sent, milliseconds=1, now=now(session))
    assert sql("select failures, disabled_at from webhooks") == [(0, None)]
