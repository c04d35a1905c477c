# SPDX-License-Identifier: Apache-2.0
"""Signatures as Standard Webhooks has them, and secrets that only their own key opens."""

import base64
import hashlib
import hmac
from datetime import UTC, datetime

import pytest

from hub.webhooks import signing
from hub.webhooks.signing import SecretUnreadableError

A, B = "01890000-0000-7000-8000-00000000000a", "01890000-0000-7000-8000-00000000000b"
KEY, NONCE = bytes(range(32)), bytes(12)
SECRET = signing.write_secret(b"s" * 32)


def test_the_published_vector_of_standard_webhooks() -> None:
    signed = signing.signatures(
        ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"],
        event="msg_p5jXN8AQM9LWM0D4loKWxJek",
        at=datetime.fromtimestamp(1614265330, tz=UTC),
        body='{"test": 2432232314}',
    )
    assert signed == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_it_is_hmac_sha256_over_id_seconds_and_body_with_each_secret() -> None:
    at = datetime(2026, 7, 1, 12, 0, 0, 999_999, tzinfo=UTC)
    other = signing.write_secret(b"o" * 32)
    signed = signing.signatures([SECRET, other], event=A, at=at, body="{}").split(" ")
    for said, key in zip(signed, (b"s" * 32, b"o" * 32), strict=True):
        digest = hmac.new(key, f"{A}.{int(at.timestamp())}.{{}}".encode(), hashlib.sha256).digest()
        assert said == "v1," + base64.b64encode(digest).decode()


def test_a_sealed_secret_opens_again_and_does_not_show() -> None:
    sealed = signing.seal(SECRET, webhook=A, key=KEY, nonce=NONCE)
    assert SECRET.encode() not in sealed
    assert signing.unseal(sealed, webhook=A, key=KEY) == SECRET


@pytest.mark.parametrize(
    ("sealed", "webhook", "key"),
    [
        (signing.seal(SECRET, webhook=A, key=KEY, nonce=NONCE), B, KEY),
        (signing.seal(SECRET, webhook=A, key=KEY, nonce=NONCE), A, bytes(32)),
        (signing.seal(SECRET, webhook=A, key=KEY, nonce=NONCE)[:-1], A, KEY),
        (b"", A, KEY),
        (b"short", A, KEY),
    ],
)
def test_another_webhooks_place_another_key_or_a_changed_text_opens_nothing(sealed, webhook, key) -> None:
    with pytest.raises(SecretUnreadableError):
        signing.unseal(sealed, webhook=webhook, key=key)
