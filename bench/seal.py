# SPDX-License-Identifier: Apache-2.0
"""What sealing costs above the raw calls: five parts of 2 KB to two recipients, and the signature.

`python -m bench.seal` compares our sealing with two yardsticks that make the same bytes and check nothing:
the raw calls of the JOSE library, keys ready in its form; and the bare primitives of `cryptography` under it.
All run in turns, so that a neighbour on the machine disturbs all.
"""

import hashlib
import json
import os
import platform
import statistics
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.concatkdf import ConcatKDFHash
from cryptography.hazmat.primitives.keywrap import aes_key_wrap
from joserfc import jwe, jws
from joserfc.jwk import OKPKey
from joserfc.registry import HeaderParameter

from consent.envelope.labels import check_parts
from consent.envelope.manifest import ByConsent, MessageKind, read_manifest
from consent.envelope.opening import open_parts
from consent.envelope.sealing import Draft, PlainPart, Sealed, seal
from consent.ids import uuid7
from consent.keys import KeyUse, generate

PARTS = 5
BODY = ("架空の相談記録。" * 100).encode()[:2048]
ROUNDS = 300
RAW = "raw calls (library)"
NOW = datetime(2026, 4, 1, tzinfo=UTC)
CATEGORIES = ("identity", "contact", "consultation", "debt_arrears", "housing")

SIG = generate(KeyUse.SIG)
OWN = generate(KeyUse.ENC)
RECIPIENT = generate(KeyUse.ENC)

JOSE_SIG = OKPKey.import_key(SIG.native)
JOSE_RECIPIENTS = {key.kid: OKPKey.import_key(key.public.native) for key in (RECIPIENT, OWN)}
REGISTRY = jwe.JWERegistry(
    header_registry={"tsn": HeaderParameter("context", lambda _: None)}, algorithms=["ECDH-ES+A256KW", "A256GCM"]
)


def _id() -> str:
    return uuid7(NOW, os.urandom(10))


def _draft() -> Draft:
    message = _id()
    return Draft(
        id=message, thread=message, seq=1, prev=None, sender=_id(), recipient=_id(), case=_id(), created_at=NOW,
        not_after=NOW + timedelta(days=7), purpose="saimu_seiri", urgency="normal", request_kind="service",
        kind=MessageKind.REFERRAL, basis=ByConsent(),
    )  # fmt: skip


DRAFT = _draft()
PLAIN = [PlainPart(category=category, media="text/plain", body=BODY) for category in CATEGORIES]


def ours() -> Sealed:
    """Seal and sign as the casebook does."""
    return seal(DRAFT, PLAIN, recipient=RECIPIENT.public, own=OWN.public, sig=SIG, randomness=os.urandom)


def _raw_recipient(key: X25519PublicKey, content_key: bytes) -> None:
    ephemeral = X25519PrivateKey.generate()
    agreed = ConcatKDFHash(SHA256(), 32, b"ECDH-ES+A256KW").derive(ephemeral.exchange(key))
    ephemeral.public_key().public_bytes_raw()
    aes_key_wrap(agreed, content_key)


def primitives() -> None:
    """Do the cryptography alone."""
    padded = os.urandom(32) + BODY.ljust(4096 - 32, b"\0")
    for _ in range(PARTS):
        content_key = AESGCM.generate_key(256)
        AESGCM(content_key).encrypt(os.urandom(12), padded, b"x" * 240)
        for key in (RECIPIENT.public.native, OWN.public.native):
            assert isinstance(key, X25519PublicKey)
            _raw_recipient(key, content_key)
    assert isinstance(SIG.native, Ed25519PrivateKey)
    SIG.native.sign(b"x" * 2600)


def library() -> None:
    """Make parts, hashes and a signed manifest by the library's own calls."""
    labels = []
    for plain in PLAIN:
        padded = (os.urandom(32) + len(plain.body).to_bytes(8) + plain.body).ljust(4096, b"\0")
        context = {"message": DRAFT.id, "n": 1, "from": DRAFT.sender, "to": DRAFT.recipient, "category": plain.category}
        made = jwe.GeneralJSONEncryption({"enc": "A256GCM", "typ": "tsn-part+jwe", "tsn": context}, padded)
        for name, key in JOSE_RECIPIENTS.items():
            made.add_recipient({"alg": "ECDH-ES+A256KW", "kid": name}, key)
        part = json.dumps(jwe.encrypt_json(made, None, registry=REGISTRY)).encode()
        labels.append({"ct": hashlib.sha256(part).hexdigest(), "com": hashlib.sha256(padded).hexdigest()})
    header = {"alg": "Ed25519", "kid": SIG.kid, "typ": "tsn-manifest+jws"}
    jws.serialize_compact(header, json.dumps(labels), JOSE_SIG, algorithms=["Ed25519"])


def opening() -> Callable[[], None]:
    """Prepare what a receiver does with a message: verify, check, open."""
    message = ours()

    def act() -> None:
        manifest = read_manifest(message.manifest, SIG.public)
        open_parts(manifest, message.parts, RECIPIENT)

    return act


def checking() -> Callable[[], None]:
    """Prepare what the hub does with a message: verify and check without a key."""
    message = ours()

    def act() -> None:
        check_parts(read_manifest(message.manifest, SIG.public), message.parts)

    return act


def _milliseconds(act: Callable[[], object]) -> float:
    start = time.perf_counter()
    act()
    return (time.perf_counter() - start) * 1000


def main() -> None:
    """Measure in turns and print a table and one JSON line."""
    acts: dict[str, Callable[[], object]] = {
        RAW: library,
        "raw primitives": primitives,
        "seal and sign": ours,
        "verify and open": opening(),
        "verify and check (hub)": checking(),
    }
    for act in acts.values():
        _milliseconds(act)
    times: dict[str, list[float]] = {name: [] for name in acts}
    busy = time.process_time()
    wall = time.perf_counter()
    for _ in range(ROUNDS):
        for name, act in acts.items():
            times[name].append(_milliseconds(act))
    share = (time.process_time() - busy) / (time.perf_counter() - wall)
    medians = {name: statistics.median(values) for name, values in times.items()}
    sealing = medians["seal and sign"]
    print(f"{'five parts of 2 KB, two recipients':36}{'median ms':>12}{'p95 ms':>10}{'x raw':>8}")
    for name, values in times.items():
        p95 = statistics.quantiles(values, n=20)[-1]
        print(f"{name:36}{medians[name]:12.3f}{p95:10.3f}{medians[name] / medians[RAW]:8.2f}")
    print(
        json.dumps(
            {
                "bench": "seal", "rounds": ROUNDS, "parts": PARTS, "body_bytes": len(BODY), "median_ms": medians,
                "ratio_to_raw": round(sealing / medians[RAW], 3),
                "ratio_to_primitives": round(sealing / medians["raw primitives"], 3),
                "own_cpu_share": round(share, 2), "python": platform.python_version(),
                "cores": os.cpu_count(),
            }
        )
    )  # fmt: skip


if __name__ == "__main__":
    main()
