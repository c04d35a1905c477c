# SPDX-License-Identifier: Apache-2.0
"""The secrets that deliveries are signed with: made, sealed for the database, and used (Standard Webhooks 1.0.0).

A secret must be kept so that it can be used, so a digest will not do: it lies in the database encrypted with a key
that lies in a file beside it (`hub.base.hubkeys`), bound to the webhook it belongs to.
"""

import base64
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from standardwebhooks import Webhook

PREFIX: Final = "whsec_"
SECRET_BYTES: Final = 32
NONCE_BYTES: Final = 12


class SecretUnreadableError(Exception):
    """What lies in the database was not sealed with this key, or not for this webhook."""


def write_secret(random: bytes) -> str:
    """Write random bytes as a secret is shown: `whsec_` and base64."""
    return PREFIX + base64.b64encode(random).decode("ascii")


def seal(secret: str, *, webhook: str, key: bytes, nonce: bytes) -> bytes:
    """Encrypt a secret for its place in the database (AES-256-GCM; `nonce`: 12 random bytes)."""
    return nonce + AESGCM(key).encrypt(nonce, secret.encode("ascii"), webhook.encode("ascii"))


def unseal(sealed: bytes, *, webhook: str, key: bytes) -> str:
    """Decrypt a secret.

    *Raises* SecretUnreadableError: another key's, another webhook's, or none at all.
    """
    try:
        nonce, rest = sealed[:NONCE_BYTES], sealed[NONCE_BYTES:]
        return AESGCM(key).decrypt(nonce, rest, webhook.encode("ascii")).decode("ascii")
    except (InvalidTag, ValueError):
        raise SecretUnreadableError from None


def signatures(secrets: Sequence[str], *, event: str, at: datetime, body: str) -> str:
    """Sign a delivery with each secret, the newest first, as `webhook-signature` carries them: `v1,… v1,…`."""
    return " ".join(Webhook(secret).sign(event, at, body) for secret in secrets)
