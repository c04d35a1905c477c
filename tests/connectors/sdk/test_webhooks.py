# SPDX-License-Identifier: Apache-2.0
"""What a receiver may believe: the hub's own deliveries, of now, once."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from standardwebhooks import Webhook

from connectors.sdk.webhooks import TOLERANCE, Note, WebhookRefusedError, WebhookSeenError, verify

NOW = datetime(2026, 7, 1, 12, 0, tzinfo=UTC)
SECRET = "whsec_" + "c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0"
OTHER = "whsec_" + "b3RoZXJvdGhlcm90aGVyb3RoZXJvdGhl"
ID = "01890000-0000-7000-8000-0000000000e1"
ABOUT = "01890000-0000-7000-8000-0000000000ab"
SAID = {"type": "message:waiting", "id": ID, "timestamp": "2026-07-01T11:59:58Z", "about": ABOUT}


def written(said: Any = None) -> bytes:
    return json.dumps(SAID if said is None else said).encode()


def signed(body: bytes, *, at: datetime = NOW, secrets: tuple[str, ...] = (SECRET,), event: str = ID) -> dict[str, str]:
    signatures = [Webhook(secret).sign(event, at, body.decode()) for secret in secrets]
    stamp = str(int(at.timestamp()))
    return {"Webhook-Id": event, "Webhook-Timestamp": stamp, "Webhook-Signature": " ".join(signatures)}


@pytest.fixture
def seen() -> Callable[[str], bool]:
    known: set[str] = set()

    def _seen(event: str) -> bool:
        before = event in known
        known.add(event)
        return before

    return _seen


def refusal(headers: dict[str, str], body: bytes, seen, *, secrets=(SECRET,)) -> str:
    with pytest.raises(WebhookRefusedError) as refused:
        verify(headers, body, secrets, now=NOW, seen=seen)
    for language in ("ja", "en"):
        assert refused.value.says(language)
        assert refused.value.code not in refused.value.says(language)
    return refused.value.code


def test_a_delivery_of_the_hub_is_read(seen) -> None:
    body = written()
    note = verify(signed(body), body, [SECRET], now=NOW, seen=seen)
    assert note == Note(type="message:waiting", id=ID, timestamp=NOW - timedelta(seconds=2), about=ABOUT)


def test_the_published_vector_is_signed_by_the_hub(seen) -> None:
    """The vector's body is no note of ours: its signature is good, and it goes as far as being read."""
    headers = {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }
    at = datetime.fromtimestamp(1614265330, tz=UTC)
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    for body, code in ((b'{"test": 2432232314}', "webhook-malformed"), (b'{"test": 2432232315}', "webhook-unsigned")):
        with pytest.raises(WebhookRefusedError) as refused:
            verify(headers, body, [secret], now=at, seen=seen)
        assert refused.value.code == code


def test_while_the_secret_changes_either_is_good(seen) -> None:
    body = written()
    both = signed(body, secrets=(OTHER, SECRET))
    assert verify(both, body, [SECRET], now=NOW, seen=lambda _: False).id == ID
    assert verify(signed(body, secrets=(OTHER,)), body, [SECRET, OTHER], now=NOW, seen=seen).id == ID


def test_what_others_sign_or_change_is_refused(seen) -> None:
    body = written()
    good = signed(body)
    assert refusal(signed(body, secrets=(OTHER,)), body, seen) == "webhook-unsigned"
    assert refusal(good, body.replace(b"waiting", b"opened "), seen) == "webhook-unsigned"
    assert refusal(good | {"Webhook-Id": ABOUT}, body, seen) == "webhook-unsigned"
    assert refusal(good | {"Webhook-Timestamp": str(int(NOW.timestamp()) + 1)}, body, seen) == "webhook-unsigned"
    assert refusal(good, body, seen, secrets=()) == "webhook-unsigned"
    for signature in ("", "v1,", "v1", "v2" + good["Webhook-Signature"][2:], "v1,あ", ",,, ,", "v1a,x v1a,y"):
        assert refusal(good | {"Webhook-Signature": signature}, body, seen) == "webhook-unsigned"


@pytest.mark.parametrize("left_out", ["Webhook-Id", "Webhook-Timestamp", "Webhook-Signature"])
def test_each_header_is_needed(seen, left_out: str) -> None:
    body = written()
    headers = {name: value for name, value in signed(body).items() if name != left_out}
    assert refusal(headers, body, seen) == "webhook-unsigned"


@pytest.mark.parametrize("stamp", ["", "now", "-1", "1e9", "١٦١٤٢٦٥٣٣٠", "9" * 40, "1614265330.5", " 1614265330"])
def test_a_time_that_is_none_is_refused(seen, stamp: str) -> None:
    body = written()
    assert refusal(signed(body) | {"Webhook-Timestamp": stamp}, body, seen) == "webhook-unsigned"


@pytest.mark.parametrize("away", [TOLERANCE + timedelta(seconds=1), -TOLERANCE - timedelta(seconds=1)])
def test_ssr_08_an_old_delivery_and_one_that_was_seen_are_refused(seen, away: timedelta) -> None:
    body = written()
    assert refusal(signed(body, at=NOW + away), body, seen) == "webhook-late"
    at_the_edge = signed(body, at=NOW + (TOLERANCE if away > timedelta() else -TOLERANCE))
    assert verify(at_the_edge, body, [SECRET], now=NOW, seen=seen).id == ID
    with pytest.raises(WebhookSeenError) as refused:
        verify(signed(body), body, [SECRET], now=NOW, seen=seen)
    assert refused.value.code == "webhook-seen"


@pytest.mark.parametrize(
    "said",
    [
        [],
        {},
        {**SAID, "id": ABOUT},
        {name: value for name, value in SAID.items() if name != "about"},
        {**SAID, "timestamp": "yesterday"},
        {**SAID, "about": "x" * 20_000},
    ],
)
def test_a_signed_body_that_is_no_note_is_refused_and_not_remembered(seen, said: Any) -> None:
    body = written(said)
    assert refusal(signed(body), body, seen) == "webhook-malformed"
    assert not seen(ID)


def test_bytes_that_are_no_text_are_refused(seen) -> None:
    assert refusal(signed(written()), b"\xff\xfe", seen) == "webhook-malformed"


def test_a_newer_hub_may_say_more(seen) -> None:
    body = written({**SAID, "more": 1})
    assert verify(signed(body), body, [SECRET], now=NOW, seen=seen).about == ABOUT
