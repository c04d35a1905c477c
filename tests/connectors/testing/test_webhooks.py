# SPDX-License-Identifier: Apache-2.0
"""Webhooks behind the SDK's interface: the hub in memory and the real one behave alike."""

from __future__ import annotations

import uuid

import pytest

from connectors.sdk.problems import ProblemError
from connectors.sync.connector import Connector
from tests.connectors.testing.conftest import World

URL = "https://hooks.agency.example/tsunagi"


@pytest.fixture
def j1(world: World) -> Connector:
    return world.join("jiritsu")


@pytest.fixture
def s1(world: World, j1: Connector) -> Connector:
    made = world.join("shakyo")
    world.meet()
    return made


def problem(status: int, code: str):
    return pytest.raises(ProblemError, check=lambda error: (error.status, error.code) == (status, code))


def test_a_webhook_is_registered_listed_and_removed(world: World, j1: Connector, s1: Connector) -> None:
    made = j1.hub.webhooks.register(URL)
    assert made.secret is not None
    assert made.secret.startswith("whsec_")
    assert made.secret not in repr(made)
    assert [(one.id, one.url) for one in j1.hub.webhooks.list()] == [(made.id, URL)]
    assert j1.hub.webhooks.get(made.id).failures == 0
    assert list(s1.hub.webhooks.list()) == []
    with problem(404, "not-found"):
        s1.hub.webhooks.get(made.id)
    with problem(404, "not-found"):
        s1.hub.webhooks.remove(made.id)
    j1.hub.webhooks.remove(made.id)
    assert list(j1.hub.webhooks.list()) == []
    with problem(404, "not-found"):
        j1.hub.webhooks.remove(made.id)


def test_the_secret_is_told_once_and_a_new_one_is_another(world: World, j1: Connector, s1: Connector) -> None:
    first = j1.hub.webhooks.register(URL, idempotency_key="k")
    again = j1.hub.webhooks.register(URL, idempotency_key="k")
    assert (again.id, again.secret) == (first.id, None)
    rotated = j1.hub.webhooks.rotate(first.id)
    assert rotated.secret not in {None, first.secret}


def test_a_test_is_an_event_of_the_feed(world: World, j1: Connector, s1: Connector) -> None:
    made = j1.hub.webhooks.register(URL)
    assert j1.hub.webhooks.test(made.id).id == made.id
    last = j1.hub.events().items[-1]
    assert (last.event, last.about) == ("webhook:tested", made.id)
    assert j1.hub.webhooks.replay(made.id, last.id).id == made.id
    assert j1.hub.webhooks.enable(made.id).disabled_at is None
    with problem(422, "unknown-event"):
        j1.hub.webhooks.replay(made.id, str(uuid.uuid4()))
    assert list(j1.hub.webhooks.deliveries(made.id)) == []


def test_what_is_refused_is_refused_alike(world: World, j1: Connector, s1: Connector) -> None:
    with problem(422, "bad-webhook"):
        j1.hub.webhooks.register("http://hooks.agency.example/")
    j1.hub.webhooks.register(URL)
    with problem(409, "webhook-exists"):
        j1.hub.webhooks.register(URL)
    for deed in ("test", "rotate", "enable", "deliveries"):
        with problem(404, "not-found"):
            list(getattr(j1.hub.webhooks, deed)(str(uuid.uuid4())) or ())
