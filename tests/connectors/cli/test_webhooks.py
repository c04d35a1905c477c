# SPDX-License-Identifier: Apache-2.0
"""`tsunagi webhook`, as the IT staff of an agency types it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from connectors.cli.texts import codes
from connectors.sdk.webhook_calls import Delivery
from connectors.testing.hooks import Hooks
from hub.webhooks.rules import DisabledFor, Outcome
from tests.connectors.cli.office import Office, Town

URL = "https://hooks.agency.example/tsunagi"
NOTHING = "01890000-0000-7000-8000-0000000000ff"


def test_adding_prints_the_secret_and_nothing_else_ever_does(j1: Office) -> None:
    told = j1.type("webhook", "add", URL)
    secret = told.stdout.rpartition(" ")[2].strip()
    assert secret.startswith("whsec_")
    shown = j1.type("webhook", "list").stdout
    assert URL in shown
    assert "good" in shown
    assert "whsec_" not in shown
    (listed,) = j1.json("webhook", "list")["webhooks"]
    assert "secret" not in listed
    rotated = j1.json("webhook", "rotate", listed["id"])["secret"]
    assert rotated.startswith("whsec_")
    assert rotated != secret
    assert "whsec_" in j1.type("webhook", "rotate", listed["id"]).stdout


def test_a_test_is_sent_and_its_tries_are_listed(town: Town, j1: Office, monkeypatch) -> None:
    made = j1.json("webhook", "add", URL)["id"]
    assert "deliveries" in j1.type("webhook", "test", made).stdout
    assert "Nothing" in j1.type("webhook", "deliveries", made).stdout
    event = town.hub.events[-1][1]
    tried = Delivery(
        id=NOTHING, event=event.id, kind=event.event, attempt=2, outcome="refused", status=503, milliseconds=7,
        at=town.now(),
    )  # fmt: skip
    monkeypatch.setattr(Hooks, "deliveries", lambda *_: iter([tried]))
    row = j1.type("webhook", "deliveries", made).stdout.splitlines()[1].split("\t")
    assert row[1:] == ["webhook:tested", event.id, "refused", "503", "2"]
    assert j1.json("webhook", "deliveries", made)["deliveries"][0]["outcome"] == "refused"


def test_one_that_stopped_says_why_and_goes_on(town: Town, j1: Office) -> None:
    made = j1.json("webhook", "add", URL)["id"]
    agency, one = town.hub.webhooks[made]
    town.hub.webhooks[made] = (agency, replace(one, failures=3, next_try_at=town.now() + timedelta(minutes=2)))
    assert "failing, tried again" in j1.type("webhook", "list").stdout
    town.hub.webhooks[made] = (agency, replace(one, disabled_at=town.now(), disabled_for="ended"))
    assert "410" in j1.type("webhook", "list").stdout
    assert made in j1.type("webhook", "enable", made).stdout
    assert "good" in j1.type("webhook", "list").stdout


def test_replaying_needs_an_event_of_the_feed(town: Town, j1: Office) -> None:
    made = j1.json("webhook", "add", URL)["id"]
    j1.json("webhook", "test", made)
    assert made in j1.type("webhook", "replay", made, "--from", town.hub.events[-1][1].id).stdout
    assert j1.json("webhook", "replay", made, "--from", NOTHING, code=1)["error"]["code"] == "unknown-event"
    j1.type("webhook", "replay", made, code=2)
    j1.type("webhook", "replay", made, "--from", "yesterday", code=2)


def test_a_removed_one_is_gone(j1: Office) -> None:
    made = j1.json("webhook", "add", URL)["id"]
    j1.type("webhook", "remove", made)
    assert "no webhooks" in j1.type("webhook", "list").stdout
    assert j1.json("webhook", "remove", made, code=1)["error"]["code"] == "not-found"


def test_what_the_hub_refuses_is_said_and_an_id_must_be_one(town: Town, j1: Office) -> None:
    assert j1.json("webhook", "add", "http://127.0.0.1/", code=1)["error"]["code"] == "bad-webhook"
    j1.type("webhook", "test", "x", code=2)
    town.hub.away = True
    j1.type("webhook", "list", code=4)


def test_every_outcome_and_every_reason_of_the_hub_has_its_words() -> None:
    assert set(codes("webhook_outcome")) == {outcome.value for outcome in Outcome}
    assert set(codes("webhook_state")) == {"good", "failing_now"} | {reason.value for reason in DisabledFor}
